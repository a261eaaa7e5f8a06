package mcpgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"mcpstudio/store"
)

// member is one key of a JSON object whose order matters to people.
type member struct {
	key   string
	value any
}

// object writes members in order and leaves nil values out.
func object(members ...member) (json.RawMessage, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range members {
		if m.value == nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := encode(m.key)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", m.key, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode is json.Marshal without HTML escapes: models read these bytes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// sorted returns the parameters in the order people gave them.
func sorted(ps []store.Parameter) []store.Parameter {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b store.Parameter) int { return a.SortOrder - b.SortOrder })
	return ps
}

// inputSchema is the JSON Schema (2020-12) of a tool's arguments: the tool's own verbatim, or one made of its parameters.
func inputSchema(t *store.Tool) (json.RawMessage, error) {
	if t.InputSchema != nil {
		return compact(t.InputSchema)
	}
	var properties []member
	required := []string{}
	for _, p := range sorted(t.Parameters) {
		s, err := parameterSchema(p)
		if err != nil {
			return nil, err
		}
		properties = append(properties, member{p.Name, s})
		if mustBeSent(p) {
			required = append(required, p.Name)
		}
	}
	props, err := object(properties...)
	if err != nil {
		return nil, err
	}
	var req any
	if len(required) > 0 {
		req = required
	}
	return object(member{"type", "object"}, member{"properties", props}, member{"required", req}, member{"additionalProperties", false})
}

func parameterSchema(p store.Parameter) (json.RawMessage, error) {
	kind, format := jsonType(p.ParamType)
	var items, description, fallback, enum, low, high, pattern any
	if p.ParamType == store.TypeArray {
		item, _ := jsonType(p.Items())
		items = map[string]string{"type": item}
	}
	if p.Description != "" {
		description = p.Description
	}
	if hasDefault(p) {
		fallback = p.DefaultValue
	}
	if len(p.EnumValues) > 0 {
		enum = p.EnumValues
	}
	if p.Minimum != nil {
		low = *p.Minimum
	}
	if p.Maximum != nil {
		high = *p.Maximum
	}
	if p.Pattern != "" {
		pattern = p.Pattern
	}
	return object(member{"type", kind}, member{"format", format}, member{"items", items}, member{"description", description},
		member{"default", fallback}, member{"enum", enum}, member{"minimum", low}, member{"maximum", high}, member{"pattern", pattern})
}

// hasDefault reports whether something is bound when a parameter is left out. A default of null is none: NULL is bound for an
// optional parameter anyway, and a required one must not be null.
func hasDefault(p store.Parameter) bool {
	return len(p.DefaultValue) > 0 && string(p.DefaultValue) != "null"
}

// jsonType maps a parameter type to JSON Schema; format is nil where there is none.
func jsonType(t store.ParamType) (kind string, format any) {
	switch t {
	case store.TypeDate:
		return "string", "date"
	case store.TypeDatetime:
		return "string", "date-time"
	}
	return string(t), nil
}

// rowsSchema describes what a tool without a transform returns.
const rowsSchema = `{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object"}},"row_count":{"type":"integer","minimum":0},"truncated":{"type":"boolean","description":"true when the row or byte limit cut the result"}},"required":["rows","row_count","truncated"]}`

// outputSchema is the schema of structuredContent: the one known from a preview, the fixed one of plain rows, or none when a
// transform or content blocks make the shape unknown.
func outputSchema(t *store.Tool) (any, error) {
	switch {
	case len(t.Content) > 0:
		return nil, nil
	case t.OutputSchema != nil:
		return compact(t.OutputSchema)
	case t.Transform != "":
		return nil, nil
	}
	return json.RawMessage(rowsSchema), nil
}

// Define returns the exact tools/list entry of a tool. The hints are always written: their defaults in MCP say
// "destructive" and "open world".
func Define(t *store.Tool) (json.RawMessage, error) {
	in, err := inputSchema(t)
	if err != nil {
		return nil, err
	}
	out, err := outputSchema(t)
	if err != nil {
		return nil, err
	}
	var title any
	if t.Title != "" {
		title = t.Title
	}
	hints, err := object(member{"readOnlyHint", t.Annotations.ReadOnly}, member{"destructiveHint", t.Annotations.Destructive},
		member{"idempotentHint", t.Annotations.Idempotent}, member{"openWorldHint", t.Annotations.OpenWorld})
	if err != nil {
		return nil, err
	}
	return object(member{"name", t.Name}, member{"title", title}, member{"description", t.Description},
		member{"inputSchema", in}, member{"outputSchema", out}, member{"annotations", hints})
}

func compact(raw json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Tokens estimates how many tokens a model spends on text: about four characters each for JSON and English.
func Tokens(text []byte) int { return (utf8.RuneCount(text) + 3) / 4 }
