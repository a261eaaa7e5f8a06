package db

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"

	"mcpstudio/store"
)

// accountBody is what history shows of the admin: never the hash.
type accountBody struct {
	Username string `json:"username"`
	Password string `json:"password"`
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
	var created, updated int64
	var last sql.NullInt64
	found, err := tx.row("read the admin", []any{&a.Version, &a.Username, &a.PasswordHash, &created, &updated, &last},
		`SELECT version, username, password_hash, created_at, updated_at, last_login_at FROM admin WHERE id = $1`, store.AdminID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &store.Error{Code: store.NotFound, Message: "there is no admin yet"}
	}
	a.CreatedAt, a.UpdatedAt, a.LastLoginAt = fromMicros(created), fromMicros(updated), fromNullMicros(last)
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
		a.Meta = store.Meta{ID: store.AdminID, Version: 1, CreatedAt: tx.now, UpdatedAt: tx.now}
		a.LastLoginAt = nil
		if s != nil {
			a.LastLoginAt = &tx.now
		}
		_, err := tx.exec("make the admin", `INSERT INTO admin (id, version, username, password_hash, created_at, updated_at, last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.ID, a.Version, a.Username, a.PasswordHash, micros(tx.now), micros(tx.now), nullMicros(a.LastLoginAt))
		if err != nil {
			return err
		}
		if s != nil {
			if err := tx.addSession(s); err != nil {
				return err
			}
		}
		return tx.record(store.KindAdmin, a.ID, a.Username, a.Version, nil, accountBody{a.Username, store.Mask})
	})
}

// UpdateAdmin stores a's user name and password hash as the next version, ends every session, and starts s when it is not nil, all
// in one transaction with a history entry that shows no hash. a's Version must be the current one (store.Stale otherwise; 0 skips
// the check).
func (d *DB) UpdateAdmin(ctx context.Context, actor store.Actor, operation string, a *store.Admin, s *store.Session) error {
	return d.Update(ctx, Act{Actor: actor, Operation: operation}, func(tx *Tx) error {
		was, err := tx.Admin()
		if err != nil {
			return err
		}
		if a.Version != 0 && a.Version != was.Version {
			return &store.Error{Code: store.Stale, Field: "version", Message: "the account was changed in the meantime; read it again"}
		}
		if _, err := tx.exec("end every session", `DELETE FROM sessions`); err != nil {
			return err
		}
		a.Meta = store.Meta{ID: was.ID, Version: was.Version + 1, CreatedAt: was.CreatedAt, UpdatedAt: tx.now}
		_, err = tx.exec("change the admin", `UPDATE admin SET version = $2, username = $3, password_hash = $4, updated_at = $5 WHERE id = $1`,
			a.ID, a.Version, a.Username, a.PasswordHash, micros(tx.now))
		if err != nil {
			return err
		}
		if s != nil {
			if err := tx.addSession(s); err != nil {
				return err
			}
		}
		return tx.record(store.KindAdmin, a.ID, a.Username, a.Version, accountBody{was.Username, store.Mask}, accountBody{a.Username, store.Mask})
	})
}

// StartSession keeps a new session and notes the admin's login time, unless the admin has another version than the one whose
// password was checked (store.Unauthorized): a login that overlaps a password change must not outlive it. Sessions that ended by
// themselves are removed on the way.
func (d *DB) StartSession(ctx context.Context, s *store.Session, adminVersion int) error {
	act := Act{Actor: store.Actor{Kind: "admin", ID: store.AdminID}, Operation: "login"}
	return d.Update(ctx, act, func(tx *Tx) error {
		a, err := tx.Admin()
		if err != nil {
			return err
		}
		if a.Version != adminVersion {
			return &store.Error{Code: store.Unauthorized, Message: "the account was changed during the sign-in; sign in again"}
		}
		if _, err := tx.exec("remove old sessions", `DELETE FROM sessions WHERE expires_at <= $1`, micros(tx.now)); err != nil {
			return err
		}
		if _, err := tx.exec("note the login", `UPDATE admin SET last_login_at = $1 WHERE id = $2`, micros(tx.now), store.AdminID); err != nil {
			return err
		}
		return tx.addSession(s)
	})
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
	err := d.View(ctx, func(tx *Tx) error {
		return tx.rows("read sessions", func(scan func(...any) error) error {
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
	})
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

// EndSession ends one session, or returns a store.NotFound error.
func (d *DB) EndSession(ctx context.Context, id string) error {
	n, err := d.endSessions(ctx, `DELETE FROM sessions WHERE id = $1`, id)
	if err == nil && n == 0 {
		return &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no session %q", id)}
	}
	return err
}

// EndSessions ends every session but the one with id keep ("" keeps none) and returns how many.
func (d *DB) EndSessions(ctx context.Context, keep string) (int, error) {
	return d.endSessions(ctx, `DELETE FROM sessions WHERE id <> $1`, keep)
}

func (d *DB) endSessions(ctx context.Context, query, id string) (int, error) {
	var n int64
	act := Act{Actor: store.Actor{Kind: "admin", ID: store.AdminID}, Operation: "end_session"}
	err := d.Update(ctx, act, func(tx *Tx) (err error) {
		n, err = tx.exec("end sessions", query, id)
		return err
	})
	return int(n), err
}
