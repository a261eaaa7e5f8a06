package op

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"mcpstudio/store"
)

// Enum lists the values of a string type, for schemas and for checking inputs.
type Enum struct {
	of     reflect.Type
	values []any
}

// EnumOf declares the values of T.
func EnumOf[T ~string](values ...T) Enum {
	e := Enum{of: reflect.TypeFor[T]()}
	for _, v := range values {
		e.values = append(e.values, string(v))
	}
	return e
}

// secretFormat marks store.Secret in a schema, as OpenAPI marks what forms should hide.
const secretFormat = "password"

// typeSchemas says how the types that marshal themselves look, and which strings are enumerations.
func typeSchemas(enums []Enum) map[reflect.Type]*jsonschema.Schema {
	secret := &jsonschema.Schema{
		Types: []string{"string", "null"}, Format: secretFormat,
		Description: "in answers the mask " + store.Mask + ", or null when none is stored; in inputs the mask leaves it as it is, null removes it",
	}
	m := map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage]():            {},
		reflect.TypeFor[json.Number]():                {Type: "number"},
		reflect.TypeFor[store.Secret]():               secret,
		reflect.TypeFor[store.Opt[json.RawMessage]](): {},
		reflect.TypeFor[store.Opt[string]]():          {Types: []string{"string", "null"}},
		reflect.TypeFor[store.Opt[int]]():             {Types: []string{"integer", "null"}},
		reflect.TypeFor[time.Time]():                  {Type: "string", Format: "date-time"},
	}
	enums = append([]Enum{
		EnumOf(store.DBTypes()...), EnumOf(store.SSLModes()...), EnumOf(store.ParamTypes()...),
		EnumOf(store.AuthNone, store.AuthBearer, store.AuthOAuth, store.AuthIntrospection),
		EnumOf(store.RevisionStarting, store.RevisionLive, store.RevisionRetired, store.RevisionFailed),
		EnumOf(store.Codes()...),
	}, enums...)
	for _, e := range enums {
		m[e.of] = &jsonschema.Schema{Type: "string", Enum: e.values}
	}
	return m
}

// lenient gives the parts of inputs that people write by hand their few required members: a parameter without a description, or
// annotations that name one hint, mean the zero value for the rest.
func lenient(types map[reflect.Type]*jsonschema.Schema) map[reflect.Type]*jsonschema.Schema {
	out := maps.Clone(types)
	for t, required := range map[reflect.Type][]string{
		reflect.TypeFor[store.Parameter]():   {"name", "param_type"},
		reflect.TypeFor[store.Annotations](): nil,
		reflect.TypeFor[store.Content]():     {"type"},
		reflect.TypeFor[store.Argument]():    {"name"},
		reflect.TypeFor[store.Block]():       {"role", "type"},
	} {
		s := infer(t, types)
		s.Required = required
		out[t] = s
	}
	return out
}

// infer makes the schema of a type with everything inline.
func infer(t reflect.Type, types map[reflect.Type]*jsonschema.Schema) *jsonschema.Schema {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", t, err))
	}
	return s
}

// Catalog gives names to the structs of schemas, so that a document holds each once and generated clients have a type for it.
type Catalog struct {
	types map[reflect.Type]*jsonschema.Schema // leaves and enumerations
	names map[reflect.Type]string
	parts map[string]*jsonschema.Schema
}

// NewCatalog makes an empty catalog.
func NewCatalog(enums ...Enum) *Catalog {
	return &Catalog{types: typeSchemas(enums), names: map[reflect.Type]string{}, parts: map[string]*jsonschema.Schema{}}
}

const refPrefix = "#/components/schemas/"

// Ref returns the schema of t: a reference for a struct, whose parts are added to the catalog. Properties named in without are
// left out of the struct itself: they come from the path. answer says that the value is written by us, where an array is never null.
func (c *Catalog) Ref(t reflect.Type, answer bool, without ...string) json.RawMessage {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &jsonschema.Schema{Ref: refPrefix + c.add(t, answer, without)}
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", t, err)) // schemas of Go types always encode
	}
	return b
}

// Parts returns the named schemas.
func (c *Catalog) Parts() map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, s := range c.parts {
		b, err := json.Marshal(s)
		if err != nil {
			panic(fmt.Sprintf("schema %s: %v", name, err))
		}
		out[name] = b
	}
	return out
}

// add makes the part of one struct and, first, those of the structs below it.
func (c *Catalog) add(t reflect.Type, answer bool, without []string) string {
	if name, done := c.names[t]; done {
		return name
	}
	name := nameOf(t)
	if c.parts[name] != nil { // another package's type came first: the package tells them apart
		name = plain(path.Base(t.PkgPath())) + name
	}
	c.names[t] = name
	c.parts[name] = &jsonschema.Schema{} // holds the place of the name
	types := maps.Clone(c.types)
	for below := range c.structsBelow(t) {
		types[below] = &jsonschema.Schema{Ref: refPrefix + c.add(below, answer, nil)}
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: types})
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", t, err))
	}
	for _, p := range without {
		delete(s.Properties, p)
		s.PropertyOrder = slices.DeleteFunc(s.PropertyOrder, func(n string) bool { return n == p })
		s.Required = slices.DeleteFunc(s.Required, func(n string) bool { return n == p })
	}
	settle(s, answer)
	if answer {
		optionalLists(t, s)
	}
	c.parts[name] = s
	return name
}

// optionalLists gives the fields that are pointers to lists their null back: there null means something, in answers too.
func optionalLists(t reflect.Type, s *jsonschema.Schema) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if p := s.Properties[name]; p != nil && p.Type == "array" && f.Type.Kind() == reflect.Pointer {
			p.Type, p.Types = "", []string{"array", "null"}
		}
	}
}

// structsBelow finds the named structs that fields of t refer to. Embedded ones are flattened, so what they refer to counts.
func (c *Catalog) structsBelow(t reflect.Type) map[reflect.Type]bool {
	found := map[reflect.Type]bool{}
	var visit func(reflect.Type, bool)
	visit = func(t reflect.Type, inside bool) {
		if c.types[t] != nil {
			return
		}
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			visit(t.Elem(), inside)
		case reflect.Struct:
			if inside && t.Name() != "" {
				found[t] = true
				return
			}
			for f := range t.Fields() {
				if f.Anonymous {
					visit(f.Type, false)
				} else if f.IsExported() && f.Tag.Get("json") != "-" {
					visit(f.Type, true)
				}
			}
		}
	}
	visit(t, false)
	return found
}

// settle mends what inference leaves: a reference that may be null, arrays of pointers, null beside an enumeration, and arrays
// of answers, which are never null.
func settle(s *jsonschema.Schema, answer bool) {
	if s == nil {
		return
	}
	for _, p := range s.Properties {
		settle(p, answer)
	}
	settle(s.AdditionalProperties, answer)
	if s.Items != nil {
		if s.Items.Ref != "" {
			s.Items.Types = nil // a list of pointers holds no nil
		}
		settle(s.Items, answer)
	}
	if s.Ref != "" && len(s.Types) > 0 {
		s.AnyOf = []*jsonschema.Schema{{Ref: s.Ref}, {Type: "null"}}
		s.Ref, s.Types = "", nil
	}
	if len(s.Enum) > 0 && slices.Contains(s.Types, "null") {
		s.Enum = append(slices.Clone(s.Enum), nil)
	}
	if s.Items != nil && answer && len(s.Types) > 0 {
		s.Type, s.Types = "array", nil
	}
}
