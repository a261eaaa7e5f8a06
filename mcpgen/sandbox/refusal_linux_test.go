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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// case 231: a child that says it is confined and is not gets nothing, whatever it says.
func TestLiarIsRefused(t *testing.T) {
	for _, enforce := range []bool{true, false} {
		t.Run(fmt.Sprint("enforce ", enforce), func(t *testing.T) {
			o, l, err := testOptions(Policy{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.conn.Close()
			o.Enforce = enforce
			o.Handshake = func(p Policy) (Report, error) {
				if err := l.out.Encode(hello{Policy: p, Naked: true}); err != nil {
					return Report{}, err
				}
				var r Report
				err := l.in.Decode(&r)
				for _, name := range []string{LayerSeccomp, LayerNoNewPrivs, LayerCapabilities, LayerUser, LayerSelfTest, LayerLandlock} {
					r.add(name, StateEnforced, "believe me")
				}
				return r, err
			}
			c, err := Start(t.Context(), o)
			if !enforce {
				if err != nil {
					t.Fatal(err)
				}
				if c.Level() != LevelNone {
					t.Errorf("level %s", c.Level())
				}
				c.Kill("over")
				c.Exit()
				return
			}
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v", err)
			}
			var names []string
			for _, m := range refused.Missing {
				names = append(names, m.Name)
			}
			if !slices.Contains(names, LayerSeccomp) || !slices.Contains(names, LayerNoNewPrivs) {
				t.Errorf("missing %v", names)
			}
			if !strings.Contains(err.Error(), "CONFIG_SECCOMP_FILTER") {
				t.Errorf("no mend in %q", err)
			}
		})
	}
}

// case 240: a child that hangs or dies before its report.
func TestHandshakeThatFails(t *testing.T) {
	before := descriptors(t)
	t.Run("hangs", func(t *testing.T) {
		o, l, err := testOptions(Policy{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.conn.Close()
		var pid int
		var over atomic.Bool
		o.Handshake = func(Policy) (Report, error) { // never sends the policy
			defer over.Store(true)
			var r Report
			err := l.in.Decode(&r)
			return r, err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = Start(ctx, o)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v (pid %d)", err, pid)
		}
		if !over.Load() {
			t.Errorf("it did not wait for its handshake, which it has %v for", handshakeGrace)
		}
	})
	t.Run("dies", func(t *testing.T) {
		o, l, err := testOptions(Policy{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.conn.Close()
		o.Handshake = func(Policy) (Report, error) {
			if _, err := l.conn.Write([]byte("not json\n")); err != nil {
				return Report{}, err
			}
			var r Report
			err := l.in.Decode(&r)
			return r, err
		}
		if _, err = Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "handshake") {
			t.Errorf("got %v", err)
		}
	})
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Descriptors opened without O_CLOEXEC do not reach the child, and children leave none behind in the parent.
func TestDescriptorsDoNotLeak(t *testing.T) {
	needThreads(t)
	fd, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	run := func() {
		o, l, err := testOptions(Policy{})
		if err != nil {
			t.Fatal(err)
		}
		defer l.conn.Close()
		c, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(c.Layers(), func(l Layer) bool { return l.Name == LayerDescriptors }); i < 0 || c.Layers()[i].State != StateEnforced {
			t.Errorf("descriptors: %+v", c.Layers())
		}
		c.Kill("over")
		c.Exit()
	}
	run()
	before := descriptors(t)
	for range 10 {
		run()
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after ten children", before, after)
	}
}

// Trap 11: a program file that only root can execute.
func TestProgramOfRootOnly(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root starts children under another uid")
	}
	exe := filepath.Join(openDir(t), "studio")
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, b, 0o700); err != nil {
		t.Fatal(err)
	}
	o, l, err := testOptions(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	o.Exe = exe
	if _, err = Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "chmod 0755") {
		t.Errorf("got %v", err)
	}
}

func TestSlots(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root starts children under another uid")
	}
	for slot, uid := range map[int]int{0: FirstUID, 3: FirstUID + 3, UIDs + 1: FirstUID + 1} {
		c, _ := startTest(t, func(o *Options) { o.Slot = slot }, Policy{})
		if v := c.Verified(); v.UID != uid || v.GID != GID || len(v.Groups) != 0 {
			t.Errorf("slot %d: %s", slot, v)
		}
	}
}

// doomedMain is a studio that will be killed: it starts a child, says its pid, and waits.
func doomedMain(withStarter bool) {
	o, l, err := testOptions(Policy{})
	if err == nil && withStarter {
		o.Starter, err = NewStarter(testStarter())
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	c, err := Start(context.Background(), o)
	if err == nil {
		err = l.out.Encode(job{Name: "sleep"}) // it will not look whether its pipes are still there
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	time.Sleep(50 * time.Millisecond) // for the child to fall asleep
	fmt.Println(c.PID())
	time.Sleep(time.Minute)
}

// case 239: the child does not outlive its parent, even by kill -9, on every rung.
func TestChildDiesWithParent(t *testing.T) {
	needThreads(t)
	commands := map[string]*exec.Cmd{
		"same user":                   exec.Command("/proc/self/exe", "sandbox-doomed"),
		"ordinary user":               asUser(t.Context(), "sandbox-doomed"),
		"same user, by a starter":     exec.Command("/proc/self/exe", "sandbox-doomed", "starter"),
		"ordinary user, by a starter": asUser(t.Context(), "sandbox-doomed", "starter"),
	}
	for name, cmd := range commands {
		t.Run(name, func(t *testing.T) {
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 200)
			n, err := out.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
			if err != nil {
				t.Fatalf("doomed: %s", b[:n])
			}
			if err := syscall.Kill(pid, 0); err != nil {
				t.Fatalf("child %d: %v", pid, err)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if err := ended(pid, 30*time.Second); err != nil {
				t.Error(err)
			}
		})
	}
}

// Starting many children at once does not push any down the ladder (trap 4: the dumpable attribute is shared).
func TestStartInParallel(t *testing.T) {
	needThreads(t)
	var wg sync.WaitGroup
	levels := make([]Level, 4)
	for i := range levels {
		wg.Go(func() {
			o, l, err := testOptions(Policy{})
			if err != nil {
				t.Error(err)
				return
			}
			defer l.conn.Close()
			c, err := Start(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			levels[i] = c.Level()
			c.Kill("over")
			c.Exit()
		})
	}
	wg.Wait()
	if len(slices.Compact(slices.Clone(levels))) != 1 {
		t.Errorf("levels %v", levels)
	}
}

// probeMain says whether an ordinary, dumpable process gets a user namespace here, and what a hardened one gives a child.
func probeMain() {
	attr := &os.ProcAttr{Env: childEnv(), Files: []*os.File{nil, nil, os.Stderr}, Sys: rungs(false, true, false)[0].attributes(os.Getuid(), os.Getgid(), false)}
	_, plain := os.StartProcess("/proc/self/exe", []string{"x", "-test.list=^$"}, attr)
	if err := HardenParent(); err != nil {
		fmt.Println("harden:", err)
		return
	}
	o, _, err := testOptions(Policy{})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := Start(context.Background(), o)
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	i := slices.IndexFunc(c.Layers(), func(l Layer) bool { return l.Name == LayerNamespaces })
	fmt.Println(plain == nil, c.Layers()[i].State == StateEnforced, after, err)
}

// Trap 4: hardening the parent does not cost the child its namespaces, and the parent stays hardened.
func TestHardenedParentKeepsNamespaces(t *testing.T) {
	needThreads(t)
	out, err := asUser(t.Context(), "sandbox-probe").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	switch got := strings.TrimSpace(string(out)); got {
	case "true true 0 <nil>":
	case "false false 0 <nil>":
		t.Log("this machine gives ordinary users no namespaces")
	default:
		t.Errorf("namespaces without and with hardening, dumpable after: %s", got)
	}
}

func TestStartRefusesNonsense(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no arguments":       func(o *Options) { o.Args = nil },
		"no handshake":       func(o *Options) { o.Handshake = nil },
		"unknown mode":       func(o *Options) { o.Policy.FS = "rw" },
		"no directory":       func(o *Options) { o.Policy.FS = FSRO },
		"relative directory": func(o *Options) { o.Policy.FS, o.Policy.Dirs = FSRO, []string{"x"} },
		"root":               func(o *Options) { o.Policy.FS, o.Policy.Dirs = FSRO, []string{"/x/.."} },
		"file outside": func(o *Options) {
			o.Policy.FS, o.Policy.Dirs, o.Policy.RWFiles = FSROShm, []string{"/x"}, []string{"/xy/z"}
		},
		"held and not in the policy": func(o *Options) {
			o.Policy.FS, o.Policy.Dirs, o.Held = FSRO, []string{"/x"}, map[string]*os.File{"/y": nil}
		},
		"too little memory": func(o *Options) { o.Policy.MemoryLimit = 1 << 20 },
		"negative CPUs":     func(o *Options) { o.Policy.CPUs = -1 },
		"no such program":   func(o *Options) { o.Exe = "/nonexistent" },
	} {
		t.Run(name, func(t *testing.T) {
			o, l, err := testOptions(Policy{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.conn.Close()
			change(&o)
			if c, err := Start(t.Context(), o); err == nil {
				c.Kill("should not run")
				t.Error("started")
			}
			if err := o.Files[0].Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("files are still open: %v", err)
			}
		})
	}
}

// A directory that the child's uid cannot read costs none of the wall: the child starts as confined as ever, and one layer
// names the path, the uid and the mend.
func TestDirectoryOutOfReach(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a directory that its children cannot read")
	}
	closed, missing := filepath.Join(openDir(t), "closed"), filepath.Join(openDir(t), "missing")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir, want string
	}{
		"closed": {closed, closed + " cannot be read by uid 64123: permission denied"}, "missing": {missing, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			with, _ := startTest(t, nil, Policy{FS: FSROShm, Dirs: []string{c.dir}, RWFiles: []string{c.dir + "/base-shm"}})
			without, _ := startTest(t, nil, Policy{})
			if with.Level() != without.Level() {
				t.Errorf("level %s, and %s without the directory", with.Level(), without.Level())
			}
			l := with.Layers()[slices.IndexFunc(with.Layers(), func(l Layer) bool { return l.Name == LayerFiles })]
			if l.State != StateUnavailable || !strings.Contains(l.Detail, c.want) || !strings.Contains(l.Mend, "chgrp 64123") {
				t.Errorf("%+v", l)
			}
		})
	}
}

// refuse makes calls fail on every thread of this process and of all it starts, as another kernel, a container runtime or a
// full cgroup would.
func refuse(rules ...rule) error {
	prog, err := assemble(rules, actAllow, arch{audit: auditArch, x32: x32Calls, numbers: systemCalls()})
	if err != nil {
		return err
	}
	return errors.Join(onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1), installFilter(prog))
}

// refusals are what refusingMain simulates, by name.
func refusals() map[string][]rule {
	thread := [][]cond{{cond{arg: 0, op: opMasked, mask: unix.CLONE_THREAD, value: unix.CLONE_THREAD}}}
	return map[string][]rule{
		// pids.max of the cgroup, RLIMIT_NPROC: pids(7), fork(2).
		"processes": append(each(actErrno(unix.EAGAIN), "clone3", "fork", "vfork"), rule{name: "clone", alts: thread, act: actAllow, other: actErrno(unix.EAGAIN)}),
		"memory":    append(each(actErrno(unix.ENOMEM), "clone3", "fork", "vfork"), rule{name: "clone", alts: thread, act: actAllow, other: actErrno(unix.ENOMEM)}),
		"seccomp":   each(actErrno(unix.ENOSYS), "seccomp"),
		"landlock":  each(actErrno(unix.ENOSYS), "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"),
		"namespaces": append(each(actErrno(unix.EPERM), "unshare", "setns", "mount", "pivot_root"),
			rule{name: "clone", alts: [][]cond{{cond{arg: 0, op: opMasked, mask: unix.CLONE_NEWUSER | unix.CLONE_NEWNS}}}, act: actAllow, other: actErrno(unix.EPERM)}),
	}
}

// refusingMain is a studio on a machine that refuses what is named in the arguments; it starts a child and says what came of it.
func refusingMain() {
	var r refusingReport
	o, l, err := testOptions(Policy{})
	for _, name := range os.Args[3:] {
		if name == "ulimit" { // low limits all over, as a careful admin sets them
			for _, resource := range []int{unix.RLIMIT_NOFILE, unix.RLIMIT_MEMLOCK, unix.RLIMIT_MSGQUEUE} {
				err = errors.Join(err, unix.Setrlimit(resource, &unix.Rlimit{Cur: 64, Max: 64}))
			}
			continue
		}
		err = errors.Join(err, refuse(refusals()[name]...))
	}
	o.Enforce = os.Args[2] == "enforce"
	if err == nil {
		var c *Process
		if c, err = Start(context.Background(), o); err == nil {
			r.Status = c.Status()
			c.Kill("over")
			c.Exit()
		}
		l.conn.Close()
	}
	if err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

type refusingReport struct {
	Status Status
	Error  string
}

// case 230: machines that do not give what the wall is made of. Each ends in a refusal that names the missing layer and the
// mend, or in a child whose level and layers say what is missing.
func TestMachineThatRefuses(t *testing.T) {
	needThreads(t)
	for _, c := range []struct {
		name  string
		args  []string
		level Level
		layer string   // that must be unavailable
		error []string // "" is none
	}{
		{"full cgroup", []string{"enforce", "processes"}, "", "", []string{"no further process is allowed", "resource temporarily unavailable", "TasksMax", "pids_limit"}},
		{"no memory", []string{"enforce", "memory"}, "", "", []string{"no memory for a further process", "cannot allocate memory"}},
		{"no seccomp", []string{"enforce", "seccomp"}, "", "", []string{"below the minimum", "seccomp is missing (function not implemented)", "CONFIG_SECCOMP_FILTER"}},
		{"no seccomp, degraded", []string{"degraded", "seccomp"}, LevelNone, LayerSeccomp, nil},
		{"no Landlock", []string{"enforce", "landlock"}, LevelDegraded, LayerLandlock, nil},
		{"no namespaces", []string{"enforce", "namespaces"}, LevelStrong, LayerNamespaces, nil},
		{"low limits", []string{"enforce", "ulimit"}, LevelFull, LayerCgroup, nil}, // case 250
		{"neither Landlock nor namespaces", []string{"enforce", "landlock", "namespaces"}, LevelDegraded, LayerPrivateRoot, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := asUser(t.Context(), append([]string{"sandbox-refusing"}, c.args...)...).CombinedOutput()
			var r refusingReport
			if err == nil {
				err = json.Unmarshal(out, &r)
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, want := range c.error {
				if !strings.Contains(r.Error, want) {
					t.Errorf("%q is not in %q", want, r.Error)
				}
			}
			if len(c.error) > 0 {
				return
			}
			if r.Error != "" {
				t.Fatal(r.Error)
			}
			s := r.Status
			if c.level == LevelFull && s.Level == LevelStrong {
				c.level = LevelStrong // a machine without namespaces for ordinary users
			}
			if s.Level != c.level || s.MinimumMet != (c.level != LevelNone) {
				t.Errorf("level %s, minimum met %t", s.Level, s.MinimumMet)
			}
			i := slices.IndexFunc(s.Layers, func(l Layer) bool { return l.Name == c.layer })
			if l := s.Layers[i]; l.State != StateUnavailable || l.Detail == "" || l.Mend == "" {
				t.Errorf("%+v", l)
			}
		})
	}
}
