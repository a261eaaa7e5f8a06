package sqllex

import (
	"slices"
	"testing"
)

// case 163
func TestPlaceholderPosition(t *testing.T) {
	type S = []Dialect
	all := Dialects()
	for _, c := range []struct {
		in  S
		sql string
		bad bool
	}{
		{all, "select * from :t", true},
		{all, "select * from a join :t on 1=1", true},
		{all, "select 1 where exists (select 1 from :t)", true},
		{all, "insert into :t values (1)", true},
		{all, "update :t set a = 1", true},
		{all, "update t set :c = 1", true},
		{all, "delete from :t", true},
		{all, "select a as :n from t", true},
		{all, "select * from s.:t", true},
		{all, "select :a.b from t", true},
		{all, "select :f(1)", true},
		{all, "select * from t order by :c", true},
		{all, "select * from t order by a, :c desc", true},
		{all, "select * from t order by a :dir", true},
		{all, "select * from t order by lower(a) :dir limit 1", true},
		{all, "select a from t group by :c", true},
		{all, "select a collate :c from t", true},
		{S{PostgreSQL, MySQL, MSSQL, SQLite, Snowflake, BigQuery}, "select * from t where a in :ids", true},
		{S{ClickHouse, Cassandra}, "select * from t where a in :ids", false},
		{S{MSSQL}, "select top :n * from t", true},
		{S{MSSQL}, "select top (:n) * from t", false},
		{S{PostgreSQL}, "select interval :i", true},
		{S{PostgreSQL, BigQuery}, "select date :d", true},
		{S{MySQL, BigQuery}, "select now() + interval :n day", false},
		{S{PostgreSQL}, "select interval '1 day' * :n, :d::date", false},

		{all, "select * from t where a = :a and b in (:b, :c) and d between :e and :f", false},
		{all, "select extract(year from :d), substring(:s from :n for :m), trim(both from :x)", false},
		{all, "select * from t where a is distinct from :a or a is not distinct from :b", false},
		{all, "select * from t order by case when :sort = 'a' then a else b end, case :dir when 1 then c end", false},
		{all, "select * from t order by a limit :n offset :o", false},
		{all, "select * from t group by a having count(*) > :n", false},
		{all, "select a + :n from t", false},
		{all, "select cast(:x as int), coalesce(:y, a), -:z", false},
		{all, "insert into t (a, b) values (:a, :b)", false},
		{all, "update t set a = :a where b = :b", false},
		{all, "select * from f(:a)", false},
		{all, "select * from t where (:q is null or a = :q)", false},
		{S{PostgreSQL}, "select * from t where a = any(:ids) and b @> :j and c ? :k", false},
	} {
		for _, d := range c.in {
			_, ps := Parse(d, c.sql)
			want := ""
			if c.bad {
				want = "placeholder_position"
			}
			if got := codes(ps); got != want {
				t.Errorf("%s: %s: got %q, want %q", d, c.sql, got, want)
			}
		}
	}
}

func TestOptional(t *testing.T) {
	for sql, want := range map[string]bool{
		"select * from t where :p is null or a = :p":                  true,
		"select * from t where (a = :p or :p is null)":                true,
		"select * from t where :p::date is null or a >= :p::date":     true,
		"select * from t where :p::pg_catalog.int8[] is null or true": true,
		"select * from t where cast(:p as date) is null or a >= :p":   true,
		"select * from t where :p is not null and a = :p":             true,
		"select * from t where a = coalesce(:p, a)":                   true,
		"select * from t where a = coalesce(cast(:p as int), a)":      true,
		"select * from t limit coalesce(:p::int, 10)":                 true,
		"select * from t where a = :p":                                false,
		"select * from t where a is null or a = :p":                   false,
		"select * from t where :q is null or a = :p":                  false,
		"select coalesce(a, :p) from t":                               false,
		"select * from t where a = :p and b is null":                  false,
		"select * from t where :p is distinct from a":                 false,
		"select cast(:p as date), b is null from t":                   false,
		"select ':p is null' where a = :p":                            false,
	} {
		s, ps := Parse(PostgreSQL, sql)
		if HasErrors(ps) {
			t.Fatal(sql, ps)
		}
		i := slices.IndexFunc(s.Params, func(p Param) bool { return p.Name == "p" })
		if got := s.Params[i].Optional; got != want {
			t.Errorf("%s: optional %v, want %v", sql, got, want)
		}
	}
}

func TestHints(t *testing.T) {
	for _, c := range []struct {
		d              Dialect
		sql            string
		hint, compared string // of :p
	}{
		{PostgreSQL, "select * from t limit :p", "integer", ""},
		{PostgreSQL, "select * from t offset :p", "integer", ""},
		{PostgreSQL, "select * from t fetch first :p rows only", "integer", ""},
		{MSSQL, "select top (:p) * from t", "integer", ""},
		{PostgreSQL, "select :p::date", "date", ""},
		{PostgreSQL, "select :p::timestamp with time zone", "datetime", ""},
		{PostgreSQL, "select :p::timestamptz", "datetime", ""},
		{PostgreSQL, "select :p::numeric(10, 2)", "number", ""},
		{PostgreSQL, "select :p::double precision", "number", ""},
		{PostgreSQL, "select :p::pg_catalog.int8", "integer", ""},
		{PostgreSQL, "select :p::int[]", "array", ""},
		{PostgreSQL, "select :p::varchar(10)[]", "array", ""},
		{PostgreSQL, "select :p::bool", "boolean", ""},
		{PostgreSQL, "select :p::geometry", "", ""},
		{MSSQL, "select cast(:p as bigint)", "integer", ""},
		{MySQL, "select * from t where a = :p", "", "a"},
		{MySQL, "select * from t where t.a = :p", "", "t.a"},
		{MySQL, "select * from d.t where d.t.a <> :p", "", "t.a"},
		{PostgreSQL, `select * from t where "T"."my ""col""" >= :p`, "", `T.my "col"`},
		{MSSQL, "select * from t where [my col] >= :p", "", "my col"},
		{MySQL, "select * from t where :p < `a`", "", "a"},
		{PostgreSQL, "select * from t where :p = t.a", "", "t.a"},
		{PostgreSQL, "select * from t where :p::int = t.a", "integer", "t.a"},
		{PostgreSQL, "select * from t where a::text = :p", "", "a"},
		{PostgreSQL, "select * from t where a ilike :p", "string", "a"},
		{PostgreSQL, "select * from t where a not like :p", "string", "a"},
		{PostgreSQL, "select * from t where a like '%' || :p || '%'", "string", ""},
		{PostgreSQL, "select * from t where a between :p and 10", "integer", "a"},
		{PostgreSQL, "select * from t where a between date '2026-01-01' and :p", "date", "a"},
		{PostgreSQL, "select * from t where a between 1.5 and :p", "number", "a"},
		{PostgreSQL, "select * from t where a not between :x and :p", "", "a"},
		{PostgreSQL, "select * from t where a between :x::date and :p::date", "date", "a"},
		{PostgreSQL, "select * from t where a in (1, 2, :p)", "integer", "a"},
		{PostgreSQL, "select * from t where t.a not in (:x, :p)", "", "t.a"},
		{PostgreSQL, "select * from t where a = any(:p)", "array", "a"},
		{PostgreSQL, "select * from t where a is not distinct from :p", "", "a"},
		{PostgreSQL, "select * from t where :p is null or a = :p", "", "a"},
		{PostgreSQL, "select * from t where :p = 1", "integer", ""},
		{PostgreSQL, "select * from t where :p = -1.5", "number", ""},
		{PostgreSQL, "select * from t where :p = 'x'", "string", ""},
		{PostgreSQL, "select * from t where :p >= '2026-01-31'", "date", ""},
		{PostgreSQL, "select * from t where :p >= '2026-01-31 10:00'", "datetime", ""},
		{PostgreSQL, "select * from t where :p >= timestamp '2026-01-31'", "datetime", ""},
		{PostgreSQL, "select * from t where true = :p", "boolean", ""},
		{PostgreSQL, "select * from t where :p and a = 1", "boolean", ""},
		{PostgreSQL, "select * from t where not :p", "boolean", ""},
		{PostgreSQL, "select * from t where current_date > :p", "date", ""},
		{PostgreSQL, "select * from t where lower(a) = lower(:p)", "string", ""},
		{PostgreSQL, "select * from t where a * b = :p", "", ""},
		{PostgreSQL, "select now() - interval '1 day' * :p", "number", ""},
		{PostgreSQL, "select a->>'x' = :p from t", "string", ""},
		{ClickHouse, "select * from t where a in :p", "array", "a"},
		{BigQuery, "select * from t where a in unnest(:p)", "array", ""},
		{PostgreSQL, "select end = :p, null = :p", "", "end"},
	} {
		if c.compared == "end" {
			c.compared = "" // keywords are not columns
		}
		t.Run(c.sql, func(t *testing.T) {
			s, ps := Parse(c.d, c.sql)
			if HasErrors(ps) {
				t.Fatal(ps)
			}
			i := slices.IndexFunc(s.Params, func(p Param) bool { return p.Name == "p" })
			if got := s.Params[i]; got.Hint != Hint(c.hint) || got.Compared != c.compared {
				t.Errorf("got hint %q compared %q, want %q %q", got.Hint, got.Compared, c.hint, c.compared)
			}
		})
	}
}
