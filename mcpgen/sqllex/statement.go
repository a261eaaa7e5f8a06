package sqllex

import "strings"

// Class says what a statement does, as far as its words show.
type Class string

// The classes. Everything that is not certainly reading is not [Read].
const (
	Read    Class = "read"    // SELECT, WITH … SELECT, VALUES, TABLE, SHOW, DESCRIBE, EXPLAIN without ANALYZE
	Write   Class = "write"   // INSERT, UPDATE, DELETE, MERGE, also inside WITH; SELECT … INTO; SELECT … FOR UPDATE
	DDL     Class = "ddl"     // CREATE, ALTER, DROP, TRUNCATE, GRANT …
	Control Class = "control" // transactions, session settings, cursors, locks
	Other   Class = "other"   // CALL, DO, EXEC, COPY, PRAGMA and everything unknown
)

// Hint is the param_type that the text around a parameter suggests.
type Hint string

// The hints. [HintNone] means that the text says nothing.
const (
	HintNone     Hint = ""
	HintInteger  Hint = "integer"
	HintNumber   Hint = "number"
	HintString   Hint = "string"
	HintBoolean  Hint = "boolean"
	HintDate     Hint = "date"
	HintDatetime Hint = "datetime"
	HintArray    Hint = "array"
)

// Param is one parameter of a statement with all its uses.
type Param struct {
	Name      string `json:"name"`      // as written, without the colon; "caller.id" for values the front sets
	Positions []Pos  `json:"positions"` // each use, in order, at its colon
	Hint      Hint   `json:"hint"`
	Compared  string `json:"compared"` // "column" or "table.column" it is compared with; empty if not obvious
	Optional  bool   `json:"optional"` // the statement says what happens when it is NULL: :x IS NULL OR …, COALESCE(:x, …)
}

// Statement is what [Parse] found.
type Statement struct {
	Params []Param `json:"params"` // in order of first use
	Class  Class   `json:"class"`
	Verb   string  `json:"verb"` // the deciding keyword in upper case, such as SELECT; empty if there is none

	sql      string
	uses     []use
	offender span // what makes it other than Read
	verbAt   int  // index of the verb among the significant tokens
}

// SQL returns the text as it was given to [Parse].
func (s Statement) SQL() string { return s.sql }

// NotRead returns a problem with code [WriteStatement] if the statement is of any
// class but [Read]. The problem stands at the word that decides.
func (s Statement) NotRead() (Problem, bool) {
	if s.Class == Read {
		return Problem{}, false
	}
	what, does, instead := "This statement", "is not certain to only read", "Use SELECT"
	if s.Verb != "" {
		what = s.Verb
	}
	if words := strings.ToUpper(strings.Join(strings.Fields(s.sql[s.offender.start:s.offender.end]), " ")); s.Class == Write && words != s.Verb {
		what, instead = s.Verb+" … "+words, "Leave "+words+" out"
	}
	if s.Class == DDL || s.Class == Write && changesRows(s.Verb) {
		does = "changes the database"
	}
	p := Problem{
		Code:     WriteStatement,
		Severity: SeverityError,
		Message:  what + " " + does + ", and a tool or a connection that only reads does not run it. " + instead + ", or let both the tool and its connection write.",
		Pos:      Pos{Offset: s.offender.start},
		End:      s.offender.end,
	}
	c := cursor{sql: s.sql, line: 1}
	p.Pos = c.at(s.offender.start)
	return p, true
}

// use is one appearance of a parameter: sql[start:end] is ":name".
type use struct {
	start, end int
	param      int // index in Params
}

type span struct{ start, end int }
