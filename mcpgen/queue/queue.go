// Package queue decides who may run now.
//
// One queue stands before one database connection. At most [Limits.Concurrent]
// calls run; the others wait for at most [Limits.Wait]. Among those who wait, the
// keys (principals) take turns and each key's calls keep their order, so a client
// that floods the queue delays itself: a single call of another key waits for at
// most one turn of every key that is waiting. Nobody overtakes: a new call joins
// the waiters whenever there are any.
//
// Its hole: it counts within this process only, and a key that is not waiting has
// no memory, so a client with many keys has many turns.
package queue

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrTimeout matches, with errors.Is, the error of a call that waited in vain.
var ErrTimeout = errors.New("waited too long")

// TimeoutError is the error of a call that waited in vain.
type TimeoutError struct {
	Waited     time.Duration
	Concurrent int // how many may run at once
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("all %d places for this connection stayed busy for %s; try again in a moment",
		e.Concurrent, e.Waited.Round(time.Millisecond))
}

// Is reports whether target is [ErrTimeout].
func (e *TimeoutError) Is(target error) bool { return target == ErrTimeout }

// The limits' bounds, and what a zero value means.
const (
	MaxConcurrent     = 200
	DefaultConcurrent = 5
	DefaultWait       = 30 * time.Second
)

// Limits are a connection's settings.
type Limits struct {
	Concurrent int           // calls at once, 1 to 200; 0 means 5, more is 200
	Wait       time.Duration // longest wait; 0 or less means 30 s
	Enabled    bool          // false: everyone runs at once, and only the pool's size limits
}

func (l Limits) withDefaults() Limits {
	if l.Concurrent <= 0 {
		l.Concurrent = DefaultConcurrent
	}
	l.Concurrent = min(l.Concurrent, MaxConcurrent)
	if l.Wait <= 0 {
		l.Wait = DefaultWait
	}
	return l
}

// Stats is a queue's state at one moment.
type Stats struct {
	Running    int           `json:"running"`
	Waiting    int           `json:"waiting"`
	OldestWait time.Duration `json:"oldest_wait"` // of the call that waits longest, in nanoseconds
	Rejected   uint64        `json:"rejected"`    // timed out since New; calls that were cancelled do not count
}

// Queue admits calls. Its methods may be called by several goroutines at once.
type Queue struct {
	mu       sync.Mutex
	limits   Limits
	running  int
	waiting  int
	rejected uint64
	turns    list.List        // of *line: keys with waiters, next turn first
	lines    map[string]*line // the same by key
	arrivals chain            // in order of arrival
	spare    []*waiter        // to be used again
}

// line is the waiters of one key. An empty line is removed.
type line struct {
	key     string
	turn    *list.Element // in turns
	waiters chain
}

// waiter is one call that waits. Its channel and timer serve one call after the other: under load most calls wait, and
// new ones would cost more than the waiting.
type waiter struct {
	line     *line
	links    [chains]links
	since    time.Time
	timer    *time.Timer
	admitted chan struct{} // of capacity one: gets its value under mu, together with running++
}

// maxSpare is how many waiters are kept for later calls.
const maxSpare = 256

// New makes a queue. Limits out of bounds are brought into them.
func New(l Limits) *Queue {
	return &Queue{limits: l.withDefaults(), lines: map[string]*line{}, arrivals: chain{which: byArrival}}
}

// Admit waits until the call may run. release gives the place back; it must be
// called once the call is over and may be called again without effect. On an error
// release is nil and nothing is held: the error is a [TimeoutError], or the
// context's cause.
func (q *Queue) Admit(ctx context.Context, key string) (release func(), waited time.Duration, err error) {
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	q.mu.Lock()
	if !q.limits.Enabled || q.waiting == 0 && q.running < q.limits.Concurrent {
		q.running++
		q.mu.Unlock()
		return q.releaser(), 0, nil
	}
	w := q.join(key)
	q.mu.Unlock()
	defer q.recycle(w)

	select {
	case <-w.admitted:
		return q.releaser(), time.Since(w.since), nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-w.timer.C:
	}
	return q.giveUp(ctx, w, err)
}

// waiter returns one that nobody uses. The caller holds mu.
func (q *Queue) waiter() *waiter {
	n := len(q.spare)
	if n == 0 {
		return &waiter{timer: time.NewTimer(q.limits.Wait), admitted: make(chan struct{}, 1)}
	}
	w := q.spare[n-1]
	q.spare = q.spare[:n-1]
	w.timer.Reset(q.limits.Wait)
	return w
}

// recycle keeps a waiter that has left and whose channel is empty. A stopped timer's channel is (package time, Timer.Stop).
func (q *Queue) recycle(w *waiter) {
	w.timer.Stop()
	w.line = nil
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.spare) < maxSpare {
		q.spare = append(q.spare, w)
	}
}

// giveUp leaves the line, unless the place came in the same moment. A place that
// came to someone who has gone goes on to the next.
func (q *Queue) giveUp(ctx context.Context, w *waiter, err error) (func(), time.Duration, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waited := time.Since(w.since)
	select {
	case <-w.admitted:
		if err == nil && ctx.Err() == nil {
			return q.releaser(), waited, nil
		}
		q.running--
		q.admit()
		return nil, waited, context.Cause(ctx)
	default:
	}
	q.leave(w)
	if err == nil {
		q.rejected++
		err = &TimeoutError{Waited: waited, Concurrent: q.limits.Concurrent}
	}
	return nil, waited, err
}

func (q *Queue) releaser() func() {
	released := false
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if released {
			return
		}
		released = true
		q.running--
		q.admit()
	}
}

// join puts a new waiter at the end of its key's line. The caller holds mu.
func (q *Queue) join(key string) *waiter {
	l := q.lines[key]
	if l == nil {
		l = &line{key: key, waiters: chain{which: byLine}}
		l.turn = q.turns.PushBack(l)
		q.lines[key] = l
	}
	w := q.waiter()
	w.line, w.since = l, time.Now()
	l.waiters.push(w)
	q.arrivals.push(w)
	q.waiting++
	return w
}

// leave takes a waiter out of its line. The caller holds mu.
func (q *Queue) leave(w *waiter) {
	q.waiting--
	q.arrivals.remove(w)
	w.line.waiters.remove(w)
	if w.line.waiters.first == nil {
		q.turns.Remove(w.line.turn)
		delete(q.lines, w.line.key)
	}
}

// admit fills free places: the key whose turn it is sends its first waiter and
// goes to the end. The caller holds mu.
func (q *Queue) admit() {
	for q.waiting > 0 && (!q.limits.Enabled || q.running < q.limits.Concurrent) {
		l := q.turns.Front().Value.(*line)
		w := l.waiters.first
		q.turns.MoveToBack(l.turn)
		q.leave(w)
		q.running++
		w.admitted <- struct{}{} // it is empty: a waiter gets one value
	}
}

// SetLimits changes the limits. More places are filled at once; with fewer, those
// who run finish. Calls that wait already keep the longest wait that they came with.
func (q *Queue) SetLimits(l Limits) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limits = l.withDefaults()
	q.admit()
}

// Stats returns the state now.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{Running: q.running, Waiting: q.waiting, Rejected: q.rejected}
	if first := q.arrivals.first; first != nil {
		s.OldestWait = time.Since(first.since)
	}
	return s
}

// A waiter stands in two chains.
const (
	byLine = iota
	byArrival
	chains
)

// links are a waiter's neighbours in one chain.
type links struct{ before, after *waiter }

// chain is a list of waiters, linked through themselves.
type chain struct {
	which       int
	first, last *waiter
}

func (c *chain) push(w *waiter) {
	w.links[c.which] = links{before: c.last}
	if c.last == nil {
		c.first = w
	} else {
		c.last.links[c.which].after = w
	}
	c.last = w
}

func (c *chain) remove(w *waiter) {
	l := w.links[c.which]
	if l.before == nil {
		c.first = l.after
	} else {
		l.before.links[c.which].after = l.after
	}
	if l.after == nil {
		c.last = l.before
	} else {
		l.after.links[c.which].before = l.before
	}
	w.links[c.which] = links{}
}
