package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
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

// testStarter starts this binary as the starter, and as its children. without is a capability the starter is not to keep.
func testStarter(without ...string) StarterOptions {
	return StarterOptions{Args: append([]string{"studio", "sandbox-starter"}, without...), ChildArgs: []string{"studio", "sandbox-child"}}
}

// withheld is the set of capabilities in the arguments of a starter that is to have fewer than it needs.
func withheld() (set uint64) {
	for _, a := range os.Args[2:] {
		if c, err := strconv.Atoi(a); err == nil {
			set |= 1 << c
		}
	}
	return set
}

func newTestStarter(t *testing.T, without ...string) *Starter {
	t.Helper()
	s, err := NewStarter(testStarter(without...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the starter: %v", err)
		}
		if err := ended(s.PID(), time.Second); err != nil {
			t.Error(err)
		}
	})
	return s
}

// states are the layers that do not depend on numbers of processes.
func states(c *Process) string {
	var out []string
	for _, l := range c.Layers() {
		out = append(out, l.Name+" "+l.State)
	}
	return fmt.Sprint(c.Level(), " ", c.Verified().UID, " ", strings.Join(out, ", "))
}

// A child by a starter is confined exactly as one of this process, and answers, logs and ends the same way.
func TestStarter(t *testing.T) {
	needThreads(t)
	starter := newTestStarter(t)
	direct, _ := startTest(t, nil, Policy{CPUs: 1})
	var mu sync.Mutex
	var lines []string
	c, l := startTest(t, func(o *Options) {
		o.Starter = starter
		o.Log = func(line string) { mu.Lock(); lines = append(lines, line); mu.Unlock() }
	}, Policy{CPUs: 1})
	if states(c) != states(direct) {
		t.Errorf("by the starter: %s\ndirectly:       %s", states(c), states(direct))
	}
	if rss := c.RSS(); rss < 1<<20 {
		t.Errorf("RSS %d", rss)
	}
	if text, err := l.do(job{Name: "panic"}); err == nil {
		t.Fatalf("the child answered %q", text)
	}
	if e := c.Exit(); e.Code != 2 || e.Signal != "" {
		t.Errorf("exit %+v", e)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(lines, "panic: last words") {
		t.Errorf("log: %q", lines)
	}
}

func TestStarterKill(t *testing.T) {
	needThreads(t)
	starter := newTestStarter(t)
	by := func(o *Options) { o.Starter = starter }
	c, _ := startTest(t, by, Policy{})
	c.Kill("enough")
	if e := c.Exit(); e.Signal != "SIGKILL" || e.Reason != "enough" || e.SIGSYS {
		t.Errorf("exit %+v", e)
	}
	c.Kill("again") // it is gone, and so is its number
	if rss := c.RSS(); rss != 0 {
		t.Errorf("a dead child uses %d bytes", rss)
	}
	c, l := startTest(t, by, Policy{MemoryLimit: MinMemoryLimit})
	if text, err := l.do(job{Name: "grow"}); err == nil {
		t.Fatalf("the child grew: %s", text)
	}
	if e := c.Exit(); !strings.HasPrefix(e.Reason, "memory watchdog") || !e.Memory {
		t.Errorf("exit %+v", e)
	}
	if systemCalls()["mount"] == 165 {
		c, l = startTest(t, by, Policy{})
		if text, err := l.do(job{Name: "sigsys"}); err == nil {
			t.Fatalf("the child answered %q", text)
		}
		if e := c.Exit(); !e.SIGSYS {
			t.Errorf("exit %+v", e)
		}
	}
}

// Many at once, some killed, some not admitted: no descriptor stays in the parent or in the starter, no child lives.
func TestStarterLeavesNothing(t *testing.T) {
	starter := newTestStarter(t)
	open := func() int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", starter.PID()))
		if err != nil {
			t.Skipf("the descriptors of the starter cannot be counted: %v", err)
		}
		return len(entries) + descriptors(t)
	}
	run := func(i int) {
		o, l, err := testOptions(Policy{})
		if err != nil {
			t.Error(err)
			return
		}
		defer l.conn.Close()
		o.Starter, o.Enforce = starter, !builtWithCgo // so that the race detector sees it too
		if i%3 == 0 {                                 // it says something that is no report
			o.Handshake = func(Policy) (Report, error) { return Report{}, errors.New("no report") }
		}
		c, err := Start(t.Context(), o)
		if err != nil {
			if i%3 != 0 {
				t.Error(err)
			}
			return
		}
		c.Kill("over")
		if e := c.Exit(); e.Signal != "SIGKILL" {
			t.Errorf("exit %+v", e)
		}
	}
	run(1)
	before := open()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() { run(i) })
	}
	wg.Wait()
	deadline := time.Now().Add(time.Minute)
	for open() > before && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors before, %d after twelve children", before, after)
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", starter.PID(), starter.PID())); err == nil && len(b) > 0 {
		t.Errorf("the starter still has the children %s", b)
	}
}

// When the starter dies its children die with it, the parent learns of both, and says what to do about it.
func TestStarterThatDies(t *testing.T) {
	needThreads(t)
	starter, err := NewStarter(testStarter())
	if err != nil {
		t.Fatal(err)
	}
	c, _ := startTest(t, func(o *Options) { o.Starter = starter }, Policy{})
	pid := c.PID()
	if err := syscall.Kill(starter.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(time.Minute):
		t.Fatal("nobody noticed")
	}
	if e := c.Exit(); !strings.Contains(e.Reason, "the process that starts children ended") {
		t.Errorf("exit %+v", e)
	}
	if err := ended(pid, time.Minute); err != nil {
		t.Error(err)
	}
	<-starter.Done()
	o, l, err := testOptions(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	o.Starter = starter
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "restart the studio") {
		t.Errorf("got %v", err)
	}
	if err := starter.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// Errors of the start cross the wire with their words and their cause.
func TestStarterRefuses(t *testing.T) {
	needThreads(t)
	for name, c := range map[string]struct {
		change func(*StarterOptions)
		want   string
	}{
		"no such program":             {func(o *StarterOptions) { o.Exe = "/nonexistent" }, "no such file"},
		"a program that is no studio": {func(o *StarterOptions) { o.Exe = "/bin/true" }, "did not answer"},
		"no arguments for children":   {func(o *StarterOptions) { o.ChildArgs = nil }, "no configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			o := testStarter()
			c.change(&o)
			s, err := NewStarter(o)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	// By hand, without a parent.
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "sandbox-starter")
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("a starter without a parent: %v", err)
	}
}

// The starter of root keeps what it needs and nothing else: without any one of its capabilities children start lower on
// the ladder, or not at all, or cannot be ended.
func TestStarterCapabilities(t *testing.T) {
	needThreads(t)
	if os.Getuid() != 0 {
		t.Skip("only root has capabilities to keep")
	}
	data := openDir(t)
	private := filepath.Join(data, "private") // as the data directory is: mode 0700, with the readable one inside
	dir := filepath.Join(private, "databases")
	if err := errors.Join(os.Mkdir(private, 0o700), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	try := func(without ...string) string {
		starter, err := NewStarter(testStarter(without...))
		if err != nil {
			return "no starter: " + err.Error()
		}
		defer starter.Close()
		if v := verify(starter.PID()); !v.NoNewPrivs || v.CapBounding&^starterCapabilities() != 0 {
			t.Errorf("without %v: the starter is %s, bounding set %#x", without, v, v.CapBounding)
		}
		o, l, err := testOptions(Policy{FS: FSRO, Dirs: []string{dir}})
		if err != nil {
			t.Fatal(err)
		}
		defer l.conn.Close()
		o.Starter = starter
		c, err := Start(t.Context(), o)
		if err != nil {
			return err.Error()
		}
		said := fmt.Sprint(states(c), ", threads by nice value: ", slices.Sorted(maps.Keys(niceOf(t, c.PID()))))
		c.Kill("over")
		select {
		case <-c.Done():
		case <-time.After(5 * time.Second):
			said += ", and it cannot be ended"
		}
		return said
	}
	full := try()
	if !strings.HasPrefix(full, string(highest())) {
		t.Skipf("this machine does not give the highest level: %s", full)
	}
	for c := range 41 {
		if starterCapabilities()&(1<<c) == 0 {
			continue
		}
		if got := try(strconv.Itoa(c)); got == full {
			t.Errorf("capability %d is not needed: %s", c, got)
		} else {
			t.Logf("without capability %2d: %s", c, got)
		}
	}
}

// parentMain is a studio: it hardens and confines itself, starts a child, and tries what it must not be able to do.
func parentMain() {
	r, err := confinedParent(os.Args[2])
	if err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

// parentReport is what came of it.
type parentReport struct {
	Before, After string
	Status        ParentStatus
	Tried         map[string]string
	Error         string
}

func confinedParent(dir string) (r parentReport, err error) {
	r.Tried = map[string]string{}
	if err := HardenParent(); err != nil {
		return r, err
	}
	starter, err := NewStarter(testStarter())
	if err != nil {
		return r, err
	}
	defer starter.Close()
	child := func() (string, error) {
		o, l, err := testOptions(Policy{FS: FSRO, Dirs: []string{dir}})
		if err != nil {
			return "", err
		}
		defer l.conn.Close()
		o.Starter = starter
		c, err := Start(context.Background(), o)
		if err != nil {
			return "", err
		}
		defer c.Exit()
		defer c.Kill("over")
		return states(c), nil
	}
	if r.Before, err = child(); err != nil {
		return r, err
	}
	run := filepath.Join(filepath.Dir(dir), "run") // as /run: there is more in it than this socket
	l, err := net.Listen("unix", run+"/socket")
	if err != nil {
		return r, err
	}
	r.Status = ConfineParent(ParentOptions{ReadWrite: []string{dir}, Sockets: []string{run + "/socket", run + "/other", run + "/missing"}, Starter: starter})
	if r.After, err = child(); err != nil {
		return r, err
	}
	say := func(name string, err error) { r.Tried[name] = fmt.Sprint(err) }
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	// What a studio does.
	say("ok: write", os.WriteFile(dir+"/file", []byte("x"), 0o600))
	say("ok: rename", errors.Join(os.Mkdir(dir+"/sub", 0o700), os.Rename(dir+"/file", dir+"/sub/file"), os.RemoveAll(dir+"/sub")))
	go func() { // until the end: the listener is closed by then
		for {
			if c, err := l.Accept(); err != nil {
				return
			} else {
				c.Close()
			}
		}
	}()
	_, err = net.Dial("unix", l.Addr().String())
	say("ok: connect to a path", err)
	beside := filepath.Dir(l.Addr().String())
	say("no: remove beside a socket", os.Remove(beside+"/other"))
	say("no: write beside a socket", os.WriteFile(beside+"/made", nil, 0o600))
	_, err = net.Listen("unix", beside+"/another")
	say("no: listen beside a socket", err)
	say("ok: close a socket", l.Close())
	_, err = os.Lstat(l.Addr().String())
	say("ok: the socket's file stays", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	say("ok: listen", err)
	say("ok: resolver", read("/etc/resolv.conf"))
	say("ok: hosts", read("/etc/hosts"))
	say("ok: own status", read("/proc/self/status"))
	if _, err := os.Stat("/usr/share/zoneinfo"); err == nil {
		_, err = time.LoadLocation("Europe/Berlin")
		say("ok: zone", err)
	}
	_, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	say("ok: null", err)
	// What none does.
	say("no: write elsewhere", os.WriteFile("/tmp/sandbox-parent-made", nil, 0o600))
	say("no: read a program", read("/bin/sh"))
	say("no: read a neighbour", read(filepath.Dir(dir)+"/secret"))
	say("no: home of root", read("/root/.bashrc"))
	say("no: run a program", exec.Command("/bin/true").Run())
	say("no: run itself", exec.Command("/proc/self/exe", "sandbox-victim").Run())
	say("no: mount", unix.Mount("x", dir, "tmpfs", 0, ""))
	say("no: memory of the starter", read(fmt.Sprintf("/proc/%d/mem", starter.PID())))
	say("no: environment of the starter", read(fmt.Sprintf("/proc/%d/environ", starter.PID())))
	say("no: trace the starter", unix.PtraceSeize(starter.PID()))
	say("no: another uid", syscall.Setuid(ordinaryUID+1))
	return r, nil
}

// The studio itself: what it needs works, what it does not need is refused, its children lose nothing by it.
func TestConfinedParent(t *testing.T) {
	needThreads(t)
	for name, command := range map[string]func(dir string) *exec.Cmd{
		"same user": func(dir string) *exec.Cmd {
			return exec.CommandContext(t.Context(), "/proc/self/exe", "sandbox-parent", dir)
		},
		"ordinary user": func(dir string) *exec.Cmd { return asUser(t.Context(), "sandbox-parent", dir) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(openDir(t), "data")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o777), os.WriteFile(filepath.Dir(dir)+"/secret", nil, 0o644)); err != nil {
				t.Fatal(err)
			}
			run := filepath.Join(filepath.Dir(dir), "run")
			if err := errors.Join(os.Mkdir(run, 0o755), os.Chmod(run, 0o777), os.WriteFile(run+"/other", nil, 0o666)); err != nil {
				t.Fatal(err)
			}
			cmd := command(dir)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			var r parentReport
			if err == nil {
				err = json.Unmarshal(out, &r)
			}
			if err != nil || r.Error != "" {
				t.Fatalf("%v %s: %s", err, r.Error, out)
			}
			if r.Before != r.After {
				t.Errorf("children before: %s\nand after:      %s", r.Before, r.After)
			}
			for _, l := range r.Status.Layers {
				t.Logf("%-13s %-11s %s", l.Name, l.State, l.Detail)
				if l.State == StateUnavailable && l.Name != LayerLandlock {
					t.Errorf("%s is missing: %s", l.Name, l.Detail)
				}
			}
			if v := r.Status.Verified; !v.NoNewPrivs || v.Rlimits["core"] != 0 || v.capabilities()&^(1<<unix.CAP_CHOWN|1<<unix.CAP_NET_BIND_SERVICE) != 0 {
				t.Errorf("the kernel says %s, limits %v", v, v.Rlimits)
			}
			if r.Status.Starter == nil || !r.Status.Starter.NoNewPrivs {
				t.Errorf("starter: %v", r.Status.Starter)
			}
			i := slices.IndexFunc(r.Status.Layers, func(l Layer) bool { return l.Name == LayerLandlock })
			if r.Status.Layers[i].State == StateUnavailable {
				t.Skipf("no Landlock on this machine: %s", r.Status.Layers[i].Detail)
			}
			left, err := os.ReadDir(run)
			if err != nil || len(left) != 1 || left[0].Name() != "other" {
				t.Errorf("beside the socket, after the end: %v %v", left, err)
			}
			for what, err := range r.Tried {
				if good := strings.HasPrefix(what, "ok:"); good != (err == "<nil>") {
					t.Errorf("%s: %s", what, err)
				}
			}
		})
	}
}
