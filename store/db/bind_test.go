package db_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// opened is what a test or a deploy would get of a connection's password.
func opened(t *testing.T, d *db.DB, id string) (c *store.Connection, password string) {
	t.Helper()
	c = get[*store.Connection](t, d, id)
	asks := c.NeedsSecret && !c.HasSecret()
	read(t, d, func(tx *db.Tx) error { return tx.OpenSecrets(c) })
	password, here := c.Password.Reveal()
	if here == asks {
		t.Errorf("needs_secret %v, and a password is here: %v", asks, here)
	}
	return c, password
}

// TestEditedEndpoint is case 96 for what stands beside a seal: whoever edits the endpoint in the file does not get the password sent there.
func TestEditedEndpoint(t *testing.T) {
	for field, edit := range map[string]string{
		"host":          `json_set(body, '$.host', 'evil.example')`,
		"port":          `json_set(body, '$.port', 6543)`,
		"username":      `json_set(body, '$.username', 'other')`,
		"db_type":       `json_set(body, '$.db_type', 'mysql')`,
		"ssl_mode":      `json_set(body, '$.ssl_mode', 'disable')`,
		"ssl_root_cert": `json_set(body, '$.ssl_root_cert', 'pem')`,
		"extra_params":  `json_set(body, '$.extra_params.hostaddr', '10.0.0.9')`,
	} {
		t.Run(field, func(t *testing.T) {
			d := open(t)
			c := connection("main")
			c.Password = store.GivenSecret("the password")
			id := insert(t, d, c).ID
			before := get[*store.Connection](t, d, id)
			raw(t, d.Path(), `UPDATE connections SET body = `+edit)
			got, password := opened(t, d, id)
			if password != "" || !got.NeedsSecret {
				t.Fatalf("the edited connection opens to %q, needs_secret %v", password, got.NeedsSecret)
			}
			err := d.View(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Open(store.Place{Table: "connections", Column: "password", Row: id})
				return err
			})
			wantCode(t, err, store.Conflict)
			if _, err := d.Rotate(t.Context(), admin, true); err != nil { // does not make it good
				t.Fatal(err)
			}
			if _, password := opened(t, d, id); password != "" {
				t.Fatalf("after a rotation it opens to %q", password)
			}
			body, err := json.Marshal(before)
			if err != nil {
				t.Fatal(err)
			}
			raw(t, d.Path(), `UPDATE connections SET body = ?`, string(body))
			if got, password := opened(t, d, id); password != "the password" || got.NeedsSecret {
				t.Errorf("edited back it opens to %q, needs_secret %v", password, got.NeedsSecret)
			}
		})
	}
}

// TestEditedEndpointSaved: a save of an edited connection keeps that the secret is missing; entering it makes all good.
func TestEditedEndpointSaved(t *testing.T) {
	d := open(t)
	c := connection("main")
	c.Password = store.GivenSecret("the password")
	id := insert(t, d, c).ID
	raw(t, d.Path(), `UPDATE connections SET body = json_set(body, '$.host', 'evil.example')`)
	save := func(text string) {
		t.Helper()
		v := get[*store.Connection](t, d, id)
		var p store.ConnectionPatch
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(v); err != nil {
			t.Fatal(err)
		}
		write(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 0) })
	}
	save(`{"name":"renamed"}`)
	if n := count(t, d, `SELECT count(*) FROM secrets WHERE tbl = 'connections'`); n != 0 {
		t.Errorf("%d seals for another endpoint stayed", n)
	}
	if got, password := opened(t, d, id); password != "" || !got.NeedsSecret {
		t.Fatalf("after a save it opens to %q, needs_secret %v", password, got.NeedsSecret)
	}
	save(`{"password":"entered","host":"db.example"}`)
	if got, password := opened(t, d, id); password != "entered" || got.NeedsSecret {
		t.Errorf("entered again it opens to %q, needs_secret %v", password, got.NeedsSecret)
	}
	save(`{"host":"DB.example","extra_params":{}}`) // the same endpoint in other words
	if _, password := opened(t, d, id); password != "entered" {
		t.Errorf("the same endpoint opens to %q", password)
	}
}

// TestEditedBackup: a backup whose host was edited is restored, and asks for the password.
func TestEditedBackup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	c := connection("main")
	c.Password = store.GivenSecret("the password")
	id := insert(t, d, c).ID
	other := connection("other")
	other.Password = store.GivenSecret("another password")
	insert(t, d, other)
	file := d.Path() + "-copy"
	raw(t, d.Path(), `VACUUM INTO ?`, file)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, file, `UPDATE connections SET body = json_set(body, '$.host', 'evil.example') WHERE id = ?`, id)
	if _, err := db.Restore(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)}, file, admin); err != nil {
		t.Fatal(err)
	}
	d = openAt(t, dir)
	if got, password := opened(t, d, id); got.Host != "evil.example" || password != "" || !got.NeedsSecret {
		t.Errorf("at %s it opens to %q, needs_secret %v", got.Host, password, got.NeedsSecret)
	}
	if _, password := opened(t, d, other.ID); password != "another password" {
		t.Errorf("the other opens to %q", password)
	}
}

// TestEditedManifest: a revision whose manifest was edited does not get its secrets.
func TestEditedManifest(t *testing.T) {
	d := open(t)
	write(t, d, func(tx *db.Tx) error {
		return tx.AddRevision(&store.Revision{Digest: "d", Manifest: json.RawMessage(`{"host":"a"}`)}, store.GivenSecret("bundle"))
	})
	secrets := func() (text string, err error) {
		err = d.View(t.Context(), func(tx *db.Tx) error {
			s, err := tx.RevisionSecrets(1)
			text, _ = s.Reveal()
			return err
		})
		return text, err
	}
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	if got, err := secrets(); got != "bundle" || err != nil {
		t.Fatalf("got %q %v", got, err)
	}
	raw(t, d.Path(), `UPDATE revisions SET manifest = '{"host":"b"}'`)
	got, err := secrets()
	wantCode(t, err, store.Conflict)
	if got != "" || !strings.Contains(err.Error(), "another manifest") {
		t.Errorf("got %q %v", got, err)
	}
}

// TestUnboundSeals: what a studio before the binding sealed opens as it did, and the next start binds it.
func TestUnboundSeals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d := openAt(t, dir)
	c := connection("main")
	c.Password = store.GivenSecret("the password")
	id := insert(t, d, c).ID
	unbound, err := d.Keys().Seal("from before", store.Place{Table: "connections", Column: "password", Row: id})
	if err != nil {
		t.Fatal(err)
	}
	put := func() { t.Helper(); raw(t, d.Path(), `UPDATE secrets SET sealed = ? WHERE row_id = ?`, unbound, id) }
	aim := func(host string) {
		t.Helper()
		raw(t, d.Path(), `UPDATE connections SET body = json_set(body, '$.host', ?)`, host)
	}
	host := c.Host
	for name, binds := range map[string]func(){
		"start": func() {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = openAt(t, dir)
		},
		"write": func() {
			v := get[*store.Connection](t, d, id)
			v.Database += "x"
			write(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 0) })
		},
		"rotation": func() {
			if _, err := d.Rotate(t.Context(), admin, true); err != nil {
				t.Fatal(err)
			}
			if unbound, err = d.Keys().Seal("from before", store.Place{Table: "connections", Column: "password", Row: id}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		put()
		if _, password := opened(t, d, id); password != "from before" {
			t.Fatalf("before the %s an old seal opens to %q", name, password)
		}
		binds()
		if _, password := opened(t, d, id); password != "from before" {
			t.Fatalf("after the %s it opens to %q", name, password)
		}
		aim("evil.example")
		if got, password := opened(t, d, id); password != "" || !got.NeedsSecret {
			t.Errorf("the %s did not bind it: aimed elsewhere it opens to %q", name, password)
		}
		aim(host)
	}
}

// TestOldSealPutBack is what docs/security.md says of seals of a version before the binding: one out of an old file, put into today's store,
// opens for whatever endpoint is beside it, until a rotation has retired its key. cases 96, 106
func TestOldSealPutBack(t *testing.T) {
	d := open(t)
	c := connection("main")
	c.Password = store.GivenSecret("the password")
	id := insert(t, d, c).ID
	old, err := d.Keys().Seal("from before", store.Place{Table: "connections", Column: "password", Row: id})
	if err != nil {
		t.Fatal(err)
	}
	put := func() {
		t.Helper()
		raw(t, d.Path(), `UPDATE secrets SET sealed = ? WHERE row_id = ?`, old, id)
		raw(t, d.Path(), `UPDATE connections SET body = json_set(body, '$.host', 'evil.example')`)
	}
	if _, err := d.Rotate(t.Context(), admin, true); err != nil {
		t.Fatal(err)
	}
	if _, password := opened(t, d, id); password != "the password" {
		t.Fatalf("after the rotation it opens to %q", password)
	}
	put()
	var wrong *keyring.WrongKeyError
	err = d.View(t.Context(), func(tx *db.Tx) error {
		v, err := db.Get[*store.Connection](tx, id)
		if err != nil {
			return err
		}
		err = tx.OpenSecrets(v)
		if v.Password.IsGiven() {
			t.Error("an old seal opens after the rotation that was to end it")
		}
		return err
	})
	if !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
	if old, err = d.Keys().Seal("from before", store.Place{Table: "connections", Column: "password", Row: id}); err != nil {
		t.Fatal(err)
	}
	put()
	if _, password := opened(t, d, id); password != "from before" { // the hole that the rotation is for; when it is closed, the document changes
		t.Errorf("under a key that is still there it opens to %q", password)
	}
}
