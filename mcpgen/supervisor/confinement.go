package supervisor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/broker"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/sandbox"
)

// Sandbox is what the wall is like now. While no child runs it is what a short-lived one finds, which is started for the first
// question and remembered.
func (v *Supervisor) Sandbox(ctx context.Context) mcpgen.SandboxState {
	out := mcpgen.SandboxState{Mode: mcpgen.SandboxDegraded, Level: mcpgen.LevelNone, Children: v.roster.children()}
	if v.o.Enforce {
		out.Mode = mcpgen.SandboxEnforce
	}
	out.LastExit, out.Events = v.roster.past()
	v.mu.Lock()
	out.Parent = v.parent
	v.mu.Unlock()
	out.Restarts = v.State().Restarts
	seen := out.Children
	if len(seen) == 0 {
		probe, err := v.probed(ctx)
		if err != nil {
			out.Problem = err.Error()
			return out
		}
		out.Probe = &probe
		seen = []mcpgen.ChildState{probe}
	}
	weakest := slices.MinFunc(seen, func(a, b mcpgen.ChildState) int { return cmp.Compare(rank(a.Level), rank(b.Level)) })
	out.Level = weakest.Level
	out.MinimumMet = !slices.ContainsFunc(seen, func(c mcpgen.ChildState) bool { return !c.MinimumMet })
	if v.o.Enforce && !out.MinimumMet {
		out.Problem = v.refusal(ctx)
	}
	return out
}

// rank orders levels from the weakest up.
func rank(l mcpgen.SandboxLevel) int {
	return slices.Index([]mcpgen.SandboxLevel{mcpgen.LevelNone, mcpgen.LevelDegraded, mcpgen.LevelStrong, mcpgen.LevelFull}, l)
}

// refusal is what a child is refused with here, in the sandbox's own words: the layer, the reason, the mend.
func (v *Supervisor) refusal(ctx context.Context) string {
	_, err := look(ctx, v.o, true)
	if err != nil {
		return err.Error()
	}
	return ""
}

// probed is the remembered probe of this machine. One that failed is tried again at the next question.
func (v *Supervisor) probed(ctx context.Context) (mcpgen.ChildState, error) {
	select {
	case v.probing <- struct{}{}:
	case <-ctx.Done():
		return mcpgen.ChildState{}, ctx.Err()
	}
	defer func() { <-v.probing }()
	if v.probe != nil {
		return *v.probe, nil
	}
	state, err := Probe(ctx, v.o)
	if err == nil {
		v.probe = &state
	}
	return state, err
}

// Probe starts a short-lived child, lets it confine itself, verifies that from outside as for every child, ends it and returns what
// came out. The child gets no manifest and no secret, and one below the minimum is not refused: the point is to see it. No
// Supervisor is needed. The error says why no child can be started here at all.
func Probe(ctx context.Context, o Options) (mcpgen.ChildState, error) {
	return look(ctx, o, false)
}

// look is Probe; enforce refuses a child below the minimum.
func look(ctx context.Context, o Options, enforce bool) (mcpgen.ChildState, error) {
	o = o.filled()
	ctx, cancel := context.WithTimeout(ctx, o.StartTimeout)
	defer cancel()
	ends, err := newPipes()
	if err != nil {
		closeFiles(ends.files)
		return mcpgen.ChildState{}, err
	}
	defer ends.close()
	p := &process{
		plan: &plan{policy: sandbox.Policy{FS: sandbox.FSNone, MemoryLimit: mcpgen.Limits{}.MemoryBytes()}}, control: control.NewParent(ends.control),
		startedAt: o.Now().UTC(),
	}
	p.box, err = sandbox.Start(ctx, sandbox.Options{
		Args: o.Args, Exe: o.Exe, Starter: o.Starter, Files: ends.files, Policy: p.plan.policy, Enforce: enforce,
		Handshake: func(policy sandbox.Policy) (sandbox.Report, error) { return p.handshake(ctx, policy) },
	})
	if err != nil {
		return mcpgen.ChildState{}, err
	}
	state := p.state(mcpgen.RoleProbe)
	p.box.Kill("the probe is over")
	select {
	case <-p.box.Done():
	case <-ctx.Done(): // it ends when the kernel lets it
	}
	return state, nil
}

// state is what is known of the child.
func (p *process) state(role mcpgen.ChildRole) mcpgen.ChildState {
	is := p.box.Status()
	return mcpgen.ChildState{
		Role: role, Revision: p.plan.revision, Connection: p.plan.connection, PID: is.PID, UID: is.Verified.UID, UIDShared: !is.OwnUID,
		Groups: append([]int{}, is.Verified.Groups...), StartedAt: p.startedAt, Level: mcpgen.SandboxLevel(is.Level), MinimumMet: is.MinimumMet,
		Layers: layersOf(is.Layers), Verified: verifiedOf(is.Verified), SQLiteMode: string(is.FS),
		Memory: mcpgen.MemoryUse{RSSBytes: is.RSS, LimitBytes: is.Limits.MemoryBytes.Value, EnforcedBy: limitOf(is.Limits.MemoryBytes).EnforcedBy},
		CPU:    limitOf(is.Limits.CPUs), Processes: limitOf(is.Limits.Processes), Files: limitOf(is.Limits.Descriptors), FileBytes: limitOf(is.Limits.FileBytes),
		Broker: brokerUse(p.dials), Allowlist: p.plan.targets(),
	}
}

func limitOf(l sandbox.Limit) mcpgen.Limit {
	return mcpgen.Limit{Limit: l.Value, EnforcedBy: append([]string{}, l.EnforcedBy...)}
}

// layersOf are the sandbox's layers in the words of the API.
func layersOf(layers []sandbox.Layer) []mcpgen.Layer {
	out := []mcpgen.Layer{}
	for _, l := range layers {
		out = append(out, mcpgen.Layer{Name: l.Name, State: mcpgen.LayerState(l.State), Reason: l.Detail, Mend: l.Mend})
	}
	return out
}

func verifiedOf(v sandbox.Verified) mcpgen.Verified {
	set := func(bits uint64) string { return fmt.Sprintf("%016x", bits) }
	out := mcpgen.Verified{
		Threads: v.Threads, Seccomp: v.Seccomp, SeccompFilters: v.SeccompFilters, NoNewPrivs: v.NoNewPrivs, UID: v.UID, GID: v.GID,
		CapEff: set(v.CapEffective), CapPrm: set(v.CapPermitted), CapInh: set(v.CapInheritable), CapAmb: set(v.CapAmbient), CapBnd: set(v.CapBounding),
		Rlimits: map[string]uint64{}, Problem: v.Problem,
	}
	maps.Copy(out.Rlimits, v.Rlimits)
	return out
}

// Confined tells the supervisor what the studio itself is confined to, for [Supervisor.Sandbox].
func (v *Supervisor) Confined(s sandbox.ParentStatus) {
	out := mcpgen.ParentState{PID: s.PID, Layers: layersOf(s.Layers), Verified: verifiedOf(s.Verified)}
	if s.Starter != nil {
		starter := verifiedOf(*s.Starter)
		out.Starter = &starter
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.parent = &out
}

// brokerUse reads the counters; a probe has no broker.
func brokerUse(s *broker.Server) mcpgen.BrokerUse {
	out := mcpgen.BrokerUse{LastRefusals: []mcpgen.Refusal{}}
	if s == nil {
		return out
	}
	n := s.Stats()
	out.Allowed, out.Denied, out.Failed, out.Abuse = n.Allowed, n.Denied, n.Failed, n.Abuse
	for _, r := range s.Refusals() {
		out.LastRefusals = append(out.LastRefusals, mcpgen.Refusal(r))
	}
	return out
}

// targets lists what this child's broker dials, by the names of the connections.
func (p *plan) targets() []mcpgen.Target {
	out := []mcpgen.Target{}
	for id, t := range p.allow {
		out = append(out, mcpgen.Target{ConnectionID: id, Connection: p.names[id], Host: t.Host, Port: t.Port})
	}
	slices.SortFunc(out, func(a, b mcpgen.Target) int {
		return cmp.Or(cmp.Compare(a.Connection, b.Connection), cmp.Compare(a.ConnectionID, b.ConnectionID))
	})
	return out
}
