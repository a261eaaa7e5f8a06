package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

type tools = collection[*store.Tool, store.ToolDraft, store.ToolPatch]

func (s *Service) tools() tools {
	return newCollection[*store.Tool, store.ToolDraft, store.ToolPatch](s, "tool", "tools", s.checkTool)
}

func (s *Service) toolOps() []op.Op {
	const tag = "tools"
	return append([]op.Op{
		declare(op.Op{Name: "list_tools", Route: "GET /tools", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "List tools."}, s.listTools),
		declare(op.Op{Name: "duplicate_tool", Route: "POST /tools/{id}/duplicate", Tag: tag, Agent: true, Scope: auth.ScopeWrite, Effect: op.Write, Status: 201,
			Doc: "Copy a tool under another name; the copy is disabled."}, s.duplicateTool),
	}, s.tools().ops(true)...)
}

type listTools struct {
	store.Query
	ConnectionID string `json:"connection_id,omitempty"`
	IsEnabled    *bool  `json:"is_enabled,omitempty"`
	Tag          string `json:"tag,omitempty"`
}

func (s *Service) listTools(ctx context.Context, in listTools) (store.Page[*store.Tool], error) {
	filters := enabled(in.IsEnabled)
	if in.ConnectionID != "" {
		filters = append(filters, db.UsesConnection(in.ConnectionID))
	}
	return list(ctx, s, in.Query, tagged(in.Tag, func(t *store.Tool) []string { return t.Tags }), filters...)
}

// enabled narrows a list by state when asked to.
func enabled(on *bool) []db.Filter {
	if on == nil {
		return nil
	}
	return []db.Filter{db.Enabled(*on)}
}

// tagged keeps what carries a tag; no tag keeps all.
func tagged[T any](tag string, tags func(T) []string) func(T) bool {
	if tag == "" {
		return nil
	}
	return func(v T) bool { return slices.Contains(tags(v), tag) }
}

type duplicateTool struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty" jsonschema:"left out: a free name made from the tool's own"`
}

func (s *Service) duplicateTool(ctx context.Context, in duplicateTool) (*store.Tool, error) {
	return update(ctx, s, "duplicate_tool", func(tx *db.Tx) (*store.Tool, error) {
		t, err := db.Get[*store.Tool](tx, in.ID)
		if err != nil {
			return nil, err
		}
		t.Meta = store.Meta{}
		t.IsEnabled = false
		if name := strings.TrimSpace(in.Name); name != "" {
			t.Name = name
		} else if t.Name, err = freeName(tx, t.Name); err != nil {
			return nil, err
		}
		return s.tools().insert(tx, t)
	})
}

const maxName = 64 // as store checks it

// freeName makes name_copy, name_copy_2 … until one is free, within the length of a name.
func freeName(tx *db.Tx, name string) (string, error) {
	for i := 1; i < 1000; i++ {
		tail := "_copy"
		if i > 1 {
			tail = fmt.Sprintf("_copy_%d", i)
		}
		head := name
		if over := utf8.RuneCountInString(head) + len(tail) - maxName; over > 0 {
			head = head[:len(head)-over] // names are ASCII
		}
		_, err := db.Find[*store.Tool](tx, head+tail)
		if store.CodeOf(err) == store.NotFound {
			return head + tail, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", &store.Error{Code: store.Conflict, Field: "name", Message: "there are too many copies; give a name"}
}
