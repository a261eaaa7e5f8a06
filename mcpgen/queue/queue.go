// Package queue decides who may run now.
//
// One queue stands before one database connection. At most [Limits.Concurrent]
// calls run; the others wait for at most [Limits.Wait]. Among those who wait, the
// keys (principals) take turns and each key's calls keep their order, so a client
// that floods the queue delays itself: a single call of another key waits for at
// most one turn of every key that is waiting. Nobody overtakes: a new call joins
// the waiters whenever there are any.
//
// The queues of a process may share a [Room], so that calls to a connection that
// hangs leave places for those to others. When a queue's part of it is full, a key
// with fewer waiters than another takes the place of the other's last one.
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
	Rejected   uint64        `json:"rejected"`    // timed out, or without a place to wait, since New; calls that were cancelled do not count
}

// Queue admits calls. Its methods may be called by several goroutines at once.
type Queue struct {
	room *Room // nil: no bound

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
	length  int
}

// waiter is one call that waits. Its channel and timer serve one call after the other: under load most calls wait, and
// new ones would cost more than the waiting.
type waiter struct {
	line  *line
	links [chains]links
	since time.Time
	timer *time.Timer
	told  chan bool // of capacity one, under mu: true, together with running++, when its turn has come; false when it was pushed out
}

// maxSpare is how many waiters are kept for later calls.
const maxSpare = 256

// New makes a queue in a room, or in none. Limits out of bounds are brought into them.
func New(l Limits, room *Room) *Queue {
	return &Queue{room: room, limits: l.withDefaults(), lines: map[string]*line{}, arrivals: chain{which: byArrival}}
}

// Admit waits until the call may run. release gives the place back; it must be
// called once the call is over and may be called again without effect. On an error
// release is nil and nothing is held: the error is a [TimeoutError], a [FullError]
// or the context's cause.
func (q *Queue) Admit(ctx context.Context, key string) (release func(), waited time.Duration, err error) {
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	q.mu.Lock()
	if held := q.running + q.waiting; !q.room.enter(held) && !q.pushOut(key) {
		q.rejected++
		q.mu.Unlock()
		return nil, 0, &FullError{Held: held}
	}
	if !q.limits.Enabled || q.waiting == 0 && q.running < q.limits.Concurrent {
		q.running++
		q.mu.Unlock()
		return q.releaser(), 0, nil
	}
	w := q.join(key)
	q.mu.Unlock()
	defer q.recycle(w)

	select {
	case mine := <-w.told:
		waited = time.Since(w.since)
		if !mine {
			return nil, waited, &FullError{Held: q.held()}
		}
		return q.releaser(), waited, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-w.timer.C:
	}
	return q.giveUp(ctx, w, err)
}

// pushOut takes the place of the last waiter of the longest line for key, if key's own line stays shorter than what is left of
// that one. The caller holds mu.
func (q *Queue) pushOut(key string) bool {
	own := 0
	if l := q.lines[key]; l != nil {
		own = l.length
	}
	var longest *line
	for _, l := range q.lines {
		if longest == nil || l.length > longest.length {
			longest = l
		}
	}
	if longest == nil || own+1 >= longest.length {
		return false
	}
	w := longest.waiters.last
	q.leave(w)
	q.rejected++
	w.told <- false // it is empty: a waiter gets one value
	return true
}

func (q *Queue) held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running + q.waiting
}

// waiter returns one that nobody uses. The caller holds mu.
func (q *Queue) waiter() *waiter {
	n := len(q.spare)
	if n == 0 {
		return &waiter{timer: time.NewTimer(q.limits.Wait), told: make(chan bool, 1)}
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
	case mine := <-w.told:
		switch {
		case mine && err == nil && ctx.Err() == nil:
			return q.releaser(), waited, nil
		case mine:
			q.free()
		case ctx.Err() == nil:
			return nil, waited, &FullError{Held: q.running + q.waiting}
		}
		return nil, waited, context.Cause(ctx)
	default:
	}
	q.leave(w)
	q.room.leave()
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
		q.free()
	}
}

// free gives a place to run back. The caller holds mu.
func (q *Queue) free() {
	q.running--
	q.room.leave()
	q.admit()
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
	l.length++
	q.arrivals.push(w)
	q.waiting++
	return w
}

// leave takes a waiter out of its line. The caller holds mu.
func (q *Queue) leave(w *waiter) {
	q.waiting--
	q.arrivals.remove(w)
	w.line.waiters.remove(w)
	w.line.length--
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
		w.told <- true // it is empty: a waiter gets one value
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
