package sandbox

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// setRlimits bounds what the kernel counts per process. RLIMIT_CPU is left alone: a server's CPU time only grows.
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
		{"addresses", unix.RLIMIT_AS, addressLimit(p), sized},
		{"pending signals", unix.RLIMIT_SIGPENDING, maxSignals, number}, // one is set aside for each timer
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
	} else if n, ok := sharedProcesses(); ok {
		limits = append(limits, limit{"processes of its user", unix.RLIMIT_NPROC, n, number})
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

// sharedProcesses is RLIMIT_NPROC of a child that is of the studio's own user, where that has a limit: somewhat less, so that the child meets
// it while the studio can still have threads.
func sharedProcesses() (uint64, bool) {
	var have unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &have); err != nil || have.Cur == unix.RLIM_INFINITY {
		return 0, false
	}
	return have.Cur - min(reservedProcesses, have.Cur/4), true
}
