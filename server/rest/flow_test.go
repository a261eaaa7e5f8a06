package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

// settled waits until no deploy runs.
func (w *world) settled() studio.DeployStatus {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		s := into[studio.DeployStatus](w.do(http.MethodGet, "/api/v1/deploy/status", nil), http.StatusOK)
		if s.Deploying == nil {
			return s
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("still deploying: %+v\n%s", s.Deploying, w.logs)
		}
	}
}

// TestSample is the first minute: one press makes a working server, one removes it.
func TestSample(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	first := into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), http.StatusCreated)
	if len(first.Tools) != 3 || first.Revision == nil || *first.Revision != 1 {
		t.Fatalf("got %+v", first)
	}
	if s := w.settled(); s.Status != mcpgen.Running || s.Revision != 1 || s.Tools != 3 || s.Resources != 1 || s.Prompts != 1 || s.UndeployedChanges != 0 || s.Author == nil || s.Author.Name != adminName {
		t.Fatalf("status %+v\n%s", s, w.logs)
	}
	again := into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), http.StatusCreated)
	if again.ConnectionID != first.ConnectionID || again.Revision != nil {
		t.Errorf("a second press made %+v", again)
	}
	tools := into[store.Page[*store.Tool]](w.do(http.MethodGet, "/api/v1/tools?tag=sample&limit=2", nil), http.StatusOK)
	if tools.Total != 3 || len(tools.Items) != 2 {
		t.Fatalf("tools %+v", tools)
	}
	for _, c := range []struct {
		tool, arguments string
		rows            int
	}{
		{"top_customers", `{"limit":5}`, 5}, {"top_customers", `{"limit":3,"country":"Germany"}`, 3}, {"search_products", `{}`, 50},
		{"search_products", `{"query":"lamp","max_price":10000}`, 5}, {"orders_by_status", `{}`, 5}, {"orders_by_status", `{"since":"2000-01-01","status":"cancelled"}`, 1},
	} {
		tool := w.tool(c.tool)
		out := into[mcpgen.PreviewOut](w.do(http.MethodPost, "/api/v1/preview/execute", entity{
			"connection_id": tool.ConnectionID, "sql_query": tool.SQLQuery, "parameters": tool.Parameters, "arguments": json.RawMessage(c.arguments),
		}), http.StatusOK)
		if out.RowCount != c.rows {
			t.Errorf("%s %s: %d rows, want %d: %s", c.tool, c.arguments, out.RowCount, c.rows, out.Rows)
		}
	}
	tables := into[mcpgen.TablesOut](w.do(http.MethodGet, "/api/v1/schema/"+first.ConnectionID+"/tables?columns=true", nil), http.StatusOK)
	if tables.Total != 4 {
		t.Errorf("tables %+v", tables)
	}
	files := into[studio.SQLiteFiles](w.do(http.MethodGet, "/api/v1/server/sqlite-files", nil), http.StatusOK)
	if len(files.Items) != 1 || files.Items[0].Name != "sample-shop.db" {
		t.Errorf("files %+v", files)
	}
	w.do(http.MethodDelete, "/api/v1/sample", nil).want(http.StatusNoContent)
	if s := w.settled(); s.Status != mcpgen.Stopped {
		t.Errorf("after removal: %+v", s)
	}
	for _, kind := range []string{"connections", "tools", "resources", "prompts"} {
		if p := into[store.Page[entity]](w.do(http.MethodGet, "/api/v1/"+kind, nil), http.StatusOK); p.Total != 0 {
			t.Errorf("%d %s are left", p.Total, kind)
		}
	}
	w.do(http.MethodDelete, "/api/v1/sample", nil).failure(http.StatusNotFound, store.NotFound, "")
}

func (w *world) tool(name string) *store.Tool {
	w.t.Helper()
	p := into[store.Page[*store.Tool]](w.do(http.MethodGet, "/api/v1/tools?search="+name, nil), http.StatusOK)
	if len(p.Items) != 1 {
		w.t.Fatalf("%d tools match %s", len(p.Items), name)
	}
	return p.Items[0]
}

// TestDeployCycle changes, deploys, fails, goes back and stops.
func TestDeployCycle(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	w.do(http.MethodPost, "/api/v1/deploy", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "") // nothing to deploy
	into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", `{"deploy":false}`), http.StatusCreated)
	if s := w.settled(); s.Status != mcpgen.Stopped || s.UndeployedChanges != 6 {
		t.Fatalf("before the first deploy: %+v", s)
	}
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy", `{"note":"first"}`), http.StatusAccepted)
	w.settled()
	w.do(http.MethodPost, "/api/v1/deploy", nil).failure(http.StatusConflict, store.Conflict, "") // nothing changed

	tool := w.tool("top_customers")
	path := "/api/v1/tools/" + tool.ID
	into[entity](w.do(http.MethodPatch, path, entity{"version": tool.Version, "description": "Other words."}), http.StatusOK)
	d := into[studio.Diff](w.do(http.MethodGet, "/api/v1/deploy/diff", nil), http.StatusOK)
	if d.From != 1 || d.To != 0 || len(d.Changes) != 1 || d.Changes[0].Kind != mcpgen.Changed || d.Changes[0].Name != "top_customers" {
		t.Fatalf("diff %+v", d)
	}
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy", nil), http.StatusAccepted)
	if s := w.settled(); s.Revision != 2 || s.UndeployedChanges != 0 {
		t.Fatalf("second: %+v", s)
	}

	// A connection that is disabled under an enabled tool names the tool, and what runs goes on.
	c := into[*store.Connection](w.do(http.MethodGet, "/api/v1/connections/"+tool.ConnectionID, nil), http.StatusOK)
	into[entity](w.do(http.MethodPatch, "/api/v1/connections/"+c.ID, entity{"version": c.Version, "is_active": false}), http.StatusOK)
	f := w.do(http.MethodPost, "/api/v1/deploy", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "")
	if !strings.Contains(fmt.Sprint(f.Current), "connection_disabled") {
		t.Errorf("problems %v", f.Current)
	}
	if s := w.settled(); s.Status != mcpgen.Running || s.Revision != 2 {
		t.Errorf("after a refused deploy: %+v", s)
	}

	w.do(http.MethodPost, "/api/v1/deploy/revisions/2/activate", nil).failure(http.StatusConflict, store.Conflict, "")
	w.do(http.MethodPost, "/api/v1/deploy/revisions/99/activate", nil).failure(http.StatusNotFound, store.NotFound, "")
	into[studio.Started](w.do(http.MethodPost, "/api/v1/deploy/revisions/1/activate", nil), http.StatusAccepted)
	if s := w.settled(); s.Revision != 3 || s.Note != "Revision 1 again" {
		t.Fatalf("back: %+v", s)
	}
	d = into[studio.Diff](w.do(http.MethodGet, "/api/v1/deploy/diff?from=1&to=3", nil), http.StatusOK)
	if len(d.Changes) != 0 {
		t.Errorf("1 to 3: %+v", d.Changes)
	}
	page := into[store.Page[store.Revision]](w.do(http.MethodGet, "/api/v1/deploy/revisions", nil), http.StatusOK)
	var states []string
	for _, r := range page.Items {
		states = append(states, fmt.Sprintf("%d %s", r.Number, r.State))
	}
	if got := strings.Join(states, " "); got != "3 live 2 retired 1 retired" {
		t.Errorf("states %s", got)
	}
	one := into[studio.RevisionDetail](w.do(http.MethodGet, "/api/v1/deploy/revisions/2", nil), http.StatusOK)
	if !strings.Contains(string(one.Manifest), "Other words.") {
		t.Error("revision 2 lacks its manifest")
	}
	into[entity](w.do(http.MethodPost, "/api/v1/deploy/stop", nil), http.StatusAccepted)
	if s := w.settled(); s.Status != mcpgen.Stopped || s.Revision != 0 {
		t.Errorf("stopped: %+v", s)
	}
}

func TestSaveNamesTheMistake(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	draft := func(fields entity) entity {
		e := entity{"connection_id": c.id(), "name": "find", "description": "d", "sql_query": "SELECT 1"}
		for k, v := range fields {
			e[k] = v
		}
		return e
	}
	for _, x := range []struct {
		name  string
		draft entity
		field string
		says  string
	}{
		{"undeclared", draft(entity{"sql_query": "SELECT 1\nWHERE a = :x"}), "parameters", "line 2, column 11"},
		{"unused", draft(entity{"parameters": []entity{{"name": "x", "param_type": "string", "description": "", "is_required": false, "sort_order": 0}}}), "parameters", "does not use :x"},
		{"second statement", draft(entity{"sql_query": "SELECT 1; DROP TABLE t"}), "sql_query", "line 1"},
		{"write", draft(entity{"sql_query": "DELETE FROM t"}), "sql_query", "read"},
		{"passthrough", draft(entity{"sql_query": ":sql", "parameters": []entity{{"name": "sql", "param_type": "string", "description": "", "is_required": true, "sort_order": 0}}}), "sql_query", ""},
		{"transform", draft(entity{"transform": ".[ "}), "transform", ""},
		{"writing tool on a read-only connection", draft(entity{"annotations": entity{"read_only": false, "destructive": false, "idempotent": false, "open_world": false}}), "annotations", "read-only"},
		{"no connection", draft(entity{"connection_id": "nope"}), "connection_id", "no such"},
		{"bad type", draft(entity{"sql_query": "SELECT :x", "parameters": []entity{{"name": "x", "param_type": "uuid", "description": "", "is_required": true, "sort_order": 0}}}), "parameters.0.param_type", "one of"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := (&world{t: t, http: w.http, client: w.client, cookie: w.cookie}).do(http.MethodPost, "/api/v1/tools", x.draft).failure(http.StatusUnprocessableEntity, store.Invalid, x.field)
			if !strings.Contains(f.Fields[x.field], x.says) {
				t.Errorf("%q does not say %q", f.Fields[x.field], x.says)
			}
		})
	}
	into[entity](w.do(http.MethodPost, "/api/v1/tools", draft(nil)), http.StatusCreated)
	w.do(http.MethodPost, "/api/v1/tools", draft(entity{"name": "FIND"})).failure(http.StatusConflict, store.Conflict, "name")
	resource := entity{"name": "r", "description": "d", "uri_template": "shop://a/{id}", "connection_id": c.id(), "sql_query": "SELECT 1 WHERE 1 = :id"}
	into[entity](w.do(http.MethodPost, "/api/v1/resources", resource), http.StatusCreated)
	resource["name"], resource["uri_template"] = "r2", "shop://{kind}/7"
	resource["sql_query"] = "SELECT :kind"
	w.do(http.MethodPost, "/api/v1/resources", resource).failure(http.StatusConflict, store.Conflict, "uri_template")
	copied := into[entity](w.do(http.MethodPost, "/api/v1/tools/"+w.tool("find").ID+"/duplicate", nil), http.StatusCreated)
	if copied["name"] != "find_copy" || copied["is_enabled"] != false {
		t.Errorf("copy %v", copied)
	}
	if again := into[entity](w.do(http.MethodPost, "/api/v1/tools/"+copied.id()+"/duplicate", `{"name":"other"}`), http.StatusCreated); again["name"] != "other" {
		t.Errorf("named copy %v", again)
	}
}

func TestAuthoring(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	sample := into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", `{"deploy":false}`), http.StatusCreated)
	a := into[studio.Analysis](w.do(http.MethodPost, "/api/v1/tools/analyze", entity{
		"connection_id": sample.ConnectionID, "sql_query": "SELECT '😀', name FROM products WHERE price <= :max LIMIT :n", "parameters": []entity{}, "check": true,
	}), http.StatusOK)
	if a.StatementClass != "read" || len(a.Parameters) != 2 || a.Parameters[0].Name != "max" || a.Parameters[0].Declared || a.Parameters[1].SuggestedType != store.TypeInteger {
		t.Errorf("analysis %+v", a)
	}
	if at := a.Parameters[0].Positions[0]; at.Start != 47 || at.End != 51 { // in UTF-16 units: the face counts two
		t.Errorf("position %+v", at)
	}
	if len(a.Problems) == 0 || a.Problems[0].Code != "undeclared_parameter" || a.Check != nil {
		t.Errorf("problems %+v", a.Problems)
	}
	a = into[studio.Analysis](w.do(http.MethodPost, "/api/v1/tools/analyze", entity{"connection_id": sample.ConnectionID, "sql_query": "SELECT nme FROM products", "check": true, "name": "x"}), http.StatusOK)
	if a.Check == nil || a.Check.OK || !strings.Contains(a.Check.Message, "nme") || len(a.Definition) < 10 {
		t.Errorf("check %+v", a.Check)
	}
	d := into[studio.Definition](w.do(http.MethodPost, "/api/v1/tools/definition", entity{"connection_id": sample.ConnectionID, "name": "bad name", "description": "", "sql_query": "SELECT 1"}), http.StatusOK)
	if d.Tokens < 20 || len(d.Problems) != 2 {
		t.Errorf("definition %+v", d)
	}
	f := w.do(http.MethodPost, "/api/v1/preview/execute", entity{"connection_id": sample.ConnectionID, "sql_query": "SELECT nme FROM products"}).failure(http.StatusUnprocessableEntity, store.Invalid, "sql_query")
	if !strings.Contains(f.Fields["sql_query"], "nme") {
		t.Errorf("the database's words are missing: %v", f.Fields)
	}
	w.do(http.MethodPost, "/api/v1/preview/execute", entity{"connection_id": sample.ConnectionID, "sql_query": "DELETE FROM products"}).failure(http.StatusUnprocessableEntity, store.Invalid, "sql_query")
	out := into[mcpgen.PreviewOut](w.do(http.MethodPost, "/api/v1/preview/execute", entity{"connection_id": sample.ConnectionID, "sql_query": "SELECT id FROM products WHERE id <= :n ORDER BY id", "arguments": entity{"n": 2}, "transform": "map(.id) | add"}), http.StatusOK)
	if string(out.Rows) != `[{"id":1},{"id":2}]` || !strings.Contains(string(out.Transformed), "3") {
		t.Errorf("preview %s %s", out.Rows, out.Transformed)
	}
}

// TestEvents reads the two streams. case 44 is in the sweep; here: the stream ends with its session.
func TestEvents(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	events := w.listen("/api/v1/events")
	if e := <-events; e.name != "deploy" || !strings.Contains(e.data, `"status":"stopped"`) {
		t.Fatalf("first event %+v", e)
	}
	w.postgres(nil)
	e := <-events
	var change studio.ChangeEvent
	if err := json.Unmarshal([]byte(e.data), &change); err != nil || e.name != "change" || change.Operation != "create_connection" || change.Actor.Name != adminName {
		t.Fatalf("event %+v", e)
	}
	into[studio.Sample](w.do(http.MethodPost, "/api/v1/sample", nil), http.StatusCreated)
	seen := map[string]bool{}
	for e := range events {
		if e.name == "step" {
			var s studio.StepEvent
			if err := json.Unmarshal([]byte(e.data), &s); err != nil {
				t.Fatal(err)
			}
			seen[s.Step.Name+" "+string(s.Step.State)] = true
		}
		if e.name == "deploy" && strings.Contains(e.data, `"status":"running"`) && strings.Contains(e.data, `"revision":1`) {
			break
		}
	}
	for _, step := range []string{"start done", "health_check done", "switch done"} {
		if !seen[step] {
			t.Errorf("the step %q was not told: %v", step, seen)
		}
	}
	logs := w.listen("/api/v1/deploy/logs?tail=1")
	line := <-logs
	if line.name != "log" || line.id == "" {
		t.Fatalf("line %+v", line)
	}
	all := into[studio.LogLines](w.do(http.MethodGet, "/api/v1/deploy/logs/recent", nil), http.StatusOK).Items
	resumed := w.listen("/api/v1/deploy/logs", "Last-Event-ID", fmt.Sprint(all[0].ID))
	if next := <-resumed; next.id != fmt.Sprint(all[1].ID) {
		t.Errorf("resumed at %s, want %d", next.id, all[1].ID)
	}
	w.do(http.MethodPost, "/api/v1/auth/logout", nil).want(http.StatusNoContent)
	select {
	case <-drained(events):
	case <-time.After(time.Minute):
		t.Error("the stream outlived its session")
	}
}

func drained(c <-chan event) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range c {
		}
	}()
	return done
}

type event struct{ id, name, data string }

// listen reads a stream until it ends.
func (w *world) listen(path string, header ...string) <-chan event {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, w.http.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	q.AddCookie(w.cookie)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	res, err := w.client.Do(q)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("%s: %v %v", path, res, err)
	}
	out, done := make(chan event, 1000), make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		defer res.Body.Close()
		var e event
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					out <- e
				}
				e = event{}
			}
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
	return out
}
