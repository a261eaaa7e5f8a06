package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
)

func sqliteBench(file string) mcpgen.Bench {
	return mcpgen.Bench{Connection: mcpgen.ConnectionOf(sqliteConnection(file))}
}

func draft(t *testing.T, sql string, change func(*store.Tool)) mcpgen.Tool {
	t.Helper()
	tool := store.ToolDraft{Name: "draft", Description: "d", SQLQuery: sql}.New()
	if change != nil {
		change(tool)
	}
	d, err := mcpgen.Draft(tool)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBenchSQLite(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	benchSuite(t, v, sqliteBench("shop.db"), "products")
}

func TestBenchPostgres(t *testing.T) {
	c, secrets := pgConnection(t)
	v := newSupervisor(t, options(""))
	b := mcpgen.Bench{Connection: mcpgen.ConnectionOf(c), Secrets: mcpgen.NewSecrets(secrets)}
	benchSuite(t, v, b, "")
	wrong := b
	wrong.Secrets = mcpgen.NewSecrets(map[string]map[string]string{"c-pg": {"password": "sentinel-wrong-password"}})
	wrong.Connection.Username = "nobody_of_this_name"
	var res mcpgen.TestResult
	if err := v.Bench(t.Context(), wrong, mcpgen.BenchTest, struct{}{}, &res); err != nil || res.Success {
		t.Fatalf("an unknown user: %+v %v", res, err)
	}
	if out := fmt.Sprintf("%+v", res); strings.Contains(out, "sentinel") { // case 87
		t.Errorf("the password is in %s", out)
	}
	closed := b
	closed.Connection.Port = closedPort(t)
	if err := v.Bench(t.Context(), closed, mcpgen.BenchTest, struct{}{}, &res); err != nil || res.Success || res.Steps[len(res.Steps)-1].Name != "connect" {
		t.Errorf("a closed port: %+v %v", res, err)
	}
}

// TestBenchPolicy: what the broker refuses is a failed step with a reason (case 94).
func TestBenchPolicy(t *testing.T) {
	o := options("")
	o.Broker.AllowPrivate = false
	v := newSupervisor(t, o)
	c := store.ConnectionDraft{Name: "pg", DBType: "postgresql", Host: "127.0.0.1", Port: closedPort(t), Database: "x", Username: "x"}.New()
	var res mcpgen.TestResult
	err := v.Bench(t.Context(), mcpgen.Bench{Connection: mcpgen.ConnectionOf(c)}, mcpgen.BenchTest, struct{}{}, &res)
	if err != nil || res.Success || len(res.Steps) == 0 || !strings.Contains(res.Steps[len(res.Steps)-1].Message, "private") {
		t.Errorf("got %+v %v", res, err)
	}
}

func benchSuite(t *testing.T, v *Supervisor, b mcpgen.Bench, table string) {
	t.Helper()
	ctx := t.Context()
	var res mcpgen.TestResult
	if err := v.Bench(ctx, b, mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success || res.ServerVersion == "" || len(res.Steps) == 0 {
		t.Fatalf("test: %+v %v", res, err)
	}
	var tables mcpgen.TablesOut
	if err := v.Bench(ctx, b, mcpgen.BenchTables, mcpgen.TablesIn{Columns: true}, &tables); err != nil || tables.Items == nil {
		t.Errorf("tables: %+v %v", tables, err)
	}
	if table != "" {
		var columns mcpgen.ColumnsOut
		if err := v.Bench(ctx, b, mcpgen.BenchColumns, mcpgen.ColumnsIn{Table: table}, &columns); err != nil || len(columns.Columns) != 4 || !columns.Columns[0].PrimaryKey {
			t.Errorf("columns: %+v %v", columns, err)
		}
	}
	err := v.Bench(ctx, b, mcpgen.BenchColumns, mcpgen.ColumnsIn{Table: "nonesuch"}, &mcpgen.ColumnsOut{})
	if store.CodeOf(err) != store.NotFound {
		t.Errorf("columns of an unknown table: %v", err)
	}
	var out mcpgen.PreviewOut
	in := mcpgen.PreviewIn{Tool: draft(t, "SELECT 1 AS a, 'x' AS b", nil), Arguments: json.RawMessage(`{}`)}
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); err != nil || string(out.Rows) != `[{"a":1,"b":"x"}]` || out.RowCount != 1 || len(out.Columns) != 2 {
		t.Errorf("preview: %+v %s %v", out, out.Rows, err)
	}
	if want := `{"structuredContent":{"rows":[{"a":1,"b":"x"}],"row_count":1,"truncated":false},"content":[{"type":"text","text":"{\"rows\":[{\"a\":1,\"b\":\"x\"}],\"row_count\":1,\"truncated\":false}"}]}`; string(out.ClientResult) != want {
		t.Errorf("client result: %s", out.ClientResult)
	}
	in.Tool = draft(t, "SELECT 1 AS a", func(x *store.Tool) { x.Transform = "map(.a)" })
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); err != nil || string(out.Transformed) != `{"result":[1]}` || string(out.Rows) != `[{"a":1}]` {
		t.Errorf("transform: %s %s %v", out.Transformed, out.Rows, err)
	}
	in.Tool = draft(t, "SELECT 1 AS a", func(x *store.Tool) { x.Transform = ".[0].a.b" })
	out = mcpgen.PreviewOut{}
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); err != nil || out.TransformError == "" || string(out.Rows) != `[{"a":1}]` || !strings.Contains(string(out.ClientResult), `"isError":true`) {
		t.Errorf("failing transform: %+v %v", out, err)
	}
	in.Tool = draft(t, "SELECT nope FROM nowhere", nil)
	var told *store.Error
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); !errors.As(err, &told) || told.Code != store.Invalid || told.Field != "sql_query" || !strings.Contains(told.Message, "nowhere") {
		t.Errorf("bad SQL: %v", err)
	}
	in.Tool = draft(t, "DELETE FROM nowhere", nil)
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); store.CodeOf(err) != store.Invalid {
		t.Errorf("a preview may only read: %v", err)
	}
	in.Tool = draft(t, "SELECT :n AS n", func(x *store.Tool) {
		x.Parameters = []store.Parameter{{Name: "n", ParamType: store.TypeInteger, IsRequired: true}}
	})
	in.Arguments = json.RawMessage(`{"n":"x"}`)
	if err := v.Bench(ctx, b, mcpgen.BenchPreview, in, &out); !errors.As(err, &told) || told.Field != "arguments.n" {
		t.Errorf("a wrong argument: %v", err)
	}
	var check mcpgen.CheckOut
	if err := v.Bench(ctx, b, mcpgen.BenchCheck, mcpgen.CheckIn{SQL: "SELECT 1 AS one"}, &check); err != nil || !check.OK || len(check.Columns) != 1 {
		t.Errorf("check: %+v %v", check, err)
	}
	if err := v.Bench(ctx, b, mcpgen.BenchCheck, mcpgen.CheckIn{SQL: "SELECT nope FROM nowhere"}, &check); err != nil || check.OK || check.Message == "" {
		t.Errorf("check of bad SQL: %+v %v", check, err)
	}
	if n := len(children(t)); n != 1 {
		t.Errorf("%d children for one workbench", n)
	}
}

// TestBenchLife: reused, replaced when the draft changes, ended when idle, bounded in number.
func TestBenchLife(t *testing.T) {
	dir := shop(t)
	for i := range 3 {
		makeShop(t, filepath.Join(dir, fmt.Sprintf("s%d.db", i)), "DELETE")
	}
	t.Run("reused and replaced", func(t *testing.T) {
		v := newSupervisor(t, options(dir))
		test := func(b mcpgen.Bench) {
			t.Helper()
			var res mcpgen.TestResult
			if err := v.Bench(t.Context(), b, mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
				t.Fatalf("%+v %v", res, err)
			}
		}
		b := sqliteBench("shop.db")
		test(b)
		first := children(t)
		test(b)
		if again := children(t); len(first) != 1 || !slices.Equal(first, again) {
			t.Errorf("not the same workbench: %v, then %v", first, again)
		}
		b.Connection.MaxRows++
		test(b)
		eventually(t, time.Minute, "the changed draft has a workbench of its own, the old one is gone", func() bool {
			now := children(t)
			return len(now) == 1 && now[0] != first[0]
		})
	})
	// Three connections on two places: each gets its answer, never more than two run for long; and nobody needs them for long.
	o := options(dir)
	o.BenchIdle, o.BenchMax = 400*time.Millisecond, 2
	v := newSupervisor(t, o)
	var all sync.WaitGroup
	var most atomic.Int64
	for i := range 3 {
		all.Go(func() {
			b := sqliteBench(fmt.Sprintf("s%d.db", i))
			b.Connection.ID = fmt.Sprint("c", i)
			for range 3 {
				var res mcpgen.TestResult
				if err := v.Bench(t.Context(), b, mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
					t.Errorf("%+v %v", res, err)
				}
				v.benches.mu.Lock()
				most.Store(max(most.Load(), int64(len(v.benches.byKey))))
				v.benches.mu.Unlock()
			}
		})
	}
	all.Wait()
	if most.Load() > 2 {
		t.Errorf("%d workbenches at once", most.Load())
	}
	eventually(t, time.Minute, "idle workbenches end", func() bool { return len(children(t)) == 0 })
}

// TestBenchForgotten: the workbench of a connection that was changed or deleted ends at once, after what runs in it.
func TestBenchForgotten(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	var res mcpgen.TestResult
	if err := v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
		t.Fatalf("%+v %v", res, err)
	}
	v.Forget("c-other")
	if len(children(t)) != 1 {
		t.Error("the workbench of another connection ended")
	}
	in := mcpgen.PreviewIn{Tool: draft(t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300000) SELECT count(*) AS n FROM n", nil), Arguments: json.RawMessage(`{}`)}
	var out mcpgen.PreviewOut
	done := make(chan error, 1)
	start := func() { done <- v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchPreview, in, &out) }
	go start()
	eventually(t, time.Minute, "the preview runs", func() bool {
		if len(done) == 1 { // it was over before it was seen
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			go start()
		}
		v.benches.mu.Lock()
		defer v.benches.mu.Unlock()
		w := v.benches.byKey["c-shop"]
		return w != nil && w.users == 1
	})
	v.Forget("c-shop")
	if err := <-done; err != nil || string(out.Rows) != `[{"n":300000}]` {
		t.Errorf("the preview: %s %v", out.Rows, err)
	}
	eventually(t, time.Minute, "the forgotten workbench is gone", func() bool { return len(children(t)) == 0 })
}

// TestBenchAfterItsEnd: a workbench whose link has ended is not handed out any more, although its process has a moment left.
func TestBenchAfterItsEnd(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	b := sqliteBench("shop.db")
	for range 5 {
		var res mcpgen.TestResult
		if err := v.Bench(t.Context(), b, mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
			t.Fatalf("%+v %v", res, err)
		}
		v.benches.mu.Lock()
		for _, w := range v.benches.byKey {
			w.child.link.Close()
		}
		v.benches.mu.Unlock()
	}
}

// TestBenchCancel: a caller that goes away does not take the workbench with it.
func TestBenchCancel(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	var res mcpgen.TestResult
	if err := v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
		t.Fatalf("before: %+v %v", res, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 4000000000) SELECT count(*) AS n FROM n"
	in := mcpgen.PreviewIn{Tool: draft(t, endless, nil), Arguments: json.RawMessage(`{}`)}
	if err := v.Bench(ctx, sqliteBench("shop.db"), mcpgen.BenchPreview, in, &mcpgen.PreviewOut{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if err := v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &res); err != nil || !res.Success {
		t.Fatalf("afterwards: %+v %v", res, err)
	}
}

// TestBenchNotStarted: why a workbench cannot be had is told, also to those who waited with the first.
func TestBenchNotStarted(t *testing.T) {
	o := options(shop(t))
	o.Args = []string{"studio", "hostile", "failed"}
	v := newSupervisor(t, o)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			err := v.Bench(t.Context(), sqliteBench("shop.db"), mcpgen.BenchTest, struct{}{}, &mcpgen.TestResult{})
			if store.CodeOf(err) != store.Unavailable || !strings.Contains(err.Error(), "the test wants it so") {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	eventually(t, time.Minute, "no child is left", func() bool { return len(children(t)) == 0 })
}

// TestBenchesAreBounded: no more workbenches work at once than may, whatever changes meanwhile: each further draft of a connection, and
// each change of a stored one, has the old workbench finish what runs in it, beside the new one.
func TestBenchesAreBounded(t *testing.T) {
	o := options(shop(t))
	o.BenchMax = 2
	v := newSupervisor(t, o)
	in := mcpgen.PreviewIn{Tool: draft(t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 500000) SELECT count(*) AS n FROM n", nil), Arguments: json.RawMessage(`{}`)}
	working := func() (n int) {
		v.roster.mu.Lock()
		defer v.roster.mu.Unlock()
		for p := range v.roster.roles {
			if p.link.InFlight() > 0 {
				n++
			}
		}
		return n
	}
	var all sync.WaitGroup
	var most atomic.Int64
	done := make(chan struct{})
	for i := range 6 {
		all.Go(func() {
			b := sqliteBench("shop.db")
			b.Connection.ID, b.Connection.MaxRows = "", 10+i
			var out mcpgen.PreviewOut
			if err := v.Bench(t.Context(), b, mcpgen.BenchPreview, in, &out); err != nil || string(out.Rows) != `[{"n":500000}]` {
				t.Errorf("%s %v", out.Rows, err)
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	for !isDone(done) {
		most.Store(max(most.Load(), int64(working())))
		time.Sleep(time.Millisecond)
	}
	if n := most.Load(); n > 2 || n == 0 {
		t.Errorf("%d workbenches worked at once", n)
	}
	v.benches.mu.Lock()
	if v.benches.living > 2 || v.benches.living != len(v.benches.byKey) {
		t.Errorf("%d are counted, %d are there", v.benches.living, len(v.benches.byKey))
	}
	v.benches.mu.Unlock()
}
