// Package postgres drives PostgreSQL and what speaks its protocol: Greenplum and
// Supabase.
//
// It promises:
//
//   - A read-only statement runs as BEGIN READ ONLY, the prepared statement,
//     pg_advisory_unlock_all() and ROLLBACK in one flight, on a session whose
//     default is read-only. The extended protocol takes one statement; the flag
//     can be lifted only before the first snapshot, which every SELECT, DO and
//     CALL takes; inside an explicit transaction no procedure can commit; and
//     what is left, ROLLBACK undoes. The one session state that ROLLBACK leaves,
//     advisory locks, is released on every call, because a view or an operator
//     may take one without a function's name standing in the statement.
//   - When a caller goes away, a cancel request reaches the server and the
//     session is closed: a late cancel could hit the next statement.
//   - Nothing is read from the environment, from service files or from password
//     files.
//
// Its holes. Functions that open connections or files of their own (dblink,
// pg_read_file, COPY … TO PROGRAM) and those that signal other sessions are
// outside any transaction: they are for grants, and the lexer refuses their
// names. PREPARE TRANSACTION, where the server allows it, outlives the ROLLBACK:
// the lexer refuses it too. A function that runs SQL it is given can PREPARE, which
// outlives a ROLLBACK: under the name of another tool's statement it changes what
// that tool answers on this session, and under that of our unlocking it keeps its
// advisory locks until the session ends. It cannot write so: BEGIN has no name, and
// a ROLLBACK that is none ends the session. setseed() leaves a trace that holds no
// data. An Execute with a row limit, which every call that reads has, makes the
// server drop parallel plans (PostgreSQL manual, 15.2). Each read-only call counts
// as a rollback in pg_stat_database.
package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/store"
)

// Driver is PostgreSQL. The zero value is ready.
type Driver struct{}

var _ driver.Driver = Driver{}

// New returns the driver.
func New() Driver { return Driver{} }

// Dialect implements driver.Driver.
func (Driver) Dialect() sqllex.Dialect { return sqllex.PostgreSQL }

// Open implements driver.Driver.
func (Driver) Open(cfg driver.Config) (driver.Pool, error) { return open(cfg) }

// options are the keys of extra_params that this driver knows; others are for other parts.
type options struct {
	// Pooler is "transaction" when a proxy such as PgBouncer or Supavisor gives a server connection to each transaction:
	// nothing is then prepared by name or set for a session. "session" or empty: the session is ours alone.
	Pooler string
}

// supabaseTransactionPort is where Supabase's pooler runs in transaction mode.
const supabaseTransactionPort = 6543

func readOptions(cfg driver.Config) (options, error) {
	var o options
	if raw, ok := cfg.Extra["pooler"]; ok {
		if err := json.Unmarshal(raw, &o.Pooler); err != nil || o.Pooler != "" && o.Pooler != "session" && o.Pooler != "transaction" {
			return o, driver.NewError(driver.KindConfig, `the option pooler is "session" or "transaction"`, nil)
		}
	}
	if o.Pooler == "" && cfg.DBType == store.Supabase && cfg.Port == supabaseTransactionPort {
		o.Pooler = "transaction"
	}
	return o, nil
}

// open checks cfg and starts the pool's housekeeping; it dials nothing.
func open(cfg driver.Config) (*pool, error) {
	opt, err := readOptions(cfg)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Host == "":
		return nil, driver.NewError(driver.KindConfig, "the connection has no host", nil)
	case cfg.Port < 1 || cfg.Port > 65535:
		return nil, driver.NewError(driver.KindConfig, fmt.Sprintf("the port must be from 1 to 65535 and is %d", cfg.Port), nil)
	case cfg.Dial == nil:
		return nil, driver.NewError(driver.KindConfig, "there is no way to reach the server", nil)
	}
	if _, err := tlsConfigs(cfg); err != nil {
		return nil, err
	}
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = store.DefaultPoolSize
	}
	if cfg.StatementTimeout <= 0 {
		cfg.StatementTimeout = store.DefaultStatement * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &pool{
		cfg: cfg, pooled: opt.Pooler == "transaction", catalog: newCatalog(),
		slots: make(chan struct{}, cfg.MaxSessions), busy: map[*session]bool{}, types: map[uint32]typeInfo{},
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go p.keep()
	return p, nil
}

// pool holds the sessions of one database.
type pool struct {
	cfg    driver.Config
	pooled bool          // behind a transaction pooler
	slots  chan struct{} // one token for each session in use

	catalog catalog

	stop    chan struct{}
	stopped chan struct{}

	mu     sync.Mutex
	closed bool
	idle   []*session // the one used last is at the end
	busy   map[*session]bool

	typesMu sync.RWMutex
	types   map[uint32]typeInfo // of the database's own types, by OID
}

const (
	connectTimeout = 10 * time.Second
	idleFor        = 5 * time.Minute // an idle session beyond MinSessions is closed after this
	keepEvery      = 30 * time.Second
)

// acquire returns a session, waiting for one to be free until ctx ends. fresh asks for a new one.
func (p *pool) acquire(ctx context.Context, fresh bool) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.stop:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.take(fresh)
	if s == nil && err == nil {
		s, err = p.connect(ctx)
	}
	if err != nil {
		<-p.slots
		return nil, err
	}
	return s, nil
}

// spare returns a session if one is idle and may be used now, else nil.
func (p *pool) spare(fresh bool) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		return nil, nil
	}
	s, err := p.take(fresh)
	if s == nil {
		<-p.slots
	}
	return s, err
}

// take returns an idle session, or nil when there is none.
func (p *pool) take(fresh bool) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed()
	}
	if n := len(p.idle); n > 0 && !fresh {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.busy[s] = true
		return s, nil
	}
	return nil, nil
}

func (p *pool) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	s, err := p.newSession(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		s.close()
		return nil, errClosed()
	}
	p.busy[s] = true
	return s, nil
}

// release puts a session back, or closes it when it is not fit for another statement.
func (p *pool) release(s *session) {
	p.mu.Lock()
	delete(p.busy, s)
	keep := !s.unfit && !p.closed
	if keep {
		s.idleSince = p.cfg.Now()
		p.idle = append(p.idle, s)
	}
	p.mu.Unlock()
	if !keep {
		s.close()
	}
	<-p.slots
}

// dropIdle closes every idle session: after one turned out dead, the others are likely dead too.
func (p *pool) dropIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, s := range idle {
		s.close()
	}
}

// keep closes sessions that were idle for long, until the pool is closed.
func (p *pool) keep() {
	defer close(p.stopped)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			for _, s := range p.expired() {
				s.close()
			}
		}
	}
}

func (p *pool) expired() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, n := p.cfg.Now(), 0
	for n < len(p.idle)-p.cfg.MinSessions && now.Sub(p.idle[n].idleSince) >= idleFor {
		n++
	}
	old := append([]*session(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	return old
}

// Close implements driver.Pool. Statements that run are cancelled; Close returns when the last session is closed.
func (p *pool) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.stopped
		return
	}
	p.closed = true
	idle := p.idle
	p.idle = nil
	var running []*session
	for s := range p.busy {
		running = append(running, s)
	}
	p.mu.Unlock()
	close(p.stop)
	<-p.stopped
	for _, s := range idle {
		s.close()
	}
	var cancels sync.WaitGroup
	for _, s := range running {
		cancels.Go(s.abort)
	}
	cancels.Wait()
	for range cap(p.slots) { // every slot is free when every session has been given back
		p.slots <- struct{}{}
	}
}

func errClosed() error {
	return driver.NewError(driver.KindUnavailable, "the connection is closed", nil)
}
