package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/broker"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/pipe"
	"mcpstudio/mcpgen/sandbox"
)

// lastWords is how long a child that closed its link has to exit by itself. One that broke the rules of the link has no time.
const lastWords = time.Second

// goneTime is how long anybody waits for a killed child to be gone. One that waits in the kernel for a disk or a mount ends when that
// answers, and holds nobody up until then.
const goneTime = 5 * time.Second

// process is one child from its start to its end.
type process struct {
	v        *Supervisor
	plan     *plan
	box      *sandbox.Process
	control  *control.Conn
	link     *hop.Link
	dials    *broker.Server
	readyAt  time.Time
	until    time.Time     // when it stopped serving; written before ended closes
	exit     sandbox.Exit  // likewise
	first    chan error    // of capacity one: ready, or why not
	finished chan struct{} // closed when the child says that it is drained
	killed   chan struct{} // closed when it has been killed
	lost     chan struct{} // closed when it does not end although it was killed
	ended    chan struct{} // closed when the child and everything that served it are gone

	startedAt time.Time
	once      sync.Once   // closes killed
	asked     atomic.Bool // somebody wanted it to end
	abused    atomic.Bool // it was killed for what it sent to the broker
	starved   atomic.Bool // its runtime said that it got no more memory
	left      bool        // guarded by roster.mu: it is off the list
}

// pipes are the parent's and the child's ends of the three pipes.
type pipes struct {
	control net.Conn
	broker  *net.UnixConn
	hop     net.Conn
	files   []*os.File // the child's 3, 4 and 5, in the order that package child expects
}

func newPipes() (p *pipes, err error) {
	p = &pipes{}
	defer func() {
		if err != nil {
			p.close()
			err = fmt.Errorf("make pipes: %w", err)
		}
	}()
	var f *os.File
	if p.control, f, err = pipe.New("control"); err != nil {
		return p, err
	}
	p.files = append(p.files, f)
	if p.broker, f, err = broker.Pair(); err != nil {
		return p, err
	}
	p.files = append(p.files, f)
	if p.hop, f, err = pipe.New("calls"); err != nil {
		return p, err
	}
	p.files = append(p.files, f)
	return p, nil
}

// close ends the parent's ends; a close error of a socket pair says nothing.
func (p *pipes) close() {
	if p.control != nil {
		p.control.Close()
	}
	if p.broker != nil {
		p.broker.Close()
	}
	if p.hop != nil {
		p.hop.Close()
	}
}

// spawn starts a child and waits until it is ready. On an error, also when ctx
// ends, nothing is left of it.
func (v *Supervisor) spawn(ctx context.Context, pl *plan) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, v.o.StartTimeout)
	defer cancel()
	policy, files, err := v.confine(ctx, pl)
	if err != nil {
		return nil, err
	}
	ends, err := newPipes()
	if err != nil {
		files.close()
		closeFiles(ends.files)
		return nil, err
	}
	p := &process{
		v: v, plan: pl, control: control.NewParent(ends.control),
		first: make(chan error, 1), finished: make(chan struct{}), killed: make(chan struct{}), lost: make(chan struct{}), ended: make(chan struct{}),
		startedAt: v.o.Now().UTC(),
	}
	p.box, err = sandbox.Start(ctx, sandbox.Options{
		Args: v.o.Args, Exe: v.o.Exe, Starter: v.o.Starter, Files: ends.files, Held: files, Policy: policy, Slot: int(v.slots.Add(1) % sandbox.UIDs),
		Enforce: v.o.Enforce, Log: p.printed,
		Handshake: func(policy sandbox.Policy) (sandbox.Report, error) { return p.handshake(ctx, policy) },
	})
	if err != nil {
		ends.close()
		return nil, err
	}
	p.link = hop.NewLink(ends.hop)
	p.serve(ends)
	if err := p.admit(ctx); err != nil {
		p.end("it did not become ready")
		p.gone()
		return nil, err
	}
	p.readyAt = v.o.Now()
	v.tasks.Go(p.attend)
	return p, nil
}

// attend kills a child that does not answer any more. One that is merely busy does: the question needs no database and none of the
// workers that wait for them. A single call that it does not answer is given up when it is older than any that works.
func (p *process) attend() {
	tick := time.NewTicker(p.v.o.AliveEvery)
	defer tick.Stop()
	type mark struct {
		at   time.Time
		last uint64 // of the calls that were begun by then
	}
	var marks []mark
	for {
		select {
		case <-tick.C:
		case <-p.ended:
			return
		}
		now := p.v.o.Now()
		marks = append(marks, mark{now, p.link.Last()})
		for now.Sub(marks[0].at) >= p.v.o.CallTimeout {
			p.link.Expire(marks[0].last)
			marks = marks[1:]
		}
		ctx, cancel := context.WithTimeout(p.v.base, p.v.o.AliveTimeout)
		q := hop.Request{Method: []byte("ping"), ID: []byte(`"studio-alive"`), Principal: studioPrincipal("health check")}
		err := p.link.Call(ctx, &q, &hop.Reply{})
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			p.kill(fmt.Sprintf("it did not answer for %s", p.v.o.AliveTimeout))
			return
		}
	}
}

// studioPrincipal is who the studio's own calls are from.
func studioPrincipal(name string) hop.Principal {
	return hop.Principal{ID: "studio", Name: name, Kind: "system"}
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// printed takes a line of the child's output.
func (p *process) printed(line string) {
	if strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate memory") {
		p.starved.Store(true) // counts only together with the runtime's exit code
	}
	p.v.logs.add(slog.LevelInfo, sourceChild, p.plan.revision, line, p.plan.attrs(nil))
}

// handshake sends the policy and receives the child's report.
func (p *process) handshake(ctx context.Context, policy sandbox.Policy) (sandbox.Report, error) {
	var report sandbox.Report
	raw, err := json.Marshal(policy)
	if err != nil {
		return report, fmt.Errorf("encode policy: %w", err)
	}
	if err := p.control.Send(ctx, control.Message{Type: control.TypePolicy, Policy: raw}); err != nil {
		return report, fmt.Errorf("send policy: %w", err)
	}
	m, err := p.control.Receive(ctx)
	switch {
	case err != nil:
		return report, fmt.Errorf("receive report: %w", err)
	case m.Type == control.TypeFailed:
		return report, errors.New(m.Failed.Reason)
	case m.Type != control.TypeReport:
		return report, fmt.Errorf("%w: %s came instead of the report", control.ErrProtocol, m.Type)
	}
	if err := json.Unmarshal(m.Report, &report); err != nil {
		return report, fmt.Errorf("%w: the report is malformed", control.ErrProtocol)
	}
	return report, nil
}

// admit gives the verified child what it runs and waits until it is ready.
func (p *process) admit(ctx context.Context) error {
	if err := p.control.Send(ctx, control.Message{Type: control.TypeStart, Start: p.plan.start}); err != nil {
		return fmt.Errorf("send manifest: %w", err)
	}
	select {
	case err := <-p.first:
		return err
	case <-p.ended:
		select {
		case err := <-p.first: // it said why before it went
			if err != nil {
				return err
			}
		default:
		}
		return fmt.Errorf("the server ended before it was ready (%s)", p.box.Exit())
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("the server was not ready after %s", p.v.o.StartTimeout)
		}
		return ctx.Err()
	}
}

// explain adds to an error of the child's link how the child ended and what it said last, when it did end.
func (p *process) explain(err error) error {
	if err == nil || !isDone(p.link.Done()) {
		return err
	}
	timer := time.NewTimer(2 * lastWords) // outlive sees to it that a child without a link ends
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		return err
	}
	said := ""
	if lines := p.v.logs.tail(p.plan.revision, 3); len(lines) > 0 {
		said = "; it said last: " + strings.Join(lines, " | ")
	}
	return fmt.Errorf("the new server ended (%s)%s: %w", p.box.Exit(), said, err)
}

// serve starts what a child needs from the parent, and clears it away when the child is gone.
func (p *process) serve(ends *pipes) {
	ctx, cancel := context.WithCancel(p.v.base)
	p.dials = broker.NewServer(broker.Options{
		Allow: p.plan.allow, Own: p.v.o.Broker.Own, Resolve: p.v.o.Broker.Resolve, Log: p.v.o.Log,
		OnAbuse: func(reason string) {
			p.abused.Store(true)
			p.kill("broker abuse: " + reason)
		},
	})
	p.v.roster.assign(p, p.plan.firstRole())
	served := make(chan struct{}, 2)
	p.v.tasks.Go(func() {
		if err := p.dials.Serve(ctx, ends.broker); err != nil && ctx.Err() == nil {
			p.v.o.Log.Debug("broker ended", "revision", p.plan.revision, "error", err)
		}
		served <- struct{}{}
	})
	p.v.tasks.Go(func() {
		if err := p.listen(ctx); err != nil {
			p.v.logs.add(slog.LevelError, sourceSupervisor, p.plan.revision, "the server broke the protocol and was ended: "+err.Error(), nil)
			p.kill("it broke the protocol: " + strings.TrimPrefix(err.Error(), control.ErrProtocol.Error()+": "))
		}
		served <- struct{}{}
	})
	p.v.tasks.Go(func() {
		defer cancel()
		p.outlive()
		cancel()
		p.link.Close()
		p.control.Close()
		ends.broker.Close()
		<-served
		<-served
		event := p.file()
		close(p.ended)
		if event != nil {
			p.v.report(*event) // last: whoever waits for the child does not wait for observers
		}
	})
}

// file keeps how the child ended and returns an event when it was killed for what it did.
func (p *process) file() *mcpgen.SecurityEvent {
	exit := p.box.Exit()
	kind := p.judge(exit)
	p.exit = exit
	event := p.v.roster.leave(p, mcpgen.ChildExit{
		At: p.v.o.Now().UTC(), Revision: p.plan.revision, Connection: p.plan.connection, PID: p.box.PID(),
		Code: exit.Code, Signal: exit.Signal, Reason: exit.Reason, SIGSYS: exit.SIGSYS,
	}, kind)
	if event != nil {
		p.v.logs.add(slog.LevelError, sourceSupervisor, p.plan.revision, "security: "+sentenceOf(kind)+" ("+exit.String()+")", p.plan.attrs(nil))
		p.v.o.Log.Error("a child was killed for what it did", "kind", string(kind), "role", string(event.Role), "revision", p.plan.revision, "pid", event.PID, "exit", exit.String())
	}
	return event
}

// sentenceOf says what a child was killed for.
func sentenceOf(k mcpgen.SecurityKind) string {
	switch k {
	case mcpgen.SecuritySIGSYS:
		return "the child made a forbidden system call and was killed"
	case mcpgen.SecurityBrokerAbuse:
		return "the child sent broken messages to the broker and was killed"
	case mcpgen.SecurityMemory:
		return "the child used more memory than its limit and was killed"
	}
	return string(k)
}

// outlive returns when the child has ended, and sees to it when its link or the supervisor ends.
func (p *process) outlive() {
	select {
	case <-p.box.Done():
	case <-p.v.base.Done():
		p.end("the studio is shutting down")
	case <-p.link.Done():
	case <-p.killed:
	}
	p.until = p.v.o.Now()
	if isDone(p.link.Done()) && (errors.Is(p.link.Err(), hop.ErrFrame) || !p.exits(lastWords)) {
		p.kill(fmt.Sprintf("its link ended: %v", p.link.Err()))
	}
	if !p.exits(goneTime) { // calls that it holds have waited long enough, and another child may take its place
		p.link.Close()
		if p.plan.connection == nil {
			p.v.roster.assign(p, mcpgen.RoleDraining)
		}
		close(p.lost)
	}
	<-p.box.Done()
}

// how is how the child ended, or that it does not.
func (p *process) how() sandbox.Exit {
	if isDone(p.ended) {
		return p.exit
	}
	return sandbox.Exit{Signal: "SIGKILL", Reason: "it does not end: it waits in the kernel, for a disk or a mount"}
}

// exits waits for a child to exit by itself and reports whether it did in time.
func (p *process) exits(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.box.Done():
		return true
	case <-timer.C:
		return false
	}
}

// listen handles what the child says until it closes the pipe.
func (p *process) listen(ctx context.Context) error {
	ready := false
	talk := talk{now: p.v.o.Now}
	for {
		m, err := p.control.Receive(ctx)
		if err != nil {
			if errors.Is(err, control.ErrProtocol) {
				return err
			}
			return nil // the child is gone, or we are closing
		}
		switch {
		case m.Type == control.TypeLog:
			if dropped, ok := talk.may(); ok {
				if dropped > 0 {
					p.v.logs.add(slog.LevelWarn, sourceSupervisor, p.plan.revision, fmt.Sprintf("%d lines of the server were dropped: it said too much", dropped), nil)
				}
				p.v.logs.add(levelOf(m.Log.Level), sourceChild, p.plan.revision, m.Log.Message, p.plan.attrs(m.Log.Attrs))
			}
		case m.Type == control.TypeReady && !ready:
			ready = true
			p.first <- nil
		case m.Type == control.TypeFailed && !ready:
			p.first <- errors.New(m.Failed.Reason)
			return nil
		case m.Type == control.TypeDrained && !isDone(p.finished):
			close(p.finished)
		default:
			return fmt.Errorf("%w: %s at this point", control.ErrProtocol, m.Type)
		}
	}
}

// talkBurst is how many log lines a child may send within talkWindow.
const (
	talkBurst  = 200
	talkWindow = 5 * time.Second
)

// talk keeps a child that says too much from pushing everybody else's lines out of the log.
type talk struct {
	now     func() time.Time
	since   time.Time
	said    int
	dropped int
}

// may reports whether another line is kept, and how many were dropped since the last one that was.
func (t *talk) may() (dropped int, ok bool) {
	if now := t.now(); now.Sub(t.since) >= talkWindow || now.Before(t.since) {
		t.since, t.said = now, 0
	}
	if t.said++; t.said > talkBurst {
		t.dropped++
		return 0, false
	}
	dropped, t.dropped = t.dropped, 0
	return dropped, true
}

func levelOf(l control.Level) slog.Level {
	switch l {
	case control.LevelDebug:
		return slog.LevelDebug
	case control.LevelWarn:
		return slog.LevelWarn
	case control.LevelError:
		return slog.LevelError
	}
	return slog.LevelInfo
}

// drain asks the child to finish and ends it when ctx does. It returns when the child is gone.
func (p *process) drain(ctx context.Context) {
	p.asked.Store(true)
	deadline := time.Now().Add(p.v.o.DrainTimeout)
	if d, ok := ctx.Deadline(); ok {
		deadline = d
	}
	ms := max(time.Until(deadline).Milliseconds(), 1)
	err := p.control.Send(ctx, control.Message{Type: control.TypeDrain, Drain: &control.Drain{DeadlineMS: ms}})
	if err == nil {
		select {
		case <-p.ended:
			return
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil && p.exits(lastWords) { // it could not be asked: it is gone, or going
		p.gone()
		return
	}
	if !isDone(p.box.Done()) {
		p.kill("the time to drain was up")
	}
	p.gone()
}

// gone waits until everything of a killed child is cleared away, and gives up on one that the kernel does not let go.
func (p *process) gone() {
	timer := time.NewTimer(goneTime)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.v.o.Log.Warn("a killed child does not end: it waits in the kernel, for a disk or a mount", "revision", p.plan.revision, "pid", p.box.PID())
	}
}

// kill ends a child for what it did.
func (p *process) kill(reason string) {
	p.box.Kill(reason)
	p.once.Do(func() { close(p.killed) })
}

// end ends a child that is not needed any more.
func (p *process) end(reason string) {
	if !isDone(p.box.Done()) {
		p.asked.Store(true)
	}
	p.kill(reason)
}
