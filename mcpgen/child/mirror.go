package child

import (
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
	for _, m := range mirrors {
		same := func(header, argument string) bool { return header == argument }
		if m.Type == "integer" {
			same = sameInteger
		}
		if bad := hop.CheckMirror(m.Name, headers[strings.ToLower(m.Name)], textOf(at(q.Args, m.Path)), same); bad != nil {
			return &rpcError{code: bad.Code, outcome: string(query.InvalidParams), message: "The headers do not fit the body: " + bad.Message + "."}
		}
	}
	return nil
}

// at is the value that path leads to, or nil. Only the objects on the way are taken apart: what else there is in the arguments
// may be large, and has not been checked yet.
func at(raw json.RawMessage, path []string) json.RawMessage {
	for _, key := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil
		}
		raw = object[key]
	}
	return raw
}

// textOf is the text form of a value, or nil for null and absent. What is no scalar has the form of no header: the check of
// the arguments refuses it later, unless the header made it wrong already.
func textOf(raw json.RawMessage) *string {
	text := string(raw)
	switch {
	case text == "" || text == "null":
		return nil
	case raw[0] == '{' || raw[0] == '[' || raw[0] == '"' && json.Unmarshal(raw, &text) != nil:
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
