package db_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// A setting that came with a later version has its default in a store that was made before.
func TestConfigFromBefore(t *testing.T) {
	dir := t.TempDir()
	d := openAt(t, dir)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", filepath.Join(dir, db.FileName))
	if err != nil {
		t.Fatal(err)
	}
	changed, err := raw.Exec(`UPDATE server_config SET body = json_remove(body, '$.child_memory_mib') WHERE body LIKE '%child_memory_mib%'`)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := changed.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%d rows had the setting: %v", n, err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	read(t, openAt(t, dir), func(tx *db.Tx) error {
		c, err := tx.Config()
		if err == nil && (c.ChildMemoryMiB != store.DefaultChildMemoryMiB || c.Check() != nil) {
			t.Errorf("got %d MiB: %v", c.ChildMemoryMiB, c.Check())
		}
		return err
	})
}
