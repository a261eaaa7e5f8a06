package query_test

import (
	"strings"
	"testing"

	"mcpstudio/mcpgen/query"
)

// TestRequestsLowerLimits: what a request asks for lowers the connection's limits and never raises them.
func TestRequestsLowerLimits(t *testing.T) {
	b := newBench(t, func(_ *query.Options, c *query.Connection) { c.MaxRows, c.MaxBytes = 2, 100 })
	three := b.tool(query.Spec{SQL: "SELECT id FROM item", ReadOnly: true})
	for wanted, want := range map[int]int{0: 2, 1: 1, 2: 2, 3: 2, 1000: 2} {
		_, res, err := b.Run(t.Context(), &query.Request{Tool: three, Limits: query.Limits{Rows: wanted}}, nil)
		if err != nil || res.RowCount != want || !res.Truncated {
			t.Errorf("%d rows wanted: %d %t %v, want %d", wanted, res.RowCount, res.Truncated, err, want)
		}
	}
	long := b.tool(query.Spec{SQL: "SELECT hex(zeroblob(45)) AS v FROM item LIMIT 2", ReadOnly: true}) // rows of 99 bytes
	for _, wanted := range []int{0, 100, 1 << 20} {
		out, res, err := b.Run(t.Context(), &query.Request{Tool: long, Limits: query.Limits{Bytes: wanted}}, nil)
		if err != nil || res.RowCount > 1 || strings.Count(string(out), "{") > 2 {
			t.Errorf("%d bytes wanted: %d rows, %v", wanted, res.RowCount, err)
		}
	}
}
