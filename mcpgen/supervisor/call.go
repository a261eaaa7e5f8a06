package supervisor

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// patience is how long a call waits for a child that is being restarted.
const patience = time.Second

// slot is where calls go: to one child, or nowhere for now.
type slot struct {
	child *process
	wait  bool          // without a child: one is being started
	next  chan struct{} // closed when another slot takes this one's place

	users atomic.Int64 // calls inside; below zero once retired
	once  sync.Once
	idle  chan struct{} // closed when retired and empty
}

func newSlot(p *process) *slot {
	return &slot{child: p, next: make(chan struct{}), idle: make(chan struct{})}
}

// enter counts a call in, unless the slot is retired.
func (s *slot) enter() bool {
	if s.users.Add(1) > 0 {
		return true
	}
	s.leave()
	return false
}

func (s *slot) leave() {
	if s.users.Add(-1) == math.MinInt64 {
		s.once.Do(func() { close(s.idle) })
	}
}

// retire lets no further call in; idle closes when the last one has left.
func (s *slot) retire() {
	if s.child != nil && s.users.Add(math.MinInt64) == math.MinInt64 {
		s.once.Do(func() { close(s.idle) })
	}
}

// Call sends one request to the live child and waits for the answer, in r. While
// a child is being restarted it waits up to a second. A call that no child has
// seen moves to the next one; a call whose child ended while it may have run is
// never sent again.
//
// The errors are ctx's own, hop.ErrTooLarge, or a *store.Error of Unavailable
// with a sentence for the client.
func (v *Supervisor) Call(ctx context.Context, q *hop.Request, r *hop.Reply) error {
	var timeout <-chan time.Time // made when first needed
	for {
		s := v.cur.Load()
		if s.child != nil && s.enter() {
			err := s.child.link.Call(ctx, q, r)
			s.leave()
			switch {
			case err == nil && !refused(r):
				return nil
			case err == nil: // the child is ending and has not run it
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, hop.ErrTooLarge):
				return err
			case errors.Is(err, hop.ErrNoAnswer):
				return &store.Error{Code: store.Unavailable, Retry: 1, Err: err, Message: "The generated server did not answer this call in time. Its outcome is not known."}
			case !errors.Is(err, hop.ErrNotSent):
				return &store.Error{Code: store.Unavailable, Retry: 1, Err: err, Message: "The generated server ended while this call ran. Its outcome is not known."}
			}
		} else if s.child == nil && !s.wait {
			return &store.Error{Code: store.Unavailable, Retry: 10, Message: "No revision is running. An admin can press Deploy in the studio."}
		}
		if timeout == nil {
			t := time.NewTimer(patience)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-s.next:
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return &store.Error{Code: store.Unavailable, Retry: 2, Message: "The generated server is being restarted. Try again in a moment."}
		}
	}
}

// refused reports whether the child answered that it is ending and did not run the call.
func refused(r *hop.Reply) bool {
	return r.Status == http.StatusServiceUnavailable && r.Code == "draining"
}
