package rest_test

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpstudio/auth/limit"
	"mcpstudio/auth/session"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

// publicAnswers is the list of public routes with what an empty request gets there, whoever sends it: a credential changes nothing.
// Everything else needs a session.
func publicAnswers() map[string]int {
	return map[string]int{
		"GET /api/health": 200, "GET /api/ready": 200, "GET /api/v1/auth/status": 200, "POST /api/v1/auth/setup": 422, "POST /api/v1/auth/login": 422,
		"POST /api/v1/auth/login/verify-2fa": 422, "POST /api/v1/auth/logout": 204,
	}
}

// public is the routes of publicAnswers.
func public() []string { return slices.Sorted(maps.Keys(publicAnswers())) }

// private is every other route. A route that is in neither list fails the sweep: whoever adds one says here who may call it.
func private() []string {
	return strings.Split(strings.TrimSpace(`
DELETE /api/v1/auth/sessions
DELETE /api/v1/auth/sessions/{id}
DELETE /api/v1/connections/{id}
DELETE /api/v1/mcp-tokens/{id}
DELETE /api/v1/prompts/{id}
DELETE /api/v1/resources/{id}
DELETE /api/v1/sample
DELETE /api/v1/tools/{id}
GET /api/docs
GET /api/docs/{file}
GET /api/openapi.json
GET /api/v1/auth/2fa/status
GET /api/v1/auth/me
GET /api/v1/auth/sessions
GET /api/v1/connect/snippets
GET /api/v1/connections
GET /api/v1/connections/health
GET /api/v1/connections/{id}
GET /api/v1/connections/{id}/usage
GET /api/v1/deploy/diff
GET /api/v1/deploy/logs
GET /api/v1/deploy/logs/recent
GET /api/v1/deploy/revisions
GET /api/v1/deploy/revisions/{number}
GET /api/v1/deploy/status
GET /api/v1/drivers
GET /api/v1/events
GET /api/v1/history
GET /api/v1/history/{type}/{id}
GET /api/v1/mcp-tokens
GET /api/v1/mcp-tokens/{id}
GET /api/v1/prompts
GET /api/v1/prompts/{id}
GET /api/v1/resources
GET /api/v1/resources/{id}
GET /api/v1/sample
GET /api/v1/schema/{connection}/tables
GET /api/v1/schema/{connection}/tables/{table}/columns
GET /api/v1/server/checklist
GET /api/v1/server/config
GET /api/v1/server/encryption
GET /api/v1/server/generated
GET /api/v1/server/health
GET /api/v1/server/sandbox
GET /api/v1/server/sqlite-files
GET /api/v1/tools
GET /api/v1/tools/{id}
PATCH /api/v1/auth/me
PATCH /api/v1/connections/{id}
PATCH /api/v1/mcp-tokens/{id}
PATCH /api/v1/prompts/{id}
PATCH /api/v1/resources/{id}
PATCH /api/v1/server/config
PATCH /api/v1/tools/{id}
POST /api/v1/auth/2fa/disable
POST /api/v1/auth/2fa/regenerate-recovery
POST /api/v1/auth/2fa/setup
POST /api/v1/auth/2fa/verify-setup
POST /api/v1/connections
POST /api/v1/connections/test
POST /api/v1/connections/{id}/test
POST /api/v1/deploy
POST /api/v1/deploy/revisions/{number}/activate
POST /api/v1/deploy/stop
POST /api/v1/mcp-tokens
POST /api/v1/playground/call
POST /api/v1/preview/execute
POST /api/v1/prompts
POST /api/v1/resources
POST /api/v1/server/encryption/rotate
POST /api/v1/sample
POST /api/v1/tools
POST /api/v1/tools/analyze
POST /api/v1/tools/definition
POST /api/v1/tools/{id}/duplicate
`), "\n")
}

// streams do not end by themselves.
func streams() []string {
	return []string{"GET /api/v1/events", "GET /api/v1/deploy/logs"}
}

// caller is who asks, by the headers of the request.
type caller struct {
	name   string
	header []string
	answer expected
}

// expected is what a caller is told.
type expected string

// The table: each caller of callers has one of these answers on every private route, and on public ones but for elsewhere, which is
// 403 there too.
const (
	stranger  expected = "401 unauthorized"
	elsewhere expected = "403 forbidden"
	admitted  expected = "past the door"
)

// callers is every way to ask. Agent and service tokens do not exist in this version: they are garbage like any other.
func (w *world) callers() []caller {
	w.t.Helper()
	good, ended := w.session(), w.session()
	w.do(http.MethodPost, "/api/v1/auth/logout", nil, "Cookie", ended).want(http.StatusNoContent)
	token := into[studio.MintedToken](w.do(http.MethodPost, "/api/v1/mcp-tokens", entity{"name": "sweep"}, "Cookie", good), 201).Token
	name, value, _ := strings.Cut(good, "=")
	out := []caller{
		{"nobody", nil, stranger},
		{"made-up session", []string{"Cookie", name + "=" + strings.Repeat("A", len(value))}, stranger},
		{"session with a character off", []string{"Cookie", name + "=" + value[:len(value)-1] + "!"}, stranger},
		{"ended session", []string{"Cookie", ended}, stranger},
		{"expired session", []string{"Cookie", w.expired()}, stranger},
		{"session under another name", []string{"Cookie", "__Host-" + good}, stranger},
		{"session as a bearer token", []string{"Authorization", "Bearer " + value}, stranger},
		{"session in a header", []string{"X-Studio-Session", value}, stranger},
		{"MCP token", []string{"Authorization", "Bearer " + token}, stranger},
		{"MCP token as a session", []string{"Cookie", name + "=" + token}, stranger},
		{"garbage token", []string{"Authorization", "Bearer " + strings.Repeat("x", 43)}, stranger},
		{"basic credentials", []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(adminName+":"+adminPassword))}, stranger},
		{"agent token", []string{"Authorization", "Bearer mcpa_" + strings.Repeat("a", 43)}, stranger},
		{"service token", []string{"X-Agent-Service-Token", value}, stranger},
		{"service and agent token", []string{"X-Agent-Service-Token", value, "Authorization", "Bearer " + token}, stranger},
		{"admin", []string{"Cookie", good}, admitted},
		{"admin on the studio's own page", []string{"Cookie", good, "Origin", w.http.URL, "Sec-Fetch-Site", "same-origin"}, admitted},
	}
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"},
		{"Origin", "null"}, {"Origin", "https://good.example.evil.example"}, {"Origin", w.http.URL + "0"},
		{"Origin", strings.Replace(w.http.URL, "127.0.0.1", "127.0.0.1.", 1)}, {"Origin", "http://sub." + strings.TrimPrefix(w.http.URL, "http://")},
		{"Origin", strings.Replace(w.http.URL, "http:", "https:", 1)},
	} {
		out = append(out, caller{"admin on a page of " + strings.Join(header, " "), append([]string{"Cookie", good}, header...), elsewhere})
	}
	return out
}

// session signs in anew and returns the cookie.
func (w *world) session() string {
	w.t.Helper()
	c := w.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"username": adminName, "password": adminPassword}, "Cookie", "").want(http.StatusOK).Cookies()[0]
	return c.Name + "=" + c.Value
}

// expired is the cookie of a session whose day is over.
func (w *world) expired() string {
	w.t.Helper()
	secret, err := session.OpenSecret(w.dir, "")
	if err != nil {
		w.t.Fatal(err)
	}
	yesterday := func() time.Time { return time.Now().Add(-session.Lifetime - time.Minute) }
	past, err := session.New(w.db, w.db, w.db, session.Options{Secret: secret, Hasher: w.hash, Limiter: limit.New(w.db, limit.Options{}), Now: yesterday})
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := past.Login(w.t.Context(), adminName, adminPassword, session.Client{Address: netip.MustParseAddr("192.0.2.1")})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.cookie.Name + "=" + in.Cookie
}

// address is the route with something in the place of its parameters.
func address(path string) string {
	return strings.NewReplacer("{id}", "x", "{number}", "1", "{connection}", "x", "{table}", "x", "{type}", "tool", "{file}", "reference.css").Replace(path)
}

// TestRouteSweep calls every route of the router as every caller. cases 5, 39, 40, 42, 43, 44, 45, 46, 50, 52, 69, 70, 71
func TestRouteSweep(t *testing.T) {
	w := newWorld(t).signIn()
	routes := w.routes()
	for _, r := range routes {
		if slices.Contains(public(), r) == slices.Contains(private(), r) {
			t.Errorf("%s: say in one of the two lists who may call it", r)
		}
	}
	for _, r := range slices.Concat(public(), private()) {
		if !slices.Contains(routes, r) {
			t.Errorf("%s is listed but the router does not have it", r)
		}
	}
	callers := w.callers()
	w.cookie = nil
	for _, r := range routes {
		t.Run(r, func(t *testing.T) {
			w := &world{t: t, http: w.http, client: w.client}
			for _, c := range callers {
				t.Run(c.name, func(t *testing.T) { (&world{t: t, http: w.http, client: w.client}).ask(r, c) })
			}
			w.otherForms(r)
		})
	}
	t.Logf("%d routes, %d callers each", len(routes), len(callers))
}

// ask calls one route as one caller and compares the answer with the table.
func (w *world) ask(r string, c caller) {
	w.t.Helper()
	method, path, _ := strings.Cut(r, " ")
	path = address(path)
	status, open := publicAnswers()[r]
	body := any(nil)
	if method == http.MethodPost || method == http.MethodPatch {
		body = "{}"
		if c.answer == admitted { // past the door, and without effect
			body, status = `{"no_such_field":1}`, 422
		}
	} else if method == http.MethodDelete && c.answer == admitted {
		path += "?no_such_field=1"
	}
	if c.answer == admitted && slices.Contains(streams(), r) {
		w.begins(path, c)
		return
	}
	a := w.do(method, path, body, c.header...)
	headers(w.t, c.name, a)
	switch {
	case c.answer == elsewhere:
		a.failure(http.StatusForbidden, store.Forbidden, "")
	case open:
		a.want(status)
	case c.answer == stranger:
		a.failure(http.StatusUnauthorized, store.Unauthorized, "")
	case a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusForbidden || a.StatusCode >= 500:
		w.t.Errorf("the admin got %d: %s", a.StatusCode, a.body)
	case body != nil:
		a.want(status)
	}
}

// begins looks at the head of a stream only.
func (w *world) begins(path string, c caller) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, w.http.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(c.header); i += 2 {
		q.Header.Set(c.header[i], c.header[i+1])
	}
	res, err := w.client.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Errorf("got %d %v", res.StatusCode, res.Header)
	}
	headers(w.t, c.name, answer{Response: res, t: w.t})
}

// otherForms asks as nobody by every other way to write the route, and by other methods: none may be judged more kindly.
func (w *world) otherForms(r string) {
	w.t.Helper()
	method, path, _ := strings.Cut(r, " ")
	path = address(path)
	body := any(nil)
	if method == http.MethodPost || method == http.MethodPatch {
		body = "{}"
	}
	for _, variant := range []string{
		"/" + path, path + "/", strings.Replace(path, "/api", "/API", 1), strings.Replace(path, "/api", "/%61pi/..//api", 1), "/api/." + strings.TrimPrefix(path, "/api"), path + ";x",
		strings.Replace(path, "/api", "/x/../api", 1), path + "%00", path + "%2f", path + "%ff",
	} {
		if a := w.do(method, variant, body); a.StatusCode < 400 && !slices.Contains(public(), r) {
			w.t.Errorf("%s: %d", variant, a.StatusCode)
		}
	}
	for _, other := range []string{http.MethodTrace, http.MethodOptions, http.MethodPut, http.MethodConnect, "BREW", "get"} {
		a := w.do(other, path, nil)
		if a.StatusCode < 400 {
			w.t.Errorf("%s: %d", other, a.StatusCode)
		}
		headers(w.t, other, a)
	}
	if a := w.do(http.MethodGet, path, nil, "X-HTTP-Method-Override", method); method != http.MethodGet && a.StatusCode < 400 {
		w.t.Errorf("the method was overridden: %d", a.StatusCode)
	}
}

// routes is the router's own list.
func (w *world) routes() []string {
	return rest.Routes(w.http.Config.Handler)
}

func headers(t *testing.T, caller string, a answer) {
	t.Helper()
	for name, want := range rest.SecurityHeaders() {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q", caller, name, got)
		}
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control is %q", caller, got)
	}
	if a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%s: headers %v", caller, a.Header)
	}
	if a.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: no request id", caller)
	}
}
