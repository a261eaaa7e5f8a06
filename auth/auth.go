// Package auth says who is asking and what they may do.
//
// A request is verified once, at the door, by a Verifier. The Principal it
// returns travels in the context, and every operation asks Require for its
// scope, so that no skin can forget to. A context without a principal may do
// nothing.
package auth

import (
	"context"
	"fmt"
	"slices"

	"mcpstudio/store"
)

// Kind says what sort of caller a principal is.
type Kind string

// The kinds.
const (
	KindAdmin    Kind = "admin"     // the human account, by session
	KindAgent    Kind = "agent"     // an AI agent that manages the studio
	KindMCPToken Kind = "mcp_token" // an MCP client of the generated server
	KindNone     Kind = "none"      // anybody, where the server's auth mode is none
	KindSystem   Kind = "system"    // the studio itself
	KindCLI      Kind = "cli"       // a command on the host
)

// Scope is a permission to use a group of operations.
type Scope string

// The scopes. None implies another.
const (
	ScopeRead   Scope = "read"   // see configuration, never a secret
	ScopeQuery  Scope = "query"  // see data: previews and tests
	ScopeWrite  Scope = "write"  // change tools, resources, prompts, connections
	ScopeDeploy Scope = "deploy" // change what runs
	ScopeAdmin  Scope = "admin"  // the account, tokens, the server's security settings
)

// Scopes lists every scope: what the admin holds.
func Scopes() []Scope {
	return []Scope{ScopeRead, ScopeQuery, ScopeWrite, ScopeDeploy, ScopeAdmin}
}

// Principal is who asks. The zero value is nobody.
type Principal struct {
	Kind    Kind
	ID      string // of the token or account
	Name    string // as people see it
	Scopes  []Scope
	Allowed Allowed // which parts of the generated server an MCP token reaches
}

// Allowed limits a principal to named tools, resources and prompts of the generated server. A nil list allows all and an empty one
// none.
type Allowed struct {
	Tools, Resources, Prompts *[]string
}

// Tool reports whether the tool may be seen and called.
func (a Allowed) Tool(name string) bool { return allows(a.Tools, name) }

// Resource reports whether the resource may be seen and read.
func (a Allowed) Resource(name string) bool { return allows(a.Resources, name) }

// Prompt reports whether the prompt may be seen and got.
func (a Allowed) Prompt(name string) bool { return allows(a.Prompts, name) }

func allows(list *[]string, name string) bool { return list == nil || slices.Contains(*list, name) }

// Has reports whether the principal holds the scope.
func (p Principal) Has(s Scope) bool { return slices.Contains(p.Scopes, s) }

// System is the studio acting by itself, with every scope.
func System() Principal { return Principal{Kind: KindSystem, Name: "studio", Scopes: Scopes()} }

// CLI is a command on the host, run by someone who can read the data directory, with every scope.
func CLI() Principal { return Principal{Kind: KindCLI, Name: "command line", Scopes: Scopes()} }

// Verifier turns a credential into a principal. The error has code store.Unauthorized when the credential is not good, whatever the reason,
// and another code when that could not be found out.
type Verifier interface {
	Verify(ctx context.Context, credential string) (Principal, error)
}

type contextKey struct{}

// NewContext returns a context that carries the principal.
func NewContext(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// FromContext returns the principal; ok is false when there is none.
func FromContext(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(contextKey{}).(Principal)
	return p, ok
}

// Require returns nil when the context's principal holds the scope. The error has code store.Unauthorized when nobody is signed in and
// store.Forbidden when the principal lacks the scope.
func Require(ctx context.Context, s Scope) error {
	p, ok := FromContext(ctx)
	if !ok || p.Kind == "" || p.Kind == KindNone {
		return &store.Error{Code: store.Unauthorized, Message: "sign in first"}
	}
	if !p.Has(s) {
		return &store.Error{Code: store.Forbidden, Message: fmt.Sprintf("this needs the scope %q, which %s does not have", s, p.describe())}
	}
	return nil
}

func (p Principal) describe() string {
	if p.Name == "" {
		return "the " + string(p.Kind)
	}
	return fmt.Sprintf("%s %q", p.Kind, p.Name)
}

// Actor is how history names the principal.
func Actor(p Principal) store.Actor {
	return store.Actor{Kind: string(p.Kind), ID: p.ID, Name: p.Name}
}
