package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/auth/limit"
	"mcpstudio/auth/password"
	"mcpstudio/auth/session"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestLifetime is case 33.
func TestLifetime(t *testing.T) {
	s, cookie := withAdmin(t)
	for range 23 {
		s.clock.add(time.Hour)
		if !s.alive(t, cookie) {
			t.Fatal("ended early")
		}
	}
	s.clock.add(time.Hour - time.Microsecond)
	if !s.alive(t, cookie) {
		t.Error("ended before 24 hours")
	}
	s.clock.add(time.Microsecond)
	if s.alive(t, cookie) {
		t.Error("lives after 24 hours: use makes it slide")
	}
	if list, err := s.List(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("listed: %v %v", list, err)
	}
}

// TestEnd is cases 31, 34 and 35.
func TestEnd(t *testing.T) {
	s, first := withAdmin(t)
	second, third := s.login(t, "ada", good, home), s.login(t, "ada", good, away)
	if first == second || second == third { // case 31: always a new value
		t.Fatal("two sessions are one")
	}
	if err := s.Logout(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if s.alive(t, second) || !s.alive(t, first) || !s.alive(t, third) {
		t.Error("logout ended another session, or not its own")
	}
	for _, nothing := range []string{second, "", "rubbish"} {
		if err := s.Logout(t.Context(), nothing); err != nil {
			t.Errorf("logout of %.10q: %v", nothing, err)
		}
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%d sessions: %v", len(list), err)
	}
	_, sess, err := s.Verify(t.Context(), third)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.EndAll(t.Context(), ada, sess.ID); n != 1 || err != nil {
		t.Errorf("ended %d: %v", n, err)
	}
	if s.alive(t, first) || !s.alive(t, third) {
		t.Error("EndAll kept the wrong one")
	}

	// case 35: a new password ends every session; the caller goes on with a new value.
	fourth := s.login(t, "ada", good, home)
	if _, _, err := s.Change(t.Context(), "wrong password", session.Change{NewPassword: new(other)}, home); code(err) != store.WrongPassword {
		t.Errorf("without the password: %v", err)
	}
	var e *store.Error
	if _, _, err := s.Change(t.Context(), good, session.Change{NewPassword: new("password1")}, home); !errors.As(err, &e) || e.Code != store.Invalid || e.Field != "new_password" {
		t.Errorf("a weak one: %v", err)
	}
	if _, _, err := s.Change(t.Context(), good, session.Change{NewPassword: new(good)}, home); !errors.As(err, &e) || e.Code != store.Invalid || e.Field != "new_password" || e.Message != "that is the password you have now; choose another" {
		t.Errorf("the one of now: %v", err)
	}
	if !s.alive(t, third) || !s.alive(t, fourth) {
		t.Error("a refused change ended a session")
	}
	fifth, _, err := s.Change(t.Context(), good, session.Change{NewPassword: new(other), Username: new("Grace")}, home)
	if err != nil || !s.alive(t, fifth) {
		t.Fatal(err)
	}
	if s.alive(t, third) || s.alive(t, fourth) {
		t.Error("an old session survived the new password")
	}
	if got := s.loginCode(t, "ada", good, away); got != store.Unauthorized {
		t.Errorf("the old login: %s", got)
	}
	s.login(t, "grace", other, away)
	if h := historyOf(t, s.db); !strings.Contains(h, "change_password") || strings.Contains(h, other) || strings.Contains(h, "argon2") {
		t.Errorf("history: %s", h)
	}
	if err := s.End(t.Context(), ada, "nobody"); code(err) != store.NotFound {
		t.Errorf("got %v", err)
	}
}

// TestReset is the service's part of cases 27 and 28.
func TestReset(t *testing.T) {
	s, cookie := withAdmin(t)
	for _, weak := range []string{"", "short", "password123"} {
		if _, _, err := s.ResetPassword(t.Context(), weak, false); code(err) != store.Invalid {
			t.Errorf("%q: %v", weak, err)
		}
	}
	if !s.alive(t, cookie) {
		t.Error("a refused reset ended a session")
	}
	name, _, err := s.ResetPassword(t.Context(), other, false)
	if err != nil || name != "Ada" || s.alive(t, cookie) {
		t.Fatalf("%q %v, session alive %v", name, err, s.alive(t, cookie))
	}
	if got := s.loginCode(t, "Ada", good, home); got != store.Unauthorized {
		t.Errorf("the old password: %s", got)
	}
	s.login(t, "Ada", other, home)
	if h := historyOf(t, s.db); !strings.Contains(h, "reset_password cli") {
		t.Errorf("history: %s", h)
	}
}

// TestForged is cases 31 and 52: nothing but a value this studio gave out is taken, and a planted one never is.
func TestForged(t *testing.T) {
	s, cookie := withAdmin(t)
	parts := strings.Split(cookie, ".")
	second := strings.Split(s.login(t, "ada", good, home), ".")
	for name, bad := range map[string]string{
		"empty": "", "dots": "..", "short": parts[0] + "." + parts[1], "no mac": parts[0] + "." + parts[1] + ".", "more": cookie + ".x", "space": cookie + " ",
		"other id":    second[0] + "." + parts[1] + "." + parts[2],
		"other token": parts[0] + "." + second[1] + "." + parts[2],
		"mixed":       second[0] + "." + parts[1] + "." + second[2],
		"huge":        strings.Repeat("a", 64<<10),
		"twice":       cookie + "; " + cookie,
	} {
		if s.alive(t, bad) {
			t.Errorf("%s gets in", name)
		}
	}
	for i := range len(cookie) {
		b := []byte(cookie)
		b[i] ^= 1
		if s.alive(t, string(b)) {
			t.Fatalf("with byte %d changed it gets in", i)
		}
	}
	if !s.alive(t, cookie) {
		t.Error("the real one does not")
	}
}

// TestOnlyAHash is case 37: what lies in the store is no cookie, and the cookie does not lie in the store.
func TestOnlyAHash(t *testing.T) {
	s, cookie := withAdmin(t)
	token := strings.Split(cookie, ".")[1]
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte(good)) {
			t.Errorf("%s holds the token or the password", e.Name())
		}
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	if s.alive(t, list[0].ID+"."+string(list[0].TokenHash)+".x") || s.alive(t, fmt.Sprintf("%s.%x.", list[0].ID, list[0].TokenHash)) {
		t.Error("the stored hash works as a cookie")
	}
	if list[0].UserAgent != "test browser" || list[0].Address != "192.0.2.1" {
		t.Errorf("%+v", list[0])
	}
}

func TestLastSeen(t *testing.T) {
	s, cookie := withAdmin(t)
	seen := func() time.Time {
		t.Helper()
		list, err := s.List(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(err)
		}
		return list[0].LastSeenAt
	}
	before := seen()
	s.clock.add(59 * time.Second)
	s.alive(t, cookie)
	if !seen().Equal(before) {
		t.Error("every request writes")
	}
	s.clock.add(time.Second)
	s.alive(t, cookie)
	if !seen().Equal(s.clock.now()) {
		t.Errorf("seen %s, now %s", seen(), s.clock.now())
	}
}

func TestUserAgentIsOneShortLine(t *testing.T) {
	s, _ := withAdmin(t)
	out, err := s.Login(t.Context(), "ada", good, session.Client{UserAgent: "a\r\nSet-Cookie: x\x00\u202e\xff" + strings.Repeat("é", 5000)})
	if err != nil {
		t.Fatal(err)
	}
	sess := out.Session
	if !strings.HasPrefix(sess.UserAgent, "aSet-Cookie: xé") || len([]rune(sess.UserAgent)) != 300 || sess.Address != "local" {
		t.Errorf("%.60q (%d) %s", sess.UserAgent, len([]rune(sess.UserAgent)), sess.Address)
	}
}

// TestLoginLoad is case 24: 20 at once end, all of them, and the bound on hashes shows in that none fails.
func TestLoginLoad(t *testing.T) {
	s, _ := withAdmin(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			from := session.Client{Address: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})}
			_, errs[i] = s.Login(context.Background(), "ada", good, from)
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		t.Errorf("%d: %v", i, errs[i])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Login(ctx, "ada", good, away); err == nil {
		t.Error("a login after the caller left")
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	a, err := session.OpenSecret(dir, "")
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes: %v", len(a), err)
	}
	path := filepath.Join(dir, session.SecretFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if b, err := session.OpenSecret(dir, " "); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the second start has another secret: %v", err)
	}
	if b, err := session.OpenSecret(dir, strings.Repeat("s", 32)); err != nil || string(b) != strings.Repeat("s", 32) {
		t.Errorf("the environment does not win: %v", err)
	}
	if _, err := session.OpenSecret(dir, "short"); err == nil || !strings.Contains(err.Error(), "STUDIO_JWT_SECRET") || strings.Contains(err.Error(), "short") {
		t.Errorf("got %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := session.OpenSecret(dir, ""); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := session.OpenSecret(dir, ""); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	h, err := password.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.New(nil, nil, nil, session.Options{Secret: []byte("short"), Hasher: h}); err == nil {
		t.Error("a short secret was taken")
	}
}

// TestOtherSecret: a cookie of a studio with another secret is nothing here, although the session is in the store.
func TestOtherSecret(t *testing.T) {
	s, cookie := withAdmin(t)
	h, err := password.New()
	if err != nil {
		t.Fatal(err)
	}
	twin, err := session.New(s.db, s.db, s.db, session.Options{Secret: bytes.Repeat([]byte("x"), 32), Hasher: h, Limiter: limit.New(s.db, limit.Options{}), Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := twin.Verify(t.Context(), cookie); code(err) != store.Unauthorized {
		t.Errorf("got %v", err)
	}
}

// FuzzTokens: nothing but what this studio gave out is a session or a half-done sign-in, and one is never taken for the other.
func FuzzTokens(f *testing.F) {
	s, cookie := withAdmin(f)
	for _, seed := range []string{"", cookie, "..", strings.ToUpper(cookie), cookie + "=", strings.Replace(cookie, ".", "..", 1), "a.b.c", "\x00.\xff.é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, sess, err := s.Verify(context.Background(), value)
		if value == cookie {
			if err != nil || sess == nil {
				t.Errorf("the real one: %v", err)
			}
		} else if code(err) != store.Unauthorized {
			t.Errorf("%q is a session: %v", value, err)
		}
		if _, _, err := s.VerifyLogin(context.Background(), value, "123456", false, home); code(err) != store.Unauthorized {
			t.Errorf("%q is a half-done sign-in: %v", value, err)
		}
	})
}

// leaver counts attempts for a caller who goes away right after being counted.
type leaver struct {
	limit.Counter
	leave *context.CancelFunc
}

func (l leaver) Attempt(ctx context.Context, bucket string, now, since time.Time, decide func(open, settled []time.Time) error) (string, error) {
	id, err := l.Counter.Attempt(ctx, bucket, now, since, decide)
	(*l.leave)()
	return id, err
}

// full keeps no new session.
type full struct{ *db.DB }

func (full) StartSession(context.Context, *store.Session, store.SignIn) error {
	return &store.Error{Code: store.Unavailable, Message: "the disk is full", Retry: 5}
}

// TestNotAGuess: who left before the password was looked at, and who had the right one on a full disk, guessed nothing: neither locks the
// address out. A wrong password still counts.
func TestNotAGuess(t *testing.T) {
	s, _ := withAdmin(t)
	secret, err := session.OpenSecret(s.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var leave context.CancelFunc
	hurried, err := session.New(s.db, s.db, s.db, session.Options{Secret: secret, Hasher: s.hash, Limiter: limit.New(leaver{s.db, &leave}, limit.Options{Now: s.clock.now}), Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	unlucky, err := session.New(s.db, full{s.db}, s.db, session.Options{Secret: secret, Hasher: s.hash, Limiter: limit.New(s.db, limit.Options{Now: s.clock.now}), Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	for range limit.DefaultMax + 1 {
		for _, sign := range []func(context.Context) error{
			func(ctx context.Context) error {
				_, err := hurried.Login(ctx, "Ada", "wrong password", home)
				return err
			},
			func(ctx context.Context) error {
				return hurried.ConfirmPassword(session.WithClient(ctx, home), "wrong password")
			},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			leave = cancel
			if err := sign(ctx); !errors.Is(err, context.Canceled) {
				t.Fatalf("who left got %v", err)
			}
		}
		if _, err := unlucky.Login(t.Context(), "Ada", good, home); code(err) != store.Unavailable {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	for i := range limit.DefaultMax - 1 {
		if got := s.loginCode(t, "Ada", "wrong password", home); got != store.Unauthorized {
			t.Fatalf("wrong password %d: %s", i, got)
		}
	}
	if got := s.loginCode(t, "Ada", good, home); got != "" {
		t.Errorf("the right password: %s", got)
	}
}

// fullFactors keeps no change of the second factor.
type fullFactors struct{ *db.DB }

func (f fullFactors) FinishLogin(ctx context.Context, pending []byte, s *store.Session, in store.SignIn, check func(*store.Factor) error) error {
	return f.DB.FinishLogin(ctx, pending, s, in, func(v *store.Factor) error {
		if err := check(v); err != nil {
			return err
		}
		return &store.Error{Code: store.Unavailable, Message: "the disk is full", Retry: 5}
	})
}

// TestNoCodeIsNoGuess: only a wrong code counts against the second factor; one that was asked for too late, or was right on a full disk, does not.
func TestNoCodeIsNoGuess(t *testing.T) {
	s, cookie := withAdmin(t)
	for range limit.DefaultMax + 1 {
		if _, err := s.EnableTwoFactor(t.Context(), "123456", s.by(t, cookie)); code(err) != store.Conflict {
			t.Fatalf("without a key to confirm: %v", err)
		}
	}
	p := s.enable(t, cookie)
	s.clock.add(time.Minute)
	secret, err := session.OpenSecret(s.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	unlucky, err := session.New(s.db, s.db, fullFactors{s.db}, session.Options{Secret: secret, Hasher: s.hash, Limiter: limit.New(s.db, limit.Options{Now: s.clock.now}), Now: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	pending := s.pending(t, home)
	for range limit.DefaultMax + 1 {
		if _, _, err := unlucky.VerifyLogin(t.Context(), pending, p.code(t, s.clock.now()), false, home); code(err) != store.Unavailable {
			t.Fatalf("on a full disk: %v", err)
		}
	}
	for range limit.DefaultMax {
		if _, _, err := unlucky.VerifyLogin(t.Context(), pending, p.wrong(t, s.clock.now()), false, home); code(err) != store.WrongCode {
			t.Fatalf("a wrong code: %v", err)
		}
	}
	if _, err := s.verifyCode(pending, p.code(t, s.clock.now()), false); code(err) != store.TooMany { // wrong ones count, whatever else happened
		t.Errorf("after five wrong codes: %v", err)
	}
}

// A name that setup takes signs in as it was typed, however a keyboard composes it.
func TestNameAsItWasTyped(t *testing.T) {
	s := fresh(t)
	name := strings.Repeat("\u1112\u1161\u11ab", 60) // Hangul: 9 bytes for a character of 3
	if _, _, err := s.Setup(t.Context(), s.setupCode(t), name, good, home); err != nil {
		t.Fatal(err)
	}
	s.login(t, name, good, home)
}
