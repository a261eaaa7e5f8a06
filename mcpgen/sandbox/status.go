package sandbox

import "slices"

// Limit is one bound on a child and what holds it.
type Limit struct {
	// Value is the bound: bytes, processors, or a number of processes or descriptors.
	Value uint64 `json:"value"`
	// EnforcedBy names the mechanisms in force, the strongest first: cgroup, rlimit, watchdog, gomemlimit, affinity,
	// runtime. Empty means that nothing bounds it.
	EnforcedBy []string `json:"enforced_by"`
}

// Mechanisms of Limit.EnforcedBy.
const (
	ByCgroup   = "cgroup"     // the kernel, for the child as a whole
	ByRlimit   = "rlimit"     // the kernel, per process
	ByWatchdog = "watchdog"   // the parent kills, see watchInterval
	ByGoMemory = "gomemlimit" // the collector works harder before the others strike
	ByAffinity = "affinity"   // the kernel's scheduler
	ByRuntime  = "runtime"    // the Go runtime ends the program (debug.SetMaxThreads) or does not use more
)

// Limits are the bounds of a child.
type Limits struct {
	MemoryBytes Limit `json:"memory_bytes"`
	CPUs        Limit `json:"cpus"` // 0 means all that the parent has
	Processes   Limit `json:"processes"`
	Descriptors Limit `json:"descriptors"`
	FileBytes   Limit `json:"file_bytes"` // size of a file it writes; 0 means that it writes none
}

// Status is everything there is to show about one child. It holds no secret.
type Status struct {
	PID   int   `json:"pid"`
	Level Level `json:"level"`
	// MinimumMet says that the child may start with Options.Enforce.
	MinimumMet bool `json:"minimum_met"`
	// Layers are in the order in which they are put on.
	Layers []Layer `json:"layers"`
	// Verified is what the kernel says, and carries uid, gid and the groups that could not be dropped.
	Verified Verified `json:"verified"`
	// OwnUID is set when the uid is not the studio's.
	OwnUID bool `json:"own_uid"`
	// FS is the file mode, and Dirs and RWFiles what it applies to.
	FS      FSMode   `json:"fs"`
	Dirs    []string `json:"dirs,omitempty"`
	RWFiles []string `json:"rw_files,omitempty"`
	Limits  Limits   `json:"limits"`
	// RSS is the resident memory in bytes at this moment, 0 when the child is gone.
	RSS uint64 `json:"rss_bytes"`
	// EnterMicros is how long the child took to confine itself.
	EnterMicros int64 `json:"enter_micros"`
}

// limitsOf says what bounds a child of policy p: cgroup holds the control files that were written, v what the kernel
// says of its rlimits.
func limitsOf(p Policy, cgroup []string, layers []Layer, v Verified) Limits {
	l := Limits{
		MemoryBytes: Limit{Value: p.memoryLimit()}, CPUs: Limit{Value: uint64(max(p.CPUs, 0))},
		Processes: Limit{Value: maxProcesses}, Descriptors: Limit{Value: maxFiles},
	}
	if p.FS == FSROShm {
		l.FileBytes.Value = maxShmFile
	}
	add := func(to *Limit, by string, holds bool) {
		if holds {
			to.EnforcedBy = append(to.EnforcedBy, by)
		}
	}
	enforced := func(name string) bool {
		return slices.ContainsFunc(layers, func(l Layer) bool { return l.Name == name && l.State == StateEnforced })
	}
	rlimit := func(name string, most uint64) bool {
		have, ok := v.Rlimits[name]
		return ok && have <= most
	}
	confined := len(v.Rlimits) > 0 && enforced(LayerNoNewPrivs) // Enter went through, so it set the limits of its runtime too
	add(&l.MemoryBytes, ByCgroup, slices.Contains(cgroup, "memory.max"))
	add(&l.MemoryBytes, ByRlimit, rlimit("data", dataLimit(p)))
	add(&l.MemoryBytes, ByWatchdog, enforced(LayerWatchdog))
	add(&l.MemoryBytes, ByGoMemory, confined)
	add(&l.CPUs, ByCgroup, p.CPUs > 0 && slices.Contains(cgroup, "cpu.max"))
	add(&l.CPUs, ByAffinity, p.CPUs > 0 && enforced(LayerCPUs))
	add(&l.Processes, ByCgroup, slices.Contains(cgroup, "pids.max"))
	add(&l.Processes, ByRlimit, rlimit("nproc", maxProcesses))
	add(&l.Processes, ByRuntime, confined)
	add(&l.Descriptors, ByRlimit, rlimit("nofile", maxFiles))
	add(&l.FileBytes, ByRlimit, rlimit("fsize", l.FileBytes.Value))
	return l
}
