package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/server/rest"
)

// TestMain lets the test binary be the sandboxed child.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		os.Exit(childtest.Main(nil))
	}
	os.Exit(m.Run())
}

// running is a studio that serves.
type running struct {
	t      *testing.T
	s      *Server
	stop   func()
	out    bytes.Buffer
	log    *lockedBuffer
	base   string
	cookie *http.Cookie
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// dataDir is a fresh directory on whose way everybody may pass, as on a real host.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

func start(t *testing.T, dir string, environ ...string) *running {
	t.Helper()
	kept := &lockedBuffer{}
	r := startLogged(t, dir, slog.New(slog.NewJSONHandler(kept, &slog.HandlerOptions{Level: slog.LevelDebug})), environ...)
	r.log = kept
	return r
}

// startLogged is start with a log of the caller's.
func startLogged(t *testing.T, dir string, log *slog.Logger, environ ...string) *running {
	t.Helper()
	c, err := ConfigFromEnv(append([]string{"STUDIO_DATA_DIR=" + dir, "STUDIO_ADDR=127.0.0.1:0", "STUDIO_API_ADDR=127.0.0.1:0", "STUDIO_MCP_ADDR=127.0.0.1:0", "STUDIO_SANDBOX=degraded", "STUDIO_LOG_LEVEL=debug"}, environ...))
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t}
	if r.s, err = New(t.Context(), c, built(), log); err != nil {
		t.Fatal(err)
	}
	if err := r.s.announce(t.Context(), &r.out); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.s.serve(ctx) }()
	r.base = "http://" + r.address(frontListener)
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(2 * time.Minute):
				t.Error("the studio did not end")
			}
			if err := r.s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

func (r *running) address(name string) string {
	for _, l := range r.s.listeners {
		if l.name == name {
			return l.Addr().String()
		}
	}
	r.t.Fatalf("there is no listener %s", name)
	return ""
}

func (r *running) send(method, url string, body any, header ...string) (*http.Response, map[string]any) {
	r.t.Helper()
	res, out, err := r.try(method, url, body, header...)
	if err != nil {
		r.t.Fatal(err)
	}
	return res, out
}

// try is send for what may be cut off: a server that refuses a long body closes the connection, and the client, which is still
// sending, may see that before it sees the answer.
func (r *running) try(method, url string, body any, header ...string) (*http.Response, map[string]any, error) {
	r.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, url, in)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if r.cookie != nil {
		q.AddCookie(r.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			q.Host = header[i+1]
		}
		q.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]any{}
	_ = json.Unmarshal(b, &out) // not every answer is JSON
	return res, out, nil
}

func (r *running) api(method, path string, body any, status int) map[string]any {
	r.t.Helper()
	res, out := r.send(method, r.base+rest.Base+path, body)
	if res.StatusCode != status {
		r.t.Fatalf("%s %s: got %d, want %d: %v", method, path, res.StatusCode, status, out)
	}
	return out
}

var setupCode = regexp.MustCompile(`/setup#code=(\S+)`)

func (r *running) setUp() {
	r.t.Helper()
	m := setupCode.FindStringSubmatch(r.out.String())
	if m == nil {
		r.t.Fatalf("no setup link in %q", r.out.String())
	}
	if strings.Contains(r.log.String(), m[1]) {
		r.t.Error("the setup code is in the log")
	}
	res, out := r.send(http.MethodPost, r.base+rest.Base+"/auth/setup", map[string]string{"username": "ada", "password": "correct horse battery 9", "setup_code": m[1]})
	if res.StatusCode != http.StatusCreated {
		r.t.Fatalf("setup: %d %v", res.StatusCode, out)
	}
	r.cookie = res.Cookies()[0]
}

func (r *running) waitFor(status string) map[string]any {
	r.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out := r.api(http.MethodGet, "/deploy/status", nil, http.StatusOK)
		if out["deploying"] == nil && out["status"] == status {
			return out
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("not %s: %v", status, out)
		}
	}
}

func (r *running) call(url, token, tool string, arguments any) (*http.Response, map[string]any) {
	r.t.Helper()
	body := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": arguments}}
	return r.send(http.MethodPost, url, body, "Authorization", "Bearer "+token, "Accept", "application/json, text/event-stream", "MCP-Protocol-Version", "2025-06-18")
}

// TestFirstMinute goes the whole way over real listeners: setup link, sample, token, a client's call, a restart that brings the same
// revision back, and an orderly end.
func TestFirstMinute(t *testing.T) {
	needChild(t)
	dir := dataDir(t)
	r := start(t, dir)
	r.setUp()
	r.api(http.MethodPost, "/sample", nil, http.StatusCreated)
	status := r.waitFor("running")
	if status["endpoint"] != r.base+"/mcp" {
		t.Errorf("endpoint %v", status["endpoint"])
	}
	minted := r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "client", "tools": []string{"top_customers"}}, http.StatusCreated)
	token := fmt.Sprint(minted["token"])
	for _, url := range []string{r.base + "/mcp", "http://" + r.address(mcpListener) + "/mcp"} {
		res, out := r.call(url, token, "top_customers", map[string]any{"limit": 2})
		if res.StatusCode != http.StatusOK || !strings.Contains(fmt.Sprint(out), "row_count:2") {
			t.Errorf("%s: %d %v", url, res.StatusCode, out)
		}
	}
	if res, _ := r.call(r.base+"/mcp", "wrong", "top_customers", nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", res.StatusCode)
	}
	if res, _ := r.send(http.MethodPost, r.base+"/mcp", map[string]any{"jsonrpc": "2.0", "id": 1, "method": "ping"}); res.StatusCode != http.StatusUnauthorized { // case 71
		t.Errorf("a session on the MCP endpoint: %d", res.StatusCode)
	}
	played := r.api(http.MethodPost, "/playground/call", map[string]any{"tool": "top_customers", "arguments": map[string]any{"limit": 3}, "as_token_id": minted["id"]}, http.StatusOK)
	if played["http_status"] != 200.0 || played["rows"] != 3.0 {
		t.Errorf("playground %v", played)
	}
	hidden := r.api(http.MethodPost, "/playground/call", map[string]any{"tool": "search_products", "as_token_id": minted["id"]}, http.StatusOK)
	if !strings.Contains(fmt.Sprint(hidden["response"]), "error") {
		t.Errorf("a tool the token may not see: %v", hidden)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if got := r.api(http.MethodGet, "/mcp-tokens/"+fmt.Sprint(minted["id"]), nil, http.StatusOK); got["last_method"] == "tools/call" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the use of the token was not noted")
		}
	}
	r.api(http.MethodDelete, "/mcp-tokens/"+fmt.Sprint(minted["id"]), nil, http.StatusNoContent) // case 113
	if res, _ := r.call(r.base+"/mcp", token, "top_customers", nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", res.StatusCode)
	}
	if strings.Contains(r.log.String(), token) { // case 108
		t.Error("the token is in the log")
	}
	tool := r.api(http.MethodGet, "/tools?search=top_customers", nil, http.StatusOK)["items"].([]any)[0].(map[string]any)
	r.api(http.MethodPatch, "/tools/"+fmt.Sprint(tool["id"]), map[string]any{"version": tool["version"], "description": "Saved, not deployed."}, http.StatusOK)
	cookie := r.cookie
	r.stop()

	again := start(t, dir)
	if strings.Contains(again.out.String(), "setup") {
		t.Error("setup is open again") // case 3
	}
	again.cookie = cookie // sessions outlive a restart
	status = again.waitFor("running")
	if status["revision"] != 1.0 || status["undeployed_changes"] != 1.0 {
		t.Errorf("after the restart: %v", status)
	}
	manifest := fmt.Sprint(again.api(http.MethodGet, "/server/generated", nil, http.StatusOK))
	if strings.Contains(manifest, "Saved, not deployed.") {
		t.Error("the restart deployed what was only saved")
	}
	again.api(http.MethodPost, "/deploy/stop", nil, http.StatusAccepted)
	again.stop()
	third := start(t, dir)
	third.cookie = cookie
	third.waitFor("stopped")
}

// TestHosts: DNS rebinding finds no listener. case 137
func TestHosts(t *testing.T) {
	r := start(t, dataDir(t), "STUDIO_ALLOWED_HOSTS=inside.example", "STUDIO_PUBLIC_URL=https://studio.example")
	for _, l := range r.s.listeners {
		url := "http://" + l.Addr().String() + "/api/health"
		for host, want := range map[string]bool{"evil.example": false, "studio.example": true, "inside.example:1": true, "localhost": true, "127.0.0.1": true, "": true} {
			res, _ := r.send(http.MethodGet, url, nil, "Host", host)
			if (res.StatusCode != http.StatusMisdirectedRequest) != want {
				t.Errorf("%s, Host %q: %d", l.name, host, res.StatusCode)
			}
			if res.Header.Get("X-Frame-Options") != "DENY" || res.Header.Get("Content-Security-Policy") == "" {
				t.Errorf("%s, Host %q: headers %v", l.name, host, res.Header)
			}
		}
	}
}

// TestListenersServeTheirPart: each inner listener serves nothing of the others.
func TestListenersServeTheirPart(t *testing.T) {
	r := start(t, dataDir(t))
	for _, x := range []struct {
		listener, path string
		status         int
	}{
		{frontListener, "/api/health", 200}, {frontListener, "/", 200}, {frontListener, "/mcp", 405}, {frontListener, "/mcp/", 200}, {frontListener, "/login", 200},
		{frontListener, "//api/health", 404}, {frontListener, "/x/../api/health", 404}, {frontListener, "/API/health", 200},
		{apiListener, "/api/health", 200}, {apiListener, "/", 404}, {apiListener, "/mcp", 404},
		{mcpListener, "/mcp", 405}, {mcpListener, "/", 404}, {mcpListener, "/api/health", 404}, {mcpListener, "/api/v1/tools", 404},
	} {
		c, err := net.Dial("tcp", r.address(x.listener))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nSec-Fetch-Mode: navigate\r\n\r\n", x.path)
		b, err := io.ReadAll(c)
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(string(b), "\r\n"); !strings.Contains(got, fmt.Sprintf(" %d ", x.status)) {
			t.Errorf("%s %s: %s, want %d", x.listener, x.path, got, x.status)
		}
		if strings.HasPrefix(x.path, "/API") && strings.Contains(string(b), `"status":"ok"`) {
			t.Error("/API is the API")
		}
	}
}

func TestAdminFromEnvironment(t *testing.T) {
	dir := dataDir(t)
	env := []string{"STUDIO_ADMIN_USERNAME=root", "STUDIO_ADMIN_PASSWORD=from the environment 7"}
	r := start(t, dir, env...)
	if strings.Contains(r.out.String(), "setup") {
		t.Error("setup is open although the admin was given")
	}
	r.api(http.MethodPost, "/auth/login", map[string]string{"username": "root", "password": "from the environment 7"}, http.StatusOK)
	if strings.Contains(r.log.String(), "from the environment 7") {
		t.Error("the password is in the log")
	}
	res, _ := r.send(http.MethodPost, r.base+rest.Base+"/auth/login", map[string]string{"username": "root", "password": "from the environment 7"})
	r.cookie = res.Cookies()[0]

	// case 27: the command works beside the running studio and ends every session.
	c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dir})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for input, says := range map[string]string{"": "no password", "short\n": "8"} { // case 28
		if err := ResetPassword(t.Context(), c, Terminal{strings.NewReader(input), &out}, Reset{Stdin: true}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", input, err)
		}
	}
	r.api(http.MethodGet, "/auth/me", nil, http.StatusOK)
	if err := ResetPassword(t.Context(), c, Terminal{strings.NewReader("a new long password 3\n"), &out}, Reset{Stdin: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "a new long") {
		t.Error("the command shows the password")
	}
	r.api(http.MethodGet, "/auth/me", nil, http.StatusUnauthorized)
	r.cookie = nil
	r.api(http.MethodPost, "/auth/login", map[string]string{"username": "root", "password": "from the environment 7"}, http.StatusUnauthorized)
	r.api(http.MethodPost, "/auth/login", map[string]string{"username": "root", "password": "a new long password 3"}, http.StatusOK)
	if err := ResetPassword(t.Context(), c, Terminal{strings.NewReader("x"), &out}, Reset{}); err == nil || !strings.Contains(err.Error(), "--stdin") {
		t.Errorf("without a terminal: %v", err)
	}
}

// case 95: what the studio keeps is its own.
func TestFileModes(t *testing.T) {
	dir := dataDir(t)
	start(t, dir).stop()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o066 != 0 {
		t.Errorf("the data directory has mode %v", info.Mode())
	}
}

// TestEndWithStreams: an open event stream does not hold the end up.
func TestEndWithStreams(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+rest.Base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.AddCookie(r.cookie)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > endTime/2 { // an open request is waited for until endTime
		t.Errorf("the end took %s", took)
	}
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("the stream was cut instead of ended: %v", err)
	}
}

func TestSettingsFailClosed(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	r.api(http.MethodPatch, "/server/config", map[string]any{"auth_type": "none"}, http.StatusOK) // loopback only
	if got := r.s.settings.current().AuthType; got != "none" {
		t.Errorf("the front goes by %q", got)
	}
	exposed := start(t, dataDir(t), "STUDIO_PUBLIC_URL=https://studio.example")
	exposed.setUp()
	out := exposed.api(http.MethodPatch, "/server/config", map[string]any{"auth_type": "none"}, http.StatusUnprocessableEntity)
	if out["fields"].(map[string]any)["auth_none_confirmed"] == nil {
		t.Errorf("got %v", out)
	}
	exposed.api(http.MethodPatch, "/server/config", map[string]any{"auth_type": "none", "auth_none_confirmed": true}, http.StatusOK)
}

// Authentication that was switched off for this machine alone stays on for everybody else: a restart that opens the endpoint to
// others, by whatever variable, refuses every call until the admin has confirmed it.
func TestNoneIsNotOpenedByARestart(t *testing.T) {
	ping := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
	for _, opening := range []string{"STUDIO_PUBLIC_URL=https://studio.example", "STUDIO_TRUSTED_PROXIES=127.0.0.1", "STUDIO_MCP_ADDR=0.0.0.0:0"} {
		dir := dataDir(t)
		r := start(t, dir)
		r.setUp()
		r.api(http.MethodPatch, "/server/config", map[string]any{"auth_type": "none"}, http.StatusOK)
		r.stop()
		exposed := start(t, dir, opening)
		exposed.cookie = r.cookie
		if res, out := exposed.send(http.MethodPost, exposed.base+"/mcp", ping); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(fmt.Sprint(out), "auth mode") {
			t.Errorf("%s: got %d %v, want the door closed", opening, res.StatusCode, out)
		}
		exposed.api(http.MethodPatch, "/server/config", map[string]any{"auth_none_confirmed": true}, http.StatusOK)
		if res, out := exposed.send(http.MethodPost, exposed.base+"/mcp", ping); strings.Contains(fmt.Sprint(out), "auth mode") {
			t.Errorf("%s: confirmed, and still %d %v", opening, res.StatusCode, out)
		}
		exposed.stop()
	}
}

// needChild skips a test that starts a real child in a binary with cgo, which -race implies.
func needChild(t *testing.T) {
	t.Helper()
	if builtWithCgo {
		t.Skip("built with cgo, where a child cannot confine all its threads: run with CGO_ENABLED=0")
	}
}

// The log level of the server config counts at once, unless the environment names one.
func TestLogLevelFollowsTheConfig(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	level := new(slog.LevelVar)
	r.s.settings.follow(t.Context(), level)
	if level.Level() != slog.LevelInfo {
		t.Errorf("got %v, want the config's info", level.Level())
	}
	r.api(http.MethodPatch, "/server/config", map[string]any{"log_level": "warn"}, http.StatusOK)
	if level.Level() != slog.LevelWarn {
		t.Errorf("got %v, want warn", level.Level())
	}
}
