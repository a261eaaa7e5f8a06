package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpstudio/mcpgen"
	"mcpstudio/server/connect"
	"mcpstudio/server/studio"
	"mcpstudio/store"
)

// contract holds answers against docs/openapi.json: the UI's client believes it, so a null where a list is promised is a bug.
type contract struct {
	paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				} `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	}
	compiler *jsonschema.Compiler
}

func newContract(t *testing.T) *contract {
	t.Helper()
	b, err := os.ReadFile("../../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths json.RawMessage `json:"paths"`
	}
	c := &contract{compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc.Paths, &c.paths); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.compiler.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *contract) check(t *testing.T, method, path, status string, a answer) {
	t.Helper()
	ref := c.paths[path][strings.ToLower(method)].Responses[status].Content["application/json"].Schema.Ref
	schema, err := c.compiler.Compile("openapi.json" + ref)
	if ref == "" || err != nil {
		t.Fatalf("%s %s: no schema for %s: %v", method, path, status, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s %s does not keep its contract: %v\n%s", method, path, err, a.body)
	}
}

// TestContract asks every reading operation, with things there and without, and compares the answers with the document.
func TestContract(t *testing.T) {
	needChild(t)
	w, c := newWorld(t).signIn(), newContract(t)
	lists := []string{
		"/auth/me", "/auth/status", "/connections", "/connections/health", "/drivers", "/server/sqlite-files", "/tools", "/resources", "/prompts", "/deploy/status", "/deploy/diff",
		"/deploy/revisions", "/deploy/logs/recent", "/server/checklist", "/server/config", "/server/encryption", "/server/health", "/mcp-tokens", "/connect/snippets", "/history", "/sample",
	}
	read := func(template string, values ...string) answer {
		t.Helper()
		a := w.do(http.MethodGet, "/api/v1"+strings.NewReplacer(values...).Replace(template), nil).want(http.StatusOK)
		c.check(t, http.MethodGet, "/api/v1"+template, "200", a)
		return a
	}
	for _, path := range lists {
		read(path)
	}
	c.check(t, http.MethodGet, "/api/v1/server/generated", "default", w.do(http.MethodGet, "/api/v1/server/generated", nil).want(404))

	post := func(template string, body any, status int, values ...string) answer {
		t.Helper()
		a := w.do(http.MethodPost, "/api/v1"+strings.NewReplacer(values...).Replace(template), body).want(status)
		c.check(t, http.MethodPost, "/api/v1"+template, map[int]string{200: "200", 201: "201", 202: "202"}[status], a)
		return a
	}
	sample := into[studio.Sample](post("/sample", nil, 201), 201)
	w.settled()
	token := into[studio.MintedToken](post("/mcp-tokens", entity{"name": "c", "expires_in_days": 1, "tools": []string{"a"}}, 201), 201)
	failing := w.postgres(entity{"name": "down"})
	post("/connections/{id}/test", nil, 200, "{id}", failing.id())
	post("/connections/{id}/test", nil, 200, "{id}", sample.ConnectionID)
	post("/connections/test", entity{"name": "", "db_type": "sqlite", "database": "nothing.db"}, 200)
	post("/tools/analyze", entity{"connection_id": sample.ConnectionID, "sql_query": "SELECT :x FROM products", "check": true}, 200)
	post("/tools/analyze", entity{"db_type": "mysql", "sql_query": "SELECT"}, 200)
	post("/tools/definition", entity{"connection_id": sample.ConnectionID, "name": "x", "description": "d", "sql_query": "SELECT 1"}, 200)
	post("/preview/execute", entity{"connection_id": sample.ConnectionID, "sql_query": "SELECT * FROM products WHERE id < 0"}, 200)
	copied := into[entity](post("/tools/{id}/duplicate", nil, 201, "{id}", sample.Tools[0]), 201)
	for _, path := range lists {
		read(path)
	}
	read("/server/generated")
	read("/connections/{id}", "{id}", sample.ConnectionID)
	read("/connections/{id}/usage", "{id}", sample.ConnectionID)
	read("/tools/{id}", "{id}", copied.id())
	read("/resources/{id}", "{id}", sample.ResourceID)
	read("/prompts/{id}", "{id}", sample.PromptID)
	read("/mcp-tokens/{id}", "{id}", token.ID)
	read("/deploy/revisions/{number}", "{number}", "1")
	read("/history/{type}/{id}", "{type}", "tool", "{id}", copied.id())
	read("/schema/{connection}/tables", "{connection}", sample.ConnectionID)
	columns := into[mcpgen.ColumnsOut](read("/schema/{connection}/tables/{table}/columns", "{connection}", sample.ConnectionID, "{table}", "order_items"), 200)
	if len(columns.ForeignKeys) != 2 || len(columns.Columns) != 4 {
		t.Errorf("columns %+v", columns)
	}
	w.do(http.MethodGet, "/api/v1/schema/"+sample.ConnectionID+"/tables/no%2Fsuch%20table/columns", nil).failure(404, store.NotFound, "")
	guide := into[connect.Guide](read("/connect/snippets"), 200)
	if guide.URL != w.site.Endpoint || len(guide.Clients) < 5 {
		t.Errorf("guide %+v", guide)
	}
	if token.Token == "" || token.Prefix == "" || !strings.HasPrefix(token.Token, token.Prefix) {
		t.Errorf("token %+v", token.MCPToken)
	}
	if got := read("/mcp-tokens/{id}", "{id}", token.ID); strings.Contains(string(got.body), token.Token) {
		t.Error("the token is shown again")
	}
}
