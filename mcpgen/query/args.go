package query

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/store"
)

// rule is one compiled parameter.
type rule struct {
	name       string
	typ, item  store.ParamType
	required   bool
	fallback   driver.Arg      // when the argument is absent: the default, or NULL
	defaultRaw json.RawMessage // the same as JSON
	enum       map[string]bool // by appendKey; nil: any
	min, max   *big.Rat
	pattern    *regexp.Regexp
	expect     string // "a whole number from 1 to 100"
}

// newRule compiles p. The caller has checked p with its own Check.
func newRule(p store.Parameter) (rule, error) {
	r := rule{name: p.Name, typ: p.ParamType, required: p.IsRequired, fallback: driver.Arg{Null: true}, defaultRaw: json.RawMessage("null")}
	if p.ParamType == store.TypeArray {
		r.item = p.Items()
	}
	if p.Pattern != "" {
		re, err := regexp.Compile(p.Pattern)
		if err != nil {
			return rule{}, fmt.Errorf("parameter %s: pattern: %w", p.Name, err)
		}
		r.pattern = re
	}
	var err error
	if r.min, err = bound(p.Name, p.Minimum); err != nil {
		return rule{}, err
	}
	if r.max, err = bound(p.Name, p.Maximum); err != nil {
		return rule{}, err
	}
	if len(p.EnumValues) > 0 {
		r.enum = map[string]bool{}
	}
	for _, v := range p.EnumValues {
		a, ok := r.convert(v)
		if !ok {
			return rule{}, fmt.Errorf("parameter %s: the allowed value %s is not of type %s", p.Name, v, p.ParamType)
		}
		r.enum[string(appendKey(nil, r.typ, r.item, a))] = true
	}
	r.expect = expectation(p)
	if len(p.DefaultValue) > 0 && string(p.DefaultValue) != "null" {
		a, ok := r.convert(p.DefaultValue)
		if !ok || !r.allows(a) {
			return rule{}, fmt.Errorf("parameter %s: the default %s is not %s", p.Name, p.DefaultValue, r.expect)
		}
		r.fallback, r.defaultRaw, r.required = a, p.DefaultValue, false
	}
	return r, nil
}

func bound(name string, n *json.Number) (*big.Rat, error) {
	if n == nil {
		return nil, nil
	}
	digits := []byte(*n)
	s := jsonscan.New(digits, nil)
	if s.Number() && s.Offset() == len(digits) {
		if r, ok := rational(digits); ok {
			return r, nil
		}
	}
	return nil, fmt.Errorf("parameter %s: the bound %q is not a number", name, string(*n))
}

// convert checks v, which comes from the configuration and not from a scanner, and converts it.
func (r *rule) convert(v json.RawMessage) (driver.Arg, bool) {
	s := jsonscan.New(v, nil)
	raw, ok := s.Raw()
	if !ok || !s.End() {
		return driver.Arg{}, false
	}
	return convert(r.typ, r.item, raw)
}

// allows reports whether a value of the right type is one of those permitted.
func (r *rule) allows(a driver.Arg) bool {
	if r.enum != nil && !r.enum[string(appendKey(nil, r.typ, r.item, a))] {
		return false
	}
	if r.pattern != nil && !r.pattern.Match(a.Text) {
		return false
	}
	if r.min == nil && r.max == nil {
		return true
	}
	v, ok := rational(a.Text)
	return ok && (r.min == nil || v.Cmp(r.min) >= 0) && (r.max == nil || v.Cmp(r.max) <= 0)
}

// expectation says what an argument must be, for the sentence that refuses one.
func expectation(p store.Parameter) string {
	s := typeWords(p.ParamType)
	if p.ParamType == store.TypeArray {
		s = "an array of at most " + strconv.Itoa(maxItems) + " items, each " + typeWords(p.Items())
	}
	switch {
	case p.Minimum != nil && p.Maximum != nil:
		s += " from " + p.Minimum.String() + " to " + p.Maximum.String()
	case p.Minimum != nil:
		s += " of at least " + p.Minimum.String()
	case p.Maximum != nil:
		s += " of at most " + p.Maximum.String()
	}
	if p.Pattern != "" {
		s += " that matches the regular expression " + p.Pattern
	}
	if len(p.EnumValues) > 0 {
		const most = 20
		var values []string
		for _, v := range p.EnumValues[:min(most, len(p.EnumValues))] {
			values = append(values, string(v))
		}
		s += ", one of " + strings.Join(values, ", ")
		if len(p.EnumValues) > most {
			s += fmt.Sprintf(" and %d more", len(p.EnumValues)-most)
		}
	}
	return s
}

func typeWords(t store.ParamType) string {
	switch t {
	case store.TypeInteger:
		return "a whole number of at most 64 bits"
	case store.TypeNumber:
		return "a number"
	case store.TypeBoolean:
		return "true or false"
	case store.TypeDate:
		return "a date as YYYY-MM-DD"
	case store.TypeDatetime:
		return "a timestamp as RFC 3339, for example 2026-01-31T12:00:00Z"
	}
	return "a string without NUL characters"
}

// values is the room one call needs; the engine reuses it.
type values struct {
	raw   [][]byte     // by rule: as sent, or the default; nil only before the argument is met
	args  []driver.Arg // by rule
	bound []driver.Arg // by placeholder
	key   []byte
	keys  [][]byte // the scanner's memory
}

func (v *values) reset(rules int) {
	v.raw = append(v.raw[:0], make([][]byte, rules)...)
	v.args = append(v.args[:0], make([]driver.Arg, rules)...)
	v.bound, v.key = v.bound[:0], v.key[:0]
}

// parse checks one JSON object against the rules. null means the same as leaving the argument out: the default, or NULL;
// for a required argument it is refused.
func (p *Prepared) parse(args []byte, v *values) *Error {
	v.reset(len(p.rules))
	s := jsonscan.New(args, v.keys)
	if s.End() || string(args[s.Offset():]) == "null" {
		return p.complete(v)
	}
	if s.Peek() != '{' || !s.UTF8() {
		return invalid("", "Arguments must be one JSON object.")
	}
	for o := s.Object(); ; {
		key, ok := s.Member(&o)
		if !ok {
			for i := range p.rules {
				if name := p.rules[i].name; name == string(s.Twice()) {
					return invalid(name, "Argument "+name+" is given twice.")
				}
			}
			break
		}
		raw, ok := s.Raw()
		if !ok {
			break
		}
		if err := p.take(key, raw, v); err != nil {
			return err
		}
	}
	v.keys = s.Memory()
	switch {
	case s.Reason() != "":
		return malformed(": " + s.Reason())
	case !s.End():
		return malformed("")
	}
	return p.complete(v)
}

// take checks one argument. Tools have few parameters, so looking along the rules is faster than a map.
func (p *Prepared) take(key, raw []byte, v *values) *Error {
	for i := range p.rules {
		r := &p.rules[i]
		if string(key) != r.name {
			continue
		}
		v.raw[i] = raw
		if raw[0] == 'n' {
			if r.required {
				return invalid(r.name, "Argument "+r.name+" is required and must not be null; it must be "+r.expect+".")
			}
			v.raw[i], v.args[i] = r.defaultRaw, r.fallback
			return nil
		}
		a, ok := convert(r.typ, r.item, raw)
		if !ok || !r.allows(a) {
			return invalid(r.name, "Argument "+r.name+" must be "+r.expect+"; got "+r.got(raw)+".")
		}
		v.args[i] = a
		return nil
	}
	if p.schema != nil { // the author's schema has said whether it may be there
		return nil
	}
	return p.unknown(key)
}

func (p *Prepared) complete(v *values) *Error {
	for i := range p.rules {
		r := &p.rules[i]
		if v.raw[i] != nil {
			continue
		}
		if r.required {
			return invalid(r.name, "Argument "+r.name+" is missing; it must be "+r.expect+".")
		}
		v.raw[i], v.args[i] = r.defaultRaw, r.fallback
	}
	return nil
}

// unknown names what the tool takes instead. The key is the client's own and is cut short: it goes back to a model.
func (p *Prepared) unknown(key []byte) *Error {
	const most = 64
	if len(key) == 0 {
		return invalid("", "One argument has an empty name.")
	}
	shown := []rune(string(key))
	name := string(shown[:min(most, len(shown))])
	if len(p.rules) == 0 {
		return invalid(name, fmt.Sprintf("Unknown argument %q: this tool takes no arguments.", name))
	}
	var takes []string
	for i := range p.rules {
		takes = append(takes, p.rules[i].name)
	}
	return invalid(name, fmt.Sprintf("Unknown argument %q; this tool takes %s.", name, strings.Join(takes, ", ")))
}

// got names what came instead. The value itself is not repeated: it goes back to a model.
func (r *rule) got(raw []byte) string {
	kind, right := "", false
	switch raw[0] {
	case '"':
		kind, right = "string", r.typ == store.TypeString || r.typ == store.TypeDate || r.typ == store.TypeDatetime
	case '{':
		kind = "object"
	case '[':
		kind, right = "array", r.typ == store.TypeArray
	case 't', 'f':
		kind, right = "boolean", r.typ == store.TypeBoolean
	default:
		kind, right = "number", r.typ == store.TypeInteger || r.typ == store.TypeNumber
	}
	switch {
	case right:
		return "another " + kind
	case kind == "object" || kind == "array":
		return "an " + kind
	}
	return "a " + kind
}

func invalid(argument, message string) *Error {
	return &Error{Code: InvalidParams, Argument: argument, Message: message, Position: -1}
}

func malformed(why string) *Error {
	return invalid("", "Arguments are not one valid JSON object"+why+".")
}
