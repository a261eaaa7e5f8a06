package sqllex

import (
	"strings"
	"unicode/utf8"
)

// quoted consumes a string or a quoted identifier that starts at l.pos.
func (l *lexer) quoted() Kind {
	start, open := l.pos, l.sql[l.pos]
	l.pos++
	closed := false
	switch {
	case open == '[':
		closed = l.bracketed()
	case l.r.triple && open != '`' && l.peek(0) == open && l.peek(1) == open:
		l.pos += 2
		closed = l.tripled(open)
	default:
		closed = l.until(open, l.escapes(open))
	}
	if open == '\'' || open == '"' && l.r.doubleString {
		l.checkString(start, closed)
		return String
	}
	if !closed {
		l.unterminated(start)
	}
	return QuotedIdent
}

func (l *lexer) escapes(quote byte) bool {
	switch quote {
	case '"':
		return l.r.doubleEscape
	case '`':
		return l.r.backtickEscape
	}
	return l.r.backslash
}

// until consumes up to and with the closing quote. A doubled quote stands for
// itself everywhere but in BigQuery, where it ends one literal and begins another.
func (l *lexer) until(quote byte, escapes bool) bool {
	for l.pos < len(l.sql) {
		switch b := l.sql[l.pos]; {
		case b == '\\' && escapes:
			l.pos++
		case b == quote && l.peek(1) == quote && !l.r.triple:
			l.pos++
		case b == quote:
			l.pos++
			return true
		}
		l.pos++
	}
	l.pos = len(l.sql) // a backslash as the last byte steps beyond it
	return false
}

// tripled consumes up to and with three closing quotes (GoogleSQL).
func (l *lexer) tripled(quote byte) bool {
	for l.pos < len(l.sql) {
		switch b := l.sql[l.pos]; {
		case b == '\\':
			l.pos++
		case b == quote && l.peek(1) == quote && l.peek(2) == quote:
			l.pos += 3
			return true
		}
		l.pos++
	}
	l.pos = len(l.sql)
	return false
}

func (l *lexer) bracketed() bool {
	for l.pos < len(l.sql) {
		if l.sql[l.pos] == ']' {
			l.pos++
			if !l.r.bracketDouble || l.peek(0) != ']' {
				return true
			}
		}
		l.pos++
	}
	l.pos = len(l.sql)
	return false
}

// escapeString consumes PostgreSQL's E'…' with its continuations: after a line end
// another '…' goes on with the same escapes (scan.l, quotecontinue), so that a
// later \' does not end it.
func (l *lexer) escapeString() {
	start := l.pos
	l.pos++
	for {
		l.pos++ // the opening quote
		if !l.until('\'', true) {
			l.unterminated(start)
			return
		}
		next := l.continuation()
		if next < 0 {
			return
		}
		l.pos = next
	}
}

// continuation returns where the next part's quote is, or -1.
func (l *lexer) continuation() int {
	line := false
	for i := l.pos; i < len(l.sql); {
		switch b := l.sql[i]; {
		case b == '\n' || b == '\r':
			line = true
			i++
		case isSpace(b):
			i++
		case b == '-' && strings.HasPrefix(l.sql[i:], "--"):
			n := strings.IndexAny(l.sql[i:], "\r\n")
			if n < 0 {
				return -1
			}
			i += n
		case b == '\'' && line:
			return i
		default:
			return -1
		}
	}
	return -1
}

// unicodeQuoted consumes U&'…' and U&"…". The identifier is refused: with UESCAPE
// it can spell any function's name in a way that no list of names would notice.
func (l *lexer) unicodeQuoted() Kind {
	start, quote := l.pos, l.sql[l.pos+2]
	l.pos += 3
	if !l.until(quote, false) {
		l.unterminated(start)
	}
	if quote == '\'' {
		return String
	}
	l.problems.err(UnicodeIdentifier, start, l.pos, `An identifier in the form U&"…" can hide any name. Write it as "…" with the characters themselves.`)
	return QuotedIdent
}

// dollarQuoted consumes $$ … $$ or $tag$ … $tag$, or reports that there is none.
// ClickHouse takes any text as a tag; what is not a plain word is refused as a
// stray $ instead (punctuation).
func (l *lexer) dollarQuoted() bool {
	i := l.pos + 1
	if l.r.dollar == dollarTagged {
		for i < len(l.sql) && (isNameStart(l.sql[i]) || l.sql[i] >= utf8.RuneSelf || i > l.pos+1 && isDigit(l.sql[i])) {
			i++
		}
	}
	if i >= len(l.sql) || l.sql[i] != '$' {
		return false
	}
	start, tag := l.pos, l.sql[l.pos:i+1]
	n := strings.Index(l.sql[i+1:], tag)
	if n < 0 {
		l.pos = len(l.sql)
		l.unterminated(start)
		return true
	}
	l.pos = i + 1 + n + len(tag)
	return true
}

func (l *lexer) unterminated(start int) {
	l.problems.err(UnterminatedString, start, len(l.sql), "This quotation is never closed, so the rest of the SQL is inside it. Add the closing quote.")
}

// checkString reports what is wrong with, or odd about, sql[start:l.pos].
func (l *lexer) checkString(start int, closed bool) {
	if !closed {
		l.unterminated(start)
		return
	}
	text := l.sql[start:l.pos]
	if (l.d == PostgreSQL || l.d == MySQL) && !sameEnd(text, l.d == PostgreSQL) {
		l.problems.warn(AmbiguousEscape, start, l.pos, "Where this string ends depends on a session setting, because of the backslash before the quote. "+
			"Write '' for a quote, and a backslash that is meant in a way that does not stand before one.")
	}
	body := strings.Trim(text, `'"%`)
	if len(body) > 1 && len(body) <= 65 && body[0] == ':' && isNameStart(body[1]) && validName(body[1:]) {
		l.problems.warn(QuotedPlaceholder, start, l.pos, "In quotes this is text, not a parameter. Write "+body+
			" without quotes; for a pattern, put the % into the value or join it on in SQL.")
	}
}

// sameEnd reports whether the string text would end at the same byte with the
// other meaning of the backslash.
func sameEnd(text string, escapes bool) bool {
	if !strings.Contains(text, `\`) {
		return true
	}
	other := lexer{sql: text, pos: 1}
	return other.until(text[0], escapes) && other.pos == len(text)
}
