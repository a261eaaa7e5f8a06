package studio

import (
	"context"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) serverOps() []op.Op {
	const tag = "server"
	return []op.Op{
		declare(op.Op{Name: "get_server_config", Route: "GET /server/config", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "The settings of the generated server and the studio."}, s.getConfig),
		declare(op.Op{Name: "update_server_config", Route: "PATCH /server/config", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write, Doc: "Change settings; the version is optional here."}, s.updateConfig),
		declare(op.Op{Name: "get_server_health", Route: "GET /server/health", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "How the studio and the generated server are."}, s.serverHealth),
		declare(op.Op{Name: "get_sandbox", Route: "GET /server/sandbox", Tag: tag, Scope: auth.ScopeRead,
			Doc: "What the wall around every child is like: its level, each layer with its reason, limits, the broker's counts, and what was killed."}, s.sandbox),
		declare(op.Op{Name: "get_manifest", Route: "GET /server/generated", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "The manifest that runs now."}, s.generated),
	}
}

func (s *Service) getConfig(ctx context.Context, _ none) (*store.ServerConfig, error) {
	return view(ctx, s, func(tx *db.Tx) (*store.ServerConfig, error) { return tx.Config() })
}

func (s *Service) updateConfig(ctx context.Context, p store.ServerConfigPatch) (*store.ServerConfig, error) {
	return update(ctx, s, "update_server_config", func(tx *db.Tx) (*store.ServerConfig, error) {
		c, err := tx.Config()
		if err != nil {
			return nil, err
		}
		if p.Version != 0 && p.Version != c.Version {
			return nil, stale(c, p.Version)
		}
		if err := p.Apply(c); err != nil {
			return nil, err
		}
		if err := c.Check(); err != nil {
			return nil, err
		}
		if c.AuthType == store.AuthNone && s.Site().Exposed && !c.AuthNoneConfirmed {
			return nil, store.Invalidf("auth_none_confirmed", "others than this machine can reach the MCP endpoint, and without authentication everyone who can may read your data; confirm it, or keep bearer tokens")
		}
		return c, db.Update(tx, c, p.Version)
	})
}

// ServerHealth is how the studio and the generated server are.
type ServerHealth struct {
	Status        string             `json:"status" jsonschema:"ok, or degraded when a part does not work"`
	Version       string             `json:"version"`
	UptimeSeconds int64              `json:"uptime_seconds"`
	Store         StoreHealth        `json:"store"`
	Server        mcpgen.ServerState `json:"server"`
	Listeners     []Listener         `json:"listeners"`
	PublicURL     string             `json:"public_url"`
	At            time.Time          `json:"at"`
}

// StoreHealth says whether the metadata store answers.
type StoreHealth struct {
	OK bool `json:"ok"`
}

func (s *Service) serverHealth(ctx context.Context, _ none) (ServerHealth, error) {
	site := s.Site()
	out := ServerHealth{
		Status: "ok", Version: s.Version, UptimeSeconds: int64(s.Now().Sub(s.started).Seconds()), Store: StoreHealth{s.Ready(ctx) == nil},
		Server: s.Deployer.State(), Listeners: site.Listeners, PublicURL: site.PublicURL, At: s.Now().UTC(),
	}
	if out.Listeners == nil {
		out.Listeners = []Listener{}
	}
	if out.Server.Layers == nil {
		out.Server.Layers = []mcpgen.Layer{}
	}
	if !out.Store.OK || out.Server.Status == mcpgen.Failed {
		out.Status = "degraded"
	}
	return out, nil
}

// Ready returns nil when the store answers.
func (s *Service) Ready(ctx context.Context) error {
	return s.DB.View(ctx, func(tx *db.Tx) error {
		_, err := tx.Config()
		return err
	})
}
