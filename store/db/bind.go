package db

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcpstudio/store"
)

// A connection's secrets are sealed together with the digest of its endpoint, and a revision's bundle with the digest of its manifest:
// both stand in clear beside the seal, and whoever edits them in the file or in a backup would otherwise send a stored password to a
// place of their choice. A seal that was made for something else counts as none. Seals of stores made before this are not bound; they
// are accepted, and bound by the next start, write or rotation.

// boundMark starts the plaintext of a bound seal; bindingSize hexadecimal digits follow, and then the secret. It is in the plaintext,
// and not in the additional data, to tell a seal that was made for something else from a damaged one.
const (
	boundMark   = "\x00bound/1\x00"
	bindingSize = 2 * sha256.Size
)

// errElsewhere says that a seal was made for another endpoint or manifest than the one beside it.
var errElsewhere = errors.New("sealed for something else")

// bind puts the binding before a secret; an empty one leaves it unbound.
func bind(plain, to string) string {
	if to == "" {
		return plain
	}
	return boundMark + to + plain
}

// unbind takes the binding off; to is empty when there is none.
func unbind(text string) (plain, to string) {
	rest, ok := strings.CutPrefix(text, boundMark)
	if !ok || len(rest) < bindingSize {
		return text, ""
	}
	return rest[bindingSize:], rest[:bindingSize]
}

// bindable reports whether the secrets of a table are bound.
func bindable(table string) bool { return slices.Contains(boundTables(), table) }

func boundTables() []string { return []string{"connections", revisionPlace(0).Table} }

// bindingFor is what an entity's secrets are bound to; empty: only to their place.
func bindingFor(e store.Entity) string {
	if c, ok := e.(*store.Connection); ok {
		return c.Endpoint().Digest()
	}
	return ""
}

// bindingAt is what the secret of a stored row is to be bound to; empty when it is not bound, or when its row is gone or unreadable.
func (tx *Tx) bindingAt(p store.Place) (string, error) {
	what := "read what the secret of " + p.Row + " is for"
	var text string
	switch p.Table {
	case "connections":
		found, err := tx.row(what, []any{&text}, `SELECT body FROM connections WHERE id = $1`, p.Row)
		var c store.Connection
		if err != nil || !found || json.Unmarshal([]byte(text), &c) != nil {
			return "", err
		}
		return bindingFor(&c), nil
	case revisionPlace(0).Table:
		found, err := tx.row(what, []any{&text}, `SELECT manifest FROM revisions WHERE CAST(number AS TEXT) = $1`, p.Row)
		if err != nil || !found {
			return "", err
		}
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	}
	return "", nil
}

// unseal opens what is sealed at place for use with to. The error wraps errElsewhere when it was sealed for something else.
func (tx *Tx) unseal(sealed string, place store.Place, to string) (store.Secret, error) {
	s, err := tx.db.keys.Open(sealed, place)
	if err != nil || !bindable(place.Table) {
		return s, err
	}
	text, _ := s.Reveal()
	plain, was := unbind(text)
	if was != "" && was != to {
		return store.Secret{}, elsewhere(place)
	}
	return store.GivenSecret(plain), nil
}

func elsewhere(p store.Place) error {
	if p.Table != "connections" {
		return &store.Error{Code: store.Conflict, Err: errElsewhere,
			Message: fmt.Sprintf("the secrets of revision %s were sealed for another manifest: the revision was changed outside of the studio, so it is not started; deploy the saved configuration anew", p.Row)}
	}
	return &store.Error{Code: store.Conflict, Field: p.Column, Err: errElsewhere,
		Message: "the stored secret was entered for another type, host, port, user, TLS or endpoint options, so it is not used: enter it again"}
}

// elsewhere reports whether a seal was made for something else than to. One that does not open is not: that is said when it is used.
func (tx *Tx) elsewhere(sealed string, place store.Place, to string) bool {
	_, err := tx.unseal(sealed, place, to)
	return errors.Is(err, errElsewhere)
}

// bindSeal binds a seal that is not bound yet; one that is bound or does not open stays as it is.
func (tx *Tx) bindSeal(r sealedRow, to string) error {
	s, err := tx.db.keys.Open(r.sealed, r.place)
	if err != nil || to == "" {
		return nil
	}
	text, _ := s.Reveal()
	if _, was := unbind(text); was != "" {
		return nil
	}
	return tx.keep(r.place, bind(text, to))
}

// bindAll binds what a studio before this one sealed.
func (tx *Tx) bindAll() error {
	for _, table := range boundTables() {
		all, err := tx.sealedRows("look for secrets that are not bound", ` WHERE tbl = $1`, table)
		if err != nil {
			return err
		}
		for _, r := range all {
			to, err := tx.bindingAt(r.place)
			if err == nil {
				err = tx.bindSeal(r, to)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
