package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"mcpstudio/server/op"
)

// TestHostileRequests sends mutated requests to every route, as the admin and as nobody, from one seed: nothing panics, no answer is a
// 5xx but a declared 503, and in the end no goroutine and no descriptor is left over. STUDIO_VERIFY=1 sends 100,000 instead of 5,000.
// cases 72, 73, 74, 77, 78
func TestHostileRequests(t *testing.T) {
	needChild(t)
	n := 5_000
	if os.Getenv("STUDIO_VERIFY") != "" {
		n = 100_000
	}
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err != nil || l.Close() != nil { // the runtime's own descriptors come with the first socket and stay
		t.Fatal(err)
	}
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	t.Run("requests", func(t *testing.T) { attack(t, n) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		g, f := runtime.NumGoroutine(), descriptors(t)
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors, %d and %d before", g, f, goroutines, files)
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func attack(t *testing.T, n int) {
	w := newWorld(t).signIn()
	transport := &http.Transport{MaxIdleConns: 4}
	defer transport.CloseIdleConnections()
	w.client.Transport = transport
	const seed = 20261123
	m := newMutator(w, rand.New(rand.NewPCG(seed, 1)))
	counts := map[int]int{}
	var slowest time.Duration
	for i := range n {
		q := m.request()
		began := time.Now()
		status, body := m.send(q)
		if status == 0 && q.raw == nil { // the connection was one that the answer before had closed: net/http sends a body only once
			transport.CloseIdleConnections()
			status, body = m.send(q)
		}
		took := time.Since(began)
		slowest = max(slowest, took)
		counts[status]++
		protocol := q.raw != nil && (status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported)                 // net/http's own words
		if status >= 500 && status != http.StatusServiceUnavailable && !protocol || status == 0 && q.raw == nil && len(q.body) < 64<<10 { // a longer body may still be on its way when it is refused and the connection closed
			t.Errorf("request %d of seed %d: %s\ngot %d after %s: %.2000s", i, seed, q, status, took, body)
		}
	}
	if i := strings.Index(w.logs.String(), `"status":500`); t.Failed() && i >= 0 { // why, in the words of the log: the first ones count
		log := w.logs.String()
		t.Logf("the log about the first 500: %.4000s", log[max(0, i-2000):])
	}
	if log := w.logs.String(); strings.Contains(log, "panicked") {
		_, after, _ := strings.Cut(log, "panicked")
		t.Errorf("a request panicked: %.2000s", after)
	}
	for _, status := range []int{200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422} { // else the requests are not what they are meant to be
		if counts[status] == 0 {
			t.Errorf("no request got %d: %v", status, counts)
		}
	}
	t.Logf("%d requests, by status %v, the slowest took %s", n, counts, slowest)
}

// hostile is one request.
type hostile struct {
	method, path string
	header       http.Header
	body         []byte
	raw          []byte // instead: bytes for the connection
}

func (h hostile) String() string {
	if h.raw != nil {
		return fmt.Sprintf("raw %.400q", h.raw)
	}
	return fmt.Sprintf("%s %.300q %v %.600q", h.method, h.path, h.header, h.body)
}

// mutator makes requests that are nearly right.
type mutator struct {
	w      *world
	r      *rand.Rand
	routes []string
	inputs map[string]*jsonschema.Schema // by route
	ids    []string                      // of things that exist
}

func newMutator(w *world, r *rand.Rand) *mutator {
	m := &mutator{w: w, r: r, routes: w.routes(), inputs: map[string]*jsonschema.Schema{}}
	slices.Sort(m.routes) // the router's own order is not the same twice
	for _, o := range w.studio.Ops() {
		m.inputs[o.Method()+" /api/v1"+o.Path()] = o.In
	}
	sample := w.do(http.MethodPost, "/api/v1/sample", nil).want(http.StatusCreated)
	var made map[string]json.RawMessage
	if err := json.Unmarshal(sample.body, &made); err != nil {
		w.t.Fatal(err)
	}
	w.settled()
	for _, path := range []string{"connections", "tools", "resources", "prompts", "mcp-tokens"} {
		if path == "mcp-tokens" {
			w.do(http.MethodPost, "/api/v1/mcp-tokens", entity{"name": "hostile"}).want(http.StatusCreated)
		}
		var page struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
		}
		if err := json.Unmarshal(w.do(http.MethodGet, "/api/v1/"+path, nil).want(http.StatusOK).body, &page); err != nil {
			w.t.Fatal(err)
		}
		for _, i := range page.Items {
			m.ids = append(m.ids, i.ID)
		}
	}
	return m
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// chance is true once in n.
func (m *mutator) chance(n int) bool { return m.r.IntN(n) == 0 }

// nasty is text that has broken something, somewhere.
func (m *mutator) nasty() string {
	return pick(m.r, []string{
		"", " ", "x", "0", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e400", "NaN", "null", "true", "[]", "{}", "•••••", "••••••",
		"1 OR 1=1", "'; DROP TABLE tools; --", "name;DROP", "-name", "%", "_", "%00", "a\x00b", "\r\nSet-Cookie: x=y", "\x1b[2J", "../../etc/passwd", "..\\..\\x", "/", ".", "..",
		"\u202e", "\u200b\u200b", "ﷺ", "İ", "ß", "\U0001F600", "\uFFFD", "\xff\xfe", "\xed\xa0\x80", "${jndi:x}", "{{7*7}}", "<script>", "javascript:alert(1)", "file:///etc/passwd",
		"127.0.0.1", "::1", "localhost", "http://[::1", "https://*.a", "SELECT 1", "SELECT :a", "SELECT 'x", "SELECT $$", "/*", "--", ".[", "{param}", "{{", "data://{a}/{b}",
		strings.Repeat("a", 300), strings.Repeat("é", 5000), strings.Repeat("(", 3000), strings.Repeat("x", 200_000),
		"00000000-0000-0000-0000-000000000000", "postgresql", "sqlite", "sample.db", "../studio.db", "2026-13-45T99:99:99Z", "text/html",
	})
}

// number is the spelling of a number that is at some edge.
func (m *mutator) number() string {
	return pick(m.r, []string{"0", "1", "-1", "5", "100", "101", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e400", "1e-400", "-0", "0.1", "1.0", "1E2", "65536"})
}

// value writes JSON that fits the schema, now and then something else.
func (m *mutator) value(s *jsonschema.Schema, depth int) string {
	if s == nil || m.chance(25) {
		return m.anything(depth)
	}
	kind := s.Type
	if len(s.Types) > 0 {
		kind = pick(m.r, s.Types)
	}
	switch kind {
	case "string":
		if len(s.Enum) > 0 && !m.chance(10) {
			return quoted(fmt.Sprint(pick(m.r, s.Enum)))
		}
		if m.chance(3) {
			return quoted(pick(m.r, m.ids))
		}
		return m.text()
	case "integer", "number":
		return m.number()
	case "boolean":
		return pick(m.r, []string{"true", "false"})
	case "array":
		var items []string
		for range m.r.IntN(4) {
			items = append(items, m.value(s.Items, depth+1))
		}
		return "[" + strings.Join(items, ",") + "]"
	case "object":
		return m.object(s, depth)
	}
	return m.anything(depth)
}

func (m *mutator) object(s *jsonschema.Schema, depth int) string {
	var members []string
	for _, name := range s.PropertyOrder {
		if m.chance(3) {
			continue
		}
		if m.chance(60) {
			name = strings.ToUpper(name)
		}
		member := quoted(name) + ":" + m.value(s.Properties[name], depth+1)
		members = append(members, member)
		if m.chance(60) {
			members = append(members, member) // twice
		}
	}
	if m.chance(20) {
		members = append(members, m.text()+":"+m.anything(depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (m *mutator) anything(depth int) string {
	switch m.r.IntN(8) {
	case 0:
		return "null"
	case 1:
		return m.number()
	case 2:
		return "[" + m.text() + "]"
	case 3:
		return `{"id":` + m.text() + `}`
	case 4:
		n := m.r.IntN(200)
		return strings.Repeat("[", n) + strings.Repeat("]", n)
	case 5:
		return pick(m.r, []string{`"\ud800"`, `"\udc00\ud800"`, `"\u0000"`, `NaN`, `"`, `{`, `01`, `'x'`, "true"})
	}
	return m.text()
}

func (m *mutator) text() string { return quoted(m.nasty()) }

// quoted is a JSON string; bytes that are not UTF-8 stay as they are.
func quoted(s string) string {
	if !strings.ContainsAny(s, "\xff\xed") {
		b, err := json.Marshal(s)
		if err == nil {
			return string(b)
		}
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\x00", `\u0000`, "\x1b", `\u001b`).Replace(s) + `"`
}

// request makes the next one.
func (m *mutator) request() hostile {
	route := pick(m.r, m.routes)
	method, path, _ := strings.Cut(route, " ")
	h := hostile{method: method, header: http.Header{}}
	for _, name := range (op.Op{Route: route}).PathParams() {
		v := pick(m.r, m.ids)
		if m.chance(3) {
			v = m.nasty()
		}
		path = strings.Replace(path, "{"+name+"}", escape(v), 1)
	}
	h.path = path
	if m.chance(3) && route != "POST /api/v1/auth/logout" || m.chance(40) {
		h.path += "?" + m.query(m.inputs[route])
	}
	if m.chance(50) {
		h.path += m.nasty()
	}
	if m.chance(30) {
		h.method = pick(m.r, []string{"GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD", "TRACE", "BREW"})
	}
	if h.method != http.MethodGet && h.method != http.MethodHead && !m.chance(20) {
		h.body = m.body(m.inputs[route])
	}
	m.headers(&h, route)
	if m.chance(25) {
		h.raw = m.rawBytes(h)
	}
	return h
}

func escape(v string) string {
	var b strings.Builder
	for i := range len(v) {
		fmt.Fprintf(&b, "%%%02X", v[i])
	}
	if b.Len() > 6000 {
		return b.String()[:6000]
	}
	return b.String()
}

func (m *mutator) query(s *jsonschema.Schema) string {
	names := []string{"skip", "limit", "search", "sort", "tail", "cascade"}
	if s != nil && len(s.PropertyOrder) > 0 {
		names = append(names, s.PropertyOrder...)
	}
	var parts []string
	for range 1 + m.r.IntN(3) {
		parts = append(parts, pick(m.r, names)+"="+escape(m.nasty()))
	}
	return strings.Join(parts, "&")
}

// body is an input, whole or with a few bytes changed.
func (m *mutator) body(s *jsonschema.Schema) []byte {
	text := ""
	switch {
	case s != nil:
		text = m.object(s, 0)
	case m.chance(2):
		text = `{"username":` + m.text() + `,"password":` + m.text() + `}`
	default:
		text = `{"current_password":` + m.text() + `,"code":` + m.text() + `,"pending_token":` + m.text() + `,"is_recovery":false}`
	}
	b := []byte(text)
	if m.chance(4) {
		for range 1 + m.r.IntN(4) {
			b = m.damaged(b)
		}
	}
	if m.chance(200) {
		b = append(b, bytes.Repeat([]byte(" "), 5<<20)...)
	}
	return b
}

func (m *mutator) damaged(b []byte) []byte {
	if len(b) == 0 {
		return []byte(m.nasty())
	}
	i := m.r.IntN(len(b))
	switch m.r.IntN(4) {
	case 0:
		b[i] ^= 1 << m.r.IntN(8)
		return b
	case 1:
		return b[:i]
	case 2:
		return append(b[:i:i], append([]byte(m.nasty()), b[i:]...)...)
	}
	return append(b, b[i:]...)
}

func (m *mutator) headers(h *hostile, route string) {
	h.header.Set("Content-Type", "application/json")
	if !m.chance(12) && route != "POST /api/v1/auth/logout" && route != "DELETE /api/v1/auth/sessions/{id}" {
		h.header.Set("Cookie", m.w.cookie.Name+"="+m.w.cookie.Value)
	}
	for range m.r.IntN(3) {
		if !m.chance(4) {
			continue
		}
		name := pick(m.r, []string{
			"Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "X-Forwarded-For", "X-Forwarded-Proto", "Last-Event-ID",
			"If-None-Match", "Range", "X-Http-Method-Override", "Authorization", "Cookie", "X-Request-Id", "Upgrade", "Te",
		})
		h.header.Set(name, strings.Map(func(r rune) rune { // what the client would not send is for the raw ones
			if r < ' ' || r > '~' {
				return -1
			}
			return r
		}, fmt.Sprintf("%.2000s", m.nasty())))
	}
}

// rawBytes is the request as it goes over the wire, with a few bytes changed.
func (m *mutator) rawBytes(h hostile) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", h.method, h.path)
	for name, values := range h.header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, values[0])
	}
	length := len(h.body)
	if m.chance(5) {
		length += m.r.IntN(9) - 4
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	if m.chance(5) {
		b.WriteString(pick(m.r, []string{"Transfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n", "Content-Length: 3\r\n", " folded: x\r\n", "\n", "X: \x00\r\n", "Host: evil.example\r\n"}))
	}
	b.WriteString("\r\n")
	b.Write(h.body)
	out := b.Bytes()
	for range m.r.IntN(3) {
		out = m.damaged(out)
	}
	return out
}

// send returns the status, 0 when there was none, and what came of the body. Of streams only the beginning is read.
func (m *mutator) send(h hostile) (int, []byte) {
	if h.raw != nil {
		return m.sendRaw(h.raw)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, h.method, m.w.http.URL, bytes.NewReader(h.body))
	if err != nil {
		return 0, []byte(err.Error())
	}
	path, query, _ := strings.Cut(h.path, "?")
	if q.URL.Opaque = clean(path); strings.HasPrefix(q.URL.Opaque, "//") || m.chance(50) { // as it is, without the client's opinion of it
		q.URL.Opaque = "//" + q.URL.Host + q.URL.Opaque // the absolute form
	}
	q.URL.RawQuery = clean(query)
	q.Header = h.header
	if h.body == nil {
		q.Body, q.ContentLength = nil, 0
	}
	res, err := m.w.client.Do(q)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") == "text/event-stream" {
		return res.StatusCode, nil
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, []byte(err.Error())
	}
	return res.StatusCode, b
}

// clean takes out what no request line can hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, fmt.Sprintf("%.8000s", s))
}

func (m *mutator) sendRaw(b []byte) (int, []byte) {
	c, err := net.Dial("tcp", m.w.http.Listener.Addr().String())
	if err != nil {
		m.w.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond)) // a request that is not whole gets no answer
	if _, err := c.Write(b); err != nil {
		return 0, nil
	}
	answer, _ := io.ReadAll(io.LimitReader(c, 4096)) // what came before the deadline
	var status int
	if _, err := fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status); err != nil {
		return 0, nil
	}
	return status, answer
}
