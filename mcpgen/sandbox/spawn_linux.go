package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// childEnv is the whole environment of the child. The two settings keep the runtime from looking at cgroup files,
// which are out of reach after Enter.
func childEnv() []string { return []string{"GODEBUG=updatemaxprocs=0,containermaxprocs=0"} }

const (
	drainOutput    = time.Second     // for what the child printed last, after its exit
	handshakeGrace = 2 * time.Second // for Options.Handshake to notice that the child is dead
	killGrace      = 3 * time.Second // for a killed child to be gone; one that waits for a disk or a mount in the kernel is not
)

// dumpable guards the process-wide dumpable attribute, which spawn raises for a moment (spawnAs). It is state of the
// process, not of a Process, hence at package level.
var dumpable sync.Mutex

// Process is a running child. Its methods are safe for concurrent use.
type Process struct {
	policy   Policy // with the facts of its birth
	born     birth
	end      func() // SIGKILL; nothing once it has ended
	layers   []Layer
	verified Verified
	level    Level
	minimum  bool
	micros   int64
	done     chan struct{} // closed when everything of the child is gone

	mu     sync.Mutex
	reason string     // guarded by mu: why the parent killed it, the first one
	state  birthState // guarded by mu
	memory bool       // guarded by mu: that reason was memory
	exit   Exit       // written before done closes
}

// birthState is where a Process is between the order and the child.
type birthState int

const (
	ordered   birthState = iota
	running              // there is a child, and Start has it
	abandoned            // Start did not wait for it: it is ended as soon as it is there
)

// PID is the child's process id as the parent sees it.
func (p *Process) PID() int { return p.born.PID }

// Level is what the layers amount to.
func (p *Process) Level() Level { return p.level }

// Layers are all layers with their state, the parent's first.
func (p *Process) Layers() []Layer { return slices.Clone(p.layers) }

// Verified is what the kernel said of every thread after Enter.
func (p *Process) Verified() Verified { return p.verified }

// Status is all there is to show about the child: what was established at its start, and its memory now.
func (p *Process) Status() Status {
	return Status{
		PID: p.born.PID, Level: p.level, MinimumMet: p.minimum, Layers: p.Layers(), Verified: p.verified, OwnUID: p.born.OwnUID,
		FS: p.policy.FS, Dirs: slices.Clone(p.policy.Dirs), RWFiles: slices.Clone(p.policy.RWFiles),
		Limits: limitsOf(p.policy, p.born.Controls, p.layers, p.verified), RSS: p.RSS(), EnterMicros: p.micros,
	}
}

// RSS is the child's resident memory in bytes, 0 when it is gone.
func (p *Process) RSS() uint64 {
	select {
	case <-p.done:
		return 0 // its number may be another process's by now
	default:
		return residentSize(p.born.PID)
	}
}

// Kill ends the child at once with SIGKILL. The first reason given is the one in Exit; none is kept once it is dead.
func (p *Process) Kill(reason string) { p.kill(reason, false) }

// kill is Kill for the memory watchdog, too.
func (p *Process) kill(reason string, memory bool) {
	p.mu.Lock()
	if p.reason == "" {
		p.reason, p.memory = reason, memory
	}
	p.mu.Unlock()
	p.end()
}

// Done is closed when the child has ended and everything that belongs to it is cleared away.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is how the child ended; it waits for Done.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Start runs the child and lets it in only as far as the report: it returns when the child has confined itself and the
// kernel has confirmed that of every thread. ctx bounds the start, not the life of the child: when it ends first, Start returns
// within seconds, whatever the child, the starter or the kernel is busy with, and what comes of it later is ended at once. With
// any other error no child is left behind.
func Start(ctx context.Context, o Options) (*Process, error) {
	policy, err := o.Policy.normalize()
	if err == nil && (len(o.Args) == 0 || o.Handshake == nil) {
		err = errors.New("start child: Args and Handshake are required")
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		closeFiles(slices.Concat(o.Files, slices.Collect(maps.Values(o.Held))))
		return nil, err
	}
	held, err := hold(policy, o.Held)
	if err != nil {
		closeFiles(o.Files)
		return nil, fmt.Errorf("start child: %w", err)
	}
	held, policy.Held = number(held, len(o.Files))
	var by launcher = direct{systemCgroups()}
	if o.Starter != nil {
		by = o.Starter
	}
	p := &Process{policy: policy, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.own(by, &o, append(slices.Clip(o.Files), held...), started)
	select {
	case err = <-started:
	case <-ctx.Done():
		if p.abandon() {
			return nil, fmt.Errorf("start child: %s: %w", by.late(), ctx.Err())
		}
		err = <-started // it is there by now
	}
	if err != nil {
		return nil, err
	}
	if err := p.admit(ctx, o); err != nil {
		return nil, p.dismiss(err)
	}
	return p, nil
}

// abandon gives up a child that is not there yet; false: it is.
func (p *Process) abandon() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == running {
		return false
	}
	p.state = abandoned
	return true
}

// dismiss ends a child that was not admitted, and adds to the reason how it ended when that tells more.
func (p *Process) dismiss(err error) error {
	p.Kill("not admitted")
	select {
	case <-p.done:
	case <-time.After(killGrace):
		return fmt.Errorf("%w (process %d does not end: it waits in the kernel, for a disk or a mount)", err, p.born.PID)
	}
	if exit := p.Exit(); exit.SIGSYS || exit.Signal == "" {
		err = fmt.Errorf("%w (the child: %s)", err, exit)
	}
	return err
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// own is the goroutine a child belongs to. It owns files.
func (p *Process) own(by launcher, o *Options, files []*os.File, started chan<- error) {
	logR, logW, err := os.Pipe()
	if err != nil {
		closeFiles(files)
		started <- fmt.Errorf("start child: %w", err)
		return
	}
	var beside sync.WaitGroup
	stop := make(chan struct{})
	run := order{Args: o.Args, Exe: o.Exe, Enforce: o.Enforce, Slot: o.Slot, Policy: p.policy}
	exit, err := by.launch(run, append([]*os.File{logW}, files...), func(b birth, kill func()) {
		p.born, p.end, p.policy = b, kill, b.tell(p.policy, len(files))
		limit := p.policy.memoryLimit()
		p.layers = []Layer{b.Cgroup, {Name: LayerWatchdog, State: StateEnforced, Detail: fmt.Sprintf("checked every %d ms against %s", watchInterval.Milliseconds(), sized(limit))}}
		beside.Go(func() { p.watch(limit, stop) })
		emit := o.Log
		if emit == nil {
			emit = func(string) {}
		}
		beside.Go(func() { copyLines(logR, time.Now, emit) })
		p.mu.Lock()
		wanted := p.state == ordered
		if wanted {
			p.state = running
		}
		p.mu.Unlock()
		if !wanted {
			p.Kill("it came too late")
		}
		started <- nil
	})
	if err != nil {
		_ = logR.Close()
		started <- err
		return
	}
	close(stop)
	_ = logR.SetReadDeadline(time.Now().Add(drainOutput))
	beside.Wait()
	_ = logR.Close()
	p.mu.Lock()
	p.exit = exit
	p.exit.Reason, p.exit.Memory = cmp.Or(p.reason, exit.Reason), p.memory || exit.Memory
	p.mu.Unlock()
	close(p.done)
}

// admit lets the child confine itself and checks the result.
func (p *Process) admit(ctx context.Context, o Options) error {
	type answer struct {
		report Report
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		report, err := o.Handshake(p.policy)
		answers <- answer{report, err}
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		p.Kill("start timed out")
		select {
		case <-answers:
		case <-time.After(handshakeGrace):
		}
		return fmt.Errorf("start child: %w", ctx.Err())
	}
	if a.err != nil {
		return fmt.Errorf("start child: handshake: %w", a.err)
	}
	p.layers = append(p.layers, a.report.Layers...)
	p.micros = a.report.Micros
	p.verified = verify(p.born.PID)
	p.verified.SeccompInherited = verify(os.Getpid()).SeccompFilters
	level, short := assess(p.layers, p.verified)
	p.level, p.minimum = level, len(short) == 0
	state := StateEnforced
	if len(short) > 0 {
		state = StateUnavailable
	}
	p.layers = append(p.layers, Layer{Name: LayerVerified, State: state, Detail: p.verified.String()})
	advise(p.layers)
	if o.Enforce && len(short) > 0 {
		return &RefusedError{Missing: short}
	}
	return nil
}
