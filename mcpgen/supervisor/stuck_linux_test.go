package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcpstudio/store"
)

// holdAtExit keeps a process from ending when it is killed, as a disk or a mount does that it waits for in the kernel: a tracer that is
// asked about the exit does not answer (ptrace(2), PTRACE_EVENT_EXIT). free lets it go.
func holdAtExit(t *testing.T, pid int) (free func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "tracer", strconv.Itoa(pid))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	free = sync.OnceFunc(func() { in.Close(); _ = cmd.Wait() })
	t.Cleanup(free)
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil || said != "held\n" {
		free()
		t.Skipf("a child cannot be traced here: %s %v", strings.TrimSpace(said), err)
	}
	return free
}

// tracer is the process that does not answer, until its input ends.
func tracer(pid string) int {
	const seize, traceExit = 0x4206, 0x40
	n, err := strconv.Atoi(pid)
	if err != nil {
		return 2
	}
	runtime.LockOSThread() // the thread is the tracer
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, seize, uintptr(n), 0, traceExit, 0, 0); errno != 0 {
		fmt.Println(errno)
		return 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// TestChildThatDoesNotEnd: a live child that was killed and waits in the kernel holds up neither its calls nor the next one.
func TestChildThatDoesNotEnd(t *testing.T) {
	o := options(shop(t))
	o.AliveEvery, o.AliveTimeout = 50*time.Millisecond, time.Second
	v := newSupervisor(t, o)
	s := snapshot(sqliteConnection("shop.db"), "one")
	slow := store.ToolDraft{ConnectionID: "c-shop", Name: "slow", Description: "slow",
		SQLQuery: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 4000000000) SELECT count(*) AS n FROM n"}.New()
	slow.ID = "t-slow"
	s.Tools = append(s.Tools, slow)
	mustDeploy(t, v, deployment(t, 1, s, nil))
	time.Sleep(settled)
	pid := livePID(t, v)
	free := holdAtExit(t, pid)
	done := make(chan error, 1)
	go func() {
		_, _, err := callTool(t.Context(), v, "slow", "{}")
		done <- err
	}()
	eventually(t, time.Minute, "the call runs", func() bool { return v.cur.Load().child.link.InFlight() == 1 })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "another child is live", func() bool { s := v.State(); return s.PID != 0 && s.PID != pid })
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("the first one has ended: %v", err)
	}
	mustCallAgain(t, v, "which", "{}", "one")
	select {
	case err := <-done:
		if store.CodeOf(err) != store.Unavailable {
			t.Errorf("the running call: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("the running call hangs")
	}
	free()
	eventually(t, time.Minute, "the first one is gone", func() bool { return len(children(t)) == 1 })
	if last := v.State().LastExit; !strings.Contains(last, "does not end") {
		t.Errorf("the last exit: %q", last)
	}
}
