package sqllex

import (
	"strings"
	"testing"
)

// classCase is a statement and its class in some dialects.
type classCase struct {
	in   []Dialect
	sql  string
	want Class
}

func checkClasses(t *testing.T, cases []classCase) {
	t.Helper()
	for _, c := range cases {
		for _, d := range c.in {
			t.Run(string(d)+"/"+c.sql, func(t *testing.T) {
				s, _ := Parse(d, c.sql)
				if s.Class != c.want {
					t.Errorf("got %s by %q, want %s", s.Class, s.Verb, c.want)
				}
				p, bad := s.NotRead()
				if bad != (c.want != Read) {
					t.Errorf("NotRead reports %t for class %s", bad, s.Class)
				}
				if bad && (p.Code != WriteStatement || p.Severity != SeverityError || p.Pos.Line < 1 || p.End < p.Pos.Offset || p.End > len(c.sql)) {
					t.Errorf("NotRead: %+v", p)
				}
			})
		}
	}
}

func TestReads(t *testing.T) {
	all := Dialects()
	pg, my, ms, ch, lite, cas, snow, big := PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, Cassandra, Snowflake, BigQuery
	checkClasses(t, []classCase{
		{all, "select 1", Read},
		{all, " -- hello\n/* x */ SeLeCt 1 ; -- end", Read},
		{all, "(select 1) union (select 2)", Read},
		{all, "((select 1))", Read},
		{all, "values (1)", Read},
		{all, "with x as (select 1) select * from x", Read},
		{all, "with x as (select 1), y(a) as (select 2) select * from x, y", Read},
		{all, "with x as (select 1) (select * from x)", Read},
		{all, "with x as (select 1) ((with y as (select 2) (select * from y)))", Read},
		{all, "select replace(a, 'x', 'y'), count(delete) from t", Read},
		{all, "select t.into, t.update from t", Read},
		{all, "select 'delete from t', \"for update\" from t", Read},
		{all, "select substring(a from 1 for 3) from t", Read},
		{[]Dialect{pg}, "with recursive x as (select 1) search depth first by a set b select * from x", Read},
		{[]Dialect{pg, my}, "table t", Read},
		{[]Dialect{ch, big}, "from t select a", Read},
		{[]Dialect{pg, my, ch, snow}, "show tables", Read},
		{[]Dialect{my, ch, snow, cas}, "describe t", Read},
		{[]Dialect{ms, pg, lite}, "describe t", Other},
		{[]Dialect{pg, my, ch, snow, lite}, "explain select 1", Read},
		{[]Dialect{lite}, "explain query plan select 1", Read},
		{[]Dialect{pg}, "explain (costs off) delete from t", Read},
		{[]Dialect{pg, my}, "explain analyze select 1", Other},
		{[]Dialect{pg, my}, "explain analyze delete from t", Write},
		{[]Dialect{pg}, "explain analyse delete from t", Write},
		{[]Dialect{pg}, "explain (analyze, verbose) with x as (delete from t returning *) select 1", Write},
		{[]Dialect{pg}, "explain execute p", Other},
		{[]Dialect{my}, "explain format=json into @x select 1", Write},
		{[]Dialect{ms, cas, big}, "explain select 1", Other},
	})
}

func TestWritesAndOthers(t *testing.T) {
	all := Dialects()
	pg, my, ms, lite, big := PostgreSQL, MySQL, MSSQL, SQLite, BigQuery
	checkClasses(t, []classCase{
		{all, "insert into t values (1)", Write},
		{all, "update t set a = 1", Write},
		{all, "delete from t", Write},
		{all, "merge into t using s on 1=1 when matched then delete", Write},
		// case 149
		{all, "with x as (delete from t returning *) select * from x", Write},
		{all, "with x as (select 1), y as (update t set a = 1 returning *) select * from x", Write},
		{all, "with x as (select 1) insert into t select * from x", Write},
		{all, "with x as (select 1) delete from t where a in (select * from x)", Write},
		{all, "with x as (with y as (select 1) delete from t returning *) select 1", Write},
		{all, "with x as ((delete from t returning *)) select 1", Write},
		{[]Dialect{pg}, "with x as (select 1) search depth first by a set b delete from t", Write},
		{[]Dialect{pg}, `with x as (update "t" set a = 1 returning *) select 1`, Write},
		// case 151
		{all, "select * into copy from t", Write},
		{all, "select * from t for update", Write},
		{all, "select * from t for no key update", Write},
		{all, "select * from t for key share", Write},
		{all, "select * from (select * from t for share) x", Write},
		{[]Dialect{my}, "select * from t lock in share mode", Write},
		// case 154
		{[]Dialect{my}, "select 1 into @x", Write},
		{[]Dialect{my}, "select 1 into/**/outfile '/tmp/x'", Write},
		{[]Dialect{ms}, "select * from t with (xlock)", Write},
		{[]Dialect{big}, "from t |> where a = 1 |> insert into u", Write},
		{all, "create table t (a int)", DDL},
		{all, "drop table t", DDL},
		{all, "truncate table t", DDL},
		{all, "grant select on t to u", DDL},
		{all, "vacuum", DDL},
		// case 148
		{all, "commit", Control},
		{all, "rollback", Control},
		{all, "set transaction read write", Control},
		{all, "begin", Control},
		{all, "end", Control},
		{all, "lock table t", Control},
		{all, "listen x", Control},
		{all, "notify x, 'a'", Control},
		{all, "prepare x as select 1", Control},
		{all, "discard all", Control},
		{all, "attach database 'x' as y", Control},
		{[]Dialect{my}, "handler t open", Control},
		{[]Dialect{my}, "kill 1", Control},
		{[]Dialect{ms}, "waitfor delay '1:0'", Control},
		{all, "do $$x$$", Other},
		{all, "call p()", Other},
		{all, "copy t to stdout", Other},
		{[]Dialect{ms}, "exec sp_who", Other},
		{[]Dialect{ms}, "sp_who", Other},
		{[]Dialect{ms}, "dbcc checkdb", Other},
		{[]Dialect{lite}, "pragma query_only = 0", Other},
		{all, "nonsense", Other},
		{all, "1", Other},
		{all, "with x", Other},
		{all, "", Other},
		{all, "()", Other},
	})
}

func TestNotReadPointsAtTheVerb(t *testing.T) {
	sql := "with x as (\n  delete from t returning *) select * from x"
	s, _ := Parse(PostgreSQL, sql)
	p, _ := s.NotRead()
	if sql[p.Pos.Offset:p.End] != "delete" || p.Pos.Line != 2 || p.Pos.Column != 3 || !strings.HasPrefix(p.Message, "DELETE ") {
		t.Errorf("got %+v", p)
	}
}
