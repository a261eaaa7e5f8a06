package program_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTerminal starts the program from a terminal. Its interrupt must not reach starter and children, and none of them may have it; but
// all are in the program's session, or the kernel schedules them as strangers, and none comes after the others while it behaves.
func TestTerminal(t *testing.T) {
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals: ", err)
	}
	defer hand.Close()
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	line, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	h := newHunt(t, 251)
	h.under = []string{"sh", "-c", `exec setsid --ctty "$@" <"$LINE"`, "sh"}
	code := h.start(fmt.Sprintf("LINE=/dev/pts/%d", line))
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
