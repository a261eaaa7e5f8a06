package postgres_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/driver/postgres"
	"mcpstudio/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pool opens one on the database.
func (d *database) pool(t *testing.T, change func(*driver.Config)) driver.Pool {
	t.Helper()
	cfg := d.cfg
	if change != nil {
		change(&cfg)
	}
	p, err := postgres.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func one(c *driver.Config) { c.MaxSessions = 1 }

func run(t *testing.T, p driver.Pool, st *driver.Statement, lim driver.Limits) (string, driver.Outcome) {
	t.Helper()
	b, o, err := p.Query(t.Context(), st, nil, lim, nil)
	if err != nil {
		t.Fatalf("%s: %v", st.SQL, err)
	}
	return string(b), o
}

func option(name, value string) map[string]json.RawMessage {
	return map[string]json.RawMessage{name: json.RawMessage(value)}
}

func reading(sql string) *driver.Statement { return &driver.Statement{SQL: sql, ReadOnly: true} }

// TestPanicDiscardsTheSession: nobody knows what a panic left unread, so it must not be the answer to the next statement.
func TestPanicDiscardsTheSession(t *testing.T) {
	p := newDatabase(t).pool(t, one)
	backend := reading("SELECT pg_backend_pid() AS pid")
	before, _ := run(t, p, backend, driver.Limits{})
	if again, _ := run(t, p, backend, driver.Limits{}); again != before {
		t.Fatalf("the session is not used again: %s, %s", before, again)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a statement that is not there did not panic")
			}
		}()
		_, _, _ = p.Query(t.Context(), nil, nil, driver.Limits{}, nil)
	}()
	if after, _ := run(t, p, backend, driver.Limits{}); after == before {
		t.Errorf("the session of the panic serves on: %s", after)
	}
}

// TestSilentServer: a server that never answers is named as such, also when the statement's time is shorter than that for connecting.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr)
	p, err := postgres.New().Open(driver.Config{
		DBType: store.PostgreSQL, Host: at.IP.String(), Port: at.Port, Database: "d", Username: "u", SSLMode: store.SSLDisable, StatementTimeout: 300 * time.Millisecond,
		Dial: func(ctx context.Context, host string, port int) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, _, err = p.Query(t.Context(), reading("SELECT 1"), nil, driver.Limits{}, nil)
	if err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("got %v", err)
	}
}

// TestPlanChanges alters the table under prepared statements.
func TestPlanChanges(t *testing.T) {
	d := newDatabase(t)
	p := d.pool(t, func(c *driver.Config) { c.MaxSessions, c.ReadOnly = 1, false })
	d.ask(t, "CREATE TABLE shape (a int); GRANT ALL ON shape TO "+d.cfg.Username+"; INSERT INTO shape VALUES (1)")
	read, write := reading("SELECT * FROM shape"), &driver.Statement{SQL: "UPDATE shape SET a = a + 1 RETURNING *"}
	for i, c := range []struct{ alter, read, write string }{
		{"SELECT 1", `[{"a":1}]`, `[{"a":2}]`},
		{"ALTER TABLE shape ADD COLUMN b text DEFAULT 'x'", `[{"a":2,"b":"x"}]`, `[{"a":3,"b":"x"}]`},
		{"ALTER TABLE shape ALTER COLUMN b DROP DEFAULT, ALTER COLUMN b TYPE bytea USING b::bytea", `[{"a":3,"b":"eA=="}]`, `[{"a":4,"b":"eA=="}]`},
		{"ALTER TABLE shape DROP COLUMN b", `[{"a":4}]`, `[{"a":5}]`},
	} {
		d.ask(t, c.alter)
		if got, _ := run(t, p, read, driver.Limits{}); got != c.read {
			t.Errorf("%d: got %s, want %s", i, got, c.read)
		}
		if got, o := run(t, p, write, driver.Limits{}); got != c.write || o.Affected != 1 {
			t.Errorf("%d: got %s, %+v, want %s", i, got, o, c.write)
		}
	}
}

// TestPlanChangesBehindPooler alters the table while its statement is parsed anew for each call. The first call after the change
// must not read the new values as the old ones.
func TestPlanChangesBehindPooler(t *testing.T) {
	d := newDatabase(t)
	p := d.pool(t, func(c *driver.Config) {
		c.MaxSessions, c.ReadOnly, c.Extra = 1, false, map[string]json.RawMessage{"pooler": json.RawMessage(`"transaction"`)}
	})
	d.ask(t, "CREATE TABLE shape (a timestamptz); GRANT ALL ON shape TO "+d.cfg.Username+"; INSERT INTO shape VALUES ('2026-01-31')")
	read, write := reading("SELECT * FROM shape"), &driver.Statement{SQL: "UPDATE shape SET n = n + 1 RETURNING *"}
	large := reading("SELECT shape.*, repeat('x', 5000000) AS large FROM shape") // not read to its end when it is not of use
	for _, c := range []struct{ alter, want string }{
		{"SELECT 1", `[{"a":"2026-01-31T00:00:00Z"}]`},
		{"ALTER TABLE shape ALTER COLUMN a TYPE text USING 'words'", `[{"a":"words"}]`}, // the wire format was binary
		{"ALTER TABLE shape RENAME COLUMN a TO b", `[{"b":"words"}]`},
		{"ALTER TABLE shape ADD COLUMN n int DEFAULT 1", `[{"b":"words","n":1}]`},
	} {
		d.ask(t, c.alter)
		if got, o := run(t, p, read, driver.Limits{}); got != c.want || o.Truncated {
			t.Errorf("%s: got %s, %+v, want %s", c.alter, got, o, c.want)
		}
		if got, o := run(t, p, large, driver.Limits{Bytes: 6 << 20}); !strings.HasPrefix(got, strings.TrimSuffix(c.want, "}]")) || o.Rows != 1 {
			t.Errorf("%s: got %.100s, %+v, want %s", c.alter, got, o, c.want)
		}
	}
	run(t, p, write, driver.Limits{})
	d.ask(t, "ALTER TABLE shape ALTER COLUMN b TYPE bytea USING '\\xff'::bytea")
	if got, o := run(t, p, write, driver.Limits{}); got != "[]" || !o.Truncated || o.Affected != 1 { // it has written: it is not run again
		t.Errorf("got %s, %+v", got, o)
	}
	if got, _ := run(t, p, write, driver.Limits{}); got != `[{"b":"/w==","n":4}]` {
		t.Errorf("got %s", got)
	}
	d.ask(t, "ALTER TABLE shape ADD COLUMN c int DEFAULT 9")
	if got, o := run(t, p, write, driver.Limits{}); got != `[{"b":"/w==","n":5,"c":9}]` || o.Affected != 1 { // refused before it wrote: once more
		t.Errorf("got %s, %+v", got, o)
	}
}

// TestStringsAsTheLexerReadsThem meets a role for which a backslash would escape.
func TestStringsAsTheLexerReadsThem(t *testing.T) {
	d := newDatabase(t)
	d.ask(t, "ALTER ROLE "+d.cfg.Username+" SET standard_conforming_strings = off")
	for _, pooler := range []string{`"session"`, `"transaction"`} {
		p := d.pool(t, func(c *driver.Config) {
			c.ReadOnly, c.Extra = false, map[string]json.RawMessage{"pooler": json.RawMessage(pooler)}
		})
		for range 2 { // also after the reset that follows a write
			if got, _ := run(t, p, reading(`SELECT '\' AS a, 'b\b' AS b`), driver.Limits{}); got != `[{"a":"\\","b":"b\\b"}]` {
				t.Errorf("%s: got %s", pooler, got)
			}
			run(t, p, &driver.Statement{SQL: "UPDATE victim SET t = t"}, driver.Limits{})
		}
	}
}

// TestPreparedStatementsAreBounded runs more statements than a session keeps.
func TestPreparedStatementsAreBounded(t *testing.T) {
	p := newDatabase(t).pool(t, one)
	var again []*driver.Statement
	for i := range 400 {
		st := reading(fmt.Sprintf("SELECT %d AS a", i))
		again = append(again, st)
		run(t, p, st, driver.Limits{})
	}
	for _, i := range []int{0, 399} {
		if got, _ := run(t, p, again[i], driver.Limits{}); got != fmt.Sprintf(`[{"a":%d}]`, i) {
			t.Errorf("statement %d: %s", i, got)
		}
	}
	if got, _ := run(t, p, reading("SELECT count(*) BETWEEN 200 AND 262 AS ok FROM pg_prepared_statements"), driver.Limits{}); got != `[{"ok":true}]` {
		t.Errorf("got %s", got)
	}
}

// TestWritesAreNotRetried ends a session in the middle of a statement that writes. A sequence counts how often it ran:
// it is not rolled back. // case 186
func TestWritesAreNotRetried(t *testing.T) {
	d := newDatabase(t)
	p := d.pool(t, func(c *driver.Config) { c.ReadOnly = false })
	done := make(chan error, 1)
	go func() {
		_, _, err := p.Query(t.Context(), &driver.Statement{SQL: "INSERT INTO victim (id, v) SELECT 100 + nextval('victim_seq'), pg_sleep(30)::text"}, nil, driver.Limits{}, nil)
		done <- err
	}()
	for d.ask(t, "SELECT is_called FROM victim_seq") != "t" {
		time.Sleep(10 * time.Millisecond)
	}
	d.ask(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '"+d.cfg.Username+"'")
	if err := <-done; driver.KindOf(err) != driver.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if got := d.ask(t, "SELECT last_value FROM victim_seq; SELECT count(*) FROM victim WHERE id >= 100"); got != "1 0" {
		t.Errorf("the statement ran %s times", got)
	}
}

// TestWritesRunToTheirEnd: rows beyond the limit are not returned, but what makes them is carried out.
func TestWritesRunToTheirEnd(t *testing.T) {
	d := newDatabase(t)
	d.ask(t, "CREATE TABLE put (i int); GRANT ALL ON put TO "+d.cfg.Username+"; CREATE FUNCTION put(n int) RETURNS int LANGUAGE sql AS 'INSERT INTO put VALUES (n) RETURNING i'")
	for _, pooler := range []string{`"session"`, `"transaction"`} {
		p := d.pool(t, func(c *driver.Config) { c.ReadOnly, c.Extra = false, option("pooler", pooler) })
		for _, sql := range []string{"SELECT put(i) AS i FROM generate_series(1, 500) i", "INSERT INTO put SELECT i FROM generate_series(1, 500) i RETURNING i"} {
			got, o := run(t, p, &driver.Statement{SQL: sql}, driver.Limits{Rows: 2})
			if n := d.ask(t, "SELECT count(*) FROM put; TRUNCATE put"); n != "500" || got != `[{"i":1},{"i":2}]` || !o.Truncated {
				t.Errorf("%s: %s rows were written; got %s, %+v", sql, n, got, o)
			}
		}
	}
}

// TestForgedControls prepares statements of its own under the names of ours, as a function can that runs SQL it is given. What a
// call leaves behind must not let a later one write.
func TestForgedControls(t *testing.T) {
	d := newDatabase(t)
	d.ask(t, "CREATE FUNCTION run(sql text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE sql; RETURN 1; END $$")
	p := d.pool(t, one)
	before := d.ask(t, checksum)
	forge := func(name string) string {
		return "(SELECT run('DEALLOCATE ' || name) FROM pg_prepared_statements WHERE name = 'ro_" + name + "'), run('PREPARE ro_" + name + " AS SELECT 1')"
	}
	for _, sql := range []string{
		"SELECT " + forge("begin"),
		"SELECT " + forge("rollback") + ", run('SELECT lo_from_bytea(0, ''x'')')", // PostgreSQL 15 lets this pass in a read-only transaction
		"SELECT " + forge("begin") + ", " + forge("rollback"),
		"SELECT run('SELECT lo_from_bytea(0, ''x'')')",
	} {
		if _, _, err := p.Query(t.Context(), reading(sql), nil, driver.Limits{}, nil); err != nil {
			t.Logf("%s: %v", sql, err)
		}
		if after := d.ask(t, checksum); after != before {
			t.Fatalf("WROTE: %s", sql)
		}
	}
	if got, _ := run(t, p, reading("SELECT 1 AS a"), driver.Limits{}); got != `[{"a":1}]` {
		t.Errorf("afterwards: %s", got)
	}
}

// TestStatementThatDoesNotGiveUp: the client of a function that swallows its cancellation goes away, and the server notices.
func TestStatementThatDoesNotGiveUp(t *testing.T) {
	d := newDatabase(t)
	if version, err := strconv.Atoi(d.ask(t, "SHOW server_version_num")); err != nil || version < 140000 {
		t.Skip("before PostgreSQL 14 a server does not look whether its client is still there")
	}
	d.ask(t, `CREATE FUNCTION stubborn() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
		LOOP BEGIN PERFORM pg_sleep(0.2); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$`)
	p := d.pool(t, func(c *driver.Config) { c.MaxSessions, c.ReadOnly = 1, false })
	run(t, p, &driver.Statement{SQL: "UPDATE victim SET t = t"}, driver.Limits{}) // also after the reset that follows a write
	if _, _, err := p.Query(t.Context(), reading("SELECT stubborn()"), nil, driver.Limits{Timeout: 200 * time.Millisecond}, nil); driver.KindOf(err) != driver.KindTimeout {
		t.Errorf("got %v", err)
	}
	const active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%stubborn()%' AND pid <> pg_backend_pid()"
	for deadline := time.Now().Add(time.Minute); d.ask(t, active) != "0"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it runs on without a client")
		}
	}
}

// counted counts the bytes that come.
type counted struct {
	net.Conn
	came *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.came.Add(int64(n))
	return n, err
}

// TestLargeResults keeps memory flat and stops reading when there is far more than the limits allow. // case 168
func TestLargeResults(t *testing.T) {
	d := newDatabase(t)
	var came atomic.Int64
	p := d.pool(t, func(c *driver.Config) {
		c.MaxSessions = 1
		dial := c.Dial
		c.Dial = func(ctx context.Context, host string, port int) (net.Conn, error) {
			conn, err := dial(ctx, host, port)
			return counted{conn, &came}, err
		}
	})
	wide := reading("SELECT repeat('x', 1000000) AS x FROM generate_series(1, 5000)")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, o := run(t, p, wide, driver.Limits{Rows: 100_000, Bytes: 1000})
	if got != "[]" || !o.Truncated || came.Load() > 500<<20 {
		t.Errorf("got %.50s, %+v after %d bytes", got, o, came.Load())
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 128<<20 {
		t.Errorf("5 GB of rows took %d MB", grown>>20)
	}
	const active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename = "
	for deadline := time.Now().Add(20 * time.Second); d.ask(t, active+"'"+d.cfg.Username+"'") != "0"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the statement still runs on the server")
		}
	}
	if _, _, err := p.Query(t.Context(), reading("SELECT repeat('x', 20000000) AS x"), nil, driver.Limits{}, nil); driver.KindOf(err) != driver.KindLimit {
		t.Errorf("a row of 20 MB: %v", err)
	}
	// A row that cannot fit is not written at all: as JSON this one has 90 MB.
	b, o, err := p.Query(t.Context(), reading(`SELECT repeat(E'\x01', 15000000) AS x`), nil, driver.Limits{Bytes: 1 << 20}, nil)
	if string(b) != "[]" || !o.Truncated || err != nil || cap(b) > 8<<20 {
		t.Errorf("got %d bytes in %d, %+v, %v", len(b), cap(b), o, err)
	}
	// One that does fit is, also in the form whose JSON is the shortest.
	for limit, rows := range map[int]int{300_009: 1, 300_008: 0} {
		b, o, err := p.Query(t.Context(), reading(`SELECT array_fill('""'::json, ARRAY[100000]) AS x`), nil, driver.Limits{Bytes: limit}, nil)
		if o.Rows != rows || o.Truncated != (rows == 0) || err != nil {
			t.Errorf("%d: got %d bytes, %+v, %v", limit, len(b), o, err)
		}
	}
	columns := make([]string, 1600)
	for i := range columns {
		columns[i] = "1 AS a"
	}
	if got, o := run(t, p, reading("SELECT "+strings.Join(columns, ",")), driver.Limits{}); len(o.Columns) != 1600 || !strings.Contains(got, `"a_1600":1`) {
		t.Errorf("1600 columns of one name: got %d", len(o.Columns))
	}
	nested := reading("SELECT (repeat('[', 6000) || repeat(']', 6000))::json AS j")
	if got, _ := run(t, p, nested, driver.Limits{}); len(got) != len(`[{"j":}]`)+12000 {
		t.Errorf("nested JSON came in %d bytes", len(got))
	}
}

// TestForeignEncodings reads databases that do not store UTF-8. // case 168
func TestForeignEncodings(t *testing.T) {
	d := newDatabase(t)
	for encoding, want := range map[string]string{"LATIN1": `[{"t":"aÿb","a":["ÿ"]}]`, "SQL_ASCII": ""} {
		name := d.cfg.Database + strings.ToLower(encoding)
		d.ask(t, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
		p := d.pool(t, func(c *driver.Config) { c.Database = name })
		b, _, err := p.Query(t.Context(), reading(`SELECT E'a\xffb' AS t, ARRAY[E'\xff'] AS a`), nil, driver.Limits{}, nil)
		if string(b) != want || want == "" && driver.KindOf(err) != driver.KindData { // bytes without a meaning are refused by the server
			t.Errorf("%s: got %s, %v, want %s", encoding, b, err, want)
		}
		p.Close()
		d.ask(t, "DROP DATABASE "+name)
	}
}

// TestEnvironmentIsIgnored sets everything libpq would read. // case 177
func TestEnvironmentIsIgnored(t *testing.T) {
	d := newDatabase(t)
	home := t.TempDir()
	for name, content := range map[string]string{".pgpass": "*:*:*:*:canary", ".pg_service.conf": "[evil]\nhost=evil.test", ".postgresql/root.crt": "canary", ".postgresql/postgresql.crt": "canary", ".postgresql/postgresql.key": "canary"} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"HOME": home, "PGHOST": "evil.test", "PGPORT": "1", "PGUSER": "evil", "PGPASSWORD": "canary", "PGDATABASE": "evil", "PGPASSFILE": filepath.Join(home, ".pgpass"), "PGSSLMODE": "verify-full",
		"PGSSLROOTCERT": "/etc/shadow", "PGSSLCERT": "/etc/shadow", "PGSSLKEY": "/etc/shadow", "PGSSLCERTMODE": "require", "PGOPTIONS": "-c default_transaction_read_only=off -c search_path=evil", "PGTZ": "Asia/Tokyo",
		"PGAPPNAME": "evil", "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "1", "PGREQUIREAUTH": "gss", "PGCHANNELBINDING": "require", "PGMINPROTOCOLVERSION": "3.2", "PGSSLNEGOTIATION": "direct", "PGSERVICEFILE": "/etc/shadow",
	} {
		t.Setenv(name, value)
	}
	type target struct {
		host string
		port int
	}
	var mu sync.Mutex
	var dialled []target
	p := d.pool(t, func(c *driver.Config) {
		c.Dial = func(ctx context.Context, host string, port int) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialled = append(dialled, target{host, port})
			return dialTCP(ctx, host, port)
		}
	})
	const sql = "SELECT current_setting('TimeZone') AS z, current_setting('application_name') AS a, current_setting('default_transaction_read_only') AS r, current_setting('search_path') AS s"
	if got, _ := run(t, p, reading(sql), driver.Limits{}); got != `[{"z":"UTC","a":"mcp-studio","r":"on","s":"\"$user\", public"}]` {
		t.Errorf("got %s", got)
	}
	if len(dialled) != 1 || dialled[0] != (target{d.cfg.Host, d.cfg.Port}) {
		t.Errorf("dialled %v", dialled)
	}
}

// TestHostTricks gives hosts that a connection string would take apart. Dial gets them whole, or nothing is dialled. // case 177
func TestHostTricks(t *testing.T) {
	for _, host := range []string{"a.test,b.test", "/tmp", "@abstract", "a.test port=1", "user@a.test", "host=b.test", "a.test?host=b.test", "", "::1"} {
		var dialled []string
		p, err := postgres.New().Open(driver.Config{DBType: store.PostgreSQL, Host: host, Port: 5432, SSLMode: store.SSLDisable, Dial: func(_ context.Context, host string, port int) (net.Conn, error) {
			dialled = append(dialled, host)
			return nil, &net.OpError{Op: "dial", Err: os.ErrPermission}
		}})
		if err == nil {
			if _, _, err := p.Query(t.Context(), reading("SELECT 1"), nil, driver.Limits{}, nil); err == nil {
				t.Errorf("%q: connected", host)
			}
			p.Close()
		}
		if len(dialled) > 1 || len(dialled) == 1 && dialled[0] != host {
			t.Errorf("%q: dialled %q", host, dialled)
		}
	}
}

// message builds one of the server's.
func message(kind byte, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...)
}

// hostile is a server that says hello and then something to whatever it hears, again and again.
type hostile struct {
	hello, then []byte
	mode        store.SSLMode
}

// TestHostileServer meets servers that do not play by the rules. Nothing may panic, hang, fill the memory or get the
// password. // case 178
func TestHostileServer(t *testing.T) {
	ok, ready := message('R', 0, 0, 0, 0), message('Z', 'I')
	signedIn := append(append([]byte{}, ok...), ready...)
	var all sync.WaitGroup // all at once: most of the time is waiting for limits
	for name, c := range map[string]hostile{
		"silence":                 {},
		"garbage":                 {hello: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		"clear text asked":        {hello: message('R', 0, 0, 0, 3)},
		"unknown way to sign in":  {hello: message('R', 0, 0, 0, 99)},
		"GSS asked":               {hello: message('R', 0, 0, 0, 7)},
		"SASL without mechanisms": {hello: message('R', 0, 0, 0, 10, 0)},
		"length of 4 GiB":         {hello: []byte{'R', 0xff, 0xff, 0xff, 0xff}},
		"length of 2 GiB":         {hello: signedIn, then: []byte{'D', 0x7f, 0xff, 0xff, 0xff}},
		"negative length":         {hello: signedIn, then: []byte{'D', 0, 0, 0, 0}},
		"endless notices":         {hello: signedIn, then: message('N', 'M', 'x', 0, 0)},
		"endless rows":            {hello: signedIn, then: message('D', 0, 0)},
		"ready and nothing else":  {hello: signedIn, then: ready},
		"wrong column count":      {hello: signedIn, then: message('T', 0xff, 0xff)},
		"no to TLS":               {hello: []byte("N"), mode: store.SSLRequire},
		"nonsense for TLS":        {hello: []byte("Sxxxxxxxxxxxxxxxx"), mode: store.SSLRequire},
		"plain text before TLS":   {hello: append([]byte("S"), signedIn...), mode: store.SSLRequire},
	} {
		all.Go(func() { c.meet(t, name) })
	}
	all.Wait()
}

func (c hostile) meet(t *testing.T, name string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	var mu sync.Mutex
	var heard []byte // guarded by mu
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				b := c.serve(conn)
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, b...)
			})
		}
	})
	cfg := driver.Config{DBType: store.PostgreSQL, Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Username: "u", Password: "canary", SSLMode: store.SSLDisable, Dial: dialTCP, StatementTimeout: time.Second}
	if c.mode != "" {
		cfg.SSLMode = c.mode
	}
	p, err := postgres.New().Open(cfg)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	if _, _, err = p.Query(ctx, reading("SELECT 1"), nil, driver.Limits{}, nil); err == nil || time.Since(start) > 20*time.Second || strings.Contains(fmt.Sprintf("%+v", err), "canary") {
		t.Errorf("%s: got %v after %s", name, err, time.Since(start))
	}
	t.Logf("%s: %v after %s", name, err, time.Since(start))
	p.Close()
	l.Close()
	served.Wait()
	if strings.Contains(string(heard), "canary") {
		t.Errorf("%s: the password was sent in clear text", name)
	}
}

// serve plays the server on one connection and returns what it heard.
func (c hostile) serve(conn net.Conn) []byte {
	defer conn.Close()
	b := make([]byte, 4096)
	n, err := conn.Read(b)
	heard := append([]byte(nil), b[:n]...)
	if err == nil {
		_, err = conn.Write(c.hello)
	}
	for err == nil && len(c.then) > 0 {
		_, err = conn.Write(c.then)
	}
	for err == nil {
		n, err = conn.Read(b)
		heard = append(heard, b[:n]...)
	}
	return heard
}
