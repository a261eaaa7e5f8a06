package db_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestRestoreTellsWhoGetsIn: a restore undoes what was changed for safety since the backup, so it names everybody who gets in, and which
// tokens come back that had been revoked. case 278
func TestRestoreTellsWhoGetsIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	if err := d.CreateAdmin(t.Context(), admin.Actor, &store.Admin{Username: "ada", PasswordHash: "hash"}, nil); err != nil {
		t.Fatal(err)
	}
	mint := func(name string, change func(*store.MCPToken)) string {
		t.Helper()
		v := &store.MCPToken{Name: name, Prefix: "mcps_" + name, TokenHash: slices.Repeat([]byte(name[:1]), 32)}
		change(v)
		return insert(t, d, v).ID
	}
	kept := mint("kept", func(*store.MCPToken) {})
	revoked := mint("revoked", func(v *store.MCPToken) { v.ExpiresAt = new(time.Now().Add(time.Hour)) })
	mint("dead", func(v *store.MCPToken) { v.ExpiresAt = new(time.Now().Add(-time.Hour)) })
	mint("idle", func(v *store.MCPToken) { v.IdleTimeoutMinutes = 30 })
	raw(t, d.Path(), `UPDATE mcp_tokens SET created_at = created_at - 3600000000 WHERE name = 'idle'`)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	file := backupOf(t, dir)
	d = openAt(t, dir)
	write(t, d, func(tx *db.Tx) error { return db.Delete[*store.MCPToken](tx, revoked) })
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	names := func(r db.Restored) (all []string) {
		for _, v := range r.Tokens {
			all = append(all, v.Name)
		}
		return all
	}
	done, err := restore(t, dir, file)
	if err != nil {
		t.Fatal(err)
	}
	if done.Admin == nil || done.Admin.Username != "ada" || done.Admin.TwoFactorAt != nil || done.Auth != store.AuthBearer {
		t.Errorf("got %+v, %s", done.Admin, done.Auth)
	}
	if got := names(done); !slices.Equal(got, []string{"kept", "revoked"}) {
		t.Errorf("tokens %v", got)
	}
	if !done.Compared || len(done.Returned) != 1 || !done.Returned[revoked] || done.Returned[kept] {
		t.Errorf("compared %v, returned %v", done.Compared, done.Returned)
	}
	if done, err = restore(t, dir, file); err != nil || !done.Compared || len(done.Returned) != 0 { // they are there by now
		t.Errorf("once more: %v, %v", done.Returned, err)
	}
	raw(t, file, `UPDATE meta SET value = ? WHERE name = ?`, "\x1b[2J", db.MetaBackup)
	if done, err = restore(t, dir, file); err != nil || done.MadeAt != "" {
		t.Errorf("a doctored time is passed on: %q, %v", done.MadeAt, err)
	}
	if err := os.WriteFile(filepath.Join(dir, db.FileName), []byte("no store at all, and so nothing to compare with"), 0o600); err != nil {
		t.Fatal(err)
	}
	if done, err = restore(t, dir, file); err != nil || done.Compared || len(done.Tokens) != 2 {
		t.Errorf("over a damaged store: %+v, %v", done, err)
	}
}
