package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// flood begins calls that hold their place, or wait for one, until ctx ends, and counts those that found none.
func flood(t *testing.T, ctx context.Context, q *Queue, key string, calls int) (refused func() int, all *sync.WaitGroup) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	all = new(sync.WaitGroup)
	for range calls {
		all.Go(func() {
			release, _, err := q.Admit(ctx, key)
			switch {
			case err == nil:
				<-ctx.Done()
				release()
			case errors.Is(err, ErrFull):
				mu.Lock()
				n++
				mu.Unlock()
			case !errors.Is(err, context.Canceled):
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	return func() int { mu.Lock(); defer mu.Unlock(); return n }, all
}

// However many calls hang on some connections, another one finds places, and all come back.
func TestRoomIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(64)
		ctx, cancel := context.WithCancel(t.Context())
		left := 64
		var floods []*sync.WaitGroup
		for i, l := range []Limits{{Concurrent: 2, Enabled: true}, {Concurrent: 2, Enabled: true}, {Enabled: false}, {Concurrent: 1, Enabled: true}} {
			q := New(l, room)
			refused, all := flood(t, ctx, q, "a", 200)
			floods = append(floods, all)
			s := q.Stats()
			if held := s.Running + s.Waiting; held != left/2 || refused() != 200-held || s.Rejected != uint64(200-held) {
				t.Errorf("queue %d holds %d of %d and refused %d (%+v)", i, held, left, refused(), s)
			}
			left -= left / 2
		}
		quick := New(Limits{Concurrent: 1, Enabled: true}, room)
		release, waited, err := quick.Admit(ctx, "b")
		if err != nil || waited != 0 {
			t.Fatalf("another connection: %v after %s", err, waited)
		}
		release()
		release()
		cancel()
		for _, f := range floods {
			f.Wait()
		}
		if n := room.held.Load(); n != 0 {
			t.Errorf("%d places are still taken", n)
		}
	})
}

// The one who floods makes room for those who do not, and the turns go on.
func TestFullRoomIsSharedByKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Concurrent: 1, Wait: time.Hour, Enabled: true}, NewRoom(32))
		holding, let := context.WithCancel(t.Context())
		_, holder := flood(t, holding, q, "holder", 1)
		ctx, cancel := context.WithCancel(t.Context())
		refused, first := flood(t, ctx, q, "a", 100)
		if s := q.Stats(); s.Waiting != 15 || refused() != 85 {
			t.Fatalf("%+v, %d refused", s, refused())
		}
		others := make([]func() int, 4)
		var all []*sync.WaitGroup
		for i := range others {
			var f *sync.WaitGroup
			others[i], f = flood(t, ctx, q, fmt.Sprint("b", i), 3)
			all = append(all, f)
			if n := others[i](); n != 0 {
				t.Errorf("%d calls of a small client were refused", n)
			}
		}
		if s := q.Stats(); s.Waiting != 15 || refused() != 85+12 {
			t.Errorf("%+v, %d of the flood refused", s, refused())
		}
		refusedAgain, f := flood(t, ctx, q, "a", 5) // as many of the others wait as of this one
		if refusedAgain() != 5 {
			t.Errorf("%d of 5 were refused", refusedAgain())
		}
		let()
		cancel()
		holder.Wait()
		first.Wait()
		f.Wait()
		for _, f := range all {
			f.Wait()
		}
		if s := q.Stats(); s.Running != 0 || s.Waiting != 0 || len(q.lines) != 0 || q.room.held.Load() != 0 {
			t.Errorf("left over: %+v, %d places", s, q.room.held.Load())
		}
	})
}
