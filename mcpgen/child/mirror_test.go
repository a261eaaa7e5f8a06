package child

import (
	"encoding/json"
	"net/http"
	"testing"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// What a header says must be what the arguments say (MCP 2026-07-28, transports, "x-mcp-header").
func TestMirroredArguments(t *testing.T) {
	schema := `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"integer","x-mcp-header":"N"},"on":{"type":"boolean","x-mcp-header":"On"}}}`
	s, _ := newTestServer(t, database(t, shopTables...), project{tools: []store.ToolDraft{{
		Name: "by_region", SQLQuery: "SELECT :region AS region, :n AS n, :on AS switched", InputSchema: json.RawMessage(schema),
		Parameters: []store.Parameter{{Name: "region", ParamType: store.TypeString}, {Name: "n", ParamType: store.TypeInteger}, {Name: "on", ParamType: store.TypeBoolean}},
	}}}.manifest(t))
	for _, tt := range []struct {
		args, headers string // headers: name, value, …
		refused       bool
	}{
		{`{}`, ``, false},
		{`{"region":null}`, ``, false},
		{`{"region":"north"}`, `{"region":["north"]}`, false},
		{`{"region":"ü"}`, `{"region":["=?base64?w7w=?="]}`, false},
		{`{"n":7}`, `{"n":["7"]}`, false},
		{`{"n":7}`, `{"n":["7.0"]}`, false},
		{`{"n":9007199254740993}`, `{"n":["9007199254740993"]}`, false},
		{`{"on":true}`, `{"on":["true"]}`, false},
		{`{"region":"north"}`, `{"region":["north"],"other":["x"]}`, false}, // of no tool of ours
		{`{"region":"north"}`, ``, true},
		{`{}`, `{"region":["north"]}`, true},
		{`{"region":null}`, `{"region":["null"]}`, true},
		{`{"region":"north"}`, `{"region":["south"]}`, true},
		{`{"region":"north"}`, `{"region":["north","north"]}`, true},
		{`{"n":9007199254740993}`, `{"n":["9007199254740992"]}`, true},
		{`{"n":1}`, `{"n":["1e0"]}`, true},
		{`{"on":true}`, `{"on":["TRUE"]}`, true},
		{`{"region":{"a":1}}`, `{"region":["x"]}`, true},
		{`{"region":["x"]}`, `{"region":["x"]}`, true},
		{` { "region" : "a\u00fc\n" } `, `{"region":["=?base64?YcO8Cg==?="]}`, false},
	} {
		q := request(true, "tools/call", "by_region", tt.args, "")
		q.Mirror = []byte(tt.headers)
		r := serve(s, q)
		var got answerBody
		if err := json.Unmarshal(r.Body, &got); err != nil {
			t.Fatalf("%s: %v", r.Body, err)
		}
		refused := got.Error != nil && got.Error.Code == hop.CodeHeaderMismatch && r.Status == http.StatusBadRequest
		if refused != tt.refused || !tt.refused && got.Error != nil {
			t.Errorf("%s with %s: %d %s", tt.args, tt.headers, r.Status, r.Body)
		}
	}
	if r := serve(s, request(false, "tools/call", "by_region", `{"region":"north"}`, "")); r.Code != "ok" {
		t.Errorf("a legacy client knows no such headers: %s", r.Body)
	}
}
