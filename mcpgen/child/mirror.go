package child

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// checkMirrors compares the arguments that a tool wants repeated in HTTP headers with those headers. What stands between
// client and server may have decided on the header: the call must not mean something else (MCP 2026-07-28, transports,
// "x-mcp-header").
func checkMirrors(mirrors []store.Mirror, q *hop.Request) *rpcError {
	headers := map[string][]string{}
	if len(q.Mirror) > 0 && json.Unmarshal(q.Mirror, &headers) != nil {
		return invalidParams("The Mcp-Param headers could not be read.")
	}
	var args any
	if len(q.Args) > 0 {
		d := json.NewDecoder(bytes.NewReader(q.Args))
		d.UseNumber()
		if d.Decode(&args) != nil {
			return invalidParams("The arguments must be an object.")
		}
	}
	for _, m := range mirrors {
		same := func(header, argument string) bool { return header == argument }
		if m.Type == "integer" {
			same = sameInteger
		}
		if bad := hop.CheckMirror(m.Name, headers[strings.ToLower(m.Name)], textOf(at(args, m.Path)), same); bad != nil {
			return &rpcError{code: bad.Code, outcome: string(query.InvalidParams), message: "The headers do not fit the body: " + bad.Message + "."}
		}
	}
	return nil
}

// at is the value that path leads to, or nil.
func at(v any, path []string) any {
	for _, key := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[key]
	}
	return v
}

// textOf is the text form of a value, or nil for null and absent. What is no scalar has the form of no header: the check of
// the arguments refuses it later, unless the header made it wrong already.
func textOf(v any) *string {
	var text string
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		text = v
	case json.Number:
		text = v.String()
	case bool:
		text = "false"
		if v {
			text = "true"
		}
	default:
		text = "\x00"
	}
	return &text
}

// maxInteger bounds the digits that are compared as numbers.
const maxInteger = 100

// sameInteger compares by value: 1 and 1.0 are one integer in JSON Schema. Exponents are not followed: they could be huge.
func sameInteger(header, argument string) bool {
	if header == argument {
		return true
	}
	if len(header) > maxInteger || len(argument) > maxInteger || strings.ContainsAny(header+argument, "eE/_xX") {
		return false
	}
	h, ok := new(big.Rat).SetString(header)
	a, valid := new(big.Rat).SetString(argument)
	return ok && valid && h.Cmp(a) == 0
}
