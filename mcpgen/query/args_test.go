package query

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/store"
)

// FuzzArguments holds that what parse accepts is JSON to encoding/json too, and that both read the same values.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"s":"a","i":5.0,"n":1e2,"b":true,"l":["x"]}`, `{"s":"\u00e9\ud83d\ude00\n"}`, `{"i":-0}`, `{"l":[]}`, ` { "s" : null } `, `{"s":"a","s":"b"}`, `{"i":1e999}`, `{"n":00}`, `{"x":{"y":[{}]}}`} {
		f.Add([]byte(seed))
	}
	var p Prepared
	for name, typ := range map[string]store.ParamType{"s": store.TypeString, "i": store.TypeInteger, "n": store.TypeNumber, "b": store.TypeBoolean, "l": store.TypeArray} {
		r, err := newRule(store.Parameter{Name: name, ParamType: typ})
		if err != nil {
			f.Fatal(err)
		}
		p.rules = append(p.rules, r)
	}
	f.Fuzz(func(t *testing.T, args []byte) {
		var v values
		if p.parse(args, &v) != nil {
			return
		}
		if len(bytes.TrimSpace(args)) == 0 || string(bytes.TrimSpace(args)) == "null" {
			return
		}
		var want map[string]any
		d := json.NewDecoder(bytes.NewReader(args))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || !utf8.Valid(args) {
			t.Fatalf("accepted %q: %v", args, err)
		}
		for i, r := range p.rules {
			a := v.args[i]
			switch x := want[r.name].(type) {
			case nil:
				if !a.Null {
					t.Errorf("%q: %s is %q, want NULL", args, r.name, a.Text)
				}
			case string:
				if string(a.Text) != x {
					t.Errorf("%q: %s is %q, want %q", args, r.name, a.Text, x)
				}
			case json.Number:
				got, ok := new(big.Rat).SetString(string(a.Text))
				if exact, _ := new(big.Rat).SetString(x.String()); !ok || exact == nil || got.Cmp(exact) != 0 {
					t.Errorf("%q: %s is %q, want %s", args, r.name, a.Text, x)
				}
			case bool:
				if (string(a.Text) == "true") != x {
					t.Errorf("%q: %s is %q", args, r.name, a.Text)
				}
			case []any:
				if len(a.Items) != len(x) {
					t.Errorf("%q: %s has %d items, want %d", args, r.name, len(a.Items), len(x))
				}
			}
		}
	})
}

// TestWritten leads every character of a bound statement back to where it stands in the one the author wrote.
func TestWritten(t *testing.T) {
	const sql = "SELECT 'é:no', :a + :long_name, :a, x::int FROM ü WHERE b = :caller.id -- :end"
	for _, style := range []sqllex.Style{sqllex.Dollar(), sqllex.Numbered(), sqllex.Question(), sqllex.At()} {
		st, problems := sqllex.Parse(sqllex.PostgreSQL, sql)
		if sqllex.HasErrors(problems) {
			t.Fatal(problems)
		}
		bound, _ := st.Bind(style)
		p := Prepared{marks: marksOf(st, style)}
		for _, word := range []string{"SELECT", "'é", "+", "x::int", "ü", "WHERE", "-- :end"} {
			at := func(s string) int { return utf8.RuneCountInString(s[:strings.Index(s, word)]) }
			if got, want := p.written(at(bound)), at(sql); got != want {
				t.Errorf("%s in %s: got %d, want %d", word, bound, got, want)
			}
		}
		mark := style.Mark(1)
		if got, want := p.written(utf8.RuneCountInString(bound[:strings.Index(bound, mark)])), strings.Index(sql, ":a")-1; got != want {
			t.Errorf("the first placeholder of %s: got %d, want %d", bound, got, want)
		}
	}
	if got := new(Prepared).written(-1); got != -1 {
		t.Errorf("an unknown place became %d", got)
	}
}
