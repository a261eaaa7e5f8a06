package query

import (
	"encoding/json"
	"strings"
	"testing"

	"mcpstudio/store"
)

// TestEdges tries arguments at each bound and one step beyond it.
func TestEdges(t *testing.T) {
	list := func(n int) string { return "[" + strings.Repeat("1,", n-1) + "1]" }
	digits := func(n int) string { return strings.Repeat("9", n) }
	low, high := json.Number("1"), json.Number("2.5")
	whole, number, array := store.Parameter{ParamType: store.TypeInteger}, store.Parameter{ParamType: store.TypeNumber}, store.Parameter{ParamType: store.TypeArray, ItemType: store.TypeInteger}
	text, texts := store.Parameter{ParamType: store.TypeString}, store.Parameter{ParamType: store.TypeArray}
	between := store.Parameter{ParamType: store.TypeNumber, Minimum: &low, Maximum: &high}
	for _, c := range []struct {
		what     string
		of       store.Parameter
		in, over []string
	}{
		{"64 bits", whole, []string{"9223372036854775807", "-9223372036854775808", digits(18), "-" + digits(18), "9.223372036854775807e18"}, []string{"9223372036854775808", "-9223372036854775809", digits(19), "1e19", "1.5"}},
		{"minimum and maximum", between, []string{"1", "1.0", "10e-1", "2.5", "25E-1", "2.4999999999999999999999"}, []string{"0.9999999999999999999999", "2.5000000000000000000001", "-1", "0"}},
		{"exponents", number, []string{"1e1000", "1E+1000", "1e-1000"}, []string{"1e1001", "1E+1001", "1e-1001", "1e99999999999999999999"}},
		{"digits", number, []string{digits(1000)}, []string{digits(1001)}},
		{"NUL", text, []string{`""`, `"a"`, `"\\u0000"`}, []string{`"\u0000"`, `"\u0000a"`, `"a\u0000"`}},
		{"NUL in a list", texts, []string{`[""]`, `["a","b"]`}, []string{`["\u0000a"]`, `["a","b\u0000"]`}},
		{"items", array, []string{list(1), list(10_000)}, []string{list(10_001)}},
	} {
		r, err := newRule(c.of)
		if err != nil {
			t.Fatal(err)
		}
		for want, values := range map[bool][]string{true: c.in, false: c.over} {
			for _, v := range values {
				a, ok := r.convert(json.RawMessage(v))
				if got := ok && r.allows(a); got != want {
					t.Errorf("%s: %.40s is accepted: %t, want %t", c.what, v, got, want)
				}
			}
		}
	}
}
