package query

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/mcpgen/transform"
	"mcpstudio/store"
)

// callerPrefix starts the placeholders whose values the studio sets, not the client.
const callerPrefix = "caller."

// Prepared is a tool that is ready to run. It does not change and may run many times at once.
type Prepared struct {
	name      string
	serial    uint64 // of this compilation; the cache's key starts with it
	conn      *connection
	rules     []rule
	order     []source // of each placeholder's value
	statement driver.Statement
	marks     []mark // how offsets in statement.SQL lead back to the SQL as written
	ttl       time.Duration
	transform *transform.Program
	schema    *schema
}

// source says where a placeholder's value comes from: a rule, or the caller.
type source struct {
	rule   int // -1: caller
	caller string
}

// mark is one placeholder: it takes bound characters in the driver's SQL and written ones in the author's.
type mark struct{ at, bound, written int }

// Compile makes a tool ready. It happens once per deploy or preview. Refusals are *store.Error with Invalid and the
// Spec's JSON field name ("sql_query", "parameters", "transform", "input_schema", "connection_id").
func (e *Engine) Compile(s Spec) (*Prepared, error) {
	c, ok := e.connection(s.Connection)
	if !ok {
		return nil, unknownConnection(s.Connection)
	}
	p := &Prepared{name: s.Name, conn: c, serial: e.serial.Add(1)}
	readOnly := s.ReadOnly || c.cfg.ReadOnly
	parsed, problems := sqllex.Parse(c.driver.Dialect(), s.SQL)
	for _, pr := range problems {
		if pr.Severity == sqllex.SeverityError {
			return nil, refused(pr)
		}
	}
	if pr, writes := parsed.NotRead(); readOnly && writes {
		return nil, refused(pr)
	}
	if err := p.addRules(s.Parameters); err != nil {
		return nil, err
	}
	sql, names := parsed.Bind(c.driver.Dialect().Style())
	p.statement = driver.Statement{SQL: sql, ReadOnly: readOnly}
	if err := p.addPlaceholders(names); err != nil {
		return nil, err
	}
	p.marks = marksOf(parsed, c.driver.Dialect().Style())
	if readOnly {
		p.ttl = s.CacheTTL
	}
	var err error
	if strings.TrimSpace(s.Transform) != "" {
		if p.transform, err = transform.Parse(s.Transform); err != nil {
			return nil, &store.Error{Code: store.Invalid, Field: "transform", Message: err.Error(), Err: err}
		}
	}
	if len(s.InputSchema) > 0 {
		if p.schema, err = compileSchema(s.InputSchema); err != nil {
			return nil, &store.Error{Code: store.Invalid, Field: "input_schema", Message: "the input schema is not a valid JSON Schema: " + err.Error(), Err: err}
		}
	}
	return p, nil
}

func refused(p sqllex.Problem) error {
	return store.Invalidf("sql_query", "line %d, column %d: %s", p.Pos.Line, p.Pos.Column, p.Message)
}

func (p *Prepared) addRules(parameters []store.Parameter) error {
	for i, param := range parameters {
		if err := param.Check(); err != nil {
			return &store.Error{Code: store.Invalid, Field: fmt.Sprintf("parameters.%d", i), Message: err.Error(), Err: err}
		}
		if slices.ContainsFunc(p.rules, func(r rule) bool { return r.name == param.Name }) {
			return store.Invalidf(fmt.Sprintf("parameters.%d.name", i), "the parameter %q is declared twice", param.Name)
		}
		r, err := newRule(param)
		if err != nil {
			return &store.Error{Code: store.Invalid, Field: fmt.Sprintf("parameters.%d", i), Message: err.Error(), Err: err}
		}
		p.rules = append(p.rules, r)
	}
	return nil
}

func (p *Prepared) addPlaceholders(names []string) error {
	for _, name := range names {
		if caller, ok := strings.CutPrefix(name, callerPrefix); ok {
			p.order = append(p.order, source{rule: -1, caller: caller})
			p.statement.Params = append(p.statement.Params, driver.Param{Type: store.TypeString})
			continue
		}
		i := slices.IndexFunc(p.rules, func(r rule) bool { return r.name == name })
		if i < 0 {
			return store.Invalidf("parameters", "the statement uses :%s, which is not declared as a parameter", name)
		}
		p.order = append(p.order, source{rule: i})
		p.statement.Params = append(p.statement.Params, driver.Param{Type: p.rules[i].typ, Item: p.rules[i].item})
	}
	return nil
}

// placeholder returns the name of placeholder i as the author wrote it.
func (p *Prepared) placeholder(i int) string {
	if s := p.order[i]; s.rule < 0 {
		return callerPrefix + s.caller
	}
	return p.rules[p.order[i].rule].name
}

// bind fills v.bound from what parse found and what the studio says of the caller.
func (p *Prepared) bind(caller map[string]string, v *values) {
	for _, s := range p.order {
		if s.rule >= 0 {
			v.bound = append(v.bound, v.args[s.rule])
			continue
		}
		value, ok := caller[s.caller]
		v.bound = append(v.bound, driver.Arg{Null: !ok, Text: []byte(value)})
	}
}

// AsksCaller reports whether the statement has :caller.name placeholders; without them Request.Caller is not read.
func (p *Prepared) AsksCaller() bool {
	return slices.ContainsFunc(p.order, func(s source) bool { return s.rule < 0 })
}

// limits are the connection's, lowered by the request's.
func (p *Prepared) limits(l Limits) driver.Limits {
	lower := func(limit, wanted int) int {
		if wanted > 0 {
			return min(limit, wanted)
		}
		return limit
	}
	return driver.Limits{
		Rows:    lower(p.conn.rows, l.Rows),
		Bytes:   lower(p.conn.bytes, l.Bytes),
		Timeout: time.Duration(lower(int(p.conn.timeout), int(l.Timeout))),
	}
}

// key builds the cache's key: the compilation, the limits, every parameter (a transform may use one that the statement
// does not), and what the studio says of the caller.
func (p *Prepared) key(lim driver.Limits, v *values) {
	v.key = strconv.AppendUint(v.key[:0], p.serial, 36)
	for _, n := range []int{lim.Rows, lim.Bytes} {
		v.key = strconv.AppendInt(append(v.key, ','), int64(n), 36)
	}
	v.key = append(v.key, ';')
	for i := range p.rules {
		v.key = appendKey(v.key, p.rules[i].typ, p.rules[i].item, v.args[i])
	}
	for i, s := range p.order {
		if s.rule < 0 {
			v.key = appendKey(v.key, store.TypeString, "", v.bound[i])
		}
	}
}

// maxTransforms is how many transforms run at once, and no more than there are processors: all together they share the time and
// the memory that each is promised.
const maxTransforms = 4

// apply runs the transform over the rows and appends its result, as {"result":…} when it is not an object.
func (e *Engine) apply(ctx context.Context, p *Prepared, rows []byte, v *values, b []byte) ([]byte, error) {
	select {
	case e.transforms <- struct{}{}:
		defer func() { <-e.transforms }()
	case <-ctx.Done():
		return b, &Error{Code: Cancelled, Message: "The call was cancelled.", Position: -1, Err: ctx.Err()}
	}
	in := transform.Input{Rows: rows, Vars: e.opt.Variables, Params: make(map[string]json.RawMessage, len(p.rules))}
	for i := range p.rules {
		in.Params[p.rules[i].name] = v.raw[i]
	}
	out, err := p.transform.Run(ctx, in)
	if err != nil {
		if ctx.Err() != nil {
			return b, &Error{Code: Cancelled, Message: "The call was cancelled.", Position: -1, Err: err}
		}
		return b, transformError(err)
	}
	if len(out) > 0 && out[0] == '{' {
		return append(b, out...), nil
	}
	return append(append(append(b, `{"result":`...), out...), '}'), nil
}

// marksOf lists the placeholders in order, in characters.
func marksOf(s sqllex.Statement, style sqllex.Style) []mark {
	type use struct{ offset, number, length int }
	var uses []use
	for _, p := range s.Params {
		for _, pos := range p.Positions {
			uses = append(uses, use{offset: pos.Offset, length: 1 + len(p.Name)})
		}
	}
	slices.SortFunc(uses, func(a, b use) int { return cmp.Compare(a.offset, b.offset) })
	number, known := 0, map[string]int{}
	var marks []mark
	for _, u := range uses {
		name := s.SQL()[u.offset : u.offset+u.length]
		n := known[name]
		if n == 0 || style.Repeat {
			number++
			n = number
			known[name] = n
		}
		marks = append(marks, mark{at: utf8.RuneCountInString(s.SQL()[:u.offset]), bound: len(style.Mark(n)), written: u.length})
	}
	return marks
}

// written turns a character offset in the driver's SQL into one in the SQL as the author wrote it.
func (p *Prepared) written(offset int) int {
	if offset < 0 {
		return -1
	}
	shift := 0 // what the placeholders so far are shorter or longer by
	for _, m := range p.marks {
		at := m.at - shift
		switch {
		case offset < at:
			return offset + shift
		case offset < at+m.bound:
			return m.at
		}
		shift += m.written - m.bound
	}
	return offset + shift
}
