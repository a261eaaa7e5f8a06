package mcpgen

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/mcpgen/transform"
	"mcpstudio/store"
)

// Severity says whether a problem stops a save or deploy.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // stops
	Warning Severity = "warning" // to be accepted
)

// Problem is something wrong with the configuration: where, what, why and what to do.
type Problem struct {
	Severity   Severity   `json:"severity" jsonschema:"error or warning"`
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	EntityType store.Kind `json:"entity_type,omitempty"`
	EntityID   string     `json:"entity_id,omitempty"`
	EntityName string     `json:"entity_name,omitempty"`
	Field      string     `json:"field"`
	Start      int        `json:"start" jsonschema:"first character concerned, in UTF-16 units as editors count; 0 to 0: the whole field"`
	End        int        `json:"end"`
	Line       int        `json:"line,omitempty"`
	Column     int        `json:"column,omitempty"`
}

// Stops returns the problems that stop a save or deploy.
func Stops(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Severity != Error })
}

// Statement is what Check judges: one statement with what is declared about it.
type Statement struct {
	DBType     store.DBType
	SQL        string
	Parameters []store.Parameter
	ReadOnly   bool   // it must be certain to only read
	Transform  string // "": none
}

// Check judges a statement, its parameters and its transform. The same judgement is given while a tool is written, when it is
// saved, and when it is deployed. The parsed statement is returned for its parameters and class.
func Check(st Statement) (sqllex.Statement, []Problem) {
	dialect, ok := sqllex.DialectOf(string(st.DBType))
	if !ok {
		return sqllex.Statement{}, []Problem{{Severity: Error, Code: "db_type", Field: "db_type", Message: fmt.Sprintf("unknown database type %q", st.DBType)}}
	}
	parsed, found := sqllex.Parse(dialect, st.SQL)
	var out []Problem
	for _, p := range found {
		out = append(out, onSQL(st.SQL, p))
	}
	if p, not := parsed.NotRead(); not && st.ReadOnly && !sqllex.HasErrors(found) {
		out = append(out, onSQL(st.SQL, p))
	}
	out = append(out, checkDeclared(st, parsed)...)
	if st.Transform != "" {
		out = append(out, checkTransform(st.Transform)...)
	}
	return parsed, out
}

func onSQL(sql string, p sqllex.Problem) Problem {
	return Problem{
		Severity: Severity(p.Severity), Code: string(p.Code), Message: p.Message, Field: "sql_query",
		Start: Units(sql, p.Pos.Offset), End: Units(sql, p.End), Line: p.Pos.Line, Column: p.Pos.Column,
	}
}

// checkDeclared compares the statement's placeholders with the declared parameters, both ways.
func checkDeclared(st Statement, parsed sqllex.Statement) []Problem {
	var out []Problem
	declared := map[string]bool{}
	for _, p := range st.Parameters {
		declared[p.Name] = true
	}
	used := map[string]bool{}
	for _, p := range parsed.Params {
		used[p.Name] = true
		if declared[p.Name] {
			continue
		}
		caller, isCaller := strings.CutPrefix(p.Name, "caller.")
		if isCaller && slices.Contains(CallerValues(), caller) {
			continue
		}
		at := p.Positions[0]
		problem := Problem{
			Severity: Error, Code: "undeclared_parameter", Field: "parameters", Line: at.Line, Column: at.Column,
			Start: Units(st.SQL, at.Offset), End: Units(st.SQL, at.Offset+1+len(p.Name)),
			Message: fmt.Sprintf("The statement uses :%s, which is not declared. Declare a parameter named %s, or write it differently.", p.Name, p.Name),
		}
		if isCaller {
			problem.Code, problem.Message = "unknown_caller_value", fmt.Sprintf("There is no :caller.%s. Known are :caller.%s.", caller, strings.Join(CallerValues(), ", :caller."))
		}
		out = append(out, problem)
	}
	for _, p := range st.Parameters {
		if !used[p.Name] {
			out = append(out, Problem{
				Severity: Error, Code: "unused_parameter", Field: "parameters",
				Message: fmt.Sprintf("The parameter %s is declared but the statement does not use :%s. Use it, or remove the parameter.", p.Name, p.Name),
			})
		}
	}
	return out
}

// CallerValues names what a statement may bind of whoever makes the call, as :caller.name. The front sets them, never the client:
// the token's id and name, and its kind (mcp_token, admin, or none without authentication).
func CallerValues() []string { return []string{"id", "name", "kind"} }

func checkTransform(src string) []Problem {
	_, err := transform.Parse(src)
	if err == nil {
		return nil
	}
	p := Problem{Severity: Error, Code: "transform", Field: "transform", Message: err.Error()}
	var at *transform.Error
	if errors.As(err, &at) {
		p.Message, p.Line = at.Message, at.Line
		p.Start = Units(src, at.Offset)
		p.End = min(p.Start+1, Units(src, len(src)))
	}
	return []Problem{p}
}

// Units turns a byte offset of text into UTF-16 units, as editors count.
func Units(text string, offset int) int {
	n := 0
	for i := 0; i < min(offset, len(text)); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
