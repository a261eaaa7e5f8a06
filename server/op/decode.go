package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"mcpstudio/store"
)

// MaxDepth is how deep an input may nest. No entity needs ten; a deep input only costs memory.
const MaxDepth = 64

// decode checks raw against the schema and reads it into v. Form errors are Malformed; fields that break the schema are one
// Invalid error that names each.
func decode(s *jsonschema.Schema, raw json.RawMessage, v any) error {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return malformed("", "the input is not valid JSON in UTF-8")
	}
	if loneSurrogate(raw) {
		return malformed("", "the input has half of a surrogate pair, which no text can hold")
	}
	c := checker{d: json.NewDecoder(bytes.NewReader(raw))}
	c.d.UseNumber()
	if first := bytes.TrimLeft(raw, " \t\r\n"); first[0] != '{' {
		return malformed("", "the input is one JSON object")
	}
	if err := c.value("", s, 0); err != nil {
		return err
	}
	if err := c.wrong.Err(); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return rewrite(err)
	}
	return nil
}

// loneSurrogate reports whether a string in valid JSON escapes half of a surrogate pair (RFC 7493, section 2.1): the decoder would
// quietly put another character in its place.
func loneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		r, ok := escaped(raw[i:])
		switch {
		case !ok:
			i++ // the escape of one character, perhaps of a backslash
		case !utf16.IsSurrogate(r):
			i += escapeLen - 1
		default:
			low, ok := escaped(raw[i+escapeLen:])
			if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
				return true
			}
			i += 2*escapeLen - 1
		}
	}
	return false
}

// escapeLen is the length of an escape such as \u00e9.
const escapeLen = 6

// escaped reads an escape by number at the beginning of b.
func escaped(b []byte) (r rune, ok bool) {
	if len(b) < escapeLen || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:escapeLen]), 16, 16)
	return rune(n), err == nil
}

// rewrite turns an error of the decoder into one a caller can act on. It is reached by values that fit the schema and still
// not the type, such as a time that is no time.
func rewrite(err error) error {
	if own := (*store.Error)(nil); errors.As(err, &own) {
		return own
	}
	if typed := (*json.UnmarshalTypeError)(nil); errors.As(err, &typed) {
		return &store.Error{Code: store.Invalid, Field: typed.Field, Message: "the value does not fit the field", Err: err}
	}
	return &store.Error{Code: store.Invalid, Message: "a value does not fit its field", Err: err}
}

func malformed(field, format string, args ...any) error {
	return &store.Error{Code: store.Malformed, Field: field, Message: fmt.Sprintf(format, args...)}
}

// checker walks the tokens of one input beside its schema.
type checker struct {
	d     *json.Decoder
	wrong store.Fields
}

// value reads one value. A nil schema, or one without types, takes anything, but still no key twice and no great depth.
func (c *checker) value(at string, s *jsonschema.Schema, depth int) error {
	if depth > MaxDepth {
		return malformed(at, "the input nests deeper than %d levels", MaxDepth)
	}
	t, err := c.d.Token()
	if err != nil {
		return malformed(at, "the input is not valid JSON")
	}
	kind := kindOf(t)
	fits := accepts(s, kind)
	if !fits {
		c.wrong.Add(at, "expected %s, got %s", expected(s), article(kind))
		s = nil
	}
	switch x := t.(type) {
	case json.Delim:
		if x == '{' {
			return c.object(at, s, depth)
		}
		return c.array(at, s, depth)
	case string:
		c.text(at, s, x)
	case json.Number:
		c.number(at, s, x.String())
	}
	return nil
}

func (c *checker) object(at string, s *jsonschema.Schema, depth int) error {
	seen := map[string]bool{}
	for c.d.More() {
		t, err := c.d.Token()
		key, isKey := t.(string)
		if err != nil || !isKey {
			return malformed(at, "the input is not valid JSON")
		}
		if seen[key] {
			return malformed(join(at, key), "the field is there twice")
		}
		seen[key] = true
		if err := c.value(join(at, key), c.member(at, key, s), depth+1); err != nil {
			return err
		}
	}
	if s != nil {
		for _, name := range s.Required {
			if !seen[name] {
				c.wrong.Add(join(at, name), "the field is missing")
			}
		}
	}
	_, err := c.d.Token()
	return err
}

// member returns the schema of one key, or notes that there is no such field.
func (c *checker) member(at, key string, s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil {
		return nil
	}
	if p := s.Properties[key]; p != nil {
		return p
	}
	if s.AdditionalProperties == nil || s.AdditionalProperties.Not == nil {
		return s.AdditionalProperties
	}
	for name := range s.Properties {
		if strings.EqualFold(name, key) {
			c.wrong.Add(join(at, key), "unknown field; field names are case-sensitive, write %q", name)
			return nil
		}
	}
	c.wrong.Add(join(at, key), "unknown field")
	return nil
}

func (c *checker) array(at string, s *jsonschema.Schema, depth int) error {
	var items *jsonschema.Schema
	if s != nil {
		items = s.Items
	}
	for i := 0; c.d.More(); i++ {
		if err := c.value(join(at, strconv.Itoa(i)), items, depth+1); err != nil {
			return err
		}
	}
	_, err := c.d.Token()
	return err
}

func (c *checker) text(at string, s *jsonschema.Schema, v string) {
	if s == nil {
		return
	}
	if s.Format == secretFormat { // judged here, where the field's name is known
		quoted, err := json.Marshal(v)
		if err == nil {
			err = new(store.Secret).UnmarshalJSON(quoted)
		}
		c.wrong.Merge(at, err)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, any(v)) {
		c.wrong.Add(at, "expected one of %s%s", listed(s.Enum), store.Got(v))
	}
}

func (c *checker) number(at string, s *jsonschema.Schema, digits string) {
	if s == nil || !slices.Contains(kinds(s), "integer") {
		return
	}
	if _, err := strconv.ParseInt(digits, 10, 64); err != nil {
		c.wrong.Add(at, "expected a whole number, got %s", store.Clip(digits))
	}
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

func kindOf(t json.Token) string {
	switch x := t.(type) {
	case json.Delim:
		if x == '{' {
			return "object"
		}
		return "array"
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

// kinds lists the JSON types a schema takes; none means any.
func kinds(s *jsonschema.Schema) []string {
	if s.Type != "" {
		return []string{s.Type}
	}
	return s.Types
}

func accepts(s *jsonschema.Schema, kind string) bool {
	if s == nil || len(kinds(s)) == 0 {
		return true
	}
	return slices.Contains(kinds(s), kind) || kind == "number" && slices.Contains(kinds(s), "integer")
}

func article(kind string) string {
	switch kind {
	case "null":
		return "null"
	case "object", "array":
		return "an " + kind
	case "integer":
		return "a whole number"
	}
	return "a " + kind
}

func expected(s *jsonschema.Schema) string {
	words := []string{}
	for _, k := range kinds(s) {
		words = append(words, article(k))
	}
	slices.SortFunc(words, func(a, b string) int { // null last
		return map[bool]int{true: 1}[a == "null"] - map[bool]int{true: 1}[b == "null"]
	})
	return strings.Join(words, " or ")
}

func listed(values []any) string {
	words := []string{}
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	return strings.Join(words, ", ")
}
