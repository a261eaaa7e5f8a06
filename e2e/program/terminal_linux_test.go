package program_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTerminal starts the program from a terminal. Its interrupt must not reach starter and children, and none of them may have it; but
// all are in the program's session, or the kernel schedules them as strangers, and none comes after the others while it behaves.
func TestTerminal(t *testing.T) {
	hand, line := pseudoTerminal(t)
	h := newHunt(t, 251)
	h.under = []string{"sh", "-c", `exec setsid --ctty "$@" <"$LINE"`, "sh"}
	code := h.start("LINE=" + line)
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	h.call(201, "POST", "/api/v1/sample", fields{"deploy": false})
	h.live()

	pid := h.cmd.Process.Pid
	own := terminalOf(t, pid)
	if own.terminal == "0" || own.session != fmt.Sprint(pid) {
		t.Fatalf("the studio has no terminal: this test proves nothing (%+v)", own)
	}
	all := descendants(t, pid)
	if len(all) < 2 {
		t.Fatalf("starter and child expected, found %v", all)
	}
	for _, p := range all {
		want := seat{group: fmt.Sprint(p), session: own.session, terminal: "0", nice: "0"}
		if got := terminalOf(t, p); got != want {
			t.Errorf("process %d: %+v, want %+v", p, got, want)
		}
	}

	if _, err := hand.Write([]byte{3}); err != nil { // ^C
		t.Fatal(err)
	}
	if err := h.cmd.Wait(); err != nil {
		t.Errorf("an interrupt is an orderly end: %v", err)
	}
	h.cmd = nil
	log, err := os.ReadFile(h.log)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(log, []byte("the process that starts children ended")) || !bytes.Contains(log, []byte("the studio ends")) {
		t.Errorf("not an orderly end:\n%s", log)
	}
}

// TestInterruptedCommand: a command that waits for a person ends with the first interrupt, says so, is no success, and leaves the terminal as
// it was: what is typed shows again.
func TestInterruptedCommand(t *testing.T) {
	h := newHunt(t, 253)
	code := h.start()
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	h.stop()
	hand, line := pseudoTerminal(t)
	shows := func() bool {
		t.Helper()
		s, err := unix.IoctlGetTermios(int(hand.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return s.Lflag&unix.ECHO != 0
	}
	h.under = []string{"sh", "-c", `exec setsid --ctty "$@" <"$LINE"`, "sh"}
	for _, x := range []struct {
		args []string
		hide bool
	}{
		{[]string{"reset-password"}, true},
		{[]string{"reset-password", "--stdin"}, false},
	} {
		cmd := h.studio(t.Context(), []string{"LINE=" + line}, x.args...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		dead := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		for deadline := time.Now().Add(time.Minute); !waitsToRead(t, cmd.Process.Pid) || shows() == x.hide; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%v does not ask: %s", x.args, said.String())
			}
		}
		if _, err := hand.Write([]byte{3}); err != nil { // ^C
			t.Fatal(err)
		}
		err := cmd.Wait()
		if !dead.Stop() || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "studio: interrupted before it was done") {
			t.Errorf("%v: %v: %s", x.args, err, said.String())
		}
		if !shows() {
			t.Errorf("%v: the terminal does not show what is typed any more", x.args)
		}
	}
}

// TestLogWithoutReader is case 287: the studio goes on when whoever read its log has left.
func TestLogWithoutReader(t *testing.T) {
	h := newHunt(t, 287)
	pipe := filepath.Join(h.dir, "log")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.under = []string{"sh", "-c", `exec "$@" 2>"$PIPE"`, "sh"}
	code := h.start("PIPE=" + pipe)
	if n, err := reader.Read(make([]byte, 64<<10)); n == 0 {
		t.Fatalf("nothing was logged: this test proves nothing (%v)", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	h.call(201, "POST", "/api/v1/sample", fields{"deploy": false})
	h.live()
	h.stop() // in order
}

// waitsToRead reports whether a thread of a process is in read(0, …) (proc_pid_syscall(5)): it waits for a person.
func waitsToRead(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range threads {
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrPermission) {
			t.Skip("what another process waits for is not shown here: ", err)
		}
		if f := strings.Fields(string(b)); len(f) > 1 && f[0] == strconv.Itoa(unix.SYS_READ) && f[1] == "0x0" {
			return true
		}
	}
	return false
}

// pseudoTerminal makes a terminal: the hand that types on it, and the name of its line.
func pseudoTerminal(t *testing.T) (hand *os.File, line string) {
	t.Helper()
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { _ = hand.Close() })
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return hand, fmt.Sprintf("/dev/pts/%d", n)
}

// seat is where a process sits (proc_pid_stat(5)).
type seat struct{ group, session, terminal, nice string }

func terminalOf(t *testing.T, pid int) seat {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 17 {
		t.Fatalf("stat of %d: %s", pid, stat)
	}
	return seat{group: f[2], session: f[3], terminal: f[4], nice: f[16]}
}

// TestTimers is the other half of CoarseTimers: what runs has the slack, in each thread, children too.
func TestTimers(t *testing.T) {
	h, _, _ := crowd(t, 252)
	h.live()
	threads := 0
	for _, pid := range append(descendants(t, h.cmd.Process.Pid), h.cmd.Process.Pid) {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil && pid == h.cmd.Process.Pid {
			t.Fatal(err)
		}
		for _, task := range tasks {
			// Not under task/: proc_pid_timerslack_ns(5) has it for each thread as if it were a process.
			got, err := os.ReadFile(fmt.Sprintf("/proc/%s/timerslack_ns", task.Name()))
			switch {
			case errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH): // a thread that has ended since
			case errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPERM):
				t.Skip("another process's slack is for those with CAP_SYS_NICE to see")
			case err != nil:
				t.Fatal(err)
			case string(bytes.TrimSpace(got)) != "1000000":
				t.Errorf("thread %s of process %d: %s ns", task.Name(), pid, bytes.TrimSpace(got))
			default:
				threads++
			}
		}
	}
	if threads < 6 { // of the studio, its starter and its child
		t.Errorf("only %d threads were looked at", threads)
	}
	if environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", h.cmd.Process.Pid)); err != nil || !bytes.Contains(environ, []byte("_STUDIO_EXECUTED=1")) {
		t.Errorf("it was not executed once more: %v", err)
	}
}
