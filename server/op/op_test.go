package op_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
)

type part struct {
	Name  string       `json:"name"`
	Limit *json.Number `json:"limit,omitempty"`
}

type input struct {
	ID     string                     `json:"id"`
	Count  int                        `json:"count,omitempty"`
	On     *bool                      `json:"on,omitempty"`
	Kind   store.DBType               `json:"kind,omitempty"`
	Secret store.Secret               `json:"secret,omitempty"`
	Parts  []part                     `json:"parts,omitempty"`
	Any    json.RawMessage            `json:"any,omitempty"`
	Clear  store.Opt[json.RawMessage] `json:"clear,omitzero"`
	Extra  map[string]json.RawMessage `json:"extra,omitempty"`
	At     *time.Time                 `json:"at,omitempty"`
}

func admin(t *testing.T) context.Context {
	t.Helper()
	return auth.NewContext(t.Context(), auth.Principal{Kind: auth.KindAdmin, ID: "admin", Scopes: auth.Scopes()})
}

func echo(got *input) op.Op {
	return op.New(op.Op{Name: "update_thing", Doc: "Change a thing.", Route: "PATCH /things/{id}", Scope: auth.ScopeWrite, Effect: op.Write},
		func(_ context.Context, in input) (struct{}, error) {
			*got = in
			return struct{}{}, nil
		})
}

// case 74: depth, duplicates, case-different keys, trailing data and other encodings. case 72: fields that are not there.
func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, c := range []struct {
		name, in, field string
		code            store.Code
	}{
		{"not an object", `[1]`, "", store.Malformed},
		{"empty", ``, "", store.Malformed},
		{"trailing data", `{"id":"a"} {}`, "", store.Malformed},
		{"byte order mark", "\ufeff{\"id\":\"a\"}", "", store.Malformed},
		{"invalid UTF-8", "{\"id\":\"\xff\"}", "", store.Malformed},
		{"NaN", `{"id":"a","count":NaN}`, "", store.Malformed},
		{"a lone high surrogate", `{"id":"\ud800"}`, "", store.Malformed}, // case 74
		{"a lone low surrogate", `{"id":"a\udc00"}`, "", store.Malformed},
		{"two high surrogates", `{"id":"\ud83d\ud83d"}`, "", store.Malformed},
		{"half a pair before text", `{"id":"\ud83dA"}`, "", store.Malformed},
		{"half a pair before an escape", `{"id":"\ud83d\n"}`, "", store.Malformed},
		{"a lone surrogate in a key", `{"id":"a","any":{"\uDFFF":1}}`, "", store.Malformed},
		{"a key twice", `{"id":"a","id":"b"}`, "id", store.Malformed},
		{"a key twice below", `{"id":"a","extra":{"x":{"y":1,"y":2}}}`, "extra.x.y", store.Malformed},
		{"an escaped key twice", `{"id":"a","\u0069d":"b"}`, "id", store.Malformed},
		{"too deep", `{"id":"a","any":` + deep + `}`, "any" + strings.Repeat(".0", 64), store.Malformed},
		{"missing", `{}`, "id", store.Invalid},
		{"unknown", `{"id":"a","role":"admin"}`, "role", store.Invalid},
		{"other case", `{"id":"a","Count":1}`, "Count", store.Invalid},
		{"other case below", `{"id":"a","parts":[{"Name":"x"}]}`, "parts.0.Name", store.Invalid},
		{"string for number", `{"id":"a","count":"1"}`, "count", store.Invalid},
		{"fraction for integer", `{"id":"a","count":1.5}`, "count", store.Invalid},
		{"beyond 2^63", `{"id":"a","count":9223372036854775808}`, "count", store.Invalid},
		{"1e400", `{"id":"a","count":1e400}`, "count", store.Invalid},
		{"null for string", `{"id":null}`, "id", store.Invalid},
		{"object for string", `{"id":{}}`, "id", store.Invalid},
		{"not of the enumeration", `{"id":"a","kind":"oracle"}`, "kind", store.Invalid},
		{"empty secret", `{"id":"a","secret":""}`, "secret", store.Invalid},
		{"number for secret", `{"id":"a","secret":7}`, "secret", store.Invalid},
		{"no time", `{"id":"a","at":"yesterday"}`, "", store.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got input
			_, err := echo(&got).Call(admin(t), json.RawMessage(c.in))
			var e *store.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field {
				t.Fatalf("got %v (%+v), want code %s field %q", err, e, c.code, c.field)
			}
			if !reflect.ValueOf(got).IsZero() {
				t.Errorf("the function ran with %+v", got)
			}
		})
	}
}

func TestDecodeNamesEveryField(t *testing.T) {
	var got input
	_, err := echo(&got).Call(admin(t), json.RawMessage(`{"count":"x","nope":1,"parts":[{"limit":"9"}]}`))
	var e *store.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := map[string]string{
		"id": "the field is missing", "count": "expected a whole number, got a string", "nope": "unknown field",
		"parts.0.name": "the field is missing", "parts.0.limit": "expected a number or null, got a string",
	}
	if d := cmp.Diff(want, e.Fields); d != "" {
		t.Error(d)
	}
}

func TestDecodeTakes(t *testing.T) {
	var got input
	in := `{"id":"a","count":9007199254740993,"on":false,"kind":"sqlite","secret":"s3cret","parts":[{"name":"p","limit":12345678901234567890.5}],"any":[1,{"x":null}],"clear":null,"extra":{"k":1},"at":"2026-01-02T03:04:05Z"}`
	if _, err := echo(&got).Call(admin(t), json.RawMessage(in)); err != nil {
		t.Fatal(err)
	}
	if got.Count != 9007199254740993 || *got.On || got.Kind != store.SQLite || got.Parts[0].Limit.String() != "12345678901234567890.5" {
		t.Errorf("got %+v", got)
	}
	if v, ok := got.Secret.Reveal(); !ok || v != "s3cret" {
		t.Error("the secret was not read")
	}
	if !got.Clear.Set || !got.Clear.Null || string(got.Any) != `[1,{"x":null}]` {
		t.Errorf("clear %+v any %s", got.Clear, got.Any)
	}
	for _, id := range []string{`\ud83d\ude00`, `\\ud800`, `\\\\ud800`, `x\u00e9\uD83D\uDE00\ud83d\ude00`, `\\\ud83d\ude00`} {
		if _, err := echo(&got).Call(admin(t), json.RawMessage(`{"id":"`+id+`"}`)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for in, want := range map[string]string{`{"id":"a"}`: "", `{"id":"a","secret":null}`: "cleared", `{"id":"a","secret":"` + store.Mask + `"}`: ""} {
		got = input{}
		if _, err := echo(&got).Call(admin(t), json.RawMessage(in)); err != nil {
			t.Fatal(err)
		}
		if got.Secret.IsCleared() != (want == "cleared") || got.Secret.IsGiven() {
			t.Errorf("%s: secret %#v", in, got.Secret)
		}
	}
}

func TestScopeComesFirst(t *testing.T) {
	var got input
	o := echo(&got)
	_, err := o.Call(t.Context(), json.RawMessage(`not even JSON`))
	if store.CodeOf(err) != store.Unauthorized {
		t.Errorf("nobody: %v", err)
	}
	reader := auth.NewContext(t.Context(), auth.Principal{Kind: auth.KindAgent, Name: "bot", Scopes: []auth.Scope{auth.ScopeRead}})
	if _, err = o.Call(reader, json.RawMessage(`{"id":"a"}`)); store.CodeOf(err) != store.Forbidden {
		t.Errorf("without the scope: %v", err)
	}
}

func TestNewPanicsOnBadDeclarations(t *testing.T) {
	for name, o := range map[string]op.Op{
		"no sentence":     {Name: "x", Route: "GET /x", Scope: auth.ScopeRead},
		"no scope":        {Name: "x", Doc: "X.", Route: "GET /x"},
		"unknown in path": {Name: "x", Doc: "X.", Route: "GET /x/{other}", Scope: auth.ScopeRead},
		"write by GET":    {Name: "x", Doc: "X.", Route: "GET /x", Scope: auth.ScopeRead, Effect: op.Write},
		"read by PATCH":   {Name: "x", Doc: "X.", Route: "PATCH /x", Scope: auth.ScopeRead},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("the declaration was taken")
				}
			}()
			op.New(o, func(context.Context, input) (struct{}, error) { return struct{}{}, nil })
		})
	}
}

type inner struct {
	Kind *store.DBType `json:"kind"`
}

type outer struct {
	store.Meta
	One   inner            `json:"one"`
	Maybe *inner           `json:"maybe"`
	Many  []*inner         `json:"many"`
	Map   map[string]inner `json:"map"`
	Hide  string           `json:"-"`
	Some  *[]string        `json:"some"`
}

func TestCatalog(t *testing.T) {
	c := op.NewCatalog()
	if got := string(c.Ref(reflect.TypeFor[*outer](), true)); got != `{"$ref":"#/components/schemas/Outer"}` {
		t.Errorf("ref %s", got)
	}
	if got := string(c.Ref(reflect.TypeFor[store.Page[*outer]](), true)); got != `{"$ref":"#/components/schemas/OuterPage"}` {
		t.Errorf("ref of a page %s", got)
	}
	parts := c.Parts()
	var got struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
	}
	if err := json.Unmarshal(parts["Outer"], &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"one":   `{"$ref":"#/components/schemas/Inner"}`,
		"maybe": `{"anyOf":[{"$ref":"#/components/schemas/Inner"},{"type":"null"}]}`,
		"many":  `{"type":"array","items":{"$ref":"#/components/schemas/Inner"}}`,
		"some":  `{"type":["array","null"],"items":{"type":"string"}}`,
		"map":   `{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Inner"}}`,
	}
	for field, schema := range want {
		if string(got.Properties[field]) != schema {
			t.Errorf("%s: got %s, want %s", field, got.Properties[field], schema)
		}
	}
	if _, there := got.Properties["version"]; !there || len(got.Properties) != 9 {
		t.Errorf("properties %v", fmt.Sprint(got.Properties))
	}
	if !strings.Contains(string(parts["Inner"]), `null]`) {
		t.Errorf("an enumeration that may be null lacks null: %s", parts["Inner"])
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"id":"a"}`, `{"id":"a","id":"b"}`, `{"id":{"x":[1,2,{}]}}`, `{"ID":"a"}`, `[`, `{"id":"a","extra":{"":null}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := op.Decode[input](json.RawMessage(s))
		if err == nil && v.ID == "" && !strings.Contains(s, `""`) {
			t.Errorf("%q gave an input without an id", s)
		}
		if e := (*store.Error)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("%q gave a foreign error %v", s, err)
		}
	})
}
