package mcpgen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mcpstudio/store"
)

// shop is a small configuration that compiles without problems.
func shop() store.Snapshot {
	low := json.Number("1")
	conn := store.ConnectionDraft{Name: "Shop", DBType: store.PostgreSQL, Host: "db.example", Database: "shop", Username: "reader"}.New()
	conn.ID = "c1"
	spare := store.ConnectionDraft{Name: "Spare", DBType: store.PostgreSQL, Host: "db2.example", Database: "x", Username: "y"}.New()
	spare.ID = "c2"
	top := store.ToolDraft{ConnectionID: "c1", Name: "top_customers", Description: "Customers with the highest revenue.", SQLQuery: "SELECT id FROM customers WHERE (:country IS NULL OR country = :country) LIMIT :limit",
		Parameters: []store.Parameter{
			{Name: "limit", ParamType: store.TypeInteger, IsRequired: true, Minimum: &low, SortOrder: 2},
			{Name: "country", ParamType: store.TypeString, Description: "Two letters", EnumValues: []json.RawMessage{[]byte(`"DE"`), []byte(`"NL"`)}, SortOrder: 1},
		}}.New()
	top.ID = "t1"
	all := store.ToolDraft{ConnectionID: "c1", Name: "all_orders", Description: "Every order <with> & without.", SQLQuery: "SELECT * FROM orders", Transform: "length"}.New()
	all.ID = "t2"
	product := store.ResourceDraft{Name: "product", Description: "One product.", URITemplate: "shop://products/{id}", ConnectionID: "c1", SQLQuery: "SELECT * FROM products WHERE id = :id"}.New()
	product.ID = "r1"
	prompt := store.PromptDraft{Name: "review", Description: "Review a customer.", Template: "Look at {customer}.", Arguments: []store.Argument{{Name: "customer", Required: true}}}.New()
	prompt.ID = "p1"
	config := store.NewServerConfig()
	config.GlobalVariables["currency"] = json.RawMessage(`"EUR"`)
	return store.Snapshot{
		Connections: []*store.Connection{spare, conn}, Tools: []*store.Tool{top, all},
		Resources: []*store.Resource{product}, Prompts: []*store.Prompt{prompt}, Config: config,
	}
}

func compileClean(t *testing.T, s store.Snapshot) *Manifest {
	t.Helper()
	m, problems := Compile(s, Options{})
	if len(problems) > 0 {
		t.Fatalf("problems: %+v", problems)
	}
	return m
}

func TestCompileIsDeterministic(t *testing.T) {
	want, err := compileClean(t, shop()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s := shop()
		rand.Shuffle(len(s.Tools), func(i, j int) { s.Tools[i], s.Tools[j] = s.Tools[j], s.Tools[i] })
		rand.Shuffle(len(s.Connections), func(i, j int) { s.Connections[i], s.Connections[j] = s.Connections[j], s.Connections[i] })
		got, err := compileClean(t, s).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("not the same bytes:\n%s\n%s", got, want)
		}
	}
	back, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := back.Encode(); !bytes.Equal(again, want) {
		t.Error("decoding and encoding changes the bytes")
	}
}

func TestCompileTakesOnlyWhatIsUsed(t *testing.T) {
	s := shop()
	s.Tools[1].IsEnabled = false
	m := compileClean(t, s)
	if len(m.Tools) != 1 || m.Tools[0].Name != "top_customers" {
		t.Errorf("tools: %+v", m.Tools)
	}
	if len(m.Connections) != 1 || m.Connections[0].ID != "c1" {
		t.Errorf("a connection that nothing uses is in the manifest: %+v", m.Connections)
	}
}

// No secret may be in a manifest, whatever way it was given. case 245
func TestManifestHoldsNoSecret(t *testing.T) {
	s := shop()
	bq := store.ConnectionDraft{Name: "BQ", DBType: store.BigQuery, Password: store.GivenSecret("CANARY-1"),
		ExtraParams: map[string]json.RawMessage{"credentials_json": []byte(`{"k":"CANARY-2"}`), "project_id": []byte(`"p"`)}}.New()
	bq.ID = "c1"
	s.Connections[1] = bq
	m, _ := Compile(s, Options{})
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	secrets := NewSecrets(map[string]map[string]string{"c1": {"password": "CANARY-3"}})
	b = append(b, fmt.Sprintf("%v %+v %#v %s %q", secrets, secrets, secrets, secrets, secrets)...)
	j, _ := json.Marshal(map[string]any{"s": secrets})
	if b = append(b, j...); bytes.Contains(b, []byte("CANARY")) {
		t.Errorf("a secret shows: %s", b)
	}
	if !bytes.Contains(b, []byte("project_id")) {
		t.Error("the options that are no secret are missing")
	}
}

func TestDefinition(t *testing.T) {
	m := compileClean(t, shop())
	got := string(m.Tools[1].Definition)
	want := `{"name":"top_customers","description":"Customers with the highest revenue.","inputSchema":{"type":"object","properties":{"country":{"type":"string","description":"Two letters","enum":["DE","NL"]},"limit":{"type":"integer","minimum":1}},"required":["limit"],"additionalProperties":false},"outputSchema":` + rowsSchema + `,"annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":false,"openWorldHint":false}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := string(m.Tools[0].Definition); strings.Contains(d, "outputSchema") || !strings.Contains(d, "<with> & without") {
		t.Errorf("a transform has no known shape, and text is not escaped: %s", d)
	}
}

func TestCompileProblems(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*store.Snapshot)
		code, field string
	}{
		"disabled connection":  {func(s *store.Snapshot) { s.Connections[1].IsActive = false }, "connection_disabled", "connection_id"},
		"missing connection":   {func(s *store.Snapshot) { s.Connections = s.Connections[:1] }, "no_connection", "connection_id"},
		"secret asked again":   {func(s *store.Snapshot) { s.Connections[1].NeedsSecret = true }, "needs_secret", "connection_id"},
		"two statements":       {func(s *store.Snapshot) { s.Tools[1].SQLQuery = "SELECT 1; DROP TABLE x" }, "second_statement", "sql_query"},
		"a write":              {func(s *store.Snapshot) { s.Tools[1].SQLQuery = "DELETE FROM orders" }, "write_statement", "sql_query"},
		"undeclared parameter": {func(s *store.Snapshot) { s.Tools[1].SQLQuery = "SELECT :x" }, "undeclared_parameter", "parameters"},
		"unknown caller value": {func(s *store.Snapshot) { s.Tools[1].SQLQuery = "SELECT :caller.shoe_size" }, "unknown_caller_value", "parameters"},
		"unused parameter":     {func(s *store.Snapshot) { s.Tools[0].SQLQuery = "SELECT :limit" }, "unused_parameter", "parameters"},
		"broken transform":     {func(s *store.Snapshot) { s.Tools[1].Transform = "map(" }, "transform", "transform"},
		"write on a read-only": {func(s *store.Snapshot) { s.Tools[1].Annotations = store.Annotations{} }, "connection_read_only", "annotations"},
		"whole SQL a parameter": {func(s *store.Snapshot) {
			s.Tools[1].SQLQuery = ":q"
			s.Tools[1].Parameters = []store.Parameter{{Name: "q", ParamType: "string"}}
		}, "passthrough", "sql_query"},
		"names that look alike": {func(s *store.Snapshot) { s.Tools[1].Name = "Top-Customers" }, "name_taken", "name"},
		"templates that meet": {func(s *store.Snapshot) {
			r := *s.Resources[0]
			r.ID, r.Name = "r2", "other"
			s.Resources = append(s.Resources, &r)
		}, "uri_overlap", "uri_template"},
		"resource parameter": {func(s *store.Snapshot) { s.Resources[0].SQLQuery = "SELECT :name" }, "undeclared_parameter", "parameters"},
		"prompt argument":    {func(s *store.Snapshot) { s.Prompts[0].Template = "no placeholder" }, "invalid", "arguments.0.name"},
	} {
		t.Run(name, func(t *testing.T) {
			s := shop()
			c.change(&s)
			_, problems := Compile(s, Options{})
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				return p.Code == c.code && p.Field == c.field && p.Severity == Error && p.EntityName != "" && p.Message != ""
			}) {
				t.Errorf("want %s on %s, got %+v", c.code, c.field, problems)
			}
		})
	}
}

// What tools/list says must be given is what a call is refused without.
func TestRequiredWithADefault(t *testing.T) {
	for fallback, want := range map[string]string{``: `"required":["n"]`, `null`: `"required":["n"]`, `5`: `"default":5`} {
		s := shop()
		s.Tools[1].SQLQuery = "SELECT :n"
		s.Tools[1].Parameters = []store.Parameter{{Name: "n", ParamType: store.TypeInteger, IsRequired: true, DefaultValue: json.RawMessage(fallback)}}
		schema := string(compileClean(t, s).Tools[0].InputSchema)
		if !strings.Contains(schema, want) || strings.Contains(schema, "required") == strings.Contains(schema, "default") {
			t.Errorf("default %q: %s", fallback, schema)
		}
	}
}

func TestNoDriver(t *testing.T) {
	_, problems := Compile(shop(), Options{HasDriver: func(store.DBType) bool { return false }})
	if len(problems) != 3 || problems[0].Code != string(store.NotAvailable) {
		t.Errorf("%+v", problems)
	}
}

func TestCheckPlacesInEditorUnits(t *testing.T) {
	sql := "SELECT '😀', :missing"
	_, problems := Check(Statement{DBType: store.PostgreSQL, SQL: sql, ReadOnly: true})
	if len(problems) != 1 {
		t.Fatalf("%+v", problems)
	}
	// The emoji is two UTF-16 units, as in the editor.
	if p := problems[0]; p.Start != 13 || p.End != 21 || p.Line != 1 || p.Column != 14 {
		t.Errorf("%+v", p)
	}
}

// The caller is bound without a declaration; the front sets it, so no client can choose it.
func TestCallerValues(t *testing.T) {
	s := shop()
	s.Tools[1].SQLQuery = "SELECT * FROM orders WHERE owner = :caller.id OR :caller.kind = 'admin' OR :caller.name = ''"
	m := compileClean(t, s)
	if strings.Contains(string(m.Tools[0].InputSchema), "caller") {
		t.Errorf("a client is asked for it: %s", m.Tools[0].InputSchema)
	}
}
