package rest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpstudio/server/studio"
	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// TestEncryption reads the state of the keys and rotates beside the running studio: with the password only, at most five tries,
// without a key in any answer, and with every secret still opening.
func TestEncryption(t *testing.T) {
	w := newWorld(t).signIn()
	c := w.postgres(entity{"name": "one", "password": "the password of one"})
	path := filepath.Join(w.dir, keyring.FileName)
	key := func() string {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	was := into[studio.Encryption](w.do(http.MethodGet, "/api/v1/server/encryption", nil), 200)
	if was.Source != studio.KeyFromFile || was.Path != path || len(was.Keys) != 1 || !was.Keys[0].Current || was.Total != was.Keys[0].Secrets || was.Total < 1 || was.LastRotatedAt != nil {
		t.Errorf("got %+v", was)
	}
	oldKey := key()
	wrong := w.do(http.MethodPost, "/api/v1/server/encryption/rotate", entity{"password": "not the password 1"})
	if wrong.StatusCode != http.StatusForbidden || !strings.Contains(string(wrong.body), `"password"`) {
		t.Errorf("a wrong password: %d %s", wrong.StatusCode, wrong.body)
	}
	w.do(http.MethodPost, "/api/v1/server/encryption/rotate", entity{}).failure(422, store.Invalid, "password")
	if key() != oldKey {
		t.Fatal("the key changed without the password")
	}
	answer := w.do(http.MethodPost, "/api/v1/server/encryption/rotate", entity{"password": adminPassword})
	now := into[studio.Encryption](answer, 200)
	if len(now.Keys) != 1 || now.Keys[0].ID == was.Keys[0].ID || now.Total != was.Total || now.LastRotatedAt == nil {
		t.Errorf("after the rotation: %+v", now)
	}
	if newKey := key(); newKey == oldKey || strings.Contains(string(answer.body), newKey) || strings.Contains(w.logs.String(), newKey) {
		t.Error("the key is the old one, or left the file")
	}
	read := w.opened(c.id())
	if v, _ := read.Password.Reveal(); v != "the password of one" {
		t.Errorf("the password opens to %q", v)
	}
	history := w.do(http.MethodGet, "/api/v1/history?entity_type=encryption", nil).want(200)
	if !strings.Contains(string(history.body), `"rotate_encryption"`) || !strings.Contains(string(history.body), `"name":"`+adminName+`"`) {
		t.Errorf("history: %s", history.body)
	}
	for range 5 {
		w.do(http.MethodPost, "/api/v1/server/encryption/rotate", entity{"password": "not the password 1"})
	}
	w.do(http.MethodPost, "/api/v1/server/encryption/rotate", entity{"password": adminPassword}).failure(429, store.TooMany, "")
}

// opened reads a connection with its secrets.
func (w *world) opened(id string) *store.Connection {
	w.t.Helper()
	var c *store.Connection
	err := w.db.View(w.t.Context(), func(tx *db.Tx) (err error) {
		if c, err = db.Get[*store.Connection](tx, id); err != nil {
			return err
		}
		return tx.OpenSecrets(c)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
