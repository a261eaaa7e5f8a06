package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// A child is in the studio's scheduling group (see attributes), where the kernel shares the processors by thread: one that was taken
// over and spins in a hundred threads would leave the studio a fiftieth of them. Whoever starts children therefore looks at each, and
// lowers its priority for good when it takes more than half of the processors with more threads than a server has use for. Lower
// from the start would be simpler, but then each call, which the two answer together, costs a tenth more CPU (docs/performance.md).
const (
	// calmNice is the lower priority: each thread of the studio weighs nine of the child's (sched(7)).
	calmNice = 10
	// calmInterval is how often a child is looked at, and for how long it has to spin.
	calmInterval = 100 * time.Millisecond
	// calmThreads and calmThreadsEach, for each processor, are what a child may have without being looked at closer: the Go runtime
	// runs one per processor and keeps some for calls that block. Fewer cannot keep the studio from its turn.
	calmThreads, calmThreadsEach = 8, 4
)

// mayCalm reports whether a child's priority can be lowered later. Of a process of another uid only CAP_SYS_NICE can (setpriority(2)).
func mayCalm() bool {
	if os.Geteuid() != 0 {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	return unix.Capget(&header, &have[0]) == nil && have[0].Effective&(1<<unix.CAP_SYS_NICE) != 0
}

// calm looks at the child until stop closes or it had to lower its priority. The caller keeps the number the child's meanwhile.
func calm(pid int, stop <-chan struct{}) {
	tick := time.NewTicker(calmInterval)
	defer tick.Stop()
	var last effort
	for at := time.Now(); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		now, is := time.Now(), effortOf(pid)
		if is.spins(last, now.Sub(at), runtime.NumCPU()) {
			// Every thread of its process group, which is its own, and what they start.
			_ = unix.Setpriority(unix.PRIO_PGRP, pid, calmNice) // mayCalm was asked; nothing else depends on it
			return
		}
		last, at = is, now
	}
}

// effort is what a process has done so far.
type effort struct {
	cpu     time.Duration // user and system time of all threads
	threads int
}

// spins reports whether the process took more than half of the processors since it was looked at last, with more threads than it
// should need.
func (e effort) spins(last effort, passed time.Duration, processors int) bool {
	return e.threads > calmThreads+calmThreadsEach*processors && e.cpu-last.cpu > passed/2*time.Duration(processors)
}

// effortOf reads it (proc_pid_stat(5)); zero when the process is gone.
func effortOf(pid int) effort {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return effort{}
	}
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 18 {
		return effort{}
	}
	number := func(i int) int {
		n, err := strconv.Atoi(string(f[i]))
		if err != nil {
			return 0
		}
		return n
	}
	const ticks = 100 // USER_HZ, which is the same on every architecture we build for
	return effort{cpu: time.Duration(number(11)+number(12)) * time.Second / ticks, threads: number(17)}
}
