package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// prepareDir makes the data directory 0700: everything in it is for this user alone.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("inspect the data directory: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close the data directory %s to other users (chmod 700): %w", dir, err)
		}
	}
	return nil
}

// lockDir takes the directory for this process. The kernel drops the lock with the process, so a kill leaves nothing stale.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		owner, _ := io.ReadAll(io.LimitReader(f, 32)) // only for the message; an unreadable owner is left out
		return nil, errors.Join(fmt.Errorf("the data directory %s is in use by another studio (process %s): stop that one, or give this one its own STUDIO_DATA_DIR",
			dir, strings.TrimSpace(string(owner))), f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory %s: %w", dir, err), f.Close())
	}
	if err := errors.Join(f.Truncate(0), writePID(f)); err != nil {
		return nil, errors.Join(fmt.Errorf("write the lock of the data directory: %w", err), f.Close())
	}
	return f, nil
}

func writePID(f *os.File) error {
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// createFile makes a new database under another name and renames it when its schema is complete, so that a crash at the
// first start leaves either nothing or a whole store; an empty studio.db is therefore never ours.
func createFile(ctx context.Context, path string) error {
	_, err := os.Lstat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("look for the store: %w", err)
		}
		return nil
	}
	draft := path + ".new"
	for _, leftover := range []string{draft, draft + "-wal", draft + "-shm", draft + "-journal"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what an interrupted first start left: %w", err)
		}
	}
	// Made here with its mode, because SQLite would let the umask decide; -wal and -shm then copy the mode of the file.
	f, err := os.OpenFile(draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return failure("make the store", err)
	}
	if err := f.Close(); err != nil {
		return failure("make the store", err)
	}
	h, err := openHandle(ctx, draft, true)
	if err != nil {
		return err
	}
	if err := errors.Join(migrate(ctx, h), h.Close()); err != nil {
		return failure("make the store", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return failure("make the store", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// inspect looks at the file before anything may change it: is it a database, and is its schema one this program knows?
func (d *DB) inspect(ctx context.Context, beside bool) error {
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no store at %s; start the studio once to make it", d.path)
	case err != nil:
		return fmt.Errorf("inspect the store: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the store %s is not a regular file", d.path)
	case info.Size() == 0:
		return fmt.Errorf("the store %s is empty, so its content was lost; restore a backup, or move the file away to begin anew", d.path)
	}
	if info.Mode().Perm()&0o077 != 0 && !beside {
		if err := os.Chmod(d.path, 0o600); err != nil {
			return fmt.Errorf("close the store %s to other users (chmod 600): %w", d.path, err)
		}
	}
	found, err := schemaOf(ctx, d.path)
	if isReadOnly(err) {
		return fmt.Errorf("the store %s is sound, but its directory cannot be written by this user; make it writable: %w", d.path, err)
	}
	if err != nil {
		return fmt.Errorf("the store %s cannot be read as a studio database; restore a backup: %w", d.path, err)
	}
	known, err := newestSchema()
	if err != nil {
		return err
	}
	if found > known {
		return fmt.Errorf("the store %s has schema version %d, and this program knows versions up to %d: start the newer studio that wrote it, or restore a backup made before the upgrade", d.path, found, known)
	}
	if beside && found < known {
		return fmt.Errorf("the store %s has schema version %d and needs version %d: start the studio once to migrate it", d.path, found, known)
	}
	return nil
}

// schemaOf reads the schema version through a handle that cannot write.
func schemaOf(ctx context.Context, path string) (version int64, err error) {
	h, err := openHandle(ctx, path, false)
	if err != nil {
		return 0, err
	}
	defer h.Close()
	err = h.QueryRowContext(ctx, `SELECT coalesce(max(version_id), -1) FROM goose_db_version`).Scan(&version)
	return version, err
}

// openHandles opens the readers, proves the key with them before anything may change, then opens the writer and migrates.
func (d *DB) openHandles(ctx context.Context, beside bool) (err error) {
	if d.read, err = openHandle(ctx, d.path, false); err != nil {
		return fmt.Errorf("open the store %s: %w", d.path, err)
	}
	err = d.View(ctx, func(tx *Tx) error {
		_, err := tx.checkKey()
		return err
	})
	if err != nil {
		return err
	}
	if d.write, err = openHandle(ctx, d.path, true); err != nil {
		return fmt.Errorf("open the store %s: %w", d.path, err)
	}
	if !beside {
		if err := migrate(ctx, d.write); err != nil {
			return failure("migrate the store "+d.path, err)
		}
	}
	return nil
}

// openHandle opens a handle: the writer with one connection, so that writes queue here in order instead of meeting at SQLite's
// lock, or a pool of readers.
func openHandle(ctx context.Context, path string, writer bool) (*sql.DB, error) {
	pragmas := []string{
		"busy_timeout(5000)", // another process (backup, shell, reset-password) may write; then it is 503
		"foreign_keys(1)",    // off by default in SQLite
		"trusted_schema(0)",  // a doctored file must not run functions from its schema
		"cell_size_check(1)", // find a damaged page when it is read, not later
		"temp_store(2)",      // sorts stay in memory, never in a file outside the data directory
		"cache_size(-8192)",  // 8 MiB a connection
	}
	mode, conns := "ro", readers
	if writer {
		mode, conns = "rw", 1
		pragmas = append(pragmas,
			"journal_mode(wal)",           // readers go on while one writes
			"synchronous(full)",           // an acknowledged write survives a power loss; NORMAL would not promise that in WAL
			"journal_size_limit(8388608)", // a large import does not leave a large WAL for ever
			"wal_autocheckpoint(1000)",    // pages; said here because a build could set it otherwise
		)
	} else {
		pragmas = append(pragmas, "query_only(1)")
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {mode}, "_pragma": pragmas}.Encode()}
	h, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("prepare the database handle: %w", err)
	}
	h.SetMaxOpenConns(conns)
	h.SetMaxIdleConns(conns) // connections are cheap to keep and their page cache is worth keeping
	if err := h.PingContext(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func newestSchema() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("list the migrations: found %d: %w", len(files), err)
	}
	return goose.NumericComponent(files[len(files)-1]) // Glob sorts
}

// migrate brings the schema up to date, each step in a transaction.
func migrate(ctx context.Context, h *sql.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("open the migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, h, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("apply the migrations: %w", err)
	}
	return nil
}
