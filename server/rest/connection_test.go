package rest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

type entity map[string]any

func (e entity) id() string   { return fmt.Sprint(e["id"]) }
func (e entity) version() int { return int(e["version"].(float64)) }

const canary = "Canary-7f3a9c51e2d84b60"

func (w *world) postgres(extra entity) entity {
	w.t.Helper()
	draft := entity{"name": "crm", "db_type": "postgresql", "host": "127.0.0.1", "port": 1, "database": "crm", "username": "app", "password": canary}
	for k, v := range extra {
		draft[k] = v
	}
	return into[entity](w.do(http.MethodPost, "/api/v1/connections", draft), http.StatusCreated)
}

// cases 81, 82, 83, 85: the mask is never a password, and a stored one never follows to another endpoint.
func TestSecretStaysWithItsEndpoint(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	if c["password"] != store.Mask {
		t.Fatalf("password %v", c["password"])
	}
	path := "/api/v1/connections/" + c.id()
	patch := func(fields entity) answer {
		t.Helper()
		fields["version"] = into[entity](w.do(http.MethodGet, path, nil), http.StatusOK).version()
		return w.do(http.MethodPatch, path, fields)
	}
	for field, v := range map[string]any{"host": "db.example", "port": 2, "username": "root", "ssl_mode": "disable", "ssl_root_cert": "x", "db_type": "mysql", "extra_params": entity{"options": "x"}} {
		patch(entity{field: v}).failure(http.StatusUnprocessableEntity, store.Invalid, "password")
		patch(entity{field: v, "password": store.Mask}).failure(http.StatusUnprocessableEntity, store.Invalid, "password")
	}
	patch(entity{"password": ""}).failure(http.StatusUnprocessableEntity, store.Invalid, "password")
	same := into[entity](patch(entity{"name": "crm 2", "password": store.Mask}), http.StatusOK)
	if same["password"] != store.Mask {
		t.Error("the mask cleared the password")
	}
	for _, mangled := range []string{strings.Repeat("•", 7), "•••••x", " " + store.Mask + " "} {
		patch(entity{"password": mangled}).failure(http.StatusUnprocessableEntity, store.Invalid, "password")
	}
	draft := entity{"name": "x", "db_type": "postgresql", "host": "elsewhere.example", "port": 5432, "database": "crm", "username": "app", "id": c.id()}
	w.do(http.MethodPost, "/api/v1/connections/test", draft).failure(http.StatusUnprocessableEntity, store.Invalid, "password")
	cleared := into[entity](patch(entity{"host": "db.example", "password": nil}), http.StatusOK)
	if cleared["password"] != nil || cleared["host"] != "db.example" {
		t.Errorf("got %v", cleared)
	}
	// case 86: nowhere
	for _, p := range []string{"/api/v1/connections", path, "/api/v1/history", "/api/v1/history/connection/" + c.id(), "/api/v1/deploy/diff"} {
		if a := w.do(http.MethodGet, p, nil).want(http.StatusOK); strings.Contains(string(a.body), canary) {
			t.Errorf("%s shows the secret", p)
		}
	}
	if strings.Contains(w.logs.String(), canary) {
		t.Error("the log shows the secret")
	}
}

// case 83: a host that was edited in the store's file, as in a doctored backup, does not get the stored password.
func TestEditedStoreDoesNotReaimPassword(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	tool := entity{"name": "now", "connection_id": c.id(), "description": "The time.", "sql_query": "SELECT now()"}
	w.do(http.MethodPost, "/api/v1/tools", tool).want(http.StatusCreated)
	path := "/api/v1/connections/" + c.id()
	aimed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var dialled atomic.Int32
	var accepting sync.WaitGroup
	defer accepting.Wait()
	defer aimed.Close()
	accepting.Go(func() {
		for {
			conn, err := aimed.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			conn.Close()
		}
	})
	h, err := sql.Open("sqlite", "file:"+w.db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Exec(`UPDATE connections SET body = json_set(body, '$.port', ?)`, aimed.Addr().(*net.TCPAddr).Port); err != nil {
		t.Fatal(err)
	}
	got := into[entity](w.do(http.MethodGet, path, nil), http.StatusOK)
	if got["password"] != nil || got["needs_secret"] != true {
		t.Errorf("password %v, needs_secret %v", got["password"], got["needs_secret"])
	}
	test := w.do(http.MethodPost, path+"/test", nil)
	if test.failure(http.StatusUnprocessableEntity, store.Invalid, "password"); !strings.Contains(string(test.body), "needs its password again") {
		t.Errorf("the test says %s", test.body)
	}
	deploy := w.do(http.MethodPost, "/api/v1/deploy", entity{"accept_warnings": true}).want(http.StatusUnprocessableEntity)
	if !strings.Contains(string(deploy.body), `"needs_secret"`) || !strings.Contains(string(deploy.body), "needs its password again") {
		t.Errorf("the deploy says %s", deploy.body)
	}
	if n := dialled.Load(); n != 0 {
		t.Errorf("the edited endpoint was dialled %d times", n)
	}
	again := entity{"version": got["version"], "password": "entered again"}
	if v := into[entity](w.do(http.MethodPatch, path, again), http.StatusOK); v["needs_secret"] != false || v["password"] != store.Mask {
		t.Errorf("entered again: %v", v)
	}
	if v, _ := w.opened(c.id()).Password.Reveal(); v != "entered again" {
		t.Errorf("it opens to %q", v)
	}
}

// case 76: of two saves from the same state the second is refused, with what is stored now.
func TestStale(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	path := "/api/v1/connections/" + c.id()
	into[entity](w.do(http.MethodPatch, path, entity{"version": 1, "name": "first"}), http.StatusOK)
	f := w.do(http.MethodPatch, path, entity{"version": 1, "name": "second"}).failure(http.StatusConflict, store.Stale, "version")
	if got := f.Current.(map[string]any); got["name"] != "first" || got["version"] != 2.0 || got["password"] != store.Mask {
		t.Errorf("current %v", got)
	}
	w.do(http.MethodPatch, path, entity{"name": "third"}).failure(http.StatusUnprocessableEntity, store.Invalid, "version")
	w.do(http.MethodPatch, path, entity{"version": 0, "name": "third"}).failure(http.StatusConflict, store.Stale, "version")
	w.do(http.MethodPatch, path, `{"version":2,"id":"`+c.id()+`","name":"x"}`).failure(http.StatusBadRequest, store.Malformed, "id")
	w.do(http.MethodPatch, path, `{"version":2,"version":3,"name":"x"}`).failure(http.StatusBadRequest, store.Malformed, "version")
}

// cases 72, 73, 74, 75, 77, 78
func TestHostileInput(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	for _, id := range []string{"0", "-1", "9223372036854775808", "1e400", "1%20OR%201=1", "..%2f..", "%00", "00000000-0000-7000-8000-000000000000", strings.Repeat("a", 5000)} {
		for _, kind := range []string{"connections", "tools", "resources", "prompts", "mcp-tokens", "deploy/revisions"} {
			if a := w.do(http.MethodGet, "/api/v1/"+kind+"/"+id, nil); a.StatusCode < 400 || a.StatusCode >= 500 {
				t.Errorf("%s/%s: %d", kind, id, a.StatusCode)
			}
		}
	}
	for _, q := range []string{"limit=1000000000", "limit=-1", "skip=-1", "sort=name%3BDROP", "limit=x", "limit=1.5", "nope=1", "limit=99999999999999999999"} {
		w.do(http.MethodGet, "/api/v1/connections?"+q, nil).failure(http.StatusUnprocessableEntity, store.Invalid, strings.Split(q, "=")[0])
	}
	w.do(http.MethodGet, "/api/v1/connections?limit=1&limit=2", nil).failure(http.StatusBadRequest, store.Malformed, "limit")
	w.do(http.MethodGet, "/api/v1/connections?limit=%zz", nil).failure(http.StatusBadRequest, store.Malformed, "")
	if got := into[store.Page[entity]](w.do(http.MethodGet, "/api/v1/connections?search=%25", nil), http.StatusOK); got.Total != 0 {
		t.Error("% was a wildcard")
	}
	for _, field := range []string{`"id":"x"`, `"created_at":"2020-01-01T00:00:00Z"`, `"version":9`, `"needs_secret":true`, `"Name":"x"`} {
		w.do(http.MethodPost, "/api/v1/connections", `{"name":"n","db_type":"sqlite","database":"a.db",`+field+`}`).failure(http.StatusUnprocessableEntity, store.Invalid, "")
	}
	path := "/api/v1/connections"
	w.do(http.MethodPost, path, `{"name":"n"`+strings.Repeat(" ", 4<<20)+`}`).failure(http.StatusRequestEntityTooLarge, store.TooLarge, "")
	w.do(http.MethodPost, path, `{}`, "Content-Type", "text/plain").failure(http.StatusUnsupportedMediaType, store.Unsupported, "")
	w.do(http.MethodPost, path, `{}`, "Content-Type", "").failure(http.StatusUnsupportedMediaType, store.Unsupported, "")
	w.do(http.MethodPost, path, `{}`, "Content-Encoding", "gzip").failure(http.StatusUnsupportedMediaType, store.Unsupported, "")
	w.do(http.MethodPost, path, `[]`).failure(http.StatusBadRequest, store.Malformed, "")
	w.do(http.MethodPost, path+"?name=x", `{}`).failure(http.StatusBadRequest, store.Malformed, "")
	w.do(http.MethodDelete, path+"/"+c.id(), `{}`).failure(http.StatusBadRequest, store.Malformed, "")
	w.do(http.MethodPost, path, strings.Repeat("[", 10000)).failure(http.StatusBadRequest, store.Malformed, "")
	w.do(http.MethodPost, path, `{"name":"n","extra_params":`+strings.Repeat(`{"a":`, 9000)+"1"+strings.Repeat("}", 9000)+`}`).failure(http.StatusBadRequest, store.Malformed, "")
	f := w.do(http.MethodPost, path, `{"name":"","db_type":"postgresql","host":"http://x","port":0,"max_rows":-5,"pool_max_size":9000000000000000000}`).failure(http.StatusUnprocessableEntity, store.Invalid, "name")
	for _, field := range []string{"host", "max_rows", "pool_max_size"} {
		if f.Fields[field] == "" {
			t.Errorf("%s is not named in %v", field, f.Fields)
		}
	}
	w.do(http.MethodPost, path, `{"name":"n","db_type":"postgresql","host":"h","port":99999}`).failure(http.StatusUnprocessableEntity, store.Invalid, "port")
	w.do(http.MethodPost, path, entity{"name": "CRM", "db_type": "sqlite", "database": "a.db"}).failure(http.StatusConflict, store.Conflict, "name")
}

func TestDeleteUsedConnection(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(nil)
	tool := into[entity](w.do(http.MethodPost, "/api/v1/tools", entity{"connection_id": c.id(), "name": "one", "description": "d", "sql_query": "SELECT 1"}), http.StatusCreated)
	into[entity](w.do(http.MethodPost, "/api/v1/resources", entity{"connection_id": c.id(), "name": "two", "description": "d", "uri_template": "x://a", "sql_query": "SELECT 1"}), http.StatusCreated)
	path := "/api/v1/connections/" + c.id()
	usage := into[studio.Usages](w.do(http.MethodGet, path+"/usage", nil), http.StatusOK)
	if len(usage.Items) != 2 {
		t.Fatalf("usage %v", usage)
	}
	f := w.do(http.MethodDelete, path, nil).failure(http.StatusConflict, store.Conflict, "")
	if used := f.Current.(map[string]any)["used_by"].([]any); len(used) != 2 {
		t.Errorf("used by %v", used)
	}
	w.do(http.MethodDelete, path+"?cascade=true", nil).want(http.StatusNoContent)
	w.do(http.MethodGet, "/api/v1/tools/"+tool.id(), nil).failure(http.StatusNotFound, store.NotFound, "")
	history := into[store.Page[store.Change]](w.do(http.MethodGet, "/api/v1/history?limit=3", nil), http.StatusOK)
	for _, h := range history.Items {
		if h.Operation != "delete_connection" || h.Actor.Name != adminName || h.Actor.Kind != "admin" || h.Before == nil {
			t.Errorf("history %+v", h)
		}
	}
}

func TestTypesWithoutDriver(t *testing.T) {
	w := newWorld(t).signIn()
	c := into[entity](w.do(http.MethodPost, "/api/v1/connections", entity{"name": "lake", "db_type": "snowflake", "username": "u", "password": canary}), http.StatusCreated)
	w.do(http.MethodPost, "/api/v1/connections/"+c.id()+"/test", nil).failure(http.StatusUnprocessableEntity, store.NotAvailable, "db_type")
	w.do(http.MethodPost, "/api/v1/connections/test", entity{"name": "", "db_type": "mysql", "host": "h"}).failure(http.StatusUnprocessableEntity, store.NotAvailable, "db_type")
	w.do(http.MethodPost, "/api/v1/preview/execute", entity{"connection_id": c.id(), "sql_query": "SELECT 1"}).failure(http.StatusUnprocessableEntity, store.NotAvailable, "db_type")
	w.do(http.MethodGet, "/api/v1/schema/"+c.id()+"/tables", nil).failure(http.StatusUnprocessableEntity, store.NotAvailable, "db_type")
	into[entity](w.do(http.MethodPost, "/api/v1/tools", entity{"connection_id": c.id(), "name": "one", "description": "d", "sql_query": "SELECT 1"}), http.StatusCreated)
	f := w.do(http.MethodPost, "/api/v1/deploy", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "")
	if text := fmt.Sprint(f.Current); !strings.Contains(text, "not_available") || !strings.Contains(text, "one") {
		t.Errorf("problems %s", text)
	}
}

// case 87: a connection that cannot be reached says where it fails, without the password.
func TestFailingConnectionTest(t *testing.T) {
	needChild(t)
	w := newWorld(t).signIn()
	c := w.postgres(nil) // nothing listens on port 1
	r := into[mcpgen.TestResult](w.do(http.MethodPost, "/api/v1/connections/"+c.id()+"/test", nil), http.StatusOK)
	if r.Success || len(r.Steps) == 0 || r.Steps[len(r.Steps)-1].OK || r.Steps[len(r.Steps)-1].Hint == "" {
		t.Errorf("got %+v", r)
	}
	health := into[studio.Healths](w.do(http.MethodGet, "/api/v1/connections/health", nil), http.StatusOK)
	if len(health.Items) != 1 || health.Items[0].Status != "failing" || health.Items[0].CheckedAt == nil {
		t.Errorf("health %+v", health)
	}
	if strings.Contains(fmt.Sprint(r)+w.logs.String(), canary) {
		t.Error("the password is in the answer or the log")
	}
	into[entity](w.do(http.MethodPatch, "/api/v1/connections/"+c.id(), entity{"version": 1, "name": "new"}), http.StatusOK)
	health = into[studio.Healths](w.do(http.MethodGet, "/api/v1/connections/health", nil), http.StatusOK)
	if health.Items[0].Status != "unknown" {
		t.Errorf("after a change: %+v", health)
	}
}

// What a token may no longer do, the playground does not do in its name.
func TestPlaygroundOfIdleToken(t *testing.T) {
	w := newWorld(t).signIn()
	token := into[studio.MintedToken](w.do(http.MethodPost, "/api/v1/mcp-tokens", entity{"name": "t", "idle_timeout_minutes": 30}), http.StatusCreated)
	call := entity{"tool": "any", "as_token_id": token.ID}
	w.do(http.MethodPost, "/api/v1/playground/call", call).failure(http.StatusServiceUnavailable, store.Unavailable, "") // as far as the front
	if err := w.db.TouchTokens(t.Context(), []store.TokenUse{{ID: token.ID, At: time.Now().Add(-31 * time.Minute)}}); err != nil {
		t.Fatal(err)
	}
	w.do(http.MethodPost, "/api/v1/playground/call", call).failure(http.StatusUnprocessableEntity, store.Invalid, "as_token_id")
}

// A SQLite directory that cannot be used is said by name and reason: it is the operator's to mend.
func TestUnusableSQLiteDir(t *testing.T) {
	w := newWorld(t).signIn()
	dir := into[studio.SQLiteFiles](w.do(http.MethodGet, "/api/v1/server/sqlite-files", nil), http.StatusOK).Directory
	if err := errors.Join(os.Remove(dir), os.WriteFile(dir, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, a := range []answer{w.do(http.MethodGet, "/api/v1/server/sqlite-files", nil), w.do(http.MethodPost, "/api/v1/sample", nil)} {
		if f := a.failure(http.StatusServiceUnavailable, store.Unavailable, ""); !strings.Contains(f.Detail, dir) || !strings.Contains(f.Detail, "not a directory") {
			t.Errorf("%s: %s", a.Request.URL.Path, f.Detail)
		}
	}
}
