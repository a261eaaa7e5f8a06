package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/sandbox"
)

// mustRun asserts that a revision is live, well, and answers with its marker.
func mustRun(t *testing.T, v *Supervisor, revision int, marker string) {
	t.Helper()
	mustCall(t, v, "which", "{}", marker)
	if s := v.State(); s.Status != mcpgen.Running || s.Revision != revision || s.Restarts != 0 || s.Error != "" {
		t.Errorf("state %+v", s)
	}
}

// TestProgramThatDoesNotStart: the studio's own file is gone, replaced or closed since its start. A deploy says which, and what is live
// stays.
func TestProgramThatDoesNotStart(t *testing.T) {
	dir := shop(t)
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	place := t.TempDir()
	for name, c := range map[string]struct {
		mode    os.FileMode
		content string
		want    string
	}{
		"missing":        {0, "", "no such file or directory"},
		"not executable": {0o644, "#!/bin/true\n", "is not executable: chmod 0755 it: permission denied"},
		"no program":     {0o755, "this is text", "exec format error"},
	} {
		v.o.Exe = filepath.Join(place, name)
		if c.mode != 0 {
			if err := os.WriteFile(v.o.Exe, []byte(c.content), c.mode); err != nil {
				t.Fatal(err)
			}
		}
		err := v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("shop.db"), "two"), nil), nil)
		if err == nil || !strings.Contains(err.Error(), "deploy revision 2: start child: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		mustRun(t, v, 1, "one")
	}
	v.o.Exe = theExe
}

// TestSideFileSwappedBeforeRestart: a child that is started again long after the deploy gets what lies in the directory then, looked at
// anew. A link in the place of a side file stops it with the cause, and the file that it leads to is not touched; without the link the
// server comes back by itself.
func TestSideFileSwappedBeforeRestart(t *testing.T) {
	dir := shop(t)
	makeShop(t, filepath.Join(dir, "wal.db"), "WAL")
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("wal.db"), "wal"), nil))
	mustCall(t, v, "products", `{}`, `"row_count":3`)
	time.Sleep(settled)
	shm, victim := filepath.Join(dir, "wal.db-shm"), filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("untouched"), 0o600), os.Chmod(victim, 0o666), os.Remove(shm), os.Symlink(victim, shm)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(livePID(t, v), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the cause is told", func() bool {
		s := v.State()
		return s.Status == mcpgen.Failed && strings.Contains(s.Error, "could not be started: sqlite: wal.db is in WAL mode and its file wal.db-shm cannot be used here: it is not a regular file")
	})
	if b, err := os.ReadFile(victim); err != nil || string(b) != "untouched" {
		t.Errorf("what the link leads to holds %q %v", b, err)
	}
	if err := os.Remove(shm); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the server is back", func() bool { return v.State().Status == mcpgen.Running })
	mustCall(t, v, "products", `{}`, `"row_count":3`)
}

// TestPipeForADatabase: a pipe under a database's name would hold up whoever opens it to read; the policy does not wait for its other end.
func TestPipeForADatabase(t *testing.T) {
	dir := shop(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.db"), 0o644); err != nil {
		t.Fatal(err)
	}
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	policy, files, err := v.confine(ctx, &plan{sqlite: []string{"pipe.db"}})
	files.close()
	if err != nil || policy.FS != sandbox.FSRO || len(policy.RWFiles) != 0 {
		t.Errorf("got %+v %v", policy, err)
	}
	mustRun(t, v, 1, "one")
}

// TestStarterThatHangs: while the process that starts children is stopped, a deploy fails in its time and says what to do; what is live
// goes on, and so does everything when the process does.
func TestStarterThatHangs(t *testing.T) {
	starter, err := sandbox.NewStarter(sandbox.StarterOptions{Args: []string{"studio", "starter", "test"}, ChildArgs: realChild(), Exe: theExe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { starter.Close() })
	o := options(shop(t))
	o.Starter = starter
	v := newSupervisor(t, o)
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	before := v.o.StartTimeout
	v.o.StartTimeout = time.Second
	if err := syscall.Kill(starter.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(starter.PID(), syscall.SIGCONT) }) // it goes on already unless the test failed
	err = v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("shop.db"), "two"), nil), nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the process that starts children did not start one in time") {
		t.Errorf("got %v", err)
	}
	mustRun(t, v, 1, "one")
	if err := syscall.Kill(starter.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	v.o.StartTimeout = before
	mustRun(t, v, 1, "one")
	mustDeploy(t, v, deployment(t, 3, snapshot(sqliteConnection("shop.db"), "three"), nil))
	mustRun(t, v, 3, "three")
}

// refuse makes calls fail with an error, in this process and in all it starts from now on, as another kernel does or a full cgroup.
// clone fails only where it would make a process.
func refuse(errno syscall.Errno, calls ...uint32) error {
	ret := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the number is the first word of seccomp_data
	for _, nr := range calls {
		if nr == unix.SYS_CLONE { // its flags are the third double word, in little-endian order
			program = append(program,
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 4},
				unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16},
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.CLONE_THREAD, Jt: 1},
				ret,
				unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
			continue
		}
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1}, ret)
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, e := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	runtime.KeepAlive(program)
	if e != 0 {
		return e
	}
	return nil
}

// machineReport is what a studio on a machine that refuses says.
type machineReport struct {
	Deploy string             // why the second revision is not live
	Called string             // what a call is answered with meanwhile
	State  mcpgen.ServerState // then
	Crash  mcpgen.ServerState // after the live child died, where that is asked for
	Probe  string             // why no child can be started
}

// refusingParent is a studio whose machine begins to refuse something: before its first deploy, or between the first and the second.
func refusingParent(what, dir, exe string) int {
	theExe = exe
	v := New(options(dir))
	r, err := onRefusingMachine(v, what)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := v.Close(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func onRefusingMachine(v *Supervisor, what string) (r machineReport, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	what, fresh := strings.CutPrefix(what, "fresh ")
	begin := func() error {
		switch what {
		case "processes":
			return refuse(unix.EAGAIN, unix.SYS_CLONE, unix.SYS_CLONE3)
		case "seccomp":
			return refuse(unix.ENOSYS, unix.SYS_SECCOMP)
		default:
			return refuse(unix.ENOSYS, unix.SYS_LANDLOCK_CREATE_RULESET)
		}
	}
	deploy := func(revision int, marker string) error {
		m, problems := mcpgen.Compile(snapshot(sqliteConnection("shop.db"), marker), mcpgen.Options{})
		if len(mcpgen.Stops(problems)) > 0 {
			return errors.New("the configuration does not compile")
		}
		return v.Deploy(ctx, mcpgen.Deployment{Revision: revision, Manifest: m}, nil)
	}
	if !fresh {
		if err := deploy(1, "one"); err != nil {
			return r, err
		}
	}
	if err := begin(); err != nil {
		return r, err
	}
	if err := deploy(2, "two"); err != nil {
		r.Deploy = err.Error()
	}
	body, _, err := callTool(ctx, v, "which", "{}")
	r.Called, r.State = fmt.Sprint(body, err), v.State()
	r.Probe = v.Sandbox(ctx).Problem
	if what == "processes" && !fresh {
		if err := syscall.Kill(r.State.PID, syscall.SIGKILL); err != nil {
			return r, err
		}
		for r.Crash = v.State(); !strings.Contains(r.Crash.Error, "could not be started") && ctx.Err() == nil; r.Crash = v.State() {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return r, nil
}

// TestMachineThatRefuses: a machine that does not give what the wall is made of, or no process any more. A first revision does not go
// live, with the cause and the mend; where another is live it goes on; where the level is merely lower, the state says by what (case 230).
func TestMachineThatRefuses(t *testing.T) {
	dir := shop(t)
	for _, c := range []struct {
		what string
		says []string // by the deploy
	}{
		{"processes", []string{"no further process is allowed", "raise the limit of processes", "pids_limit of the container"}},
		{"fresh processes", []string{"no further process is allowed"}},
		{"seccomp", []string{"sandbox below the minimum: ", "seccomp is missing (function not implemented)", "use a kernel with CONFIG_SECCOMP_FILTER"}},
		{"fresh seccomp", []string{"seccomp is missing (function not implemented)"}},
		{"fresh landlock", nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "refusing", c.what, dir, theExe)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			var r machineReport
			if err == nil {
				err = json.Unmarshal(out, &r)
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, want := range c.says {
				if !strings.Contains(r.Deploy, want) {
					t.Errorf("the deploy: %q is not in %q", want, r.Deploy)
				}
			}
			fresh := strings.HasPrefix(c.what, "fresh ")
			switch {
			case c.says == nil:
				i := slices.IndexFunc(r.State.Layers, func(l mcpgen.Layer) bool { return l.Name == sandbox.LayerLandlock })
				if r.Deploy != "" || r.State.Status != mcpgen.Running || r.State.SandboxLevel != string(sandbox.LevelDegraded) || !strings.Contains(r.Called, "two") {
					t.Errorf("got %+v", r)
				} else if l := r.State.Layers[i]; l.State != mcpgen.LayerUnavailable || !strings.Contains(l.Mend, "Landlock enabled") {
					t.Errorf("the layer: %+v", l)
				}
			case fresh:
				if r.State.Status != mcpgen.Failed || !strings.Contains(r.State.Error, c.says[0]) || !strings.Contains(r.Probe, c.says[0]) || !strings.Contains(r.Called, "No revision is running.") {
					t.Errorf("state %+v, called %s, probe %q", r.State, r.Called, r.Probe)
				}
			default:
				if s := r.State; s.Status != mcpgen.Running || s.Revision != 1 || s.Error != "" || !strings.Contains(r.Called, "one") {
					t.Errorf("state %+v, called %s", s, r.Called)
				}
			}
			if c.what == "processes" && (r.Crash.Status != mcpgen.Failed || r.Crash.Revision != 1 || !strings.Contains(r.Crash.Error, "could not be started") || !strings.Contains(r.Crash.Error, "raise the limit of processes")) {
				t.Errorf("after the live child died: %+v", r.Crash)
			}
		})
	}
}

// TestFileSystemThatHangs: a database on a file system that does not answer holds up nobody but the deploy that needs it, and that one
// until its time is up. Here the kernel keeps whoever opens the file waiting (fanotify(7), FAN_OPEN_PERM).
func TestFileSystemThatHangs(t *testing.T) {
	dir := shop(t)
	makeShop(t, filepath.Join(dir, "far.db"), "DELETE")
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY|unix.O_CLOEXEC)
	if err == nil {
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, unix.AT_FDCWD, filepath.Join(dir, "far.db"))
	}
	if err != nil {
		t.Skipf("no open can be held up here: %v", err)
	}
	answer := func() { unix.Close(fd) } // lets everybody through who waits
	before := v.o.StartTimeout
	v.o.StartTimeout = time.Second
	err = v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("far.db"), "two"), nil), nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the file system of "+dir+" does not answer") {
		t.Errorf("got %v", err)
	}
	mustRun(t, v, 1, "one")
	answer()
	v.o.StartTimeout = before
	mustDeploy(t, v, deployment(t, 3, snapshot(sqliteConnection("far.db"), "three"), nil))
	mustRun(t, v, 3, "three")
}
