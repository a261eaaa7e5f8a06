package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	lib "modernc.org/sqlite/lib"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// maxPrepared is how many statements a handle keeps prepared; the one not used for longest goes first.
const maxPrepared = 256

// prepared is one statement on one handle.
type prepared struct {
	stmt     uintptr
	compiled int32 // how often SQLite had compiled it anew when the columns were read
	columns  []driver.Column
	kinds    []kind
	heads    [][]byte
	used     uint64
}

// Query implements driver.Pool.
func (p *pool) Query(ctx context.Context, st *driver.Statement, args []driver.Arg, lim driver.Limits, b []byte) ([]byte, driver.Outcome, error) {
	lim = lim.OrDefaults(p.cfg.StatementTimeout)
	var outcome driver.Outcome
	out := b
	err := p.with(ctx, st, lim.Timeout, func(s *session, pr *prepared) error {
		defer s.h.reset(pr.stmt)
		if err := s.bind(pr, st, args); err != nil {
			return err
		}
		var err error
		out, outcome, err = s.run(pr, lim, b)
		return err
	})
	if err != nil {
		return b, driver.Outcome{}, err
	}
	return out, outcome, nil
}

// Describe implements driver.Pool. SQLite has no parameter types to tell.
func (p *pool) Describe(ctx context.Context, st *driver.Statement) (driver.Description, error) {
	var out driver.Description
	err := p.with(ctx, st, p.cfg.StatementTimeout, func(_ *session, pr *prepared) error {
		out = driver.Description{Columns: pr.columns, Params: make([]store.ParamType, len(st.Params))}
		return nil
	})
	return out, err
}

// with prepares st on a handle and runs f within the time limit.
func (p *pool) with(ctx context.Context, st *driver.Statement, timeout time.Duration, f func(*session, *prepared) error) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s, err := p.acquire(limited, !st.ReadOnly && !p.cfg.ReadOnly)
	if err != nil {
		return p.ended(ctx, limited, err)
	}
	defer p.release(s)
	defer s.watch(limited)()
	pr, err := s.prepare(st)
	if err == nil {
		err = f(s, pr)
	}
	return p.ended(ctx, limited, err)
}

// ended maps an error that is due to the end of a context, or of the pool.
func (p *pool) ended(ctx, limited context.Context, err error) error {
	if err == nil {
		return nil
	}
	if limited.Err() == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.closed && driver.KindOf(err) == driver.KindTimeout { // Close interrupts what runs
			return &driver.Error{Kind: driver.KindCancelled, Message: "the statement was stopped because the connection was closed", Position: -1, Err: err}
		}
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &driver.Error{Kind: driver.KindCancelled, Message: "the statement was cancelled", Position: -1, Err: ctx.Err()}
	}
	return &driver.Error{Kind: driver.KindTimeout, Message: "the statement took too long and was stopped", Position: -1, Err: context.DeadlineExceeded}
}

// interruptEvery is how often a statement whose time is over is told so: an interrupt that comes before the first step
// is lost.
const interruptEvery = 20 * time.Millisecond

// maxInterrupts is how many of them a statement may go on after: ten seconds. SQLite looks for them between the steps of its machine,
// and one step can take hours, such as instr() of two values of some megabytes.
const maxInterrupts = 500

// watch interrupts the handle when ctx ends. The returned function stops watching and waits until nothing interrupts.
func (s *session) watch(ctx context.Context) func() {
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer done.Done()
		tick := time.NewTicker(interruptEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			s.h.interrupt()
			if n == maxInterrupts {
				s.giveUp("a statement went on for ten seconds after its time was over, in one function of SQLite on a large value; only the end of the process stops it")
			}
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(quit)
		if !stop() {
			done.Wait()
		}
	}
}

func (s *session) prepare(st *driver.Statement) (*prepared, error) {
	s.serial++
	if pr := s.prepared[st]; pr != nil {
		pr.used = s.serial
		return pr, nil
	}
	stmt, err := s.h.prepare(st.SQL)
	if err != nil {
		return nil, err
	}
	switch {
	case !s.writes && !s.h.readOnly(stmt):
		err = driver.NewError(driver.KindReadOnly, "the statement is not read-only", nil)
	case s.h.parameters(stmt) != len(st.Params):
		err = driver.NewError(driver.KindSyntax, fmt.Sprintf("the database sees %d parameters in the statement, the studio %d", s.h.parameters(stmt), len(st.Params)), nil)
	}
	if err != nil {
		s.h.finalize(stmt)
		return nil, err
	}
	if len(s.prepared) >= maxPrepared {
		s.forgetOldest()
	}
	pr := &prepared{stmt: stmt, used: s.serial}
	s.readColumns(pr)
	s.prepared[st] = pr
	return pr, nil
}

// readColumns notes the result's columns. SQLite compiles a statement anew by itself when the schema changes, and then
// the columns may be others.
func (s *session) readColumns(pr *prepared) {
	n := s.h.columns(pr.stmt)
	names := make([]string, n)
	for i := range names {
		names[i] = s.h.columnName(pr.stmt, i)
	}
	pr.compiled = s.h.reprepared(pr.stmt)
	pr.columns, pr.kinds = make([]driver.Column, n), make([]kind, n)
	for i, name := range driver.UniqueNames(names) {
		declared := s.h.declared(pr.stmt, i)
		pr.kinds[i] = kindOf(declared)
		pr.columns[i] = driver.Column{Name: name, Type: declared, ParamType: paramType(declared)}
	}
	pr.heads = driver.Heads(pr.columns)
}

func (s *session) forget(st *driver.Statement) {
	s.h.finalize(s.prepared[st].stmt)
	delete(s.prepared, st)
}

func (s *session) forgetOldest() {
	var oldest *driver.Statement
	for st, pr := range s.prepared {
		if oldest == nil || pr.used < s.prepared[oldest].used {
			oldest = st
		}
	}
	s.forget(oldest)
}

// bind sets the arguments by their declared types.
func (s *session) bind(pr *prepared, st *driver.Statement, args []driver.Arg) error {
	if len(args) != len(st.Params) {
		return driver.NewError(driver.KindData, "the number of arguments is not that of the placeholders", nil)
	}
	for i, a := range args {
		if a.Null {
			continue // reset has made every parameter NULL
		}
		if err := s.bindOne(pr.stmt, i+1, st.Params[i], a); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) bindOne(stmt uintptr, i int, p driver.Param, a driver.Arg) error {
	rc := int32(lib.SQLITE_OK)
	switch p.Type {
	case store.TypeInteger, store.TypeNumber:
		if n, err := strconv.ParseInt(string(a.Text), 10, 64); err == nil {
			rc = s.h.bindInt(stmt, i, n)
			break
		}
		f, err := strconv.ParseFloat(string(a.Text), 64)
		if err != nil {
			return driver.NewError(driver.KindData, "the number is beyond what SQLite can hold, about 1.8e308", err)
		}
		rc = s.h.bindFloat(stmt, i, f)
	case store.TypeBoolean:
		truth := int64(0)
		if string(a.Text) == "true" {
			truth = 1
		}
		rc = s.h.bindInt(stmt, i, truth)
	case store.TypeArray:
		rc = s.h.bindText(stmt, i, arrayText(p.Item, a.Items))
	default:
		rc = s.h.bindText(stmt, i, a.Text)
	}
	if rc != lib.SQLITE_OK {
		return s.h.runError(rc)
	}
	return nil
}

// arrayText writes items as a JSON array for json_each.
func arrayText(item store.ParamType, items []driver.Arg) []byte {
	b := []byte{'['}
	for i, a := range items {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case a.Null:
			b = append(b, "null"...)
		case item == store.TypeInteger, item == store.TypeNumber, item == store.TypeBoolean:
			b = append(b, a.Text...)
		default:
			b = driver.AppendString(b, a.Text)
		}
	}
	return append(b, ']')
}

// run steps through the rows. A statement that reads stops at the limits; one that writes runs to its end, because its
// work is done only then.
func (s *session) run(pr *prepared, lim driver.Limits, b []byte) ([]byte, driver.Outcome, error) {
	var before int64
	if s.writes {
		before = s.h.totalChanges()
	}
	*at[int32](s.h.denied) = 0 // an earlier statement's refusal; a changed schema has this one compiled anew
	rc := s.h.step(pr.stmt)
	if pr.compiled != s.h.reprepared(pr.stmt) {
		s.readColumns(pr)
	}
	w := driver.NewRowWriter(b, pr.heads, lim)
	for ; rc == lib.SQLITE_ROW; rc = s.h.step(pr.stmt) {
		if !s.row(pr, &w) && !s.writes {
			rc = lib.SQLITE_DONE
			break
		}
	}
	if rc != lib.SQLITE_DONE {
		return b, driver.Outcome{}, s.h.runError(rc)
	}
	out := driver.Outcome{Rows: w.Rows, Truncated: w.Truncated, Columns: pr.columns}
	if s.writes {
		out.Affected = s.h.totalChanges() - before
	}
	return w.Close(), out, nil
}

// row writes one row and reports whether there may be more.
func (s *session) row(pr *prepared, w *driver.RowWriter) bool {
	if !w.Begin() {
		return false
	}
	for i := range pr.kinds {
		w.Key(i)
		if !s.value(w, pr, i) {
			w.Drop()
			return false
		}
		if w.Over() {
			break // the row will be taken back; further values need not be read
		}
	}
	return w.End()
}

// value writes one value by its storage class, and its declared type where that says more. It returns false, with nothing
// written, when the value alone is too much for the result.
func (s *session) value(w *driver.RowWriter, pr *prepared, i int) bool {
	switch s.h.columnType(pr.stmt, i) {
	case lib.SQLITE_INTEGER:
		w.Buf = appendInteger(w.Buf, s.h.integer(pr.stmt, i), pr.kinds[i])
	case lib.SQLITE_FLOAT:
		if pr.kinds[i] == decimal {
			w.Buf = appendDecimal(w.Buf, s.h.text(pr.stmt, i))
		} else {
			w.Buf = driver.AppendFloat(w.Buf, s.h.float(pr.stmt, i))
		}
	case lib.SQLITE_TEXT:
		v := s.h.text(pr.stmt, i)
		if w.Hopeless(len(v)) {
			return false
		}
		w.Buf = appendText(w.Buf, v, pr.kinds[i])
	case lib.SQLITE_BLOB:
		v := s.h.blob(pr.stmt, i)
		if w.Hopeless(len(v)) {
			return false
		}
		w.Buf = driver.AppendBase64(w.Buf, v)
	default:
		w.Buf = append(w.Buf, "null"...)
	}
	return true
}

// appendDecimal appends SQLite's own digits of a floating point number as a string; Inf has none.
func appendDecimal(b, text []byte) []byte {
	if bytes.HasSuffix(text, []byte("Inf")) {
		return append(b, "null"...)
	}
	return driver.AppendString(b, text)
}
