package sandbox

import (
	"slices"
	"testing"
)

// TestLimitsTold: a bound is said to be held by an rlimit when the kernel's own value is no higher than it.
func TestLimitsTold(t *testing.T) {
	p := Policy{MemoryLimit: 256 << 20, FS: FSROShm}
	told := func(v Verified) map[string]Limit {
		l := limitsOf(p, nil, nil, v)
		return map[string]Limit{"data": l.MemoryBytes, "nproc": l.Processes, "nofile": l.Descriptors, "fsize": l.FileBytes}
	}
	most := map[string]uint64{"data": dataLimit(p), "nproc": maxProcesses, "nofile": maxFiles, "fsize": maxShmFile}
	for name, bound := range most {
		for have, want := range map[uint64]bool{0: true, bound: true, bound + 1: false} {
			if got := slices.Contains(told(Verified{Rlimits: map[string]uint64{name: have}})[name].EnforcedBy, ByRlimit); got != want {
				t.Errorf("%s of %d, the bound is %d: %t, want %t", name, have, bound, got, want)
			}
		}
		if slices.Contains(told(Verified{})[name].EnforcedBy, ByRlimit) {
			t.Errorf("%s: told without a word of the kernel", name)
		}
	}
}
