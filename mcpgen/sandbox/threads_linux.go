package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Threads of a child harm the studio in two ways that the kernel's limits leave open, so whoever starts children counts them.
//
// A child is in the studio's scheduling group (see attributes), where the kernel shares the processors by thread: one that was taken over
// and spins in a hundred would leave the studio a fiftieth of them. It is lowered in priority, for good. Lower from the start would be
// simpler, but then each call, which the two answer together, costs a tenth more CPU (docs/performance.md).
//
// And where a child is of the studio's own user, as in a container, it could take every thread that this user may have. A studio that
// gets none tries for 210 ms and ends (runtime/retry.go): such a child is killed before.
const (
	// threadsInterval is how often a child is looked at.
	threadsInterval = 20 * time.Millisecond
	// calmNice is the lower priority: each thread of the studio weighs nine of the child's (sched(7)).
	calmNice = 10
	// calmAfter is how many looks in a row must find that more threads want to run than a server has use for.
	calmAfter = 2
	// calmThreads and calmThreadsEach, for each processor, are what may want to run at once: the Go runtime runs one per processor, and
	// some may come back from calls that blocked. Fewer cannot keep the studio from its turn.
	calmThreads, calmThreadsEach = 8, 4
)

// threadWatch looks after the threads of one child.
type threadWatch struct {
	pid        int
	processors int
	mayCalm    bool   // its priority can be lowered
	bound      bool   // it is killed above maxProcesses: nothing else counts its threads
	kill       func() // SIGKILL
	busy       int    // looks in a row that found it spinning
}

// newThreadWatch is for a child that was just born.
func newThreadWatch(b birth, processors int, mayCalm bool, kill func()) threadWatch {
	// RLIMIT_NPROC counts by user, and by user namespace.
	counted := b.OwnUID || slices.Contains(b.Namespaces, "user")
	return threadWatch{pid: b.PID, processors: processors, mayCalm: mayCalm, bound: !counted, kill: kill}
}

// run looks until stop closes or there is nothing left to look for. It returns why it killed the child, else "". The caller keeps the
// number the child's meanwhile.
func (w *threadWatch) run(stop <-chan struct{}) (reason string) {
	tick := time.NewTicker(threadsInterval)
	defer tick.Stop()
	for w.mayCalm || w.bound {
		select {
		case <-stop:
			return ""
		case <-tick.C:
			if reason := w.look(); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func (w *threadWatch) look() (reason string) {
	threads := threadsOf(w.pid)
	if w.bound && threads > maxProcesses {
		w.kill()
		return fmt.Sprintf("thread watchdog: %d threads, and %d are allowed", threads, maxProcesses)
	}
	if enough := calmThreads + calmThreadsEach*w.processors; !w.mayCalm || threads <= enough || runnable(w.pid) <= enough {
		w.busy = 0
		return ""
	}
	if w.busy++; w.busy == calmAfter {
		// Every thread of its process group, which is its own, and what they start. It was asked before whether that may be.
		_ = unix.Setpriority(unix.PRIO_PGRP, w.pid, calmNice)
		w.mayCalm = false
	}
	return ""
}

// mayCalm reports whether a child's priority can be lowered later. Of a process of another uid only CAP_SYS_NICE can (setpriority(2)).
func mayCalm() bool {
	if os.Geteuid() != 0 {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	return unix.Capget(&header, &have[0]) == nil && have[0].Effective&(1<<unix.CAP_SYS_NICE) != 0
}

// threadsOf counts the threads of a process; 0 when it is gone.
func threadsOf(pid int) int {
	f := statOf(fmt.Sprintf("/proc/%d/stat", pid))
	if len(f) < 18 {
		return 0
	}
	n, err := strconv.Atoi(string(f[17]))
	if err != nil {
		return 0
	}
	return n
}

// runnable counts those of them that run or wait for a processor.
func runnable(pid int) (n int) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, t := range tasks {
		if f := statOf(filepath.Join(dir, t.Name(), "stat")); len(f) > 0 && string(f[0]) == "R" {
			n++
		}
	}
	return n
}

// statOf reads the fields after the name, the third and those that follow (proc_pid_stat(5)).
func statOf(path string) [][]byte {
	stat, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
}
