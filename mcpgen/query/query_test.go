package query_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "modernc.org/sqlite" // writes the fixture

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/driver/all"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

const fixture = `CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2), secret TEXT);
INSERT INTO item VALUES (1, 'one', 1.50, 'hush'), (2, 'two', 2.50, 'hush'), (3, 'three', 3.50, 'hush')`

// bench is an engine with one connection.
type bench struct {
	*query.Engine
	t          testing.TB
	connection query.Connection
	opt        query.Options
}

// newBench makes an engine on a fresh SQLite file. change may adjust the options and the connection.
func newBench(t testing.TB, change func(*query.Options, *query.Connection)) bench {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fixture); err != nil {
		t.Fatal(err)
	}
	return open(t, query.Options{Drivers: all.Drivers(), SQLiteDir: dir}, query.Connection{Config: driver.Config{ID: "c1", DBType: store.SQLite, Database: "shop.db", ReadOnly: true}, Name: "shop", QueueEnabled: true}, change)
}

func open(t testing.TB, o query.Options, c query.Connection, change func(*query.Options, *query.Connection)) bench {
	t.Helper()
	if change != nil {
		change(&o, &c)
	}
	e := query.New(o)
	t.Cleanup(e.Close)
	if err := e.AddConnection(c); err != nil {
		t.Fatal(err)
	}
	return bench{e, t, c, o}
}

// newPostgres makes an engine on a fresh database of the server that the environment names.
func newPostgres(t testing.TB, change func(*query.Options, *query.Connection)) bench {
	t.Helper()
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	exec := func(dsn string, statements ...string) {
		t.Helper()
		ctx := context.Background()
		c, err := pgconn.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		for _, sql := range statements {
			if _, err := c.Exec(ctx, sql).ReadAll(); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	name, password := "t_"+strings.ToLower(rand.Text()[:10]), rand.Text()
	exec(dsn, "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"'", "CREATE DATABASE "+name+" OWNER "+name)
	t.Cleanup(func() { exec(dsn, "DROP DATABASE "+name+" WITH (FORCE)", "DROP ROLE "+name) })
	own := *u
	own.Path, own.User = "/"+name, url.UserPassword(name, password)
	exec(own.String(), strings.ReplaceAll(fixture, "INTEGER", "bigint"))
	dial := func(ctx context.Context, host string, port int) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	}
	return open(t, query.Options{Drivers: all.Drivers(), Dial: func(string) driver.Dial { return dial }}, query.Connection{
		Config: driver.Config{ID: "c1", DBType: store.PostgreSQL, Host: u.Hostname(), Port: port, Database: name, Username: name, Password: password, SSLMode: store.SSLDisable, ReadOnly: true},
		Name:   "shop", QueueEnabled: true,
	}, change)
}

// compile makes a read-only tool of a statement.
func (b bench) compile(sql string, parameters ...store.Parameter) *query.Prepared {
	b.t.Helper()
	return b.tool(query.Spec{SQL: sql, Parameters: parameters, ReadOnly: true})
}

func (b bench) tool(s query.Spec) *query.Prepared {
	b.t.Helper()
	s.ID, s.Name, s.Connection = "t1", "tool", b.connection.Config.ID
	p, err := b.Compile(s)
	if err != nil {
		b.t.Fatalf("%s: %v", s.SQL, err)
	}
	return p
}

// ask runs a tool and returns its JSON.
func (b bench) ask(q query.Request) string {
	b.t.Helper()
	out, _, err := b.Run(b.t.Context(), &q, nil)
	if err != nil {
		b.t.Fatalf("%s: %v", q.Args, err)
	}
	if !json.Valid(out) {
		b.t.Fatalf("%s: not valid JSON: %s", q.Args, out)
	}
	return string(out)
}

// refusal runs a tool that must fail.
func (b bench) refusal(q query.Request) *query.Error {
	b.t.Helper()
	out, _, err := b.Run(b.t.Context(), &q, []byte("kept"))
	var e *query.Error
	if !errors.As(err, &e) {
		b.t.Fatalf("%s: got %s, %v", q.Args, out, err)
	}
	if string(out) != "kept" {
		b.t.Errorf("%s: the buffer came back as %q", q.Args, out)
	}
	return e
}

func both(t *testing.T, change func(*query.Options, *query.Connection), test func(*testing.T, bench)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newBench(t, change)) })
	t.Run("postgresql", func(t *testing.T) { test(t, newPostgres(t, change)) })
}

// broken is a context that panics where a driver first asks how much time there is.
type broken struct{ context.Context }

func (broken) Deadline() (time.Time, bool) { panic("broken") }

// A panic in a driver ends one call (case 284) and gives its place in the queue back.
func TestPanicGivesThePlaceBack(t *testing.T) {
	b := newBench(t, func(_ *query.Options, c *query.Connection) { c.Concurrent, c.QueueWait = 1, time.Second })
	q := query.Request{Tool: b.compile("SELECT 1 AS a")}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the driver did not panic")
			}
		}()
		_, _, _ = b.Run(broken{t.Context()}, &q, nil)
	}()
	if stats, _ := b.QueueStats("c1"); stats.Running != 0 {
		t.Errorf("%d calls still hold a place", stats.Running)
	}
	b.ask(q)
}

func TestRun(t *testing.T) {
	both(t, nil, func(t *testing.T, b bench) {
		p := b.compile("SELECT id, price FROM item WHERE id >= :from AND (:name IS NULL OR name = :name) ORDER BY id",
			store.Parameter{Name: "from", ParamType: store.TypeInteger, IsRequired: true}, store.Parameter{Name: "name", ParamType: store.TypeString})
		for args, want := range map[string]string{
			`{"from":2}`:                      `{"rows":[{"id":2,"price":"2.50"},{"id":3,"price":"3.50"}],"row_count":2,"truncated":false}`,
			`{"from":1,"name":"one"}`:         `{"rows":[{"id":1,"price":"1.50"}],"row_count":1,"truncated":false}`,
			`{"from":1.0,"name":null}`:        `{"rows":[{"id":1,"price":"1.50"},{"id":2,"price":"2.50"},{"id":3,"price":"3.50"}],"row_count":3,"truncated":false}`,
			`{"from":9}`:                      `{"rows":[],"row_count":0,"truncated":false}`,
			`{"name":"' OR 1=1 --","from":0}`: `{"rows":[],"row_count":0,"truncated":false}`,
		} {
			if got := strings.NewReplacer(`"2.5"`, `"2.50"`, `"1.5"`, `"1.50"`, `"3.5"`, `"3.50"`).Replace(b.ask(query.Request{Tool: p, Args: []byte(args)})); got != want {
				t.Errorf("%s\n got %s\nwant %s", args, got, want)
			}
		}
		out, res, err := b.Run(t.Context(), &query.Request{Tool: p, Args: []byte(`{"from":1}`), Limits: query.Limits{Rows: 2}}, []byte("x"))
		if err != nil || !strings.HasPrefix(string(out), `x{"rows":[`) || !strings.HasSuffix(string(out), `],"row_count":2,"truncated":true}`) || res.RowCount != 2 || !res.Truncated || len(res.Columns) != 2 || res.Run <= 0 {
			t.Errorf("got %s, %+v, %v", out, res, err)
		}
		if !strings.Contains(string(out), string(res.Rows)) || res.Rows[0] != '[' {
			t.Errorf("the rows are %s", res.Rows)
		}
		if got := b.ask(query.Request{Tool: b.compile("SELECT 1 AS a")}); got != `{"rows":[{"a":1}],"row_count":1,"truncated":false}` {
			t.Errorf("without arguments: %s", got)
		}
	})
}

func number(s string) *json.Number { n := json.Number(s); return &n }

func TestArguments(t *testing.T) { // cases 142, 166
	b := newBench(t, nil)
	raw := func(s ...string) (out []json.RawMessage) {
		for _, v := range s {
			out = append(out, json.RawMessage(v))
		}
		return out
	}
	parameters := []store.Parameter{
		{Name: "s", ParamType: store.TypeString, Pattern: "^[a-z]*$"},
		{Name: "e", ParamType: store.TypeString, EnumValues: raw(`"a"`, `"b"`), DefaultValue: json.RawMessage(`"a"`)},
		{Name: "i", ParamType: store.TypeInteger, Minimum: number("-5"), Maximum: number("9007199254740993")},
		{Name: "n", ParamType: store.TypeNumber, Minimum: number("0")},
		{Name: "b", ParamType: store.TypeBoolean},
		{Name: "d", ParamType: store.TypeDate},
		{Name: "t", ParamType: store.TypeDatetime},
		{Name: "l", ParamType: store.TypeArray, ItemType: store.TypeInteger},
		{Name: "ne", ParamType: store.TypeNumber, EnumValues: raw(`1`, `2.5`)},
		{Name: "free", ParamType: store.TypeString},
	}
	p := b.compile("SELECT :s AS s, :e AS e, :i AS i, :n AS n, :b AS b, :d AS d, :t AS t, :l AS l, :ne AS ne, :free AS free", parameters...)
	for args, want := range map[string]string{ // the member of the one row that the argument gives
		`{}`: `"e":"a"`, ``: `"e":"a"`, `null`: `"e":"a"`, ` { } `: `"e":"a"`, `{"e":null}`: `"e":"a"`, `{"e":"b"}`: `"e":"b"`,
		`{"s":""}`: `"s":""`, `{"s":"abc"}`: `"s":"abc"`, `{"free":"\u00e9\ud83d\ude00\n\\\""}`: `"free":"é😀\n\\\""`,
		`{"i":5}`: `"i":5`, `{"i":5.0}`: `"i":5`, `{"i":0.5e1}`: `"i":5`, `{"i":-0}`: `"i":0`, `{"i":9007199254740993}`: `"i":"9007199254740993"`,
		`{"n":0.1}`: `"n":0.1`, `{"n":1e2}`: `"n":100`, `{"n":9007199254740993}`: `"n":"9007199254740993"`, `{"ne":2.50}`: `"ne":2.5`, `{"ne":1.0e0}`: `"ne":1`,
		`{"b":true}`: `"b":1`, `{"b":false}`: `"b":0`,
		`{"d":"2024-02-29"}`: `"d":"2024-02-29"`, `{"t":"2026-01-31T12:00:00.5+02:00"}`: `"t":"2026-01-31T10:00:00.5Z"`, `{"t":"2026-01-31t12:00:00z"}`: `"t":"2026-01-31T12:00:00Z"`,
		`{"l":[]}`: `"l":"[]"`, `{"l":[1, 2.0]}`: `"l":"[1,2]"`, `{"\u0069":7}`: `"i":7`,
	} {
		if got := b.ask(query.Request{Tool: p, Args: []byte(args)}); !strings.Contains(got, want+",") && !strings.Contains(got, want+"}") {
			t.Errorf("%s: got %s, want %s in it", args, got, want)
		}
	}
	deep := strings.Repeat("[", 100_000)
	for args, want := range map[string][]string{ // the argument named, and words of the sentence
		`{"nope":1}`: {"nope", "this tool takes s, e, i"}, `{"S":"a"}`: {"S", "Unknown"}, `{"s":"a","s":"b"}`: {"s", "twice"}, `{"s":"a","\u0073":"b"}`: {"s", "twice"},
		`{"s":5}`: {"s", "must be a string", "got a number"}, `{"s":"ABC"}`: {"s", "^[a-z]*$", "got another string"}, `{"free":"a\u0000b"}`: {"free", "NUL"}, `{"s":{}}`: {"s", "got an object"},
		`{"e":"c"}`: {"e", `one of "a", "b"`}, `{"ne":3}`: {"ne", "one of 1, 2.5"},
		`{"i":"5"}`: {"i", "whole number", "got a string"}, `{"i":5.5}`: {"i", "whole number"}, `{"i":-6}`: {"i", "from -5 to 9007199254740993"}, `{"i":9007199254740994}`: {"i", "from -5"},
		`{"i":9223372036854775808}`: {"i", "64 bits"}, `{"i":1e999999999}`: {"i", "whole number"}, `{"i":1e-999999999}`: {"i", "whole number"}, `{"i":true}`: {"i", "got a boolean"},
		`{"n":-0.1}`: {"n", "at least 0"}, `{"n":"1"}`: {"n", "a number"}, `{"n":1e1001}`: {"n", "a number"}, `{"n":` + strings.Repeat("1", 1001) + `}`: {"n", "a number"}, `{"n":[1]}`: {"n", "got an array"},
		`{"b":1}`: {"b", "true or false"}, `{"b":"true"}`: {"b", "true or false"},
		`{"d":"2026-02-29"}`: {"d", "YYYY-MM-DD"}, `{"d":"31.01.2026"}`: {"d", "YYYY-MM-DD"}, `{"d":"0000-01-01"}`: {"d", "YYYY-MM-DD"}, `{"d":"infinity"}`: {"d", "YYYY-MM-DD"},
		`{"t":"2026-01-31 12:00:00"}`: {"t", "RFC 3339"}, `{"t":"2026-01-31T12:00:00"}`: {"t", "RFC 3339"}, `{"t":"9999-12-31T23:59:59-01:00"}`: {"t", "RFC 3339"},
		`{"l":"1"}`: {"l", "an array"}, `{"l":[1,"2"]}`: {"l", "each a whole number", "got another array"}, `{"l":[null]}`: {"l", "each"}, `{"l":[[1]]}`: {"l", "each"}, `{"l":[` + strings.Repeat("1,", 10_000) + `1]}`: {"l", "at most 10000"},
		`[]`: {"", "JSON object"}, `"x"`: {"", "JSON object"}, `{`: {"", "JSON object"}, `{"s":}`: {"", "JSON object"}, `{"s":"a"`: {"", "JSON object"}, `{"s":"a",}`: {"", "JSON object"}, `{"s":"a"}{}`: {"", "JSON object"},
		`{"s":"a" "e":"b"}`: {"", "JSON object"}, `{"s":"\ud800"}`: {"", "JSON object"}, `{"s":"\x"}`: {"", "JSON object"}, "{\"s\":\"a\nb\"}": {"", "JSON object"}, "{\"s\":\"\xff\"}": {"", "JSON object"},
		`{"i":01}`: {"", "JSON object"}, `{"i":1.}`: {"", "JSON object"}, `{"i":NaN}`: {"", "JSON object"}, `{"l":` + deep + `}`: {"", "JSON object"}, deep: {"", "JSON object"},
	} {
		e := b.refusal(query.Request{Tool: p, Args: []byte(args)})
		if e.Code != query.InvalidParams || e.Argument != want[0] || e.Position != -1 {
			t.Errorf("%.60s: got %s for %q: %s", args, e.Code, e.Argument, e.Message)
		}
		for _, words := range want[1:] {
			if !strings.Contains(e.Message, words) {
				t.Errorf("%.60s: %q does not say %q", args, e.Message, words)
			}
		}
	}
	required := b.compile("SELECT :s AS s", store.Parameter{Name: "s", ParamType: store.TypeString, IsRequired: true})
	for args, want := range map[string]string{`{}`: "missing", `{"s":null}`: "must not be null", ``: "missing"} {
		if e := b.refusal(query.Request{Tool: required, Args: []byte(args)}); e.Argument != "s" || !strings.Contains(e.Message, want) {
			t.Errorf("%s: got %s", args, e.Message)
		}
	}
	if e := b.refusal(query.Request{Tool: b.compile("SELECT 1"), Args: []byte(`{"x":1}`)}); !strings.Contains(e.Message, "takes no arguments") {
		t.Errorf("got %s", e.Message)
	}
	long := strings.Repeat("x", 5000)
	if e := b.refusal(query.Request{Tool: p, Args: []byte(`{"` + long + `":1}`)}); len(e.Message) > 300 {
		t.Errorf("a long key comes back in %d bytes", len(e.Message))
	}
}

func TestCompileRefuses(t *testing.T) { // cases 147, 163
	b := newBench(t, nil)
	str := func(name string) []store.Parameter {
		return []store.Parameter{{Name: name, ParamType: store.TypeString}}
	}
	for _, c := range []struct {
		spec  query.Spec
		field string
	}{
		{query.Spec{SQL: "DELETE FROM item", ReadOnly: true}, "sql_query"},
		{query.Spec{SQL: "DELETE FROM item"}, "sql_query"}, // the connection is read-only
		{query.Spec{SQL: "SELECT 1; SELECT 2"}, "sql_query"},
		{query.Spec{SQL: ""}, "sql_query"},
		{query.Spec{SQL: "SELECT 'x"}, "sql_query"},
		{query.Spec{SQL: "SELECT load_extension('x')"}, "sql_query"},
		{query.Spec{SQL: ":sql", Parameters: str("sql")}, "sql_query"},
		{query.Spec{SQL: "SELECT ?"}, "sql_query"},
		{query.Spec{SQL: "SELECT :a"}, "parameters"},
		{query.Spec{SQL: "SELECT :a", Parameters: append(str("a"), str("a")...)}, "parameters.1.name"},
		{query.Spec{SQL: "SELECT :a", Parameters: []store.Parameter{{Name: "a", ParamType: "evil"}}}, "parameters.0"},
		{query.Spec{SQL: "SELECT :a", Parameters: []store.Parameter{{Name: "a", ParamType: store.TypeInteger, Minimum: number("x")}}}, "parameters.0"},
		{query.Spec{SQL: "SELECT :a", Parameters: []store.Parameter{{Name: "a", ParamType: store.TypeInteger, Maximum: number("5"), DefaultValue: json.RawMessage("6")}}}, "parameters.0"},
		{query.Spec{SQL: "SELECT 1", Transform: ".["}, "transform"},
		{query.Spec{SQL: "SELECT 1", Transform: "env"}, "transform"},
		{query.Spec{SQL: "SELECT 1", InputSchema: json.RawMessage(`{"type":5}`)}, "input_schema"},
		{query.Spec{SQL: "SELECT 1", InputSchema: json.RawMessage(`{"$ref":"file:///etc/passwd"}`)}, "input_schema"},
		{query.Spec{SQL: "SELECT 1", InputSchema: json.RawMessage(`{"$ref":"http://127.0.0.1/x"}`)}, "input_schema"},
	} {
		c.spec.Connection = "c1"
		_, err := b.Compile(c.spec)
		var e *store.Error
		if !errors.As(err, &e) || e.Code != store.Invalid || e.Field != c.field {
			t.Errorf("%+v: got %#v", c.spec, err)
		}
	}
	if _, err := b.Compile(query.Spec{Connection: "other", SQL: "SELECT 1"}); store.CodeOf(err) != store.NotFound {
		t.Errorf("unknown connection: got %v", err)
	}
}

func TestAddConnection(t *testing.T) {
	b := newBench(t, nil)
	if err := b.AddConnection(b.connection); store.CodeOf(err) != store.Conflict {
		t.Errorf("the same id twice: got %v", err)
	}
	for code, cfg := range map[store.Code]driver.Config{
		store.NotAvailable: {ID: "c2", DBType: store.MySQL},
		store.Invalid:      {ID: "c3", DBType: store.SQLite, Database: "../shop.db"},
	} {
		if err := b.AddConnection(query.Connection{Config: cfg}); store.CodeOf(err) != code {
			t.Errorf("%+v: got %v, want %s", cfg, err, code)
		}
	}
	b.Close()
	if err := b.AddConnection(query.Connection{Config: driver.Config{ID: "c4", DBType: store.SQLite, Database: "shop.db"}}); err == nil {
		t.Error("a closed engine took a connection")
	}
}

func TestErrors(t *testing.T) { // case 171
	both(t, nil, func(t *testing.T, b bench) {
		p := b.compile("SELECT :long_parameter_name AS é, nope FROM item", store.Parameter{Name: "long_parameter_name", ParamType: store.TypeString})
		e := b.refusal(query.Request{Tool: p})
		if want := strings.Index("SELECT :long_parameter_name AS é, nope FROM item", "nope") - 1; e.Code != query.Database || e.Position != want || !strings.Contains(e.Detail, "nope") || strings.Contains(e.Message, "nope") {
			t.Errorf("got %s at %d, want %d: %s (%s)", e.Code, e.Position, want, e.Message, e.Detail)
		}
		p = b.compile("SELECT id FROM item WHERE secret = :s", store.Parameter{Name: "s", ParamType: store.TypeString})
		if got := b.ask(query.Request{Tool: p, Args: []byte(`{"s":"canary-1234"}`)}); !strings.Contains(got, `"row_count":0`) {
			t.Errorf("got %s", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := b.Run(ctx, &query.Request{Tool: p}, nil); err == nil || err.(*query.Error).Code != query.Cancelled {
			t.Errorf("cancelled: got %v", err)
		}
	})
	t.Run("no data and no SQL in the sentence", func(t *testing.T) {
		b := newPostgres(t, nil)
		for sql, want := range map[string]string{
			"SELECT secret::int FROM item":                "22P02",
			"SELECT 1/(id - 1) FROM item":                 "22012",
			"SELECT nope FROM item":                       "column does not exist (SQLSTATE 42703)",
			"SELECT * FROM pg_authid":                     "permission denied",
			"SELECT repeat(secret, 1000000000) FROM item": "SQLSTATE",
		} {
			e := b.refusal(query.Request{Tool: b.compile(sql)})
			if e.Code != query.Database || !strings.Contains(e.Message, want) || e.SQLState == "" {
				t.Errorf("%s: got %s: %s", sql, e.Code, e.Message)
			}
			for _, leak := range []string{"hush", "item", "secret", "nope", "pg_authid"} {
				if strings.Contains(e.Message, leak) {
					t.Errorf("%s: %q is in the sentence %q", sql, leak, e.Message)
				}
			}
		}
	})
	t.Run("readonly", func(t *testing.T) {
		b := newPostgres(t, func(_ *query.Options, c *query.Connection) { c.Config.ReadOnly = false })
		b.ask(query.Request{Tool: b.tool(query.Spec{SQL: "CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'DELETE FROM item RETURNING 1'"})})
		if e := b.refusal(query.Request{Tool: b.compile("SELECT evil()")}); e.Code != query.ReadOnly {
			t.Errorf("got %s: %s", e.Code, e.Detail)
		}
		if got := b.ask(query.Request{Tool: b.tool(query.Spec{SQL: "SELECT evil()"})}); !strings.Contains(got, `"row_count":1`) {
			t.Errorf("a tool that may write: %s", got)
		}
	})
	t.Run("unavailable", func(t *testing.T) {
		b := newPostgres(t, func(_ *query.Options, c *query.Connection) {
			c.Config.Username, c.Config.Password = "nobody_here", "canary-wrong"
		})
		if e := b.refusal(query.Request{Tool: b.compile("SELECT 1")}); e.Code != query.Unavailable || strings.Contains(e.Message+e.Detail+e.Hint, "canary") || strings.Contains(e.Message, "nobody") || e.Hint == "" {
			t.Errorf("got %s: %s (%s)", e.Code, e.Message, e.Detail)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		b = newPostgres(t, func(_ *query.Options, c *query.Connection) { c.Config.Port = port })
		if e := b.refusal(query.Request{Tool: b.compile("SELECT 1")}); e.Code != query.Unavailable || strings.Contains(e.Message, "127.0.0.1") {
			t.Errorf("got %s: %s (%s)", e.Code, e.Message, e.Detail)
		}
	})
}

const endless = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r) SELECT max(i) FROM r"

func TestTimeout(t *testing.T) {
	both(t, nil, func(t *testing.T, b bench) {
		b.ask(query.Request{Tool: b.compile("SELECT 1 AS a")}) // there is a session: making one can take longer, which is another error
		start := time.Now()
		e := b.refusal(query.Request{Tool: b.compile(endless), Limits: query.Limits{Timeout: 200 * time.Millisecond}})
		if e.Code != query.Timeout || !strings.Contains(e.Message, "200ms") || time.Since(start) > 20*time.Second { // half a minute is what a connection allows
			t.Errorf("got %s after %s: %s", e.Code, time.Since(start), e.Message)
		}
	})
}

func TestQueue(t *testing.T) { // cases 179, 180
	b := newBench(t, func(_ *query.Options, c *query.Connection) { c.Concurrent, c.QueueWait = 1, 200*time.Millisecond })
	other := b.connection
	other.Config.ID = "c2"
	if err := b.AddConnection(other); err != nil {
		t.Fatal(err)
	}
	slow, quick := b.compile(endless), b.compile("SELECT 1 AS a")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := b.Run(ctx, &query.Request{Tool: slow, Principal: "a"}, nil)
		done <- err
	}()
	for stats, _ := b.QueueStats("c1"); stats.Running == 0; stats, _ = b.QueueStats("c1") {
		time.Sleep(time.Millisecond)
	}
	if e := b.refusal(query.Request{Tool: quick, Principal: "b"}); e.Code != query.QueueTimeout || !strings.Contains(e.Message, "Try again") {
		t.Errorf("got %s: %s", e.Code, e.Message)
	}
	free, err := b.Compile(query.Spec{Connection: "c2", SQL: "SELECT 1 AS a", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.ask(query.Request{Tool: free}); !strings.Contains(got, `"a":1`) {
		t.Errorf("another connection: %s", got)
	}
	cancel()
	if err := <-done; err == nil || err.(*query.Error).Code != query.Cancelled {
		t.Errorf("the running call: %v", err)
	}
	var calls sync.WaitGroup
	for range 200 {
		calls.Go(func() {
			if _, _, err := b.Run(t.Context(), &query.Request{Tool: quick}, nil); err != nil && err.(*query.Error).Code != query.QueueTimeout {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if stats, ok := b.QueueStats("c1"); !ok || stats.Running != 0 || stats.Waiting != 0 {
		t.Errorf("afterwards: %+v", stats)
	}
	if _, ok := b.QueueStats("no"); ok {
		t.Error("an unknown connection has a queue")
	}
}

func TestTransform(t *testing.T) {
	b := newBench(t, func(o *query.Options, _ *query.Connection) {
		o.Variables = map[string]json.RawMessage{"rate": json.RawMessage("2")}
	})
	max := store.Parameter{Name: "max", ParamType: store.TypeInteger, DefaultValue: json.RawMessage("3")}
	tool := func(jq string) *query.Prepared {
		return b.tool(query.Spec{SQL: "SELECT id FROM item WHERE id <= :max ORDER BY id", Parameters: []store.Parameter{max, {Name: "extra", ParamType: store.TypeString}}, ReadOnly: true, Transform: jq})
	}
	for jq, want := range map[string]string{
		`{total: map(.id) | add}`:     `{"total":3}`,
		`map(.id)`:                    `{"result":[1,2]}`,
		`length`:                      `{"result":2}`,
		`empty`:                       `{"result":null}`,
		`{r: $vars.rate, p: $params}`: `{"p":{"extra":null,"max":2},"r":2}`,
	} {
		out, res, err := b.Run(t.Context(), &query.Request{Tool: tool(jq), Args: []byte(`{"max":2}`)}, []byte("x"))
		if err != nil || string(out) != "x"+want || string(res.Rows) != `[{"id":1},{"id":2}]` || res.RowCount != 2 {
			t.Errorf("%s: got %s (%s), %v; want %s", jq, out, res.Rows, err, want)
		}
	}
	if got := b.ask(query.Request{Tool: tool(`$params.max`)}); got != `{"result":3}` {
		t.Errorf("a default in $params: %s", got)
	}
	out, res, err := b.Run(t.Context(), &query.Request{Tool: tool(`error("canary")`)}, []byte("x"))
	var e *query.Error
	if !errors.As(err, &e) || e.Code != query.Transform || strings.Contains(e.Message, "canary") || !strings.Contains(e.Detail, "canary") || len(res.Rows) == 0 || string(out) != "x" {
		t.Errorf("got %s, %s, %v", out, res.Rows, err)
	}
	if e := b.refusal(query.Request{Tool: tool(`[limit(10000000; repeat("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))]`)}); e.Code != query.Transform || !strings.Contains(e.Message, "reduce the rows") {
		t.Errorf("got %s: %s", e.Code, e.Message)
	}
}

func TestInputSchema(t *testing.T) {
	b := newBench(t, nil)
	p := b.tool(query.Spec{SQL: "SELECT :i AS i", ReadOnly: true, Parameters: []store.Parameter{{Name: "i", ParamType: store.TypeInteger}},
		InputSchema: json.RawMessage(`{"type":"object","properties":{"i":{"type":"integer","multipleOf":5},"note":{"type":"string"},"o":{"type":"object","properties":{"x":{"type":"integer"}}}},"required":["i"],"additionalProperties":false}`)})
	if got := b.ask(query.Request{Tool: p, Args: []byte(`{"i":10,"note":"extra"}`)}); !strings.Contains(got, `{"i":10}`) {
		t.Errorf("got %s", got)
	}
	for args, argument := range map[string]string{`{"i":7}`: "i", `{}`: "", ``: "", `{"i":5,"other":1}`: "", `{"i":5,"note":1}`: "note", `{"i":5,"o":{"x":"a"}}`: "o", `{"i":"5"}`: "i", `{`: "", `{"i":5,"i":10}`: "i"} {
		if e := b.refusal(query.Request{Tool: p, Args: []byte(args)}); e.Code != query.InvalidParams || e.Argument != argument {
			t.Errorf("%s: got %s for %q: %s", args, e.Code, e.Argument, e.Message)
		}
	}
}

func TestCaller(t *testing.T) {
	both(t, nil, func(t *testing.T, b bench) {
		p := b.compile("SELECT :caller.id AS id, :caller.name AS name")
		if got := b.ask(query.Request{Tool: p, Caller: map[string]string{"id": "t1"}}); !strings.Contains(got, `[{"id":"t1","name":null}]`) {
			t.Errorf("got %s", got)
		}
		if e := b.refusal(query.Request{Tool: p, Args: []byte(`{"caller.id":"evil"}`)}); e.Code != query.InvalidParams {
			t.Errorf("got %s", e.Message)
		}
	})
}

func TestDescribe(t *testing.T) {
	b := newPostgres(t, nil)
	p := b.compile("SELECT id, name FROM item WHERE id = :id AND name = :n AND secret = :caller.name", store.Parameter{Name: "n", ParamType: store.TypeString}, store.Parameter{Name: "id", ParamType: store.TypeInteger})
	d, err := b.Describe(t.Context(), p, query.Limits{})
	if err != nil || len(d.Columns) != 2 || d.Columns[0].Type != "bigint" || d.Params["id"] != store.TypeInteger || d.Params["n"] != store.TypeString || d.Params["caller.name"] != store.TypeString {
		t.Errorf("got %+v, %v", d, err)
	}
	const bad = "SELECT :caller.name AS c, nope FROM item"
	_, err = b.Describe(t.Context(), b.compile(bad), query.Limits{})
	var e *query.Error
	if !errors.As(err, &e) || e.Position != strings.Index(bad, "nope") {
		t.Errorf("got %+v", err)
	}
}

func TestSchemaAndTest(t *testing.T) {
	both(t, nil, func(t *testing.T, b bench) {
		s, err := b.Schema("c1")
		if err != nil {
			t.Fatal(err)
		}
		tables, err := s.Tables(t.Context(), driver.TableQuery{})
		if err != nil || len(tables.Items) != 1 || tables.Items[0].Name != "item" {
			t.Errorf("got %+v, %v", tables, err)
		}
		if _, err := b.Test(t.Context(), "c1", nil); err != nil {
			t.Error(err)
		}
		if _, err := b.Schema("no"); store.CodeOf(err) != store.NotFound {
			t.Errorf("got %v", err)
		}
		if _, err := b.Test(t.Context(), "no", nil); store.CodeOf(err) != store.NotFound {
			t.Errorf("got %v", err)
		}
	})
}
