package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"mcpstudio/auth/session"
	"mcpstudio/server/clientip"
	"mcpstudio/server/op"
	"mcpstudio/store"
)

// Base is where the operations are served.
const Base = "/api/v1"

// MaxBody bounds a request's body.
const MaxBody = 4 << 20

// Emit writes one event of a stream. id may be empty. The error says that the reader is gone.
type Emit func(id, name string, data any) error

// Streams are the sources of the event streams. Each returns when ctx ends, emit fails or there is nothing more to come.
type Streams interface {
	StreamEvents(ctx context.Context, emit func(id, name string, data any) error) error
	// StreamLogs starts after an id, or with the last tail lines when after is 0.
	StreamLogs(ctx context.Context, after uint64, tail int, emit func(id, name string, data any) error) error
}

// Key says where the encryption key is, for the setup page; never the key.
type Key struct {
	Source string `json:"source" jsonschema:"file or environment"`
	Path   string `json:"path"`
}

// Options is what the handler needs. Log may be left out.
type Options struct {
	Ops      []op.Op
	Enums    []op.Enum
	Sessions *session.Service
	Admin    func(context.Context) (*store.Admin, error)
	Streams  Streams
	Ready    func(context.Context) error
	ClientIP clientip.Resolver
	Origins  []string // further origins of our own, such as the public URL's
	Key      Key
	Version  string
	Log      *slog.Logger

	recheck time.Duration // how often a stream looks whether its session still stands; 0: 5 s
}

// Handler serves the admin API.
type Handler struct {
	Options
	echo     *echo.Echo
	origins  *http.CrossOriginProtection
	document []byte
	open     atomic.Int64 // streams
}

// New makes the handler. The error says that an origin or an operation's declaration is wrong.
func New(o Options) (*Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.recheck == 0 {
		o.recheck = 5 * time.Second
	}
	h := &Handler{Options: o, echo: echo.New(), origins: http.NewCrossOriginProtection()}
	for _, origin := range o.Origins {
		if err := h.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("use the origin %q: %w", origin, err)
		}
	}
	var err error
	if h.document, err = json.MarshalIndent(OpenAPI(o.Ops, o.Enums), "", "  "); err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	h.echo.HTTPErrorHandler = func(err error, c echo.Context) { h.fail(c.Response(), c.Request(), err) }
	h.routes()
	return h, nil
}

// route is one address of the API.
type route struct {
	method, path string
	public       bool
	serve        func(w http.ResponseWriter, r *http.Request, params map[string]string) error
}

// list is every route. What is public is spelled out once more in sweep_test.go.
func (h *Handler) list() []route {
	routes := []route{
		{http.MethodGet, "/api/health", true, h.health},
		{http.MethodGet, "/api/ready", true, h.ready},
		{http.MethodGet, "/api/openapi.json", false, h.openAPI},
		{http.MethodGet, "/api/docs", false, h.docs},
		{http.MethodGet, "/api/docs/{file}", false, h.docs},
		{http.MethodGet, Base + "/events", false, h.events},
		{http.MethodGet, Base + "/deploy/logs", false, h.logs},
	}
	routes = append(routes, h.accountRoutes()...)
	for _, o := range h.Ops {
		if o.Route != "" {
			routes = append(routes, route{o.Method(), Base + o.Path(), false, h.operation(o)})
		}
	}
	return routes
}

var routeParam = regexp.MustCompile(`\{(\w+)\}`)

func (h *Handler) routes() {
	for _, r := range h.list() {
		h.echo.Add(r.method, routeParam.ReplaceAllString(r.path, ":$1"), h.guarded(r))
	}
}

// guarded is a route behind its checks.
func (h *Handler) guarded(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		w, q := c.Response(), c.Request()
		if err := h.sameOrigin(q); err != nil {
			return err
		}
		if !r.public {
			var err error
			if q, err = h.signedIn(q); err != nil {
				return err
			}
		}
		params, err := pathParams(c)
		if err != nil {
			return err
		}
		return r.serve(w, q, params)
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = identified(w, r)
	began := time.Now()
	seen := &watched{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			h.panicked(seen, r, p)
		}
		h.Log.Debug("answered a request", "method", r.Method, "path", r.URL.Path, "status", seen.status, "bytes", seen.bytes,
			"ms", time.Since(began).Milliseconds(), "request_id", requestID(r))
	}()
	secure(seen.Header(), r)
	seen.Header().Set("Cache-Control", "no-store")
	if err := plainAddress(r); err != nil {
		h.fail(seen, r, err)
		return
	}
	switch {
	case r.Method == http.MethodHead && probe(r.URL.Path): // the server leaves the body out by the original request
		r = r.Clone(r.Context())
		r.Method = http.MethodGet
	case !slices.Contains(methods(), r.Method): // also OPTIONS, which the router would answer by itself: no other origin is let in
		h.fail(seen, r, methodError(strings.Join(methods(), ", ")))
		return
	}
	h.echo.ServeHTTP(seen, r)
}

func methods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete}
}

func probe(path string) bool { return path == "/api/health" || path == "/api/ready" }

// plainAddress refuses every way to write a path but the plain one, so that no two spellings can be judged differently.
func plainAddress(r *http.Request) error {
	p := r.URL.Path
	if !strings.HasPrefix(p, "/") || strings.Contains(p, "//") || strings.Contains(r.URL.EscapedPath(), "%2e") || strings.Contains(r.URL.EscapedPath(), "%2E") {
		return noRoute()
	}
	for _, part := range strings.Split(p, "/") {
		if part == "." || part == ".." {
			return noRoute()
		}
	}
	if strings.ContainsRune(p, 0) || r.URL.Host != "" && r.URL.Host != r.Host {
		return noRoute()
	}
	return nil
}

// watched notes what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
