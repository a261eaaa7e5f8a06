package session

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/limit"
	"mcpstudio/auth/totp"
	"mcpstudio/store"
)

// Factors keeps the second factor and the sign-ins that wait for it. The function it is given runs in the write transaction, and what
// it changes is kept when it returns nil.
type Factors interface {
	// UpdateFactor changes the factor, as the account's next version, and ends every other session and half-done sign-in.
	UpdateFactor(ctx context.Context, e store.FactorEdit, f func(*store.Factor) error) error
	// DraftFactor keeps a key to be confirmed; code store.Conflict when two-factor is on.
	DraftFactor(ctx context.Context, key store.Secret) error
	// StartPending keeps p, unless the admin is no longer at the version of in.
	StartPending(ctx context.Context, p *store.PendingLogin, in store.SignIn) error
	// Pending returns a sign-in by its token's hash, or an error with code store.NotFound.
	Pending(ctx context.Context, hash []byte) (*store.PendingLogin, error)
	// FinishLogin checks the factor, ends the pending sign-in and starts s, in one step.
	FinishLogin(ctx context.Context, pending []byte, s *store.Session, in store.SignIn, check func(*store.Factor) error) error
}

// PendingLifetime is how long a sign-in waits for its code.
const PendingLifetime = 5 * time.Minute

// DraftLifetime is how long a new key waits to be confirmed.
const DraftLifetime = 15 * time.Minute

// Issuer is the name authenticator apps show.
const Issuer = "MCP Studio"

// The buckets of codes are the account's: one for the key in force, one for a key that is being set up, so that trouble with a new
// phone does not lock the sign-in.
const (
	codeBucket  = "two_factor:" + store.AdminID
	draftBucket = "two_factor_setup:" + store.AdminID
)

// maxDrift is how far a phone's clock is looked for when a new key is confirmed.
const maxDrift = 30 * time.Minute

// startPending keeps a sign-in that waits for its code and returns its token.
func (s *Service) startPending(ctx context.Context, in store.SignIn) (token string, err error) {
	token, _, hash, err := mint(s.pendingKey)
	if err != nil {
		return "", err
	}
	p := &store.PendingLogin{TokenHash: hash, ExpiresAt: s.o.Now().UTC().Add(PendingLifetime)}
	if err := s.factors.StartPending(ctx, p, in); err != nil {
		return "", err
	}
	return token, nil
}

// VerifyLogin finishes a sign-in with a code of the app, or with a recovery code, which is used up. The pending token is good once and
// dies with every change of the account. Errors: store.Unauthorized when the token is not or no longer good, store.WrongCode,
// store.Invalid for what cannot be a code, store.TooMany, store.Unavailable when the key does not open.
func (s *Service) VerifyLogin(ctx context.Context, pending, code string, recovery bool, c Client) (cookie string, _ *store.Session, err error) {
	_, hash, ok := parse(s.pendingKey, pending)
	if !ok {
		return "", nil, signInAgain()
	}
	p, err := s.factors.Pending(ctx, hash)
	if err != nil && store.CodeOf(err) != store.NotFound {
		return "", nil, err
	}
	now := s.o.Now()
	// A token that lives longer than it could means the clock was set back (docs/attacks.md, case 262).
	if err != nil || !now.Before(p.ExpiresAt) || p.ExpiresAt.Sub(now) > PendingLifetime+seenEvery {
		return "", nil, signInAgain()
	}
	if err := codeForm(code, recovery); err != nil {
		return "", nil, err
	}
	attempt, err := s.reserve(ctx, codeBucket)
	if err != nil {
		return "", nil, err
	}
	cookie, sess, err := s.newSession(c)
	if err != nil {
		return "", nil, err
	}
	in := store.SignIn{Bucket: codeBucket, NoteAfter: limit.DefaultMax}
	err = s.factors.FinishLogin(ctx, hash, sess, in, func(f *store.Factor) error { return s.spend(f, code, recovery) })
	s.judged(ctx, attempt, err)
	if err != nil {
		switch store.CodeOf(err) {
		case store.NotFound: // another request used the token, or the account changed
			err = signInAgain()
		case store.WrongCode:
			s.o.Log.Info("refused a second factor", "address", addressText(c.Address))
		}
		return "", nil, err
	}
	s.o.Log.Info("the admin signed in with two factors", "address", sess.Address, "session_id", sess.ID)
	return cookie, sess, nil
}

func signInAgain() error {
	return &store.Error{Code: store.Unauthorized, Message: "this sign-in has expired; enter the password again"}
}

// codeForm refuses what cannot be a code before it counts as a guess.
func codeForm(code string, recovery bool) error {
	err := totp.CheckCode(code)
	if recovery {
		err = totp.CheckRecovery(code)
	}
	if err != nil {
		return &store.Error{Code: store.Invalid, Field: "code", Message: err.Error()}
	}
	return nil
}

func wrongCode(format string, args ...any) error {
	return &store.Error{Code: store.WrongCode, Field: "code", Message: fmt.Sprintf(format, args...)}
}

// spend checks a code against the factor and uses it up.
func (s *Service) spend(f *store.Factor, code string, recovery bool) error {
	if f.EnabledAt == nil {
		return twoFactorOff()
	}
	if recovery {
		return spendRecovery(f, code)
	}
	key, _ := f.Key.Reveal()
	now := s.o.Now()
	step, err := totp.Verify(key, code, now, f.LastStep)
	switch {
	case errors.Is(err, totp.ErrUsed) && f.LastStep > totp.Step(now)+1:
		return wrongCode("this server's clock went back, and no code is accepted twice: wait until it has caught up, or use a recovery code")
	case errors.Is(err, totp.ErrUsed):
		return wrongCode("this code was used already; wait for the next one")
	case errors.Is(err, totp.ErrWrong):
		return wrongCode("the code is wrong; if it is the one the app shows, the clocks of the phone and the server differ")
	case err != nil:
		return err
	}
	f.LastStep = step
	return nil
}

func spendRecovery(f *store.Factor, code string) error {
	text, _ := f.CodeKey.Reveal()
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("read the key of the recovery codes: %w", err)
	}
	i, err := totp.FindRecovery(key, f.Codes, code)
	if errors.Is(err, totp.ErrWrong) {
		return wrongCode("the recovery code is wrong or was used")
	}
	if err != nil {
		return err
	}
	f.Codes = slices.Delete(f.Codes, i, i+1)
	return nil
}

func twoFactorOff() error {
	return &store.Error{Code: store.Conflict, Message: "two-factor is off"}
}

// BeginTwoFactor draws a key for an authenticator app. It takes the place of one drawn before and counts only after EnableTwoFactor.
// Errors: store.WrongPassword with field password, store.TooMany, store.Conflict when two-factor is on.
func (s *Service) BeginTwoFactor(ctx context.Context, pass string, c Client) (totp.Key, error) {
	admin, err := s.confirm(ctx, "password", pass, c)
	if err != nil {
		return totp.Key{}, err
	}
	key, err := totp.NewKey(Issuer, admin.Username)
	if err != nil {
		return totp.Key{}, err
	}
	return key, s.factors.DraftFactor(ctx, store.GivenSecret(key.Secret()))
}

// By says who changes the second factor, and with which session, which goes on.
type By struct {
	Principal auth.Principal
	Session   string // id
	Client    Client
}

// EnableTwoFactor turns two-factor on with a code of the key of the last BeginTwoFactor, and returns the recovery codes. Errors:
// store.WrongCode, store.Invalid, store.TooMany, store.Conflict when two-factor is on or there is no key to confirm.
func (s *Service) EnableTwoFactor(ctx context.Context, code string, by By) ([]string, error) {
	if err := codeForm(code, false); err != nil {
		return nil, err
	}
	attempt, err := s.reserve(ctx, draftBucket)
	if err != nil {
		return nil, err
	}
	set, err := totp.NewSet()
	if err != nil {
		return nil, err
	}
	err = s.updateFactor(ctx, "enable_two_factor", 0, by, func(f *store.Factor) error {
		now := s.o.Now().UTC()
		if f.EnabledAt != nil {
			return &store.Error{Code: store.Conflict, Message: "two-factor is on already"}
		}
		if !f.Draft.IsGiven() || f.DraftAt == nil || now.Sub(*f.DraftAt) > DraftLifetime || f.DraftAt.Sub(now) > seenEvery {
			return &store.Error{Code: store.Conflict, Message: "there is no new key to confirm, or it was drawn too long ago; begin again"}
		}
		step, err := confirmDraft(f.Draft, code, now)
		if err != nil {
			return err
		}
		f.EnabledAt, f.Key, f.LastStep = &now, f.Draft, step
		f.Draft, f.DraftAt = store.Secret{}, nil
		setRecovery(f, set)
		return nil
	})
	s.judged(ctx, attempt, err)
	if err != nil {
		return nil, err
	}
	return set.Codes, nil
}

func confirmDraft(draft store.Secret, code string, now time.Time) (step int64, err error) {
	key, _ := draft.Reveal()
	step, err = totp.Verify(key, code, now, 0)
	if !errors.Is(err, totp.ErrWrong) {
		return step, err
	}
	if ahead, ok := totp.Drift(key, code, now, maxDrift); ok {
		where := "ahead of"
		if ahead < 0 {
			where, ahead = "behind", -ahead
		}
		return 0, wrongCode("the key is right, but the clock of the app is %s %s this server's; set both by the network and try the next code", spoken(ahead), where)
	}
	return 0, wrongCode("the code is wrong; use the one of the key shown last")
}

// spoken is a duration of half minutes as people say it.
func spoken(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	}
	return fmt.Sprintf("%d minutes", int(d.Round(time.Minute).Minutes()))
}

func setRecovery(f *store.Factor, set totp.Set) {
	f.CodeKey, f.Codes = store.GivenSecret(base64.StdEncoding.EncodeToString(set.Key)), set.Hashes
}

// DisableTwoFactor turns two-factor off. Errors: store.WrongPassword, store.WrongCode, store.Invalid, store.TooMany, store.Conflict when
// it is off.
func (s *Service) DisableTwoFactor(ctx context.Context, pass, code string, recovery bool, by By) error {
	return s.withBoth(ctx, "disable_two_factor", pass, code, recovery, by, func(f *store.Factor) {
		*f = store.Factor{LastStep: f.LastStep} // kept, so that a key that comes back cannot bring an old code back
	})
}

// RegenerateRecoveryCodes draws a new set of recovery codes; the old ones are void. Errors are those of DisableTwoFactor.
func (s *Service) RegenerateRecoveryCodes(ctx context.Context, pass, code string, by By) ([]string, error) {
	set, err := totp.NewSet()
	if err != nil {
		return nil, err
	}
	return set.Codes, s.withBoth(ctx, "regenerate_recovery_codes", pass, code, false, by, func(f *store.Factor) { setRecovery(f, set) })
}

// withBoth changes the factor after the password and a code.
func (s *Service) withBoth(ctx context.Context, operation, pass, code string, recovery bool, by By, change func(*store.Factor)) error {
	if err := codeForm(code, recovery); err != nil {
		return err
	}
	admin, err := s.confirm(ctx, "password", pass, by.Client)
	if err != nil {
		return err
	}
	if admin.TwoFactorAt == nil {
		return twoFactorOff()
	}
	attempt, err := s.reserve(ctx, codeBucket)
	if err != nil {
		return err
	}
	err = s.updateFactor(ctx, operation, admin.Version, by, func(f *store.Factor) error {
		if err := s.spend(f, code, recovery); err != nil {
			return err
		}
		change(f)
		return nil
	})
	s.judged(ctx, attempt, err)
	return err
}

// judged ends the attempt of a code. Only a wrong code counts: with every other error it was not looked at, or was right and could not be kept.
func (s *Service) judged(ctx context.Context, attempt *limit.Reservation, err error) {
	switch {
	case err == nil:
		s.settle(ctx, attempt)
	case store.CodeOf(err) != store.WrongCode:
		s.withdraw(ctx, attempt)
	}
}

// updateFactor changes the factor and ends every other session.
func (s *Service) updateFactor(ctx context.Context, operation string, version int, by By, f func(*store.Factor) error) error {
	e := store.FactorEdit{Actor: auth.Actor(by.Principal), Operation: operation, AdminVersion: version, Keep: by.Session}
	if err := s.factors.UpdateFactor(ctx, e, f); err != nil {
		return err
	}
	s.signalEnd()
	s.o.Log.Info("two-factor was changed and every other session ended", "operation", operation, "address", addressText(by.Client.Address))
	return nil
}
