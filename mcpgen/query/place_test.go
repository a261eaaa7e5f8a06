package query_test

import (
	"context"
	"log/slog"
	"testing"

	"mcpstudio/mcpgen/query"
)

// watcher hears of each statement that ran, before its transform.
type watcher struct{ ran func() }

func (w watcher) Enabled(context.Context, slog.Level) bool { return true }
func (w watcher) WithAttrs([]slog.Attr) slog.Handler       { return w }
func (w watcher) WithGroup(string) slog.Handler            { return w }
func (w watcher) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "ran statement" {
		w.ran()
	}
	return nil
}

// TestPlaceOfATransform: rows that wait for their transform keep the place of their call, so that others do not pile theirs up beside
// them; rows that go out as they are give it back at once.
func TestPlaceOfATransform(t *testing.T) {
	var b bench
	running := -1
	b = newBench(t, func(o *query.Options, _ *query.Connection) {
		o.Log = slog.New(watcher{func() {
			stats, ok := b.QueueStats("c1")
			if !ok {
				t.Error("the connection is not known")
			}
			running = stats.Running
		}})
	})
	for transform, want := range map[string]int{"": 0, "length": 1} {
		if _, _, err := b.Run(t.Context(), &query.Request{Tool: b.tool(query.Spec{SQL: "SELECT 1 AS one", ReadOnly: true, Transform: transform})}, nil); err != nil {
			t.Fatalf("%q: %v", transform, err)
		}
		if running != want {
			t.Errorf("%q: %d places are taken when the statement has run, want %d", transform, running, want)
		}
	}
}
