package mcpgen

import "strings"

// Overlap reports whether one URI could match both templates, so that which resource answers would be a guess. A {parameter}
// stands for one or more characters but a slash (RFC 6570 level 1 encodes a slash in a value).
func Overlap(a, b string) bool {
	x, _, _ := strings.Cut(a, "{")
	y, _, _ := strings.Cut(b, "{")
	if n := min(len(x), len(y)); x[:n] != y[:n] { // so it is with nearly every pair, and there are many pairs
		return false
	}
	o := overlapping{a: pieces(a), b: pieces(b), seen: map[[2]int]bool{}}
	return o.from(0, 0)
}

// The marks of a parameter among the bytes of a template, which has no control characters: one character, then any number.
const (
	one  = 1
	many = 2
)

func pieces(t string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(t, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, t, _ = strings.Cut(rest, "}")
		b.WriteByte(one)
		b.WriteByte(many)
	}
}

// overlapping walks both patterns at once. seen holds the places already found to lead nowhere, so the walk is quadratic.
type overlapping struct {
	a, b string
	seen map[[2]int]bool
}

func (o *overlapping) from(i, j int) bool {
	if i == len(o.a) && j == len(o.b) {
		return true
	}
	at := [2]int{i, j}
	if o.seen[at] {
		return false
	}
	o.seen[at] = true
	if i < len(o.a) && o.a[i] == many {
		return o.from(i+1, j) || j < len(o.b) && o.b[j] != '/' && o.from(i, j+1)
	}
	if j < len(o.b) && o.b[j] == many {
		return o.from(i, j+1) || i < len(o.a) && o.a[i] != '/' && o.from(i+1, j)
	}
	return i < len(o.a) && j < len(o.b) && meet(o.a[i], o.b[j]) && o.from(i+1, j+1)
}

// meet reports whether one character could stand at both places.
func meet(x, y byte) bool {
	return x == y || x == one && y != '/' || y == one && x != '/'
}
