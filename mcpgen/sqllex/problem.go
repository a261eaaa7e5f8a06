package sqllex

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Severity says whether a problem refuses the statement.
type Severity string

// The severities. A statement with a [SeverityError] must not be saved or run.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Code names a kind of [Problem]. Codes are stable: the editor and tests use them.
type Code string

// The codes.
const (
	Empty               Code = "empty"                // nothing but spaces and comments
	SecondStatement     Code = "second_statement"     // more than one statement
	UnterminatedString  Code = "unterminated_string"  // a string, quoted identifier or dollar quote without end
	UnterminatedComment Code = "unterminated_comment" // a block comment without end
	ExecutableComment   Code = "executable_comment"   // MySQL's /*! … */ and optimizer hints that change limits
	AmbiguousComment    Code = "ambiguous_comment"    // a line comment whose end depends on the server
	AmbiguousEscape     Code = "ambiguous_escape"     // a string whose end depends on a session mode (warning)
	InvalidCharacter    Code = "invalid_character"    // NUL, invalid UTF-8, invisible spaces, typographic quotes
	UnicodeIdentifier   Code = "unicode_identifier"   // U&"…"
	NativePlaceholder   Code = "native_placeholder"   // $1, ?, @p1, {x:Type}: would collide with bound parameters
	ParameterName       Code = "parameter_name"       // :name that is not a valid name
	PlaceholderPosition Code = "placeholder_position" // a parameter where a value cannot stand
	QuotedPlaceholder   Code = "quoted_placeholder"   // ':name' in quotes is text (warning)
	Passthrough         Code = "passthrough"          // the whole SQL is one parameter
	ControlStatement    Code = "control_statement"    // COMMIT, SET …: changes the session or the transaction
	WriteStatement      Code = "write_statement"      // only from Statement.NotRead
	DeniedFunction      Code = "denied_function"      // reaches files, the network or the server itself
	DeniedClause        Code = "denied_clause"        // INTO OUTFILE, SETTINGS, FORMAT …
	TooManyProblems     Code = "too_many_problems"    // the rest is left out
)

// maxProblems bounds what Parse returns; more would help nobody and a hostile text
// could make one per byte.
const maxProblems = 100

// Pos is a place in the SQL text.
type Pos struct {
	Offset int `json:"offset"` // in bytes, from 0
	Line   int `json:"line"`   // from 1; lines end at LF, CR LF or CR
	Column int `json:"column"` // from 1, in UTF-16 code units as editors count
	Rune   int `json:"rune"`   // from 1, in Unicode code points
}

// Problem is something wrong with a statement: what, why, and what to do.
type Problem struct {
	Code     Code     `json:"code"`
	Message  string   `json:"message"`
	Severity Severity `json:"severity"`
	Pos      Pos      `json:"pos"`
	End      int      `json:"end"` // byte offset after the last byte concerned
}

// HasErrors reports whether one of the problems refuses the statement.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == SeverityError })
}

// problems collects, keeps the number bounded, and places them in one sweep.
type problems struct {
	list []Problem
	full bool
}

func (ps *problems) add(code Code, sev Severity, start, end int, message string) {
	if len(ps.list) >= maxProblems {
		ps.full = true
		// The verdict must not depend on how many warnings came first.
		if sev == SeverityError && !HasErrors(ps.list) {
			ps.list[maxProblems-1] = Problem{code, message, sev, Pos{Offset: start}, end}
		}
		return
	}
	ps.list = append(ps.list, Problem{code, message, sev, Pos{Offset: start}, end})
}

func (ps *problems) err(code Code, start, end int, message string) {
	ps.add(code, SeverityError, start, end, message)
}

func (ps *problems) warn(code Code, start, end int, message string) {
	ps.add(code, SeverityWarning, start, end, message)
}

// place sorts the problems by position and fills in lines and columns.
func (ps *problems) place(sql string) []Problem {
	slices.SortStableFunc(ps.list, func(a, b Problem) int { return a.Pos.Offset - b.Pos.Offset })
	c := cursor{sql: sql, line: 1}
	for i := range ps.list {
		ps.list[i].Pos = c.at(ps.list[i].Pos.Offset)
	}
	if ps.full {
		last := ps.list[len(ps.list)-1]
		ps.list = append(ps.list, Problem{TooManyProblems, "There are more problems than are listed. Mend these first.",
			SeverityWarning, last.Pos, last.End})
	}
	return ps.list
}

// cursor turns byte offsets, asked in rising order, into positions.
type cursor struct {
	sql    string
	offset int
	line   int // 1-based
	col    int // UTF-16 units since the line's start
	runes  int // code points since the line's start
}

func (c *cursor) at(offset int) Pos {
	offset = min(offset, len(c.sql))
	for c.offset < offset {
		b := c.sql[c.offset]
		if b == '\n' || b == '\r' && !strings.HasPrefix(c.sql[c.offset+1:], "\n") {
			c.offset, c.line, c.col, c.runes = c.offset+1, c.line+1, 0, 0
			continue
		}
		r, size := utf8.DecodeRuneInString(c.sql[c.offset:])
		c.offset += size
		c.col++
		c.runes++
		if r > 0xFFFF {
			c.col++
		}
	}
	return Pos{Offset: offset, Line: c.line, Column: c.col + 1, Rune: c.runes + 1}
}
