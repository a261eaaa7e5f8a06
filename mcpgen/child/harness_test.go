package child

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/pipe"
	"mcpstudio/store"
)

// TestMain lets the test binary be `studio child` started by hand.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

const connectionID = "c-shop"

// database makes a SQLite file from statements.
func database(t testing.TB, statements ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range append([]string{"CREATE TABLE file_with_a_header (x INTEGER)"}, statements...) {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return dir
}

// project is what a test configures.
type project struct {
	tools     []store.ToolDraft
	resources []store.ResourceDraft
	prompts   []store.PromptDraft
}

func (p project) manifest(t testing.TB) *mcpgen.Manifest {
	t.Helper()
	c := store.ConnectionDraft{Name: "shop", DBType: store.SQLite, Database: "shop.db"}.New()
	c.ID = connectionID
	config := store.NewServerConfig()
	config.ServerName, config.Instructions = "Shop <1>", "Ask about the shop."
	s := store.Snapshot{Connections: []*store.Connection{c}, Config: config}
	for i, d := range p.tools {
		d.ConnectionID = connectionID
		if d.Description == "" {
			d.Description = "A tool."
		}
		x := d.New()
		x.ID = fmt.Sprint("t", i)
		s.Tools = append(s.Tools, x)
	}
	for i, d := range p.resources {
		if d.SQLQuery != "" {
			d.ConnectionID = connectionID
		}
		d.Description = "A resource."
		x := d.New()
		x.ID = fmt.Sprint("r", i)
		s.Resources = append(s.Resources, x)
	}
	for i, d := range p.prompts {
		d.Description = "A prompt."
		x := d.New()
		x.ID = fmt.Sprint("p", i)
		s.Prompts = append(s.Prompts, x)
	}
	m, problems := mcpgen.Compile(s, mcpgen.Options{})
	if stops := mcpgen.Stops(problems); len(stops) > 0 {
		t.Fatalf("compile: %+v", stops)
	}
	return m
}

// lines is the parent's end of the log.
type lines struct{ conn *control.Conn }

// next returns the next log line.
func (l lines) next(t *testing.T) *control.Log {
	t.Helper()
	m, err := l.conn.Receive(t.Context())
	if err != nil || m.Type != control.TypeLog {
		t.Fatalf("got %s %v instead of a log line", m.Type, err)
	}
	return m.Log
}

// ends makes a pipe as between a studio and its child, with both ends here.
func ends(t testing.TB, name string) (parent, child net.Conn) {
	t.Helper()
	parent, file, err := pipe.New(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if child, err = net.FileConn(file); err != nil {
		t.Fatal(err)
	}
	return parent, child
}

func newTestServer(t testing.TB, dir string, m *mcpgen.Manifest) (*server, lines) {
	t.Helper()
	parent, conn := ends(t, "control")
	log := newLogger(control.NewChild(conn))
	e, err := newEngine(m, control.Secrets{}, nil, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newServer(m, mcpgen.Digest(encoded), e, log)
	if err != nil {
		t.Fatal(err)
	}
	p := control.NewParent(parent)
	t.Cleanup(func() { s.close(); p.Close(); conn.Close(); log.close() })
	return s, lines{p}
}

// request is one call as the parent would frame it.
func request(modern bool, method, name, args, params string) *hop.Request {
	q := &hop.Request{Modern: modern, Method: []byte(method), ID: []byte(`"id-1"`), Principal: hop.Principal{ID: "p1"}}
	for dst, v := range map[*[]byte]string{&q.Name: name, &q.Args: args, &q.Params: params} {
		if v != "" {
			*dst = []byte(v)
		}
	}
	if modern {
		q.Version = []byte(hop.Version20260728)
	}
	return q
}

func serve(s hop.Handler, q *hop.Request) *hop.Reply {
	r := &hop.Reply{Status: 200, Code: "ok"}
	s.Serve(context.Background(), q, r)
	return r
}

// answer is a decoded JSON-RPC response.
type answerBody struct {
	ID     string          `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	} `json:"error"`
}

func ask(t testing.TB, s hop.Handler, q *hop.Request) (answerBody, *hop.Reply) {
	t.Helper()
	r := serve(s, q)
	var a answerBody
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.DisallowUnknownFields()
	var whole struct {
		JSONRPC string `json:"jsonrpc"`
		answerBody
	}
	if err := d.Decode(&whole); err != nil || whole.JSONRPC != "2.0" {
		t.Fatalf("%s: %v in %s", q.Method, err, r.Body)
	}
	a = whole.answerBody
	if a.ID != "id-1" || (a.Result == nil) == (a.Error == nil) {
		t.Fatalf("%s: %s", q.Method, r.Body)
	}
	return a, r
}

// result asks and decodes the result into a T.
func result[T any](t testing.TB, s hop.Handler, q *hop.Request) T {
	t.Helper()
	var out T
	a, r := ask(t, s, q)
	if a.Error != nil {
		t.Fatalf("%s %s: %s", q.Method, q.Name, r.Body)
	}
	if err := json.Unmarshal(a.Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// refusedWith asks for an error and compares code, HTTP status and a part of the message.
func refusedWith(t testing.TB, s hop.Handler, q *hop.Request, code, status int, part string) answerBody {
	t.Helper()
	a, r := ask(t, s, q)
	if a.Error == nil || a.Error.Code != code || r.Status != status || !strings.Contains(a.Error.Message, part) || r.Code == "ok" {
		t.Errorf("%s %.60s %.80s: got %d %s %.300s, want %d with code %d and %q", q.Method, q.Name, q.Params, r.Status, r.Code, r.Body, status, code, part)
		return answerBody{}
	}
	return a
}

// manifestResource is one template with fixed content, for matching only.
var manifestResource = mcpgen.Resource{Name: "product", URITemplate: "shop://products/{id}", Static: "x"}
