package rest_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
)

// case 3: no way to write the address, the method or the protocol opens setup a second time.
func TestSetupStaysClosed(t *testing.T) {
	w := newWorld(t)
	code, _, err := w.account.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.signIn()
	w.cookie = nil
	before, err := w.db.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := entity{"username": "eve", "password": adminPassword + "x", "setup_code": code}
	for _, path := range []string{
		"setup", "setup/", "/setup", "./setup", "SETUP", "%73etup", "setup%20", "setup%00", "setup;x", "%2e/setup", "x/%2e%2e/setup", "setup?a=b", "setup%2f",
	} {
		for _, header := range [][]string{{}, {"X-HTTP-Method-Override", "PUT"}, {"X-Original-URL", account + "setup"}, {"X-Rewrite-URL", account + "setup"}} {
			if a := w.do("POST", account+path, body, header...); a.StatusCode < 400 || a.StatusCode >= 500 || len(a.Cookies()) != 0 {
				t.Errorf("%s %v: %d", path, header, a.StatusCode)
			}
		}
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "HEAD"} {
		if a := w.do(method, account+"setup", nil, "X-HTTP-Method-Override", "POST"); a.StatusCode < 400 {
			t.Errorf("%s: %d", method, a.StatusCode)
		}
	}
	text := fmt.Sprintf(`{"username":"eve","password":"%sx","setup_code":"%s"}`, adminPassword, code)
	for _, line := range []string{"POST " + account + "setup HTTP/1.0\r\n", "POST " + account + "setup HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n", "POST http://evil.example" + account + "setup HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"} {
		if got := w.raw(line + fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)); got < 400 || got >= 500 {
			t.Errorf("%s: %d", line, got)
		}
	}
	after, err := w.db.Admin(t.Context())
	if err != nil || after.Version != before.Version || after.Username != before.Username || after.PasswordHash != before.PasswordHash {
		t.Errorf("the admin changed: %+v %v", after, err)
	}
}

// raw sends bytes and returns the status of the answer.
func (w *world) raw(request string) int {
	w.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.http.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		w.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// case 22: an unknown user and a wrong password get the same bytes and the same headers. (The time is measured in auth/session.)
func TestUnknownUserLooksTheSame(t *testing.T) {
	w := newWorld(t).signIn()
	w.cookie = nil
	id := regexp.MustCompile(`"request_id":"[0-9a-f]+"`)
	look := func(name string) string {
		a := w.do("POST", account+"login", entity{"username": name, "password": "wrong password"})
		h := a.Header.Clone()
		h.Del("X-Request-Id")
		h.Del("Date")
		text := fmt.Sprint(a.StatusCode, id.ReplaceAllString(string(a.body), ""))
		for _, k := range slices.Sorted(maps.Keys(h)) {
			text += fmt.Sprint("\n", k, h[k])
		}
		return text
	}
	if known, unknown := look(adminName), look("nobody"); known != unknown {
		t.Errorf("known:\n%s\nunknown:\n%s", known, unknown)
	}
}

// case 23: what is no login is refused before it costs a hash.
func TestMalformedLogins(t *testing.T) {
	w := newWorld(t).signIn()
	w.cookie = nil
	before := w.hash.Done()
	for name, tc := range map[string]struct {
		body   string
		header []string
		want   int
	}{
		"nothing":      {"", nil, 422},
		"empty":        {"{}", nil, 422},
		"no password":  {`{"username":"ada"}`, nil, 422},
		"null":         {`{"username":"ada","password":null}`, nil, 422},
		"array":        {`{"username":"ada","password":["x"]}`, nil, 422},
		"number":       {`{"username":"ada","password":1}`, nil, 422},
		"object":       {`{"username":"ada","password":{"$ne":1}}`, nil, 422},
		"twice":        {`{"username":"ada","password":"x","password":"` + adminPassword + `"}`, nil, 400},
		"other case":   {`{"Username":"ada","Password":"` + adminPassword + `"}`, nil, 422},
		"list":         {`[]`, nil, 400},
		"more":         {`{"username":"ada","password":"x"} {}`, nil, 400},
		"not a number": {`{"username":"ada","password":NaN}`, nil, 400},
		"form":         {"username=ada&password=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"text":         {`{"username":"ada","password":"x"}`, []string{"Content-Type", "text/plain"}, 415},
		"zipped":       {`{"username":"ada","password":"x"}`, []string{"Content-Encoding", "gzip"}, 415},
		"10 MiB":       {`{"username":"ada","password":"` + strings.Repeat("x", 10<<20) + `"}`, nil, 413},
		"1 MiB":        {`{"username":"ada","password":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413},
		"too long":     {`{"username":"ada","password":"` + strings.Repeat("x", 5000) + `"}`, nil, 401},
		"deep":         {`{"username":"ada","password":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, nil, 400},
	} {
		if a := w.do("POST", account+"login", tc.body, tc.header...); a.StatusCode != tc.want || len(a.Cookies()) != 0 {
			t.Errorf("%s: %d, want %d: %.200s", name, a.StatusCode, tc.want, a.body)
		}
	}
	if n := w.hash.Done() - before; n != 0 {
		t.Errorf("%d hashes", n)
	}
	w.do("POST", account+"login", entity{"username": adminName, "password": adminPassword}).want(200) // and nothing is locked
}

// cases 38, 42: reading changes nothing: every GET route is called, with and without a session, and the store stays as it is, byte for byte of its rows.
func TestReadingChangesNothing(t *testing.T) {
	w := newWorld(t).signIn()
	w.do("POST", account+"2fa/setup", entity{"password": adminPassword}).want(200)
	w.do("GET", "/api/v1/sample", nil).want(200)
	before := w.dump()
	fill := strings.NewReplacer("{id}", "x", "{number}", "1", "{connection}", "x", "{table}", "x", "{type}", "tool", "{file}", "reference.css")
	for _, r := range w.routes() {
		method, path, _ := strings.Cut(r, " ")
		if method != http.MethodGet {
			continue
		}
		for _, header := range [][]string{{}, {"Cookie", ""}, {"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}} {
			w.open(fill.Replace(path), header...)
		}
	}
	if after := w.dump(); after != before {
		t.Errorf("a GET route wrote; before:\n%s\nafter:\n%s", before, after)
	}
}

// open calls a GET route and reads its answer for a moment: some are streams.
func (w *world) open(path string, header ...string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, w.http.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	q.AddCookie(w.cookie)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Del(header[i])
		if header[i+1] != "" {
			q.Header.Set(header[i], header[i+1])
		}
	}
	res, err := w.client.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") == "text/event-stream" {
		_, _ = res.Body.Read(make([]byte, 64))
		return
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		w.t.Error(err)
	}
	if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
		w.t.Errorf("%s: %d", path, res.StatusCode)
	}
}

// dump is every row of the store.
func (w *world) dump() string {
	w.t.Helper()
	h, err := sql.Open("sqlite", "file:"+w.db.Path()+"?mode=ro")
	if err != nil {
		w.t.Fatal(err)
	}
	defer h.Close()
	var out strings.Builder
	for _, table := range w.query(h, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		fmt.Fprintln(&out, table)
		for _, row := range w.query(h, `SELECT * FROM `+table) {
			fmt.Fprintln(&out, "\t"+row)
		}
	}
	return out.String()
}

func (w *world) query(h *sql.DB, query string) []string {
	w.t.Helper()
	rows, err := h.Query(query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = string(v)
		}
		out = append(out, strings.Join(row, "|"))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// cases 41, 49, 53: a client that is no browser writes with a cookie and JSON; answers are JSON that no browser takes for a page; HSTS is for TLS only.
func TestClientThatIsNoBrowser(t *testing.T) {
	w := newWorld(t).signIn()
	const draft = `{"name":"<img src=x onerror=alert(1)>"}`
	w.do("POST", "/api/v1/mcp-tokens", draft, "Content-Type", "").failure(415, store.Unsupported, "")
	w.do("POST", "/api/v1/mcp-tokens", draft, "Content-Type", "text/plain").failure(415, store.Unsupported, "")
	a := w.do("POST", "/api/v1/mcp-tokens", draft).want(201)
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(string(a.body), "<img") {
		t.Errorf("%s: %s", a.Header.Get("Content-Type"), a.body)
	}
	if a.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without TLS")
	}
}
