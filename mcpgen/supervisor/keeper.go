package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"mcpstudio/mcpgen"
)

// The restart rule: a child that was ready for settled is
// started again at once; only one that ends earlier, or does not start, doubles
// the delay.
const (
	settled  = time.Second
	minDelay = 100 * time.Millisecond
	maxDelay = 30 * time.Second
)

// keeper keeps one live revision running.
type keeper struct {
	v     *Supervisor
	plan  *plan
	start func(context.Context) (*process, error) // starts the next child
	ctx   context.Context                         // ends when the revision is retired
	end   context.CancelFunc
	done  chan struct{} // closed when run has returned

	mu        sync.Mutex
	child     *process // the last one started
	startedAt time.Time
	restarts  int
	lastExit  string
	crash     string // why no child runs now; "": one does, or is on its way at once
}

func newKeeper(v *Supervisor, p *plan, first *process) *keeper {
	k := &keeper{v: v, plan: p, child: first, startedAt: v.o.Now().UTC(), done: make(chan struct{})}
	k.start = func(ctx context.Context) (*process, error) { return v.spawn(ctx, p) }
	k.ctx, k.end = context.WithCancel(v.base)
	return k
}

// run restarts the child whenever it ends, until the revision is retired.
func (k *keeper) run() {
	defer close(k.done)
	child, delay := k.child, time.Duration(0)
	for {
		select {
		case <-k.ctx.Done():
			return
		case <-child.ended:
		case <-child.lost:
		}
		lived := max(child.until.Sub(child.readyAt), 0)
		delay = nextDelay(delay, lived >= settled)
		k.ended(child, lived, delay)
		if child, delay = k.restart(delay); child == nil {
			return
		}
	}
}

// nextDelay is the restart rule.
func nextDelay(delay time.Duration, hadSettled bool) time.Duration {
	switch {
	case hadSettled:
		return 0
	case delay == 0:
		return minDelay
	}
	return min(2*delay, maxDelay)
}

// ended notes the end of a child that should be running and holds calls back.
func (k *keeper) ended(child *process, lived, delay time.Duration) {
	exit := child.how()
	level, what := slog.LevelWarn, fmt.Sprintf("the server ended after %s (%s); it is started again", lived.Round(time.Millisecond), exit)
	if delay > 0 {
		what += " in " + delay.String()
	}
	k.v.logs.add(level, sourceSupervisor, k.plan.revision, what, nil)
	k.v.o.Log.Log(context.Background(), level, "generated server ended", "revision", k.plan.revision, "exit", exit.String(), "lived", lived, "delay", delay)
	k.mu.Lock()
	k.restarts++
	k.lastExit = exit.String()
	k.crash = ""
	if delay > 0 {
		k.crash = k.crashSentence(delay)
	}
	k.mu.Unlock()
	k.publish(&slot{wait: true, next: make(chan struct{})})
}

// crashSentence tells what an admin needs to see of a crash loop.
func (k *keeper) crashSentence(delay time.Duration) string {
	return fmt.Sprintf("The server ends right after its start (%s); the next attempt is in %s.%s", k.lastExit, delay, k.lastWords())
}

// lastWords are the last lines of the child, for the end of a sentence about it.
func (k *keeper) lastWords() string {
	if lines := k.v.logs.tail(k.plan.revision, 3); len(lines) > 0 {
		return " It said last: " + strings.Join(lines, " | ")
	}
	return ""
}

// restart starts children until one is ready; nil when the revision is retired.
func (k *keeper) restart(delay time.Duration) (*process, time.Duration) {
	for {
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-k.ctx.Done():
			timer.Stop()
			return nil, 0
		}
		child, err := k.start(k.ctx)
		if err == nil {
			k.mu.Lock()
			k.child, k.crash = child, ""
			k.mu.Unlock()
			k.v.roster.assign(child, mcpgen.RoleLive)
			if !k.publish(newSlot(child)) {
				child.end("the revision was retired")
				return nil, 0
			}
			return child, delay
		}
		if k.ctx.Err() != nil {
			return nil, 0
		}
		delay = nextDelay(delay, false)
		k.v.logs.add(slog.LevelError, sourceSupervisor, k.plan.revision, fmt.Sprintf("the server could not be started: %v; next attempt in %s", err, delay), nil)
		k.mu.Lock()
		k.crash = fmt.Sprintf("The server could not be started: %v. The next attempt is in %s.%s", err, delay, k.lastWords())
		k.mu.Unlock()
		k.v.changed()
	}
}

// publish says where calls go, if the revision is still the live one.
func (k *keeper) publish(s *slot) bool {
	k.v.mu.Lock()
	defer k.v.mu.Unlock()
	if k.v.live != k {
		return false
	}
	k.v.swap(s).retire()
	k.v.changed()
	return true
}

// retire ends the revision after another took its place, or none: calls inside
// finish until the timeout or ctx ends, then the child is told to stop. It returns
// when the child is gone.
func (k *keeper) retire(ctx context.Context, last *slot, timeout time.Duration) {
	k.end() // no restart from here on
	last.retire()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	<-k.done
	if last.child == nil {
		k.kill("the revision was retired")
		return
	}
	k.v.roster.assign(last.child, mcpgen.RoleDraining)
	select {
	case <-last.idle:
	case <-last.child.ended:
	case <-ctx.Done():
	}
	last.child.drain(ctx)
	level, what := slog.LevelInfo, "drained: all calls finished"
	switch {
	case !isDone(last.child.ended) || last.child.exit.Reason != "":
		level, what = slog.LevelWarn, "drained: the time was up, running calls were ended"
	case !isDone(last.child.finished):
		level, what = slog.LevelWarn, fmt.Sprintf("the server ended before its calls had finished (%s)", last.child.exit)
	}
	k.v.logs.add(level, sourceSupervisor, k.plan.revision, what, nil)
}

func (k *keeper) kill(reason string) {
	k.mu.Lock()
	child := k.child
	k.mu.Unlock()
	child.end(reason)
	child.gone()
}

// fill puts what the keeper knows into the state.
func (k *keeper) fill(s *mcpgen.ServerState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	started := k.startedAt
	s.Status, s.Error = mcpgen.Running, k.crash
	if k.crash != "" {
		s.Status = mcpgen.Failed
	}
	s.Revision, s.StartedAt, s.Restarts, s.LastExit = k.plan.revision, &started, k.restarts, k.lastExit
	box := k.child.box
	s.SandboxLevel, s.PID, s.MemoryBytes = string(box.Level()), box.PID(), box.RSS()
	s.Layers = layersOf(box.Layers())
	if isDone(box.Done()) {
		s.PID, s.MemoryBytes = 0, 0
	}
}
