package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen/child/childtest"
)

// TestFaultyChild lets one child misbehave in every way there is, from inside its sandbox and through what a database can do to it,
// and asks the studio and the other child for answers meanwhile: neither may notice (case 237). What it prints is how long they took.
func TestFaultyChild(t *testing.T) {
	needChild(t)
	f := newFaulty(t)
	f.run("nothing", "live", func(int) {})
	for _, x := range []struct {
		name string
		turn childtest.Turn
	}{
		{"memory bomb", childtest.MemoryBomb}, {"CPU spin", childtest.CPUSpin}, {"spin in 80 threads", childtest.ThreadSpin},
		{"fork bomb", childtest.ForkBomb}, {"thread bomb", childtest.ThreadBomb},
		{"every descriptor", childtest.Descriptors}, {"endless output", childtest.Chatter},
	} {
		f.run(x.name, "live", func(pid int) { f.signal(pid, x.turn.Signal()) })
	}
	f.run("no answer at all", "live", func(pid int) { f.signal(pid, syscall.SIGSTOP) })
	f.run("hung query, SQLite", "live", func(int) { f.calls("spin", 8) })
	f.run("900 MB value, SQLite", "live", func(int) { f.calls("bomb", 4) })
	if f.postgres {
		f.run("hung query, PostgreSQL", "live", func(int) { f.calls("pg_hang", 8) })
		f.run("300 MB value, PostgreSQL", "live", func(int) { f.calls("pg_bomb", 4) })
	} else {
		t.Log("without PostgreSQL: STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	f.run("memory bomb", "workbench", func(pid int) { f.signal(pid, childtest.MemoryBomb.Signal()) })
	f.run("CPU spin", "workbench", func(pid int) { f.signal(pid, childtest.CPUSpin.Signal()) })
	f.run("spin in 80 threads", "workbench", func(pid int) { f.signal(pid, childtest.ThreadSpin.Signal()) })
	f.run("no answer at all", "workbench", func(pid int) { f.signal(pid, syscall.SIGSTOP) })
}

// faulty is a studio with tools that hurt.
type faulty struct {
	*running
	token      string
	connection string
	postgres   bool
	hurting    sync.WaitGroup
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	f := &faulty{running: start(t, dataDir(t))}
	f.setUp()
	sample := f.api(http.MethodPost, "/sample", map[string]any{"deploy": false}, http.StatusCreated)
	f.connection = fmt.Sprint(sample["connection_id"])
	f.tool(f.connection, "quick", "SELECT 1 AS one")
	f.tool(f.connection, "spin", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) AS n FROM n")
	f.tool(f.connection, "bomb", "SELECT zeroblob(900000000) AS b")
	if dsn := os.Getenv("STUDIO_TEST_POSTGRES"); dsn != "" {
		u, err := url.Parse(dsn)
		if err != nil || u.Port() == "" {
			t.Fatalf("STUDIO_TEST_POSTGRES is not a URL with a port: %v", err)
		}
		password, _ := u.User.Password()
		var port int
		if _, err := fmt.Sscan(u.Port(), &port); err != nil {
			t.Fatal(err)
		}
		draft := map[string]any{"name": "pg", "db_type": "postgresql", "host": u.Hostname(), "port": port,
			"database": strings.TrimPrefix(u.Path, "/"), "username": u.User.Username(), "ssl_mode": "disable"}
		if password != "" {
			draft["password"] = password
		}
		id := fmt.Sprint(f.api(http.MethodPost, "/connections", draft, http.StatusCreated)["id"])
		f.tool(id, "pg_hang", "SELECT pg_sleep(600) AS s")
		f.tool(id, "pg_bomb", "SELECT repeat('x', 300000000) AS x")
		f.postgres = true
	}
	f.api(http.MethodPatch, "/server/config", map[string]any{"child_memory_mib": 128}, http.StatusOK)
	f.api(http.MethodPost, "/deploy", map[string]any{"accept_warnings": true}, http.StatusAccepted)
	f.waitFor("running")
	f.token = fmt.Sprint(f.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "faults"}, http.StatusCreated)["token"])
	t.Cleanup(f.hurting.Wait)
	return f
}

func (f *faulty) tool(connection, name, sql string) {
	f.t.Helper()
	f.api(http.MethodPost, "/tools", map[string]any{"connection_id": connection, "name": name, "description": name, "sql_query": sql}, http.StatusCreated)
}

// pid is the process of the child with a role, starting a workbench if there is none.
func (f *faulty) pid(role string) int {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if role == "workbench" && f.preview() != nil {
			continue
		}
		children, _ := f.api(http.MethodGet, "/server/sandbox", nil, http.StatusOK)["children"].([]any)
		for _, c := range children {
			if c, ok := c.(map[string]any); ok && c["role"] == role {
				pid, _ := c["pid"].(float64)
				return int(pid)
			}
		}
	}
	f.t.Fatalf("there is no %s child", role)
	return 0
}

func (f *faulty) signal(pid int, s syscall.Signal) {
	f.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		f.t.Fatal(err)
	}
}

// calls makes calls that hurt and does not wait for them; nobody can say what their answers are.
func (f *faulty) calls(tool string, times int) {
	for range times {
		f.hurting.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), hurtTime()+time.Second)
			defer cancel()
			_ = f.ask(ctx, tool)
		})
	}
}

// hurtTime is how long each fault lasts.
func hurtTime() time.Duration {
	if verify() {
		return 5 * time.Second
	}
	return 700 * time.Millisecond
}

// run sees how the studio and the other child answer while a child has a fault. A machine that others use too is slow now and then:
// a fault that makes anybody wait does so each of three times.
func (f *faulty) run(fault, role string, hurt func(pid int)) {
	f.t.Helper()
	for left := 2; ; left-- {
		slow := f.once(fault, role, hurt)
		if slow == "" || left == 0 {
			if slow != "" {
				f.t.Errorf("%s: %s", fault, slow)
			}
			return
		}
		f.t.Logf("%s: %s; again", fault, slow)
	}
}

// once starts a fault in the child of a role, measures, brings the child back, and says what was too slow.
func (f *faulty) once(fault, role string, hurt func(pid int)) (slow string) {
	f.t.Helper()
	pid := f.pid(role)
	other := func() error { return f.preview() }
	if role == "workbench" {
		other = func() error { return f.ask(f.t.Context(), "quick") }
	}
	if err := other(); err != nil {
		f.t.Fatalf("before %s: %v", fault, err)
	}
	hurt(pid)
	ctx, stop := context.WithTimeout(f.t.Context(), hurtTime())
	defer stop()
	var studio, child []time.Duration
	var both sync.WaitGroup
	both.Go(func() { studio = f.pulse(ctx, fault+": the studio", f.health) })
	both.Go(func() { child = f.pulse(ctx, fault+": the other child", other) })
	both.Wait()
	f.t.Logf("%-9s %-24s studio %s; other child %s", role, fault, figures(studio), figures(child))
	if p := studio[len(studio)*9/10]; p > 500*time.Millisecond {
		slow = fmt.Sprintf("one answer in ten of the studio took more than %s", p)
	}
	if p := child[len(child)*9/10]; p > time.Second {
		slow = fmt.Sprintf("one answer in ten of the other child took more than %s", p)
	}
	f.heal(pid, role)
	return slow
}

// heal ends the child that was hurt, and sees the next one answer. The server is deployed again: what ends so soon after its start
// would be held back longer each time.
func (f *faulty) heal(pid int, role string) {
	f.t.Helper()
	_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	f.hurting.Wait()
	if role == "live" {
		f.api(http.MethodPost, "/deploy/stop", nil, http.StatusAccepted)
		f.api(http.MethodPost, "/deploy/revisions/1/activate", map[string]any{}, http.StatusAccepted)
		f.waitFor("running")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := f.ask(f.t.Context(), "quick")
		if err == nil {
			err = f.preview()
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("the %s child does not come back: %v", role, err)
		}
	}
}

// pulse asks until ctx ends and returns how long the answers took, in order of size. Every one must come.
func (f *faulty) pulse(ctx context.Context, what string, ask func() error) []time.Duration {
	var took []time.Duration
	for ctx.Err() == nil || len(took) == 0 {
		began := time.Now()
		if err := ask(); err != nil {
			f.t.Errorf("%s: %v", what, err)
			return []time.Duration{time.Since(began)}
		}
		took = append(took, time.Since(began))
		time.Sleep(2 * time.Millisecond)
	}
	slices.Sort(took)
	return took
}

func figures(sorted []time.Duration) string {
	return fmt.Sprintf("%d answers, %s in the middle, %s at most", len(sorted), middle(sorted), sorted[len(sorted)-1].Round(100*time.Microsecond))
}

func (f *faulty) health() error {
	return f.expect(f.t.Context(), http.MethodGet, f.base+"/api/health", "", `"status"`)
}

// preview asks the workbench of the sample connection.
func (f *faulty) preview() error {
	body := fmt.Sprintf(`{"connection_id":%q,"sql_query":"SELECT 7 AS seven"}`, f.connection)
	return f.expect(f.t.Context(), http.MethodPost, f.base+"/api/v1/preview/execute", body, `"rows":[{"seven":7}]`)
}

// ask calls a tool of the live child.
func (f *faulty) ask(ctx context.Context, tool string) error {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":{}}}`, tool)
	return f.expect(ctx, http.MethodPost, f.base+"/mcp", body, `"rows":[{"one":1}]`)
}

func (f *faulty) expect(ctx context.Context, method, at, body, want string) error {
	q, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "application/json, text/event-stream")
	q.Header.Set("MCP-Protocol-Version", "2025-06-18")
	q.Header.Set("Authorization", "Bearer "+f.token)
	if !strings.HasSuffix(at, "/mcp") {
		q.Header.Del("Authorization")
		q.AddCookie(f.cookie)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(b), want)) {
		err = fmt.Errorf("%s %s: %d %.300s", method, at, res.StatusCode, b)
	}
	return err
}
