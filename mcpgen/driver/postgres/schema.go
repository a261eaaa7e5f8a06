package postgres

import (
	"context"
	"fmt"
	"strconv"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

var _ driver.Schema = (*pool)(nil)

const userSchemas = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'`

// tablesSQL lists the relations the user can see something of. $1 is a LIKE pattern or NULL, $2 the limit, $3 whether
// columns are wanted. The total stands in every row.
const tablesSQL = `SELECT count(*) OVER () AS total, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.reltuples::int8 AS rows,
	coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), '') AS comment,
	CASE WHEN $3 THEN (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
		'oid', coalesce(nullif(below.typbasetype, 0), nullif(t.typbasetype, 0), t.oid)::int8, 'array', t.typelem <> 0 AND t.typlen = -1, 'nullable', NOT a.attnotnull) ORDER BY a.attnum), '[]')
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type below ON below.oid = t.typbasetype
		WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) ELSE '[]'::json END AS columns
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition AND ` + userSchemas + `
	AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
	AND ($1 IS NULL OR c.relname ILIKE $1 OR n.nspname || '.' || c.relname ILIKE $1)
ORDER BY n.nspname, c.relname LIMIT $2`

const columnsSQL = `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, coalesce(nullif(below.typbasetype, 0), nullif(t.typbasetype, 0), t.oid)::int8 AS oid,
	t.typelem <> 0 AND t.typlen = -1 AS array, NOT a.attnotnull AS nullable,
	coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') AS default,
	coalesce(pg_catalog.col_description(a.attrelid, a.attnum), '') AS comment,
	EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS primary_key
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type below ON below.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const foreignKeysSQL = `SELECT n.nspname AS ref_schema, r.relname AS ref_table,
	(SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n) AS columns,
	(SELECT json_agg(a.attname ORDER BY k.i) FROM unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n) AS ref_columns
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.confrelid JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conrelid = $1 ORDER BY c.conname`

// findSQL resolves a table: in the schema given, or along the search path.
const findSQL = `SELECT c.oid::int8 AS oid, n.nspname AS schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND ($2 <> '' AND n.nspname = $2 OR $2 = '' AND pg_catalog.pg_table_is_visible(c.oid))
	AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')`

// column is a row of the catalog queries.
type column struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	OID        uint32 `json:"oid"`
	Array      bool   `json:"array"`
	Nullable   bool   `json:"nullable"`
	Default    string `json:"default"`
	Comment    string `json:"comment"`
	PrimaryKey bool   `json:"primary_key"`
}

func (c column) convert() driver.Column {
	typ := store.TypeArray
	if !c.Array {
		typ = paramType(c.OID, typeInfo{})
	}
	return driver.Column{Name: c.Name, Type: c.Type, ParamType: typ, Nullable: c.Nullable, Default: c.Default, Comment: c.Comment, PrimaryKey: c.PrimaryKey}
}

// Tables implements driver.Schema.
func (p *pool) Tables(ctx context.Context, q driver.TableQuery) (driver.Tables, error) {
	limit, pattern := q.Bounds()
	type row struct {
		Total   int      `json:"total"`
		Schema  string   `json:"schema"`
		Name    string   `json:"name"`
		Kind    string   `json:"kind"`
		Rows    int64    `json:"rows"`
		Comment string   `json:"comment"`
		Columns []column `json:"columns"`
	}
	rows, err := driver.List[row](ctx, p, p.catalog.tables, limit, pattern, driver.Arg{Text: strconv.AppendInt(nil, int64(limit), 10)}, driver.Arg{Text: strconv.AppendBool(nil, q.Columns)})
	if err != nil {
		return driver.Tables{}, err
	}
	out := driver.Tables{Items: make([]driver.Table, 0, len(rows))}
	for _, r := range rows {
		t := driver.Table{Schema: r.Schema, Name: r.Name, Kind: kindName(r.Kind), Rows: max(r.Rows, -1), Comment: r.Comment}
		for _, c := range r.Columns {
			t.Columns = append(t.Columns, c.convert())
		}
		out.Items, out.Total = append(out.Items, t), r.Total
	}
	out.Truncated = out.Total > len(out.Items)
	return out, nil
}

func kindName(relkind string) string {
	switch relkind {
	case "v":
		return "view"
	case "m":
		return "materialized_view"
	case "f":
		return "foreign_table"
	}
	return "table"
}

// Columns implements driver.Schema.
func (p *pool) Columns(ctx context.Context, schema, table string) (driver.TableInfo, error) {
	type relation struct {
		OID    int64  `json:"oid"`
		Schema string `json:"schema"`
	}
	found, err := driver.List[relation](ctx, p, p.catalog.find, 1, driver.Arg{Text: []byte(table)}, driver.Arg{Text: []byte(schema)})
	if err != nil {
		return driver.TableInfo{}, err
	}
	if len(found) == 0 {
		return driver.TableInfo{}, driver.NewError(driver.KindMissing, fmt.Sprintf("there is no table %q that this user may read", table), nil)
	}
	out := driver.TableInfo{Schema: found[0].Schema, Name: table, ForeignKeys: []driver.ForeignKey{}}
	oid := driver.Arg{Text: strconv.AppendInt(nil, found[0].OID, 10)}
	columns, err := driver.List[column](ctx, p, p.catalog.columns, maxColumns, oid)
	if err != nil {
		return driver.TableInfo{}, err
	}
	for _, c := range columns {
		out.Columns = append(out.Columns, c.convert())
	}
	type foreignKey struct {
		RefSchema  string   `json:"ref_schema"`
		RefTable   string   `json:"ref_table"`
		Columns    []string `json:"columns"`
		RefColumns []string `json:"ref_columns"`
	}
	keys, err := driver.List[foreignKey](ctx, p, p.catalog.foreignKeys, maxColumns, oid)
	if err != nil {
		return driver.TableInfo{}, err
	}
	for _, k := range keys {
		out.ForeignKeys = append(out.ForeignKeys, driver.ForeignKey{Columns: k.Columns, RefSchema: k.RefSchema, RefTable: k.RefTable, RefColumns: k.RefColumns})
	}
	return out, nil
}

// maxColumns is PostgreSQL's own limit (MaxHeapAttributeNumber).
const maxColumns = 1600

// catalog holds our own statements, so that a session prepares each once.
type catalog struct{ tables, find, columns, foreignKeys *driver.Statement }

func newCatalog() catalog {
	statement := func(sql string, types ...store.ParamType) *driver.Statement {
		st := &driver.Statement{SQL: sql, ReadOnly: true}
		for _, t := range types {
			st.Params = append(st.Params, driver.Param{Type: t})
		}
		return st
	}
	return catalog{
		tables:      statement(tablesSQL, store.TypeString, store.TypeInteger, store.TypeBoolean),
		find:        statement(findSQL, store.TypeString, store.TypeString),
		columns:     statement(columnsSQL, store.TypeInteger),
		foreignKeys: statement(foreignKeysSQL, store.TypeInteger),
	}
}
