package sqllex

import (
	"slices"
	"strings"
	"testing"
)

// render writes tokens as one letter each, with their text.
func render(d Dialect, sql string) string {
	letters := map[Kind]string{Comment: "C", String: "S", QuotedIdent: "Q", Word: "W", Number: "N", Placeholder: "P", Native: "X", Punctuation: "p"}
	var out []string
	for _, t := range Tokens(d, sql) {
		if t.Kind != Space {
			out = append(out, letters[t.Kind]+"‹"+sql[t.Start:t.End]+"›")
		}
	}
	return strings.Join(out, " ")
}

// tokenCase is a text and its tokens in some dialects.
type tokenCase struct {
	name string
	in   []Dialect
	sql  string
	want string
}

func checkTokens(t *testing.T, cases []tokenCase) {
	t.Helper()
	for _, c := range cases {
		for _, d := range c.in {
			t.Run(string(d)+"/"+c.name, func(t *testing.T) {
				if got := render(d, c.sql); got != c.want {
					t.Errorf("%s\n got %s\nwant %s", c.sql, got, c.want)
				}
			})
		}
	}
}

func only(ds ...Dialect) []Dialect { return ds }

func except(ds ...Dialect) []Dialect {
	return slices.DeleteFunc(Dialects(), func(d Dialect) bool { return slices.Contains(ds, d) })
}

// cases 152, 153, 164
func TestTokens(t *testing.T) {
	all := Dialects()
	checkTokens(t, []tokenCase{
		{"words", all, "select a1 _b", "W‹select› W‹a1› W‹_b›"},
		{"letters beyond ASCII", all, "é日本", "W‹é日本›"},
		{"numbers", all, "1 1.5 1e-5 0x1F 1.", "N‹1› N‹1.5› N‹1e-5› N‹0x1F› N‹1› p‹.›"},
		{"minus is not an exponent", all, "1e- 5", "N‹1e› p‹-› N‹5›"},
		{"operators", all, "a<=b<>c", "W‹a› p‹<=› W‹b› p‹<>› W‹c›"},
		{"placeholder", all, "=:a", "p‹=› P‹:a›"},
		{"prefix of another", all, ":a ,:ab", "P‹:a› p‹,› P‹:ab›"},
		{"cast", all, "x::int", "W‹x› p‹::› W‹int›"},
		{"cast of a placeholder", all, ":x::int", "P‹:x› p‹::› W‹int›"},
		{"three colons", all, "x:::int", "W‹x› p‹::› p‹:› W‹int›"},
		{"assignment", all, "a :=b", "W‹a› p‹:=› W‹b›"},
		{"after a word", all, "a:b", "W‹a› p‹:› W‹b›"},
		{"after a parenthesis", all, "(a):b", "p‹(› W‹a› p‹)› p‹:› W‹b›"},
		{"slice", except(MSSQL, SQLite), "a[1:n]", "W‹a› p‹[› N‹1› p‹:› W‹n› p‹]›"},
		{"subscript", except(MSSQL, SQLite), "a[:n]", "W‹a› p‹[› P‹:n› p‹]›"},
		{"after a bracket", except(MSSQL, SQLite), "a[1]:b", "W‹a› p‹[› N‹1› p‹]› p‹:› W‹b›"},
		{"after a string", all, "'a':b", "S‹'a'› p‹:› W‹b›"},
		{"caller", all, ":caller.id.", "P‹:caller.id› p‹.›"},
		{"caller's claim", all, ":caller.claims.sub", "P‹:caller.claims.sub›"},
		{"callers", all, ":callers.id", "P‹:callers› p‹.› W‹id›"},
		{"colon and space", all, ": a", "p‹:› W‹a›"},
		{"time in a string", all, "'12:30 :a'", "S‹'12:30 :a'›"},
		{"doubled quote", except(BigQuery), "'a'':b' :c", "S‹'a'':b'› P‹:c›"},
		{"two literals", only(BigQuery), "'a'':b' :c", "S‹'a'› S‹':b'› P‹:c›"},
		{"one literal after another", only(BigQuery), `'a''''b''' :c`, `S‹'a'› S‹'''b'''› P‹:c›`},
		{"quoted identifier", except(MySQL, BigQuery), `"a"":b":c`, `Q‹"a"":b"› p‹:› W‹c›`},
		{"double quoted string", only(MySQL), `"a"":b" :c`, `S‹"a"":b"› P‹:c›`},
		{"line comment", all, "a -- :b '\n:c", "W‹a› C‹-- :b '› P‹:c›"},
		{"line comment at the end", all, "a --", "W‹a› C‹--›"},
		{"no space after the dashes", except(MySQL), "5--:a\n3", "N‹5› C‹--:a› N‹3›"},
		{"no space after the dashes", only(MySQL), "5--:a\n3", "N‹5› p‹-› p‹-› P‹:a› N‹3›"},
		{"tab after the dashes", only(MySQL), "5--\t:a\n3", "N‹5› C‹--\t:a› N‹3›"},
		{"comment in an operator", all, "1 +-- :a\n2", "N‹1› p‹+› C‹-- :a› N‹2›"},
		{"block comment", all, "a/* ' :b */:c", "W‹a› C‹/* ' :b */› P‹:c›"},
		{"stars", all, "/***/:a", "C‹/***/› P‹:a›"},
		{"slash star slash", all, "/*/ :a */:b", "C‹/*/ :a */› P‹:b›"},
		{"nested", only(PostgreSQL, MSSQL, ClickHouse), "/* /* */ :a */ :b", "C‹/* /* */ :a */› P‹:b›"},
		{"not nested", only(MySQL, SQLite, Cassandra, Snowflake, BigQuery), "/* /* */ :a", "C‹/* /* */› P‹:a›"},
		{"hash", only(MySQL, BigQuery), "a #:b\n:c", "W‹a› C‹#:b› P‹:c›"},
		{"hash and space", only(ClickHouse), "a # :b\n:c", "W‹a› C‹# :b› P‹:c›"},
		{"hash operator", only(PostgreSQL), "a #>> :b", "W‹a› p‹#› p‹>› p‹>› P‹:b›"},
		{"temporary table", only(MSSQL), "#t ##g", "W‹#t› W‹##g›"},
		{"slashes", only(ClickHouse, Cassandra, Snowflake), "a // :b\n:c", "W‹a› C‹// :b› P‹:c›"},
		{"division twice", only(PostgreSQL, MySQL), "a // :b", "W‹a› p‹/› p‹/› P‹:b›"},
		{"carriage return ends a comment", only(PostgreSQL, Cassandra), "-- a\r:b", "C‹-- a› P‹:b›"},
	})
}

// What only some dialects have. // cases 152, 153, 164
func TestTokensOfDialects(t *testing.T) {
	checkTokens(t, []tokenCase{
		{"backslash is a letter", only(PostgreSQL, MSSQL, SQLite, Cassandra), `'a\' :b`, `S‹'a\'› P‹:b›`},
		{"backslash escapes", only(MySQL, ClickHouse, Snowflake, BigQuery), `'a\' :b' :c`, `S‹'a\' :b'› P‹:c›`},
		{"escaped backslash", only(MySQL, ClickHouse, Snowflake, BigQuery), `'a\\' :c`, `S‹'a\\'› P‹:c›`},
		{"E string", only(PostgreSQL), `E'a\' :b' :c`, `S‹E'a\' :b'› P‹:c›`},
		{"e string", only(PostgreSQL), `e'\\' :c`, `S‹e'\\'› P‹:c›`},
		{"name that ends in e", only(PostgreSQL), `namee'a\' :b`, `W‹namee› S‹'a\'› P‹:b›`},
		{"E string goes on", only(PostgreSQL), "E'a' -- x\n  'b\\' :c' :d", "S‹E'a' -- x\n  'b\\' :c'› P‹:d›"},
		{"E string does not go on", only(PostgreSQL), "E'a' 'b\\' :d", "S‹E'a'› S‹'b\\'› P‹:d›"},
		{"E string with a comment", only(PostgreSQL), "E'a' /*\n*/ 'b\\' :d", "S‹E'a'› C‹/*\n*/› S‹'b\\'› P‹:d›"},
		{"plain string goes on plainly", only(PostgreSQL), "'a'\n'b\\' :d", "S‹'a'› S‹'b\\'› P‹:d›"},
		{"U string", only(PostgreSQL), `U&'\0041:a' :b`, `S‹U&'\0041:a'› P‹:b›`},
		{"U and something", only(PostgreSQL), `u & :b`, `W‹u› p‹&› P‹:b›`},
		{"bit string", only(PostgreSQL), `B'01' x'1f'`, `W‹B› S‹'01'› W‹x› S‹'1f'›`},
		{"dollar quote", only(PostgreSQL, ClickHouse), "$$ ' :a $$ :b", "S‹$$ ' :a $$› P‹:b›"},
		{"tagged", only(PostgreSQL, ClickHouse), "$t$ $$ $x$ :a $t$ :b", "S‹$t$ $$ $x$ :a $t$› P‹:b›"},
		{"tag is case sensitive", only(PostgreSQL, ClickHouse), "$t$ $T$ :a $t$:b", "S‹$t$ $T$ :a $t$› p‹:› W‹b›"},
		{"plain dollars only", only(Snowflake, Cassandra), "$$ $t$ :a $$ :b", "S‹$$ $t$ :a $$› P‹:b›"},
		{"dollar in a name", only(PostgreSQL, ClickHouse), "a$b$ :c a$b$", "W‹a$b$› P‹:c› W‹a$b$›"},
		{"number before a dollar quote", only(PostgreSQL), "$1$$ :a $$", "X‹$1› S‹$$ :a $$›"},
		{"tag does not begin with a digit", only(PostgreSQL), "$1a$ :b $1a$", "X‹$1› W‹a$› P‹:b› X‹$1› W‹a$›"},
		{"question mark operators", only(PostgreSQL), "a ?| :b ?& c ? :d ?:e", "W‹a› p‹?› p‹|› P‹:b› p‹?› p‹&› W‹c› p‹?› P‹:d› p‹?› P‹:e›"},
		{"ternary", only(ClickHouse), "a ? b : c", "W‹a› p‹?› W‹b› p‹:› W‹c›"},

		{"backtick", only(MySQL, SQLite), "`a``:b` :c", "Q‹`a``:b`› P‹:c›"},
		{"backtick with a backslash", only(MySQL, SQLite), "`a\\` :c", "Q‹`a\\`› P‹:c›"},
		{"backtick with an escape", only(ClickHouse, BigQuery), "`a\\`:b` :c", "Q‹`a\\`:b`› P‹:c›"},
		{"backtick is an operator", only(PostgreSQL), "` :a", "p‹`› P‹:a›"},
		{"brackets", only(MSSQL, SQLite), "[a:b '] :c", "Q‹[a:b ']› P‹:c›"},
		{"doubled bracket", only(MSSQL), "[a]]:b] :c", "Q‹[a]]:b]› P‹:c›"},
		{"bracket is not doubled", only(SQLite), "[a]] :c", "Q‹[a]› p‹]› P‹:c›"},
		{"variables", only(MySQL), "@v := @@x", "p‹@› W‹v› p‹:=› p‹@@› W‹x›"},
		{"system variable", only(MSSQL), "@@version", "W‹@@version›"},
		{"variable", only(MSSQL, SQLite, BigQuery), "=@p1", "p‹=› X‹@p1›"},
		{"native", only(MySQL, SQLite, Cassandra, Snowflake, BigQuery, MSSQL), "a = ?", "W‹a› p‹=› X‹?›"},
		{"numbered", only(SQLite), "?12 $x :1", "X‹?12› X‹$x› X‹:1›"},
		{"positional", only(Snowflake), "= :1", "p‹=› X‹:1›"},
		{"path", only(Snowflake), `src:a.b[0]:c::string, "src":d, $1:e`,
			`W‹src› p‹:› W‹a› p‹.› W‹b› p‹[› N‹0› p‹]› p‹:› W‹c› p‹::› W‹string› p‹,› Q‹"src"› p‹:› W‹d› p‹,› p‹$› N‹1› p‹:› W‹e›`},
		{"triple", only(BigQuery), `'''a':b''' """c":d""" :e`, `S‹'''a':b'''› S‹"""c":d"""› P‹:e›`},
		{"triple with an escape", only(BigQuery), `'''a\''':b''' :c`, `S‹'''a\''':b'''› P‹:c›`},
		{"raw", only(BigQuery), `r'a\':b' :c`, `W‹r› S‹'a\':b'› P‹:c›`},
		{"empty and a string", only(BigQuery), `'' 'a'`, `S‹''› S‹'a'›`},
	})
}

func TestDialectOf(t *testing.T) {
	for _, c := range []struct {
		dbType string
		want   Dialect
	}{
		{"postgresql", PostgreSQL}, {"greenplum", PostgreSQL}, {"supabase", PostgreSQL}, {"mysql", MySQL}, {"mssql", MSSQL},
		{"clickhouse", ClickHouse}, {"sqlite", SQLite}, {"cassandra", Cassandra}, {"snowflake", Snowflake}, {"bigquery", BigQuery},
		{"oracle", ""}, {"", ""}, {"PostgreSQL", ""},
	} {
		if got, ok := DialectOf(c.dbType); got != c.want || ok != (c.want != "") {
			t.Errorf("DialectOf(%q) = %q, %t, want %q", c.dbType, got, ok, c.want)
		}
	}
}

func TestPositions(t *testing.T) {
	sql := "select '😀é', :a,\r\n  :b,\r:c,\n'日' || :a"
	s, ps := Parse(PostgreSQL, sql)
	if HasErrors(ps) {
		t.Fatal(ps)
	}
	want := map[string][]Pos{
		"a": {{17, 1, 15, 14}, {41, 4, 8, 8}},
		"b": {{24, 2, 3, 3}},
		"c": {{28, 3, 1, 1}},
	}
	for _, p := range s.Params {
		if !slices.Equal(p.Positions, want[p.Name]) {
			t.Errorf("%s: got %+v, want %+v", p.Name, p.Positions, want[p.Name])
		}
		for _, pos := range p.Positions {
			if !strings.HasPrefix(sql[pos.Offset:], ":"+p.Name) {
				t.Errorf("%s: %q at %d", p.Name, sql[pos.Offset:], pos.Offset)
			}
		}
	}
	if len(s.Params) != 3 || s.Params[0].Name != "a" || s.Params[2].Name != "c" {
		t.Errorf("params %+v, want a, b, c in order of first use", s.Params)
	}
}
