package child

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

func libraryProject() project {
	p := shopProject()
	p.resources = []store.ResourceDraft{
		{Name: "about", Title: "About", URITemplate: "shop://about", StaticContent: "We sell <fruit>.", MIMEType: "text/plain"},
		{Name: "product", URITemplate: "shop://products/{id}", SQLQuery: "SELECT id, name FROM products WHERE id = :id"},
		{Name: "by_status", URITemplate: "shop://status/{status}.csv", SQLQuery: "SELECT name FROM products WHERE status = :status", MIMEType: "text/csv"},
		{Name: "empty", URITemplate: "shop://empty", SQLQuery: "SELECT 1 AS a WHERE 1 = 0"},
		{Name: "echo", URITemplate: "shop://echo/{a}/{b}", SQLQuery: "SELECT :a AS a, :b AS b"},
	}
	p.prompts = []store.PromptDraft{
		{Name: "ask", Title: "Ask", Template: "About {status} and {{braces}}", Arguments: []store.Argument{{Name: "status", Description: "which", Required: true}}},
		{Name: "show", Messages: []store.Block{
			{Role: "user", Type: "text", Text: "Look:"},
			{Role: "user", Type: "image", Data: "iVBORw0KGgo=", MIMEType: "image/png"},
			{Role: "assistant", Type: "resource", URI: "shop://products/{id}"},
			{Role: "user", Type: "resource", URI: "note://{id}", Text: "note {id}", MIMEType: "text/markdown"},
		}, Arguments: []store.Argument{{Name: "id"}}},
	}
	return p
}

type discovered struct {
	SupportedVersions []string
	ProtocolVersion   string
	Capabilities      json.RawMessage
	ServerInfo        struct{ Name, Version string }
	Instructions      string
	Meta              map[string]json.RawMessage `json:"_meta"`
	TTLMs             *int                       `json:"ttlMs"`
}

func TestHandshakes(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), libraryProject().manifest(t))
	const capabilities = `{"completions":{},"prompts":{},"resources":{},"tools":{}}`
	got := result[discovered](t, s, request(true, "server/discover", "", "", `{}`))
	var have any
	var want any
	if json.Unmarshal(got.Capabilities, &have) != nil || json.Unmarshal([]byte(capabilities), &want) != nil || !cmp.Equal(have, want) {
		t.Errorf("capabilities: %s", got.Capabilities)
	}
	if !cmp.Equal(got.SupportedVersions, hop.Versions()) || got.Instructions != "Ask about the shop." || got.TTLMs == nil || !strings.Contains(string(got.Meta["io.modelcontextprotocol/serverInfo"]), `"Shop \u003c1\u003e"`) {
		t.Errorf("discover: %+v %s", got, got.Meta)
	}
	for proposed, want := range map[string]string{"2025-11-25": "2025-11-25", "2025-06-18": "2025-06-18", "2024-11-05": "2024-11-05", "1999-01-01": "2025-11-25", "2026-07-28": "2025-11-25"} {
		got := result[discovered](t, s, request(false, "initialize", "", "", `{"protocolVersion":"`+proposed+`","capabilities":{"sampling":{}},"clientInfo":{"name":"c","version":"1"}}`))
		if got.ProtocolVersion != want || got.ServerInfo.Name != "Shop <1>" || got.ServerInfo.Version != s.version {
			t.Errorf("initialize %s: %+v", proposed, got)
		}
	}
	refusedWith(t, s, request(false, "initialize", "", "", `{}`), hop.CodeInvalidParams, 200, "protocolVersion")
	if a, _ := ask(t, s, request(false, "ping", "", "", "")); string(a.Result) != "{}" {
		t.Errorf("ping: %s", a.Result)
	}
	for _, method := range []string{"initialize", "ping", "logging/setLevel", "resources/subscribe", "subscriptions/listen", "tasks/list", "tools", "TOOLS/LIST", "sampling/createMessage"} {
		refusedWith(t, s, request(true, method, "", "", "{}"), hop.CodeMethodNotFound, 404, "no such method")
	}
	for _, method := range []string{"logging/setLevel", "resources/subscribe", "tasks/list", "server/discover", "nonesuch"} {
		refusedWith(t, s, request(false, method, "", "", "{}"), hop.CodeMethodNotFound, 200, "no such method")
	}
	// An integer id comes back with its digits.
	q := request(false, "ping", "", "", "")
	q.ID = []byte("9007199254740993")
	if r := serve(s, q); string(r.Body) != `{"jsonrpc":"2.0","id":9007199254740993,"result":{}}` {
		t.Errorf("got %s", r.Body)
	}
}

type readResult struct {
	Contents []struct{ URI, MIMEType, Text string }
	TTLMs    *int `json:"ttlMs"`
}

func TestResources(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), libraryProject().manifest(t))
	for uri, want := range map[string]string{
		"shop://about":               "We sell <fruit>.",
		"shop://products/2":          `[{"id":2,"name":"Pear \"x\" <b>"}]`,
		"shop://empty":               `[]`,
		"shop://status/new.csv":      "name\r\nApple\r\n",
		"shop://echo/x%2Fy/%252E":    `[{"a":"x/y","b":"%2E"}]`, // case 144: decoded once
		"shop://echo/'%3B--/a;b":     `[{"a":"';--","b":"a;b"}]`,
		"shop://echo/%C3%A4/z-1_2~.": `[{"a":"ä","b":"z-1_2~."}]`,
	} {
		for _, modern := range []bool{false, true} {
			got := result[readResult](t, s, request(modern, "resources/read", uri, "", `{"uri":"ignored: the parent's reading counts"}`))
			if len(got.Contents) != 1 || got.Contents[0].Text != want || got.Contents[0].URI != uri || (got.TTLMs != nil) != modern {
				t.Errorf("%s: %+v, want %s", uri, got, want)
			}
		}
	}
	// The era's code, and the URI in data.
	for _, uri := range []string{
		"shop://products/99", "shop://products/1/2", "shop://products/", "shop://products/1?x", "shop://products/1#x", "shop://products/..%2f..", "SHOP://about",
		"shop://echo/../x", "shop://echo/a", "shop://echo/%zz/b", "shop://echo/%ff/b", "shop://echo/%00/b", "shop://about/", "other://about", readURI, "", "shop://echo/" + strings.Repeat("a", 1<<20),
	} {
		if uri == "shop://echo/../x" { // two plain segments: bound as values, never a path
			continue
		}
		q := request(true, "resources/read", uri, "", "{}")
		q.Name = []byte(uri)
		a := refusedWith(t, s, q, hop.CodeInvalidParams, 400, "no such resource")
		q.Modern = false
		b := refusedWith(t, s, q, legacyNotFound, 200, "no such resource")
		for _, e := range []answerBody{a, b} {
			var data struct{ URI *string }
			if e.Error == nil || json.Unmarshal(e.Error.Data, &data) != nil || data.URI == nil || *data.URI != uri {
				t.Errorf("%.60s: the data does not name the URI", uri)
			}
		}
	}
	refusedWith(t, s, request(false, "resources/read", "", "", "{}"), hop.CodeInvalidParams, 200, "uri")
	var lists struct {
		Resources         []struct{ Name, Title, URI, MIMEType string }
		ResourceTemplates []struct{ Name, URITemplate string }
	}
	for _, method := range []string{"resources/list", "resources/templates/list"} {
		a, _ := ask(t, s, request(true, method, "", "", "{}"))
		if err := json.Unmarshal(a.Result, &lists); err != nil {
			t.Fatal(err)
		}
	}
	if len(lists.Resources) != 2 || lists.Resources[0].URI != "shop://about" || lists.Resources[0].Title != "About" || len(lists.ResourceTemplates) != 3 || lists.ResourceTemplates[2].URITemplate != "shop://products/{id}" {
		t.Errorf("lists: %+v", lists)
	}
	for _, method := range []string{"resources/list", "resources/templates/list", "prompts/list"} {
		for _, c := range []string{`"%"`, `""`, `"\u0000"`, `1`} {
			refusedWith(t, s, request(true, method, "", "", `{"cursor":`+c+`}`), hop.CodeInvalidParams, 400, "cursor")
		}
	}
}

// A URI whose value the database's type cannot have names nothing; any other refusal is no matter of the URI.
func TestUnlikeType(t *testing.T) {
	for state, want := range map[string]bool{"22P02": true, "22003": true, "22007": true, "22008": true, "22012": false, "42703": false, "": false} {
		if got := unlikeType(fmt.Errorf("read: %w", &query.Error{Code: query.Database, SQLState: state})); got != want {
			t.Errorf("%q: got %v", state, got)
		}
	}
	if unlikeType(context.Canceled) {
		t.Error("the end of a context is no matter of the URI")
	}
}

// TestPages walks through every list that mcp-go makes and takes no cursor that the list did not give.
func TestPages(t *testing.T) {
	const entries = 2*pageSize + 5
	var p project
	for i := range entries {
		n := (i * 37) % entries // in no order
		p.resources = append(p.resources, store.ResourceDraft{Name: fmt.Sprintf("fixed%03d", n), URITemplate: fmt.Sprintf("f%03d://v", i), StaticContent: "x"},
			store.ResourceDraft{Name: fmt.Sprintf("template%03d", n), URITemplate: fmt.Sprintf("t%03d://{id}", i), SQLQuery: "SELECT :id AS id"})
		p.prompts = append(p.prompts, store.PromptDraft{Name: fmt.Sprintf("prompt%03d", n), Template: "x"})
	}
	s, _ := newTestServer(t, database(t), p.manifest(t))
	methods := []string{"prompts/list", "resources/list", "resources/templates/list"}
	for i, method := range methods {
		var names []string
		for params := "{}"; params != ""; {
			type entry struct{ Name string }
			got := result[struct {
				Prompts, Resources, ResourceTemplates []entry
				NextCursor                            *string
			}](t, s, request(i%2 == 0, method, "", "", params))
			for _, e := range slices.Concat(got.Prompts, got.Resources, got.ResourceTemplates) {
				names = append(names, e.Name)
			}
			if params = ""; got.NextCursor != nil {
				params = `{"cursor":"` + *got.NextCursor + `"}`
				other := methods[(i+1)%len(methods)]
				refusedWith(t, s, request(false, other, "", "", params), hop.CodeInvalidParams, 200, "cursor")
				refusedWith(t, s, request(false, "tools/list", "", "", params), hop.CodeInvalidParams, 200, "cursor")
			}
		}
		if len(names) != entries || !slices.IsSorted(names) || len(slices.Compact(names)) != entries {
			t.Errorf("%s: %d names, in order: %v", method, len(names), slices.IsSorted(names))
		}
		refusedWith(t, s, request(false, method, "", "", `{"cursor":"cHJvbXB0MDk5"}`), hop.CodeInvalidParams, 200, "cursor") // what mcp-go would take
	}
}

// TestRouting: the same resource answers every time.
func TestRouting(t *testing.T) {
	var p project
	for i := range 40 {
		p.resources = append(p.resources, store.ResourceDraft{Name: fmt.Sprintf("r%02d", i), URITemplate: fmt.Sprintf("x%02d://{id}/v", i), SQLQuery: fmt.Sprintf("SELECT %d AS n WHERE :id = 'a'", i)})
	}
	s, _ := newTestServer(t, database(t), p.manifest(t))
	for i := range 40 {
		for range 5 {
			got := result[readResult](t, s, request(false, "resources/read", fmt.Sprintf("x%02d://a/v", i), "", ""))
			if want := fmt.Sprintf(`[{"n":%d}]`, i); got.Contents[0].Text != want {
				t.Fatalf("got %s, want %s", got.Contents[0].Text, want)
			}
		}
	}
}

func TestPrompts(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), libraryProject().manifest(t))
	type promptResult struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	got := result[promptResult](t, s, request(true, "prompts/get", "ask", `{"status":"<new> {x}"}`, ""))
	if len(got.Messages) != 1 || string(got.Messages[0].Content) != `{"type":"text","text":"About <new> {x} and {braces}"}` {
		t.Errorf("ask: %+v", got)
	}
	got = result[promptResult](t, s, request(false, "prompts/get", "show", `{"id":"2"}`, ""))
	want := []string{
		`{"type":"text","text":"Look:"}`,
		`{"type":"image","data":"iVBORw0KGgo=","mimeType":"image/png"}`,
		`{"type":"resource","resource":{"uri":"shop://products/2","mimeType":"application/json","text":"[{\"id\":2,\"name\":\"Pear \\\"x\\\" <b>\"}]"}}`,
		`{"type":"resource","resource":{"uri":"note://2","mimeType":"text/markdown","text":"note 2"}}`,
	}
	for i, w := range want {
		if string(got.Messages[i].Content) != w {
			t.Errorf("message %d: %s, want %s", i, got.Messages[i].Content, w)
		}
	}
	// What is wrong with the arguments is invalid params, in both eras.
	for _, tt := range []struct{ name, args, part string }{
		{"ask", ``, "status is required"}, {"ask", `{}`, "status is required"}, {"ask", `{"status":1}`, "must be a string"}, {"ask", `{"status":null}`, "must be a string"},
		{"ask", `{"status":"x","more":"y"}`, "no argument more"}, {"show", `{"id":"99"}`, "no such resource"}, {"nonesuch", `{}`, "no prompt"}, {"", `{}`, "no prompt"},
	} {
		refusedWith(t, s, request(false, "prompts/get", tt.name, tt.args, ""), hop.CodeInvalidParams, 200, tt.part)
		refusedWith(t, s, request(true, "prompts/get", tt.name, tt.args, ""), hop.CodeInvalidParams, 400, tt.part)
	}
	a, _ := ask(t, s, request(false, "prompts/list", "", "", ""))
	if !strings.Contains(string(a.Result), `"arguments":[{"name":"status","description":"which","required":true}]`) {
		t.Errorf("list: %s", a.Result)
	}
}

func TestCompletion(t *testing.T) {
	s, _ := newTestServer(t, database(t, shopTables...), libraryProject().manifest(t))
	type completion struct {
		Completion struct {
			Values []string
			Total  int
		}
	}
	for _, tt := range []struct {
		ref, argument string
		want          []string
	}{
		{`{"type":"ref/prompt","name":"ask"}`, `{"name":"status","value":""}`, []string{"new", "old", "older"}},
		{`{"type":"ref/prompt","name":"ask"}`, `{"name":"status","value":"OL"}`, []string{"old", "older"}},
		{`{"type":"ref/prompt","name":"ask"}`, `{"name":"other","value":""}`, []string{}},
		{`{"type":"ref/prompt","name":"nonesuch"}`, `{"name":"status","value":""}`, []string{}},
		{`{"type":"ref/resource","uri":"shop://status/{status}.csv"}`, `{"name":"status","value":"n"}`, []string{"new"}},
		{`{"type":"ref/resource","uri":"shop://nonesuch"}`, `{"name":"status","value":"n"}`, []string{}},
	} {
		got := result[completion](t, s, request(true, "completion/complete", "", "", `{"ref":`+tt.ref+`,"argument":`+tt.argument+`}`))
		if !cmp.Equal(got.Completion.Values, tt.want) {
			t.Errorf("%s %s: %v", tt.ref, tt.argument, got.Completion.Values)
		}
	}
	q := request(false, "completion/complete", "", "", `{"ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":"status","value":""}}`)
	q.Allowed = hop.NewAllowed([]string{"echo"}, nil, nil) // the tool with the values is not for this caller
	if got := result[completion](t, s, q); len(got.Completion.Values) != 0 {
		t.Errorf("values of a hidden tool: %v", got.Completion.Values)
	}
	for _, params := range []string{``, `{}`, `{"ref":{"type":"x"},"argument":{"name":"a","value":""}}`, `{"ref":"x","argument":{"name":"a"}}`, `{"ref":{"type":"ref/prompt","name":7},"argument":{"name":"a"}}`} {
		refusedWith(t, s, request(false, "completion/complete", "", "", params), hop.CodeInvalidParams, 200, "")
	}
}

func TestRender(t *testing.T) {
	raw := []byte(`[{"a":"=1+1","b|":-5,"c":null},{"a":"x\ny,\"z\"","b|":"-12.50","c":{"k":[1]}},{"a":"<b>&","b|":true,"c":"+cmd"},{"a":"@x","b|":1e5,"c":"\tq"}]`)
	for mime, want := range map[string]string{
		"application/json": string(raw),
		"text/csv":         "a,b|,c\r\n'=1+1,-5,\r\n\"x\r\ny,\"\"z\"\"\",-12.50,\"{\"\"k\"\":[1]}\"\r\n<b>&,true,'+cmd\r\n'@x,1e5,'\tq\r\n", // case 225
		"text/markdown":    "| a | b\\| | c |\n| --- | --- | --- |\n| =1+1 | -5 |  |\n| x<br>y,\"z\" | -12.50 | {\"k\":[1]} |\n| &lt;b>&amp; | true | +cmd |\n| @x | 1e5 | \tq |\n",
		"text/plain":       "a: =1+1\nb|: -5\nc: \n\na: x\ny,\"z\"\nb|: -12.50\nc: {\"k\":[1]}\n\na: <b>&\nb|: true\nc: +cmd\n\na: @x\nb|: 1e5\nc: \tq\n",
	} {
		if got, err := render(mime, nil, raw); err != nil || got != want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", mime, err, got, want)
		}
	}
	page, err := render("text/html", nil, raw)
	if err != nil || strings.Contains(page, "<b>") || !strings.Contains(page, "<td>&lt;b&gt;&amp;</td>") || strings.Count(page, "<tr>") != 5 {
		t.Errorf("html: %v %s", err, page)
	}
	text, err := render("application/xml", nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rows []struct {
			Columns []struct {
				Name string `xml:"name,attr"`
				Null bool   `xml:"null,attr"`
				Text string `xml:",chardata"`
			} `xml:"column"`
		} `xml:"row"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Rows) != 4 || !doc.Rows[0].Columns[2].Null || doc.Rows[2].Columns[0].Text != "<b>&" || doc.Rows[0].Columns[1].Name != "b|" {
		t.Errorf("xml: %v %s", err, text)
	}
	if got, err := render("text/csv", nil, raw); err == nil {
		if records, err := csv.NewReader(strings.NewReader(got)).ReadAll(); err != nil || len(records) != 5 || records[2][0] != "x\ny,\"z\"" {
			t.Errorf("csv does not read back: %v %q", err, records)
		}
	}
	for raw, want := range map[string]string{`[{"a":"one"}]`: "one", `[{"a":"one"},{"a":2}]`: "one\n2\n", `[]`: ""} {
		if got, err := render("text/plain", nil, []byte(raw)); err != nil || got != want {
			t.Errorf("%s: %q %v", raw, got, err)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("shop://products/1", "1")
	f.Add("shop://products/%2E%2E", "..")
	f.Add("shop://products/%25", "%")
	r, err := newResource(nil, &manifestResource)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri, _ string) {
		values, ok := r.match(uri)
		if !ok {
			return
		}
		if len(values) != 1 || values[0] == "" || !strings.HasPrefix(uri, "shop://products/") || strings.ContainsAny(uri[len("shop://products/"):], "/?#") || strings.ContainsRune(values[0], 0) {
			t.Errorf("%q matched with %q", uri, values)
		}
	})
}
