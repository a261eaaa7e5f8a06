package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// Restored says what a restore did.
type Restored struct {
	Kept   string // where the store that was there is now; empty when there was none
	MadeAt string // when the backup was made, RFC 3339; empty when it does not say
	Schema int64  // version of the backup; an older one was brought up to date

	// Who gets in again, as when the backup was made.
	Admin    *store.Admin      // nil: there was none
	Tokens   []*store.MCPToken // valid now, by name
	Auth     store.AuthType    // of MCP clients
	Compared bool              // the store that was there could be read: Returned is known
	Returned map[string]bool   // ids of those Tokens that the store that was there did not have any more
}

// Restore puts a backup in the place of the store of o.Dir. The backup is copied, checked whole, opened with o.Keyring, brought up
// to date and only then given the store's name; the store that was there is kept beside it. Until that moment nothing has changed, and
// whatever fails or is interrupted leaves the old store. Sessions of the backup's time do not come back to life. Everything else is as it
// was, so that a restore also undoes what a mistake or an intruder did: the password, two-factor sign-in, recovery codes used and tokens
// revoked since. Restored names them. A studio that runs on the directory is refused (*InUseError).
func Restore(ctx context.Context, o Options, file string, act Act) (_ Restored, err error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Restored{}, fmt.Errorf("find the data directory: %w", err)
	}
	live := filepath.Join(dir, FileName)
	if err := readableBackup(file, live); err != nil {
		return Restored{}, err
	}
	if err := PrepareDir(dir); err != nil {
		return Restored{}, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return Restored{}, err
	}
	draft := live + ".restoring"
	defer func() { err = errors.Join(err, removeStore(draft), lock.Close()) }()
	if err := removeStore(draft); err != nil {
		return Restored{}, fmt.Errorf("remove what an interrupted restore left: %w", err)
	}
	if err := copyFile(ctx, file, draft); err != nil {
		return Restored{}, err
	}
	d := newDB(o, draft)
	out, err := d.adopt(ctx, file, act)
	if err = errors.Join(err, d.Close()); err != nil {
		return Restored{}, err
	}
	if err := folded(ctx, draft); err != nil {
		return Restored{}, failure("complete the restored store; nothing was changed", err)
	}
	out.compare(ctx, newDB(o, live))
	if out.Kept, err = swap(ctx, live, draft, d.now()); err != nil {
		return Restored{}, err
	}
	return out, nil
}

func readableBackup(file, live string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("look at the backup: %w", err)
	}
	if was, err := os.Stat(live); err == nil && os.SameFile(info, was) {
		return fmt.Errorf("%s is the store itself, not a backup", file)
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("beside %s is a log (%s-wal) whose writes are not in it yet: it was copied from a studio that ran; make the copy with studio backup", file, file)
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return fmt.Errorf("the backup %s is empty or not a regular file", file)
	}
	return nil
}

// copyFile copies a file to a new one, mode 0600, synced.
func copyFile(ctx context.Context, from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return failure("copy the backup", err)
	}
	_, err = io.Copy(dst, reader{ctx, src})
	if err = errors.Join(err, store.OwnAs(dst), dst.Sync(), dst.Close()); err != nil {
		return failure("copy the backup", err)
	}
	return nil
}

// reader ends a copy with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// adopt checks the copy of a backup and makes it the store to be.
func (d *DB) adopt(ctx context.Context, file string, act Act) (Restored, error) {
	found, known, err := inspect(ctx, d.path, "the backup "+file, d.schema)
	if err != nil {
		return Restored{}, err
	}
	if err := checkWhole(ctx, d.path); err != nil {
		return Restored{}, fmt.Errorf("the backup %s is damaged, so nothing was changed: %w", file, err)
	}
	if err := d.openReader(ctx); err != nil {
		return Restored{}, renamedKey(err, file)
	}
	out := Restored{Schema: found}
	err = d.View(ctx, func(tx *Tx) error {
		fresh, err := tx.checkKey()
		if err != nil {
			return err
		}
		if fresh {
			return fmt.Errorf("%s is not the store of a studio: it has no check value for a key", file)
		}
		if err := tx.everyKey(); err != nil {
			return err
		}
		at, _, err := tx.Meta(MetaBackup)
		if _, bad := time.Parse(time.RFC3339, at); bad == nil { // anything else is not the studio's, and is not for a terminal
			out.MadeAt = at
		}
		return err
	})
	if err != nil {
		return Restored{}, renamedKey(err, file)
	}
	if err := d.openWriter(ctx); err != nil {
		return Restored{}, err
	}
	if found < known { // no copy of it first: the backup is one
		if err := migrate(ctx, d.write, d.schema); err != nil {
			return Restored{}, failure(fmt.Sprintf("bring the backup from version %d to %d", found, known), err)
		}
	}
	err = d.Update(ctx, act, func(tx *Tx) error {
		if err := tx.onlyTables(file); err != nil {
			return err
		}
		if err := tx.endSignIns(""); err != nil { // those of the backup's time
			return err
		}
		if err := out.readAccess(tx); err != nil {
			return err
		}
		return tx.Record(store.KindBackup, "store", "backup "+filepath.Base(file), nil, restoredBody{out.MadeAt, found})
	})
	return out, err
}

// readAccess notes who gets in.
func (r *Restored) readAccess(tx *Tx) error {
	admin, err := tx.Admin()
	if err != nil && store.CodeOf(err) != store.NotFound {
		return err
	}
	r.Admin = admin
	all, err := All[*store.MCPToken](tx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Valid(tx.now) {
			r.Tokens = append(r.Tokens, t)
		}
	}
	c, err := tx.Config()
	if err != nil {
		return err
	}
	r.Auth = c.AuthType
	return nil
}

// compare looks which of the tokens the store that is to be replaced no longer has. A store that is not there, damaged or of another
// version cannot say, which must not keep anybody from restoring.
func (r *Restored) compare(ctx context.Context, was *DB) {
	had := map[string]bool{}
	err := was.lookUnproved(ctx)
	if err == nil {
		err = was.View(ctx, func(tx *Tx) error {
			all, err := All[*store.MCPToken](tx)
			for _, t := range all {
				had[t.ID] = true
			}
			return err
		})
	}
	if err = errors.Join(err, was.Close()); err != nil {
		was.log.Debug("the store that is replaced was not compared", "error", err)
		return
	}
	r.Compared, r.Returned = true, map[string]bool{}
	for _, t := range r.Tokens {
		if !had[t.ID] {
			r.Returned[t.ID] = true
		}
	}
}

// onlyTables refuses what would go on working unseen in a doctored backup, also after the password was reset: this program's schema has
// neither triggers nor views.
func (tx *Tx) onlyTables(file string) error {
	var kind, name string
	found, err := tx.row("look for triggers", []any{&kind, &name}, `SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index') ORDER BY name LIMIT 1`)
	if err == nil && found {
		err = fmt.Errorf("the backup %s holds the %s %.100q, which no studio makes: somebody changed it, so nothing was restored", file, kind, name)
	}
	return err
}

// restoredBody is the restore's history entry.
type restoredBody struct {
	MadeAt string `json:"made_at"`
	Schema int64  `json:"schema"`
}

// renamedKey says of an error about a key that it is about the backup.
func renamedKey(err error, file string) error {
	var wrong *keyring.WrongKeyError
	if errors.As(err, &wrong) {
		return fmt.Errorf("the backup %s does not open with the encryption key given; nothing was changed: %w", file, wrong)
	}
	return err
}

// everyKey returns a *keyring.WrongKeyError when a secret needs a key that is not here.
func (tx *Tx) everyKey() error {
	counts, err := tx.KeyIDs()
	if err != nil {
		return err
	}
	have := tx.db.keys.IDs()
	for id := range counts {
		if id != "" && !slices.Contains(have, id) {
			return &keyring.WrongKeyError{Want: id, Have: have}
		}
	}
	return nil
}

// swap gives the draft the store's name and keeps the one that was there. A crash leaves the old store, or the new one, or, only
// when the old one is damaged, none and the old one beside (createFile then refuses to begin anew).
func swap(ctx context.Context, live, draft string, now time.Time) (kept string, err error) {
	if _, err := os.Lstat(live); errors.Is(err, fs.ErrNotExist) {
		// A log without its store belongs to one that is gone, and would be taken for the new one's.
		if err := removeStore(live); err != nil {
			return "", fmt.Errorf("remove the log of a store that is gone: %w", err)
		}
		return "", rename(draft, live)
	}
	kept = live + asideRestore + now.UTC().Format(stamp)
	for n := 2; ; n++ {
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			break
		}
		kept = fmt.Sprintf("%s%s%s-%d", live, asideRestore, now.UTC().Format(stamp), n)
	}
	if folded(ctx, live) == nil { // a damaged one does not allow that, which is why somebody restores
		if err := os.Link(live, kept); err == nil {
			return kept, rename(draft, live)
		}
	}
	for _, suffix := range []string{"", "-wal"} {
		if err := os.Rename(live+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", failure("set the old store aside", err)
		}
	}
	if err := removeStore(live); err != nil { // -shm, which belongs to the process that is gone
		return "", fmt.Errorf("remove what is left of the old store: %w", err)
	}
	return kept, rename(draft, live)
}

func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return failure("name the restored store", err)
	}
	return syncDir(filepath.Dir(to))
}

// folded brings the log of a store that nobody uses into its file, so that the file is the whole of it and may be renamed. Closing a
// store does the same, but says nothing when it fails: on a full disk the last writes, or half of them, would stay in a log of another
// name.
func folded(ctx context.Context, path string) error {
	h, err := openHandle(ctx, path, true)
	if err != nil {
		return err
	}
	var busy, frames, moved int
	err = h.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err = errors.Join(err, h.Close()); err != nil {
		return err
	}
	info, err := os.Lstat(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && (busy != 0 || info.Size() > 0) {
		err = fmt.Errorf("the log of %s is not empty", path)
	}
	return err
}
