package sandbox

import (
	"cmp"
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
//	parent → starter  config, then once sockets, and order, kill and ask
//	starter → parent  ready, then born or failed for an order, ended for a born one, and here for an ask
type starterMessage struct {
	Type   string        `json:"type"`
	ID     uint64        `json:"id,omitempty"` // of the order
	Config *starterSetup `json:"config,omitempty"`
	Order  *order        `json:"order,omitempty"`
	Born   *birth        `json:"born,omitempty"`
	Failed *startFailure `json:"failed,omitempty"`
	Exit   *Exit         `json:"exit,omitempty"`
	// Sockets are the paths of the parent's Unix listeners, which it may not remove itself once it is confined.
	Sockets []string `json:"sockets,omitempty"`
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
	starterAsk    = "ask"
	starterHere   = "here"
	starterSocks  = "sockets"
)

const (
	maxStarterMessage = 64 << 10
	maxStarterFiles   = 253 // SCM_MAX_FD (unix(7))
	maxUnborn         = 16  // orders without an answer, above which a further one is refused at once
	starterReadyTime  = 10 * time.Second
	starterWriteTime  = 5 * time.Second
	starterSilence    = 30 * time.Second // without any answer, after which a starter without children is given up
	starterExit       = "the process that starts children ended"
	starterLate       = "the process that starts children did not start one in time: something stops it, such as a debugger or a file system that does not answer; " +
		"if that lasts, start the studio again"
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
// When it ends its children end with it, and there is no second one: a confined parent cannot make it. So one order that does not
// get done is nobody's end: whoever gave it stops waiting, and what is born after all is killed. Only a starter that answers
// nothing at all, while none of its children lives, is ended (attend). Its methods are safe for concurrent use.
type Starter struct {
	process *os.Process
	conn    *net.UnixConn
	silence time.Duration
	wake    chan struct{} // of capacity one: there is something to wait for
	done    chan struct{} // closed when the process and receive have ended

	mu     sync.Mutex
	next   uint64                   // guarded by mu, as the rest
	orders map[uint64]*starterChild // those that have not ended
	heard  time.Time                // when it said something last
	err    error                    // why it was given up
}

// starterChild is an order and what came of it.
type starterChild struct {
	answers chan starterMessage // of capacity 2
	pid     int                 // guarded by Starter.mu; 0: not born
	killed  bool                // guarded by Starter.mu
}

// StarterOptions say how the starter and its children are started.
type StarterOptions struct {
	// Args is the starter's argv; the program must call ServeStarter for it.
	Args []string
	// ChildArgs is the argv of every child.
	ChildArgs []string
	// Exe is the program of both; "" means the running one.
	Exe string

	silence time.Duration // 0: starterSilence
}

// NewStarter starts the starter. Call it before ConfineParent; Close ends it.
func NewStarter(o StarterOptions) (*Starter, error) {
	conn, file, err := starterPair()
	if err != nil {
		return nil, fmt.Errorf("start the starter: %w", err)
	}
	s := &Starter{
		conn: conn, silence: cmp.Or(o.silence, starterSilence), wake: make(chan struct{}, 1), done: make(chan struct{}), orders: map[uint64]*starterChild{},
	}
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
	go s.attend()
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
		s.take(buf[:n])
	}
	_ = s.conn.Close()
	_ = s.process.Kill() // without its link it would end anyway
	<-exited
	close(s.done)
}

// take hands one datagram to the order it answers.
func (s *Starter) take(b []byte) {
	var m starterMessage
	if json.Unmarshal(b, &m) != nil {
		return // it does not send such
	}
	s.mu.Lock()
	s.heard = time.Now()
	c := s.orders[m.ID]
	if c != nil && m.Born != nil {
		c.pid = m.Born.PID
	}
	s.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case c.answers <- m:
	default: // a third answer to one order
	}
}

// PID is the starter's process id.
func (s *Starter) PID() int { return s.process.Pid }

// Done is closed when the starter has ended, and with it every child.
func (s *Starter) Done() <-chan struct{} { return s.done }

// Err is why the starter ended, once Done is closed.
func (s *Starter) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return errors.New(starterExit)
}

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
func (s *Starter) launch(o order, files []*os.File, born func(birth, func())) (Exit, error) {
	id, c, err := s.enter()
	if err != nil {
		closeFiles(files)
		return Exit{}, err
	}
	defer s.leave(id)
	// Only what matters before the child reads its policy; the program and its arguments are the starter's.
	o = order{Enforce: o.Enforce, Slot: o.Slot, Policy: Policy{FS: o.Policy.FS, Dirs: o.Policy.Dirs, MemoryLimit: o.Policy.MemoryLimit, CPUs: o.Policy.CPUs}}
	err = s.send(starterMessage{Type: starterOrder, ID: id, Order: &o}, files)
	closeFiles(files)
	if err != nil {
		return Exit{}, s.refused(err)
	}
	m, ok := s.answer(c.answers)
	switch {
	case !ok:
		return Exit{}, s.refused(nil)
	case m.Type == starterFailed && m.Failed != nil:
		return Exit{}, m.Failed
	case m.Type != starterBorn || m.Born == nil:
		return Exit{}, fmt.Errorf("start child: the starter answered %q", m.Type)
	}
	born(*m.Born, func() { s.kill(id) })
	if m, ok = s.answer(c.answers); !ok || m.Exit == nil {
		return Exit{Code: -1, Signal: "SIGKILL", Reason: s.Err().Error()}, nil
	}
	return *m.Exit, nil
}

func (s *Starter) late() string { return starterLate }

// enter lists a new order. It refuses one where so many are stuck that another would be too.
func (s *Starter) enter() (id uint64, c *starterChild, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unborn := 0
	for _, c := range s.orders {
		if c.pid == 0 {
			unborn++
		}
	}
	if unborn >= maxUnborn {
		return 0, nil, errors.New("start child: " + starterLate)
	}
	s.next++
	c = &starterChild{answers: make(chan starterMessage, 2)}
	s.orders[s.next] = c
	s.rouse()
	return s.next, c, nil
}

func (s *Starter) leave(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, id)
}

// kill asks for the end of a child; without a starter there is none.
func (s *Starter) kill(id uint64) {
	s.mu.Lock()
	if c := s.orders[id]; c != nil {
		c.killed = true
		s.rouse()
	}
	s.mu.Unlock()
	_ = s.send(starterMessage{Type: starterKill, ID: id}, nil)
}

// refused is why an order could not be given; err is why it could not be sent.
func (s *Starter) refused(err error) error {
	select {
	case <-s.done:
		return fmt.Errorf("start child: %w: restart the studio", s.Err())
	default:
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("start child: " + starterLate)
	}
	return fmt.Errorf("start child: %w", err)
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
