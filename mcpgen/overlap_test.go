package mcpgen

import (
	"strings"
	"testing"
)

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"shop://a", "shop://a", true},
		{"shop://a", "shop://b", false},
		{"shop://products/{id}", "shop://products/{name}", true},
		{"shop://products/{id}", "shop://orders/{id}", false},
		{"shop://products/{id}", "shop://products/top", true},
		{"shop://products/{id}", "shop://products/", false}, // a parameter is at least one character
		{"shop://products/{id}", "shop://products/a/b", false},
		{"shop://{a}/{b}", "shop://{a}", false},
		{"x://{a}-{b}", "x://{c}", true},
		{"x://{a}-1", "x://2-{b}", true},
		{"x://{a}1", "x://{b}2", false},
		{"x://a{p}", "x://{q}b", true},
		{"x://a{p}c", "x://{q}b", false},
	} {
		if got := Overlap(c.a, c.b); got != c.want {
			t.Errorf("Overlap(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
		if got := Overlap(c.b, c.a); got != c.want {
			t.Errorf("Overlap(%q, %q) = %v, want %v", c.b, c.a, got, c.want)
		}
	}
}

// Every template is compared with every other one at each change: thousands of pairs that have nothing in common must cost nothing.
func TestOverlapOfStrangersIsCheap(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if Overlap("shop://things/12/{id}", "shop://things/13/{id}/x") {
			t.Error("they meet")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A hostile template must not make the walk grow beyond the product of the lengths.
func TestOverlapIsBounded(t *testing.T) {
	a := "x://" + strings.Repeat("{a}-", 200) + "1"
	b := "x://" + strings.Repeat("{b}-", 200) + "2"
	if Overlap(a, b) {
		t.Error("they end differently")
	}
}
