package studio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/doctor"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// Deployer keeps one live revision running.
type Deployer interface {
	// Deploy starts d beside what runs, checks it and switches. On an error, what ran goes on.
	Deploy(ctx context.Context, d mcpgen.Deployment, progress func(mcpgen.Step)) error
	Stop(ctx context.Context) error
	State() mcpgen.ServerState
	// Sandbox is what the wall around every child is like now.
	Sandbox(ctx context.Context) mcpgen.SandboxState
}

// Workbench runs drafts against one database, in a child of its own. method and the types of in and out are those of mcpgen.
type Workbench interface {
	Bench(ctx context.Context, b mcpgen.Bench, method string, in, out any) error
	// Forget ends the child of a connection that is not what it was.
	Forget(connection string)
}

// Logs is the deploy and child log.
type Logs interface {
	// Since returns lines after an id, oldest first, at most limit of the newest.
	Since(after uint64, limit int) []mcpgen.LogLine
	// Of is Since for the lines of one revision.
	Of(revision int, after uint64, limit int) []mcpgen.LogLine
	// Subscribe returns the lines after an id that are still there, and the ones to come until stop.
	Subscribe(after uint64) (backlog []mcpgen.LogLine, next <-chan mcpgen.LogLine, stop func())
}

// Player makes one call to the generated server the way a client would, with a principal the studio sets.
type Player interface {
	Play(ctx context.Context, p auth.Principal, tool string, arguments json.RawMessage) (Played, error)
}

// Listener is one address the studio listens on.
type Listener struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Site is what the studio knows of its own surroundings; it may change after New, when listeners are open.
type Site struct {
	Endpoint  string     // where clients reach the generated server
	PublicURL string     // as configured; empty: none
	Listeners []Listener // with the addresses really bound
	Exposed   bool       // others than this machine can reach the MCP endpoint
}

// Options is what a Service needs. Log and Now may be left out.
type Options struct {
	DB        *db.DB
	Deployer  Deployer
	Workbench Workbench
	Logs      Logs
	Player    Player
	Site      func() Site
	Facts     func() doctor.Facts // what the checklist knows of the host and the environment; nil: nothing
	Passwords Passwords           // asks for the admin's password again
	SQLiteDir string              // the only directory SQLite connections reach
	Version   string
	Log       *slog.Logger
	Now       func() time.Time
}

// Service holds the operations.
type Service struct {
	Options
	started time.Time
	events  *hub
	health  *healthBook
	deploys *deploys

	generation atomic.Uint64 // grows with every change that a deploy would pick up
	pending    pendingCount
	kills      kills

	work    sync.WaitGroup // deploys that run
	ctx     context.Context
	cancel  context.CancelFunc
	unwatch func()
}

// New makes the service and begins to follow the store. Close ends it.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{Options: o, started: o.Now(), events: newHub(), health: newHealthBook(), deploys: &deploys{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.unwatch = o.DB.Observe(s.changed)
	return s
}

// Close cancels a deploy that runs, waits for it, and ends the event streams.
func (s *Service) Close() {
	s.cancel()
	s.work.Wait()
	s.unwatch()
	s.events.close()
}

// changed passes a committed change on.
func (s *Service) changed(c store.Change) {
	kind := c.EntityType
	if strings.HasPrefix(c.Operation, killChild) { // an event of a child: the entity is what it was
		kind = ""
	}
	switch kind {
	case store.KindConnection:
		s.health.forget(c.EntityID)
		s.Workbench.Forget(c.EntityID)
		s.generation.Add(1)
	case store.KindTool, store.KindResource, store.KindPrompt, store.KindServerConfig, store.KindRevision:
		s.generation.Add(1)
	}
	s.events.send(Event{Name: "change", Data: ChangeEvent{c.EntityType, c.EntityID, c.Operation, c.Actor, c.At}})
}

// Ops is the admin surface: what it lists is what exists.
func (s *Service) Ops() []op.Op {
	return slices.Concat(
		s.connectionOps(), s.schemaOps(), s.toolOps(), s.resourceOps(), s.promptOps(), s.authoringOps(),
		s.deployOps(), s.serverOps(), s.accessOps(), s.historyOps(), s.sampleOps(), s.checklistOps(), s.encryptionOps(),
	)
}

// Enums lists the string types of operations that have a fixed set of values.
func Enums() []op.Enum {
	return []op.Enum{
		op.EnumOf(mcpgen.Stopped, mcpgen.Deploying, mcpgen.Running, mcpgen.Failed),
		op.EnumOf(mcpgen.StepWaiting, mcpgen.StepRunning, mcpgen.StepDone, mcpgen.StepFailed),
		op.EnumOf(mcpgen.Added, mcpgen.Changed, mcpgen.Removed),
		op.EnumOf(mcpgen.Error, mcpgen.Warning),
		op.EnumOf(mcpgen.SandboxEnforce, mcpgen.SandboxDegraded),
		op.EnumOf(mcpgen.LevelFull, mcpgen.LevelStrong, mcpgen.LevelDegraded, mcpgen.LevelNone),
		op.EnumOf(mcpgen.LayerEnforced, mcpgen.LayerPartial, mcpgen.LayerUnavailable),
		op.EnumOf(mcpgen.RoleLive, mcpgen.RoleCandidate, mcpgen.RoleDraining, mcpgen.RoleWorkbench, mcpgen.RoleProbe),
		op.EnumOf(mcpgen.SecuritySIGSYS, mcpgen.SecurityBrokerAbuse, mcpgen.SecurityMemory),
		op.EnumOf(healthOK, healthFailing, healthUnknown, healthDisabled),
		op.EnumOf(KeyFromFile, KeyFromEnvironment),
		op.EnumOf(doctor.Statuses()...), op.EnumOf(doctor.Groups()...),
	}
}

// declare is op.New with this package's enumerations.
func declare[In, Out any](o op.Op, f func(context.Context, In) (Out, error)) op.Op {
	return op.New(o, f, Enums()...)
}

// none is the input of an operation that needs nothing.
type none struct{}

// byID is the input of an operation on one entity.
type byID struct {
	ID string `json:"id"`
}

// act says who does what, for the history.
func act(ctx context.Context, operation string) db.Act {
	p, _ := auth.FromContext(ctx)
	return db.Act{Actor: auth.Actor(p), Operation: operation}
}

// view runs f in a read transaction and returns what it found.
func view[T any](ctx context.Context, s *Service, f func(*db.Tx) (T, error)) (T, error) {
	var out T
	err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	return out, err
}

// update runs f in the write transaction and returns what it made.
func update[T any](ctx context.Context, s *Service, operation string, f func(*db.Tx) (T, error)) (T, error) {
	var out T
	err := s.DB.Update(ctx, act(ctx, operation), func(tx *db.Tx) (err error) {
		out, err = f(tx)
		return err
	})
	return out, err
}

// hasDriver reports whether this build reaches a kind of database.
func hasDriver(t store.DBType) bool {
	return slices.ContainsFunc(drivers(), func(d Driver) bool { return d.DBType == t && d.Available })
}

func needDriver(t store.DBType) error {
	if hasDriver(t) {
		return nil
	}
	return &store.Error{Code: store.NotAvailable, Field: "db_type", Message: "this version cannot reach " + string(t) + " databases yet; the connection can be kept, but not tested or used"}
}

// sentence is what may be shown of an error: its own words when it was made for people, else a fixed one.
func sentence(err error) string {
	var e *store.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return cmp.Or(map[bool]string{true: "it was cancelled"}[errors.Is(err, context.Canceled)], err.Error())
}
