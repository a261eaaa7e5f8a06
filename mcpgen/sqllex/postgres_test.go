package sqllex

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The server is the reference: it prepares every statement that we bound, and must
// agree on the number of parameters, on where strings and comments end, and on
// whether there is one statement. Preparing runs nothing. // cases 147, 152, 164
func TestAgreesWithPostgreSQL(t *testing.T) {
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	seen := map[string]int{}
	for n := range 6000 {
		sql := pgStatement(rnd)
		if n%2 == 1 {
			sql = pgMash(rnd)
		}
		seen[agree(ctx, t, conn, sql)]++
		if t.Failed() {
			t.Fatalf("seed %d, statement %d", seed, n)
		}
	}
	t.Logf("verdicts: %v", seen)
	for verdict, least := range map[string]int{"accepted": 2500, "second_statement": 100, "unterminated": 100} {
		if seen[verdict] < least {
			t.Errorf("only %d statements were %s, want at least %d: the test has lost its strength", seen[verdict], verdict, least)
		}
	}
}

// agree compares the verdicts on one statement and returns the server's.
func agree(ctx context.Context, t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	s, ps := Parse(PostgreSQL, sql)
	has := func(codes ...Code) bool {
		for _, p := range ps {
			for _, c := range codes {
				if p.Code == c {
					return true
				}
			}
		}
		return false
	}
	bound, order := s.Bind(Dollar())
	desc, err := conn.Prepare(ctx, "", bound, nil)
	unterminated := has(UnterminatedString, UnterminatedComment)
	if err == nil {
		switch {
		case len(desc.ParamOIDs) != len(order):
			t.Errorf("%q: the server counts %d parameters, we %d", bound, len(desc.ParamOIDs), len(order))
		case has(SecondStatement) && !strings.Contains(bound, ";"):
			t.Errorf("%q: the server sees one statement", bound)
		case unterminated:
			t.Errorf("%q: the server sees the end: %v", bound, ps)
		}
		return "accepted"
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		t.Fatalf("%q: %v", bound, err)
	}
	switch {
	case strings.Contains(pe.Message, "multiple commands"):
		if !has(SecondStatement) {
			t.Errorf("%q: the server sees several statements, we one: %v", bound, ps)
		}
		return "second_statement"
	case strings.Contains(pe.Message, "unterminated"):
		// With a ";" before, we have reported the second statement already.
		if !unterminated {
			t.Errorf("%q: %s, and we see the end", bound, pe.Message)
		}
		return "unterminated"
	case strings.Contains(pe.Message, `near ":p`), strings.Contains(pe.Message, `near ":"`) && !strings.Contains(sql, "::"):
		t.Errorf("%q: a parameter was overlooked: %s", bound, pe.Message)
	}
	return "refused: " + pe.Code
}

// pgStatement makes a statement that is right, from expressions that are hard to
// read: every quoting with every other quoting's marks inside.
func pgStatement(rnd *rand.Rand) string {
	inner := func(parts ...string) string {
		all := append([]string{":p", ":p1", ";", "--", "/*", "*/", " ", "x", "::int", "é", "$1", "\n"}, parts...)
		var b strings.Builder
		for range rnd.IntN(6) {
			b.WriteString(all[rnd.IntN(len(all))])
		}
		return b.String()
	}
	param := func() string { return fmt.Sprintf(":p%d", rnd.IntN(4)) }
	exprs := []func() string{
		func() string { return param() + "::text" },
		func() string { return "cast(" + param() + " as text)" },
		func() string { return "coalesce(" + param() + "::text,'" + inner("''", `"`, "$$") + "')" },
		func() string { return "'" + inner("''", `"`, "$$", `\`) + "'" },
		func() string { return "E'" + inner("''", `\'`, `\\`, `"`, "$$") + "'" },
		func() string { return "E'" + inner(`\'`) + "'\n  '" + inner(`\'`, "''") + "'" },
		func() string { return "E'" + inner(`\'`) + "' -- " + "x'\n '" + inner(`\'`, "''") + "'" },
		func() string { return "U&'" + inner("''", `"`, "$$") + "'" },
		func() string { return "$$" + inner("'", `"`, "$a$ ", `\`) + "$$" },
		func() string { return "$a$" + inner("'", `"`, "$$", "$A$", `\`) + "$a$" },
		func() string { return "(array['a','b'])[1:2]::text" },
		func() string { return "(array['a','b'])[ " + param() + "::int]" },
		func() string { return `'{"a":1}'::jsonb ->> ` + param() + "::text" },
		func() string { return `'{"a":1}'::jsonb ?| array[` + param() + "::text]" },
		func() string { return "'a' /* ' " + "/* nested \" */ " + ":p */ || " + param() + "::text" },
		func() string { return "1 -- :p '\n + " + param() + "::int" },
		func() string { return `"c` + "$x" + `"` },
		func() string { return `t."c""` + ":p" + `"` },
		func() string { return "c$1$" },
		func() string { return "time '12:30'" },
		func() string { return "b'01'" },
		func() string { return "-1.5e-3" },
	}
	var list []string
	for range 1 + rnd.IntN(5) {
		list = append(list, exprs[rnd.IntN(len(exprs))]())
	}
	sql := "select " + strings.Join(list, ", ") + ` from (select 1 as "c$x", 2 as "c"":p", 3 as c$1$) t`
	switch rnd.IntN(6) {
	case 0:
		sql += ";"
	case 1:
		sql += "; -- :p ;\n/* ; */ "
	case 2:
		sql += [...]string{"; select 2", ";select $$;$$", "; drop table t", " /* x */;\n--;\ncommit"}[rnd.IntN(4)]
	}
	return sql
}

// pgMash makes texts that may or may not be right: marks of all quotings in any
// order. Most end somewhere inside a quote.
func pgMash(rnd *rand.Rand) string {
	atoms := []string{"'", "''", `"`, "$$", "$a$", "--", "\n", "\r", "/*", "*/", "E'", "e'", "U&'", `\`, `\'`, "'", "x", " ", ":p::int", ",1", "::text", "1", "a$", "+", "é"}
	opens := []string{"select '", "select E'", "select $$", "select $a$", "select 1 /*", "select 1 --", "select "}
	var b strings.Builder
	b.WriteString(opens[rnd.IntN(len(opens))])
	for range rnd.IntN(9) {
		b.WriteString(atoms[rnd.IntN(len(atoms))])
	}
	b.WriteString([...]string{"'", "'", "$$", "$a$", " */", "\n", "", "'; select 2", "$$; select 2"}[rnd.IntN(9)])
	return b.String()
}
