// Package limit slows guessing down: a sliding window of attempts by bucket,
// kept in a store that survives restarts.
//
// An attempt is reserved before the guess is looked at, and only a success takes
// it back. So however many guesses arrive together, no more than the limit are
// looked at, and a crash in between counts as a failure. For passwords a bucket
// names one client address (see Bucket), never an account: nobody can lock the
// admin out from elsewhere. For codes of the second factor it names the account:
// whoever tries those knows the password.
//
// A success clears the bucket's earlier failures, but a second, higher ceiling
// still counts them: somebody who mixes one success into every few guesses is
// slowed too.
//
// The window follows the wall clock, because it must survive a restart. A clock
// set back never lengthens a lock beyond the window; one set forward ends it
// early.
//
// Its hole: an attacker with many addresses gets the limit for each of them.
// What then bounds the guessing is the cost of a hash (auth/password).
package limit

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"time"
)

// Counter keeps attempts. Attempt must run decide and keep the attempt in one transaction.
type Counter interface {
	// Attempt gives decide the bucket's attempts after since, oldest first: open ones, and ones settled by a later success. When
	// decide returns nil it keeps another open attempt at now; otherwise it returns decide's error.
	Attempt(ctx context.Context, bucket string, now, since time.Time, decide func(open, settled []time.Time) error) (id string, err error)
	// SettleAttempt removes the attempt and settles the bucket's other ones.
	SettleAttempt(ctx context.Context, bucket, id string) error
	// DropAttempt removes the attempt and nothing else.
	DropAttempt(ctx context.Context, id string) error
}

// The defaults of Options (docs/attacks.md, cases 13 and 25).
const (
	DefaultMax     = 5
	DefaultCeiling = 20
	DefaultWindow  = 15 * time.Minute
)

// Options tunes a Limiter; the zero value takes the defaults.
type Options struct {
	Max     int              // failures in the window that lock a bucket
	Ceiling int              // the same, counting failures that a success settled; at least Max
	Window  time.Duration    // how long an attempt counts
	Now     func() time.Time // the clock; time.Now when nil
}

// Limiter admits attempts. It keeps nothing in memory, so no flood of buckets can fill it or push a live lock out.
type Limiter struct {
	counter Counter
	o       Options
}

// New returns a Limiter that counts in c.
func New(c Counter, o Options) *Limiter {
	if o.Max <= 0 {
		o.Max = DefaultMax
	}
	if o.Ceiling <= 0 {
		o.Ceiling = DefaultCeiling
	}
	o.Ceiling = max(o.Ceiling, o.Max)
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Limiter{counter: c, o: o}
}

// ExceededError says that the bucket is locked.
type ExceededError struct {
	RetryAfter time.Duration // until an attempt is admitted again
}

// Error implements error.
func (e *ExceededError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %d seconds", e.Seconds())
}

// Seconds is RetryAfter in whole seconds, rounded up, at least 1: the value of a Retry-After header.
func (e *ExceededError) Seconds() int { return max(1, int(math.Ceil(e.RetryAfter.Seconds()))) }

// Reservation is an admitted attempt. Left alone it counts as a failure.
type Reservation struct {
	counter    Counter
	bucket, id string
}

// Reserve admits an attempt or returns an *ExceededError. Call it before the guess is looked at.
func (l *Limiter) Reserve(ctx context.Context, bucket string) (*Reservation, error) {
	now := l.o.Now()
	id, err := l.counter.Attempt(ctx, bucket, now, now.Add(-l.o.Window), func(open, settled []time.Time) error {
		return l.decide(now, open, settled)
	})
	if err != nil {
		return nil, err
	}
	return &Reservation{l.counter, bucket, id}, nil
}

// decide applies both limits; the bucket opens when enough of the attempts that fill the fuller one have left the window.
func (l *Limiter) decide(now time.Time, open, settled []time.Time) error {
	var until time.Time
	if n := len(open) - l.o.Max; n >= 0 {
		until = open[n].Add(l.o.Window)
	}
	if all := merge(settled, open); len(all) >= l.o.Ceiling {
		if t := all[len(all)-l.o.Ceiling].Add(l.o.Window); t.After(until) {
			until = t
		}
	}
	if until.After(now) {
		return &ExceededError{RetryAfter: until.Sub(now)}
	}
	return nil
}

// merge merges two sorted lists.
func merge(a, b []time.Time) []time.Time {
	out := make([]time.Time, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].Before(b[0]) {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// Settle says that the guess was right.
func (r *Reservation) Settle(ctx context.Context) error {
	if err := r.counter.SettleAttempt(ctx, r.bucket, r.id); err != nil {
		return fmt.Errorf("settle an attempt: %w", err)
	}
	return nil
}

// Withdraw says that the guess was not looked at. The attempt is forgotten, and those before it count as they did.
func (r *Reservation) Withdraw(ctx context.Context) error {
	if err := r.counter.DropAttempt(ctx, r.id); err != nil {
		return fmt.Errorf("withdraw an attempt: %w", err)
	}
	return nil
}

// Bucket names the bucket of an address for one purpose, for instance login. An IPv6 client usually holds a whole /64
// (RFC 6177), so that is what counts; an IPv4 address counts alike in its own and in its IPv6-mapped form (RFC 4291 section 2.5.5.2).
// An invalid address, as of a unix socket, is one bucket.
func Bucket(purpose string, a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return purpose + ":local"
	}
	if a.Is6() {
		p, err := a.Prefix(64)
		if err == nil {
			return purpose + ":" + p.String()
		}
	}
	return purpose + ":" + a.String()
}
