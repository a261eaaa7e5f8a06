package hop

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// modernBody is a message of MCP 2026-07-28 with more params, which begin with a comma.
func modernBody(method, version, more string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"` + version +
		`","io.modelcontextprotocol/clientCapabilities":{}}` + more + `}}`
}

// headers reads lines of "Name: value".
func headers(lines string) http.Header {
	h := http.Header{}
	for line := range strings.Lines(lines) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); ok {
			h.Add(name, value)
		}
	}
	return h
}

// case 145: version headers that are missing, unknown, older or differ from the body.
func TestCheckHeaders(t *testing.T) {
	const (
		now    = "Mcp-Protocol-Version: 2026-07-28\n"
		list   = now + "Mcp-Method: tools/list\n"
		call   = now + "Mcp-Method: tools/call\n"
		read   = now + "Mcp-Method: resources/read\n"
		legacy = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	)
	listBody := modernBody("tools/list", "2026-07-28", "")
	callBody := modernBody("tools/call", "2026-07-28", `,"name":"orders"`)
	named := func(name string) string { return modernBody("tools/call", "2026-07-28", `,"name":"`+name+`"`) }
	for _, c := range []struct {
		what, headers, body string
		status, code        int
	}{
		{"modern list", list, listBody, 0, 0},
		{"modern call", call + "Mcp-Name: orders\n", callBody, 0, 0},
		{"modern read", read + "Mcp-Name: db://a/1\n", modernBody("resources/read", "2026-07-28", `,"uri":"db://a/1"`), 0, 0},
		{"base64", call + "Mcp-Name: =?base64?w6Q=?=\n", named("ä"), 0, 0},
		{"base64 of plain ASCII", call + "Mcp-Name: =?base64?b3JkZXJz?=\n", callBody, 0, 0},
		{"base64 of the empty name", call + "Mcp-Name: =?base64??=\n", named(""), 0, 0},
		{"sentinel without its end is plain", call + "Mcp-Name: =?base64?x\n", named("=?base64?x"), 0, 0},
		{"sentinel in capitals is plain", call + "Mcp-Name: =?BASE64?x?=\n", named("=?BASE64?x?="), 0, 0},
		{"unknown method is the child's", now + "Mcp-Method: x/y\n", modernBody("x/y", "2026-07-28", ""), 0, 0},
		{"notification without _meta", now + "Mcp-Method: notifications/cancelled\n", `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, 0, 0},

		{"no version header", "Mcp-Method: tools/list\n", listBody, 400, CodeHeaderMismatch},
		{"older header than _meta", "Mcp-Protocol-Version: 2025-06-18\nMcp-Method: tools/list\n", listBody, 400, CodeHeaderMismatch},
		{"unknown header, known _meta", "Mcp-Protocol-Version: 2030-01-01\nMcp-Method: tools/list\n", listBody, 400, CodeHeaderMismatch},
		{"known header, unknown _meta", list, modernBody("tools/list", "2030-01-01", ""), 400, CodeHeaderMismatch},
		{"version header twice", now + list, listBody, 400, CodeHeaderMismatch},
		{"modern header, no _meta", list, legacy, 400, CodeInvalidParams},
		{"unsupported", "Mcp-Protocol-Version: 2030-01-01\nMcp-Method: tools/list\n", modernBody("tools/list", "2030-01-01", ""), 400, CodeUnsupportedVersion},
		{"no capabilities", list, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, 400, CodeInvalidParams},
		{"no method header", now, listBody, 400, CodeHeaderMismatch},
		{"empty method header", now + "Mcp-Method: \n", listBody, 400, CodeHeaderMismatch},
		{"other method", call, listBody, 400, CodeHeaderMismatch},
		{"method in other case", now + "Mcp-Method: Tools/List\n", listBody, 400, CodeHeaderMismatch},
		{"method header twice", list + "Mcp-Method: tools/list\n", listBody, 400, CodeHeaderMismatch},
		{"no name header", call, callBody, 400, CodeHeaderMismatch},
		{"no name anywhere", call + "Mcp-Name: \n", modernBody("tools/call", "2026-07-28", ""), 400, CodeHeaderMismatch},
		{"other name", call + "Mcp-Name: customers\n", callBody, 400, CodeHeaderMismatch},
		{"name in other case", call + "Mcp-Name: Orders\n", callBody, 400, CodeHeaderMismatch},
		{"name header twice", call + "Mcp-Name: orders\nMcp-Name: orders\n", callBody, 400, CodeHeaderMismatch},
		{"name not ASCII", call + "Mcp-Name: ä\n", named("ä"), 400, CodeHeaderMismatch},
		{"name with DEL", call + "Mcp-Name: a\x7f\n", named(`a\u007f`), 400, CodeHeaderMismatch},
		{"broken base64", call + "Mcp-Name: =?base64?b3Jk!?=\n", callBody, 400, CodeHeaderMismatch},
		{"base64 without padding", call + "Mcp-Name: =?base64?w6Q?=\n", named("ä"), 400, CodeHeaderMismatch},
		{"base64 of another name", call + "Mcp-Name: =?base64?w6Q=?=\n", callBody, 400, CodeHeaderMismatch},
		{"sentinel as a name is decoded", call + "Mcp-Name: =?base64?b3JkZXJz?=\n", named("=?base64?b3JkZXJz?="), 400, CodeHeaderMismatch},
		{"other uri", read + "Mcp-Name: db://b\n", modernBody("resources/read", "2026-07-28", `,"uri":"db://a"`), 400, CodeHeaderMismatch},
		{"prompt without a name header", now + "Mcp-Method: prompts/get\n", modernBody("prompts/get", "2026-07-28", `,"name":"p"`), 400, CodeHeaderMismatch},
		{"response in the modern revision", now, `{"jsonrpc":"2.0","id":1,"result":{}}`, 400, CodeInvalidRequest},

		{"legacy without header", "", legacy, 0, 0},
		{"legacy", "Mcp-Protocol-Version: 2025-11-25\n", legacy, 0, 0},
		{"legacy 2024", "Mcp-Protocol-Version: 2024-11-05\n", legacy, 0, 0},
		{"legacy ignores the new headers", "Mcp-Protocol-Version: 2025-06-18\nMcp-Method: x\nMcp-Name: y\n", legacy, 0, 0},
		{"legacy with its version in _meta", "Mcp-Protocol-Version: 2025-11-25\n", modernBody("tools/list", "2025-11-25", ""), 0, 0},
		{"legacy initialize", "", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`, 0, 0},
		{"legacy response", "", `{"jsonrpc":"2.0","id":1,"result":{}}`, 0, 0},
		{"legacy, unknown header", "Mcp-Protocol-Version: 1999-01-01\n", legacy, 400, CodeUnsupportedVersion},
		{"legacy, empty header", "Mcp-Protocol-Version: \n", legacy, 400, CodeUnsupportedVersion},
		{"legacy header twice", "Mcp-Protocol-Version: 2025-11-25\nMcp-Protocol-Version: 2025-06-18\n", legacy, 400, CodeHeaderMismatch},
	} {
		m := scan(t, c.body)
		e := CheckHeaders(headers(c.headers), &m)
		if e == nil {
			e = &RPCError{}
		}
		if e.Status != c.status || e.Code != c.code || (e.Code != 0) != (e.Message != "") || (e.Code == CodeUnsupportedVersion) != (e.Data != nil) {
			t.Errorf("%s: got %d, %d %q %s, want %d, %d", c.what, e.Status, e.Code, e.Message, e.Data, c.status, c.code)
		}
	}
}

func TestRemovedMethods(t *testing.T) {
	for _, method := range []string{"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/get", "notifications/initialized"} {
		m := scan(t, modernBody(method, Version20260728, ""))
		e := CheckHeaders(headers("Mcp-Protocol-Version: 2026-07-28\nMcp-Method: "+method), &m)
		if e == nil || e.Status != 404 || e.Code != CodeMethodNotFound {
			t.Errorf("%s: %+v", method, e)
		}
		m = scan(t, `{"jsonrpc":"2.0","id":1,"method":"`+method+`"}`)
		if e := CheckHeaders(http.Header{}, &m); e != nil {
			t.Errorf("%s, legacy: %v", method, e)
		}
	}
}

func TestUnsupportedData(t *testing.T) {
	var got struct {
		Supported []string
		Requested string
	}
	if err := json.Unmarshal(unsupported(`a"b`).Data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Versions(), got.Supported); diff != "" || got.Requested != `a"b` {
		t.Errorf("requested %q, supported: %s", got.Requested, diff)
	}
	if d := unsupported(strings.Repeat("x", 10_000)).Data; len(d) > 300 {
		t.Errorf("%d bytes of the client come back", len(d))
	}
}

func TestMirrorHeaders(t *testing.T) {
	if b := MirrorHeaders(nil, http.Header{"Mcp-Name": {"x"}, "Accept": {"*/*"}}); b != nil {
		t.Errorf("without any: %s", b)
	}
	h := http.Header{"Mcp-Param-Region": {"a\"b"}, "Mcp-Param-Twice": {"1", "2"}, "Mcp-Param-": {""}}
	var got map[string][]string
	if err := json.Unmarshal(MirrorHeaders(nil, h), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"region": {"a\"b"}, "twice": {"1", "2"}, "": {""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCheckMirror(t *testing.T) {
	same := func(h, a string) bool { return h == a }
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		values []string
		text   *string
		want   string // in the refusal; empty: none
	}{
		{nil, nil, ""},
		{[]string{"Hello"}, text("Hello"), ""},
		{[]string{"=?base64?SGVsbG8=?="}, text("Hello"), ""},
		{[]string{"=?BASE64?SGVsbG8=?="}, text("=?BASE64?SGVsbG8=?="), ""}, // the sentinel is case-sensitive
		{[]string{"=?base64?SGVsbG8?="}, text("Hello"), "base64"},          // no padding
		{[]string{"=?base64?SGVs!!!bG8=?="}, text("Hello"), "base64"},
		{[]string{"H\xe9llo"}, text("H\xe9llo"), "ASCII"},
		{nil, text("Hello"), "missing"},
		{[]string{"Hello"}, nil, "its argument is not"},
		{[]string{"Hello", "Hello"}, text("Hello"), "more than once"},
		{[]string{"hello"}, text("Hello"), "differs"},
	} {
		got := CheckMirror("Region", tt.values, tt.text, same)
		if (got == nil) != (tt.want == "") || got != nil && (!strings.Contains(got.Message, tt.want) || got.Code != CodeHeaderMismatch || got.Status != 400) {
			t.Errorf("%q: got %v, want %q", tt.values, got, tt.want)
		}
	}
}
