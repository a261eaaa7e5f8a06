package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func mustOpenFile(t *testing.T, dir string) *Keyring {
	t.Helper()
	k, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestGenerateAndRetire walks a rotation through the key file: what a start would read opens every value at every step. case 102
func TestGenerateAndRetire(t *testing.T) {
	dir := t.TempDir()
	k := mustOpenFile(t, dir)
	old := k.Primary()
	sealed := mustSeal(t, k, "before")
	opens := func(values ...string) {
		t.Helper()
		for _, ring := range []*Keyring{k, mustOpenFile(t, dir)} {
			for _, v := range values {
				if _, err := ring.Open(v, place); err != nil {
					t.Errorf("%v: %v", ring.IDs(), err)
				}
			}
		}
	}
	if err := k.Generate(); err != nil {
		t.Fatal(err)
	}
	if ids := k.IDs(); len(ids) != 2 || ids[1] != old || ids[0] == old {
		t.Fatalf("ring %v after %s", ids, old)
	}
	again := mustSeal(t, k, "after")
	if id, _ := KeyID(again); id != k.Primary() {
		t.Errorf("sealed with %s", id)
	}
	opens(sealed, again)
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	opens(again)
	var wrong *WrongKeyError
	if _, err := k.Open(sealed, place); !errors.As(err, &wrong) || wrong.Want != old {
		t.Errorf("the retired key still opens: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if info, err := os.Stat(filepath.Join(dir, FileName)); err != nil || info.Mode().Perm() != 0o600 { // case 95
		t.Errorf("mode %v %v", info.Mode(), err)
	}
}

// TestChangeRefused proves that a file that is not what the ring was read from is left alone, and that the environment is never changed.
func TestChangeRefused(t *testing.T) {
	dir := t.TempDir()
	k := mustOpenFile(t, dir)
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, []byte(key32(7)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := k.IDs()
	for name, change := range map[string]func() error{"generate": k.Generate, "retire": k.Retire} {
		if err := change(); err == nil || !strings.Contains(err.Error(), "was changed since") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != key32(7)+"\n" {
		t.Errorf("the file is now %q", b)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := k.Generate(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
	if got := k.IDs(); len(got) != 1 || got[0] != before[0] {
		t.Errorf("the ring changed to %v", got)
	}
	env := mustOpen(t, key32(1))
	for _, change := range []func() error{env.Generate, env.Retire} {
		if err := change(); !errors.Is(err, ErrEnvironment) {
			t.Errorf("environment: %v", err)
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, FileName), []byte(key32(1)+"\n"+key32(2)+"\n"+key32(3)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := mustOpenFile(t, full).Generate(); err == nil || !strings.Contains(err.Error(), "finish that rotation first") {
		t.Errorf("a fourth key: %v", err)
	}
}

// TestUseWhileRotating seals and opens while keys come and go: no value is ever sealed with a key that is not in the file.
func TestUseWhileRotating(t *testing.T) {
	dir := t.TempDir()
	k := mustOpenFile(t, dir)
	stop := make(chan struct{})
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := k.Seal("x", place)
				if err != nil {
					t.Error(err)
					return
				}
				var wrong *WrongKeyError // retired in between
				if _, err := k.Open(s, place); err != nil && !errors.As(err, &wrong) {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		if err := errors.Join(k.Generate(), k.Retire()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	users.Wait()
}

// TestDerivation is case 104 for passphrases: each store has a salt of its own, the same text gives the same key, and a text that was
// altered or is of another program is refused.
func TestDerivation(t *testing.T) {
	text, err := NewDerivation()
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewDerivation()
	if err != nil || other == text {
		t.Fatalf("two stores have one salt: %v", err)
	}
	k := mustOpen(t, "a passphrase of some length,"+key32(1))
	derived := func(text string) *Keyring {
		t.Helper()
		d, err := k.Derived(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b := derived(text).IDs(), derived(other).IDs()
	if a[0] == b[0] || a[0] == k.IDs()[0] || a[0] != derived(text).Primary() {
		t.Errorf("passphrase ids %v %v %v", k.IDs(), a, b)
	}
	if a[1] != b[1] {
		t.Error("a key of 32 bytes depends on the salt")
	}
	sealed := mustSeal(t, derived(text), "x")
	if s, err := derived(text).Open(sealed, place); err != nil || !s.IsGiven() {
		t.Errorf("got %v", err)
	}
	if _, err := derived(other).Open(sealed, place); err == nil {
		t.Error("another salt opens it")
	}
	for _, bad := range []string{
		"", "$argon2id$", text[:len(text)-1], text + "A", strings.Replace(text, "t=3", "t=1", 1), strings.Replace(text, "m=65536", "m=4294967295", 1),
		strings.Replace(text, "argon2id", "argon2i", 1), text[:len(derivePrefix)], strings.Replace(text, "v=19", "v=20", 1),
	} {
		if _, err := k.Derived(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	// What a store made by this format derives must never change.
	pinned, err := mustOpen(t, "a passphrase for the pinned test").Derived("$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw")
	if err != nil || pinned.Primary() != pinnedSaltedID {
		t.Errorf("the pinned salt derives %s (%v), want %s", pinned.Primary(), err, pinnedSaltedID)
	}
}

const pinnedSaltedID = "d65193fd"

// TestOwner rotates as root in the data directory of another user, who must be able to start the studio afterwards.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	const uid = 12345
	dir := t.TempDir()
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	owned := func(after string) {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, FileName))
		if err != nil {
			t.Fatal(err)
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid != uid || st.Gid != uid || info.Mode().Perm() != 0o600 {
			t.Errorf("after %s the key file is %v of %+v, want 0600 of %d", after, info.Mode(), info.Sys(), uid)
		}
	}
	k := mustOpenFile(t, dir)
	owned("the first start")
	if err := k.Generate(); err != nil {
		t.Fatal(err)
	}
	owned("a new key")
	if err := k.Retire(); err != nil {
		t.Fatal(err)
	}
	owned("the end of a rotation")
}
