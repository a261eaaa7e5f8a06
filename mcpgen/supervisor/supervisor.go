package supervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// BrokerPolicy says what a child's broker may dial besides the exact hosts and
// ports of its manifest, which always limit it.
type BrokerPolicy struct {
	// AllowPrivate lets connections lead to loopback and private addresses.
	AllowPrivate bool
	// Own returns the studio's own listeners, which are refused always.
	Own func() []netip.AddrPort
	// Resolve looks names up; nil is net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Options says how children run. The zero value works: this program's hidden
// command "child", nothing but public addresses, no SQLite files, and a child
// below the sandbox's minimum is not refused. What a child may use of memory and
// processors comes with its manifest.
type Options struct {
	Exe       string           // program of the child; "": this one
	Args      []string         // its argv; nil: studio child
	Starter   *sandbox.Starter // starts the children instead of this process, with its own program and argv; nil: this process does
	Enforce   bool             // refuse a child below the sandbox's minimum
	Broker    BrokerPolicy
	SQLiteDir string // absolute directory of the SQLite databases; "": none
	Log       *slog.Logger
	Now       func() time.Time

	StartTimeout time.Duration // for a child to be ready; 0: 20 s
	DrainTimeout time.Duration // for an old child to finish its calls; 0: 30 s
	BenchIdle    time.Duration // after which an unused workbench ends; 0: 60 s
	BenchMax     int           // workbenches at once; 0: 4
	AliveEvery   time.Duration // between questions whether a child still answers; 0: 5 s
	AliveTimeout time.Duration // without an answer, after which a child is killed; 0: 30 s
	CallTimeout  time.Duration // without an answer, after which a call is given up; 0: 20 min, more than its turn (300 s) and its statement (600 s) take
}

func (o Options) filled() Options {
	if o.Args == nil {
		o.Args = []string{"studio", "child"}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.StartTimeout = cmp.Or(o.StartTimeout, 20*time.Second)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 30*time.Second)
	o.BenchIdle = cmp.Or(o.BenchIdle, time.Minute)
	o.BenchMax = cmp.Or(o.BenchMax, 4)
	o.AliveEvery = cmp.Or(o.AliveEvery, 5*time.Second)
	o.AliveTimeout = cmp.Or(o.AliveTimeout, 30*time.Second)
	o.CallTimeout = cmp.Or(o.CallTimeout, 20*time.Minute)
	return o
}

// Supervisor owns every child process. Its methods may be used from many
// goroutines at once.
type Supervisor struct {
	o    Options
	logs *Log

	base  context.Context // of everything that runs; ends with Close
	end   context.CancelFunc
	tasks sync.WaitGroup
	slots atomic.Int64 // children started, for the sandbox's choice of uid

	cur    atomic.Pointer[slot] // where calls go
	change chan struct{}        // of capacity one: somebody should look at State
	alone  chan struct{}        // of capacity one: held by whoever deploys or stops

	mu        sync.Mutex
	live      *keeper
	deploying bool
	failure   string // why nothing runs, when the last deploy failed with nothing live
	observers []func(mcpgen.ServerState)
	guards    []func(mcpgen.SecurityEvent)
	parent    *mcpgen.ParentState // nil: the studio did not confine itself

	benches benches
	roster  *roster

	probing chan struct{} // of capacity one: held by whoever uses probe
	probe   *mcpgen.ChildState
}

// New makes a supervisor with nothing deployed. Close ends it.
func New(o Options) *Supervisor {
	v := &Supervisor{
		o: o.filled(), change: make(chan struct{}, 1), alone: make(chan struct{}, 1),
		benches: benches{byKey: map[string]*bench{}, freed: make(chan struct{})}, roster: newRoster(), probing: make(chan struct{}, 1),
	}
	v.logs = newLog(v.o.Now)
	v.slots.Store(int64(rand.IntN(sandbox.UIDs))) // so that studios beside one another seldom share a uid, and with it its limits
	v.base, v.end = context.WithCancel(context.Background())
	v.cur.Store(&slot{next: make(chan struct{})})
	v.tasks.Go(v.notify)
	v.tasks.Go(v.sweepBenches)
	return v
}

// Logs is the log of deploys and children.
func (v *Supervisor) Logs() *Log { return v.logs }

// OnChange calls f with the state after it has changed, from one goroutine, until
// Close. Changes in quick succession may come as one.
func (v *Supervisor) OnChange(f func(mcpgen.ServerState)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.observers = append(v.observers, f)
}

// OnSecurity calls f once for every child that was killed for what it did, also a workbench, from a goroutine of that child; Close
// waits for it.
func (v *Supervisor) OnSecurity(f func(mcpgen.SecurityEvent)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.guards = append(v.guards, f)
}

func (v *Supervisor) report(e mcpgen.SecurityEvent) {
	v.mu.Lock()
	guards := v.guards[:len(v.guards):len(v.guards)]
	v.mu.Unlock()
	for _, f := range guards {
		f(e)
	}
}

func (v *Supervisor) changed() {
	select {
	case v.change <- struct{}{}:
	default: // somebody looks already
	}
}

func (v *Supervisor) notify() {
	for {
		select {
		case <-v.change:
		case <-v.base.Done():
			return
		}
		v.mu.Lock()
		observers := v.observers[:len(v.observers):len(v.observers)]
		v.mu.Unlock()
		state := v.State()
		for _, f := range observers {
			f(state)
		}
	}
}

// State is what is known of the live revision now.
func (v *Supervisor) State() mcpgen.ServerState {
	v.mu.Lock()
	live, deploying, failure := v.live, v.deploying, v.failure
	v.mu.Unlock()
	s := mcpgen.ServerState{Status: mcpgen.Stopped, Error: failure, Layers: []mcpgen.Layer{}}
	if failure != "" {
		s.Status = mcpgen.Failed
	}
	if live != nil {
		live.fill(&s)
	}
	if deploying {
		s.Status = mcpgen.Deploying
	}
	return s
}

// errBusy is the answer to a deploy or stop while another one is under way.
func errBusy() error {
	return &store.Error{Code: store.Conflict, Message: "A deploy is running. Wait until it has finished, then try again."}
}

// begin takes the right to deploy or stop.
func (v *Supervisor) begin() error {
	if v.base.Err() != nil {
		return &store.Error{Code: store.Unavailable, Message: "The studio is shutting down."}
	}
	select {
	case v.alone <- struct{}{}:
		return nil
	default:
		return errBusy()
	}
}

// Deploy brings d live: it starts a candidate, verifies its sandbox, makes a real
// MCP round trip, switches, and drains the old child in the background. progress,
// which may be nil, is called at the begin and the end of the steps start,
// health_check and switch. On an error, also when ctx ends before the switch,
// the revision that was live before goes on as if nothing had happened.
//
// A deploy while another runs is a store.Conflict; any other error is a sentence
// for the admin.
func (v *Supervisor) Deploy(ctx context.Context, d mcpgen.Deployment, progress func(mcpgen.Step)) error {
	if err := v.begin(); err != nil {
		return err
	}
	defer func() { <-v.alone }()
	v.setDeploying(true)
	err := v.deploy(ctx, d, &steps{now: v.o.Now, report: progress, log: v.logs, revision: d.Revision})
	v.mu.Lock()
	v.deploying = false
	if v.live == nil && err != nil && ctx.Err() == nil {
		v.failure = err.Error()
	}
	v.mu.Unlock()
	v.changed()
	if err != nil {
		return fmt.Errorf("deploy revision %d: %w", d.Revision, err)
	}
	v.o.Log.Info("revision is live", "revision", d.Revision)
	return nil
}

func (v *Supervisor) setDeploying(on bool) {
	v.mu.Lock()
	v.deploying = on
	v.mu.Unlock()
	v.changed()
}

func (v *Supervisor) deploy(ctx context.Context, d mcpgen.Deployment, st *steps) error {
	var candidate *process
	var plan *plan
	err := st.run("start", func() (detail string, err error) {
		if plan, err = v.planServer(d); err != nil {
			return "", err
		}
		if candidate, err = v.spawn(ctx, plan); err != nil {
			return "", err
		}
		return fmt.Sprintf("sandbox: %s, process %d", candidate.box.Level(), candidate.box.PID()), nil
	})
	if err != nil {
		return err
	}
	err = st.run("health_check", func() (string, error) {
		ctx, cancel := context.WithTimeout(ctx, v.o.StartTimeout)
		defer cancel()
		detail, err := probe(ctx, candidate.link, d.Manifest)
		return detail, candidate.explain(err)
	})
	if err == nil {
		err = st.run("switch", func() (string, error) { return v.switchTo(ctx, plan, candidate) })
	}
	if err != nil {
		candidate.end("the deploy failed")
		candidate.gone()
	}
	return err
}

// switchTo makes the candidate the live child and retires the one before.
func (v *Supervisor) switchTo(ctx context.Context, p *plan, candidate *process) (string, error) {
	k := newKeeper(v, p, candidate)
	fresh := newSlot(candidate)
	v.mu.Lock()
	// From here on nothing waits: a cancel that comes later comes too late.
	if err := ctx.Err(); err != nil {
		v.mu.Unlock()
		return "", err
	}
	if isDone(candidate.ended) {
		v.mu.Unlock()
		return "", errors.New("the new server ended right after its check")
	}
	old := v.live
	v.live, v.failure = k, ""
	last := v.swap(fresh)
	v.roster.assign(candidate, mcpgen.RoleLive)
	v.logs.keep(p.revision)
	v.mu.Unlock()
	v.tasks.Go(k.run)
	if old == nil {
		return "first revision since the start", nil
	}
	v.tasks.Go(func() { old.retire(v.base, last, v.o.DrainTimeout) })
	return fmt.Sprintf("revision %d finishes its calls", old.plan.revision), nil
}

// swap publishes where calls go from now on and returns where they went. The
// caller holds v.mu.
func (v *Supervisor) swap(s *slot) *slot {
	old := v.cur.Swap(s)
	close(old.next)
	return old
}

// Stop ends the live revision: new calls are refused at once, running ones have
// until the drain time or ctx ends. It returns when the child is gone.
func (v *Supervisor) Stop(ctx context.Context) error {
	if err := v.begin(); err != nil {
		return err
	}
	defer func() { <-v.alone }()
	v.stop(ctx)
	return nil
}

func (v *Supervisor) stop(ctx context.Context) {
	v.mu.Lock()
	old := v.live
	v.live, v.failure = nil, ""
	var last *slot
	if old != nil {
		last = v.swap(&slot{next: make(chan struct{})})
	}
	v.mu.Unlock()
	v.changed()
	if old != nil {
		old.retire(ctx, last, v.o.DrainTimeout)
		v.logs.add(slog.LevelInfo, sourceSupervisor, old.plan.revision, "stopped", nil)
	}
	v.changed()
}

// Close stops the live revision as Stop does, ends every workbench and waits for
// all goroutines. It waits for a deploy under way only as long as ctx lasts.
func (v *Supervisor) Close(ctx context.Context) error {
	select {
	case v.alone <- struct{}{}:
		v.stop(ctx)
	case <-ctx.Done():
	}
	v.end()
	v.closeBenches()
	done := make(chan struct{})
	go func() { v.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		// Children die with their contexts; what is left needs a moment longer than the caller has.
		select {
		case <-done:
			return nil
		case <-time.After(2 * time.Second):
			return fmt.Errorf("close supervisor: %w", ctx.Err())
		}
	}
}

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
