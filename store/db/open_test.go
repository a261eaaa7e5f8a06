package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// openErr opens a store that must not open.
func openErr(t *testing.T, dir string) error {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err == nil {
		t.Fatal("it opened")
	}
	if d != nil {
		t.Error("an error came with a store")
	}
	return err
}

// made returns a directory with a closed store that holds one connection.
func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	v := connection("main")
	v.Password = store.GivenSecret("canary-of-made")
	insert(t, d, v)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestReopen proves that opening twice changes nothing: migrations and the config row are made once.
func TestReopen(t *testing.T) {
	dir := made(t)
	if ok, err := db.Exists(dir); !ok || err != nil {
		t.Errorf("Exists: %v %v", ok, err)
	}
	if ok, err := db.Exists(t.TempDir()); ok || err != nil {
		t.Errorf("Exists in an empty directory: %v %v", ok, err)
	}
	for range 2 {
		d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
		if err != nil {
			t.Fatal(err)
		}
		read(t, d, func(tx *db.Tx) error {
			all, err := db.All[*store.Connection](tx)
			if len(all) != 1 || !all[0].Password.IsSet() {
				t.Errorf("got %s", encode(t, all))
			}
			return err
		})
		if n := len(changes(t, d, db.ChangeQuery{})); n != 1 {
			t.Errorf("%d history entries, want 1", n)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, db.FileName+"-wal")); err == nil {
		t.Error("a closed store left its WAL")
	}
}

// TestModes is case 95: nobody else can read anything, whatever the umask, also when the directory was open before.
func TestModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := openAt(t, dir)
	insert(t, d, connection("main"))
	seen := map[string]bool{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", e.Name(), info.Mode().Perm(), want)
		}
		seen[e.Name()] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{db.FileName, db.FileName + "-wal", db.FileName + "-shm", db.LockName, keyring.FileName} {
		if !seen[name] {
			t.Errorf("%s was not there to look at", name)
		}
	}
}

// TestDamagedFile is case 258: a clear message with the file named, and the file untouched.
func TestDamagedFile(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, path string)
		says   string
	}{
		{"empty", func(t *testing.T, p string) { put(t, p, nil) }, "is empty"},
		{"not SQLite", func(t *testing.T, p string) { put(t, p, bytes.Repeat([]byte("not a database "), 500)) }, "cannot be read as a studio database"},
		{"cut", func(t *testing.T, p string) { put(t, p, mustRead(t, p)[:1000]) }, "cannot be read as a studio database"},
		{"another program's database", func(t *testing.T, p string) {
			put(t, p, nil)
			raw(t, p, `CREATE TABLE notes (x)`)
		}, "cannot be read as a studio database"},
		{"a directory", func(t *testing.T, p string) {
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(p, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		// case 275: a newer studio wrote it
		{"newer schema", func(t *testing.T, p string) {
			raw(t, p, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, "schema version 999"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := made(t)
			path := filepath.Join(dir, db.FileName)
			tc.damage(t, path)
			var before []byte
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				before = mustRead(t, path)
			}
			err := openErr(t, dir)
			if !contains(err, tc.says) || !contains(err, path) {
				t.Errorf("got %q, want it to say %q and name %s", err, tc.says, path)
			}
			if before != nil && !bytes.Equal(before, mustRead(t, path)) {
				t.Error("the file was changed")
			}
			// The refusal gave the directory free.
			f, err := os.OpenFile(filepath.Join(dir, db.LockName), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
				t.Errorf("the lock is still held: %v", err)
			}
		})
	}
}

// TestInterruptedFirstStart leaves what a crash before the first rename leaves.
func TestInterruptedFirstStart(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, db.FileName+".new"), []byte("half"))
	put(t, filepath.Join(dir, db.FileName+".new-wal"), []byte("half"))
	d := openAt(t, dir)
	insert(t, d, connection("main"))
}

// TestWrongKey is cases 98 and 99: the start is refused, nothing is changed, and the right key gives everything back.
func TestWrongKey(t *testing.T) {
	dir := made(t)
	path := filepath.Join(dir, db.FileName)
	before := mustRead(t, path)
	other, err := keyring.Open(keyring.Options{Env: strings.Repeat("0a", 32)})
	if err != nil {
		t.Fatal(err)
	}
	right := openKeys(t, dir)
	_, err = db.Open(t.Context(), db.Options{Dir: dir, Keyring: other})
	if !contains(err, right.Primary()) || !contains(err, other.Primary()) || !contains(err, "nothing was changed") || contains(err, "canary") {
		t.Errorf("the error does not say which key is wanted and which is there: %v", err)
	}
	if !bytes.Equal(before, mustRead(t, path)) {
		t.Error("the file was changed")
	}
	d := openAt(t, dir)
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Connection](tx)
		if err != nil {
			return err
		}
		if err := tx.OpenSecrets(all[0]); err != nil {
			return err
		}
		if v, _ := all[0].Password.Reveal(); v != "canary-of-made" {
			t.Errorf("got %q", v)
		}
		return nil
	})
	// The key file is lost: a new one must not be made over it.
	if err := os.Remove(filepath.Join(dir, keyring.FileName)); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(keyring.Options{Dir: dir, MustExist: true}); !contains(err, "is missing") || !errors.As(err, new(*keyring.MissingError)) {
		t.Errorf("got %v", err)
	}
}

// TestSecondStudio is case 247: refused while the first runs, and not blocked by one that was killed.
func TestSecondStudio(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	openKeys(t, dir)
	first := startRole(t, "opener", dir)
	first.wait(t, "open")
	err := openErr(t, dir)
	if !contains(err, "in use by another studio") || !contains(err, fmt.Sprint(first.cmd.Process.Pid)) {
		t.Errorf("got %v", err)
	}

	// A command may open it beside, and its write is seen.
	beside, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, beside, connection("from_beside"))
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}

	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait() // killed: it always has an error
	d := openAt(t, dir)
	read(t, d, func(tx *db.Tx) error {
		_, err := db.Find[*store.Connection](tx, "from_beside")
		return err
	})
}

func TestBesideNothing(t *testing.T) {
	dir := t.TempDir()
	_, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Beside: true})
	if !contains(err, "there is no store") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, db.FileName)); err == nil {
		t.Error("a store was made")
	}
}

// A directory that may not be written is no damage, and a backup would not help. Root writes everywhere, so then it is another user
// who starts the studio.
func TestReadOnlyDirectory(t *testing.T) {
	dir := made(t)
	exe := filepath.Join(filepath.Dir(dir), "opener")
	bin, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, bin, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "STUDIO_TEST_ROLE=opener", "STUDIO_TEST_DIR="+dir)
	if os.Geteuid() == 0 {
		const other = 54321
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
		for _, way := range []string{filepath.Dir(filepath.Dir(dir)), filepath.Dir(dir)} {
			if err := os.Chmod(way, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, other, other)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) // so that it can be removed
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot be written") || strings.Contains(string(out), "backup") {
		t.Errorf("%v: %s", err, out)
	}
}

// lockOpener opens a store and holds it.
func lockOpener() int {
	dir := os.Getenv("STUDIO_TEST_DIR")
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := db.Open(context.Background(), db.Options{Dir: dir, Keyring: k}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("open")
	time.Sleep(10 * time.Minute) // the parent kills it
	return 0
}

// role is this test binary as another process.
type role struct {
	cmd *exec.Cmd
	out *lines
}

func startRole(t *testing.T, name, dir string, env ...string) *role {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &role{cmd: exec.Command(exe), out: newLines()}
	r.cmd.Env = append(append(os.Environ(), "STUDIO_TEST_ROLE="+name, "STUDIO_TEST_DIR="+dir), env...)
	r.cmd.Stdout = r.out
	r.cmd.Stderr = os.Stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
	})
	return r
}

// wait waits for a line.
func (r *role) wait(t *testing.T, line string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case got := <-r.out.ch:
			if got == line {
				return
			}
		case <-deadline:
			t.Fatalf("the other process did not say %q", line)
		}
	}
}

// lines splits what is written to it into lines; an unfinished last line is not one.
type lines struct {
	rest string
	ch   chan string
}

func newLines() *lines { return &lines{ch: make(chan string, 100_000)} }

func (l *lines) Write(p []byte) (int, error) {
	l.rest += string(p)
	for {
		line, rest, ok := strings.Cut(l.rest, "\n")
		if !ok {
			return len(p), nil
		}
		l.rest = rest
		l.ch <- line
	}
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// raw runs a statement on the file past the store, as an attacker or an operator with a shell would.
func raw(t *testing.T, path, query string, args ...any) {
	t.Helper()
	h, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// TestForeignDirectory: a directory that others use is not closed to them because somebody gave it as the data directory; what a studio or
// the maker of a file system puts there does not make it one.
func TestForeignDirectory(t *testing.T) {
	for name, foreign := range map[string]bool{
		"letter.txt": true, ".ssh": true, "studio": true, "": false, "databases": false, "lost+found": false, keyring.FileName: false, "session.key": false,
		"studio.db.before-restore-20270115-080000": true, // no store: one was set aside, which createFile says
	} {
		dir := filepath.Join(t.TempDir(), "given")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if name != "" {
			put(t, filepath.Join(dir, name), []byte("x"))
		}
		d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, t.TempDir())})
		if (err != nil) != foreign {
			t.Errorf("%q: %v", name, err)
		}
		if d != nil {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if strings.HasPrefix(name, db.FileName) {
			continue
		}
		info, serr := os.Stat(dir)
		if serr != nil {
			t.Fatal(serr)
		}
		if foreign && (!contains(err, "holds other files") || info.Mode().Perm() != 0o755) || !foreign && info.Mode().Perm() != 0o700 {
			t.Errorf("%q: mode %o, %v", name, info.Mode().Perm(), err)
		}
	}
	// With a store or a key in it, it is a studio's, whatever is beside it; and a directory that is closed is nobody else's.
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(other, "backup.db"), []byte("x"))
	openAt(t, other) // whose key openAt makes first
	dir := sealed(t, 1)
	put(t, filepath.Join(dir, "letter.txt"), []byte("x"))
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	readable(t, dir, 1)
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(closed, "letter.txt"), []byte("x"))
	openAt(t, closed)
}
