package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

func shopProject() project {
	return project{tools: []store.ToolDraft{
		{Name: "products", SQLQuery: "SELECT id, name FROM products WHERE (:status IS NULL OR status = :status) ORDER BY id",
			Parameters: []store.Parameter{{Name: "status", ParamType: store.TypeString, EnumValues: []json.RawMessage{[]byte(`"new"`), []byte(`"old"`), []byte(`"older"`)}}}},
		{Name: "echo", SQLQuery: "SELECT :n AS n, :s AS s", Parameters: []store.Parameter{{Name: "n", ParamType: store.TypeInteger, IsRequired: true}, {Name: "s", ParamType: store.TypeString}}},
		{Name: "broken", SQLQuery: "SELECT * FROM missing_table"},
		{Name: "total", SQLQuery: "SELECT price FROM products", Transform: "map(.price) | add"},
	}}
}

var shopTables = []string{
	"CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, status TEXT)",
	`INSERT INTO products VALUES (1,'Apple',1.5,'new'),(2,'Pear "x" <b>',2.25,'old')`,
}

func TestToolsCall(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), shopProject().manifest(t))
	meta := `,"resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"Shop <1>","version":"` + s.version + `"}}`
	structured := `{"rows":[{"id":1,"name":"Apple"},{"id":2,"name":"Pear \"x\" <b>"}],"row_count":2,"truncated":false}`
	text := string(jsonscan.AppendString(nil, structured))
	for era, tail := range map[bool]string{false: "", true: meta} {
		r := serve(s, request(era, "tools/call", "products", `{}`, ""))
		want := `{"jsonrpc":"2.0","id":"id-1","result":{"structuredContent":` + structured + `,"content":[{"type":"text","text":` + text + `}]` + tail + `}}`
		if string(r.Body) != want || r.Status != 200 || r.Code != "ok" || r.Rows != 2 || r.Bytes != int64(len(structured)) || r.Took <= 0 {
			t.Errorf("modern %v: got %d %s %d rows %d bytes %s\n%s\nwant\n%s", era, r.Status, r.Code, r.Rows, r.Bytes, r.Took, r.Body, want)
		}
	}
	type toolResult struct {
		IsError           bool
		StructuredContent json.RawMessage
		Content           []struct{ Type, Text string }
	}
	// Digits as the client sent them.
	got := result[toolResult](t, s, request(false, "tools/call", "echo", `{"n":9007199254740993}`, ""))
	if want := `{"rows":[{"n":"9007199254740993","s":null}],"row_count":1,"truncated":false}`; string(got.StructuredContent) != want || got.Content[0].Text != want {
		t.Errorf("got %s", got.StructuredContent)
	}
	if got := result[toolResult](t, s, request(true, "tools/call", "total", `{}`, "")); string(got.StructuredContent) != `{"result":3.75}` {
		t.Errorf("transform: %s", got.StructuredContent)
	}
	// Errors of arguments and SQL are results that a model can act on (case 142).
	for _, tt := range []struct{ name, args, want, code string }{
		{"echo", `{}`, "n", "invalid_params"},
		{"echo", `{"n":"x"}`, "n", "invalid_params"},
		{"echo", `{"n":1,"m":2}`, "m", "invalid_params"},
		{"echo", `{"n":1e309}`, "n", "invalid_params"},
		{"echo", `{"n":1,"__proto__":{}}`, "__proto__", "invalid_params"},
		{"products", `{"status":"sold"}`, "status", "invalid_params"},
		{"broken", `{}`, "refused", "database"},
	} {
		for _, era := range []bool{false, true} {
			got := result[toolResult](t, s, request(era, "tools/call", tt.name, tt.args, ""))
			r := serve(s, request(era, "tools/call", tt.name, tt.args, ""))
			if !got.IsError || len(got.Content) != 1 || !strings.Contains(got.Content[0].Text, tt.want) || r.Code != tt.code {
				t.Errorf("%s %s: %+v, code %s", tt.name, tt.args, got, r.Code)
			}
			if strings.Contains(string(r.Body), "missing_table") {
				t.Errorf("%s: the client sees the SQL: %s", tt.name, r.Body)
			}
		}
	}
	refusedWith(t, s, request(false, "tools/call", "nonesuch", `{}`, ""), hop.CodeInvalidParams, 200, "no tool")
	refusedWith(t, s, request(true, "tools/call", "nonesuch", `{}`, ""), hop.CodeInvalidParams, 400, "no tool")
	refusedWith(t, s, request(true, "tools/call", "", `{}`, ""), hop.CodeInvalidParams, 400, "no tool")
}

// TestReference: the narrow core says what mcp-go says of the same tools, in both eras.
func TestReference(t *testing.T) {
	m := shopProject().manifest(t)
	s, _ := newTestServer(t, database(t, shopTables...), m)
	ref := mcpserver.NewMCPServer(m.Server.Name, s.version, mcpserver.WithToolCapabilities(false), mcpserver.WithCacheHints(listTTL, mcp.CacheScopePrivate))
	for _, tool := range m.Tools {
		var entry mcp.Tool
		if err := json.Unmarshal(tool.Definition, &entry); err != nil {
			t.Fatal(err)
		}
		entry.RawInputSchema, entry.InputSchema = tool.InputSchema, mcp.ToolInputSchema{}
		ref.AddTool(entry, func(ctx context.Context, q mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			args, err := json.Marshal(q.Params.RawArguments)
			if err != nil {
				return nil, err
			}
			r := serve(s, request(false, "tools/call", q.Params.Name, string(args), ""))
			var a struct {
				Result struct {
					IsError           bool            `json:"isError"`
					StructuredContent json.RawMessage `json:"structuredContent"`
					Content           []struct{ Text string }
				}
			}
			if err := json.Unmarshal(r.Body, &a); err != nil {
				return nil, err
			}
			out := &mcp.CallToolResult{IsError: a.Result.IsError, Content: []mcp.Content{mcp.NewTextContent(a.Result.Content[0].Text)}}
			if a.Result.StructuredContent != nil {
				out.StructuredContent = a.Result.StructuredContent
			}
			return out, nil
		})
	}
	for _, modern := range []bool{false, true} {
		for _, tt := range []struct{ method, name, args string }{
			{"tools/list", "", ""}, {"tools/call", "products", `{"status":"old"}`}, {"tools/call", "echo", `{}`}, {"tools/call", "total", `{}`},
		} {
			message := map[string]any{"jsonrpc": "2.0", "id": "id-1", "method": tt.method}
			params := map[string]any{}
			if tt.name != "" {
				params["name"], params["arguments"] = tt.name, json.RawMessage(tt.args)
			}
			if modern {
				params["_meta"] = map[string]any{mcp.MetaKeyProtocolVersion: hop.Version20260728, mcp.MetaKeyClientCapabilities: map[string]any{}}
			}
			message["params"] = params
			in, err := json.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := json.Marshal(ref.HandleMessage(t.Context(), in))
			if err != nil {
				t.Fatal(err)
			}
			ours := serve(s, request(modern, tt.method, tt.name, tt.args, "")).Body
			var a, b any
			if json.Unmarshal(theirs, &a) != nil || json.Unmarshal(ours, &b) != nil {
				t.Fatalf("%s %s", theirs, ours)
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("%s %s, modern %v (- mcp-go, + core):\n%s", tt.method, tt.name, modern, diff)
			}
		}
	}
}

type toolsPage struct {
	Tools []struct {
		Name        string
		Annotations map[string]bool
	}
	NextCursor *string
	ResultType string
	TTLMs      *int `json:"ttlMs"`
	CacheScope string
}

func TestToolsList(t *testing.T) {
	var p project
	var names []string
	for i := range 250 {
		name := fmt.Sprintf("tool_%03d", i)
		names = append(names, name)
		p.tools = append(p.tools, store.ToolDraft{Name: name, SQLQuery: "SELECT 1 AS one"})
	}
	s, _ := newTestServer(t, database(t), p.manifest(t))
	var cursors []string
	for _, modern := range []bool{false, true} {
		var got []string
		params := ""
		for range 10 {
			page := result[toolsPage](t, s, request(modern, "tools/list", "", "", params))
			for _, tool := range page.Tools {
				got = append(got, tool.Name)
				if len(tool.Annotations) != 4 || tool.Annotations["destructiveHint"] || !tool.Annotations["readOnlyHint"] {
					t.Fatalf("hints: %v", tool.Annotations)
				}
			}
			if (page.TTLMs != nil) != modern || modern && (*page.TTLMs != listTTL || page.CacheScope != "private" || page.ResultType != "complete") {
				t.Errorf("modern %v: %+v", modern, page)
			}
			if page.NextCursor == nil {
				break
			}
			if len(page.Tools) != pageSize {
				t.Errorf("a page of %d", len(page.Tools))
			}
			cursors = append(cursors, *page.NextCursor)
			params = string(append(jsonscan.AppendString([]byte(`{"cursor":`), *page.NextCursor), '}'))
		}
		if !slices.Equal(got, names) {
			t.Errorf("modern %v: %d tools: %v", modern, len(got), got)
		}
	}
	if r := serve(s, request(false, "tools/list", "", "", "")); r.Rows != pageSize {
		t.Errorf("%d listed tools in the log", r.Rows)
	}
	// case 141
	other := newCursor([]byte("prompts/list"), "tool_100")
	changed := strings.Map(func(c rune) rune { return c ^ 1 }, cursors[0][:1]) + cursors[0][1:]
	for _, c := range []string{`""`, `"x"`, `"MQ=="`, `"'; DROP TABLE x"`, `"` + other + `"`, `"` + changed + `"`, `"` + cursors[0] + `="`, `"` + strings.Repeat("A", 1<<20) + `"`, `7`, `{}`} {
		refusedWith(t, s, request(false, "tools/list", "", "", `{"cursor":`+c+`}`), hop.CodeInvalidParams, 200, "cursor")
		refusedWith(t, s, request(true, "tools/list", "", "", `{"cursor":`+c+`}`), hop.CodeInvalidParams, 400, "cursor")
	}
	// A cursor outlives a deploy that removes the entry it names.
	p.tools = slices.Delete(p.tools, 99, 100)
	after, _ := newTestServer(t, database(t), p.manifest(t))
	page := result[toolsPage](t, after, request(false, "tools/list", "", "", `{"cursor":"`+cursors[0]+`"}`))
	if page.Tools[0].Name != "tool_100" {
		t.Errorf("the second page begins with %s", page.Tools[0].Name)
	}
}

func TestAllowed(t *testing.T) {
	p := shopProject()
	p.resources = []store.ResourceDraft{{Name: "open", URITemplate: "shop://open", StaticContent: "x", MIMEType: "text/plain"}, {Name: "shut", URITemplate: "shop://shut/{id}", SQLQuery: "SELECT :id AS id"}}
	p.prompts = []store.PromptDraft{{Name: "hello", Template: "Hello"}, {Name: "bye", Template: "Bye"}}
	s, _ := newTestServer(t, database(t, shopTables...), p.manifest(t))
	allowed := hop.NewAllowed([]string{"echo", "nonesuch"}, []string{"open"}, []string{})
	limited := func(method, name, args string) *hop.Request {
		q := request(true, method, name, args, "")
		q.Allowed = allowed
		return q
	}
	if page := result[toolsPage](t, s, limited("tools/list", "", "")); len(page.Tools) != 1 || page.Tools[0].Name != "echo" {
		t.Errorf("tools: %+v", page.Tools)
	}
	if r := serve(s, limited("tools/call", "echo", `{"n":1}`)); r.Code != "ok" {
		t.Errorf("an allowed tool: %s", r.Body)
	}
	refusedWith(t, s, limited("tools/call", "products", `{}`), hop.CodeInvalidParams, 400, "no tool")
	refusedWith(t, s, limited("resources/read", "shop://shut/1", ""), hop.CodeInvalidParams, 400, "no such resource")
	refusedWith(t, s, limited("prompts/get", "hello", ""), hop.CodeInvalidParams, 400, "no prompt")
	var lists struct {
		Resources         []struct{ Name string }
		ResourceTemplates []struct{ Name string }
		Prompts           []struct{ Name string }
	}
	for _, method := range []string{"resources/list", "resources/templates/list", "prompts/list"} {
		a, _ := ask(t, s, limited(method, "", ""))
		if err := json.Unmarshal(a.Result, &lists); err != nil {
			t.Fatal(err)
		}
	}
	if len(lists.Resources) != 1 || lists.Resources[0].Name != "open" || len(lists.ResourceTemplates) != 0 || len(lists.Prompts) != 0 {
		t.Errorf("got %+v", lists)
	}
	// Views are bounded, and what falls out is made again.
	for i := range 3 * maxViews {
		q := request(false, "tools/list", "", "", "")
		q.Allowed = hop.NewAllowed([]string{"echo", fmt.Sprint("x", i)}, nil, nil)
		if page := result[toolsPage](t, s, q); len(page.Tools) != 1 {
			t.Fatalf("view %d: %+v", i, page)
		}
	}
	if n := len(s.views); n > maxViews+1 {
		t.Errorf("%d views are kept", n)
	}
}

// TestInline: what is at hand is answered at once; the lists of somebody who has not asked before are put together beside the other calls.
func TestInline(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), shopProject().manifest(t))
	mine := request(true, "tools/list", "", "", "")
	mine.Allowed = hop.NewAllowed([]string{"echo"}, nil, nil)
	for _, tt := range []struct {
		q    *hop.Request
		want bool
	}{
		{request(false, "ping", "", "", ""), true}, {request(true, "tools/list", "", "", ""), true}, {mine, false}, {request(true, "tools/call", "echo", "", ""), false},
	} {
		if got := s.Inline(tt.q); got != tt.want {
			t.Errorf("%s of %q: %v", tt.q.Method, tt.q.Allowed.Key(), got)
		}
	}
	ask(t, s, mine)
	if !s.Inline(mine) {
		t.Error("what was put together is not at hand")
	}
	for i := range 2 * maxViews {
		q := request(true, "tools/list", "", "", "")
		q.Allowed = hop.NewAllowed([]string{fmt.Sprint("t", i)}, nil, nil)
		ask(t, s, q)
	}
	if len(s.views) > maxViews+1 || !s.Inline(request(false, "ping", "", "", "")) {
		t.Errorf("%d views are kept", len(s.views))
	}
}

// TestPanic: the client gets a fixed sentence, the log the rest, and the process lives.
func TestPanic(t *testing.T) {
	s, log := newTestServer(t, database(t, shopTables...), shopProject().manifest(t))
	engine := s.engine
	s.engine = nil // the next call dereferences it
	refusedWith(t, s, request(false, "tools/call", "echo", `{"n":1}`, ""), hop.CodeInternal, 200, "The server failed on this call. Its log says why.")
	s.engine = engine
	if l := log.next(t); l.Level != "error" || !strings.Contains(l.Attrs["panic"], "nil pointer") || !strings.Contains(l.Attrs["stack"], "tools.go") {
		t.Errorf("log: %+v", l)
	}
	if r := serve(s, request(false, "tools/call", "echo", `{"n":1}`, "")); r.Code != "ok" {
		t.Errorf("the next call: %s", r.Body)
	}
}

// TestFailuresAreLogged: where a client is told that the log says why, the log does.
func TestFailuresAreLogged(t *testing.T) {
	s, log := newTestServer(t, database(t, shopTables...), shopProject().manifest(t))
	r := &hop.Reply{}
	said := s.queryFailed(t.Context(), request(false, "tools/call", "echo", "", ""), "echo", errors.New("the cause"), r)
	if line := log.next(t); !strings.Contains(said, "log says why") || strings.Contains(said, "cause") || line.Level != control.LevelError || line.Attrs["error"] != "the cause" || r.Code != string(query.Internal) {
		t.Errorf("the client reads %q, the log %+v", said, line)
	}
	if got := serve(s, request(false, "tools/call", "broken", "{}", "")); strings.Contains(string(got.Body), "log says why") {
		t.Errorf("the log holds no words of a database: %s", got.Body)
	}
	if line := log.next(t); line.Level != control.LevelWarn || strings.Contains(fmt.Sprint(line.Attrs), "missing_table") {
		t.Errorf("the log: %+v", line)
	}
}

// TestLogGoesOn: a line that the pipe refuses does not end the log.
func TestLogGoesOn(t *testing.T) {
	s, log := newTestServer(t, database(t), project{}.manifest(t))
	s.log.WithGroup("a group").Info("not by the protocol's rules", "Key", 1)
	s.log.Info("the next line")
	if line := log.next(t); line.Message != "the next line" {
		t.Errorf("got %+v", line)
	}
}

// hanging is a link to a server with two connections: one that the tool "endless" keeps busy, and another with the tool "quick".
func hanging(t *testing.T, limit func(*mcpgen.Connection)) (*hop.Link, *server) {
	t.Helper()
	m := project{tools: []store.ToolDraft{
		{Name: "endless", SQLQuery: "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r"}, {Name: "quick", SQLQuery: "SELECT 1 AS one"},
	}}.manifest(t)
	other := m.Connections[0]
	limit(&m.Connections[0])
	other.ID, m.Tools[1].Connection = "c-other", "c-other"
	m.Connections = append(m.Connections, other)
	s, _ := newTestServer(t, database(t, shopTables...), m)
	parent, conn := ends(t, "hop")
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := hop.Serve(t.Context(), conn, s, workers); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(serving.Wait)
	l := hop.NewLink(parent)
	t.Cleanup(func() { _ = l.Close() })
	return l, s
}

// TestHangingDatabase: calls that wait for one database do not hold up those to another. // case 179
func TestHangingDatabase(t *testing.T) {
	l, s := hanging(t, func(c *mcpgen.Connection) { c.Concurrent = 1 })
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const calls = 1000
	for range calls {
		all.Go(func() {
			if err := l.Call(ctx, request(false, "tools/call", "endless", "", ""), &hop.Reply{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		stats, _ := s.engine.QueueStats(connectionID)
		if stats.Waiting == calls-1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d calls wait in the queue of their connection", stats.Waiting, calls-1)
		}
	}
	soon, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	var r hop.Reply
	if err := l.Call(soon, request(false, "tools/call", "quick", "", ""), &r); err != nil || r.Code != "ok" {
		t.Errorf("%v %s", err, r.Body)
	}
	cancel()
	for l.InFlight() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestFloodOfAHangingDatabase: more calls than there are places, all to one database that hangs, leave places for those to another,
// and for those of another client to the same one; who finds none is told so at once. // cases 179, 181
func TestFloodOfAHangingDatabase(t *testing.T) {
	l, s := hanging(t, func(c *mcpgen.Connection) { c.Concurrent, c.QueueSeconds, c.StatementSeconds = 1, 300, 300 })
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var refused atomic.Int64
	const calls = workers + 1000
	begin := func(n int, who string) {
		for range n {
			all.Go(func() {
				q := request(false, "tools/call", "endless", "", "")
				q.Principal.ID = who
				var r hop.Reply
				switch err := l.Call(ctx, q, &r); {
				case err == nil && r.Code == "queue_timeout" && strings.Contains(string(r.Body), "no place"):
					refused.Add(1)
				case !errors.Is(err, context.Canceled):
					t.Errorf("%v %s", err, r.Body)
				}
			})
		}
	}
	begin(calls, "many")
	held := func() int {
		stats, _ := s.engine.QueueStats(connectionID)
		return stats.Running + stats.Waiting
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d of %d calls are held, %d refused", what, held(), calls, refused.Load())
			}
		}
	}
	until("the flood", func() bool { return held() == places/2 && refused.Load() == calls-places/2 })
	begin(3, "few")
	until("those of another client", func() bool { return held() == places/2 && refused.Load() == calls-places/2+3 })
	soon, done := context.WithTimeout(ctx, time.Minute) // the flood waits for longer
	defer done()
	var r hop.Reply
	if err := l.Call(soon, request(false, "tools/call", "quick", "", ""), &r); err != nil || r.Code != "ok" {
		t.Errorf("another database: %v %s", err, r.Body)
	}
	cancel()
	for l.InFlight() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// TestOwnSchema: a schema of the author's is checked by us, with readable
// sentences, and never fetches anything.
func TestOwnSchema(t *testing.T) {
	p := project{tools: []store.ToolDraft{{Name: "own", SQLQuery: "SELECT :n AS n", Parameters: []store.Parameter{{Name: "n", ParamType: store.TypeInteger}},
		InputSchema: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"$defs":{"n":{"type":"integer","minimum":3}},"additionalProperties":false}`)}}}
	m := p.manifest(t)
	s, _ := newTestServer(t, database(t), m)
	for args, want := range map[string]string{`{"n":3}`: "", `{"n":2}`: "n", `{"n":"x"}`: "n", `{"m":1}`: "m"} {
		got := result[struct {
			IsError bool
			Content []struct{ Text string }
		}](t, s, request(true, "tools/call", "own", args, ""))
		if got.IsError != (want != "") || !strings.Contains(got.Content[0].Text, want) || strings.Contains(got.Content[0].Text, "&{") {
			t.Errorf("%s: %+v", args, got)
		}
	}
	m.Tools[0].InputSchema = json.RawMessage(`{"type":"object","properties":{"n":{"$ref":"file:///etc/passwd"}}}`)
	if _, err := newTool(s.engine, &m.Tools[0]); err == nil || !strings.Contains(err.Error(), "input_schema") {
		t.Errorf("a reference to a file: %v", err)
	}
}

func TestContent(t *testing.T) {
	png := "iVBORw0KGgo="
	p := project{tools: []store.ToolDraft{
		{Name: "all", SQLQuery: `SELECT 'words' AS t, x'89504e470d0a1a0a' AS i, 'UklGRg==' AS a, '{"uri":"test://r","mimeType":"application/json","text":"{}"}' AS r, 'plain' AS r2, 'https://x.example/a' AS l, NULL AS n`,
			Content: map[string]store.Content{"t": {Type: "text"}, "i": {Type: "image", MIMEType: "image/png"}, "a": {Type: "audio", MIMEType: "audio/wav"}, "r": {Type: "resource"}, "r2": {Type: "resource", MIMEType: "text/markdown"}, "l": {Type: "resource_link"}, "n": {Type: "text"}}},
		{Name: "some", SQLQuery: `SELECT 1 AS id, 'w1' AS t UNION ALL SELECT 2, 'w2'`, Content: map[string]store.Content{"t": {Type: "text"}}},
		{Name: "none", SQLQuery: `SELECT 'x' AS t WHERE 1 = 0`, Content: map[string]store.Content{"t": {Type: "text"}}},
		{Name: "bad", SQLQuery: `SELECT 'not base64!' AS i`, Content: map[string]store.Content{"i": {Type: "image"}}},
		{Name: "wrapped", SQLQuery: `SELECT 'iVBOR' || char(10) || 'w0KGgo=' || char(13) || char(10) AS i, '{"uri":"test://b","mimeType":"image/png","blob":"iVBOR\nw0KGgo="}' AS r`,
			Content: map[string]store.Content{"i": {Type: "image"}, "r": {Type: "resource"}}},
		{Name: "badblob", SQLQuery: `SELECT '{"uri":"test://b","blob":"no base64"}' AS r`, Content: map[string]store.Content{"r": {Type: "resource"}}},
		{Name: "badlink", SQLQuery: `SELECT 'no uri' AS l`, Content: map[string]store.Content{"l": {Type: "resource_link"}}},
	}}
	s, _ := newTestServer(t, database(t), p.manifest(t))
	for name, want := range map[string]string{
		"all": `{"content":[{"type":"text","text":"words"},{"type":"image","data":"` + png + `","mimeType":"image/png"},{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"},` +
			`{"type":"resource","resource":{"uri":"test://r","mimeType":"application/json","text":"{}"}},{"type":"resource","resource":{"uri":"tool://all/r2/1","mimeType":"text/markdown","text":"plain"}},` +
			`{"type":"resource_link","uri":"https://x.example/a","name":"https://x.example/a"}]}`,
		"some":    `{"structuredContent":{"rows":[{"id":1},{"id":2}],"row_count":2,"truncated":false},"content":[{"type":"text","text":"{\"rows\":[{\"id\":1},{\"id\":2}],\"row_count\":2,\"truncated\":false}"},{"type":"text","text":"w1"},{"type":"text","text":"w2"}]}`,
		"none":    `{"content":[]}`,
		"wrapped": `{"content":[{"type":"image","data":"` + png + `","mimeType":"image/png"},{"type":"resource","resource":{"uri":"test://b","mimeType":"image/png","blob":"` + png + `"}}]}`,
	} {
		a, r := ask(t, s, request(false, "tools/call", name, "", ""))
		if string(a.Result) != want {
			t.Errorf("%s: got %s\nwant %s", name, r.Body, want)
		}
		if modern, _ := ask(t, s, request(true, "tools/call", name, "", "")); !strings.Contains(string(modern.Result), `"resultType":"complete"`) {
			t.Errorf("%s: %s", name, modern.Result)
		}
	}
	for name, want := range map[string]string{"bad": "image data", "badblob": "base64", "badlink": "URI"} {
		if r := serve(s, request(false, "tools/call", name, "", "")); !strings.Contains(string(r.Body), `"isError":true`) || !strings.Contains(string(r.Body), want) || r.Code == "ok" {
			t.Errorf("%s: %s %s", name, r.Code, r.Body)
		}
	}
}

// TestByHand: the command refuses to run without the studio's pipes.
func TestByHand(t *testing.T) {
	for _, args := range [][]string{{"child"}, {"child", "--help"}} {
		cmd := exec.Command(os.Args[0], args...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "studio serve") {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
}

func BenchmarkToolsCall(b *testing.B) {
	s, _ := newTestServer(b, database(b, shopTables...), shopProject().manifest(b))
	q := request(false, "tools/call", "echo", `{"n":1}`, "")
	r := &hop.Reply{}
	b.ReportAllocs()
	for b.Loop() {
		*r = hop.Reply{Status: 200, Code: "ok", Body: r.Body[:0]}
		s.Serve(b.Context(), q, r)
	}
	if r.Code != "ok" {
		b.Fatal(string(r.Body))
	}
}

func BenchmarkToolsList(b *testing.B) {
	var p project
	for i := range 100 {
		p.tools = append(p.tools, store.ToolDraft{Name: fmt.Sprintf("tool_%03d", i), SQLQuery: "SELECT 1 AS one"})
	}
	s, _ := newTestServer(b, database(b), p.manifest(b))
	q := request(false, "tools/list", "", "", "")
	r := &hop.Reply{}
	b.ReportAllocs()
	for b.Loop() {
		*r = hop.Reply{Body: r.Body[:0]}
		s.Serve(b.Context(), q, r)
	}
}
