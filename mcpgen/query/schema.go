package query

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxCheck is how long the arguments of one call may be compared with an author's schema. Parts that refer to one another twice, and
// those twice again, take time that doubles with each step, within any bound on the schema's size.
const maxCheck = 5 * time.Second

// errTooLong says that maxCheck has passed.
var errTooLong = errors.New("comparing the arguments with the input schema takes too long")

// schema is an author's schema, compiled. The validator behind it knows no context; what stops it is a format, which it asks of
// every value that comes to a part of the schema, before anything that takes time. So one check runs at a time.
type schema struct {
	turn     chan struct{} // one token
	compiled *jsonschema.Schema

	ctx  context.Context // of the check that runs; belongs to whoever has the token
	asks int
}

// compileSchema compiles an author's schema. It may not refer to anything outside itself.
func compileSchema(raw json.RawMessage) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	const self = "urn:tool:input"
	if err := c.AddResource(self, doc); err != nil {
		return nil, err
	}
	s := &schema{turn: make(chan struct{}, 1)}
	if s.compiled, err = c.Compile(self); err != nil {
		return nil, err
	}
	limit := &jsonschema.Format{Name: "time limit", Validate: s.ask}
	eachPart(reflect.ValueOf(s.compiled), map[*jsonschema.Schema]bool{}, func(part *jsonschema.Schema) {
		part.Format = limit // there is none to be replaced: in JSON Schema 2020-12 a format is a note and not a rule
	})
	return s, nil
}

// eachPart calls f for every part that v leads to, once. It follows whatever can hold a schema, so that no keyword is forgotten.
func eachPart(v reflect.Value, seen map[*jsonschema.Schema]bool, f func(*jsonschema.Schema)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if part, ok := v.Interface().(*jsonschema.Schema); ok && part != nil {
			if seen[part] {
				return
			}
			seen[part] = true
			f(part)
		}
		eachPart(v.Elem(), seen, f)
	case reflect.Slice:
		for i := range v.Len() {
			eachPart(v.Index(i), seen, f)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			eachPart(entries.Value(), seen, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachPart(v.Field(i), seen, f)
			}
		}
	}
}

// ask is the format. It ends a check whose time is over by a panic: a part that merely fails would only make the validator try others.
func (s *schema) ask(any) error {
	const between = 256 // looks at the clock
	if s.asks++; s.asks%between == 0 && s.ctx.Err() != nil {
		panic(errTooLong)
	}
	return nil
}

// check compares one document with the schema. The error is a *jsonschema.ValidationError, errTooLong or that of ctx.
func (s *schema) check(ctx context.Context, doc any) (err error) {
	limited, cancel := context.WithTimeout(ctx, maxCheck)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-limited.Done():
		return ended(ctx)
	}
	s.ctx = limited
	defer func() {
		switch v := recover(); v {
		case nil:
		case any(errTooLong):
			err = ended(ctx)
		default:
			panic(v)
		}
	}()
	return s.compiled.Validate(doc)
}

// ended says why a check did not come to its end.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errTooLong
}

// noLoader refuses every reference that would leave the schema: a file or a network address.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, errors.New("a schema refers to nothing outside itself; it refers to " + url)
}

// check validates the arguments against the author's schema, where there is one.
func (p *Prepared) check(ctx context.Context, args []byte) *Error {
	if p.schema == nil {
		return nil
	}
	if len(args) == 0 || string(args) == "null" {
		args = []byte("{}")
	}
	if why := excess(args); why != "" {
		return invalid("", "Arguments "+why+".")
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(args)))
	if err != nil {
		return malformed("")
	}
	err = p.schema.check(ctx, doc)
	var bad *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return schemaError(bad)
	case ctx.Err() != nil:
		return &Error{Code: Cancelled, Message: "The call was cancelled.", Position: -1, Err: err}
	case errors.Is(err, errTooLong):
		return invalid("", "The arguments take too long to compare with the tool's input schema. Send fewer values; if that does not help, the tool's author must mend the schema.")
	}
	return invalid("", "The arguments cannot be checked.")
}
