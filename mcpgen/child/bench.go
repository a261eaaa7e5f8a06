package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// benchTime bounds what a workbench does besides previews and checks, which have
// limits of their own.
const benchTime = 30 * time.Second

// previewTime is the limit of previews and checks.
const previewTime = mcpgen.PreviewSeconds * time.Second

// bench is the workbench of one connection.
type bench struct {
	engine     *query.Engine
	connection string
	log        *slog.Logger
	server     *server // with no tools: what previews borrow to show a client's result
}

func newBench(m *mcpgen.Manifest, e *query.Engine, log *logger) (*bench, error) {
	if len(m.Connections) != 1 {
		return nil, fmt.Errorf("a workbench has one connection, not %d", len(m.Connections))
	}
	s := &server{manifest: m, engine: e, log: log.slog(), tails: newTails(m.Server.Name, "draft")}
	return &bench{engine: e, connection: m.Connections[0].ID, log: log.slog(), server: s}, nil
}

func (w *bench) close() { w.engine.Close() }

// Inline implements hop.Handler: everything asks the database.
func (w *bench) Inline(*hop.Request) bool { return false }

// Serve implements hop.Handler.
func (w *bench) Serve(ctx context.Context, q *hop.Request, r *hop.Reply) {
	defer func() {
		if v := recover(); v != nil {
			w.log.Error("panic in the workbench", "method", string(q.Method), "panic", fmt.Sprint(v), "stack", firstFrames(debug.Stack()))
			refuse(r, mcpgen.BenchError{Code: store.Internal, Message: "The workbench failed on this. The deploy log says why."})
		}
	}()
	var err error
	switch string(q.Method) {
	case mcpgen.BenchTest:
		err = answer(ctx, q, r, w.test)
	case mcpgen.BenchTables:
		err = answer(ctx, q, r, w.tables)
	case mcpgen.BenchColumns:
		err = answer(ctx, q, r, w.columns)
	case mcpgen.BenchPreview:
		err = answer(ctx, q, r, w.preview)
	case mcpgen.BenchCheck:
		err = answer(ctx, q, r, w.check)
	default:
		err = &store.Error{Code: store.NotFound, Message: "The workbench has no such method."}
	}
	if err != nil {
		refuse(r, w.explain(q, err))
	}
}

// answer decodes, runs and encodes one request.
func answer[In, Out any](ctx context.Context, q *hop.Request, r *hop.Reply, do func(context.Context, In) (Out, error)) error {
	var in In
	if err := json.Unmarshal(q.Args, &in); err != nil {
		return &store.Error{Code: store.Malformed, Message: "The request to the workbench has another form.", Err: err}
	}
	out, err := do(ctx, in)
	if err != nil {
		return err
	}
	r.Body, err = json.Marshal(out)
	return err
}

func refuse(r *hop.Reply, e mcpgen.BenchError) {
	r.Status, r.Code = http.StatusUnprocessableEntity, "refused"
	b, err := json.Marshal(e)
	if err != nil { // two strings always marshal
		b = nil
	}
	r.Body = append(r.Body[:0], b...)
}

// explain turns an error into what the admin reads. Unlike a client, the admin
// sees the database's own words.
func (w *bench) explain(q *hop.Request, err error) mcpgen.BenchError {
	var known *store.Error
	var failed *query.Error
	var said *driver.Error
	switch {
	case errors.As(err, &known):
		return mcpgen.BenchError{Code: known.Code, Field: known.Field, Message: known.Message}
	case errors.As(err, &failed):
		return queryRefusal(failed)
	case errors.As(err, &said):
		return mcpgen.BenchError{Code: store.Invalid, Message: said.Error() + hint(said.Hint)}
	case errors.Is(err, context.DeadlineExceeded):
		return mcpgen.BenchError{Code: store.Unavailable, Message: "The database did not answer in time."}
	}
	w.log.Error("the workbench failed", "method", string(q.Method), "error", err.Error())
	return mcpgen.BenchError{Code: store.Internal, Message: "The workbench failed on this. The deploy log says why."}
}

func queryRefusal(e *query.Error) mcpgen.BenchError {
	out := mcpgen.BenchError{Code: store.Invalid, Field: "sql_query", Message: e.Message}
	switch e.Code {
	case query.InvalidParams:
		out.Field = "arguments"
		if e.Argument != "" {
			out.Field += "." + e.Argument
		}
		return out
	case query.Transform:
		out.Field = "transform"
	case query.Unavailable, query.QueueTimeout, query.Cancelled:
		out.Code, out.Field = store.Unavailable, ""
	case query.Internal:
		out.Code, out.Field = store.Internal, ""
	}
	if e.Detail != "" {
		out.Message += " The database says: " + e.Detail
	}
	out.Message += hint(e.Hint)
	return out
}

func hint(h string) string {
	if h == "" {
		return ""
	}
	return " " + h
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// test connects step by step. A test that fails is an answer.
func (w *bench) test(ctx context.Context, _ struct{}) (mcpgen.TestResult, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	out := mcpgen.TestResult{Steps: []mcpgen.TestStep{}, Warnings: []string{}}
	info, err := w.engine.Test(ctx, w.connection, func(s driver.Step) {
		out.Steps = append(out.Steps, mcpgen.TestStep{Name: s.Name, OK: s.OK, MS: millis(s.Took), Message: s.Message, Hint: s.Hint})
	})
	var known *store.Error
	if errors.As(err, &known) {
		return out, err
	}
	if err != nil && (len(out.Steps) == 0 || out.Steps[len(out.Steps)-1].OK) {
		return out, err // no step says what happened
	}
	out.Success = err == nil
	out.LatencyMS, out.ServerVersion = millis(info.Latency), info.Version
	out.Warnings = append(out.Warnings, info.Warnings...)
	return out, nil
}

func (w *bench) tables(ctx context.Context, in mcpgen.TablesIn) (mcpgen.TablesOut, error) {
	out := mcpgen.TablesOut{Items: []mcpgen.Table{}}
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	schema, err := w.engine.Schema(w.connection)
	if err != nil {
		return out, err
	}
	found, err := schema.Tables(ctx, driver.TableQuery{Search: in.Search, Columns: in.Columns, Limit: in.Limit})
	if err != nil {
		return out, err
	}
	out.Total, out.Truncated = found.Total, found.Truncated
	for _, t := range found.Items {
		item := mcpgen.Table{Schema: t.Schema, Name: t.Name, Kind: t.Kind, Rows: t.Rows, Comment: t.Comment}
		if in.Columns {
			item.Columns = columnsOf(t.Columns)
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func (w *bench) columns(ctx context.Context, in mcpgen.ColumnsIn) (mcpgen.ColumnsOut, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	schema, err := w.engine.Schema(w.connection)
	if err != nil {
		return mcpgen.ColumnsOut{}, err
	}
	info, err := schema.Columns(ctx, in.Schema, in.Table)
	if driver.KindOf(err) == driver.KindMissing {
		return mcpgen.ColumnsOut{}, &store.Error{Code: store.NotFound, Field: "table", Message: fmt.Sprintf("There is no table %s.", in.Table)}
	}
	if err != nil {
		return mcpgen.ColumnsOut{}, err
	}
	out := mcpgen.ColumnsOut{Schema: info.Schema, Table: info.Name, Columns: columnsOf(info.Columns), ForeignKeys: []mcpgen.ForeignKey{}}
	for _, k := range info.ForeignKeys {
		out.ForeignKeys = append(out.ForeignKeys, mcpgen.ForeignKey{Columns: k.Columns, RefSchema: k.RefSchema, RefTable: k.RefTable, RefColumns: k.RefColumns})
	}
	return out, nil
}

func columnsOf(in []driver.Column) []mcpgen.Column {
	out := make([]mcpgen.Column, 0, len(in))
	for _, c := range in {
		out = append(out, mcpgen.Column{
			Name: c.Name, Type: c.Type, ParamType: c.ParamType, Nullable: c.Nullable, Default: c.Default, Comment: c.Comment, PrimaryKey: c.PrimaryKey,
		})
	}
	return out
}
