package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcpstudio/server/clientip"
	"mcpstudio/server/rest"
	"mcpstudio/store"
)

// TestEveryCodeHasAStatus walks the error map (docs/architecture.md section 5).
func TestEveryCodeHasAStatus(t *testing.T) {
	want := map[store.Code]int{
		store.Malformed: 400, store.Unauthorized: 401, store.Forbidden: 403, store.WrongPassword: 403, store.WrongCode: 403, store.NotFound: 404, store.Conflict: 409, store.Stale: 409, store.TooLarge: 413,
		store.Unsupported: 415, store.Invalid: 422, store.NotAvailable: 422, store.TooMany: 429, store.Unavailable: 503, store.Internal: 500,
	}
	for _, c := range store.Codes() {
		if got := rest.StatusOf(c); want[c] == 0 || got != want[c] {
			t.Errorf("%s: got %d, want %d", c, got, want[c])
		}
	}
}

// cases 2, 3, 4, 6, 9, 12, 23
func TestSetup(t *testing.T) {
	w := newWorld(t)
	const path = "/api/v1/auth/setup"
	if s := into[rest.AuthStatus](w.do(http.MethodGet, "/api/v1/auth/status", nil), 200); !s.SetupRequired || s.Authenticated || s.Key == nil || s.Key.Path == "" || s.Version != nil {
		t.Errorf("status %+v", s)
	}
	code, _, err := w.account.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := entity{"username": adminName, "password": adminPassword, "setup_code": code}
	w.do(http.MethodPost, path, entity{"username": adminName, "password": adminPassword}).failure(422, store.Invalid, "setup_code")
	w.do(http.MethodPost, path, entity{"username": adminName, "password": adminPassword, "setup_code": "nope"}).failure(403, store.Forbidden, "setup_code")
	w.do(http.MethodPost, path, entity{"username": adminName, "password": "short", "setup_code": code}).failure(422, store.Invalid, "password")
	w.do(http.MethodPost, path, body, "Content-Type", "text/plain").failure(415, store.Unsupported, "")
	w.do(http.MethodPost, path, body, "Origin", "http://evil.example").failure(403, store.Forbidden, "")
	w.do(http.MethodPost, path, `{"username":"a","password":"x","password":"y","setup_code":"z"}`).failure(400, store.Malformed, "password")
	w.do(http.MethodPost, path, `{"username":["a"],"password":{},"setup_code":1}`).failure(422, store.Invalid, "password")
	var made, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			b := entity{"username": fmt.Sprint("user", i), "password": adminPassword, "setup_code": code}
			a := w.do(http.MethodPost, path, b)
			mu.Lock()
			defer mu.Unlock()
			switch a.StatusCode {
			case http.StatusCreated:
				made++
			case http.StatusConflict, http.StatusTooManyRequests: // of many at once from one address only five are looked at
				refused++
			}
		})
	}
	all.Wait()
	if made != 1 || made+refused != 10 {
		t.Errorf("%d admins were made, %d attempts refused", made, refused)
	}
	w.do(http.MethodPost, path, body).failure(409, store.Conflict, "")
	if s := into[rest.AuthStatus](w.do(http.MethodGet, "/api/v1/auth/status", nil), 200); s.SetupRequired || s.Key != nil {
		t.Errorf("status %+v", s)
	}
	if log := w.logs.String(); strings.Contains(log, adminPassword) || strings.Contains(log, code) {
		t.Error("the log shows the password or the code")
	}
}

// cases 13, 14, 31, 34, 52
func TestLogin(t *testing.T) {
	w := newWorld(t).signIn()
	const path = "/api/v1/auth/login"
	good := entity{"username": adminName, "password": adminPassword}
	w.cookie = nil
	planted := w.do(http.MethodPost, path, good).want(200).Cookies()[0]
	a := w.do(http.MethodPost, path, good, "Cookie", planted.Name+"="+planted.Value).want(200)
	c := a.Cookies()[0]
	if c.Value == planted.Value || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || c.Domain != "" || c.Name != "studio_session" || c.MaxAge != 86400 {
		t.Errorf("cookie %+v", c)
	}
	me := "/api/v1/auth/me"
	w.do(http.MethodGet, me, nil, "Cookie", planted.Name+"="+planted.Value).failure(401, store.Unauthorized, "") // fixation
	w.do(http.MethodGet, me, nil, "Cookie", c.Name+"=x; "+c.Name+"="+c.Value).want(200)
	w.do(http.MethodGet, me, nil, "Cookie", strings.Repeat("a=b; ", 100)+c.Name+"="+c.Value).want(200)
	if s := into[rest.AuthStatus](w.do(http.MethodGet, "/api/v1/auth/status", nil, "Cookie", c.Name+"="+c.Value), 200); !s.Authenticated || *s.Username != adminName || *s.Version != "test" {
		t.Errorf("status %+v", s)
	}
	for i := range 5 {
		w.do(http.MethodPost, path, entity{"username": adminName, "password": "wrong"}, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)).failure(401, store.Unauthorized, "")
	}
	locked := w.do(http.MethodPost, path, good)
	locked.failure(429, store.TooMany, "")
	if locked.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.do(http.MethodGet, me, nil, "Cookie", c.Name+"="+c.Value).want(200) // who is in stays in
}

// case 32: behind a proxy that says HTTPS the cookie is Secure and host-bound, and a plain one does not count.
func TestCookieBehindProxy(t *testing.T) {
	w := newWorld(t).signIn()
	h, err := rest.New(rest.Options{
		Ops: w.studio.Ops(), Sessions: w.account, Admin: w.db.Admin, Streams: w.studio, Ready: w.studio.Ready,
		ClientIP: clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Origins: []string{"https://studio.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	proxied := httptest.NewServer(h)
	defer proxied.Close()
	p := &world{t: t, http: proxied, client: w.client}
	https := []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.9"}
	c := p.do(http.MethodPost, "/api/v1/auth/login", entity{"username": adminName, "password": adminPassword}, https...).want(200).Cookies()[0]
	if c.Name != "__Host-studio_session" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
	me := func(status int, header ...string) {
		p.do(http.MethodGet, "/api/v1/auth/me", nil, header...).want(status)
	}
	me(200, append(slices.Clone(https), "Cookie", c.Name+"="+c.Value)...)
	me(401, append(slices.Clone(https), "Cookie", "studio_session="+c.Value)...)
	me(200, append(slices.Clone(https), "Cookie", c.Name+"="+c.Value, "Origin", "https://studio.example")...)
	me(403, append(slices.Clone(https), "Cookie", c.Name+"="+c.Value, "Origin", strings.Replace(proxied.URL, "https", "http", 1))...) // case 40: other scheme
}

func TestHeadAndProbes(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]int{"/api/health": 200, "/api/ready": 200, "/api/v1/auth/status": 405, "/api/v1/events": 405, "/api/v1/tools": 405} {
		if a := w.do(http.MethodHead, path, nil); a.StatusCode != want || len(a.body) != 0 {
			t.Errorf("HEAD %s: %d %q", path, a.StatusCode, a.body)
		}
	}
	if a := w.do(http.MethodPut, "/api/v1/tools", nil); a.StatusCode != 405 || a.Header.Get("Allow") == "" {
		t.Errorf("PUT: %d %v", a.StatusCode, a.Header)
	}
	if a := w.do(http.MethodDelete, "/api/v1/tools", nil); a.StatusCode != 405 || !strings.Contains(a.Header.Get("Allow"), "GET") {
		t.Errorf("DELETE of a list: %d %v", a.StatusCode, a.Header)
	}
	w.do(http.MethodGet, "/api/v1/nothing", nil).failure(404, store.NotFound, "")
	w.signIn()
	for name, kind := range map[string]string{"": "text/html", "/reference.js": "text/javascript", "/reference.css": "text/css"} {
		if a := w.do(http.MethodGet, "/api/docs"+name, nil).want(200); !strings.HasPrefix(a.Header.Get("Content-Type"), kind) {
			t.Errorf("%s is %s", name, a.Header.Get("Content-Type"))
		}
	}
	w.do(http.MethodGet, "/api/docs/..%2fdocs.go", nil).want(404)
	if a := w.do(http.MethodGet, "/api/docs", nil); strings.Contains(string(a.body), "<style") || strings.Contains(string(a.body), "style=") || strings.Contains(string(a.body), "<script>") {
		t.Error("the reference has something inline")
	}
	if a := w.do(http.MethodGet, "/api/openapi.json", nil).want(200); !strings.Contains(string(a.body), `"openapi": "3.1.1"`) {
		t.Error("no document")
	}
}

// TestPanic: a panic is a 500 with a request id, and the log has the rest.
func TestPanic(t *testing.T) {
	w := newWorld(t).signIn()
	h, err := rest.New(rest.Options{Sessions: w.account, Ready: nil, Admin: w.db.Admin})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/ready", nil)) // calls the missing function
	if rec.Code != http.StatusInternalServerError || !strings.Contains(rec.Body.String(), `"code":"internal"`) || strings.Contains(rec.Body.String(), "nil pointer") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}
