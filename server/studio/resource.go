package studio

import (
	"context"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

type resources = collection[*store.Resource, store.ResourceDraft, store.ResourcePatch]

func (s *Service) resources() resources {
	return newCollection[*store.Resource, store.ResourceDraft, store.ResourcePatch](s, "resource", "resources", s.checkResource)
}

func (s *Service) resourceOps() []op.Op {
	return append([]op.Op{
		declare(op.Op{Name: "list_resources", Route: "GET /resources", Tag: "resources", Agent: true, Scope: auth.ScopeRead, Doc: "List resources."}, s.listResources),
	}, s.resources().ops(true)...)
}

type listResources struct {
	store.Query
	ConnectionID string `json:"connection_id,omitempty"`
	IsEnabled    *bool  `json:"is_enabled,omitempty"`
	Tag          string `json:"tag,omitempty"`
}

func (s *Service) listResources(ctx context.Context, in listResources) (store.Page[*store.Resource], error) {
	filters := enabled(in.IsEnabled)
	if in.ConnectionID != "" {
		filters = append(filters, db.UsesConnection(in.ConnectionID))
	}
	return list(ctx, s, in.Query, tagged(in.Tag, func(r *store.Resource) []string { return r.Tags }), filters...)
}

type prompts = collection[*store.Prompt, store.PromptDraft, store.PromptPatch]

func (s *Service) prompts() prompts {
	return newCollection[*store.Prompt, store.PromptDraft, store.PromptPatch](s, "prompt", "prompts", unchecked[*store.Prompt])
}

func (s *Service) promptOps() []op.Op {
	return append([]op.Op{
		declare(op.Op{Name: "list_prompts", Route: "GET /prompts", Tag: "prompts", Agent: true, Scope: auth.ScopeRead, Doc: "List prompts."}, s.listPrompts),
	}, s.prompts().ops(true)...)
}

type listPrompts struct {
	store.Query
	IsEnabled *bool  `json:"is_enabled,omitempty"`
	Tag       string `json:"tag,omitempty"`
}

func (s *Service) listPrompts(ctx context.Context, in listPrompts) (store.Page[*store.Prompt], error) {
	return list(ctx, s, in.Query, tagged(in.Tag, func(p *store.Prompt) []string { return p.Tags }), enabled(in.IsEnabled)...)
}
