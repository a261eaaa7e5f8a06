package rest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

// trace is what a successful request of one route leaves in the history.
type trace struct {
	route     string
	act       func(*world) answer
	operation string // of the entry; empty: the route changes no state, and there must be none
	before    bool   // whether the entry says how it was
	after     bool   // whether it says how it became
}

// historyTraces is every route that is no GET, in an order in which each finds what it needs. secrets gets what no entry may show.
func historyTraces(w *world, secrets map[string]string) []trace {
	ids := map[string]string{}
	post := func(path string, body any, status int) func(*world) answer {
		return func(w *world) answer { return w.do(http.MethodPost, path, body).want(status) }
	}
	create := func(kind string, body func() entity) func(*world) answer {
		return func(w *world) answer {
			a := w.do(http.MethodPost, "/api/v1/"+kind, body()).want(http.StatusCreated)
			ids[kind] = into[entity](a, http.StatusCreated).id()
			return a
		}
	}
	patch := func(kind string, change entity) func(*world) answer {
		return func(w *world) answer {
			path := "/api/v1/" + kind + "/" + ids[kind]
			change["version"] = into[entity](w.do(http.MethodGet, path, nil), http.StatusOK).version()
			return w.do(http.MethodPatch, path, change).want(http.StatusOK)
		}
	}
	remove := func(kind string) func(*world) answer {
		return func(w *world) answer {
			return w.do(http.MethodDelete, "/api/v1/"+kind+"/"+ids[kind], nil).want(http.StatusNoContent)
		}
	}
	plain := func(e entity) func() entity { return func() entity { return e } }
	tool := func() entity {
		return entity{"connection_id": ids["connections"], "name": "find", "description": "d", "sql_query": "SELECT 1 AS one"}
	}
	resource := func() entity {
		return entity{"connection_id": ids["connections"], "name": "r", "description": "d", "uri_template": "shop://a/{id}", "sql_query": "SELECT 1 WHERE 1 = :id"}
	}
	second := func(use func(w *world, code string) answer) func(*world) answer { // a request that takes a code of the app
		return func(w *world) answer {
			for steps := -1; ; steps++ { // each code counts once
				if a := use(w, appCode(w.t, secrets["two-factor"], steps)); a.StatusCode != http.StatusForbidden || steps > 0 {
					return a
				}
			}
		}
	}
	secrets["password of a connection"], secrets["token"] = canary, ""
	return slices.Concat([]trace{
		{"POST /api/v1/auth/setup", func(w *world) answer { w.signIn(); return answer{} }, "create_admin", false, true},
		{"POST /api/v1/connections", create("connections", plain(entity{"name": "crm", "db_type": "postgresql", "host": "127.0.0.1", "port": 1, "database": "crm", "username": "app", "password": canary})), "create_connection", false, true},
		{"PATCH /api/v1/connections/{id}", patch("connections", entity{"name": "crm2", "password": canary + "2"}), "update_connection", true, true},
		{"POST /api/v1/connections/test", post("/api/v1/connections/test", entity{"name": "d", "db_type": "postgresql", "host": "127.0.0.1", "port": 1, "database": "d", "username": "u", "password": canary}, 200), "", false, false},
		{"POST /api/v1/connections/{id}/test", func(w *world) answer {
			return w.do("POST", "/api/v1/connections/"+ids["connections"]+"/test", nil).want(200)
		}, "", false, false},
		{"POST /api/v1/tools/analyze", func(w *world) answer {
			return w.do("POST", "/api/v1/tools/analyze", entity{"connection_id": ids["connections"], "sql_query": "SELECT 1"}).want(200)
		}, "", false, false},
		{"POST /api/v1/tools/definition", func(w *world) answer { return w.do("POST", "/api/v1/tools/definition", tool()).want(200) }, "", false, false},
		{"POST /api/v1/tools", create("tools", tool), "create_tool", false, true},
		{"PATCH /api/v1/tools/{id}", patch("tools", entity{"title": "Find"}), "update_tool", true, true},
		{"POST /api/v1/tools/{id}/duplicate", func(w *world) answer { return w.do("POST", "/api/v1/tools/"+ids["tools"]+"/duplicate", nil).want(201) }, "duplicate_tool", false, true},
		{"POST /api/v1/resources", create("resources", resource), "create_resource", false, true},
		{"PATCH /api/v1/resources/{id}", patch("resources", entity{"description": "e"}), "update_resource", true, true},
		{"POST /api/v1/prompts", create("prompts", plain(entity{"name": "p", "description": "d", "template": "t"})), "create_prompt", false, true},
		{"PATCH /api/v1/prompts/{id}", patch("prompts", entity{"description": "e"}), "update_prompt", true, true},
		{"POST /api/v1/mcp-tokens", func(w *world) answer {
			a := create("mcp-tokens", plain(entity{"name": "t"}))(w)
			secrets["token"] = into[studio.MintedToken](a, 201).Token
			return a
		}, "create_mcp_token", false, true},
		{"PATCH /api/v1/mcp-tokens/{id}", patch("mcp-tokens", entity{"name": "u"}), "update_mcp_token", true, true},
		{"PATCH /api/v1/server/config", func(w *world) answer {
			return w.do("PATCH", "/api/v1/server/config", `{"instructions":"Ask."}`).want(200)
		}, "update_server_config", true, true},
		{"DELETE /api/v1/mcp-tokens/{id}", remove("mcp-tokens"), "delete_mcp_token", true, false},
		{"DELETE /api/v1/prompts/{id}", remove("prompts"), "delete_prompt", true, false},
		{"DELETE /api/v1/resources/{id}", remove("resources"), "delete_resource", true, false},
		{"DELETE /api/v1/tools/{id}", func(w *world) answer {
			w.do("DELETE", "/api/v1/tools/"+w.tool("find_copy").ID, nil).want(204) // two entries of two tools
			return remove("tools")(w)
		}, "delete_tool", true, false},
		{"DELETE /api/v1/connections/{id}", remove("connections"), "delete_connection", true, false},
	}, deployTraces(), accountTraces(secrets, second))
}

// deployTraces goes from the sample to a stopped server.
func deployTraces() []trace {
	post := func(path string, body any, status int) func(*world) answer {
		return func(w *world) answer {
			a := w.do(http.MethodPost, "/api/v1/"+path, body).want(status)
			w.settled()
			return a
		}
	}
	return []trace{
		{"POST /api/v1/sample", post("sample", `{"deploy":false}`, 201), "create_sample", false, true},
		{"POST /api/v1/preview/execute", func(w *world) answer {
			return w.do(http.MethodPost, "/api/v1/preview/execute", entity{"connection_id": w.tool("top_customers").ConnectionID, "sql_query": "SELECT 1"}).want(200)
		}, "", false, false},
		{"POST /api/v1/deploy", post("deploy", `{"note":"first"}`, 202), "deploy_server", false, true},
		{"POST /api/v1/playground/call", post("playground/call", entity{"tool": "top_customers", "arguments": entity{}}, 503), "", false, false}, // the front is tested in package server
		{"POST /api/v1/deploy/stop", post("deploy/stop", nil, 202), "stop_server", true, true},
		{"POST /api/v1/deploy/revisions/{number}/activate", post("deploy/revisions/1/activate", nil, 202), "activate_revision", false, true},
		{"POST /api/v1/server/encryption/rotate", post("server/encryption/rotate", entity{"password": adminPassword}, 200), "rotate_encryption", false, true},
		{"DELETE /api/v1/sample", func(w *world) answer {
			a := w.do(http.MethodDelete, "/api/v1/sample", nil).want(http.StatusNoContent)
			w.settled()
			return a
		}, "delete_sample", true, false},
	}
}

// accountTraces is the account's life after its setup.
func accountTraces(secrets map[string]string, second func(func(*world, string) answer) func(*world) answer) []trace {
	var pending string
	elsewhere := func(w *world) *world { return &world{t: w.t, http: w.http, client: w.client} }
	login := func(w *world) answer {
		return elsewhere(w).do(http.MethodPost, account+"login", entity{"username": adminName, "password": adminPassword}).want(200)
	}
	keep := func(w *world, a answer) answer { // the session goes on under a new cookie
		for _, c := range a.Cookies() {
			w.cookie = c
		}
		return a
	}
	return []trace{
		{"POST /api/v1/auth/login", login, "", false, false}, // who signs in is in the list of sessions; a sign-in after failures is history
		{"DELETE /api/v1/auth/sessions", func(w *world) answer { return w.do(http.MethodDelete, account+"sessions", nil).want(204) }, "end_session", true, false},
		{"DELETE /api/v1/auth/sessions/{id}", func(w *world) answer {
			login(w)
			for _, s := range into[rest.SessionList](w.do(http.MethodGet, account+"sessions", nil), 200).Items {
				if !s.Current {
					return w.do(http.MethodDelete, account+"sessions/"+s.ID, nil).want(204)
				}
			}
			w.t.Fatal("there is no other session")
			return answer{}
		}, "end_session", true, false},
		{"PATCH /api/v1/auth/me", func(w *world) answer {
			return keep(w, w.do(http.MethodPatch, account+"me", entity{"current_password": adminPassword, "new_password": secrets["new password"]}).want(200))
		}, "change_password", true, true},
		{"POST /api/v1/auth/2fa/setup", func(w *world) answer {
			a := w.do(http.MethodPost, account+"2fa/setup", entity{"password": secrets["new password"]})
			secrets["two-factor"] = into[rest.TwoFactorSetup](a, 200).Secret
			return a
		}, "", false, false}, // nothing is on until verify-setup
		{"POST /api/v1/auth/2fa/verify-setup", second(func(w *world, code string) answer {
			return keep(w, w.do(http.MethodPost, account+"2fa/verify-setup", entity{"code": code}))
		}), "enable_two_factor", true, true},
		{"POST /api/v1/auth/login/verify-2fa", second(func(w *world, code string) answer {
			pending = into[rest.SignedIn](elsewhere(w).do(http.MethodPost, account+"login", entity{"username": adminName, "password": secrets["new password"]}), 200).PendingToken
			return elsewhere(w).do(http.MethodPost, account+"login/verify-2fa", entity{"pending_token": pending, "code": code})
		}), "", false, false},
		{"POST /api/v1/auth/2fa/regenerate-recovery", second(func(w *world, code string) answer {
			a := keep(w, w.do(http.MethodPost, account+"2fa/regenerate-recovery", entity{"password": secrets["new password"], "code": code}))
			if a.StatusCode == http.StatusOK {
				secrets["recovery code"] = into[rest.RecoveryCodes](a, 200).RecoveryCodes[0]
			}
			return a
		}), "regenerate_recovery_codes", true, true},
		{"POST /api/v1/auth/2fa/disable", func(w *world) answer {
			return keep(w, w.do(http.MethodPost, account+"2fa/disable", entity{"password": secrets["new password"], "code": secrets["recovery code"], "is_recovery": true}).want(204))
		}, "disable_two_factor", true, true},
		{"POST /api/v1/auth/logout", func(w *world) answer { // whoever signs out ends nothing but their own
			other := elsewhere(w)
			other.cookie = other.do(http.MethodPost, account+"login", entity{"username": adminName, "password": secrets["new password"]}).want(200).Cookies()[0]
			return other.do(http.MethodPost, account+"logout", nil).want(204)
		}, "", false, false},
	}
}

// TestHistorySweep makes one successful request of every route that is no GET, by the router's own list: each that changes what is
// stored leaves one entry for each thing it changed, with who, what, when, before and after, and no secret; each other leaves none. case 219
func TestHistorySweep(t *testing.T) {
	needChild(t)
	w := newWorld(t)
	secrets := map[string]string{"new password": "another fine staple 4", "password": adminPassword}
	traces := historyTraces(w, secrets)
	for _, r := range w.routes() {
		if !strings.HasPrefix(r, "GET ") && !slices.ContainsFunc(traces, func(x trace) bool { return x.route == r }) {
			t.Errorf("%s: say what it leaves in the history", r)
		}
	}
	last := int64(0)
	for _, x := range traces {
		began := time.Now().UTC().Add(-time.Second)
		x.act(w)
		seen := map[string]bool{}
		for _, c := range w.history() {
			if c.Seq <= last {
				break
			}
			if thing := string(c.EntityType) + c.EntityID; seen[thing] {
				t.Errorf("%s: two entries of one %s", x.route, c.EntityType)
			} else {
				seen[thing] = true
			}
			if x.operation == "delete_sample" && c.EntityType == store.KindRevision {
				continue // what runs goes with its configuration: an entry of its own, as of a stop
			}
			x.judge(t, c, began)
		}
		if len(seen) == 0 && x.operation != "" {
			t.Errorf("%s: no entry", x.route)
		}
		if all := w.history(); len(all) > 0 {
			last = all[0].Seq
		}
	}
	for _, path := range []string{"/api/v1/history?limit=100", "/api/v1/history/connection/none"} { // what is history stays
		for _, method := range []string{http.MethodDelete, http.MethodPatch, http.MethodPut, http.MethodPost} {
			if a := w.do(method, path, "{}"); a.StatusCode != http.StatusMethodNotAllowed && a.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, a.StatusCode)
			}
		}
	}
	whole := string(w.do(http.MethodGet, "/api/v1/history?limit=100", nil).want(http.StatusOK).body)
	for kind, secret := range secrets {
		if len(secret) < 10 || strings.Contains(whole, secret) {
			t.Errorf("the history holds the %s, or it was never made", kind)
		}
	}
}

// judge holds one entry against what its route says.
func (x trace) judge(t *testing.T, c store.Change, began time.Time) {
	t.Helper()
	said := func(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" }
	if c.Operation != x.operation {
		t.Errorf("%s: the entry's operation is %q, want %q", x.route, c.Operation, x.operation)
	}
	if c.Actor.Kind != "admin" || c.Actor.ID != store.AdminID || c.Actor.Name != adminName || c.EntityID == "" || c.EntityName == "" || c.ID == "" {
		t.Errorf("%s: the entry does not say who or what: %+v", x.route, c)
	}
	if c.At.Before(began) || c.At.After(time.Now().Add(time.Second)) || c.At.Location() != time.UTC {
		t.Errorf("%s: the entry is of %s", x.route, c.At)
	}
	if said(c.Before) != x.before || said(c.After) != x.after {
		t.Errorf("%s: before %.80s, after %.80s", x.route, c.Before, c.After)
	}
}

// history is the latest hundred entries, the newest first.
func (w *world) history() []store.Change {
	w.t.Helper()
	return into[store.Page[store.Change]](w.do(http.MethodGet, "/api/v1/history?limit=100", nil), http.StatusOK).Items
}

// TestHistoryForOthers: whoever may read the configuration sees its history and not the admin's own: sign-ins with their addresses, sessions,
// tokens, keys.
func TestHistoryForOthers(t *testing.T) {
	w := newWorld(t).signIn()
	w.do(http.MethodPost, "/api/v1/prompts", entity{"name": "p", "description": "d", "template": "t"}).want(http.StatusCreated)
	w.do(http.MethodPost, "/api/v1/mcp-tokens", entity{"name": "t"}).want(http.StatusCreated)
	ask := func(name string, in string) (store.Page[store.Change], error) {
		t.Helper()
		ctx := auth.NewContext(t.Context(), auth.Principal{Kind: auth.KindAgent, ID: "a", Name: "agent", Scopes: []auth.Scope{auth.ScopeRead}})
		ops := w.studio.Ops()
		out, err := ops[slices.IndexFunc(ops, func(o op.Op) bool { return o.Name == name })].Call(ctx, json.RawMessage(in))
		page, _ := out.(store.Page[store.Change])
		return page, err
	}
	seen := map[store.Kind]bool{}
	for _, c := range w.history() {
		seen[c.EntityType] = true
	}
	if !seen[store.KindAdmin] || !seen[store.KindMCPToken] || !seen[store.KindPrompt] {
		t.Fatalf("the admin sees %v", seen)
	}
	w.do(http.MethodGet, "/api/v1/history?entity_type=prompts", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "entity_type")
	w.do(http.MethodGet, "/api/v1/history/prompts/x", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "type")
	for _, in := range []string{`{}`, `{"entity_type":"prompt"}`} {
		page, err := ask("list_history", in)
		if err != nil || page.Total != 1 || len(page.Items) != 1 || page.Items[0].EntityType != store.KindPrompt {
			t.Errorf("%s: %+v %v", in, page, err)
		}
	}
	for _, in := range []string{`{"entity_id":"` + store.AdminID + `"}`, `{"actor_kind":"cli"}`} {
		if page, err := ask("list_history", in); err != nil || page.Total != 0 || len(page.Items) != 0 {
			t.Errorf("%s: %+v %v", in, page, err)
		}
	}
	for _, kind := range []store.Kind{store.KindAdmin, store.KindMCPToken, store.KindEncryption, store.KindBackup} {
		if _, err := ask("list_history", `{"entity_type":"`+string(kind)+`"}`); store.CodeOf(err) != store.Forbidden {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := ask("get_entity_history", `{"type":"`+string(kind)+`","id":"x"}`); store.CodeOf(err) != store.Forbidden {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
