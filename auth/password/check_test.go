package password

import "testing"

func TestSame(t *testing.T) {
	const composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"violet tractor", "violet tractor", true},
		{composed, decomposed, true},
		{"violet tractor", "Violet tractor", false},
		{"violet tractor", "violet tractor ", false},
	} {
		if got := Same(tc.a, tc.b); got != tc.want {
			t.Errorf("%q and %q: got %v", tc.a, tc.b, got)
		}
	}
}
