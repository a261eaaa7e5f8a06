package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"mcpstudio/server/rest"
	"mcpstudio/store"
)

// public is the list of product.md section 5: everything else needs a session.
func public() []string {
	return []string{
		"GET /api/health", "GET /api/ready", "GET /api/v1/auth/status", "POST /api/v1/auth/setup", "POST /api/v1/auth/login", "POST /api/v1/auth/logout",
	}
}

// private is every other route. A route that is in neither list fails the sweep: whoever adds one says here who may call it.
func private() []string {
	return strings.Split(strings.TrimSpace(`
DELETE /api/v1/connections/{id}
DELETE /api/v1/mcp-tokens/{id}
DELETE /api/v1/prompts/{id}
DELETE /api/v1/resources/{id}
DELETE /api/v1/sample
DELETE /api/v1/tools/{id}
GET /api/docs
GET /api/docs/{file}
GET /api/openapi.json
GET /api/v1/auth/me
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
GET /api/v1/server/config
GET /api/v1/server/generated
GET /api/v1/server/health
GET /api/v1/server/sqlite-files
GET /api/v1/tools
GET /api/v1/tools/{id}
PATCH /api/v1/connections/{id}
PATCH /api/v1/mcp-tokens/{id}
PATCH /api/v1/prompts/{id}
PATCH /api/v1/resources/{id}
PATCH /api/v1/server/config
PATCH /api/v1/tools/{id}
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
POST /api/v1/sample
POST /api/v1/tools
POST /api/v1/tools/analyze
POST /api/v1/tools/definition
POST /api/v1/tools/{id}/duplicate
`), "\n")
}

// TestRouteSweep calls every route of the router as nobody, with a made-up session, an ended one, other credentials and from other
// sites. cases 5, 39, 40, 42, 43, 44, 45, 46, 50, 52, 69, 71
func TestRouteSweep(t *testing.T) {
	w := newWorld(t).signIn()
	routes := w.routes()
	for _, r := range routes {
		if slices.Contains(public(), r) == slices.Contains(private(), r) {
			t.Errorf("%s: say in one of the two lists who may call it", r)
		}
	}
	for _, r := range append(public(), private()...) {
		if !slices.Contains(routes, r) {
			t.Errorf("%s is listed but the router does not have it", r)
		}
	}
	good := w.cookie
	w.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"username": adminName, "password": adminPassword})
	ended := w.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"username": adminName, "password": adminPassword}, "Cookie", "").Cookies()[0]
	w.do(http.MethodPost, "/api/v1/auth/logout", nil, "Cookie", ended.Name+"="+ended.Value).want(http.StatusNoContent)
	again := w.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"username": adminName, "password": adminPassword}, "Cookie", "")
	good = again.want(http.StatusOK).Cookies()[0]
	w.cookie = nil

	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		path = strings.NewReplacer("{id}", "x", "{number}", "1", "{connection}", "x", "{table}", "x", "{type}", "tool", "{file}", "reference.css").Replace(path)
		body := any(nil)
		if method == http.MethodPost || method == http.MethodPatch {
			body = "{}"
		}
		t.Run(r, func(t *testing.T) {
			w := &world{t: t, http: w.http, client: w.client}
			cookie := good.Name + "=" + good.Value
			for caller, header := range map[string][]string{
				"nobody":          {},
				"made up":         {"Cookie", good.Name + "=" + strings.Repeat("A", len(good.Value))},
				"one bit off":     {"Cookie", good.Name + "=" + good.Value[:len(good.Value)-1] + "!"},
				"ended":           {"Cookie", ended.Name + "=" + ended.Value},
				"bearer":          {"Authorization", "Bearer " + good.Value},
				"service token":   {"X-Agent-Service-Token", good.Value},
				"other name":      {"Cookie", "__Host-" + cookie},
				"session in path": {"X-Studio-Session", good.Value},
			} {
				a := w.do(method, path, body, header...)
				headers(t, caller, a)
				if slices.Contains(private(), r) {
					a.failure(http.StatusUnauthorized, store.Unauthorized, "")
				} else if a.StatusCode >= 500 {
					t.Errorf("%s: %d", caller, a.StatusCode)
				}
			}
			foreign := [][]string{
				{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"},
				{"Origin", "null"}, {"Origin", "https://good.example.evil.example"}, {"Origin", w.http.URL + "0"}, {"Origin", strings.Replace(w.http.URL, "127.0.0.1", "127.0.0.1.", 1)},
				{"Origin", "http://sub." + strings.TrimPrefix(w.http.URL, "http://")},
			}
			for _, header := range foreign {
				a := w.do(method, path, body, append(header, "Cookie", cookie)...)
				headers(t, strings.Join(header, " "), a)
				a.failure(http.StatusForbidden, store.Forbidden, "")
			}
			for _, variant := range []string{"/" + path, path + "/", strings.Replace(path, "/api", "/API", 1), strings.Replace(path, "/api", "/%61pi/..//api", 1), "/api/." + strings.TrimPrefix(path, "/api"), path + ";x", strings.Replace(path, "/api", "/x/../api", 1)} {
				a := w.do(method, variant, body)
				if a.StatusCode < 400 && !(slices.Contains(public(), r)) {
					t.Errorf("%s: %d", variant, a.StatusCode)
				}
			}
			for _, other := range []string{http.MethodTrace, http.MethodOptions, http.MethodPut, "BREW"} {
				if a := w.do(other, path, nil, "Cookie", cookie); a.StatusCode < 400 {
					t.Errorf("%s: %d", other, a.StatusCode)
				}
			}
			a := w.do(http.MethodGet, path, nil, "X-HTTP-Method-Override", method, "Cookie", "")
			if method != http.MethodGet && a.StatusCode < 400 {
				t.Errorf("the method was overridden: %d", a.StatusCode)
			}
		})
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
