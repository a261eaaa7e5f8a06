package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	otp "github.com/pquerna/otp/totp"

	"mcpstudio/server/clientip"
	"mcpstudio/server/rest"
	"mcpstudio/store"
)

const account = "/api/v1/auth/"

// appCode is what an authenticator app shows a number of steps from now.
func appCode(t *testing.T, secret string, steps int) string {
	t.Helper()
	return codeAt(t, secret, time.Now(), steps)
}

func codeAt(t *testing.T, secret string, now time.Time, steps int) string {
	t.Helper()
	code, err := otp.GenerateCode(secret, now.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// call sends a request to a route of the account and holds the answer against the contract.
func (w *world) call(c *contract, method, path string, body any, status int) answer {
	w.t.Helper()
	a := w.do(method, account+path, body).want(status)
	if status != http.StatusNoContent {
		c.check(w.t, method, account+path, fmt.Sprint(status), a)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("%s may be cached", path)
	}
	return a
}

// cases 26, 36, 46, 55, 57, 58, 59, 61, 62, 63, 65
func TestTwoFactor(t *testing.T) {
	w, c := newWorld(t).signIn(), newContract(t)
	now := w.stopClock()
	off := into[rest.TwoFactorStatus](w.call(c, "GET", "2fa/status", nil, 200), 200)
	if off.Enabled || off.EnabledAt != nil || off.RecoveryCodesLeft != 0 {
		t.Errorf("status %+v", off)
	}
	w.do("POST", account+"2fa/setup", entity{"password": "wrong"}).failure(403, store.WrongPassword, "password")
	setup := into[rest.TwoFactorSetup](w.call(c, "POST", "2fa/setup", entity{"password": adminPassword}, 200), 200)
	code := func(steps int) string { t.Helper(); return codeAt(t, setup.Secret, now, steps) }
	if !strings.HasPrefix(setup.OTPAuthURL, "otpauth://totp/MCP%20Studio:ada?") || !strings.Contains(setup.OTPAuthURL, "secret="+setup.Secret) || !strings.HasPrefix(setup.QRSVG, "<svg ") {
		t.Errorf("setup %+v", setup)
	}
	w.do("POST", account+"2fa/verify-setup", entity{"code": 123456}).failure(422, store.Invalid, "code")
	w.do("POST", account+"2fa/verify-setup", entity{"code": nil}).failure(422, store.Invalid, "code")
	w.do("POST", account+"2fa/verify-setup", entity{"code": code(5)}).failure(403, store.WrongCode, "code")
	codes := into[rest.RecoveryCodes](w.call(c, "POST", "2fa/verify-setup", entity{"code": code(-1)}, 200), 200).RecoveryCodes
	on := into[rest.TwoFactorStatus](w.call(c, "GET", "2fa/status", nil, 200), 200)
	me := into[rest.Me](w.call(c, "GET", "me", nil, 200), 200)
	if len(codes) != 10 || !on.Enabled || on.EnabledAt == nil || on.RecoveryCodesLeft != 10 || !me.TwoFactorEnabled || me.RecoveryCodesLeft != 10 {
		t.Errorf("%d codes, %+v, %+v", len(codes), on, me)
	}
	w.do("POST", account+"2fa/setup", entity{"password": adminPassword}).failure(409, store.Conflict, "")

	// Another browser. case 26: without the password nothing tells that there is a second step.
	b := &world{t: t, http: w.http, client: w.client}
	b.do("POST", account+"login", entity{"username": adminName, "password": "wrong"}).failure(401, store.Unauthorized, "")
	pending := func() string {
		t.Helper()
		a := b.call(c, "POST", "login", entity{"username": adminName, "password": adminPassword}, 200)
		out := into[rest.SignedIn](a, 200)
		if out.PendingToken == "" || out.Username != "" || len(a.Cookies()) != 0 {
			t.Fatalf("%+v and %d cookies", out, len(a.Cookies()))
		}
		return out.PendingToken
	}
	token := pending()
	b.halfDone(token)
	verify := account + "login/verify-2fa"
	b.do("POST", verify, entity{"pending_token": "x", "code": code(0)}).failure(401, store.Unauthorized, "")
	b.do("POST", verify, entity{"pending_token": token, "code": "12345"}).failure(422, store.Invalid, "code")
	b.do("POST", verify, entity{"pending_token": token, "code": code(4)}).failure(403, store.WrongCode, "code")
	b.do("POST", verify, entity{"pending_token": token, "code": codes[0]}, "Sec-Fetch-Site", "cross-site").failure(403, store.Forbidden, "")
	b.do("POST", verify, entity{"pending_token": token, "code": codes[0]}, "Content-Type", "text/plain").failure(415, store.Unsupported, "")
	b.cookie = b.call(c, "POST", "login/verify-2fa", entity{"pending_token": token, "code": code(0)}, 200).Cookies()[0]
	if !b.cookie.HttpOnly || b.cookie.MaxAge != 86400 {
		t.Errorf("cookie %+v", b.cookie)
	}
	b.do("GET", account+"me", nil).want(200)
	b.do("POST", verify, entity{"pending_token": token, "code": code(1)}, "Cookie", "").failure(401, store.Unauthorized, "")
	b.do("POST", verify, entity{"pending_token": pending(), "code": code(0)}, "Cookie", "").failure(403, store.WrongCode, "code") // case 55
	b.do("POST", verify, entity{"pending_token": pending(), "code": codes[0], "is_recovery": true}, "Cookie", "").want(200)
	b.do("POST", verify, entity{"pending_token": pending(), "code": codes[0], "is_recovery": true}, "Cookie", "").failure(403, store.WrongCode, "code") // case 63

	w.do("POST", account+"2fa/regenerate-recovery", entity{"password": adminPassword}).failure(422, store.Invalid, "code")
	fresh := into[rest.RecoveryCodes](w.call(c, "POST", "2fa/regenerate-recovery", entity{"password": adminPassword, "code": code(1)}, 200), 200).RecoveryCodes
	b.do("GET", account+"me", nil).failure(401, store.Unauthorized, "") // case 36
	if slices.Contains(fresh, codes[1]) || len(fresh) != 10 {
		t.Errorf("the codes are the old ones: %d", len(fresh))
	}
	w.do("POST", account+"2fa/disable", entity{"password": "wrong", "code": fresh[0], "is_recovery": true}).failure(403, store.WrongPassword, "password")
	w.do("POST", account+"2fa/disable", entity{"password": adminPassword, "code": codes[1], "is_recovery": true}).failure(403, store.WrongCode, "code") // case 65
	w.call(c, "POST", "2fa/disable", entity{"password": adminPassword, "code": fresh[0], "is_recovery": true}, 204)
	into[rest.Username](b.do("POST", account+"login", entity{"username": adminName, "password": adminPassword}, "Cookie", ""), 200)

	w.tells([]string{"enable_two_factor", "regenerate_recovery_codes", "disable_two_factor"}, append(append(codes, fresh...), setup.Secret, adminPassword, token))
}

// halfDone uses a pending token in place of a session (case 59).
func (w *world) halfDone(token string) {
	w.t.Helper()
	fill := strings.NewReplacer("{id}", "x", "{number}", "1", "{connection}", "x", "{table}", "x", "{type}", "tool", "{file}", "reference.css")
	for _, r := range w.routes() {
		if slices.Contains(public(), r) {
			continue
		}
		method, path, _ := strings.Cut(r, " ")
		for _, header := range [][]string{{"Cookie", "studio_session=" + token}, {"Authorization", "Bearer " + token}} {
			w.do(method, fill.Replace(path), nil, header...).failure(401, store.Unauthorized, "")
		}
	}
}

// tells looks for operations in the history, and there and in the log for secrets.
func (w *world) tells(operations, secrets []string) {
	w.t.Helper()
	history := string(w.do("GET", "/api/v1/history?limit=100", nil).want(200).body)
	for _, o := range operations {
		if !strings.Contains(history, `"operation":"`+o+`"`) {
			w.t.Errorf("history does not tell of %s: %s", o, history)
		}
	}
	for _, secret := range append(secrets, "argon2") {
		if strings.Contains(history, secret) || strings.Contains(w.logs.String(), secret) {
			w.t.Errorf("history or the log shows %.4s…", secret)
		}
	}
}

// cases 35, 72
func TestChangeOfTheAccount(t *testing.T) {
	w, c := newWorld(t).signIn(), newContract(t)
	const next = "another fine staple 4"
	b := &world{t: t, http: w.http, client: w.client}
	b.cookie = b.do("POST", account+"login", entity{"username": adminName, "password": adminPassword}).want(200).Cookies()[0]
	before := into[rest.Me](w.call(c, "GET", "me", nil, 200), 200)
	w.do("PATCH", account+"me", entity{"current_password": adminPassword}).failure(422, store.Invalid, "new_password")
	w.do("PATCH", account+"me", entity{"new_password": next}).failure(422, store.Invalid, "current_password")
	w.do("PATCH", account+"me", entity{"current_password": "wrong", "new_password": next}).failure(403, store.WrongPassword, "current_password")
	w.do("PATCH", account+"me", entity{"current_password": adminPassword, "new_password": "short"}).failure(422, store.Invalid, "new_password")
	w.do("PATCH", account+"me", entity{"current_password": adminPassword, "new_password": adminPassword}).failure(422, store.Invalid, "new_password")
	w.do("PATCH", account+"me", entity{"current_password": "wrong", "new_password": "wrong"}).failure(403, store.WrongPassword, "current_password")
	w.do("PATCH", account+"me", entity{"current_password": adminPassword, "username": " "}).failure(422, store.Invalid, "username")
	for _, extra := range []string{"id", "version", "created_at", "role", "password_hash", "two_factor_enabled", "recovery_codes_left"} {
		w.do("PATCH", account+"me", entity{"current_password": adminPassword, "new_password": next, extra: 1}).failure(422, store.Invalid, extra)
	}
	b.do("GET", account+"me", nil).want(200) // what is refused ends nobody
	old := w.cookie
	a := w.call(c, "PATCH", "me", entity{"current_password": adminPassword, "new_password": next, "username": "Grace"}, 200)
	after := into[rest.Me](a, 200)
	if after.Username != "Grace" || !after.PasswordChangedAt.After(before.PasswordChangedAt) || !after.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("%+v, was %+v", after, before)
	}
	w.cookie = a.Cookies()[0]
	if w.cookie.Value == old.Value {
		t.Error("the session goes on with its old value")
	}
	w.do("GET", account+"me", nil).want(200)
	w.do("GET", account+"me", nil, "Cookie", old.Name+"="+old.Value).failure(401, store.Unauthorized, "")
	b.do("GET", account+"me", nil).failure(401, store.Unauthorized, "")
	b.do("POST", account+"login", entity{"username": "grace", "password": adminPassword}, "Cookie", "").failure(401, store.Unauthorized, "")
	a = w.call(c, "PATCH", "me", entity{"current_password": next, "username": adminName}, 200)
	w.cookie = a.Cookies()[0]
	if got := into[rest.Me](a, 200); !got.PasswordChangedAt.Equal(after.PasswordChangedAt) {
		t.Error("a new name dates the password anew")
	}
	w.tells([]string{"change_password", "update_account"}, []string{adminPassword, next, w.cookie.Value})
	// A wrong current password is a guess like any other: it locks like a login.
	for range 5 {
		w.do("PATCH", account+"me", entity{"current_password": "wrong", "username": "x"})
	}
	w.do("PATCH", account+"me", entity{"current_password": next, "username": "x"}).failure(429, store.TooMany, "")
	b.do("POST", account+"login", entity{"username": adminName, "password": next}, "Cookie", "").failure(429, store.TooMany, "")
}

// cases 34, 73: sessions are listed and ended, and what is open for them ends with them, at once.
func TestSessions(t *testing.T) {
	w, c := newWorld(t).signIn(), newContract(t)
	var others []*world
	for range 3 {
		b := &world{t: t, http: w.http, client: w.client}
		b.cookie = b.do("POST", account+"login", entity{"username": adminName, "password": adminPassword}, "User-Agent", "other <browser>").want(200).Cookies()[0]
		others = append(others, b)
	}
	list := into[rest.SessionList](w.call(c, "GET", "sessions", nil, 200), 200)
	own, ids := "", map[string]bool{}
	for _, s := range list.Items {
		if s.Current {
			own = s.ID
		} else if s.UserAgent != "other <browser>" || s.Address != "127.0.0.1" || !s.ExpiresAt.Equal(s.CreatedAt.Add(24*time.Hour)) {
			t.Errorf("%+v", s)
		}
		ids[s.ID] = true
	}
	if list.Total != 4 || len(ids) != 4 || own == "" {
		t.Fatalf("%+v", list)
	}
	for _, secret := range []string{strings.Split(w.cookie.Value, ".")[1], strings.Split(others[0].cookie.Value, ".")[1]} {
		if a := w.do("GET", account+"sessions", nil); strings.Contains(string(a.body), secret) {
			t.Error("the list shows a session's token")
		}
	}
	for _, id := range []string{"0", "-1", "18446744073709551616", "1e400", "1%20OR%201%3D1", "..%2f..%2f", strings.Repeat("a", 5000), "%ff", own + "x"} {
		if a := w.do("DELETE", account+"sessions/"+id, nil); a.StatusCode != 404 {
			t.Errorf("%.20s: %d", id, a.StatusCode)
		}
	}

	stream, mine := others[0].listen("/api/v1/events"), w.listen("/api/v1/events")
	<-stream // it is open
	<-mine
	victim := strings.Split(others[0].cookie.Value, ".")[0]
	w.call(c, "DELETE", "sessions/"+victim, nil, 204)
	select {
	case <-drained(stream): // it was told: by itself it looks once an hour here, and after each ping, every 20 s
	case <-time.After(15 * time.Second):
		t.Error("the stream outlived its session")
	}
	others[0].do("GET", account+"me", nil).failure(401, store.Unauthorized, "")
	others[1].do("GET", account+"me", nil).want(200)
	w.do("DELETE", account+"sessions/"+victim, nil).failure(404, store.NotFound, "")

	w.call(c, "DELETE", "sessions", nil, 204)
	for _, b := range others {
		b.do("GET", account+"me", nil).failure(401, store.Unauthorized, "")
	}
	w.do("GET", account+"me", nil).want(200)
	select {
	case _, open := <-mine:
		if !open {
			t.Error("the caller's own stream ended")
		}
	default:
	}
	a := w.call(c, "DELETE", "sessions/"+own, nil, 204)
	if len(a.Cookies()) != 1 || a.Cookies()[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", a.Cookies())
	}
	<-drained(mine)
	w.do("GET", account+"me", nil).failure(401, store.Unauthorized, "")
	w.cookie = w.do("POST", account+"login", entity{"username": adminName, "password": adminPassword}, "Cookie", "").want(200).Cookies()[0]
	w.tells([]string{"end_session"}, []string{adminPassword})
}

// TestNoResetOverTheWeb: a password is reset on the host and nowhere else, and before setup nobody gets further than setup.
func TestNoResetOverTheWeb(t *testing.T) {
	w := newWorld(t)
	reset := regexp.MustCompile(`(?i)reset|forgot|lost|recover(y$|-password)|unlock|magic|invite|register|signup`)
	for _, r := range w.routes() {
		if r != "POST /api/v1/auth/2fa/regenerate-recovery" && reset.MatchString(r) {
			t.Errorf("%s looks like a way to reset a password", r)
		}
		method, path, _ := strings.Cut(r, " ")
		if !slices.Contains(public(), r) { // case 5
			w.do(method, strings.NewReplacer("{", "", "}", "").Replace(path), nil).failure(401, store.Unauthorized, "")
		}
	}
	for _, path := range []string{"reset", "reset-password", "forgot-password", "password", "password/reset", "recover", "unlock"} {
		for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
			if a := w.do(method, account+path, entity{"username": adminName}); a.StatusCode != 404 {
				t.Errorf("%s %s: %d", method, path, a.StatusCode)
			}
		}
	}
}

// cases 13, 14: a thousand attempts with forged addresses are one address's, and at most five reach the hash.
func TestForgedHeaders(t *testing.T) {
	w := newWorld(t).signIn()
	w.cookie = nil
	before := w.hash.Done()
	names := []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"}
	var wg sync.WaitGroup
	tally := make([][600]int, 10)
	for n := range tally {
		wg.Go(func() {
			for i := range 100 {
				var header []string
				for _, name := range names {
					value := fmt.Sprintf("203.0.%d.%d", n, i)
					if name == "Forwarded" {
						value = "for=" + value
					}
					header = append(header, name, value)
				}
				tally[n][w.do("POST", account+"login", entity{"username": adminName, "password": "wrong"}, header...).StatusCode]++
			}
		})
	}
	wg.Wait()
	refused, locked := 0, 0
	for _, n := range tally {
		refused, locked = refused+n[401], locked+n[429]
	}
	if n := w.hash.Done() - before; n > 5 || refused != int(n) || refused+locked != 1000 {
		t.Errorf("%d hashes, %d refused, %d locked", n, refused, locked)
	}
}

// cases 15, 16, 17, 20, 21, 30: through a trusted proxy each caller has a limit of their own, by the hop the proxy wrote.
func TestLimitsBehindProxy(t *testing.T) {
	w := newWorld(t).signIn()
	h, err := rest.New(rest.Options{
		Ops: w.studio.Ops(), Sessions: w.account, Admin: w.db.Admin, Streams: w.studio, Ready: w.studio.Ready,
		ClientIP: clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	proxied := httptest.NewServer(h)
	defer proxied.Close()
	p := &world{t: t, http: proxied, client: w.client}
	try := func(from, name, password string) int {
		t.Helper()
		return p.do("POST", account+"login", entity{"username": name, "password": password}, "X-Forwarded-For", from).StatusCode
	}
	for i := range 5 { // the forged hop in front does not count; nor does how the name is written (case 30)
		if got := try(fmt.Sprintf("1.2.3.%d, 203.0.113.7", i), []string{"ada", "ADA", " ada ", "Ada", "ada"}[i], "wrong"); got != 401 {
			t.Errorf("%d: %d", i, got)
		}
	}
	for from, want := range map[string]int{"9.9.9.9, 203.0.113.7": 429, "::ffff:203.0.113.7": 429, "203.0.113.8": 200} {
		if got := try(from, adminName, adminPassword); got != want {
			t.Errorf("%s: %d, want %d", from, got, want)
		}
	}
	for i := range 5 { // case 17: one /64 is one
		if got := try(fmt.Sprintf("2001:db8:1:2::%x", i+1), adminName, "wrong"); got != 401 {
			t.Errorf("%d: %d", i, got)
		}
	}
	if got := try("2001:db8:1:2:ffff::1", adminName, adminPassword); got != 429 {
		t.Errorf("the same /64: %d", got)
	}
	if got := try("2001:db8:1:3::1", adminName, adminPassword); got != 200 {
		t.Errorf("the next /64: %d", got)
	}
	for _, name := range []string{"ada\u200b", "ada\x00"} { // case 30
		b, _ := json.Marshal(entity{"username": name, "password": adminPassword})
		if got := p.do("POST", account+"login", string(b), "X-Forwarded-For", "198.51.100.1").StatusCode; got == 200 {
			t.Errorf("%q signs in", name)
		}
	}
}

// TestParallelSetups is case 1: of 200 at once, each from an address of its own, one becomes admin.
func TestParallelSetups(t *testing.T) {
	if os.Getenv("STUDIO_VERIFY") == "" {
		t.Skip("STUDIO_VERIFY is not set: auth/session has the same with 50, make verify runs 200 over HTTP")
	}
	w := newWorld(t)
	code, _, err := w.account.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h, err := rest.New(rest.Options{Ops: w.studio.Ops(), Sessions: w.account, Admin: w.db.Admin, Streams: w.studio, Ready: w.studio.Ready, ClientIP: clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	proxied := httptest.NewServer(h)
	defer proxied.Close()
	p := &world{t: t, http: proxied, client: w.client}
	var wg sync.WaitGroup
	status := make([]int, 200)
	for i := range status {
		wg.Go(func() {
			b := entity{"username": fmt.Sprint("user", i), "password": fmt.Sprint(adminPassword, i), "setup_code": code}
			status[i] = p.do("POST", account+"setup", b, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i)).StatusCode
		})
	}
	wg.Wait()
	won := slices.Index(status, 201)
	for i, got := range status {
		if got != 409 && i != won {
			t.Errorf("%d: %d", i, got)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	p.do("POST", account+"login", entity{"username": fmt.Sprint("user", won), "password": fmt.Sprint(adminPassword, won)}).want(200)
}

// case 32: the public name is https only, so its cookie is Secure also when the proxy in front is not trusted with headers.
func TestCookieOfThePublicName(t *testing.T) {
	w := newWorld(t).signIn()
	h, err := rest.New(rest.Options{
		Ops: w.studio.Ops(), Sessions: w.account, Admin: w.db.Admin, Streams: w.studio, Ready: w.studio.Ready, Origins: []string{"https://studio.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(host string) *http.Cookie {
		t.Helper()
		q := httptest.NewRequest("POST", "http://"+host+account+"login", strings.NewReader(fmt.Sprintf(`{"username":%q,"password":%q}`, adminName, adminPassword)))
		q.URL.Scheme, q.URL.Host, q.Host = "", "", host
		q.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, q)
		if rec.Code != 200 || len(rec.Result().Cookies()) != 1 {
			t.Fatalf("%s: %d %s", host, rec.Code, rec.Body)
		}
		return rec.Result().Cookies()[0]
	}
	for host, secure := range map[string]bool{"studio.example": true, "STUDIO.example:443": true, "127.0.0.1:3000": false, "studio.example.evil.example": false} {
		if c := sign(host); c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure {
			t.Errorf("%s: %+v", host, c)
		}
	}
}
