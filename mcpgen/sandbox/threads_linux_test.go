package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A child that spins in many threads comes after the studio from then on, in each of them and in those it starts later. One that
// does not keeps its priority, with or without a starter.
func TestCalm(t *testing.T) {
	needThreads(t)
	by := map[string]func(*Options){"directly": nil, "by a starter": func(o *Options) { o.Starter = newTestStarter(t) }}
	if !mayCalm() {
		c, _ := startTest(t, nil, Policy{})
		if nice := niceOf(t, c.PID()); len(nice) != 1 || nice[calmNice] == 0 {
			t.Errorf("without CAP_SYS_NICE: threads by nice value: %v", nice)
		}
		return
	}
	if spinning <= calmThreads+calmThreadsEach*runtime.NumCPU() {
		t.Skipf("on %d processors %d threads keep nobody from his turn", runtime.NumCPU(), spinning)
	}
	for name, start := range by {
		t.Run(name, func(t *testing.T) {
			c, l := startTest(t, start, Policy{})
			if nice := niceOf(t, c.PID()); nice[0] == 0 || len(nice) != 1 {
				t.Fatalf("a child that behaves: threads by nice value: %v", nice)
			}
			if text, err := l.do(job{Name: "spin"}); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			var nice map[int]int
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				if nice = niceOf(t, c.PID()); len(nice) == 1 && nice[calmNice] > spinning {
					break
				}
			}
			if len(nice) != 1 || nice[calmNice] == 0 {
				t.Errorf("a child that spins: threads by nice value: %v", nice)
			}
			c.Kill("enough")
			if e := c.Exit(); e.Reason != "enough" {
				t.Errorf("exit %+v", e)
			}
		})
	}
}

// niceOf counts the threads of a process by their nice value.
func niceOf(t *testing.T, pid int) map[int]int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]int{}
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(task.Name(), &tid); err != nil {
			t.Fatal(err)
		}
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid) // the system call gives 20 less the value (getpriority(2))
		if errors.Is(err, unix.ESRCH) {
			continue // it ended since
		}
		if err != nil {
			t.Fatal(err)
		}
		found[20-raw]++
	}
	return found
}

// spinning is how many threads a child can have besides those the runtime needs (maxThreads).
const spinning = 80

// spin keeps them busy in the kernel: of those that spin in Go, the runtime lets only as many run as there are processors.
func spin(_ job, emit func(int, string)) {
	buf := make([]byte, 32<<20)
	for range spinning {
		go func() {
			for {
				_, _, _ = unix.Syscall(unix.SYS_GETRANDOM, uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0)
			}
		}()
	}
	emit(0, "spinning")
	select {}
}

// threads takes as many threads as the job says, which wait. No runtime's limit keeps foreign code from that.
func threads(j job) (string, error) {
	debug.SetMaxThreads(1 << 20)
	for range j.From {
		go func() {
			runtime.LockOSThread()
			minute := unix.NsecToTimespec(int64(time.Minute))
			_ = unix.Nanosleep(&minute, nil)
		}()
	}
	time.Sleep(time.Minute)
	return "nobody minds", nil
}

// crowdMain is a studio that may have 260 threads together with its child, which has no user of its own and takes all it can get.
func crowdMain() {
	text, err := crowd()
	if err != nil {
		text = "error: " + err.Error()
	}
	fmt.Println(text)
}

func crowd() (string, error) {
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 260, Max: 260}); err != nil {
		return "", err
	}
	if err := refuse(refusals()["namespaces"]...); err != nil {
		return "", err
	}
	o, l, err := testOptions(Policy{})
	if err != nil {
		return "", err
	}
	defer l.conn.Close()
	if o.Starter, err = NewStarter(testStarter()); err != nil {
		return "", err
	}
	defer o.Starter.Close()
	c, err := Start(context.Background(), o)
	if err != nil {
		return "", err
	}
	defer c.Kill("over")
	if n := c.Verified().Rlimits["nproc"]; n != 260-reservedProcesses {
		return "", fmt.Errorf("the kernel lets the child have %d of 260", n)
	}
	if text, err := l.do(job{Name: "threads", From: 300}); err == nil {
		return "the child: " + text, nil
	}
	exit := c.Exit()
	done := make(chan struct{})
	for range 20 { // what a studio needs under load
		go func() { runtime.LockOSThread(); time.Sleep(50 * time.Millisecond); done <- struct{}{} }()
	}
	for range 20 {
		<-done
	}
	return exit.String(), nil
}

// A child that is of the studio's own user, as in a container, cannot take the threads that the studio needs. // case 237
func TestThreadsOfTheSameUser(t *testing.T) {
	needThreads(t)
	if os.Getuid() != 0 {
		t.Skip("as root only: an ordinary user's processes outside of the test count too")
	}
	out, err := asUser(t.Context(), "sandbox-crowd").CombinedOutput()
	// Killed by whoever counts, or ended by its own runtime at the limit, whichever is first.
	if got := string(out); err != nil || !strings.Contains(got, "thread watchdog: ") && !strings.HasSuffix(got, "exit code 2\n") {
		t.Errorf("%v\n%.2000s", err, got)
	}
}

// Above the limit a child is killed whose threads nothing else counts, and only such a one.
func TestTooManyThreads(t *testing.T) {
	release := make(chan struct{})
	var all, up sync.WaitGroup
	for range maxProcesses {
		up.Add(1)
		all.Go(func() {
			runtime.LockOSThread()
			up.Done()
			<-release
		})
	}
	up.Wait()
	for name, b := range map[string]birth{"same user": {}, "own uid": {OwnUID: true}, "user namespace": {Namespaces: []string{"user"}}} {
		b.PID = os.Getpid()
		killed := false
		w := newThreadWatch(b, runtime.NumCPU(), true, func() { killed = true })
		reason := w.look()
		if want := name == "same user"; killed != want || strings.Contains(reason, "and 128 are allowed") != want {
			t.Errorf("%s: killed %v, %q", name, killed, reason)
		}
	}
	close(release)
	all.Wait()
	w := newThreadWatch(birth{PID: childOf(t)}, 1, true, func() { t.Error("killed") })
	if reason := w.look(); reason != "" {
		t.Error(reason)
	}
}

// childOf is the number of a process with few threads.
func childOf(t *testing.T) int {
	t.Helper()
	c, _ := startTest(t, nil, Policy{})
	return c.PID()
}
