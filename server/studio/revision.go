package studio

import (
	"context"
	"encoding/json"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// DeployStatus is what runs, and what a deploy that runs is doing.
type DeployStatus struct {
	Status            mcpgen.ServerStatus `json:"status"`
	Revision          int                 `json:"revision" jsonschema:"the live one; 0: none"`
	StartedAt         *time.Time          `json:"started_at"`
	UndeployedChanges int                 `json:"undeployed_changes"`
	Error             string              `json:"error"`
	Author            *store.Actor        `json:"author"`
	Note              string              `json:"note"`
	Endpoint          string              `json:"endpoint" jsonschema:"where MCP clients connect"`
	Tools             int                 `json:"tools"`
	Resources         int                 `json:"resources"`
	Prompts           int                 `json:"prompts"`
	Restarts          int                 `json:"restarts"`
	LastExit          string              `json:"last_exit"`
	SandboxLevel      string              `json:"sandbox_level"`
	Deploying         *RunningDeploy      `json:"deploying"`
	LastFailed        *FailedDeploy       `json:"last_failed"`
	LastDeploy        *FinishedDeploy     `json:"last_deploy" jsonschema:"how the last deploy since the start of the studio went, step by step"`
}

// RunningDeploy is a deploy under way.
type RunningDeploy struct {
	Revision  int           `json:"revision"`
	Steps     []mcpgen.Step `json:"steps"`
	ElapsedMS int64         `json:"elapsed_ms"`
}

// FinishedDeploy is a deploy that ended, well or not. A deploy can be over before anybody saw it run.
type FinishedDeploy struct {
	Revision   int           `json:"revision"`
	Steps      []mcpgen.Step `json:"steps"`
	ElapsedMS  int64         `json:"elapsed_ms"`
	Succeeded  bool          `json:"succeeded"`
	FinishedAt time.Time     `json:"finished_at"`
}

// FailedDeploy is the last deploy, when it failed.
type FailedDeploy struct {
	Revision int       `json:"revision"`
	Error    string    `json:"error"`
	At       time.Time `json:"at"`
}

func (s *Service) deployStatus(ctx context.Context, _ none) (DeployStatus, error) {
	state := s.Deployer.State()
	r, failed := s.deploys.current()
	out := DeployStatus{
		Status: state.Status, Revision: state.Revision, StartedAt: state.StartedAt, Error: state.Error, Endpoint: s.Site().Endpoint,
		Restarts: state.Restarts, LastExit: state.LastExit, SandboxLevel: state.SandboxLevel, LastFailed: failed, LastDeploy: s.deploys.last(),
	}
	if r != nil {
		out.Status = mcpgen.Deploying
		out.Deploying = &RunningDeploy{r.revision, r.steps, s.Now().Sub(r.started).Milliseconds()}
	} else if out.Status == mcpgen.Deploying { // the supervisor tells of its end a moment after we know of it
		out.Status = map[bool]mcpgen.ServerStatus{true: mcpgen.Running, false: mcpgen.Stopped}[state.Revision > 0]
	}
	if failed != nil {
		if out.Error == "" {
			out.Error = failed.Error
		}
		if out.Status == mcpgen.Stopped {
			out.Status = mcpgen.Failed
		}
	}
	live, err := view(ctx, s, func(tx *db.Tx) (*store.Revision, error) { return tx.LiveRevision() })
	if err != nil {
		return out, err
	}
	if live != nil && live.Number == state.Revision {
		out.Author, out.Note = &live.Author, live.Note
		out.Tools, out.Resources, out.Prompts = live.Tools, live.Resources, live.Prompts
	}
	out.UndeployedChanges, err = s.undeployed(ctx)
	return out, err
}

type deployDiff struct {
	From int `json:"from,omitempty" jsonschema:"a revision; left out: the live one"`
	To   int `json:"to,omitempty" jsonschema:"a revision; left out: what is saved now"`
}

// Diff is what differs between two sides; 0 stands for nothing deployed (from) or what is saved (to).
type Diff struct {
	From     int              `json:"from"`
	To       int              `json:"to"`
	Changes  []mcpgen.Change  `json:"changes"`
	Problems []mcpgen.Problem `json:"problems"`
}

func (s *Service) deployDiff(ctx context.Context, in deployDiff) (Diff, error) {
	return view(ctx, s, func(tx *db.Tx) (Diff, error) {
		out := Diff{From: in.From, To: in.To, Problems: []mcpgen.Problem{}}
		before, err := s.side(tx, &out.From)
		if err != nil {
			return out, err
		}
		var after build
		if in.To == 0 {
			after, err = s.compile(tx)
		} else {
			after, err = revisionBuild(tx, in.To)
		}
		if err != nil {
			return out, err
		}
		out.Problems = append(out.Problems, after.problems...)
		out.Changes, err = diff(before, after)
		return out, err
	})
}

// side reads a revision, or the live one when number is 0, and notes its number.
func (s *Service) side(tx *db.Tx, number *int) (build, error) {
	if *number != 0 {
		return revisionBuild(tx, *number)
	}
	r, b, err := liveBuild(tx)
	if r != nil {
		*number = r.Number
	}
	return b, err
}

func revisionBuild(tx *db.Tx, number int) (build, error) {
	r, err := tx.Revision(number)
	if err != nil {
		return build{}, err
	}
	return rebuild(tx, r)
}

type pageIn struct {
	Skip  int `json:"skip,omitempty" jsonschema:"entries to skip"`
	Limit int `json:"limit,omitempty" jsonschema:"page size; default 50, at most 100"`
}

func (s *Service) listRevisions(ctx context.Context, in pageIn) (store.Page[*store.Revision], error) {
	return view(ctx, s, func(tx *db.Tx) (store.Page[*store.Revision], error) {
		return tx.Revisions(store.Query{Skip: in.Skip, Limit: in.Limit})
	})
}

type byNumber struct {
	Number int `json:"number"`
}

// RevisionDetail is a revision with what it runs.
type RevisionDetail struct {
	store.Revision
	Manifest json.RawMessage `json:"manifest" jsonschema:"the manifest; it holds no secret"`
}

func (s *Service) getRevision(ctx context.Context, in byNumber) (RevisionDetail, error) {
	r, err := view(ctx, s, func(tx *db.Tx) (*store.Revision, error) { return tx.Revision(in.Number) })
	if err != nil {
		return RevisionDetail{}, err
	}
	return RevisionDetail{*r, r.Manifest}, nil
}

type recentLogs struct {
	After    int64 `json:"after,omitempty" jsonschema:"only lines after this id"`
	Limit    int   `json:"limit,omitempty" jsonschema:"the last so many; default 200, at most 2000"`
	Revision int   `json:"revision,omitempty" jsonschema:"only lines of this revision; left out: of all, and of workbenches"`
}

// LogLines is a part of the deploy and child log, oldest first.
type LogLines struct {
	Items []mcpgen.LogLine `json:"items"`
}

const maxLogLines = 2000

func (s *Service) recentLogs(_ context.Context, in recentLogs) (LogLines, error) {
	var f store.Fields
	if in.After < 0 {
		f.Add("after", "after is 0 or more, got %d", in.After)
	}
	if in.Limit < 0 || in.Limit > maxLogLines {
		f.Add("limit", "limit is 1 to %d, got %d", maxLogLines, in.Limit)
	}
	if in.Revision < 0 {
		f.Add("revision", "a revision is 1 or more, got %d", in.Revision)
	}
	if err := f.Err(); err != nil {
		return LogLines{}, err
	}
	if in.Limit == 0 {
		in.Limit = 200
	}
	if in.Revision != 0 {
		return LogLines{s.Logs.Of(in.Revision, uint64(in.After), in.Limit)}, nil
	}
	return LogLines{s.Logs.Since(uint64(in.After), in.Limit)}, nil
}

// Generated is what the generated server runs now.
type Generated struct {
	Revision int             `json:"revision"`
	Digest   string          `json:"digest"`
	Manifest json.RawMessage `json:"manifest" jsonschema:"it holds no secret"`
}

func (s *Service) generated(ctx context.Context, _ none) (Generated, error) {
	r, err := view(ctx, s, func(tx *db.Tx) (*store.Revision, error) { return tx.LiveRevision() })
	if err != nil {
		return Generated{}, err
	}
	if r == nil {
		return Generated{}, &store.Error{Code: store.NotFound, Message: "nothing is deployed"}
	}
	return Generated{r.Number, r.Digest, r.Manifest}, nil
}
