package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
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
		o.Handshake = func(Policy) (Report, error) { // never sends the policy
			var r Report
			err := l.in.Decode(&r)
			return r, err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err = Start(ctx, o)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v (pid %d)", err, pid)
		}
		if d := time.Since(start); d > handshakeGrace {
			t.Errorf("took %v", d)
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
		if v := c.Verified(); v.UID != uid || v.GID != uid || len(v.Groups) != 0 {
			t.Errorf("slot %d: %s", slot, v)
		}
	}
}

// doomedMain is a studio that will be killed: it starts a child, says its pid, and waits.
func doomedMain() {
	o, l, err := testOptions(Policy{})
	if err != nil {
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
		"same user":     exec.Command("/proc/self/exe", "sandbox-doomed"),
		"ordinary user": asUser(t.Context(), "sandbox-doomed"),
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
			if err := ended(pid, time.Second); err != nil {
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
