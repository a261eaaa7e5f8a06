package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"mcpstudio/store"
)

// Bounds returns how many tables are wanted, at most [MaxTables], and the LIKE pattern of the search, in which a backslash
// escapes; NULL stands for all tables.
func (q TableQuery) Bounds() (limit int, pattern Arg) {
	if limit = q.Limit; limit <= 0 {
		limit = 1000
	}
	escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q.Search)
	return min(limit, MaxTables), Arg{Null: q.Search == "", Text: []byte("%" + escaped + "%")}
}

// List runs a driver's own statement about its catalog and decodes the rows, by their columns' names.
func List[Row any](ctx context.Context, p Pool, st *Statement, limit int, args ...Arg) ([]Row, error) {
	b, _, err := p.Query(ctx, st, args, Limits{Rows: limit, Bytes: store.MaxResultBytes}, nil)
	if err != nil {
		return nil, err
	}
	var rows []Row
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	return rows, nil
}
