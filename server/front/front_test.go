package front

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcpstudio/auth/token"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/pipe"
	"mcpstudio/server/clientip"
	"mcpstudio/store"
)

// peer is the child's end of a real hop: it answers with what it was asked.
type peer struct {
	mu      sync.Mutex
	seen    []string
	block   chan struct{} // calls of the tool "slow" wait for it, or for their cancel
	stopped chan struct{} // gets one entry for each cancelled call
}

func (p *peer) Inline(*hop.Request) bool { return false }

func (p *peer) Serve(ctx context.Context, q *hop.Request, r *hop.Reply) {
	p.mu.Lock()
	p.seen = append(p.seen, string(q.Method))
	p.mu.Unlock()
	switch string(q.Name) {
	case "slow":
		select {
		case <-p.block:
		case <-ctx.Done():
			p.stopped <- struct{}{}
		}
	case "huge":
		r.Body = bytes.Repeat([]byte("x"), hop.MaxReply+1)
		return
	case "large":
		r.Body = bytes.Repeat([]byte("x"), 16<<20)
		return
	case "busy":
		r.Status, r.Code, r.Body = http.StatusServiceUnavailable, "overloaded", hop.ErrorBody(nil, q.ID, hop.CodeUnavailable, "busy", nil)
		return
	}
	r.Rows, r.Bytes, r.Wait, r.Took = 3, 42, time.Millisecond, 2*time.Millisecond
	r.Body = append(r.Body, `{"jsonrpc":"2.0","id":`...)
	r.Body = append(append(r.Body, q.ID...), `,"result":`...)
	out, _ := json.Marshal(map[string]any{
		"method": string(q.Method), "name": string(q.Name), "args": string(q.Args), "params": string(q.Params), "modern": q.Modern,
		"principal": q.Principal.ID, "allowed": q.Allowed.Key(),
	})
	r.Body = append(append(r.Body, out...), '}')
}

func (p *peer) calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen)
}

// tokens is the part of the metadata store that a token.Verifier reads.
type tokens struct {
	mu  sync.Mutex
	all []*store.MCPToken
	err error
}

func (s *tokens) MCPTokens(context.Context) ([]*store.MCPToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all, s.err
}

func (s *tokens) TouchTokens(context.Context, []store.TokenUse) error { return nil }

func (s *tokens) set(all ...*store.MCPToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = all
}

// recorded collects what the front records.
type recorded struct {
	mu      sync.Mutex
	batch   []Call
	dropped int
}

func (r *recorded) Record(_ context.Context, batch []Call, dropped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batch = append(r.batch, batch...)
	r.dropped += dropped
}

func (r *recorded) wait(t *testing.T, n int) []Call {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r.mu.Lock()
		got := append([]Call(nil), r.batch...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
	}
	t.Fatalf("fewer than %d calls were recorded", n)
	return nil
}

// world is a front on a real listener with a real hop behind it and a real verifier.
type world struct {
	t        *testing.T
	front    *Front
	peer     *peer
	link     *hop.Link
	store    *tokens
	verifier *token.Verifier
	token    string
	log      *recorded
	url      string
	addr     string

	mu       sync.Mutex
	settings Settings
}

func (w *world) set(change func(*Settings)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.settings)
}

func mint(t *testing.T, id string) (*store.MCPToken, string) {
	t.Helper()
	m, err := token.Mint()
	if err != nil {
		t.Fatal(err)
	}
	return &store.MCPToken{Meta: store.Meta{ID: id, CreatedAt: time.Now()}, Name: "token " + id, Prefix: m.Prefix, TokenHash: m.Hash}, m.Token
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, peer: &peer{block: make(chan struct{}), stopped: make(chan struct{}, 16)}, log: &recorded{},
		settings: Settings{AuthType: store.AuthBearer, Hosts: []string{"studio.example"}, CORSOrigins: []string{"https://app.example"}},
	}
	var entity *store.MCPToken
	entity, w.token = mint(t, "t1")
	w.store = &tokens{all: []*store.MCPToken{entity}}
	var err error
	if w.verifier, err = token.New(t.Context(), w.store, token.Options{}); err != nil {
		t.Fatal(err)
	}
	conn, file, err := pipe.New("calls")
	if err != nil {
		t.Fatal(err)
	}
	child, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	w.link = hop.NewLink(conn)
	done := make(chan struct{})
	go func() { defer close(done); _ = hop.Serve(context.Background(), child, w.peer, 8) }()
	t.Cleanup(func() { w.link.Close(); <-done })
	w.front = New(Options{
		Live: w.link, Verifier: w.verifier, Recorder: w.log,
		ClientIP: clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Settings: func() Settings { w.mu.Lock(); defer w.mu.Unlock(); return w.settings },
	})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { defer close(ran); w.front.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ran })
	s := httptest.NewServer(w.front)
	t.Cleanup(s.Close)
	w.url, w.addr = s.URL+"/mcp", s.Listener.Addr().String()
	return w
}

const call = `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"top","arguments":{"n":1}}}`

// post sends a request; headers come in pairs, "-" removes one, Host sets the host.
func (w *world) post(body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	return w.send(http.MethodPost, body, headers...)
}

func (w *world) send(method, body string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+w.token)
	for i := 0; i < len(headers); i += 2 {
		switch k, v := headers[i], headers[i+1]; {
		case k == "Host":
			r.Host = v
		case v == "-":
			r.Header.Del(k)
		case r.Header.Get(k) != "" && k == "Authorization" && strings.HasPrefix(v, "+"):
			r.Header.Add(k, v[1:])
		default:
			r.Header.Set(k, v)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	for n := 0; n < 5 && len(body) > MaxBody && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)); n++ {
		r.Body, _ = r.GetBody() // a long body that is refused may be cut off before its sender has read the answer
		resp, err = http.DefaultClient.Do(r)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(b)
}

func TestDoor(t *testing.T) {
	w := newWorld(t)
	_, other := mint(t, "unknown")
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
		header  [2]string
	}{
		{"good", nil, 200, [2]string{"Content-Type", "application/json"}},
		{"scheme in any case", []string{"Authorization", "bEARER " + w.token}, 200, [2]string{}},
		// case 137
		{"rebound host", []string{"Host", "evil.example"}, 421, [2]string{}},
		{"known host", []string{"Host", "Studio.Example:8443"}, 200, [2]string{}},
		{"localhost", []string{"Host", "localhost:3000"}, 200, [2]string{}},
		{"IPv6 literal", []string{"Host", "[::1]:3000"}, 200, [2]string{}},
		{"foreign origin", []string{"Origin", "https://evil.example"}, 403, [2]string{}},
		{"null origin", []string{"Origin", "null"}, 403, [2]string{}},
		{"own origin", []string{"Origin", "http://" + w.addr}, 200, [2]string{"Access-Control-Allow-Origin", ""}},
		{"own host, other port", []string{"Origin", "http://127.0.0.1:1"}, 403, [2]string{}},
		{"listed origin", []string{"Origin", "https://app.example"}, 200, [2]string{"Access-Control-Allow-Origin", "https://app.example"}},
		{"origin with a path", []string{"Origin", "https://app.example/"}, 403, [2]string{}},
		{"foreign origin and host", []string{"Origin", "https://evil.example", "Host", "evil.example"}, 421, [2]string{}},
		{"no token", []string{"Authorization", "-"}, 401, [2]string{"Www-Authenticate", `Bearer realm="MCP Studio"`}},
		{"other scheme", []string{"Authorization", "Basic " + w.token}, 401, [2]string{"Www-Authenticate", `Bearer realm="MCP Studio"`}},
		{"unknown token", []string{"Authorization", "Bearer " + other}, 401, [2]string{"Www-Authenticate", challengeInvalid}},
		{"token with a tail", []string{"Authorization", "Bearer " + w.token + " x"}, 401, [2]string{"Www-Authenticate", challengeInvalid}},
		{"two headers", []string{"Authorization", "+Bearer " + w.token}, 401, [2]string{"Www-Authenticate", `Bearer realm="MCP Studio"`}},
		{"a session cookie is no token", []string{"Authorization", "-", "Cookie", "studio_session=x"}, 401, [2]string{}}, // case 71
		{"text", []string{"Content-Type", "text/plain"}, 415, [2]string{}},
		{"no type", []string{"Content-Type", "-"}, 415, [2]string{}},
		{"charset", []string{"Content-Type", "application/json; charset=UTF-8"}, 200, [2]string{}},
		{"other charset", []string{"Content-Type", "application/json; charset=utf-16"}, 415, [2]string{}},
		{"compressed", []string{"Content-Encoding", "gzip"}, 415, [2]string{}}, // case 75
		{"any accept", []string{"Accept", "text/html"}, 200, [2]string{}},
		{"a session id is ignored", []string{"Mcp-Session-Id", "guess"}, 200, [2]string{"Mcp-Session-Id", ""}}, // case 138
	} {
		before := w.peer.calls()
		resp, body := w.post(call, tt.headers...)
		if resp.StatusCode != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.name, resp.StatusCode, body, tt.status)
			continue
		}
		if k := tt.header[0]; k != "" && resp.Header.Get(k) != tt.header[1] {
			t.Errorf("%s: %s is %q, want %q", tt.name, k, resp.Header.Get(k), tt.header[1])
		}
		if strings.Contains(resp.Header.Get("Www-Authenticate"), "resource_metadata") {
			t.Errorf("%s: the challenge would start OAuth discovery", tt.name)
		}
		if reached := w.peer.calls() > before; reached != (tt.status == 200) {
			t.Errorf("%s: status %d, yet reached the child: %v", tt.name, tt.status, reached)
		}
		if tt.status != 200 && tt.status != 421 && !json.Valid([]byte(body)) {
			t.Errorf("%s: the error is not JSON: %s", tt.name, body)
		}
	}
}

func TestMethods(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"GET", "DELETE", "PUT", "HEAD", "TRACE", "PATCH"} {
		resp, _ := w.send(method, "", "Authorization", "-")
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST, OPTIONS" {
			t.Errorf("%s: got %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

// TestPreflight: browsers may send the MCP headers.
func TestPreflight(t *testing.T) {
	w := newWorld(t)
	resp, _ := w.send("OPTIONS", "", "Authorization", "-", "Origin", "https://app.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, mcp-method, mcp-param-city, x-evil, mcp-param-a b")
	allowed := strings.ToLower(resp.Header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-city"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("%s is not allowed: %s", name, allowed)
		}
	}
	if strings.Contains(allowed, "evil") || strings.Contains(allowed, "a b") {
		t.Errorf("too much is allowed: %s", allowed)
	}
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	resp, _ = w.send("OPTIONS", "", "Authorization", "-", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	if resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign origin got %d %v", resp.StatusCode, resp.Header)
	}
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	modern := []string{"Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "top"}
	for _, tt := range []struct {
		name    string
		body    string
		headers []string
		status  int
		want    string // part of the body
	}{
		{"call", call, nil, 200, `"args":"{\"n\":1}"`},
		{"string id", `{"jsonrpc":"2.0","id":"a","method":"ping"}`, nil, 200, `"id":"a"`},
		{"large id keeps its digits", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, nil, 200, `"id":9007199254740993`},
		{"modern call", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"top","arguments":{},` + meta + `}}`, modern, 200, `"modern":true`},
		{"modern, other name in the header", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop",` + meta + `}}`, modern, 400, `-32020`},
		{"modern, no header", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"top",` + meta + `}}`, nil, 400, `-32020`}, // case 145
		{"unknown legacy version", call, []string{"Mcp-Protocol-Version", "1999-01-01"}, 400, `"supported"`},
		{"notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ``},
		{"foreign cancel", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`, nil, 202, ``}, // case 139
		{"legacy response", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, 202, ``},
		{"modern response", `{"jsonrpc":"2.0","id":1,"result":{}}`, []string{"Mcp-Protocol-Version", "2026-07-28"}, 400, `-32600`},
		{"batch", `[` + call + `]`, nil, 400, `-32600`},
		{"garbage", `{"jsonrpc"`, nil, 400, `-32700`},
		{"empty", ``, nil, 400, `-32700`},
		{"two keys", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`, nil, 400, `error`}, // case 74
		{"another case", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, nil, 400, `error`},
		{"null id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, nil, 400, `-32600`},
	} {
		before := w.peer.calls()
		resp, body := w.post(tt.body, tt.headers...)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s, want %d with %s", tt.name, resp.StatusCode, body, tt.status, tt.want)
		}
		if tt.status == 202 && body != "" {
			t.Errorf("%s: 202 has a body: %s", tt.name, body)
		}
		if reached := w.peer.calls() > before; reached != (tt.status == 200) {
			t.Errorf("%s: reached the child: %v", tt.name, reached)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	w := newWorld(t)
	fill := func(n int) string {
		const head, tail = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"top","arguments":{"s":"`, `"}}}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	if resp, body := w.post(fill(MaxBody)); resp.StatusCode != 200 {
		t.Errorf("4 MiB: got %d %.200s", resp.StatusCode, body)
	}
	if resp, body := w.post(fill(MaxBody + 1)); resp.StatusCode != 413 || !strings.Contains(body, "4 MiB") {
		t.Errorf("4 MiB and a byte: got %d %.200s", resp.StatusCode, body)
	}
	// What the door lets in has room behind it, whoever sends it.
	entity, token := mint(t, strings.Repeat("2", 36))
	entity.Name = strings.Repeat("n", 100)
	w.store.set(entity)
	w.verifier.Changed(store.Change{EntityType: store.KindMCPToken})
	prompt := strings.NewReplacer("tools/call", "prompts/get", `"s":"x`, `"s":"`).Replace(fill(MaxBody))
	if resp, body := w.post(prompt, "Authorization", "Bearer "+token); resp.StatusCode != 200 || !strings.Contains(body, `"result"`) {
		t.Errorf("a prompt of %d bytes: got %d %.200s", len(prompt), resp.StatusCode, body)
	}
	w.token = token
	// case 75: no length announced
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.url, io.MultiReader(strings.NewReader(fill(MaxBody)), strings.NewReader("  ")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("chunked: got %d", resp.StatusCode)
	}
}

func TestRevokedTokenIsDead(t *testing.T) {
	w := newWorld(t)
	if resp, _ := w.post(call); resp.StatusCode != 200 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	w.store.set()
	w.verifier.Changed(store.Change{EntityType: store.KindMCPToken, EntityID: "t1"})
	if resp, _ := w.post(call); resp.StatusCode != 401 {
		t.Errorf("a revoked token got %d", resp.StatusCode)
	}
}

// TestAuthModes: no mode that cannot be checked lets anybody in (cases 127, 129).
func TestAuthModes(t *testing.T) {
	w := newWorld(t)
	for _, mode := range []store.AuthType{store.AuthOAuth, store.AuthIntrospection, "", "nonesuch"} {
		w.set(func(s *Settings) { s.AuthType = mode })
		if resp, body := w.post(call); resp.StatusCode != 503 {
			t.Errorf("%q: got %d %s", mode, resp.StatusCode, body)
		}
	}
	w.set(func(s *Settings) { s.AuthType = store.AuthNone })
	if resp, body := w.post(call, "Authorization", "-"); resp.StatusCode != 200 || !strings.Contains(body, `"principal":"none"`) {
		t.Errorf("none: got %d %s", resp.StatusCode, body)
	}
	w.set(func(s *Settings) { s.AuthType = store.AuthBearer })
	if resp, _ := w.post(call, "Authorization", "-"); resp.StatusCode != 401 {
		t.Errorf("back to bearer: got %d", resp.StatusCode)
	}
}

func TestAllowedNames(t *testing.T) {
	w := newWorld(t)
	limited, text := mint(t, "t2")
	limited.Tools, limited.Prompts = &[]string{"b", "a"}, &[]string{}
	w.store.set(limited)
	w.verifier.Changed(store.Change{EntityType: store.KindMCPToken})
	resp, body := w.post(call, "Authorization", "Bearer "+text)
	var got struct {
		Result struct{ Allowed, Principal string }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 {
		t.Fatalf("got %d %s", resp.StatusCode, body)
	}
	if want := `{"tools":["a","b"],"prompts":[]}`; got.Result.Allowed != want || got.Result.Principal != "t2" {
		t.Errorf("got %+v, want %s", got.Result, want)
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t)
	second, text := mint(t, "t2")
	first, _ := w.store.MCPTokens(t.Context())
	w.store.set(append(first, second)...)
	w.verifier.Changed(store.Change{EntityType: store.KindMCPToken})
	w.set(func(s *Settings) { s.RateLimit = 5 })
	for i := range 5 {
		if resp, _ := w.post(call); resp.StatusCode != 200 {
			t.Fatalf("call %d: got %d", i, resp.StatusCode)
		}
	}
	resp, body := w.post(call)
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "-31002") {
		t.Errorf("the sixth: got %d %s", resp.StatusCode, body)
	}
	if resp, _ := w.post(call, "Authorization", "Bearer "+text); resp.StatusCode != 200 {
		t.Errorf("another token: got %d", resp.StatusCode)
	}
	w.set(func(s *Settings) { s.AuthType = store.AuthNone })
	for i := range 6 {
		want := map[bool]int{true: 200, false: 429}[i < 5]
		if resp, _ := w.post(call, "X-Forwarded-For", fmt.Sprintf("2001:db8::%d", i)); resp.StatusCode != want {
			t.Errorf("mode none, call %d: got %d, want %d", i, resp.StatusCode, want)
		}
	}
	if resp, _ := w.post(call, "X-Forwarded-For", "2001:db8:1::1"); resp.StatusCode != 200 {
		t.Errorf("another /64: got %d", resp.StatusCode)
	}
}

// TestUnavailable: the server's end has gone, or there is none.
func TestUnavailable(t *testing.T) {
	w := newWorld(t)
	w.front.o.Live = stopped{}
	resp, body := w.post(call)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "10" || !strings.Contains(body, "press Deploy") || !strings.Contains(body, "-31000") || !strings.Contains(body, `"id":7`) {
		t.Errorf("stopped: got %d %s %s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
	}
	w.front.o.Live = w.link
	w.link.Close()
	if resp, body := w.post(call); resp.StatusCode != 500 || strings.Contains(body, "link") {
		t.Errorf("broken link: got %d %s", resp.StatusCode, body)
	}
}

// stopped answers like a supervisor with nothing deployed.
type stopped struct{}

func (stopped) Call(context.Context, *hop.Request, *hop.Reply) error {
	return &store.Error{Code: store.Unavailable, Retry: 10, Message: "No revision is deployed yet: press Deploy in the studio."}
}

type panicking struct{}

func (panicking) Call(context.Context, *hop.Request, *hop.Reply) error { panic("secret detail") }

func TestPanic(t *testing.T) {
	w := newWorld(t)
	w.front.o.Live = panicking{}
	resp, body := w.post(call)
	if resp.StatusCode != 500 || strings.Contains(body, "secret") || !strings.Contains(body, `"id":7`) {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

// TestDisconnect: a client that goes away ends its call.
func TestDisconnect(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", w.url, strings.NewReader(strings.Replace(call, "top", "slow", 1)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.token)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := http.DefaultClient.Do(r); err == nil {
			resp.Body.Close()
			t.Error("the request was answered")
		}
	}()
	for w.peer.calls() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
	select {
	case <-w.peer.stopped:
	case <-time.After(time.Minute):
		t.Fatal("the call went on")
	}
	if got := w.log.wait(t, 1)[0]; got.Status != 499 || got.Code != "cancelled" {
		t.Errorf("recorded %+v", got)
	}
}

// TestHalfClosed: a client that closes its side of the connection and still reads learns that this ended its call; an empty success
// would be a lie.
func TestHalfClosed(t *testing.T) {
	w := newWorld(t)
	slow := strings.Replace(call, "top", "slow", 1)
	c := w.dial(w.head(len(slow)) + slow)
	for w.peer.calls() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 499 || !resp.Close || !strings.Contains(string(body), `"id":7,"error"`) || !strings.Contains(string(body), "closed") {
		t.Errorf("got %d %s %v", resp.StatusCode, body, err)
	}
	if got := w.log.wait(t, 1)[0]; got.Status != 499 || got.Code != "cancelled" {
		t.Errorf("recorded %+v", got)
	}
}

func TestTooLargeAnswer(t *testing.T) {
	w := newWorld(t)
	resp, body := w.post(strings.Replace(call, "top", "huge", 1))
	if resp.StatusCode != 200 || !strings.Contains(body, "too large") {
		t.Errorf("got %d %.200s", resp.StatusCode, body)
	}
}
