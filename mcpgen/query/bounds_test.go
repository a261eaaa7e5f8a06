package query_test

import (
	"encoding/json"
	"errors"
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
