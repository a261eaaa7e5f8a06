package sandbox

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setRlimits bounds what the kernel counts per process. RLIMIT_AS and RLIMIT_CPU are left alone: a Go program reserves
// address space by the hundred gigabytes, and a server's CPU time only grows.
func setRlimits(r *Report, p Policy) {
	type limit struct {
		what     string
		resource int
		value    uint64
		amount   func(uint64) string
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	limits := []limit{
		{"open files", unix.RLIMIT_NOFILE, maxFiles, number},
		{"data memory", unix.RLIMIT_DATA, dataLimit(p), sized},
		{"core file", unix.RLIMIT_CORE, 0, sized},
		{"locked memory", unix.RLIMIT_MEMLOCK, 0, sized},
		{"message queue", unix.RLIMIT_MSGQUEUE, 0, sized},
	}
	size := limit{"file growth", unix.RLIMIT_FSIZE, 0, sized}
	if p.FS == FSROShm {
		size.value = maxShmFile
	}
	limits = append(limits, size)
	if p.OwnUID || p.userNS() { // else it would count the studio and everything of its user
		limits = append(limits, limit{"processes", unix.RLIMIT_NPROC, maxProcesses, number})
	}
	var set, none, failed []string
	for _, l := range limits {
		var have unix.Rlimit
		if err := unix.Getrlimit(l.resource, &have); err == nil {
			l.value = min(l.value, have.Max) // one that is lower already stays: raising it is neither wanted nor allowed
		}
		switch err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); {
		case err != nil:
			failed = append(failed, l.what+" not limited: "+err.Error())
		case l.value == 0:
			none = append(none, l.what)
		default:
			set = append(set, l.what+" "+l.amount(l.value))
		}
	}
	if len(none) > 0 {
		set = append(set, "no "+strings.Join(none, ", no "))
	}
	if len(failed) > 0 {
		r.add(LayerRlimits, StatePartial, strings.Join(append(failed, set...), ", "))
		return
	}
	r.add(LayerRlimits, StateEnforced, strings.Join(set, ", "))
}
