package db_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// TestMain is also the other process of the tests that need one.
func TestMain(m *testing.M) {
	switch role := os.Getenv("STUDIO_TEST_ROLE"); role {
	case "":
		os.Exit(m.Run())
	case "writer":
		os.Exit(crashWriter())
	case "opener":
		os.Exit(lockOpener())
	case "changer":
		os.Exit(changer())
	case "rotator":
		os.Exit(rotator())
	case "restorer":
		os.Exit(restorer())
	case "migrator":
		os.Exit(migrator())
	default:
		fmt.Fprintln(os.Stderr, "unknown role", role)
		os.Exit(2)
	}
}

var admin = db.Act{Actor: store.Actor{Kind: "admin", ID: "admin", Name: "ada"}, Operation: "test"}

func openKeys(t *testing.T, dir string) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func openAt(t *testing.T, dir string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func open(t *testing.T) *db.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "data"))
}

// write runs f in a write transaction that must succeed.
func write(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Update(t.Context(), admin, f); err != nil {
		t.Fatalf("update: %v", err)
	}
}

// try runs f in a write transaction and returns its error.
func try(t *testing.T, d *db.DB, f func(tx *db.Tx) error) error {
	t.Helper()
	return d.Update(t.Context(), admin, f)
}

// read runs f in a read transaction that must succeed.
func read(t *testing.T, d *db.DB, f func(tx *db.Tx) error) {
	t.Helper()
	if err := d.View(t.Context(), f); err != nil {
		t.Fatalf("view: %v", err)
	}
}

func get[T store.Entity](t *testing.T, d *db.DB, id string) T {
	t.Helper()
	var v T
	read(t, d, func(tx *db.Tx) (err error) {
		v, err = db.Get[T](tx, id)
		return err
	})
	return v
}

func changes(t *testing.T, d *db.DB, q db.ChangeQuery) []store.Change {
	t.Helper()
	var page store.Page[store.Change]
	read(t, d, func(tx *db.Tx) (err error) {
		page, err = tx.Changes(q)
		return err
	})
	return page.Items
}

func wantCode(t *testing.T, err error, want store.Code) *store.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want code %s", want)
	}
	if got := store.CodeOf(err); got != want {
		t.Fatalf("got code %s (%v), want %s", got, err, want)
	}
	e, ok := err.(*store.Error)
	if !ok {
		t.Fatalf("got %T, want *store.Error itself", err)
	}
	return e
}

func connection(name string) *store.Connection {
	return store.ConnectionDraft{Name: name, DBType: store.PostgreSQL, Host: "db.example", Database: "shop", Username: "app"}.New()
}

func tool(name, connectionID string) *store.Tool {
	return store.ToolDraft{Name: name, Description: "about " + name, SQLQuery: "select 1", ConnectionID: connectionID}.New()
}

func insert[T store.Entity](t *testing.T, d *db.DB, v T) T {
	t.Helper()
	write(t, d, func(tx *db.Tx) error { return db.Insert(tx, v) })
	return v
}

// clock is a clock that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// storeFiles reads every file below dir.
func storeFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func contains(err error, part string) bool { return err != nil && strings.Contains(err.Error(), part) }

func background() context.Context { return context.Background() }
