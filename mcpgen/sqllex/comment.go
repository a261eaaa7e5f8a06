package sqllex

import "strings"

func (l *lexer) atLineComment() bool {
	switch b := l.sql[l.pos]; b {
	case '-':
		if l.peek(1) != '-' {
			return false
		}
		// MySQL 9.7: otherwise 5--3 would change its meaning.
		return !l.r.dashSpace || l.pos+2 >= len(l.sql) || l.sql[l.pos+2] <= ' ' || l.sql[l.pos+2] == 0x7F
	case '/':
		return l.r.slashes && l.peek(1) == '/'
	case '#':
		return l.r.hash == hashAlways || l.r.hash == hashSpaced && (l.peek(1) == ' ' || l.peek(1) == '!')
	}
	return false
}

// lineComment consumes up to, and without, the line's end.
func (l *lexer) lineComment() {
	start, ends := l.pos, "\n"
	if l.r.lineCR {
		ends = "\r\n"
	}
	if n := strings.IndexAny(l.sql[l.pos:], ends); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.sql)
	}
	text := l.sql[start:l.pos]
	if i := strings.IndexAny(text, "\r\u0085\u2028\u2029"); i >= 0 && i < len(text)-1 {
		l.problems.err(AmbiguousComment, start+i, l.pos,
			"This comment contains a line end that not every server takes for one, so the rest may be comment or SQL. End the line with LF.")
	}
}

// blockComment consumes /* … */, nested where the dialect nests.
func (l *lexer) blockComment() {
	start := l.pos
	l.pos += 2
	depth := 1
	for depth > 0 {
		i := strings.IndexAny(l.sql[l.pos:], "*/")
		if i < 0 {
			l.pos = len(l.sql)
			l.problems.err(UnterminatedComment, start, l.pos, "This comment is never closed, so the rest of the SQL is inside it. Add */.")
			break
		}
		l.pos += i
		switch b := l.sql[l.pos]; {
		case b == '*' && l.peek(1) == '/':
			depth--
			l.pos++
		case b == '/' && l.peek(1) == '*' && l.r.nested:
			depth++
			l.pos++
		}
		l.pos++
	}
	if l.r.executable {
		l.checkExecutable(start)
	}
}

// checkExecutable refuses MySQL comments that are not comments: /*! … */ and
// MariaDB's /*M! … */ are executed, and the optimizer hints SET_VAR and
// MAX_EXECUTION_TIME undo the session's limits for the statement.
func (l *lexer) checkExecutable(start int) {
	text := l.sql[start:l.pos]
	switch {
	case strings.HasPrefix(text, "/*!"), strings.HasPrefix(text, "/*M!"), strings.HasPrefix(text, "/*m!"):
		l.problems.err(ExecutableComment, start, l.pos, "MySQL and MariaDB execute what stands in this comment. Write it as SQL, or remove it.")
	case strings.HasPrefix(text, "/*+"):
		upper := strings.ToUpper(text)
		if strings.Contains(upper, "SET_VAR") || strings.Contains(upper, "MAX_EXECUTION_TIME") ||
			strings.Contains(upper, "RESOURCE_GROUP") {
			l.problems.err(ExecutableComment, start, l.pos, "This optimizer hint changes the limits that the studio sets for the session. Remove it.")
		}
	}
}
