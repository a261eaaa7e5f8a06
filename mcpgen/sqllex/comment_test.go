package sqllex

import (
	"slices"
	"testing"
)

// TestLineEndsInComments: wherever a line comment holds a line end that its dialect does not take for one, at least one character before
// the comment's end, the statement is refused.
func TestLineEndsInComments(t *testing.T) {
	for _, d := range Dialects() {
		for _, sql := range []string{"SELECT 1 -- a\u2028b", "SELECT 1 -- \u2029b\n", "SELECT 1 -- a\u0085bc"} {
			if _, ps := Parse(d, sql); !slices.ContainsFunc(ps, func(p Problem) bool { return p.Code == AmbiguousComment }) {
				t.Errorf("%s: %q: %q", d, sql, codes(ps))
			}
		}
		_, ps := Parse(d, "SELECT 1 -- a\rb")
		tokens := Tokens(d, "SELECT 1 -- a\rb")
		ends := tokens[len(tokens)-1].Start > len("SELECT 1 -- a") // b is a token of its own: CR ended the comment
		if refused := slices.ContainsFunc(ps, func(p Problem) bool { return p.Code == AmbiguousComment }); refused == ends {
			t.Errorf("%s: CR ends the comment: %t, it is refused: %t", d, ends, refused)
		}
	}
}
