package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// childEnv is the whole environment of the child. The two settings keep the runtime from looking at cgroup files,
// which are out of reach after Enter.
func childEnv() []string { return []string{"GODEBUG=updatemaxprocs=0,containermaxprocs=0"} }

const (
	drainOutput    = time.Second     // for what the child printed last, after its exit
	handshakeGrace = 2 * time.Second // for Options.Handshake to notice that the child is dead
)

// dumpable guards the process-wide dumpable attribute, which spawn raises for a moment (spawnAs). It is state of the
// process, not of a Process, hence at package level.
var dumpable sync.Mutex

// Process is a running child. Its methods are safe for concurrent use.
type Process struct {
	process  *os.Process
	layers   []Layer
	verified Verified
	level    Level
	done     chan struct{} // closed when everything of the child is gone

	mu     sync.Mutex
	reason string // guarded by mu: why the parent killed it, the first one
	exit   Exit   // written before done closes
}

// PID is the child's process id as the parent sees it.
func (p *Process) PID() int { return p.process.Pid }

// Level is what the layers amount to.
func (p *Process) Level() Level { return p.level }

// Layers are all layers with their state, the parent's first.
func (p *Process) Layers() []Layer { return slices.Clone(p.layers) }

// Verified is what the kernel said of every thread after Enter.
func (p *Process) Verified() Verified { return p.verified }

// RSS is the child's resident memory in bytes, 0 when it is gone.
func (p *Process) RSS() uint64 { return residentSize(p.process.Pid) }

// Kill ends the child at once with SIGKILL. The first reason given is the one in Exit; none is kept once it is dead.
func (p *Process) Kill(reason string) {
	p.mu.Lock()
	if p.reason == "" {
		p.reason = reason
	}
	p.mu.Unlock()
	_ = p.process.Kill() // os.ErrProcessDone is what was wanted
}

// Done is closed when the child has ended and everything that belongs to it is cleared away.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit is how the child ended; it waits for Done.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Start runs the child and lets it in only as far as the report: it returns when the child has confined itself and the
// kernel has confirmed that of every thread. ctx bounds the start, not the life of the child. With an error no child
// is left behind.
func Start(ctx context.Context, o Options) (*Process, error) {
	policy, err := o.Policy.normalize()
	if err == nil && (len(o.Args) == 0 || o.Handshake == nil) {
		err = errors.New("start child: Args and Handshake are required")
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		closeFiles(o.Files)
		return nil, err
	}
	o.Policy = policy
	o.Policy.Files = len(o.Files)
	p := &Process{done: make(chan struct{})}
	started := make(chan error, 1)
	go p.own(&o, started)
	err = <-started
	closeFiles(o.Files) // the child has its copies; ours would keep the other ends from seeing it die
	if err != nil {
		return nil, err
	}
	if err := p.admit(ctx, o); err != nil {
		p.Kill("not admitted")
		if exit := p.Exit(); exit.SIGSYS || exit.Signal == "" {
			err = fmt.Errorf("%w (the child: %s)", err, exit)
		}
		return nil, err
	}
	return p, nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// own is the goroutine a child belongs to. It stays on one thread from the fork to the end of the child, since the
// parent-death signal is sent when the forking thread ends, not when the process does (prctl(2)). The thread is never
// unlocked and ends with the goroutine.
func (p *Process) own(o *Options, started chan<- error) {
	runtime.LockOSThread()
	logR, logW, err := os.Pipe()
	if err != nil {
		started <- fmt.Errorf("start child: %w", err)
		return
	}
	err = p.spawn(o, logW)
	_ = logW.Close()
	if err != nil {
		_ = logR.Close()
		started <- err
		return
	}
	layer, removeCgroup := systemCgroups().confine(p.process.Pid, o.Policy)
	limit := o.Policy.memoryLimit()
	p.layers = []Layer{layer, {Name: LayerWatchdog, State: StateEnforced, Detail: fmt.Sprintf("%d bytes, every %v", limit, watchInterval)}}

	var helpers sync.WaitGroup
	stop := make(chan struct{})
	helpers.Go(func() { p.watch(limit, stop) })
	emit := o.Log
	if emit == nil {
		emit = func(string) {}
	}
	helpers.Go(func() { copyLines(logR, time.Now, emit) })
	started <- nil

	state, err := p.process.Wait()
	close(stop)
	_ = logR.SetReadDeadline(time.Now().Add(drainOutput))
	helpers.Wait()
	_ = logR.Close()
	if removeCgroup != nil {
		removeCgroup()
	}
	p.mu.Lock()
	p.exit = exitOf(state, err)
	p.exit.Reason = p.reason
	p.mu.Unlock()
	close(p.done)
}

// exitOf reads how the child ended.
func exitOf(state *os.ProcessState, err error) Exit {
	if err != nil {
		return Exit{Code: -1, Signal: "an unknown cause: " + err.Error()}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Exit{Code: -1, Signal: unix.SignalName(status.Signal()), SIGSYS: status.Signal() == syscall.SIGSYS}
	}
	return Exit{Code: state.ExitCode()}
}

// admit lets the child confine itself and checks the result.
func (p *Process) admit(ctx context.Context, o Options) error {
	type answer struct {
		report Report
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		report, err := o.Handshake(o.Policy)
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
	p.verified = verify(p.process.Pid)
	level, short := assess(p.layers, p.verified)
	p.level = level
	state := StateEnforced
	if len(short) > 0 {
		state = StateUnavailable
	}
	p.layers = append(p.layers, Layer{Name: LayerVerified, State: state, Detail: p.verified.String()})
	if o.Enforce && len(short) > 0 {
		return &RefusedError{Missing: short}
	}
	return nil
}
