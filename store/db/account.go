package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"mcpstudio/store"
)

// accountBody is what history shows of the admin: never a hash or a key.
type accountBody struct {
	Username          string    `json:"username"`
	Password          string    `json:"password"`
	PasswordChangedAt time.Time `json:"password_changed_at"`
	TwoFactor         bool      `json:"two_factor"`
	RecoveryCodesLeft int       `json:"recovery_codes_left"`
}

func bodyOfAdmin(a *store.Admin) accountBody {
	return accountBody{a.Username, store.Mask, a.PasswordChangedAt, a.TwoFactorAt != nil, a.RecoveryCodesLeft}
}

// Admin returns the admin, or a store.NotFound error when there is none yet.
func (d *DB) Admin(ctx context.Context) (*store.Admin, error) {
	var a *store.Admin
	err := d.View(ctx, func(tx *Tx) (err error) {
		a, err = tx.Admin()
		return err
	})
	return a, err
}

// Admin returns the admin, or a store.NotFound error when there is none yet.
func (tx *Tx) Admin() (*store.Admin, error) {
	a := &store.Admin{Meta: store.Meta{ID: store.AdminID}}
	var created, updated, changed int64
	var last, factor sql.NullInt64
	var long sql.NullBool
	found, err := tx.row("read the admin", []any{&a.Version, &a.Username, &a.PasswordHash, &changed, &long, &created, &updated, &last, &factor, &a.RecoveryCodesLeft},
		`SELECT a.version, a.username, a.password_hash, a.password_changed_at, a.password_long, a.created_at, a.updated_at, a.last_login_at, f.enabled_at, (SELECT count(*) FROM recovery_codes)
		FROM admin a LEFT JOIN second_factor f ON f.id = a.id WHERE a.id = $1`, store.AdminID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &store.Error{Code: store.NotFound, Message: "there is no admin yet"}
	}
	a.CreatedAt, a.UpdatedAt, a.PasswordChangedAt = fromMicros(created), fromMicros(updated), fromMicros(changed)
	a.LastLoginAt, a.TwoFactorAt = fromNullMicros(last), fromNullMicros(factor)
	if long.Valid {
		a.PasswordLong = &long.Bool
	}
	return a, nil
}

// Used reports whether anybody but the studio itself ever changed this store, or there was an admin. A used store without an admin was tampered with: setup must not
// reopen by itself, because whoever comes first would own the secrets.
func (d *DB) Used(ctx context.Context) (bool, error) {
	used := false
	err := d.View(ctx, func(tx *Tx) error {
		var seq int64
		var err error
		used, err = tx.row("look for history", []any{&seq}, `SELECT seq FROM changes WHERE actor_kind <> 'system' OR entity_type = 'admin' LIMIT 1`)
		return err
	})
	return used, err
}

// CreateAdmin makes the one admin, and the first session when s is not nil, in one transaction. It fills a's Meta. The error has
// code store.Conflict when there is an admin already: of many at once exactly one succeeds.
func (d *DB) CreateAdmin(ctx context.Context, actor store.Actor, a *store.Admin, s *store.Session) error {
	return d.Update(ctx, Act{Actor: actor, Operation: "create_admin"}, func(tx *Tx) error {
		if _, err := tx.Admin(); store.CodeOf(err) != store.NotFound {
			if err == nil {
				return &store.Error{Code: store.Conflict, Message: "the studio has its admin already; sign in"}
			}
			return err
		}
		if err := tx.dropFactor(); err != nil { // what an admin who was taken away left must not bind the new one
			return err
		}
		a.Meta = store.Meta{ID: store.AdminID, Version: 1, CreatedAt: tx.now, UpdatedAt: tx.now}
		a.PasswordChangedAt, a.LastLoginAt, a.TwoFactorAt, a.RecoveryCodesLeft = tx.now, nil, nil, 0
		if s != nil {
			a.LastLoginAt = &tx.now
		}
		_, err := tx.exec("make the admin", `INSERT INTO admin (id, version, username, password_hash, password_changed_at, password_long, created_at, updated_at, last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			a.ID, a.Version, a.Username, a.PasswordHash, micros(a.PasswordChangedAt), nullBool(a.PasswordLong), micros(tx.now), micros(tx.now), nullMicros(a.LastLoginAt))
		if err != nil {
			return err
		}
		if s != nil {
			if err := tx.addSession(s); err != nil {
				return err
			}
		}
		return tx.record(store.KindAdmin, a.ID, a.Username, a.Version, nil, bodyOfAdmin(a))
	})
}

func nullBool(b *bool) sql.NullBool {
	if b == nil {
		return sql.NullBool{}
	}
	return sql.NullBool{Bool: *b, Valid: true}
}

// UpdateAdmin stores a's user name and password as the next version, ends every session and half-done sign-in, and does what e says,
// all in one transaction with a history entry that shows no hash. a's Version must be the current one (store.Stale otherwise; 0 skips
// the check).
func (d *DB) UpdateAdmin(ctx context.Context, e store.AccountEdit, a *store.Admin) error {
	return d.Update(ctx, Act{Actor: e.Actor, Operation: e.Operation}, func(tx *Tx) error {
		was, err := tx.Admin()
		if err != nil {
			return err
		}
		if err := unchanged(was, a.Version); err != nil {
			return err
		}
		if err := tx.endSignIns(""); err != nil {
			return err
		}
		if e.DropFactor {
			if err := tx.dropFactor(); err != nil {
				return err
			}
		}
		if e.Unlock {
			if _, err := tx.exec("forget failed attempts", `DELETE FROM login_failures`); err != nil {
				return err
			}
		}
		changed, long := was.PasswordChangedAt, was.PasswordLong
		if a.PasswordHash != was.PasswordHash {
			changed, long = tx.now, a.PasswordLong
		}
		_, err = tx.exec("change the admin", `UPDATE admin SET version = $2, username = $3, password_hash = $4, password_changed_at = $5, password_long = $6, updated_at = $7 WHERE id = $1`,
			was.ID, was.Version+1, a.Username, a.PasswordHash, micros(changed), nullBool(long), micros(tx.now))
		if err != nil {
			return err
		}
		if e.Start != nil {
			if err := tx.addSession(e.Start); err != nil {
				return err
			}
		}
		now, err := tx.Admin()
		if err != nil {
			return err
		}
		*a = *now
		return tx.record(store.KindAdmin, a.ID, a.Username, a.Version, bodyOfAdmin(was), bodyOfAdmin(a))
	})
}

func unchanged(was *store.Admin, version int) error {
	if version != 0 && version != was.Version {
		return &store.Error{Code: store.Stale, Field: "version", Message: "the account was changed in the meantime; read it again"}
	}
	return nil
}

// endSignIns ends every session but keep, and every sign-in that waits for its code.
func (tx *Tx) endSignIns(keep string) error {
	if _, err := tx.exec("end sessions", `DELETE FROM sessions WHERE id <> $1`, keep); err != nil {
		return err
	}
	_, err := tx.exec("end half-done sign-ins", `DELETE FROM pending_logins`)
	return err
}

func loginAct() Act {
	return Act{Actor: store.Actor{Kind: "admin", ID: store.AdminID}, Operation: "login_after_failures"}
}

// StartSession keeps a new session and notes the admin's login time, unless the admin has another version than the one whose
// password was checked (store.Unauthorized): a login that overlaps a password change must not outlive it. Sessions that ended by
// themselves are removed on the way. A success after many failures of its bucket gets a history entry.
func (d *DB) StartSession(ctx context.Context, s *store.Session, in store.SignIn) error {
	return d.Update(ctx, loginAct(), func(tx *Tx) error {
		a, err := tx.signingIn(in.AdminVersion)
		if err != nil {
			return err
		}
		failures, err := tx.failures(in.Bucket)
		if err != nil {
			return err
		}
		return tx.startSession(s, a, in.NoteAfter, failures, 0)
	})
}

// signingIn returns the admin a sign-in is for.
func (tx *Tx) signingIn(version int) (*store.Admin, error) {
	a, err := tx.Admin()
	if err != nil {
		return nil, err
	}
	if a.Version != version {
		return nil, &store.Error{Code: store.Unauthorized, Message: "the account was changed during the sign-in; sign in again"}
	}
	return a, nil
}

// afterFailures is the history of a sign-in that others had tried.
type afterFailures struct {
	Address         string `json:"address"`
	FailedPasswords int    `json:"failed_passwords"`
	FailedCodes     int    `json:"failed_codes"`
}

func (tx *Tx) startSession(s *store.Session, a *store.Admin, noteAfter, passwords, codes int) error {
	if _, err := tx.exec("remove old sessions", `DELETE FROM sessions WHERE expires_at <= $1`, micros(tx.now)); err != nil {
		return err
	}
	if _, err := tx.exec("note the login", `UPDATE admin SET last_login_at = $1 WHERE id = $2`, micros(tx.now), store.AdminID); err != nil {
		return err
	}
	if err := tx.addSession(s); err != nil {
		return err
	}
	if noteAfter <= 0 || passwords+codes < noteAfter {
		return nil
	}
	tx.act.Actor.Name = a.Username
	return tx.record(store.KindAdmin, a.ID, a.Username, a.Version, nil, afterFailures{s.Address, passwords, codes})
}

func (tx *Tx) addSession(s *store.Session) error {
	_, err := tx.exec("start a session", `INSERT INTO sessions (id, token_hash, created_at, expires_at, last_seen_at, address, user_agent) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, hex.EncodeToString(s.TokenHash), micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.LastSeenAt), s.Address, s.UserAgent)
	return err
}

const sessionColumns = `SELECT id, token_hash, created_at, expires_at, last_seen_at, address, user_agent FROM sessions`

// SessionByHash returns the session whose token has this SHA-256, ended or not, or a store.NotFound error.
func (d *DB) SessionByHash(ctx context.Context, hash []byte) (*store.Session, error) {
	found, err := d.sessions(ctx, ` WHERE token_hash = $1`, hex.EncodeToString(hash))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &store.Error{Code: store.NotFound, Message: "there is no such session"}
	}
	return found[0], nil
}

// Sessions returns the sessions that have not ended at now, the latest seen first.
func (d *DB) Sessions(ctx context.Context, now time.Time) ([]*store.Session, error) {
	return d.sessions(ctx, ` WHERE expires_at > $1 ORDER BY last_seen_at DESC, id`, micros(now))
}

func (d *DB) sessions(ctx context.Context, tail string, args ...any) ([]*store.Session, error) {
	var found []*store.Session
	err := d.View(ctx, func(tx *Tx) (err error) {
		found, err = tx.sessions(tail, args...)
		return err
	})
	return found, err
}

func (tx *Tx) sessions(tail string, args ...any) ([]*store.Session, error) {
	var found []*store.Session
	err := tx.rows("read sessions", func(scan func(...any) error) error {
		s := &store.Session{}
		var hash string
		var created, expires, seen int64
		if err := scan(&s.ID, &hash, &created, &expires, &seen, &s.Address, &s.UserAgent); err != nil {
			return err
		}
		s.CreatedAt, s.ExpiresAt, s.LastSeenAt = fromMicros(created), fromMicros(expires), fromMicros(seen)
		var err error
		s.TokenHash, err = hex.DecodeString(hash)
		found = append(found, s)
		return err
	}, sessionColumns+tail, args...)
	return found, err
}

// TouchSession notes when a session was last seen.
func (d *DB) TouchSession(ctx context.Context, id string, at time.Time) error {
	act := Act{Actor: store.SystemActor(), Operation: "touch_session"}
	return d.Update(ctx, act, func(tx *Tx) error {
		_, err := tx.exec("touch session "+id, `UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1`, micros(at), id)
		return err
	})
}

// sessionBody is what history shows of a session that was ended.
type sessionBody struct {
	Address   string    `json:"address"`
	UserAgent string    `json:"user_agent"`
	CreatedAt time.Time `json:"created_at"`
}

// Logout ends one session, or returns a store.NotFound error. It leaves no history: whoever signs out ends nothing but their own.
func (d *DB) Logout(ctx context.Context, id string) error {
	return d.Update(ctx, Act{Actor: store.Actor{Kind: "admin", ID: store.AdminID}, Operation: "logout"}, func(tx *Tx) error {
		n, err := tx.exec("end session "+id, `DELETE FROM sessions WHERE id = $1`, id)
		if err == nil && n == 0 {
			return noSession(id)
		}
		return err
	})
}

// EndSession ends one session with a history entry, or returns a store.NotFound error.
func (d *DB) EndSession(ctx context.Context, actor store.Actor, id string) error {
	n, err := d.endSessions(ctx, Act{Actor: actor, Operation: "end_session"}, `id = $1`, id)
	if err == nil && n == 0 {
		return noSession(id)
	}
	return err
}

func noSession(id string) error {
	return &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no session %q", strings.ToValidUTF8(id, "?"))}
}

// EndSessions ends every session but the one with id keep ("" keeps none), each with a history entry, and returns how many.
func (d *DB) EndSessions(ctx context.Context, actor store.Actor, keep string) (int, error) {
	return d.endSessions(ctx, Act{Actor: actor, Operation: "end_session"}, `id <> $1`, keep)
}

func (d *DB) endSessions(ctx context.Context, act Act, which, id string) (int, error) {
	var ended []*store.Session
	err := d.Update(ctx, act, func(tx *Tx) (err error) {
		if ended, err = tx.sessions(` WHERE `+which, id); err != nil {
			return err
		}
		if _, err := tx.exec("end sessions", `DELETE FROM sessions WHERE `+which, id); err != nil {
			return err
		}
		for _, s := range ended {
			if !s.ExpiresAt.After(tx.now) {
				continue // it had ended by itself
			}
			if err := tx.record(store.KindAdmin, store.AdminID, act.Actor.Name, 0, sessionBody{s.Address, s.UserAgent, s.CreatedAt}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return len(ended), err
}
