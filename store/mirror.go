package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mirrorKeyword marks a property whose argument the client repeats in an HTTP header, so that what stands between client and server
// can route on it without reading the body (MCP 2026-07-28, transports, "x-mcp-header").
const mirrorKeyword = "x-mcp-header"

// Mirror is a property of a tool's input schema that a client repeats in the header Mcp-Param-Name.
type Mirror struct {
	Name string   // what the header is called after Mcp-Param-, as the author wrote it
	Path []string // the properties that lead to it from the root
	Type string   // string, integer or boolean
}

// Mirrors lists what a schema that passed [CheckSchema] has mirrored, in the order of the properties' names. The error of another
// schema says what is wrong with its annotations: a name that is not a token of HTTP (RFC 9110, section 5.6.2), two names
// that differ by case at most, a type that has no text form of its own.
func Mirrors(schema json.RawMessage) ([]Mirror, error) {
	var root map[string]any
	if len(schema) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, fmt.Errorf("read a schema: %w", err)
	}
	return mirrorsIn(root)
}

func mirrorsIn(root map[string]any) ([]Mirror, error) {
	out, err := appendMirrors(nil, root, nil)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range out {
		if key := strings.ToLower(m.Name); seen[key] {
			return nil, fmt.Errorf("the header name %q is used twice; names that differ only by case are the same header", m.Name)
		} else {
			seen[key] = true
		}
	}
	return out, nil
}

func appendMirrors(out []Mirror, schema map[string]any, path []string) ([]Mirror, error) {
	if v, ok := schema[mirrorKeyword]; ok {
		m := Mirror{Path: slices.Clone(path)}
		m.Name, _ = v.(string)
		m.Type, _ = schema["type"].(string)
		switch {
		case !isToken(m.Name):
			return nil, fmt.Errorf("%s is %v; it is the name of a header: letters, digits and -, at most 100", mirrorKeyword, v)
		case len(path) == 0:
			return nil, fmt.Errorf("%s stands on a property, not on the whole schema", mirrorKeyword)
		case m.Type != "string" && m.Type != "integer" && m.Type != "boolean":
			return nil, fmt.Errorf("%s is for properties of type string, integer or boolean; %s is none", mirrorKeyword, strings.Join(path, "."))
		}
		out = append(out, m)
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		sub, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		var err error
		if out, err = appendMirrors(out, sub, append(path, name)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// isToken reports whether v can be part of a header's name.
func isToken(v string) bool {
	const signs = "!#$%&'*+-.^_`|~"
	for i := range len(v) {
		if c := v[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte(signs, c) < 0 {
			return false
		}
	}
	return v != "" && len(v) <= 100
}
