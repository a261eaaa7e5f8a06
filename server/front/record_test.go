package front

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/auth"
)

func TestRecords(t *testing.T) {
	w := newWorld(t)
	w.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"probe","version":"1.2"}}}`, "X-Forwarded-For", "192.0.2.7", "Cf-Ipcountry", "DE")
	w.post(call, "X-Forwarded-For", "192.0.2.7")
	w.post(call, "Authorization", "-")
	long := strings.Repeat("n", 1000)
	w.post(strings.Replace(call, "top", long, 1)) // case 221: a client cannot grow the log's keys
	got := w.log.wait(t, 4)
	for i := range got {
		if got[i].Total <= 0 || time.Since(got[i].At) > time.Minute {
			t.Errorf("call %d has the times %v %v", i, got[i].At, got[i].Total)
		}
		got[i].At, got[i].Total = time.Time{}, 0
	}
	ip, local := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("127.0.0.1")
	ok := Call{PrincipalID: "t1", PrincipalName: "token t1", PrincipalKind: string(auth.KindMCPToken), Status: 200, Code: "ok", Rows: 3, Bytes: 42, Wait: time.Millisecond, Run: 2 * time.Millisecond, ClientName: "probe", ClientVersion: "1.2", IP: ip}
	first, second, fourth := ok, ok, ok
	first.Method, first.Country = "initialize", "DE"
	second.Method, second.Name = "tools/call", "top"
	fourth.Method, fourth.Name, fourth.IP, fourth.ClientName, fourth.ClientVersion = "tools/call", long[:maxText], local, "", ""
	want := []Call{first, second, {Status: 401, Code: "unauthorized", IP: local}, fourth}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestCallAs(t *testing.T) {
	w := newWorld(t)
	who := auth.Principal{Kind: auth.KindMCPToken, ID: "t9", Name: "a token", Allowed: auth.Allowed{Tools: &[]string{"top"}}}
	got, err := w.front.CallAs(t.Context(), who, "tools/call", json.RawMessage(`{"name":"top","arguments":{"n":2}}`))
	if err != nil || got.Status != 200 || !strings.Contains(string(got.Body), `"principal":"t9"`) || !strings.Contains(string(got.Body), `"tools\":[\"top\"]`) {
		t.Fatalf("got %d %s %v", got.Status, got.Body, err)
	}
	if r := w.log.wait(t, 1)[0]; !r.OnBehalf || r.Name != "top" || r.Rows != 3 || got.Call.Rows != 3 {
		t.Errorf("recorded %+v", r)
	}
	for _, params := range []string{`{"name":"top"},"method":"x"`, `[]`, `{`, `{"name":"a","name":"b"}`} {
		before := w.peer.calls()
		got, err := w.front.CallAs(t.Context(), who, "tools/call", json.RawMessage(params))
		if err != nil || got.Status != 400 || w.peer.calls() != before {
			t.Errorf("%s: got %d %s %v", params, got.Status, got.Body, err)
		}
	}
}

// TestParallel has many clients share the exchanges' memory; each must get its own answer.
func TestParallel(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for k := range 20 {
				id := fmt.Sprintf("%d", i*1000+k)
				r, err := http.NewRequestWithContext(t.Context(), "POST", w.url, strings.NewReader(`{"jsonrpc":"2.0","id":`+id+`,"method":"tools/call","params":{"name":"n`+id+`"}}`))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+w.token)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !strings.Contains(string(b), `"id":`+id+`,`) || !strings.Contains(string(b), `"name":"n`+id+`"`) {
					t.Errorf("call %s got %s %v", id, b, err)
				}
			}
		})
	}
	all.Wait()
	w.log.wait(t, 320)
}
