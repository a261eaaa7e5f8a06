package postgres_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mcpstudio/mcpgen/driver"
	dt "mcpstudio/mcpgen/driver/drivertest"
	"mcpstudio/mcpgen/driver/postgres"
	"mcpstudio/store"
)

// database is a fresh database with a role that may write everything in it and is no superuser.
type database struct {
	cfg   driver.Config
	admin *pgconn.PgConn // a superuser in the database
	mu    sync.Mutex     // guards admin
}

func dialTCP(ctx context.Context, host string, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// newDatabase creates one in the server that the environment names.
func newDatabase(t *testing.T) *database {
	t.Helper()
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	return databaseIn(t, dsn)
}

func databaseIn(t *testing.T, dsn string) *database {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	name, password := "t_"+strings.ToLower(rand.Text()[:10]), rand.Text()
	server := connect(t, dsn)
	run := func(c *pgconn.PgConn, sql string) {
		t.Helper()
		if _, err := c.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run(server, "CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"'")
	run(server, "CREATE DATABASE "+name+" OWNER "+name)
	u.Path = "/" + name
	d := &database{admin: connect(t, u.String()), cfg: driver.Config{
		ID: "c1", DBType: store.PostgreSQL, Host: u.Hostname(), Port: port, Database: name, Username: name, Password: password,
		SSLMode: store.SSLDisable, ReadOnly: true, MaxSessions: 5, StatementTimeout: 30 * time.Second, Dial: dialTCP,
	}}
	run(d.admin, strings.ReplaceAll(fixture, "OWNER", name))
	t.Cleanup(func() {
		ctx := context.Background()
		d.admin.Close(ctx)
		run(server, "DROP DATABASE "+name+" WITH (FORCE)")
		run(server, "DROP ROLE "+name)
		server.Close(ctx)
	})
	return d
}

func connect(t *testing.T, dsn string) *pgconn.PgConn {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ask runs a query as the superuser and returns its values, row by row.
func (d *database) ask(t *testing.T, sql string) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	results, err := d.admin.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var out []string
	for _, r := range results {
		for _, row := range r.Rows {
			for _, v := range row {
				out = append(out, string(v))
			}
		}
	}
	return strings.Join(out, " ")
}

const fixture = `
CREATE EXTENSION dblink;
SET ROLE OWNER;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE victim (id int PRIMARY KEY, t text, n numeric(12,2) DEFAULT 1.5, u uuid, m mood, f float8, d date, ts timestamptz, j jsonb, v varchar(50), tags text[]);
COMMENT ON TABLE victim IS 'who is attacked';
COMMENT ON COLUMN victim.t IS 'a text';
INSERT INTO victim VALUES (1, 'one', 1.50, '00000000-0000-0000-0000-000000000001', 'happy', 0.1, '2026-01-31', '2026-01-31 12:00:00.5+02', '{"a": [1.0]}', 'one', '{a,b}'),
	(2, 'two', 100, '00000000-0000-0000-0000-000000000002', 'sad', 0.5, '2026-02-01', '2026-02-01 00:00:00Z', '{}', 'two', '{}');
CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, victim_id int NOT NULL REFERENCES victim, p positive);
CREATE VIEW seen AS SELECT id, t FROM victim;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM victim;
CREATE SEQUENCE victim_seq;
CREATE FUNCTION f_insert() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO victim (id) VALUES (99); RETURN 1; END $$;
CREATE FUNCTION f_flip() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO victim (id) VALUES (98); RETURN 1; END $$;
CREATE FUNCTION f_definer() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO victim (id) VALUES (97); RETURN 1; END $$;
CREATE FUNCTION f_execute() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SET transaction_read_only = off'; EXECUTE 'INSERT INTO victim (id) VALUES (96)'; RETURN 1; END $$;
CREATE FUNCTION f_deallocate() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$;
CREATE PROCEDURE p_commit() LANGUAGE plpgsql AS $$ BEGIN COMMIT; SET transaction_read_only = off; INSERT INTO victim (id) VALUES (95); COMMIT; END $$;
CREATE VIEW locking AS SELECT pg_try_advisory_lock(4711) AS l;
RESET ROLE;
CREATE SCHEMA shadow;
GRANT USAGE ON SCHEMA shadow TO PUBLIC;
CREATE FUNCTION shadow.pg_advisory_unlock_all() RETURNS void LANGUAGE sql AS '';
`

// checksum is everything the role could have changed: rows, sequences, large objects, relations, functions, roles,
// settings, replication slots and prepared transactions.
const checksum = `SELECT md5(string_agg(v::text, '' ORDER BY id)) FROM victim v;
SELECT md5(coalesce(string_agg(c::text, '' ORDER BY id), '')) FROM child c;
SELECT last_value, is_called FROM victim_seq; SELECT count(*) FROM counted;
SELECT count(*) FROM pg_largeobject_metadata; SELECT md5(string_agg(relname || relkind::text || coalesce(relacl::text, ''), ',' ORDER BY oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace OR relpersistence = 't';
SELECT count(*) FROM pg_proc; SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%temp%'; SELECT count(*), md5(string_agg(coalesce(setconfig::text, ''), '')) FROM pg_db_role_setting;
SELECT count(*) FROM pg_prepared_xacts; SELECT count(*) FROM pg_replication_slots; SELECT count(*) FROM pg_event_trigger; SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace`

// lexed are ways that PostgreSQL's read-only transaction lets through.
var lexed = []string{
	"PREPARE TRANSACTION 'evil'",
	"SELECT dblink_exec('dbname=postgres', 'DELETE FROM victim')", "SELECT * FROM dblink('dbname=postgres', 'DELETE FROM victim RETURNING id') AS d(id int)",
	`SELECT "dblink_exec"('dbname=postgres', 'DELETE FROM victim')`, "SELECT public.dblink_exec('dbname=postgres', 'x')", "SELECT dblink_connect('x', 'dbname=postgres')",
	"SELECT pg_read_file('/etc/passwd')", "SELECT pg_read_binary_file('/etc/passwd')", "SELECT pg_ls_dir('/')", "SELECT * FROM pg_stat_file('/etc/passwd')",
	"SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/evil')", "SELECT pg_terminate_backend(1)", "SELECT pg_cancel_backend(1)", "COPY (SELECT 1) TO PROGRAM 'true'",
	"SELECT ('/etc/passwd'::text).pg_read_file", "SELECT f.dblink_connect FROM unnest(ARRAY['dbname=postgres']) f", "SELECT g.pg_terminate_backend FROM generate_series(1, 9) g",
	"SELECT * FROM ts_stat('SELECT to_tsvector(dblink_exec(''dbname=postgres'', ''x''))')", "SELECT ts_rewrite('a', 'SELECT ''a''::tsquery, to_tsquery(pg_read_file(''/etc/passwd''))')",
}

// writes are ways to change something, or to get into a position to.
var writes = []string{
	"INSERT INTO victim (id) VALUES (50)", "UPDATE victim SET t = 'x'", "DELETE FROM victim", "TRUNCATE victim CASCADE", "DROP TABLE child",
	"MERGE INTO victim v USING (SELECT 1 AS id) s ON v.id = s.id WHEN MATCHED THEN DELETE",
	"WITH x AS (DELETE FROM victim RETURNING *) SELECT * FROM x", "WITH x AS (INSERT INTO victim (id) VALUES (51) RETURNING *) TABLE x",
	"EXPLAIN ANALYZE DELETE FROM victim", "EXPLAIN (ANALYZE) INSERT INTO victim (id) VALUES (52)",
	"CREATE TABLE stolen (a int)", "CREATE TEMP TABLE stolen (a int)", "CREATE TABLE stolen AS SELECT 1", "SELECT 1 AS a INTO stolen", "SELECT 1 AS a INTO TEMP stolen",
	"CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE SCHEMA evil", "ALTER TABLE victim ADD COLUMN evil int", "COMMENT ON TABLE victim IS 'x'",
	"GRANT ALL ON victim TO public", "ALTER ROLE CURRENT_USER SET statement_timeout = 0", "REFRESH MATERIALIZED VIEW counted", "REINDEX TABLE victim",
	"SELECT f_insert()", "SELECT f_flip()", "SELECT f_definer()", "SELECT f_execute()", "CALL p_commit()",
	"DO $$ BEGIN INSERT INTO victim (id) VALUES (53); END $$",
	"DO $$ BEGIN SET transaction_read_only = off; INSERT INTO victim (id) VALUES (54); END $$",
	"DO $$ BEGIN COMMIT; SET transaction_read_only = off; INSERT INTO victim (id) VALUES (55); COMMIT; END $$",
	"DO $$ BEGIN ROLLBACK; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; INSERT INTO victim (id) VALUES (56); COMMIT; END $$",
	"SELECT query_to_xml('DELETE FROM victim RETURNING 1', true, true, '')", "SELECT nextval('victim_seq')", "SELECT setval('victim_seq', 100)",
	"SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT id FROM victim FOR UPDATE", "LOCK TABLE victim IN ACCESS EXCLUSIVE MODE",
	"COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "ROLLBACK AND CHAIN", "END", "BEGIN READ WRITE", "START TRANSACTION READ WRITE", "SET TRANSACTION READ WRITE",
	"SET transaction_read_only = off", "SET default_transaction_read_only = off", "SET LOCAL transaction_read_only = off",
	"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "SELECT set_config('transaction_read_only', 'off', false), set_config('default_transaction_read_only', 'off', false)",
	"SELECT set_config('transaction_read_only', 'off', true), f_insert()", "RESET ALL", "DISCARD ALL",
	"SELECT 1; DELETE FROM victim", "COMMIT; DELETE FROM victim", "SELECT 1;; DELETE FROM victim", "SELECT ''';'; DELETE FROM victim", "SELECT $$;$$; DELETE FROM victim",
	"SELECT 1 /* ; */ ; DELETE FROM victim -- x", "PREPARE evil AS DELETE FROM victim", "EXECUTE evil", "DEALLOCATE ALL", "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
	"COPY victim FROM STDIN", "COPY victim TO STDOUT", "COPY victim FROM PROGRAM 'echo 60'", "COPY (SELECT 1) TO '/tmp/evil'", "COPY (SELECT 1) TO PROGRAM 'true'",
	"SAVEPOINT a", "VACUUM victim", "ANALYZE victim", "CLUSTER victim", "CHECKPOINT", "LISTEN spy", "NOTIFY spy", "SELECT pg_notify('spy', 'x')",
	"SELECT pg_create_logical_replication_slot('evil', 'test_decoding')", "SELECT pg_import_system_collations('public')", "LOAD 'auto_explain'",
	"SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "ALTER SYSTEM SET work_mem = '1GB'", "SELECT pg_reload_conf()", "SECURITY LABEL ON TABLE victim IS 'x'",
	"IMPORT FOREIGN SCHEMA public FROM SERVER x INTO public", "INSERT INTO seen VALUES (61, 'x')", "SELECT pg_switch_wal()", "SELECT pg_logical_emit_message(false, 'a', 'b')",
}

func leaks() []dt.Leak {
	setting := func(name string) string { return "SELECT current_setting('" + name + "') AS v" }
	return []dt.Leak{
		{SQL: "SET search_path = pg_catalog", Probe: setting("search_path")},
		{SQL: "SELECT set_config('search_path', 'evil', false)", Probe: setting("search_path")},
		{SQL: "SELECT set_config('statement_timeout', '0', false)", Probe: setting("statement_timeout")},
		{SQL: "SET statement_timeout = 0", Probe: setting("statement_timeout")},
		{SQL: "SELECT set_config('TimeZone', 'Asia/Tokyo', false)", Probe: "SELECT timestamptz '2026-01-01 00:00Z'::text AS v"},
		{SQL: "SET DateStyle = 'SQL, DMY'", Probe: "SELECT date '2026-01-31'::text AS v"},
		{SQL: "SET bytea_output = 'escape'", Probe: "SELECT array['\\x00ff'::bytea] AS v"},
		{SQL: "SET default_transaction_read_only = off", Probe: setting("default_transaction_read_only")},
		{SQL: "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", Probe: setting("default_transaction_read_only")},
		{SQL: "SELECT pg_advisory_lock(42)", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT pg_advisory_lock_shared(42)", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT set_config('search_path', 'shadow, pg_catalog', false), pg_advisory_lock(43)", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT set_config('statement_timeout', '1', false), pg_advisory_lock(44)", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT pg_advisory_lock(45), 1 / (g - 2) FROM generate_series(1, 3) g", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT pg_advisory_lock(46) FROM generate_series(1, 3000)", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "SELECT * FROM locking", Probe: "SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'"},
		{SQL: "CREATE TEMP TABLE victim AS SELECT 1 AS leaked", Probe: "SELECT count(*) AS v FROM victim"},
		{SQL: "SET ROLE pg_monitor", Probe: "SELECT current_user AS v"},
		{SQL: "LISTEN spy", Probe: "SELECT count(*) AS v FROM pg_listening_channels()"},
		{SQL: "BEGIN READ WRITE", Probe: "SELECT pg_current_xact_id_if_assigned() IS NULL AS v"},
		{SQL: "DECLARE c CURSOR WITH HOLD FOR SELECT 1", Probe: "SELECT count(*) AS v FROM pg_cursors"},
		{SQL: "SELECT f_deallocate()", Probe: "SELECT 1 AS v"},
		{SQL: "DEALLOCATE ALL", Probe: "SELECT 2 AS v"},
	}
}

func suite(d *database) dt.Suite {
	const sleep = "SELECT pg_sleep(40)"
	return dt.Suite{
		Driver: postgres.New(), Config: d.cfg, Values: values, Params: params(), Errors: failures, Writes: writes, Lexed: lexed, Leaks: leaks(),
		Echo: "SELECT $1 AS v", Find: "SELECT count(*) AS n FROM victim WHERE t = $1", Series: "SELECT i FROM generate_series(1, $1::int) i", Sleep: sleep,
		Checksum: func(t *testing.T) string { return d.ask(t, checksum) },
		Running: func(t *testing.T) int {
			n, err := strconv.Atoi(d.ask(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '"+sleep+"%' AND pid <> pg_backend_pid()"))
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
		Restart: func(t *testing.T) {
			d.ask(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '"+d.cfg.Username+"'")
		},
		Tables: []string{"public.child table", "public.counted materialized_view", "public.locking view", "public.seen view", "public.victim table"},
		Columns: driver.TableInfo{Schema: "public", Name: "child", Columns: []driver.Column{
			{Name: "id", Type: "bigint", ParamType: store.TypeInteger, PrimaryKey: true},
			{Name: "victim_id", Type: "integer", ParamType: store.TypeInteger},
			{Name: "p", Type: "positive", ParamType: store.TypeInteger, Nullable: true},
		}, ForeignKeys: []driver.ForeignKey{{Columns: []string{"victim_id"}, RefSchema: "public", RefTable: "victim", RefColumns: []string{"id"}}}},
		Write: []dt.WriteCheck{
			{SQL: "UPDATE victim SET v = 'written' WHERE id = 1", Affected: 1, Check: "SELECT v FROM victim WHERE id = 1", Want: `[{"v":"written"}]`},
			{SQL: "INSERT INTO victim (id) SELECT i FROM generate_series(10, 12) i RETURNING id", Affected: 3, Check: "SELECT count(*) AS n FROM victim WHERE id >= 10", Want: `[{"n":3}]`},
			{SQL: "DELETE FROM victim WHERE id >= 10", Affected: 3, Check: "SELECT count(*) AS n FROM victim WHERE id >= 10", Want: `[{"n":0}]`},
			{SQL: "CREATE TABLE made (a int)", Check: "SELECT count(*) AS n FROM made", Want: `[{"n":0}]`},
			{SQL: "DROP TABLE made", Check: "SELECT to_regclass('made') AS r", Want: `[{"r":null}]`},
		},
	}
}

func TestSuite(t *testing.T) { dt.Run(t, suite(newDatabase(t))) }

// TestTransactionPooler runs the suite in the mode for poolers, where nothing may be prepared by name or set for the
// session: against the server itself, so it shows that the protocol is right, not what a pooler does with it.
func TestTransactionPooler(t *testing.T) {
	s := suite(newDatabase(t))
	s.Config.Extra = map[string]json.RawMessage{"pooler": json.RawMessage(`"transaction"`)}
	dt.Run(t, s)
}
