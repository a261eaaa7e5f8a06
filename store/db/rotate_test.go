package db_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// TestRotateWhileRunning rotates to a new key while others write and read secrets: nobody notices, and nothing is left under the old key.
func TestRotateWhileRunning(t *testing.T) {
	umask := syscall.Umask(0) // case 95: modes do not depend on it
	defer syscall.Umask(umask)
	dir := sealed(t, 120)
	d := openAt(t, dir)
	old := d.Keys().Primary()
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	written := make([]int, 3)
	var all atomic.Int64
	for w := range written {
		others.Go(func() {
			for ctx.Err() == nil {
				c := connection(fmt.Sprintf("w%d_%d", w, written[w]))
				c.Password = store.GivenSecret("password of " + c.Name)
				if err := d.Update(t.Context(), admin, func(tx *db.Tx) error { return db.Insert(tx, c) }); err != nil {
					t.Error(err)
					return
				}
				if got := reveal(t, d, c.ID); got != "password of "+c.Name {
					t.Errorf("%s opens to %q", c.Name, got)
				}
				written[w]++
				all.Add(1)
			}
		})
	}
	for range 3 {
		if _, err := d.Rotate(t.Context(), admin, true); err != nil {
			t.Fatal(err)
		}
		for was, deadline := all.Load(), time.Now().Add(time.Minute); all.Load() == was && time.Now().Before(deadline); { // one writes at least
			time.Sleep(time.Millisecond)
		}
	}
	stop()
	others.Wait()
	// The writers' last transactions may have put old seals into the log again; closing folds it.
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	n := 120
	for _, more := range written {
		n += more
	}
	if n == 120 {
		t.Error("nothing was written meanwhile: the test proved little")
	}
	rotated(t, dir, old, n)
	read(t, d, func(tx *db.Tx) error {
		e, err := tx.Encryption()
		if len(e.Secrets) != 1 || e.Secrets[d.Keys().Primary()] != n || e.RotatedAt == nil {
			t.Errorf("got %+v, want %d secrets", e, n)
		}
		return err
	})
	if got := len(changes(t, d, db.ChangeQuery{Kind: store.KindEncryption})); got != 4 {
		t.Errorf("%d history entries, want 4", got)
	}
}

// TestOneRotation: a second one at the same time is refused, not queued behind the first with a key of its own.
func TestOneRotation(t *testing.T) {
	dir := sealed(t, 10)
	d := openAt(t, dir)
	hold, held := make(chan struct{}), make(chan struct{})
	writer := make(chan error, 1)
	go func() {
		writer <- d.Update(t.Context(), admin, func(*db.Tx) error {
			close(held)
			<-hold
			return nil
		})
	}()
	<-held
	first := make(chan error, 1)
	go func() {
		_, err := d.Rotate(t.Context(), admin, true)
		first <- err
	}()
	for len(d.Keys().IDs()) == 1 { // it has begun, and waits for the writer
		time.Sleep(time.Millisecond)
	}
	_, err := d.Rotate(t.Context(), admin, true)
	wantCode(t, err, store.Conflict)
	close(hold)
	if err := errors.Join(<-writer, <-first); err != nil {
		t.Fatal(err)
	}
	if n := len(d.Keys().IDs()); n != 1 {
		t.Errorf("%d keys", n)
	}
}

// TestRotateDamaged: a secret that does not open stops the rotation with its name, and takes no key away.
func TestRotateDamaged(t *testing.T) {
	dir := sealed(t, 3)
	d := openAt(t, dir)
	c := connection("broken")
	c.Password = store.GivenSecret("x")
	insert(t, d, c)
	raw(t, d.Path(), `UPDATE secrets SET sealed = substr(sealed, 1, 20) || 'AAAA' || substr(sealed, 25) WHERE row_id = ?`, c.ID)
	for range 2 {
		_, err := d.Rotate(t.Context(), admin, true)
		if e := wantCode(t, err, store.Conflict); !strings.Contains(e.Message, c.ID) || !strings.Contains(e.Message, "enter it again") {
			t.Errorf("got %v", e)
		}
	}
	if n := len(d.Keys().IDs()); n != 2 {
		t.Errorf("%d keys on the ring, want the new and the old", n)
	}
	c.Password = store.GivenSecret("password of broken")
	write(t, d, func(tx *db.Tx) error { return db.Update(tx, c, 0) })
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	if n := len(d.Keys().IDs()); n != 1 {
		t.Errorf("%d keys", n)
	}
}

// TestBesideRotation: a command that read its keys before a rotation cannot seal with the old one after it.
func TestBesideRotation(t *testing.T) {
	dir := sealed(t, 3)
	d := openAt(t, dir)
	beside, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	place := store.Place{Table: "admin", Column: "totp", Row: "admin"}
	set := func() error {
		return try(t, beside, func(tx *db.Tx) error { return tx.SetSecret(place, store.GivenSecret("a")) })
	}
	if err := set(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	var wrong *keyring.WrongKeyError
	if err := set(); !errors.As(err, &wrong) {
		t.Errorf("sealed with a key that is gone: %v", err)
	}
	read(t, d, func(tx *db.Tx) error {
		s, err := tx.Open(place)
		if v, _ := s.Reveal(); v != "a" {
			t.Errorf("got %q", v)
		}
		return err
	})
}

// TestPassphraseOfAStore: a passphrase opens a store on any host, because the store keeps its salt, and the salt is the store's own.
func TestPassphraseOfAStore(t *testing.T) {
	open := func(dir, env string) (*db.DB, error) {
		t.Helper()
		k, err := keyring.Open(keyring.Options{Env: env})
		if err != nil {
			t.Fatal(err)
		}
		return db.Open(t.Context(), db.Options{Dir: dir, Keyring: k})
	}
	const phrase = "five unrelated words are a key"
	var ids []string
	for range 2 {
		dir := filepath.Join(t.TempDir(), "data")
		for range 2 {
			d, err := open(dir, phrase)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, d.Keys().Primary())
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := open(dir, phrase+"s"); !contains(err, "does not open") {
			t.Errorf("another passphrase: %v", err)
		}
		raw(t, filepath.Join(dir, db.FileName), `UPDATE meta SET value = replace(value, 't=3', 't=1') WHERE name = 'key_derivation'`)
		if _, err := open(dir, phrase); !contains(err, "does not know") {
			t.Errorf("an altered derivation: %v", err)
		}
		raw(t, filepath.Join(dir, db.FileName), `DELETE FROM meta WHERE name = 'key_derivation'`)
		if _, err := open(dir, phrase); !contains(err, "does not open") {
			t.Errorf("without its salt: %v", err)
		}
	}
	if ids[0] != ids[1] || ids[2] != ids[3] || ids[0] == ids[2] {
		t.Errorf("keys %v, want one for each store", ids)
	}
}
