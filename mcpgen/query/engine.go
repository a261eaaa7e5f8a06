package query

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/queue"
	"mcpstudio/store"
)

// Engine runs statements on the connections it was given. Connections and tools are added before calls begin or while
// they run; all methods may be called at once.
type Engine struct {
	opt     Options
	cache   *cache
	room    *queue.Room
	scratch sync.Pool // of *values
	serial  atomic.Uint64

	transforms chan struct{} // one token for each transform that runs

	mu          sync.RWMutex
	connections map[string]*connection
	closed      bool
}

// connection is one database with its pool and its queue.
type connection struct {
	name    string
	cfg     driver.Config
	driver  driver.Driver
	pool    driver.Pool
	queue   *queue.Queue
	rows    int
	bytes   int
	timeout time.Duration
}

// New returns an engine without connections.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	e := &Engine{opt: o, cache: newCache(o.CacheBytes, o.Now), transforms: make(chan struct{}, min(runtime.GOMAXPROCS(0), maxTransforms)), connections: map[string]*connection{}}
	e.scratch.New = func() any { return new(values) }
	if o.Places > 0 {
		e.room = queue.NewRoom(o.Places)
	}
	return e
}

// AddConnection opens a connection's pool; nothing is dialled until the first statement. It returns a *store.Error with
// NotAvailable when this build has no driver for the type, Invalid when the settings cannot work, and Conflict when the
// id is taken.
func (e *Engine) AddConnection(c Connection) error {
	cfg := c.Config
	d, ok := e.opt.Drivers[cfg.DBType]
	if !ok {
		return &store.Error{Code: store.NotAvailable, Field: "db_type", Message: fmt.Sprintf("this version has no driver for %s yet", cfg.DBType)}
	}
	if e.opt.Dial != nil {
		cfg.Dial = e.opt.Dial(cfg.ID)
	}
	cfg.SQLiteDir, cfg.Now = e.opt.SQLiteDir, e.opt.Now
	cfg.GiveUp = func(why string) { e.giveUp(c.Name, why) }
	cfg.StatementTimeout = orDefault(cfg.StatementTimeout, store.DefaultStatement*time.Second)
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, taken := e.connections[cfg.ID]; taken || e.closed {
		return &store.Error{Code: store.Conflict, Message: "the connection is there already, or the engine is closed"}
	}
	pool, err := d.Open(cfg)
	if err != nil {
		return &store.Error{Code: store.Invalid, Message: fmt.Sprintf("the settings of the connection %q cannot work: %v", c.Name, err), Err: err}
	}
	e.connections[cfg.ID] = &connection{
		name: c.Name, cfg: cfg, driver: d, pool: pool,
		queue: queue.New(queue.Limits{
			Concurrent: orDefault(c.Concurrent, store.DefaultConcurrent),
			Wait:       orDefault(c.QueueWait, store.DefaultQueueWait*time.Second),
			Enabled:    c.QueueEnabled,
		}, e.room),
		rows:    orDefault(c.MaxRows, store.DefaultRowLimit),
		bytes:   orDefault(c.MaxBytes, store.DefaultResultBytes),
		timeout: cfg.StatementTimeout,
	}
	return nil
}

// Close ends every session and waits for them. Calls that run are cancelled.
func (e *Engine) Close() {
	e.mu.Lock()
	all := e.connections
	e.connections, e.closed = map[string]*connection{}, true
	e.mu.Unlock()
	for _, c := range all {
		c.pool.Close()
	}
}

// QueueStats returns the state of a connection's queue; ok is false when the connection is not known.
func (e *Engine) QueueStats(connection string) (stats queue.Stats, ok bool) {
	c, ok := e.connection(connection)
	if !ok {
		return queue.Stats{}, false
	}
	return c.queue.Stats(), true
}

func (e *Engine) connection(id string) (*connection, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c, ok := e.connections[id]
	return c, ok
}

func (e *Engine) run(ctx context.Context, q *Request, b []byte) ([]byte, Result, error) {
	p := q.Tool
	v := e.scratch.Get().(*values)
	defer e.scratch.Put(v)
	if err := p.check(ctx, q.Args); err != nil {
		return b, Result{}, err
	}
	if err := p.parse(q.Args, v); err != nil {
		return b, Result{}, err
	}
	p.bind(q.Caller, v)
	lim := p.limits(q.Limits)
	cached := p.ttl > 0 && !q.NoCache
	if cached {
		p.key(lim, v)
		if hit, ok := e.cache.get(v.key); ok {
			return append(b, hit.json...), Result{RowCount: hit.rows, Truncated: hit.truncated, Columns: hit.columns, Cached: true}, nil
		}
	}
	out, res, err := e.query(ctx, q, lim, v, b)
	if err != nil {
		return b, res, err
	}
	if cached {
		e.cache.put(v.key, entry{json: append([]byte(nil), out[len(b):]...), rows: res.RowCount, truncated: res.Truncated, columns: res.Columns}, p.ttl)
	}
	return out, res, nil
}

// query admits the statement, runs it and transforms its rows.
func (e *Engine) query(ctx context.Context, q *Request, lim driver.Limits, v *values, b []byte) ([]byte, Result, error) {
	p := q.Tool
	release, wait, err := p.conn.queue.Admit(ctx, q.Principal)
	res := Result{Wait: wait}
	if err != nil {
		return b, res, queueError(err)
	}
	defer release() // does nothing a second time; a driver that panics must not keep the place for ever
	start := e.opt.Now()
	out := b
	if p.transform == nil {
		out = append(out, `{"rows":`...)
	} else {
		out = nil
	}
	from := len(out)
	out, outcome, err := p.conn.pool.Query(ctx, &p.statement, v.bound, lim, out)
	if p.transform == nil { // rows that wait for their transform would pile up if others could already fetch theirs
		release()
	}
	res.Run = e.opt.Now().Sub(start)
	res.Columns, res.RowCount, res.Truncated, res.Affected = outcome.Columns, outcome.Rows, outcome.Truncated, outcome.Affected
	if err != nil {
		return b, res, p.databaseError(ctx, err, lim)
	}
	res.Rows = out[from:len(out):len(out)]
	if e.opt.Log.Enabled(ctx, slog.LevelDebug) {
		e.opt.Log.LogAttrs(ctx, slog.LevelDebug, "ran statement", slog.String("tool", p.name), slog.Int("rows", res.RowCount), slog.Duration("run", res.Run))
	}
	if p.transform != nil {
		b, err = e.apply(ctx, p, res.Rows, v, b)
		return b, res, err
	}
	out = append(out, `,"row_count":`...)
	out = strconv.AppendInt(out, int64(res.RowCount), 10)
	out = append(out, `,"truncated":`...)
	return append(strconv.AppendBool(out, res.Truncated), '}'), res, nil
}

// Description is what the database says of a statement without running it.
type Description struct {
	Columns []driver.Column
	Params  map[string]store.ParamType // by placeholder; those the database could not tell are left out
}

// Describe asks the database to parse a tool's statement. The error is an *Error with the database's words as Detail.
func (e *Engine) Describe(ctx context.Context, p *Prepared, lim Limits) (Description, error) {
	l := p.limits(lim)
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	d, err := p.conn.pool.Describe(ctx, &p.statement)
	if err != nil {
		return Description{}, p.databaseError(ctx, err, l)
	}
	out := Description{Columns: d.Columns, Params: map[string]store.ParamType{}}
	for i, t := range d.Params {
		if i < len(p.order) && t != "" {
			out.Params[p.placeholder(i)] = t
		}
	}
	return out, nil
}

// Schema returns what lists the tables of a connection. It is a *store.Error with NotFound when the connection is not
// known and NotAvailable when its database cannot list anything.
func (e *Engine) Schema(connection string) (driver.Schema, error) {
	c, ok := e.connection(connection)
	if !ok {
		return nil, unknownConnection(connection)
	}
	s, ok := c.pool.(driver.Schema)
	if !ok {
		return nil, &store.Error{Code: store.NotAvailable, Message: "this kind of database cannot list its tables"}
	}
	return s, nil
}

// Test connects step by step with the connection's settings, on a session of its own.
func (e *Engine) Test(ctx context.Context, connection string, report func(driver.Step)) (driver.TestInfo, error) {
	c, ok := e.connection(connection)
	if !ok {
		return driver.TestInfo{}, unknownConnection(connection)
	}
	return c.driver.Test(ctx, c.cfg, report)
}

// giveUp ends the process, and with it a statement that nothing else stops. Whoever started the process starts another one.
func (e *Engine) giveUp(connection, why string) {
	e.opt.Log.Error("the server ends itself: "+why, "connection", connection)
	const untilLogged = 200 * time.Millisecond // a log may be on its way to another process
	time.Sleep(untilLogged)
	panic("connection " + connection + ": " + why)
}

func unknownConnection(id string) error {
	if id == "" {
		return &store.Error{Code: store.Invalid, Field: "connection_id", Message: "no connection is named"}
	}
	return &store.Error{Code: store.NotFound, Field: "connection_id", Message: fmt.Sprintf("there is no connection %s", id)}
}

func orDefault[T int | time.Duration](v, fallback T) T {
	if v == 0 {
		return fallback
	}
	return v
}

// isDone reports whether ctx ended, or err says that some context did.
func isDone(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
