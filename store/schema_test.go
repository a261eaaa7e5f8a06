package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"mcpstudio/store"
)

func TestCheckSchema(t *testing.T) {
	deep := strings.Repeat(`{"type":"object","properties":{"a":`, 40) + "true" + strings.Repeat("}}", 40)
	for in, want := range map[string]string{
		`{"type":"object"}`: "",
		`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"},"y":true},"additionalProperties":false}`: "",
		`{"type":"object","allOf":[{"if":{"properties":{"a":{"const":1}}},"then":{"required":["b"]}}]}`:                                                                                            "",
		`{"type":"object","properties":{"$ref":{"type":"string"}}}`:                                                                                                                                "", // a property of that name is no reference
		`[]`:                               "JSON object",
		`null`:                             "JSON object",
		`{"type":"array"}`:                 `type is "object"`,
		`{"type":"object","properties":5}`: "properties is an object",
		`{"type":"object","properties":{"a":{"$ref":"https://evil.example/s.json"}}}`: "leads out",
		`{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}`:          "leads out",
		`{"type":"object","$ref":"#/$defs/none"}`:                                     "leads nowhere",
		`{"type":"object","$schema":"http://json-schema.org/draft-07/schema#"}`:       "not supported",
		`{"type":"object","$id":"https://x.example/"}`:                                "$id",
		deep: "deep",
	} {
		err := store.CheckSchema(json.RawMessage(in))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.80s: got %v, want %q", in, err, want)
		}
	}
}
