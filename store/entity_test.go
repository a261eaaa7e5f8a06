package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/store"
)

func TestNormalName(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{{"list_orders", "List-Orders", true}, {"a.b", "a_b", true}, {" a ", "A", true}, {"ab", "a_b", false}, {"É", "é", true}} {
		if got := store.NormalName(tc.a) == store.NormalName(tc.b); got != tc.same {
			t.Errorf("%q and %q: same %v, want %v", tc.a, tc.b, got, tc.same)
		}
	}
}

func TestQueryClean(t *testing.T) {
	q, err := store.Query{}.Clean()
	if err != nil || q.Limit != 50 || q.Sort != "name" {
		t.Errorf("%+v %v", q, err)
	}
	for field, bad := range map[string]store.Query{
		"skip": {Skip: -1}, "limit": {Limit: 101}, "search": {Search: strings.Repeat("é", 201)}, "sort": {Sort: "password"},
	} {
		_, err := bad.Clean()
		if got := fieldOf(t, err); got != field {
			t.Errorf("%+v: field %q", bad, got)
		}
	}
	if _, err := (store.Query{Search: strings.Repeat("é", 200)}).Clean(); err != nil {
		t.Errorf("200 characters: %v", err)
	}
}

func TestOpt(t *testing.T) {
	var p store.ToolPatch
	if err := json.Unmarshal([]byte(`{"input_schema":null}`), &p); err != nil {
		t.Fatal(err)
	}
	if !p.InputSchema.Set || !p.InputSchema.Null || p.OutputSchema.Set {
		t.Errorf("%+v", p)
	}
	v := store.ToolDraft{Name: "t", InputSchema: json.RawMessage(`{"type":"object"}`), OutputSchema: json.RawMessage(`{"type":"object"}`)}.New()
	if err := p.Apply(v); err != nil || v.InputSchema != nil || v.OutputSchema == nil {
		t.Errorf("null clears, absent keeps: %s %s %v", v.InputSchema, v.OutputSchema, err)
	}
	for in, want := range map[string]string{`{}`: `{}`, `{"a":null}`: `{"a":null}`, `{"a":3}`: `{"a":3}`} {
		var x struct {
			A store.Opt[int] `json:"a,omitzero"`
		}
		if err := json.Unmarshal([]byte(in), &x); err != nil {
			t.Fatal(err)
		}
		if got := string(mustJSON(t, x)); got != want {
			t.Errorf("%s becomes %s", in, got)
		}
	}
}

func TestErrors(t *testing.T) {
	var f store.Fields
	if f.Err() != nil {
		t.Error("no mistake is an error")
	}
	f.Add("b", "first")
	f.Add("b", "second")
	f.Merge("a.", store.Invalidf("x", "inner"))
	f.Merge("c", errors.New("plain"))
	f.Merge("d", nil)
	var e *store.Error
	if !errors.As(f.Err(), &e) {
		t.Fatal("not a *store.Error")
	}
	if diff := cmp.Diff(map[string]string{"b": "first", "a.x": "inner", "c": "plain"}, e.Fields); diff != "" || e.Field != "b" || e.Message != "first" {
		t.Errorf("%+v\n%s", e, diff)
	}
	var g store.Fields
	g.Merge("p.", e)
	if got := fieldOf(t, g.Err()); got != "p.a.x" {
		t.Errorf("merged first is %q: the order depends on a map", got)
	}
	inner := errors.New("detail")
	wrapped := fmt.Errorf("layer: %w", &store.Error{Code: store.Stale, Message: "m", Err: inner})
	if store.CodeOf(wrapped) != store.Stale || !errors.Is(wrapped, inner) || store.CodeOf(inner) != store.Internal {
		t.Error("codes do not survive wrapping")
	}
	seen := map[store.Code]bool{}
	for _, c := range store.Codes() {
		if seen[c] || c == "" {
			t.Errorf("%q twice or empty", c)
		}
		seen[c] = true
	}
}

func goodTool() *store.Tool {
	return store.ToolDraft{ConnectionID: "c", Name: "list_orders", Description: "d", SQLQuery: "select :id", Parameters: []store.Parameter{{Name: "id", ParamType: store.TypeInteger}}}.New()
}

func TestToolCheck(t *testing.T) {
	if err := goodTool().Check(); err != nil {
		t.Fatal(err)
	}
	if v := goodTool(); !v.Annotations.ReadOnly || !v.IsEnabled || v.Tags == nil || v.Content == nil {
		t.Errorf("defaults: %+v", v)
	}
	number := func(s string) *json.Number { n := json.Number(s); return &n }
	for _, tc := range []struct {
		field  string
		change func(*store.Tool)
	}{
		{"name", func(v *store.Tool) { v.Name = "1abc" }},
		{"name", func(v *store.Tool) { v.Name = "a b" }},
		{"name", func(v *store.Tool) { v.Name = strings.Repeat("a", 65) }},
		{"name", func(v *store.Tool) { v.Name = "naïve" }},
		{"title", func(v *store.Tool) { v.Title = "a\x07" }},
		{"description", func(v *store.Tool) { v.Description = " " }},
		{"description", func(v *store.Tool) { v.Description = strings.Repeat("d", 4097) }},
		{"connection_id", func(v *store.Tool) { v.ConnectionID = "" }},
		{"sql_query", func(v *store.Tool) { v.SQLQuery = "\n" }},
		{"sql_query", func(v *store.Tool) { v.SQLQuery = "select 1\x00" }},
		{"sql_query", func(v *store.Tool) { v.SQLQuery = strings.Repeat("x", 100_001) }},
		{"transform", func(v *store.Tool) { v.Transform = strings.Repeat("x", 100_001) }},
		{"cache_ttl", func(v *store.Tool) { v.CacheTTL = 86_401 }},
		{"annotations", func(v *store.Tool) { v.Annotations.Destructive = true }},
		{"content.body", func(v *store.Tool) { v.Content = map[string]store.Content{"body": {Type: "video"}} }},
		{"input_schema", func(v *store.Tool) { v.InputSchema = json.RawMessage(`{"type":"array"}`) }},
		{"output_schema", func(v *store.Tool) { v.OutputSchema = json.RawMessage(`[]`) }},
		{"parameters", func(v *store.Tool) {
			v.Parameters = nil
			for i := range 101 {
				v.Parameters = append(v.Parameters, store.Parameter{Name: fmt.Sprintf("p%d", i), ParamType: store.TypeString})
			}
		}},
		{"parameters.1.name", func(v *store.Tool) { v.Parameters = append(v.Parameters, v.Parameters[0]) }},
		{"parameters.0.name", func(v *store.Tool) { v.Parameters[0].Name = "caller" }},
		{"parameters.0.name", func(v *store.Tool) { v.Parameters[0].Name = "a-b" }},
		{"parameters.0.param_type", func(v *store.Tool) { v.Parameters[0].ParamType = "int" }},
		{"parameters.0.item_type", func(v *store.Tool) { v.Parameters[0].ItemType = store.TypeString }},
		{"parameters.0.pattern", func(v *store.Tool) { v.Parameters[0].Pattern = "a" }},
		{"parameters.0.pattern", func(v *store.Tool) {
			v.Parameters[0] = store.Parameter{Name: "s", ParamType: store.TypeString, Pattern: `(?=x)`}
		}},
		{"parameters.0.minimum", func(v *store.Tool) {
			v.Parameters[0] = store.Parameter{Name: "s", ParamType: store.TypeString, Minimum: number("1")}
		}},
		{"parameters.0.minimum", func(v *store.Tool) { v.Parameters[0].Minimum, v.Parameters[0].Maximum = number("10"), number("9.5") }},
		{"parameters.0.maximum", func(v *store.Tool) { v.Parameters[0].Maximum = number("1e1001") }}, // each would cost a number of so many digits
		{"parameters.0.minimum", func(v *store.Tool) { v.Parameters[0].Minimum = number("-1E-999999") }},
		{"parameters.0.minimum", func(v *store.Tool) { v.Parameters[0].Minimum = number(strings.Repeat("1", 101)) }},
		{"parameters.0.enum_values.1", func(v *store.Tool) {
			v.Parameters[0].EnumValues = []json.RawMessage{json.RawMessage("1"), json.RawMessage(`"2"`)}
		}},
		{"parameters.0.default_value", func(v *store.Tool) { v.Parameters[0].DefaultValue = json.RawMessage("1.5") }},
	} {
		v := goodTool()
		tc.change(v)
		if got := fieldOf(t, v.Check()); got != tc.field {
			t.Errorf("got field %q, want %q", got, tc.field)
		}
	}
	v := goodTool()
	v.Parameters[0].DefaultValue = json.RawMessage("null")
	for low, high := range map[string]string{"9007199254740993": "9007199254740993", "-1e1000": "1E+1000", "0.10": "1e-1"} {
		if v.Parameters[0].Minimum, v.Parameters[0].Maximum = number(low), number(high); v.Check() != nil {
			t.Errorf("from %s to %s and a null default: %v", low, high, v.Check())
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, tc := range []struct {
		kind store.ParamType
		item store.ParamType
		yes  string
		no   string
	}{
		{store.TypeString, "", `"" "a"`, `1 null true [] {}`},
		{store.TypeInteger, "", `0 -1 9223372036854775807 -9223372036854775808`, `9223372036854775808 1.0 1e3 "1" null true`},
		{store.TypeNumber, "", `0 -1.5 1e3 12345678901234567890.123`, `"1" null true []`},
		{store.TypeBoolean, "", `true false`, `0 "true" null`},
		{store.TypeDate, "", `"2026-02-28"`, `"2026-02-30" "28.02.2026" "2026-02-28T00:00:00Z" 1 null`},
		{store.TypeDatetime, "", `"2026-02-28T01:02:03Z" "2026-02-28T01:02:03.123456+02:00"`, `"2026-02-28" "2026-02-28T25:00:00Z" 1 null`},
		{store.TypeArray, "", `[] ["a"]`, `null "a" [1] [null] {}`},
		{store.TypeArray, store.TypeInteger, `[1,2]`, `["1"] [1.5] [null]`},
		{store.TypeArray, store.TypeNumber, `[1.5]`, `[null] [true]`},
		{"unknown", "", ``, `1 "a"`},
	} {
		p := store.Parameter{Name: "p", ParamType: tc.kind, ItemType: tc.item}
		for _, v := range strings.Fields(tc.yes) {
			if !p.Accepts(json.RawMessage(v)) {
				t.Errorf("%s %s does not accept %s", tc.kind, tc.item, v)
			}
		}
		for _, v := range strings.Fields(tc.no) {
			if p.Accepts(json.RawMessage(v)) {
				t.Errorf("%s %s accepts %s", tc.kind, tc.item, v)
			}
		}
	}
	if (store.Parameter{ParamType: store.TypeString}).Accepts(nil) {
		t.Error("nothing is accepted as text")
	}
}

func TestResourceCheck(t *testing.T) {
	static := func(uri string) *store.Resource {
		return store.ResourceDraft{Name: "r", Description: "d", URITemplate: uri, StaticContent: "x"}.New()
	}
	dynamic := func(uri string) *store.Resource {
		return store.ResourceDraft{Name: "r", Description: "d", URITemplate: uri, ConnectionID: "c", SQLQuery: "select 1"}.New()
	}
	for uri, ok := range map[string]bool{
		"shop://a/{id}": true, "shop://a/{id}/b/{name}": true, "urn:x:{id}": true, "shop://a": true,
		"": false, "a/{id}": false, "shop://{+id}": false, "shop://{id}{x}": false, "shop://{id}/{id}": false, "shop://{id": false, "shop://id}": false,
		"shop://a b": false, "shop://{}": false, "shop://{a-b}": false, "shop://\u202e": false, "shop://" + strings.Repeat("a", 1000): false,
	} {
		if err := dynamic(uri).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", uri, err)
		}
	}
	if err := static("shop://a").Check(); err != nil {
		t.Error(err)
	}
	if got := fieldOf(t, static("shop://{id}").Check()); got != "uri_template" {
		t.Errorf("field %q", got)
	}
	both := dynamic("shop://a")
	both.StaticContent = "x"
	none := static("shop://a")
	none.StaticContent = ""
	half := dynamic("shop://a")
	half.SQLQuery = ""
	big := static("shop://a")
	big.StaticContent = strings.Repeat("x", 1<<20+1)
	kind := static("shop://a")
	kind.MIMEType = "image/png"
	for field, r := range map[string]*store.Resource{"static_content": both, "sql_query": half, "mime_type": kind} {
		if got := fieldOf(t, r.Check()); got != field {
			t.Errorf("got field %q, want %q", got, field)
		}
	}
	nul := dynamic("shop://a")
	nul.SQLQuery = "select 1\x00"
	if got := fieldOf(t, nul.Check()); got != "sql_query" {
		t.Errorf("got field %q", got)
	}
	for _, r := range []*store.Resource{none, big} {
		if got := fieldOf(t, r.Check()); got != "static_content" {
			t.Errorf("got field %q", got)
		}
	}
}

func TestPromptCheck(t *testing.T) {
	arg := func(names ...string) (out []store.Argument) {
		for _, n := range names {
			out = append(out, store.Argument{Name: n})
		}
		return out
	}
	for _, tc := range []struct {
		field    string
		template string
		messages []store.Block
		args     []store.Argument
	}{
		{"", "Hello {who}, {{braces}}", nil, arg("who")},
		{"", "", []store.Block{{Role: "user", Type: "text", Text: "{a}"}, {Role: "assistant", Type: "resource", URI: "shop://{b}"}}, arg("a", "b")},
		{"template", "", nil, nil},
		{"template", "x", []store.Block{{Role: "user", Type: "text", Text: "x"}}, nil},
		{"template", "{", nil, nil},
		{"template", "}", nil, nil},
		{"template", "{a b}", nil, nil},
		{"arguments", "{who}", nil, nil},
		{"arguments.0.name", "x", nil, arg("who")},
		{"arguments.1.name", "{who}", nil, arg("who", "who")},
		{"arguments.0.name", "{who}", nil, arg("w-o")},
		{"messages.0.role", "", []store.Block{{Role: "system", Type: "text", Text: "x"}}, nil},
		{"messages.0.type", "", []store.Block{{Role: "user", Type: "audio"}}, nil},
		{"messages.0.text", "", []store.Block{{Role: "user", Type: "text"}}, nil},
		{"messages.0.data", "", []store.Block{{Role: "user", Type: "image", Data: "x", MIMEType: "text/html"}}, nil},
		{"messages.0.uri", "", []store.Block{{Role: "user", Type: "resource"}}, nil},
		{"", "", []store.Block{{Role: "user", Type: "image", Data: "aGk=", MIMEType: "image/png"}}, nil},
		{"messages.0.data", "", []store.Block{{Role: "user", Type: "image", Data: "not base64!", MIMEType: "image/png"}}, nil},
		{"messages.0.text", "", []store.Block{{Role: "user", Type: "text", Text: strings.Repeat("é", store.MaxSQL+1)}}, nil},
		{"messages.0.text", "", []store.Block{{Role: "user", Type: "text", Text: "a\x00b"}}, nil},
		{"template", "a\x00b", nil, nil},
		{"arguments.0.description", "{a}", nil, []store.Argument{{Name: "a", Description: strings.Repeat("d", store.MaxDescription+1)}}},
	} {
		p := store.PromptDraft{Name: "p", Description: "d", Template: tc.template, Messages: tc.messages, Arguments: tc.args}.New()
		err := p.Check()
		if tc.field == "" && err != nil {
			t.Errorf("%q: %v", tc.template, err)
		}
		if tc.field != "" {
			if got := fieldOf(t, err); got != tc.field {
				t.Errorf("%q: got field %q, want %q", tc.template, got, tc.field)
			}
		}
	}
}

func TestExpand(t *testing.T) {
	got, err := store.Expand("{{ {a} }} {b}{a}", map[string]string{"a": "{b}", "c": "no"})
	if err != nil || got != "{ {b} } {b}" {
		t.Errorf("got %q, %v: a value must not be expanded again", got, err)
	}
	names, err := store.Placeholders("{b} {a} {b}")
	if err != nil || strings.Join(names, " ") != "b a" {
		t.Errorf("%v %v", names, err)
	}
}

// FuzzExpand: what Placeholders accepts, Expand fills, and a value never changes what is around it.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"", "{a}", "{{a}}", "{{{a}}}", "{a}}", "é{a}", "{a}{a}", "}{", "{_1}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, template string) {
		names, err := store.Placeholders(template)
		empty, err2 := store.Expand(template, nil)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: %v against %v", template, err, err2)
		}
		if err != nil {
			return
		}
		values := map[string]string{}
		for _, n := range names {
			values[n] = "\x01{" + n + "}\x02"
		}
		full, err := store.Expand(template, values)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			full = strings.ReplaceAll(full, values[n], "")
		}
		if full != empty && !strings.ContainsAny(template, "\x01\x02") {
			t.Fatalf("%q: without its values %q, empty %q", template, full, empty)
		}
	})
}

func TestServerConfigCheck(t *testing.T) {
	if err := store.NewServerConfig().Check(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		field  string
		change func(*store.ServerConfig)
	}{
		{"server_name", func(c *store.ServerConfig) { c.ServerName = " " }},
		{"instructions", func(c *store.ServerConfig) { c.Instructions = strings.Repeat("x", 10_001) }},
		{"auth_type", func(c *store.ServerConfig) { c.AuthType = "" }},
		{"log_level", func(c *store.ServerConfig) { c.LogLevel = "trace" }},
		{"mcp_rate_limit", func(c *store.ServerConfig) { c.MCPRateLimit = -1 }},
		{"cors_origins", func(c *store.ServerConfig) {
			c.CORSOrigins = nil
			for i := range 51 {
				c.CORSOrigins = append(c.CORSOrigins, fmt.Sprintf("https://a%d.example", i))
			}
		}},
		{"global_variables", func(c *store.ServerConfig) { c.GlobalVariables = raw(`{"1a":1}`) }},
		{"global_variables", func(c *store.ServerConfig) { c.GlobalVariables = raw(`{"a":null}`) }},
		{"global_variables", func(c *store.ServerConfig) { c.GlobalVariables = raw(`{"a":{"b":1}}`) }},
	} {
		c := store.NewServerConfig()
		tc.change(c)
		if got := fieldOf(t, c.Check()); got != tc.field {
			t.Errorf("got field %q, want %q", got, tc.field)
		}
	}
	// case 51: only an exact origin is one
	for origin, ok := range map[string]bool{
		"https://a.example": true, "http://localhost:3000": true, "https://[::1]:8443": true,
		"*": false, "null": false, "": false, "a.example": false, "https://": false, "https://a.example/": false, "https://a.example/path": false, "HTTPS://a.example": false, "https://*.a": false, "https://*": false, "https://a.example:": false, "https://a b": false,
		"https://A.example": false, "ftp://a.example": false, "https://u@a.example": false, "https://a.example?x": false, "https://a.example#x": false,
	} {
		c := store.NewServerConfig()
		c.CORSOrigins = []string{origin}
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
	c := store.NewServerConfig()
	c.AuthType = store.AuthOAuth
	if err := c.Check(); store.CodeOf(err) != store.NotAvailable {
		t.Errorf("OAuth: %v", err)
	}
	none, yes := store.AuthNone, true
	c = store.NewServerConfig()
	if err := (store.ServerConfigPatch{AuthType: &none, AuthNoneConfirmed: &yes}).Apply(c); err != nil || !c.AuthNoneConfirmed {
		t.Errorf("confirmed: %+v %v", c, err)
	}
	bearer := store.AuthBearer
	if err := (store.ServerConfigPatch{AuthType: &bearer}).Apply(c); err != nil || c.AuthNoneConfirmed {
		t.Error("leaving mode none keeps the confirmation for the next time")
	}
	many := map[string]json.RawMessage{}
	for i := range 101 {
		many[fmt.Sprintf("v%d", i)] = json.RawMessage("1")
	}
	if store.CheckVariables(many) == nil {
		t.Error("101 variables are accepted")
	}
	if err := store.CheckVariables(raw(`{"a":"x","b":-1.5e3,"c":true,"_d":9007199254740993}`)); err != nil {
		t.Error(err)
	}
}

func TestMCPTokenCheck(t *testing.T) {
	tools, bad := []string{"list_orders"}, []string{"ok", "not ok"}
	good := store.MCPToken{Name: "Claude on my laptop", Tools: &tools, IdleTimeoutMinutes: 30}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for field, v := range map[string]store.MCPToken{
		"name":                 {Name: ""},
		"idle_timeout_minutes": {Name: "n", IdleTimeoutMinutes: 29},
		"prompts.1":            {Name: "n", Prompts: &bad},
	} {
		if got := fieldOf(t, v.Check()); got != field {
			t.Errorf("got field %q, want %q", got, field)
		}
	}
	for _, days := range []int{-1, 0, 3651} {
		if got := fieldOf(t, store.MCPTokenDraft{ExpiresInDays: &days}.Check()); got != "expires_in_days" {
			t.Errorf("field %q", got)
		}
	}
	v := store.MCPToken{Name: "n", TokenHash: []byte(canary), Meta: store.Meta{CreatedAt: time.Now()}}
	if strings.Contains(string(mustJSON(t, v)), "hash") {
		t.Error("the hash is in the API's JSON") // case 111
	}
}

// TestPatches applies an empty patch: it changes nothing, whatever the entity.
func TestPatches(t *testing.T) {
	same := func(name string, v any, apply func() error) {
		t.Helper()
		before := string(mustJSON(t, v))
		if err := apply(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after := string(mustJSON(t, v)); after != before {
			t.Errorf("%s: an empty patch made\n%s\nof\n%s", name, after, before)
		}
	}
	c := postgres()
	same("connection", c, func() error { return store.ConnectionPatch{}.Apply(c) })
	b := bigquery()
	same("bigquery", b, func() error { return store.ConnectionPatch{}.Apply(b) })
	v := goodTool()
	same("tool", v, func() error { return store.ToolPatch{}.Apply(v) })
	r := store.ResourceDraft{Name: "r"}.New()
	same("resource", r, func() error { return store.ResourcePatch{}.Apply(r) })
	p := store.PromptDraft{Name: "p"}.New()
	same("prompt", p, func() error { return store.PromptPatch{}.Apply(p) })
	cfg := store.NewServerConfig()
	same("config", cfg, func() error { return store.ServerConfigPatch{}.Apply(cfg) })
	tok := &store.MCPToken{Name: "t"}
	same("token", tok, func() error { return store.MCPTokenPatch{}.Apply(tok) })
}

// TestMessages: what is not accepted is said back where there is something to say, and cut to what can be read.
func TestMessages(t *testing.T) {
	tool := store.ToolDraft{Name: "a", Description: "d", SQLQuery: "s", ConnectionID: "c"}
	for name, check := range map[string]func(v string) error{
		"name": func(v string) error { x := tool; x.Name = v; return x.New().Check() },
		"tag":  func(v string) error { x := tool; x.Tags = []string{v}; return x.New().Check() },
		"content": func(v string) error {
			x := tool
			x.Content = map[string]store.Content{"a": {Type: v}}
			return x.New().Check()
		},
		"parameter": func(v string) error { return store.Parameter{Name: v, ParamType: store.TypeString}.Check() },
		"type":      func(v string) error { return store.Parameter{Name: "a", ParamType: store.ParamType(v)}.Check() },
		"default": func(v string) error {
			return store.Parameter{Name: "a", ParamType: store.TypeInteger, DefaultValue: mustJSON(t, v)}.Check()
		},
		"enum": func(v string) error {
			return store.Parameter{Name: "a", ParamType: store.TypeInteger, EnumValues: []json.RawMessage{mustJSON(t, v)}}.Check()
		},
		"mime": func(v string) error {
			return (&store.Resource{Name: "r", Description: "d", URITemplate: "a:b", StaticContent: "x", MIMEType: v}).Check()
		},
		"argument": func(v string) error {
			return store.PromptDraft{Name: "p", Description: "d", Template: "t", Arguments: []store.Argument{{Name: v}}}.New().Check()
		},
		"block": func(v string) error {
			return store.PromptDraft{Name: "p", Description: "d", Messages: []store.Block{{Role: v, Type: v}}}.New().Check()
		},
		"log":      func(v string) error { c := store.NewServerConfig(); c.LogLevel = v; return c.Check() },
		"origin":   func(v string) error { c := store.NewServerConfig(); c.CORSOrigins = []string{v}; return c.Check() },
		"variable": func(v string) error { return store.CheckVariables(map[string]json.RawMessage{v: mustJSON(t, v)}) },
		"database": func(v string) error { return store.ConnectionDraft{Name: "c", DBType: store.DBType(v)}.New().Check() },
		"token":    func(v string) error { return (&store.MCPToken{Name: "t", Tools: &[]string{v}}).Check() },
	} {
		for _, v := range []string{"", strings.Repeat("é", 1<<18)} {
			if err := check(v); err == nil || strings.Contains(err.Error(), `got ""`) || len(err.Error()) > 500 {
				t.Errorf("%s of %d bytes: %.200v", name, len(v), err)
			}
		}
	}
}

func TestAnnotationsReadOnlyUnlessTold(t *testing.T) {
	for in, want := range map[string]store.Annotations{
		`{}`:                                    {ReadOnly: true},
		`{"idempotent":true}`:                   {ReadOnly: true, Idempotent: true},
		`{"destructive":true}`:                  {Destructive: true},
		`{"read_only":false,"open_world":true}`: {OpenWorld: true},
		`{"read_only":true,"destructive":true}`: {ReadOnly: true, Destructive: true}, // Check refuses it
	} {
		var got store.Annotations
		if err := json.Unmarshal([]byte(in), &got); err != nil || got != want {
			t.Errorf("%s: got %+v, want %+v (%v)", in, got, want, err)
		}
	}
}
