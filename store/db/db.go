// Package db is the metadata store: everything the studio must still know after
// a restart, in one SQLite file in the data directory.
//
// What it promises:
//
//   - A write is one transaction: version check, row, sealed secrets and history
//     entry are there together or not at all. When Update returns nil, the write
//     is on the disk (WAL with synchronous=FULL).
//   - There is one writer, so a write never fails because another one runs; it
//     waits. Reads see one moment and never wait for a writer.
//   - Secrets live in one table, sealed with the keyring and bound to their row.
//     No body and no history row can hold one, because entities marshal them as
//     a mask.
//   - History only grows: there is no function here that changes or removes an
//     entry. Seq is assigned under the write lock and orders entries also when
//     the clock jumps.
//   - A second studio on the same data directory is refused.
//
// Statements keep to what SQLite and PostgreSQL share, so that the same queries
// can run on both.
//
// Its hole: the lock is advisory (flock). It keeps a second studio out, not
// another program that opens the file.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// Files of the store in the data directory. SQLite keeps -wal and -shm beside the database while it is open.
const (
	FileName = "studio.db"
	LockName = "studio.lock"
)

// readers is how many reads run at once; further ones wait.
const readers = 4

// Options says where the store is and what it works with.
type Options struct {
	// Dir is the data directory. It is made with mode 0700, or brought to it.
	Dir string
	// Keyring seals and opens secrets. Required.
	Keyring *keyring.Keyring
	// Now is the clock; time.Now when nil. It is read once per transaction, to the microsecond.
	Now func() time.Time
	// Log receives what operators should know; discarded when nil.
	Log *slog.Logger
	// Beside opens the store next to a studio that may be running, for a command such as reset-password: the directory lock is
	// not taken, and a store that does not exist or needs a migration is refused.
	Beside bool

	schema fs.FS // the migrations, for tests; the program's own when nil
}

// DB is an open metadata store. It is safe for concurrent use.
type DB struct {
	keys  *keyring.Keyring
	now   func() time.Time
	log   *slog.Logger
	path  string
	write *sql.DB // one connection
	read  *sql.DB
	lock  *os.File // nil when opened beside

	schema fs.FS // the migrations
	beside bool

	rotating sync.Mutex // held by the one rotation that runs
	watch    watchers
}

// Exists reports whether dir holds a store. Callers ask before they open the keyring, so that a lost key file is not
// silently replaced by a new one.
func Exists(dir string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the store: %w", err)
	}
	return true, nil
}

// Open opens the store, making or migrating it as needed, and proves that the keyring opens its secrets before anything is
// changed. Errors name the file and what to do: the directory is in use, the file is not a database, its schema is newer than this
// program, the key is the wrong one.
func Open(ctx context.Context, o Options) (_ *DB, err error) {
	if o.Keyring == nil {
		return nil, errors.New("open the store: a keyring is needed")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	d := newDB(o, filepath.Join(dir, FileName))
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if !o.Beside {
		if err := PrepareDir(dir); err != nil {
			return nil, err
		}
		if d.lock, err = lockDir(dir); err != nil {
			return nil, err
		}
		if err := createFile(ctx, d.path, d.schema); err != nil {
			return nil, err
		}
		if err := closeToOthers(d.path); err != nil {
			return nil, err
		}
	}
	found, known, err := inspect(ctx, d.path, "the store "+d.path, d.schema)
	if err != nil {
		return nil, err
	}
	if o.Beside && found < known {
		return nil, fmt.Errorf("the store %s has schema version %d and needs version %d: start the studio once to migrate it", d.path, found, known)
	}
	if err := d.openReader(ctx); err != nil {
		return nil, err
	}
	if err := d.openWriter(ctx); err != nil {
		return nil, err
	}
	if err := d.upgrade(ctx, found, known); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

func newDB(o Options, path string) *DB {
	d := &DB{keys: o.Keyring, now: o.Now, path: path, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), schema: o.schema, beside: o.Beside}
	if d.now == nil {
		d.now = time.Now
	}
	if d.schema == nil {
		d.schema = migrations
	}
	return d
}

// Close ends every handle and gives the data directory free. Transactions that run are waited for.
func (d *DB) Close() error {
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil { // last: the handle that closes last folds the WAL into the file
		errs = append(errs, d.write.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
		d.lock = nil
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// Path is the database file.
func (d *DB) Path() string { return d.path }

// Keys is the keyring that opens this store.
func (d *DB) Keys() *keyring.Keyring { return d.keys }

// settle seals the canary, makes the config row and binds secrets, where that is missing.
func (d *DB) settle(ctx context.Context) error {
	return d.Update(ctx, Act{Actor: store.SystemActor(), Operation: "open_store"}, func(tx *Tx) error {
		fresh, err := tx.checkKey()
		if err != nil {
			return err
		}
		if fresh {
			if err := tx.SetSecret(canary, store.GivenSecret(canaryText)); err != nil {
				return err
			}
		}
		if err := tx.bindAll(); err != nil {
			return err
		}
		return tx.ensureConfig()
	})
}

// Act says who makes a change and by which operation; it goes into every history entry of the transaction.
type Act struct {
	Actor     store.Actor
	Operation string // the operation's name, for instance update_tool
}

// watchers hands committed changes to observers in commit order.
type watchers struct {
	mu    sync.Mutex // guards subs and queue
	subs  map[int]func(store.Change)
	next  int
	queue []store.Change

	deliver sync.Mutex // held while observers run, so that order is kept
}

// Observe calls f after each commit, once per history entry, in order, before the Update that made the entry returns: when a
// caller learns that a write is done, every observer knows it too. f must be quick, may read the store, and must not write it or
// stop itself (both would wait for themselves). After stop returns, f is not running and is not called again.
func (d *DB) Observe(f func(store.Change)) (stop func()) {
	w := &d.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subs == nil {
		w.subs = map[int]func(store.Change){}
	}
	n := w.next
	w.next++
	w.subs[n] = f
	return func() {
		w.deliver.Lock() // waits for a delivery that runs
		defer w.deliver.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs, n)
	}
}

// add queues changes; it is called while the write lock is held, which makes the queue's order the commit order.
func (w *watchers) add(changes []store.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, changes...)
}

// flush delivers what is queued. A second writer that comes while a first delivers waits, and then finds its changes delivered.
func (w *watchers) flush() {
	w.deliver.Lock()
	defer w.deliver.Unlock()
	w.mu.Lock()
	queue := w.queue
	w.queue = nil
	subs := make([]func(store.Change), 0, len(w.subs))
	for n := range w.next {
		if f, ok := w.subs[n]; ok {
			subs = append(subs, f)
		}
	}
	w.mu.Unlock()
	for _, c := range queue {
		for _, f := range subs {
			f(c)
		}
	}
}
