package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat: USER_HZ is 100 on every Linux (proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// stat is what bench reads of /proc/PID/stat.
type stat struct {
	name   string
	parent int
	own    time.Duration // user and system time of the process
	waited time.Duration // of its children that have ended
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// parseStat reads the line; the name in parentheses may hold anything.
func parseStat(b []byte) (stat, error) {
	open, shut := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || shut < open {
		return stat{}, fmt.Errorf("%.40q is no stat", b)
	}
	f := strings.Fields(string(b[shut+1:])) // from field 3 on
	if len(f) < 15 {
		return stat{}, fmt.Errorf("%.40q is no stat", b)
	}
	var n [5]int64
	for i, field := range [...]int{4, 14, 15, 16, 17} {
		var err error
		if n[i], err = strconv.ParseInt(f[field-3], 10, 64); err != nil {
			return stat{}, fmt.Errorf("field %d of stat: %w", field, err)
		}
	}
	return stat{name: string(b[open+1 : shut]), parent: int(n[0]), own: time.Duration(n[1]+n[2]) * tick, waited: time.Duration(n[3]+n[4]) * tick}, nil
}

// cpuOf is the CPU time of each process; one that is gone has none.
func cpuOf(pids []int) []time.Duration {
	out := make([]time.Duration, len(pids))
	for i, pid := range pids {
		s, _ := readStat(pid)
		out[i] = s.own
	}
	return out
}

// children are the processes whose parent is pid.
func children(pid int) []int {
	var out []int
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		if s, err := parseStat(b); err == nil && s.parent == pid {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				out = append(out, child)
			}
		}
	}
	slices.Sort(out)
	return out
}

// childrenOf is children by the kernel's own list, quick enough to watch a process start (CONFIG_PROC_CHILDREN).
func childrenOf(pid int) []int {
	var out []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, path := range tasks {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(b)) {
			if child, err := strconv.Atoi(word); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}

// memory is the resident memory of a process, in bytes.
func memory(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")))
			return kib << 10
		}
	}
	return 0
}

// machine says where a run took place.
func machine() string {
	model, memory, kernel := "an unknown processor", "", ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		n := 0
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				n++
			}
		}
		model = fmt.Sprintf("%d × %s", n, model)
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if f := strings.Fields(string(b)); len(f) > 1 {
			kib, _ := strconv.Atoi(f[1])
			memory = fmt.Sprintf(", %d GiB", (kib+(1<<19))>>20)
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = ", Linux " + strings.TrimSpace(string(b))
	}
	return model + memory + kernel + busy()
}

// busy says what else the machine does: a run beside other work shows in every figure.
func busy() string {
	b, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(b)); err == nil && len(f) > 0 {
		return ", load average before the run " + f[0]
	}
	return ""
}
