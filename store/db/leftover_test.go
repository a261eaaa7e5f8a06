package db_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestDeletedSecret: nothing of a deleted connection's secrets stays, not even sealed (case 84).
func TestDeletedSecret(t *testing.T) {
	d := open(t)
	c := connection("shop")
	c.Password = store.GivenSecret("a password")
	insert(t, d, c)
	other := connection("other")
	other.Password = store.GivenSecret("another")
	insert(t, d, other)
	write(t, d, func(tx *db.Tx) error { return db.Delete[*store.Connection](tx, c.ID) })
	if n := count(t, d, fmt.Sprintf(`SELECT count(*) FROM secrets WHERE row_id = '%s'`, c.ID)); n != 0 {
		t.Errorf("%d seals of the deleted connection are left", n)
	}
	if got := reveal(t, d, other.ID); got != "another" {
		t.Errorf("the other one opens to %q", got)
	}
}

// TestNewAdminWithoutOldFactor: the second factor of an admin who was taken away does not bind the one who is made after (case 11).
func TestNewAdminWithoutOldFactor(t *testing.T) {
	d := withFactor(t)
	raw(t, d.Path(), `DELETE FROM admin`)
	a := &store.Admin{Username: "eve", PasswordHash: "h2"}
	if err := d.CreateAdmin(t.Context(), admin.Actor, a, nil); err != nil {
		t.Fatal(err)
	}
	got, err := d.Admin(t.Context())
	if err != nil || got.Username != "eve" || got.TwoFactorAt != nil || got.RecoveryCodesLeft != 0 {
		t.Errorf("%+v %v", got, err)
	}
	if n := count(t, d, `SELECT (SELECT count(*) FROM second_factor) + (SELECT count(*) FROM recovery_codes) + (SELECT count(*) FROM secrets WHERE tbl = 'second_factor')`); n != 0 {
		t.Errorf("%d rows of the old factor are left", n)
	}
}

// TestRefusedAttempt: an attempt that is refused only in the write transaction, because others came together with it, is not counted: it
// would make the lock longer (case 18).
func TestRefusedAttempt(t *testing.T) {
	d := open(t)
	now := time.Unix(1_800_000_000, 0)
	full := errors.New("full")
	looks := 0
	_, err := d.Attempt(t.Context(), "b", now, now.Add(-time.Hour), func(open, _ []time.Time) error {
		if looks++; looks == 1 { // the look before the transaction
			return nil
		}
		return full
	})
	if !errors.Is(err, full) || looks != 2 {
		t.Fatalf("got %v after %d looks", err, looks)
	}
	_, err = d.Attempt(t.Context(), "b", now, now.Add(-time.Hour), func(open, settled []time.Time) error {
		if len(open)+len(settled) != 0 {
			t.Errorf("%d attempts are counted, want none", len(open)+len(settled))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNoCheckValue: a store whose check value is gone, and which has secrets, is not taken for a new one that any key may claim (case 99).
func TestNoCheckValue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	c := connection("shop")
	c.Password = store.GivenSecret("a password")
	insert(t, d, c)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, d.Path(), `DELETE FROM secrets WHERE tbl = 'meta'`)
	again, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err == nil {
		_ = again.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "has 1 secrets but no check value") {
		t.Errorf("got %v", err)
	}
}
