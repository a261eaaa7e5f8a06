package db_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// TestForget is case 100: a lost key costs the secrets it sealed and nothing else, and with the key back everything is back.
func TestForget(t *testing.T) {
	dir := sealed(t, 2)
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, d, connection("open"))
	if err := d.CreateAdmin(t.Context(), store.SystemActor(), &store.Admin{Username: "ada", PasswordHash: "h"}, session("s", time.Now())); err != nil {
		t.Fatal(err)
	}
	on := time.Now()
	err = d.UpdateFactor(t.Context(), store.FactorEdit{Actor: admin.Actor, Operation: "enable_two_factor", AdminVersion: 1, Keep: "s"}, func(f *store.Factor) error {
		f.EnabledAt, f.Key = &on, store.GivenSecret("base32")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, d, func(tx *db.Tx) error {
		return tx.AddRevision(&store.Revision{Digest: "d", Manifest: json.RawMessage(`{}`)}, store.GivenSecret("bundle"))
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, keyring.FileName)
	lost := mustRead(t, path)
	options := func() db.Options { return db.Options{Dir: dir, Keyring: openKeys(t, dir)} }

	before := mustRead(t, filepath.Join(dir, db.FileName))
	if done, err := db.Forget(t.Context(), options(), admin); err != nil || done.Kept != "" || done.Secrets != 0 {
		t.Fatalf("with the right key: %+v %v", done, err)
	}
	if !bytes.Equal(before, mustRead(t, filepath.Join(dir, db.FileName))) {
		t.Error("nothing was to be forgotten, and the store changed")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	openKeys(t, dir) // makes another key
	if err := openErr(t, dir); !contains(err, "does not open") {
		t.Errorf("got %v", err)
	}
	done, err := db.Forget(t.Context(), options(), admin)
	if err != nil {
		t.Fatal(err)
	}
	if done.Secrets < 4 || !done.TwoFactor || !slices.Equal(done.Connections, []string{"c0", "c1"}) && !slices.Equal(done.Connections, []string{"c1", "c0"}) {
		t.Errorf("forgot %+v", done)
	}
	d = openAt(t, dir)
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Connection](tx)
		for _, c := range all {
			if c.Password.IsSet() || c.NeedsSecret != (c.Name != "open") {
				t.Errorf("%s: %s", c.Name, encode(t, c))
			}
		}
		a, aerr := tx.Admin()
		if aerr != nil || a.TwoFactorAt != nil || len(all) != 3 {
			t.Errorf("admin %+v %v, %d connections", a, aerr, len(all))
		}
		return err
	})
	if ch := changes(t, d, db.ChangeQuery{Kind: store.KindEncryption}); len(ch) != 1 {
		t.Errorf("history: %s", encode(t, ch))
	}
	if s, err := d.Sessions(t.Context(), time.Now().Add(-time.Hour)); err != nil || len(s) != 0 {
		t.Errorf("sessions without the second factor they passed: %v %v", s, err)
	}
	// The key turns up: the kept copy opens with it.
	again := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(again, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(again, keyring.FileName), lost)
	if _, err := restore(t, again, done.Kept); err != nil {
		t.Fatal(err)
	}
	e := openAt(t, again)
	read(t, e, func(tx *db.Tx) error {
		c, err := db.Find[*store.Connection](tx, "c0")
		if err == nil {
			err = tx.OpenSecrets(c)
		}
		if v, _ := c.Password.Reveal(); v != "password of c0" {
			t.Errorf("got %q", v)
		}
		return err
	})
}
