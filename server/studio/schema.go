package studio

import (
	"context"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/op"
	"mcpstudio/store"
)

func (s *Service) schemaOps() []op.Op {
	const tag = "schema"
	return []op.Op{
		declare(op.Op{Name: "list_tables", Route: "GET /schema/{connection}/tables", Tag: tag, Agent: true, Scope: auth.ScopeQuery, Doc: "List the tables and views of a connection's database."}, s.listTables),
		declare(op.Op{Name: "list_columns", Route: "GET /schema/{connection}/tables/{table}/columns", Tag: tag, Agent: true, Scope: auth.ScopeQuery, Doc: "Describe one table: columns, primary and foreign keys."}, s.listColumns),
	}
}

type listTables struct {
	Connection string `json:"connection" jsonschema:"id of the connection"`
	Search     string `json:"search,omitempty" jsonschema:"part of a name"`
	Limit      int    `json:"limit,omitempty" jsonschema:"at most 5000; default 1000"`
	Columns    bool   `json:"columns,omitempty" jsonschema:"with the names and types of their columns"`
}

// maxTables is the workbench's own limit of one listing.
const maxTables = 5000

func (s *Service) listTables(ctx context.Context, in listTables) (mcpgen.TablesOut, error) {
	out := mcpgen.TablesOut{}
	if in.Limit < 0 || in.Limit > maxTables {
		return out, store.Invalidf("limit", "limit is 1 to %d, got %d", maxTables, in.Limit)
	}
	_, bench, err := s.benchOf(ctx, in.Connection)
	if err != nil {
		return out, err
	}
	err = s.Workbench.Bench(ctx, bench, mcpgen.BenchTables, mcpgen.TablesIn{Search: in.Search, Columns: in.Columns, Limit: in.Limit}, &out)
	if out.Items == nil {
		out.Items = []mcpgen.Table{}
	}
	return out, err
}

type listColumns struct {
	Connection string `json:"connection" jsonschema:"id of the connection"`
	Table      string `json:"table"`
	Schema     string `json:"schema,omitempty" jsonschema:"left out: the database's own search order decides"`
}

func (s *Service) listColumns(ctx context.Context, in listColumns) (mcpgen.ColumnsOut, error) {
	out := mcpgen.ColumnsOut{}
	_, bench, err := s.benchOf(ctx, in.Connection)
	if err != nil {
		return out, err
	}
	err = s.Workbench.Bench(ctx, bench, mcpgen.BenchColumns, mcpgen.ColumnsIn{Schema: in.Schema, Table: in.Table}, &out)
	if out.Columns == nil {
		out.Columns = []mcpgen.Column{}
	}
	if out.ForeignKeys == nil {
		out.ForeignKeys = []mcpgen.ForeignKey{}
	}
	return out, err
}
