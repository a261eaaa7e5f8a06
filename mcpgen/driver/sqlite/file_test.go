package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/driver/sqlite"
	"mcpstudio/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ask(t *testing.T, p driver.Pool, sql string) (string, error) {
	t.Helper()
	b, _, err := p.Query(t.Context(), &driver.Statement{SQL: sql, ReadOnly: true}, nil, driver.Limits{}, nil)
	return string(b), err
}

// change runs statements on a file from outside.
func change(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// TestPaths gives every name that is not an ordinary file below the directory. // case 157
func TestPaths(t *testing.T) {
	cfg := newFile(t, "")
	dir, outside := cfg.SQLiteDir, t.TempDir()
	change(t, filepath.Join(outside, "secret.db"), "CREATE TABLE secret (a)")
	for link, to := range map[string]string{
		"link.db": filepath.Join(outside, "secret.db"), "inside.db": filepath.Join(dir, "shop.db"), "relative.db": "shop.db", "linkdir": outside, "dangling.db": "nowhere.db", "proc.db": "/proc/self/fd/0",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(dir, "sub", "deep.db"), "CREATE TABLE deep (a)")
	change(t, filepath.Join(dir, "odd.db"), "CREATE TABLE odd (a)")
	if err := os.Rename(filepath.Join(dir, "odd.db"), filepath.Join(dir, "odd ?mode=rwc#%.db")); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir) + files(t, outside)
	for name, works := range map[string]bool{
		"shop.db": true, "sub/deep.db": true, "./sub/../shop.db": true, "odd ?mode=rwc#%.db": true,
		"../secret.db": false, "/etc/passwd": false, filepath.Join(outside, "secret.db"): false, "sub/../../secret.db": false, "": false, ".": false, "..": false, "sub": false, "missing.db": false,
		"link.db": false, "inside.db": false, "relative.db": false, "linkdir/secret.db": false, "dangling.db": false, "proc.db": false, "linkdir/../shop.db": true,
		"file:shop.db?mode=rwc": false, "shop.db?mode=rwc": false, "shop.db\x00.txt": false, ":memory:": false, "file::memory:": false, `sub\deep.db`: false, "shop.db/": true,
	} {
		c := cfg
		c.Database = name
		p, err := sqlite.New().Open(c)
		if err == nil {
			_, err = ask(t, p, "SELECT count(*) FROM sqlite_schema")
			p.Close()
		}
		if (err == nil) != works {
			t.Errorf("%q: got %v, should work: %v", name, err, works)
		}
		if err != nil && strings.Contains(err.Error(), outside) && !strings.Contains(name, outside) {
			t.Errorf("%q: the error names what is outside: %v", name, err)
		}
	}
	if after := files(t, dir) + files(t, outside); after != before {
		t.Error("a file was made or changed")
	}
	for _, dir := range []string{"", "relative"} {
		if _, err := sqlite.New().Open(driver.Config{SQLiteDir: dir, Database: "shop.db"}); driver.KindOf(err) != driver.KindConfig {
			t.Errorf("directory %q: got %v", dir, err)
		}
	}
}

// TestFileIsReplaced puts another file, or a link, in place of one that is open.
func TestFileIsReplaced(t *testing.T) {
	cfg := newFile(t, "")
	path := filepath.Join(cfg.SQLiteDir, "shop.db")
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	const sql = "SELECT count(*) AS n FROM victim"
	if got, err := ask(t, p, sql); err != nil || got != `[{"n":2}]` {
		t.Fatalf("got %s, %v", got, err)
	}
	fresh := filepath.Join(cfg.SQLiteDir, "fresh.db")
	change(t, fresh, "CREATE TABLE victim (id); INSERT INTO victim VALUES (1), (2), (3)")
	if err := os.Rename(fresh, path); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t, p, sql); err != nil || got != `[{"n":3}]` {
		t.Errorf("after a rename: got %s, %v", got, err)
	}
	if err := os.Rename(path, fresh); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fresh, path); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(t, p, sql); err == nil {
		t.Errorf("through a link: got %s", got)
	}
}

// TestSchemaChanges alters the table under a prepared statement, from outside.
func TestSchemaChanges(t *testing.T) {
	cfg := newFile(t, "")
	path := filepath.Join(cfg.SQLiteDir, "shop.db")
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	change(t, path, "CREATE TABLE shape (a INT); INSERT INTO shape VALUES (1)")
	st := &driver.Statement{SQL: "SELECT * FROM shape", ReadOnly: true}
	for alter, want := range map[string]string{"": `[{"a":1}]`} {
		b, _, err := p.Query(t.Context(), st, nil, driver.Limits{}, nil)
		if err != nil || string(b) != want {
			t.Fatalf("%s: got %s, %v", alter, b, err)
		}
	}
	for _, c := range [][2]string{{"ALTER TABLE shape ADD COLUMN b BOOLEAN DEFAULT 1", `[{"a":1,"b":true}]`}, {"ALTER TABLE shape RENAME COLUMN b TO c", `[{"a":1,"c":true}]`}, {"ALTER TABLE shape DROP COLUMN c", `[{"a":1}]`}} {
		change(t, path, c[0])
		b, o, err := p.Query(t.Context(), st, nil, driver.Limits{}, nil)
		if err != nil || string(b) != c[1] || len(o.Columns) != strings.Count(c[1], ":") {
			t.Errorf("%s: got %s, %v", c[0], b, err)
		}
	}
}

// TestUnreadableFiles says what is wrong and what to do.
func TestUnreadableFiles(t *testing.T) {
	cfg := newFile(t, "")
	write := func(name string, content []byte, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(cfg.SQLiteDir, name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("text.db", []byte(strings.Repeat("no database ", 1000)), 0o600)
	good, err := os.ReadFile(filepath.Join(cfg.SQLiteDir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	write("short.db", good[:5000], 0o600)
	damaged := append([]byte(nil), good...)
	for i := 100; i < 4096; i++ {
		damaged[i] = 0xA5
	}
	write("damaged.db", damaged, 0o600)
	for name, kind := range map[string]driver.Kind{"text.db": driver.KindConfig, "short.db": driver.KindConfig, "damaged.db": driver.KindConfig, "missing.db": driver.KindUnavailable} {
		c := cfg
		c.Database = name
		var last driver.Step
		_, err := sqlite.New().Test(t.Context(), c, func(s driver.Step) { last = s })
		if driver.KindOf(err) != kind || last.OK || last.Name != "open" || last.Hint == "" {
			t.Errorf("%s: got %s, %v, step %+v", name, driver.KindOf(err), err, last)
		}
	}
	if os.Getuid() != 0 { // root may read everything
		write("private.db", good, 0)
		c := cfg
		c.Database = "private.db"
		if _, err := sqlite.New().Test(t.Context(), c, nil); err == nil {
			t.Error("a file without rights was opened")
		}
	}
}

// TestLockedFile meets a writer that holds the file.
func TestLockedFile(t *testing.T) {
	cfg := newFile(t, "")
	db, err := sql.Open("sqlite", filepath.Join(cfg.SQLiteDir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := ask(t, p, "SELECT * FROM victim"); driver.KindOf(err) != driver.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, p, "SELECT * FROM victim"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWritingHandleIsConfined runs, with the right to write, what may reach beyond the one file.
func TestWritingHandleIsConfined(t *testing.T) {
	cfg := newFile(t, "")
	cfg.ReadOnly = false
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before := files(t, cfg.SQLiteDir)
	evil := filepath.Join(cfg.SQLiteDir, "evil.db")
	for _, sql := range []string{
		"ATTACH '" + evil + "' AS evil", "VACUUM INTO '" + evil + "'", "VACUUM", "PRAGMA journal_mode = WAL", "PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = 'x'", "CREATE TEMP TABLE x (a)",
		"CREATE TEMP TRIGGER x AFTER INSERT ON victim BEGIN SELECT 1; END", "BEGIN", "SELECT load_extension('x')", "CREATE VIRTUAL TABLE x USING fts5(a)", "INSERT INTO doc_data VALUES (1, x'00')",
	} {
		b, _, err := p.Query(t.Context(), &driver.Statement{SQL: sql}, nil, driver.Limits{}, nil)
		if err == nil {
			t.Errorf("%s: got %s", sql, b)
		}
	}
	if after := files(t, cfg.SQLiteDir); after != before {
		t.Error("a file was made or changed")
	}
	if _, o, err := p.Query(t.Context(), &driver.Statement{SQL: "INSERT INTO child (victim_id) VALUES (99)"}, nil, driver.Limits{}, nil); driver.KindOf(err) != driver.KindData {
		t.Errorf("a broken foreign key: got %+v, %v", o, err)
	}
	if _, o, err := p.Query(t.Context(), &driver.Statement{SQL: "INSERT INTO child (victim_id) VALUES (1)"}, nil, driver.Limits{}, nil); err != nil || o.Affected != 3 { // the row, and two by the trigger
		t.Errorf("got %+v, %v", o, err)
	}
	// A statement that returns more than may be written still does all its work.
	_, o, err := p.Query(t.Context(), &driver.Statement{SQL: "INSERT INTO victim (id, t) SELECT value, 'bulk' FROM json_each('[11,12,13,14,15]') RETURNING id"}, nil, driver.Limits{Rows: 2}, nil)
	if err != nil || o.Rows != 2 || !o.Truncated || o.Affected != 5 {
		t.Errorf("got %+v, %v", o, err)
	}
	if got, err := ask(t, p, "SELECT count(*) AS n FROM victim WHERE t = 'bulk'"); err != nil || got != `[{"n":5}]` {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestErrorsSayWhat looks at refusals that come from values, which a model can mend, and at what stays of earlier ones.
func TestErrorsSayWhat(t *testing.T) {
	cfg := newFile(t, "")
	cfg.MaxSessions = 1
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	parse := &driver.Statement{SQL: "SELECT json(?1) AS j", ReadOnly: true, Params: []driver.Param{{Type: store.TypeString}}}
	number := &driver.Statement{SQL: "SELECT ?1 AS n", ReadOnly: true, Params: []driver.Param{{Type: store.TypeNumber}}}
	for _, c := range []struct {
		st   *driver.Statement
		arg  string
		kind driver.Kind
		says string
	}{
		{parse, "{}", "", ""},
		{&driver.Statement{SQL: "SELECT load_extension(?1)", ReadOnly: true, Params: parse.Params}, "x", driver.KindReadOnly, "load_extension"},
		{parse, "{", driver.KindData, "malformed JSON"}, // prepared before the refusal
		{number, "1e400", driver.KindData, "beyond what SQLite can hold"},
		{number, "1e300", "", ""},
	} {
		_, _, err := p.Query(t.Context(), c.st, []driver.Arg{{Text: []byte(c.arg)}}, driver.Limits{}, nil)
		if c.kind == "" && err != nil || c.kind != "" && (driver.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s of %s: got %s, %v", c.st.SQL, c.arg, driver.KindOf(err), err)
		}
	}
	cfg.Database = ""
	if _, err := sqlite.New().Open(cfg); err == nil || strings.Contains(err.Error(), `""`) {
		t.Errorf("without a file: %v", err)
	}
}

// TestBrokenView: a view of a table that was dropped must not hide all other tables.
func TestBrokenView(t *testing.T) {
	cfg := newFile(t, "")
	change(t, filepath.Join(cfg.SQLiteDir, "shop.db"), "CREATE TABLE gone (a); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone")
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	tables, err := p.(driver.Schema).Tables(t.Context(), driver.TableQuery{Columns: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables.Items {
		if (len(table.Columns) == 0) != (table.Name == "broken") {
			t.Errorf("%s has %d columns", table.Name, len(table.Columns))
		}
	}
	if tables.Total != 5 {
		t.Errorf("got %d tables", tables.Total)
	}
}

// TestClosedWhileRunning: a statement that ends with its connection did not take too long.
func TestClosedWhileRunning(t *testing.T) {
	p, err := sqlite.New().Open(newFile(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	started := make(chan struct{})
	go func() {
		close(started)
		_, err := ask(t, p, "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r) SELECT max(i) FROM r")
		done <- err
	}()
	<-started
	time.Sleep(300 * time.Millisecond) // it may not run yet on a slow machine, and is then refused: another error
	p.Close()
	if err := <-done; driver.KindOf(err) != driver.KindCancelled && driver.KindOf(err) != driver.KindUnavailable {
		t.Errorf("got %s, %v", driver.KindOf(err), err)
	}
}

const deaf = "STUDIO_TEST_DEAF_STATEMENT"

// TestDeafStatement runs what SQLite does not interrupt: without an end to it, one processor would be busy for days. // cases 156, 285
func TestDeafStatement(t *testing.T) {
	if os.Getenv(deaf) != "" {
		p, err := sqlite.New().Open(newFile(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = p.Query(t.Context(), &driver.Statement{SQL: "SELECT instr(zeroblob(16000000), zeroblob(8000000) || x'01')", ReadOnly: true}, nil, driver.Limits{Timeout: 100 * time.Millisecond}, nil)
		t.Fatalf("it returned: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDeafStatement$")
	c.Env = append(os.Environ(), deaf+"=1", "TMPDIR="+t.TempDir())
	out, err := c.CombinedOutput()
	if ctx.Err() != nil || err == nil || !strings.Contains(string(out), "panic: sqlite: a statement went on for ten seconds") {
		t.Errorf("got %v, %.500s", err, out)
	}
}

// TestConfig leaves the limits to their defaults.
func TestConfig(t *testing.T) {
	cfg := newFile(t, "")
	cfg.DBType, cfg.MaxSessions, cfg.StatementTimeout = store.SQLite, 0, 0
	p, err := sqlite.New().Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got, err := ask(t, p, "SELECT 1 AS a"); err != nil || got != `[{"a":1}]` {
		t.Errorf("with the defaults: got %s, %v", got, err)
	}
}
