package db_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/store/db"
)

// content is every file of a directory with its mode and a hash of what is in it.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name()] = fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(b))
	}
	return out
}

// TestLook: looking changes nothing, whether a studio runs or not.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	keys := openKeys(t, dir)
	if err := db.Look(t.Context(), db.Options{Dir: dir, Keyring: keys}, func(*db.Tx) error { return nil }); err == nil {
		t.Error("there is no store, and it was looked at")
	}
	look := func() {
		t.Helper()
		name := ""
		err := db.Look(t.Context(), db.Options{Dir: dir, Keyring: keys}, func(tx *db.Tx) error {
			c, err := tx.Config()
			name = c.ServerName
			return err
		})
		if err != nil || name == "" {
			t.Errorf("got %q, %v", name, err)
		}
	}
	running, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: keys})
	if err != nil {
		t.Fatal(err)
	}
	before := content(t, dir)
	look()
	after := content(t, dir)
	delete(before, "studio.db-shm") // where readers say what they read; it is no content
	delete(after, "studio.db-shm")
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("beside a running studio (-before +after)\n%s", d)
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	before = content(t, dir)
	look()
	if d := cmp.Diff(before, content(t, dir)); d != "" {
		t.Errorf("without one (-before +after)\n%s", d)
	}
	other := openKeys(t, t.TempDir())
	if err := db.Look(t.Context(), db.Options{Dir: dir, Keyring: other}, func(*db.Tx) error { return nil }); err == nil {
		t.Error("another key opens the store")
	}
}
