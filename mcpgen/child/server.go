package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/query"
)

// The outcomes of calls that query.Code does not name.
const (
	codeUnknownMethod = "unknown_method"
	codeUnknownName   = "unknown_name"
	codeNotFound      = "not_found"
	codePanic         = "panic"
	codeTooMany       = "too_many_rows"
)

// server is the generated MCP server.
type server struct {
	manifest  *mcpgen.Manifest
	engine    *query.Engine
	log       *slog.Logger
	version   string // of the server, as clients see it: it changes when the manifest does
	tails     tails
	tools     map[string]*tool
	resources []*resource
	enums     map[string][]enumeration // allowed values by parameter name, for completion

	mu    sync.Mutex
	views map[string]*view // by the key of the allowed names
}

// maxViews bounds the views that are kept: one for each distinct set of allowed names.
const maxViews = 64

func newServer(m *mcpgen.Manifest, digest string, e *query.Engine, log *logger) (*server, error) {
	s := &server{
		manifest: m, engine: e, log: log.slog(), version: digest[:12], tools: map[string]*tool{},
		enums: map[string][]enumeration{}, views: map[string]*view{},
	}
	s.tails = newTails(m.Server.Name, s.version)
	for i := range m.Tools {
		t, err := newTool(e, &m.Tools[i])
		if err != nil {
			return nil, fmt.Errorf("tool %s: %w", m.Tools[i].Name, err)
		}
		s.tools[t.name] = t
		s.addEnums(&m.Tools[i])
	}
	for i := range m.Resources {
		r, err := newResource(e, &m.Resources[i])
		if err != nil {
			return nil, fmt.Errorf("resource %s: %w", m.Resources[i].Name, err)
		}
		s.resources = append(s.resources, r)
	}
	s.views[""] = s.newView(nil) // what most principals see, and proof that mcp-go takes the manifest
	return s, nil
}

func (s *server) close() { s.engine.Close() }

// known returns what a principal may see, if that has been put together already.
func (s *server) known(allowed *hop.Allowed) *view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.views[allowed.Key()]
}

// view returns what a principal may see.
func (s *server) view(allowed *hop.Allowed) *view {
	if v := s.known(allowed); v != nil {
		return v
	}
	v := s.newView(allowed) // outside of the lock, since it may take a while
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.views) > maxViews {
		for k := range s.views {
			if k != "" {
				delete(s.views, k)
				break
			}
		}
	}
	s.views[allowed.Key()] = v
	return v
}

// Inline implements hop.Handler: what needs neither a database nor much work. Putting a view together is much.
func (s *server) Inline(q *hop.Request) bool {
	switch string(q.Method) {
	case "tools/list", "ping", "initialize", "server/discover":
		return s.known(q.Allowed) != nil
	}
	return false
}

// Serve implements hop.Handler.
func (s *server) Serve(ctx context.Context, q *hop.Request, r *hop.Reply) {
	defer s.recovered(q, r)
	var no *rpcError
	switch string(q.Method) {
	case "tools/call":
		no = s.call(ctx, q, r)
	case "tools/list":
		no = s.list(q, r)
	case "resources/read":
		no = s.read(ctx, q, r)
	case "prompts/get":
		no = s.prompt(ctx, q, r)
	default:
		no = s.library(ctx, q, r)
	}
	if no != nil {
		no.write(q, r)
	}
}

// recovered ends one call instead of the process. The panic's text is for the log only.
func (s *server) recovered(q *hop.Request, r *hop.Reply) {
	v := recover()
	if v == nil {
		return
	}
	s.log.Error("panic while serving a call", "method", string(q.Method), "panic", fmt.Sprint(v), "stack", firstFrames(debug.Stack()))
	(&rpcError{code: hop.CodeInternal, outcome: codePanic, message: "The server failed on this call. Its log says why."}).write(q, r)
}

// firstFrames keeps a stack within one log line.
func firstFrames(stack []byte) string {
	const enough = 6000
	return string(bytes.ToValidUTF8(stack[:min(len(stack), enough)], nil))
}

// rpcError is a JSON-RPC error on its way to the client.
type rpcError struct {
	code    int
	outcome string // for the call log
	message string
	data    []byte // raw JSON
}

// Error implements error, so that mcp-go's handlers can return one.
func (e *rpcError) Error() string { return e.message }

// write makes the error the answer. In the modern era HTTP tells the kinds apart
// too (MCP 2026-07-28, transports, "Streamable HTTP").
func (e *rpcError) write(q *hop.Request, r *hop.Reply) {
	r.Status, r.Code = http.StatusOK, e.outcome
	if q.Modern {
		switch e.code {
		case hop.CodeMethodNotFound:
			r.Status = http.StatusNotFound
		case hop.CodeInvalidParams, hop.CodeInvalidRequest, hop.CodeHeaderMismatch:
			r.Status = http.StatusBadRequest
		}
	}
	r.Body = hop.ErrorBody(r.Body[:0], q.ID, e.code, e.message, e.data)
}

func invalidParams(format string, args ...any) *rpcError {
	return &rpcError{code: hop.CodeInvalidParams, outcome: string(query.InvalidParams), message: fmt.Sprintf(format, args...)}
}

// queryFailed notes the outcome and logs what only the admin may know.
func (s *server) queryFailed(ctx context.Context, q *hop.Request, name string, err error, r *hop.Reply) (message string) {
	var e *query.Error
	if !errors.As(err, &e) {
		e = &query.Error{Code: query.Internal, Message: "The call failed inside the studio. The studio's log says why.", Detail: err.Error()}
	}
	r.Code = string(e.Code)
	switch e.Code {
	case query.InvalidParams, query.Cancelled:
	case query.Internal: // these words are ours
		s.log.LogAttrs(ctx, slog.LevelError, "a call failed", slog.String("method", string(q.Method)), slog.String("name", name),
			slog.String("code", string(e.Code)), slog.String("error", e.Detail))
	default:
		// The database's words may quote data: they are for Debug, which stays in this process.
		s.log.LogAttrs(ctx, slog.LevelWarn, "a call failed", slog.String("method", string(q.Method)), slog.String("name", name),
			slog.String("code", string(e.Code)), slog.String("sqlstate", e.SQLState), slog.String("message", e.Message))
	}
	return e.Message
}
