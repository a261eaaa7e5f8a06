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

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

//go:embed migrations/*.sql
var migrations embed.FS

// PrepareDir makes the data directory, or brings it to mode 0700: everything in it is for this user alone. One that others may enter and
// that holds other things than a studio's is refused: it is somebody's (/tmp, a home), named by mistake.
func PrepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("inspect the data directory: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	other, err := foreign(dir)
	if err != nil {
		return fmt.Errorf("look into the data directory: %w", err)
	}
	if other != "" {
		return fmt.Errorf("the data directory %s holds other files (%.60q is one), and the studio would close it to other users: give it a directory of its own, or close this one first (chmod 700 %s)", dir, other, dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close the data directory %s to other users (chmod 700): %w", dir, err)
	}
	return nil
}

// foreign names something in a directory that no studio puts there; empty when there is nothing, or when there is a store or a key: then it
// is a studio's, with a backup to restore in it perhaps.
func foreign(dir string) (name string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		switch n := e.Name(); {
		case n == FileName, n == keyring.FileName:
			return "", nil
		case name != "", strings.HasPrefix(n, FileName), n == LockName, strings.HasPrefix(n, "session.key"):
		case n == "databases", n == "lost+found": // made before the first start, and by mkfs
		default:
			name = n
		}
	}
	return name, nil
}

// InUseError says that another process holds the data directory.
type InUseError struct {
	Dir string
	PID string // of the process, as it wrote it; empty when that could not be read
}

// Error implements error.
func (e *InUseError) Error() string {
	return fmt.Sprintf("the data directory %s is in use by another studio (process %s): stop that one, or give this one its own STUDIO_DATA_DIR", e.Dir, e.PID)
}

// closeToOthers makes a file 0600 when it is more open than that.
func closeToOthers(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("inspect the store: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("close the store %s to other users (chmod 600): %w", path, err)
	}
	return nil
}

// lockDir takes the directory for this process. The kernel drops the lock with the process, so a kill leaves nothing stale.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the data directory %s cannot be written by this user, or its file system is read-only; the studio keeps everything in it, so make it writable: %w", dir, err)
	}
	if err != nil {
		return nil, failure("open the lock of the data directory", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		owner, _ := io.ReadAll(io.LimitReader(f, 32)) // only for the message; an unreadable owner is left out
		return nil, errors.Join(&InUseError{Dir: dir, PID: strings.TrimSpace(string(owner))}, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory %s: %w", dir, err), f.Close())
	}
	if err := errors.Join(store.OwnAs(f), f.Truncate(0), writePID(f)); err != nil {
		return nil, errors.Join(failure("write the lock of the data directory", err), f.Close())
	}
	return f, nil
}

// Free returns nil when no studio runs on a data directory, and an *InUseError when one does. One may start right after.
func Free(dir string) error {
	f, err := lockDir(dir)
	if err != nil {
		return err
	}
	return f.Close()
}

func writePID(f *os.File) error {
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// createFile makes a new database under another name and renames it when its schema is complete, so that a crash at the
// first start leaves either nothing or a whole store; an empty studio.db is therefore never ours.
func createFile(ctx context.Context, path string, schema fs.FS) error {
	_, err := os.Lstat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("look for the store: %w", err)
		}
		return nil
	}
	aside, err := setAside(path, asideRestore)
	if err != nil {
		return err
	}
	if len(aside) > 0 { // a new one would open the setup to whoever comes first
		return fmt.Errorf("there is no store at %s, and a restore set one aside as %s: if it was interrupted, restore again or rename that file back; to begin anew, move it out of the directory", path, aside[len(aside)-1])
	}
	draft := path + ".new"
	if err := removeStore(draft); err != nil {
		return fmt.Errorf("remove what an interrupted first start left: %w", err)
	}
	if err := emptyFile(draft); err != nil {
		return failure("make the store", err)
	}
	h, err := openHandle(ctx, draft, true)
	if err != nil {
		return err
	}
	err = migrate(ctx, h, schema)
	if err == nil {
		err = keepDerivation(ctx, h)
	}
	if err = errors.Join(err, h.Close()); err != nil {
		return failure("make the store", err)
	}
	if err := folded(ctx, draft); err != nil {
		return failure("make the store", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return failure("make the store", err)
	}
	return syncDir(filepath.Dir(path))
}

// emptyFile makes a new file with the mode a store has: SQLite would let the umask decide, and -wal and -shm copy the mode of the file.
func emptyFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(store.OwnAs(f), f.Close())
}

// metaDerivation is how this store's passphrase keys are derived (keyring.NewDerivation), its salt with it.
const metaDerivation = "key_derivation"

func keepDerivation(ctx context.Context, h *sql.DB) error {
	text, err := keyring.NewDerivation()
	if err != nil {
		return err
	}
	_, err = h.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, metaDerivation, text)
	return err
}

// removeStore removes a database file that is not in use, with what SQLite may have left beside it.
func removeStore(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncDir makes what was made, renamed or removed in a directory survive a power loss.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the directory to sync it: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return failure("sync the directory "+path, err)
	}
	return nil
}

// inspect looks at a database file before anything may change it: is it one, and is its schema one this program knows? It returns the
// file's version and the newest this program knows. name is how errors call the file.
func inspect(ctx context.Context, path, name string, schema fs.FS) (found, known int64, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, 0, fmt.Errorf("there is no store at %s; start the studio once to make it", path)
	case err != nil:
		return 0, 0, fmt.Errorf("inspect the store: %w", err)
	case !info.Mode().IsRegular():
		return 0, 0, fmt.Errorf("%s is not a regular file", name)
	case info.Size() == 0:
		return 0, 0, fmt.Errorf("%s is empty, so its content was lost; restore a backup, or move the file away to begin anew", name)
	}
	const read = 4 // R_OK of access(2): to open and close the file would drop the locks this process may have on it (fcntl(2))
	if err := syscall.Access(path, read); err != nil {
		return 0, 0, fmt.Errorf("%s belongs to another user, and this one may not read it: give it to the user the studio runs as (chown), or run this as that user: %w", name, err)
	}
	found, err = schemaOf(ctx, path)
	if isReadOnly(err, path) {
		return 0, 0, fmt.Errorf("%s is sound, but its directory cannot be written by this user; make it writable: %w", name, err)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%s cannot be read as a studio database, so it is damaged or something else; restore a good backup: %w", name, err)
	}
	if known, err = newestSchema(schema); err != nil {
		return 0, 0, err
	}
	if found > known {
		return 0, 0, fmt.Errorf("%s has schema version %d, and this program knows versions up to %d: start the newer studio that wrote it, or restore a backup made before the upgrade", name, found, known)
	}
	return found, known, nil
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

// openReader opens the readers and proves the key with them before anything may change.
func (d *DB) openReader(ctx context.Context) (err error) {
	if d.read, err = openHandle(ctx, d.path, false); err != nil {
		return fmt.Errorf("open the store %s: %w", d.path, err)
	}
	return d.proveKey(ctx)
}

// proveKey brings the keyring to the store's salt and proves that it opens the store's secrets.
func (d *DB) proveKey(ctx context.Context) error {
	if err := d.salt(ctx); err != nil {
		return err
	}
	return d.View(ctx, func(tx *Tx) error {
		_, err := tx.checkKey()
		return err
	})
}

// salt makes the keyring derive passphrase keys as this store does.
func (d *DB) salt(ctx context.Context) error {
	return d.View(ctx, func(tx *Tx) error {
		text, found, err := tx.Meta(metaDerivation)
		if err != nil || !found { // a store made before salts were kept has none
			return err
		}
		if d.keys, err = d.keys.Derived(text); err != nil {
			return fmt.Errorf("open the store %s: %w", d.path, err)
		}
		return nil
	})
}

// openWriter opens the writer.
func (d *DB) openWriter(ctx context.Context) (err error) {
	if d.write, err = openHandle(ctx, d.path, true); err != nil {
		return failure("open the store "+d.path, err)
	}
	return nil
}

// upgrade brings the schema of an opened store up to date. A copy of it as it was is kept beside it before anything changes.
func (d *DB) upgrade(ctx context.Context, found, known int64) error {
	if found >= known {
		return nil
	}
	kept, err := d.keepCopy(ctx, found)
	if err != nil {
		return err
	}
	d.log.Info("the store is brought up to date", "from", found, "to", known, "copy", kept)
	if err := migrate(ctx, d.write, d.schema); err != nil {
		return failure(fmt.Sprintf("migrate the store %s from version %d to %d (it is as it was; a copy is at %s)", d.path, found, known, kept), err)
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
			"secure_delete(1)",            // what is removed or sealed anew does not stay behind in free pages
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

func newestSchema(schema fs.FS) (int64, error) {
	files, err := fs.Glob(schema, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("list the migrations: found %d: %w", len(files), err)
	}
	return goose.NumericComponent(files[len(files)-1]) // Glob sorts
}

// migrate brings the schema up to date, each step in a transaction.
func migrate(ctx context.Context, h *sql.DB, schema fs.FS) error {
	sub, err := fs.Sub(schema, "migrations")
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
