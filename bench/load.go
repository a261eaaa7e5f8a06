package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sample is what one server did in one round.
type sample struct {
	calls    int
	perSec   float64
	p50, p99 time.Duration
	cpu      []time.Duration // for one call, by process of the server
	database time.Duration   // CPU of PostgreSQL for one call
}

// total is the CPU of all the server's processes for one call.
func (s sample) total() (sum time.Duration) {
	for _, c := range s.cpu {
		sum += c
	}
	return sum
}

// one is a client that makes one call, with an id of its own, and checks the answer.
type one func(c *client, id int) error

// The phases of a load.
const (
	warming int32 = iota
	measuring
	over
)

// load has clients call a server, each on its own connection, and measures what happens after the warm-up.
func load(ctx context.Context, s *server, e era, clients int, p *plan, pg *postgres, call func() one) (sample, error) {
	var phase atomic.Int32
	times := make([][]time.Duration, clients)
	failures := make([]error, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			times[i], failures[i] = caller(ctx, s.target(e, i), &phase, call())
			if failures[i] != nil {
				phase.Store(over)
			}
		})
	}
	pause(ctx, p.warm, &phase)
	cpu, database, start := cpuOf(s.pids), pg.cpu(), time.Now()
	phase.CompareAndSwap(warming, measuring)
	pause(ctx, p.measure, &phase)
	phase.Store(over)
	took, cpuAfter, databaseAfter := time.Since(start), cpuOf(s.pids), pg.cpu()
	all.Wait()
	if err := errors.Join(errors.Join(failures...), ctx.Err()); err != nil {
		return sample{}, fmt.Errorf("%s, %s, %d clients: %w", s.name, e, clients, err)
	}
	measured := slices.Concat(times...)
	if len(measured) == 0 {
		return sample{}, fmt.Errorf("%s, %s, %d clients: no call ended in time", s.name, e, clients)
	}
	slices.Sort(measured)
	n := len(measured)
	out := sample{calls: n, perSec: float64(n) / took.Seconds(), p50: measured[n/2], p99: measured[n*99/100], database: (databaseAfter - database) / time.Duration(n)}
	for i := range cpu {
		out.cpu = append(out.cpu, (cpuAfter[i]-cpu[i])/time.Duration(n))
	}
	return out, nil
}

// pause waits, but not longer than the load lasts.
func pause(ctx context.Context, d time.Duration, phase *atomic.Int32) {
	for end := time.Now().Add(d); ctx.Err() == nil && phase.Load() != over; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		time.Sleep(min(left, 100*time.Millisecond))
	}
}

// caller is one client; it returns how long each call took that ended while measuring.
func caller(ctx context.Context, t target, phase *atomic.Int32, call one) ([]time.Duration, error) {
	c, err := dial(t)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	took := make([]time.Duration, 0, 1<<16)
	for id := 2; ctx.Err() == nil; id++ {
		start := time.Now()
		if err := call(c, id); err != nil {
			return nil, err
		}
		switch phase.Load() {
		case measuring:
			took = append(took, time.Since(start))
		case over:
			return took, nil
		}
	}
	return nil, ctx.Err()
}

// accountCall asks a tool of this name for a random account.
func accountCall(tool string) one {
	var check checker
	var message []byte
	return func(c *client, id int) error {
		aid := 1 + rand.IntN(accounts)
		message = strconv.AppendInt(append(message[:0], `{"jsonrpc":"2.0","id":`...), int64(id), 10)
		message = append(message, `,"method":"tools/call",`...)
		message = c.params(message, `"name":"`+tool+`","arguments":{"aid":`+strconv.Itoa(aid)+`}`)
		status, body, err := c.post("tools/call", tool, message)
		if err != nil {
			return err
		}
		return check.check(status, body, id, aid)
	}
}
