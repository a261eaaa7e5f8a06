package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// MetaBackup is the meta name of when the last backup was made, RFC 3339.
const MetaBackup = "last_backup_at"

// asideRestore and asideMigration begin what a store that is kept beside the current one is called by.
const (
	asideRestore   = ".before-restore-"
	asideMigration = ".before-migration-"
	// keptMigrations is how many copies made by migrations are kept, the newest.
	keptMigrations = 3
)

// stamp is how a kept store names its time: sorted as text it is sorted by time.
const stamp = "20060102-150405"

// setAside lists the copies of a store that are kept beside it for one reason, oldest first.
func setAside(path, reason string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path)) // sorted by name, and so by time; a pattern would read a directory's name as one
	if err != nil {
		return nil, fmt.Errorf("look for stores set aside: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+reason) && !strings.HasSuffix(e.Name(), "-wal") && !strings.HasSuffix(e.Name(), "-shm") {
			found = append(found, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return found, nil
}

// Copy is a finished backup.
type Copy struct {
	Path   string
	Bytes  int64
	SHA256 string
	Schema int64
}

// Backup writes a consistent copy of the store of dir to a new file (mode 0600), also while a studio runs on it, checks the copy, and
// notes the time in the store under MetaBackup. It needs no key, and the copy has none: sealed values stay sealed. now is the
// clock's time. The file appears when it is complete; one that exists is never overwritten.
func Backup(ctx context.Context, dir, file string, now time.Time) (Copy, error) {
	store := filepath.Join(dir, FileName)
	if _, _, err := inspect(ctx, store, "the store "+store, migrations); err != nil {
		return Copy{}, err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return Copy{}, fmt.Errorf("find the place of the backup: %w", err)
	}
	if err := mustBeNew(path); err != nil {
		return Copy{}, err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if errors.Is(err, fs.ErrNotExist) {
		return Copy{}, fmt.Errorf("there is no directory %s to put the backup into", filepath.Dir(path))
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return Copy{}, fmt.Errorf("the directory %s cannot be written, so no backup was made; give another place: %w", filepath.Dir(path), err)
	}
	if err != nil {
		return Copy{}, noRoom(failure("make the backup", err), path)
	}
	defer func() { _ = removeStore(draft.Name()) }() // gone already when all went well
	if err := draft.Close(); err != nil {
		return Copy{}, failure("make the backup", err)
	}
	if err := copyStore(ctx, store, draft.Name()); err != nil {
		return Copy{}, noRoom(err, path)
	}
	at := now.UTC().Format(time.RFC3339)
	if err := noteBackup(ctx, draft.Name(), at); err != nil {
		return Copy{}, noRoom(err, path)
	}
	c, err := finish(ctx, draft.Name(), path)
	if err != nil {
		return Copy{}, noRoom(err, path)
	}
	if err := noteBackup(ctx, store, at); err != nil {
		return c, fmt.Errorf("the backup %s is complete, but the store could not note it: %w", path, err)
	}
	return c, nil
}

// noRoom says of an error that the disk is full which disk: the backup's, which need not be that of the data directory.
func noRoom(err error, path string) error {
	if isFull(err) {
		return fmt.Errorf("there is no room for the backup in %s, so none was made: %w", filepath.Dir(path), syscall.ENOSPC)
	}
	return err
}

func mustBeNew(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return fmt.Errorf("%s exists; a backup never overwrites, so give another name or move it away", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for %s: %w", path, err)
	}
	return nil
}

// copyStore copies a store, as it is at one moment, into an empty file.
func copyStore(ctx context.Context, from, to string) error {
	h, err := openPlain(ctx, from, "ro")
	if err != nil {
		return failure("open the store "+from, err)
	}
	_, err = h.ExecContext(ctx, `VACUUM INTO $1`, to)
	if err = errors.Join(err, h.Close()); err != nil {
		return failure("copy the store to "+to, err)
	}
	return nil
}

// openPlain opens a database file without the settings of a store that is in use. It waits long for a lock: nobody waits for it.
func openPlain(ctx context.Context, path, mode string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {mode}, "_pragma": {"busy_timeout(30000)", "trusted_schema(0)"}}.Encode()}
	h, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("prepare the database handle: %w", err)
	}
	h.SetMaxOpenConns(1)
	if err := h.PingContext(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func noteBackup(ctx context.Context, path, at string) error {
	h, err := openPlain(ctx, path, "rw")
	if err != nil {
		return failure("note the backup", err)
	}
	_, err = h.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, MetaBackup, at)
	if err = errors.Join(err, h.Close()); err != nil {
		return failure("note the backup", err)
	}
	return nil
}

// finish checks a copy and gives it its name.
func finish(ctx context.Context, draft, path string) (Copy, error) {
	schema, err := schemaOf(ctx, draft)
	if err != nil {
		return Copy{}, failure("read the backup", err)
	}
	if err := checkWhole(ctx, draft); err != nil {
		return Copy{}, fmt.Errorf("the copy is not sound, so it was removed: %w", err)
	}
	sum, size, err := digestSynced(draft)
	if err != nil {
		return Copy{}, failure("read the backup", err)
	}
	// A link, unlike a rename, never replaces what another program made in the meantime. Some file systems have none.
	if err := os.Link(draft, path); errors.Is(err, fs.ErrExist) {
		return Copy{}, mustBeNew(path)
	} else if err != nil {
		if err := errors.Join(mustBeNew(path), os.Rename(draft, path)); err != nil {
			return Copy{}, failure("name the backup", err)
		}
	}
	return Copy{Path: path, Bytes: size, SHA256: sum, Schema: schema}, syncDir(filepath.Dir(path))
}

func digestSynced(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, errors.Join(err, f.Sync(), f.Close())
}

// checkWhole runs SQLite's own checks over a whole file.
func checkWhole(ctx context.Context, path string) error {
	h, err := openPlain(ctx, path, "ro")
	if err != nil {
		return err
	}
	defer h.Close()
	var pages, size int64
	if err := h.QueryRowContext(ctx, `SELECT page_count, page_size FROM pragma_page_count, pragma_page_size`).Scan(&pages, &size); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || info.Size() != pages*size {
		return errors.Join(err, fmt.Errorf("it should have %d bytes; it was cut", pages*size))
	}
	var verdict string
	if err := h.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("integrity check: %.200s", verdict)
	}
	var orphans int
	if err := h.QueryRowContext(ctx, `SELECT count(*) FROM pragma_foreign_key_check`).Scan(&orphans); err != nil {
		return err
	}
	if orphans > 0 {
		return fmt.Errorf("foreign keys: %d rows refer to something that is not there", orphans)
	}
	return nil
}

// copyBeside copies the store to a file beside it, which appears when it is complete.
func (d *DB) copyBeside(ctx context.Context, kept string) (string, error) {
	draft := d.path + ".copy"
	err := removeStore(draft)
	if err == nil {
		err = emptyFile(draft)
	}
	if err == nil {
		err = copyStore(ctx, d.path, draft)
	}
	if err == nil {
		_, _, err = digestSynced(draft)
	}
	if err == nil {
		err = os.Rename(draft, kept)
	}
	if err != nil {
		return "", errors.Join(failure("copy the store before it is changed; nothing was changed", err), removeStore(draft))
	}
	return kept, syncDir(filepath.Dir(kept))
}

// keepCopy copies the store beside itself before a migration, and removes the oldest of such copies.
func (d *DB) keepCopy(ctx context.Context, version int64) (string, error) {
	kept, err := d.copyBeside(ctx, fmt.Sprintf("%s%s%s-v%d", d.path, asideMigration, d.now().UTC().Format(stamp), version))
	if err != nil {
		return "", err
	}
	all, err := setAside(d.path, asideMigration)
	if err != nil {
		return "", err
	}
	for _, old := range all[:max(0, len(all)-keptMigrations)] {
		if err := removeStore(old); err != nil {
			return "", fmt.Errorf("remove the oldest copy of the store: %w", err)
		}
	}
	return kept, syncDir(filepath.Dir(d.path))
}
