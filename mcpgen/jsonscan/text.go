package jsonscan

import (
	"bytes"
	"unicode/utf8"
)

// Text reads a string and returns what it stands for; without escapes that is a slice of the text that is read.
func (s *Scanner) Text() ([]byte, bool) {
	from := s.i
	escaped, ok := s.quoted()
	if !ok {
		return nil, false
	}
	inside := s.b[from+1 : s.i-1 : s.i-1]
	if escaped {
		return unescape(inside), true
	}
	return inside, true
}

// Text returns what the string raw, with its quotes, stands for, without escapes a slice of raw; a scanner has accepted it.
func Text(raw []byte) []byte {
	inside := raw[1 : len(raw)-1 : len(raw)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	return unescape(inside)
}

// quoted reads a string and reports whether it has escapes (RFC 8259, section 7). An escape of an unpaired surrogate is
// refused (RFC 7493, section 2.1): every reader would put something else in its place.
func (s *Scanner) quoted() (escaped, ok bool) {
	if s.Peek() != '"' {
		return false, s.Fail("a string is missing")
	}
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return escaped, true
		case c < 0x20:
			return false, s.Fail("a string has a control character")
		case c == '\\':
			escaped = true
			n := escapeLen(s.b[s.i:])
			if n == 0 {
				return false, s.Fail("a string has a malformed escape")
			}
			s.i += n - 1
		}
	}
	return false, s.Fail("a string has no end")
}

// escapeLen returns how many bytes the escape at the start of b takes, a surrogate pair counting as one; 0 if malformed.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		switch u, ok := hex4(b); {
		case !ok, isLow(u):
			return 0
		case !isHigh(u):
			return 6
		}
		if low, ok := hex4(b[6:]); ok && isLow(low) {
			return 12
		}
	}
	return 0
}

func isHigh(u rune) bool { return u >= 0xD800 && u <= 0xDBFF }
func isLow(u rune) bool  { return u >= 0xDC00 && u <= 0xDFFF }

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

// unescape decodes the inside of a string that quoted has accepted.
func unescape(src []byte) []byte {
	dst := make([]byte, 0, len(src))
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\\')
		if i < 0 {
			break
		}
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
