package sqllex

// Kind says what a token is.
type Kind uint8

// The kinds.
const (
	Space       Kind = iota + 1 // spaces and line ends
	Comment                     // one comment of any form
	String                      // a string, dollar quote or here document
	QuotedIdent                 // "x", `x` or [x]
	Word                        // a keyword or an unquoted identifier
	Number                      // digits with what hangs on them
	Placeholder                 // :name
	Native                      // the driver's own placeholder or variable: $1, ?, @x
	Punctuation                 // one operator character, or one of the pairs the rules need
)

// Token is sql[Start:End].
type Token struct {
	Kind       Kind
	Start, End int
}

// Tokens splits sql as the dialect's own lexer would. The tokens follow each other
// without gap and cover sql from its first byte to its last.
func Tokens(d Dialect, sql string) []Token {
	l := lex(d, sql)
	return l.tokens
}

// pairs are the two-byte operators that must stay together to be understood.
func isPair(a, b byte) bool {
	switch a {
	case ':':
		return b == ':' || b == '='
	case '<':
		return b == '=' || b == '>'
	case '>', '!':
		return b == '='
	case '=':
		return b == '=' || b == '>'
	case '|':
		return b == '|' || b == '>'
	case '-':
		return b == '>'
	case '@':
		return b == '@'
	}
	return false
}

func isSpace(b byte) bool {
	return b == ' ' || b >= '\t' && b <= '\r'
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// isNameByte reports whether b may stand in a parameter's name.
func isNameByte(b byte) bool { return isNameStart(b) || isDigit(b) }

func isNameStart(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
