package supervisor

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "modernc.org/sqlite"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/child"
	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// TestMain lets the test binary be the child, a hostile child, and a parent that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[0] == "studio" {
		switch os.Args[1] {
		case "child":
			os.Exit(child.Main(nil))
		case "starter":
			os.Exit(sandbox.ServeStarter())
		case "turned":
			os.Exit(childtest.Main(nil))
		case "hostile":
			os.Exit(hostile(os.Args[2]))
		}
	}
	if len(os.Args) > 2 && os.Args[1] == "tracer" {
		os.Exit(tracer(os.Args[2]))
	}
	if len(os.Args) > 4 && os.Args[1] == "parent" {
		os.Exit(parentToKill(os.Args[2], os.Args[3], os.Args[4]))
	}
	if len(os.Args) > 4 && os.Args[1] == "refusing" {
		os.Exit(refusingParent(os.Args[2], os.Args[3], os.Args[4]))
	}
	exe, remove, err := childExe()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	theExe = exe
	code := m.Run()
	remove()
	os.Exit(code)
}

// theExe is the program of the children; "": this one.
var theExe string

// realChild is the argv of the child in this test binary.
func realChild() []string { return []string{"studio", "child", "test"} }

// shop makes a SQLite database that a child's own uid can read.
func shop(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	makeShop(t, filepath.Join(dir, "shop.db"), "DELETE")
	return dir
}

func makeShop(t testing.TB, path, journal string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{
		"PRAGMA journal_mode=" + journal,
		"CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, status TEXT)",
		"INSERT INTO products VALUES (1,'Apple',1.5,'new'),(2,'Pear',2.25,'old'),(3,'=1+1',9007199254740993,'new')",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sqliteConnection(file string) *store.Connection {
	c := store.ConnectionDraft{Name: "shop", DBType: store.SQLite, Database: file}.New()
	c.ID = "c-shop"
	return c
}

// snapshot is a small project on one connection. marker goes into a tool's SQL, so
// that answers tell which revision gave them.
func snapshot(c *store.Connection, marker string) store.Snapshot {
	tool := func(name, sql string, params ...store.Parameter) *store.Tool {
		x := store.ToolDraft{ConnectionID: c.ID, Name: name, Description: "Tool " + name, SQLQuery: sql, Parameters: params}.New()
		x.ID = "t-" + name
		return x
	}
	page := store.ResourceDraft{Name: "product", Description: "A product", URITemplate: "shop://products/{id}", ConnectionID: c.ID, SQLQuery: "SELECT * FROM products WHERE id = :id"}.New()
	page.ID = "r-product"
	prompt := store.PromptDraft{Name: "ask", Description: "Ask", Template: "About {what}", Arguments: []store.Argument{{Name: "what", Required: true}}}.New()
	prompt.ID = "p-ask"
	config := store.NewServerConfig()
	config.ServerName = "Shop"
	return store.Snapshot{
		Connections: []*store.Connection{c},
		Tools: []*store.Tool{
			tool("products", "SELECT id, name FROM products WHERE (:status IS NULL OR status = :status) ORDER BY id", store.Parameter{Name: "status", ParamType: store.TypeString}),
			tool("which", "SELECT '"+marker+"' AS marker"),
		},
		Resources: []*store.Resource{page}, Prompts: []*store.Prompt{prompt}, Config: config,
	}
}

func deployment(t testing.TB, revision int, s store.Snapshot, secrets map[string]map[string]string) mcpgen.Deployment {
	t.Helper()
	m, problems := mcpgen.Compile(s, mcpgen.Options{})
	if stops := mcpgen.Stops(problems); len(stops) > 0 {
		t.Fatalf("compile: %+v", stops)
	}
	return mcpgen.Deployment{Revision: revision, Manifest: m, Secrets: mcpgen.NewSecrets(secrets)}
}

// options are those of most tests: the real child in the real sandbox, refused below the minimum.
func options(dir string) Options {
	return Options{
		Args: realChild(), Exe: theExe, Enforce: true, SQLiteDir: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Broker: BrokerPolicy{AllowPrivate: true},
	}
}

func newSupervisor(t testing.TB, o Options) *Supervisor {
	t.Helper()
	v := New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := v.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			for _, l := range v.Logs().Since(0, 60) {
				t.Logf("%s %s r%d %s %v", l.Level, l.Source, l.Revision, l.Message, l.Attrs)
			}
		}
	})
	return v
}

func mustDeploy(t testing.TB, v *Supervisor, d mcpgen.Deployment) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := v.Deploy(ctx, d, nil); err != nil {
		for _, l := range v.Logs().Since(0, 30) {
			t.Logf("%s %s %s %v", l.Level, l.Source, l.Message, l.Attrs)
		}
		t.Fatal(err)
	}
}

// callTool makes one tools/call and returns the body.
func callTool(ctx context.Context, v *Supervisor, name, args string) (string, hop.Reply, error) {
	q := hop.Request{Method: []byte("tools/call"), ID: []byte("1"), Name: []byte(name), Args: []byte(args)}
	var r hop.Reply
	err := v.Call(ctx, &q, &r)
	return string(r.Body), r, err
}

func mustCall(t testing.TB, v *Supervisor, name, args, want string) {
	t.Helper()
	body, _, err := callTool(t.Context(), v, name, args)
	if err != nil || !strings.Contains(body, want) {
		t.Fatalf("%s %s: got %s %v, want %s", name, args, body, err, want)
	}
}

// mustCallAgain is mustCall after the live child has ended: the call waits for the next one as long as a call may. On a busy machine
// that can be too short, and a client that is told so asks again.
func mustCallAgain(t testing.TB, v *Supervisor, name, args, want string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		start := time.Now()
		body, _, err := callTool(t.Context(), v, name, args)
		if err == nil && strings.Contains(body, want) {
			return
		}
		if store.CodeOf(err) != store.Unavailable || time.Since(start) < patience || time.Now().After(deadline) {
			t.Fatalf("%s %s: got %s %v after %s, want %s", name, args, body, err, time.Since(start), want)
		}
	}
}

// pgConnection is the database of STUDIO_TEST_POSTGRES as a connection with its secrets.
func pgConnection(t testing.TB) (*store.Connection, map[string]map[string]string) {
	t.Helper()
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host := cfg.Host
	if strings.HasPrefix(host, "/") {
		t.Skip("STUDIO_TEST_POSTGRES names a Unix socket, which a child cannot reach: run through make test")
	}
	c := store.ConnectionDraft{Name: "pg", DBType: "postgresql", Host: host, Port: int(cfg.Port), Database: cfg.Database, Username: cfg.User, SSLMode: "disable"}.New()
	c.ID = "c-pg"
	return c, map[string]map[string]string{"c-pg": {"password": cfg.Password}}
}

func raw(t testing.TB, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// eventually waits for a condition that depends on other processes.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// livePID is the process of the live child, once there is one: a signal to process 0 would be for this whole group.
func livePID(t testing.TB, v *Supervisor) (pid int) {
	t.Helper()
	eventually(t, time.Minute, "a child is live", func() bool { pid = v.State().PID; return pid != 0 })
	return pid
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func closedPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}
