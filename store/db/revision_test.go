package db_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestKeptRevisions: the newest ones and the live one can run again; of older ones the entry stays, and nothing that is secret.
func TestKeptRevisions(t *testing.T) {
	d := open(t)
	const n, live = db.KeptRevisions + 12, 3
	for i := 1; i <= n; i++ {
		write(t, d, func(tx *db.Tx) error {
			r := &store.Revision{Digest: "d", Manifest: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}
			if err := tx.AddRevision(r, store.GivenSecret(fmt.Sprintf("secret of %d", i))); err != nil {
				return err
			}
			state := store.RevisionFailed
			if i == live {
				state = store.RevisionLive
			}
			return tx.SetRevisionState(i, state, "")
		})
	}
	read(t, d, func(tx *db.Tx) error {
		for i := 1; i <= n; i++ {
			kept := i == live || i > n-db.KeptRevisions
			secret, err := tx.RevisionSecrets(i)
			if err != nil {
				return err
			}
			v, _ := secret.Reveal()
			r, err := tx.Revision(i)
			switch {
			case kept && (err != nil || !r.Kept || string(r.Manifest) != fmt.Sprintf(`{"n":%d}`, i) || v != fmt.Sprintf("secret of %d", i)):
				t.Errorf("revision %d: %v, secret %q", i, err, v)
			case !kept && (store.CodeOf(err) != store.NotFound || !strings.Contains(err.Error(), "no longer") || v != ""):
				t.Errorf("revision %d, which is not kept: %v, secret %q", i, err, v)
			}
		}
		if r, err := tx.LiveRevision(); err != nil || r.Number != live {
			t.Errorf("live: %v", err)
		}
		page, err := tx.Revisions(store.Query{Skip: n - 2, Limit: 2})
		if page.Total != n || len(page.Items) != 2 || page.Items[1].Number != 1 || page.Items[1].Kept || page.Items[1].Author.Name != "ada" {
			t.Errorf("the entries: %s", encode(t, page))
		}
		return err
	})
	// The live one that is retired goes with the next deploy.
	write(t, d, func(tx *db.Tx) error { return tx.SetRevisionState(n, store.RevisionLive, "") })
	write(t, d, func(tx *db.Tx) error {
		return tx.AddRevision(&store.Revision{Digest: "d", Manifest: json.RawMessage(`{}`)}, store.Secret{})
	})
	wantCode(t, d.View(t.Context(), func(tx *db.Tx) error { _, err := tx.Revision(live); return err }), store.NotFound)
}
