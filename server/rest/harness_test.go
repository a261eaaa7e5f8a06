package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/limit"
	"mcpstudio/auth/password"
	"mcpstudio/auth/session"
	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/mcpgen/supervisor"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// TestMain lets the test binary be the sandboxed child that the supervisor starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		os.Exit(childtest.Main(nil))
	}
	os.Exit(m.Run())
}

const (
	adminName     = "ada"
	adminPassword = "correct horse battery 9"
)

// world is a studio without its front: the real store, accounts, supervisor and children behind a real HTTP server.
type world struct {
	t       *testing.T
	db      *db.DB
	studio  *studio.Service
	account *session.Service
	hash    *password.Hasher
	sup     *supervisor.Supervisor
	http    *httptest.Server
	logs    *lockedBuffer
	dir     string
	client  *http.Client
	cookie  *http.Cookie
	site    studio.Site
	stopped atomic.Pointer[time.Time] // where the account's clock stands still, if it does
}

// stopClock makes the account's clock stand still: what an authenticator app shows does not change in the middle of a test.
func (w *world) stopClock() time.Time {
	now := time.Now()
	w.stopped.Store(&now)
	return now
}

func (w *world) now() time.Time {
	if at := w.stopped.Load(); at != nil {
		return *at
	}
	return time.Now()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// resolveLocal keeps names that a test makes up from being asked for outside.
func resolveLocal(_ context.Context, host string) ([]netip.Addr, error) {
	if host == "localhost" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

type noPlayer struct{}

func (noPlayer) Play(context.Context, auth.Principal, string, json.RawMessage) (studio.Played, error) {
	return studio.Played{}, &store.Error{Code: store.Unavailable, Message: "the front is tested in package server", Retry: 3}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, logs: &lockedBuffer{}, dir: t.TempDir(), client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := keyring.Open(keyring.Options{Dir: w.dir})
	must(err)
	w.db, err = db.Open(t.Context(), db.Options{Dir: w.dir, Keyring: keys, Log: log})
	must(err)
	hasher, err := password.New()
	must(err)
	w.hash = hasher
	secret, err := session.OpenSecret(w.dir, "")
	must(err)
	w.account, err = session.New(w.db, w.db, w.db, session.Options{Secret: secret, Hasher: hasher, Limiter: limit.New(w.db, limit.Options{}), Now: w.now, Log: log})
	must(err)
	sqlite := filepath.Join(t.TempDir(), "databases")
	must(os.MkdirAll(sqlite, 0o755))
	must(os.Chmod(filepath.Dir(filepath.Dir(sqlite)), 0o755)) // the child has another user id
	w.sup = supervisor.New(supervisor.Options{SQLiteDir: sqlite, Log: log, Broker: supervisor.BrokerPolicy{AllowPrivate: true, Resolve: resolveLocal}})
	w.site = studio.Site{Endpoint: "http://127.0.0.1:3000/mcp"}
	w.studio = studio.New(studio.Options{
		DB: w.db, Deployer: w.sup, Workbench: w.sup, Logs: w.sup.Logs(), Player: noPlayer{}, Site: func() studio.Site { return w.site },
		Passwords: w.account, SQLiteDir: sqlite, Version: "test", Log: log,
	})
	w.sup.OnSecurity(w.studio.ChildKilled)
	o := rest.Options{
		Ops: w.studio.Ops(), Enums: studio.Enums(), Sessions: w.account, Admin: w.db.Admin, Streams: w.studio, Ready: w.studio.Ready,
		Key: rest.Key{Source: keys.Source(), Path: keys.Path()}, Version: "test", Log: log,
	}
	o.Recheck(time.Hour) // a stream that ends with its session was told
	api, err := rest.New(o)
	must(err)
	w.http = httptest.NewServer(api)
	t.Cleanup(func() {
		w.studio.EndStreams()
		w.http.Close()
		w.studio.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		must(w.sup.Close(ctx))
		must(w.db.Close())
		if t.Failed() {
			for _, l := range w.sup.Logs().Since(0, 60) {
				t.Logf("%s %s r%d %s %v", l.Level, l.Source, l.Revision, l.Message, l.Attrs)
			}
		}
	})
	return w
}

// signIn sets the admin up and keeps the session's cookie.
func (w *world) signIn() *world {
	w.t.Helper()
	code, open, err := w.account.SetupCode(w.t.Context())
	if err != nil || !open {
		w.t.Fatalf("setup is not open: %v", err)
	}
	a := w.do(http.MethodPost, "/api/v1/auth/setup", map[string]string{"username": adminName, "password": adminPassword, "setup_code": code})
	a.want(http.StatusCreated)
	w.cookie = a.Cookies()[0]
	return w
}

// answer is a response that was read.
type answer struct {
	*http.Response
	t    *testing.T
	body []byte
}

// do sends a JSON request with the session, as a client that is not a browser.
func (w *world) do(method, path string, body any, header ...string) answer {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		r = bytes.NewReader(encoded)
	}
	q, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if w.cookie != nil {
		q.AddCookie(w.cookie)
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Del(header[i])
		if header[i+1] != "" {
			q.Header.Set(header[i], header[i+1])
		}
	}
	return w.send(q)
}

func (w *world) send(q *http.Request) answer {
	w.t.Helper()
	res, err := w.client.Do(q)
	for n := 0; n < 5 && q.ContentLength > 64<<10 && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)); n++ {
		q.Body, _ = q.GetBody() // a long body that is refused may be cut off before its sender has read the answer
		res, err = w.client.Do(q)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res, w.t, b}
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: got %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

// failure reads the error body.
func (a answer) failure(status int, code store.Code, field string) rest.Failure {
	a.t.Helper()
	a.want(status)
	var f rest.Failure
	if err := json.Unmarshal(a.body, &f); err != nil {
		a.t.Fatalf("%s: %v", a.body, err)
	}
	if f.Code != code || f.RequestID == "" || f.Detail == "" {
		a.t.Fatalf("got %+v, want code %s", f, code)
	}
	if field != "" && f.Fields[field] == "" {
		a.t.Fatalf("got fields %v, want %s", f.Fields, field)
	}
	return f
}

func into[T any](a answer, status int) T {
	a.t.Helper()
	a.want(status)
	var v T
	d := json.NewDecoder(bytes.NewReader(a.body))
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: %v", a.body, err)
	}
	return v
}

// needChild skips a test that starts a real child in a binary with cgo, which -race implies.
func needChild(t *testing.T) {
	t.Helper()
	if builtWithCgo {
		t.Skip("built with cgo, where a child cannot confine all its threads: run with CGO_ENABLED=0")
	}
}
