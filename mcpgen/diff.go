package mcpgen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"mcpstudio/store"
)

// ChangeKind says what happened to an entity between two manifests.
type ChangeKind string

// The kinds of change.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
)

// Change is one entity that differs between two manifests, with what that means for clients.
type Change struct {
	Kind       ChangeKind  `json:"kind" jsonschema:"added, changed or removed"`
	EntityType store.Kind  `json:"entity_type" jsonschema:"tool, resource, prompt, connection, server_config or variable"`
	EntityID   string      `json:"entity_id"`
	Name       string      `json:"name"`
	Breaking   bool        `json:"breaking" jsonschema:"calls that work now may fail"`
	Sentences  []string    `json:"sentences"`
	Fields     []FieldDiff `json:"fields"`
}

// FieldDiff is one field with its two values.
type FieldDiff struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// kindVariable names a global variable in a Change; it is not stored as an entity of its own.
const kindVariable store.Kind = "variable"

// Diff compares two manifests; old may be nil (nothing deployed yet). Secrets are compared but never shown.
func Diff(old, now *Manifest, oldSecrets, nowSecrets Secrets) ([]Change, error) {
	if old == nil {
		old = &Manifest{}
	}
	d := differ{old: old, now: now}
	pair(&d, old.Tools, now.Tools, func(t Tool) (string, string) { return t.ID, t.Name }, store.KindTool, d.tool)
	pair(&d, old.Resources, now.Resources, func(r Resource) (string, string) { return r.ID, r.Name }, store.KindResource, d.resource)
	pair(&d, old.Prompts, now.Prompts, func(p Prompt) (string, string) { return p.ID, p.Name }, store.KindPrompt, d.prompt)
	pair(&d, old.Connections, now.Connections, func(c Connection) (string, string) { return c.ID, c.Name }, store.KindConnection, func(a, b *Connection, c *Change) {
		d.connection(a, b, c)
		if a != nil && b != nil && !maps.Equal(oldSecrets.Of(a.ID), nowSecrets.Of(b.ID)) {
			c.Sentences = append(c.Sentences, "The stored secret changed.")
			c.Fields = append(c.Fields, FieldDiff{Field: "secret", Before: masked(), After: masked()})
		}
	})
	if old.Format != 0 {
		d.config(old, now)
	}
	d.variables(old.Variables, now.Variables)
	slices.SortStableFunc(d.changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.EntityType, b.EntityType), cmp.Compare(a.Name, b.Name))
	})
	return d.changes, d.err
}

func masked() json.RawMessage { return json.RawMessage(`"` + store.Mask + `"`) }

func order(k ChangeKind) int { return slices.Index([]ChangeKind{Added, Changed, Removed}, k) }

type differ struct {
	old, now *Manifest
	changes  []Change
	err      error
}

// pair matches entities by id and asks say for the sentences of each that differs.
func pair[T any](d *differ, old, now []T, key func(T) (id, name string), kind store.Kind, say func(a, b *T, c *Change)) {
	before := map[string]*T{}
	for i := range old {
		id, _ := key(old[i])
		before[id] = &old[i]
	}
	for i := range now {
		id, name := key(now[i])
		a := before[id]
		delete(before, id)
		c := Change{Kind: Changed, EntityType: kind, EntityID: id, Name: name, Sentences: []string{}, Fields: []FieldDiff{}}
		if a == nil {
			c.Kind = Added
			c.Fields = d.fields(nil, &now[i])
		} else {
			c.Fields = d.fields(a, &now[i])
		}
		say(a, &now[i], &c)
		if c.Kind == Added || len(c.Fields) > 0 {
			d.changes = append(d.changes, c)
		}
	}
	for id, a := range before {
		_, name := key(*a)
		c := Change{Kind: Removed, EntityType: kind, EntityID: id, Name: name, Sentences: []string{}, Fields: d.fields(a, nil)}
		say(a, nil, &c)
		d.changes = append(d.changes, c)
	}
}

// fields compares two values member by member; a nil side has none.
func (d *differ) fields(a, b any) []FieldDiff {
	before, after := d.members(a), d.members(b)
	var out []FieldDiff
	for _, k := range slices.Sorted(maps.Keys(merge(before, after))) {
		switch k {
		case "id", "definition": // derived: the parts they are made of are compared by themselves
			continue
		}
		if x, y := orNull(before[k]), orNull(after[k]); !bytes.Equal(x, y) {
			out = append(out, FieldDiff{k, x, y})
		}
	}
	return out
}

func (d *differ) members(v any) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	if v == nil {
		return m
	}
	b, err := json.Marshal(v)
	if err == nil && string(b) != "null" {
		err = json.Unmarshal(b, &m)
	}
	if t, ok := v.(*Tool); ok {
		d.unpack(t.Definition, m)
		if generated, failed := inputSchema(&store.Tool{Parameters: t.Parameters}); failed != nil {
			err = cmp.Or(err, failed)
		} else if bytes.Equal(generated, t.InputSchema) { // the parameters are compared by themselves
			delete(m, "input_schema")
		}
	}
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("compare manifests: %w", err)
	}
	return m
}

// unpack adds the parts of a definition that the tool has nowhere else.
func (d *differ) unpack(definition json.RawMessage, m map[string]json.RawMessage) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(definition, &parts); err != nil && d.err == nil {
		d.err = fmt.Errorf("compare definitions: %w", err)
	}
	for from, to := range map[string]string{"title": "title", "description": "description", "annotations": "annotations", "outputSchema": "output_schema"} {
		if parts[from] != nil {
			m[to] = parts[from]
		}
	}
}

func merge(a, b map[string]json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{} // a clone of a nil map could not be written to
	maps.Copy(m, a)
	maps.Copy(m, b)
	return m
}

func orNull(b json.RawMessage) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

func (c *Change) say(breaking bool, format string, args ...any) {
	c.Breaking = c.Breaking || breaking
	c.Sentences = append(c.Sentences, fmt.Sprintf(format, args...))
}

func (c *Change) has(field string) bool {
	return slices.ContainsFunc(c.Fields, func(f FieldDiff) bool { return f.Field == field })
}

func (d *differ) tool(a, b *Tool, c *Change) {
	switch {
	case a == nil:
		c.say(false, "Clients see a new tool.")
		return
	case b == nil:
		c.say(true, "Clients can no longer call this tool.")
		return
	}
	if a.Name != b.Name {
		c.say(true, "Renamed from %s: clients that call the old name fail.", a.Name)
	}
	parameterChanges(a.Parameters, b.Parameters, c)
	if c.has("input_schema") {
		c.say(true, "The tool's own input schema changed: arguments that pass now may be refused.")
	}
	if c.has("sql") {
		c.say(false, "The statement changed.")
	}
	if c.has("connection") {
		c.say(false, "It runs on another connection.")
	}
	if c.has("description") || c.has("title") {
		c.say(false, "Models read a new description.")
	}
	if c.has("transform") || c.has("content") || c.has("output_schema") {
		c.say(true, "The shape of the result changes.")
	}
	if a.ReadOnly && !b.ReadOnly {
		c.say(true, "The tool may write data from now on.")
	} else if c.has("annotations") {
		c.say(false, "Clients see other hints about what the tool does.")
	}
	if c.has("cache_ttl") {
		c.say(false, "Results are cached for %d s instead of %d s.", b.CacheTTL, a.CacheTTL)
	}
}

func (d *differ) resource(a, b *Resource, c *Change) {
	switch {
	case a == nil:
		c.say(false, "Clients see a new resource.")
	case b == nil:
		c.say(true, "Clients can no longer read this resource.")
	case a.URITemplate != b.URITemplate:
		c.say(true, "The URI changed from %s: clients that read the old one fail.", a.URITemplate)
	default:
		if c.has("mime_type") {
			c.say(true, "The content is %s instead of %s.", b.MIMEType, a.MIMEType)
		}
		if c.has("sql") || c.has("static") || c.has("connection") {
			c.say(false, "The content comes from a changed source.")
		}
		if c.has("description") || c.has("title") || c.has("name") {
			c.say(false, "Models read a new name or description.")
		}
	}
}

func (d *differ) prompt(a, b *Prompt, c *Change) {
	switch {
	case a == nil:
		c.say(false, "Clients see a new prompt.")
		return
	case b == nil:
		c.say(true, "Clients can no longer use this prompt.")
		return
	}
	if a.Name != b.Name {
		c.say(true, "Renamed from %s: clients that ask for the old name fail.", a.Name)
	}
	had := map[string]store.Argument{}
	for _, x := range a.Arguments {
		had[x.Name] = x
	}
	for _, x := range b.Arguments {
		y, ok := had[x.Name]
		switch {
		case x.Required && (!ok || !y.Required):
			c.say(true, "Argument %s is required now.", x.Name)
		case !ok:
			c.say(false, "New optional argument %s.", x.Name)
		case y.Required && !x.Required:
			c.say(false, "Argument %s becomes optional.", x.Name)
		}
		delete(had, x.Name)
	}
	for _, x := range a.Arguments {
		if _, gone := had[x.Name]; gone {
			c.say(false, "Argument %s is gone.", x.Name)
		}
	}
	if c.has("messages") {
		c.say(false, "The text changed.")
	}
	if c.has("description") || c.has("title") {
		c.say(false, "Models read a new description.")
	}
}

func (d *differ) connection(a, b *Connection, c *Change) {
	switch {
	case a == nil:
		c.say(false, "The server can reach %s.", place(b))
		return
	case b == nil:
		c.say(false, "The server no longer reaches %s.", place(a))
		return
	}
	if place(a) != place(b) {
		c.say(true, "Calls go to %s instead of %s.", place(b), place(a))
	}
	if a.ReadOnly && !b.ReadOnly {
		c.say(false, "Tools may write on this connection from now on.")
	}
	if b.MaxRows < a.MaxRows || b.MaxBytes < a.MaxBytes || b.StatementSeconds < a.StatementSeconds {
		c.say(true, "Limits are lower: results that fit now may be cut or time out.")
	}
	if len(c.Sentences) == 0 && len(c.Fields) > 0 {
		c.say(false, "Settings of the connection changed.")
	}
}

func place(c *Connection) string {
	if c.Host == "" {
		return c.Database
	}
	return fmt.Sprintf("%s:%d/%s", c.Host, c.Port, c.Database)
}

// config compares what comes from the server config itself, as one change.
func (d *differ) config(a, b *Manifest) {
	c := Change{Kind: Changed, EntityType: store.KindServerConfig, EntityID: store.ServerConfigID, Name: b.Server.Name}
	if a.Server != b.Server {
		c.Fields = d.fields(&a.Server, &b.Server)
		c.say(false, "Clients see another server name or other instructions when they connect.")
	}
	if was, is := a.Limits.Filled(), b.Limits.Filled(); was != is {
		c.limits(was, is)
		c.say(false, "The server runs with other limits: %s.", is)
	}
	if len(c.Fields) > 0 {
		d.changes = append(d.changes, c)
	}
}

// limits adds what a child may use, by the names that the settings have.
func (c *Change) limits(a, b Limits) {
	for _, f := range []struct {
		field         string
		before, after int
	}{{"child_memory_mib", a.MemoryMiB, b.MemoryMiB}, {"child_cpus", a.CPUs, b.CPUs}} {
		if f.before != f.after {
			c.Fields = append(c.Fields, FieldDiff{f.field, json.RawMessage(strconv.Itoa(f.before)), json.RawMessage(strconv.Itoa(f.after))})
		}
	}
}

func (d *differ) variables(a, b map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(merge(a, b))) {
		before, had := a[name]
		after, has := b[name]
		if had && has && bytes.Equal(before, after) {
			continue
		}
		c := Change{Kind: Changed, EntityType: kindVariable, EntityID: name, Name: name, Fields: []FieldDiff{{"value", orNull(before), orNull(after)}}}
		switch {
		case !had:
			c.Kind = Added
			c.say(false, "Transforms can read $vars.%s.", name)
		case !has:
			c.Kind = Removed
			c.say(true, "Transforms that read $vars.%s get null.", name)
		default:
			c.say(false, "Transforms read another value.")
		}
		d.changes = append(d.changes, c)
	}
}
