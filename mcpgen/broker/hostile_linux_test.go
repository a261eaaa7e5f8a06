package broker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// raw is a hostile child: the bare descriptor.
func raw(t *testing.T, o Options) (*Server, int) {
	t.Helper()
	parent, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(o)
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), parent) }() // ends with the child
	t.Cleanup(func() {
		child.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	fd := int(child.Fd()) // blocking from here on
	return s, fd
}

// descriptors counts those of this process, but for pipes: the network package keeps some for splicing until a collection.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasPrefix(target, "pipe:") {
			n++
		}
	}
	return n
}

// case 232: ten broken messages, of every kind, and the caller is told; no descriptor stays.
func TestAbuse(t *testing.T) {
	told := make(chan string, 100)
	s, fd := raw(t, Options{OnAbuse: func(reason string) { told <- reason }})
	before := descriptors(t)
	messages := []struct {
		text   string
		rights []int
	}{
		{strings.Repeat("x", 100<<10), nil}, {strings.Repeat(" ", 1025), nil}, {"{{{{", nil}, {"{}", nil}, {`{"id":1,"conn":"a","host":"b","port":1}`, []int{fd, fd, fd}},
		{`{"id":-1,"conn":"a","host":"b","port":1}`, nil}, {`{"id":1,"conn":"a","host":"b","port":1}{}`, nil}, {"\xff\xfe", nil},
		{`{"id":1,"conn":"a","host":"b","port":65536}`, nil}, {`{"id":1,"conn":"a","host":"b","port":1,"x":1}`, nil}, {`null`, nil}, {`{"id":1`, nil},
	}
	for i, m := range messages {
		var oob []byte
		if m.rights != nil {
			oob = unix.UnixRights(m.rights...)
		}
		if err := unix.Sendmsg(fd, []byte(m.text), oob, nil, 0); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	select {
	case reason := <-told:
		t.Log(reason)
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	for end := time.Now().Add(time.Minute); s.Stats().Abuse < int64(len(messages)) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if st := s.Stats(); st != (Stats{Abuse: int64(len(messages))}) {
		t.Errorf("stats %+v", st)
	}
	if len(told) != 0 {
		t.Error("told twice")
	}
	if last := s.Refusals(); len(last) != len(messages) || !last[0].Abuse || !strings.HasPrefix(last[0].Reason, "abuse: ") || last[0].Host != "" {
		t.Errorf("refusals %+v", last)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, then %d: stuffed ones stayed", before, after)
	}
}

// case 232, 234: a flood of requests is bounded; what is handed out is the child's, not the parent's.
func TestFlood(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	w := newWall(t, Options{Allow: map[string]Target{"c1": {"127.0.0.1", int(db.Port()), true}}})
	var wg sync.WaitGroup
	var limited atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 100 {
				stage, err := w.dial(t, "c1", "127.0.0.1", int(db.Port()))
				switch {
				case stage == "":
				case stage == StagePolicy && strings.Contains(err.Error(), "too many new connections"):
					limited.Add(1)
				default:
					t.Errorf("%s %v", stage, err)
				}
			}
		})
	}
	start := time.Now()
	wg.Wait()
	st := w.Stats()
	most := int64(dialBurst + dialRate*(time.Since(start).Seconds()+1))
	if st.Allowed > most || st.Denied != limited.Load() || st.Allowed+st.Denied != 800 { // at most 800 only where it took six seconds and more
		t.Errorf("stats %+v, limited %d, at most %d", st, limited.Load(), most)
	}
}

// Sixteen dials at once, then no more until one ends.
func TestInFlight(t *testing.T) {
	release := make(chan struct{})
	w := newWall(t, Options{
		Allow: map[string]Target{"c1": {"slow.test", 1, true}},
		Resolve: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return nil, errors.New("released")
		},
	})
	var wg sync.WaitGroup
	var refused, resolved atomic.Int64
	for range maxInFlight + 5 {
		wg.Go(func() {
			stage, err := w.dial(t, "c1", "slow.test", 1)
			switch {
			case stage == StagePolicy && strings.Contains(err.Error(), "16 connections are being made"):
				if refused.Add(1) == 5 {
					close(release)
				}
			case stage == StageResolve:
				resolved.Add(1)
			default:
				t.Errorf("%s %v", stage, err)
			}
		})
	}
	wg.Wait()
	if refused.Load() != 5 || resolved.Load() != maxInFlight {
		t.Errorf("%d refused, %d resolved", refused.Load(), resolved.Load())
	}
}

// case 235: children that die in the middle leave no descriptor and no goroutine (goleak) behind.
func TestDescriptorsReturn(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	before := descriptors(t)
	for i := range 200 {
		parent, child, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		s := NewServer(Options{Allow: map[string]Target{"c1": {"127.0.0.1", int(db.Port()), true}}})
		served := make(chan error, 1)
		go func() { served <- s.Serve(t.Context(), parent) }()
		for id := range 4 {
			if _, err := fmt.Fprintf(child, `{"id":%d,"conn":"c1","host":"127.0.0.1","port":%d}`, id, db.Port()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(i%5) * 200 * time.Microsecond)
		child.Close()
		if err := <-served; err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(time.Minute)
	for descriptors(t) > before && time.Now().Before(deadline) { // the echo server closes its ends in its own time
		time.Sleep(5 * time.Millisecond)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

// A caller that stops waiting just when its socket comes must not lose it unclosed.
func TestAbandonedSocketsAreClosed(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	w := newWall(t, Options{Allow: map[string]Target{"c1": {"127.0.0.1", int(db.Port()), true}}})
	before := descriptors(t)
	for i := range 150 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*4*time.Microsecond)
		if c, err := w.dialer.Dial(ctx, "c1", "127.0.0.1", int(db.Port())); err == nil {
			c.Close()
		}
		cancel()
	}
	deadline := time.Now().Add(time.Minute)
	for descriptors(t) > before && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
	w.dialer.mu.Lock()
	defer w.dialer.mu.Unlock()
	if len(w.dialer.wait) != 0 {
		t.Errorf("%d requests still noted", len(w.dialer.wait))
	}
}

// A child that asks and never reads is given up on; Serve still ends.
func TestChildThatDoesNotRead(t *testing.T) {
	s, fd := raw(t, Options{})
	message := []byte(`{"id":1,"conn":"nope","host":"b","port":1}`)
	// Until neither direction takes more: the server is stuck in its answer, and nothing is read for a while.
	full := 0
	for end := time.Now().Add(time.Minute); (full < 100 || s.Stats().Denied == 0) && time.Now().Before(end); {
		if err := unix.Sendmsg(fd, message, nil, nil, unix.MSG_DONTWAIT); err != nil {
			full++
			time.Sleep(time.Millisecond)
		} else {
			full = 0
		}
	}
	if full < 100 {
		t.Error("the server takes requests without end from a child that reads nothing")
	}
	if st := s.Stats(); st.Denied == 0 || st.Allowed != 0 {
		t.Errorf("stats %+v", st)
	}
}

// A child that sends without end costs the studio no more than a child that sends a little: what it may say in a second is bounded, and
// the rest waits on its side.
func TestMessagesArePaced(t *testing.T) {
	s, fd := raw(t, Options{})
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { // it takes its answers, so nothing else holds the server up
		buf := make([]byte, 4096)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := unix.Read(fd, buf); err != nil {
				time.Sleep(100 * time.Microsecond)
			}
		}
	})
	message := []byte(`{"id":1,"conn":"nope","host":"b","port":1}`)
	start := time.Now()
	for time.Since(start) < time.Second {
		if unix.Sendmsg(fd, message, nil, nil, unix.MSG_DONTWAIT) != nil {
			time.Sleep(100 * time.Microsecond)
		}
	}
	took := time.Since(start)
	close(stop)
	reader.Wait()
	if got, most := s.Stats().Denied, int64(messageBurst+messageRate*(took.Seconds()+1)); got > most {
		t.Errorf("%d messages in %v, at most %d", got, took, most)
	}
}

func TestServeEndsWithContext(t *testing.T) {
	w := newWall(t, Options{})
	w.end()
	select {
	case err := <-w.served:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.served <- nil
	case <-time.After(time.Minute):
		t.Fatal("Serve does not end")
	}
	<-w.dialer.Done()
}

func TestNewDialerRefusesOtherFiles(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := NewDialer(f); err == nil {
		d.Close()
		t.Error("a device passed for a broker")
	}
}
