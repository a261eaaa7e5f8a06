package studio

import (
	"context"
	"strings"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/doctor"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) checklistOps() []op.Op {
	return []op.Op{
		declare(op.Op{Name: "get_checklist", Route: "GET /server/checklist", Tag: "server", Scope: auth.ScopeRead,
			Doc: "What is not safe yet, why it matters and how to mend it; evaluated anew on every call."}, s.checklist),
	}
}

func (s *Service) checklist(ctx context.Context, _ none) (doctor.Checklist, error) {
	var f doctor.Facts
	if s.Facts != nil {
		f = s.Facts()
	}
	f.Now = s.Now()
	s.sandboxFacts(ctx, &f)
	return view(ctx, s, func(tx *db.Tx) (doctor.Checklist, error) {
		if err := StoredFacts(tx, &f); err != nil {
			return doctor.Checklist{}, err
		}
		if err := s.roleFacts(tx, &f); err != nil {
			return doctor.Checklist{}, err
		}
		return doctor.Check(f), nil
	})
}

// userLayer is the layer of the studio that the item not_root is about.
const userLayer = "user"

// sandboxFacts notes how the studio and its children are confined: the ones that run, or the one that was started to see.
func (s *Service) sandboxFacts(ctx context.Context, f *doctor.Facts) {
	state := s.Deployer.Sandbox(ctx)
	f.Sandbox = &doctor.Sandbox{Enforce: state.Mode == mcpgen.SandboxEnforce, Level: string(state.Level), Problem: state.Problem}
	children := state.Children
	if state.Probe != nil {
		children = append(children, *state.Probe)
	}
	f.Parent = &doctor.Confinement{}
	if p := state.Parent; p != nil {
		f.Parent.Layers = len(p.Layers)
		f.Parent.Missing = missingLayers(p.Layers, map[string]bool{userLayer: true})
	}
	seen := map[string]bool{}
	for _, c := range children {
		f.Sandbox.Missing = append(f.Sandbox.Missing, missingLayers(c.Layers, seen)...)
	}
}

func missingLayers(layers []mcpgen.Layer, seen map[string]bool) []doctor.Layer {
	var out []doctor.Layer
	for _, l := range layers {
		if l.State == mcpgen.LayerEnforced || seen[l.Name] {
			continue
		}
		seen[l.Name] = true
		out = append(out, doctor.Layer{Name: l.Name, State: string(l.State), Reason: l.Reason, Mend: l.Mend})
	}
	return out
}

// SandboxFacts notes what one child found, for studio doctor.
func SandboxFacts(c mcpgen.ChildState, f *doctor.Facts) {
	f.Sandbox.Level, f.Sandbox.Missing = string(c.Level), missingLayers(c.Layers, map[string]bool{})
}

// roleFacts notes what the tests of this run said about the databases' users.
func (s *Service) roleFacts(tx *db.Tx, f *doctor.Facts) error {
	all, err := db.All[*store.Connection](tx)
	if err != nil {
		return err
	}
	f.Roles = &doctor.Roles{}
	for _, c := range all {
		if !c.IsActive {
			continue
		}
		f.Roles.Active++
		h := s.health.of(c)
		switch {
		case h.CheckedAt == nil:
			f.Roles.Untested = append(f.Roles.Untested, c.Name)
		case len(h.warnings) > 0:
			f.Roles.Warnings = append(f.Roles.Warnings, c.Name+": "+strings.Join(h.warnings, " "))
		}
	}
	return nil
}

// StoredFacts adds what the store knows: the account, who may call, and the last backup. Studio doctor uses it beside a running studio.
func StoredFacts(tx *db.Tx, f *doctor.Facts) error {
	if err := accountFacts(tx, f); err != nil {
		return err
	}
	c, err := tx.Config()
	if err != nil {
		return err
	}
	tokens, err := db.All[*store.MCPToken](tx)
	if err != nil {
		return err
	}
	f.Access = &doctor.MCPAccess{AuthType: c.AuthType, CORSOrigins: c.CORSOrigins}
	for _, t := range tokens {
		f.Access.Tokens = append(f.Access.Tokens, doctor.Token{Name: t.Name, CreatedAt: t.CreatedAt, LastUsedAt: t.LastUsedAt, ExpiresAt: t.ExpiresAt})
	}
	at, found, err := tx.Meta(db.MetaBackup)
	if err != nil {
		return err
	}
	f.Backup = &doctor.Backup{}
	if when, err := time.Parse(time.RFC3339, at); found && err == nil {
		f.Backup.At = &when
	}
	return nil
}

func accountFacts(tx *db.Tx, f *doctor.Facts) error {
	a, err := tx.Admin()
	if store.CodeOf(err) == store.NotFound {
		f.Account = &doctor.Account{}
		return nil
	}
	if err != nil {
		return err
	}
	f.Account = &doctor.Account{
		Exists: true, PasswordChangedAt: a.PasswordChangedAt, TwoFactor: new(a.TwoFactorAt != nil), RecoveryCodes: a.RecoveryCodesLeft,
	}
	if a.PasswordLong != nil {
		f.Account.ShortPassword = new(!*a.PasswordLong)
	}
	return nil
}
