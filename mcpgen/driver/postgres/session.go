package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mcpstudio/mcpgen/driver"
)

// control is a statement of our own that surrounds a tool's. With a name it is prepared once for each session. The one that begins to
// read has none and is parsed anew: a function that runs SQL it is given can put another statement under any name, and a ROLLBACK that
// is none would then commit. Where there is a transaction, it shows by what is still open.
type control struct{ name, sql string }

var (
	begin      = control{"", "BEGIN READ ONLY"}
	rollback   = control{"ro_rollback", "ROLLBACK"}
	unlock     = control{"ro_unlock", "SELECT pg_catalog.pg_advisory_unlock_all()"} // no search_path of a statement changes what that is
	beginWrite = control{"rw_begin", "BEGIN READ WRITE"}
	commit     = control{"rw_commit", "COMMIT"}
)

// resets undo what a committed statement may have left in the session: cursors, role, settings, listeners, locks,
// temporary tables, sequence values. DISCARD ALL would do, but drops the prepared statements too (PostgreSQL manual, DISCARD).
func resets() []string {
	return []string{"CLOSE ALL", "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "UNLISTEN *", unlock.sql, "DISCARD TEMP", "DISCARD SEQUENCES"}
}

// session is one PostgreSQL connection. After it is open, calls speak the protocol through pgx's frontend: that is where
// Execute's row limit, one write for several statements and the undecoded values are to be had.
type session struct {
	pool     *pool
	pg       *pgconn.PgConn
	fe       *pgproto3.Frontend
	pooled   bool
	prepared map[*driver.Statement]*prepared
	serial   uint64
	local    string // behind a pooler: the settings of each transaction
	attended bool   // the server takes the setting lookForClient

	unfit     bool // not for another statement
	idleSince time.Time

	clock  clock          // of what runs
	aborts sync.WaitGroup // by a context that ended
}

// settings are the session's, in the order they are set. Through a pooler they are set in each transaction instead.
func (p *pool) settings() [][2]string {
	ms := strconv.FormatInt(p.cfg.StatementTimeout.Milliseconds(), 10)
	return [][2]string{
		{"statement_timeout", ms},
		{"idle_in_transaction_session_timeout", "10000"},
		{"bytea_output", "hex"},
		{"IntervalStyle", "postgres"},
		{"extra_float_digits", "3"}, // floats with every digit also before PostgreSQL 12
		{"DateStyle", "ISO, YMD"},
		{"TimeZone", "UTC"},
	}
}

// lookForClient has the server end a statement whose client is gone (PostgreSQL 14, where its system can tell). Otherwise a function
// that swallows its cancellation would run on for ever.
const lookForClient = "SET client_connection_check_interval = '2s'"

// setup is what a session of our own runs once, and again after RESET ALL.
func (p *pool) setup() string {
	sql := "SET default_transaction_read_only = on"
	for _, s := range p.settings() {
		sql += "; SET " + s[0] + " = '" + s[1] + "'"
	}
	return sql
}

func (p *pool) newSession(ctx context.Context) (*session, error) {
	pg, err := dial(ctx, p.cfg, nil)
	if err != nil {
		return nil, err
	}
	s := p.wrap(pg)
	stop := s.watch(ctx, connectTimeout)
	err = s.prepareControls()
	if aborted := stop(); err != nil || aborted {
		s.close()
		return nil, connectError(ctx, errors.Join(err, ctx.Err()))
	}
	return s, nil
}

// wrap makes a session of a connection. From here on pgconn is used to cancel and for nothing else: its other methods
// close a connection in the background, where nobody could wait for them.
func (p *pool) wrap(pg *pgconn.PgConn) *session {
	s := &session{pool: p, pg: pg, fe: pg.Frontend(), pooled: p.pooled, prepared: map[*driver.Statement]*prepared{}}
	s.clock.expire = s.abort
	if s.pooled {
		var calls []string
		for _, set := range p.settings() {
			calls = append(calls, "set_config('"+set[0]+"', '"+set[1]+"', true)")
		}
		s.local = "SELECT " + strings.Join(calls, ", ")
	}
	return s
}

// prepareControls sets the session up and prepares our own statements in it, where it is ours alone.
func (s *session) prepareControls() error {
	if s.pooled {
		return nil
	}
	if err := s.exec(s.pool.setup()); err != nil {
		return err
	}
	var unknown *pgconn.PgError
	switch err := s.exec(lookForClient); {
	case err == nil:
		s.attended = true
	case !errors.As(err, &unknown) || s.unfit:
		return err
	}
	for _, c := range []control{rollback, unlock, beginWrite, commit} {
		s.fe.SendParse(&pgproto3.Parse{Name: c.name, Query: c.sql})
	}
	f := flight{turn: -1}
	s.fly(&f)
	return f.err
}

// close ends the session; the server learns of it, unless the network is dead.
func (s *session) close() {
	s.clock.end()
	conn := s.pg.Conn()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // each step may fail: the session is given up either way
	s.fe.Send(&pgproto3.Terminate{})
	_ = s.fe.Flush()
	_ = conn.Close()
}

// abortGrace is how long a cancelled session may take to say so before its connection is cut.
const abortGrace = 3 * time.Second

// abort stops what runs on the session: it asks the server, and gives the connection a short time to end. It may run
// beside the goroutine that uses the session.
func (s *session) abort() {
	_ = s.pg.Conn().SetDeadline(time.Now().Add(abortGrace)) // fails only on a closed connection
	ctx, cancel := context.WithTimeout(context.Background(), abortGrace)
	defer cancel()
	_ = s.pg.CancelRequest(ctx) // the deadline above ends the session when the request cannot get through
}

// watch aborts the session when ctx ends or the time is up. The returned function stops watching and waits for an abort
// that has begun; it reports whether there was one.
func (s *session) watch(ctx context.Context, timeout time.Duration) func() bool {
	s.clock.start(timeout)
	s.aborts.Add(1)
	forget := afterFunc(ctx, func() { defer s.aborts.Done(); s.abort() })
	return func() bool {
		aborted := s.clock.stop()
		if forget() {
			s.aborts.Done()
		} else {
			aborted = true
		}
		if aborted {
			s.aborts.Wait()
			s.unfit = true // a late cancel must not hit the next statement
		}
		return aborted
	}
}

// afterFunc is context.AfterFunc. A context that has the method itself, as package context allows, spares the one that
// would be made around it.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(f func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// clock ends what takes too long on one session. Its timer goes on from call to call and only looks, when it fires, what
// the time limit is by then: a timer that every call set and stopped would wake an idle thread each time.
type clock struct {
	expire func() // called once, by the timer's goroutine, when the time is up

	mu       sync.Mutex
	timer    *time.Timer
	fires    time.Time // when the timer will; zero: it is not set
	deadline time.Time // of what runs; zero: nothing does
	expired  sync.WaitGroup
	late     bool
}

// start begins to watch one thing.
func (c *clock) start(timeout time.Duration) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = now.Add(timeout)
	switch {
	case c.timer == nil:
		c.timer = time.AfterFunc(timeout, c.look)
	case c.fires.IsZero() || c.deadline.Before(c.fires):
		c.timer.Reset(timeout)
	default:
		return
	}
	c.fires = c.deadline
}

// look is what the timer does.
func (c *clock) look() {
	c.mu.Lock()
	now := time.Now()
	switch {
	case c.deadline.IsZero() || c.late:
		c.fires = time.Time{}
	case now.Before(c.deadline):
		c.fires = c.deadline
		c.timer.Reset(c.deadline.Sub(now))
	default:
		c.late = true
		c.expired.Add(1)
		defer c.expired.Done()
		defer c.expire()
	}
	c.mu.Unlock()
}

// stop ends the watch. It reports whether the time was up, and then returns after expire has.
func (c *clock) stop() bool {
	c.mu.Lock()
	c.deadline = time.Time{}
	late := c.late
	c.mu.Unlock()
	c.expired.Wait()
	return late
}

// end is for when nothing will be watched any more.
func (c *clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
}
