package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	cgroupLeaf   = "studio"     // where the parent moves itself: a group with controllers for children holds no process
	cgroupPrefix = "mcp-child-" // a child's group, followed by its process id
)

// cgroupHost is where the cgroup of this process is to be found; the paths are the system's except in tests.
type cgroupHost struct {
	mounts  []string // candidates for the mount point of cgroup v2
	self    string   // /proc/self/cgroup
	rootUID bool     // the process is root, for which being able to write says nothing about delegation
	studio  []int    // the processes of the studio, which may be in the group: this one, and the parent of a Starter
}

// systemCgroups is this machine's; with are further processes of the studio.
func systemCgroups(with ...int) cgroupHost {
	return cgroupHost{mounts: []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}, self: "/proc/self/cgroup", rootUID: os.Geteuid() == 0,
		studio: append([]int{os.Getpid()}, with...)}
}

// prepare makes the group ready and removes what an earlier studio left in it. It is for the start, before there is a
// child: a group that is just being filled looks like one that was left behind. Without a group there is nothing to do,
// and confine says why.
func (h cgroupHost) prepare() {
	if base, err := h.base(); err == nil {
		sweepCgroups(base)
	}
}

// base finds the cgroup v2 directory that was handed to the studio and makes it ready to hold groups of children. Its
// error says why there is none. It changes nothing unless the group is delegated and holds this process alone.
func (h cgroupHost) base() (string, error) {
	dir, err := h.own()
	if err != nil {
		return "", err
	}
	if filepath.Base(dir) == cgroupLeaf {
		dir = filepath.Dir(dir)
	}
	controllers, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return "", fmt.Errorf("read controllers: %w", err)
	}
	if !slices.Contains(strings.Fields(string(controllers)), "memory") {
		return "", errors.New("the memory controller is not handed down to the studio")
	}
	if h.rootUID && !delegated(dir) {
		return "", errors.New("the group is not delegated to the studio (systemd: Delegate=yes)")
	}
	enabled, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
	if err != nil {
		return "", fmt.Errorf("read subtree control: %w", err)
	}
	if slices.Contains(strings.Fields(string(enabled)), "memory") {
		return dir, nil
	}
	return dir, h.enter(dir, strings.Fields(string(controllers)))
}

// own is the directory of the cgroup this process is in.
func (h cgroupHost) own() (string, error) {
	mount := ""
	for _, m := range h.mounts {
		if _, err := os.Stat(filepath.Join(m, "cgroup.controllers")); err == nil {
			mount = m
			break
		}
	}
	if mount == "" {
		return "", errors.New("no cgroup v2")
	}
	text, err := os.ReadFile(h.self)
	if err != nil {
		return "", fmt.Errorf("read own cgroup: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return filepath.Join(mount, path), nil
		}
	}
	return "", errors.New("no cgroup v2 membership")
}

// delegated reports whether systemd marked the group as handed over (https://systemd.io/CGROUP_DELEGATION).
func delegated(dir string) bool {
	value := make([]byte, 8)
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(dir, name, value); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

// enter moves the processes of the studio into a leaf and enables the controllers for groups beside it ("no internal
// processes", cgroups(7)).
func (h cgroupHost) enter(dir string, controllers []string) error {
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return fmt.Errorf("read processes: %w", err)
	}
	inside := strings.Fields(string(procs))
	for _, pid := range inside {
		if n, err := strconv.Atoi(pid); err != nil || !slices.Contains(h.studio, n) {
			return errors.New("other processes share the group")
		}
	}
	leaf := filepath.Join(dir, cgroupLeaf)
	if err := os.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make leaf: %w", err)
	}
	for _, pid := range inside {
		if err := writeControl(leaf, "cgroup.procs", pid); err != nil {
			return fmt.Errorf("move into leaf: %w", err)
		}
	}
	for _, c := range []string{"memory", "pids", "cpu"} {
		if !slices.Contains(controllers, c) {
			continue
		}
		if err := writeControl(dir, "cgroup.subtree_control", "+"+c); err != nil && c == "memory" {
			return fmt.Errorf("enable the memory controller: %w", err)
		}
	}
	return nil
}

// sweepCgroups removes groups of children of a studio that was killed. A group with a process in it cannot be removed.
func sweepCgroups(dir string) {
	stale, err := filepath.Glob(filepath.Join(dir, cgroupPrefix+"*"))
	if err != nil {
		return // the pattern is constant and well formed
	}
	for _, d := range stale {
		_ = unix.Rmdir(d) // EBUSY is one that lives
	}
}

// writeControl writes to a control file that exists: it never makes one, which a file system other than cgroup would
// allow.
func writeControl(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// placement is how a child was put into a group.
type placement struct {
	layer    Layer
	controls []string    // the control files that were written
	oom      func() bool // whether the kernel killed the child for its memory; for when it has ended
	remove   func()      // deletes the group after that
}

// confine puts pid into a group of its own with the limits of p.
func (h cgroupHost) confine(pid int, p Policy) placement {
	unavailable := func(err error) placement {
		return placement{layer: Layer{Name: LayerCgroup, State: StateUnavailable, Detail: err.Error() + "; the watchdog and the resource limits bound memory instead"}, oom: func() bool { return false }, remove: func() {}}
	}
	base, err := h.base()
	if err != nil {
		return unavailable(err)
	}
	dir := filepath.Join(base, cgroupPrefix+strconv.Itoa(pid))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return unavailable(fmt.Errorf("make a group: %w", err)) // EAGAIN is cgroup.max.descendants
	}
	remove := func() {
		for range 20 { // the kernel lets go of an emptied group a moment after the exit
			if err := unix.Rmdir(dir); err == nil || errors.Is(err, unix.ENOENT) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	set, missing, err := fillGroup(dir, pid, p)
	if err != nil {
		remove()
		return unavailable(err)
	}
	layer := Layer{Name: LayerCgroup, State: StateEnforced, Detail: fmt.Sprintf("at most %s of memory, %d processes", sized(p.memoryLimit()), maxProcesses)}
	if p.CPUs > 0 {
		layer.Detail += ", the time of " + counted(p.CPUs, "processor", "processors")
	}
	if len(missing) > 0 {
		layer.State, layer.Detail = StatePartial, layer.Detail+"; without "+strings.Join(missing, ", ")
	}
	return placement{layer: layer, controls: set, oom: func() bool { return oomKilled(dir) }, remove: remove}
}

// fillGroup writes the limits of p into the group at dir, and then moves pid in: the child must not have a moment without
// them. set are the control files that were written, missing those that this kernel does not have or that may not be
// written; only memory.max must be.
func fillGroup(dir string, pid int, p Policy) (set, missing []string, err error) {
	controls := [][2]string{{"memory.max", strconv.FormatUint(p.memoryLimit(), 10)}, {"memory.swap.max", "0"}, {"memory.oom.group", "1"}, {"pids.max", strconv.Itoa(maxProcesses)}}
	if p.CPUs > 0 {
		controls = append(controls, [2]string{"cpu.max", fmt.Sprintf("%d 100000", p.CPUs*100000)})
	}
	for _, c := range controls {
		switch err := writeControl(dir, c[0], c[1]); {
		case err == nil:
			set = append(set, c[0])
		case c[0] == "memory.max":
			return nil, nil, err
		default:
			missing = append(missing, c[0])
		}
	}
	if err := writeControl(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
		return nil, nil, fmt.Errorf("move the child: %w", err)
	}
	return set, missing, nil
}

// oomKilled reads memory.events (https://docs.kernel.org/admin-guide/cgroup-v2.html): oom_kill counts the processes of
// the group that the kernel ended because the group was at its limit.
func oomKilled(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
			return f[1] != "0"
		}
	}
	return false
}
