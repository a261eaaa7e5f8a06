package studio

import (
	"context"
	"encoding/json"
	"fmt"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) sampleOps() []op.Op {
	const tag = "sample"
	return []op.Op{
		declare(op.Op{Name: "get_sample", Route: "GET /sample", Tag: tag, Scope: auth.ScopeRead, Doc: "Whether the sample is here."}, s.getSample),
		declare(op.Op{Name: "create_sample", Route: "POST /sample", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write, Status: 201,
			Doc: "Make the sample shop: a database, a connection, three tools, a resource and a prompt, and deploy them."}, s.createSample),
		declare(op.Op{Name: "delete_sample", Route: "DELETE /sample", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Delete,
			Doc: "Remove what the sample made, and deploy what is left or stop the server."}, s.deleteSample),
	}
}

// SampleState says whether the sample is here.
type SampleState struct {
	Present      bool     `json:"present"`
	ConnectionID *string  `json:"connection_id"`
	ToolIDs      []string `json:"tool_ids"`
}

// Sample is what making the sample gave.
type Sample struct {
	ConnectionID string   `json:"connection_id"`
	Tools        []string `json:"tools" jsonschema:"ids"`
	ResourceID   string   `json:"resource_id"`
	PromptID     string   `json:"prompt_id"`
	Revision     *int     `json:"revision" jsonschema:"of the deploy; null when none was started"`
	Token        *string  `json:"token" jsonschema:"always null: a token is made on the Connect page"`
}

// sampleMeta is where the store remembers what the sample made, so that exactly that is removed.
const sampleMeta = "sample"

// sampleIDs is the remembered part.
type sampleIDs struct {
	Connection string   `json:"connection"`
	Tools      []string `json:"tools"`
	Resource   string   `json:"resource"`
	Prompt     string   `json:"prompt"`
}

// loadSample returns what the sample made, nil when it is not here. The connection is what makes it present: who deleted that has
// removed the sample by hand.
func loadSample(tx *db.Tx) (*sampleIDs, error) {
	text, found, err := tx.Meta(sampleMeta)
	if err != nil || !found || text == "" {
		return nil, err
	}
	var ids sampleIDs
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		return nil, fmt.Errorf("read the state of the sample: %w", err)
	}
	_, err = db.Get[*store.Connection](tx, ids.Connection)
	if store.CodeOf(err) == store.NotFound && err != nil {
		return nil, nil
	}
	return &ids, err
}

func saveSample(tx *db.Tx, ids sampleIDs) error {
	b, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("write the state of the sample: %w", err)
	}
	return tx.SetMeta(sampleMeta, string(b))
}

func (s *Service) getSample(ctx context.Context, _ none) (SampleState, error) {
	return view(ctx, s, func(tx *db.Tx) (SampleState, error) {
		out := SampleState{ToolIDs: []string{}}
		ids, err := loadSample(tx)
		if err != nil || ids == nil {
			return out, err
		}
		out.Present, out.ConnectionID = true, &ids.Connection
		for _, id := range ids.Tools {
			_, err := db.Get[*store.Tool](tx, id)
			if store.CodeOf(err) == store.NotFound && err != nil {
				continue
			}
			if err != nil {
				return out, err
			}
			out.ToolIDs = append(out.ToolIDs, id)
		}
		return out, nil
	})
}

type createSample struct {
	Deploy *bool `json:"deploy,omitempty" jsonschema:"default true"`
}

func (s *Service) createSample(ctx context.Context, in createSample) (Sample, error) {
	if err := buildShop(ctx, s.SQLiteDir, s.Now()); err != nil {
		return Sample{}, &store.Error{Code: store.Unavailable, Retry: 30, Err: err, Message: fmt.Sprintf(
			"the sample's database cannot be written in %s (%v); make room there, or let the studio write to that directory", s.SQLiteDir, innermost(err))}
	}
	made := false
	ids, err := update(ctx, s, "create_sample", func(tx *db.Tx) (sampleIDs, error) {
		there, err := loadSample(tx)
		if err != nil {
			return sampleIDs{}, err
		}
		if there != nil {
			return *there, nil
		}
		made = true
		return s.insertSample(tx)
	})
	if err != nil {
		return Sample{}, err
	}
	out := Sample{ConnectionID: ids.Connection, Tools: ids.Tools, ResourceID: ids.Resource, PromptID: ids.Prompt}
	running := s.Deployer.State().Status == mcpgen.Running
	if (in.Deploy != nil && !*in.Deploy) || (!made && running) {
		return out, nil
	}
	started, err := s.deploy(ctx, deployIn{Note: "Sample shop", AcceptWarnings: true})
	if store.CodeOf(err) == store.Conflict && err != nil {
		return out, nil // another deploy runs, or nothing changed: what was made is there
	}
	if err != nil {
		return out, err
	}
	out.Revision = &started.Revision
	return out, nil
}

// insertSample makes every entity of the sample in one transaction.
func (s *Service) insertSample(tx *db.Tx) (sampleIDs, error) {
	c, err := s.connections().insert(tx, shopConnection().New())
	if err != nil {
		return sampleIDs{}, err
	}
	ids := sampleIDs{Connection: c.ID, Tools: []string{}}
	for _, d := range shopTools(c.ID) {
		t, err := s.tools().insert(tx, d.New())
		if err != nil {
			return sampleIDs{}, err
		}
		ids.Tools = append(ids.Tools, t.ID)
	}
	r, err := s.resources().insert(tx, shopResource(c.ID).New())
	if err != nil {
		return sampleIDs{}, err
	}
	p, err := s.prompts().insert(tx, shopPrompt().New())
	if err != nil {
		return sampleIDs{}, err
	}
	ids.Resource, ids.Prompt = r.ID, p.ID
	return ids, saveSample(tx, ids)
}

func (s *Service) deleteSample(ctx context.Context, _ none) (struct{}, error) {
	left, err := update(ctx, s, "delete_sample", func(tx *db.Tx) (remains, error) {
		ids, err := loadSample(tx)
		if err != nil {
			return remains{}, err
		}
		if ids == nil {
			return remains{}, &store.Error{Code: store.NotFound, Message: "the sample is not here"}
		}
		if err := removeSample(tx, *ids); err != nil {
			return remains{}, err
		}
		return s.remains(tx)
	})
	if err != nil {
		return struct{}{}, err
	}
	if err := s.afterSample(ctx, left.entities); err != nil {
		return struct{}{}, err
	}
	if left.file {
		return struct{}{}, nil
	}
	if err := removeShop(s.SQLiteDir); err != nil {
		s.Log.Warn("the sample's database file could not be removed", "error", err)
	}
	return struct{}{}, nil
}

// remains is what is there after the sample was removed.
type remains struct {
	entities bool // something to deploy
	file     bool // another connection reads the sample's file, so it stays
}

func (s *Service) remains(tx *db.Tx) (remains, error) {
	b, err := s.compile(tx)
	if err != nil {
		return remains{}, err
	}
	out := remains{entities: len(b.manifest.Tools)+len(b.manifest.Resources)+len(b.manifest.Prompts) > 0}
	all, err := db.All[*store.Connection](tx)
	for _, c := range all {
		out.file = out.file || c.DBType == store.SQLite && c.Database == shopFile
	}
	return out, err
}

// afterSample brings what runs in line with what is left.
func (s *Service) afterSample(ctx context.Context, left bool) error {
	if s.Deployer.State().Status != mcpgen.Running {
		return nil
	}
	if !left {
		_, err := s.stop(ctx, none{})
		return err
	}
	_, err := s.deploy(ctx, deployIn{Note: "Sample shop removed", AcceptWarnings: true})
	if code := store.CodeOf(err); err != nil && (code == store.Conflict || code == store.Invalid) {
		s.Log.Info("what is left after the sample was not deployed", "reason", sentence(err))
		return nil
	}
	return err
}

// removeSample deletes exactly what the sample made. What of it is gone already is skipped; what somebody else built on its
// connection makes the removal a conflict.
func removeSample(tx *db.Tx, ids sampleIDs) error {
	for _, id := range ids.Tools {
		if err := gone(db.Delete[*store.Tool](tx, id)); err != nil {
			return err
		}
	}
	if err := gone(db.Delete[*store.Resource](tx, ids.Resource)); err != nil {
		return err
	}
	if err := gone(db.Delete[*store.Prompt](tx, ids.Prompt)); err != nil {
		return err
	}
	users, err := usages(tx, ids.Connection)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		return &store.Error{Code: store.Conflict, Current: UsedBy{users},
			Message: fmt.Sprintf("%d of your own tools and resources use the sample's connection; delete or move them first", len(users))}
	}
	if err := gone(db.Delete[*store.Connection](tx, ids.Connection)); err != nil {
		return err
	}
	return tx.SetMeta(sampleMeta, "")
}

// gone takes NotFound for done.
func gone(err error) error {
	if err != nil && store.CodeOf(err) == store.NotFound {
		return nil
	}
	return err
}
