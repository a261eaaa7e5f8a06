package child

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// resource is a resource or template of the manifest. Which one answers a URI is
// decided here and not by mcp-go, which asks its templates in random order;
// overlapping templates are refused before a deploy, so at most one matches.
type resource struct {
	*mcpgen.Resource
	params   []string
	pattern  *regexp.Regexp  // nil: the URI is fixed
	prepared *query.Prepared // nil: the content is fixed
}

func newResource(e *query.Engine, r *mcpgen.Resource) (*resource, error) {
	out := &resource{Resource: r, params: store.URIParams(r.URITemplate)}
	if len(out.params) > 0 {
		p, err := templatePattern(r.URITemplate)
		if err != nil {
			return nil, err
		}
		out.pattern = p
	}
	if r.SQL == "" {
		return out, nil
	}
	var err error
	out.prepared, err = e.Compile(query.Spec{
		ID: r.ID, Name: r.Name, Connection: r.Connection, SQL: r.SQL, Parameters: mcpgen.URIParameters(r.URITemplate), ReadOnly: true,
	})
	return out, err
}

// templatePattern turns a level 1 template (RFC 6570, section 1.2) into a pattern.
// A value is one segment or a part of one: its reserved characters are percent-encoded.
func templatePattern(template string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`\A`)
	for rest := template; ; {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(regexp.QuoteMeta(before))
		if !ok {
			break
		}
		b.WriteString(`([^/?#\x00-\x20\x7f]+)`)
		_, rest, _ = strings.Cut(after, "}")
	}
	b.WriteString(`\z`)
	return regexp.Compile(b.String())
}

// match returns the values of a URI's parameters, decoded once (case 144).
func (r *resource) match(uri string) (values []string, ok bool) {
	if r.pattern == nil {
		return nil, uri == r.URITemplate
	}
	m := r.pattern.FindStringSubmatch(uri)
	if m == nil {
		return nil, false
	}
	for _, raw := range m[1:] {
		v, err := url.PathUnescape(raw)
		if err != nil || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

// find routes a URI among what a principal may see.
func (s *server) find(uri []byte, allowed *hop.Allowed) (*resource, []string) {
	for _, r := range s.resources {
		if values, ok := r.match(string(uri)); ok && allowed.Resource([]byte(r.Name)) {
			return r, values
		}
	}
	return nil, nil
}

// contents is what a resource holds.
type contents struct {
	text, mime string
	truncated  bool // a limit of the connection cut the rows
}

// fetch reads a resource. r gets what the call log wants to know.
func (s *server) fetch(ctx context.Context, q *hop.Request, uri []byte, r *hop.Reply) (contents, *rpcError) {
	res, values := s.find(uri, q.Allowed)
	if res == nil {
		return contents{}, notFound(q, uri)
	}
	if res.prepared == nil {
		r.Bytes = int64(len(res.Static))
		return contents{text: res.Static, mime: res.MIMEType}, nil
	}
	args := []byte{'{'}
	for i, name := range res.params {
		if i > 0 {
			args = append(args, ',')
		}
		args = append(append(jsonscan.AppendString(args, name), ':'), jsonscan.AppendString(nil, values[i])...)
	}
	args = append(args, '}')
	_, got, err := s.engine.Run(ctx, &query.Request{Tool: res.prepared, Args: args, Principal: q.Principal.ID, Caller: callerValues(res.prepared, q)}, nil)
	r.Rows, r.Wait, r.Took = got.RowCount, got.Wait, got.Run
	if err != nil {
		message := s.queryFailed(ctx, q, res.Name, err, r)
		if len(res.params) > 0 && unlikeType(err) {
			return contents{}, notFound(q, uri)
		}
		return contents{}, &rpcError{code: hop.CodeInternal, outcome: r.Code, message: message}
	}
	if got.RowCount == 0 && len(res.params) > 0 {
		return contents{}, notFound(q, uri)
	}
	text, err := render(res.MIMEType, got.Columns, got.Rows)
	if err != nil {
		return contents{}, &rpcError{code: hop.CodeInternal, outcome: string(query.Internal), message: "The rows could not be rendered."}
	}
	r.Bytes = int64(len(text))
	return contents{text: text, mime: res.MIMEType, truncated: got.Truncated}, nil
}

// unlikeType reports whether the database refused a value that does not have the form or the range of its type. A URI with
// such a value names nothing, as one with the key of no row does.
func unlikeType(err error) bool {
	var e *query.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.SQLState { // PostgreSQL manual, appendix A, class 22
	case "22P02", "22003", "22007", "22008":
		return true
	}
	return false
}

// notFound carries the code of the era and the URI: MCP 2026-07-28 made it
// invalid params, before it was -32002.
func notFound(q *hop.Request, uri []byte) *rpcError {
	e := &rpcError{code: hop.CodeInvalidParams, outcome: codeNotFound, message: "There is no such resource."}
	if !q.Modern {
		e.code = legacyNotFound
	}
	e.data = append(jsonscan.AppendString([]byte(`{"uri":`), uri), '}')
	return e
}

// legacyNotFound is "resource not found" until MCP 2025-11-25.
const legacyNotFound = -32002
