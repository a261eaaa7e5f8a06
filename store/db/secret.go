package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// canary is a sealed value that every store has: opening it proves the key before anything is written.
var canary = store.Place{Table: "meta", Column: "canary", Row: "1"}

const canaryText = "the encryption key of this studio opens this"

// Open opens the sealed secret at place. The error has code store.NotFound when there is none.
func (tx *Tx) Open(place store.Place) (store.Secret, error) {
	var sealed string
	what := fmt.Sprintf("open the secret %s.%s of %s", place.Table, place.Column, place.Row)
	found, err := tx.row(what, []any{&sealed}, `SELECT sealed FROM secrets WHERE tbl = $1 AND col = $2 AND row_id = $3`, place.Table, place.Column, place.Row)
	if err != nil {
		return store.Secret{}, err
	}
	if !found {
		return store.Secret{}, &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no secret %s for %s %s", place.Column, place.Table, place.Row)}
	}
	s, err := tx.db.keys.Open(sealed, place)
	if err != nil {
		return store.Secret{}, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

// SetSecret seals a given secret at place, replacing what is there, or removes it when the secret is cleared or absent. Entities'
// own secrets need no call of it: Insert and Update do that.
func (tx *Tx) SetSecret(place store.Place, s store.Secret) error {
	what := fmt.Sprintf("keep the secret %s.%s of %s", place.Table, place.Column, place.Row)
	plain, given := s.Reveal()
	if !given {
		if s.IsSet() {
			return nil // stored already
		}
		_, err := tx.exec(what, `DELETE FROM secrets WHERE tbl = $1 AND col = $2 AND row_id = $3`, place.Table, place.Column, place.Row)
		return err
	}
	sealed, err := tx.db.keys.Seal(plain, place)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = tx.exec(what, `INSERT INTO secrets (tbl, col, row_id, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT (tbl, col, row_id) DO UPDATE SET sealed = excluded.sealed`,
		place.Table, place.Column, place.Row, sealed)
	return err
}

// SecretPlace says where a field of an entity is sealed; column is a key of its Secrets().
func SecretPlace(e store.Entity, column string) (store.Place, error) {
	t, err := tableOf(e.Kind())
	return store.Place{Table: t.name, Column: column, Row: e.Head().ID}, err
}

// OpenSecrets puts the values into the entity's stored secrets, in memory, for a test, a preview or a deploy. Marshalling the entity
// still shows the mask.
func (tx *Tx) OpenSecrets(e store.Entity) error {
	for column, s := range e.Secrets() {
		if !s.IsSet() || s.IsGiven() {
			continue
		}
		place, err := SecretPlace(e, column)
		if err != nil {
			return err
		}
		if *s, err = tx.Open(place); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) sealedColumns(table, row string) ([]string, error) {
	var columns []string
	err := tx.rows("read the secrets of "+row, func(scan func(...any) error) error {
		var c string
		err := scan(&c)
		columns = append(columns, c)
		return err
	}, `SELECT col FROM secrets WHERE tbl = $1 AND row_id = $2 ORDER BY col`, table, row)
	return columns, err
}

// markSecrets says in a loaded entity which secrets are stored; what the mask in its body decoded to does not count.
func (tx *Tx) markSecrets(t table, e store.Entity) error {
	secrets := e.Secrets()
	if len(secrets) == 0 {
		return nil
	}
	stored, err := tx.sealedColumns(t.name, e.Head().ID)
	if err != nil {
		return err
	}
	for column, s := range secrets {
		*s = store.Secret{}
		if slices.Contains(stored, column) {
			*s = store.StoredSecret()
		}
	}
	return nil
}

// settleSecrets writes what the entity brings and makes its fields say what is stored now. Sealed columns the entity no longer
// has (its type changed) are removed. changed reports whether a secret was given or removed.
func (tx *Tx) settleSecrets(t table, e store.Entity) (changed bool, err error) {
	row := e.Head().ID
	stored, err := tx.sealedColumns(t.name, row)
	if err != nil {
		return false, err
	}
	secrets := e.Secrets()
	for _, column := range stored {
		if secrets[column] == nil {
			secrets[column] = new(store.ClearedSecret())
		}
	}
	for column, s := range secrets {
		has := slices.Contains(stored, column)
		if s.IsGiven() || s.IsCleared() && has {
			if err := tx.SetSecret(store.Place{Table: t.name, Column: column, Row: row}, *s); err != nil {
				return false, err
			}
			changed, has = true, s.IsGiven()
		}
		*s = store.Secret{}
		if has {
			*s = store.StoredSecret()
		}
	}
	if c, ok := e.(*store.Connection); ok {
		c.MarkSecrets() // one that claimed a secret that is not there must not show the mask
	}
	return changed, nil
}

// checkKey proves that the keyring opens this store; fresh reports that the store has no secret yet.
func (tx *Tx) checkKey() (fresh bool, err error) {
	s, err := tx.Open(canary)
	if err == nil {
		if text, _ := s.Reveal(); text != canaryText {
			return false, fmt.Errorf("the store %s: its check value is not ours", tx.db.path)
		}
		return false, nil
	}
	if store.CodeOf(err) != store.NotFound {
		return false, fmt.Errorf("the store %s does not open with the encryption key given; nothing was changed: %w", tx.db.path, err)
	}
	var n int
	if _, err := tx.row("count the secrets", []any{&n}, `SELECT count(*) FROM secrets`); err != nil {
		return false, err
	}
	if n > 0 {
		return false, fmt.Errorf("the store %s has %d secrets but no check value for their key; restore a backup", tx.db.path, n)
	}
	return true, nil
}

// rotateBatch is how many secrets one transaction seals anew: small, so that other writes get their turn.
const rotateBatch = 100

// Rotate seals every secret anew that the keyring's first key did not seal, and returns how many. It may be interrupted and called
// again: each secret is readable with a key of the ring at every moment.
func (d *DB) Rotate(ctx context.Context, act Act) (int, error) {
	total := 0
	for {
		n := 0
		err := d.Update(ctx, act, func(tx *Tx) (err error) {
			n, err = tx.rotate()
			return err
		})
		if err != nil {
			return total, err
		}
		total += n
		if n < rotateBatch {
			return total, nil
		}
	}
}

func (tx *Tx) rotate() (int, error) {
	type item struct {
		place  store.Place
		sealed string
	}
	var old []item
	err := tx.rows("list the secrets of old keys", func(scan func(...any) error) error {
		var i item
		err := scan(&i.place.Table, &i.place.Column, &i.place.Row, &i.sealed)
		old = append(old, i)
		return err
	}, `SELECT tbl, col, row_id, sealed FROM secrets WHERE sealed NOT LIKE $1 ORDER BY tbl, col, row_id LIMIT `+strconv.Itoa(rotateBatch), "v1:"+tx.db.keys.Primary()+":%")
	if err != nil {
		return 0, err
	}
	for _, i := range old {
		s, err := tx.db.keys.Open(i.sealed, i.place)
		if err != nil {
			return 0, fmt.Errorf("rotate %s.%s of %s: %w", i.place.Table, i.place.Column, i.place.Row, err)
		}
		if err := tx.SetSecret(i.place, s); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// KeyIDs counts the sealed secrets by the key they need, for rotation and the security checklist.
func (tx *Tx) KeyIDs() (map[string]int, error) {
	counts := map[string]int{}
	err := tx.rows("count secrets by key", func(scan func(...any) error) error {
		var sealed string
		if err := scan(&sealed); err != nil {
			return err
		}
		id, err := keyring.KeyID(sealed)
		if err != nil {
			return errors.New("a sealed value is damaged")
		}
		counts[id]++
		return nil
	}, `SELECT sealed FROM secrets`)
	return counts, err
}
