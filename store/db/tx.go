package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"mcpstudio/store"
)

// Tx is a transaction. It is for the goroutine that runs the function it was given to, until that function returns.
type Tx struct {
	ctx     context.Context
	db      *DB
	conn    *sql.Conn
	now     time.Time
	act     Act
	writing bool
	changes []store.Change
}

// Now is the transaction's time: UTC, to the microsecond, the same for everything written in it.
func (tx *Tx) Now() time.Time { return tx.now }

// View runs f in a read transaction: everything it reads is of one moment. Errors of f come back as they are.
func (d *DB) View(ctx context.Context, f func(*Tx) error) error {
	tx := &Tx{ctx: ctx, db: d}
	return d.run(tx, d.read, "BEGIN", f)
}

// Update runs f in the one write transaction and commits when f returns nil; then observers are called. Nothing of f stays when it
// returns an error, panics, or ctx ends before the commit. The error has code store.Unavailable when the disk is full, the store is
// read-only or broken, or another process holds the write lock for more than five seconds.
func (d *DB) Update(ctx context.Context, act Act, f func(*Tx) error) error {
	if act.Operation == "" || act.Actor.Kind == "" {
		return errors.New("write the store: an actor and an operation are needed, for the history")
	}
	tx := &Tx{ctx: ctx, db: d, act: act, writing: true}
	// IMMEDIATE: take the write lock now; taken at the first write it could fail half-way (SQLITE_BUSY_SNAPSHOT).
	if err := d.run(tx, d.write, "BEGIN IMMEDIATE", f); err != nil {
		return err
	}
	d.watch.flush()
	return nil
}

func (d *DB) run(tx *Tx, h *sql.DB, begin string, f func(*Tx) error) (err error) {
	if tx.conn, err = h.Conn(tx.ctx); err != nil {
		return failure("reach the store", err)
	}
	// Open from here on, whatever the answer is: the driver gives the error of a context that ends at the last moment for a BEGIN that took
	// place, and a connection given back with a transaction open would fail every caller after this one.
	open := true
	defer func() {
		if open { // f failed or panicked, or the commit did
			d.rollback(tx.conn)
		}
		_ = tx.conn.Close() // gives the connection back; it only fails when it already is
	}()
	if _, err := tx.conn.ExecContext(tx.ctx, begin); err != nil {
		return failure("begin a transaction", err)
	}
	tx.now = d.now().UTC().Truncate(time.Microsecond)
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	// From here the caller's deadline no longer counts: an interrupted COMMIT would leave it unknown whether the write stands.
	if _, err := tx.conn.ExecContext(context.WithoutCancel(tx.ctx), "COMMIT"); err != nil {
		return failure("commit", err)
	}
	open = false
	d.watch.add(tx.changes)
	return nil
}

// rollback ends a transaction; a connection that cannot even do that is thrown away, so that no half transaction is inherited.
func (d *DB) rollback(conn *sql.Conn) {
	_, err := conn.ExecContext(context.Background(), "ROLLBACK")
	if err == nil {
		return
	}
	d.log.Debug("a rollback was not possible, so its connection was closed", "error", err)
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

func (tx *Tx) exec(what, query string, args ...any) (int64, error) {
	if !tx.writing {
		return 0, fmt.Errorf("%s: this transaction only reads", what)
	}
	r, err := tx.conn.ExecContext(tx.ctx, query, args...)
	if err != nil {
		return 0, failure(what, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, failure(what, err)
	}
	return n, nil
}

// row reads one row; found is false when there is none.
func (tx *Tx) row(what string, dst []any, query string, args ...any) (found bool, err error) {
	err = tx.conn.QueryRowContext(tx.ctx, query, args...).Scan(dst...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, failure(what, err)
	}
	return true, nil
}

// rows calls scan for each row.
func (tx *Tx) rows(what string, scan func(scan func(...any) error) error, query string, args ...any) error {
	rs, err := tx.conn.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return failure(what, err)
	}
	defer rs.Close()
	for rs.Next() {
		if err := scan(rs.Scan); err != nil {
			return failure(what, err)
		}
	}
	if err := rs.Err(); err != nil {
		return failure(what, err)
	}
	return nil
}

// Times are stored as microseconds since 1970.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func nullMicros(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: micros(*t), Valid: true}
}

func fromNullMicros(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	t := fromMicros(n.Int64)
	return &t
}
