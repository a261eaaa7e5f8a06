package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// result is an answer in a server's own way of writing it.
func result(t *testing.T, id int, structured bool, indent string, r row) []byte {
	t.Helper()
	rows := []row{r}
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	content := map[string]any{"content": []any{map[string]string{"type": "text", "text": strings.ReplaceAll(string(text), `":`, `":`+indent)}}}
	if structured {
		content["structuredContent"] = map[string]any{"rows": rows, "row_count": 1}
	}
	b, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "result": content})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A wrong answer must never count, whatever is wrong in it and however servers write their rows.
func TestCheckerFindsEveryWrongAnswer(t *testing.T) {
	for _, structured := range []bool{false, true} {
		for _, indent := range []string{"", " "} {
			var c checker
			if err := c.check(200, result(t, 2, structured, indent, rowOf(17)), 2, 17); err != nil {
				t.Fatal(err)
			}
			for id, aid := range []int{1, 99_999, 100_000, accounts} {
				if err := c.check(200, result(t, id, structured, indent, rowOf(aid)), id, aid); err != nil {
					t.Errorf("a right answer: %v", err)
				}
			}
			right := rowOf(4711)
			for what, wrong := range map[string]func(*row){
				"aid": func(r *row) { r.AID++ }, "longer aid": func(r *row) { r.AID *= 10 }, "bid": func(r *row) { r.BID++ }, "balance": func(r *row) { r.Abalance = -r.Abalance },
				"filler": func(r *row) { r.Filler = r.Filler[1:] + "0" }, "short filler": func(r *row) { r.Filler = r.Filler[1:] },
			} {
				r := right
				wrong(&r)
				if c.check(200, result(t, 5, structured, indent, r), 5, 4711) == nil {
					t.Errorf("a wrong %s counts", what)
				}
			}
			if c.check(200, result(t, 6, structured, indent, right), 5, 4711) == nil || c.check(200, result(t, 55, structured, indent, right), 5, 4711) == nil {
				t.Error("an answer to another call counts")
			}
			if c.check(500, result(t, 5, structured, indent, right), 5, 4711) == nil {
				t.Error("an answer with status 500 counts")
			}
			failed := bytes.Replace(result(t, 5, structured, indent, right), []byte(`"result":{`), []byte(`"result":{"isError":true,`), 1)
			if c.check(200, failed, 5, 4711) == nil {
				t.Error("an error counts")
			}
		}
	}
	both := result(t, 2, true, "", rowOf(17))
	var c checker
	if err := c.check(200, both, 2, 17); err != nil {
		t.Fatal(err)
	}
	mixed := bytes.Replace(both, []byte(`"aid":17`), []byte(`"aid":18`), 1)
	if bytes.Equal(mixed, both) || c.check(200, mixed, 2, 17) == nil {
		t.Error("a structured content of another row counts")
	}
}

// The first answer of a connection is read in full.
func TestCheckerLearnsFromRightAnswersOnly(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `{"id":2,"result":{"content":[]}}`, `{"id":2,"result":{"isError":true,"content":[{"type":"text","text":"no"}]}}`,
		string(result(t, 2, false, "", rowOf(18))), string(result(t, 3, false, "", rowOf(17))),
	} {
		var c checker
		if c.check(200, []byte(body), 2, 17) == nil || c.learned {
			t.Errorf("learned from %.80s", body)
		}
	}
}

func TestClientReadsBothFramings(t *testing.T) {
	for what, answer := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nMcp-Session-Id: s1\r\n\r\nhello",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMcp-Session-Id: s1\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	} {
		c := client{r: bufio.NewReader(strings.NewReader(answer + answer))}
		for range 2 {
			if status, body, err := c.answer(); status != 200 || string(body) != "hello" || err != nil || c.session != "s1" {
				t.Errorf("%s: got %d %q %v", what, status, body, err)
			}
		}
		if _, _, err := c.answer(); err != io.EOF {
			t.Errorf("%s: after the last answer: %v", what, err)
		}
	}
	for _, broken := range []string{"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		c := client{r: bufio.NewReader(strings.NewReader(broken))}
		if _, _, err := c.answer(); err == nil {
			t.Errorf("accepted %q", broken)
		}
	}
}

// What the client sends must be what net/http reads, in both eras.
func TestClientSpeaksHTTP(t *testing.T) {
	type seen struct{ Method, Name, Version, Token, Body string }
	got := make(chan seen, 4)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- seen{r.Header.Get("Mcp-Method"), r.Header.Get("Mcp-Name"), r.Header.Get("Mcp-Protocol-Version"), r.Header.Get("Authorization"), string(b)}
		io.WriteString(w, `{"result":{"protocolVersion":"2025-06-18"}}`)
	}))
	defer s.Close()
	for _, c := range []struct {
		era  era
		want seen
	}{
		{legacyEra, seen{"", "", "2025-06-18", "Bearer secret", `{"params":{"name":"x"}}`}},
		{modernEra, seen{"tools/call", "x", "2026-07-28", "Bearer secret",
			`{"params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`}},
	} {
		k, err := dial(target{addr: s.Listener.Addr().String(), era: c.era, token: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		if !c.era.modern() {
			<-got // initialize
			<-got // initialized
		}
		if status, _, err := k.post("tools/call", "x", k.params([]byte(`{`), `"name":"x"`)); status != 200 || err != nil {
			t.Fatalf("%s: %d %v", c.era, status, err)
		}
		if diff := cmp.Diff(c.want, <-got); diff != "" {
			t.Errorf("%s: %s", c.era, diff)
		}
		k.conn.Close()
	}
}

func TestParseStat(t *testing.T) {
	line := "4242 (a ) b) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 50 7 3 20 0 8 0 100 1 1\n"
	got, err := parseStat([]byte(line))
	want := stat{name: "a ) b", parent: 17, own: 2 * time.Second, waited: 100 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, broken := range []string{"", "1 (x", "1 (x) S 1 2", strings.Replace(line, " 17 ", " x ", 1)} {
		if _, err := parseStat([]byte(broken)); err == nil {
			t.Errorf("accepted %q", broken)
		}
	}
	self, err := readStat(os.Getpid())
	if err != nil || self.parent != os.Getppid() {
		t.Errorf("this process: %+v, %v", self, err)
	}
	if !slices.Contains(children(os.Getppid()), os.Getpid()) {
		t.Error("this process is not among its parent's children")
	}
	if m := memory(os.Getpid()); m < 1<<20 {
		t.Errorf("this process has %d bytes", m)
	}
}

func TestFigures(t *testing.T) {
	if m := median([]int{9, 1, 5}); m != 5 {
		t.Errorf("got %d", m)
	}
	if m := median([]int{4, 1, 3, 2}); m != 2 {
		t.Errorf("got %d", m)
	}
	drifting := func(perSec ...float64) (out []sample) {
		for _, n := range perSec {
			out = append(out, sample{perSec: n})
		}
		return out
	}
	// Each round is compared with itself: the machine slowed down, the ratio did not change.
	if r := ratio(drifting(200, 100, 20), drifting(100, 50, 10), perSec); r != "2.00" {
		t.Errorf("got %s", r)
	}
	if r := ratio(drifting(1), nil, perSec); r != "–" {
		t.Errorf("got %s", r)
	}
}

func TestWriteReplacesTheFiguresOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.md")
	text := "before\n" + beginMark + "old\n" + endMark + "after\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := write(path, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if want := "before\n" + beginMark + "\nnew\n\n" + endMark + "after\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if err := os.WriteFile(path, []byte("no marks"), 0o644); err != nil {
		t.Fatal(err)
	}
	if write(path, "new") == nil {
		t.Error("a file without marks was written")
	}
}

func TestParse(t *testing.T) {
	env := func(string) string { return "postgres://u@127.0.0.1:5432/d" }
	p, err := parse([]string{"-clients", "64,1", "-lists", "10", "-seconds", "0.5", "-toolbox", "off"}, env)
	if err != nil || !slices.Equal(p.clients, []int{1, 64}) || p.measure != 500*time.Millisecond || p.toolbox != "" {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, args := range [][]string{{"-clients", "0"}, {"-clients", "1,x"}, {"-rounds", "0"}, {"-seconds", "0"}, {"more"}, {"-repeat", "0"}} {
		if _, err := parse(args, env); err == nil {
			t.Errorf("accepted %v", args)
		}
	}
	if _, err := parse(nil, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "STUDIO_TEST_POSTGRES") {
		t.Errorf("without a database: %v", err)
	}
}

// The baseline answers rightly, and the load counts what it answered and what it cost.
func TestLoadOnTheBaseline(t *testing.T) {
	dsn := os.Getenv("STUDIO_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pg, err := newPostgres(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.drop)
	s, err := startBaseline(ctx, pg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	p := plan{warm: 50 * time.Millisecond, measure: 300 * time.Millisecond}
	for _, e := range s.eras {
		got, err := load(ctx, s, e, 4, &p, pg, func() one { return accountCall("get_account") })
		if err != nil {
			t.Fatal(err)
		}
		if got.calls == 0 || got.p50 <= 0 || got.p99 < got.p50 || len(got.cpu) != 1 {
			t.Errorf("%s: %+v", e, got)
		}
	}
	if _, err := load(ctx, s, legacyEra, 2, &p, pg, func() one { return accountCall("no_such_tool") }); err == nil {
		t.Error("errors count as calls")
	}
	if own, err := readStat(pg.postmaster); err != nil || own.name != "postgres" || pg.cpu() <= 0 {
		t.Errorf("postmaster %+v, %v, CPU %v", own, err, pg.cpu())
	}
}

// TestMain lets the test binary be the baseline, which bench starts as itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "baseline" {
		if err := baseline(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
