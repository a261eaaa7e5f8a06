package supervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// rounds is how often a test does something to a child: a sample, or with STUDIO_VERIFY=1 all the rounds that are promised.
func rounds(sample, all int) int {
	if os.Getenv("STUDIO_VERIFY") == "1" {
		return all
	}
	return sample
}

// echoSnapshot has a tool whose answer shows who asked.
func echoSnapshot(marker string) store.Snapshot {
	s := snapshot(sqliteConnection("shop.db"), marker)
	x := store.ToolDraft{ConnectionID: "c-shop", Name: "echo", Description: "echo", SQLQuery: "SELECT :n AS n, '" + marker + "' AS marker",
		Parameters: []store.Parameter{{Name: "n", ParamType: store.TypeInteger, IsRequired: true}}}.New()
	x.ID = "t-echo"
	s.Tools = append(s.Tools, x)
	return s
}

// load calls echo from some clients until stop and counts. An answer that is not the caller's own is wrong; an error other than a
// clear "unavailable" is broken.
type load struct {
	answered, unavailable, wrong, broken atomic.Int64
	clients                              sync.WaitGroup
	stop                                 context.CancelFunc
	note                                 func(format string, args ...any)
}

func startLoad(v *Supervisor, clients int, marker string, note func(string, ...any)) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop, note: note}
	for c := range clients {
		l.clients.Go(func() {
			for n := c * 1_000_000; ctx.Err() == nil; n++ {
				l.count(v, n, marker)
				time.Sleep(time.Millisecond) // load, not all there is of the machine
			}
		})
	}
	return l
}

func (l *load) count(v *Supervisor, n int, marker string) {
	body, _, err := callTool(context.Background(), v, "echo", fmt.Sprintf(`{"n":%d}`, n))
	switch {
	case err == nil && strings.Contains(body, fmt.Sprintf(`"rows":[{"n":%d,"marker":"%s"}]`, n, marker)):
		l.answered.Add(1)
	case err == nil:
		l.wrong.Add(1)
		l.note("asked %d, got %s", n, body)
	case store.CodeOf(err) == store.Unavailable:
		l.unavailable.Add(1)
		time.Sleep(time.Millisecond) // a client that is told to come back later
	default:
		l.broken.Add(1)
		l.note("asked %d: %v", n, err)
	}
}

func (l *load) end() {
	l.stop()
	l.clients.Wait()
}

// TestKilledUnderLoad: whenever the child is killed under load, a call is answered again within a second, by nobody else's answer, and
// no call fails in another way than with a clear error (case 238).
func TestKilledUnderLoad(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, echoSnapshot("one"), nil))
	l := startLoad(v, 8, "one", t.Logf)
	var took []time.Duration
	n := rounds(5, 100)
	for i := range n {
		time.Sleep(settled + 50*time.Millisecond)
		pid := livePID(t, v)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for { // whoever is told that an earlier call's outcome is not known asks again
			body, _, err := callTool(t.Context(), v, "echo", `{"n":-1}`)
			if now := v.State().PID; err == nil && strings.Contains(body, `"n":-1`) && now != pid && now != 0 {
				break
			}
			if time.Since(start) > time.Minute {
				t.Fatalf("no answer after kill %d: %s %v", i+1, body, err)
			}
		}
		took = append(took, time.Since(start))
	}
	l.end()
	slices.Sort(took)
	t.Logf("%d kills under load: answered again after %s in the middle, %s at most; %d calls answered, %d told to come back, %d wrong, %d broken",
		n, took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond), l.answered.Load(), l.unavailable.Load(), l.wrong.Load(), l.broken.Load())
	if l.wrong.Load()+l.broken.Load() > 0 || l.answered.Load() < 100 {
		t.Error("a call got a wrong answer or an unclear error, or there was no load")
	}
	bound := 30 * time.Second // of the sample, which runs beside other tests: it is the first answer, not the time
	if n == 100 {
		bound = time.Second
	}
	if most := took[len(took)-1]; most > bound {
		t.Errorf("a kill kept callers waiting for %s", most)
	}
	if s := v.State(); s.Restarts != n {
		t.Errorf("%d restarts after %d kills", s.Restarts, n)
	}
}

// inUse is what this process holds: goroutines, descriptors, and bytes of the heap.
func inUse(t *testing.T) (goroutines, files int, heap uint64) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	for range 3 { // pools give up what they hold at the second one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), len(fds), m.HeapAlloc
}

// TestNothingIsLeft: after thousands of calls of all kinds, among them broken ones and such whose callers go away at any moment, with
// kills and deploys in between, the studio holds what it held before.
func TestNothingIsLeft(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, echoSnapshot("one"), nil))
	for i := range 100 {
		mustCall(t, v, "echo", fmt.Sprintf(`{"n":%d}`, i), fmt.Sprintf(`"n":%d`, i))
	}
	goroutines, files, heap := inUse(t)
	const clients = 16
	each := rounds(2_000, 10_000) / clients
	var all sync.WaitGroup
	var made, answered atomic.Int64
	for c := range clients {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(c)))
			for range each {
				ctx, cancel := context.WithCancel(context.Background())
				if r.IntN(3) == 0 {
					after := time.Duration(r.IntN(3000)) * time.Microsecond
					time.AfterFunc(after, cancel)
				}
				call := [][2]string{{"echo", `{"n":1}`}, {"echo", `{"n":"x"}`}, {"none", `{}`}, {"products", `{"status":"new"}`}, {"echo", `{"n":` + strings.Repeat(" ", 1<<18) + `1}`}}[r.IntN(5)]
				if _, _, err := callTool(ctx, v, call[0], call[1]); err == nil {
					answered.Add(1)
				}
				cancel()
				made.Add(1)
			}
		})
	}
	total := int64(each * clients)
	for i := range int64(4) {
		eventually(t, 5*time.Minute, "the calls go on", func() bool { return made.Load() >= total*(i+1)/5 })
		if i%2 == 0 {
			mustDeploy(t, v, deployment(t, int(i)+2, echoSnapshot("one"), nil))
		} else if err := syscall.Kill(livePID(t, v), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	mustCallAgain(t, v, "echo", `{"n":7}`, `"n":7`)
	if answered.Load() < total/4 {
		t.Errorf("%d of %d calls were answered", answered.Load(), total)
	}
	var g, f int
	var h uint64
	eventually(t, time.Minute, "all is given back", func() bool {
		g, f, h = inUse(t)
		return g <= goroutines+4 && f <= files && h <= heap+4<<20 && len(children(t)) == 1
	})
	t.Logf("%d calls, %d answered: %d goroutines (%d before), %d descriptors (%d), %d KiB of heap (%d)", total, answered.Load(), g, goroutines, f, files, h>>10, heap>>10)
}

// TestKilledWhileDraining: the log says what became of the old revision's calls when it did not get to finish them.
func TestKilledWhileDraining(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	s := snapshot(sqliteConnection("shop.db"), "one")
	slow := store.ToolDraft{ConnectionID: "c-shop", Name: "slow", Description: "slow",
		SQLQuery: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 4000000000) SELECT count(*) AS n FROM n"}.New()
	slow.ID = "t-slow"
	s.Tools = append(s.Tools, slow)
	mustDeploy(t, v, deployment(t, 1, s, nil))
	old := v.cur.Load().child
	done := make(chan error, 1)
	go func() {
		_, _, err := callTool(context.Background(), v, "slow", "{}")
		done <- err
	}()
	eventually(t, time.Minute, "the call runs", func() bool { return old.link.InFlight() == 1 })
	mustDeploy(t, v, deployment(t, 2, snapshot(sqliteConnection("shop.db"), "two"), nil))
	if err := syscall.Kill(old.box.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; store.CodeOf(err) != store.Unavailable {
		t.Errorf("the running call got %v", err)
	}
	var last string
	eventually(t, time.Minute, "the log says what became of it", func() bool {
		lines := v.Logs().Of(1, 0, 1)
		last = lines[0].Message
		return strings.Contains(last, "finished") || strings.Contains(last, "drained")
	})
	if !strings.Contains(last, "before its calls had finished") || !strings.Contains(last, "SIGKILL") {
		t.Errorf("it says %q", last)
	}
	mustCall(t, v, "which", "{}", "two")
}

// TestKilledParent: no child outlives a parent that is killed under load, neither the server nor a workbench, whether the parent
// starts its children itself or has another process do it (case 239).
func TestKilledParent(t *testing.T) {
	dir := shop(t)
	for _, how := range []string{"alone", "starter"} {
		var longest time.Duration
		n := rounds(5, 100)
		for range n {
			longest = max(longest, killParent(t, dir, how))
		}
		t.Logf("%d parents killed under load (%s): children gone after %s at most", n, how, longest.Round(time.Millisecond))
	}
}

// killParent starts a parent under load, kills it, and returns how long its children lived on.
func killParent(t *testing.T, dir, how string) time.Duration {
	t.Helper()
	cmd := exec.Command(os.Args[0], "parent", dir, theExe, how)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the parent did not come under load: %v", err)
	}
	var pids []int
	for _, word := range strings.Fields(line) {
		var pid int
		if _, err := fmt.Sscan(word, &pid); err != nil || !alive(pid) {
			t.Fatalf("%q of %q is no child that lives", word, line)
		}
		pids = append(pids, pid)
	}
	if len(pids) < 2 {
		t.Fatalf("the parent has the children %q", line)
	}
	start := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the children are gone", func() bool { return !slices.ContainsFunc(pids, alive) })
	took := time.Since(start)
	_ = cmd.Wait() // it was killed
	return took
}

// parentToKill deploys, uses a workbench, comes under load, prints its children, and waits for its end.
func parentToKill(dir, exe, how string) int {
	theExe = exe
	o := options(dir)
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if how == "starter" {
		starter, err := sandbox.NewStarter(sandbox.StarterOptions{Args: []string{"studio", "starter", "test"}, ChildArgs: realChild(), Exe: exe})
		if err != nil {
			return fail(err)
		}
		o.Starter = starter
	}
	v := New(o)
	m, problems := mcpgen.Compile(echoSnapshot("one"), mcpgen.Options{})
	if len(mcpgen.Stops(problems)) > 0 {
		return fail(errors.New("the configuration does not compile"))
	}
	if err := v.Deploy(context.Background(), mcpgen.Deployment{Revision: 1, Manifest: m}, nil); err != nil {
		return fail(err)
	}
	var res mcpgen.TestResult
	if err := v.Bench(context.Background(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &res); err != nil {
		return fail(err)
	}
	l := startLoad(v, 8, "one", func(string, ...any) {})
	for l.answered.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	var line []string
	for _, c := range v.Sandbox(context.Background()).Children {
		line = append(line, fmt.Sprint(c.PID))
	}
	if o.Starter != nil {
		line = append(line, fmt.Sprint(o.Starter.PID()))
	}
	fmt.Println(strings.Join(line, " "))
	time.Sleep(time.Minute)
	return 0
}
