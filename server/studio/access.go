package studio

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/token"
	"mcpstudio/server/connect"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) accessOps() []op.Op {
	const tag = "access"
	t := kept[*store.MCPToken, store.MCPTokenPatch]{s, "mcp_token", unchecked[*store.MCPToken]}
	return []op.Op{
		declare(op.Op{Name: "list_mcp_tokens", Route: "GET /mcp-tokens", Tag: tag, Scope: auth.ScopeAdmin, Doc: "List the tokens of MCP clients."}, s.listTokens),
		declare(op.Op{Name: "create_mcp_token", Route: "POST /mcp-tokens", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write, Status: 201,
			Doc: "Make a token for an MCP client; the token is shown only here."}, s.createToken),
		declare(op.Op{Name: "get_mcp_token", Route: "GET /mcp-tokens/{id}", Tag: tag, Scope: auth.ScopeAdmin, Doc: "Get one token, without the token itself."}, t.get),
		declare(op.Op{Name: "update_mcp_token", Route: "PATCH /mcp-tokens/{id}", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write, Doc: "Rename a token."}, t.update),
		declare(op.Op{Name: "delete_mcp_token", Route: "DELETE /mcp-tokens/{id}", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Delete, Doc: "Revoke a token; it is dead on the next request."}, t.remove),
		declare(op.Op{Name: "get_snippets", Route: "GET /connect/snippets", Tag: tag, Scope: auth.ScopeAdmin,
			Doc: "How each kind of MCP client is configured; a placeholder stands for the token."}, s.snippets),
		declare(op.Op{Name: "call_playground", Route: "POST /playground/call", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write,
			Doc: "Call a tool of the running server the way a client does, as the admin or as one token."}, s.play),
	}
}

func (s *Service) listTokens(ctx context.Context, in store.Query) (store.Page[*store.MCPToken], error) {
	return list[*store.MCPToken](ctx, s, in, nil)
}

// MintedToken is a new token. Token is shown only here.
type MintedToken struct {
	store.MCPToken
	Token string `json:"token" jsonschema:"shown only here"`
}

func (s *Service) createToken(ctx context.Context, d store.MCPTokenDraft) (MintedToken, error) {
	if err := d.Check(); err != nil {
		return MintedToken{}, err
	}
	minted, err := token.Mint()
	if err != nil {
		return MintedToken{}, err
	}
	return update(ctx, s, "create_mcp_token", func(tx *db.Tx) (MintedToken, error) {
		t := &store.MCPToken{
			Name: strings.TrimSpace(d.Name), Prefix: minted.Prefix, TokenHash: minted.Hash, Tools: d.Tools, Resources: d.Resources, Prompts: d.Prompts,
		}
		if d.IdleTimeoutMinutes != nil {
			t.IdleTimeoutMinutes = *d.IdleTimeoutMinutes
		}
		if d.ExpiresInDays != nil {
			t.ExpiresAt = new(tx.Now().AddDate(0, 0, *d.ExpiresInDays))
		}
		if err := t.Check(); err != nil {
			return MintedToken{}, err
		}
		if err := db.Insert(tx, t); err != nil {
			return MintedToken{}, err
		}
		return MintedToken{*t, minted.Token}, nil
	})
}

type snippets struct {
	TokenPlaceholder string `json:"token_placeholder,omitempty" jsonschema:"text that stands for the token; default {{TOKEN}}"`
}

func (s *Service) snippets(ctx context.Context, in snippets) (connect.Guide, error) {
	c, err := s.getConfig(ctx, none{})
	if err != nil {
		return connect.Guide{}, err
	}
	if len(in.TokenPlaceholder) > 100 {
		return connect.Guide{}, store.Invalidf("token_placeholder", "a placeholder is at most 100 bytes")
	}
	g, err := connect.Snippets(connect.Setup{URL: s.Site().Endpoint, ServerName: c.ServerName, Auth: c.AuthType != store.AuthNone, Placeholder: in.TokenPlaceholder})
	if g.Warnings == nil {
		g.Warnings = []string{}
	}
	return g, err
}

type play struct {
	Tool      string                     `json:"tool"`
	Arguments map[string]json.RawMessage `json:"arguments,omitempty"`
	AsTokenID string                     `json:"as_token_id,omitempty" jsonschema:"see and call only what this token may"`
}

// Played is what one call in the playground gave.
type Played struct {
	HTTPStatus int             `json:"http_status"`
	Response   json.RawMessage `json:"response" jsonschema:"the JSON-RPC response a client receives"`
	MS         float64         `json:"ms"`
	Rows       int             `json:"rows"`
}

func (s *Service) play(ctx context.Context, in play) (Played, error) {
	arguments, err := json.Marshal(in.Arguments)
	if err != nil {
		return Played{}, store.Invalidf("arguments", "the arguments are not valid JSON")
	}
	if in.Arguments == nil {
		arguments = []byte("{}")
	}
	p, _ := auth.FromContext(ctx)
	if in.AsTokenID != "" {
		t, err := view(ctx, s, func(tx *db.Tx) (*store.MCPToken, error) { return db.Get[*store.MCPToken](tx, in.AsTokenID) })
		if err != nil {
			return Played{}, err
		}
		if !t.Valid(s.Now()) {
			return Played{}, store.Invalidf("as_token_id", "the token %q has expired or was not used for too long, so a client could not call with it", t.Name)
		}
		p.Allowed = auth.Allowed{Tools: t.Tools, Resources: t.Resources, Prompts: t.Prompts}
	}
	began := time.Now()
	out, err := s.Player.Play(ctx, p, in.Tool, arguments)
	if out.MS == 0 {
		out.MS = float64(time.Since(began).Microseconds()) / 1000
	}
	return out, err
}
