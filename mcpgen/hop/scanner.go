package hop

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// scanner walks over a body. Its methods return false after a failure, which s.err (or s.batch) then explains; a
// complaint is a flaw that does not stop the walk, because the answer to it should carry the message's id.
type scanner struct {
	b     []byte
	i     int
	depth int
	m     *Message

	err       *ScanError // set when a method returned false
	complaint *ScanError // the first one
	batch     bool
	version   bool // "jsonrpc": "2.0" was there
	result    bool // so was "result"
	fault     bool // so was "error"

	keys [][]byte // decoded keys of the objects that are open, outermost first
}

// fewKeys is up to how many keys an object's are compared one by one; the keys of a larger object are sorted, so that
// looking for two that are the same never takes time in the square of their number.
const fewKeys = 16

func (s *scanner) fail(reason string) bool {
	s.err = &ScanError{Code: CodeParseError, Reason: reason, Offset: s.i}
	return false
}

func (s *scanner) complain(code int, reason string) { s.complaintAt(s.i, code, reason) }

func (s *scanner) complaintAt(offset, code int, reason string) {
	if s.complaint == nil {
		s.complaint = &ScanError{Code: code, Reason: reason, Offset: offset}
	}
}

func (s *scanner) validUTF8() bool {
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
	return s.fail("the body is not UTF-8")
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

// object reads an object; the scanner stands at its brace.
func (s *scanner) object(at place) bool {
	if s.depth++; s.depth > maxDepth {
		return s.fail("the message is nested too deeply")
	}
	s.i++
	first := len(s.keys)
	for more := !s.next('}'); more; more = !s.next('}') {
		if len(s.keys) > first && !s.next(',') {
			return s.fail("a comma or a brace is missing")
		}
		s.skip()
		key, ok := s.decoded()
		if !ok {
			return false
		}
		if !s.note(first, key) {
			return false
		}
		if !s.next(':') {
			return s.fail("a colon is missing")
		}
		if s.skip(); !s.member(at, key) {
			return false
		}
	}
	if !s.distinct(first) {
		return false
	}
	s.keys = s.keys[:first]
	s.depth--
	return true
}

// note remembers a key of the object whose keys begin at first, and compares it with the others while they are few.
func (s *scanner) note(first int, key []byte) bool {
	switch n := len(s.keys) - first; {
	case n >= maxMembers:
		return s.fail("an object has too many members")
	case n < fewKeys:
		for _, k := range s.keys[first:] {
			if bytes.Equal(k, key) {
				return s.fail("an object has the same key twice")
			}
		}
	}
	s.keys = append(s.keys, key)
	return true
}

// distinct compares the keys of an object that has many.
func (s *scanner) distinct(first int) bool {
	keys := s.keys[first:]
	if len(keys) <= fewKeys {
		return true
	}
	slices.SortFunc(keys, bytes.Compare)
	for i := 1; i < len(keys); i++ {
		if bytes.Equal(keys[i-1], keys[i]) {
			return s.fail("an object has the same key twice")
		}
	}
	return true
}

func (s *scanner) array() bool {
	if s.depth++; s.depth > maxDepth {
		return s.fail("the message is nested too deeply")
	}
	s.i++
	if !s.next(']') {
		for {
			if s.skip(); !s.value() {
				return false
			}
			if s.next(']') {
				break
			}
			if !s.next(',') {
				return s.fail("a comma or a bracket is missing")
			}
		}
	}
	s.depth--
	return true
}

// value reads any value; the scanner stands at its first byte.
func (s *scanner) value() bool {
	switch c := s.peek(); {
	case c == '"':
		_, ok := s.quoted()
		return ok
	case c == '{':
		return s.object(elsewhere)
	case c == '[':
		return s.array()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.fail("a value is missing")
}

func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return s.fail("a value is missing")
	}
	s.i += len(w)
	return true
}

// number reads a number (RFC 8259, section 6).
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.i++
	}
	ok := true
	if s.peek() == '0' {
		s.i++
	} else {
		ok = s.digits()
	}
	if ok && s.peek() == '.' {
		s.i++
		ok = s.digits()
	}
	if ok && s.peek()|0x20 == 'e' {
		if s.i++; s.peek() == '+' || s.peek() == '-' {
			s.i++
		}
		ok = s.digits()
	}
	return ok || s.fail("a number is malformed")
}

func (s *scanner) digits() bool {
	from := s.i
	for s.peek() >= '0' && s.peek() <= '9' {
		s.i++
	}
	return s.i > from
}

// decoded reads a string and returns what it stands for; without escapes that is a slice of the body.
func (s *scanner) decoded() ([]byte, bool) {
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

// quoted reads a string and reports whether it has escapes (RFC 8259, section 7). An escape of an unpaired surrogate is
// refused (RFC 7493, section 2.1): every reader would put something else in its place.
func (s *scanner) quoted() (escaped, ok bool) {
	if s.peek() != '"' {
		return false, s.fail("a string is missing")
	}
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return escaped, true
		case c < 0x20:
			return false, s.fail("a string has a control character")
		case c == '\\':
			escaped = true
			n := escapeLen(s.b[s.i:])
			if n == 0 {
				return false, s.fail("a string has a malformed escape")
			}
			s.i += n - 1
		}
	}
	return false, s.fail("a string has no end")
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
