package supervisor

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/sandbox"
)

// maxEvents is how many security events are kept in memory; the history has all.
const maxEvents = 50

// roster knows every child that runs, what it is for, and how those ended that were not meant to.
type roster struct {
	mu     sync.Mutex // guards the rest
	roles  map[*process]mcpgen.ChildRole
	last   *mcpgen.ChildExit
	events []mcpgen.SecurityEvent // oldest first
}

func newRoster() *roster { return &roster{roles: map[*process]mcpgen.ChildRole{}} }

// assign says what a child is for from now on.
func (r *roster) assign(p *process, role mcpgen.ChildRole) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.left { // it may end before its promotion
		r.roles[p] = role
	}
}

// leave takes a child off the list and keeps how it ended. It returns an event when the child was killed for what it did.
func (r *roster) leave(p *process, exit mcpgen.ChildExit, kind mcpgen.SecurityKind) *mcpgen.SecurityEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	exit.Role = r.roles[p]
	delete(r.roles, p)
	p.left = true
	if kind == "" && p.asked.Load() {
		return nil
	}
	r.last = &exit
	if kind == "" {
		return nil
	}
	e := mcpgen.SecurityEvent{Kind: kind, ChildExit: exit}
	r.events = append(r.events, e)
	if len(r.events) > maxEvents {
		r.events = slices.Delete(r.events, 0, len(r.events)-maxEvents)
	}
	return &e
}

// children lists who runs, in the order of their roles and then of their start.
func (r *roster) children() []mcpgen.ChildState {
	r.mu.Lock()
	roles := maps.Clone(r.roles)
	r.mu.Unlock()
	out := []mcpgen.ChildState{}
	for p, role := range roles { // outside the lock: it reads files of /proc
		out = append(out, p.state(role))
	}
	order := []mcpgen.ChildRole{mcpgen.RoleLive, mcpgen.RoleCandidate, mcpgen.RoleDraining, mcpgen.RoleWorkbench}
	slices.SortFunc(out, func(a, b mcpgen.ChildState) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Role), slices.Index(order, b.Role)), a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.PID, b.PID))
	})
	return out
}

// past is the last exit that nobody asked for, and the security events, newest first.
func (r *roster) past() (last *mcpgen.ChildExit, events []mcpgen.SecurityEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last != nil {
		x := *r.last
		last = &x
	}
	events = append([]mcpgen.SecurityEvent{}, r.events...)
	slices.Reverse(events)
	return last, events
}

// judge says what a child was killed for: the kernel's word first, then what this side knows of its own kill.
func (p *process) judge(exit sandbox.Exit) mcpgen.SecurityKind {
	switch {
	case exit.SIGSYS:
		return mcpgen.SecuritySIGSYS
	case exit.Memory, exit.Code == exitRuntime && p.starved.Load():
		return mcpgen.SecurityMemory
	case p.abused.Load():
		return mcpgen.SecurityBrokerAbuse
	}
	return ""
}

// exitRuntime is the exit code of a Go program that its runtime ended.
const exitRuntime = 2
