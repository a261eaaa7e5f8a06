package rest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
)

var updateGolden = flag.Bool("update", false, "write docs/openapi.json")

// TestOpenAPI keeps docs/openapi.json equal to what the operations say: the UI's client is generated from it.
func TestOpenAPI(t *testing.T) {
	doc, err := json.MarshalIndent(rest.OpenAPI((&studio.Service{}).Ops(), studio.Enums()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	doc = append(doc, '\n')
	golden := filepath.Join("..", "..", "docs", "openapi.json")
	if *updateGolden {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, want) {
		t.Error("docs/openapi.json is stale: run go test ./server/rest -run OpenAPI -update")
	}
}
