package transform

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func run(t *testing.T, src string, in Input) (string, error) {
	t.Helper()
	p, err := Parse(src)
	if err != nil {
		t.Fatalf("Parse(%q): %v", src, err)
	}
	out, err := p.Run(t.Context(), in)
	return string(out), err
}

func TestRun(t *testing.T) {
	rows := json.RawMessage(`[{"id":1,"city":"Oslo","n":2},{"id":2,"city":"Bergen","n":3},{"id":3,"city":"Oslo","n":5}]`)
	for _, c := range []struct{ name, src, want string }{
		{"identity", `.`, `[{"city":"Oslo","id":1,"n":2},{"city":"Bergen","id":2,"n":3},{"city":"Oslo","id":3,"n":5}]`},
		{"total", `map(.n) | add`, `10`},
		{"group", `group_by(.city) | map({city: .[0].city, n: map(.n) | add})`, `[{"city":"Bergen","n":3},{"city":"Oslo","n":7}]`},
		{"top", `sort_by(-.n) | .[:1] | map(.id)`, `[3]`},
		{"several results are an array", `.[] | .id`, `[1,2,3]`},
		{"one result is itself", `.[0].city`, `"Oslo"`},
		{"none is null", `empty`, `null`},
		{"one null", `null`, `null`},
		{"params", `map(select(.city == $params.city) | .id)`, `[1,3]`},
		{"vars", `{currency: $vars.currency}`, `{"currency":"NOK"}`},
		{"nan and infinity", `[nan, infinite, -infinite]`, `[null,null,null]`},
		{"own definition", `def twice: . * 2; map(.n | twice)`, `[4,6,10]`},
		{"escaping", `"</script>"`, `"\u003c/script\u003e"`},
		{"scientific", `[1e-7, 1e300, 0.1]`, `[1e-07,1e+300,0.1]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := run(t, c.src, Input{
				Rows:   rows,
				Params: map[string]json.RawMessage{"city": json.RawMessage(`"Oslo"`)},
				Vars:   map[string]json.RawMessage{"currency": json.RawMessage(`"NOK"`)},
			})
			if err != nil || got != c.want {
				t.Errorf("%s = %s, %v, want %s", c.src, got, err, c.want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("%s is not JSON", got)
			}
		})
	}
}

// The numbers that a float64 would lose. // case 168
func TestNumbersAreExact(t *testing.T) {
	for _, c := range []struct{ name, rows, src, want string }{
		{"integer above 2^53", `[9007199254740993]`, `.[0]`, `9007199254740993`},
		{"added", `[9007199254740993]`, `.[0] + 2`, `9007199254740995`},
		{"beyond int64", `[9223372036854775807]`, `.[0] + 1`, `9223372036854775808`},
		{"multiplied", `[12345678901234567890]`, `.[0] * .[0]`, `152415787532388367501905199875019052100`},
		{"divided evenly", `[12345678901234567890]`, `.[0] / 10`, `1234567890123456789`},
		{"decimal passed on", `[0.1234567890123456789012345]`, `.[0]`, `0.1234567890123456789012345`},
		{"trailing zeros", `[1.10]`, `map({price: .})`, `[{"price":1.10}]`},
		{"decimal sorted and grouped", `[2.50, 1.10]`, `sort`, `[1.10,2.50]`},
		{"from text", `["9007199254740993"]`, `.[0] | tonumber`, `9007199254740993`},
		{"nested JSON text", `["[9007199254740993]"]`, `.[0] | fromjson`, `[9007199254740993]`},
		{"negative", `[-9007199254740993]`, `.[0] - 1`, `-9007199254740994`},
		// The documented limit: arithmetic on decimals is float64.
		{"decimal added", `[0.1]`, `.[0] + 0.2`, `0.30000000000000004`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := run(t, c.src, Input{Rows: json.RawMessage(c.rows)})
			if err != nil || got != c.want {
				t.Errorf("%s on %s = %s, %v, want %s", c.src, c.rows, got, err, c.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		name, src       string
		offset, line, c int
		message         string
	}{
		{"empty", " \n", 0, 1, 1, "empty"},
		{"unexpected token", "map(.a\n| )", 9, 2, 3, `unexpected token ")"`},
		{"end", "map(", 4, 1, 5, "unexpected EOF"},
		{"after text beyond the BMP", `"😀" | )`, 9, 1, 8, `unexpected token ")"`},
		{"unknown function", ". |\n  frobnicate", 6, 2, 3, "function not defined: frobnicate/0"},
		{"unknown variable", "$row.id", 0, 1, 1, "variable not defined: $row"},
		{"input", "[., input]", 4, 1, 5, "input cannot be used"},
		{"inputs", "inputs", 0, 1, 1, "inputs cannot be used"},
		{"env", "env.PATH", 0, 1, 1, "env cannot be used"},
		{"$ENV", "$ENV.PATH", 0, 1, 1, "$ENV cannot be used"},
		{"$ENV as key", "{$ENV}", 1, 1, 2, "$ENV cannot be used"},
		{"debug", ". | debug", 4, 1, 5, "debug cannot be used"},
		{"debug with message", `debug("x")`, 0, 1, 1, "debug cannot be used"},
		{"stderr", "stderr", 0, 1, 1, "stderr cannot be used"},
		{"line number", "input_line_number", 0, 1, 1, "input_line_number cannot be used"},
		{"file name", "input_filename", 0, 1, 1, "input_filename cannot be used"},
		{"halt", "1 | halt", 4, 1, 5, "halt cannot be used"},
		{"halt_error", "halt_error", 0, 1, 1, "halt_error cannot be used"},
		{"modulemeta", `"a" | modulemeta`, 6, 1, 7, "modulemeta cannot be used"},
		{"search list", `get_search_list`, 0, 1, 1, "get_search_list cannot be used"},
		{"import", `import "a" as a; .`, 0, 1, 1, "no modules"},
		{"include", "\n" + `include "a"; .`, 1, 2, 1, "no modules"},
		{"module", `module {}; .`, 0, 1, 1, "no modules"},
		{"in a definition", "def f: input; f", 7, 1, 8, "input cannot be used"},
		{"in a string", `"\(input)"`, 3, 1, 4, "input cannot be used"},
		{"the name in a string first", `"input" | input`, 10, 1, 11, "input cannot be used"},
		{"the name in a comment first", "# input\ninput", 8, 2, 1, "input cannot be used"},
		{"the name as a key first", `{input: 1} | .input | input`, 22, 1, 23, "input cannot be used"},
		{"in an update", `.a |= input`, 6, 1, 7, "input cannot be used"},
		{"in a reduce", `reduce inputs as $x (0; .)`, 7, 1, 8, "inputs cannot be used"},
		{"as an argument", `map(select(env))`, 11, 1, 12, "env cannot be used"},
		{"in a pattern's key", `. as {(env.x): $y} | $y`, 7, 1, 8, "env cannot be used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.src)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("Parse(%q) = %v, want an *Error", c.src, err)
			}
			if c.name == "the name as a key first" {
				// find cannot tell a key from a call without a parser: the first is good enough.
				c.offset, c.c = 1, 2
			}
			if e.Offset != c.offset || e.Line != c.line || e.Column != c.c || !strings.Contains(e.Message, c.message) {
				t.Errorf("Parse(%q) = %+v, want offset %d line %d column %d %q", c.src, *e, c.offset, c.line, c.c, c.message)
			}
		})
	}
}

func TestAllowedWordsThatLookRefused(t *testing.T) {
	for _, src := range []string{`"env"`, `.env`, `{env: 1}`, `{env}`, `.["input"]`, `.debug?`, `"$ENV"`, `# input` + "\n.", `$vars | .halt`, `.[0].inputs`} {
		if _, err := Parse(src); err != nil {
			t.Errorf("Parse(%q): %v", src, err)
		}
	}
}

func TestParseIsBounded(t *testing.T) {
	for name, src := range map[string]string{
		"brackets": strings.Repeat("[", MaxSource/2) + strings.Repeat("]", MaxSource/2),
		"too long": strings.Repeat(" ", MaxSource) + ".",
	} {
		var e *Error
		if _, err := Parse(src); !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", name, err)
		}
	}
	// Deep without brackets: must neither crash nor be slow.
	for name, src := range map[string]string{
		"signs":  strings.Repeat("-", MaxSource-1) + "1",
		"pipes":  strings.Repeat(".|", MaxSource/2-1) + ".",
		"try":    strings.Repeat("try ", MaxSource/4-1) + ".",
		"if":     strings.Repeat("if 1 then ", MaxSource/10-1),
		"def":    strings.Repeat("def f: ", MaxSource/7-1),
		"reduce": strings.Repeat("reduce ", MaxSource/7-1),
		"commas": strings.Repeat("1,", MaxSource/2-1) + "1",
		"string": strings.Repeat(`"\(`, 900),
	} {
		best := time.Hour
		for n := 0; n < 10 && best > 3*time.Second; n++ { // again on a busy machine
			start := time.Now()
			_, _ = Parse(src)
			best = min(best, time.Since(start))
		}
		if best > 3*time.Second {
			t.Errorf("%s: took %s", name, best)
		}
	}
}

// case 173
func TestLimits(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes 5 seconds")
		}
		start := time.Now()
		_, err := run(t, `def f: f; f`, Input{})
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want %v", err, ErrTimeout)
		}
		if took := time.Since(start); took < MaxTime || took > 6*MaxTime {
			t.Errorf("took %s, want little more than %s", took, MaxTime)
		}
	})
	for _, c := range []struct {
		name, src string
		want      error
	}{
		{"long string", `"0123456789" * 2000000`, ErrTooLarge},
		{"many results", `range(100000000) | tostring * 20`, ErrTooLarge}, // so long that they are too many before the time is up, on any machine
		{"same value many times", `("x" * 1000000) as $s | [range(20) | $s]`, ErrTooLarge},
		{"long key", `{("x" * 11000000): 1}`, ErrTooLarge},
		{"big integer", `reduce range(20) as $i (10; . * .) | . as $n | [range(11) | $n]`, ErrTooLarge},
		{"deep", `reduce range(2000) as $i (0; [.])`, ErrTooDeep},
		{"deep object", `reduce range(2000) as $i (0; {a: .})`, ErrTooDeep},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := run(t, c.src, Input{}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.src, err, c.want)
			}
		})
	}
	t.Run("just fits", func(t *testing.T) {
		got, err := run(t, `"x" * 10485758`, Input{})
		if err != nil || len(got) != MaxOutput {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, MaxOutput)
		}
	})
	t.Run("one byte more", func(t *testing.T) {
		if got, err := run(t, `"x" * 10485759`, Input{}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("got %d bytes, %v, want %v", len(got), err, ErrTooLarge)
		}
	})
	t.Run("several just fit", func(t *testing.T) {
		// ["…",1] is 6 bytes more than the text.
		got, err := run(t, `("x" * 10485754), 1`, Input{})
		if err != nil || len(got) != MaxOutput {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, MaxOutput)
		}
		if got, err := run(t, `("x" * 10485755), 1`, Input{}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("got %d bytes, %v, want %v", len(got), err, ErrTooLarge)
		}
	})
	t.Run("long number in the rows", func(t *testing.T) {
		rows := json.RawMessage(`[{"a":"\"1","n":` + strings.Repeat("9", 5_000_000) + `}]`)
		if _, err := run(t, `.[0].n + 1`, Input{Rows: rows}); !errors.Is(err, ErrBigNumber) {
			t.Errorf("got %v, want %v", err, ErrBigNumber)
		}
		rows = json.RawMessage(`["` + strings.Repeat("9", 5000) + `"]`)
		if got, err := run(t, `.[0] | length`, Input{Rows: rows}); err != nil || got != "5000" {
			t.Errorf("digits in a string: %s, %v", got, err)
		}
	})
}

func TestRunErrors(t *testing.T) {
	_, err := run(t, `.[0].a + .[0].b`, Input{Rows: json.RawMessage(`[{"a":1,"b":"x"}]`)})
	var e *Error
	if !errors.As(err, &e) || e.Offset != -1 || !strings.Contains(e.Message, "cannot add") {
		t.Errorf("got %v, want the program's error without a place", err)
	}
	_, err = run(t, `error("stock is empty")`, Input{})
	if !errors.As(err, &e) || !strings.Contains(e.Message, "stock is empty") {
		t.Errorf("got %v, want the raised error", err)
	}
	for _, rows := range []string{`[1`, `[1] [2]`, `nonsense`} {
		if out, err := run(t, `.`, Input{Rows: json.RawMessage(rows)}); err == nil {
			t.Errorf("rows %q: got %s, want an error", rows, out)
		}
	}
	_, err = run(t, `.`, Input{Params: map[string]json.RawMessage{"p": json.RawMessage(`{`)}})
	if err == nil || !strings.Contains(err.Error(), "read params: p") {
		t.Errorf("got %v, want the name of the parameter", err)
	}
}

func TestContext(t *testing.T) {
	p, err := Parse(`def f: f; f`)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Run(ctx, Input{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's deadline", err)
	}
	gone := errors.New("client went away")
	ctx2, cancel2 := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel2(gone) })
	if _, err := p.Run(ctx2, Input{}); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
	// A program cannot catch the end of its time.
	p, err = Parse(`try (def f: f; f) catch "caught"`)
	if err != nil {
		t.Fatal(err)
	}
	ctx3, cancel3 := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel3()
	if out, err := p.Run(ctx3, Input{}); err == nil {
		t.Errorf("got %s, want the deadline", out)
	}
}

func TestProgramIsShared(t *testing.T) {
	p, err := Parse(`map(select(test($params.re)) | .[0:1]) | add`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			re, want := `"^a"`, `"aa"`
			if i%2 == 1 {
				re, want = `"^b"`, `"b"`
			}
			for range 50 {
				out, err := p.Run(t.Context(), Input{
					Rows:   json.RawMessage(`["ab","ac","bc"]`),
					Params: map[string]json.RawMessage{"re": json.RawMessage(re)},
				})
				if err != nil || string(out) != want {
					t.Errorf("got %s, %v, want %s", out, err, want)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{".", `map({a: .b}) | add`, `"\(1 + "\(2)")"`, `reduce .[] as [$a, {b: $c}] (0; . + $a)`,
		`. as {a: $x} ?// [$x] | $x`, `label $f | break $f`, `@base64 "x\(.)"`, `.a[1:]?.b // "x"`, `def f(g; $h): g; f(.; 1)`,
		`import "a" as a; .`, `{$ENV, "a\(1)": 2, (.x): 3, @json "x": 1}`, "# c\n.", `try error catch .`, `..`, `"\u00e9\ud83d"`} {
		f.Add(src, `[{"a":1.50},"x",null,[true]]`)
	}
	f.Fuzz(func(t *testing.T, src, rows string) {
		p, err := Parse(src)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(src) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("Parse(%q): %#v", src, err)
			}
			return
		}
		if len(src) > 60 || strings.ContainsAny(src, "*") || strings.Contains(src, "range") || strings.Contains(src, "def") {
			return // could be large on purpose; the limits have tests of their own
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		out, err := p.Run(ctx, Input{Rows: json.RawMessage(rows)})
		if err == nil && !json.Valid(out) {
			t.Fatalf("%q on %q = %q, which is not JSON", src, rows, out)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	p, err := Parse(`group_by(.city) | map({city: .[0].city, n: map(.n) | add})`)
	if err != nil {
		b.Fatal(err)
	}
	rows := json.RawMessage("[" + strings.TrimSuffix(strings.Repeat(`{"id":1,"city":"Oslo","n":2},`, 1000), ",") + "]")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Run(b.Context(), Input{Rows: rows}); err != nil {
			b.Fatal(err)
		}
	}
}
