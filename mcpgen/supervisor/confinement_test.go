package supervisor

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/store"
)

// turnedChild is the argv of a real child that turns bad at a signal.
func turnedChild() []string { return []string{"studio", "turned", "test"} }

func turn(t testing.TB, pid int, what childtest.Turn) {
	t.Helper()
	if err := syscall.Kill(pid, what.Signal()); err != nil {
		t.Fatal(err)
	}
}

// TestSandboxState: what the admin sees is what the kernel and the children say, with and without a child (case 230).
func TestSandboxState(t *testing.T) {
	o := options(shop(t))
	o.Broker.Resolve = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	v := newSupervisor(t, o)
	before := v.Sandbox(t.Context())
	if before.Probe == nil || before.Probe.Role != mcpgen.RoleProbe || len(before.Children) != 0 || before.Problem != "" || before.Mode != mcpgen.SandboxEnforce {
		t.Fatalf("with no child: %+v", before)
	}
	if again := v.Sandbox(t.Context()); again.Probe == nil || again.Probe.PID != before.Probe.PID {
		t.Errorf("the probe is not remembered: %+v", again.Probe)
	}
	eventually(t, time.Minute, "the probe has ended", func() bool { return len(children(t)) == 0 })

	s := snapshot(sqliteConnection("shop.db"), "one")
	s.Config.ChildMemoryMiB, s.Config.ChildCPUs = 200, 1
	mustDeploy(t, v, deployment(t, 7, s, nil))
	c := store.ConnectionDraft{Name: "far", DBType: "postgresql", Host: "db.example.com", Port: 5432, Database: "x", Username: "x"}.New()
	c.ID = "c-far"
	var res mcpgen.TestResult
	b := mcpgen.Bench{Connection: mcpgen.ConnectionOf(c), Secrets: mcpgen.NewSecrets(map[string]map[string]string{"c-far": {"password": "sentinel-secret"}})}
	if err := v.Bench(t.Context(), b, mcpgen.BenchTest, struct{}{}, &res); err != nil || res.Success {
		t.Fatalf("a test of a host that does not exist: %+v %v", res, err)
	}
	now := v.Sandbox(t.Context())
	if len(now.Children) != 2 || now.Probe != nil || now.LastExit != nil || len(now.Events) != 0 || !now.MinimumMet || now.Problem != "" {
		t.Fatalf("with two children: %+v", now)
	}
	live, bench := now.Children[0], now.Children[1]
	if live.Role != mcpgen.RoleLive || live.Revision != 7 || live.Connection != nil || live.PID != v.State().PID || live.SQLiteMode != "ro" || len(live.Allowlist) != 0 {
		t.Errorf("the live child: %+v", live)
	}
	if live.Memory.LimitBytes != 200<<20 || live.Memory.RSSBytes == 0 || !slices.Contains(live.Memory.EnforcedBy, "watchdog") || !slices.Contains(live.Memory.EnforcedBy, "rlimit") {
		t.Errorf("its memory: %+v", live.Memory)
	}
	if live.CPU.Limit != 1 || !slices.Contains(live.CPU.EnforcedBy, "affinity") {
		t.Errorf("its processors: %+v", live.CPU)
	}
	if got := affinity(t, live.PID); got != 1 {
		t.Errorf("the kernel lets it use %d processors, want 1", got)
	}
	if live.UIDShared != (os.Geteuid() != 0) || live.UID == 0 || live.Verified.Seccomp != 2 || live.Verified.CapEff != "0000000000000000" || live.Verified.Threads == 0 {
		t.Errorf("what the kernel says of it: %+v", live)
	}
	if bench.Role != mcpgen.RoleWorkbench || bench.Connection == nil || *bench.Connection != (mcpgen.ConnectionRef{ID: "c-far", Name: "far"}) || bench.Memory.LimitBytes != store.DefaultChildMemoryMiB<<20 {
		t.Errorf("the workbench: %+v", bench)
	}
	if want := []mcpgen.Target{{ConnectionID: "c-far", Connection: "far", Host: "db.example.com", Port: 5432}}; !slices.Equal(bench.Allowlist, want) {
		t.Errorf("its allowlist: %+v", bench.Allowlist)
	}
	if bench.Broker.Allowed != 0 || bench.Broker.Failed == 0 {
		t.Errorf("its broker: %+v", bench.Broker)
	}
	for _, l := range live.Layers {
		if l.Name == "" || l.State != mcpgen.LayerEnforced && l.Reason == "" {
			t.Errorf("a layer without a reason: %+v", l)
		}
	}
	if text := string(raw(t, now)); strings.Contains(text, "sentinel") || strings.Contains(text, "SELECT") {
		t.Errorf("the state shows a secret or a statement: %s", text)
	}
}

// affinity is how many processors the kernel lets a process use.
func affinity(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + string(raw(t, pid)) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			if strings.ContainsAny(list, ",-") {
				return 2 // more than one
			}
			return 1
		}
	}
	t.Fatal("no list of processors")
	return 0
}

// TestSecurityEvents: a child that is killed for what it did is an event, whether it is live or a workbench; the server is back at
// once, and a kill that was asked for is none (cases 229, 232, 237).
func TestSecurityEvents(t *testing.T) {
	o := options(shop(t))
	o.Args = turnedChild()
	v := newSupervisor(t, o)
	events := make(chan mcpgen.SecurityEvent, 10)
	v.OnSecurity(func(e mcpgen.SecurityEvent) { events <- e })
	s := snapshot(sqliteConnection("shop.db"), "one")
	s.Config.ChildMemoryMiB = 96
	mustDeploy(t, v, deployment(t, 3, s, nil))
	for _, tt := range []struct {
		turn childtest.Turn
		kind mcpgen.SecurityKind
	}{{childtest.ForbiddenCall, mcpgen.SecuritySIGSYS}, {childtest.BrokerAbuse, mcpgen.SecurityBrokerAbuse}, {childtest.MemoryBomb, mcpgen.SecurityMemory}, {childtest.MemoryGrab, mcpgen.SecurityMemory}} {
		time.Sleep(settled) // so that it is started again at once. A watchdog that comes late leaves the bomb to its own runtime, too
		pid := livePID(t, v)
		turn(t, pid, tt.turn)
		e := receive(t, events)
		if e.Kind != tt.kind || e.Role != mcpgen.RoleLive || e.Revision != 3 || e.PID != pid || e.Connection != nil || e.SIGSYS != (tt.kind == mcpgen.SecuritySIGSYS) || (e.Signal == "") != (tt.turn == childtest.MemoryGrab) && tt.turn != childtest.MemoryBomb || e.At.IsZero() {
			t.Errorf("%s: %+v", tt.kind, e)
		}
		mustCallAgain(t, v, "which", "{}", "one")
		if now := v.Sandbox(t.Context()); now.LastExit == nil || now.LastExit.PID != pid || len(now.Events) == 0 || now.Events[0].PID != pid {
			t.Errorf("%s is not in the state: %+v %+v", tt.kind, now.LastExit, now.Events)
		}
	}
	b := sqliteBench("shop.db")
	b.Limits = mcpgen.Limits{MemoryMiB: 96}
	for _, tt := range []struct {
		turn childtest.Turn
		kind mcpgen.SecurityKind
	}{{childtest.ForbiddenCall, mcpgen.SecuritySIGSYS}, {childtest.BrokerAbuse, mcpgen.SecurityBrokerAbuse}, {childtest.MemoryBomb, mcpgen.SecurityMemory}} {
		var res mcpgen.TestResult
		if err := v.Bench(t.Context(), b, mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
			t.Fatalf("%+v %v", res, err)
		}
		turn(t, benchPID(t, v), tt.turn)
		if e := receive(t, events); e.Kind != tt.kind || e.Role != mcpgen.RoleWorkbench || e.Connection == nil || e.Connection.ID != "c-shop" || e.Connection.Name != "shop" {
			t.Errorf("workbench, %s: %+v", tt.kind, e)
		}
	}
	// What was asked for is no event and no exit to tell of.
	last := v.Sandbox(t.Context()).LastExit
	mustDeploy(t, v, deployment(t, 4, s, nil))
	if err := v.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := v.Sandbox(t.Context())
	if now.LastExit == nil || *now.LastExit != *last || len(events) != 0 || len(now.Events) != 7 {
		t.Errorf("a deploy and a stop: %+v, %d events", now.LastExit, len(now.Events))
	}
}

func receive(t *testing.T, events <-chan mcpgen.SecurityEvent) mcpgen.SecurityEvent {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(time.Minute):
		t.Fatal("no security event came")
	}
	return mcpgen.SecurityEvent{}
}

func benchPID(t *testing.T, v *Supervisor) int {
	t.Helper()
	for _, c := range v.Sandbox(t.Context()).Children {
		if c.Role == mcpgen.RoleWorkbench {
			return c.PID
		}
	}
	t.Fatal("no workbench runs")
	return 0
}

// TestOrdinaryEnds: a child that ends by itself is the last exit, but no security event.
func TestOrdinaryEnds(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	pid := livePID(t, v)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the child is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	mustCallAgain(t, v, "which", "{}", "one")
	now := v.Sandbox(t.Context())
	if now.LastExit == nil || now.LastExit.PID != pid || now.LastExit.Signal != "SIGKILL" || now.LastExit.Code != -1 || now.LastExit.Reason != "" || len(now.Events) != 0 || now.Restarts != 1 {
		t.Errorf("got %+v, %+v", now.LastExit, now.Events)
	}
}

// TestProbe: the wall can be looked at without a supervisor, and nothing is left of the look.
func TestProbe(t *testing.T) {
	state, err := Probe(t.Context(), options(""))
	if err != nil || state.Level != mcpgen.LevelFull && state.Level != mcpgen.LevelStrong || !state.MinimumMet || len(state.Layers) < 10 || state.SQLiteMode != "none" {
		t.Errorf("got %+v %v", state, err)
	}
	if alive(state.PID) || len(children(t)) != 0 {
		t.Error("the child of the probe is left")
	}
	// A child that takes no part in the conversation, and a program that cannot be started: an error with the cause, in time.
	o := options("")
	o.Exe, o.Args, o.StartTimeout = "/bin/sleep", []string{"sleep", "60"}, 2*time.Second
	if _, err := Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "start child") {
		t.Errorf("a child that says nothing: %v", err)
	}
	o.Exe = "/nonexistent/studio"
	if _, err := Probe(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no program: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Probe(ctx, options("")); err == nil {
		t.Error("a probe without time")
	}
	v := newSupervisor(t, o)
	if now := v.Sandbox(t.Context()); now.Level != mcpgen.LevelNone || now.MinimumMet || !strings.Contains(now.Problem, "no such file") {
		t.Errorf("the state where no child can be started: %+v", now)
	}
	if len(children(t)) != 0 {
		t.Error("a child is left")
	}
}

// TestRefusals: the admin sees what the broker refused a child.
func TestRefusals(t *testing.T) {
	o := options(shop(t))
	o.Args = turnedChild()
	v := newSupervisor(t, o)
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	turn(t, livePID(t, v), childtest.Stray)
	eventually(t, time.Minute, "the refusal is counted", func() bool { return v.Sandbox(t.Context()).Children[0].Broker.Denied == 1 })
	got := v.Sandbox(t.Context()).Children[0].Broker
	if len(got.LastRefusals) != 1 || got.LastRefusals[0].Host != "stray.example.com" || got.LastRefusals[0].Port != 25 || got.LastRefusals[0].Reason == "" {
		t.Errorf("got %+v", got)
	}
	mustCall(t, v, "which", "{}", "one") // one refusal is no abuse
}

// TestHung: a child that stops answering is ended and started again; a busy one is not (case 237).
func TestHung(t *testing.T) {
	o := options(shop(t))
	o.Args, o.AliveEvery, o.AliveTimeout = turnedChild(), 50*time.Millisecond, 3*time.Second
	v := newSupervisor(t, o)
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	time.Sleep(settled)
	pid := livePID(t, v)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the hung child was replaced", func() bool { s := v.State(); return s.PID != 0 && s.PID != pid })
	mustCallAgain(t, v, "which", "{}", "one")
	if last := v.Sandbox(t.Context()).LastExit; last == nil || !strings.Contains(last.Reason, "did not answer for 3s") {
		t.Errorf("the last exit: %+v", last)
	}
	pid = livePID(t, v)
	turn(t, pid, childtest.CPUSpin)
	time.Sleep(o.AliveTimeout + time.Second)
	if s := v.State(); s.PID != pid {
		t.Errorf("a busy child was taken for a hung one: %+v", s)
	}
	mustCall(t, v, "which", "{}", "one")
}

// TestGreedyTransform: a transform that takes all the memory it can is stopped by its own limit before the child's: the child goes on,
// and so do the calls beside it.
func TestGreedyTransform(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	s := echoSnapshot("one")
	bomb := store.ToolDraft{ConnectionID: "c-shop", Name: "bomb", Description: "bomb", SQLQuery: "SELECT 1 AS one", Transform: "[range(1e9)]|length"}.New()
	bomb.ID = "t-bomb"
	s.Tools = append(s.Tools, bomb)
	mustDeploy(t, v, deployment(t, 1, s, nil))
	pid := livePID(t, v)
	l := startLoad(v, 2, "one", t.Logf)
	if body, _, err := callTool(t.Context(), v, "bomb", "{}"); err != nil || !strings.Contains(body, "reduce the rows in SQL") {
		t.Errorf("the bomb: %s %v", body, err)
	}
	l.end()
	if now := v.State(); now.PID != pid || l.wrong.Load()+l.broken.Load()+l.unavailable.Load() > 0 {
		t.Errorf("the child: %+v; beside it %d calls failed", now, l.wrong.Load()+l.broken.Load()+l.unavailable.Load())
	}
}
