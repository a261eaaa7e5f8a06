package supervisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/broker"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// plan is all that is needed to start one child, as often as it takes.
type plan struct {
	role     control.Role
	revision int // 0 for a workbench
	start    *control.Start
	policy   sandbox.Policy
	// connection is what a workbench is for; nil for a server.
	connection *mcpgen.ConnectionRef
	names      map[string]string        // of connections, by id
	allow      map[string]broker.Target // by connection id: what this child's broker dials, and nothing else
}

func (v *Supervisor) planServer(d mcpgen.Deployment) (*plan, error) {
	if d.Manifest == nil {
		return nil, errors.New("there is no manifest")
	}
	return v.plan(control.RoleServer, d.Revision, d.Manifest, d.Secrets)
}

// planBench makes a manifest of the one connection.
func (v *Supervisor) planBench(b mcpgen.Bench) (*plan, error) {
	m := &mcpgen.Manifest{
		Format: mcpgen.Format, Server: mcpgen.Server{Name: "workbench"}, Connections: []mcpgen.Connection{b.Connection},
		Tools: []mcpgen.Tool{}, Resources: []mcpgen.Resource{}, Prompts: []mcpgen.Prompt{}, Variables: b.Variables, Limits: b.Limits,
	}
	p, err := v.plan(control.RoleBench, 0, m, b.Secrets)
	if err != nil {
		return nil, err
	}
	p.connection = &mcpgen.ConnectionRef{ID: b.Connection.ID, Name: b.Connection.Name}
	if p.connection.ID == draftID {
		p.connection.ID = ""
	}
	return p, nil
}

// firstRole is what the child is for when it starts.
func (p *plan) firstRole() mcpgen.ChildRole {
	if p.role == control.RoleBench {
		return mcpgen.RoleWorkbench
	}
	return mcpgen.RoleCandidate
}

// attrs adds to a line's attributes which workbench it is of: workbenches have no revision to tell them apart by.
func (p *plan) attrs(of map[string]string) map[string]string {
	if p.connection == nil {
		return of
	}
	out := map[string]string{"workbench": p.connection.Name}
	maps.Copy(out, of)
	return out
}

func (v *Supervisor) plan(role control.Role, revision int, m *mcpgen.Manifest, secrets mcpgen.Secrets) (*plan, error) {
	encoded, err := m.Encode()
	if err != nil {
		return nil, err
	}
	p := &plan{
		role: role, revision: revision, allow: map[string]broker.Target{}, names: map[string]string{},
	}
	var files []string
	opened := map[string]map[string]string{}
	systemRoots := false
	for _, c := range m.Connections {
		p.names[c.ID] = c.Name
		if fields := secrets.Of(c.ID); len(fields) > 0 {
			opened[c.ID] = fields
		}
		if c.DBType == store.SQLite {
			files = append(files, c.Database)
			continue
		}
		p.allow[c.ID] = broker.Target{Host: c.Host, Port: c.Port, AllowPrivate: v.o.Broker.AllowPrivate}
		systemRoots = systemRoots || c.SSLRootCert == "" && slices.Contains([]store.SSLMode{store.SSLVerifyCA, store.SSLVerifyFull}, c.SSLMode)
	}
	p.start = &control.Start{Role: role, Manifest: json.RawMessage(encoded), Secrets: control.NewSecrets(opened)}
	p.policy = sandbox.Policy{FS: sandbox.FSNone, MemoryLimit: m.Limits.MemoryBytes(), CPUs: m.Limits.CPUs, SystemRoots: systemRoots}
	if len(files) > 0 {
		if err := sqlitePolicy(&p.policy, v.o.SQLiteDir, files); err != nil {
			return nil, fmt.Errorf("sqlite: %w", err)
		}
	}
	return p, nil
}
