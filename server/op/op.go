// Package op says what an operation is: one typed function plus everything
// that is public about it. Skins (REST, agent MCP, OpenAPI) read the
// declaration and never add to it.
//
// It promises that an operation's function runs only when the caller holds the
// operation's scope and the input is exactly one JSON object of the declared
// form: no unknown field, no field in another case, none twice, nesting of at
// most MaxDepth. What is wrong comes back as one store.Error that names every
// field concerned.
//
// Its hole: Decode judges form only. What values mean is the function's matter.
package op

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"mcpstudio/auth"
)

// Effect says what an operation does to the configuration.
type Effect uint8

// The effects. Skins derive from them how a call may be made: REST takes the input of a Read from the address alone.
const (
	Read   Effect = iota // no change
	Write                // makes or changes something
	Delete               // removes something
)

// Op is one operation.
type Op struct {
	Name   string     // "update_tool": OpenAPI operationId, agent tool, operation of the history
	Doc    string     // one sentence; people and agents read it
	Tag    string     // the group it is shown under
	Route  string     // "PATCH /tools/{id}"; empty: not served over REST
	Agent  bool       // offered to agents
	Scope  auth.Scope // required, checked in Call so that no skin can forget it
	Effect Effect
	Status int // of a REST answer; 0: 204 for struct{}, else 200

	In, Out         *jsonschema.Schema // everything inline
	InType, OutType reflect.Type       // for a Catalog, which gives names to parts
	// Call checks, decodes and runs. The error is a *store.Error when the caller may be told.
	Call func(ctx context.Context, in json.RawMessage) (any, error)
}

// New declares an operation. It panics on a malformed declaration, so a bad list fails the first test that touches it.
func New[In, Out any](o Op, f func(context.Context, In) (Out, error), enums ...Enum) Op {
	o.InType, o.OutType = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	types := typeSchemas(enums)
	o.In, o.Out = infer(o.InType, lenient(types)), infer(o.OutType, types)
	o.mustBind()
	if o.Status == 0 {
		o.Status = http.StatusOK
		if o.OutType == reflect.TypeFor[struct{}]() {
			o.Status = http.StatusNoContent
		}
	}
	scope, schema := o.Scope, o.In
	o.Call = func(ctx context.Context, raw json.RawMessage) (any, error) {
		if err := auth.Require(ctx, scope); err != nil {
			return nil, err
		}
		var in In
		if err := decode(schema, raw, &in); err != nil {
			return nil, err
		}
		return f(ctx, in)
	}
	return o
}

// Decode reads one JSON object into v by the same rules as an operation's input, for the endpoints that are written by hand.
func Decode[T any](raw json.RawMessage) (T, error) {
	var v T
	err := decode(infer(reflect.TypeFor[T](), typeSchemas(nil)), raw, &v)
	return v, err
}

var routeParam = regexp.MustCompile(`\{(\w+)\}`)

// PathParams returns the names of the route's {parameters}, in order.
func (o Op) PathParams() []string {
	var names []string
	for _, m := range routeParam.FindAllStringSubmatch(o.Route, -1) {
		names = append(names, m[1])
	}
	return names
}

// Method is the HTTP method of the route.
func (o Op) Method() string {
	method, _, _ := strings.Cut(o.Route, " ")
	return method
}

// Path is the route's path with {parameters}.
func (o Op) Path() string {
	_, path, _ := strings.Cut(o.Route, " ")
	return path
}

// FromQuery reports whether REST takes the input from the address: for reads and deletions. Other calls bring a body.
func (o Op) FromQuery() bool {
	return o.Method() == http.MethodGet || o.Method() == http.MethodDelete
}

// mustBind keeps the parts of a declaration in agreement.
func (o Op) mustBind() {
	fail := func(format string, args ...any) {
		panic(fmt.Sprintf("operation %s: %s", o.Name, fmt.Sprintf(format, args...)))
	}
	if o.Name == "" || o.Doc == "" || o.Scope == "" {
		fail("a name, a sentence and a scope are needed")
	}
	if o.In.Type != "object" {
		fail("the input %s is not an object", o.InType)
	}
	for _, p := range o.PathParams() {
		if o.In.Properties[p] == nil {
			fail("the path parameter %q is not a field of %s", p, o.InType)
		}
	}
	if o.Route != "" && (o.Method() == http.MethodGet) != (o.Effect == Read) && o.Method() != http.MethodPost {
		fail("%s does not fit its effect", o.Method())
	}
}
