package hop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mcpstudio/mcpgen/jsonscan"
)

const wholeCall = `{"jsonrpc":"2.0","id":"a\u00e9","method":"tools/call","params":{"name":"orders","arguments":{"n":[1,-2.5e3,true,null],"s":"\ud83d\ude00"},` +
	`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}},"progressToken":7,"trace":"x"}}}`

func scan(t *testing.T, body string) Message {
	t.Helper()
	var m Message
	if err := Scan([]byte(body), &m); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return m
}

func TestScanFindsTheParts(t *testing.T) {
	m := scan(t, " \n"+wholeCall+"\t ")
	for _, c := range []struct{ what, got, want string }{
		{"id", string(m.ID), `"a\u00e9"`},
		{"method", string(m.Method), "tools/call"},
		{"name", string(m.Name), "orders"},
		{"arguments", string(m.Args), `{"n":[1,-2.5e3,true,null],"s":"\ud83d\ude00"}`},
		{"version", string(m.Version), "2026-07-28"},
		{"progress token", string(m.ProgressToken), "7"},
		{"params", string(m.Params), wholeCall[strings.Index(wholeCall, `{"name"`) : len(wholeCall)-1]},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
	if !m.Capabilities || m.IsResponse || !m.Modern() {
		t.Errorf("capabilities %v, response %v, modern %v", m.Capabilities, m.IsResponse, m.Modern())
	}
}

func TestScanAccepts(t *testing.T) {
	for _, c := range []struct {
		body string
		same func(m Message) bool
	}{
		{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, func(m Message) bool { return m.ID == nil && m.Params == nil }},
		{`{"jsonrpc":"2.0","id":0,"method":"ping","params":null}`, func(m Message) bool { return string(m.ID) == "0" && m.Params == nil }},
		{`{"jsonrpc":"2.0","id":-9223372036854775808,"method":"ping"}`, func(m Message) bool { return len(m.ID) == 20 }},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"","arguments":null,"_meta":null}}`, func(m Message) bool { return m.Name != nil && len(m.Name) == 0 && m.Args == nil }},
		{`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"db:\/\/orders\u002f1"}}`, func(m Message) bool { return string(m.Name) == "db://orders/1" }},
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}`, func(m Message) bool { return string(m.Proposed) == "2025-06-18" && m.Version == nil && !m.Capabilities }},
		{`{"jsonrpc":"2.0","id":1,"result":{}}`, func(m Message) bool { return m.IsResponse && m.Method == nil }},
		{`{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}`, func(m Message) bool { return m.IsResponse }},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":1,"A":2,"Name":3}}}`, func(m Message) bool { return string(m.Args) == `{"a":1,"A":2,"Name":3}` }},
		{`{"jsonrpc":"2.0","id":1,"method":"m\"\\\/\b\f\n\r\t\u0041\ud83d\ude00"}`, func(m Message) bool { return string(m.Method) == "m\"\\/\b\f\n\r\tA😀" }},
		{`{"jsonrpc":"2.0","id":1,"method":"x","x":` + strings.Repeat(`[`, 63) + strings.Repeat(`]`, 63) + `}`, func(m Message) bool { return true }},
	} {
		if m := scan(t, c.body); !c.same(m) {
			t.Errorf("%s: %+v", c.body, m)
		}
	}
}

// What is refused as a whole, because two readers could see two messages in it or because it costs too much.
//
// case 74: depth, keys, NaN, surrogates, BOM, UTF-16, duplicates, trailing data, case. case 139: batches and ids.
func TestScanRefuses(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return b.String()
	}
	in := func(params string) string { return `{"jsonrpc":"2.0","id":1,"method":"x","params":` + params + `}` }
	for _, c := range []struct{ what, body string }{
		{"nothing", ``}, {"space", " \n"}, {"a word", `x`}, {"two values", `null null`},
		{"no end", `{"jsonrpc":"2.0","id":1,"method":"x"`}, {"no brace", `"jsonrpc":"2.0"}`},
		{"trailing object", `{"jsonrpc":"2.0","id":1,"method":"x"}{}`}, {"trailing NUL", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}\x00"},
		{"trailing comma", `{"jsonrpc":"2.0","id":1,"method":"x",}`}, {"leading comma", `{,"jsonrpc":"2.0"}`}, {"two commas", `{"jsonrpc":"2.0",,"id":1}`},
		{"no comma", `{"jsonrpc":"2.0" "id":1}`}, {"no colon", `{"jsonrpc" "2.0"}`}, {"key without quotes", `{jsonrpc:"2.0"}`}, {"comment", `{/**/"jsonrpc":"2.0"}`},
		{"array without comma", in(`{"a":[1 2]}`)}, {"array with comma at the end", in(`{"a":[1,]}`)}, {"array without end", in(`{"a":[1`)},
		{"BOM", "\xef\xbb\xbf" + in(`{}`)}, {"UTF-16", "\xff\xfe{\x00}\x00"}, {"not UTF-8", "{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"}, {"overlong", "{\"a\":\"\xc0\x80\"}"},
		{"surrogate as UTF-8", "{\"a\":\"\xed\xa0\x80\"}"},
		{"NaN", in(`{"a":NaN}`)}, {"Infinity", in(`{"a":-Infinity}`)}, {"hex", in(`{"a":0x1}`)}, {"plus", in(`{"a":+1}`)}, {"leading zero", in(`{"a":01}`)},
		{"bare point", in(`{"a":1.}`)}, {"bare minus", in(`{"a":-}`)}, {"bare exponent", in(`{"a":1e}`)}, {"id with a leading zero", `{"jsonrpc":"2.0","id":01,"method":"x"}`},
		{"Truth", in(`{"a":True}`)}, {"half a word", in(`{"a":nul}`)},
		{"control character", in("{\"a\":\"\n\"}")}, {"bad escape", in(`{"a":"\x"}`)}, {"short escape", in(`{"a":"\u12"}`)}, {"no hex", in(`{"a":"\u12g4"}`)}, {"escape at the end", `{"a":"\`},
		{"lone high surrogate", in(`{"a":"\ud800"}`)}, {"lone low surrogate", in(`{"a":"\udc00"}`)}, {"high and no low", in(`{"a":"\ud800\u0041"}`)}, {"two high", in(`{"a":"\ud800\ud800"}`)},
		{"surrogate in a key", in(`{"\ud800":1}`)},
		{"id twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}`}, {"method twice", `{"jsonrpc":"2.0","id":1,"method":"x","method":"y"}`},
		{"method twice, escaped", `{"jsonrpc":"2.0","id":1,"method":"x","m\u0065thod":"y"}`}, {"params twice", `{"jsonrpc":"2.0","id":1,"method":"x","params":{},"params":{}}`},
		{"params twice, null first", `{"jsonrpc":"2.0","id":1,"method":"x","params":null,"params":{}}`},
		{"unknown key twice", `{"jsonrpc":"2.0","id":1,"method":"x","q":1,"q":1}`},
		{"name twice", in(`{"name":"a","name":"b"}`)}, {"arguments twice", in(`{"arguments":{},"arguments":{}}`)}, {"_meta twice", in(`{"_meta":{},"_meta":{}}`)},
		{"version twice", in(`{"_meta":{"io.modelcontextprotocol/protocolVersion":"a","io.modelcontextprotocol/protocolVersion":"b"}}`)},
		{"argument twice", in(`{"arguments":{"n":1,"n":2}}`)}, {"argument twice, escaped", in(`{"arguments":{"n":1,"\u006e":2}}`)}, {"argument twice, deep", in(`{"arguments":{"n":[{"a":{"b":1,"b":2}}]}}`)},
		{"argument twice of many", in(`{"arguments":{` + many(1000) + `"k500":1}}`)}, {"the last of few twice", in(`{"arguments":{` + many(16) + `"k15":1}}`)}, {"the first of few twice", in(`{"arguments":{` + many(17) + `"k0":1}}`)},
		{"too many members", in(`{"arguments":{` + many(jsonscan.MaxMembers) + `"z":1}}`)},
		{"Method", `{"jsonrpc":"2.0","id":1,"method":"x","Method":"y"}`}, {"METHOD alone", `{"jsonrpc":"2.0","id":1,"METHOD":"y"}`}, {"ID", `{"jsonrpc":"2.0","ID":1,"method":"x"}`},
		{"JSONRPC", `{"JSONRPC":"2.0","id":1,"method":"x"}`}, {"PARAMS", `{"jsonrpc":"2.0","id":1,"method":"x","PARAMS":{}}`}, {"params with a long s", `{"jsonrpc":"2.0","id":1,"method":"x","paramſ":{}}`},
		{"Params, escaped", `{"jsonrpc":"2.0","id":1,"method":"x","\u0050arams":{}}`}, {"Result", `{"jsonrpc":"2.0","id":1,"method":"x","Result":{}}`},
		{"Name", in(`{"name":"a","Name":"b"}`)}, {"URI", in(`{"URI":"b"}`)}, {"Arguments", in(`{"name":"a","Arguments":{}}`)}, {"_Meta", in(`{"_Meta":{}}`)}, {"Cursor", in(`{"Cursor":"x"}`)},
		{"ProtocolVersion", in(`{"_meta":{"io.modelcontextprotocol/ProtocolVersion":"x"}}`)}, {"kelvin in progressToken", in(`{"_meta":{"progressToKen":1}}`)},
		{"deep arrays", in(`{"a":` + strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000) + `}`)}, {"deep objects", strings.Repeat(`{"a":`, 10_000) + `1` + strings.Repeat(`}`, 10_000)},
		{"one level too many", `{"jsonrpc":"2.0","id":1,"method":"x","x":` + strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64) + `}`},
	} {
		m := Message{Method: []byte("old")}
		err := Scan([]byte(c.body), &m)
		var se *ScanError
		switch {
		case err == nil:
			t.Errorf("%s: accepted", c.what)
		case !errors.As(err, &se) || se.Code != CodeParseError || errors.Is(err, ErrBatch):
			t.Errorf("%s: %v", c.what, err)
		case m.ID != nil || m.Method != nil || m.Params != nil:
			t.Errorf("%s: something is left: %+v", c.what, m)
		}
	}
}

// case 139: well-formed JSON that is not a message we take; the answer carries the id if there is a valid one.
func TestScanComplains(t *testing.T) {
	long := `"` + strings.Repeat("x", 300) + `"`
	in := func(params string) string { return `{"jsonrpc":"2.0","id":5,"method":"x","params":` + params + `}` }
	for _, c := range []struct {
		body string
		code int
		id   string
	}{
		{`{}`, CodeInvalidRequest, ""},
		{` null `, CodeInvalidRequest, ""},
		{`"x"`, CodeInvalidRequest, ""},
		{`1`, CodeInvalidRequest, ""},
		{`{"id":5,"method":"x"}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"1.0","id":5,"method":"x"}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":2.0,"id":5,"method":"x"}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":5}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":5,"method":7}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":5,"method":` + long + `}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":5,"method":"x","result":{}}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":5,"result":{},"error":{}}`, CodeInvalidRequest, "5"},
		{`{"jsonrpc":"2.0","id":null,"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":1.5,"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":1e2,"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":9223372036854775808,"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":{"a":1},"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":[1],"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":true,"method":"x"}`, CodeInvalidRequest, ""},
		{`{"jsonrpc":"2.0","id":` + long + `,"method":"x"}`, CodeInvalidRequest, ""},
		{in(`[]`), CodeInvalidParams, "5"},
		{in(`"x"`), CodeInvalidParams, "5"},
		{in(`{"name":7}`), CodeInvalidParams, "5"},
		{in(`{"name":null}`), CodeInvalidParams, "5"},
		{in(`{"name":"a","uri":"b"}`), CodeInvalidParams, "5"},
		{in(`{"name":"a","arguments":[]}`), CodeInvalidParams, "5"},
		{in(`{"name":"a","arguments":"{}"}`), CodeInvalidParams, "5"},
		{in(`{"_meta":[]}`), CodeInvalidParams, "5"},
		{in(`{"_meta":{"io.modelcontextprotocol/protocolVersion":20260728}}`), CodeInvalidParams, "5"},
		{in(`{"_meta":{"io.modelcontextprotocol/clientCapabilities":true}}`), CodeInvalidParams, "5"},
		{in(`{"_meta":{"progressToken":1.5}}`), CodeInvalidParams, "5"},
		{in(`{"protocolVersion":1}`), CodeInvalidParams, "5"},
		{`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"uri":"a"}}`, CodeInvalidParams, "5"},
		{`{"jsonrpc":"2.0","id":5,"params":{"uri":"a"},"method":"prompts/get"}`, CodeInvalidParams, "5"},
		{`{"jsonrpc":"2.0","id":5,"method":"resources/read","params":{"name":"a"}}`, CodeInvalidParams, "5"},
	} {
		var m Message
		err := Scan([]byte(c.body), &m)
		var se *ScanError
		if !errors.As(err, &se) || se.Code != c.code || string(m.ID) != c.id {
			t.Errorf("%s: got %v with id %q, want code %d with id %q", c.body, err, m.ID, c.code, c.id)
		}
		if m.ID = nil; m.Method != nil || m.Params != nil || m.Name != nil || m.Version != nil {
			t.Errorf("%s: something is left: %+v", c.body, m)
		}
	}
}

// case 139: a batch is told apart, however large, and not read further.
func TestScanBatch(t *testing.T) {
	one := `{"jsonrpc":"2.0","id":1,"method":"x"}`
	for _, body := range []string{`[]`, ` [` + one + `]`, `[` + strings.Repeat(one+",", 10_000) + one + `]`, `[broken`} {
		var m Message
		if err := Scan([]byte(body), &m); !errors.Is(err, ErrBatch) || m.ID != nil {
			t.Errorf("%.40s: %v", body, err)
		}
	}
}

// case 74: what a body may cost grows with its size and not faster. A body four times as large takes four times as long,
// or sixteen times if something in it is compared with everything else; the machine may do other work, so the time of the
// processor counts, and the best of several tries.
func TestScanCost(t *testing.T) {
	prefix := strings.Repeat("p", 990)
	for what, args := range map[string]func(b *strings.Builder, n int){
		"keys with one prefix": func(b *strings.Builder, n int) {
			b.WriteString("{")
			for i := range n {
				fmt.Fprintf(b, `"%s%d":0,`, prefix, i)
			}
			b.WriteString(`"z":0}`)
		},
		"objects of 18": func(b *strings.Builder, n int) {
			b.WriteString(`{"a":[`)
			for range n {
				b.WriteString("{")
				for i := range 17 {
					fmt.Fprintf(b, `"\u006b%d":0,`, i)
				}
				b.WriteString(`"z":0},`)
			}
			b.WriteString("0]}")
		},
		"escapes": func(b *strings.Builder, n int) { b.WriteString(`{"a":"` + strings.Repeat(`\ud83d\ude00`, 80*n) + `"}`) },
	} {
		body := func(n int) []byte {
			var b strings.Builder
			b.WriteString(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":`)
			args(&b, n)
			return []byte(b.String() + "}}")
		}
		time1, time4 := time.Duration(1<<62), time.Duration(1<<62)
		small, large := body(1000), body(4000)
		for range 20 {
			time1, time4 = min(time1, scanTime(t, small)), min(time4, scanTime(t, large))
			if time4 < 9*time1 {
				break
			}
		}
		if time4 >= 9*time1 {
			t.Errorf("%s: %v for %d bytes, %v for %d", what, time1, len(small), time4, len(large))
		}
	}
}

// processorTime is what this thread has had of a processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		t.Fatal(err)
	}
	return time.Duration(at.Nano())
}

func scanTime(t *testing.T, body []byte) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := processorTime(t)
	var m Message
	if err := Scan(body, &m); err != nil {
		t.Fatal(err)
	}
	return processorTime(t) - start
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(wholeCall))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a\u0062\ud83d\ude00","arguments":{"a":1}}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"name":"x"}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"x","params":null}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"a","Name":"b"}}`))
	f.Add([]byte(`[{"jsonrpc":"2.0"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if err := Scan(b, &m); err != nil {
			return
		}
		// encoding/json, which matches keys without regard to case and takes the last of two, must see the same message.
		var want struct {
			JSONRPC string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Method  *string         `json:"method"`
			Params  *struct {
				Name      *string         `json:"name"`
				URI       *string         `json:"uri"`
				Arguments json.RawMessage `json:"arguments"`
				Meta      struct {
					Version      *string         `json:"io.modelcontextprotocol/protocolVersion"`
					Capabilities json.RawMessage `json:"io.modelcontextprotocol/clientCapabilities"`
					Token        json.RawMessage `json:"progressToken"`
				} `json:"_meta"`
			} `json:"params"`
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("accepted what encoding/json does not: %v: %q", err, b)
		}
		same := func(what string, got []byte, want *string) {
			if (got == nil) != (want == nil) || want != nil && string(got) != *want {
				t.Errorf("%s: got %q, want %v: %q", what, got, want, b)
			}
		}
		raw := func(what string, got []byte, want json.RawMessage) {
			if string(want) == "null" {
				want = nil
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: got %q, want %q: %q", what, got, want, b)
			}
		}
		same("method", m.Method, want.Method)
		raw("id", m.ID, want.ID)
		if (m.Params == nil) != (want.Params == nil) || want.JSONRPC != "2.0" || m.IsResponse == (m.Method != nil) {
			t.Errorf("params %q, version %q, response %v: %q", m.Params, want.JSONRPC, m.IsResponse, b)
		}
		if p := want.Params; p != nil {
			if p.Name == nil {
				p.Name = p.URI
			}
			same("name", m.Name, p.Name)
			raw("arguments", m.Args, p.Arguments)
			same("version", m.Version, p.Meta.Version)
			raw("token", m.ProgressToken, p.Meta.Token)
			if has := p.Meta.Capabilities != nil && string(p.Meta.Capabilities) != "null"; m.Capabilities != has {
				t.Errorf("capabilities %v: %q", m.Capabilities, b)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for name, body := range map[string]string{
		"call":   wholeCall,
		"legacy": `{"jsonrpc":"2.0","id":12345,"method":"tools/call","params":{"name":"orders_by_customer","arguments":{"customer":4711,"limit":20}}}`,
	} {
		b.Run(name, func(b *testing.B) {
			body := []byte(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var m Message
			for b.Loop() {
				if err := Scan(body, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
