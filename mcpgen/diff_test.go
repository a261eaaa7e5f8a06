package mcpgen

import (
	"encoding/json"
	"strings"
	"testing"

	"mcpstudio/store"
)

func diff(t *testing.T, change func(*store.Snapshot)) []Change {
	t.Helper()
	now := shop()
	change(&now)
	got, err := Diff(compileClean(t, shop()), compileClean(t, now), Secrets{}, Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	if got := diff(t, func(*store.Snapshot) {}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestDiffFromNothing(t *testing.T) {
	got, err := Diff(nil, compileClean(t, shop()), Secrets{}, Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got {
		if c.Kind != Added || c.Breaking {
			t.Errorf("%+v", c)
		}
	}
	if len(got) != 6 { // connection, two tools, resource, prompt, variable
		t.Errorf("%d changes: %+v", len(got), got)
	}
}

func TestDiffSaysWhatItMeansForClients(t *testing.T) {
	limit := func(s *store.Snapshot) *store.Parameter { return &s.Tools[0].Parameters[0] }
	country := func(s *store.Snapshot) *store.Parameter { return &s.Tools[0].Parameters[1] }
	for name, c := range map[string]struct {
		change   func(*store.Snapshot)
		breaking bool
		sentence string
	}{
		"parameter becomes required": {func(s *store.Snapshot) { country(s).IsRequired = true }, true, "Parameter country becomes required: calls without it fail."},
		"parameter becomes optional": {func(s *store.Snapshot) { limit(s).IsRequired = false }, false, "Parameter limit becomes optional."},
		"type":                       {func(s *store.Snapshot) { limit(s).ParamType = store.TypeNumber }, true, "Parameter limit is number instead of integer."},
		"fewer values":               {func(s *store.Snapshot) { country(s).EnumValues = country(s).EnumValues[:1] }, true, "Parameter country accepts fewer values."},
		"higher minimum":             {func(s *store.Snapshot) { n := json.Number("5"); limit(s).Minimum = &n }, true, "Parameter limit accepts fewer values."},
		"rename":                     {func(s *store.Snapshot) { s.Tools[0].Name = "best_customers" }, true, "Renamed from top_customers: clients that call the old name fail."},
		"description":                {func(s *store.Snapshot) { s.Tools[0].Description = "x" }, false, "Models read a new description."},
		"statement":                  {func(s *store.Snapshot) { s.Tools[1].SQLQuery = "SELECT 1" }, false, "The statement changed."},
		"transform":                  {func(s *store.Snapshot) { s.Tools[1].Transform = "first" }, true, "The shape of the result changes."},
		"tool goes":                  {func(s *store.Snapshot) { s.Tools = s.Tools[:1] }, true, "Clients can no longer call this tool."},
		"host":                       {func(s *store.Snapshot) { s.Connections[1].Host = "other" }, true, "Calls go to other:5432/shop instead of db.example:5432/shop."},
		"lower limit":                {func(s *store.Snapshot) { s.Connections[1].MaxRows = 10 }, true, "Limits are lower"},
		"uri":                        {func(s *store.Snapshot) { s.Resources[0].URITemplate = "shop://p/{id}" }, true, "The URI changed from shop://products/{id}"},
		"prompt argument":            {func(s *store.Snapshot) { s.Prompts[0].Arguments[0].Required = false }, false, "Argument customer becomes optional."},
		"server name":                {func(s *store.Snapshot) { s.Config.ServerName = "Other" }, false, "Clients see another server name"},
		"variable":                   {func(s *store.Snapshot) { s.Config.GlobalVariables["currency"] = []byte(`"USD"`) }, false, "Transforms read another value."},
		"variable goes":              {func(s *store.Snapshot) { delete(s.Config.GlobalVariables, "currency") }, true, "get null"},
	} {
		t.Run(name, func(t *testing.T) {
			got := diff(t, c.change)
			if len(got) != 1 {
				t.Fatalf("%d changes: %+v", len(got), got)
			}
			if got[0].Breaking != c.breaking || !strings.Contains(strings.Join(got[0].Sentences, " "), c.sentence) {
				t.Errorf("%+v", got[0])
			}
			if len(got[0].Fields) == 0 {
				t.Error("no field is shown")
			}
		})
	}
}

// Limits are compared by what they mean: a manifest from before there were any has the defaults.
func TestDiffOfLimits(t *testing.T) {
	old := compileClean(t, shop())
	old.Limits = Limits{}
	if got, err := Diff(old, compileClean(t, shop()), Secrets{}, Secrets{}); err != nil || len(got) != 0 {
		t.Errorf("from before there were limits: %+v %v", got, err)
	}
	got := diff(t, func(s *store.Snapshot) { s.Config.ChildMemoryMiB, s.Config.ChildCPUs = 64, 2 })
	if len(got) != 1 || got[0].Kind != Changed || got[0].EntityType != store.KindServerConfig || got[0].Breaking || len(got[0].Fields) != 2 {
		t.Fatalf("%+v", got)
	}
	if f := got[0].Fields[0]; f.Field != "child_memory_mib" || string(f.Before) != "512" || string(f.After) != "64" {
		t.Errorf("%+v", f)
	}
	if want := "The server runs with other limits: 64 MiB of memory, 2 processors."; got[0].Sentences[0] != want {
		t.Errorf("got %q, want %q", got[0].Sentences[0], want)
	}
	if both := diff(t, func(s *store.Snapshot) { s.Config.ServerName, s.Config.ChildCPUs = "Other", 1 }); len(both) != 1 || len(both[0].Fields) != 2 || len(both[0].Sentences) != 2 {
		t.Errorf("a name and a limit: %+v", both)
	}
}

// A schema that the author wrote is nowhere else in the tool: that it changes, comes or goes must not look like no change.
func TestDiffOfOwnSchema(t *testing.T) {
	own := func(minimum string) func(*store.Snapshot) {
		return func(s *store.Snapshot) {
			s.Tools[0].InputSchema = json.RawMessage(`{"type":"object","properties":{"limit":{"type":"integer","minimum":` + minimum + `}}}`)
		}
	}
	made := func(change func(*store.Snapshot)) *Manifest {
		s := shop()
		change(&s)
		return compileClean(t, s)
	}
	generated := made(func(*store.Snapshot) {})
	for name, c := range map[string]struct{ old, now *Manifest }{
		"changes": {made(own("1")), made(own("5"))}, "comes": {generated, made(own("1"))}, "goes": {made(own("1")), generated},
	} {
		got, err := Diff(c.old, c.now, Secrets{}, Secrets{})
		if err != nil || len(got) != 1 || !got[0].Breaking || len(got[0].Fields) != 1 || got[0].Fields[0].Field != "input_schema" || len(got[0].Sentences) != 1 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if got, err := Diff(made(own("1")), made(own("1")), Secrets{}, Secrets{}); err != nil || len(got) != 0 {
		t.Errorf("the same: %+v %v", got, err)
	}
}

// A changed password is a change to deploy, but its value is nowhere. case 86
func TestDiffOfSecrets(t *testing.T) {
	m := compileClean(t, shop())
	one := NewSecrets(map[string]map[string]string{"c1": {"password": "CANARY-OLD"}})
	two := NewSecrets(map[string]map[string]string{"c1": {"password": "CANARY-NEW"}})
	got, err := Diff(m, m, one, two)
	if err != nil || len(got) != 1 || got[0].Sentences[0] != "The stored secret changed." {
		t.Fatalf("%+v %v", got, err)
	}
	if b, _ := json.Marshal(got); strings.Contains(string(b), "CANARY") {
		t.Errorf("a secret shows: %s", b)
	}
	if same, _ := Diff(m, m, one, one); len(same) != 0 {
		t.Errorf("%+v", same)
	}
}
