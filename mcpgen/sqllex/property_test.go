package sqllex

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The pieces of generated code. Inside a literal or a comment stand texts that
// would be parameters, statements and quotes if the lexer lost its place.
var (
	plainPieces = []string{"coalesce", "a", "b.c", "1", "1.5e-3", "+", "-", "=", "<>", "(", ")", ",", "*", "/ 2", "and", "x::int", "y::text", "count(*)", "null", "case", "end", "\n", "\t", "a1", "é"}
	innerPieces = []string{":p", "x", ";", " ", "drop table t", "::int", "--", "日本", "😀", ":=", "[1:2]", "12:30", "?"}
)

// quoting is one way to quote, with what a quoted text of the dialect may contain.
type quoting struct {
	open, close string
	extra       []string // what else may stand inside
}

func quotings(d Dialect) []quoting {
	r := rulesOf(d)
	// Quotes of the other kinds, to confuse; escapes in the dialect's own way.
	single := []string{`"`, "`", "$$", "/*", "*/", "]", "#"}
	if !r.triple {
		single = append(single, "''")
	}
	double := []string{"'", "`", "$$", "/*", "*/"}
	if !r.triple {
		double = append(double, `""`)
	}
	if r.backslash {
		single = append(single, `\'`, `\\`, `\n`)
	} else {
		single = append(single, `\`)
	}
	if r.doubleEscape {
		double = append(double, `\"`, `\\`)
	} else {
		double = append(double, `\`)
	}
	qs := []quoting{
		{"'", "'", single},
		{`"`, `"`, double},
		{"-- ", "\n", []string{"'", `"`, "`", "/*", "$$", `\`}},
		{"/* ", " */", []string{"'", `"`, "`", "\n", "$$", `\`, "#"}},
	}
	if r.backtick {
		qs = append(qs, quoting{"`", "`", []string{"'", `"`, "/*"}})
	}
	if r.bracket {
		qs = append(qs, quoting{"[", "]", []string{"'", `"`, "/*", "--"}})
	}
	if r.nested {
		qs = append(qs, quoting{"/* /* ", " */ */", []string{"'", `"`, "/* */"}})
	}
	if r.prefixes {
		qs = append(qs, quoting{"E'", "'", []string{`\'`, `\\`, "''", `"`}}, quoting{"U&'", "'", []string{"''", `\0041`}})
	}
	if r.dollar != dollarNone {
		qs = append(qs, quoting{"$$", "$$", []string{"'", `"`, "$", "/*", "--", "$a$"}})
	}
	if r.dollar == dollarTagged {
		qs = append(qs, quoting{"$t$", "$t$", []string{"'", `"`, "$$", "$T$", "/*"}})
	}
	if r.hash == hashAlways || r.hash == hashSpaced {
		qs = append(qs, quoting{"# ", "\n", []string{"'", `"`}})
	}
	if r.slashes {
		qs = append(qs, quoting{"// ", "\n", []string{"'", `"`}})
	}
	if r.triple {
		qs = append(qs, quoting{"'''", "'''", []string{`"`, `\'`, "\n", "x'x", "x''x"}}, quoting{`"""`, `"""`, []string{"'", `\"`, `x"x`}})
	}
	return qs
}

// code draws SQL text of the dialect and returns it with the places of its
// parameters.
func code(t *rapid.T, d Dialect) (sql string, places []int) {
	qs := quotings(d)
	var b strings.Builder
	for i := range rapid.IntRange(1, 30).Draw(t, "pieces") {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			b.WriteString(rapid.SampledFrom(plainPieces).Draw(t, "plain"))
		case 1:
			places = append(places, b.Len())
			fmt.Fprintf(&b, ":p%d", rapid.IntRange(0, i).Draw(t, "name"))
		case 2:
			q := rapid.SampledFrom(qs).Draw(t, "quoting")
			b.WriteString(q.open)
			for range rapid.IntRange(0, 6).Draw(t, "inner") {
				text := rapid.SampledFrom(slices.Concat(innerPieces, q.extra)).Draw(t, "text")
				if q.open == "[" {
					text = strings.ReplaceAll(text, "]", "")
				}
				b.WriteString(text)
				if q.close == "$$" || q.close == "$t$" || strings.HasPrefix(q.open, "/*") || len(q.open) == 3 {
					b.WriteString(" ") // so that two texts do not make the end between them
				}
			}
			if q.open == "$$" || len(q.open) == 3 {
				b.WriteString(" ")
			}
			b.WriteString(q.close)
		}
		b.WriteString(" ")
	}
	return b.String(), places
}

// case 164: positions found = positions put there.
func TestParametersAreFoundExactly(t *testing.T) {
	for _, d := range Dialects() {
		t.Run(string(d), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sql, want := code(t, d)
				s, ps := Parse(d, sql)
				for _, p := range ps {
					if p.Code == UnterminatedString || p.Code == UnterminatedComment || p.Code == SecondStatement {
						t.Fatalf("%q: lost its place: %+v", sql, p)
					}
				}
				var got []int
				for _, p := range s.Params {
					for _, pos := range p.Positions {
						got = append(got, pos.Offset)
						if !strings.HasPrefix(sql[pos.Offset:], ":"+p.Name) {
							t.Fatalf("%q: no %s at %d", sql, p.Name, pos.Offset)
						}
					}
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("%q: parameters at %v, want %v", sql, got, want)
				}
			})
		})
	}
}

// Bind is reversible: putting the names back gives the same text, so no other byte
// was touched; and the bound text has as many placeholders as Bind says, all where
// the lexer sees them.
func TestBindIsReversible(t *testing.T) {
	for _, d := range Dialects() {
		t.Run(string(d), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sql, want := code(t, d)
				s, _ := Parse(d, sql)
				bound, order := s.Bind(Style{Mark: func(n int) string { return fmt.Sprintf("\x01%d\x02", n) }, Repeat: true})
				for i, name := range order {
					bound = strings.Replace(bound, fmt.Sprintf("\x01%d\x02", i+1), ":"+name, 1)
				}
				if bound != sql || len(order) != len(want) {
					t.Fatalf("%q came back as %q with %v", sql, bound, order)
				}
				if d == ClickHouse {
					return // its placeholders are not single tokens
				}
				bound, order = s.Bind(d.Style())
				natives, used := 0, map[string]bool{}
				for _, tok := range Tokens(d, bound) {
					if tok.Kind == Native {
						natives++
						used[bound[tok.Start:tok.End]] = true
					}
				}
				if natives != len(want) || !d.Style().Repeat && len(used) != len(order) {
					t.Fatalf("%q bound to %q: %d placeholders, %d values", sql, bound, natives, len(order))
				}
			})
		})
	}
}

// checkParse holds for every input whatever.
func checkParse(t *testing.T, d Dialect, sql string) {
	t.Helper()
	at := 0
	for _, tok := range Tokens(d, sql) {
		if tok.Start != at || tok.End <= at || tok.Kind < Space || tok.Kind > Punctuation {
			t.Fatalf("%s: %q: token %+v does not follow %d", d, sql, tok, at)
		}
		at = tok.End
	}
	if at != len(sql) {
		t.Fatalf("%s: %q: tokens end at %d of %d", d, sql, at, len(sql))
	}
	s, ps := Parse(d, sql)
	checkProblems(t, sql, ps)
	uses := 0
	for _, p := range s.Params {
		for _, pos := range p.Positions {
			uses++
			if pos.Offset < 0 || !strings.HasPrefix(sql[min(pos.Offset, len(sql)):], ":"+p.Name) {
				t.Fatalf("%s: %q: %s is not at %d", d, sql, p.Name, pos.Offset)
			}
		}
	}
	if p, bad := s.NotRead(); bad {
		checkProblems(t, sql, []Problem{p})
	}
	if _, order := s.Bind(Question()); len(order) != uses {
		t.Fatalf("%s: %q: %d uses, %d values", d, sql, uses, len(order))
	}
	if s.Class == "" || len(s.Params) > uses {
		t.Fatalf("%s: %q: %+v", d, sql, s)
	}
}

func FuzzParse(f *testing.F) {
	for _, sql := range []string{"", ";", ":", ":a", "select :a::int, ':a', \"x\" from t where b in (:b) -- c", "select E'\\'' '\n'", "$$ $a$ $$",
		"U&\"\\0061\" uescape '!'", "/* /* */ */ /*! x */", "`a`` \\` [a]] b]", "'''a''' \"\"\"b\"\"\" r'\\'", "@a @@b ? ?1 $1 :1 {x:y} #c",
		"with x as (select 1) ((delete from t))", "a between :a::date and :b", "\xff\x00\u00a0", "1e+5 0x1e-1 1.5.6", "explain (analyze) x", "-- a\rb",
		"merge into t when matched then update set a=1", "select 1 ->> select 2 |> x", ":caller.id.x", "E'a'\n--\n'", "((((", "))))", "cast(:a as int)", "\\G",
		"order by a, :b desc limit :c"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, d := range Dialects() {
			checkParse(t, d, sql)
		}
	})
}

// The same on texts made of the bytes that matter.
func TestAnyText(t *testing.T) {
	atoms := []string{"'", `"`, "`", "[", "]", "(", ")", "{", "}", "$", "$$", "$a$", ":", "::", ":a", "caller", ".", ";", "-", "--", "/", "/*", "*/", "#", "\\", "\n", "\r", " ",
		"E'", "U&", "1", "e", "select", "with", "as", "delete", "from", "in", "between", "and", "explain", "?", "@", "|", ">", "=", "\x00", "\xc3", "é", "😀", "order", "by", ",", "cast", "interval"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 25).Draw(t, "n") {
			b.WriteString(rapid.SampledFrom(atoms).Draw(t, "atom"))
		}
		sql := b.String()
		for _, d := range Dialects() {
			s, _ := Parse(d, sql)
			if _, order := s.Bind(d.Style()); len(order) < len(s.Params) {
				t.Fatalf("%s: %q", d, sql)
			}
			if toks := Tokens(d, sql); len(sql) > 0 && toks[len(toks)-1].End != len(sql) {
				t.Fatalf("%s: %q: tokens end early", d, sql)
			}
		}
	})
}
