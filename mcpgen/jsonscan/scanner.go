// Package jsonscan walks over one JSON text (RFC 8259) strictly and without decoding it: the message of a client in the
// parent, the arguments of a call in the child. Both sides of the wall read by these rules, so they see the same text. Its
// counterpart is [AppendString], by which every string is written.
//
// It promises that what it accepts has one meaning for every reader. Refused, beside what is not JSON, are escapes of
// unpaired surrogates (RFC 7493, section 2.1), an object with the same key twice after decoding, at every level, more
// than [MaxMembers] members in one object and more than [MaxDepth] levels. Time and memory grow with the size of the
// text and not faster.
//
// Its hole: the bytes inside strings are looked at by [Scanner.UTF8] only, which whoever reads foreign bytes calls first.
package jsonscan

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Limits of one text.
const (
	MaxDepth   = 64   // nested objects and arrays
	MaxMembers = 4096 // members of one object
)

// fewKeys is up to how many keys an object's are compared one by one; the keys of a larger object are sorted, so that
// looking for two that are the same never takes time in the square of their number.
const fewKeys = 16

// Scanner stands at one byte of a text. Its methods return false after a failure, which Reason then explains; there is
// no going on after one. The zero value reads nothing; see [New].
type Scanner struct {
	b      []byte
	i      int
	depth  int
	reason string
	twice  []byte

	keys [][]byte // decoded keys of the objects that are open, outermost first
}

// New begins at the start of b, which must not change while it is read. keys is memory from an earlier scanner's Memory,
// or nil.
func New(b []byte, keys [][]byte) Scanner { return Scanner{b: b, keys: keys[:0]} }

// Memory returns what a later scanner may use again, without what it refers to; nil if it is too much to keep.
func (s *Scanner) Memory() [][]byte {
	const usual = 64
	keys := s.keys[:cap(s.keys)]
	if len(keys) > usual {
		return nil
	}
	clear(keys)
	return keys[:0]
}

// Fail notes the first reason why the text is refused, a clause that quotes nothing of it, and returns false.
func (s *Scanner) Fail(reason string) bool {
	if s.reason == "" {
		s.reason = reason
	}
	return false
}

// Reason says why the text was refused, or is empty.
func (s *Scanner) Reason() string { return s.reason }

// Offset is the byte the scanner stands at: after a failure, where it showed.
func (s *Scanner) Offset() int { return s.i }

// From returns the bytes from an earlier Offset to where the scanner stands.
func (s *Scanner) From(offset int) []byte { return s.b[offset:s.i:s.i] }

// UTF8 reports whether the whole text is UTF-8; if not, that is a failure and the scanner stands at the first wrong byte.
func (s *Scanner) UTF8() bool {
	if utf8.Valid(s.b) {
		return true
	}
	for s.i < len(s.b) {
		r, n := utf8.DecodeRune(s.b[s.i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		s.i += n
	}
	return s.Fail("the body is not UTF-8")
}

// Skip goes to the next byte that is not white space.
func (s *Scanner) Skip() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// End skips white space and reports whether the text ends there.
func (s *Scanner) End() bool {
	s.Skip()
	return s.i == len(s.b)
}

// Peek returns the next byte, 0 at the end; no JSON value starts with 0.
func (s *Scanner) Peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// next skips space and takes c if it comes then.
func (s *Scanner) next(c byte) bool {
	s.Skip()
	if s.Peek() != c {
		return false
	}
	s.i++
	return true
}

func (s *Scanner) open() bool {
	if s.depth++; s.depth > MaxDepth {
		return s.Fail("the message is nested too deeply")
	}
	s.i++
	return true
}

// Object is an object that is being read.
type Object struct {
	first  int // of its keys
	opened bool
}

// Object begins to read the object whose brace the scanner stands at. Read its members with [Scanner.Member].
func (s *Scanner) Object() Object {
	o := Object{first: len(s.keys), opened: s.Peek() == '{'}
	if !o.opened {
		s.Fail("an object is missing")
		return o
	}
	o.opened = s.open()
	return o
}

// Member goes to the next member's value and returns its key, decoded; the caller reads the value before it asks again.
// It returns false after the last member and after a failure, which only Reason tells apart.
func (s *Scanner) Member(o *Object) (key []byte, ok bool) {
	if !o.opened || s.reason != "" {
		return nil, false
	}
	if s.next('}') {
		return nil, s.shut(o)
	}
	if len(s.keys) > o.first && !s.next(',') {
		return nil, s.Fail("a comma or a brace is missing")
	}
	s.Skip()
	if key, ok = s.Text(); !ok || !s.note(o.first, key) {
		return nil, false
	}
	if !s.next(':') {
		return nil, s.Fail("a colon is missing")
	}
	s.Skip()
	return key, true
}

// shut ends an object; it returns false, as there is no further member.
func (s *Scanner) shut(o *Object) bool {
	if s.distinct(o.first) {
		s.keys = s.keys[:o.first]
		s.depth--
	}
	o.opened = false
	return false
}

// note remembers a key of the object whose keys begin at first, and compares it with the others while they are few.
func (s *Scanner) note(first int, key []byte) bool {
	switch n := len(s.keys) - first; {
	case n >= MaxMembers:
		return s.Fail("an object has too many members")
	case n < fewKeys:
		for _, k := range s.keys[first:] {
			if bytes.Equal(k, key) {
				return s.double(key)
			}
		}
	}
	s.keys = append(s.keys, key)
	return true
}

// distinct compares the keys of an object that has many.
func (s *Scanner) distinct(first int) bool {
	keys := s.keys[first:]
	if len(keys) <= fewKeys {
		return true
	}
	slices.SortFunc(keys, bytes.Compare)
	for i := 1; i < len(keys); i++ {
		if bytes.Equal(keys[i-1], keys[i]) {
			return s.double(keys[i])
		}
	}
	return true
}

func (s *Scanner) double(key []byte) bool {
	s.twice = key
	return s.Fail("an object has the same key twice")
}

// Twice returns the key that some object has twice if that was the failure, else nil.
func (s *Scanner) Twice() []byte { return s.twice }

// Array is an array that is being read.
type Array struct{ opened, begun bool }

// Array begins to read the array whose bracket the scanner stands at. Read its items with [Scanner.Item].
func (s *Scanner) Array() Array {
	if s.Peek() != '[' {
		s.Fail("an array is missing")
		return Array{}
	}
	return Array{opened: s.open()}
}

// Item goes to the next item; the caller reads it before it asks again. It returns false after the last one and after a
// failure, which only Reason tells apart.
func (s *Scanner) Item(a *Array) bool {
	if !a.opened || s.reason != "" {
		return false
	}
	if s.next(']') {
		s.depth--
		a.opened = false
		return false
	}
	if a.begun && !s.next(',') {
		return s.Fail("a comma or a bracket is missing")
	}
	a.begun = true
	s.Skip()
	return true
}

// Raw skips white space, reads any value and returns its bytes.
func (s *Scanner) Raw() ([]byte, bool) {
	s.Skip()
	from := s.i
	ok := s.Value()
	return s.From(from), ok
}

// Value reads any value; the scanner stands at its first byte.
func (s *Scanner) Value() bool {
	switch c := s.Peek(); {
	case c == '"':
		_, ok := s.quoted()
		return ok
	case c == '{':
		o := s.Object()
		for {
			if _, ok := s.Member(&o); !ok {
				return s.reason == ""
			}
			if !s.Value() {
				return false
			}
		}
	case c == '[':
		for a := s.Array(); s.Item(&a); {
			if !s.Value() {
				return false
			}
		}
		return s.reason == ""
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return s.Number()
	}
	return s.Fail("a value is missing")
}

func (s *Scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.Fail("a value is missing")
	}
	s.i += len(w)
	return true
}

// Number reads a number (RFC 8259, section 6).
func (s *Scanner) Number() bool {
	if s.Peek() == '-' {
		s.i++
	}
	ok := true
	if s.Peek() == '0' {
		s.i++
	} else {
		ok = s.digits()
	}
	if ok && s.Peek() == '.' {
		s.i++
		ok = s.digits()
	}
	if ok && s.Peek()|0x20 == 'e' {
		if s.i++; s.Peek() == '+' || s.Peek() == '-' {
			s.i++
		}
		ok = s.digits()
	}
	return ok || s.Fail("a number is malformed")
}

func (s *Scanner) digits() bool {
	from := s.i
	for s.Peek() >= '0' && s.Peek() <= '9' {
		s.i++
	}
	return s.i > from
}
