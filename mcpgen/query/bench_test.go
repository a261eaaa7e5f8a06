package query_test

import (
	"testing"

	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// hotPath runs the statement that benchmarks and the allocation test share.
func hotPath(tb testing.TB, b bench) func() {
	p, err := b.Compile(query.Spec{Connection: "c1", SQL: "SELECT id, name, price FROM item WHERE id = :id", ReadOnly: true, Parameters: []store.Parameter{{Name: "id", ParamType: store.TypeInteger, IsRequired: true}}})
	if err != nil {
		tb.Fatal(err)
	}
	q := &query.Request{Tool: p, Args: []byte(`{"id":2}`), Principal: "p"}
	var buffer []byte
	ctx := tb.Context()
	return func() {
		out, _, err := b.Run(ctx, q, buffer[:0])
		if err != nil {
			tb.Fatal(err)
		}
		buffer = out
	}
}

// TestAllocations keeps the hot path from growing: one indexed row through arguments, queue, database and JSON.
func TestAllocations(t *testing.T) {
	const most = 25
	both(t, nil, func(t *testing.T, b bench) {
		run := hotPath(t, b)
		run()
		if n := testing.AllocsPerRun(200, run); n > most {
			t.Errorf("%v allocations for a call, at most %d are fine", n, most)
		} else {
			t.Logf("%v allocations for a call", n)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	for name, open := range map[string]func(testing.TB) bench{
		"sqlite":     func(tb testing.TB) bench { return newBench(tb, nil) },
		"postgresql": func(tb testing.TB) bench { return newPostgres(tb, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			run := hotPath(b, open(b))
			run()
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}
