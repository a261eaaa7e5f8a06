package sandbox

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxFiles   = 512
	maxShmFile = 64 << 20 // growth of a wal-index; it takes 32 KiB for 4,096 pages of the log
)

// setRlimits bounds what the kernel counts per process. RLIMIT_AS and RLIMIT_CPU are left alone: a Go program reserves
// address space by the hundred gigabytes, and a server's CPU time only grows.
func setRlimits(r *Report, p Policy) {
	type limit struct {
		name     string
		resource int
		value    uint64
	}
	limits := []limit{
		{"core", unix.RLIMIT_CORE, 0},
		{"nofile", unix.RLIMIT_NOFILE, maxFiles},
		{"memlock", unix.RLIMIT_MEMLOCK, 0},
		{"msgqueue", unix.RLIMIT_MSGQUEUE, 0},
		// A second bound behind the watchdog, for what is mapped faster than it looks. It counts reservations too,
		// hence the room above the limit.
		{"data", unix.RLIMIT_DATA, p.memoryLimit() + p.memoryLimit()/4 + 96<<20},
	}
	size := limit{"fsize", unix.RLIMIT_FSIZE, 0}
	if p.FS == FSROShm {
		size.value = maxShmFile
	}
	limits = append(limits, size)
	if p.OwnUID || p.userNS() { // else it would count the studio and everything of its user
		limits = append(limits, limit{"nproc", unix.RLIMIT_NPROC, maxProcesses})
	}
	var set, failed []string
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			failed = append(failed, l.name+": "+err.Error())
			continue
		}
		set = append(set, fmt.Sprintf("%s %d", l.name, l.value))
	}
	if len(failed) > 0 {
		r.add(LayerRlimits, StatePartial, strings.Join(append(failed, set...), ", "))
		return
	}
	r.add(LayerRlimits, StateEnforced, strings.Join(set, ", "))
}
