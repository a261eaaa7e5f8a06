package child

import (
	"context"
	"errors"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/mcpgen/query"
)

// preview runs a draft: read-only, 10 s, 100 rows, never from the cache.
func (w *bench) preview(ctx context.Context, in mcpgen.PreviewIn) (mcpgen.PreviewOut, error) {
	in.Tool.Connection, in.Tool.ReadOnly, in.Tool.CacheTTL = w.connection, true, 0
	out := mcpgen.PreviewOut{Columns: []mcpgen.Column{}}
	t, err := newTool(w.engine, &in.Tool)
	if err != nil {
		return out, err
	}
	structured, res, err := w.engine.Run(ctx, &query.Request{
		Tool: t.prepared, Args: in.Arguments, Principal: "preview", NoCache: true,
		Limits: query.Limits{Rows: mcpgen.PreviewRows, Timeout: previewTime},
	}, nil)
	var failed *query.Error
	switch {
	case errors.As(err, &failed) && failed.Code == query.Transform && res.Rows != nil:
		out.TransformError = failed.Message
		if failed.Detail != "" {
			out.TransformError = failed.Detail // the admin writes the transform: its own error helps
		}
	case err != nil:
		return out, err
	case in.Tool.Transform != "":
		out.Transformed = structured
	}
	out.Columns = columnsOf(res.Columns)
	out.Rows, out.RowCount, out.Truncated = append([]byte(nil), res.Rows...), res.RowCount, res.Truncated
	out.ExecutionMS = millis(res.Run)
	out.ClientResult = w.clientResult(t, structured, failed)
	return out, nil
}

// clientResult is the result member that a client would get from tools/call.
func (w *bench) clientResult(t *tool, structured []byte, failed *query.Error) []byte {
	message := ""
	if failed != nil {
		message = failed.Message
	} else if len(t.content) > 0 {
		b, err := contentResult(nil, structured, t)
		if err == nil {
			return append(b, legacyTail...)
		}
		message = err.Error()
	}
	if message != "" {
		b := jsonscan.AppendString([]byte(`{"isError":true,"content":[{"type":"text","text":`), message)
		return append(b, "}]}"...)
	}
	b := append([]byte(`{"structuredContent":`), structured...)
	b = jsonscan.AppendString(append(b, `,"content":[{"type":"text","text":`...), structured)
	return append(b, "}]}"...)
}

// check asks the database to parse a statement. Its no is an answer.
func (w *bench) check(ctx context.Context, in mcpgen.CheckIn) (mcpgen.CheckOut, error) {
	out := mcpgen.CheckOut{Offset: -1, Columns: []mcpgen.Column{}}
	p, err := w.engine.Compile(query.Spec{Name: "check", Connection: w.connection, SQL: in.SQL, Parameters: in.Parameters, ReadOnly: true})
	if err != nil {
		return out, err
	}
	d, err := w.engine.Describe(ctx, p, query.Limits{Timeout: previewTime})
	var failed *query.Error
	if errors.As(err, &failed) {
		switch failed.Code {
		case query.Database, query.ReadOnly:
			out.Message, out.Offset = failed.Detail+hint(failed.Hint), failed.Position
			return out, nil
		}
	}
	if err != nil {
		return out, err
	}
	out.OK, out.Columns, out.ParamTypes = true, columnsOf(d.Columns), d.Params
	return out, nil
}
