package db_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

func backupOf(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.db")
	if _, err := db.Backup(t.Context(), dir, file, time.Now()); err != nil {
		t.Fatal(err)
	}
	return file
}

func restore(t *testing.T, dir, file string) (db.Restored, error) {
	t.Helper()
	return db.Restore(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)}, file, admin)
}

// TestBackup is cases 95 and 277: copies made while others write hold whole transactions, are closed to others, and hold no key.
func TestBackup(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var written atomic.Int64
	for w := range 3 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				c := connection(fmt.Sprintf("w%d_%d", w, i))
				c.Password = store.GivenSecret("password of " + c.Name)
				err := d.Update(t.Context(), admin, func(tx *db.Tx) error {
					if err := db.Insert(tx, c); err != nil {
						return err
					}
					return db.Insert(tx, tool(c.Name, c.ID))
				})
				if err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	place := t.TempDir()
	var made []db.Copy
	for i := range 4 {
		for was, deadline := written.Load(), time.Now().Add(time.Minute); written.Load() < was+3 && time.Now().Before(deadline); { // more than in the copy before
			time.Sleep(time.Millisecond)
		}
		c, err := db.Backup(t.Context(), dir, filepath.Join(place, fmt.Sprintf("b%d.db", i)), time.Unix(1_800_000_000+int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	stop()
	writers.Wait()
	key := string(bytes.TrimSpace(mustRead(t, filepath.Join(dir, keyring.FileName))))
	last := 0
	for _, c := range made {
		content := mustRead(t, c.Path)
		sum := sha256.Sum256(content)
		if hex.EncodeToString(sum[:]) != c.SHA256 || int64(len(content)) != c.Bytes {
			t.Errorf("%s is not what was reported", c.Path)
		}
		if info, err := os.Stat(c.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v %v", info.Mode(), err)
		}
		if bytes.Contains(content, []byte(key)) || bytes.Contains(content, []byte("password of w")) {
			t.Error("the copy holds the key or a password")
		}
		n := restoredPairs(t, dir, c.Path)
		if n < last {
			t.Errorf("a later copy has %d connections, an earlier one %d", n, last)
		}
		last = n
	}
	if last == 0 {
		t.Error("the copies are empty: the test proved little")
	}
	if entries, _ := os.ReadDir(place); len(entries) != len(made) {
		t.Errorf("left behind: %v", entries)
	}
	read(t, d, func(tx *db.Tx) error {
		at, found, err := tx.Meta(db.MetaBackup)
		if !found || at != "2027-01-15T08:00:03Z" {
			t.Errorf("the store notes %q", at)
		}
		return err
	})
	// Never over a file, whatever it is.
	was := mustRead(t, made[0].Path)
	if _, err := db.Backup(t.Context(), dir, filepath.Join(dir, "nowhere", "b.db"), time.Now()); !contains(err, "no directory "+filepath.Join(dir, "nowhere")+" ") {
		t.Errorf("into nothing: %v", err)
	}
	if _, err := db.Backup(t.Context(), dir, made[0].Path, time.Now()); !contains(err, "never overwrites") || !bytes.Equal(was, mustRead(t, made[0].Path)) {
		t.Errorf("got %v", err)
	}
	link := filepath.Join(place, "link")
	if err := os.Symlink(filepath.Join(place, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), dir, link, time.Now()); !contains(err, "never overwrites") {
		t.Errorf("through a link: %v", err)
	}
	if _, err := db.Backup(t.Context(), t.TempDir(), filepath.Join(place, "none.db"), time.Now()); !contains(err, "there is no store") {
		t.Errorf("without a store: %v", err)
	}
}

// restoredPairs restores a backup elsewhere and counts its connections, each of which must have its tool and its password.
func restoredPairs(t *testing.T, from, file string) int {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, keyring.FileName), mustRead(t, filepath.Join(from, keyring.FileName)))
	if _, err := restore(t, dir, file); err != nil {
		t.Fatal(err)
	}
	d := openAt(t, dir)
	n := 0
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Connection](tx)
		n = len(all)
		for _, c := range all {
			if tools, err := db.All[*store.Tool](tx, db.UsesConnection(c.ID)); err != nil || len(tools) != 1 {
				t.Errorf("%s has %d tools: half a transaction (%v)", c.Name, len(tools), err)
			}
			if err := tx.OpenSecrets(c); err != nil {
				return err
			}
			if v, _ := c.Password.Reveal(); v != "password of "+c.Name {
				t.Errorf("%s opens to %q", c.Name, v)
			}
		}
		return err
	})
	return n
}

// TestRestore is case 278: the store is the backup's, the one that was there is kept whole, sessions do not come back, history says so.
func TestRestore(t *testing.T) {
	old := syscall.Umask(0) // case 95: modes do not depend on it
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, d, connection("before"))
	raw(t, d.Path(), `INSERT INTO sessions (id, token_hash, created_at, expires_at, last_seen_at, address, user_agent) VALUES ('s', 'h', 1, 9e18, 1, '', '')`)
	file := filepath.Join(t.TempDir(), "backup.db")
	if _, err := db.Backup(t.Context(), dir, file, time.Unix(1_800_000_000, 0)); err != nil {
		t.Fatal(err)
	}
	was := mustRead(t, file)
	insert(t, d, connection("after"))
	var used *db.InUseError
	if _, err := restore(t, dir, file); !errors.As(err, &used) || used.PID != fmt.Sprint(os.Getpid()) {
		t.Errorf("under a running studio: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice within a second: the kept ones do not meet
		done, err := restore(t, dir, file)
		if err != nil {
			t.Fatal(err)
		}
		if done.MadeAt != "2027-01-15T08:00:00Z" || done.Kept == "" {
			t.Errorf("got %+v", done)
		}
		if info, err := os.Stat(done.Kept); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("kept: %v", err)
		}
		checkIntegrity(t, done.Kept)
	}
	if !bytes.Equal(was, mustRead(t, file)) {
		t.Error("the backup was changed")
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.before-restore-*[0-9]")) // without what looking at them left
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept %v", kept)
	}
	h, err := sql.Open("sqlite", "file:"+kept[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var names int
	if err := h.QueryRow(`SELECT count(*) FROM connections`).Scan(&names); err != nil || names != 2 {
		t.Errorf("the kept store has %d connections (%v), want both", names, err)
	}
	d = openAt(t, dir)
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Connection](tx)
		if len(all) != 1 || all[0].Name != "before" {
			t.Errorf("got %s", encode(t, all))
		}
		return err
	})
	if sessions, err := d.Sessions(t.Context(), time.Now()); err != nil || len(sessions) != 0 {
		t.Errorf("sessions %v %v", sessions, err)
	}
	if ch := changes(t, d, db.ChangeQuery{Kind: store.KindBackup}); len(ch) != 1 || !strings.Contains(string(ch[0].After), "2027-01-15") {
		t.Errorf("history %s", encode(t, ch))
	}
	for name := range storeFiles(t, dir) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v %v", name, info.Mode(), err)
		}
		if strings.Contains(name, ".restoring") {
			t.Errorf("%s stayed behind", name)
		}
	}
}

// TestRestoreRefused is cases 106 and 278: whatever is wrong with a backup or its key, the error says so and the directory is as it was.
func TestRestoreRefused(t *testing.T) {
	dir := sealed(t, 40)
	good := mustRead(t, backupOf(t, dir))
	rng := rand.New(rand.NewPCG(7, 7))
	cut := func(n int) func(*testing.T, string) {
		return func(t *testing.T, p string) { put(t, p, good[:n]) }
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		says string
	}{
		{"missing", func(t *testing.T, p string) {}, "no such file"},
		{"empty", cut(0), "empty"},
		{"a directory", func(t *testing.T, p string) { _ = os.Mkdir(p, 0o700) }, "regular file"},
		{"not a database", func(t *testing.T, p string) { put(t, p, bytes.Repeat([]byte("text "), 4000)) }, "cannot be read as a studio database"},
		{"another program's database", func(t *testing.T, p string) { raw(t, p, `CREATE TABLE notes (x)`) }, "cannot be read as a studio database"},
		{"a byte short", cut(len(good) - 1), "was cut"},
		{"cut at a page", cut(len(good) / 4096 / 2 * 4096), ""},
		{"cut in the header", cut(60), ""},
		{"newer", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		}, "newer studio"},
		{"without its check value", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `DELETE FROM secrets WHERE tbl = 'meta'`)
		}, "check value"},
		{"never sealed", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `DELETE FROM secrets`)
		}, "not the store of a studio"},
		{"a tampered check value", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `UPDATE secrets SET sealed = substr(sealed, 1, 20) || 'AAAA' || substr(sealed, 25) WHERE tbl = 'meta'`)
		}, "altered"},
		{"a secret of a third key", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `UPDATE secrets SET sealed = 'v1:0badc0de:AAAA' WHERE row_id = (SELECT max(row_id) FROM secrets WHERE tbl = 'connections')`)
		}, "0badc0de"},
		{"a trigger", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `CREATE TRIGGER back AFTER UPDATE ON admin BEGIN UPDATE admin SET password_hash = 'x'; END`)
		}, `trigger "back"`},
		{"a view", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `CREATE VIEW aside AS SELECT * FROM secrets`)
		}, `view "aside"`},
		{"an orphan", func(t *testing.T, p string) {
			put(t, p, good)
			raw(t, p, `INSERT INTO tools (id, name, name_key, search, connection_id, version, enabled, body, created_at, updated_at) VALUES ('x','x','x','','none',1,1,'{}',1,1)`)
		}, "foreign keys"},
		{"a log beside", func(t *testing.T, p string) {
			put(t, p, good)
			put(t, p+"-wal", []byte("frames"))
		}, "studio backup"},
		{"the store itself", func(t *testing.T, p string) {
			if err := os.Link(filepath.Join(dir, db.FileName), p); err != nil {
				t.Fatal(err)
			}
		}, "the store itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "b.db")
			tc.make(t, path)
			refusedRestore(t, dir, path, tc.says)
		})
	}
	t.Run("damaged pages", func(t *testing.T) {
		for range 25 {
			b := bytes.Clone(good)
			page := 1 + rng.IntN(len(b)/4096-1)
			for i := range 64 {
				b[page*4096+i] ^= 0x5a
			}
			path := filepath.Join(t.TempDir(), "b.db")
			put(t, path, b)
			refusedRestore(t, dir, path, "")
		}
	})
	t.Run("another key", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "b.db")
		put(t, path, good)
		other, err := keyring.Open(keyring.Options{Env: strings.Repeat("0c", 32)})
		if err != nil {
			t.Fatal(err)
		}
		before := storeFiles(t, dir)
		_, err = db.Restore(t.Context(), db.Options{Dir: dir, Keyring: other}, path, admin)
		if !contains(err, openKeys(t, dir).Primary()) || !contains(err, other.Primary()) || !contains(err, "nothing was changed") {
			t.Errorf("got %v", err)
		}
		sameFiles(t, before, storeFiles(t, dir))
	})
}

func refusedRestore(t *testing.T, dir, path, says string) {
	t.Helper()
	before := storeFiles(t, dir)
	if _, err := restore(t, dir, path); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want it to say %q", err, says)
	}
	sameFiles(t, before, storeFiles(t, dir))
}

// sameFiles compares directories but for the lock, which holds the last owner's number.
func sameFiles(t *testing.T, was, is map[string]string) {
	t.Helper()
	delete(was, db.LockName)
	delete(is, db.LockName)
	for name, content := range is {
		if was[name] != content {
			t.Errorf("%s was changed or made", name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestRestoreAfterRotation is case 106: a backup made before a rotation opens with the old key on the ring, and not without.
func TestRestoreAfterRotation(t *testing.T) {
	dir := sealed(t, 3)
	oldKey := mustRead(t, filepath.Join(dir, keyring.FileName))
	file := backupOf(t, dir)
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	refusedRestore(t, dir, file, "does not open with the encryption key given")
	path := filepath.Join(dir, keyring.FileName)
	put(t, path, append(mustRead(t, path), oldKey...))
	if _, err := restore(t, dir, file); err != nil {
		t.Fatal(err)
	}
	readable(t, dir, 3)
}

// TestRestoreOverDamage restores where the store is beyond repair: it is kept as it is, log and all, and the backup takes its place.
func TestRestoreOverDamage(t *testing.T) {
	dir := sealed(t, 3)
	file := backupOf(t, dir)
	live := filepath.Join(dir, db.FileName)
	put(t, live, bytes.Repeat([]byte("noise "), 5000))
	put(t, live+"-wal", []byte("noise"))
	put(t, live+"-shm", []byte("noise"))
	done, err := restore(t, dir, file)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, done.Kept); !bytes.HasPrefix(got, []byte("noise noise")) {
		t.Errorf("kept %.20q", got)
	}
	readable(t, dir, 3)
	// The moment between the two renames: the store is aside and its successor not there. Nothing may begin anew.
	if err := os.Remove(live); err != nil {
		t.Fatal(err)
	}
	if err := openErr(t, dir); !contains(err, "restore again") {
		t.Errorf("got %v", err)
	}
	if _, err := restore(t, dir, file); err != nil {
		t.Fatal(err)
	}
	readable(t, dir, 3)
}

// later proves that a store has the later schema with its data, and that the copy beside it has the earlier one.
func later(t *testing.T, dir string, n int) {
	t.Helper()
	h, err := sql.Open("sqlite", "file:"+filepath.Join(dir, db.FileName)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var rows, sevens int
	if err := h.QueryRow(`SELECT (SELECT count(*) FROM later), (SELECT count(*) FROM connections WHERE later = 7)`).Scan(&rows, &sevens); err != nil || rows != n || sevens != n {
		t.Errorf("after the migration %d and %d rows, want %d: %v", rows, sevens, n, err)
	}
	kept := copies(t, dir)
	if len(kept) == 0 {
		t.Fatal("no copy was kept")
	}
	for _, p := range kept {
		checkIntegrity(t, p)
		c, err := sql.Open("sqlite", "file:"+p+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.QueryRow(`SELECT count(*) FROM connections`).Scan(&rows); err != nil || rows != n {
			t.Errorf("the copy has %d connections: %v", rows, err)
		}
		if err := c.QueryRow(`SELECT 1 FROM later`).Scan(&rows); err == nil {
			t.Error("the copy has the later schema")
		}
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy has mode %v %v", info.Mode(), err)
		}
		_ = c.Close()
	}
}

// copies lists what migrations kept, without what looking at it left.
func copies(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for name := range storeFiles(t, dir) {
		if strings.Contains(name, ".before-migration-") && !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") {
			found = append(found, filepath.Join(dir, name))
		}
	}
	slices.Sort(found)
	return found
}

// TestMigration is cases 274 and 275: a copy of the store is kept before it changes, at most three; one that fails changes nothing; and the
// older program then refuses the store and leaves it alone.
func TestMigration(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [strange name") // not a pattern
	if err := os.Rename(sealed(t, 4), dir); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	start := func(schema fstest.MapFS) error {
		d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Now: func() time.Time { return at }}.WithSchema(schema))
		if err != nil {
			return err
		}
		return d.Close()
	}
	bad := laterSchema()
	bad["migrations/90001_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE half (x BIGINT);\nINSERT INTO nowhere VALUES (1);\n")}
	delete(bad, "migrations/90000_later.sql")
	path := filepath.Join(dir, db.FileName)
	if err := start(bad); !contains(err, "before-migration") || !contains(err, "it is as it was") {
		t.Fatalf("a migration that fails: %v", err)
	}
	readable(t, dir, 4) // with the program as it is
	if err := start(laterSchema()); err != nil {
		t.Fatal(err)
	}
	kept := copies(t, dir)
	if len(kept) != 1 { // both of this second
		t.Errorf("kept %v", kept)
	}
	later(t, dir, 4)
	before := mustRead(t, path)
	if err := openErr(t, dir); !contains(err, "90000") || !contains(err, "newer studio") {
		t.Errorf("the older program: %v", err)
	}
	if !bytes.Equal(before, mustRead(t, path)) {
		t.Error("the refused store was changed")
	}
	// A backup of the earlier version is brought up to date as it is restored.
	if _, err := db.Restore(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)}.WithSchema(laterSchema()), kept[0], admin); err != nil {
		t.Fatal(err)
	}
	later(t, dir, 4)
	for i := range 5 {
		s := laterSchema()
		for n := range i + 1 {
			s[fmt.Sprintf("migrations/9100%d_more.sql", n)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\nCREATE TABLE more%d (x BIGINT);\n", n)}
		}
		at = at.Add(time.Hour)
		if err := start(s); err != nil {
			t.Fatal(err)
		}
	}
	kept = copies(t, dir)
	if len(kept) != 3 || slices.ContainsFunc(kept, func(p string) bool { return strings.Contains(p, at.Add(-3*time.Hour).UTC().Format("150405")) }) {
		t.Errorf("kept %v", kept)
	}
}

// TestRestoreOwner restores as root in the data directory of another user, who must be able to start the studio afterwards.
func TestRestoreOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	const uid = 12345
	dir := sealed(t, 3)
	file := backupOf(t, dir)
	if err := os.Remove(filepath.Join(dir, db.LockName)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, db.FileName), filepath.Join(dir, keyring.FileName)} {
		if err := os.Chown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := restore(t, dir, file); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != uid {
			t.Errorf("%s belongs to %+v, want %d", e.Name(), info.Sys(), uid)
		}
	}
}
