package rest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"mcpstudio/server/op"
)

// Document is an OpenAPI 3.1 description (spec.openapis.org/oas/v3.1.1), as far as this API needs one.
type Document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       info                            `json:"info"`
	Tags       []tag                           `json:"tags"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components components                      `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type operation struct {
	ID          string              `json:"operationId"`
	Tags        []string            `json:"tags"`
	Summary     string              `json:"summary"`
	Parameters  []parameter         `json:"parameters,omitempty"`
	RequestBody *requestBody        `json:"requestBody,omitempty"`
	Responses   map[string]response `json:"responses"`
	Security    []map[string]none   `json:"security"`
	Scope       string              `json:"x-scope,omitempty"`
}

// none is an empty list of scopes: a cookie has none.
type none []string

type parameter struct {
	Name        string          `json:"name"`
	In          string          `json:"in"`
	Required    bool            `json:"required"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema"`
}

type requestBody struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string           `json:"description"`
	Content     map[string]media `json:"content,omitempty"`
}

type media struct {
	Schema json.RawMessage `json:"schema"`
}

type components struct {
	Schemas         map[string]json.RawMessage `json:"schemas"`
	SecuritySchemes map[string]securityScheme  `json:"securitySchemes"`
}

type securityScheme struct {
	Type string `json:"type"`
	In   string `json:"in"`
	Name string `json:"name"`
}

// apiVersion is the version of the API's form, not of the program.
const apiVersion = "1.0.0"

const sessionScheme = "session"

// OpenAPI describes the operations and the endpoints written by hand.
func OpenAPI(ops []op.Op, enums []op.Enum) Document {
	b := builder{catalog: op.NewCatalog(enums...), doc: Document{
		OpenAPI: "3.1.1",
		Info: info{Title: "MCP Studio admin API", Version: apiVersion,
			Description: "Everything the studio's own pages do. Sign in at /api/v1/auth/login; the session is a cookie. Writes are application/json from the studio's own origin or from no browser."},
		Tags: tags(), Paths: map[string]map[string]operation{},
	}}
	b.failure = b.catalog.Ref(reflect.TypeFor[Failure](), true)
	for _, e := range byHand() {
		b.byHand(e)
	}
	for _, o := range ops {
		if o.Route != "" {
			b.operation(o)
		}
	}
	b.doc.Components = components{Schemas: b.catalog.Parts(), SecuritySchemes: map[string]securityScheme{sessionScheme: {"apiKey", "cookie", cookieName}}}
	return b.doc
}

func tags() []tag {
	return []tag{
		{"auth", "The account: setup, sign-in, session."},
		{"connections", "How databases are reached."},
		{"schema", "What is in a connection's database."},
		{"tools", "MCP tools: SQL statements with typed parameters."},
		{"resources", "MCP resources."},
		{"prompts", "MCP prompts."},
		{"authoring", "Help while a tool is written: analysis, definition, preview."},
		{"deploy", "Revisions of the generated server."},
		{"server", "Settings and state."},
		{"access", "Tokens of MCP clients, snippets, playground."},
		{"history", "Who changed what."},
		{"sample", "The sample shop."},
		{"health", "For probes, and this document."},
	}
}

type builder struct {
	catalog *op.Catalog
	doc     Document
	failure json.RawMessage
}

func (b *builder) add(path, method string, o operation) {
	if b.doc.Paths[path] == nil {
		b.doc.Paths[path] = map[string]operation{}
	}
	b.doc.Paths[path][method] = o
}

// lower is how OpenAPI writes methods.
func lower(method string) string {
	return map[string]string{http.MethodGet: "get", http.MethodPost: "post", http.MethodPatch: "patch", http.MethodDelete: "delete"}[method]
}

func (b *builder) operation(o op.Op) {
	d := operation{ID: o.Name, Tags: []string{o.Tag}, Summary: o.Doc, Security: []map[string]none{{sessionScheme: {}}}, Scope: string(o.Scope)}
	path := o.PathParams()
	for _, name := range fields(o) {
		inPath := slices.Contains(path, name)
		if !inPath && !o.FromQuery() {
			continue
		}
		d.Parameters = append(d.Parameters, b.parameter(o, name, inPath))
	}
	if !o.FromQuery() && len(o.In.Properties) > len(path) {
		required := slices.ContainsFunc(o.In.Required, func(n string) bool { return !slices.Contains(path, n) })
		d.RequestBody = &requestBody{Required: required, Content: map[string]media{"application/json": {b.catalog.Ref(o.InType, false, path...)}}}
	}
	answer := response{Description: http.StatusText(o.Status)}
	if o.Status != http.StatusNoContent {
		answer.Content = map[string]media{"application/json": {b.catalog.Ref(o.OutType, true)}}
	}
	d.Responses = b.responses(o.Status, answer)
	b.add(Base+o.Path(), lower(o.Method()), d)
}

// fields lists the input's fields in the order of the declaration.
func fields(o op.Op) []string { return o.In.PropertyOrder }

func (b *builder) parameter(o op.Op, name string, inPath bool) parameter {
	s := *o.In.Properties[name]
	p := parameter{Name: name, In: "query", Required: inPath || slices.Contains(o.In.Required, name), Description: s.Description}
	if inPath {
		p.In = "path"
	}
	s.Description = ""
	if len(s.Types) > 0 { // an address has no null
		s.Type, s.Types = s.Types[slices.IndexFunc(s.Types, func(t string) bool { return t != "null" })], nil
	}
	p.Schema, _ = s.MarshalJSON() // a schema made from a Go type always encodes
	return p
}

func (b *builder) responses(status int, answer response) map[string]response {
	return map[string]response{
		strconv.Itoa(status): answer,
		"default":            {Description: "What went wrong.", Content: map[string]media{"application/json": {b.failure}}},
	}
}

// endpoint is an address written by hand.
type endpoint struct {
	method, path, id, tag, doc string
	public                     bool
	in, out                    reflect.Type // nil: none
	status                     int
	stream                     string // of events; what they are
	query                      []parameter
}

func byHand() []endpoint {
	tail := parameter{Name: "tail", In: "query", Description: "how many old lines to begin with; default 200, at most 2000", Schema: json.RawMessage(`{"type":"integer"}`)}
	last := parameter{Name: "Last-Event-ID", In: "header", Description: "the id of the last line seen", Schema: json.RawMessage(`{"type":"string"}`)}
	return append(accountEndpoints(), []endpoint{
		{method: "GET", path: "/api/health", id: "get_health", tag: "health", doc: "Whether the process answers.", public: true, out: reflect.TypeFor[HealthStatus]()},
		{method: "GET", path: "/api/ready", id: "get_ready", tag: "health", doc: "Whether the studio can do its work; 503 when not.", public: true, out: reflect.TypeFor[ReadyStatus]()},
		{method: "GET", path: Base + "/events", id: "stream_events", tag: "server", doc: "What happens, as server-sent events: change, deploy, step, token, ping. Ends with the session.", stream: "Server-sent events."},
		{method: "GET", path: Base + "/deploy/logs", id: "stream_logs", tag: "deploy", doc: "The deploy and child log, as server-sent events: log with an id, step. Goes on after Last-Event-ID.", stream: "Server-sent events.", query: []parameter{tail, last}},
	}...)
}

func (b *builder) byHand(e endpoint) {
	d := operation{ID: e.id, Tags: []string{e.tag}, Summary: e.doc, Parameters: e.query, Security: []map[string]none{{sessionScheme: {}}}}
	if e.public {
		d.Security = []map[string]none{}
	}
	if e.in != nil {
		d.RequestBody = &requestBody{Required: true, Content: map[string]media{"application/json": {b.catalog.Ref(e.in, false)}}}
	}
	status := cmp.Or(e.status, http.StatusOK)
	answer := response{Description: cmp.Or(e.stream, http.StatusText(status))}
	switch {
	case e.stream != "":
		answer.Content = map[string]media{"text/event-stream": {json.RawMessage(`{"type":"string"}`)}}
	case e.out != nil:
		answer.Content = map[string]media{"application/json": {b.catalog.Ref(e.out, true)}}
	}
	d.Responses = b.responses(status, answer)
	b.add(e.path, lower(e.method), d)
}
