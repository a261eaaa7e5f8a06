package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The wire between a parent and its starter: one JSON datagram each way on a SOCK_SEQPACKET pair. The first one of the
// parent says how children are started, once and for all; an order carries the child's descriptors (SCM_RIGHTS, unix(7)).
//
//	parent → starter  config, then order and kill
//	starter → parent  ready, then born or failed for an order, and ended for a born one
type starterMessage struct {
	Type   string        `json:"type"`
	ID     uint64        `json:"id,omitempty"` // of the order
	Config *starterSetup `json:"config,omitempty"`
	Order  *order        `json:"order,omitempty"`
	Born   *birth        `json:"born,omitempty"`
	Failed *startFailure `json:"failed,omitempty"`
	Exit   *Exit         `json:"exit,omitempty"`
}

// Types of a starterMessage.
const (
	starterConfig = "config"
	starterReady  = "ready"
	starterOrder  = "order"
	starterKill   = "kill"
	starterBorn   = "born"
	starterFailed = "failed"
	starterEnded  = "ended"
)

const (
	maxStarterMessage = 64 << 10
	maxStarterFiles   = 16
	starterReadyTime  = 10 * time.Second
	starterWriteTime  = 5 * time.Second
	starterBirthTime  = 30 * time.Second // far above a fork on a busy machine: a starter that takes longer is stopped or stuck
	starterExit       = "the process that starts children ended"
)

// starterSetup is what a starter starts. It is sent before the parent confines itself and cannot be changed.
type starterSetup struct {
	Args []string `json:"args"`
	Exe  string   `json:"exe,omitempty"`
}

// startFailure is an error that crossed the wire.
type startFailure struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno,omitempty"`
}

func (e *startFailure) Error() string { return e.Text }

func (e *startFailure) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Starter is a process beside the parent that starts its children. It exists because the parent confines itself: a
// process restricted by Landlock may not mount (landlock(7)), and neither may its descendants, but the private root of
// a child has to be mounted; and what root needs to start a child (CAP_SYS_ADMIN and others) is more than a process
// that speaks to the network should hold. The starter never reads what comes from outside, holds no secret, and starts
// one program only: the one named in its options.
//
// When it ends its children end with it, and there is no second one: a confined parent cannot make it. Its methods are
// safe for concurrent use.
type Starter struct {
	process *os.Process
	conn    *net.UnixConn
	done    chan struct{} // closed when the process and receive have ended

	mu    sync.Mutex
	next  uint64                         // guarded by mu
	waits map[uint64]chan starterMessage // guarded by mu: by order; of capacity 2
}

// StarterOptions say how the starter and its children are started.
type StarterOptions struct {
	// Args is the starter's argv; the program must call ServeStarter for it.
	Args []string
	// ChildArgs is the argv of every child.
	ChildArgs []string
	// Exe is the program of both; "" means the running one.
	Exe string
}

// NewStarter starts the starter. Call it before ConfineParent; Close ends it.
func NewStarter(o StarterOptions) (*Starter, error) {
	conn, file, err := starterPair()
	if err != nil {
		return nil, fmt.Errorf("start the starter: %w", err)
	}
	s := &Starter{conn: conn, done: make(chan struct{}), waits: map[uint64]chan starterMessage{}}
	started := make(chan error, 1)
	exited := make(chan struct{})
	go s.own(o, file, started, exited)
	err = <-started
	_ = file.Close()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if err := s.configure(o); err != nil {
		_ = conn.Close()
		_ = s.process.Kill()
		<-exited
		return nil, fmt.Errorf("start the starter: %w", err)
	}
	go s.receive(exited)
	return s, nil
}

// starterPair makes the parent's end and the starter's.
func starterPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	other := os.NewFile(uintptr(fds[1]), "starter")
	conn, err := unixConn(os.NewFile(uintptr(fds[0]), "parent"))
	if err != nil {
		_ = other.Close()
		return nil, nil, err
	}
	return conn, other, nil
}

// unixConn makes a connection of f, which it closes.
func unixConn(f *os.File) (*net.UnixConn, error) {
	c, err := net.FileConn(f)
	_ = f.Close() // FileConn works on a copy
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("it is a %T", c), c.Close())
	}
	return u, nil
}

// own starts the starter and waits for its end, on the thread whose end would be the starter's (prctl(2)).
func (s *Starter) own(o StarterOptions, file *os.File, started chan<- error, exited chan<- struct{}) {
	runtime.LockOSThread()
	null, err := os.Open(os.DevNull)
	if err != nil {
		started <- fmt.Errorf("start the starter: %w", err)
		return
	}
	exe := o.Exe
	if exe == "" {
		exe = ownProgram
	}
	// A process group of its own: an interrupt from the terminal is for the parent, which ends the children in order. Not a
	// session: see attributes.
	s.process, err = os.StartProcess(exe, o.Args, &os.ProcAttr{
		Dir: "/", Env: childEnv(), Files: []*os.File{null, os.Stderr, os.Stderr, file},
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	})
	_ = null.Close()
	if err != nil {
		started <- startError(exe, bareError(err).Error(), bareError(err), os.Geteuid() == 0)
		return
	}
	started <- nil
	_, _ = s.process.Wait() // how it ended changes nothing: there is no other
	close(exited)
}

// configure tells the starter what to start and waits until it has confined itself.
func (s *Starter) configure(o StarterOptions) error {
	if err := s.send(starterMessage{Type: starterConfig, Config: &starterSetup{Args: o.ChildArgs, Exe: o.Exe}}, nil); err != nil {
		return fmt.Errorf("it did not answer: %w", err) // it ended before it read
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(starterReadyTime)); err != nil {
		return err
	}
	var m starterMessage
	buf := make([]byte, maxStarterMessage)
	n, err := s.conn.Read(buf)
	if err == nil {
		err = json.Unmarshal(buf[:n], &m)
	}
	switch {
	case err != nil:
		return fmt.Errorf("it did not answer: %w", err)
	case m.Type == starterFailed && m.Failed != nil:
		return m.Failed
	case m.Type != starterReady:
		return fmt.Errorf("it answered %q", m.Type)
	}
	return s.conn.SetReadDeadline(time.Time{})
}

// receive hands answers to their orders until the starter is gone.
func (s *Starter) receive(exited <-chan struct{}) {
	buf := make([]byte, maxStarterMessage)
	for {
		n, err := s.conn.Read(buf)
		if err != nil || n == 0 {
			break
		}
		var m starterMessage
		if json.Unmarshal(buf[:n], &m) != nil {
			continue // it does not send such
		}
		s.mu.Lock()
		wait := s.waits[m.ID]
		s.mu.Unlock()
		if wait == nil {
			continue
		}
		select {
		case wait <- m:
		default: // a third answer to one order
		}
	}
	_ = s.conn.Close()
	_ = s.process.Kill() // without its link it would end anyway
	<-exited
	close(s.done)
}

// PID is the starter's process id.
func (s *Starter) PID() int { return s.process.Pid }

// Done is closed when the starter has ended, and with it every child.
func (s *Starter) Done() <-chan struct{} { return s.done }

// Close ends the starter, which ends its children, and waits for that.
func (s *Starter) Close() error {
	// Half closed: the starter reads the end, clears up and leaves; receive sees that.
	err := s.conn.CloseWrite()
	select {
	case <-s.done:
	case <-time.After(starterWriteTime):
		_ = s.process.Kill()
		<-s.done
	}
	if errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ENOTCONN) {
		return nil // it went before
	}
	return err
}

// send writes one datagram.
func (s *Starter) send(m starterMessage, files []*os.File) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(b) > maxStarterMessage || len(files) > maxStarterFiles {
		return fmt.Errorf("an order of %d bytes with %d files is too large", len(b), len(files))
	}
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(starterWriteTime)); err != nil {
		return err
	}
	_, _, err = s.conn.WriteMsgUnix(b, rights, nil)
	runtime.KeepAlive(files)
	return err
}

// launch implements launcher.
func (s *Starter) launch(o order, output *os.File, files []*os.File, born func(birth, func())) (Exit, error) {
	answers := make(chan starterMessage, 2)
	s.mu.Lock()
	s.next++
	id := s.next
	s.waits[id] = answers
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waits, id)
		s.mu.Unlock()
	}()
	// Only what matters before the child reads its policy; the program and its arguments are the starter's.
	o = order{Enforce: o.Enforce, Slot: o.Slot, Policy: Policy{FS: o.Policy.FS, Dirs: o.Policy.Dirs, MemoryLimit: o.Policy.MemoryLimit, CPUs: o.Policy.CPUs}}
	if err := s.send(starterMessage{Type: starterOrder, ID: id, Order: &o}, append([]*os.File{output}, files...)); err != nil {
		select {
		case <-s.done:
			return Exit{}, errors.New("start child: " + starterExit + ": restart the studio")
		default:
			return Exit{}, fmt.Errorf("start child: %w", err)
		}
	}
	stuck := time.AfterFunc(starterBirthTime, func() { _ = s.process.Kill() })
	m, ok := s.answer(answers)
	stuck.Stop()
	switch {
	case !ok:
		return Exit{}, errors.New("start child: " + starterExit + ": restart the studio")
	case m.Type == starterFailed && m.Failed != nil:
		return Exit{}, m.Failed
	case m.Type != starterBorn || m.Born == nil:
		return Exit{}, fmt.Errorf("start child: the starter answered %q", m.Type)
	}
	born(*m.Born, func() { _ = s.send(starterMessage{Type: starterKill, ID: id}, nil) }) // without a starter there is no child
	if m, ok = s.answer(answers); !ok || m.Exit == nil {
		return Exit{Code: -1, Signal: "SIGKILL", Reason: starterExit}, nil
	}
	return *m.Exit, nil
}

// answer waits for the next message of an order; false when the starter is gone.
func (s *Starter) answer(answers <-chan starterMessage) (starterMessage, bool) {
	select {
	case m := <-answers:
		return m, true
	case <-s.done:
		select {
		case m := <-answers:
			return m, true
		default:
			return starterMessage{}, false
		}
	}
}
