package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/mcpgen/query"
	"mcpstudio/mcpgen/transform"
	"mcpstudio/store"
)

// TestSchemaBounds sends what an author's schema would be checked against for minutes, or with a crash. // case 142
func TestSchemaBounds(t *testing.T) {
	b := newBench(t, nil)
	p := b.tool(query.Spec{SQL: "SELECT :n AS n", ReadOnly: true, Parameters: []store.Parameter{{Name: "n", ParamType: store.TypeNumber}},
		InputSchema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"number","minimum":5},"l":{"type":"array","items":{"type":"integer"}},"u":{"uniqueItems":true},"any":{}}}`)})
	for name, args := range map[string]string{
		"beyond big.Rat, compared":    `{"n":1e9999999}`,
		"beyond big.Rat, hashed":      `{"u":[` + strings.Repeat("1e9999999,", 30) + `1]}`,
		"large numbers":               `{"l":[` + strings.Repeat("1e999999,", 4000) + `1]}`,
		"small numbers":               `{"l":[` + strings.Repeat("1E-999999,", 4000) + `1]}`,
		"a negative number":           `{"any":-1e+9999999}`,
		"many digits":                 `{"any":` + strings.Repeat("9", 1001) + `}`,
		"behind a string with quotes": `{"s":"\\\"[{,","any":1e1001}`,
		"many values":                 `{"any":[` + strings.Repeat("[],", 50_000) + `1]}`,
	} {
		var e *query.Error
		best := time.Hour
		for n := 0; n < 10 && best > 2*time.Second; n++ { // again on a busy machine
			start := time.Now()
			e = b.refusal(query.Request{Tool: p, Args: []byte(args)})
			best = min(best, time.Since(start))
		}
		if e.Code != query.InvalidParams || !strings.HasPrefix(e.Message, "Arguments hold ") {
			t.Errorf("%s: got %s: %s", name, e.Code, e.Message)
		}
		if best > 2*time.Second {
			t.Errorf("%s: took %s", name, best)
		}
	}
	for _, args := range []string{`{"n":1e300}`, `{"n":5,"any":"1e9999999, \" [1e9999999"}`, `{"n":5,"any":[` + strings.Repeat("0,", 50_000) + `1]}`, `{"n":5,"l":[` + strings.Repeat("1e1000,", 900) + `1]}`} {
		if _, _, err := b.Run(t.Context(), &query.Request{Tool: p, Args: []byte(args)}, nil); err != nil {
			t.Errorf("%.60s: %v", args, err)
		}
	}
}

// doubling is a schema whose parts ask twice for the next one each, by a keyword that takes a list or an object of them.
func doubling(steps int, part, last, root string) json.RawMessage {
	var defs strings.Builder
	for i := range steps {
		ref := fmt.Sprintf(`{"$ref":"#/$defs/a%d"}`, i+1)
		fmt.Fprintf(&defs, `"a%d":%s,`, i, strings.ReplaceAll(part, "NEXT", ref))
	}
	return json.RawMessage(fmt.Sprintf(`{"type":"object","properties":{"l":{"$ref":"#/$defs/list"}},%s,"$defs":{%s"a%d":%s,"list":{"items":{"$ref":"#/$defs/list"}}}}`, root, defs.String(), steps, last))
}

// TestSchemaThatDoubles compares a small object with schemas that would take days for it. // case 142
func TestSchemaThatDoubles(t *testing.T) {
	b := newBench(t, nil)
	for name, schema := range map[string]json.RawMessage{
		"allOf":            doubling(60, `{"allOf":[NEXT,NEXT]}`, `{"type":"object"}`, `"$ref":"#/$defs/a0"`),
		"anyOf":            doubling(60, `{"anyOf":[NEXT,NEXT]}`, `{"type":"string"}`, `"not":{"$ref":"#/$defs/a0"}`),
		"oneOf":            doubling(60, `{"oneOf":[NEXT,NEXT]}`, `{"type":"string"}`, `"not":{"$ref":"#/$defs/a0"}`),
		"if and then":      doubling(60, `{"if":NEXT,"then":NEXT}`, `true`, `"$ref":"#/$defs/a0"`),
		"dependentSchemas": doubling(60, `{"dependentSchemas":{"x":NEXT,"y":NEXT}}`, `{"type":"string"}`, `"not":{"$ref":"#/$defs/a0"}`),
	} {
		if err := store.CheckSchema(schema); err != nil {
			t.Fatalf("%s: cannot be saved, so this test shows nothing: %v", name, err)
		}
		p := b.tool(query.Spec{SQL: "SELECT 1 AS a", ReadOnly: true, InputSchema: schema})
		args := []byte(`{"x":1,"y":2}`)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		var e *query.Error
		start := time.Now()
		if _, _, err := b.Run(ctx, &query.Request{Tool: p, Args: args}, nil); !errors.As(err, &e) || e.Code != query.Cancelled || time.Since(start) > 20*time.Second {
			t.Errorf("%s, cancelled: got %v after %s", name, err, time.Since(start))
		}
		cancel()
		if name != "allOf" || testing.Short() {
			continue
		}
		if e := b.refusal(query.Request{Tool: p, Args: args}); e.Code != query.InvalidParams || !strings.Contains(e.Message, "take too long") {
			t.Errorf("%s: got %s: %s", name, e.Code, e.Message)
		}
	}
	// One that refers to itself, and one that asks much of many values, are checked as ever.
	p := b.tool(query.Spec{SQL: "SELECT 1 AS a", ReadOnly: true, InputSchema: doubling(5, `{"allOf":[NEXT,NEXT]}`, `{"maxProperties":2}`, `"$ref":"#/$defs/a0"`)})
	for args, want := range map[string]string{`{"l":[[[1,[2]],3]]}`: "", `{"a":1,"b":2,"c":3}`: "maxProperties", `{"l":[` + strings.Repeat("[1],", 20_000) + `2]}`: ""} {
		_, _, err := b.Run(t.Context(), &query.Request{Tool: p, Args: []byte(args)}, nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %q", args, err, want)
		}
	}
}

// TestTransformsTogether runs a transform many times at once that is well within its limits alone.
func TestTransformsTogether(t *testing.T) {
	b := newBench(t, nil)
	p := b.tool(query.Spec{SQL: "SELECT 1 AS one", ReadOnly: true, Transform: "[range(150000) | tostring] | length"})
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if _, _, err := b.Run(t.Context(), &query.Request{Tool: p}, nil); errors.Is(err, transform.ErrMemory) { // a slow machine may take too long
				t.Error(err)
			}
		})
	}
	all.Wait()
}
