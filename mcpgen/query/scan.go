package query

import (
	"bytes"
	"unicode/utf8"
)

// maxDepth is how deep arguments may nest; deeper ones are refused before anything recurses over them.
const maxDepth = 64

// scanner walks over one JSON text (RFC 8259) without decoding it.
type scanner struct {
	b     []byte
	i     int
	depth int
}

func (s *scanner) skip() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// peek returns the next byte, 0 at the end; no JSON value starts with 0.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// next skips space and takes c if it comes then.
func (s *scanner) next(c byte) bool {
	s.skip()
	if s.peek() != c {
		return false
	}
	s.i++
	return true
}

// raw reads any value and returns its bytes.
func (s *scanner) raw() ([]byte, bool) {
	s.skip()
	from := s.i
	ok := s.value()
	return s.b[from:s.i:s.i], ok
}

func (s *scanner) value() bool {
	switch c := s.peek(); {
	case c == '"':
		return s.quoted()
	case c == '{' || c == '[':
		return s.nested(c)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.number()
}

// nested reads an object or an array.
func (s *scanner) nested(open byte) bool {
	if s.depth++; s.depth > maxDepth {
		return false
	}
	defer func() { s.depth-- }()
	s.i++
	end := open + 2 // ']' and '}' stand two places after '[' and '{' (ASCII)
	if s.next(end) {
		return true
	}
	for {
		if open == '{' {
			if s.skip(); !s.quoted() || !s.next(':') {
				return false
			}
		}
		if s.skip(); !s.value() {
			return false
		}
		if s.next(end) {
			return true
		}
		if !s.next(',') {
			return false
		}
	}
}

func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) digits() bool {
	from := s.i
	for s.peek() >= '0' && s.peek() <= '9' {
		s.i++
	}
	return s.i > from
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		if s.i++; !s.digits() {
			return false
		}
	}
	if s.peek()|0x20 == 'e' {
		if s.i++; s.peek() == '+' || s.peek() == '-' {
			s.i++
		}
		return s.digits()
	}
	return true
}

// quoted reads a string.
func (s *scanner) quoted() bool {
	if s.peek() != '"' {
		return false
	}
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c < 0x20:
			return false
		case c == '\\':
			n := escapeLen(s.b[s.i:])
			if n == 0 {
				return false
			}
			s.i += n - 1
		}
	}
	return false
}

// escapeLen returns how many bytes the escape at the start of b takes, a surrogate pair counting as one; 0 if it is
// malformed or half a pair (RFC 7493, section 2.1).
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		switch u, ok := hex4(b); {
		case !ok, u >= 0xDC00 && u <= 0xDFFF:
			return 0
		case u < 0xD800 || u > 0xDBFF:
			return 6
		}
		if low, ok := hex4(b[6:]); ok && low >= 0xDC00 && low <= 0xDFFF {
			return 12
		}
	}
	return 0
}

// hex4 reads \uXXXX at the start of b.
func hex4(b []byte) (u rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch l := c | 0x20; {
		case c >= '0' && c <= '9':
			u = u<<4 | rune(c-'0')
		case l >= 'a' && l <= 'f':
			u = u<<4 | rune(l-'a'+10)
		default:
			return 0, false
		}
	}
	return u, true
}

// text returns what a string that the scanner accepted stands for; without escapes that is a slice of raw.
func text(raw []byte) []byte {
	src := raw[1 : len(raw)-1 : len(raw)-1]
	i := bytes.IndexByte(src, '\\')
	if i < 0 {
		return src
	}
	dst := make([]byte, 0, len(src))
	for ; i >= 0; i = bytes.IndexByte(src, '\\') {
		dst = append(dst, src[:i]...)
		src = src[i:]
		n := escapeLen(src)
		switch c := src[1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			u, _ := hex4(src)
			if n == 12 {
				low, _ := hex4(src[6:])
				u = (u-0xD800)<<10 | (low - 0xDC00) + 0x10000
			}
			dst = utf8.AppendRune(dst, u)
		default: // quote, backslash, slash
			dst = append(dst, c)
		}
		src = src[n:]
	}
	return append(dst, src...)
}
