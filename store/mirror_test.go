package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/store"
)

func TestMirrors(t *testing.T) {
	schema := `{"type":"object","properties":{
		"region":{"type":"string","x-mcp-header":"Region"},
		"page":{"type":"object","properties":{"size":{"type":"integer","x-mcp-header":"Page-Size"}}},
		"x-mcp-header":{"type":"string"}}}`
	if err := store.CheckSchema(json.RawMessage(schema)); err != nil {
		t.Fatal(err)
	}
	got, err := store.Mirrors(json.RawMessage(schema))
	want := []store.Mirror{{Name: "Page-Size", Path: []string{"page", "size"}, Type: "integer"}, {Name: "Region", Path: []string{"region"}, Type: "string"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	property := func(p string) string { return `{"type":"object","properties":{"a":` + p + `}}` }
	for in, want := range map[string]string{ // what would panic, or make clients drop the tool
		property(`{"type":"number","x-mcp-header":"A"}`):                          "string, integer or boolean",
		property(`{"x-mcp-header":"A"}`):                                          "string, integer or boolean",
		property(`{"type":"string","x-mcp-header":""}`):                           "name of a header",
		property(`{"type":"string","x-mcp-header":"a b"}`):                        "name of a header",
		property(`{"type":"string","x-mcp-header":"a\r\nb"}`):                     "name of a header",
		property(`{"type":"string","x-mcp-header":7}`):                            "name of a header",
		property(`{"anyOf":[{"type":"string","x-mcp-header":"A"}]}`):              "properties alone",
		property(`{"type":"array","items":{"type":"string","x-mcp-header":"A"}}`): "properties alone",
		`{"type":"object","x-mcp-header":"A"}`:                                    "not on the whole schema",
		`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"Same"},"b":{"type":"string","x-mcp-header":"SAME"}}}`:                      "used twice",
		`{"type":"object","$defs":{"d":{"type":"string","x-mcp-header":"A"}},"properties":{"a":{"$ref":"#/$defs/d"}}}`:                                  "properties alone",
		`{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}},"allOf":[{"properties":{"b":{"type":"string","x-mcp-header":"B"}}}]}`: "properties alone",
	} {
		if err := store.CheckSchema(json.RawMessage(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", in, err, want)
		}
	}
}
