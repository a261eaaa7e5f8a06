package hop

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"

	"mcpstudio/mcpgen/jsonscan"
)

// The revisions of MCP that the product serves. The first is stateless, "modern": every message carries its version in
// _meta. The others begin with initialize, "legacy".
const (
	Version20260728 = "2026-07-28"
	Version20251125 = "2025-11-25"
	Version20250618 = "2025-06-18"
	Version20250326 = "2025-03-26"
	Version20241105 = "2024-11-05"
)

// Versions returns the revisions of MCP that the product serves, newest first.
func Versions() []string {
	return []string{Version20260728, Version20251125, Version20250618, Version20250326, Version20241105}
}

// Codes of JSON-RPC errors. The first five are JSON-RPC 2.0, section 5.1; the next two MCP 2026-07-28; the last is the
// product's own and lies outside the range that both reserve (-32768 to -32000).
const (
	CodeParseError         = -32700
	CodeInvalidRequest     = -32600
	CodeMethodNotFound     = -32601
	CodeInvalidParams      = -32602
	CodeInternal           = -32603
	CodeHeaderMismatch     = -32020
	CodeUnsupportedVersion = -32022
	CodeUnavailable        = -31000 // the child has no place for the call or is ending; it did not run
)

// RPCError is a refusal on the level of HTTP and JSON-RPC.
type RPCError struct {
	Status  int    // HTTP
	Code    int    // JSON-RPC
	Message string // one clause, safe to show
	Data    []byte // raw JSON; nil for none
}

// CheckHeaders compares the HTTP headers of a POST with the message in its body and returns nil or the refusal.
//
// A message whose _meta or whose header names a revision after 2025-11-25 is modern (MCP 2026-07-28, transports,
// "Streamable HTTP"): header and _meta must both be there and agree (-32020; -32602 when _meta lacks it), the revision
// must be one we serve (-32022 with data), Mcp-Method must equal the method, Mcp-Name the name or uri of
// tools/call, prompts/get and resources/read, each given once (-32020); a method that revision removed is answered
// 404 and -32601; the client's capabilities must be there (-32602). A notification may come without _meta. A response
// is not accepted.
//
// Any other message is legacy: only a version header that we do not know, or more than one, is refused.
func CheckHeaders(h http.Header, m *Message) *RPCError {
	version, count := single(h["Mcp-Protocol-Version"])
	switch {
	case count > 1:
		return mismatch("MCP-Protocol-Version is there more than once")
	case isLegacy(string(m.Version)) && version == string(m.Version):
		return nil // a legacy client that says its version in _meta too
	case m.Version == nil && (count == 0 || isLegacy(version)):
		return nil
	case m.Version == nil && version != Version20260728:
		return unsupported(version)
	}
	return checkModern(h, m, version, count)
}

func checkModern(h http.Header, m *Message, version string, count int) *RPCError {
	switch {
	case m.IsResponse:
		return &RPCError{Status: http.StatusBadRequest, Code: CodeInvalidRequest, Message: "a client does not send responses"}
	case count == 0:
		return mismatch("the header MCP-Protocol-Version is missing")
	case m.Version == nil && m.ID != nil:
		return &RPCError{Status: http.StatusBadRequest, Code: CodeInvalidParams, Message: "_meta lacks " + metaVersion}
	case m.Version != nil && version != string(m.Version):
		return mismatch("MCP-Protocol-Version differs from the version in _meta")
	case version != Version20260728:
		return unsupported(version)
	}
	if e := checkMethod(h, m); e != nil {
		return e
	}
	if removed(string(m.Method)) {
		return &RPCError{Status: http.StatusNotFound, Code: CodeMethodNotFound, Message: "this method is not part of MCP " + Version20260728}
	}
	if m.ID != nil && !m.Capabilities {
		return &RPCError{Status: http.StatusBadRequest, Code: CodeInvalidParams, Message: "_meta lacks " + metaCapabilities}
	}
	return checkName(h, m)
}

func checkMethod(h http.Header, m *Message) *RPCError {
	switch method, count := single(h["Mcp-Method"]); {
	case count == 0:
		return mismatch("the header Mcp-Method is missing")
	case count > 1:
		return mismatch("Mcp-Method is there more than once")
	case method != string(m.Method):
		return mismatch("Mcp-Method differs from the method in the body")
	}
	return nil
}

func checkName(h http.Header, m *Message) *RPCError {
	switch string(m.Method) {
	case "tools/call", "prompts/get", "resources/read":
	default:
		return nil
	}
	value, count := single(h["Mcp-Name"])
	switch {
	case count == 0:
		return mismatch("the header Mcp-Name is missing")
	case count > 1:
		return mismatch("Mcp-Name is there more than once")
	}
	name, ok := decodeValue(value)
	switch {
	case !ok:
		return mismatch("Mcp-Name is neither plain ASCII nor valid base64")
	case m.Name == nil || name != string(m.Name):
		return mismatch("Mcp-Name differs from the name in the body")
	}
	return nil
}

// mirrorPrefix begins the names of headers that repeat an argument (MCP 2026-07-28, transports, "x-mcp-header").
const mirrorPrefix = "Mcp-Param-"

// MirrorHeaders appends to b what a request has of Mcp-Param-* headers, as a JSON object: the name in lower case and without
// its prefix, with the values as they came. Nothing is appended when there are none. Which of them mean anything only
// the child knows, which has the tools' schemas: [CheckMirror] is for it.
func MirrorHeaders(b []byte, h http.Header) []byte {
	open := false
	for key, values := range h {
		name, ok := strings.CutPrefix(key, mirrorPrefix)
		if !ok {
			continue
		}
		if open {
			b = append(b, ',')
		} else {
			b, open = append(b, '{'), true
		}
		b = append(jsonscan.AppendString(b, strings.ToLower(name)), ':', '[')
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonscan.AppendString(b, v)
		}
		b = append(b, ']')
	}
	if open {
		b = append(b, '}')
	}
	return b
}

// CheckMirror compares the values of one Mcp-Param header with the argument that it repeats: text is the argument's text
// form, or nil when the argument is absent or null, for which there must be no header. A header is needed for any other.
func CheckMirror(name string, values []string, text *string, same func(header, argument string) bool) *RPCError {
	header := mirrorPrefix + name
	switch {
	case text == nil && len(values) == 0:
		return nil
	case text == nil:
		return mismatch(header + " is there, but its argument is not")
	case len(values) == 0:
		return mismatch("the header " + header + " is missing")
	case len(values) > 1:
		return mismatch(header + " is there more than once")
	}
	v, ok := decodeValue(values[0])
	switch {
	case !ok:
		return mismatch(header + " is neither plain ASCII nor valid base64")
	case !same(v, *text):
		return mismatch(header + " differs from the argument in the body")
	}
	return nil
}

// single returns the only value of a header and how many there are.
func single(v []string) (string, int) {
	if len(v) == 0 {
		return "", 0
	}
	return v[0], len(v)
}

// decodeValue reads a header value that mirrors a value of the body (MCP 2026-07-28, transports, "Value encoding"):
// visible ASCII and spaces stand for themselves, anything else is base64 between =?base64? and ?=, case-sensitive.
func decodeValue(v string) (string, bool) {
	for i := range len(v) {
		if (v[i] < 0x20 || v[i] > 0x7e) && v[i] != '\t' {
			return "", false
		}
	}
	if inside, ok := strings.CutPrefix(v, "=?base64?"); ok {
		if inside, ok = strings.CutSuffix(inside, "?="); ok {
			raw, err := base64.StdEncoding.Strict().DecodeString(inside)
			return string(raw), err == nil
		}
	}
	return v, true
}

func isLegacy(version string) bool {
	switch version {
	case Version20251125, Version20250618, Version20250326, Version20241105:
		return true
	}
	return false
}

// removed reports whether MCP 2026-07-28 took a method of the earlier revisions away.
func removed(method string) bool {
	switch method {
	case "initialize", "notifications/initialized", "ping", "logging/setLevel", "resources/subscribe",
		"resources/unsubscribe", "notifications/roots/list_changed":
		return true
	}
	return strings.HasPrefix(method, "tasks/")
}

func mismatch(message string) *RPCError {
	return &RPCError{Status: http.StatusBadRequest, Code: CodeHeaderMismatch, Message: message}
}

// unsupported carries what the client needs to choose another revision.
func unsupported(requested string) *RPCError {
	var data bytes.Buffer
	data.WriteString(`{"supported":[`)
	for i, v := range Versions() {
		if i > 0 {
			data.WriteByte(',')
		}
		data.Write(jsonscan.AppendString(nil, v))
	}
	data.WriteString(`],"requested":`)
	data.Write(jsonscan.AppendString(nil, requested[:min(len(requested), 64)]))
	data.WriteByte('}')
	return &RPCError{
		Status: http.StatusBadRequest, Code: CodeUnsupportedVersion,
		Message: "this version of MCP is not supported", Data: data.Bytes(),
	}
}
