package db

import (
	"errors"
	"fmt"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// canary is a sealed value that every store has: opening it proves the key before anything is written.
var canary = store.Place{Table: "meta", Column: "canary", Row: "1"}

const canaryText = "the encryption key of this studio opens this"

// Open opens the sealed secret at place. The error has code store.NotFound when there is none, and store.Conflict when it was sealed
// for another endpoint or manifest than the one that is stored beside it.
func (tx *Tx) Open(place store.Place) (store.Secret, error) {
	to, err := tx.bindingAt(place)
	if err != nil {
		return store.Secret{}, err
	}
	return tx.openFor(place, to)
}

func (tx *Tx) openFor(place store.Place, to string) (store.Secret, error) {
	var sealed string
	what := fmt.Sprintf("open the secret %s.%s of %s", place.Table, place.Column, place.Row)
	found, err := tx.row(what, []any{&sealed}, `SELECT sealed FROM secrets WHERE tbl = $1 AND col = $2 AND row_id = $3`, place.Table, place.Column, place.Row)
	if err != nil {
		return store.Secret{}, err
	}
	if !found {
		return store.Secret{}, &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no secret %s for %s %s", place.Column, place.Table, place.Row)}
	}
	s, err := tx.unseal(sealed, place, to)
	if errors.Is(err, errElsewhere) {
		return store.Secret{}, err // says all, to whoever asked
	}
	if err != nil {
		return store.Secret{}, fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

// SetSecret seals a given secret at place, replacing what is there, or removes it when the secret is cleared or absent. Entities'
// own secrets need no call of it: Insert and Update do that.
func (tx *Tx) SetSecret(place store.Place, s store.Secret) error {
	to, err := tx.bindingAt(place)
	if err != nil {
		return err
	}
	return tx.setFor(place, s, to)
}

// setFor is SetSecret for a row that may not be written yet.
func (tx *Tx) setFor(place store.Place, s store.Secret, to string) error {
	what := fmt.Sprintf("remove the secret %s.%s of %s", place.Table, place.Column, place.Row)
	plain, given := s.Reveal()
	if !given {
		if s.IsSet() {
			return nil // stored already
		}
		_, err := tx.exec(what, `DELETE FROM secrets WHERE tbl = $1 AND col = $2 AND row_id = $3`, place.Table, place.Column, place.Row)
		return err
	}
	return tx.keep(place, bind(plain, to))
}

// keep seals a text at place as it is.
func (tx *Tx) keep(place store.Place, text string) error {
	what := fmt.Sprintf("keep the secret %s.%s of %s", place.Table, place.Column, place.Row)
	if tx.db.beside { // the studio beside may have rotated since this process read its keys
		if _, err := tx.checkKey(); err != nil {
			return err
		}
	}
	sealed, err := tx.db.keys.Seal(text, place)
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
// still shows the mask. A secret that was sealed for another endpoint than the entity's is an error of code store.Conflict.
func (tx *Tx) OpenSecrets(e store.Entity) error {
	for column, s := range e.Secrets() {
		if !s.IsSet() || s.IsGiven() {
			continue
		}
		place, err := SecretPlace(e, column)
		if err != nil {
			return err
		}
		if *s, err = tx.openFor(place, bindingFor(e)); err != nil {
			return err
		}
	}
	return nil
}

// sealedFields returns the seals of a row by column.
func (tx *Tx) sealedFields(table, row string) (map[string]sealedRow, error) {
	all, err := tx.sealedRows("read the secrets of "+row, ` WHERE tbl = $1 AND row_id = $2`, table, row)
	fields := make(map[string]sealedRow, len(all))
	for _, r := range all {
		fields[r.place.Column] = r
	}
	return fields, err
}

// markSecrets says in a loaded entity which secrets are stored; what the mask in its body decoded to does not count, and neither does
// a secret that was sealed for another endpoint: that one must be entered again.
func (tx *Tx) markSecrets(t table, e store.Entity) error {
	secrets := e.Secrets()
	if len(secrets) == 0 {
		return nil
	}
	stored, err := tx.sealedFields(t.name, e.Head().ID)
	if err != nil {
		return err
	}
	to, missing := bindingFor(e), false
	for column, s := range secrets {
		*s = store.Secret{}
		r, has := stored[column]
		switch {
		case has && tx.elsewhere(r.sealed, r.place, to):
			missing = true
		case has:
			*s = store.StoredSecret()
		}
	}
	if missing {
		askAgain(e)
	}
	return nil
}

// askAgain marks an entity whose secret must be entered again.
func askAgain(e store.Entity) {
	if c, ok := e.(*store.Connection); ok {
		c.NeedsSecret = true
		c.MarkSecrets()
	}
}

// settleSecrets writes what the entity brings and makes its fields say what is stored now. Sealed columns the entity no longer
// has (its type changed) are removed, and so are seals for another endpoint. changed reports whether a secret was given or removed.
func (tx *Tx) settleSecrets(t table, e store.Entity) (changed bool, err error) {
	stored, err := tx.sealedFields(t.name, e.Head().ID)
	if err != nil {
		return false, err
	}
	secrets, to := e.Secrets(), bindingFor(e)
	for column := range stored {
		if secrets[column] == nil {
			secrets[column] = new(store.ClearedSecret())
		}
	}
	for column, s := range secrets {
		r, has := stored[column]
		if has && !s.IsGiven() && !s.IsCleared() {
			if tx.elsewhere(r.sealed, r.place, to) {
				*s = store.ClearedSecret()
				askAgain(e)
			} else if err := tx.bindSeal(r, to); err != nil {
				return false, err
			}
		}
		if s.IsGiven() || s.IsCleared() && has {
			if err := tx.setFor(store.Place{Table: t.name, Column: column, Row: e.Head().ID}, *s, to); err != nil {
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
	var wrong *keyring.WrongKeyError
	if errors.As(err, &wrong) {
		err = wrong // which of our secrets was tried says nothing to anybody
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
