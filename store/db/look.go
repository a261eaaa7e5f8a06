package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Look opens the store of o only to read it, runs f in one read transaction and closes it again, also beside a studio that runs. It
// takes no lock, makes and migrates nothing, and f must not write. The keyring is proved first, as in Open; a store of another
// schema version is refused.
func Look(ctx context.Context, o Options, f func(*Tx) error) error {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("find the data directory: %w", err)
	}
	d := newDB(o, filepath.Join(dir, FileName))
	err = d.look(ctx)
	if err == nil {
		err = d.View(ctx, f)
	}
	return errors.Join(err, d.Close())
}

// look opens the reader of a store that is not to be changed, and proves the key.
func (d *DB) look(ctx context.Context) error {
	if err := d.lookUnproved(ctx); err != nil {
		return err
	}
	return d.proveKey(ctx)
}

// lookUnproved is look for what no key is needed for.
func (d *DB) lookUnproved(ctx context.Context) error {
	known, err := newestSchema(d.schema)
	if err != nil {
		return err
	}
	var found int64
	if _, err = os.Lstat(d.path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		if d.read, err = openStill(ctx, d.path); err != nil {
			return fmt.Errorf("look at the store %s: %w", d.path, err)
		}
		found, err = d.schemaVersion(ctx)
	} else if found, _, err = inspect(ctx, d.path, "the store "+d.path, d.schema); err == nil {
		d.read, err = openHandle(ctx, d.path, false)
	}
	if err != nil {
		return fmt.Errorf("look at the store %s: %w", d.path, err)
	}
	if found != known {
		return fmt.Errorf("the store %s has schema version %d, and this program's is %d; the first start of this program migrates an older one", d.path, found, known)
	}
	return nil
}

func (d *DB) schemaVersion(ctx context.Context) (version int64, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT coalesce(max(version_id), -1) FROM goose_db_version`).Scan(&version)
	return version, err
}

// openStill opens a database that nobody has open: without a log beside it, its file is all there is. Opened as any other, even for
// reading, SQLite would make the log and its index and leave them. A studio that starts this very moment can make a read fail, never
// the store.
func openStill(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil { // SQLite's own error does not tell
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"query_only(1)", "trusted_schema(0)"}}.Encode()}
	h, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	if err := h.PingContext(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}
