package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestSpins(t *testing.T) {
	for name, c := range map[string]struct {
		e          effort
		last       effort
		passed     time.Duration
		processors int
		want       bool
	}{
		"eighty threads on both processors":     {effort{time.Second, 80}, effort{800 * time.Millisecond, 80}, 100 * time.Millisecond, 2, true},
		"as many as a server has":               {effort{time.Second, 16}, effort{800 * time.Millisecond, 16}, 100 * time.Millisecond, 2, false},
		"one more":                              {effort{time.Second, 17}, effort{800 * time.Millisecond, 16}, 100 * time.Millisecond, 2, true},
		"half of the processors":                {effort{time.Second, 80}, effort{900 * time.Millisecond, 80}, 100 * time.Millisecond, 2, false},
		"many that wait":                        {effort{time.Second, 80}, effort{980 * time.Millisecond, 80}, 100 * time.Millisecond, 2, false},
		"looked at late":                        {effort{time.Second, 80}, effort{800 * time.Millisecond, 80}, 200 * time.Millisecond, 2, false},
		"one processor":                         {effort{time.Second, 80}, effort{940 * time.Millisecond, 80}, 100 * time.Millisecond, 1, true},
		"eighty of what 64 processors would do": {effort{8 * time.Second, 80}, effort{0, 80}, 100 * time.Millisecond, 64, false},
		"gone":                                  {effort{}, effort{time.Second, 80}, 100 * time.Millisecond, 2, false},
	} {
		if got := c.e.spins(c.last, c.passed, c.processors); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

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
				if nice = niceOf(t, c.PID()); len(nice) == 1 && nice[calmNice] > calmThreads {
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
