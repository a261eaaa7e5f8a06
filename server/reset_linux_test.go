package server

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	otp "github.com/pquerna/otp/totp"
	"golang.org/x/sys/unix"

	"mcpstudio/server/rest"
)

// pty is a terminal with somebody at it.
type pty struct {
	t          *testing.T
	hand, line *os.File // of the person, of the program
	seen       bytes.Buffer
}

func newPty(t *testing.T) *pty {
	t.Helper()
	hand, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { _ = hand.Close() })
	if err := unix.IoctlSetPointerInt(int(hand.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(hand.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return &pty{t: t, hand: hand, line: line}
}

// answer waits for the prompt and until the terminal shows no input, then types.
func (p *pty) answer(prompt, text string) {
	p.t.Helper()
	b := make([]byte, 256)
	for !strings.HasSuffix(p.seen.String(), prompt) {
		n, err := p.hand.Read(b)
		if err != nil {
			p.t.Fatal(err)
		}
		p.seen.Write(b[:n])
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		state, err := unix.IoctlGetTermios(int(p.line.Fd()), unix.TCGETS)
		if err != nil {
			p.t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			break
		}
		if time.Now().After(deadline) {
			p.t.Fatal("the terminal shows what is typed")
		}
	}
	if _, err := p.hand.WriteString(text + "\n"); err != nil {
		p.t.Fatal(err)
	}
}

// TestResetWithTwoFactor is case 27: beside the running studio, with two-factor on, on a terminal that shows nothing of the password. Sessions,
// half-done sign-ins and locks end; two-factor stays unless it is told to go; open streams end.
func TestResetWithTwoFactor(t *testing.T) {
	const first, second, third = "from the environment 7", "a new long password 3", "one more of these 11"
	dir := dataDir(t)
	r := start(t, dir, "STUDIO_ADMIN_USERNAME=ada", "STUDIO_ADMIN_PASSWORD="+first)
	login := func(password string, want int) (*http.Response, map[string]any) {
		t.Helper()
		res, body := r.send(http.MethodPost, r.base+rest.Base+"/auth/login", map[string]string{"username": "ada", "password": password})
		if res.StatusCode != want {
			t.Fatalf("login: %d, want %d: %v", res.StatusCode, want, body)
		}
		return res, body
	}
	res, _ := login(first, http.StatusOK)
	r.cookie = res.Cookies()[0]
	setup := r.api(http.MethodPost, "/auth/2fa/setup", map[string]string{"password": first}, http.StatusOK)
	secret, _ := setup["secret"].(string)
	code := func(ahead time.Duration) string {
		t.Helper()
		c, err := otp.GenerateCode(secret, time.Now().Add(ahead))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	r.api(http.MethodPost, "/auth/2fa/verify-setup", map[string]string{"code": code(0)}, http.StatusOK)
	session := r.cookie
	r.cookie = nil
	_, half := login(first, http.StatusOK)
	for range 5 {
		login("wrong", http.StatusUnauthorized)
	}
	login(first, http.StatusTooManyRequests)

	stream, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+rest.Base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream.AddCookie(session)
	open, err := http.DefaultClient.Do(stream)
	if err != nil || open.StatusCode != http.StatusOK {
		t.Fatal(open, err)
	}
	defer open.Body.Close()

	c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dir})
	if err != nil {
		t.Fatal(err)
	}
	p := newPty(t)
	done := make(chan error, 1)
	go func() { done <- ResetPassword(t.Context(), c, Terminal{p.line, p.line}, Reset{}) }()
	p.answer("New password: ", second)
	p.answer("The same again: ", second)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := p.hand.Read(b)
	for err == nil && !strings.Contains(p.seen.String(), "--disable-2fa") {
		p.seen.Write(b[:n])
		if !strings.Contains(p.seen.String(), "--disable-2fa") {
			n, err = p.hand.Read(b)
		}
	}
	if text := p.seen.String(); strings.Contains(text, second) || !strings.Contains(text, "still takes a code") {
		t.Errorf("the terminal shows %q", text)
	}

	if _, err := new(bytes.Buffer).ReadFrom(open.Body); err != nil { // it ends, in order
		t.Errorf("the stream: %v", err)
	}
	r.cookie = session
	r.api(http.MethodGet, "/auth/me", nil, http.StatusUnauthorized)
	r.cookie = nil
	r.api(http.MethodPost, "/auth/login/verify-2fa", map[string]any{"pending_token": half["pending_token"], "code": code(0)}, http.StatusUnauthorized)
	login(first, http.StatusUnauthorized) // and not locked: whoever resets on the host does not wait
	_, body := login(second, http.StatusOK)
	if body["username"] != nil || body["pending_token"] == nil {
		t.Errorf("the reset skipped the second step: %v", body)
	}
	r.api(http.MethodPost, "/auth/login/verify-2fa", map[string]any{"pending_token": body["pending_token"], "code": code(30 * time.Second)}, http.StatusOK) // later than the one that was used

	var out bytes.Buffer
	if err := ResetPassword(t.Context(), c, Terminal{strings.NewReader(third + "\n"), &out}, Reset{Stdin: true, DisableTwoFactor: true}); err != nil || !strings.Contains(out.String(), "Two-factor is off") {
		t.Fatal(out.String(), err)
	}
	if _, body := login(third, http.StatusOK); body["username"] != "ada" {
		t.Errorf("two-factor is still on: %v", body)
	}
	r.stop()
	for _, secret := range []string{first, second, third, secret} {
		if strings.Contains(r.log.String(), secret) {
			t.Error("the log shows a secret")
		}
		for _, name := range []string{"studio.db", "studio.db-wal"} {
			if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
}
