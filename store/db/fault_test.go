package db_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// changing are the system calls that change what is on the disk. strace stops the process as it enters one of them, so a sweep over all
// that a role makes stands before every write there is.
const changing = "write,pwrite64,fsync,fdatasync,ftruncate,?rename,renameat,renameat2,?link,linkat,?unlink,unlinkat" // ?: not on every machine

// sample is how many moments of a sweep are tried in a normal run, drawn from a fixed seed; STUDIO_VERIFY=1 tries all.
const sample = 8

// needStrace skips where system calls cannot be stopped.
func needStrace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed, so system calls cannot be made to fail; TestKill covers random moments")
	}
	if out, err := exec.Command(path, "-o", "/dev/null", "-e", "inject=getppid:error=EPERM:when=1", "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v %s", err, out)
	}
	return path
}

// traced runs a role of this binary under strace until it ends, and returns what it printed and the trace.
func traced(t *testing.T, name, dir string, args, env []string) (output, trace string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(needStrace(t), slices.Concat([]string{"-f", "-qq", "-e", "signal=none", "-o", file}, args, []string{exe})...)
	cmd.Env = append(append(os.Environ(), "STUDIO_TEST_ROLE="+name, "STUDIO_TEST_DIR="+dir, "GOMAXPROCS=1"), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, refused or done: the output and the directory say
	if !timer.Stop() {
		t.Fatalf("%s did not end: %s", name, out.String())
	}
	return out.String(), string(mustRead(t, file))
}

// moment is the nth call of one kind that a role makes on its own thread. strace counts for each thread and each kind of call; the role
// is locked to its first thread, and others only write to pipes.
type moment struct {
	call string
	n    int
	on   bool // and every such call after it
}

// inject runs a role with a fault at a moment and returns what it printed.
func inject(t *testing.T, name, dir, fault string, at moment, env ...string) string {
	t.Helper()
	when := strconv.Itoa(at.n)
	if at.on {
		when += "+"
	}
	out, _ := traced(t, name, dir, []string{"-e", "trace=" + at.call, "-e", "inject=" + at.call + ":" + fault + ":when=" + when}, env)
	return out
}

// moments lists the changes of a role that runs through, in their order, and draws which of them to stop at.
func moments(t *testing.T, name, dir, calls string, env ...string) []moment {
	t.Helper()
	out, trace := traced(t, name, copyDir(t, dir), []string{"-e", "trace=" + calls}, env)
	if !strings.HasSuffix(out, "done\n") {
		t.Fatalf("%s does not run through: %s", name, out)
	}
	var all []moment
	seen := map[string]int{}
	first, _, _ := strings.Cut(trace, " ")
	for line := range strings.Lines(trace) {
		rest, own := strings.CutPrefix(line, first+" ")
		call, _, begins := strings.Cut(strings.TrimSpace(rest), "(")
		if own && begins && slices.Contains(strings.Split(strings.ReplaceAll(calls, "?", ""), ","), call) {
			seen[call]++
			all = append(all, moment{call: call, n: seen[call]})
		}
	}
	if len(all) < 5 {
		t.Fatalf("%s makes %d changes: the sweep would prove nothing", name, len(all))
	}
	drawn := all
	if os.Getenv("STUDIO_VERIFY") == "" {
		rng := rand.New(rand.NewPCG(20261123, 0))
		drawn = nil
		for part := range min(sample, len(all)) { // one of each part of its life, so that the end has its turn too
			from, to := part*len(all)/sample, (part+1)*len(all)/sample
			if len(all) < sample {
				from, to = part, part+1
			}
			drawn = append(drawn, all[from+rng.IntN(to-from)])
		}
	}
	t.Logf("%d of %d changes of %s (%v)", len(drawn), len(all), name, seen)
	return drawn
}

// copyDir copies a data directory, so that each moment begins from the same state.
func copyDir(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries { // CopyFS lets the umask decide
		if err := os.Chmod(filepath.Join(to, e.Name()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// sealed makes a directory with a closed store of n connections with passwords.
func sealed(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	write(t, d, func(tx *db.Tx) error {
		for i := range n {
			c := connection(fmt.Sprintf("c%d", i))
			c.Password = store.GivenSecret("password of " + c.Name)
			if err := db.Insert(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// readable proves that a store opens with what is in its directory and that each of its n secrets is what it was.
func readable(t *testing.T, dir string, n int) {
	t.Helper()
	d := reopened(t, dir, true)
	defer d.Close()
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Connection](tx)
		if len(all) != n {
			t.Errorf("%d connections, want %d", len(all), n)
		}
		for _, c := range all {
			if err := tx.OpenSecrets(c); err != nil {
				return err
			}
			if v, _ := c.Password.Reveal(); v != "password of "+c.Name {
				t.Errorf("%s opens to %q", c.Name, v)
			}
		}
		return err
	})
	checkIntegrity(t, d.Path())
}

// reopened is the next start on what a role left; keyed says that there must be a key.
func reopened(t *testing.T, dir string, keyed bool) *db.DB {
	t.Helper()
	k, err := keyring.Open(keyring.Options{Dir: dir, MustExist: keyed})
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: k})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// actAs makes this process stand in for a command on the directory that the test names. It stays on its first thread, so that strace
// counts what it does in order. keyed says that there must be a key.
func actAs(keyed bool, run func(db.Options) error) int {
	runtime.LockOSThread()
	o := db.Options{Dir: os.Getenv("STUDIO_TEST_DIR")}
	var err error
	if o.Keyring, err = keyring.Open(keyring.Options{Dir: o.Dir, MustExist: keyed}); err != nil {
		return roleEnd(err)
	}
	return roleEnd(run(o))
}

// onStore runs f on the store of o and closes it.
func onStore(o db.Options, f func(*db.DB) error) error {
	d, err := db.Open(background(), o)
	if err != nil {
		return err
	}
	return errors.Join(f(d), d.Close())
}

// roleEnd is how a role that stands in for a command ends.
func roleEnd(err error) int {
	if err != nil {
		fmt.Println("refused:", err)
		return 1
	}
	fmt.Println("done")
	return 0
}

// rotator is studio rotate-key --generate.
func rotator() int {
	return actAs(true, func(o db.Options) error {
		return onStore(o, func(d *db.DB) error {
			_, err := d.Rotate(background(), admin, true)
			return err
		})
	})
}

// restorer is studio restore.
func restorer() int {
	return actAs(true, func(o db.Options) error {
		_, err := db.Restore(background(), o, os.Getenv("STUDIO_TEST_FILE"), admin)
		return err
	})
}

// laterSchema is the program's migrations and one more.
func laterSchema() fstest.MapFS {
	out := fstest.MapFS{"migrations/90000_later.sql": &fstest.MapFile{Data: []byte(
		"-- +goose Up\nCREATE TABLE later (x BIGINT NOT NULL);\nINSERT INTO later SELECT version FROM connections;\nALTER TABLE connections ADD COLUMN later BIGINT NOT NULL DEFAULT 7;\n")}}
	entries, err := os.ReadDir("migrations")
	for _, e := range entries {
		var b []byte
		if b, err = os.ReadFile("migrations/" + e.Name()); err == nil {
			out["migrations/"+e.Name()] = &fstest.MapFile{Data: b}
		}
	}
	if err != nil {
		panic(err)
	}
	return out
}

// migrator is the start of a newer program.
func migrator() int {
	return actAs(true, func(o db.Options) error {
		return onStore(o.WithSchema(laterSchema()), func(*db.DB) error { return nil })
	})
}

// changer is the life of a studio from its first start: setup, login, create, update, delete. Each step is said once it is committed.
func changer() int {
	runtime.LockOSThread() // see actAs
	exists, err := db.Exists(os.Getenv("STUDIO_TEST_DIR"))
	if err != nil {
		return roleEnd(err)
	}
	return actAs(exists, func(o db.Options) error { return onStore(o, changeAll) })
}

func changeAll(d *db.DB) error {
	fmt.Println("started")
	now := time.Now().UTC()
	a := &store.Admin{Username: "ada", PasswordHash: "hash"}
	c := connection("main")
	c.Password = store.GivenSecret("first")
	gone := connection("gone")
	steps := []struct {
		name string
		run  func() error
	}{
		{"setup", func() error { return d.CreateAdmin(background(), store.SystemActor(), a, nil) }},
		{"login", func() error {
			s := &store.Session{ID: "s", TokenHash: []byte("hash of s"), CreatedAt: now, ExpiresAt: now.Add(time.Hour), LastSeenAt: now}
			return d.StartSession(background(), s, store.SignIn{AdminVersion: a.Version})
		}},
		{"create", func() error {
			return d.Update(background(), admin, func(tx *db.Tx) error { return errors.Join(db.Insert(tx, c), db.Insert(tx, gone)) })
		}},
		{"update", func() error {
			c.Password, c.Database = store.GivenSecret("second"), "changed"
			return d.Update(background(), admin, func(tx *db.Tx) error { return db.Update(tx, c, 1) })
		}},
		{"delete", func() error {
			return d.Update(background(), admin, func(tx *db.Tx) error { return db.Delete[*store.Connection](tx, gone.ID) })
		}},
	}
	for _, s := range steps {
		if err := s.run(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Println(s.name)
	}
	return nil
}

// TestKillChanges is cases 253 and 12: kill -9 at every write of the first start, setup, login, create, update and delete. The next
// start needs no help; what was acknowledged is there, and the next step is there whole or not at all.
func TestKillChanges(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, at := range moments(t, "changer", empty, changing) {
		dir := copyDir(t, empty)
		out := inject(t, "changer", dir, "signal=KILL", at)
		done := strings.Fields(strings.ReplaceAll(out, "refused:", ""))
		for _, step := range done {
			seen[step]++
		}
		heldSteps(t, dir, done)
		if t.Failed() {
			t.Fatalf("killed at %v, after %v", at, done)
		}
	}
	if seen["started"] == 0 || seen["create"] == 0 {
		t.Errorf("steps reached: %v: the sweep proved little", seen)
	}
}

// heldSteps starts on what a kill left and looks for the steps that were acknowledged.
func heldSteps(t *testing.T, dir string, done []string) {
	t.Helper()
	exists, err := db.Exists(dir)
	if err != nil || !exists && slices.Contains(done, "started") {
		t.Fatalf("the store is there: %v %v", exists, err)
	}
	d := reopened(t, dir, exists)
	defer d.Close()
	must := func(step string, there, whole bool) {
		t.Helper()
		if slices.Contains(done, step) && !there {
			t.Errorf("%s was acknowledged and is lost", step)
		}
		if there && !whole {
			t.Errorf("half of %s is there", step)
		}
	}
	a, err := d.Admin(t.Context())
	must("setup", err == nil, err != nil || a.Username == "ada" && len(changes(t, d, db.ChangeQuery{Kind: store.KindAdmin})) == 1)
	_, err = d.SessionByHash(t.Context(), []byte("hash of s"))
	must("login", err == nil, true)
	var all []*store.Connection
	var password string
	read(t, d, func(tx *db.Tx) (err error) {
		if all, err = db.All[*store.Connection](tx); err != nil {
			return err
		}
		for _, c := range all {
			if c.Name == "main" {
				err = tx.OpenSecrets(c)
				password, _ = c.Password.Reveal()
			}
		}
		return err
	})
	history := len(changes(t, d, db.ChangeQuery{Kind: store.KindConnection}))
	updated := password == "second"
	deleted := len(all) == 1
	must("create", len(all) > 0, (len(all) == 2 && history >= 2 || deleted && history == 4) && password != "")
	must("update", updated, len(all) > 0 && all[len(all)-1].Database == "changed" && history >= 3)
	must("delete", deleted, updated && history == 4)
	checkIntegrity(t, d.Path())
}

// TestKillRotate is case 102: kill -9 at every write, sync and rename of a rotation to a new key leaves every secret readable with what
// is in the directory; the next rotation completes it, with one key in the file and no old seal in any file.
func TestKillRotate(t *testing.T) {
	const n = 150
	dir := sealed(t, n)
	old := openKeys(t, dir).Primary()
	for _, at := range moments(t, "rotator", dir, changing) {
		dir := copyDir(t, dir)
		inject(t, "rotator", dir, "signal=KILL", at)
		readable(t, dir, n)
		again := startRole(t, "rotator", dir)
		again.wait(t, "done")
		if err := again.cmd.Wait(); err != nil {
			t.Fatalf("killed at %v: the second rotation: %v", at, err)
		}
		readable(t, dir, n)
		rotated(t, dir, old, n)
		if t.Failed() {
			t.Fatalf("killed at %v", at)
		}
	}
}

// rotated proves the end of a rotation.
func rotated(t *testing.T, dir, old string, n int) {
	t.Helper()
	ids := openKeys(t, dir).IDs()
	if len(ids) != 1 || ids[0] == old {
		t.Errorf("keys %v after a rotation from %s", ids, old)
	}
	files := storeFiles(t, dir)
	for name, content := range files {
		if strings.Contains(content, "v1:"+old+":") {
			t.Errorf("%s still holds something sealed with the old key", name)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v %v", name, info.Mode(), err)
		}
	}
	if got := strings.Count(files[db.FileName], "v1:"+ids[0]+":"); got < n+1 {
		t.Errorf("%d seals of the new key, want %d", got, n+1)
	}
	if _, ok := files[keyring.FileName+".new"]; ok {
		t.Error("a draft of the key file stayed behind")
	}
}

// TestKillRestore is case 278 interrupted: the directory has the old store or the new one, whole, and a repeated restore succeeds.
func TestKillRestore(t *testing.T) {
	dir := sealed(t, 3)
	file := filepath.Join(t.TempDir(), "backup.db")
	if _, err := db.Backup(t.Context(), dir, file, time.Now()); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	c := connection("after")
	c.Password = store.GivenSecret("password of after")
	insert(t, d, c)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, at := range moments(t, "restorer", dir, changing, "STUDIO_TEST_FILE="+file) {
		dir := copyDir(t, dir)
		inject(t, "restorer", dir, "signal=KILL", at, "STUDIO_TEST_FILE="+file)
		n := 0
		d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
		if err != nil {
			t.Fatalf("killed at %v: %v", at, err)
		}
		read(t, d, func(tx *db.Tx) error {
			all, err := db.All[*store.Connection](tx)
			n = len(all)
			return err
		})
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if n != 3 && n != 4 {
			t.Fatalf("killed at %v: %d connections, want those of the backup or those of the store", at, n)
		}
		readable(t, dir, n)
		if _, err := db.Restore(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)}, file, admin); err != nil {
			t.Fatalf("killed at %v: the second restore: %v", at, err)
		}
		readable(t, dir, 3)
		if t.Failed() {
			t.Fatalf("killed at %v", at)
		}
	}
}

// TestKillMigration is case 274: kill -9 at every write of a migration leaves the old schema or the new one, and the next start
// finishes; the copy made before is whole.
func TestKillMigration(t *testing.T) {
	dir := sealed(t, 5)
	for _, at := range moments(t, "migrator", dir, changing) {
		dir := copyDir(t, dir)
		inject(t, "migrator", dir, "signal=KILL", at)
		again := startRole(t, "migrator", dir)
		again.wait(t, "done")
		if err := again.cmd.Wait(); err != nil {
			t.Fatalf("killed at %v: the next start: %v", at, err)
		}
		later(t, dir, 5)
		if t.Failed() {
			t.Fatalf("killed at %v", at)
		}
	}
}

// TestDiskFaults is cases 255, 256 and 289: whichever write fails for want of room, and whichever sync fails, the rotation is refused
// or stands, no secret is lost, and it completes when the disk is well again, without help.
func TestDiskFaults(t *testing.T) {
	const n = 120
	dir := sealed(t, n)
	old := openKeys(t, dir).Primary()
	for _, fault := range []struct{ name, calls, error, says string }{
		{"full", "pwrite64,write", "error=ENOSPC", "full"},
		{"sync", "fsync,fdatasync", "error=EIO", ""},
	} {
		t.Run(fault.name, func(t *testing.T) {
			refused := 0
			for _, at := range moments(t, "rotator", dir, fault.calls) {
				dir := copyDir(t, dir)
				out := inject(t, "rotator", dir, fault.error, at)
				if strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
					t.Fatalf("fault at %v: %s", at, out)
				}
				if strings.Contains(out, "refused:") {
					refused++
				}
				readable(t, dir, n)
				again := startRole(t, "rotator", dir)
				again.wait(t, "done")
				if err := again.cmd.Wait(); err != nil {
					t.Fatalf("fault at %v: the second rotation: %v", at, err)
				}
				readable(t, dir, n)
				rotated(t, dir, old, n)
				if t.Failed() {
					t.Fatalf("fault at %v of %s: %s", at, fault.name, out)
				}
			}
			if refused == 0 {
				t.Error("no fault was ever noticed: the sweep proved nothing")
			}
		})
	}
}

// TestFullDiskRestore is case 255 for a restore: from whichever write on the disk is full, the store is the old one or the backup, whole, and
// a restore that says it is done is: SQLite does not say when the end of its log finds no room.
func TestFullDiskRestore(t *testing.T) {
	dir := sealed(t, 3)
	raw(t, filepath.Join(dir, db.FileName), `INSERT INTO sessions (id, token_hash, created_at, expires_at, last_seen_at, address, user_agent) VALUES ('s', '00', 1, 9e18, 1, '', '')`)
	env := "STUDIO_TEST_FILE=" + backupOf(t, dir)
	refused, done := 0, 0
	for _, at := range moments(t, "restorer", dir, "pwrite64", env) {
		for _, at.on = range []bool{true, false} {
			dir := copyDir(t, dir)
			out := inject(t, "restorer", dir, "error=ENOSPC", at, env)
			readable(t, dir, 3)
			if !strings.HasSuffix(out, "done\n") {
				refused++
				continue
			}
			done++
			d := reopened(t, dir, true)
			if entries := changes(t, d, db.ChangeQuery{Kind: store.KindBackup}); len(entries) != 1 {
				t.Errorf("full at %v: the history has %d entries of the restore", at, len(entries))
			}
			if all, err := d.Sessions(t.Context(), time.Now()); err != nil || len(all) != 0 {
				t.Errorf("full at %v: %d sessions of the backup's time live: %v", at, len(all), err)
			}
			if err := d.Close(); err != nil || t.Failed() {
				t.Fatal(err)
			}
		}
	}
	if refused == 0 || os.Getenv("STUDIO_VERIFY") != "" && done == 0 {
		t.Errorf("%d refused, %d done: the sweep proved nothing", refused, done)
	}
}

// TestFullDiskStart is case 255 for the first start and what follows it: what was acknowledged is there, and the next start needs no help.
func TestFullDiskStart(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, at := range moments(t, "changer", empty, "pwrite64") {
		for _, at.on = range []bool{true, false} {
			dir := copyDir(t, empty)
			steps, why, found := strings.Cut(inject(t, "changer", dir, "error=ENOSPC", at), "refused:")
			if found {
				refused++
			}
			heldSteps(t, dir, strings.Fields(steps))
			if t.Failed() {
				t.Fatalf("full at %v, after %s: %s", at, strings.Fields(steps), why)
			}
		}
	}
	if refused == 0 {
		t.Error("no fault was ever noticed: the sweep proved nothing")
	}
}
