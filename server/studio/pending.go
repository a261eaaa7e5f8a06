package studio

import (
	"context"
	"fmt"
	"sync"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// build is what a deploy of some configuration would run.
type build struct {
	manifest *mcpgen.Manifest
	secrets  mcpgen.Secrets
	problems []mcpgen.Problem
}

// compile turns the saved configuration into what a deploy would run, secrets opened in memory.
func (s *Service) compile(tx *db.Tx) (build, error) {
	snapshot, err := tx.Snapshot()
	if err != nil {
		return build{}, err
	}
	m, problems := mcpgen.Compile(snapshot, mcpgen.Options{HasDriver: hasDriver})
	if len(m.Tools)+len(m.Resources)+len(m.Prompts) == 0 && len(mcpgen.Stops(problems)) == 0 {
		problems = append(problems, mcpgen.Problem{Severity: mcpgen.Error, Code: "empty", EntityType: store.KindTool, Field: "",
			Message: "There is nothing to deploy. Create a tool, resource or prompt, or enable one."})
	}
	var used []*store.Connection
	for _, c := range snapshot.Connections {
		if _, ok := m.Connection(c.ID); !ok {
			continue
		}
		if err := tx.OpenSecrets(c); err != nil {
			return build{}, err
		}
		used = append(used, c)
	}
	return build{m, secretsOf(used...), problems}, nil
}

// rebuild reads what a revision ran.
func rebuild(tx *db.Tx, r *store.Revision) (build, error) {
	m, err := mcpgen.Decode(r.Manifest)
	if err != nil {
		return build{}, fmt.Errorf("read revision %d: %w", r.Number, err)
	}
	sealed, err := tx.RevisionSecrets(r.Number)
	if err != nil {
		return build{}, fmt.Errorf("open the secrets of revision %d: %w", r.Number, err)
	}
	text, _ := sealed.Reveal()
	secrets, err := mcpgen.DecodeSecrets([]byte(text))
	return build{manifest: m, secrets: secrets}, err
}

// diff compares two builds; before may be empty: nothing was deployed.
func diff(before, after build) ([]mcpgen.Change, error) {
	changes, err := mcpgen.Diff(before.manifest, after.manifest, before.secrets, after.secrets)
	if changes == nil {
		changes = []mcpgen.Change{}
	}
	for i := range changes {
		if changes[i].Fields == nil {
			changes[i].Fields = []mcpgen.FieldDiff{}
		}
		if changes[i].Sentences == nil {
			changes[i].Sentences = []string{}
		}
	}
	return changes, err
}

// liveBuild is what the live revision runs; empty when none is live.
func liveBuild(tx *db.Tx) (*store.Revision, build, error) {
	r, err := tx.LiveRevision()
	if err != nil || r == nil {
		return nil, build{}, err
	}
	b, err := rebuild(tx, r)
	return r, b, err
}

// pendingCount remembers how many changes wait for a deploy, until something changes.
type pendingCount struct {
	mu         sync.Mutex // guards the rest
	known      bool
	generation uint64
	changes    int
}

// undeployed counts what a deploy would change now. Comparing costs a compile, so the count is kept until the next change.
func (s *Service) undeployed(ctx context.Context) (int, error) {
	p := &s.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.generation.Load() // before reading: a change in between makes the count old, never wrong for long
	if p.known && p.generation == now {
		return p.changes, nil
	}
	n, err := view(ctx, s, func(tx *db.Tx) (int, error) {
		_, before, err := liveBuild(tx)
		if store.CodeOf(err) == store.Conflict { // changed outside of the studio: a deploy would change everything
			before, err = build{}, nil
		}
		if err != nil {
			return 0, err
		}
		after, err := s.compile(tx)
		if err != nil {
			return 0, err
		}
		changes, err := diff(before, after)
		return len(changes), err
	})
	if err != nil {
		return 0, err
	}
	p.known, p.generation, p.changes = true, now, n
	return n, nil
}
