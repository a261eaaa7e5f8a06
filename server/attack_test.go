package server

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"mcpstudio/server/rest"
	"mcpstudio/store"
)

// TestNothingIsBuiltFromTheRequest: no link, redirect, cookie, snippet or document repeats what a client says of the host and the
// scheme, in any header a proxy might set, over every address of the API and of the pages. case 202
func TestNothingIsBuiltFromTheRequest(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	forged := []string{
		"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Port", "4444", "Forwarded", `for=192.0.2.1;host=evil.example;proto=https`, "X-Host", "evil.example",
		"X-Forwarded-Server", "evil.example", "X-Original-Host", "evil.example", "X-Original-Url", "https://evil.example/", "X-Forwarded-Prefix", "/evil.example", "Referer", "https://evil.example/", "Front-End-Https", "on",
	}
	cookie := r.cookie.Name + "=" + r.cookie.Value
	redirects := 0
	for _, v := range r.visits() {
		if v.method != http.MethodGet || v.listener == mcpListener || v.header != nil || strings.HasSuffix(v.path, "/events") || strings.HasSuffix(v.path, "/deploy/logs") {
			continue
		}
		v.header = append([]string{"Cookie", cookie}, forged...)
		res, body := r.visit(v)
		if said := fmt.Sprint(res.Header) + body; strings.Contains(said, "evil.example") || strings.Contains(said, "4444") || strings.Contains(said, "https://127.0.0.1") {
			t.Errorf("%v repeats it: %.300s", v, said)
		}
		if to := res.Header.Get("Location"); to != "" {
			redirects++
			if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
				t.Errorf("%v leads to %q", v, to)
			}
		}
		for _, c := range res.Cookies() {
			t.Errorf("%v sets the cookie %s", v, c.Name)
		}
	}
	res, _ := r.send(http.MethodPost, r.base+rest.Base+"/auth/login", map[string]string{"username": "ada", "password": "correct horse battery 9"}, forged[:16]...)
	if res.StatusCode != http.StatusOK || len(res.Cookies()) != 1 {
		t.Fatalf("sign-in: %d", res.StatusCode)
	}
	if c := res.Cookies()[0]; c.Secure || c.Domain != "" || c.Name != "studio_session" {
		t.Errorf("the cookie believes the client: %v", c)
	}
	for _, host := range []string{"evil.example", "localhost\r\nX-Injected: yes", "localhost\nX-Injected: yes", "localhost%0d%0aX-Injected:%20yes", "localhost, evil.example", "localhost evil.example", "evil.example:80@localhost"} {
		got := talk(t, r.address(frontListener), "GET /login HTTP/1.1\r\nHost: "+host+"\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n")
		head, _, _ := strings.Cut(got, "\r\n\r\n")
		if strings.Contains(got, "evil.example") || strings.Contains(head, "X-Injected") {
			t.Errorf("Host %q: %s", host, got)
		}
		if refused := strings.HasPrefix(got, "HTTP/1.1 400 ") || strings.HasPrefix(got, "HTTP/1.1 421 "); !refused && !strings.ContainsAny(host, "\n") { // with a line break it is a Host and another header
			t.Errorf("Host %q: %.100s", host, got)
		}
	}
	t.Logf("%d redirects", redirects)
}

// TestLogLines: whatever a client writes into names, addresses, headers and messages, each event is one line of the log, without
// control characters, and short, in both forms the log has. (A child's own lines: TestCopyLines.) case 215
func TestLogLines(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			r := start(t, dataDir(t))
			var text lockedBuffer
			if format == "text" { // the same handlers with the other writer
				r.stop()
				r = startText(t, &text)
			}
			r.setUp()
			const nasty = "a\r\nb\x1b[31m\x1b]0;x\x07 \"}{\" \u202e\u2028 forged=yes"
			long := strings.Repeat("y", 1<<20)
			send := func(method, url string, body any) {
				t.Helper()
				if _, _, err := r.try(method, url, body); err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
					t.Fatal(err)
				}
			}
			for _, name := range []string{nasty, long} {
				send(http.MethodPost, r.base+rest.Base+"/auth/login", map[string]string{"username": name, "password": name})
				send(http.MethodPost, r.base+rest.Base+"/connections", map[string]any{"name": name, "db_type": name, "host": name})
				send(http.MethodPost, r.base+"/mcp", map[string]any{"jsonrpc": "2.0", "id": name, "method": name, "params": map[string]any{"name": name, "clientInfo": map[string]string{"name": name, "version": name}}})
				send(http.MethodGet, r.base+rest.Base+"/tools/"+url.PathEscape(name[:min(len(name), 20_000)])+"?search="+url.QueryEscape(nasty), nil)
				send(http.MethodDelete, r.base+rest.Base+"/auth/sessions/"+url.PathEscape(name[:min(len(name), 20_000)]), nil)
			}
			for _, line := range []string{
				"GET /api/v1/%0d%0aforged%1b%5b31m HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x1b[31mred\x1b[0m\r\nConnection: close\r\n\r\n", "GET /api/health HTTP/1.1\r\nHost: local\x1b[31mhost\r\nConnection: close\r\n\r\n",
				"G\x1b[31mT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("z", 60<<10) + "\r\nConnection: close\r\n\r\n",
				"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-Id: a\x1b[31m\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{\"\x1b[31m\":1}\r\n",
			} {
				talk(t, r.address(frontListener), line)
			}
			r.stop()
			whole := r.log.String() + text.String()
			lines := strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
			if len(lines) < 12 {
				t.Errorf("only %d lines", len(lines))
			}
			for _, line := range lines {
				if strings.ContainsFunc(line, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' }) {
					t.Errorf("a control character: %q", line)
				}
				if len(line) > 100<<10 { // an address of 64 KiB is what a client may send, and what is logged of it at debug level
					t.Errorf("%d bytes: %.200s", len(line), line)
				}
				var parsed map[string]any
				if format == "json" && (json.Unmarshal([]byte(line), &parsed) != nil || parsed["msg"] == nil || parsed["forged"] != nil) {
					t.Errorf("not one event: %.300q", line)
				}
				if format == "text" && !strings.HasPrefix(line, "time=") {
					t.Errorf("not one event: %.300q", line)
				}
			}
		})
	}
}

// startText is start with a log in the form for people.
func startText(t *testing.T, text io.Writer) *running {
	t.Helper()
	r := startLogged(t, dataDir(t), slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: slog.LevelDebug})))
	r.log = &lockedBuffer{}
	return r
}

// TestStoreThatCannotWrite: while another program holds the store, calls go on and what could not be noted is tried again; changes are
// refused, because a change without its history must not be. case 217
func TestStoreThatCannotWrite(t *testing.T) {
	needChild(t)
	if os.Getenv("STUDIO_ATTACK") == "" && os.Getenv("STUDIO_VERIFY") == "" {
		t.Skip("takes long, as a write waits five seconds for its turn: run through make attack or make verify")
	}
	dir := dataDir(t)
	r := start(t, dir)
	r.setUp()
	r.api(http.MethodPost, "/sample", nil, http.StatusCreated)
	r.waitFor("running")
	minted := r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "client"}, http.StatusCreated)
	h, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "studio.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	other, err := h.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	refused := make(chan int, 1)
	go func() {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+rest.Base+"/prompts", strings.NewReader(`{"name":"p","description":"d","template":"t"}`))
		if err != nil {
			refused <- 0
			return
		}
		q.Header.Set("Content-Type", "application/json")
		q.AddCookie(r.cookie)
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			refused <- 0
			return
		}
		res.Body.Close()
		refused <- res.StatusCode
	}()
	calls := 0
	for {
		began := time.Now()
		res, out := r.call(r.base+"/mcp", fmt.Sprint(minted["token"]), "top_customers", map[string]any{"limit": 1})
		if res.StatusCode != http.StatusOK || !strings.Contains(fmt.Sprint(out), "row_count:1") {
			t.Fatalf("a call while the store cannot write: %d %v", res.StatusCode, out)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("a call waited %s for the store", took)
		}
		calls++
		select {
		case status := <-refused:
			if status != http.StatusServiceUnavailable {
				t.Errorf("a change without a history was answered with %d", status)
			}
		case <-time.After(50 * time.Millisecond):
			continue
		}
		break
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if got := r.api(http.MethodGet, "/prompts?search=p", nil, http.StatusOK); strings.Contains(fmt.Sprint(got), `name:p `) {
		t.Error("the refused change is there")
	}
	r.api(http.MethodPost, "/prompts", map[string]any{"name": "p", "description": "d", "template": "t"}, http.StatusCreated)
	entries := r.api(http.MethodGet, "/history?entity_type=prompt", nil, http.StatusOK)
	if n := strings.Count(fmt.Sprint(entries), "create_prompt"); n != 1 {
		t.Errorf("%d entries of one prompt", n)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if got := r.api(http.MethodGet, "/mcp-tokens/"+fmt.Sprint(minted["id"]), nil, http.StatusOK); got["last_method"] == "tools/call" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the use of the token was never noted")
		}
	}
	t.Logf("%d calls were answered", calls)
}

// TestPagesAreNoAPI: a page is for navigations to an address of a page; whatever looks like the API is answered by the API, as JSON,
// however it is written and whoever navigates there. case 222
func TestPagesAreNoAPI(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	for _, path := range []string{"/api/v1/nothing", "/api/nothing", "/api/", "/api", "/api/v1/tools/x/y/z", "/admin/../api/v1/tools", "/admin/..//api/v1/tools", "/./api/v1/tools", "//api/v1/tools", "/tools/%2e%2e/api/v1/tools", "/api/../api/v1/tools", "/api/v1/../../tools", "/tools/.././api"} {
		for _, header := range []string{"Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n", "Accept: text/html\r\n", "Accept: application/json\r\n", ""} {
			got := talk(t, r.address(frontListener), "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+header+"\r\n")
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			if !strings.Contains(head, "Content-Type: application/json") || !json.Valid([]byte(body)) || strings.Contains(body, "<title>") {
				t.Errorf("%s with %q: %.300s", path, header, got)
			}
			if !strings.HasPrefix(head, "HTTP/1.1 404 ") && !strings.HasPrefix(head, "HTTP/1.1 401 ") {
				t.Errorf("%s with %q: %.100s", path, header, head)
			}
		}
	}
	for path, page := range map[string]string{"/": "app", "/tools/7?tab=history": "app", "/no/such/page": "app", "/deploy": "app", "/login": "auth", "/setup": "auth", "/apis": "app", "/API/v1/tools": "app"} {
		got := talk(t, r.address(frontListener), "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Mode: navigate\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, "Content-Type: text/html") || !strings.HasSuffix(strings.TrimSpace(got), page) {
			t.Errorf("%s: %.300s", path, got)
		}
	}
	for _, request := range []string{"GET /tools/7", "GET /no/such/script.js", "POST /tools", "GET /tools.json"} { // what is no navigation gets no page
		got := talk(t, r.address(frontListener), request+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Mode: cors\r\nAccept: */*\r\n\r\n")
		if strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.Contains(got, "<title>") {
			t.Errorf("%s: %.300s", request, got)
		}
	}
}

// TestDeployKeepsStreamsAndClients: a deploy cuts no open event stream, tells it of the new revision, and a client goes on with its old
// session id and initialize as if nothing had happened: the endpoint has no sessions to lose. case 244
func TestDeployKeepsStreamsAndClients(t *testing.T) {
	needChild(t)
	r := start(t, dataDir(t))
	r.setUp()
	r.api(http.MethodPost, "/sample", nil, http.StatusCreated)
	r.waitFor("running")
	token := fmt.Sprint(r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "client"}, http.StatusCreated)["token"])
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+rest.Base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.AddCookie(r.cookie)
	stream, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	keepalive := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}} // one connection over all revisions
	ask := func() string {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"top_customers","arguments":{"limit":1}}}`))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "Authorization": "Bearer " + token, "Mcp-Session-Id": "of-an-older-revision", "Mcp-Protocol-Version": "2025-06-18"} {
			q.Header.Set(k, v)
		}
		res, err := keepalive.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s %v", res.StatusCode, b, err)
		}
		return string(b)
	}
	first := ask()
	for revision := 2; revision <= 3; revision++ {
		r.api(http.MethodPost, "/prompts", map[string]any{"name": fmt.Sprint("p", revision), "description": "d", "template": "t"}, http.StatusCreated)
		r.api(http.MethodPost, "/deploy", map[string]any{}, http.StatusAccepted)
		if got := r.waitFor("running"); got["revision"] != float64(revision) {
			t.Fatalf("got %v", got)
		}
		if got := ask(); got != first {
			t.Errorf("revision %d: %s, before %s", revision, got, first)
		}
	}
	seen := 0
	for lines := bufio.NewScanner(stream.Body); seen < 2 && lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "data:") && strings.Contains(line, `"status":"running"`) && strings.Contains(line, fmt.Sprintf(`"revision":%d`, seen+2)) {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("the stream told of %d of two deploys, then it ended", seen)
	}
}

// TestHardPasswords takes passwords of every awkward character through a real PostgreSQL: the connection test and a deployed tool sign
// in with them; a wrong one is refused; renaming, the mask and going back to an old revision keep the password and never send the
// mask; and in no answer and no line of the log is it, in any form. cases 84 and 88
func TestHardPasswords(t *testing.T) {
	needChild(t)
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	admin, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	query := func(sql string) {
		t.Helper()
		if err := admin.Exec(t.Context(), sql).Close(); err != nil {
			t.Fatal(err)
		}
	}
	at, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, dataDir(t))
	r.setUp()
	var said strings.Builder
	api := func(method, path string, body any, status int) map[string]any {
		t.Helper()
		res, out := r.send(method, r.base+rest.Base+path, body)
		fmt.Fprintf(&said, "%v %#v\n", res.Header, out)
		b, _ := json.Marshal(out)
		said.Write(b)
		if res.StatusCode != status {
			t.Fatalf("%s %s: got %d, want %d: %v", method, path, res.StatusCode, status, out)
		}
		return out
	}
	role := fmt.Sprintf("hard_%d", os.Getpid())
	query("CREATE ROLE " + role + " LOGIN")
	defer func() { _ = admin.Exec(context.WithoutCancel(t.Context()), "DROP ROLE "+role).Close() }()
	passwords := []string{
		`p@ss:w/o?r#d%&+'" \ end0123`, "new\nline-and\ttab-0123456789", "späße 密码 🔑 Ωmega-0123456789", `postgres://u:p@h/d?x=y#z 012345`, ` leading and trailing 0123456 `, `'; DROP ROLE x; -- 0123456789`,
		`%41%2f%00 {{7*7}} $1 :name 0123`, "host=evil.example password=x 0123",
	}
	query("ALTER ROLE " + role + " PASSWORD " + quoted(passwords[0]))
	draft := map[string]any{"name": "hard", "db_type": "postgresql", "host": at.Host, "port": at.Port, "database": at.Database, "username": role, "ssl_mode": "disable", "password": passwords[0]}
	c := api(http.MethodPost, "/connections", draft, http.StatusCreated)
	path := "/connections/" + fmt.Sprint(c["id"])
	api(http.MethodPost, "/tools", map[string]any{"connection_id": c["id"], "name": "who", "description": "says who", "sql_query": "SELECT current_user AS who"}, http.StatusCreated)
	for i, p := range passwords {
		query("ALTER ROLE " + role + " PASSWORD " + quoted(p))
		version := api(http.MethodGet, path, nil, http.StatusOK)["version"]
		api(http.MethodPatch, path, map[string]any{"version": version, "password": p}, http.StatusOK)
		if got := api(http.MethodPost, path+"/test", nil, http.StatusOK); got["success"] != true {
			t.Errorf("password %d does not sign in: %v", i, got)
		}
		draft["password"] = p + "x"
		if got := api(http.MethodPost, "/connections/test", draft, http.StatusOK); got["success"] != false || !strings.Contains(fmt.Sprint(got), "password") {
			t.Errorf("password %d with one more character: %v", i, got)
		}
		draft["password"], draft["database"] = p, "no_such_database"
		if got := api(http.MethodPost, "/connections/test", draft, http.StatusOK); got["success"] != false {
			t.Errorf("a database that is not there: %v", got)
		}
		draft["database"] = at.Database
	}
	// case 84: rename with the mask, deploy, go back. The last password is in force.
	works := func(when string) {
		t.Helper()
		if got := api(http.MethodPost, path+"/test", nil, http.StatusOK); got["success"] != true {
			t.Errorf("%s the test fails: %v", when, got)
		}
		r.waitFor("running")
		got := api(http.MethodPost, "/playground/call", map[string]any{"tool": "who", "arguments": map[string]any{}}, http.StatusOK)
		if !strings.Contains(fmt.Sprint(got), role) {
			t.Errorf("%s the tool fails: %v", when, got)
		}
	}
	api(http.MethodPost, "/deploy", map[string]any{}, http.StatusAccepted)
	works("deployed,")
	version := api(http.MethodGet, path, nil, http.StatusOK)["version"]
	api(http.MethodPatch, path, map[string]any{"version": version, "name": "renamed", "password": store.Mask}, http.StatusOK)
	works("renamed,")
	version = api(http.MethodGet, path, nil, http.StatusOK)["version"]
	api(http.MethodPatch, path, map[string]any{"version": version, "max_rows": 10}, http.StatusOK)
	api(http.MethodPost, "/deploy", map[string]any{}, http.StatusAccepted)
	works("deployed again,")
	api(http.MethodPost, "/deploy/revisions/1/activate", nil, http.StatusAccepted)
	works("back at revision 1,")
	for _, p := range []string{"/history?limit=100", "/deploy/revisions/1", "/deploy/revisions/2", "/server/generated", "/deploy/logs/recent", "/deploy/diff?from=1&to=2", "/connections/health"} {
		api(http.MethodGet, p, nil, http.StatusOK)
	}
	r.stop()
	whole := said.String() + r.log.String()
	for i, p := range passwords {
		encoded, _ := json.Marshal(p)
		for form, needle := range map[string]string{
			"plain": p, "JSON": string(encoded[1 : len(encoded)-1]), "query": url.QueryEscape(p), "path": url.PathEscape(p), "user": url.UserPassword("u", p).String()[2:], "hex": hex.EncodeToString([]byte(p)),
			"base64": base64.StdEncoding.EncodeToString([]byte(p))[:len(p)/3*4], "quoted": fmt.Sprintf("%q", p), "SQL": quoted(p),
		} {
			if strings.Contains(whole, needle) {
				t.Errorf("password %d is in an answer or in the log (%s)", i, form)
			}
		}
	}
}

// quoted is a text as an SQL literal, whatever is in it.
func quoted(s string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
