package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/server/doctor"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// securityHeaders are spelled out once more: what the code says is what is tested.
func securityHeaders() map[string]string {
	return map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
		"Permissions-Policy": "camera=(), microphone=(), geolocation=()",
	}
}

// visit is one request to one listener.
type visit struct {
	listener, method, path string
	header                 []string
}

// visits is every route of the OpenAPI document on the front and the API listener, and what is beside routes on each.
func (r *running) visits() []visit {
	r.t.Helper()
	var out []visit
	for _, l := range []string{frontListener, apiListener, mcpListener} {
		for _, path := range []string{"/", "/login", "/tools/7", "/assets/app-1a2b.js", "/assets/", "/assets/gone.js", "/favicon.svg", "/index.html", "/.git/config", "/%2e%2e/etc/passwd", "//api/health", "/api", "/api/", "/api/nothing", "/api/docs", "/mcp", "/mcp/", "/metrics", "/debug/pprof/"} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodTrace} {
				out = append(out, visit{l, method, path, nil})
			}
			out = append(out, visit{l, http.MethodGet, path, []string{"Sec-Fetch-Mode", "navigate"}}, visit{l, http.MethodGet, path, []string{"Host", "evil.example"}},
				visit{l, http.MethodPost, path, []string{"Origin", "https://evil.example"}}, visit{l, http.MethodGet, path, []string{"If-None-Match", "*", "Sec-Fetch-Mode", "navigate"}})
		}
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	res, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.base+"/api/openapi.json", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res.AddCookie(r.cookie)
	answer, err := http.DefaultClient.Do(res)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&doc); err != nil || len(doc.Paths) < 40 {
		r.t.Fatalf("the OpenAPI document has %d paths: %v", len(doc.Paths), err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			for _, l := range []string{frontListener, apiListener} {
				out = append(out, visit{l, strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), nil})
			}
		}
	}
	return out
}

// TestHeaders: the security headers are on every answer of every listener, once, whatever the answer is; nothing tells the program's
// name, lists a directory or opens the door to another origin. cases 51, 79, 80, 202
func TestHeaders(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	visits := r.visits()
	r.cookie = nil
	statuses := map[int]int{}
	for _, v := range visits {
		res, body := r.visit(v)
		statuses[res.StatusCode]++
		for name, want := range securityHeaders() {
			if got := res.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%v: %s is %q", v, name, got)
			}
		}
		csp := strings.Join(res.Header.Values("Content-Security-Policy"), "||")
		for _, must := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "script-src 'self';"} {
			if !strings.Contains(csp, must) {
				t.Errorf("%v: the policy %q lacks %s", v, csp, must)
			}
		}
		for _, never := range []string{"unsafe", "*", "http:", "https:", "||"} {
			if strings.Contains(csp, never) {
				t.Errorf("%v: the policy %q has %s", v, csp, never)
			}
		}
		for _, name := range []string{"Server", "X-Powered-By", "Strict-Transport-Security", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
			if got := res.Header.Values(name); got != nil {
				t.Errorf("%v: %s is %q", v, name, got)
			}
		}
		if strings.Contains(body, "<pre>") || strings.Contains(body, "Index of") || strings.Contains(body, "goroutine ") {
			t.Errorf("%v: %s", v, body)
		}
		if res.StatusCode >= 500 {
			t.Errorf("%v: %d", v, res.StatusCode)
		}
	}
	for _, status := range []int{200, 304, 401, 403, 404, 405, 421} {
		if statuses[status] == 0 {
			t.Errorf("no answer was %d: %v", status, statuses)
		}
	}
	t.Logf("%d answers by status %v", len(visits), statuses)
}

func (r *running) visit(v visit) (*http.Response, string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), v.method, "http://"+r.address(v.listener), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if q.URL.Opaque = v.path; strings.HasPrefix(v.path, "//") { // as it is written; this one only the absolute form can say
		q.URL.Opaque = "//" + q.URL.Host + v.path
	}
	for i := 0; i+1 < len(v.header); i += 2 {
		if q.Header.Set(v.header[i], v.header[i+1]); v.header[i] == "Host" {
			q.Host = v.header[i+1]
		}
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	res, err := transport.RoundTrip(q) // redirects are answers too
	if err != nil {
		r.t.Fatalf("%v: %v", v, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatalf("%v: %v", v, err)
	}
	return res, string(b)
}

// TestCORS: a listed origin may call the MCP endpoint, is named exactly, and nobody else is. case 51
func TestCORS(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	r.api(http.MethodPatch, "/server/config", map[string]any{"cors_origins": []string{"https://app.example"}}, http.StatusOK)
	for _, origin := range []string{"*", "https://*", "https://*.example", "null"} {
		r.api(http.MethodPatch, "/server/config", map[string]any{"cors_origins": []string{origin}}, http.StatusUnprocessableEntity)
	}
	for origin, want := range map[string]string{
		"https://app.example": "https://app.example", "http://app.example": "", "https://evil.example": "", "https://app.example.evil.example": "", "null": "",
		strings.Replace(r.base, "http:", "https:", 1): "",
	} {
		for _, v := range []visit{
			{frontListener, http.MethodPost, "/mcp", []string{"Origin", origin}},
			{mcpListener, http.MethodOptions, "/mcp", []string{"Origin", origin, "Access-Control-Request-Method", "POST"}},
		} {
			res, _ := r.visit(v)
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != want || res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%v: allowed origin %q, want %q", v, got, want)
			}
			if (res.StatusCode == http.StatusForbidden) != (want == "") {
				t.Errorf("%v: %d", v, res.StatusCode)
			}
		}
		if res, _ := r.visit(visit{frontListener, http.MethodGet, "/api/health", []string{"Origin", origin}}); res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("the API lets %s in", origin)
		}
	}
}

// TestMCPCallers: the MCP endpoint takes an MCP token and nothing else, on both listeners that have it; pages of other origins are
// refused first. cases 71, 109
func TestMCPCallers(t *testing.T) {
	r := start(t, dataDir(t))
	r.setUp()
	token := r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "client"}, http.StatusCreated)["token"].(string)
	revoked := r.api(http.MethodPost, "/mcp-tokens", map[string]any{"name": "revoked"}, http.StatusCreated)
	r.api(http.MethodDelete, "/mcp-tokens/"+revoked["id"].(string), nil, http.StatusNoContent)
	session := r.cookie
	r.cookie = nil
	bearer := func(t string) []string { return []string{"Authorization", "Bearer " + t} }
	const taken = http.StatusServiceUnavailable // past the door, where nothing is deployed
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"nobody", nil, http.StatusUnauthorized},
		{"MCP token", bearer(token), taken},
		{"revoked MCP token", bearer(revoked["token"].(string)), http.StatusUnauthorized},
		{"MCP token with a character off", bearer(token[:len(token)-1] + "!"), http.StatusUnauthorized},
		{"MCP token as basic credentials", []string{"Authorization", "Basic " + token}, http.StatusUnauthorized},
		{"MCP token in a cookie", []string{"Cookie", session.Name + "=" + token}, http.StatusUnauthorized},
		{"admin's session", []string{"Cookie", session.Name + "=" + session.Value}, http.StatusUnauthorized},
		{"admin's session as a token", bearer(session.Value), http.StatusUnauthorized},
		{"garbage token", bearer(strings.Repeat("x", 43)), http.StatusUnauthorized},
		{"agent token", bearer("mcpa_" + strings.Repeat("a", 43)), http.StatusUnauthorized},
		{"service token", []string{"X-Agent-Service-Token", token}, http.StatusUnauthorized},
		{"MCP token on a page of another origin", append(bearer(token), "Origin", "https://evil.example"), http.StatusForbidden},
		{"MCP token on a page of no origin", append(bearer(token), "Origin", "null"), http.StatusForbidden},
		{"MCP token to another name", append(bearer(token), "Host", "evil.example"), http.StatusMisdirectedRequest},
	} {
		for _, l := range []string{frontListener, mcpListener} {
			body := map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
			res, out := r.send(http.MethodPost, "http://"+r.address(l)+"/mcp", body, append(c.header, "Accept", "application/json, text/event-stream")...)
			if res.StatusCode != c.status {
				t.Errorf("%s on %s: got %d %v, want %d", c.name, l, res.StatusCode, out, c.status)
			}
		}
	}
}

// TestHostForms: only names that are ours are answered, in every way to write them. case 137
func TestHostForms(t *testing.T) {
	r := start(t, dataDir(t), "STUDIO_ALLOWED_HOSTS=inside.example", "STUDIO_PUBLIC_URL=https://studio.example:8443")
	for host, known := range map[string]bool{
		"192.0.2.7:99": true, "[::1]:3000": true, "[2001:db8::1]": true, "localhost": true, "LOCALHOST:1": true, "localhost.": true, "studio.example": true, "STUDIO.example:1": true,
		"inside.example.": true, "evil.example": false, "127.0.0.1.evil.example": false, "studio.example.evil.example": false, "xstudio.example": false, "localhost.evil.example": false,
		"user@localhost": false, "localhost:x": false, "localhost:99999": false, "::1": false, "studio.example/": false, "2130706433": false, "0x7f.1": false,
	} {
		for _, l := range r.s.listeners {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, "GET /api/health HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(c)
			c.Close()
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(b), "\r\n")
			if answered := !strings.Contains(first, " 421 ") && !strings.Contains(first, " 400 "); answered != known {
				t.Errorf("%s, Host %q: %s", l.name, host, first)
			}
		}
	}
}

// TestUnixListeners: everything works over sockets, which nobody else may open, and the way in is told.
func TestUnixListeners(t *testing.T) {
	dir := dataDir(t)
	socket := filepath.Join(filepath.Dir(dir), "front.sock")
	r := start(t, dir, "STUDIO_ADDR=unix:"+socket, "STUDIO_API_ADDR=off", "STUDIO_MCP_ADDR=unix:"+socket+"2")
	if len(r.s.listeners) != 2 {
		t.Errorf("%d listeners, want 2", len(r.s.listeners))
	}
	out := r.out.String()
	if !strings.Contains(out, "http://localhost/setup#code=") || !strings.Contains(out, "curl --unix-socket "+socket+" http://localhost/api/health") || !strings.Contains(out, "STUDIO_TRUSTED_PROXIES=unix") {
		t.Errorf("got %s", out)
	}
	for _, path := range []string{socket, socket + "2"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Type() != fs.ModeSocket || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}, DisableKeepAlives: true}}
	for host, status := range map[string]int{"localhost": http.StatusOK, "evil.example": http.StatusMisdirectedRequest} {
		res, err := client.Get("http://" + host + "/api/health")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d", host, res.StatusCode)
		}
	}
	if got := r.s.site().Endpoint; got != "http://localhost/mcp" {
		t.Errorf("endpoint %s", got)
	}
	r.stop()
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is left behind")
	}
}

// TestDefaultsMove: a default inner port that is taken is not in the way, and it is told where the listener went; the front stays.
func TestDefaultsMove(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dataDir(t), "STUDIO_ADDR=127.0.0.1:0", "STUDIO_MCP_ADDR=off", "STUDIO_SANDBOX=degraded"})
	if err != nil {
		t.Fatal(err)
	}
	c.API.TCP = taken.Addr().String()
	log := &lockedBuffer{}
	s, err := New(t.Context(), c, built(), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	item := itemOf(t, doctor.Check(s.facts()), "listeners")
	if item.Status != doctor.OK || !strings.Contains(item.Found, "("+taken.Addr().String()+" was taken)") {
		t.Errorf("got %+v", item)
	}
	if got := log.String(); !strings.Contains(got, "STUDIO_API_ADDR") || !strings.Contains(got, taken.Addr().String()) {
		t.Errorf("the log does not tell: %s", got)
	}
	for _, front := range []bool{true, false} {
		c.API.TCP, c.Front.TCP = "127.0.0.1:0", taken.Addr().String()
		c.Front.Set, c.DataDir = front, dataDir(t)
		if other, err := New(t.Context(), c, built(), slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), "STUDIO_ADDR: ") {
			t.Errorf("the front's address is taken: %v", err)
			if err == nil {
				other.Close()
			}
		}
	}
}

func itemOf(t *testing.T, c doctor.Checklist, id string) doctor.ChecklistItem {
	t.Helper()
	for _, i := range c.Items {
		if i.ID == id {
			return i
		}
	}
	t.Fatalf("there is no item %s", id)
	return doctor.ChecklistItem{}
}

// TestDataDirErrors: what is wrong with the data directory is said with the variable that names it.
func TestDataDirErrors(t *testing.T) {
	for _, dir := range []string{"/proc/studio", "/dev/null/studio"} {
		c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dir, "STUDIO_ADDR=127.0.0.1:0"})
		if err == nil {
			_, err = New(t.Context(), c, built(), slog.New(slog.DiscardHandler))
		}
		if err == nil || !strings.Contains(err.Error(), "STUDIO_DATA_DIR") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// TestChecklist: the running studio's own facts reach the items, and the settings that need a warning are logged.
func TestChecklist(t *testing.T) {
	dir := dataDir(t)
	r := start(t, dir, "STUDIO_TRUSTED_PROXIES=0.0.0.0/0,::/0", "STUDIO_JWT_SECRET="+strings.Repeat("ab", 16))
	for _, network := range []string{"0.0.0.0/0", "::/0"} {
		if !strings.Contains(r.log.String(), `"variable":"STUDIO_TRUSTED_PROXIES","network":"`+network+`"`) {
			t.Errorf("%s is not warned about", network)
		}
	}
	r.setUp()
	if err := os.WriteFile(filepath.Join(dir, "copy.db"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out := r.api(http.MethodGet, "/server/checklist", nil, http.StatusOK)
	got := map[string]any{}
	for _, i := range out["items"].([]any) {
		item := i.(map[string]any)
		got[item["id"].(string)] = item["status"]
	}
	for id, want := range map[string]string{
		"trusted_proxies": "fail", "session_secret": "warn", "encryption_key": "ok", "data_dir": "fail", "mcp_auth": "ok", "two_factor": "fail",
		"env_file": "ok", "database_roles": "ok", "backups": "warn", "listeners": "ok",
	} {
		if got[id] != want {
			t.Errorf("%s is %v, want %s", id, got[id], want)
		}
	}
	dotenv := filepath.Join(filepath.Dir(dir), ".env")
	if err := os.WriteFile(dotenv, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	r.s.config.DotEnv = &DotEnv{dotenv, 0o640}
	if item := itemOf(t, doctor.Check(r.s.facts()), "env_file"); item.Status != doctor.Warn || item.Mend != "chmod 600 "+dotenv {
		t.Errorf("got %+v", item)
	}
	r.s.warn()
	if !strings.Contains(r.log.String(), `"mend":"chmod 600 `+dotenv+`"`) {
		t.Error("a .env file that others can read is not warned about")
	}
	if err := os.Chmod(dotenv, 0o600); err != nil {
		t.Fatal(err)
	}
	if item := itemOf(t, doctor.Check(r.s.facts()), "env_file"); item.Status != doctor.OK {
		t.Errorf("mended, and still %+v", item)
	}
	r.cookie = nil
	r.api(http.MethodGet, "/server/checklist", nil, http.StatusUnauthorized)
}

func TestWeakness(t *testing.T) {
	for secret, weak := range map[string]bool{
		"kT9m2QhVb1eR7yXc4LpZs8NwUf3GjDa6oIvB0tKxMQE=": false, "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0": false,
		"a long passphrase of many different words": false, "a passphrase of twenty": true, strings.Repeat("ab", 40): true, strings.Repeat("A", 43) + "=": true,
	} {
		if got := weakness(secret); (got != "") != weak {
			t.Errorf("%q: %q", secret, got)
		}
	}
}

// TestStoreDoesNotOpen: whoever starts, rotates or runs the doctor over a store without its key is told the ways out, the last one too,
// and of a key file with the wrong rights how to mend them (cases 98, 99).
func TestStoreDoesNotOpen(t *testing.T) {
	dir := dataDir(t)
	start(t, dir).stop()
	file := filepath.Join(dir, keyring.FileName)
	key, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		spoil   func() error
		environ []string
		message string // of each
		mend    string // of the doctor's
	}{
		"no key file": {func() error { return os.Remove(file) }, nil, "rotate-key --forget-lost", "rotate-key --forget-lost"},
		"another key": {func() error { return nil }, []string{"STUDIO_ENCRYPTION_KEY=" + strings.Repeat("0a", 32)}, "rotate-key --forget-lost", "rotate-key --forget-lost"},
		"open rights": {func() error { return os.Chmod(file, 0o644) }, nil, "chmod 600", "chmod 600 " + file},
	} {
		if err := x.spoil(); err != nil {
			t.Fatal(err)
		}
		c, err := ConfigFromEnv(append([]string{"STUDIO_DATA_DIR=" + dir, "STUDIO_ADDR=127.0.0.1:0", "STUDIO_SANDBOX=degraded"}, x.environ...))
		if err != nil {
			t.Fatal(err)
		}
		_, started := New(t.Context(), c, built(), slog.New(slog.DiscardHandler))
		for _, err := range []error{started, RotateKey(t.Context(), c, io.Discard, false)} {
			if err == nil || !strings.Contains(err.Error(), x.message) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: got %v, want %q", name, err, x.message)
			}
		}
		var s doctor.Surroundings
		facts := hostFacts(c)
		examine(t.Context(), c, &s, &facts)
		if !strings.Contains(s.StoreMend, x.mend) || s.StoreError == "" || strings.Contains(s.StoreError, "canary") {
			t.Errorf("%s: the doctor says %q, %q; want %q", name, s.StoreError, s.StoreMend, x.mend)
		}
		if err := errors.Join(os.WriteFile(file, key, 0o600), os.Chmod(file, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	refused := &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
	if got := storeMend(refused, &doctor.File{Path: dir, Owner: new(7)}); !strings.HasSuffix(got, "chown -R 7 "+dir) {
		t.Errorf("a store of another user: %q", got)
	}
}

// TestOwners: what is in the data directory is of one user, the studio's.
func TestOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir := dataDir(t)
	start(t, dir).stop()
	c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dir})
	if err != nil {
		t.Fatal(err)
	}
	if item := itemOf(t, doctor.Check(hostFacts(c)), "data_dir"); item.Status != doctor.OK {
		t.Errorf("root's own: %+v", item)
	}
	path := filepath.Join(dir, db.FileName)
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if item := itemOf(t, doctor.Check(hostFacts(c)), "data_dir"); item.Status != doctor.Fail || !strings.Contains(item.Mend, "chown 12345 "+path) {
		t.Errorf("root's store in the directory of another user: %+v", item)
	}
}

// TestAgentOperations: agents are offered exactly what they were promised. What tells of the machine
// and its defences, and what only the pages need, is not in it.
func TestAgentOperations(t *testing.T) {
	offered := strings.Fields(`
		list_connections get_connection create_connection update_connection delete_connection
		list_tools get_tool create_tool update_tool delete_tool
		list_resources get_resource create_resource update_resource delete_resource
		list_prompts get_prompt create_prompt update_prompt delete_prompt
		test_connection list_tables list_columns preview_sql duplicate_tool analyze_sql
		get_manifest get_deploy_diff deploy_server stop_server get_deploy_status list_revisions activate_revision
		list_history get_entity_history get_server_health get_server_config`)
	// In the list of section 11 and not offered yet: update_server_config because agents may change only three of its fields, which comes
	// with the agent MCP; the rest is not built.
	later := strings.Fields(`
		create_tools_batch export_config import_config rollback get_metrics_stats get_metrics_timeseries get_queue_metrics list_calls
		update_server_config get_global_variables set_global_variables update_global_variables`)
	var got []string
	for _, o := range start(t, dataDir(t)).s.studio.Ops() {
		if o.Agent {
			got = append(got, o.Name)
		}
		if o.Name != "update_server_config" && slices.Contains(later, o.Name) {
			t.Errorf("%s exists now: offer it to agents", o.Name)
		}
	}
	slices.Sort(got)
	slices.Sort(offered)
	if diff := cmp.Diff(offered, got); diff != "" {
		t.Errorf("what agents are offered is not what section 11 lists:\n%s", diff)
	}
}
