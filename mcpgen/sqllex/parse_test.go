package sqllex

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// codes lists problems as "code", warnings as "~code".
func codes(ps []Problem) string {
	var out []string
	for _, p := range ps {
		s := string(p.Code)
		if p.Severity == SeverityWarning {
			s = "~" + s
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// problemCase is a statement and its problems' codes in some dialects.
type problemCase struct {
	in   []Dialect
	sql  string
	want string
}

func checkCodes(t *testing.T, cases []problemCase) {
	t.Helper()
	for _, c := range cases {
		for _, d := range c.in {
			t.Run(string(d)+"/"+c.sql, func(t *testing.T) {
				_, ps := Parse(d, c.sql)
				if got := codes(ps); got != c.want {
					t.Errorf("got %q, want %q: %+v", got, c.want, ps)
				}
				checkProblems(t, c.sql, ps)
			})
		}
	}
}

// case 147
func TestOneStatement(t *testing.T) {
	all := Dialects()
	pg, my, snow := PostgreSQL, MySQL, Snowflake
	checkCodes(t, []problemCase{
		{all, "select 1", ""},
		{all, "select 1;", ""},
		{all, "select 1; \n-- done\n /* really */ ", ""},
		{all, "", "empty"},
		{all, " /* x */ -- y", "empty"},
		{all, ";", "empty"},

		// case 147
		{all, "select 1; drop table t", "second_statement"},
		{all, "select 1;;", "second_statement"},
		{all, "select 1;/* x */select 2", "second_statement"},
		{all, "select 'a''b'; drop table t", "second_statement"},
		{all, "; select 1; select 2", "second_statement"},
		{all, "select 1 -- x;\n;select 2", "second_statement"},
		{all, "select (1; select 2)", "second_statement"},
		{all, "select ';' -- ;\n/* ; */", ""},
		{[]Dialect{pg}, "select $$;$$; select 2", "second_statement"},
		{[]Dialect{pg}, `select E'\';'; select 2`, "second_statement"},
		{[]Dialect{pg}, `select '\'; select 2`, "~ambiguous_escape second_statement"},
		{[]Dialect{my}, `select '\'; select 2`, "unterminated_string"},
		{[]Dialect{snow}, "select 1 ->> drop table t", "second_statement"},
		{[]Dialect{snow}, "select filter(a, x -> x > 1) from t", ""},
		{[]Dialect{pg}, "select a->>'b' from t", ""},
	})
}

// cases 153, 162
func TestLexicalProblems(t *testing.T) {
	all := Dialects()
	pg, my, ms, ch, lite, cas, snow, big := PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, Cassandra, Snowflake, BigQuery
	checkCodes(t, []problemCase{
		{all, "select 'abc", "unterminated_string"},
		{all, `select "abc`, "unterminated_string"},
		{all, "select /* abc", "unterminated_comment"},
		{all, "'", "unterminated_string"},
		{[]Dialect{my, ch, lite, big}, "select `abc", "unterminated_string"},
		{[]Dialect{ms, lite}, "select [abc", "unterminated_string"},
		{[]Dialect{pg, ch, snow, cas}, "select $$ abc", "unterminated_string"},
		{[]Dialect{pg}, `select E'abc\'`, "unterminated_string"},
		{[]Dialect{pg}, `select U&'abc`, "unterminated_string"},
		{[]Dialect{pg, ms, ch}, "select /* /* */", "unterminated_comment"},
		{[]Dialect{big}, "select '''a''", "unterminated_string"},
		{[]Dialect{my, snow, ch, big}, `select 'a\`, "unterminated_string"},

		// case 153
		{[]Dialect{my}, "select /*! delete */ 1", "executable_comment"},
		{[]Dialect{my}, "select /*!50000 1 */", "executable_comment"},
		{[]Dialect{my}, "select /*M!100000 1 */", "executable_comment"},
		{[]Dialect{my}, "select /*+ SET_VAR(sql_mode='') */ 1", "executable_comment"},
		{[]Dialect{my}, "select /*+ max_execution_time(0) */ 1", "executable_comment"},
		{[]Dialect{my}, "select /*+ BKA(t) */ 1", ""},
		{[]Dialect{pg}, "select /*! x */ 1", ""},
		{[]Dialect{my}, `select 'it\'s'`, "~ambiguous_escape"},
		{[]Dialect{my}, `select 'a\nb', 'c\\'`, ""},
		{[]Dialect{pg}, `select 'C:\dir\', 1`, "~ambiguous_escape"},
		{[]Dialect{pg}, `select E'it\'s', 'C:\dir'`, ""},
		{[]Dialect{my, lite, ms, ch, snow, big}, "select 1 -- a\rdelete", "ambiguous_comment"},
		{[]Dialect{my, lite, ms, ch, snow, big}, "select 1 -- a\u2028delete", "ambiguous_comment"},
		{all, "select 1 -- a\r\n", ""},

		// case 162
		{all, "select 1\x00; drop table t", "invalid_character second_statement"},
		{all, "select '\xbf'", "invalid_character"},
		{all, "select\u00a01", "invalid_character"},
		{all, "\ufeffselect 1", "invalid_character"},
		{all, "select a\u200b", "invalid_character"},
		{all, "select ‘a’", "invalid_character invalid_character"},
		{all, "select '‘a\u00a0’'", ""},
		{[]Dialect{ch}, `select 1 \G`, "invalid_character"},
		{[]Dialect{ch}, "select #a", "invalid_character"},
		{[]Dialect{ch}, "select $ 1$ select $ 1$", "invalid_character invalid_character invalid_character invalid_character"},
	})
}

func TestParameterProblems(t *testing.T) {
	all := Dialects()
	pg, my, ms, ch, lite, cas, snow, big := PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, Cassandra, Snowflake, BigQuery
	checkCodes(t, []problemCase{
		{[]Dialect{pg}, `select U&"\0061"`, "unicode_identifier"},
		{[]Dialect{pg}, `select * from u&"x" uescape '!'`, "unicode_identifier"},

		{[]Dialect{pg, lite}, "select $1", "native_placeholder"},
		{[]Dialect{my, lite, cas, snow, big, ms}, "select a from t where b = ?", "native_placeholder"},
		{[]Dialect{ms, lite, big}, "select @p1", "native_placeholder"},
		{[]Dialect{ch}, "select { x : String }", "native_placeholder"},
		{[]Dialect{ch}, "select {'a': b}", ""},
		{[]Dialect{my}, "select @x, @@version", ""},
		{[]Dialect{snow}, "select $1 from @stage", ""},
		{[]Dialect{ms, big}, "select @@version", ""},

		{all, "select :a1b", ""},
		{all, "select :é", "parameter_name"},
		{all, "select :aé", "parameter_name"},
		{all, "select :" + strings.Repeat("a", 65), "parameter_name"},
		{all, "select :" + strings.Repeat("a", 64), ""},
		{all, "select :caller", "parameter_name"},
		{all, "select :caller.id", ""},
		{[]Dialect{pg}, "select :a$b", "parameter_name"},

		{all, "select * from t where a like ':name'", "~quoted_placeholder"},
		{all, "select * from t where a like '%:name%'", "~quoted_placeholder"},
		{all, "select '12:30', 'a :b'", ""},
		{all, ":sql", "passthrough"},
		{all, " :sql ; ", "passthrough"},
	})
}

// cases 148, 151, 154, 159
func TestRefusedClauses(t *testing.T) {
	all := Dialects()
	pg, my, ms, ch, lite, big := PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, BigQuery
	checkCodes(t, []problemCase{
		// case 148
		{all, "commit", "control_statement"},
		{all, "commit; drop table t", "control_statement second_statement"},
		{all, "rollback; select 1", "control_statement second_statement"},
		{all, "set transaction read write", "control_statement"},
		{[]Dialect{my}, "set global x = 1", "control_statement"},
		{[]Dialect{my}, "set statement max_statement_time=0 for select 1", "control_statement"},

		// case 154, 151
		{[]Dialect{my}, "select 1 into outfile '/tmp/x'", "denied_clause"},
		{[]Dialect{my}, "select 1 into/**/dumpfile '/tmp/x'", "denied_clause"},
		{[]Dialect{my}, "load data local infile 'x' into table t", "denied_clause"},
		{[]Dialect{pg}, "copy t to program 'id'", "denied_clause"},
		{[]Dialect{pg}, "copy t from stdin", "denied_clause"},
		{[]Dialect{ms}, "bulk insert t from 'x'", "denied_clause"},
		{[]Dialect{big}, "export data options() as select 1", "denied_clause"},
		{[]Dialect{lite}, "vacuum into 'x'", "denied_clause"},
		{all, "select outfile from t", ""},

		// case 159
		{[]Dialect{ch}, "select 1 settings readonly = 0", "denied_clause"},
		{[]Dialect{ch}, "select 1 settings max_execution_time=0, x=1", "denied_clause"},
		{[]Dialect{ch}, "select * from (select 1 settings a=1)", "denied_clause"},
		{[]Dialect{ch}, "select 1 format JSON", "denied_clause"},
		{[]Dialect{ch}, "select 1 format JSON;", "denied_clause"},
		{[]Dialect{ch}, "select 1 into outfile 'x'", "denied_clause"},
		{[]Dialect{ch}, "select * from system.settings where name = 'x'", ""},
		{[]Dialect{ch}, "select format('{}', a), format from t", ""},
		{[]Dialect{ch}, "system shutdown", "control_statement"},
	})
}

// The sentence names what decided, and what to do about it.
func TestNotReadSentence(t *testing.T) {
	for sql, want := range map[string]string{
		"delete from t":                   "DELETE changes the database, and a tool or a connection that only reads does not run it. Use SELECT, or",
		"drop table t":                    "DROP changes the database,",
		"with x as (update t) select 1":   "UPDATE changes the database,",
		"select 1 for no key update of t": "SELECT … FOR NO is not certain to only read, and a tool or a connection that only reads does not run it. Leave FOR NO out, or",
		"select 1\nfor  update":           "SELECT … FOR UPDATE is not certain",
		"select a into b from t":          "SELECT … INTO is not certain",
		"call p()":                        "CALL is not certain to only read,",
	} {
		s, _ := Parse(PostgreSQL, sql)
		if p, not := s.NotRead(); !not || !strings.HasPrefix(p.Message, want) {
			t.Errorf("%s: %q", sql, p.Message)
		}
	}
}

// What stands as a field may be a call in PostgreSQL: each of the first was seen to read a file. // case 150
func TestFunctionsAsFields(t *testing.T) {
	for sql, want := range map[string]string{
		"select ('/etc/hostname'::text).pg_read_file":                                      "denied_function",
		"select f.pg_read_file from unnest(array['/etc/hostname']) as f":                   "denied_function",
		`select "f" . "pg_ls_dir" from unnest(array['/etc']) as f`:                         "denied_function",
		"select (array['/etc/hostname'])[1] /* x */ .pg_read_file":                         "denied_function",
		"select :x .pg_read_file":                                                          "denied_function",
		"select (a.b).pg_read_file from (select '/etc/hostname'::text as b) a":             "denied_function",
		"select g.pg_terminate_backend from generate_series(1, 99999) g":                   "denied_function",
		"select 1 where (select f.dblink_connect from unnest(array['x']) f) = 'x'":         "denied_function",
		"select 1 from unnest(array['x']) f where 'a' is distinct from f.pg_read_file":     "denied_function",
		"select extract(day from f.pg_read_file), trim(both from f.b) from g() f":          "denied_function",
		"select substring('abc' from g.pg_terminate_backend) from generate_series(1, 9) g": "denied_function",
		"select (f.*).pg_read_file from unnest(array['/etc/hostname']) f":                  "denied_function",
		"select 1 from s.http where a is distinct from b":                                  "",
		"select a.b.pg_read_file from a.b":                                                 "",
		"select x.y from pg_catalog.pg_file_settings x":                                    "",
		"select http from log l, lateral (select l.id) x":                                  "",
		"update s.http set a = 1":                                                          "",
		"select * from only s.http":                                                        "",
	} {
		if _, ps := Parse(PostgreSQL, sql); codes(ps) != want {
			t.Errorf("%s: %q, want %q", sql, codes(ps), want)
		}
	}
	if _, ps := Parse(MySQL, "select t.load_file from t"); HasErrors(ps) {
		t.Errorf("a column in MySQL: %q", codes(ps))
	}
}

// checkProblems: what every problem must satisfy.
func checkProblems(t *testing.T, sql string, ps []Problem) {
	t.Helper()
	last := 0
	for _, p := range ps {
		if p.Pos.Offset < last || p.End < p.Pos.Offset || p.End > len(sql) || p.Pos.Line < 1 || p.Pos.Column < p.Pos.Rune || p.Pos.Rune < 1 {
			t.Errorf("%q: bad place: %+v", sql, p)
		}
		last = p.Pos.Offset
		if p.Severity != SeverityError && p.Severity != SeverityWarning || len(p.Message) < 20 || !strings.HasSuffix(p.Message, ".") {
			t.Errorf("%q: bad problem: %+v", sql, p)
		}
	}
}

// Transact-SQL needs no semicolons. // case 158
func TestBatch(t *testing.T) {
	for _, c := range []struct {
		sql    string
		second string // the word that begins the second statement, or ""
	}{
		{"select 1 drop table t", "drop"},
		{"select 1 /* x */ exec sp_who", "exec"},
		{"select 1\nexecute('x')", "execute"},
		{"select 1 select 2", "select"},
		{"select 1 insert into t values (1)", "insert"},
		{"select 1 update t set a = 1", "update"},
		{"select 1 delete t", "delete"},
		{"select 1 delete from t", "delete"},
		{"select 1 merge t using s on 1=1 when matched then delete", "merge"},
		{"select 1 truncate table t", "truncate"},
		{"select 1 waitfor delay '1:0:0'", "waitfor"},
		{"select 1 use master", "use"},
		{"select 1 dbcc checkdb", "dbcc"},
		{"select 1 set implicit_transactions on", "set"},
		{"select 1 begin tran", "begin"},
		{"select 1 commit", "commit"},
		{"select 1 shutdown", "shutdown"},
		{"select 1 if 1=1 select 2", "if"},
		{"select 1 fetch next from c", "fetch"},
		{"select a from t order by a offset 0 rows fetch next from c", "fetch"},
		{"select 1 end conversation 'x'", "end"},
		{"update t set a = 1 set nocount on", "set"},
		{"update t set a = 1 delete from t", "delete"},
		{"delete from t drop table u", "drop"},
		{"insert into t select 1 select 2", "select"},
		{"insert into t values (1) exec p", "exec"},
		{"exec a exec b", "exec"},
		{"with x as (select 1 a) select a from x drop table t", "drop"},
		{"select (select 1 drop table t)", "drop"},

		{"select 1", ""},
		{"select 1 union all select 2 union select 3 except select 4 intersect select 5", ""},
		{"select (select 1), a from t where b in (select c from d) and exists (select 1)", ""},
		{"with x as (select 1 a), y as (select 2 b) select a from x, y", ""},
		{"with x as (select 1 a) select a from x union all select 2", ""},
		{"select a from t order by a offset :o rows fetch next :n rows only", ""},
		{"select case when a = 1 then 2 end conversation_id from t", ""},
		{"select * from a inner merge join b on a.x = b.x option (merge join, use hint ('x'))", ""},
		{"select [drop], \"exec\", t.[delete] from t", ""},
		{"select top (:n) * from t for json path", ""},
		{"update t set a = 1, b = 2 from t join s on s.x = t.x where t.a in (select 1)", ""},
		{"insert into t (a) select b from u union select 1", ""},
		{"insert into t values (1), (2)", ""},
		{"merge into t using (select 1 a) s on s.a = t.a when matched then update set b = 1 when not matched then insert (a) values (1) when not matched by source then delete", ""},
		{"insert into a select x from (delete from t output deleted.x) d", ""},
		{"exec p 1, 2", ""},
	} {
		t.Run(c.sql, func(t *testing.T) {
			_, ps := Parse(MSSQL, c.sql)
			got := ""
			if len(ps) > 0 {
				got = c.sql[ps[0].Pos.Offset:ps[0].End]
			}
			if got != c.second || len(ps) > 1 || len(ps) == 1 && ps[0].Code != SecondStatement {
				t.Errorf("got %+v, want a second statement at %q", ps, c.second)
			}
		})
	}
}

// cases 150, 156, 158, 159
func TestDeniedFunctions(t *testing.T) {
	for d, names := range map[Dialect]string{
		PostgreSQL: "dblink dblink_exec dblink_connect pg_read_file pg_read_binary_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_stat_file lo_import lo_export lo_create " +
			"pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile set_config pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock " +
			"pg_advisory_unlock_all query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml pg_file_write pg_stat_reset pg_promote http_get lowrite " +
			"ts_stat ts_rewrite crosstab crosstab3 connectby xpath_table pg_stat_statements_reset",
		MySQL:  "load_file sleep benchmark get_lock release_lock sys_exec",
		MSSQL:  "openrowset openquery opendatasource xp_cmdshell fn_get_audit_file",
		SQLite: "load_extension readfile writefile edit fts3_tokenizer fsdir",
		ClickHouse: "url file s3 s3Cluster remote remoteSecure mysql postgresql sqlite mongodb redis jdbc odbc hdfs executable input cluster clusterAllReplicas " +
			"urlCluster fileCluster azureBlobStorage iceberg deltaLake",
		Snowflake: "system$abort_session system$cancel_all_queries",
		BigQuery:  "external_query",
	} {
		for _, name := range strings.Fields(names) {
			quote := func(s string) string {
				switch d {
				case MySQL, BigQuery:
					return "`" + s + "`"
				case MSSQL:
					return "[" + s + "]"
				}
				return `"` + s + `"`
			}
			for _, sql := range []string{
				"select " + name + "('x')",
				"select " + strings.ToUpper(name) + " /* c */ ('x')",
				"select * from s." + name + "('x')",
				"select " + quote("s") + " . " + quote(name) + " ('x')",
				"insert into t select 1 from " + name + "(1)",
				"select 1 where 1 in (select * from a, " + name + "(1))",
			} {
				if _, ps := Parse(d, sql); codes(ps) != "denied_function" {
					t.Errorf("%s: %s: %q", d, sql, codes(ps))
				}
			}
			for _, sql := range []string{
				"select '" + name + "(1)' from t",
				"select " + quote(name) + " from t",
				"select t." + quote(name) + " from t",
				"select 1 from s." + name + " join s." + name + " x on true",
				"select 1 -- " + name + "(1)",
				"select my_" + name + "(1)",
			} {
				if d == PostgreSQL && strings.HasPrefix(sql, "select t.") {
					continue // TestFunctionsAsFields
				}
				if _, ps := Parse(d, sql); HasErrors(ps) {
					t.Errorf("%s: %s: %q", d, sql, codes(ps))
				}
			}
		}
	}
	for d, sql := range map[Dialect]string{
		PostgreSQL: "select pg_advisory_xact_lock(1), pg_size_pretty(1), lo_get(1), pg_sleep(1), current_setting('x')",
		ClickHouse: "select * from numbers(10), view(select 1), generateRandom('a Int8') where clusterId(1) = 1 and domain(u) = ''",
		Cassandra:  "select token(a) from t",
	} {
		if _, ps := Parse(d, sql); len(ps) != 0 {
			t.Errorf("%s: %s: %q", d, sql, codes(ps))
		}
	}
}

func TestBind(t *testing.T) {
	const sql = "select :a, ':a', x::int -- :a\nfrom t where b = :b and c = :a;"
	for _, c := range []struct {
		d     Dialect
		want  string
		order string
	}{
		{PostgreSQL, "select $1, ':a', x::int -- :a\nfrom t where b = $2 and c = $1;", "a b"},
		{SQLite, "select ?1, ':a', x::int -- :a\nfrom t where b = ?2 and c = ?1;", "a b"},
		{MySQL, "select ?, ':a', x::int -- :a\nfrom t where b = ? and c = ?;", "a b a"},
		{Cassandra, "select ?, ':a', x::int -- :a\nfrom t where b = ? and c = ?;", "a b a"},
		{Snowflake, "select ?, ':a', x::int -- :a\nfrom t where b = ? and c = ?;", "a b a"},
		{MSSQL, "select @p1, ':a', x::int -- :a\nfrom t where b = @p2 and c = @p1;", "a b"},
		{BigQuery, "select @p1, ':a', x::int -- :a\nfrom t where b = @p2 and c = @p1;", "a b"},
		{ClickHouse, "select {p1:Nullable(String)}, ':a', x::int -- :a\nfrom t where b = {p2:Nullable(String)} and c = {p1:Nullable(String)};", "a b"},
	} {
		s, _ := Parse(c.d, sql)
		got, order := s.Bind(c.d.Style())
		if got != c.want || strings.Join(order, " ") != c.order {
			t.Errorf("%s:\n got %s %v\nwant %s [%s]", c.d, got, order, c.want, c.order)
		}
		if s.SQL() != sql {
			t.Errorf("SQL() = %q", s.SQL())
		}
	}
	s, _ := Parse(ClickHouse, "select :n, :caller.id")
	got, order := s.Bind(Braces(func(n int) string { return []string{"Int64", "String"}[n-1] }))
	if got != "select {p1:Int64}, {p2:String}" || !slices.Equal(order, []string{"n", "caller.id"}) {
		t.Errorf("got %s %v", got, order)
	}
	s, _ = Parse(PostgreSQL, "select 1")
	if got, order := s.Bind(Dollar()); got != "select 1" || len(order) != 0 {
		t.Errorf("got %s %v", got, order)
	}
}

func TestManyProblems(t *testing.T) {
	sql := "select " + strings.Repeat("':a' ,", 500) + " pg_read_file('x')"
	_, ps := Parse(PostgreSQL, sql)
	if len(ps) != maxProblems+1 || !HasErrors(ps) || ps[len(ps)-1].Code != TooManyProblems {
		t.Errorf("%d problems, errors %t, last %+v", len(ps), HasErrors(ps), ps[len(ps)-1])
	}
}

// Texts that would be slow if any step looked back too far: twice the length must
// not take much more than twice the time.
func TestLinear(t *testing.T) {
	for name, piece := range map[string]string{
		"casts":        ":a::x(",
		"dots":         "a.",
		"in":           "a.b.c.d.e.f.g in (:p, ",
		"parens":       "(",
		"parens with":  ") (with ",
		"unclosed tag": "$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ",
		"E strings":    "E'a'\n--\n--\n",
		"quotes":       "''' ",
		"comments":     "/* /* */ ",
		"placeholders": ":aaa, ",
		"backslashes":  `'\`,
		"brackets":     "[",
		"with":         "with a as (select 1) ",
		"explain":      "explain ",
		"colons":       ":",
		"problems":     "; $1 ? @x ",
	} {
		for _, d := range Dialects() {
			sql := strings.Repeat(piece, 200_000/len(piece))
			took := time.Hour
			for n := 0; n < 10 && took > 2*time.Second; n++ { // again on a busy machine
				start := time.Now()
				Parse(d, sql)
				took = min(took, time.Since(start))
			}
			if testing.Verbose() && took > 50*time.Millisecond {
				t.Logf("%s: %s: %s", d, name, took)
			}
			if took > 2*time.Second {
				t.Errorf("%s: %s: 200 kB took %s", d, name, took)
			}
		}
	}
}

func ExampleParse() {
	s, _ := Parse(PostgreSQL, "select * from orders where city = :city and total > :min limit :n")
	sql, order := s.Bind(PostgreSQL.Style())
	fmt.Println(s.Class, sql, order)
	// Output: read select * from orders where city = $1 and total > $2 limit $3 [city min n]
}

func BenchmarkParse(b *testing.B) {
	small := "select o.id, o.total from orders o join customers c on c.id = o.customer_id where c.city = :city and o.placed between :from::date and :to::date limit :n"
	large := "select " + strings.Repeat("case when a.b = 'x''y' then :p1::int else coalesce(c, 1.5) end, ", 1500) + "1"
	for name, sql := range map[string]string{"small": small, "100kB": large} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(sql)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(PostgreSQL, sql)
			}
		})
	}
}
