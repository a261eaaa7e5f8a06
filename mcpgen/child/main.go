package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/broker"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
)

// The descriptors that the parent hands over, in the order in which it lists them.
const (
	fdControl = 3
	fdBroker  = 4
	fdHop     = 5
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it said why, in words or on the control pipe
	exitUsage  = 2 // it was not started by the studio
)

// workers is how many calls run or wait at once, and places how many of them may be
// about databases. A call that waits costs a stack and no thread; those to a
// database that hangs get a part of the places only, and cannot hold up the others.
const (
	workers = 4096
	places  = workers - 128
)

// setupTime bounds the exchange before the child is ready.
const setupTime = 60 * time.Second

// Main runs the child until the parent goes, and returns the exit code. args is
// what follows the hidden command: nothing, or "starter" for the process that
// starts the children of a confined parent.
func Main(args []string) int {
	if len(args) == 1 && args[0] == "starter" {
		if code := sandbox.ServeStarter(); code != exitUsage {
			return code
		}
	}
	ends, err := inherited()
	if err != nil || len(args) > 0 {
		fmt.Fprintln(os.Stderr, "studio child is started by studio serve, with pipes that only it can give. Run `studio serve` instead.")
		return exitUsage
	}
	if err := ends.run(); err != nil {
		fmt.Fprintf(os.Stderr, "child: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// pipes are the child's ends.
type pipes struct {
	control *control.Conn
	broker  *os.File
	hop     net.Conn
}

// inherited takes the descriptors over. Whoever starts the command by hand has none of this kind there.
func inherited() (*pipes, error) {
	talk, err := socket(fdControl, "control")
	if err != nil {
		return nil, err
	}
	calls, err := socket(fdHop, "hop")
	if err != nil {
		talk.Close()
		return nil, err
	}
	dials := os.NewFile(fdBroker, "broker")
	if dials == nil {
		return nil, os.ErrInvalid
	}
	if info, err := dials.Stat(); err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil, errors.Join(os.ErrInvalid, err)
	}
	return &pipes{control: control.NewChild(talk), broker: dials, hop: calls}, nil
}

// socket makes a connection of an inherited descriptor, if it is a socket. The
// connection gets the same number again: the sandbox counts every other one as a leak.
func socket(fd int, name string) (net.Conn, error) {
	aside, err := syscall.Dup(fd)
	if err != nil {
		return nil, err
	}
	if err := syscall.Close(fd); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(aside), name)
	c, err := net.FileConn(f) // a duplicate, of the lowest free number
	if err != nil {
		f.Close()
		return nil, err
	}
	return c, f.Close()
}

// run is the child's life: confine, learn what to run, serve.
func (p *pipes) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	setup, done := context.WithTimeout(ctx, setupTime)
	defer done()
	policy, err := p.confine(setup)
	if err != nil {
		return err
	}
	m, err := p.control.Receive(setup)
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the studio ended before it said what to run")
	case err != nil:
		return fmt.Errorf("receive manifest: %w", err)
	case m.Type != control.TypeStart:
		return fmt.Errorf("%w: %s came instead of start", control.ErrProtocol, m.Type)
	}
	dialer, err := broker.NewDialer(p.broker)
	if err != nil {
		return fmt.Errorf("open broker: %w", err)
	}
	defer dialer.Close()
	log := newLogger(p.control)
	defer log.close()
	handler, err := build(m.Start, dialer, policy, log)
	if err != nil {
		return p.fail(setup, err)
	}
	defer handler.close()
	if err := p.control.Send(setup, control.Message{Type: control.TypeReady}); err != nil {
		return fmt.Errorf("send ready: %w", err)
	}
	done()
	return p.serve(ctx, cancel, handler)
}

// confine locks the process in and reports; nothing secret has been read before.
func (p *pipes) confine(ctx context.Context) (sandbox.Policy, error) {
	var policy sandbox.Policy
	m, err := p.control.Receive(ctx)
	switch {
	case err != nil:
		return policy, fmt.Errorf("receive policy: %w", err)
	case m.Type != control.TypePolicy:
		return policy, fmt.Errorf("%w: %s came instead of the policy", control.ErrProtocol, m.Type)
	}
	if err := json.Unmarshal(m.Policy, &policy); err != nil {
		return policy, fmt.Errorf("read policy: %w", err)
	}
	report, err := json.Marshal(sandbox.Enter(policy))
	if err != nil {
		return policy, fmt.Errorf("encode report: %w", err)
	}
	if err := p.control.Send(ctx, control.Message{Type: control.TypeReport, Report: report}); err != nil {
		return policy, fmt.Errorf("send report: %w", err)
	}
	return policy, nil
}

// fail tells the parent why, in words that it shows to the admin.
func (p *pipes) fail(ctx context.Context, why error) error {
	if err := p.control.Send(ctx, control.Message{Type: control.TypeFailed, Failed: &control.Failed{Reason: why.Error()}}); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// serve answers calls until the parent closes a pipe or asks to drain.
func (p *pipes) serve(ctx context.Context, drain context.CancelFunc, h handler) error {
	gone := make(chan error, 1)
	go func() { gone <- p.obey(drain) }()
	served := make(chan error, 1)
	go func() { served <- hop.Serve(ctx, p.hop, h, workers) }()
	var err error
	select {
	case err = <-served:
		if ctx.Err() != nil { // drained: say so while the parent listens
			last, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			err = errors.Join(err, p.control.Send(last, control.Message{Type: control.TypeDrained}))
		}
	case err = <-gone:
		// The parent is gone: what runs has nobody to answer to. Process end cancels it.
		p.hop.Close()
		<-served
		return err
	}
	p.control.Close()
	<-gone
	return err
}

// obey does what the parent says until the pipe ends, which means that the parent is gone.
func (p *pipes) obey(drain context.CancelFunc) error {
	for {
		m, err := p.control.Receive(context.Background())
		switch {
		case errors.Is(err, control.ErrProtocol):
			return err
		case err != nil:
			return nil
		case m.Type == control.TypeDrain:
			drain()
		default:
			return fmt.Errorf("%w: %s while serving", control.ErrProtocol, m.Type)
		}
	}
}

// handler is one of the two roles.
type handler interface {
	hop.Handler
	close() // ends sessions with databases
}

// build makes what the parent asked for.
func build(start *control.Start, dialer *broker.Dialer, policy sandbox.Policy, log *logger) (handler, error) {
	m, err := mcpgen.Decode(start.Manifest)
	if err != nil {
		return nil, err
	}
	dir := ""
	if len(policy.Dirs) > 0 {
		dir = policy.Dirs[0]
	}
	engine, err := newEngine(m, start.Secrets, dialer, dir, log)
	if err != nil {
		return nil, err
	}
	switch start.Role {
	case control.RoleServer:
		return newServer(m, mcpgen.Digest(start.Manifest), engine, log)
	case control.RoleBench:
		return newBench(m, engine, log)
	}
	return nil, fmt.Errorf("unknown role %q", start.Role)
}
