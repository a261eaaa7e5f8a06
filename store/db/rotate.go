package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// rotateBatch is how many secrets one transaction seals anew: small, so that other writes get their turn.
const rotateBatch = 100

// metaRotated is when a rotation was last completed, RFC 3339.
const metaRotated = "key_rotated_at"

// Rotation says what a rotation did.
type Rotation struct {
	Key    string // id of the key that seals now
	Sealed int    // secrets that were sealed anew
	// Left lists ids of keys that nothing needs any more and that are still among those given: to be taken out of
	// STUDIO_ENCRYPTION_KEY. Always empty when the keys are in a file.
	Left []string
}

// rotationBody is the rotation's history entry.
type rotationBody struct {
	Key    string `json:"key"`
	Sealed int    `json:"sealed"`
}

// Rotate seals every secret anew that the first key did not seal, proves that each opens with that key alone, and then takes the
// other keys out of the key file. With generate the first key is a new one, which is in the key file before anything is sealed
// with it. So whatever the moment of an interruption, each secret opens with a key that is kept, and a second call completes
// the first.
//
// Errors: code store.Conflict when a rotation runs already, when there is one key only and no new one is asked for, when the keys come
// from the environment and a new one is asked for, and when a secret is damaged and must be entered again first.
func (d *DB) Rotate(ctx context.Context, act Act, generate bool) (Rotation, error) {
	if !d.rotating.TryLock() {
		return Rotation{}, &store.Error{Code: store.Conflict, Message: "the secrets are being sealed anew already; wait until that is done"}
	}
	defer d.rotating.Unlock()
	sealed := 0
	if !generate && len(d.keys.IDs()) == 1 {
		return Rotation{}, onlyKey(d.keys)
	}
	if generate {
		if len(d.keys.IDs()) > 1 && d.keys.Source() == keyring.SourceFile { // one that was interrupted
			n, err := d.complete(ctx, act)
			if err != nil {
				return Rotation{}, err
			}
			sealed = n
		}
		if err := d.keys.Generate(); err != nil {
			return Rotation{}, rotationFailure(err)
		}
	}
	n, err := d.complete(ctx, act)
	if err != nil {
		return Rotation{}, err
	}
	out := Rotation{Key: d.keys.Primary(), Sealed: sealed + n, Left: d.keys.IDs()[1:]}
	err = d.Update(ctx, act, func(tx *Tx) error {
		if err := tx.SetMeta(metaRotated, tx.now.Format(time.RFC3339)); err != nil {
			return err
		}
		return tx.Record(store.KindEncryption, "server", "encryption key "+out.Key, nil, rotationBody{out.Key, out.Sealed})
	})
	if err != nil {
		return Rotation{}, err
	}
	return out, d.fold(ctx)
}

// complete brings everything under the first key and gives the others up.
func (d *DB) complete(ctx context.Context, act Act) (sealed int, err error) {
	for {
		n := 0
		err := d.Update(ctx, act, func(tx *Tx) (err error) {
			n, err = tx.rotate()
			return err
		})
		if err != nil {
			return sealed, err
		}
		sealed += n
		if n < rotateBatch {
			break
		}
	}
	if err := d.View(ctx, (*Tx).proveFirstKey); err != nil {
		return sealed, err
	}
	if d.keys.Source() == keyring.SourceFile && len(d.keys.IDs()) > 1 {
		return sealed, rotationFailure(d.keys.Retire())
	}
	return sealed, nil
}

// fold brings the log into the database file and empties it. With secure_delete the old seals are then in no file any more: whoever
// finds an old key later finds nothing it opens. A reader that holds an old state puts that off to the log's next turn.
func (d *DB) fold(ctx context.Context) error {
	var busy, frames, moved int
	if err := d.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return failure("fold the log of the store", err)
	}
	if busy != 0 {
		d.log.Debug("the log of the store was not emptied, because it was being read", "frames", frames)
	}
	return nil
}

func onlyKey(k *keyring.Keyring) error {
	message := fmt.Sprintf("there is one key, in %s, so there is nothing to rotate to; ask for a new one (studio rotate-key --generate)", k.Path())
	if k.Source() == keyring.SourceEnvironment {
		message = "there is one key, so there is nothing to rotate to: " + keyring.ErrEnvironment.Error() + ", start the studio again, then rotate"
	}
	return &store.Error{Code: store.Conflict, Message: message}
}

func rotationFailure(err error) error {
	if errors.Is(err, keyring.ErrEnvironment) {
		return &store.Error{Code: store.Conflict, Message: err.Error(), Err: err}
	}
	if err != nil {
		return failure("change the key file", err)
	}
	return nil
}

type sealedRow struct {
	place  store.Place
	sealed string
}

func (tx *Tx) sealedRows(what, tail string, args ...any) ([]sealedRow, error) {
	var all []sealedRow
	err := tx.rows(what, func(scan func(...any) error) error {
		var r sealedRow
		err := scan(&r.place.Table, &r.place.Column, &r.place.Row, &r.sealed)
		all = append(all, r)
		return err
	}, `SELECT tbl, col, row_id, sealed FROM secrets`+tail, args...)
	return all, err
}

// rotate seals one batch anew.
func (tx *Tx) rotate() (int, error) {
	old, err := tx.sealedRows("list the secrets of old keys", ` WHERE sealed NOT LIKE $1 ORDER BY tbl, col, row_id LIMIT `+strconv.Itoa(rotateBatch),
		sealedBy(tx.db.keys.Primary()))
	if err != nil {
		return 0, err
	}
	for _, r := range old {
		s, err := tx.db.keys.Open(r.sealed, r.place)
		if err != nil {
			return 0, unreadable(r.place, err)
		}
		text, _ := s.Reveal()
		if _, was := unbind(text); was == "" {
			to, err := tx.bindingAt(r.place)
			if err != nil {
				return 0, err
			}
			text = bind(text, to)
		}
		if err := tx.keep(r.place, text); err != nil { // with the binding it had: a rotation must not bless a changed endpoint
			return 0, err
		}
	}
	return len(old), nil
}

func sealedBy(id string) string { return "v1:" + id + ":%" }

func unreadable(p store.Place, err error) error {
	return &store.Error{
		Code: store.Conflict, Err: err,
		Message: fmt.Sprintf("the secret %s of %s %s does not open, so the keys were left as they are: enter it again, then rotate (%v)", p.Column, p.Table, p.Row, err),
	}
}

// proveFirstKey opens every secret and proves that the first key alone sealed them all.
func (tx *Tx) proveFirstKey() error {
	all, err := tx.sealedRows("read the secrets", "")
	if err != nil {
		return err
	}
	first := tx.db.keys.Primary()
	for _, r := range all {
		if _, err := tx.db.keys.Open(r.sealed, r.place); err != nil {
			return unreadable(r.place, err)
		}
		if id, err := keyring.KeyID(r.sealed); err != nil || id != first {
			return fmt.Errorf("the secret %s of %s %s is sealed with the key %s although all were sealed anew; is another program changing the store?", r.place.Column, r.place.Table, r.place.Row, id)
		}
	}
	return nil
}

// KeyIDs counts the sealed secrets by the key they need, the store's own check value among them; "" counts damaged ones.
func (tx *Tx) KeyIDs() (map[string]int, error) {
	all, err := tx.sealedRows("count secrets by key", "")
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, r := range all {
		id, err := keyring.KeyID(r.sealed)
		if err != nil {
			id = ""
		}
		counts[id]++
	}
	return counts, nil
}

// Encryption is what the store knows of its keys.
type Encryption struct {
	Secrets   map[string]int // by key id, without the store's own check value
	RotatedAt *time.Time     // when a rotation was last completed; nil: never
}

// Encryption counts the secrets by key and says when they were last rotated.
func (tx *Tx) Encryption() (Encryption, error) {
	counts, err := tx.KeyIDs()
	if err != nil {
		return Encryption{}, err
	}
	own, err := tx.sealedRows("read the check value", ` WHERE tbl = $1 AND col = $2 AND row_id = $3`, canary.Table, canary.Column, canary.Row)
	if err != nil {
		return Encryption{}, err
	}
	for _, r := range own {
		if id, err := keyring.KeyID(r.sealed); err == nil {
			if counts[id]--; counts[id] == 0 {
				delete(counts, id)
			}
		}
	}
	out := Encryption{Secrets: counts}
	at, found, err := tx.Meta(metaRotated)
	if err != nil || !found {
		return out, err
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return out, fmt.Errorf("read %s: %w", metaRotated, err)
	}
	out.RotatedAt = &t
	return out, nil
}
