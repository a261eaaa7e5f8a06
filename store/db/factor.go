package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"slices"

	"mcpstudio/store"
)

// Where the keys of the second factor are sealed.
func factorPlace(column string) store.Place {
	return store.Place{Table: "second_factor", Column: column, Row: store.AdminID}
}

// UpdateFactor gives f the second factor in a write transaction and keeps what f made of it, as the account's next version, with a
// history entry that shows no key. Nothing is kept when f returns an error, which comes back. The error has code store.Stale when the
// account is not at e.AdminVersion, and store.Unavailable when the factor's keys do not open.
func (d *DB) UpdateFactor(ctx context.Context, e store.FactorEdit, f func(*store.Factor) error) error {
	return d.Update(ctx, Act{Actor: e.Actor, Operation: e.Operation}, func(tx *Tx) error {
		was, err := tx.Admin()
		if err != nil {
			return err
		}
		if err := unchanged(was, e.AdminVersion); err != nil {
			return err
		}
		if err := tx.changeFactor(f); err != nil {
			return err
		}
		if _, err := tx.exec("change the admin", `UPDATE admin SET version = $2, updated_at = $3 WHERE id = $1`, was.ID, was.Version+1, micros(tx.now)); err != nil {
			return err
		}
		if err := tx.endSignIns(e.Keep); err != nil {
			return err
		}
		now, err := tx.Admin()
		if err != nil {
			return err
		}
		return tx.record(store.KindAdmin, now.ID, now.Username, now.Version, bodyOfAdmin(was), bodyOfAdmin(now))
	})
}

// DraftFactor keeps a key that is not confirmed yet, in place of an earlier one. The error has code store.Conflict when two-factor is on.
func (d *DB) DraftFactor(ctx context.Context, key store.Secret) error {
	act := Act{Actor: store.Actor{Kind: "admin", ID: store.AdminID}, Operation: "draft_two_factor"}
	return d.Update(ctx, act, func(tx *Tx) error {
		return tx.changeFactor(func(f *store.Factor) error {
			if f.EnabledAt != nil {
				return &store.Error{Code: store.Conflict, Message: "two-factor is on already; turn it off first"}
			}
			f.Draft, f.DraftAt = key, &tx.now
			return nil
		})
	})
}

// StartPending keeps a sign-in that waits for its code; those that waited too long are removed on the way. Errors are as of
// StartSession.
func (d *DB) StartPending(ctx context.Context, p *store.PendingLogin, in store.SignIn) error {
	return d.Update(ctx, loginAct(), func(tx *Tx) error {
		if _, err := tx.signingIn(in.AdminVersion); err != nil {
			return err
		}
		failures, err := tx.failures(in.Bucket)
		if err != nil {
			return err
		}
		if _, err := tx.exec("remove old sign-ins", `DELETE FROM pending_logins WHERE expires_at <= $1`, micros(tx.now)); err != nil {
			return err
		}
		_, err = tx.exec("keep a sign-in", `INSERT INTO pending_logins (token_hash, admin_version, failures, expires_at) VALUES ($1, $2, $3, $4)`,
			hex.EncodeToString(p.TokenHash), in.AdminVersion, failures, micros(p.ExpiresAt))
		return err
	})
}

// Pending returns the sign-in whose token has this SHA-256, or a store.NotFound error.
func (d *DB) Pending(ctx context.Context, hash []byte) (*store.PendingLogin, error) {
	p := &store.PendingLogin{TokenHash: hash}
	err := d.View(ctx, func(tx *Tx) (err error) {
		row, err := tx.pending(hash)
		p.ExpiresAt = fromMicros(row.expires)
		return err
	})
	return p, err
}

type pendingRow struct {
	version, failures int
	expires           int64
}

func (tx *Tx) pending(hash []byte) (pendingRow, error) {
	var p pendingRow
	found, err := tx.row("read a sign-in", []any{&p.version, &p.failures, &p.expires},
		`SELECT admin_version, failures, expires_at FROM pending_logins WHERE token_hash = $1`, hex.EncodeToString(hash))
	if err == nil && !found {
		err = &store.Error{Code: store.NotFound, Message: "there is no such sign-in"}
	}
	return p, err
}

// FinishLogin ends the pending sign-in and starts s when check, which gets the second factor in the same write transaction and may
// change it, returns nil; so a code that is used up cannot be used twice, however many tries come together. in says the bucket of the
// codes; its AdminVersion does not count. The error has code store.NotFound when there is no such sign-in, store.Unauthorized when
// the account was changed in the meantime; check's own error comes back.
func (d *DB) FinishLogin(ctx context.Context, pending []byte, s *store.Session, in store.SignIn, check func(*store.Factor) error) error {
	return d.Update(ctx, loginAct(), func(tx *Tx) error {
		p, err := tx.pending(pending)
		if err != nil {
			return err
		}
		a, err := tx.signingIn(p.version)
		if err != nil {
			return err
		}
		if err := tx.changeFactor(check); err != nil {
			return err
		}
		if _, err := tx.exec("end a sign-in", `DELETE FROM pending_logins WHERE token_hash = $1`, hex.EncodeToString(pending)); err != nil {
			return err
		}
		codes, err := tx.failures(in.Bucket)
		if err != nil {
			return err
		}
		return tx.startSession(s, a, in.NoteAfter, p.failures, codes)
	})
}

// changeFactor loads the factor, lets f change it and writes what is different.
func (tx *Tx) changeFactor(f func(*store.Factor) error) error {
	factor, err := tx.factor()
	if err != nil {
		return err
	}
	was := *factor
	was.Codes = slices.Clone(factor.Codes)
	if err := f(factor); err != nil {
		return err
	}
	for _, s := range []struct {
		column    string
		was, next store.Secret
	}{{"key", was.Key, factor.Key}, {"draft", was.Draft, factor.Draft}, {"code_key", was.CodeKey, factor.CodeKey}} {
		before, _ := s.was.Reveal()
		if after, _ := s.next.Reveal(); after == before {
			continue
		}
		if err := tx.SetSecret(factorPlace(s.column), s.next); err != nil {
			return err
		}
	}
	_, err = tx.exec("keep the second factor", `INSERT INTO second_factor (id, enabled_at, last_step, draft_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET enabled_at = excluded.enabled_at, last_step = excluded.last_step, draft_at = excluded.draft_at`,
		store.AdminID, nullMicros(factor.EnabledAt), factor.LastStep, nullMicros(factor.DraftAt))
	if err != nil {
		return err
	}
	return tx.setCodes(was.Codes, factor.Codes)
}

// setCodes writes the difference of two lists of code hashes.
func (tx *Tx) setCodes(was, next [][]byte) error {
	texts := func(codes [][]byte) []string {
		out := make([]string, len(codes))
		for i, c := range codes {
			out[i] = hex.EncodeToString(c)
		}
		return out
	}
	old, left := texts(was), texts(next)
	for _, c := range old {
		if !slices.Contains(left, c) {
			if _, err := tx.exec("remove a recovery code", `DELETE FROM recovery_codes WHERE code_hash = $1`, c); err != nil {
				return err
			}
		}
	}
	for _, c := range left {
		if !slices.Contains(old, c) {
			if _, err := tx.exec("keep a recovery code", `INSERT INTO recovery_codes (code_hash) VALUES ($1)`, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// factor loads the second factor with its keys open.
func (tx *Tx) factor() (*store.Factor, error) {
	f := &store.Factor{}
	var enabled, draft sql.NullInt64
	if _, err := tx.row("read the second factor", []any{&enabled, &f.LastStep, &draft}, `SELECT enabled_at, last_step, draft_at FROM second_factor WHERE id = $1`, store.AdminID); err != nil {
		return nil, err
	}
	f.EnabledAt, f.DraftAt = fromNullMicros(enabled), fromNullMicros(draft)
	for column, s := range map[string]*store.Secret{"key": &f.Key, "draft": &f.Draft, "code_key": &f.CodeKey} {
		var err error
		if *s, err = tx.Open(factorPlace(column)); err != nil && store.CodeOf(err) != store.NotFound {
			return nil, closedFactor(err)
		}
	}
	if f.EnabledAt != nil && !f.Key.IsGiven() { // on without a key: somebody took it away, and that must not turn it off
		return nil, closedFactor(nil)
	}
	err := tx.rows("read the recovery codes", func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		hash, err := hex.DecodeString(text)
		f.Codes = append(f.Codes, hash)
		return err
	}, `SELECT code_hash FROM recovery_codes ORDER BY code_hash`)
	return f, err
}

// closedFactor says that two-factor is on and cannot be checked (docs/attacks.md, case 68). It never lets anybody in.
func closedFactor(err error) error {
	return &store.Error{Code: store.Unavailable, Retry: 60, Err: err,
		Message: "the key of two-factor does not open with the encryption key of this studio; bring the encryption key back, or run studio reset-password --disable-2fa on the host"}
}

// dropFactor removes everything of the second factor without looking at it.
func (tx *Tx) dropFactor() error {
	for _, q := range []string{`DELETE FROM second_factor`, `DELETE FROM recovery_codes`} {
		if _, err := tx.exec("turn two-factor off", q); err != nil {
			return err
		}
	}
	_, err := tx.exec("turn two-factor off", `DELETE FROM secrets WHERE tbl = $1`, factorPlace("").Table)
	return err
}
