package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

var _ driver.Schema = (*pool)(nil)

// catalog holds our own statements, so that a handle prepares each once.
type catalog struct{ tables, columns, foreignKeys *driver.Statement }

func newCatalog() catalog {
	text, integer := driver.Param{Type: store.TypeString}, driver.Param{Type: store.TypeInteger}
	return catalog{
		tables: &driver.Statement{ReadOnly: true, Params: []driver.Param{text, integer}, SQL: `SELECT count(*) OVER () AS total, name, type AS kind
			FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
			AND (?1 IS NULL OR name LIKE ?1 ESCAPE '\') ORDER BY name LIMIT ?2`},
		columns: &driver.Statement{ReadOnly: true, Params: []driver.Param{text}, SQL: `SELECT name, type, "notnull", coalesce(dflt_value, '') AS "default", pk
			FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid`},
		foreignKeys: &driver.Statement{ReadOnly: true, Params: []driver.Param{text}, SQL: `SELECT id, "table" AS ref_table, "from" AS "column", coalesce("to", '') AS ref_column
			FROM pragma_foreign_key_list(?1) ORDER BY id, seq`},
	}
}

// Tables implements driver.Schema. SQLite keeps no estimate of a table's rows and no comments.
func (p *pool) Tables(ctx context.Context, q driver.TableQuery) (driver.Tables, error) {
	limit, pattern := q.Bounds()
	type row struct {
		Total      int
		Name, Kind string
	}
	rows, err := driver.List[row](ctx, p, p.catalog.tables, limit, pattern, driver.Arg{Text: strconv.AppendInt(nil, int64(limit), 10)})
	if err != nil {
		return driver.Tables{}, err
	}
	out := driver.Tables{Items: make([]driver.Table, 0, len(rows))}
	for _, r := range rows {
		t := driver.Table{Schema: "main", Name: r.Name, Kind: "table", Rows: -1}
		if r.Kind == "view" {
			t.Kind = "view"
		}
		if q.Columns {
			t.Columns, err = p.columns(ctx, r.Name)
			if err != nil && driver.KindOf(err) != driver.KindMissing { // a view of what is no longer there has none to tell
				return driver.Tables{}, err
			}
		}
		out.Items, out.Total = append(out.Items, t), r.Total
	}
	out.Truncated = out.Total > len(out.Items)
	return out, nil
}

// maxColumns is SQLite's own upper bound (SQLITE_MAX_COLUMN).
const maxColumns = 32767

func (p *pool) columns(ctx context.Context, table string) ([]driver.Column, error) {
	type row struct {
		Name, Type, Default string
		NotNull, PK         int
	}
	rows, err := driver.List[row](ctx, p, p.catalog.columns, maxColumns, driver.Arg{Text: []byte(table)})
	if err != nil {
		return nil, err
	}
	columns := make([]driver.Column, 0, len(rows))
	for _, r := range rows {
		columns = append(columns, driver.Column{Name: r.Name, Type: r.Type, ParamType: paramType(r.Type), Nullable: r.NotNull == 0, Default: r.Default, PrimaryKey: r.PK > 0})
	}
	return columns, nil
}

// Columns implements driver.Schema.
func (p *pool) Columns(ctx context.Context, schema, table string) (driver.TableInfo, error) {
	if schema != "" && schema != "main" {
		return driver.TableInfo{}, driver.NewError(driver.KindMissing, fmt.Sprintf("there is no schema %q; SQLite has main", schema), nil)
	}
	out := driver.TableInfo{Schema: "main", Name: table, ForeignKeys: []driver.ForeignKey{}}
	var err error
	if out.Columns, err = p.columns(ctx, table); err != nil {
		return driver.TableInfo{}, err
	}
	if len(out.Columns) == 0 {
		return driver.TableInfo{}, driver.NewError(driver.KindMissing, fmt.Sprintf("there is no table %q", table), nil)
	}
	type row struct {
		ID        int
		RefTable  string `json:"ref_table"`
		Column    string
		RefColumn string `json:"ref_column"`
	}
	rows, err := driver.List[row](ctx, p, p.catalog.foreignKeys, maxColumns, driver.Arg{Text: []byte(table)})
	if err != nil {
		return driver.TableInfo{}, err
	}
	last := -1
	for _, r := range rows {
		if r.ID != last {
			out.ForeignKeys, last = append(out.ForeignKeys, driver.ForeignKey{RefSchema: "main", RefTable: r.RefTable}), r.ID
		}
		k := &out.ForeignKeys[len(out.ForeignKeys)-1]
		k.Columns, k.RefColumns = append(k.Columns, r.Column), append(k.RefColumns, r.RefColumn)
	}
	return out, p.impliedKeys(ctx, out.ForeignKeys)
}

// impliedKeys fills in the columns of a key that names only a table: they are that table's primary key.
func (p *pool) impliedKeys(ctx context.Context, keys []driver.ForeignKey) error {
	for i := range keys {
		if !slices.Contains(keys[i].RefColumns, "") {
			continue
		}
		columns, err := p.columns(ctx, keys[i].RefTable)
		if err != nil {
			return err
		}
		keys[i].RefColumns = keys[i].RefColumns[:0]
		for _, c := range columns {
			if c.PrimaryKey {
				keys[i].RefColumns = append(keys[i].RefColumns, c.Name)
			}
		}
	}
	return nil
}
