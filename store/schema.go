package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The bounds of a schema that an author writes (MCP 2026-07-28, tools: depth and number of subschemas are to be bounded).
const (
	maxSchemaBytes = 64 << 10
	maxSchemaDepth = 32
	maxSubschemas  = 1000
)

// dialects are the values of $schema that mean JSON Schema 2020-12, MCP's own dialect.
func dialects() []string {
	return []string{"https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft/2020-12/schema", "https://json-schema.org/draft/2020-12/schema#", "http://json-schema.org/draft/2020-12/schema#"}
}

// CheckSchema judges a JSON Schema that an author writes: an object schema of dialect 2020-12, within bounds, whose references stay
// inside it. A reference to another document would let a schema fetch or read something, so there is none.
func CheckSchema(schema json.RawMessage) error {
	if len(schema) > maxSchemaBytes {
		return fmt.Errorf("a schema is at most 64 KiB")
	}
	d := json.NewDecoder(bytes.NewReader(schema))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil || root == nil {
		return fmt.Errorf("a schema is a JSON object")
	}
	if root["type"] != "object" {
		return fmt.Errorf("the schema's type is \"object\": arguments and results are objects")
	}
	c := schemaCheck{root: root}
	if err := c.schema(root, 0); err != nil {
		return err
	}
	mirrors, err := mirrorsIn(root)
	if err == nil && len(mirrors) < c.mirrored {
		err = fmt.Errorf("%s stands only on properties that are reached through properties alone: clients ignore a tool where it stands elsewhere", mirrorKeyword)
	}
	return err
}

type schemaCheck struct {
	root     map[string]any
	seen     int
	mirrored int // keywords that ask for a header, wherever they stand
}

func (c *schemaCheck) schema(v any, depth int) error {
	if c.seen++; c.seen > maxSubschemas || depth > maxSchemaDepth {
		return fmt.Errorf("a schema has at most %d parts, at most %d deep", maxSubschemas, maxSchemaDepth)
	}
	if _, ok := v.(bool); ok {
		return nil
	}
	s, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("a part of the schema is neither an object nor true or false")
	}
	for key, v := range s {
		if err := c.keyword(key, v, depth); err != nil {
			return err
		}
	}
	return nil
}

// keyword looks at what refers elsewhere and goes into what holds schemas (JSON Schema 2020-12, sections 8 and 10).
func (c *schemaCheck) keyword(key string, v any, depth int) error {
	switch key {
	case "$schema":
		for _, d := range dialects() {
			if v == d {
				return nil
			}
		}
		return fmt.Errorf("$schema %v is not supported; use JSON Schema 2020-12, or leave it out", v)
	case "$ref", "$dynamicRef":
		return c.reference(v)
	case mirrorKeyword:
		c.mirrored++
	case "$id":
		return fmt.Errorf("$id is not supported: a schema stands alone")
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is an object of schemas", key)
		}
		for _, sub := range m {
			if err := c.schema(sub, depth+1); err != nil {
				return err
			}
		}
	case "allOf", "anyOf", "oneOf", "prefixItems":
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is a list of schemas", key)
		}
		for _, sub := range list {
			if err := c.schema(sub, depth+1); err != nil {
				return err
			}
		}
	case "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties":
		return c.schema(v, depth+1)
	}
	return nil
}

// reference allows #, #/a/b that leads somewhere, and #anchor.
func (c *schemaCheck) reference(v any) error {
	ref, ok := v.(string)
	if !ok || !strings.HasPrefix(ref, "#") {
		return fmt.Errorf("the reference %v leads out of the schema; only references that begin with # are followed", v)
	}
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil // the schema itself, or an anchor, which the validator looks up
	}
	var at any = c.root
	for _, part := range strings.Split(pointer, "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		m, ok := at.(map[string]any)
		if !ok || m[part] == nil {
			return fmt.Errorf("the reference %s leads nowhere", ref)
		}
		at = m[part]
	}
	return nil
}
