package db

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"mcpstudio/store"
)

const asideForget = ".before-forget-"

// Forgotten says what was given up because no key opens it.
type Forgotten struct {
	Secrets     int
	Connections []string // names of those whose secret must be entered again
	TwoFactor   bool     // the second factor is off, because its key was among them
	Kept        string   // the store as it was
}

// Forget gives up every secret that o.Keyring does not open, for when a key is lost: connections lose theirs and are marked, the second
// factor is turned off when its key is among them, and revisions run without. Everything else stays, and so do secrets that open.
// A copy of the store as it was is kept beside it, in case the key turns up. Errors are as of Open; nothing is lost when nothing is to
// be forgotten.
func Forget(ctx context.Context, o Options, act Act) (out Forgotten, err error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return out, fmt.Errorf("find the data directory: %w", err)
	}
	d := newDB(o, filepath.Join(dir, FileName))
	defer func() {
		if cerr := d.Close(); err == nil {
			err = cerr
		}
	}()
	if d.lock, err = lockDir(dir); err != nil {
		return out, err
	}
	found, known, err := inspect(ctx, d.path, "the store "+d.path, d.schema)
	if err != nil {
		return out, err
	}
	if d.read, err = openHandle(ctx, d.path, false); err != nil {
		return out, failure("open the store "+d.path, err)
	}
	if err := d.salt(ctx); err != nil {
		return out, err
	}
	if err := d.openWriter(ctx); err != nil {
		return out, err
	}
	if err := d.upgrade(ctx, found, known); err != nil {
		return out, err
	}
	lost, err := d.lost(ctx)
	if err != nil || len(lost) == 0 {
		return out, err
	}
	if out.Kept, err = d.copyBeside(ctx, d.path+asideForget+d.now().UTC().Format(stamp)); err != nil {
		return out, err
	}
	return out, d.Update(ctx, act, func(tx *Tx) error { return tx.forget(lost, &out) })
}

// lost lists the secrets that do not open.
func (d *DB) lost(ctx context.Context) ([]sealedRow, error) {
	var lost []sealedRow
	err := d.View(ctx, func(tx *Tx) error {
		all, err := tx.sealedRows("read the secrets", "")
		for _, r := range all {
			if _, err := d.keys.Open(r.sealed, r.place); err != nil {
				lost = append(lost, r)
			}
		}
		return err
	})
	return lost, err
}

func (tx *Tx) forget(lost []sealedRow, out *Forgotten) error {
	connections := map[string]bool{}
	for _, r := range lost {
		if err := tx.SetSecret(r.place, store.ClearedSecret()); err != nil {
			return err
		}
		switch r.place.Table {
		case canary.Table:
			if err := tx.SetSecret(canary, store.GivenSecret(canaryText)); err != nil {
				return err
			}
			continue
		case factorPlace("").Table:
			out.TwoFactor = true
		case "connections":
			connections[r.place.Row] = true
		}
		out.Secrets++
	}
	for _, id := range slices.Sorted(maps.Keys(connections)) {
		c, err := Get[*store.Connection](tx, id)
		if err != nil {
			return err
		}
		c.NeedsSecret = true
		if err := Update(tx, c, 0); err != nil {
			return err
		}
		out.Connections = append(out.Connections, c.Name)
	}
	if out.TwoFactor {
		for _, what := range []string{`DELETE FROM secrets WHERE tbl = 'second_factor'`, `DELETE FROM second_factor`, `DELETE FROM recovery_codes`, `DELETE FROM pending_logins`, `DELETE FROM sessions`} {
			if _, err := tx.exec("turn the second factor off", what); err != nil {
				return err
			}
		}
	}
	return tx.Record(store.KindEncryption, "server", "encryption key "+tx.db.keys.Primary(), nil, forgottenBody{out.Secrets, out.Connections, out.TwoFactor})
}

// forgottenBody is its history entry.
type forgottenBody struct {
	Forgotten   int      `json:"forgotten"`
	Connections []string `json:"connections"`
	TwoFactor   bool     `json:"two_factor_off"`
}
