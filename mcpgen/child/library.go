package child

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/mcpgen/query"
)

// readURI is the one resource of a view's reader. Which resource a client asked
// for is in the call: mcp-go must not route URIs: it asks its templates in random order.
const readURI = "studio:read"

// view is what one set of allowed names may see.
type view struct {
	tools  toolList
	lists  *mcpserver.MCPServer // everything but resources/read
	reader *mcpserver.MCPServer // resources/read
}

// callKey carries the call through mcp-go to our handlers.
type callKey struct{}

// call is one request under way in mcp-go.
type call struct {
	q    *hop.Request
	r    *hop.Reply
	fail *rpcError // what a handler wants to be answered, code and all
}

func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		panic("child: a handler ran outside of a call")
	}
	return c
}

// refuse notes the error that the client is to get.
func (c *call) refuse(e *rpcError) error {
	c.fail = e
	return e
}

// newView makes the mcp-go servers of one set of allowed names. The list changes
// only with a deploy, so neither listChanged nor subscribe is declared, and
// logging is deprecated.
func (s *server) newView(allowed *hop.Allowed) *view {
	m := s.manifest
	v := &view{tools: newToolList(m.Tools, allowed)}
	complete := completer{s: s}
	v.lists = mcpserver.NewMCPServer(m.Server.Name, s.version,
		mcpserver.WithInstructions(m.Server.Instructions),
		mcpserver.WithToolCapabilities(false), mcpserver.WithResourceCapabilities(false, false), mcpserver.WithPromptCapabilities(false),
		mcpserver.WithCompletions(), mcpserver.WithPromptCompletionProvider(complete), mcpserver.WithResourceCompletionProvider(complete),
		mcpserver.WithPaginationLimit(pageSize), mcpserver.WithHooks(cursors()), mcpserver.WithCacheHints(listTTL, mcp.CacheScopePrivate))
	for i := range m.Prompts {
		if p := &m.Prompts[i]; allowed.Prompt([]byte(p.Name)) {
			v.lists.AddPrompt(promptEntry(p), s.promptHandler(p))
		}
	}
	for _, r := range s.resources {
		switch {
		case !allowed.Resource([]byte(r.Name)):
		case r.pattern == nil:
			entry := mcp.NewResource(r.URITemplate, r.Name, mcp.WithResourceDescription(r.Description), mcp.WithMIMEType(r.MIMEType))
			entry.Title = r.Title
			v.lists.AddResource(entry, s.readHandler)
		default:
			entry := mcp.NewResourceTemplate(r.URITemplate, r.Name, mcp.WithTemplateDescription(r.Description), mcp.WithTemplateMIMEType(r.MIMEType))
			entry.Title = r.Title
			v.lists.AddResourceTemplate(entry, s.readHandler)
		}
	}
	v.reader = mcpserver.NewMCPServer(m.Server.Name, s.version, mcpserver.WithResourceCapabilities(false, false), mcpserver.WithCacheHints(0, mcp.CacheScopePrivate))
	v.reader.AddResource(mcp.NewResource(readURI, "read"), s.readHandler)
	return v
}

// library answers the methods that mcp-go serves and that wait for nothing.
func (s *server) library(ctx context.Context, q *hop.Request, r *hop.Reply) *rpcError {
	params, no := s.params(q)
	if no != nil {
		return no
	}
	return s.ask(ctx, s.view(q.Allowed).lists, q, r, string(q.Method), params)
}

// params writes the params of a request to mcp-go from what the parent authorised.
func (s *server) params(q *hop.Request) (json.RawMessage, *rpcError) {
	unknown := &rpcError{code: hop.CodeMethodNotFound, outcome: codeUnknownMethod, message: "This server has no such method."}
	switch string(q.Method) {
	case "ping":
		if q.Modern {
			return nil, unknown
		}
		return json.RawMessage("{}"), nil
	case "server/discover":
		if !q.Modern {
			return nil, unknown
		}
		return json.RawMessage("{}"), nil
	case "initialize":
		if q.Modern {
			return nil, unknown
		}
		return initializeParams(q.Params)
	case "prompts/list", "resources/list", "resources/templates/list":
		return listParams(q.Method, q.Params)
	case "completion/complete":
		return completeParams(q.Params)
	}
	return nil, unknown
}

func initializeParams(raw []byte) (json.RawMessage, *rpcError) {
	var p struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	if json.Unmarshal(raw, &p) != nil || p.ProtocolVersion == "" {
		return nil, invalidParams("initialize needs protocolVersion, a string.")
	}
	b := jsonscan.AppendString([]byte(`{"protocolVersion":`), p.ProtocolVersion)
	return append(b, `,"capabilities":{},"clientInfo":{"name":"","version":""}}`...), nil
}

// listParams turns a cursor of ours into mcp-go's, which is the name of the last entry in base64.
func listParams(method, raw []byte) (json.RawMessage, *rpcError) {
	cursor, no := cursorOf(raw)
	if no != nil || cursor == nil {
		return json.RawMessage("{}"), no
	}
	after, ok := openCursor(method, *cursor)
	if !ok {
		return nil, badCursor()
	}
	return append(jsonscan.AppendString([]byte(`{"cursor":`), base64.StdEncoding.EncodeToString([]byte(after))), '}'), nil
}

// cursors has mcp-go give our cursors: it would take its own from any text and for any list.
func cursors() *mcpserver.Hooks {
	h := &mcpserver.Hooks{}
	h.AddAfterListPrompts(func(ctx context.Context, _ any, _ *mcp.ListPromptsRequest, l *mcp.ListPromptsResult) {
		replaceCursor(ctx, &l.NextCursor)
	})
	h.AddAfterListResources(func(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, l *mcp.ListResourcesResult) {
		replaceCursor(ctx, &l.NextCursor)
	})
	h.AddAfterListResourceTemplates(func(ctx context.Context, _ any, _ *mcp.ListResourceTemplatesRequest, l *mcp.ListResourceTemplatesResult) {
		replaceCursor(ctx, &l.NextCursor)
	})
	return h
}

func replaceCursor(ctx context.Context, next *mcp.Cursor) {
	if name, err := base64.StdEncoding.DecodeString(string(*next)); err == nil && len(name) > 0 {
		*next = mcp.Cursor(newCursor(callOf(ctx).q.Method, string(name)))
	}
}

// ask makes one request to mcp-go with an id of our own, and puts the client's
// around what comes back: mcp-go would read an integer id as a float.
func (s *server) ask(ctx context.Context, lib *mcpserver.MCPServer, q *hop.Request, r *hop.Reply, method string, params json.RawMessage) *rpcError {
	message := jsonscan.AppendString([]byte(`{"jsonrpc":"2.0","id":1,"method":`), method)
	message = append(append(message, `,"params":`...), params...)
	if q.Modern { // the parent has checked the client's own _meta
		message = bytes.TrimSuffix(message, []byte("}"))
		if message[len(message)-1] != '{' {
			message = append(message, ',')
		}
		message = append(message, `"_meta":{"`+mcp.MetaKeyProtocolVersion+`":"`+hop.Version20260728+`","`+mcp.MetaKeyClientCapabilities+`":{}}}`...)
	}
	message = append(message, '}')
	c := &call{q: q, r: r}
	ctx = context.WithValue(mcpserver.WithSupportedProtocolVersions(ctx, hop.Versions()), callKey{}, c)
	switch answer := lib.HandleMessage(ctx, message).(type) {
	case mcp.JSONRPCResponse:
		var result bytes.Buffer
		enc := json.NewEncoder(&result)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(answer.Result); err != nil {
			return s.internal(method, err)
		}
		r.Body = append(append(openResult(r.Body, q.ID), bytes.TrimRight(result.Bytes(), "\n")...), '}')
		return nil
	case mcp.JSONRPCError:
		switch {
		case c.fail != nil:
			return c.fail
		case answer.Error.Code == mcp.INTERNAL_ERROR:
			return s.internal(method, errors.New(answer.Error.Message))
		}
		return &rpcError{code: answer.Error.Code, outcome: string(query.InvalidParams), message: "The parameters of this request are not valid."}
	default:
		return s.internal(method, fmt.Errorf("mcp-go answered %T", answer))
	}
}

// internal logs what the client must not see.
func (s *server) internal(method string, err error) *rpcError {
	s.log.Error("a call failed", "method", method, "error", err.Error())
	return &rpcError{code: hop.CodeInternal, outcome: string(query.Internal), message: "The server failed on this call. Its log says why."}
}

// read answers resources/read.
func (s *server) read(ctx context.Context, q *hop.Request, r *hop.Reply) *rpcError {
	if q.Name == nil {
		return invalidParams("resources/read needs uri, a string.")
	}
	return s.ask(ctx, s.view(q.Allowed).reader, q, r, "resources/read", json.RawMessage(`{"uri":"`+readURI+`"}`))
}

// readHandler reads the resource that the call names.
func (s *server) readHandler(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	c := callOf(ctx)
	got, no := s.fetch(ctx, c.q, c.q.Name, c.r)
	if no != nil {
		return nil, c.refuse(no)
	}
	text := mcp.TextResourceContents{URI: string(c.q.Name), MIMEType: got.mime, Text: got.text}
	if got.truncated {
		text.Meta = map[string]any{"truncated": true}
	}
	return []mcp.ResourceContents{text}, nil
}

// promptEntry is a prompt as prompts/list shows it.
func promptEntry(p *mcpgen.Prompt) mcp.Prompt {
	entry := mcp.Prompt{Name: p.Name, Title: p.Title, Description: p.Description}
	for _, a := range p.Arguments {
		entry.Arguments = append(entry.Arguments, mcp.PromptArgument{Name: a.Name, Description: a.Description, Required: a.Required})
	}
	return entry
}
