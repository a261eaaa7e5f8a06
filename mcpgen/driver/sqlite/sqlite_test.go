package sqlite_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // writes the fixture

	"mcpstudio/mcpgen/driver"
	dt "mcpstudio/mcpgen/driver/drivertest"
	"mcpstudio/mcpgen/driver/sqlite"
	"mcpstudio/store"
)

const fixture = `
CREATE TABLE victim (id INTEGER PRIMARY KEY, t TEXT, n DECIMAL(12,2) DEFAULT 1.5, b BOOLEAN, d DATE, ts DATETIME, j JSON, r REAL, x BLOB, any_);
INSERT INTO victim VALUES (1, 'one', 1.5, 1, '2026-01-31', '2026-01-31 12:00:00.5', '{"a": [1.00]}', 0.1, x'00ff10', NULL),
	(2, 'two', 100, 0, '2026-02-01', '2026-02-01T00:00:00+02:00', 'not json', 1e300, NULL, 9007199254740993);
CREATE TABLE child (id INTEGER PRIMARY KEY, victim_id INT NOT NULL REFERENCES victim, note VARCHAR(10) DEFAULT 'x');
CREATE VIEW seen AS SELECT id, t FROM victim;
CREATE VIRTUAL TABLE doc USING fts5(body);
INSERT INTO doc VALUES ('hello world');
CREATE TRIGGER after_insert AFTER INSERT ON child BEGIN UPDATE victim SET t = 'triggered'; END;
`

// newFile makes a database file in a fresh directory.
func newFile(t *testing.T, pragma string) driver.Config {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(pragma + fixture); err != nil {
		t.Fatal(err)
	}
	return driver.Config{ID: "c1", DBType: store.SQLite, Database: "shop.db", SQLiteDir: dir, ReadOnly: true, MaxSessions: 5, StatementTimeout: 30 * time.Second}
}

// files is the content of every file below dir, by name.
func files(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() || filepath.Ext(path) == ".db-shm" { // readers mark their place in the -shm
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && len(b) > 0 {
			sum.Write([]byte(path))
			sum.Write(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

var values = []dt.Value{
	{SQL: "SELECT 1 AS a, -2 AS b, 9007199254740991 AS c, 9007199254740992 AS d, -9223372036854775808 AS e", Want: `[{"a":1,"b":-2,"c":9007199254740991,"d":"9007199254740992","e":"-9223372036854775808"}]`},
	{SQL: "SELECT 0.1 AS a, 1e300 AS b, 9e999 AS c, -9e999 AS d, 1.0 AS e, 1e-7 AS f", Want: `[{"a":0.1,"b":1e+300,"c":null,"d":null,"e":1,"f":1e-07}]`},
	{SQL: "SELECT 'a\"b\\é😀' || char(10) || char(1) AS a, '' AS b, NULL AS c, CAST(x'ff41' AS TEXT) AS d, 'x' || char(0) || 'y' AS e", Want: `[{"a":"a\"b\\é😀\n\u0001","b":"","c":null,"d":"�A","e":"x\u0000y"}]`},
	{SQL: "SELECT x'00ff10' AS a, x'' AS b", Want: `[{"a":"AP8Q","b":""}]`},
	{SQL: "SELECT id, t, n, b, d, ts, j, r, x, any_ FROM victim ORDER BY id",
		Want: `[{"id":1,"t":"one","n":"1.5","b":true,"d":"2026-01-31","ts":"2026-01-31T12:00:00.5Z","j":{"a": [1.00]},"r":0.1,"x":"AP8Q","any_":null},{"id":2,"t":"two","n":"100","b":false,"d":"2026-02-01","ts":"2026-01-31T22:00:00Z","j":"not json","r":1e+300,"x":null,"any_":"9007199254740993"}]`},
	{SQL: "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a", Want: `[{"a":1,"a_3":2,"a_2":3,"a_4":4}]`},
	{SQL: "SELECT 1 AS a WHERE 0", Want: `[]`},
	{SQL: "SELECT * FROM seen WHERE id = 1; -- the end", Want: `[{"id":1,"t":"one"}]`},
	{SQL: "SELECT body FROM doc WHERE doc MATCH 'hello'", Want: `[{"body":"hello world"}]`},
	{SQL: "SELECT name FROM pragma_table_info('child') ORDER BY cid", Want: `[{"name":"id"},{"name":"victim_id"},{"name":"note"}]`},
	{SQL: "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r WHERE i < 3) SELECT sum(i) AS s, json_group_array(i) AS j FROM r", Want: `[{"s":6,"j":"[1,2,3]"}]`},
	{SQL: "VALUES (1)", Want: `[{"column1":1}]`},
}

func params() []dt.Call {
	str, integer, num, boolean := dt.Of(store.TypeString), dt.Of(store.TypeInteger), dt.Of(store.TypeNumber), dt.Of(store.TypeBoolean)
	date, datetime := dt.Of(store.TypeDate), dt.Of(store.TypeDatetime)
	one, none, both := `[{"id":1}]`, `[]`, `[{"id":1},{"id":2}]`
	where := func(name, condition, want string, p driver.Param, a driver.Arg) dt.Call {
		return dt.Call{Name: name, SQL: "SELECT id FROM victim WHERE " + condition + " ORDER BY id", Params: []driver.Param{p}, Args: []driver.Arg{a}, Want: want}
	}
	return []dt.Call{
		where("text", "t = ?1", one, str, dt.Text("one")),
		where("optional string, absent", "?1 IS NULL OR t LIKE '%' || ?1 || '%'", both, str, dt.Null()),
		where("optional string, given", "?1 IS NULL OR t LIKE '%' || ?1 || '%'", one, str, dt.Text("ON")),
		where("integer", "id = ?1", one, integer, dt.Text("1")),
		where("large integer", "any_ = ?1", `[{"id":2}]`, integer, dt.Text("9007199254740993")),
		where("optional integer, absent", "?1 IS NULL OR id = ?1", both, integer, dt.Null()),
		where("number", "n = ?1", one, num, dt.Text("1.50")),
		where("number with integer column", "id > ?1", `[{"id":2}]`, num, dt.Text("1.5")),
		where("number in exponent form", "n = ?1", `[{"id":2}]`, num, dt.Text("1e2")),
		where("boolean", "b = ?1", one, boolean, dt.Text("true")),
		where("date", "d = ?1", one, date, dt.Text("2026-01-31")),
		where("datetime", "julianday(ts) = julianday(?1)", one, datetime, dt.Text("2026-01-31T12:00:00.5Z")),
		where("array of integers", "id IN (SELECT value FROM json_each(?1))", one, dt.ListOf(store.TypeInteger), dt.List(dt.Text("1"), dt.Text("7"))),
		where("array of strings", "t IN (SELECT value FROM json_each(?1))", one, dt.ListOf(store.TypeString), dt.List(dt.Text("one"), dt.Text(`a"b\`))),
		where("array, empty", "id IN (SELECT value FROM json_each(?1))", none, dt.ListOf(store.TypeInteger), dt.List()),
		where("limit", "1 LIMIT ?1 --", one, integer, dt.Text("1")),
		{Name: "selected as they are", SQL: "SELECT ?1 AS s, ?2 AS i, ?3 AS n, ?4 AS b, ?5 AS d, ?6 AS t, ?7 AS e", Params: []driver.Param{str, integer, num, boolean, date, datetime, str},
			Args: []driver.Arg{dt.Text("x"), dt.Text("9007199254740993"), dt.Text("0.10"), dt.Text("true"), dt.Text("2026-01-31"), dt.Text("2026-01-31T10:00:00Z"), dt.Text("")},
			Want: `[{"s":"x","i":"9007199254740993","n":0.1,"b":1,"d":"2026-01-31","t":"2026-01-31T10:00:00Z","e":""}]`},
		{Name: "all NULL", SQL: "SELECT ?1 AS s, ?2 AS i", Params: []driver.Param{str, integer}, Args: []driver.Arg{dt.Null(), dt.Null()}, Want: `[{"s":null,"i":null}]`},
	}
}

// writes are ways to change something, or to get into a position to.
func writes(dir string) []string {
	evil := filepath.Join(dir, "evil.db")
	return []string{
		"INSERT INTO victim (id) VALUES (50)", "REPLACE INTO victim (id) VALUES (1)", "UPDATE victim SET t = 'x'", "DELETE FROM victim", "DELETE FROM victim RETURNING *",
		"WITH x AS (SELECT 1 AS id) DELETE FROM victim WHERE id IN (SELECT id FROM x)", "INSERT INTO victim (id) SELECT 60 ON CONFLICT DO NOTHING", "INSERT INTO child (victim_id) VALUES (1)",
		"CREATE TABLE stolen (a)", "CREATE TABLE stolen AS SELECT 1", "CREATE TEMP TABLE stolen (a)", "CREATE TEMP TRIGGER evil AFTER INSERT ON victim BEGIN SELECT 1; END",
		"CREATE INDEX evil ON victim (t)", "CREATE VIEW evil AS SELECT 1", "CREATE TEMP VIEW evil AS SELECT 1", "CREATE VIRTUAL TABLE evil USING fts5(x)",
		"DROP TABLE child", "DROP VIEW seen", "DROP TRIGGER after_insert", "ALTER TABLE victim ADD COLUMN evil", "ALTER TABLE victim RENAME TO evil", "REINDEX", "ANALYZE",
		"ATTACH '" + evil + "' AS evil", "ATTACH ':memory:' AS evil", "ATTACH 'file:" + evil + "?mode=rwc' AS evil", "DETACH main", "VACUUM", "VACUUM INTO '" + evil + "'",
		"PRAGMA query_only = OFF", "PRAGMA writable_schema = ON", "PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL", "PRAGMA user_version = 7", "PRAGMA application_id = 7", "PRAGMA temp_store_directory = '" + dir + "'",
		"PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA schema_version = 99", "PRAGMA optimize", "PRAGMA auto_vacuum = 2", "PRAGMA encoding = 'UTF-16'", "PRAGMA hard_heap_limit = 1",
		"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a",
		"SELECT load_extension('evil')", "SELECT writefile('" + evil + "', 'x')", "SELECT readfile('/etc/passwd')", "SELECT edit('x')", "SELECT fts3_tokenizer('simple', x'00')",
		"INSERT INTO doc(doc) VALUES ('rebuild')", "INSERT INTO doc(doc, rank) VALUES ('secure-delete', 1)", "DELETE FROM doc", "UPDATE doc_config SET v = 9", "DELETE FROM sqlite_schema", "UPDATE sqlite_schema SET sql = ''",
		"SELECT 1; DELETE FROM victim", "SELECT 1;; DELETE FROM victim", "SELECT ''';'; DELETE FROM victim", "SELECT 1 /* ; */ ; DELETE FROM victim -- x", "; DELETE FROM victim", "EXPLAIN SELECT 1; DELETE FROM victim",
		"SELECT * FROM pragma_journal_mode('WAL')", "SELECT * FROM pragma_user_version(5)", "SELECT * FROM pragma_query_only(0)", "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')",
	}
}

func suite(t *testing.T, cfg driver.Config) dt.Suite {
	return dt.Suite{
		Driver: sqlite.New(), Config: cfg, Values: values, Params: params(), Writes: writes(cfg.SQLiteDir),
		Echo: "SELECT ?1 AS v", Find: "SELECT count(*) AS n FROM victim WHERE t = ?1",
		Series: "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r WHERE i < ?1) SELECT i FROM r WHERE i <= ?1",
		Sleep:  "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM r) SELECT max(i) FROM r",
		Errors: []dt.Failure{
			{SQL: "SELEC 1", Kind: driver.KindSyntax, Position: 0},
			{SQL: "SELECT 'é', nope", Kind: driver.KindMissing, Position: 12},
			{SQL: `SELECT "nope"`, Kind: driver.KindMissing, Position: 7},
			{SQL: "SELECT * FROM nowhere", Kind: driver.KindMissing, Position: -2},
			{SQL: "SELECT nofunction(1)", Kind: driver.KindMissing, Position: -2},
			{SQL: "SELECT randomblob(1000000000)", Kind: driver.KindLimit, Position: -2}, // case 156
			{SQL: "SELECT zeroblob(1000000000)", Kind: driver.KindLimit, Position: -2},
			{SQL: "SELECT printf('%.1000000000d', 1)", Kind: driver.KindLimit, Position: -2},
			{SQL: "SELECT load_extension('x')", Kind: driver.KindReadOnly, Position: -2},
			{SQL: "SELECT 'x' LIKE replace(hex(zeroblob(1000)), '00', '%a')", Kind: driver.KindData, Position: -2},
			{SQL: "SELECT json('{')", Kind: driver.KindData, Position: -2},
			{SQL: "SELECT abs(-9223372036854775807 - 1)", Kind: driver.KindData, Position: -2},
			{SQL: "SELECT hex(data) FROM sqlite_dbpage", Kind: driver.KindPermission, Position: -2},
			{SQL: "SELECT x.pgno FROM (SELECT * FROM SQLite_DBPage) x", Kind: driver.KindPermission, Position: -2},
			{SQL: "PRAGMA database_list", Kind: driver.KindReadOnly, Position: -2},
			{SQL: "DELETE FROM victim", Kind: driver.KindReadOnly, Position: -2},
			{SQL: "SELECT 1; SELECT 2", Kind: driver.KindSyntax, Position: -1},
			{SQL: "-- nothing", Kind: driver.KindSyntax, Position: -1},
			{SQL: "SELECT ?1", Kind: driver.KindSyntax, Position: -1},
		},
		Leaks: []dt.Leak{
			{SQL: "PRAGMA query_only = OFF", Probe: "SELECT 1 AS v"},
			{SQL: "PRAGMA case_sensitive_like = ON", Probe: "SELECT 'a' LIKE 'A' AS v"},
			{SQL: "CREATE TEMP TABLE victim AS SELECT 1", Probe: "SELECT count(*) AS v FROM victim"},
			{SQL: "ATTACH ':memory:' AS x", Probe: "SELECT count(*) AS v FROM pragma_table_list"},
			{SQL: "BEGIN", Probe: "SELECT 1 AS v"},
		},
		Checksum: func(t *testing.T) string { return files(t, cfg.SQLiteDir) },
		Tables:   []string{"main.child table", "main.doc table", "main.seen view", "main.victim table"},
		Columns: driver.TableInfo{Schema: "main", Name: "child", Columns: []driver.Column{
			{Name: "id", Type: "INTEGER", ParamType: store.TypeInteger, Nullable: true, PrimaryKey: true},
			{Name: "victim_id", Type: "INT", ParamType: store.TypeInteger},
			{Name: "note", Type: "VARCHAR(10)", ParamType: store.TypeString, Nullable: true, Default: "'x'"},
		}, ForeignKeys: []driver.ForeignKey{{Columns: []string{"victim_id"}, RefSchema: "main", RefTable: "victim", RefColumns: []string{"id"}}}},
		Write: []dt.WriteCheck{
			{SQL: "UPDATE victim SET t = 'written' WHERE id = 1", Affected: 1, Check: "SELECT t FROM victim WHERE id = 1", Want: `[{"t":"written"}]`},
			{SQL: "INSERT INTO victim (id) VALUES (10), (11), (12) RETURNING id", Affected: 3, Check: "SELECT count(*) AS n FROM victim WHERE id >= 10", Want: `[{"n":3}]`},
			{SQL: "DELETE FROM victim WHERE id >= 10", Affected: 3, Check: "SELECT count(*) AS n FROM victim WHERE id >= 10", Want: `[{"n":0}]`},
			{SQL: "CREATE TABLE made (a)", Check: "SELECT count(*) AS n FROM made", Want: `[{"n":0}]`},
			{SQL: "DROP TABLE made", Check: "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'made'", Want: `[{"n":0}]`},
		},
	}
}

func TestSuite(t *testing.T) { dt.Run(t, suite(t, newFile(t, ""))) }

// TestWriteAheadLog runs the suite on a database in WAL mode.
func TestWriteAheadLog(t *testing.T) { dt.Run(t, suite(t, newFile(t, "PRAGMA journal_mode = WAL;"))) }

// TestValueThatCannotFit is not written first and taken back afterwards: as JSON it has six times its size.
func TestValueThatCannotFit(t *testing.T) {
	p, err := sqlite.New().Open(newFile(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, value := range []string{"CAST(zeroblob(15000000) AS TEXT)", "zeroblob(15000000)"} {
		b, o, err := p.Query(t.Context(), &driver.Statement{SQL: "SELECT 1 AS a, " + value + " AS b", ReadOnly: true}, nil, driver.Limits{Bytes: 1 << 20}, nil)
		if string(b) != "[]" || !o.Truncated || err != nil || cap(b) > 1<<20 {
			t.Errorf("%s: got %d bytes in %d, %+v, %v", value, len(b), cap(b), o, err)
		}
	}
}
