package db_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

func reveal(t *testing.T, d *db.DB, id string) string {
	t.Helper()
	c := get[*store.Connection](t, d, id)
	read(t, d, func(tx *db.Tx) error { return tx.OpenSecrets(c) })
	v, _ := c.Password.Reveal()
	return v
}

// TestSecretStates walks what an input can say of a secret, as case 82 lists it.
func TestSecretStates(t *testing.T) {
	d := open(t)
	c := connection("main")
	c.Password = store.GivenSecret("first")
	insert(t, d, c)
	if _, here := c.Password.Reveal(); here || !c.Password.IsSet() {
		t.Error("after Insert the entity still holds the value")
	}

	patch := func(body string) *store.Connection {
		t.Helper()
		var p store.ConnectionPatch
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatal(err)
		}
		v := get[*store.Connection](t, d, c.ID)
		if err := p.Apply(v); err != nil {
			t.Fatal(err)
		}
		write(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 0) })
		return v
	}
	patch(`{"database":"other"}`) // absent
	if got := reveal(t, d, c.ID); got != "first" {
		t.Errorf("an absent field changed the secret to %q", got)
	}
	patch(`{"password":"` + store.Mask + `","database":"third"}`) // case 81: the mask is never stored
	if got := reveal(t, d, c.ID); got != "first" {
		t.Errorf("the mask changed the secret to %q", got)
	}
	if v := patch(`{"password":"second"}`); v.Version != 4 {
		t.Errorf("a new secret gave version %d, want 4: it is a change although the body looks the same", v.Version)
	}
	if got := reveal(t, d, c.ID); got != "second" {
		t.Errorf("got %q", got)
	}
	patch(`{"password":null}`)
	if v := get[*store.Connection](t, d, c.ID); v.Password.IsSet() || v.Version != 5 {
		t.Errorf("null left %v at version %d", v.Password.IsSet(), v.Version)
	}
	if v := patch(`{"password":null}`); v.Version != 5 {
		t.Errorf("clearing nothing gave version %d", v.Version)
	}
	// A stored secret that is claimed but not there does not come to be.
	v := get[*store.Connection](t, d, c.ID)
	v.Password = store.StoredSecret()
	write(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 0) })
	if v.Password.IsSet() {
		t.Error("a claimed secret is shown as stored")
	}
}

// TestSecretOfAnotherType is part of case 85: a sealed key that the type does not have does not stay behind.
func TestSecretOfAnotherType(t *testing.T) {
	d := open(t)
	c := store.ConnectionDraft{Name: "bq", DBType: store.BigQuery, ExtraParams: map[string]json.RawMessage{
		"project_id": json.RawMessage(`"p"`), "credentials_json": json.RawMessage(`{"private_key":"k"}`),
	}}.New()
	insert(t, d, c)
	got := get[*store.Connection](t, d, c.ID)
	if s := got.Secrets()["extra_params.credentials_json"]; !s.IsSet() || string(got.ExtraParams["credentials_json"]) != `"`+store.Mask+`"` {
		t.Fatalf("credentials: %s", encode(t, got))
	}
	read(t, d, func(tx *db.Tx) error { return tx.OpenSecrets(got) })
	if v, _ := got.Secrets()["extra_params.credentials_json"].Reveal(); v != `{"private_key":"k"}` {
		t.Errorf("got %q", v)
	}
	// A rollback brings an entity back whose sealed values are gone: it must not claim to have them.
	ghost := get[*store.Connection](t, d, c.ID)
	ghost.Meta, ghost.Name = store.Meta{}, "ghost"
	insert(t, d, ghost)
	if ghost = get[*store.Connection](t, d, ghost.ID); ghost.HasSecret() || ghost.ExtraParams["credentials_json"] != nil {
		t.Errorf("the ghost shows %s", encode(t, ghost))
	}
	got = get[*store.Connection](t, d, c.ID)
	got.DBType, got.Host, got.Port, got.ExtraParams = store.PostgreSQL, "h", 5432, map[string]json.RawMessage{}
	write(t, d, func(tx *db.Tx) error { return db.Update(tx, got, 0) })
	read(t, d, func(tx *db.Tx) error {
		_, err := tx.Open(store.Place{Table: "connections", Column: "extra_params.credentials_json", Row: c.ID})
		if store.CodeOf(err) != store.NotFound {
			t.Errorf("the old credentials stayed: %v", err)
		}
		return nil
	})
}

// TestCanaries is sweep S2 for the store, and case 86: no secret in any file, in five encodings, while it is open and after.
func TestCanaries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	canaries := []string{`cAnary-pass"word<&>/?+ é ЖÖ 7f3a`, "cAnary-credentials-19bd", "cAnary-replaced-55aa", "cAnary-revision-0c0c", "cAnary-deleted-9a9a"}
	c := connection("main")
	c.Password = store.GivenSecret(canaries[2])
	insert(t, d, c)
	c.Password = store.GivenSecret(canaries[0])
	write(t, d, func(tx *db.Tx) error { return db.Update(tx, c, 0) })
	insert(t, d, store.ConnectionDraft{Name: "bq", DBType: store.BigQuery, ExtraParams: map[string]json.RawMessage{"credentials_json": json.RawMessage(`"` + canaries[1] + `"`)}}.New())
	gone := connection("gone")
	gone.Password = store.GivenSecret(canaries[4])
	insert(t, d, gone)
	write(t, d, func(tx *db.Tx) error { return db.Delete[*store.Connection](tx, gone.ID) })
	write(t, d, func(tx *db.Tx) error {
		return tx.AddRevision(&store.Revision{Digest: "d", Manifest: json.RawMessage(`{}`)}, store.GivenSecret(canaries[3]))
	})
	search := func(when string) {
		t.Helper()
		files := storeFiles(t, dir)
		if len(files) < 3 {
			t.Fatalf("%s: only %d files to search", when, len(files))
		}
		for name, content := range files {
			for _, canary := range canaries {
				for encoding, needle := range encodings(canary) {
					if strings.Contains(content, needle) {
						t.Errorf("%s: %s holds a secret (%s)", when, name, encoding)
					}
				}
			}
		}
	}
	search("open")
	for _, ch := range changes(t, d, db.ChangeQuery{}) {
		for _, canary := range canaries {
			for encoding, needle := range encodings(canary) {
				if strings.Contains(encode(t, ch), needle) {
					t.Errorf("history holds a secret (%s): %s", encoding, encode(t, ch))
				}
			}
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	search("closed")
}

func encodings(s string) map[string]string {
	quoted, _ := json.Marshal(s)
	// Base64 of a text inside a longer one has three alignments; the inner part of each is searched.
	b64 := base64.StdEncoding.EncodeToString([]byte(s))
	return map[string]string{
		"plain": s, "base64": b64[:len(b64)-4], "url": url.QueryEscape(s), "hex": hex.EncodeToString([]byte(s)), "json": string(quoted[1 : len(quoted)-1]),
	}
}

// TestSearchFindsPlanted proves that the canary search can fail.
func TestSearchFindsPlanted(t *testing.T) {
	for name, needle := range encodings(`x"<é>0123456789`) {
		if !strings.Contains("before "+needle+" after", needle) || len(needle) < 10 {
			t.Errorf("%s is not searched for", name)
		}
	}
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	c := connection("main")
	c.Database = "planted-canary-in-clear"
	insert(t, d, c)
	found := false
	for _, content := range storeFiles(t, dir) {
		found = found || strings.Contains(content, "planted-canary-in-clear")
	}
	if !found {
		t.Error("a text that is there is not found: the search proves nothing")
	}
}

// TestSwappedSecrets is case 96: values that change places do not open.
func TestSwappedSecrets(t *testing.T) {
	d := open(t)
	ids := make([]string, 2)
	for i := range ids {
		c := connection(fmt.Sprintf("c%d", i))
		c.Password = store.GivenSecret(fmt.Sprintf("password %d", i))
		ids[i] = insert(t, d, c).ID
	}
	raw(t, d.Path(), `UPDATE secrets SET sealed = (SELECT sealed FROM secrets s WHERE s.row_id = ?) WHERE row_id = ?`, ids[0], ids[1])
	err := d.View(t.Context(), func(tx *db.Tx) error {
		c, err := db.Get[*store.Connection](tx, ids[1])
		if err != nil {
			return err
		}
		return tx.OpenSecrets(c)
	})
	var damaged *keyring.DamagedError
	if !errors.As(err, &damaged) || damaged.Place.Row != ids[1] {
		t.Errorf("got %v", err)
	}
	if got := reveal(t, d, ids[0]); got != "password 0" { // case 97: others keep working
		t.Errorf("the other row gives %q", got)
	}
}

// TestRotate is cases 101 and 102: after every batch each secret opens; the end has none under the old key; again is harmless.
func TestRotate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	oldKey, newKey := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	ring := func(env string) *keyring.Keyring {
		t.Helper()
		k, err := keyring.Open(keyring.Options{Env: env})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	openWith := func(env string) (*db.DB, error) {
		return db.Open(t.Context(), db.Options{Dir: dir, Keyring: ring(env)})
	}
	d, err := openWith(oldKey)
	if err != nil {
		t.Fatal(err)
	}
	const n = 250
	write(t, d, func(tx *db.Tx) error {
		for i := range n {
			c := connection(fmt.Sprintf("c%d", i))
			c.Password = store.GivenSecret(fmt.Sprintf("password of c%d", i))
			if err := db.Insert(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	check := func(d *db.DB) {
		t.Helper()
		read(t, d, func(tx *db.Tx) error {
			all, err := db.All[*store.Connection](tx)
			if err != nil || len(all) != n {
				return fmt.Errorf("%d connections: %w", len(all), err)
			}
			for _, c := range all {
				if err := tx.OpenSecrets(c); err != nil {
					return err
				}
				if v, _ := c.Password.Reveal(); v != "password of "+c.Name {
					t.Errorf("%s opens to %q", c.Name, v)
				}
			}
			return nil
		})
	}
	d, err = openWith(newKey + "," + oldKey)
	if err != nil {
		t.Fatal(err)
	}
	check(d)
	// Interrupted: the context ends while it runs.
	ctx, cancel := contextAfterWrites(t, d, 1)
	if _, err := d.Rotate(ctx, admin, false); err == nil {
		t.Error("the interrupted rotation claims success")
	}
	cancel()
	check(d)
	done, err := d.Rotate(t.Context(), admin, false)
	if err != nil || done.Sealed == 0 || done.Sealed > n+1 || len(done.Left) != 1 {
		t.Fatalf("rotated %+v: %v", done, err)
	}
	if again, err := d.Rotate(t.Context(), admin, false); again.Sealed != 0 || err != nil {
		t.Errorf("the second rotation did %+v: %v", again, err)
	}
	read(t, d, func(tx *db.Tx) error {
		ids, err := tx.KeyIDs()
		if len(ids) != 1 || ids[ring(newKey).Primary()] != n+1 {
			t.Errorf("keys in use: %v", ids)
		}
		return err
	})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = openWith(newKey); err != nil {
		t.Fatalf("with the new key only: %v", err)
	}
	check(d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err := openWith(oldKey); err == nil { // case 105
		t.Errorf("the old key opens a rotated store: %v", d.Close())
	}
}

func TestSecretsOfTheirOwn(t *testing.T) {
	d := open(t)
	place := store.Place{Table: "server_config", Column: "dns_token", Row: "server"}
	write(t, d, func(tx *db.Tx) error { return tx.SetSecret(place, store.GivenSecret("a")) })
	write(t, d, func(tx *db.Tx) error { return tx.SetSecret(place, store.StoredSecret()) }) // leaves it
	read(t, d, func(tx *db.Tx) error {
		s, err := tx.Open(place)
		if v, _ := s.Reveal(); v != "a" {
			t.Errorf("got %q", v)
		}
		return err
	})
	write(t, d, func(tx *db.Tx) error { return tx.SetSecret(place, store.ClearedSecret()) })
	wantCode(t, d.View(t.Context(), func(tx *db.Tx) error { _, err := tx.Open(place); return err }), store.NotFound)
	if bytes.Contains([]byte(fmt.Sprint(store.GivenSecret("a-value"))), []byte("a-value")) {
		t.Error("a secret prints")
	}
}
