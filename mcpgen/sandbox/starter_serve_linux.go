package sandbox

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	fdStarter = 3
	// starterHeap is far above what a starter needs; the collector returns the rest.
	starterHeap = 16 << 20
	// starterFarewell is how long a starter that was told to go waits for its children to be cleared away.
	starterFarewell = 2 * time.Second
)

// starterCapabilities are what root needs to start a child on the highest rung: namespaces and mounts, another uid and
// gid, the ambient set and the bounding set, directories that let nobody else through, and the end and the priority
// of a process of another uid. TestStarterCapabilities takes each away and looks what breaks.
func starterCapabilities() uint64 {
	return 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_SETPCAP | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_KILL |
		1<<unix.CAP_SYS_NICE
}

// starterServer is the starter's side.
type starterServer struct {
	conn     *net.UnixConn
	setup    starterSetup
	sockets  *[]ownSocket // of the parent; nil: not told yet
	by       direct
	children sync.WaitGroup
	sending  sync.Mutex

	mu   sync.Mutex
	kill map[uint64]func() // guarded by mu: by order, the living
}

// ServeStarter is the starter: it confines itself as far as its work allows, and starts children until its parent goes.
// It returns the exit code, 2 when the program was not started as a starter.
func ServeStarter() int { return serveStarter(starterCapabilities()) }

func serveStarter(keep uint64) int {
	var st unix.Stat_t
	if err := unix.Fstat(fdStarter, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return 2
	}
	conn, err := unixConn(os.NewFile(fdStarter, "parent"))
	if err != nil {
		return 2
	}
	defer conn.Close()
	debug.SetMemoryLimit(starterHeap)
	leaveTerminal()
	// A service manager signals every process of the unit: the parent ends the children in order and then this one. Caught
	// and dropped, not ignored, since ignoring is inherited (execve(2)).
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT)
	s := &starterServer{conn: conn, by: direct{systemCgroups(os.Getppid())}, kill: map[uint64]func(){}}
	if err := s.begin(keep); err != nil {
		s.send(starterMessage{Type: starterFailed, Failed: failureOf(err)})
		return 1
	}
	debug.FreeOSMemory() // what starting this program took; the rest of its life takes little
	s.send(starterMessage{Type: starterReady})
	for {
		m, files, err := s.receive()
		if errors.Is(err, errMalformed) {
			continue // it has no meaning that could be done; whoever waits for an answer stops in time
		}
		if err != nil {
			break
		}
		s.handle(m, files)
	}
	s.farewell()
	s.removeSockets()
	return 0
}

// begin learns what to start and gives up what that does not need. no_new_privs and a smaller set of capabilities are
// inherited by children; Landlock is not put on, since mounting would be refused (landlock(7)).
func (s *starterServer) begin(keep uint64) error {
	m, _, err := s.receive()
	if err != nil {
		return err
	}
	if m.Type != starterConfig || m.Config == nil || len(m.Config.Args) == 0 {
		return errors.New("no configuration came")
	}
	s.setup = *m.Config
	if err := HardenParent(); err != nil {
		return err
	}
	s.by.cgroups.prepare()
	err = errors.Join(onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1), keepCapabilities(keep))
	if errors.Is(err, errCgo) {
		return nil // children are refused for the same reason, with words of their own
	}
	return err
}

// errMalformed is the error of a datagram that is none of ours.
var errMalformed = errors.New("malformed message")

// receive reads one datagram with its descriptors, which are close-on-exec. With an error it has closed them.
func (s *starterServer) receive() (m starterMessage, files []*os.File, err error) {
	buf, oob := make([]byte, maxStarterMessage), make([]byte, unix.CmsgSpace(4*maxStarterFiles))
	n, oobn, flags, _, err := s.conn.ReadMsgUnix(buf, oob)
	if err != nil {
		return m, nil, err
	}
	if n == 0 {
		return m, nil, os.ErrClosed // the parent went
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	for i := range messages {
		fds, e := syscall.ParseUnixRights(&messages[i])
		err = errors.Join(err, e)
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "order"))
		}
	}
	err = errors.Join(err, json.Unmarshal(buf[:n], &m))
	if err != nil || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		closeFiles(files)
		return starterMessage{}, nil, errMalformed
	}
	return m, files, nil
}

func (s *starterServer) handle(m starterMessage, files []*os.File) {
	switch {
	case m.Type == starterOrder && m.Order != nil && len(files) > 0:
		o := *m.Order
		o.Args, o.Exe = s.setup.Args, s.setup.Exe
		s.children.Go(func() { s.run(m.ID, o, files) })
	case m.Type == starterKill:
		s.mu.Lock()
		kill := s.kill[m.ID]
		s.mu.Unlock()
		if kill != nil {
			kill()
		}
		closeFiles(files)
	case m.Type == starterAsk:
		closeFiles(files)
		s.send(starterMessage{Type: starterHere})
	case m.Type == starterSocks && s.sockets == nil:
		closeFiles(files)
		s.sockets = lookAtSockets(m.Sockets)
	default:
		closeFiles(files)
	}
}

// run starts one child and stays with it to its end.
func (s *starterServer) run(id uint64, o order, files []*os.File) {
	exit, err := s.by.launch(o, files, func(b birth, kill func()) {
		s.mu.Lock()
		s.kill[id] = kill
		s.mu.Unlock()
		s.send(starterMessage{Type: starterBorn, ID: id, Born: &b})
	})
	if err != nil {
		s.send(starterMessage{Type: starterFailed, ID: id, Failed: failureOf(err)})
		return
	}
	s.mu.Lock()
	delete(s.kill, id)
	s.mu.Unlock()
	s.send(starterMessage{Type: starterEnded, ID: id, Exit: &exit})
}

// farewell ends what still lives. Whatever does not end in time dies with this process (PR_SET_PDEATHSIG).
func (s *starterServer) farewell() {
	s.mu.Lock()
	for _, kill := range s.kill {
		kill()
	}
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		s.children.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(starterFarewell):
	}
}

// send tells the parent; when it is gone nobody is left to tell, and receive sees it too.
func (s *starterServer) send(m starterMessage) {
	b, err := json.Marshal(m)
	if err != nil {
		return // numbers and strings always encode
	}
	s.sending.Lock()
	defer s.sending.Unlock()
	_, _ = s.conn.Write(b)
}

func failureOf(err error) *startFailure {
	f := &startFailure{Text: err.Error()}
	errors.As(err, &f.Errno)
	return f
}
