package studio

import (
	"context"
	"strconv"
	"sync"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) sandbox(ctx context.Context, _ none) (mcpgen.SandboxState, error) {
	return s.Deployer.Sandbox(ctx), ctx.Err()
}

// killChild begins the operation of a security event: kill_child_sigsys, kill_child_broker_abuse, kill_child_memory.
const killChild = "kill_child_"

// The bounds of writing security events: the time for one, and how many of one kind and entity within an hour. A client that finds out
// how to have a child killed must not be able to fill the history, of which nothing is ever removed.
const (
	recordTime = 10 * time.Second
	killWindow = time.Hour
	maxKills   = 20
)

// kills counts what was written lately.
type kills struct {
	mu   sync.Mutex // guards seen
	seen map[string]killCount
}

type killCount struct {
	since time.Time
	n     int // in the window
	left  int // since the last one that was written
}

// take reports whether one more is written, and how many before it were not.
func (k *kills) take(key string, now time.Time) (left int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen == nil {
		k.seen = map[string]killCount{}
	}
	c := k.seen[key]
	if now.Sub(c.since) >= killWindow || now.Before(c.since) {
		c.since, c.n = now, 0
	}
	if c.n++; c.n > maxKills {
		c.left++
		k.seen[key] = c
		return 0, false
	}
	left, c.left = c.left, 0
	k.seen[key] = c
	return left, true
}

// killEntry is the history's word on a security event.
type killEntry struct {
	mcpgen.SecurityEvent
	Left int `json:"left_out,omitempty"` // events before this one that have no entry: there were too many in an hour
}

// ChildKilled writes a security event into the history: by the studio, of the revision, or of the connection when it was a
// workbench. It is the observer of the supervisor, which calls it also while the studio ends.
func (s *Service) ChildKilled(e mcpgen.SecurityEvent) {
	kind, id, name := store.KindRevision, strconv.Itoa(e.Revision), "revision "+strconv.Itoa(e.Revision)
	if e.Connection != nil {
		kind, id, name = store.KindConnection, e.Connection.ID, e.Connection.Name
	}
	left, ok := s.kills.take(string(e.Kind)+" "+string(kind)+" "+id, s.Now())
	if !ok {
		return // the supervisor has logged it
	}
	ctx, cancel := context.WithTimeout(auth.NewContext(context.Background(), auth.System()), recordTime)
	defer cancel()
	err := s.DB.Update(ctx, act(ctx, killChild+string(e.Kind)), func(tx *db.Tx) error { return tx.Record(kind, id, name, nil, killEntry{e, left}) })
	if err != nil {
		s.Log.Error("a security event could not be written to the history", "kind", e.Kind, "pid", e.PID, "error", err)
	}
}
