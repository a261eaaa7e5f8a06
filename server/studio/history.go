package studio

import (
	"context"
	"slices"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) historyOps() []op.Op {
	const tag = "history"
	return []op.Op{
		declare(op.Op{Name: "list_history", Route: "GET /history", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "Every change, newest first: who, when, what."}, s.listHistory),
		declare(op.Op{Name: "get_entity_history", Route: "GET /history/{type}/{id}", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "The changes of one entity, newest first; also of one that was deleted."}, s.entityHistory),
	}
}

type listHistory struct {
	Skip       int        `json:"skip,omitempty" jsonschema:"entries to skip"`
	Limit      int        `json:"limit,omitempty" jsonschema:"page size; default 50, at most 100"`
	EntityType store.Kind `json:"entity_type,omitempty"`
	EntityID   string     `json:"entity_id,omitempty"`
	ActorKind  string     `json:"actor_kind,omitempty" jsonschema:"admin, agent, system or cli"`
}

func (s *Service) listHistory(ctx context.Context, in listHistory) (store.Page[store.Change], error) {
	return s.changes(ctx, "entity_type", db.ChangeQuery{Kind: in.EntityType, EntityID: in.EntityID, ActorKind: in.ActorKind, Skip: in.Skip, Limit: in.Limit})
}

type entityHistory struct {
	Type  store.Kind `json:"type"`
	ID    string     `json:"id"`
	Skip  int        `json:"skip,omitempty" jsonschema:"entries to skip"`
	Limit int        `json:"limit,omitempty" jsonschema:"page size; default 50, at most 100"`
}

func (s *Service) entityHistory(ctx context.Context, in entityHistory) (store.Page[store.Change], error) {
	return s.changes(ctx, "type", db.ChangeQuery{Kind: in.Type, EntityID: in.ID, Skip: in.Skip, Limit: in.Limit})
}

// configurationKinds are the kinds whose history everybody with the scope read sees: what such a caller could have read as it was. The rest
// (the account with its sign-ins and addresses, tokens, the key, backups) is the admin's.
func configurationKinds() []store.Kind {
	return []store.Kind{store.KindConnection, store.KindTool, store.KindResource, store.KindPrompt, store.KindServerConfig, store.KindRevision}
}

func kindList() string {
	var names []string
	for _, k := range store.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// changes reads a page for the caller. Asking for a kind that is the admin's is store.Forbidden without the scope for it; asking for no kind
// leaves those entries out, and out of the total. A kind that there is not is a mistake in field, and not a kind without history.
func (s *Service) changes(ctx context.Context, field string, q db.ChangeQuery) (store.Page[store.Change], error) {
	if q.Kind != "" && !slices.Contains(store.Kinds(), q.Kind) {
		return store.Page[store.Change]{}, store.Invalidf(field, "%s is one of %s%s", field, kindList(), store.Got(string(q.Kind)))
	}
	if err := auth.Require(ctx, auth.ScopeAdmin); err != nil {
		if q.Kinds = configurationKinds(); q.Kind != "" && !slices.Contains(q.Kinds, q.Kind) {
			return store.Page[store.Change]{}, err
		}
	}
	return view(ctx, s, func(tx *db.Tx) (store.Page[store.Change], error) { return tx.Changes(q) })
}
