// Package session is the admin's account: first-run setup, login, the session
// behind the cookie, and its end.
//
// A cookie value is id.token.mac: the session's id, 256 random bits, and an HMAC
// of both under the studio's session secret. The mac turns forged values away
// without a query; what counts is the row in the store, which holds only the
// token's SHA-256. A session lasts 24 hours from its login, however much it is
// used, and is dead on the server the moment it ends, in whatever process that
// happened.
//
//	setup     no admin; the one-time code, printed at the start   -> admin, session
//	login     name and password; at most 5 failures in 15 minutes -> session, or with two-factor
//	          an address, counted before the password is looked at   on a pending token
//	verify    pending token and code; at most 5 failures in 15    -> session
//	          minutes for the account, whatever the address
//	change    the password again                                  -> new session, all others end
//	2FA       on: password, then a code of the new key            -> all other sessions end
//	          off, new recovery codes: password and code
//	reset     on the host only                                    -> all end
//
// An unknown user costs the same time as a wrong password and gets the same
// answer. A code is accepted once, in the same transaction that starts the
// session. The limit of codes is the account's: who guesses codes knows the
// password, so an address of their own must not buy them more guesses.
package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mcpstudio/auth"
	"mcpstudio/auth/limit"
	"mcpstudio/auth/password"
	"mcpstudio/store"
)

// Lifetime of a session, absolute.
const Lifetime = 24 * time.Hour

// seenEvery is how exact a session's last-seen time is.
const seenEvery = time.Minute

// Accounts keeps the admin.
type Accounts interface {
	// Admin returns the admin, or an error with code store.NotFound.
	Admin(ctx context.Context) (*store.Admin, error)
	// Used reports whether the store ever held anything.
	Used(ctx context.Context) (bool, error)
	// CreateAdmin makes the one admin and a first session (nil: none); code store.Conflict when there is one.
	CreateAdmin(ctx context.Context, actor store.Actor, a *store.Admin, s *store.Session) error
	// UpdateAdmin stores name and password, ends every session and half-done sign-in and does what e says, in one step.
	UpdateAdmin(ctx context.Context, e store.AccountEdit, a *store.Admin) error
}

// Sessions keeps sessions.
type Sessions interface {
	// StartSession keeps s, unless the admin is no longer at the version of in.
	StartSession(ctx context.Context, s *store.Session, in store.SignIn) error
	// SessionByHash returns the session of a token hash, or an error with code store.NotFound.
	SessionByHash(ctx context.Context, hash []byte) (*store.Session, error)
	Sessions(ctx context.Context, now time.Time) ([]*store.Session, error)
	TouchSession(ctx context.Context, id string, at time.Time) error
	// Logout ends a session, without history.
	Logout(ctx context.Context, id string) error
	EndSession(ctx context.Context, actor store.Actor, id string) error
	// EndSessions ends all but keep.
	EndSessions(ctx context.Context, actor store.Actor, keep string) (int, error)
}

// Options is what a Service works with. Secret, Hasher and Limiter are required.
type Options struct {
	Secret  []byte // signs cookies; at least 32 bytes (see OpenSecret)
	Hasher  *password.Hasher
	Limiter *limit.Limiter
	Now     func() time.Time // time.Now when nil
	Log     *slog.Logger     // discarded when nil
}

// Client is where a request comes from.
type Client struct {
	Address   netip.Addr
	UserAgent string
}

// Service is the admin's account. It is safe for concurrent use.
type Service struct {
	accounts   Accounts
	sessions   Sessions
	factors    Factors
	o          Options
	key        []byte // of cookies
	pendingKey []byte // of pending tokens
	code       string

	mu       sync.Mutex // guards what is below
	touching map[string]bool
	ended    chan struct{} // closed when a session ends, and then made anew
}

// New returns a Service with a new setup code. The error is of the random source or a missing option.
func New(a Accounts, s Sessions, f Factors, o Options) (*Service, error) {
	if len(o.Secret) < secretSize || o.Hasher == nil || o.Limiter == nil {
		return nil, errors.New("the session service needs a secret of at least 32 bytes, a hasher and a limiter")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	code, err := newCode()
	if err != nil {
		return nil, err
	}
	return &Service{
		accounts: a, sessions: s, factors: f, o: o, code: code, touching: map[string]bool{}, ended: make(chan struct{}),
		key: derive(o.Secret, "mcp studio session cookie v1"), pendingKey: derive(o.Secret, "mcp studio pending sign-in v1"),
	}, nil
}

// derive makes a key for one use of the secret: what is signed for one must not count for another.
func derive(secret []byte, use string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(use))
	return mac.Sum(nil)
}

// Admission is the outcome of a login whose password was right: a session, or a token that waits for the second factor.
type Admission struct {
	Cookie  string
	Session *store.Session
	Pending string // for VerifyLogin; then there is no session yet
}

// Login checks the name and password and starts a session, or with two-factor on a sign-in that waits for its code. The error has code
// store.Unauthorized when they are wrong, store.TooMany with Retry when the address has failed too often, also with the right password.
func (s *Service) Login(ctx context.Context, username, pass string, c Client) (Admission, error) {
	if password.TooLong(pass) || len(username) > maxTypedName {
		return Admission{}, wrongLogin() // cannot be right, and is not worth a hash
	}
	bucket := loginBucket(c)
	attempt, err := s.reserve(ctx, bucket)
	if err != nil {
		return Admission{}, err
	}
	admin, err := s.accounts.Admin(ctx)
	if err != nil && store.CodeOf(err) != store.NotFound {
		s.withdraw(ctx, attempt)
		return Admission{}, err
	}
	if err := s.verify(ctx, admin, username, pass); err != nil {
		if store.CodeOf(err) == store.Unauthorized {
			s.o.Log.Info("refused a login", "address", addressText(c.Address))
		} else { // the caller left the queue, or the hash is damaged: the password was not compared
			s.withdraw(ctx, attempt)
		}
		return Admission{}, err
	}
	in := store.SignIn{AdminVersion: admin.Version, Bucket: bucket, NoteAfter: limit.DefaultMax}
	out, err := s.admit(ctx, admin, in, c)
	if err != nil { // the password was right: a full disk must not lock its owner out
		s.withdraw(ctx, attempt)
		return Admission{}, err
	}
	s.settle(ctx, attempt)
	return out, nil
}

// admit lets somebody in whose password was right, or on to the second step.
func (s *Service) admit(ctx context.Context, admin *store.Admin, in store.SignIn, c Client) (Admission, error) {
	if admin.TwoFactorAt != nil {
		pending, err := s.startPending(ctx, in)
		return Admission{Pending: pending}, err
	}
	cookie, sess, err := s.newSession(c)
	if err != nil {
		return Admission{}, err
	}
	if err := s.sessions.StartSession(ctx, sess, in); err != nil {
		return Admission{}, err
	}
	s.o.Log.Info("the admin signed in", "address", sess.Address, "session_id", sess.ID)
	return Admission{Cookie: cookie, Session: sess}, nil
}

// verify checks a login. admin is nil when there is none; then, and for a wrong name, the same work is done.
func (s *Service) verify(ctx context.Context, admin *store.Admin, username, pass string) error {
	if admin == nil || foldName(username) != foldName(admin.Username) {
		if err := s.o.Hasher.VerifyNobody(ctx, pass); err != nil {
			return busy(err)
		}
		return wrongLogin()
	}
	ok, err := s.o.Hasher.Verify(ctx, pass, admin.PasswordHash)
	if err != nil {
		return busy(err)
	}
	if !ok {
		return wrongLogin()
	}
	return nil
}

func wrongLogin() error {
	return &store.Error{Code: store.Unauthorized, Message: "the user name or the password is wrong"}
}

func busy(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &store.Error{Code: store.Unavailable, Message: "too many sign-ins at once; try again in a moment", Retry: 2, Err: err}
	}
	return err
}

// loginBucket counts wrong passwords of an address.
func loginBucket(c Client) string { return limit.Bucket("login", c.Address) }

// reserve counts an attempt.
func (s *Service) reserve(ctx context.Context, bucket string) (*limit.Reservation, error) {
	r, err := s.o.Limiter.Reserve(ctx, bucket)
	var over *limit.ExceededError
	if errors.As(err, &over) {
		return nil, &store.Error{
			Code: store.TooMany, Retry: over.Seconds(), Err: err,
			Message: fmt.Sprintf("too many failed attempts; try again in %d minutes", (over.Seconds()+59)/60),
		}
	}
	return r, err
}

// settle takes the attempt back. The sign-in stands also when that fails; the attempt then counts until it ages out.
func (s *Service) settle(ctx context.Context, r *limit.Reservation) {
	if err := r.Settle(context.WithoutCancel(ctx)); err != nil {
		s.o.Log.Warn("a successful sign-in still counts as an attempt", "error", err)
	}
}

// withdraw takes an attempt back whose guess was not looked at, or was right and came to nothing for another reason. When that fails it
// counts until it ages out.
func (s *Service) withdraw(ctx context.Context, r *limit.Reservation) {
	if err := r.Withdraw(context.WithoutCancel(ctx)); err != nil {
		s.o.Log.Warn("an attempt that came to nothing still counts", "error", err)
	}
}

// Verify returns who a cookie value stands for. The error has code store.Unauthorized when it stands for nobody, for whatever reason.
func (s *Service) Verify(ctx context.Context, cookie string) (auth.Principal, *store.Session, error) {
	id, hash, ok := parse(s.key, cookie)
	if !ok {
		return auth.Principal{}, nil, notSignedIn()
	}
	sess, err := s.sessions.SessionByHash(ctx, hash)
	if store.CodeOf(err) == store.NotFound && err != nil {
		return auth.Principal{}, nil, notSignedIn()
	}
	if err != nil {
		return auth.Principal{}, nil, err
	}
	now := s.o.Now()
	// A session from the future means the clock was set back; its age is then unknown and it does not count (docs/attacks.md, case 262).
	if sess.ID != id || !now.Before(sess.ExpiresAt) || sess.CreatedAt.After(now.Add(seenEvery)) {
		return auth.Principal{}, nil, notSignedIn()
	}
	admin, err := s.accounts.Admin(ctx)
	if err != nil {
		if store.CodeOf(err) == store.NotFound {
			return auth.Principal{}, nil, notSignedIn()
		}
		return auth.Principal{}, nil, err
	}
	if now.Sub(sess.LastSeenAt) >= seenEvery {
		s.touch(ctx, sess.ID, now)
	}
	return principal(admin), sess, nil
}

func notSignedIn() error {
	return &store.Error{Code: store.Unauthorized, Message: "sign in first"}
}

func principal(a *store.Admin) auth.Principal {
	return auth.Principal{Kind: auth.KindAdmin, ID: a.ID, Name: a.Username, Scopes: auth.Scopes()}
}

// touch notes that the session was seen, once for requests that come together. A request does not fail for it.
func (s *Service) touch(ctx context.Context, id string, now time.Time) {
	s.mu.Lock()
	running := s.touching[id]
	s.touching[id] = true
	s.mu.Unlock()
	if running {
		return
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.touching, id)
	}()
	if err := s.sessions.TouchSession(ctx, id, now); err != nil {
		s.o.Log.Debug("the last use of a session was not noted", "session_id", id, "error", err)
	}
}

// Logout ends the cookie's session; a cookie that stands for nobody is fine.
func (s *Service) Logout(ctx context.Context, cookie string) error {
	id, hash, ok := parse(s.key, cookie)
	if !ok {
		return nil
	}
	sess, err := s.sessions.SessionByHash(ctx, hash)
	if err == nil && sess.ID == id {
		err = s.sessions.Logout(ctx, id)
		s.signalEnd()
	}
	if store.CodeOf(err) == store.NotFound {
		return nil
	}
	return err
}

// List returns the sessions in force, the latest seen first.
func (s *Service) List(ctx context.Context) ([]*store.Session, error) {
	return s.sessions.Sessions(ctx, s.o.Now())
}

// End ends one session in the name of by, or returns a store.NotFound error.
func (s *Service) End(ctx context.Context, by auth.Principal, id string) error {
	defer s.signalEnd()
	return s.sessions.EndSession(ctx, auth.Actor(by), id)
}

// EndAll ends every session but keep ("" keeps none) in the name of by and returns how many.
func (s *Service) EndAll(ctx context.Context, by auth.Principal, keep string) (int, error) {
	defer s.signalEnd()
	return s.sessions.EndSessions(ctx, auth.Actor(by), keep)
}

// Ended returns a channel that is closed when a session ends before its time through this service. Whoever holds something open for a
// session gets the channel, then verifies, then waits, and begins anew. What another process ends (studio reset-password) does not show here.
func (s *Service) Ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *Service) signalEnd() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ended)
	s.ended = make(chan struct{})
}

// newSession makes a session and its cookie value.
func (s *Service) newSession(c Client) (cookie string, _ *store.Session, err error) {
	cookie, id, hash, err := mint(s.key)
	if err != nil {
		return "", nil, err
	}
	now := s.o.Now().UTC()
	return cookie, &store.Session{
		ID: id, TokenHash: hash, CreatedAt: now, ExpiresAt: now.Add(Lifetime), LastSeenAt: now,
		Address: addressText(c.Address), UserAgent: printable(c.UserAgent, 300),
	}, nil
}

const (
	idBytes    = 16
	tokenBytes = 32
)

var b64 = base64.RawURLEncoding.Strict()

// mint draws an id and a token and signs both.
func mint(key []byte) (value, id string, hash []byte, err error) {
	raw := make([]byte, idBytes+tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", "", nil, fmt.Errorf("draw a session token: %w", err)
	}
	id, token := b64.EncodeToString(raw[:idBytes]), b64.EncodeToString(raw[idBytes:])
	sum := sha256.Sum256([]byte(token))
	return id + "." + token + "." + sign(key, id, token), id, sum[:], nil
}

func sign(key []byte, id, token string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + token))
	return b64.EncodeToString(m.Sum(nil))
}

// parse checks the form and the mac of what mint made.
func parse(key []byte, value string) (id string, hash []byte, ok bool) {
	if len(value) > 200 {
		return "", nil, false
	}
	parts := strings.Split(value, ".")
	if len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(sign(key, parts[0], parts[1]))) {
		return "", nil, false
	}
	sum := sha256.Sum256([]byte(parts[1]))
	return parts[0], sum[:], true
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return "local"
	}
	return a.Unmap().String()
}

// printable keeps what a client says of itself to one short line.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	for utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
	}
	return s
}

// maxTypedName bounds what is looked at of a user name as it was typed, in bytes: keyboards may compose a character of several.
const maxTypedName = 16 * maxName

// maxName is the length of a user name in characters.
const maxName = 64

// canonicalName is the form a user name is stored in: NFC without spaces around it. It is 1 to 64 printable characters.
func canonicalName(name string) (string, error) {
	if len(name) <= maxTypedName {
		name = strings.TrimFunc(norm.NFC.String(name), unicode.IsSpace)
	}
	n := utf8.RuneCountInString(name)
	bad := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if n < 1 || n > maxName || bad || !utf8.ValidString(name) {
		return "", store.Invalidf("username", "a user name is 1 to %d printable characters", maxName)
	}
	return name, nil
}

// foldName is what two user names are compared by: "Admin" and "admin " are one.
func foldName(name string) string {
	return strings.ToLower(strings.TrimFunc(norm.NFC.String(name), unicode.IsSpace))
}
