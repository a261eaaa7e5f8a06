package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// verify reads the status of every thread of pid and keeps the weakest value of each field.
func verify(pid int) Verified { return verifyIn("/proc", pid) }

// verifyIn is verify where proc is mounted.
func verifyIn(proc string, pid int) Verified {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil || len(threads) == 0 {
		return Verified{Problem: fmt.Sprintf("no thread of process %d visible in %s", pid, proc)}
	}
	var all Verified
	for _, t := range threads {
		f := filepath.Join(dir, "task", t.Name(), "status")
		b, err := os.ReadFile(f)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread ended; the others count, and none at all is a problem
		}
		var v Verified
		if err == nil {
			v, err = parseStatus(string(b))
		}
		if err != nil { // whatever it is: a thread that was not looked at is not verified
			return Verified{Problem: fmt.Sprintf("%s: %v", f, err)}
		}
		if all.Threads++; all.Threads == 1 {
			v.Threads = 1
			all = v
			continue
		}
		all = weakest(all, v)
	}
	if all.Threads == 0 {
		return Verified{Problem: fmt.Sprintf("status of process %d not readable", pid)}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "limits")); err == nil { // limits belong to the process, not to a thread
		all.Rlimits = parseLimits(string(b))
	}
	return all
}

// parseLimits reads the hard limits of a proc_pid_limits(5) file: name, soft limit, hard limit, unit, in columns set
// apart by two blanks or more. "unlimited" is left out.
func parseLimits(text string) map[string]uint64 {
	names := map[string]string{"Max core file size": "core", "Max data size": "data", "Max file size": "fsize", "Max open files": "nofile",
		"Max processes": "nproc", "Max locked memory": "memlock", "Max address space": "as"}
	limits := map[string]uint64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, "  ")
		f := strings.Fields(rest)
		if names[name] == "" || len(f) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(f[1], 10, 64); err == nil {
			limits[names[name]] = n
		}
	}
	return limits
}

// weakest merges the status of a further thread into a.
func weakest(a, b Verified) Verified {
	a.Seccomp, a.SeccompFilters = min(a.Seccomp, b.Seccomp), min(a.SeccompFilters, b.SeccompFilters)
	a.NoNewPrivs = a.NoNewPrivs && b.NoNewPrivs
	a.CapEffective |= b.CapEffective
	a.CapPermitted |= b.CapPermitted
	a.CapInheritable |= b.CapInheritable
	a.CapAmbient |= b.CapAmbient
	a.CapBounding |= b.CapBounding
	a.UID, a.GID = min(a.UID, b.UID), min(a.GID, b.GID)
	a.Groups = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Groups, b.Groups))))
	return a
}

// parseStatus reads one proc_pid_status(5) file. A missing field is an error, not a zero: a zero could be the good
// value.
func parseStatus(text string) (Verified, error) {
	fields := map[string][]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		fields[key] = strings.Fields(value)
	}
	var v Verified
	var err error
	number := func(key string, base int) uint64 {
		f := fields[key]
		if len(f) == 0 {
			err = fmt.Errorf("no field %s", key)
			return 0
		}
		n, e := strconv.ParseUint(f[0], base, 64)
		if e != nil {
			err = fmt.Errorf("field %s: %w", key, e)
		}
		return n
	}
	// Real, effective, saved, file system: the least of them counts, 0 being the worst.
	ids := func(key string) int {
		least := int(number(key, 10))
		for _, s := range fields[key] {
			n, e := strconv.Atoi(s)
			if e != nil {
				err = fmt.Errorf("field %s: %w", key, e)
				continue
			}
			least = min(least, n)
		}
		return least
	}
	v.UID, v.GID = ids("Uid"), ids("Gid")
	for _, s := range fields["Groups"] {
		if g, e := strconv.Atoi(s); e == nil && g != v.GID {
			v.Groups = append(v.Groups, g)
		}
	}
	v.Seccomp, v.NoNewPrivs = int(number("Seccomp", 10)), number("NoNewPrivs", 10) == 1
	v.CapEffective, v.CapPermitted = number("CapEff", 16), number("CapPrm", 16)
	v.CapInheritable, v.CapAmbient, v.CapBounding = number("CapInh", 16), number("CapAmb", 16), number("CapBnd", 16)
	if f := fields["Seccomp_filters"]; len(f) == 1 { // Linux 5.11
		v.SeccompFilters, _ = strconv.Atoi(f[0])
	}
	return v, err
}

// residentSize is the resident memory of pid in bytes, 0 when it is gone.
func residentSize(pid int) uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
