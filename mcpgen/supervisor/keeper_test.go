package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// still is a supervisor without goroutines and children, for rules that depend on nothing but time.
func still(t *testing.T) *Supervisor {
	t.Helper()
	v := &Supervisor{o: Options{}.filled(), change: make(chan struct{}, 1), roster: newRoster()}
	v.logs = newLog(v.o.Now)
	v.base, v.end = context.WithCancel(t.Context())
	v.cur.Store(&slot{wait: true, next: make(chan struct{})})
	return v
}

// living is a child that ends after a time.
func living(v *Supervisor, life time.Duration) *process {
	p := &process{v: v, readyAt: time.Now(), ended: make(chan struct{}), exit: sandbox.Exit{Code: 1}}
	time.AfterFunc(life, func() { p.until = time.Now(); close(p.ended) })
	return p
}

// TestRestartDelay: a child that was ready for a second is started again at once and resets the delay; only one that ends earlier, or
// does not start, doubles it, from 100 ms to 30 s (case 238).
func TestRestartDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const ms = time.Millisecond
		never := time.Duration(-1) // it does not start
		lives := []time.Duration{
			time.Second, 10 * ms, 999 * ms, never, 0, never, never, never, never, never, never, never, // to the cap
			5 * time.Second, // resets
			10 * ms, time.Hour,
		}
		want := []time.Duration{ // waited before each start but the first
			0, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms, 30 * time.Second, 30 * time.Second,
			0, 100 * ms,
		}
		v := still(t)
		first := living(v, lives[0])
		k := newKeeper(v, &plan{revision: 1}, first)
		v.live = k
		ended := time.Now().Add(lives[0])
		var waited []time.Duration
		next := 1
		k.start = func(context.Context) (*process, error) {
			waited = append(waited, time.Since(ended))
			life := lives[next]
			next++
			if life == never {
				ended = time.Now()
				return nil, errors.New("no memory for a test")
			}
			ended = time.Now().Add(life)
			return living(v, life), nil
		}
		go k.run()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !slices.Equal(waited, want) {
			t.Errorf("waited\n%v, want\n%v", waited, want)
		}
		k.mu.Lock()
		if k.crash != "" || k.restarts != 6 {
			t.Errorf("in the end: %d restarts, %q", k.restarts, k.crash)
		}
		k.mu.Unlock()
		k.end()
		<-k.done
		time.Sleep(time.Hour) // the timers of the children
	})
}

// TestCrashIsTold: while a child is not there, the state says why, for how long, and what it said last.
func TestCrashIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := still(t)
		k := newKeeper(v, &plan{revision: 9}, living(v, 10*time.Millisecond))
		v.live = k
		k.start = func(context.Context) (*process, error) { return nil, errors.New("the disk is full") }
		v.logs.add(0, sourceChild, 9, "cannot open the shop", nil)
		go k.run()
		told := func() string {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.crash
		}
		time.Sleep(20 * time.Millisecond)
		if got := told(); !strings.Contains(got, "exit code 1") || !strings.Contains(got, "next attempt is in 100ms") || !strings.Contains(got, "cannot open the shop") {
			t.Errorf("after the crash: %q", got)
		}
		time.Sleep(150 * time.Millisecond)
		if got := told(); !strings.Contains(got, "the disk is full") || !strings.Contains(got, "next attempt is in 200ms") || !strings.Contains(got, "cannot open the shop") {
			t.Errorf("after an attempt: %q", got)
		}
		k.end()
		<-k.done
	})
}

// TestPatience: a call waits for a child that is being started for one second, not longer; it goes on as soon as there is one, or
// none will come.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := still(t)
		start := time.Now()
		err := v.Call(t.Context(), &hop.Request{}, &hop.Reply{})
		var told *store.Error
		if !errors.As(err, &told) || told.Code != store.Unavailable || told.Retry != 2 || !strings.Contains(told.Message, "being restarted") || time.Since(start) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		start = time.Now()
		time.AfterFunc(700*time.Millisecond, func() { v.swap(&slot{next: make(chan struct{})}) }) // stopped
		if err := v.Call(t.Context(), &hop.Request{}, &hop.Reply{}); !strings.Contains(err.Error(), "press Deploy") || time.Since(start) != 700*time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		v.swap(&slot{wait: true, next: make(chan struct{})})
		if err := v.Call(ctx, &hop.Request{}, &hop.Reply{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a client that leaves: %v", err)
		}
	})
}
