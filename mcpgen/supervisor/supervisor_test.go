package supervisor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

func TestDeployAndCall(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	if s := v.State(); s.Status != mcpgen.Stopped {
		t.Fatalf("before: %+v", s)
	}
	_, _, err := callTool(t.Context(), v, "which", "{}")
	if store.CodeOf(err) != store.Unavailable || !strings.Contains(err.Error(), "press Deploy") {
		t.Fatalf("a call with nothing deployed: %v", err)
	}
	var seen []string
	d := deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil)
	err = v.Deploy(t.Context(), d, func(s mcpgen.Step) { seen = append(seen, s.Name+" "+string(s.State)) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"start running", "start done", "health_check running", "health_check done", "switch running", "switch done"}; !slices.Equal(seen, want) {
		t.Errorf("steps: got %v, want %v", seen, want)
	}
	mustCall(t, v, "products", `{"status":"new"}`, `"rows":[{"id":1,"name":"Apple"},{"id":3,"name":"=1+1"}],"row_count":2,"truncated":false`)
	mustCall(t, v, "products", `{}`, `"row_count":3`)
	s := v.State()
	if s.Status != mcpgen.Running || s.Revision != 1 || s.PID == 0 || s.MemoryBytes == 0 || s.StartedAt == nil || len(s.Layers) == 0 {
		t.Errorf("state: %+v", s)
	}
	if s.SandboxLevel != "full" && s.SandboxLevel != "strong" {
		t.Errorf("the sandbox is %s: %+v", s.SandboxLevel, s.Layers)
	}
	pid := s.PID
	if err := v.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := v.State(); s.Status != mcpgen.Stopped || alive(pid) {
		t.Errorf("after stop: %+v, process alive: %v", s, alive(pid))
	}
	if _, _, err := callTool(t.Context(), v, "which", "{}"); store.CodeOf(err) != store.Unavailable {
		t.Errorf("a call after stop: %v", err)
	}
}

// TestWAL: a database in WAL mode is readable, also without its side files.
func TestWAL(t *testing.T) {
	dir := shop(t)
	makeShop(t, filepath.Join(dir, "wal.db"), "WAL")
	for _, side := range []string{"-wal", "-shm"} {
		if err := os.Remove(filepath.Join(dir, "wal.db"+side)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("wal.db"), "wal"), nil))
	mustCall(t, v, "products", `{}`, `"row_count":3`)
	info, err := os.Stat(filepath.Join(dir, "wal.db-wal"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the side file: %v %v", info, err)
	}
}

// TestWALOfACrash: what a writer that crashed left in the log is read, although the child may only read it.
func TestWALOfACrash(t *testing.T) {
	dir, from := shop(t), t.TempDir()
	makeShop(t, filepath.Join(from, "wal.db"), "WAL")
	db, err := sql.Open("sqlite", filepath.Join(from, "wal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO products VALUES (4,'Plum',1,'new')"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wal.db", "wal.db-wal"} { // as they are at this moment: the row is in the log alone
		b, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("wal.db"), "wal"), nil))
	mustCall(t, v, "products", `{}`, `"row_count":4`)
}

// TestWALSideFiles: the child may write the side files of a database, so nothing but a file of the database's own is taken for one: a
// link would let it write what the link leads to.
func TestWALSideFiles(t *testing.T) {
	for name, put := range map[string]func(dir, side string) error{
		"a symbolic link in the directory": func(_, side string) error { return os.Symlink("shop.db", side) },
		"a symbolic link out of it":        func(_, side string) error { return os.Symlink("/etc/passwd", side) },
		"a symbolic link to nothing":       func(_, side string) error { return os.Symlink("missing", side) },
		"a hard link":                      func(dir, side string) error { return os.Link(filepath.Join(dir, "shop.db"), side) },
		"a directory":                      func(_, side string) error { return os.Mkdir(side, 0o755) },
		"a pipe":                           func(_, side string) error { return syscall.Mkfifo(side, 0o644) },
		"somebody else's": func(_, side string) error {
			if os.Geteuid() != 0 {
				return nil // nobody gives a file away; the case is then a file of one's own
			}
			return errors.Join(os.WriteFile(side, nil, 0o644), os.Chown(side, 12345, 12345))
		},
		"a file": func(_, side string) error { return os.WriteFile(side, nil, 0o644) },
	} {
		for _, ending := range []string{"-wal", "-shm"} {
			dir := shop(t)
			makeShop(t, filepath.Join(dir, "wal.db"), "WAL")
			side := filepath.Join(dir, "wal.db"+ending)
			if err := os.Remove(side); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if err := put(dir, side); err != nil {
				t.Fatal(err)
			}
			refused := name != "a file" && (name != "somebody else's" || os.Geteuid() == 0)
			var p sandbox.Policy
			files, err := sqlitePolicy(&p, dir, []string{"wal.db"})
			defer files.close()
			if refused && (err == nil || !strings.Contains(err.Error(), "wal.db"+ending) || slices.Contains(p.RWFiles, side)) {
				t.Errorf("%s as wal.db%s: got %v with %v, want it refused by name", name, ending, err, p.RWFiles)
			}
			// Never the log: who can write it can change the database with it.
			if !refused && (err != nil || !slices.Equal(p.RWFiles, []string{filepath.Join(dir, "wal.db-shm")})) {
				t.Errorf("%s as wal.db%s: got %v with %v, want the index to be writable, and nothing else", name, ending, err, p.RWFiles)
			}
		}
	}
}

// TestSwapUnderLoad: no call fails because of a deploy, and after the switch is
// reported only the new revision answers (case 241).
func TestSwapUnderLoad(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "rev-1."), nil))
	ctx, stop := context.WithCancel(t.Context())
	var calls, failed, stale atomic.Int64
	var live atomic.Int64
	live.Store(1)
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				min := live.Load()
				body, _, err := callTool(context.Background(), v, "which", "{}")
				calls.Add(1)
				_, rest, ok := strings.Cut(body, `"marker":"rev-`)
				n, _, _ := strings.Cut(rest, ".")
				got, convErr := strconv.ParseInt(n, 10, 64)
				switch {
				case err != nil || !ok || convErr != nil:
					failed.Add(1)
					t.Logf("call failed: %s %v", body, err)
				case got < min:
					stale.Add(1)
				}
			}
		})
	}
	const deploys = 6
	for i := int64(2); i < 2+deploys; i++ {
		mustDeploy(t, v, deployment(t, int(i), snapshot(sqliteConnection("shop.db"), fmt.Sprintf("rev-%d.", i)), nil))
		live.Store(i)
	}
	stop()
	clients.Wait()
	if failed.Load() > 0 || stale.Load() > 0 || calls.Load() < 100 {
		t.Errorf("%d calls during %d deploys: %d failed, %d answered by an old revision", calls.Load(), deploys, failed.Load(), stale.Load())
	}
	eventually(t, time.Minute, "old children are gone", func() bool { return len(children(t)) == 1 })
}

// TestFailingCandidate: the old revision stays live whatever is wrong with the new one (case 243).
func TestFailingCandidate(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	bad := deployment(t, 2, snapshot(sqliteConnection("shop.db"), "two"), nil)
	bad.Manifest.Tools[0].SQL = "DROP TABLE products"
	var failedStep string
	err := v.Deploy(t.Context(), bad, func(s mcpgen.Step) {
		if s.State == mcpgen.StepFailed {
			failedStep = s.Name + ": " + s.Detail
		}
	})
	if err == nil || !strings.HasPrefix(failedStep, "start: ") || !strings.Contains(failedStep, "products") {
		t.Errorf("got %v, step %q", err, failedStep)
	}
	mustCall(t, v, "which", "{}", "one")

	ctx, cancel := context.WithCancel(t.Context())
	err = v.Deploy(ctx, deployment(t, 3, snapshot(sqliteConnection("shop.db"), "three"), nil), func(s mcpgen.Step) {
		if s.Name == "health_check" && s.State == mcpgen.StepDone {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancel before the switch: %v", err)
	}
	mustCall(t, v, "which", "{}", "one")
	eventually(t, time.Minute, "the candidates are gone", func() bool { return len(children(t)) == 1 })
	if s := v.State(); s.Status != mcpgen.Running || s.Revision != 1 {
		t.Errorf("state %+v", s)
	}
}

func TestTwoDeploysAtOnce(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	d := deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil)
	started, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	done := make(chan error, 1)
	go func() {
		done <- v.Deploy(t.Context(), d, func(mcpgen.Step) { once.Do(func() { close(started); <-release }) })
	}()
	<-started
	if err := v.Deploy(t.Context(), d, nil); store.CodeOf(err) != store.Conflict { // case 242
		t.Errorf("the second: %v", err)
	}
	if err := v.Stop(t.Context()); store.CodeOf(err) != store.Conflict {
		t.Errorf("stop meanwhile: %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCrash: the next call after a kill is answered by the same revision, within a second on a machine that has nothing else to do.
func TestCrash(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	states := make(chan mcpgen.ServerState, 100)
	v.OnChange(func(s mcpgen.ServerState) { states <- s })
	mustDeploy(t, v, deployment(t, 4, snapshot(sqliteConnection("shop.db"), "four"), nil))
	time.Sleep(settled)
	for i := range 3 {
		pid := livePID(t, v)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		// A thread of it may hold the pipes a moment longer; a call written then counts as sent.
		eventually(t, time.Minute, "the child is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
		start := time.Now()
		mustCallAgain(t, v, "which", "{}", "four")
		took := time.Since(start)
		t.Logf("the call after crash %d took %s", i+1, took)
		if os.Getenv("STUDIO_VERIFY") == "1" && took > time.Second {
			t.Error("that is too long")
		}
		if s := v.State(); s.Restarts != i+1 || s.PID == pid || !strings.Contains(s.LastExit, "SIGKILL") {
			t.Errorf("state %+v", s)
		}
		time.Sleep(settled)
	}
	if len(states) == 0 {
		t.Error("nobody was told of a change")
	}
}

// TestCrashLoop: a child that dies early is restarted with growing delay, the state
// shows it with its last words, and calls get a clear error (case 238).
func TestCrashLoop(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	v.o.Args = []string{"studio", "hostile", "exit"} // from now on children die
	if err := syscall.Kill(livePID(t, v), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var s mcpgen.ServerState
	eventually(t, time.Minute, "the state is error", func() bool { s = v.State(); return s.Status == mcpgen.Failed })
	if !strings.Contains(s.Error, "next attempt") {
		t.Errorf("state %+v", s)
	}
	start := time.Now()
	_, _, err := callTool(t.Context(), v, "which", "{}")
	if took := time.Since(start); store.CodeOf(err) != store.Unavailable || took > 20*time.Second { // patience, not the half minute to which the delay grows
		t.Errorf("a call got %v after %s", err, took)
	}
	eventually(t, time.Minute, "its last words are in the log", func() bool {
		return slices.ContainsFunc(v.Logs().Since(0, 0), func(l mcpgen.LogLine) bool { return strings.Contains(l.Message, "giving up for a test") })
	})
}

func TestNextDelay(t *testing.T) {
	var got []time.Duration
	d := time.Duration(0)
	for range 11 {
		d = nextDelay(d, false)
		got = append(got, d)
	}
	ms := time.Millisecond
	want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms, 30 * time.Second, 30 * time.Second}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if nextDelay(30*time.Second, true) != 0 {
		t.Error("a settled child does not reset the delay")
	}
}

// TestStopEndsRunningCalls: a stop drains and then ends what does not finish.
func TestStopEndsRunningCalls(t *testing.T) {
	o := options(shop(t))
	o.DrainTimeout = 500 * time.Millisecond
	v := newSupervisor(t, o)
	s := snapshot(sqliteConnection("shop.db"), "one")
	slow := store.ToolDraft{ConnectionID: "c-shop", Name: "slow", Description: "slow",
		SQLQuery: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 4000000000) SELECT count(*) AS n FROM n"}.New()
	slow.ID = "t-slow"
	s.Tools = append(s.Tools, slow)
	mustDeploy(t, v, deployment(t, 1, s, nil))
	done := make(chan error, 1)
	go func() {
		_, _, err := callTool(context.Background(), v, "slow", "{}")
		done <- err
	}()
	eventually(t, time.Minute, "the call runs", func() bool { return v.cur.Load().child.link.InFlight() == 1 })
	start := time.Now()
	if err := v.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second { // not as long as the statement may run
		t.Errorf("stop took %s", took)
	}
	err := <-done
	var told *store.Error
	if !errors.As(err, &told) || told.Code != store.Unavailable || strings.Contains(told.Message, "press Deploy") || strings.Contains(told.Message, "restarted") {
		t.Errorf("the running call got %v", err) // it may have run: never "not deployed", never sent again
	}
}

func TestLog(t *testing.T) {
	now := time.Unix(5, 0)
	const before = 5000 // where the ids begin
	l := newLog(func() time.Time { return now })
	for i := range maxLines + 10 {
		l.add(0, sourceChild, 1, fmt.Sprint("line ", i), nil)
	}
	all := l.Since(0, 0)
	if len(all) != maxLines || all[0].ID != before+11 || all[len(all)-1].ID != before+maxLines+10 {
		t.Fatalf("%d lines from %d to %d", len(all), all[0].ID, all[len(all)-1].ID)
	}
	backlog, next, stop := l.Subscribe(before + maxLines + 8)
	if len(backlog) != 2 {
		t.Fatalf("backlog %v", backlog)
	}
	l.add(0, sourceChild, 1, strings.Repeat("x", 2*maxLine)+"\xff", nil)
	if got := <-next; got.ID != before+maxLines+11 || len(got.Message) > maxLine+10 {
		t.Errorf("next line %d of %d bytes", got.ID, len(got.Message))
	}
	stop()
	stop()
	if _, open := <-next; open {
		t.Error("the channel is open after stop")
	}
	_, slow, stop := l.Subscribe(0)
	defer stop()
	for range maxBehind + 1 {
		l.add(0, sourceChild, 1, "more", nil)
	}
	n := 0
	for range slow {
		n++
	}
	if n != maxBehind {
		t.Errorf("a slow reader got %d lines before it was ended", n)
	}
	if got := l.Since(1<<40, 3); len(got) != 3 {
		t.Errorf("an id of another run gives %d lines", len(got))
	}
}

// TestLogOfTheNextRun: a page that comes back after a restart of the studio, with the id it saw last, gets all of the new log.
func TestLogOfTheNextRun(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	clock := func() time.Time { return now }
	first := newLog(clock)
	for range 50 {
		first.add(0, sourceDeploy, 1, "of the first run", nil)
	}
	seen := first.Since(0, 1)[0].ID
	now = now.Add(time.Second)
	second := newLog(clock)
	for range 60 {
		second.add(0, sourceDeploy, 1, "of the second run", nil)
	}
	backlog, _, stop := second.Subscribe(seen)
	stop()
	if len(backlog) != 60 || backlog[0].ID <= seen {
		t.Errorf("%d of 60 lines, from %d after %d", len(backlog), backlog[0].ID, seen)
	}
}

// TestLogPerRevision: a revision that says much, or much at once, costs no other revision its lines; the live one's stay.
func TestLogPerRevision(t *testing.T) {
	l := newLog(time.Now)
	l.keep(3)
	l.add(0, sourceChild, 3, "of the live one", nil)
	for range 5 * maxLines {
		l.add(0, sourceChild, 4, "chatter", nil)
	}
	l.add(0, sourceDeploy, 3, "later", nil)
	if got := l.tail(3, 5); !slices.Equal(got, []string{"of the live one"}) {
		t.Errorf("the live revision's last words: %v", got)
	}
	if got := l.Of(3, 0, 0); len(got) != 2 || len(l.Of(4, 0, 0)) != maxLines || len(l.Of(4, 0, 7)) != 7 || len(l.Of(5, 0, 0)) != 0 {
		t.Errorf("of one revision: %v", got)
	}
	all := l.Since(0, 0)
	if len(all) != maxLines+2 || !slices.IsSortedFunc(all, func(a, b mcpgen.LogLine) int { return int(a.ID) - int(b.ID) }) {
		t.Errorf("%d lines of both", len(all))
	}
	if got := l.Since(all[0].ID, 0); len(got) != maxLines+1 || l.Since(0, 1)[0].Message != "later" {
		t.Errorf("%d lines after the first", len(got))
	}
	long := strings.Repeat("y", maxLine)
	for range 400 {
		l.add(0, sourceChild, 5, long, nil)
	}
	if got := len(l.Of(5, 0, 0)); got != maxBytes/maxLine {
		t.Errorf("%d lines of %d bytes are kept", got, maxLine)
	}
	for revision := 6; revision < 40; revision++ {
		l.add(0, sourceDeploy, revision, "failed", nil)
	}
	if len(l.rings) != maxRings || len(l.Of(3, 0, 0)) != 2 || len(l.Of(39, 0, 0)) != 1 || len(l.Of(4, 0, 0)) != 0 {
		t.Errorf("%d revisions are kept", len(l.rings))
	}
}

// TestTalk: a child cannot fill the log, neither by lines nor by their size (case 237).
func TestTalk(t *testing.T) {
	now := time.Unix(5, 0)
	k := talk{now: func() time.Time { return now }}
	kept := 0
	for range 1000 {
		if _, ok := k.may(); ok {
			kept++
		}
	}
	now = now.Add(talkWindow)
	if dropped, ok := k.may(); kept != talkBurst || !ok || dropped != 1000-talkBurst {
		t.Errorf("kept %d, then %d dropped, %v", kept, dropped, ok)
	}
	attrs := map[string]string{"short": "x"}
	for i := range 31 {
		attrs[fmt.Sprint(i)] = strings.Repeat("y", 8192)
	}
	l := newLog(time.Now)
	l.add(0, sourceChild, 1, "m", attrs)
	size := 0
	for k, v := range l.Since(0, 0)[0].Attrs {
		size += len(k) + len(v)
	}
	if size > maxAttrs+1024 || l.Since(0, 0)[0].Attrs["short"] != "x" {
		t.Errorf("%d bytes of attributes are kept", size)
	}
}

// TestBenchMethodsAreNotServed: a workbench's methods do not exist on the generated server.
func TestBenchMethodsAreNotServed(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	q := hop.Request{Method: []byte(mcpgen.BenchPreview), ID: []byte("1"), Args: []byte(`{}`)}
	var r hop.Reply
	if err := v.Call(t.Context(), &q, &r); err != nil || !strings.Contains(string(r.Body), "-32601") {
		t.Errorf("got %s %v", r.Body, err)
	}
	var answer struct{ Error struct{ Code int } }
	if json.Unmarshal(r.Body, &answer) != nil {
		t.Error("not JSON")
	}
}

// TestPrivateDirectory: as root, the databases may lie below a directory that lets nobody else through; a directory that children
// cannot read is named.
func TestPrivateDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("children have a uid of their own only when the studio runs as root")
	}
	outer := t.TempDir()
	dir := filepath.Join(outer, "databases")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	makeShop(t, filepath.Join(dir, "shop.db"), "DELETE")
	if err := os.Chmod(outer, 0o700); err != nil {
		t.Fatal(err)
	}
	v := newSupervisor(t, options(dir))
	var got mcpgen.TestResult
	if err := v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &got); err != nil || !got.Success {
		t.Errorf("the workbench: %+v %v", got, err)
	}
	if err := v.Deploy(t.Context(), deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("shop.db"), "two"), nil), nil)
	if err == nil || !strings.Contains(err.Error(), "has mode 0700; chgrp 64123") {
		t.Fatalf("got %v", err)
	}
	if s := v.State(); s.Status != mcpgen.Running || s.Revision != 1 {
		t.Errorf("state %+v", s)
	}
}

// TestPostgres: a real database behind the broker: calls, a cancel that reaches the
// server, and connections that belong to one child only (case 233).
func TestPostgres(t *testing.T) {
	c, secrets := pgConnection(t)
	v := newSupervisor(t, options(""))
	s := store.Snapshot{Connections: []*store.Connection{c}, Config: store.NewServerConfig()}
	for name, sql := range map[string]string{"who": "SELECT application_name AS app FROM pg_stat_activity WHERE pid = pg_backend_pid()", "sleep": "SELECT pg_sleep(60)", "sum": "SELECT :a + 1 AS n"} {
		d := store.ToolDraft{ConnectionID: c.ID, Name: name, Description: name, SQLQuery: sql}
		if name == "sum" {
			d.Parameters = []store.Parameter{{Name: "a", ParamType: store.TypeInteger, IsRequired: true}}
		}
		x := d.New()
		x.ID = "t-" + name
		s.Tools = append(s.Tools, x)
	}
	mustDeploy(t, v, deployment(t, 1, s, secrets))
	mustCall(t, v, "sum", `{"a":41}`, `"n":42`)
	mustCall(t, v, "who", `{}`, `"row_count":1`)

	sleeping := func() int {
		var out mcpgen.PreviewOut
		in := mcpgen.PreviewIn{Tool: draft(t, "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()", nil), Arguments: json.RawMessage("{}")}
		b := mcpgen.Bench{Connection: mcpgen.ConnectionOf(c), Secrets: mcpgen.NewSecrets(secrets)}
		if err := v.Bench(t.Context(), b, mcpgen.BenchPreview, in, &out); err != nil {
			t.Fatal(err)
		}
		var rows []struct{ N int }
		if err := json.Unmarshal(out.Rows, &rows); err != nil || len(rows) != 1 {
			t.Fatalf("%s %v", out.Rows, err)
		}
		return rows[0].N
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := callTool(ctx, v, "sleep", "{}")
		done <- err
	}()
	eventually(t, time.Minute, "the statement runs", func() bool { return sleeping() == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually(t, time.Minute, "the statement ended on the server", func() bool { return sleeping() == 0 })
	mustCall(t, v, "sum", `{"a":1}`, `"n":2`)

	plan, err := v.planServer(deployment(t, 2, snapshot(sqliteConnection("shop.db"), "x"), nil))
	if err == nil || plan != nil { // without a SQLite directory there is no plan at all
		t.Errorf("a plan without a directory: %v", err)
	}
	live := v.cur.Load().child.plan.allow
	if len(live) != 1 || live[c.ID].Host != c.Host || live[c.ID].Port != c.Port {
		t.Errorf("the live child may dial %v", live)
	}
}
