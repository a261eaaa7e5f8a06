package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/auth/limit"
	"mcpstudio/auth/password"
	"mcpstudio/store"
)

// newCode draws a setup code: 120 bits, in groups a person can type.
func newCode() (string, error) {
	raw := make([]byte, 15)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("draw a setup code: %w", err)
	}
	text := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	groups := make([]string, 0, 6)
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-"), nil
}

// SetupCode returns the code that setup asks for, to be printed where only the operator sees it; open is false when setup is not
// possible any more.
func (s *Service) SetupCode(ctx context.Context) (code string, open bool, err error) {
	if err := s.setupOpen(ctx); err != nil {
		if store.CodeOf(err) == store.Conflict {
			return "", false, nil
		}
		return "", false, err
	}
	return s.code, true, nil
}

// setupOpen returns nil when the first admin may be made, a store.Conflict error when there is one, and also when there is none but the
// store was used: somebody took the admin away, and setup must not hand the secrets to whoever comes first.
func (s *Service) setupOpen(ctx context.Context) error {
	_, err := s.accounts.Admin(ctx)
	if err == nil {
		return &store.Error{Code: store.Conflict, Message: "the studio has its admin already; sign in"}
	}
	if store.CodeOf(err) != store.NotFound {
		return err
	}
	used, err := s.accounts.Used(ctx)
	if err != nil {
		return err
	}
	if used {
		return &store.Error{Code: store.Conflict, Message: "this store was in use and its admin is gone; run studio reset-password on the host"}
	}
	return nil
}

// Setup makes the admin and signs in. code is the one-time code; wrong ones are limited like logins. Errors: store.Conflict when there
// is an admin, store.TooMany, store.Forbidden for a wrong code, store.Invalid with field username or password.
func (s *Service) Setup(ctx context.Context, code, username, pass string, c Client) (cookie string, _ *store.Session, err error) {
	if err := s.setupOpen(ctx); err != nil {
		return "", nil, err
	}
	attempt, err := s.reserve(ctx, limit.Bucket("setup", c.Address))
	if err != nil {
		return "", nil, err
	}
	if subtle.ConstantTimeCompare([]byte(plainCode(code)), []byte(plainCode(s.code))) != 1 {
		s.o.Log.Info("refused a setup with a wrong code", "address", addressText(c.Address))
		return "", nil, &store.Error{Code: store.Forbidden, Field: "setup_code", Message: "the setup code is wrong; the studio prints it when it starts"}
	}
	s.settle(ctx, attempt)
	admin, err := s.newAdmin(ctx, username, pass)
	if err != nil {
		return "", nil, err
	}
	cookie, sess, err := s.newSession(c)
	if err != nil {
		return "", nil, err
	}
	actor := store.Actor{Kind: string(auth.KindAdmin), ID: store.AdminID, Name: admin.Username}
	if err := s.accounts.CreateAdmin(ctx, actor, admin, sess); err != nil {
		return "", nil, err
	}
	s.o.Log.Info("the admin was set up", "address", sess.Address)
	return cookie, sess, nil
}

// plainCode forgives how a code was typed.
func plainCode(code string) string {
	if len(code) > 100 {
		return ""
	}
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// newAdmin checks name and password and hashes.
func (s *Service) newAdmin(ctx context.Context, username, pass string) (*store.Admin, error) {
	name, err := canonicalName(username)
	if err != nil {
		return nil, err
	}
	hash, err := s.newHash(ctx, pass, name)
	if err != nil {
		return nil, err
	}
	return &store.Admin{Username: name, PasswordHash: hash, PasswordLong: new(password.LongEnough(pass))}, nil
}

func (s *Service) newHash(ctx context.Context, pass, username string) (string, error) {
	if err := password.Check(pass, username); err != nil {
		var weak *password.WeakError
		if errors.As(err, &weak) {
			return "", store.Invalidf("password", "%s", weak.Rule)
		}
		return "", err
	}
	hash, err := s.o.Hasher.Hash(ctx, pass)
	if err != nil {
		return "", busy(err)
	}
	return hash, nil
}

// CreateAdmin makes the admin without a code or a session, for STUDIO_ADMIN_USERNAME and STUDIO_ADMIN_PASSWORD at the first start. The
// error has code store.Conflict when setup is not open.
func (s *Service) CreateAdmin(ctx context.Context, username, pass string) error {
	if err := s.setupOpen(ctx); err != nil {
		return err
	}
	admin, err := s.newAdmin(ctx, username, pass)
	if err != nil {
		return err
	}
	return s.accounts.CreateAdmin(ctx, store.SystemActor(), admin, nil)
}

// Change is a change to the account; nil leaves a field alone.
type Change struct {
	Username    *string
	NewPassword *string
}

// Change changes the admin's name or password after the current password was given again, which is limited like a login. Every session
// ends and a new one starts for the caller. Errors: store.WrongPassword, store.TooMany, store.Invalid.
func (s *Service) Change(ctx context.Context, current string, ch Change, c Client) (cookie string, _ *store.Session, err error) {
	if ch == (Change{}) {
		return "", nil, store.Invalidf("new_password", "give a new user name or a new password")
	}
	admin, err := s.confirm(ctx, "current_password", current, c)
	if err != nil {
		return "", nil, err
	}
	if ch.Username != nil {
		if admin.Username, err = canonicalName(*ch.Username); err != nil {
			return "", nil, err
		}
	}
	operation := "update_account"
	switch {
	case ch.NewPassword != nil && password.Same(*ch.NewPassword, current):
		return "", nil, store.Invalidf("new_password", "that is the password you have now; choose another")
	case ch.NewPassword != nil:
		operation = "change_password"
		if admin.PasswordHash, err = s.newHash(ctx, *ch.NewPassword, admin.Username); err != nil {
			return "", nil, renamed(err, "new_password")
		}
		admin.PasswordLong = new(password.LongEnough(*ch.NewPassword))
	case foldName(current) == foldName(admin.Username):
		return "", nil, store.Invalidf("username", "the user name must not be the password")
	}
	cookie, sess, err := s.newSession(c)
	if err != nil {
		return "", nil, err
	}
	defer s.signalEnd()
	if err := s.accounts.UpdateAdmin(ctx, store.AccountEdit{Actor: auth.Actor(principal(admin)), Operation: operation, Start: sess}, admin); err != nil {
		return "", nil, err
	}
	s.o.Log.Info("the admin's account was changed and every session ended", "address", sess.Address)
	return cookie, sess, nil
}

func renamed(err error, field string) error {
	var e *store.Error
	if errors.As(err, &e) && e.Code == store.Invalid {
		return store.Invalidf(field, "%s", e.Message)
	}
	return err
}

// ResetPassword sets a new password and ends every session, for the command on the host: whoever runs it can read the data
// directory. dropFactor turns two-factor off too. Without an admin it makes one, named admin, when the store was used or not: it is
// the way back in. twoFactor reports whether signing in still takes a code.
func (s *Service) ResetPassword(ctx context.Context, pass string, dropFactor bool) (username string, twoFactor bool, err error) {
	actor := auth.Actor(auth.CLI())
	admin, err := s.accounts.Admin(ctx)
	if store.CodeOf(err) == store.NotFound && err != nil {
		if admin, err = s.newAdmin(ctx, "admin", pass); err != nil {
			return "", false, err
		}
		return admin.Username, false, s.accounts.CreateAdmin(ctx, actor, admin, nil)
	}
	if err != nil {
		return "", false, err
	}
	if admin.PasswordHash, err = s.newHash(ctx, pass, admin.Username); err != nil {
		return "", false, err
	}
	admin.PasswordLong = new(password.LongEnough(pass))
	defer s.signalEnd()
	err = s.accounts.UpdateAdmin(ctx, store.AccountEdit{Actor: actor, Operation: "reset_password", DropFactor: dropFactor, Unlock: true}, admin)
	return admin.Username, admin.TwoFactorAt != nil, err
}
