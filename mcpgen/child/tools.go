package child

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// tool is a tool of the manifest, ready to be called.
type tool struct {
	name     string
	prepared *query.Prepared
	content  map[string]store.Content
	mirrors  []store.Mirror // arguments that HTTP headers repeat
}

func newTool(e *query.Engine, t *mcpgen.Tool) (*tool, error) {
	spec, err := toolSpec(t)
	if err != nil {
		return nil, err
	}
	p, err := e.Compile(spec)
	if err != nil {
		return nil, err
	}
	mirrors, err := store.Mirrors(spec.InputSchema) // a generated schema has none
	if err != nil {
		return nil, err
	}
	return &tool{name: t.Name, prepared: p, content: t.Content, mirrors: mirrors}, nil
}

// toolSpec hands a schema to the engine only when the author wrote it: the
// generated one says what the parameters' own rules say.
func toolSpec(t *mcpgen.Tool) (query.Spec, error) {
	spec := query.Spec{
		ID: t.ID, Name: t.Name, Connection: t.Connection, SQL: t.SQL, Parameters: t.Parameters, ReadOnly: t.ReadOnly,
		CacheTTL: time.Duration(t.CacheTTL) * time.Second, Transform: t.Transform,
	}
	generated, err := mcpgen.Draft(&store.Tool{Name: t.Name, Parameters: t.Parameters})
	if err != nil {
		return spec, err
	}
	if !bytes.Equal(generated.InputSchema, t.InputSchema) {
		spec.InputSchema = t.InputSchema
	}
	return spec, nil
}

// tails are the ends of results, by era: what MCP 2026-07-28 asks every result to carry.
type tails struct {
	modern []byte // after the last member of a result, with the brace that closes it
	lists  []byte // the same for a cacheable one
}

const legacyTail = "}"

// listTTL is how long a client may keep a list, in milliseconds. A deploy can
// change it at any time and nobody is told, so it is short.
const listTTL = 5000

func newTails(name, version string) tails {
	info := jsonscan.AppendString([]byte(`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":`), name)
	info = append(jsonscan.AppendString(append(info, `,"version":`...), version), "}}}"...)
	return tails{
		modern: append([]byte(`,"resultType":"complete",`), info...),
		lists:  append([]byte(`,"resultType":"complete","ttlMs":5000,"cacheScope":"private",`), info...),
	}
}

func (t *tails) appendTo(b []byte, modern bool) []byte {
	if modern {
		return append(b, t.modern...)
	}
	return append(b, legacyTail...)
}

func openResult(b, id []byte) []byte {
	b = append(append(b, `{"jsonrpc":"2.0","id":`...), id...)
	return append(b, `,"result":`...)
}

// call answers tools/call. The structured content is written once, straight from
// the rows; the text block is the same bytes again, escaped.
func (s *server) call(ctx context.Context, q *hop.Request, r *hop.Reply) *rpcError {
	t := s.tools[string(q.Name)]
	if t == nil || !q.Allowed.Tool(q.Name) {
		return &rpcError{code: hop.CodeInvalidParams, outcome: codeUnknownName, message: "There is no tool of this name. tools/list names those there are."}
	}
	if len(t.mirrors) > 0 && q.Modern {
		if no := checkMirrors(t.mirrors, q); no != nil {
			return no
		}
	}
	b := append(openResult(r.Body, q.ID), `{"structuredContent":`...)
	from := len(b)
	b, res, err := s.engine.Run(ctx, &query.Request{Tool: t.prepared, Args: q.Args, Principal: q.Principal.ID, Caller: callerValues(t.prepared, q)}, b)
	r.Rows, r.Wait, r.Took = res.RowCount, res.Wait, res.Run
	if err != nil {
		s.toolError(q, r, s.queryFailed(ctx, q, t.name, err, r))
		return nil
	}
	to := len(b)
	r.Bytes = int64(to - from)
	if len(t.content) > 0 {
		body, err := contentResult(openResult(nil, q.ID), b[from:to], t)
		if err != nil {
			r.Code = string(query.Transform)
			s.toolError(q, r, err.Error())
			return nil
		}
		r.Body = append(s.tails.appendTo(body, q.Modern), '}')
		return nil
	}
	b = append(b, `,"content":[{"type":"text","text":"`...)
	b = jsonscan.AppendEscaped(b, b[from:to])
	r.Body = append(s.tails.appendTo(append(b, `"}]`...), q.Modern), '}')
	return nil
}

// toolError answers with a result that says what went wrong, so that the model can
// do better (MCP, tools, "Error Handling"); r.Code is set.
func (s *server) toolError(q *hop.Request, r *hop.Reply, message string) {
	b := append(openResult(r.Body[:0], q.ID), `{"isError":true,"content":[{"type":"text","text":`...)
	b = append(jsonscan.AppendString(b, message), "}]"...)
	r.Body = append(s.tails.appendTo(b, q.Modern), '}')
}

// callerValues are what the :caller.name placeholders of p stand for, if it has any.
func callerValues(p *query.Prepared, q *hop.Request) map[string]string {
	if !p.AsksCaller() {
		return nil
	}
	return map[string]string{"id": q.Principal.ID, "name": q.Principal.Name, "kind": q.Principal.Kind}
}

// toolList holds the entries of tools/list of one view, marshalled, in the
// manifest's order, which is that of their names.
type toolList struct {
	names   []string
	blob    []byte // entries with commas between them
	offsets []int  // where each entry begins; one more for the end
}

// pageSize is the length of MCP lists' pages.
const pageSize = 100

func newToolList(tools []mcpgen.Tool, allowed *hop.Allowed) toolList {
	l := toolList{}
	for i := range tools {
		t := &tools[i]
		if !allowed.Tool([]byte(t.Name)) {
			continue
		}
		l.names, l.offsets = append(l.names, t.Name), append(l.offsets, len(l.blob))
		l.blob = append(append(l.blob, t.Definition...), ',')
	}
	l.offsets = append(l.offsets, len(l.blob))
	return l
}

// list answers tools/list.
func (s *server) list(q *hop.Request, r *hop.Reply) *rpcError {
	l := &s.view(q.Allowed).tools
	cursor, no := cursorOf(q.Params)
	if no != nil {
		return no
	}
	from := 0
	if cursor != nil {
		after, ok := openCursor(q.Method, *cursor)
		if !ok {
			return badCursor()
		}
		for from < len(l.names) && l.names[from] <= after {
			from++
		}
	}
	to := min(from+pageSize, len(l.names))
	b := append(openResult(r.Body, q.ID), `{"tools":[`...)
	if to > from {
		b = append(b, l.blob[l.offsets[from]:l.offsets[to]-1]...)
	}
	b = append(b, ']')
	if to < len(l.names) {
		b = jsonscan.AppendString(append(b, `,"nextCursor":`...), newCursor(q.Method, l.names[to-1]))
	}
	if q.Modern {
		b = append(b, s.tails.lists...)
	} else {
		b = append(b, legacyTail...)
	}
	r.Rows, r.Body = to-from, append(b, '}')
	return nil
}

// cursorOf reads params.cursor; nil means that there is none. An empty one is a cursor too.
func cursorOf(params []byte) (*string, *rpcError) {
	if len(params) == 0 {
		return nil, nil
	}
	var p struct {
		Cursor *string `json:"cursor"`
	}
	if json.Unmarshal(params, &p) != nil {
		return nil, invalidParams("The cursor must be a string.")
	}
	return p.Cursor, nil
}

// jsonString is v as a JSON string.
func jsonString(v string) json.RawMessage { return jsonscan.AppendString(nil, v) }
