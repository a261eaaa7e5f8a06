package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// harnessConfig is one run of all attacks by a parent of its own.
type harnessConfig struct {
	FS    FSMode `json:"fs"`
	Naked bool   `json:"naked"` // no sandbox: do the attacks work at all?
	// Studio is a parent as it is in the product: confined, and with a starter.
	Studio bool `json:"studio"`
}

// harnessReport is what came of it.
type harnessReport struct {
	UID      int               `json:"uid"`
	Parent   ParentStatus      `json:"parent"`
	Level    Level             `json:"level"`
	Layers   []Layer           `json:"layers"`
	Verified Verified          `json:"verified"`
	Results  map[string]string `json:"results"`
	Hits     int64             `json:"hits"`  // connections at the canaries
	Lines    int64             `json:"lines"` // most lines one child got into the log
	Error    string            `json:"error,omitempty"`
}

// harnessMain runs the attacks as the parent of the children and prints the report.
func harnessMain(config string) {
	var c harnessConfig
	err := json.Unmarshal([]byte(config), &c)
	r := harnessReport{UID: os.Getuid(), Results: map[string]string{}}
	if err == nil && !c.Naked {
		err = HardenParent()
	}
	if err == nil {
		err = r.run(c)
	}
	if err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

// canaries sets up what the attacks are aimed at.
func canaries(dir string, hits *atomic.Int64) (t targets, stop func(), err error) {
	t = targets{Parent: os.Getpid(), Group: unix.Getpgrp(), Dir: filepath.Join(dir, "db"), Unix: filepath.Join(dir, "canary.sock"),
		Abstract: fmt.Sprintf("sandbox-canary-%d", os.Getpid()), Secret: filepath.Join(dir, "secret")}
	t.Database, t.Link = filepath.Join(t.Dir, "base"), filepath.Join(t.Dir, "link")
	var open []net.Listener
	listen := func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err == nil {
			open = append(open, l)
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					hits.Add(1)
					c.Close()
				}
			}()
		}
		return l, err
	}
	tcp, err := listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return t, nil, err
	}
	t.TCP = tcp.Addr().String()
	_, err1 := listen("unix", t.Unix)
	_, err2 := listen("unix", "@"+t.Abstract)
	victim := exec.Command("/proc/self/exe", "sandbox-victim")
	victim.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err3 := victim.StdinPipe() // stays open, and empty
	err3 = errors.Join(err3, victim.Start())
	stop = func() {
		for _, l := range open {
			l.Close()
		}
		input.Close()
		victim.Process.Kill()
		victim.Wait()
	}
	if err := errors.Join(err1, err2, err3, os.Chmod(t.Unix, 0o666), os.Mkdir(t.Dir, 0o755), os.Chmod(t.Dir, 0o777)); err != nil {
		return t, stop, err
	}
	t.Victim = victim.Process.Pid
	// Everybody may do everything: what holds is the sandbox, not the file modes.
	for _, f := range []string{t.Secret, t.Database, t.Database + "-spare", t.Database + "-spare2", t.Database + "-shm"} {
		if err := errors.Join(os.WriteFile(f, []byte("content"), 0o600), os.Chmod(f, 0o666)); err != nil {
			return t, stop, err
		}
	}
	return t, stop, os.Symlink(t.Secret, t.Link)
}

func (r *harnessReport) run(c harnessConfig) error {
	dir, err := os.MkdirTemp("/tmp", "sandbox-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, d := range []string{"/tmp", "/dev/shm", "/var/tmp"} { // what the attacks make where they can
		defer os.Remove(fmt.Sprintf("%s/sandbox-attack-%d", d, os.Getpid()))
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	var hits atomic.Int64
	t, stop, err := canaries(dir, &hits)
	if stop != nil {
		defer stop()
	}
	if err != nil {
		return err
	}
	p := Policy{FS: c.FS, MemoryLimit: 64 << 20, CPUs: 1}
	if c.FS != FSNone {
		p.Dirs = []string{t.Dir}
	}
	if c.FS == FSROShm {
		p.RWFiles = []string{t.Database + "-shm"}
	}
	var starter *Starter
	if c.Studio {
		if starter, err = NewStarter(testStarter()); err != nil {
			return err
		}
		defer starter.Close()
		r.Parent = ConfineParent(ParentOptions{ReadWrite: []string{"/tmp", "/var/tmp", "/dev/shm"}, Starter: starter})
	}
	for from := 0; from < len(attacks()); {
		next, err := r.child(c, starter, p, job{Name: "attacks", From: from, Targets: t})
		if err != nil {
			return fmt.Errorf("from attack %q: %w", attacks()[from].name, err)
		}
		from = next
	}
	r.Hits = hits.Load()
	return nil
}

// child runs attacks from j.From in one child until it dies or is through, and returns the first one not done.
func (r *harnessReport) child(c harnessConfig, starter *Starter, p Policy, j job) (next int, err error) {
	server, tcp, err := tcpPair()
	if err != nil {
		return 0, err
	}
	defer server.Close()
	peer, peerFile, err := unixPair()
	if err != nil {
		return 0, err
	}
	defer peer.Close()
	o, l, err := testOptions(p, tcp, peerFile)
	if err != nil {
		return 0, err
	}
	defer l.conn.Close()
	o.Starter = starter
	var lines atomic.Int64
	o.Log = func(string) { lines.Add(1) }
	var exit func() string
	if c.Naked {
		exit, err = naked(o, l)
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var child *Process
		if child, err = Start(ctx, o); err == nil {
			r.Level, r.Layers, r.Verified = child.Level(), child.Layers(), child.Verified()
			exit = func() string { child.Kill("over"); return child.Exit().String() }
		}
	}
	if err != nil {
		return 0, err
	}
	if err := l.out.Encode(j); err != nil {
		return 0, err
	}
	next = j.From
	list := attacks()
	for next < len(list) {
		var res result
		if err := l.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			return 0, err
		}
		if err := l.in.Decode(&res); err != nil || res.Index == -1 {
			how := exit()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				how = "hung: " + how
			}
			if res.Index == -1 {
				how = res.Text
			} else if c.Naked && strings.HasPrefix(how, "exit status 0") {
				how = "ESCAPE it became another program"
			}
			r.Results[list[next].name] = how
			return next + 1, nil
		}
		r.Results[list[res.Index].name] = res.Text
		next = res.Index + 1
	}
	exit()
	r.Lines = max(r.Lines, lines.Load())
	return next, nil
}

// naked starts the child without a sandbox.
func naked(o Options, l *link) (func() string, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	process, err := os.StartProcess("/proc/self/exe", o.Args, &os.ProcAttr{Files: append([]*os.File{null, null, null}, o.Files...)})
	closeFiles(o.Files)
	if err != nil {
		return nil, err
	}
	if err := l.out.Encode(hello{Policy: o.Policy, Naked: true}); err != nil {
		return nil, err
	}
	var ignored Report
	if err := l.in.Decode(&ignored); err != nil {
		return nil, err
	}
	return func() string {
		process.Kill()
		state, err := process.Wait()
		return fmt.Sprint(state, err)
	}, nil
}

// harness runs this binary as a parent with the given command and returns its report.
func harness(t *testing.T, cmd *exec.Cmd) harnessReport {
	t.Helper()
	needThreads(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("harness: %v\n%s", err, out)
	}
	var r harnessReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("harness said %q: %v", out, err)
	}
	if r.Error != "" {
		t.Fatalf("harness: %s", r.Error)
	}
	return r
}

func harnessArgs(t *testing.T, c harnessConfig) []string {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"sandbox-harness", string(b)}
}

// Outcomes of an attack.
const (
	outcomeEscaped = "ESCAPED"
	outcomeKilled  = "killed"  // by the system call filter
	outcomeBounded = "bounded" // of a resource: there was an end, and it was the child's
	outcomeLet     = "let in"  // an error the kernel gives for wrong arguments, so the call itself was let in
	outcomeSkipped = "not tried"
)

// outcome reads what came of an attack in file mode fs: one of the above, or the error that the sandbox gave.
func outcome(a attack, fs FSMode, got string) string {
	errnos := []string{"EPERM", "EACCES", "ENOSYS", "ENOTTY"}
	if fs != FSNone { // the path is looked up, in the private root or under Landlock
		errnos = append(errnos, "ENOENT", "EROFS", "ENOTDIR", "EXDEV")
	}
	resources := []string{"memory bomb", "thread bomb", "process bomb", "descriptor bomb", "pipe bomb", "event descriptor bomb", "goroutine bomb", "CPU spin", "flood of",
		"foreign descriptors", "i386 getpid"}
	reason, blocked := strings.CutPrefix(got, "blocked ")
	resource := slices.ContainsFunc(resources, func(p string) bool { return strings.HasPrefix(a.name, p) })
	switch {
	case got == "" || got == outcomeSkipped:
		return outcomeSkipped
	case strings.HasPrefix(got, "ESCAPE"), strings.HasPrefix(got, "hung"):
		return outcomeEscaped
	case strings.HasPrefix(got, "killed by the system call filter"):
		return outcomeKilled
	case resource && (blocked || strings.HasPrefix(got, "exit code 2") || strings.Contains(got, "memory watchdog") || strings.Contains(got, "memory limit")):
		return outcomeBounded
	case blocked && slices.Contains(errnos, reason):
		return reason
	default:
		return outcomeLet
	}
}

// checkBlocked asserts that no attack came through: each ended by the filter, or with an error the sandbox gives.
func checkBlocked(t *testing.T, c harnessConfig, r harnessReport) {
	t.Helper()
	for _, a := range attacks() {
		switch got := outcome(a, c.FS, r.Results[a.name]); got {
		case outcomeEscaped, outcomeLet, outcomeSkipped:
			t.Errorf("%s: %s: %s", a.name, got, r.Results[a.name])
		}
	}
	if r.Hits != 0 {
		t.Errorf("%d connections reached the canaries", r.Hits)
	}
	if r.Lines > lineBurst+20*lineRate {
		t.Errorf("%d lines of a flood reached the log", r.Lines)
	}
}

// TestAttacks tries the whole catalogue against a real child of a real parent. // case 227, 228, 229, 230, 237
func TestAttacks(t *testing.T) {
	names := map[string]bool{}
	for _, a := range attacks() {
		names[a.name] = true
	}
	if len(names) != len(attacks()) || len(names) < 90 {
		t.Fatalf("%d attacks under %d names", len(attacks()), len(names))
	}
	for _, fs := range []FSMode{FSNone, FSRO, FSROShm} {
		c := harnessConfig{FS: fs}
		t.Run("same user/"+string(fs), func(t *testing.T) {
			r := harness(t, exec.CommandContext(t.Context(), "/proc/self/exe", harnessArgs(t, c)...))
			checkBlocked(t, c, r)
			if os.Getuid() == 0 && (r.Verified.UID < FirstUID || r.Verified.UID >= FirstUID+UIDs) {
				t.Errorf("child of root runs as %d", r.Verified.UID)
			}
			logLayers(t, r)
		})
		t.Run("ordinary user/"+string(fs), func(t *testing.T) {
			r := harness(t, asUser(t.Context(), harnessArgs(t, c)...))
			if r.UID == 0 {
				t.Fatal("the harness is still root")
			}
			checkBlocked(t, c, r)
			logLayers(t, r)
		})
	}
}

// TestAttacksHaveTeeth runs the harmless part of the catalogue without a sandbox: an attack that fails there too proves
// nothing where it is blocked.
func TestAttacksHaveTeeth(t *testing.T) {
	r := harness(t, asUser(t.Context(), harnessArgs(t, harnessConfig{FS: FSNone, Naked: true})...))
	escaped := 0
	for name, got := range r.Results {
		if strings.HasPrefix(got, "ESCAPE") {
			escaped++
		} else {
			t.Logf("%s: %s", name, got)
		}
	}
	t.Logf("%d attacks escape without a sandbox", escaped)
	if escaped < 100 {
		t.Errorf("only %d attacks escape without a sandbox", escaped)
	}
	for _, name := range []string{"tcp connect", "connect unix path", "passed socket: connect(AF_UNSPEC), connect", "read a secret", "write the database",
		"create beside the database", "exec a shell", "fork", "signal the victim", "executable mapping", "memfd", "outlive the parent",
		"victim's descriptor", "victim's environment", "climb out of the directory"} {
		if !strings.HasPrefix(r.Results[name], "ESCAPE") {
			t.Errorf("%s has no teeth: %s", name, r.Results[name])
		}
	}
	if r.Hits == 0 {
		t.Error("no canary was hit")
	}
}

func logLayers(t *testing.T, r harnessReport) {
	t.Helper()
	t.Logf("level %s; %s", r.Level, r.Verified)
	for _, l := range r.Layers {
		t.Logf("%-14s %-11s %s", l.Name, l.State, l.Detail)
	}
}

// attacksJob runs the catalogue from j.From; without a sandbox only what is harmless.
func attacksJob(j job, emit func(int, string)) {
	confined := true
	if v := verify(os.Getpid()); v.Problem == "" && v.Seccomp != 2 {
		confined = false
	}
	for i, a := range attacks() {
		if i < j.From {
			continue
		}
		if a.danger && !confined {
			emit(i, "not tried")
			continue
		}
		emit(i, a.try(j.Targets))
	}
	_ = unix.Close(fdTCP)
}
