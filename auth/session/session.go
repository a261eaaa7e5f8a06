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
//	login     name and password; at most 5 failures in 15 minutes -> session
//	          an address, counted before the password is looked at
//	change    the password again                                  -> new session, all others end
//	reset     on the host only                                    -> all end
//
// An unknown user costs the same time as a wrong password and gets the same
// answer.
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
	// UpdateAdmin stores name and hash, ends every session and starts s (nil: none), in one step.
	UpdateAdmin(ctx context.Context, actor store.Actor, operation string, a *store.Admin, s *store.Session) error
}

// Sessions keeps sessions.
type Sessions interface {
	// StartSession keeps s, unless the admin is no longer at this version.
	StartSession(ctx context.Context, s *store.Session, adminVersion int) error
	// SessionByHash returns the session of a token hash, or an error with code store.NotFound.
	SessionByHash(ctx context.Context, hash []byte) (*store.Session, error)
	Sessions(ctx context.Context, now time.Time) ([]*store.Session, error)
	TouchSession(ctx context.Context, id string, at time.Time) error
	EndSession(ctx context.Context, id string) error
	// EndSessions ends all but keep.
	EndSessions(ctx context.Context, keep string) (int, error)
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
	accounts Accounts
	sessions Sessions
	o        Options
	key      []byte
	code     string

	mu       sync.Mutex // guards touching
	touching map[string]bool
}

// New returns a Service with a new setup code. The error is of the random source or a missing option.
func New(a Accounts, s Sessions, o Options) (*Service, error) {
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
	mac := hmac.New(sha256.New, o.Secret)
	mac.Write([]byte("mcp studio session cookie v1")) // other uses of the secret must not make cookies
	return &Service{accounts: a, sessions: s, o: o, key: mac.Sum(nil), code: code, touching: map[string]bool{}}, nil
}

// Login checks the name and password and starts a session. The error has code store.Unauthorized when they are wrong, store.TooMany with
// Retry when the address has failed too often, also with the right password.
func (s *Service) Login(ctx context.Context, username, pass string, c Client) (cookie string, _ *store.Session, err error) {
	if password.TooLong(pass) || len(username) > maxNameBytes {
		return "", nil, wrongLogin() // cannot be right, and is not worth a hash
	}
	attempt, err := s.reserve(ctx, "login", c)
	if err != nil {
		return "", nil, err
	}
	admin, err := s.accounts.Admin(ctx)
	if err != nil && store.CodeOf(err) != store.NotFound {
		return "", nil, err
	}
	if err := s.verify(ctx, admin, username, pass); err != nil {
		if store.CodeOf(err) == store.Unauthorized {
			s.o.Log.Info("refused a login", "address", c.Address.String())
		}
		return "", nil, err
	}
	cookie, sess, err := s.newSession(c)
	if err != nil {
		return "", nil, err
	}
	if err := s.sessions.StartSession(ctx, sess, admin.Version); err != nil {
		return "", nil, err
	}
	s.settle(ctx, attempt)
	s.o.Log.Info("the admin signed in", "address", sess.Address, "session_id", sess.ID)
	return cookie, sess, nil
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

// reserve counts an attempt of the client's address.
func (s *Service) reserve(ctx context.Context, purpose string, c Client) (*limit.Reservation, error) {
	r, err := s.o.Limiter.Reserve(ctx, limit.Bucket(purpose, c.Address))
	var over *limit.ExceededError
	if errors.As(err, &over) {
		return nil, &store.Error{
			Code: store.TooMany, Retry: over.Seconds(), Err: err,
			Message: fmt.Sprintf("too many failed attempts from this address; try again in %d minutes", (over.Seconds()+59)/60),
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

// Verify returns who a cookie value stands for. The error has code store.Unauthorized when it stands for nobody, for whatever reason.
func (s *Service) Verify(ctx context.Context, cookie string) (auth.Principal, *store.Session, error) {
	id, hash, ok := s.parse(cookie)
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
	// A session from the future means the clock was set back; its age is then unknown and it does not count (security.md case 262).
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
	id, hash, ok := s.parse(cookie)
	if !ok {
		return nil
	}
	sess, err := s.sessions.SessionByHash(ctx, hash)
	if err == nil && sess.ID == id {
		err = s.sessions.EndSession(ctx, id)
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

// End ends one session, or returns a store.NotFound error.
func (s *Service) End(ctx context.Context, id string) error { return s.sessions.EndSession(ctx, id) }

// EndAll ends every session but keep ("" keeps none) and returns how many.
func (s *Service) EndAll(ctx context.Context, keep string) (int, error) {
	return s.sessions.EndSessions(ctx, keep)
}

// newSession makes a session and its cookie value.
func (s *Service) newSession(c Client) (cookie string, _ *store.Session, err error) {
	raw := make([]byte, idBytes+tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", nil, fmt.Errorf("draw a session token: %w", err)
	}
	id, token := b64.EncodeToString(raw[:idBytes]), b64.EncodeToString(raw[idBytes:])
	hash := sha256.Sum256([]byte(token))
	now := s.o.Now().UTC()
	sess := &store.Session{
		ID: id, TokenHash: hash[:], CreatedAt: now, ExpiresAt: now.Add(Lifetime), LastSeenAt: now,
		Address: addressText(c.Address), UserAgent: printable(c.UserAgent, 300),
	}
	return id + "." + token + "." + s.mac(id, token), sess, nil
}

const (
	idBytes    = 16
	tokenBytes = 32
)

var b64 = base64.RawURLEncoding.Strict()

func (s *Service) mac(id, token string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(id + "." + token))
	return b64.EncodeToString(m.Sum(nil))
}

// parse checks the form and the mac of a cookie value.
func (s *Service) parse(cookie string) (id string, hash []byte, ok bool) {
	if len(cookie) > 200 {
		return "", nil, false
	}
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || !hmac.Equal([]byte(parts[2]), []byte(s.mac(parts[0], parts[1]))) {
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

// maxNameBytes bounds what is looked at of a user name.
const maxNameBytes = 64 * utf8.UTFMax

// canonicalName is the form a user name is stored in: NFC without spaces around it. It is 1 to 64 printable characters.
func canonicalName(name string) (string, error) {
	if len(name) <= 4*maxNameBytes {
		name = strings.TrimFunc(norm.NFC.String(name), unicode.IsSpace)
	}
	n := utf8.RuneCountInString(name)
	bad := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if n < 1 || n > 64 || bad || !utf8.ValidString(name) {
		return "", store.Invalidf("username", "a user name is 1 to 64 printable characters")
	}
	return name, nil
}

// foldName is what two user names are compared by: "Admin" and "admin " are one.
func foldName(name string) string {
	return strings.ToLower(strings.TrimFunc(norm.NFC.String(name), unicode.IsSpace))
}
