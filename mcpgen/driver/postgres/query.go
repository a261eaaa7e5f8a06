package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mcpstudio/mcpgen/driver"
)

// errAgain says that a statement did not run and may be sent again on a new session.
type errAgain struct{ cause error }

func (e errAgain) Error() string { return e.cause.Error() }
func (e errAgain) Unwrap() error { return e.cause }

// Query implements driver.Pool. A statement that surely was not executed, because its session had died while it was idle
// (the server was restarted), is sent once more on a new session.
func (p *pool) Query(ctx context.Context, st *driver.Statement, args []driver.Arg, lim driver.Limits, b []byte) ([]byte, driver.Outcome, error) {
	var outcome driver.Outcome
	out := b
	err := p.with(ctx, lim.Timeout, func(s *session) (err error) {
		out, outcome, err = s.query(st, args, lim.OrDefaults(p.cfg.StatementTimeout), b)
		return err
	})
	if err != nil {
		return b, driver.Outcome{}, err
	}
	return out, outcome, nil
}

// with runs f on a session within the time limit, once more if the session was dead, and maps the error.
func (p *pool) with(ctx context.Context, timeout time.Duration, f func(*session) error) error {
	if timeout <= 0 {
		timeout = p.cfg.StatementTimeout
	}
	for again := false; ; again = true {
		s, err := p.wait(ctx, timeout, again)
		if err != nil {
			return err
		}
		err = p.on(ctx, s, timeout, f)
		var dead errAgain
		if !errors.As(err, &dead) {
			return err
		}
		p.dropIdle()
		if again || ctx.Err() != nil {
			return given(dead.cause)
		}
	}
}

// given maps the error of a statement that failed on a second session too.
func given(err error) *driver.Error {
	e := lost(err)
	if isCode(err, "26000") {
		e.Hint = `What a session prepares does not stay. If there is a pooler in transaction mode on the way, set the option pooler to "transaction".`
	}
	return e
}

// wait returns a session; it takes no longer than the statement itself may.
func (p *pool) wait(ctx context.Context, timeout time.Duration, fresh bool) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s, err := p.spare(fresh); s != nil || err != nil { // the usual case needs no timer
		return s, err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s, err := p.acquire(limited, fresh)
	var known *driver.Error // of the way to the server, which says more
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &known) {
		return nil, driver.NewError(driver.KindUnavailable, "no session became free in "+timeout.String(), err)
	}
	return s, err
}

// on runs f on s and gives s back.
func (p *pool) on(ctx context.Context, s *session, timeout time.Duration, f func(*session) error) error {
	returned := false
	defer func() {
		if !returned { // a panic: what is left of the flight would be read as the answer to the next statement
			s.unfit = true
		}
		p.release(s)
	}()
	start := time.Now()
	stop := s.watch(ctx, timeout)
	err := f(s)
	returned = true
	aborted := stop()
	if err == nil {
		return nil
	}
	if aborted {
		if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return &driver.Error{Kind: driver.KindCancelled, Message: "the statement was cancelled", Position: -1, Err: ctx.Err()}
		}
		return &driver.Error{Kind: driver.KindTimeout, Message: "the statement took longer than " + time.Since(start).Round(time.Millisecond).String() + " and was stopped", Position: -1, Err: context.DeadlineExceeded}
	}
	return p.mapped(err, time.Since(start))
}

func (p *pool) mapped(err error, took time.Duration) error {
	var again errAgain
	var own *driver.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &again), errors.As(err, &own):
		return err
	case errors.As(err, &pg):
		e := serverError(pg)
		if pg.Code == "57014" && took < p.cfg.StatementTimeout-p.cfg.StatementTimeout/10 {
			e.Kind = driver.KindCancelled // by somebody else: an administrator, or the server
		}
		return e
	}
	return lost(err)
}

func (s *session) query(st *driver.Statement, args []driver.Arg, lim driver.Limits, b []byte) ([]byte, driver.Outcome, error) {
	readOnly := st.ReadOnly || s.pool.cfg.ReadOnly
	for again := false; ; again = true {
		known := s.prepared[st] != nil
		pr, err := s.prepare(st)
		if err != nil {
			return b, driver.Outcome{}, err
		}
		values, err := pr.values(args)
		if err != nil {
			return b, driver.Outcome{}, err
		}
		w := driver.NewRowWriter(b, pr.heads, lim)
		f := flight{rows: &w, st: pr}
		if readOnly {
			s.read(&f, values, lim.Rows)
		} else {
			s.write(&f, values)
		}
		if f.err == nil && f.ended <= f.turn && !f.cut {
			s.unfit = true
			f.heard, f.err = true, errors.New("the server's answer ends early")
		}
		if f.changed {
			s.forget(st) // behind a pooler: nothing is sent
		}
		switch {
		case f.changed && readOnly && !again && !s.unfit:
			continue
		case f.changed && readOnly && f.err == nil: // so many rows that the rest was not read, or changed once more
			s.unfit = true
			return b, driver.Outcome{}, errAgain{errors.New("the table was altered meanwhile")}
		case f.err == nil: // a changed statement that writes did its work; its rows count as cut off
			return w.Close(), driver.Outcome{Rows: w.Rows, Truncated: w.Truncated, Affected: f.affected, Columns: pr.columns}, nil
		case f.retryable():
			return b, driver.Outcome{}, errAgain{f.err}
		case known && !again && s.stale(st, f.err):
			continue
		case readOnly && isCode(f.err, "26000"):
			s.unfit = true // some of what we had prepared is gone
			return b, driver.Outcome{}, errAgain{f.err}
		}
		return b, driver.Outcome{}, f.err
	}
}

// stale reports whether the table, or what else it names, changed under the prepared statement, and forgets it so that it is prepared
// again. It has not run, or what it did was rolled back with the error.
func (s *session) stale(st *driver.Statement, err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || s.unfit {
		return false
	}
	switch {
	case pg.Code == "0A000": // its columns are others
	case s.pooled && pg.Code == "08P01": // the same, where it is parsed anew: we ask formats for another number of columns
	case pg.Where != "" || pg.Code == "42501": // raised inside a function, or a matter of rights
		return false
	case strings.HasPrefix(pg.Code, "42"), pg.Code == "XX000": // its placeholders' types fit no more, or are gone
	default:
		return false
	}
	s.forget(st)
	return true
}

func isCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

// read runs a statement that may not write: one flight, always rolled back.
func (s *session) read(f *flight, values [][]byte, rows int) {
	s.add(begin)
	f.turn = 1 + s.addLocal()
	s.addStatement(f.st, values, uint32(rows+1)) // with the row after the last one wanted, "truncated" is exact
	s.add(unlock)                                // before the ROLLBACK, which does not take it back: after it, it would need a transaction of its own
	s.add(rollback)
	s.fly(f)
	if f.cut {
		s.abort()
		return
	}
	if s.unfit || f.err == nil && f.status == 'I' {
		return
	}
	// After an error the flight stopped before its ROLLBACK. The statement may also have chained a new transaction.
	s.clean()
}

// clean rolls back and releases what a rollback leaves. A session that cannot be cleaned is unfit.
func (s *session) clean() {
	var f flight
	s.add(rollback)
	s.add(unlock)
	s.fly(&f)
	if f.err != nil || f.status != 'I' {
		s.unfit = true
	}
}

// write runs a statement that may write. BEGIN goes alone: when it fails, the statement surely was not executed and may
// be sent again on a new session; afterwards it never is. What it does may hang on rows that nobody reads, as with a SELECT of a
// function that writes, so they are all made.
func (s *session) write(f *flight, values [][]byte) {
	first := flight{turn: -1}
	s.add(beginWrite)
	s.addLocal()
	s.fly(&first)
	if first.err != nil {
		f.err, f.heard = first.err, first.heard
		return
	}
	f.drain, f.heard = true, true
	s.addStatement(f.st, values, everyRow)
	s.add(commit)
	if s.pooled { // in the same flight, so that it reaches the same server session
		for _, sql := range resets() {
			s.add(control{sql: sql})
		}
	}
	s.fly(f)
	if s.unfit {
		return
	}
	if f.status != 'I' {
		s.clean()
	}
	if !s.pooled {
		s.reset()
	}
}

// reset brings a session of our own back to how it was opened.
func (s *session) reset() {
	if s.unfit {
		return
	}
	sql := strings.Join(resets(), "; ") + "; " + s.pool.setup()
	if s.attended {
		sql += "; " + lookForClient
	}
	if err := s.exec(sql); err != nil {
		s.unfit = true
	}
}
