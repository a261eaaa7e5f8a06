package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// start begins a call that holds its place for hold and then writes its name.
func start(q *Queue, key, name string, hold time.Duration, wg *sync.WaitGroup, log func(string)) {
	wg.Go(func() {
		release, _, err := q.Admit(context.Background(), key)
		if err != nil {
			log(name + ": " + err.Error())
			return
		}
		log(name)
		time.Sleep(hold)
		release()
	})
	synctest.Wait() // so that calls arrive in the order they are started
}

func logger() (log func(string), lines func() []string) {
	var mu sync.Mutex
	var got []string
	return func(s string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, s)
		}, func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(got)
		}
}

func TestFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Enabled: true}, nil)
		var wg sync.WaitGroup
		log, lines := logger()
		for i := range 6 {
			start(q, "a", fmt.Sprint(i), time.Second, &wg, log)
		}
		if s := q.Stats(); s.Running != 1 || s.Waiting != 5 {
			t.Errorf("stats %+v, want 1 running and 5 waiting", s)
		}
		time.Sleep(500 * time.Millisecond)
		if s := q.Stats(); s.OldestWait != 500*time.Millisecond {
			t.Errorf("oldest wait %s, want 500ms", s.OldestWait)
		}
		wg.Wait()
		if got, want := strings.Join(lines(), ""), "012345"; got != want {
			t.Errorf("order %s, want %s", got, want)
		}
		if s := q.Stats(); s != (Stats{}) {
			t.Errorf("stats %+v, want none left", s)
		}
	})
}

// case 179
func TestThousandCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 5, Wait: 10 * time.Second, Enabled: true}, nil)
		other := New(Limits{Concurrent: 5, Wait: 10 * time.Second, Enabled: true}, nil)
		var mu sync.Mutex
		var now, most, ran, refused int
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				release, waited, err := q.Admit(context.Background(), "a")
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					var timeout *TimeoutError
					if !errors.Is(err, ErrTimeout) || !errors.As(err, &timeout) || waited != 10*time.Second || release != nil {
						t.Errorf("got %v after %s, want a time-out after 10s", err, waited)
					}
					refused++
					return
				}
				if waited > 10*time.Second {
					t.Errorf("ran after %s", waited)
				}
				now++
				ran++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				release()
			})
		}
		synctest.Wait()
		if release, waited, err := other.Admit(t.Context(), "a"); err != nil || waited != 0 {
			t.Errorf("another connection: %v after %s, want at once", err, waited)
		} else {
			release()
		}
		wg.Wait()
		// Ten rounds of five begin within 10 s; an eleventh may come in the very moment the time is up.
		if most != 5 || ran < 50 || ran > 55 || ran+refused != 1000 {
			t.Errorf("most at once %d, ran %d, refused %d", most, ran, refused)
		}
		if s := q.Stats(); s != (Stats{Rejected: uint64(refused)}) {
			t.Errorf("stats %+v, want only %d rejected", s, refused)
		}
	})
}

func TestTimeoutMessage(t *testing.T) {
	err := error(&TimeoutError{Waited: 30 * time.Second, Concurrent: 5})
	if got, want := err.Error(), "all 5 places for this connection stayed busy for 30s; try again in a moment"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// case 180
func TestCancelFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Enabled: true}, nil)
		release, _, err := q.Admit(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		gone := errors.New("client went away")
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error)
		go func() {
			r, waited, err := q.Admit(ctx, "b")
			if r != nil || waited != 3*time.Second {
				t.Errorf("release given: %t, waited %s, want none and 3s", r != nil, waited)
			}
			result <- err
		}()
		time.Sleep(3 * time.Second)
		cancel(gone)
		if err := <-result; !errors.Is(err, gone) {
			t.Errorf("got %v, want %v", err, gone)
		}
		if s := q.Stats(); s != (Stats{Running: 1}) {
			t.Errorf("stats %+v, want one running", s)
		}
		release()
		if s := q.Stats(); s != (Stats{}) {
			t.Errorf("stats %+v, want nothing", s)
		}
		if _, _, err := q.Admit(ctx, "b"); !errors.Is(err, gone) {
			t.Errorf("a cancelled context was admitted: %v", err)
		}
	})
}

// A place that is given to a call in the moment that it is cancelled goes on to the
// next call. Both outcomes of the race are tried many times.
func TestPlaceAndCancelAtOnce(t *testing.T) {
	for range 300 {
		q := New(Limits{Concurrent: 1, Wait: time.Minute, Enabled: true}, nil)
		release, _, err := q.Admit(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if r, _, err := q.Admit(ctx, "b"); err == nil {
				r()
			}
		})
		wg.Go(func() {
			r, _, err := q.Admit(t.Context(), "c")
			if err != nil {
				t.Errorf("the next call: %v", err)
				return
			}
			r()
		})
		for q.Stats().Waiting < 2 {
			time.Sleep(10 * time.Microsecond)
		}
		wg.Go(cancel)
		wg.Go(release)
		wg.Wait()
		if s := q.Stats(); s != (Stats{}) {
			t.Fatalf("stats %+v, want nothing left", s)
		}
	}
}

func TestPlaceAndTimeoutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Wait: time.Second, Enabled: true}, nil)
		for range 200 {
			release, _, err := q.Admit(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, key := range []string{"b", "c"} {
				wg.Go(func() {
					if r, _, err := q.Admit(t.Context(), key); err == nil {
						r()
					} else if !errors.Is(err, ErrTimeout) {
						t.Errorf("got %v, want a time-out or a place", err)
					}
				})
			}
			time.Sleep(time.Second) // the timers fire now too
			release()
			wg.Wait()
			if s := q.Stats(); s.Running != 0 || s.Waiting != 0 {
				t.Fatalf("stats %+v, want nothing left", s)
			}
		}
	})
}

func TestReleaseTwice(t *testing.T) {
	q := New(Limits{Concurrent: 1, Enabled: true}, nil)
	first, _, err := q.Admit(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	first()
	second, _, err := q.Admit(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	first()
	if s := q.Stats(); s.Running != 1 {
		t.Errorf("%d running after a second release of an old place, want 1", s.Running)
	}
	second()
}

// One client floods, another sends one call: it waits for one turn, not for the
// whole flood. // case 181
func TestKeysTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Wait: time.Hour, Enabled: true}, nil)
		var wg sync.WaitGroup
		log, lines := logger()
		for i := range 100 {
			start(q, "flood", fmt.Sprint("f", i), time.Second, &wg, log)
		}
		start(q, "one", "one", time.Second, &wg, log)
		start(q, "two", "two1", time.Second, &wg, log)
		start(q, "two", "two2", time.Second, &wg, log)
		time.Sleep(6500 * time.Millisecond)
		got := lines()[:7]
		want := []string{"f0", "f1", "one", "two1", "f2", "two2", "f3"}
		if !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
		wg.Wait()
	})
}

// A free place does not go to a newcomer while others wait.
func TestNobodyOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Wait: time.Hour, Enabled: true}, nil)
		var wg sync.WaitGroup
		log, lines := logger()
		for i := range 20 {
			start(q, fmt.Sprint("k", i%4), fmt.Sprint(i), time.Millisecond, &wg, log)
		}
		wg.Wait()
		want := make([]string, 20)
		for i := range want {
			want[i] = fmt.Sprint(i)
		}
		if got := lines(); !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
	})
}

func TestDisabled(t *testing.T) {
	q := New(Limits{Concurrent: 1}, nil)
	for range 50 {
		if _, waited, err := q.Admit(t.Context(), "a"); err != nil || waited != 0 {
			t.Fatalf("%v after %s, want at once", err, waited)
		}
	}
	if s := q.Stats(); s.Running != 50 {
		t.Errorf("stats %+v, want 50 running", s)
	}
}

func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Wait: time.Hour, Enabled: true}, nil)
		var wg sync.WaitGroup
		log, _ := logger()
		for i := range 10 {
			start(q, "a", fmt.Sprint(i), time.Minute, &wg, log)
		}
		for _, step := range []struct {
			limits  Limits
			running int
		}{
			{Limits{Concurrent: 4, Wait: time.Hour, Enabled: true}, 4},
			{Limits{Concurrent: 2, Wait: time.Hour, Enabled: true}, 4}, // those who run finish
			{Limits{Concurrent: 6, Wait: time.Hour, Enabled: true}, 6},
			{Limits{Concurrent: 1, Wait: time.Hour}, 10}, // switched off
		} {
			q.SetLimits(step.limits)
			if s := q.Stats(); s.Running != step.running || s.Waiting != 10-step.running {
				t.Errorf("%+v: stats %+v, want %d running", step.limits, s, step.running)
			}
		}
		wg.Wait()
	})
}

func TestLimitsAreBounded(t *testing.T) {
	for _, c := range []struct{ in, want Limits }{
		{Limits{}, Limits{Concurrent: 5, Wait: 30 * time.Second}},
		{Limits{Concurrent: -1, Wait: -1, Enabled: true}, Limits{Concurrent: 5, Wait: 30 * time.Second, Enabled: true}},
		{Limits{Concurrent: 1000, Wait: time.Second}, Limits{Concurrent: 200, Wait: time.Second}},
	} {
		if got := c.in.withDefaults(); got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestMany(t *testing.T) {
	q := New(Limits{Concurrent: 3, Wait: 2 * time.Millisecond, Enabled: true}, nil)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n%5)*time.Millisecond)
				if release, _, err := q.Admit(ctx, fmt.Sprint(i%7)); err == nil {
					if r := q.Stats().Running; r > 3 {
						t.Errorf("%d running, want at most 3", r)
					}
					release()
					release()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if s := q.Stats(); s.Running != 0 || s.Waiting != 0 || len(q.lines) != 0 || q.turns.Len() != 0 || q.arrivals.first != nil {
		t.Errorf("left over: %+v, %d lines", s, len(q.lines))
	}
}

func BenchmarkAdmit(b *testing.B) {
	q := New(Limits{Concurrent: 200, Enabled: true}, nil)
	b.ReportAllocs()
	for b.Loop() {
		release, _, err := q.Admit(b.Context(), "a")
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
