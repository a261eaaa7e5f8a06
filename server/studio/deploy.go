package studio

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

func (s *Service) deployOps() []op.Op {
	const tag = "deploy"
	return []op.Op{
		declare(op.Op{Name: "deploy_server", Route: "POST /deploy", Tag: tag, Agent: true, Scope: auth.ScopeDeploy, Effect: op.Write, Status: 202,
			Doc: "Deploy the saved configuration as a new revision; what runs goes on until the new one is healthy."}, s.deploy),
		declare(op.Op{Name: "get_deploy_status", Route: "GET /deploy/status", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "What runs, and what a deploy that runs is doing."}, s.deployStatus),
		declare(op.Op{Name: "get_deploy_diff", Route: "GET /deploy/diff", Tag: tag, Agent: true, Scope: auth.ScopeRead,
			Doc: "What differs between two revisions, or between what runs and what is saved."}, s.deployDiff),
		declare(op.Op{Name: "stop_server", Route: "POST /deploy/stop", Tag: tag, Agent: true, Scope: auth.ScopeDeploy, Effect: op.Write, Status: 202,
			Doc: "Stop the generated server; a deploy that runs is cancelled."}, s.stop),
		declare(op.Op{Name: "list_revisions", Route: "GET /deploy/revisions", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "List revisions, newest first."}, s.listRevisions),
		declare(op.Op{Name: "get_revision", Route: "GET /deploy/revisions/{number}", Tag: tag, Scope: auth.ScopeRead, Doc: "One revision with its manifest."}, s.getRevision),
		declare(op.Op{Name: "activate_revision", Route: "POST /deploy/revisions/{number}/activate", Tag: tag, Agent: true, Scope: auth.ScopeDeploy, Effect: op.Write, Status: 202,
			Doc: "Deploy the manifest of an earlier revision again, as a new revision."}, s.activate),
		declare(op.Op{Name: "list_recent_logs", Route: "GET /deploy/logs/recent", Tag: tag, Scope: auth.ScopeRead, Doc: "The last lines of the deploy and child log."}, s.recentLogs),
	}
}

// deploys is the deploy that runs and how the last ones ended.
type deploys struct {
	mu       sync.Mutex // guards the rest
	run      *run
	failed   *FailedDeploy
	finished *FinishedDeploy
	claim    bool // a deploy is being prepared
}

// run is a deploy under way.
type run struct {
	revision int
	started  time.Time
	steps    []mcpgen.Step
	cancel   context.CancelFunc
	done     chan struct{}
}

// stepNames is the order people see.
func stepNames() []string { return []string{"validate", "compile", "start", "health_check", "switch"} }

// newSteps has the steps of a deploy, the first ones done already.
func newSteps(done map[string]time.Duration) []mcpgen.Step {
	var out []mcpgen.Step
	for _, name := range stepNames() {
		step := mcpgen.Step{Name: name, State: mcpgen.StepWaiting}
		if took, ok := done[name]; ok {
			step.State, step.MS = mcpgen.StepDone, float64(took.Microseconds())/1000
		}
		out = append(out, step)
	}
	return out
}

type deployIn struct {
	Note           string `json:"note,omitempty" jsonschema:"what this deploy is for"`
	AcceptWarnings bool   `json:"accept_warnings,omitempty" jsonschema:"deploy although there are warnings"`
}

// Started names the revision that a deploy makes.
type Started struct {
	Revision int `json:"revision"`
}

const maxNote = 1000

func (s *Service) deploy(ctx context.Context, in deployIn) (Started, error) {
	if len([]rune(in.Note)) > maxNote {
		return Started{}, store.Invalidf("note", "a note is at most %d characters", maxNote)
	}
	return s.launch(ctx, "deploy_server", func(tx *db.Tx) (build, string, error) {
		b, err := s.compile(tx)
		if err != nil {
			return b, "", err
		}
		if err := deployable(b.problems, in.AcceptWarnings); err != nil {
			return b, "", err
		}
		_, before, err := liveBuild(tx)
		if err != nil {
			return b, in.Note, nil // the live revision cannot be read any more: deploying is the way out
		}
		changes, err := diff(before, b)
		if err != nil {
			return b, "", err
		}
		if before.manifest != nil && len(changes) == 0 && s.Deployer.State().Status == mcpgen.Running {
			return b, "", &store.Error{Code: store.Conflict, Message: "nothing changed since the running revision was deployed"}
		}
		return b, in.Note, nil
	})
}

// deployable refuses a build with errors, and one with warnings that were not accepted.
func deployable(problems []mcpgen.Problem, accepted bool) error {
	if stops := mcpgen.Stops(problems); len(stops) > 0 {
		return &store.Error{Code: store.Invalid, Message: fmt.Sprintf("the configuration has %s; nothing was deployed. %s", counted(len(stops), "error"), describe(stops[0])), Current: Problems{problems}}
	}
	if len(problems) > 0 && !accepted {
		return &store.Error{Code: store.Invalid, Field: "accept_warnings",
			Message: fmt.Sprintf("the configuration has %s; send accept_warnings to deploy all the same. %s", counted(len(problems), "warning"), describe(problems[0])), Current: Problems{problems}}
	}
	return nil
}

// counted is a number of things: 1 error, 2 errors.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func describe(p mcpgen.Problem) string {
	if p.EntityName == "" {
		return p.Message
	}
	return fmt.Sprintf("The %s %s: %s", p.EntityType, p.EntityName, p.Message)
}

type activate struct {
	Number int    `json:"number"`
	Note   string `json:"note,omitempty"`
}

func (s *Service) activate(ctx context.Context, in activate) (Started, error) {
	if len([]rune(in.Note)) > maxNote {
		return Started{}, store.Invalidf("note", "a note is at most %d characters", maxNote)
	}
	return s.launch(ctx, "activate_revision", func(tx *db.Tx) (build, string, error) {
		r, err := tx.Revision(in.Number)
		if err != nil {
			return build{}, "", err
		}
		if r.State == store.RevisionLive && s.Deployer.State().Status == mcpgen.Running {
			return build{}, "", &store.Error{Code: store.Conflict, Message: fmt.Sprintf("revision %d is the one that runs", r.Number)}
		}
		b, err := rebuild(tx, r)
		note := in.Note
		if note == "" {
			note = fmt.Sprintf("Revision %d again", r.Number)
		}
		return b, note, err
	})
}

// launch makes a revision of what prepare returns and starts to deploy it. It returns when the revision is stored.
func (s *Service) launch(ctx context.Context, operation string, prepare func(*db.Tx) (b build, note string, err error)) (Started, error) {
	if err := s.deploys.begin(); err != nil {
		return Started{}, err
	}
	began := s.Now()
	var b build
	r, err := update(ctx, s, operation, func(tx *db.Tx) (*store.Revision, error) {
		var note string
		var err error
		if b, note, err = prepare(tx); err != nil {
			return nil, err
		}
		return newRevision(tx, b, note)
	})
	if err != nil {
		s.deploys.abandon()
		return Started{}, err
	}
	s.start(r.Number, b, newSteps(map[string]time.Duration{"validate": 0, "compile": s.Now().Sub(began)}), true)
	return Started{r.Number}, nil
}

func newRevision(tx *db.Tx, b build, note string) (*store.Revision, error) {
	encoded, err := b.manifest.Encode()
	if err != nil {
		return nil, err
	}
	secrets, err := b.secrets.Encode()
	if err != nil {
		return nil, errors.New("encode the secrets of a revision") // the cause could quote one
	}
	r := &store.Revision{
		Digest: mcpgen.Digest(encoded), Manifest: encoded, Note: note,
		Tools: len(b.manifest.Tools), Resources: len(b.manifest.Resources), Prompts: len(b.manifest.Prompts),
	}
	return r, tx.AddRevision(r, store.GivenSecret(string(secrets)))
}

// start runs a deploy in the background. fresh says that the revision's state is to be kept; a replay at start changes nothing.
func (s *Service) start(revision int, b build, steps []mcpgen.Step, fresh bool) {
	ctx, cancel := context.WithCancel(s.ctx)
	d := s.deploys
	d.mu.Lock()
	this := &run{revision: revision, started: s.Now(), steps: steps, cancel: cancel, done: make(chan struct{})}
	d.run, d.claim = this, false
	d.mu.Unlock()
	s.work.Go(func() {
		defer close(this.done)
		defer cancel()
		err := s.Deployer.Deploy(ctx, mcpgen.Deployment{Revision: revision, Manifest: b.manifest, Secrets: b.secrets}, func(step mcpgen.Step) { s.progress(this, step) })
		s.settle(this, err, fresh)
	})
	s.sendStatus(s.ctx)
}

// StepEvent is one step of a deploy as it happens.
type StepEvent struct {
	Revision int         `json:"revision"`
	Step     mcpgen.Step `json:"step"`
}

func (s *Service) progress(r *run, step mcpgen.Step) {
	s.deploys.mu.Lock()
	for i := range r.steps {
		if r.steps[i].Name == step.Name {
			r.steps[i] = step
		}
	}
	s.deploys.mu.Unlock()
	s.events.send(Event{Name: "step", Data: StepEvent{r.revision, step}})
	s.sendStatus(s.ctx)
}

// settle keeps how a deploy ended.
func (s *Service) settle(r *run, cause error, fresh bool) {
	// Also when the service is closing: a revision that went live must be known to be live at the next start.
	ctx := auth.NewContext(context.WithoutCancel(s.ctx), auth.System())
	err := s.DB.Update(ctx, act(ctx, "finish_deploy"), func(tx *db.Tx) error {
		switch {
		case cause == nil:
			return tx.SetRevisionState(r.revision, store.RevisionLive, "")
		case fresh:
			return tx.SetRevisionState(r.revision, store.RevisionFailed, sentence(cause))
		}
		return nil // a live revision that did not start again stays the one to start next time
	})
	if err != nil {
		s.Log.Error("the end of a deploy could not be stored", "revision", r.revision, "error", err)
	}
	d := s.deploys
	d.mu.Lock()
	d.run = nil
	now := s.Now()
	d.finished = &FinishedDeploy{Revision: r.revision, Steps: r.steps, ElapsedMS: now.Sub(r.started).Milliseconds(), Succeeded: cause == nil, FinishedAt: now.UTC()}
	if cause != nil {
		d.failed = &FailedDeploy{Revision: r.revision, Error: sentence(cause), At: now.UTC()}
	} else {
		d.failed = nil
	}
	d.mu.Unlock()
	s.generation.Add(1)
	if cause != nil {
		s.Log.Warn("deploy failed", "revision", r.revision, "error", cause)
	} else {
		s.Log.Info("revision went live", "revision", r.revision)
	}
	s.sendStatus(ctx)
}

func (d *deploys) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run != nil || d.claim {
		return &store.Error{Code: store.Conflict, Message: "a deploy is running; wait until it has finished, or stop it"}
	}
	d.claim = true
	return nil
}

func (d *deploys) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.claim = false
}

// last is how the last deploy ended; nil when there was none since the start. It does not change any more.
func (d *deploys) last() *FinishedDeploy {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.finished
}

// current returns copies of the deploy that runs and the one that failed last.
func (d *deploys) current() (r *run, failed *FailedDeploy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.run != nil {
		c := *d.run
		c.steps = append([]mcpgen.Step{}, d.run.steps...)
		r = &c
	}
	if d.failed != nil {
		f := *d.failed
		failed = &f
	}
	return r, failed
}

// Accepted is an answer without content to a request that goes on.
type Accepted struct{}

func (s *Service) stop(ctx context.Context, _ none) (Accepted, error) {
	if r, _ := s.deploys.current(); r != nil {
		r.cancel()
		select {
		case <-r.done:
		case <-ctx.Done():
			return Accepted{}, ctx.Err()
		}
	}
	if err := s.deploys.begin(); err != nil {
		return Accepted{}, err
	}
	defer s.deploys.abandon()
	return Accepted{}, s.halt(ctx)
}

// halt ends the generated server for good: it does not come back at the next start. The caller holds the right to deploy.
func (s *Service) halt(ctx context.Context) error {
	err := s.DB.Update(ctx, act(ctx, "stop_server"), func(tx *db.Tx) error {
		r, err := tx.LiveRevision()
		if err != nil || r == nil {
			return err
		}
		if err := tx.SetRevisionState(r.Number, store.RevisionRetired, ""); err != nil {
			return err
		}
		name := fmt.Sprintf("revision %d", r.Number)
		return tx.Record(store.KindRevision, fmt.Sprint(r.Number), name, map[string]store.RevisionState{"state": store.RevisionLive}, map[string]store.RevisionState{"state": store.RevisionRetired})
	})
	if err != nil {
		return err
	}
	// What is stored says stopped; the child is ended whatever happens to the request.
	err = s.Deployer.Stop(context.WithoutCancel(ctx))
	s.sendStatus(s.ctx)
	return err
}

// Resume brings back what ran before the studio stopped: the live revision's own manifest and secrets, not what is saved now. It
// returns when the deploy has begun; one that fails shows in the status. Revisions that were still starting have failed.
func (s *Service) Resume(ctx context.Context) error {
	ctx = auth.NewContext(ctx, auth.System())
	if err := s.DB.Update(ctx, act(ctx, "resume_server"), failStarting); err != nil {
		return err
	}
	var b build
	r, err := view(ctx, s, func(tx *db.Tx) (r *store.Revision, err error) {
		r, b, err = liveBuild(tx)
		return r, err
	})
	if r == nil {
		return err
	}
	if err != nil {
		d := s.deploys
		d.mu.Lock()
		d.failed = &FailedDeploy{Revision: r.Number, Error: sentence(err), At: s.Now().UTC()}
		d.mu.Unlock()
		return err
	}
	if err := s.deploys.begin(); err != nil {
		return err
	}
	s.start(r.Number, b, newSteps(map[string]time.Duration{"validate": 0, "compile": 0}), false)
	return nil
}

// failStarting marks revisions whose deploy was cut off by the studio's end.
func failStarting(tx *db.Tx) error {
	page, err := tx.Revisions(store.Query{Limit: 10}) // a deploy runs alone, so only the newest can be starting
	if err != nil {
		return err
	}
	for _, r := range page.Items {
		if r.State != store.RevisionStarting {
			continue
		}
		if err := tx.SetRevisionState(r.Number, store.RevisionFailed, "the studio ended during the deploy"); err != nil {
			return err
		}
	}
	return nil
}
