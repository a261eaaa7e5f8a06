package transform

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
)

// TestMatchingIsJQ compares our matching with gojq's own, which is tested against jq.
func TestMatchingIsJQ(t *testing.T) {
	texts := []string{"", "a", "abc", "aaa", "foo bar foo", "日本語 aあb", "x\ny\nz", "ab12cd345", "\U0001F600é\U0001F600", "a,b;c,,d"}
	patterns := []string{"", "a", "a*", "a*?", "b*", "^", "$", "^a", "(?m)^.", "\\\\b", "\\\\bfoo\\\\b", "(?<x>[a-z])(?<y>\\\\d)?", "(a)|(b)", "あ|a", ".", "(.)(.)?", "[,;]", "\\\\s+", "A", "z$", "(?:(a)|b)*", "\\\\z", "\\\\Aa", ".*", "x.y"}
	flags := []string{`null`, `"g"`, `"gi"`, `"i"`, `"gm"`, `"m"`}
	programs := 0
	for _, re := range patterns {
		for _, flag := range flags {
			for _, src := range []string{
				`[.[] | [match("%[1]s"; %[2]s)]]`, `[.[] | test("%[1]s"; %[2]s)]`, `[.[] | [capture("%[1]s"; %[2]s)]]`, `[.[] | [scan("%[1]s"; %[2]s)]]`, `[.[] | split("%[1]s"; %[2]s)]`,
				`[.[] | sub("%[1]s"; "<\(.x)>"; %[2]s)]`, `[.[] | [sub("%[1]s"; "1", "2"; %[2]s)]]`, `[.[] | gsub("%[1]s"; "-")]`, `[.[] | [match(["%[1]s", %[2]s]).string], test("%[1]s"), [splits("%[1]s")]]`,
			} {
				src = fmt.Sprintf(src, re, flag)
				query, err := gojq.Parse(src)
				if err != nil {
					t.Fatalf("%s: %v", src, err)
				}
				rows := make([]any, len(texts))
				for i, s := range texts {
					rows[i] = s
				}
				want, _ := query.Run(rows).Next()
				raw, err := json.Marshal(texts)
				if err != nil {
					t.Fatal(err)
				}
				got, err := run(t, src, Input{Rows: raw})
				if failed, ok := want.(error); ok {
					if err == nil || err.Error() != failed.Error() {
						t.Errorf("%s: got %s, %v, want %v", src, got, err, failed)
					}
					continue
				}
				wantJSON, jsonErr := json.Marshal(want)
				if err != nil || jsonErr != nil || got != string(wantJSON) {
					t.Errorf("%s:\n got %s, %v\nwant %s", src, got, err, wantJSON)
				}
				programs++
			}
		}
	}
	t.Logf("%d programs", programs)
	for _, src := range []string{`1 | match("a")`, `"a" | match(1)`, `"a" | test("a"; 1)`, `"a" | match("("; "g")`, `"a" | match("a"; "x")`, `[] | test("a")`} {
		var e *Error
		if got, err := run(t, src, Input{}); !errors.As(err, &e) {
			t.Errorf("%s: got %s, %v", src, got, err)
		}
	}
	if got, err := run(t, `def match($re): "mine"; "x" | match("x")`, Input{}); err != nil || got != `"mine"` {
		t.Errorf("a definition of the program's own: got %s, %v", got, err)
	}
}

// TestMatchingIsBounded looks for many matches in a long text: in time that grows with its length, and with a look at the limits in
// between, which gojq's own takes only at the end. // case 173
func TestMatchingIsBounded(t *testing.T) {
	text, err := json.Marshal([]string{strings.Repeat("word, ", 30_000), strings.Repeat("a", 2_000_000)})
	if err != nil {
		t.Fatal(err)
	}
	for src, want := range map[string]string{
		`.[0] | [match("\\w+"; "g")] | length`:           `30000`,
		`.[0] | [scan("w(or)d")] | length`:               `30000`,
		`.[0] | last(match(","; "g")) | .offset`:         `179998`,
		`.[1] | [limit(3; match("a"; "g").offset)]`:      `[0,1,2]`,
		`.[1] | [match("a*"; "g") | .length]`:            `[2000000,0]`,
		`.[1] | [match("(a)(a)(a)*"; "g") | .length]`:    `[2000000]`,
		`.[0] | [limit(2; splits(", "))] | map(length)`:  `[4,4]`,
		`.[1] | test("a{5}b")`:                           `false`,
		`.[0] | _match("\\w"; "g"; false) | length`:      `120000`, // gojq's own name for it
		`.[0] | capture("(?<first>\\w+), (?<second>.)")`: `{"first":"word","second":"w"}`,
	} {
		start := time.Now()
		got, err := run(t, src, Input{Rows: text})
		if errors.Is(err, ErrTimeout) && time.Since(start) < 6*MaxTime {
			t.Logf("%s: stopped in time on this machine", src)
		} else if err != nil || got != want {
			t.Errorf("%s: got %.100s, %v after %s, want %s", src, got, err, time.Since(start), want)
		}
	}
	start := time.Now()
	if got, err := run(t, `.[1] | [match("a.*b|a"; "g")] | length`, Input{Rows: text}); err == nil || time.Since(start) > 6*MaxTime { // each match looks at all the rest
		t.Errorf("got %s, %v after %s", got, err, time.Since(start))
	}
}

// TestPatternsAreForgotten: a pattern may be an argument of the call, so no program keeps all it has met.
func TestPatternsAreForgotten(t *testing.T) {
	p, err := Parse(`[$params.re as $re | .[] | test($re), gsub($re; "x")]`)
	if err != nil {
		t.Fatal(err)
	}
	size := func() uint64 { runtime.GC(); return heap() }
	var before uint64
	for n := range 800 {
		if n == 100 {
			before = size()
		}
		re, err := json.Marshal(fmt.Sprintf("(a{1,900}b%d|c)", n))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := p.Run(t.Context(), Input{Rows: json.RawMessage(`["c"]`), Params: map[string]json.RawMessage{"re": re}}); err != nil || string(out) != `[true,"x"]` {
			t.Fatalf("got %s, %v", out, err)
		}
	}
	if after := size(); after > before+8<<20 {
		t.Errorf("700 patterns took %d MiB", (after-before)>>20)
	}
	runtime.KeepAlive(p)
}
