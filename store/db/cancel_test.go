package db_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestCancelledTransactions ends callers' contexts at every moment of their transactions, as clients do that hang up. Whatever became of
// theirs, everybody else's must work: a connection that comes back with a transaction open would fail all that are given it.
func TestCancelledTransactions(t *testing.T) {
	d := open(t)
	act := db.Act{Actor: store.SystemActor(), Operation: "cancelled"}
	for seed := range uint64(4) {
		var all sync.WaitGroup
		for worker := range uint64(4) {
			all.Go(func() {
				rng := rand.New(rand.NewPCG(seed, worker))
				for range 5000 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rng.IntN(300))*time.Microsecond)
					var err error
					if worker == 0 {
						err = d.Update(ctx, act, func(*db.Tx) error { return nil })
					} else {
						err = d.View(ctx, func(*db.Tx) error { return nil })
					}
					if err != nil && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("not the caller's own end: %v", err)
					}
					cancel()
				}
			})
		}
		all.Wait()
		for range 8 {
			if err := errors.Join(d.View(t.Context(), func(*db.Tx) error { return nil }), d.Update(t.Context(), act, func(*db.Tx) error { return nil })); err != nil {
				t.Fatalf("after cancelled ones: %v", err)
			}
		}
	}
}
