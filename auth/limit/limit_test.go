package limit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mcpstudio/auth/limit"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func openStore(t *testing.T, dir string) *db.DB {
	t.Helper()
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: k})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newLimiter(t *testing.T, c *clock) *limit.Limiter {
	t.Helper()
	d := openStore(t, filepath.Join(t.TempDir(), "data"))
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return limit.New(d, limit.Options{Now: c.now})
}

func admitted(t *testing.T, l *limit.Limiter, bucket string) *limit.Reservation {
	t.Helper()
	r, err := l.Reserve(t.Context(), bucket)
	if err != nil {
		t.Fatalf("not admitted: %v", err)
	}
	return r
}

func refused(t *testing.T, l *limit.Limiter, bucket string) *limit.ExceededError {
	t.Helper()
	_, err := l.Reserve(t.Context(), bucket)
	var over *limit.ExceededError
	if !errors.As(err, &over) {
		t.Fatalf("got %v, want refused", err)
	}
	return over
}

// case 13, case 20
func TestWindow(t *testing.T) {
	c := newClock()
	l := newLimiter(t, c)
	for range limit.DefaultMax {
		admitted(t, l, "a")
		c.add(time.Minute)
	}
	over := refused(t, l, "a")
	if want := 10 * time.Minute; over.RetryAfter != want || over.Seconds() != 600 {
		t.Errorf("retry after %s, want %s", over.RetryAfter, want)
	}
	admitted(t, l, "b") // case 20: another address is not concerned
	c.add(over.RetryAfter - time.Microsecond)
	refused(t, l, "a")
	c.add(time.Microsecond)
	admitted(t, l, "a") // exactly when it said
	refused(t, l, "a")  // and it slides: one left the window, one came
}

// TestRefusedDoNotCount: hammering does not lengthen a lock.
func TestRefusedDoNotCount(t *testing.T) {
	c := newClock()
	l := newLimiter(t, c)
	for range limit.DefaultMax {
		admitted(t, l, "a")
	}
	for range 50 {
		refused(t, l, "a")
		c.add(time.Second)
	}
	c.add(limit.DefaultWindow - 50*time.Second)
	admitted(t, l, "a")
}

// TestBurst is case 18: of 200 at once, as many as the limit are admitted.
func TestBurst(t *testing.T) {
	l := newLimiter(t, newClock())
	var wg sync.WaitGroup
	var mu sync.Mutex
	in, out := 0, 0
	for range 200 {
		wg.Go(func() {
			_, err := l.Reserve(t.Context(), "a")
			var over *limit.ExceededError
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				in++
			case errors.As(err, &over):
				out++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in != limit.DefaultMax || out != 200-limit.DefaultMax {
		t.Errorf("%d admitted, %d refused", in, out)
	}
}

// TestSuccess is case 25: a success clears its address only, and one success in every few guesses is still limited.
func TestSuccess(t *testing.T) {
	c := newClock()
	l := newLimiter(t, c)
	settle := func(bucket string) {
		t.Helper()
		if err := admitted(t, l, bucket).Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		admitted(t, l, "a")
		admitted(t, l, "b")
	}
	settle("a")
	for range 5 {
		admitted(t, l, "a")
	}
	refused(t, l, "a")
	admitted(t, l, "b")
	refused(t, l, "b") // b was not cleared

	guesses := 0
	for range 20 {
		for range 4 {
			if _, err := l.Reserve(t.Context(), "mixed"); err == nil {
				guesses++
			}
		}
		if r, err := l.Reserve(t.Context(), "mixed"); err == nil {
			if err := r.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if guesses > limit.DefaultCeiling {
		t.Errorf("%d guesses in a window, at most %d are meant", guesses, limit.DefaultCeiling)
	}
	if over := refused(t, l, "mixed"); over.RetryAfter != limit.DefaultWindow {
		t.Errorf("retry after %s", over.RetryAfter)
	}
	// Successes alone never lock: they are taken back.
	for range 100 {
		settle("busy")
	}
}

// TestRestart is case 19: the lock survives, and a crash in the middle of an attempt counts as a failure.
func TestRestart(t *testing.T) {
	c := newClock()
	dir := filepath.Join(t.TempDir(), "data")
	for i := range limit.DefaultMax {
		d := openStore(t, dir)
		l := limit.New(d, limit.Options{Now: c.now})
		admitted(t, l, "a") // and never settled
		if err := d.Close(); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	d := openStore(t, dir)
	defer d.Close()
	l := limit.New(d, limit.Options{Now: c.now})
	refused(t, l, "a")

	// The clock is set back an hour: still locked, and for no longer than a window.
	c.add(-time.Hour)
	if over := refused(t, l, "a"); over.RetryAfter > limit.DefaultWindow {
		t.Errorf("locked for %s", over.RetryAfter)
	}
	c.add(limit.DefaultWindow)
	admitted(t, l, "a")
}

// TestFlood is case 21: many addresses do not push a live lock out.
func TestFlood(t *testing.T) {
	l := newLimiter(t, newClock())
	for range limit.DefaultMax {
		admitted(t, l, "victim")
	}
	for i := range 500 {
		admitted(t, l, fmt.Sprintf("flood-%d", i))
	}
	refused(t, l, "victim")
}

// TestBucket is case 17.
func TestBucket(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"127.0.0.1", "::ffff:127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::1%eth1", true},
		{"::1", "127.0.0.1", false},
	} {
		a, b := limit.Bucket("login", netip.MustParseAddr(tc.a)), limit.Bucket("login", netip.MustParseAddr(tc.b))
		if (a == b) != tc.same {
			t.Errorf("%s is %s, %s is %s", tc.a, a, tc.b, b)
		}
	}
	x := netip.MustParseAddr("192.0.2.1")
	if limit.Bucket("login", x) == limit.Bucket("setup", x) {
		t.Error("two purposes share a bucket")
	}
	if got := limit.Bucket("login", netip.Addr{}); got != "login:local" {
		t.Errorf("got %s", got)
	}
}

// TestWithdraw: an attempt whose guess was not looked at does not count, and does not excuse those before it.
func TestWithdraw(t *testing.T) {
	l := newLimiter(t, newClock())
	for range 4 {
		admitted(t, l, "a")
	}
	for range 10 {
		if err := admitted(t, l, "a").Withdraw(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	admitted(t, l, "a")
	refused(t, l, "a")
}
