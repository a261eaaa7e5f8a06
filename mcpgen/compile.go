package mcpgen

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcpstudio/store"
)

// Options is what Compile must know besides the configuration.
type Options struct {
	// HasDriver reports whether this build can reach a kind of database.
	HasDriver func(store.DBType) bool
}

// Compile turns configuration into a manifest. Disabled entities are left out, and so are connections that nothing uses: a child
// holds no secret it does not need. Problems name the entity and field; any Error among them stops a deploy and the manifest
// must not be run.
func Compile(s store.Snapshot, o Options) (*Manifest, []Problem) {
	c := compiler{
		opts: o, connections: map[string]*store.Connection{}, used: map[string]bool{},
		m: &Manifest{Format: Format, Connections: []Connection{}, Tools: []Tool{}, Resources: []Resource{}, Prompts: []Prompt{}, Variables: map[string]json.RawMessage{}},
	}
	for _, x := range s.Connections {
		c.connections[x.ID] = x
	}
	if s.Config != nil {
		c.m.Server = Server{s.Config.ServerName, s.Config.Instructions}
		maps.Copy(c.m.Variables, s.Config.GlobalVariables)
		c.m.Limits = LimitsOf(s.Config)
	}
	for _, t := range byName(s.Tools) {
		c.tool(t)
	}
	for _, r := range byName(s.Resources) {
		c.resource(r)
	}
	for _, p := range byName(s.Prompts) {
		c.prompt(p)
	}
	for _, x := range byName(s.Connections) {
		if c.used[x.ID] {
			c.m.Connections = append(c.m.Connections, connection(x))
		}
	}
	c.clashes()
	return c.m, c.problems
}

// byName returns what is enabled, in an order that does not depend on how it was stored.
func byName[T store.Entity](in []T) []T {
	out := slices.DeleteFunc(slices.Clone(in), func(v T) bool { return v.Kind() != store.KindConnection && !v.Enabled() })
	slices.SortFunc(out, func(a, b T) int {
		if n := strings.Compare(a.Label(), b.Label()); n != 0 {
			return n
		}
		return strings.Compare(a.Head().ID, b.Head().ID)
	})
	return out
}

type compiler struct {
	opts        Options
	connections map[string]*store.Connection
	used        map[string]bool
	m           *Manifest
	problems    []Problem
}

// on notes problems of one entity.
func (c *compiler) on(v store.Entity, problems ...Problem) {
	for _, p := range problems {
		p.EntityType, p.EntityID, p.EntityName = v.Kind(), v.Head().ID, v.Label()
		c.problems = append(c.problems, p)
	}
}

// fields notes what an entity's own Check says.
func (c *compiler) fields(v store.Entity, err error) {
	if err == nil {
		return
	}
	var f store.Fields
	f.Merge("", err)
	all := f.All()
	for _, k := range slices.Sorted(maps.Keys(all)) {
		c.on(v, Problem{Severity: Error, Code: "invalid", Field: k, Message: all[k]})
	}
}

func (c *compiler) stop(v store.Entity, code, field, format string, args ...any) {
	c.on(v, Problem{Severity: Error, Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
}

// connect finds the connection of an entity and says why it cannot be used.
func (c *compiler) connect(v store.Entity, id string) *store.Connection {
	x := c.connections[id]
	switch {
	case x == nil:
		c.stop(v, "no_connection", "connection_id", "The connection does not exist any more. Choose another one.")
	case !x.IsActive:
		c.stop(v, "connection_disabled", "connection_id", "The connection %q is disabled. Enable it, or disable this %s.", x.Name, v.Kind())
	case x.NeedsSecret:
		c.stop(v, "needs_secret", "connection_id", "The connection %q needs its password again. Open the connection and enter it.", x.Name)
	case c.opts.HasDriver != nil && !c.opts.HasDriver(x.DBType):
		c.stop(v, string(store.NotAvailable), "connection_id", "This version cannot reach %s databases yet. Disable this %s to deploy the rest.", x.DBType, v.Kind())
	default:
		c.used[id] = true
		return x
	}
	return nil
}

func (c *compiler) tool(t *store.Tool) {
	c.fields(t, t.Check())
	x := c.connect(t, t.ConnectionID)
	if x == nil {
		return
	}
	readOnly := t.Annotations.ReadOnly && !t.Annotations.Destructive
	if !readOnly && x.ReadOnly {
		c.stop(t, "connection_read_only", "annotations", "The tool may write, but the connection %q is read-only. Mark the tool as one that only reads, or allow writing on the connection.", x.Name)
	}
	_, problems := Check(Statement{DBType: x.DBType, SQL: t.SQLQuery, Parameters: t.Parameters, ReadOnly: readOnly, Transform: t.Transform})
	c.on(t, problems...)
	in, err := inputSchema(t)
	if err == nil {
		var definition json.RawMessage
		if definition, err = Define(t); err == nil {
			c.m.Tools = append(c.m.Tools, NewTool(t, readOnly, in, definition))
			return
		}
	}
	c.stop(t, "schema", "parameters", "The tool's schema cannot be written: %v.", err)
}

// NewTool makes the manifest's form of a tool.
func NewTool(t *store.Tool, readOnly bool, in, definition json.RawMessage) Tool {
	return Tool{
		ID: t.ID, Connection: t.ConnectionID, Name: t.Name, SQL: t.SQLQuery, Parameters: sorted(t.Parameters), ReadOnly: readOnly,
		Content: t.Content, CacheTTL: t.CacheTTL, Transform: t.Transform, InputSchema: in, Definition: definition,
	}
}

// Draft makes the manifest's form of a tool that is not saved, for a preview: it always runs read-only.
func Draft(t *store.Tool) (Tool, error) {
	in, err := inputSchema(t)
	if err != nil {
		return Tool{}, err
	}
	definition, err := Define(t)
	if err != nil {
		return Tool{}, err
	}
	return NewTool(t, true, in, definition), nil
}

// URIParameters declares what a resource's URI template brings to its statement: required strings.
func URIParameters(template string) []store.Parameter {
	ps := []store.Parameter{}
	for i, n := range store.URIParams(template) {
		ps = append(ps, store.Parameter{Name: n, ParamType: store.TypeString, IsRequired: true, SortOrder: i})
	}
	return ps
}

func (c *compiler) resource(r *store.Resource) {
	c.fields(r, r.Check())
	if r.Dynamic() {
		x := c.connect(r, r.ConnectionID)
		if x == nil {
			return
		}
		_, problems := Check(Statement{DBType: x.DBType, SQL: r.SQLQuery, Parameters: URIParameters(r.URITemplate), ReadOnly: true})
		c.on(r, problems...)
	}
	c.m.Resources = append(c.m.Resources, Resource{
		ID: r.ID, Connection: r.ConnectionID, Name: r.Name, Title: r.Title, Description: r.Description,
		URITemplate: r.URITemplate, MIMEType: r.MIMEType, SQL: r.SQLQuery, Static: r.StaticContent,
	})
}

func (c *compiler) prompt(p *store.Prompt) {
	c.fields(p, p.Check())
	c.m.Prompts = append(c.m.Prompts, Prompt{ID: p.ID, Name: p.Name, Title: p.Title, Description: p.Description, Messages: p.Blocks(), Arguments: p.Arguments})
}

func connection(x *store.Connection) Connection {
	extra := map[string]json.RawMessage{}
	maps.Copy(extra, x.ExtraParams)
	for _, k := range x.DBType.SecretParams() {
		delete(extra, k)
	}
	return Connection{
		ID: x.ID, Name: x.Name, DBType: x.DBType, Host: x.Host, Port: x.Port, Database: x.Database, Username: x.Username,
		SSLMode: x.SSLMode, SSLRootCert: x.SSLRootCert, ExtraParams: extra, ReadOnly: x.ReadOnly, PoolMin: x.PoolMinSize, PoolMax: x.PoolMaxSize,
		Concurrent: x.MaxConcurrentQueries, QueueEnabled: x.QueueEnabled, QueueSeconds: x.QueueTimeoutSeconds,
		StatementSeconds: x.StatementTimeoutSeconds, MaxRows: x.MaxRows, MaxBytes: x.MaxResultBytes,
	}
}

// ConnectionOf makes the manifest's form of one connection, for a workbench.
func ConnectionOf(x *store.Connection) Connection { return connection(x) }

// clashes finds names and URI templates that clients could not tell apart.
func (c *compiler) clashes() {
	names := map[string]string{}
	for _, t := range c.m.Tools {
		key := store.NormalName(t.Name)
		if other, taken := names[key]; taken {
			c.problems = append(c.problems, Problem{Severity: Error, Code: "name_taken", Field: "name", EntityType: store.KindTool, EntityID: t.ID, EntityName: t.Name,
				Message: fmt.Sprintf("The tools %s and %s are one name to many clients. Rename one of them.", other, t.Name)})
		}
		names[key] = t.Name
	}
	for i, r := range c.m.Resources {
		for _, other := range c.m.Resources[:i] {
			if Overlap(r.URITemplate, other.URITemplate) {
				c.problems = append(c.problems, Problem{Severity: Error, Code: "uri_overlap", Field: "uri_template", EntityType: store.KindResource, EntityID: r.ID, EntityName: r.Name,
					Message: fmt.Sprintf("One URI could match both this template and the one of %s (%s). Change one of them.", other.Name, other.URITemplate)})
			}
		}
	}
}
