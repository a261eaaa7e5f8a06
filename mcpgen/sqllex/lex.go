package sqllex

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexer walks sql once. Every scan method starts at l.pos, moves it forward by at
// least one byte, and never looks at a byte more than a constant number of times.
type lexer struct {
	d        Dialect
	r        rules
	sql      string
	pos      int
	tokens   []Token
	problems problems
}

func lex(d Dialect, sql string) *lexer {
	l := &lexer{d: d, r: rulesOf(d), sql: sql}
	l.tokens = make([]Token, 0, len(sql)/4+8)
	for l.pos < len(sql) {
		start := l.pos
		kind := l.next()
		l.tokens = append(l.tokens, Token{kind, start, l.pos})
	}
	return l
}

// peek returns the byte n places ahead, or 0 at the end. A real NUL is refused
// by next, so the two cannot be confused to anybody's profit.
func (l *lexer) peek(n int) byte {
	if l.pos+n < len(l.sql) {
		return l.sql[l.pos+n]
	}
	return 0
}

// next consumes one token and returns its kind.
func (l *lexer) next() Kind {
	b := l.sql[l.pos]
	switch {
	case isSpace(b):
		for l.pos < len(l.sql) && isSpace(l.sql[l.pos]) {
			l.pos++
		}
		return Space
	case l.atLineComment():
		l.lineComment()
		return Comment
	case b == '/' && l.peek(1) == '*':
		l.blockComment()
		return Comment
	case b == '\'' || b == '"' || b == '`' && l.r.backtick || b == '[' && l.r.bracket:
		return l.quoted()
	case l.r.prefixes && (b == 'e' || b == 'E') && l.peek(1) == '\'':
		l.escapeString()
		return String
	case l.r.prefixes && (b == 'u' || b == 'U') && l.peek(1) == '&' && (l.peek(2) == '\'' || l.peek(2) == '"'):
		return l.unicodeQuoted()
	case b == '$' && l.r.dollar != dollarNone && l.dollarQuoted():
		return String
	case b == ':' && l.placeholder():
		return Placeholder
	case l.native():
		return Native
	case isDigit(b):
		l.number()
		return Number
	case l.isIdent(b) && b != '$':
		l.word()
		return Word
	}
	l.punctuation()
	return Punctuation
}

// isIdent reports whether b can stand inside an unquoted identifier. Bytes from
// 0x80 on always can: characters for which servers disagree are refused by
// checkRune.
func (l *lexer) isIdent(b byte) bool {
	return isNameByte(b) || b >= utf8.RuneSelf || b == '$' && l.r.identDollar ||
		(b == '@' || b == '#') && l.r.identExtra
}

// identRun consumes identifier bytes and checks the characters beyond ASCII.
func (l *lexer) identRun() {
	for l.pos < len(l.sql) && l.isIdent(l.sql[l.pos]) {
		if l.sql[l.pos] < utf8.RuneSelf {
			l.pos++
			continue
		}
		r, size := utf8.DecodeRuneInString(l.sql[l.pos:])
		l.checkRune(r, size)
		l.pos += size
	}
}

// checkRune refuses characters that look like a space or a quote to a person and
// like something else to some server.
func (l *lexer) checkRune(r rune, size int) {
	end := l.pos + size
	switch {
	case r == utf8.RuneError && size == 1:
		// Reported once for the whole text by checkBytes.
	case unicode.IsSpace(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cc):
		l.problems.err(InvalidCharacter, l.pos, end,
			"This is an invisible character or a special space, which databases read differently. Replace it by an ordinary space.")
	case r >= '\u2018' && r <= '\u201F':
		l.problems.err(InvalidCharacter, l.pos, end,
			"This is a typographic quotation mark, which databases read differently. Use ' for text.")
	}
}

func (l *lexer) word() { l.identRun() }

// number consumes a number with any letters that hang on it; servers that take
// 1abc for an identifier see the same end.
func (l *lexer) number() {
	hex := l.sql[l.pos] == '0' && (l.peek(1)|0x20 == 'x')
	for l.pos < len(l.sql) {
		b := l.sql[l.pos]
		switch {
		case isNameByte(b):
		case b == '.' && isDigit(l.peek(1)):
		case (b == '+' || b == '-') && !hex && isDigit(l.peek(1)) && l.sql[l.pos-1]|0x20 == 'e':
		default:
			return
		}
		l.pos++
	}
}

func (l *lexer) punctuation() {
	b := l.sql[l.pos]
	switch {
	case b == '\\' && l.d == ClickHouse:
		l.problems.err(InvalidCharacter, l.pos, l.pos+1, `A backslash outside quotes can end a ClickHouse statement (\G). Remove it.`)
	case (b == '$' || b == '#') && l.d == ClickHouse:
		l.problems.err(InvalidCharacter, l.pos, l.pos+1, "This character can begin a here document or a comment, depending on the ClickHouse version. Remove it.")
	}
	if isPair(b, l.peek(1)) {
		l.pos++
	}
	l.pos++
}

// native recognises the driver's own placeholders, and variables that would be
// confused with them.
func (l *lexer) native() bool {
	start := l.pos
	switch b := l.sql[l.pos]; {
	case b == '?' && l.r.nativeQuestion:
		l.pos++
		for isDigit(l.peek(0)) {
			l.pos++
		}
	case b == '$' && (l.r.nativeDollar && isDigit(l.peek(1)) || l.r.nativeName && l.isIdent(l.peek(1))):
		l.pos++
		l.nativeRun()
	case b == '@' && l.r.nativeAt && l.peek(1) != '@' && l.isIdent(l.peek(1)):
		l.pos++
		l.nativeRun()
	case b == '@' && l.r.nativeAt && l.peek(1) == '`':
		l.pos++
	case b == ':' && l.r.nativeColon && isDigit(l.peek(1)) && !l.afterValue():
		l.pos++
		l.nativeRun()
	default:
		return false
	}
	l.problems.err(NativePlaceholder, start, l.pos, "Parameters are written :name. "+
		"The database's own placeholders and variables would be confused with them; give this one a name.")
	return true
}

// nativeRun consumes a native name. PostgreSQL's $1 ends at the last digit, so
// that $1$$ is $1 and a dollar quote, as on the server.
func (l *lexer) nativeRun() {
	if l.r.nativeDollar && !l.r.nativeName {
		for isDigit(l.peek(0)) {
			l.pos++
		}
		return
	}
	l.identRun()
}

// afterValue reports whether the colon at l.pos belongs to what stands before it:
// a cast, a slice, a path or a label.
func (l *lexer) afterValue() bool {
	if l.pos == 0 {
		return false
	}
	b := l.sql[l.pos-1]
	return l.isIdent(b) || strings.IndexByte(":)]$'\"`", b) >= 0 || b == '@' && l.r.nativeAt
}

// placeholder consumes :name, or reports that this colon does not begin one.
func (l *lexer) placeholder() bool {
	first := l.peek(1)
	if !isNameStart(first) && first < utf8.RuneSelf || l.afterValue() {
		return false
	}
	start := l.pos
	l.pos++
	l.identRun()
	name := l.sql[start+1 : l.pos]
	if name == "caller" {
		l.callerPath()
		name = l.sql[start+1 : l.pos]
	}
	switch {
	case name == "caller":
		l.problems.err(ParameterName, start, l.pos,
			"The name caller is reserved for values about who calls. Write :caller.id or :caller.kind, or use another name.")
	case !strings.HasPrefix(name, "caller.") && !validName(name):
		l.problems.err(ParameterName, start, l.pos,
			"A parameter's name is a letter or _ and then letters, digits and _, at most 64 together, all ASCII. Rename it.")
	}
	return true
}

// callerPath consumes the .id of :caller.id.
func (l *lexer) callerPath() {
	for l.peek(0) == '.' && isNameStart(l.peek(1)) {
		l.pos += 2
		for isNameByte(l.peek(0)) {
			l.pos++
		}
	}
}

func validName(name string) bool {
	if len(name) > 64 {
		return false
	}
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return true
}

// checkBytes refuses texts whose bytes servers do not agree on: a NUL ends the
// text for some, and invalid UTF-8 can swallow a quote in a multi-byte charset.
func (l *lexer) checkBytes() {
	if i := strings.IndexByte(l.sql, 0); i >= 0 {
		l.problems.err(InvalidCharacter, i, i+1, "The SQL contains a NUL character, at which some databases stop reading. Remove it.")
	}
	if utf8.ValidString(l.sql) {
		return
	}
	for i, r := range l.sql {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(l.sql[i:]); size == 1 {
				l.problems.err(InvalidCharacter, i, i+1, "The SQL is not valid UTF-8 here, and databases read such bytes differently. Remove or retype the character.")
				return
			}
		}
	}
}
