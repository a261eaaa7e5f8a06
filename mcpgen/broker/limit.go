package broker

import (
	"context"
	"time"
)

// Bounds of what a child can cause. A pool that fills after a restart of its database stays far below them.
const (
	dialBurst     = 200
	dialRate      = 100 // per second
	maxInFlight   = 16
	maxAbuse      = 10
	dialTimeout   = 10 * time.Second // for resolving and all addresses together
	minShare      = 2 * time.Second  // for one address of several
	writeDeadline = 2 * time.Second

	// Messages of any kind. To look at one costs the studio as much as sending it costs the child, and is in no limit of the child's.
	messageBurst = 1000
	messageRate  = 500 // per second

	logBurst = 50
	logRate  = 0.2 // per second
)

// bucket is a token bucket for one goroutine.
type bucket struct {
	tokens, burst, rate float64
	last                time.Time
}

func newBucket(burst, rate float64, now time.Time) *bucket {
	return &bucket{tokens: burst, burst: burst, rate: rate, last: now}
}

// wait takes one as soon as it fits, unless ctx ends first.
func (b *bucket) wait(ctx context.Context) error {
	if b.take(time.Now()) {
		return nil
	}
	timer := time.NewTimer(time.Duration((1 - b.tokens) / b.rate * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		b.take(time.Now())
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take reports whether one more fits.
func (b *bucket) take(now time.Time) bool {
	b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
