package supervisor

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// benchPatience is how long a request waits for one of the busy workbenches to become free.
const benchPatience = 10 * time.Second

// draftID stands for a connection that is not saved yet.
const draftID = "draft"

// benches are the workbenches, one per connection.
type benches struct {
	mu     sync.Mutex
	byKey  map[string]*bench // by connection id
	living int               // those of byKey, and those that are retired but start or are used still
	freed  chan struct{}     // closed and replaced when one becomes idle or ends
	closed bool
}

// bench is one workbench. Its fields belong to benches.mu; child and err are set before started closes.
type bench struct {
	digest  [sha256.Size]byte
	started chan struct{}
	child   *process
	err     error
	users   int
	lastUse time.Time
	retired bool // ends when the last user leaves
}

// Bench runs one request of the workbench for b's connection; method is one of
// the mcpgen.Bench constants with its types for in and out. The workbench is
// started on demand, used again while the connection's settings, secrets and
// variables stay the same, and ended after a minute without use.
//
// A connection without an id is a draft, whose secrets are those of the id "".
//
// The errors are ctx's own and *store.Error: what the workbench itself refused,
// NotAvailable when its sandbox cannot be had, Unavailable when all are busy.
func (v *Supervisor) Bench(ctx context.Context, b mcpgen.Bench, method string, in any, out any) error {
	args, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	if b.Connection.ID == "" {
		b.Secrets = mcpgen.NewSecrets(map[string]map[string]string{draftID: b.Secrets.Of("")})
		b.Connection.ID = draftID
	}
	w, err := v.takeBench(ctx, b)
	if err != nil {
		return err
	}
	defer v.giveBench(b.Connection.ID, w)
	q := hop.Request{Method: []byte(method), ID: []byte("1"), Args: args, Principal: studioPrincipal("studio")}
	var r hop.Reply
	if err := w.child.link.Call(ctx, &q, &r); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &store.Error{Code: store.Unavailable, Retry: 1, Err: err, Message: "The workbench ended while it worked on this. Try again; the deploy log has its last lines."}
	}
	if r.Status != http.StatusOK {
		var no mcpgen.BenchError
		if json.Unmarshal(r.Body, &no) != nil || no.Message == "" {
			return fmt.Errorf("%s: the workbench answered %d", method, r.Status)
		}
		return &store.Error{Code: no.Code, Field: no.Field, Message: no.Message}
	}
	if err := json.Unmarshal(r.Body, out); err != nil {
		return fmt.Errorf("%s: decode the workbench's answer: %w", method, err)
	}
	return nil
}

// benchDigest names everything a workbench depends on. The secrets go in through a hash and stay nowhere.
func benchDigest(b mcpgen.Bench) (digest [sha256.Size]byte, err error) {
	settings, err := json.Marshal(struct {
		Connection mcpgen.Connection
		Variables  map[string]json.RawMessage
		Limits     mcpgen.Limits
	}{b.Connection, b.Variables, b.Limits})
	if err != nil {
		return digest, fmt.Errorf("encode connection: %w", err)
	}
	secrets, err := b.Secrets.Only(b.Connection.ID).Encode()
	if err != nil {
		return digest, fmt.Errorf("encode secrets: %w", err)
	}
	return sha256.Sum256(append(settings, secrets...)), nil
}

// takeBench returns a started workbench with the caller counted in.
func (v *Supervisor) takeBench(ctx context.Context, b mcpgen.Bench) (*bench, error) {
	digest, err := benchDigest(b)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(benchPatience)
	defer patience.Stop()
	for {
		w, freed, mine := v.reserveBench(b.Connection.ID, digest)
		switch {
		case w == nil && freed == nil:
			return nil, &store.Error{Code: store.Unavailable, Message: "The studio is shutting down."}
		case w == nil:
			select {
			case <-freed:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-patience.C:
				return nil, &store.Error{Code: store.Unavailable, Retry: 5, Message: fmt.Sprintf("All %d workbenches are busy. Try again in a moment.", v.o.BenchMax)}
			}
		case mine:
			v.tasks.Go(func() { v.startBench(w, b) })
		}
		select {
		case <-w.started:
		case <-ctx.Done():
			v.giveBench(b.Connection.ID, w)
			return nil, ctx.Err()
		}
		if w.err != nil {
			v.giveBench(b.Connection.ID, w)
			return nil, benchError(w.err)
		}
		return w, nil
	}
}

// reserveBench finds or makes the workbench of a connection. It returns one to
// wait for, and whether the caller starts it; or a channel to wait on while all
// are busy; or nothing when they are closed.
func (v *Supervisor) reserveBench(key string, digest [sha256.Size]byte) (w *bench, freed <-chan struct{}, mine bool) {
	s := &v.benches
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, false
	}
	w = s.byKey[key]
	if w != nil && (w.digest != digest || isDone(w.started) && (w.err != nil || isDone(w.child.link.Done()) || isDone(w.child.ended))) {
		s.retire(key, w)
		w = nil
	}
	if w == nil {
		if s.living >= v.o.BenchMax && !s.evict() {
			return nil, s.freed, false
		}
		w, mine = &bench{digest: digest, started: make(chan struct{})}, true
		s.byKey[key] = w
		s.living++
	}
	w.users++
	return w, nil, mine
}

// evict retires the idle workbench that was used longest ago.
func (s *benches) evict() bool {
	var oldest string
	for key, w := range s.byKey {
		if w.users == 0 && isDone(w.started) && (oldest == "" || w.lastUse.Before(s.byKey[oldest].lastUse)) {
			oldest = key
		}
	}
	if oldest == "" {
		return false
	}
	s.retire(oldest, s.byKey[oldest])
	return true
}

// retire takes a workbench off the list; it ends when its last user leaves. The caller holds s.mu.
func (s *benches) retire(key string, w *bench) {
	if s.byKey[key] == w {
		delete(s.byKey, key)
	}
	w.retired = true
	s.dismiss(w)
}

// dismiss ends a retired workbench that has been started and that nobody uses, and lets those look again who wait for a place. The
// caller holds s.mu.
func (s *benches) dismiss(w *bench) {
	if w.retired && w.users == 0 && isDone(w.started) {
		s.living--
		if w.child != nil {
			w.child.end("the workbench is no longer needed")
		}
	}
	close(s.freed)
	s.freed = make(chan struct{})
}

// startBench starts the child for everybody who waits for it.
func (v *Supervisor) startBench(w *bench, b mcpgen.Bench) {
	pl, err := v.planBench(b)
	var child *process
	if err == nil {
		child, err = v.spawn(v.base, pl)
	}
	if err != nil {
		v.logs.add(slog.LevelWarn, sourceSupervisor, 0, "workbench: "+err.Error(), map[string]string{"connection": b.Connection.Name})
	}
	s := &v.benches
	s.mu.Lock()
	defer s.mu.Unlock()
	w.child, w.err = child, err
	close(w.started)
	s.dismiss(w)
}

func (v *Supervisor) giveBench(key string, w *bench) {
	s := &v.benches
	s.mu.Lock()
	defer s.mu.Unlock()
	w.users--
	w.lastUse = v.o.Now()
	if w.users == 0 && !w.retired && isDone(w.started) && w.err != nil {
		s.retire(key, w)
		return
	}
	s.dismiss(w)
}

// sweepBenches ends workbenches that were not used for a while, until Close.
func (v *Supervisor) sweepBenches() {
	tick := time.NewTicker(max(v.o.BenchIdle/4, 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-v.base.Done():
			return
		}
		s := &v.benches
		s.mu.Lock()
		for key, w := range s.byKey {
			if w.users == 0 && v.o.Now().Sub(w.lastUse) >= v.o.BenchIdle {
				s.retire(key, w)
			}
		}
		s.mu.Unlock()
	}
}

// Forget ends the workbench of a connection that was changed or deleted, so that no child goes on with what it was; requests that run
// may finish. It does not wait.
func (v *Supervisor) Forget(connection string) {
	s := &v.benches
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.byKey[connection]; w != nil {
		s.retire(connection, w)
	}
}

// closeBenches refuses further requests and ends what runs; Close waits for it.
func (v *Supervisor) closeBenches() {
	s := &v.benches
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for key, w := range s.byKey {
		s.retire(key, w)
	}
}

// benchError keeps what is for the admin and says the rest in one sentence.
func benchError(err error) error {
	var known *store.Error
	if errors.As(err, &known) {
		return err
	}
	return &store.Error{Code: store.Unavailable, Retry: 5, Err: err, Message: "The workbench could not be started: " + err.Error()}
}
