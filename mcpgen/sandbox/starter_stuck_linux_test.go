package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// startBy starts a child by a starter within a time. It is ended with the test.
func startBy(t *testing.T, starter *Starter, within time.Duration) (*Process, *link, error) {
	t.Helper()
	o, l, err := testOptions(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.conn.Close() })
	o.Starter, o.Enforce = starter, !builtWithCgo // so that the race detector sees it too
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	c, err := Start(ctx, o)
	if err == nil {
		t.Cleanup(func() { c.Kill("test over"); c.Exit() })
	}
	return c, l, err
}

// mustBeLate asserts that a start was given up at its own deadline, with words that tell what to do.
func mustBeLate(t *testing.T, starter *Starter) {
	t.Helper()
	began := time.Now()
	_, _, err := startBy(t, starter, 300*time.Millisecond)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "did not start one in time") || !strings.Contains(err.Error(), "start the studio again") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s to give up after 300 ms", took)
	}
}

// mustServe asserts that a child answers, which ends after its one job.
func mustServe(t *testing.T, l *link) {
	t.Helper()
	text, err := l.do(job{Name: "environ"})
	if err != nil || !strings.Contains(text, "GODEBUG") {
		t.Errorf("the child answers %q %v", text, err)
	}
}

// onlyChildren waits until the starter has n children: what was born too late is gone.
func onlyChildren(t *testing.T, starter *Starter, n int) {
	t.Helper()
	var have int
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		have = 0
		all, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			b, _ := os.ReadFile(f) // it may end meanwhile
			_, after, _ := strings.Cut(string(b), ") ")
			if state := strings.Fields(after); len(state) > 1 && state[1] == strconv.Itoa(starter.PID()) { // state, parent
				have++
			}
		}
		starter.mu.Lock()
		open := len(starter.orders)
		starter.mu.Unlock()
		if open != n {
			continue
		}
		if have == n {
			return
		}
	}
	t.Errorf("the starter has %d children, want %d", have, n)
}

func stop(t *testing.T, pid int) (resume func()) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume = func() { _ = syscall.Kill(pid, syscall.SIGCONT) } // it may have ended
	t.Cleanup(resume)
	return resume
}

func quickStarter(t *testing.T, exe string) *Starter {
	t.Helper()
	o := testStarter()
	o.Exe, o.silence = exe, 2*time.Second
	s, err := NewStarter(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the starter: %v", err)
		}
	})
	return s
}

// A starter that is stopped, as by a debugger, takes nothing with it: orders end at their own deadlines, children serve, and when it goes
// on, what was ordered meanwhile is not left over.
func TestStoppedStarter(t *testing.T) {
	starter := quickStarter(t, "")
	if _, _, err := startBy(t, starter, time.Minute); err != nil {
		t.Fatal(err)
	}
	_, l, err := startBy(t, starter, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	resume := stop(t, starter.PID())
	mustBeLate(t, starter)
	mustBeLate(t, starter)
	time.Sleep(2 * starter.silence)
	select {
	case <-starter.Done():
		t.Fatalf("the starter was ended while children serve: %v", starter.Err())
	default:
	}
	mustServe(t, l)
	resume()
	onlyChildren(t, starter, 1)
	if _, l, err = startBy(t, starter, time.Minute); err != nil {
		t.Fatal(err)
	}
	onlyChildren(t, starter, 2)
	mustServe(t, l)
	onlyChildren(t, starter, 1)
}

// More orders than can ever be open at once do not pile up behind a starter that does not answer.
func TestOrdersDoNotPileUp(t *testing.T) {
	starter := quickStarter(t, "")
	if _, _, err := startBy(t, starter, time.Minute); err != nil { // so that it is not given up
		t.Fatal(err)
	}
	resume := stop(t, starter.PID())
	for range maxUnborn {
		if _, _, err := startBy(t, starter, 20*time.Millisecond); err == nil {
			t.Fatal("a stopped starter started a child")
		}
	}
	began := time.Now()
	if _, _, err := startBy(t, starter, time.Minute); err == nil || !strings.Contains(err.Error(), "did not start one in time") || time.Since(began) > 15*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	resume()
	onlyChildren(t, starter, 1)
	if _, _, err := startBy(t, starter, time.Minute); err != nil {
		t.Errorf("when it goes on: %v", err)
	}
}

// A starter that answers nothing, and has no child that lives, is given up: its owner learns it, and why.
func TestSilentStarter(t *testing.T) {
	for name, child := range map[string]bool{"no child": false, "a child that died": true} {
		t.Run(name, func(t *testing.T) {
			starter := quickStarter(t, "")
			var c *Process
			if child {
				var err error
				if c, _, err = startBy(t, starter, time.Minute); err != nil {
					t.Fatal(err)
				}
			}
			stop(t, starter.PID())
			if child {
				if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			mustBeLate(t, starter)
			select {
			case <-starter.Done():
			case <-time.After(time.Minute):
				t.Fatal("it was not given up")
			}
			if err := starter.Err(); !strings.Contains(err.Error(), "did not answer for 2s and was ended") {
				t.Errorf("the reason: %v", err)
			}
			if child && !strings.Contains(c.Exit().Reason, "did not answer") {
				t.Errorf("the child's end: %s", c.Exit())
			}
			if _, _, err := startBy(t, starter, time.Second); err == nil || !strings.Contains(err.Error(), "restart the studio") {
				t.Errorf("another start: %v", err)
			}
		})
	}
}

// holdExec lets nobody execute the program while held is set (fanotify(7), FAN_OPEN_EXEC_PERM): the kernel keeps whoever tries in
// execve, as a file system does that does not answer.
type holdExec struct {
	fd   int
	held chan bool // of capacity one
}

func newHoldExec(t *testing.T, program string) *holdExec {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	if err == nil {
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, program)
	}
	if err != nil {
		t.Skipf("no execve can be held up here: %v", err)
	}
	h := &holdExec{fd: fd, held: make(chan bool, 1)}
	h.held <- false
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var waiting [][]byte
		buf := make([]byte, 4096)
		for {
			n, _ := unix.Read(fd, buf)                                                      // none is there: EAGAIN
			for b := buf[:max(n, 0)]; len(b) >= 24; b = b[binary.NativeEndian.Uint32(b):] { // fanotify_event_metadata: event_len … fd at 16
				answer := make([]byte, 8)
				copy(answer, b[16:20])
				binary.NativeEndian.PutUint32(answer[4:], unix.FAN_ALLOW)
				waiting = append(waiting, answer)
			}
			held := <-h.held
			h.held <- held
			for _, answer := range waiting {
				if !held {
					_, _ = unix.Write(fd, answer)
					_ = unix.Close(int(binary.NativeEndian.Uint32(answer)))
				}
			}
			if !held {
				waiting = nil
			}
			select {
			case <-over:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { h.set(false); close(over); <-ended; unix.Close(fd) })
	return h
}

func (h *holdExec) set(held bool) { <-h.held; h.held <- held }

// One order that hangs in the kernel takes nothing with it: not the children, not the right to end them, not the studio; and when the
// kernel goes on, the child nobody waits for any more is ended.
func TestHungOrder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may hold up an execve")
	}
	exe := filepath.Join(openDir(t), "studio")
	b, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(exe, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	h := newHoldExec(t, exe)
	starter := quickStarter(t, exe)
	first, _, err := startBy(t, starter, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	second, l, err := startBy(t, starter, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	h.set(true)
	mustBeLate(t, starter)
	first.Kill("over")
	select {
	case <-first.Done():
	case <-time.After(time.Minute):
		t.Error("a child cannot be ended while an order hangs")
	}
	mustServe(t, l)
	second.Kill("over")
	second.Exit()
	time.Sleep(2 * starter.silence) // there is no child now, but it answers
	select {
	case <-starter.Done():
		t.Fatalf("the starter was ended for one order: %v", starter.Err())
	default:
	}
	h.set(false)
	if _, _, err := startBy(t, starter, time.Minute); err != nil {
		t.Errorf("when the kernel goes on: %v", err)
	}
	onlyChildren(t, starter, 1)
}

// Datagrams that are none of ours, cut off, or of another version do not end the starter, and none of their descriptors stays in it.
func TestGarbageToTheStarter(t *testing.T) {
	starter := quickStarter(t, "")
	_, l, err := startBy(t, starter, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	open := func() int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", starter.PID()))
		if err != nil {
			t.Skipf("the descriptors of the starter cannot be counted: %v", err)
		}
		return len(entries)
	}
	before := open()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	fds := unix.UnixRights(int(null.Fd()), int(null.Fd()))
	for _, b := range []string{
		"nonsense", "{", `{"type":7}`, `{"type":"order"}`, `{"type":"order","order":null,"id":1}`, `{"type":"kill","id":99}`, `{"type":"config","config":{"args":["x"]}}`,
		`{"type":"sockets","sockets":["/etc/passwd",""]}`, `{"type":"sockets","sockets":["/nonexistent"]}`, `{"type":"born","id":1}`, `"` + strings.Repeat("x", maxStarterMessage) + `"`,
	} {
		if _, _, err := starter.conn.WriteMsgUnix([]byte(b), fds, nil); err != nil {
			t.Fatalf("%.20s: %v", b, err)
		}
	}
	if _, _, err := startBy(t, starter, time.Minute); err != nil {
		t.Errorf("after the garbage: %v", err)
	}
	mustServe(t, l)
	for end := time.Now().Add(time.Minute); open() > before+2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if after := open(); after > before+2 { // the second child's: its pidfd, and what the runtime keeps
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// Garbage from the starter reaches nobody, and an order it did not answer ends at its deadline.
func TestGarbageFromTheStarter(t *testing.T) {
	conn, file, err := starterPair()
	if err != nil {
		t.Fatal(err)
	}
	other, err := unixConn(file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s := &Starter{process: self, conn: conn, silence: time.Hour, wake: make(chan struct{}, 1), done: make(chan struct{}), orders: map[uint64]*starterChild{}}
	heard := make(chan struct{})
	go func() { // receive without its end, which would kill the process
		defer close(heard)
		buf := make([]byte, maxStarterMessage)
		for {
			n, err := conn.Read(buf)
			if err != nil || n == 0 {
				return
			}
			s.take(buf[:n])
		}
	}()
	answered := make(chan error, 1)
	go func() {
		null, err := os.Open(os.DevNull)
		if err != nil {
			answered <- err
			return
		}
		_, err = s.launch(order{}, []*os.File{null}, func(birth, func()) { t.Error("born") })
		answered <- err
	}()
	buf := make([]byte, maxStarterMessage)
	if _, _, _, _, err := other.ReadMsgUnix(buf, make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"nonsense", "{}", `{"type":"born","id":77,"born":{"pid":1}}`, `{"type":"here"}`, `{"type":"ended","id":1}`} {
		if _, err := other.Write([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-answered:
		if err == nil || !strings.Contains(err.Error(), `the starter answered "ended"`) {
			t.Errorf("got %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("no answer")
	}
	if err := errors.Join(other.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	<-heard
	conn.Close()
}
