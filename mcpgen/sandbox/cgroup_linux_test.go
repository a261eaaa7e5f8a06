package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The values that are written, and what becomes of a file that is not there. The files are laid out as the kernel does; that the
// kernel understands them is what TestCgroupForReal shows, on a machine that has a cgroup v2 with the memory controller.
func TestFillGroup(t *testing.T) {
	p := Policy{MemoryLimit: 64 << 20, CPUs: 2}
	all := []string{"memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max", "cgroup.procs"}
	for name, c := range map[string]struct {
		without []string
		policy  Policy
		missing []string
		fails   string
	}{
		"everything":        {nil, p, nil, ""},
		"no limit of CPUs":  {[]string{"cpu.max"}, Policy{MemoryLimit: 64 << 20}, nil, ""},
		"no swap in kernel": {[]string{"memory.swap.max"}, p, []string{"memory.swap.max"}, ""},
		"memory alone":      {[]string{"pids.max", "cpu.max"}, p, []string{"pids.max", "cpu.max"}, ""},
		"no memory":         {[]string{"memory.max"}, p, nil, "memory.max"},
		"cannot move":       {[]string{"cgroup.procs"}, p, nil, "move the child"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range all {
				if !slices.Contains(c.without, f) {
					if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			set, missing, err := fillGroup(dir, 4711, c.policy)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || !slices.Equal(missing, c.missing) || len(set)+len(missing) == 0 {
				t.Fatalf("set %v, missing %v, %v", set, missing, err)
			}
			want := map[string]string{"memory.max": "67108864", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "128", "cpu.max": "200000 100000"}
			for _, f := range set {
				if b, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(b) != want[f] {
					t.Errorf("%s holds %q %v", f, b, err)
				}
			}
			if b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs")); err != nil || string(b) != "4711" {
				t.Errorf("cgroup.procs holds %q %v", b, err)
			}
		})
	}
}

func TestOOMKilled(t *testing.T) {
	dir := t.TempDir()
	if oomKilled(dir) {
		t.Error("killed without a file that says so")
	}
	for text, want := range map[string]bool{"low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\n": true, "max 12\noom 0\noom_kill 0\n": false, "oom_kill\n": false, "oom 1\n": false} {
		if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := oomKilled(dir); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// What an earlier studio left is removed at the start, before there are children, and nothing else is.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a")
	for _, d := range []string{"mcp-child-1", "mcp-child-22", "mcp-child-full/inside", "other", "studio"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for f, text := range map[string]string{"cgroup.controllers": "", "a/cgroup.controllers": "memory", "a/cgroup.subtree_control": "memory", "self": "0::/a/studio\n"} {
		if err := os.WriteFile(filepath.Join(root, f), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cgroupHost{mounts: []string{root}, self: filepath.Join(root, "self"), studio: []int{os.Getpid()}}.prepare()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		if e.IsDir() {
			left = append(left, e.Name())
		}
	}
	if !slices.Equal(left, []string{"mcp-child-full", "other", "studio"}) {
		t.Errorf("left %v", left)
	}
}

// cgroupMount is a mounted cgroup v2 whose root hands the memory controller down; "" and the reason when there is none.
func cgroupMount() (mount, why string) {
	for _, m := range systemCgroups().mounts {
		have, err := os.ReadFile(filepath.Join(m, "cgroup.controllers"))
		if err != nil {
			why = "no cgroup v2 is mounted"
			continue
		}
		if !slices.Contains(strings.Fields(string(have)), "memory") {
			why = "the memory controller is not on cgroup v2 (it has " + strings.TrimSpace(string(have)) + ")"
			continue
		}
		return m, ""
	}
	return "", why
}

// inGroupReport is what inGroupMain says.
type inGroupReport struct {
	Status Status
	Group  string            // of the child, while it lived
	Files  map[string]string // of that group
	Grew   Exit              // of a child that took more than it may
	Left   []string          // groups that are left in the end
	Error  string
}

// inGroupMain is a studio in a group that was handed to it.
func inGroupMain() {
	var r inGroupReport
	if err := r.run(); err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

func (r *inGroupReport) run() error {
	own, err := systemCgroups().own()
	if err != nil {
		return err
	}
	stale := filepath.Join(own, cgroupPrefix+"999999")
	if err := os.Mkdir(stale, 0o755); err != nil {
		return err
	}
	starter, err := NewStarter(testStarter())
	if err != nil {
		return err
	}
	defer starter.Close()
	start := func(p Policy, then func(*Process, *link) error) error {
		o, l, err := testOptions(p)
		if err != nil {
			return err
		}
		defer l.conn.Close()
		o.Starter = starter
		c, err := Start(context.Background(), o)
		if err != nil {
			return err
		}
		defer c.Exit()
		defer c.Kill("over")
		return then(c, l)
	}
	if err := start(Policy{MemoryLimit: 64 << 20, CPUs: 1}, func(c *Process, _ *link) error {
		r.Status = c.Status()
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.PID()))
		r.Group = strings.TrimSpace(string(b))
		r.Files = map[string]string{}
		for _, f := range []string{"memory.max", "memory.oom.group", "pids.max", "cpu.max", "cgroup.procs"} {
			b, err := os.ReadFile(filepath.Join(own, fmt.Sprint(cgroupPrefix, c.PID()), f))
			r.Files[f] = strings.TrimSpace(string(b)) + errText(err)
		}
		return err
	}); err != nil {
		return err
	}
	// The watchdog looks every 100 ms: a child that takes memory faster is the kernel's business.
	if err := start(Policy{MemoryLimit: 64 << 20}, func(c *Process, l *link) error {
		_, _ = l.do(job{Name: "grab"})
		select {
		case <-c.Done():
			r.Grew = c.Exit()
			return nil
		case <-time.After(time.Minute):
			return errors.New("a child took more memory than it may and lives")
		}
	}); err != nil {
		return err
	}
	r.Left, err = filepath.Glob(filepath.Join(own, cgroupPrefix+"*"))
	return err
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The whole of it against the kernel: a group as systemd hands it over, the studio's processes in a leaf, one group for each child
// with its limits, the kernel's own kill, and nothing left.
func TestCgroupForReal(t *testing.T) {
	needThreads(t)
	mount, why := cgroupMount()
	if os.Getuid() != 0 {
		why = "only root can make a group to hand over"
	}
	if why != "" {
		t.Skip("cgroup v2 is not tried against this kernel: " + why)
	}
	_ = os.WriteFile(filepath.Join(mount, "cgroup.subtree_control"), []byte("+memory +pids +cpu"), 0) // as systemd does; what is on stays on
	group := filepath.Join(mount, fmt.Sprintf("sandbox-test-%d", os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = unix.Rmdir(filepath.Join(group, cgroupLeaf)), unix.Rmdir(group)
		if _, err := os.Stat(group); err == nil {
			t.Errorf("%s is left", group)
		}
	})
	if err := unix.Setxattr(group, "trusted.delegate", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	dir, err := unix.Open(group, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "sandbox-in-group")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: dir}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var r inGroupReport
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil || r.Error != "" {
		t.Fatalf("%v %s: %s", err, r.Error, out)
	}
	i := slices.IndexFunc(r.Status.Layers, func(l Layer) bool { return l.Name == LayerCgroup })
	if l := r.Status.Layers[i]; l.State == StateUnavailable {
		t.Fatalf("%+v", l)
	}
	if !strings.Contains(r.Group, cgroupPrefix) {
		t.Errorf("the child is in %q", r.Group)
	}
	if f := r.Files; f["memory.max"] != "67108864" || f["memory.oom.group"] != "1" || f["pids.max"] != "128" || f["cpu.max"] != "100000 100000" || f["cgroup.procs"] == "" {
		t.Errorf("limits %v", f)
	}
	if by := r.Status.Limits; by.MemoryBytes.EnforcedBy[0] != ByCgroup || by.CPUs.EnforcedBy[0] != ByCgroup || by.Processes.EnforcedBy[0] != ByCgroup {
		t.Errorf("limits %+v", by)
	}
	if !r.Grew.Memory || r.Grew.Signal != "SIGKILL" {
		t.Errorf("a child that took too much: %+v", r.Grew)
	}
	if len(r.Left) != 0 {
		t.Errorf("left: %v", r.Left)
	}
}
