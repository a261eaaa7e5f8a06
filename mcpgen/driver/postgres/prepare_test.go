package postgres_test

import (
	"testing"

	"mcpstudio/mcpgen/driver"
	dt "mcpstudio/mcpgen/driver/drivertest"
	"mcpstudio/store"
)

// TestIntegersStayWide: a function that takes no bigint makes its own argument an integer and not the ids beside it.
func TestIntegersStayWide(t *testing.T) {
	d := newDatabase(t)
	d.ask(t, "CREATE TABLE wide (id bigint, ids bigint[], days date, few int[]); INSERT INTO wide VALUES (5000000000, '{5000000000}', '2026-01-31', '{7}'); GRANT ALL ON wide TO "+d.cfg.Username)
	p := d.pool(t, nil)
	number, numbers, date := dt.Of(store.TypeInteger), dt.ListOf(store.TypeInteger), dt.Of(store.TypeDate)
	const big = "5000000000"
	for _, c := range []dt.Call{
		{SQL: "SELECT left('abc', $1) AS l FROM wide WHERE id = $2", Params: []driver.Param{number, number}, Args: []driver.Arg{dt.Text("2"), dt.Text(big)}, Want: `[{"l":"ab"}]`},
		{SQL: "SELECT make_date($1, $2, 1) AS d, $3 AS n", Params: []driver.Param{number, number, number}, Args: []driver.Arg{dt.Text("2026"), dt.Text("1"), dt.Text(big)}, Want: `[{"d":"2026-01-01","n":5000000000}]`},
		{SQL: "SELECT id FROM wide WHERE days < $1 + $2 AND id = $3", Params: []driver.Param{date, number, number}, Args: []driver.Arg{dt.Text("2026-01-31"), dt.Text("1"), dt.Text(big)}, Want: `[{"id":5000000000}]`},
		{SQL: "SELECT id FROM wide WHERE few && $1 AND id = ANY ($2) LIMIT $3", Params: []driver.Param{numbers, numbers, number}, Args: []driver.Arg{dt.List(dt.Text("7")), dt.List(dt.Text(big)), dt.Text("9")}, Want: `[{"id":5000000000}]`},
		{SQL: "SELECT left('abc', $1) AS l", Params: []driver.Param{number}, Args: []driver.Arg{dt.Text("1")}, Want: `[{"l":"a"}]`},
	} {
		for range 2 {
			b, _, err := p.Query(t.Context(), &driver.Statement{SQL: c.SQL, Params: c.Params, ReadOnly: true}, c.Args, driver.Limits{}, nil)
			if err != nil || string(b) != c.Want {
				t.Errorf("%s: got %s, %v, want %s", c.SQL, b, err, c.Want)
			}
		}
	}
}

// TestParameterTypesChange alters what a placeholder was compared with, under sessions that had settled its type. // case 268
func TestParameterTypesChange(t *testing.T) {
	d := newDatabase(t)
	const id = "00000000-0000-0000-0000-000000000001"
	for name, pooler := range map[string]string{"session": `"session"`, "pooler": `"transaction"`} {
		t.Run(name, func(t *testing.T) {
			d.ask(t, "DROP TABLE IF EXISTS typed; DROP TYPE IF EXISTS mode; DROP FUNCTION IF EXISTS twice(text); CREATE TYPE mode AS ENUM ('on'); CREATE TABLE typed (u uuid, m mode, n int); INSERT INTO typed VALUES ('"+id+"', 'on', 1); "+
				"CREATE FUNCTION twice(int) RETURNS text LANGUAGE sql AS 'SELECT $1::text || $1'; GRANT ALL ON typed TO "+d.cfg.Username)
			p := d.pool(t, func(c *driver.Config) { c.MaxSessions, c.ReadOnly, c.Extra = 1, false, option("pooler", pooler) })
			text, number := []driver.Param{dt.Of(store.TypeString)}, []driver.Param{dt.Of(store.TypeInteger)}
			calls := []struct {
				st   *driver.Statement
				arg  string
				want string
			}{
				{&driver.Statement{SQL: "SELECT n FROM typed WHERE u = $1", Params: text, ReadOnly: true}, id, `[{"n":1}]`},
				{&driver.Statement{SQL: "SELECT n FROM typed WHERE m = $1", Params: text, ReadOnly: true}, "on", `[{"n":1}]`},
				{&driver.Statement{SQL: "UPDATE typed SET n = n WHERE m = $1 RETURNING n", Params: text}, "on", `[{"n":1}]`},
				{&driver.Statement{SQL: "SELECT twice($1) AS t", Params: number, ReadOnly: true}, "4", `[{"t":"44"}]`},
			}
			for _, alter := range []string{
				"SELECT 1",
				"ALTER TABLE typed ALTER COLUMN u TYPE text, ALTER COLUMN m TYPE varchar(9)",
				"DROP TABLE typed; DROP TYPE mode; CREATE TYPE mode AS ENUM ('off', 'on'); CREATE TABLE typed (m mode, u uuid, n int); INSERT INTO typed VALUES ('on', '" + id + "', 1); GRANT ALL ON typed TO " + d.cfg.Username,
				"DROP FUNCTION twice(int); CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $1'",
			} {
				d.ask(t, alter)
				for _, c := range calls {
					b, _, err := p.Query(t.Context(), c.st, []driver.Arg{dt.Text(c.arg)}, driver.Limits{}, nil)
					if err != nil || string(b) != c.want {
						t.Errorf("%s: %s: got %s, %v, want %s", alter, c.st.SQL, b, err, c.want)
					}
				}
			}
			d.ask(t, "REVOKE ALL ON typed FROM "+d.cfg.Username)
			if _, _, err := p.Query(t.Context(), calls[0].st, []driver.Arg{dt.Text(id)}, driver.Limits{}, nil); driver.KindOf(err) != driver.KindPermission {
				t.Errorf("without the right to read: got %v", err)
			}
		})
	}
}

// TestDomainsOfDomains reads arrays whose elements' type is a name for a name for a type.
func TestDomainsOfDomains(t *testing.T) {
	d := newDatabase(t)
	d.ask(t, "CREATE DOMAIN small AS positive CHECK (VALUE < 100); CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN moment2 AS moment; CREATE TABLE named (s small, m moment2, l small[]); GRANT SELECT ON named TO "+d.cfg.Username)
	p := d.pool(t, nil)
	if got, _ := run(t, p, reading("SELECT ARRAY[5::small] AS a, ARRAY['2026-01-31 12:00+02'::moment2] AS b, 5::small AS c"), driver.Limits{}); got != `[{"a":[5],"b":["2026-01-31T10:00:00Z"],"c":5}]` {
		t.Errorf("got %s", got)
	}
	info, err := p.(driver.Schema).Columns(t.Context(), "", "named")
	if err != nil || len(info.Columns) != 3 {
		t.Fatalf("got %+v, %v", info, err)
	}
	for i, want := range []store.ParamType{store.TypeInteger, store.TypeDatetime, store.TypeArray} {
		if got := info.Columns[i]; got.ParamType != want {
			t.Errorf("%s: got %s, want %s", got.Name, got.ParamType, want)
		}
	}
}
