package supervisor

import (
	"context"
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
	sqlite   []string // the SQLite databases, whose place in the policy is looked for at each start
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
	opened := map[string]map[string]string{}
	systemRoots := false
	for _, c := range m.Connections {
		p.names[c.ID] = c.Name
		if fields := secrets.Of(c.ID); len(fields) > 0 {
			opened[c.ID] = fields
		}
		if c.DBType == store.SQLite {
			p.sqlite = append(p.sqlite, c.Database)
			continue
		}
		p.allow[c.ID] = broker.Target{Host: c.Host, Port: c.Port, AllowPrivate: v.o.Broker.AllowPrivate}
		systemRoots = systemRoots || c.SSLRootCert == "" && slices.Contains([]store.SSLMode{store.SSLVerifyCA, store.SSLVerifyFull}, c.SSLMode)
	}
	if len(p.sqlite) > 0 && v.o.SQLiteDir == "" {
		return nil, errors.New("sqlite: there is no directory for SQLite databases: set STUDIO_SQLITE_DIR")
	}
	p.start = &control.Start{Role: role, Manifest: json.RawMessage(encoded), Secrets: control.NewSecrets(opened)}
	p.policy = sandbox.Policy{FS: sandbox.FSNone, MemoryLimit: m.Limits.MemoryBytes(), CPUs: m.Limits.CPUs, SystemRoots: systemRoots}
	return p, nil
}

// confine is the policy for the next child, with the files it is given, which the caller owns. What it finds on a file system that does
// not answer it finds too late: then it returns when ctx ends.
func (v *Supervisor) confine(ctx context.Context, p *plan) (sandbox.Policy, held, error) {
	policy := p.policy
	if len(p.sqlite) == 0 {
		return policy, nil, nil
	}
	type answer struct {
		files held
		err   error
	}
	found := make(chan answer)
	v.tasks.Go(func() {
		files, err := sqlitePolicy(&policy, v.o.SQLiteDir, p.sqlite)
		select {
		case found <- answer{files, err}:
		case <-ctx.Done():
			files.close()
		}
	})
	select {
	case a := <-found:
		if a.err != nil {
			return policy, nil, fmt.Errorf("sqlite: %w", a.err)
		}
		return policy, a.files, nil
	case <-ctx.Done():
		return sandbox.Policy{}, nil, fmt.Errorf("sqlite: the file system of %s does not answer: %w", v.o.SQLiteDir, ctx.Err())
	}
}
