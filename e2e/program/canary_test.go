package program_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authenticator is the six digits of an authenticator app (RFC 6238) for a step from now.
func authenticator(t *testing.T, secret string, step int64) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(secret, "="))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, time.Now().Unix()/30+step)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// TestCanaries is sweep S2 over the real program, cases 86, 87, 107 and 108: no secret that it was given or made is in any answer, log,
// file, argument or environment, in any of five encodings.
func TestCanaries(t *testing.T) {
	h := newHunt(t, 20261123)
	oldKey, newKey := h.plain("old encryption key"), h.plain("new encryption key")
	password := h.secret("admin password of the environment")
	env := []string{
		"STUDIO_ENCRYPTION_KEY=" + newKey + "," + oldKey, "STUDIO_JWT_SECRET=" + h.plain("session signing secret"), "STUDIO_AGENT_SERVICE_TOKEN=" + h.plain("agent service token"),
		"REDIS_PASSWORD=" + h.plain("Redis password"), "STUDIO_ADMIN_USERNAME=ada", "STUDIO_ADMIN_PASSWORD=" + password,
	}
	h.start(append(env, "STUDIO_ENCRYPTION_KEY="+oldKey)...)
	h.call(401, "POST", "/api/v1/auth/login", fields{"username": "ada", "password": h.secret("wrong password of a login")})
	h.call(200, "POST", "/api/v1/auth/login", fields{"username": "ada", "password": password})
	ids := h.connections()
	h.access(ids)
	h.account(password)
	h.stop()
	h.start(env...) // now with the new key in front
	h.call(204, "POST", "/api/v1/auth/logout", nil)
	h.signInAgain()
	h.call(200, "POST", "/api/v1/server/encryption/rotate", fields{"password": h.secrets["admin password"]})
	h.call(200, "POST", "/api/v1/connections/"+ids["connections"][0]+"/test", nil)
	h.everything(ids)
	h.processes()
	h.run(env, "", "backup", filepath.Join(h.dir, "copy.db"))
	h.files()
	h.run(env, h.secret("password of reset-password")+"\n", "reset-password", "--stdin")
	h.stop()
	h.run(env, "", "restore", filepath.Join(h.dir, "copy.db"))
	h.files()
	h.search()
	if len(h.secrets) < 20 {
		t.Errorf("%d kinds of secrets, want at least 20", len(h.secrets))
	}
}

// connections puts secrets of databases in: kept, replaced, cleared, deleted, of drafts, of kinds without a driver.
func (h *hunt) connections() map[string][]string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close() // nobody answers there
	ids := map[string][]string{}
	add := func(f fields) string {
		h.t.Helper()
		id := h.call(201, "POST", "/api/v1/connections", f).text("id")
		ids["connections"] = append(ids["connections"], id)
		return id
	}
	main := add(fields{"name": "main", "db_type": "postgresql", "host": "127.0.0.1", "port": port, "database": "shop", "username": "app", "ssl_mode": "disable", "password": h.secret("replaced database password")})
	for _, kind := range []string{"mysql", "mssql", "clickhouse", "cassandra", "greenplum", "supabase"} {
		add(fields{"name": kind, "db_type": kind, "host": "db.example", "port": 1234, "database": "d", "username": "u", "password": h.secret(kind + " password"), "is_active": false})
	}
	add(fields{"name": "snow", "db_type": "snowflake", "database": "d", "username": "u", "password": h.secret("snowflake password"), "extra_params": fields{"account": "a"}, "is_active": false})
	add(fields{"name": "bq", "db_type": "bigquery", "extra_params": fields{"project_id": "p", "dataset": "d",
		"credentials_json": fields{"type": "service_account", "private_key": h.secret("BigQuery private key")}}, "is_active": false})
	h.call(200, "PATCH", "/api/v1/connections/"+main, fields{"version": 1, "password": h.secret("database password")})
	gone := add(fields{"name": "gone", "db_type": "postgresql", "host": "db.example", "database": "d", "username": "u", "password": h.secret("deleted database password")})
	h.call(204, "DELETE", "/api/v1/connections/"+gone, nil)
	cleared := add(fields{"name": "cleared", "db_type": "postgresql", "host": "db.example", "database": "d", "username": "u", "password": h.secret("cleared database password")})
	h.call(200, "PATCH", "/api/v1/connections/"+cleared, fields{"version": 1, "password": nil})
	h.call(200, "POST", "/api/v1/connections/"+main+"/test", nil)
	h.call(200, "POST", "/api/v1/connections/test", fields{"name": "draft", "db_type": "postgresql", "host": "no.such.host.invalid", "database": "d", "username": "u", "password": h.secret("password of a draft")})
	h.call(422, "POST", "/api/v1/connections", fields{"name": "main", "db_type": "postgresql", "port": -1, "password": h.secret("password of a refused connection")})
	h.call(422, "POST", "/api/v1/connections", fields{"name": "dsn", "db_type": "postgresql", "host": "postgres://app:" + h.plain("password inside a host") + "@db.example/shop"})
	h.call(400, "POST", "/api/v1/connections", json.RawMessage(`{"name":"x","password":"`+h.plain("password in a broken body")+`","name":"y"}`))
	// A password that is typed again into a changed host is the only one that goes there. case 83
	h.call(422, "PATCH", "/api/v1/connections/"+main, fields{"version": 2, "host": "elsewhere.example"})
	tool := h.call(201, "POST", "/api/v1/tools", fields{"name": "ask", "description": "asks", "connection_id": main, "sql_query": "SELECT 1 AS x"}).text("id")
	ids["tools"] = []string{tool}
	return ids
}

// access makes tokens, deploys, and calls as clients do, rightly and wrongly.
func (h *hunt) access(ids map[string][]string) {
	h.t.Helper()
	for _, kind := range []string{"MCP token", "revoked MCP token"} {
		made := h.call(201, "POST", "/api/v1/mcp-tokens", fields{"name": strings.ReplaceAll(kind, " ", "-")}, "token")
		h.secrets[kind] = strings.TrimPrefix(made.text("token"), made.text("prefix"))
		ids["mcp-tokens"] = append(ids["mcp-tokens"], made.text("id"))
		if kind == "MCP token" {
			h.secrets["whole MCP token"] = made.text("token")
		}
	}
	h.call(204, "DELETE", "/api/v1/mcp-tokens/"+ids["mcp-tokens"][1], nil)
	h.call(202, "POST", "/api/v1/deploy", fields{})
	for began := time.Now(); h.call(200, "GET", "/api/v1/deploy/status", nil).text("status") != "running"; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			h.t.Fatalf("nothing runs: %s", h.said[fmt.Sprintf("GET /api/v1/deploy/status #%d", len(h.said)-1)])
		}
	}
	ask := fields{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": fields{"name": "ask", "arguments": fields{}}}
	for name, header := range map[string]http.Header{
		"with the token":       {"Authorization": {"Bearer " + h.secrets["whole MCP token"]}},
		"with a wrong token":   {"Authorization": {"Bearer " + h.plain("wrong bearer token")}},
		"with basic":           {"Authorization": {"Basic " + h.plain("basic credentials")}},
		"with another cookie":  {"Cookie": {"sid=" + h.plain("cookie of another program")}},
		"with a custom header": {"X-Api-Key": {h.plain("token in a custom header")}},
	} {
		header.Set("Accept", "application/json, text/event-stream")
		_, answer := h.send(h.t.Context(), "POST", "/mcp", ask, header)
		h.said["/mcp "+name] = answer
	}
	_, answer := h.send(h.t.Context(), "POST", "/mcp?access_token="+url.QueryEscape(h.secret("token in an address")), ask, http.Header{})
	h.said["/mcp with a token in the address"] = answer
	h.call(200, "POST", "/api/v1/playground/call", fields{"tool": "ask", "arguments": fields{}})
	token := filepath.Join(h.t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(h.secrets["whole MCP token"]), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.run(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`+"\n", "connect", "--url", h.url+"/mcp", "--token-file", token)
}

// account changes the password and turns the second factor on.
func (h *hunt) account(password string) {
	h.t.Helper()
	h.call(200, "PATCH", "/api/v1/auth/me", fields{"current_password": password, "new_password": h.secret("admin password")})
	setup := h.call(200, "POST", "/api/v1/auth/2fa/setup", fields{"password": h.secrets["admin password"]}, "secret", "otpauth_url", "qr_svg")
	h.secrets["two-factor secret"] = setup.text("secret")
	codes := h.call(200, "POST", "/api/v1/auth/2fa/verify-setup", fields{"code": authenticator(h.t, setup.text("secret"), 0)}, "recovery_codes")
	list, _ := codes["recovery_codes"].([]any)
	for i, c := range list {
		h.secrets[fmt.Sprintf("recovery code %d", i)], _ = c.(string)
	}
}

// signInAgain takes both steps, with a recovery code.
func (h *hunt) signInAgain() {
	h.t.Helper()
	pending := h.call(200, "POST", "/api/v1/auth/login", fields{"username": "ada", "password": h.secrets["admin password"]}, "pending_token").text("pending_token")
	h.secrets["pending token"] = pending
	h.call(200, "POST", "/api/v1/auth/login/verify-2fa", fields{"pending_token": pending, "code": h.secrets["recovery code 0"], "is_recovery": true})
}

// TestCanariesOfFiles is the same for the secrets the studio makes by itself, in its own files, and for the setup code.
func TestCanariesOfFiles(t *testing.T) {
	h := newHunt(t, 7)
	code := h.start()
	h.secrets["setup code"] = code
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(h.dir, "data", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	h.secrets["first key file"], h.secrets["session key file"] = read("encryption.key"), read("session.key")
	raw, err := base64.StdEncoding.DecodeString(h.secrets["first key file"])
	if err != nil {
		t.Fatal(err)
	}
	h.secrets["bytes of the first key"] = string(raw)
	h.call(200, "GET", "/api/v1/auth/status", nil)
	h.call(403, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": h.secret("password of a refused setup"), "setup_code": "wrong-code"})
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": h.secret("admin password"), "setup_code": code})
	h.call(201, "POST", "/api/v1/sample", nil)
	h.call(200, "POST", "/api/v1/server/encryption/rotate", fields{"password": h.secrets["admin password"]})
	h.secrets["second key file"] = read("encryption.key")
	for began := time.Now(); h.call(200, "GET", "/api/v1/deploy/status", nil).text("status") != "running" && time.Since(began) < time.Minute; time.Sleep(50 * time.Millisecond) {
	}
	h.everything(map[string][]string{})
	h.processes()
	h.stop()
	h.run(nil, "", "rotate-key", "--generate")
	h.secrets["third key file"] = read("encryption.key")
	h.files("encryption.key", "session.key")
	h.search()
}

// TestCanarySearch proves that the search can fail: a text that is kept in clear is found where it is.
func TestCanarySearch(t *testing.T) {
	for form, needles := range spellings(`cAn"<&>é/+ %0123456789`) {
		for _, n := range needles {
			if len(n) < 10 {
				t.Errorf("%s: %q would be found anywhere", form, n)
			}
		}
	}
	h := newHunt(t, 9)
	code := h.start("LANG=planted-in-the-environment")
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	h.call(201, "POST", "/api/v1/connections", fields{"name": "planted-name-of-a-connection", "db_type": "postgresql", "host": "db.example", "database": "d", "username": "u"})
	h.call(201, "POST", "/api/v1/sample", nil)
	h.everything(map[string][]string{})
	h.processes()
	h.stop()
	h.files()
	for planted, where := range map[string]string{"planted-name-of-a-connection": "file ", "planted-in-the-environment": "environ of process "} {
		found := false
		for place, content := range h.said {
			found = found || strings.HasPrefix(place, where) && bytes.Contains(content, []byte(planted))
		}
		if !found && (where != "environ of process " || os.Getuid() == 0) { // the kernel shows it to root only
			t.Errorf("%q is in a %sand was not found: the search proves nothing", planted, where)
		}
	}
	listed := false
	for place, content := range h.said {
		listed = listed || strings.HasPrefix(place, "GET /api/v1/connections") && bytes.Contains(content, []byte("planted-name-of-a-connection"))
	}
	if !listed {
		t.Error("a name in the answers was not found")
	}
}
