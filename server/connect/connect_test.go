package connect

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// remoteServer is an MCP endpoint that answers as the test says.
func remoteServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/mcp"
}

// echo answers a request with its headers.
func echo(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     json.RawMessage
		Method string
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &m)
	if m.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	headers := map[string]string{"protocolVersion": "2025-06-18"}
	for _, k := range []string{"Authorization", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name"} {
		headers[k] = r.Header.Get(k)
	}
	out, _ := json.MarshalIndent(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": headers}, "", " ")
	_, _ = w.Write(out)
}

// run bridges lines and returns the answers by id.
func run(t *testing.T, o Options, lines ...string) map[string]map[string]any {
	t.Helper()
	var out strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := Bridge(ctx, strings.NewReader(strings.Join(lines, "\n")+"\n"), &out, o); err != nil {
		t.Fatalf("bridge: %v", err)
	}
	answers := map[string]map[string]any{}
	for line := range strings.Lines(out.String()) {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("not one JSON message a line: %q", line)
		}
		answers[fmt.Sprint(a["id"])] = a
	}
	return answers
}

func errorOf(a map[string]any) string {
	e, _ := a["error"].(map[string]any)
	return fmt.Sprint(e["code"], " ", e["message"])
}

func TestBridgeHeaders(t *testing.T) {
	target := remoteServer(t, echo)
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	got := run(t, Options{URL: target, Token: "secret"},
		`{"jsonrpc":"2.0","id":"m1","method":"tools/call","params":{"name":"top","arguments":{},`+meta+`}}`,
		`{"jsonrpc":"2.0","id":"m2","method":"resources/read","params":{"uri":"shop://käse",`+meta+`}}`,
		`{"jsonrpc":"2.0","id":"m3","method":"tools/list","params":{`+meta+`}}`,
		`{"jsonrpc":"2.0","id":"l1","method":"tools/call","params":{"name":"top"}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	want := map[string][3]string{
		"m1": {"2026-07-28", "tools/call", "top"},
		"m2": {"2026-07-28", "resources/read", "=?base64?" + base64.StdEncoding.EncodeToString([]byte("shop://käse")) + "?="},
		"m3": {"2026-07-28", "tools/list", ""},
		"l1": {"", "", ""},
	}
	if len(got) != len(want) {
		t.Errorf("%d answers, want %d: %v", len(got), len(want), got)
	}
	for id, w := range want {
		r, _ := got[id]["result"].(map[string]any)
		if r["Mcp-Protocol-Version"] != w[0] || r["Mcp-Method"] != w[1] || r["Mcp-Name"] != w[2] || r["Authorization"] != "Bearer secret" {
			t.Errorf("%s: %v, want %v", id, r, w)
		}
	}
}

// TestBridgeVersion: after initialize every message carries what was agreed.
func TestBridgeVersion(t *testing.T) {
	target := remoteServer(t, echo)
	in, client := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Bridge(t.Context(), in, out, Options{URL: target}) }()
	lines := bufio.NewScanner(answers)
	say := func(line string) string {
		if _, err := io.WriteString(client, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal("no answer")
		}
		return lines.Text()
	}
	say(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`)
	if got := say(`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`); !strings.Contains(got, `"Mcp-Protocol-Version":"2025-06-18"`) {
		t.Errorf("got %s", got)
	}
	client.Close()
	if err := <-done; err != nil {
		t.Errorf("at the end of the input: %v", err)
	}
}

func TestBridgeErrors(t *testing.T) {
	answer := func(status int, body string) string {
		return remoteServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String() + "/mcp"
	l.Close()
	const ping = `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`
	for _, tt := range []struct{ name, url, want string }{
		{"refused before the id was read", answer(401, `{"jsonrpc":"2.0","id":null,"error":{"code":-31001,"message":"no token"}}`), "-31001 no token"},
		{"refused without a body", answer(401, ""), "-31001 The server did not accept"},
		{"redirect", answer(307, ""), "-31000 The server answers from another address"},
		{"a web page", answer(200, "<html>"), "-31000 What answers"},
		{"another id", answer(200, `{"jsonrpc":"2.0","id":8,"result":{}}`), "-31000 What answers"},
		{"nobody", closed, "-31000 The server at"},
	} {
		got := run(t, Options{URL: tt.url, Token: "sentinel-token"}, ping, `{"jsonrpc":"2.0","method":"notifications/x"}`)
		if len(got) != 1 || !strings.HasPrefix(errorOf(got["9.007199254740992e+15"]), tt.want) {
			t.Errorf("%s: %v", tt.name, got)
		}
		if strings.Contains(fmt.Sprint(got), "sentinel") {
			t.Errorf("%s: the token is in %v", tt.name, got)
		}
	}
	got := run(t, Options{URL: closed}, `garbage`)
	if errorOf(got["<nil>"]) != "-32700 The line is not a JSON-RPC message." {
		t.Errorf("garbage: %v", got)
	}
	got = run(t, Options{URL: closed}, `[`+ping+`]`)
	if !strings.HasPrefix(errorOf(got["<nil>"]), "-32600") {
		t.Errorf("batch: %v", got)
	}
	for _, bad := range []string{"", "ftp://x/", "http://", "https://user:pw@host/mcp", "://"} {
		if err := Bridge(t.Context(), strings.NewReader(""), io.Discard, Options{URL: bad}); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("the URL %q: %v", bad, err)
		}
	}
	if err := Bridge(t.Context(), strings.NewReader(""), io.Discard, Options{URL: closed, Token: "a\r\nX: y"}); err == nil {
		t.Error("a token with a line break was taken")
	}
}

// TestBridgeConcurrent: a slow call does not hold up others; requests of one id keep
// their order; a cancelled one is closed and not answered.
func TestBridgeConcurrent(t *testing.T) {
	release, arrived, closed := make(chan struct{}), make(chan struct{}, 2), make(chan struct{}, 1)
	var mu sync.Mutex
	var order []string
	target := remoteServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		switch {
		case strings.Contains(string(body), `"slow"`):
			arrived <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
				closed <- struct{}{}
				return
			}
		case strings.Contains(string(body), `"same"`):
			if strings.Contains(string(body), "first") {
				time.Sleep(50 * time.Millisecond)
			}
			mu.Lock()
			order = append(order, string(body))
			mu.Unlock()
		}
		echo(w, r)
	})
	in, client := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Bridge(t.Context(), in, out, Options{URL: target}) }()
	lines := bufio.NewScanner(answers)
	write := func(line string) {
		if _, err := io.WriteString(client, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	expect := func(id string) {
		t.Helper()
		if !lines.Scan() || !strings.Contains(lines.Text(), `"id":`+id+`,`) {
			t.Fatalf("got %s, want the answer to %s", lines.Text(), id)
		}
	}
	write(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}`)
	write(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}}`)
	write(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"fast"}}`)
	expect("3")
	// What is cancelled before it was sent never reaches the server, so both must be there.
	for range 2 {
		select {
		case <-arrived:
		case <-time.After(30 * time.Second):
			t.Fatal("a slow call did not arrive")
		}
	}
	write(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Fatal("the cancelled request went on")
	}
	write(`{"jsonrpc":"2.0","id":"same","method":"tools/call","params":{"name":"first"}}`)
	write(`{"jsonrpc":"2.0","id":"same","method":"tools/call","params":{"name":"second"}}`)
	expect(`"same"`)
	expect(`"same"`)
	mu.Lock()
	if len(order) != 2 || !strings.Contains(order[0], "first") {
		t.Errorf("order %v", order)
	}
	mu.Unlock()
	close(release)
	expect("1")
	client.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestBridgeEnds: with its context, and when the client does not read any more.
func TestBridgeEnds(t *testing.T) {
	target := remoteServer(t, echo)
	ctx, cancel := context.WithCancel(t.Context())
	in, client := io.Pipe()
	defer client.Close()
	done := make(chan error, 1)
	go func() { done <- Bridge(ctx, in, io.Discard, Options{URL: target}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	gone, out := io.Pipe()
	gone.Close()
	in, client = io.Pipe()
	go func() { done <- Bridge(t.Context(), in, out, Options{URL: target}) }()
	if _, err := io.WriteString(client, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if got, err := ReadToken(write("good", " tok \n", 0o600)); err != nil || got != "tok" {
		t.Errorf("got %q %v", got, err)
	}
	for name, path := range map[string]string{
		"open": write("open", "sentinel", 0o644), "empty": write("empty", "\n", 0o600), "two": write("two", "sentinel\nb", 0o600), "missing": filepath.Join(dir, "missing"),
	} {
		if got, err := ReadToken(path); err == nil || got != "" || strings.Contains(err.Error(), "sentinel") {
			t.Errorf("%s: got %q %v", name, got, err)
		}
	}
}

func TestSnippets(t *testing.T) {
	g, err := Snippets(Setup{URL: "https://studio.example/mcp", ServerName: "My Shop's <Server>!", Auth: true})
	if err != nil {
		t.Fatal(err)
	}
	const name = "my-shop-s-server"
	ids := []string{}
	for _, c := range g.Clients {
		ids = append(ids, c.ID)
		holds := false
		for _, s := range c.Snippets {
			holds = holds || strings.Contains(s.Code+s.Note, Placeholder)
			if s.Paths == nil {
				t.Errorf("%s: paths is null in JSON", c.ID)
			}
			if s.Language == "json" && !json.Valid([]byte(s.Code)) {
				t.Errorf("%s: not JSON: %s", c.ID, s.Code)
			}
			if s.Language == "shell" {
				if out, err := exec.Command("sh", "-n", "-c", s.Code).CombinedOutput(); err != nil {
					t.Errorf("%s: %s: %s", c.ID, s.Code, out)
				}
			}
		}
		if !holds {
			t.Errorf("%s does not say where the token goes", c.ID)
		}
	}
	if got := strings.Join(ids, " "); got != "claude-code claude-desktop cursor vscode other" {
		t.Errorf("clients: %s", got)
	}
	if want := `claude mcp add --transport http ` + name + ` 'https://studio.example/mcp' --header "Authorization: Bearer {{TOKEN}}"`; g.Clients[0].Snippets[0].Code != want {
		t.Errorf("claude code: %s", g.Clients[0].Snippets[0].Code)
	}
	desktop := g.Clients[1].Snippets[1].Code
	if !strings.Contains(desktop, `"--token-file"`) || strings.Contains(desktop, Placeholder) { // never a token in arguments
		t.Errorf("claude desktop: %s", desktop)
	}
	link, err := url.Parse(*g.Clients[2].DeepLink)
	if err != nil {
		t.Fatal(err)
	}
	config, err := base64.StdEncoding.DecodeString(link.Query().Get("config"))
	if want := `{"url":"https://studio.example/mcp","headers":{"Authorization":"Bearer ${env:STUDIO_MCP_TOKEN}"}}`; err != nil || string(config) != want || link.Query().Get("name") != name {
		t.Errorf("cursor link: %s %v", config, err)
	}
	raw, ok := strings.CutPrefix(*g.Clients[3].DeepLink, "vscode:mcp/install?")
	text, err := url.PathUnescape(raw)
	var entry remote
	if err != nil || !ok || json.Unmarshal([]byte(text), &entry) != nil || entry.Name != name || entry.Headers["Authorization"] != "Bearer ${input:mcp-token}" || len(entry.Inputs) != 1 || !entry.Inputs[0].Password {
		t.Errorf("vscode link: %s %v", text, err)
	}
	if strings.Contains(g.Clients[3].Snippets[0].Code, Placeholder) {
		t.Error("VS Code's file would hold the token")
	}
}

func TestSnippetsWarnings(t *testing.T) {
	for _, tt := range []struct {
		url  string
		auth bool
		want []string
	}{
		{"http://127.0.0.1:3000/mcp", true, []string{"this computer only"}},
		{"http://localhost:3000/mcp", false, []string{"this computer only"}},
		{"http://studio.example/mcp", true, []string{"not encrypted"}},
		{"http://studio.example/mcp", false, []string{"not encrypted", "no token"}},
		{"https://studio.example/mcp", false, []string{"no token"}},
		{"https://studio.example/mcp", true, nil},
	} {
		g, err := Snippets(Setup{URL: tt.url, Auth: tt.auth})
		if err != nil || len(g.Warnings) != len(tt.want) {
			t.Errorf("%s: %v %v", tt.url, g.Warnings, err)
			continue
		}
		for i, w := range tt.want {
			if !strings.Contains(g.Warnings[i], w) {
				t.Errorf("%s: %s", tt.url, g.Warnings[i])
			}
		}
		if !tt.auth {
			for _, c := range g.Clients {
				for _, s := range c.Snippets {
					if strings.Contains(s.Code, "TOKEN") || strings.Contains(s.Code, "oken-file") {
						t.Errorf("%s asks for a token: %s", c.ID, s.Code)
					}
				}
			}
		}
	}
	for _, bad := range []string{"", "studio.example/mcp", "file:///mcp"} {
		if _, err := Snippets(Setup{URL: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	quoted, err := Snippets(Setup{URL: "https://studio.example/mcp?a='$(x)'", Auth: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := quoted.Clients[0].Snippets[0].Code; !strings.Contains(got, `'https://studio.example/mcp?a='\''$(x)'\'''`) {
		t.Errorf("quoting: %s", got)
	}
}
