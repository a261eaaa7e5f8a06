package front

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mcpstudio/server/clientip"
	"mcpstudio/store"
)

// TestCountryIsAProxysWord: the country of a call is what a trusted proxy says, never what the client says; one that is not known is
// none, whatever the address. (No version has a database of addresses yet.) case 213
func TestCountryIsAProxysWord(t *testing.T) {
	for _, x := range []struct {
		name    string
		trusted string
		header  []string
		want    string
	}{
		{"a trusted proxy", "127.0.0.0/8", []string{"Cf-Ipcountry", "DE"}, "DE"},
		{"a trusted proxy, IPv6 behind it", "127.0.0.0/8", []string{"Cf-Ipcountry", "FR", "X-Forwarded-For", "2001:db8::7"}, "FR"},
		{"a trusted proxy, a private address behind it", "127.0.0.0/8", []string{"X-Forwarded-For", "10.1.2.3"}, ""},
		{"a trusted proxy that does not know", "127.0.0.0/8", []string{"Cf-Ipcountry", "XX"}, ""},
		{"a trusted proxy that says too much", "127.0.0.0/8", []string{"Cf-Ipcountry", "DE, FR"}, ""},
		{"another header", "127.0.0.0/8", []string{"X-Country", "DE", "Cf-Region", "DE"}, ""},
		{"the client itself", "192.0.2.0/24", []string{"Cf-Ipcountry", "DE", "X-Country", "DE"}, ""},
		{"a client that names a proxy's address", "192.0.2.0/24", []string{"Cf-Ipcountry", "DE", "X-Forwarded-For", "192.0.2.1", "X-Real-Ip", "192.0.2.1"}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t)
			w.front.o.ClientIP = clientip.Resolver{Trusted: []netip.Prefix{netip.MustParsePrefix(x.trusted)}}
			if resp, body := w.post(call, x.header...); resp.StatusCode != 200 {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			if got := w.log.wait(t, 1)[0].Country; got != x.want {
				t.Errorf("the country is %q, want %q", got, x.want)
			}
		})
	}
}

// TestLimitsAreBounded: a hundred thousand addresses do not grow the memory of the limits, whoever was limited stays limited, and whoever
// comes when all places are taken is still limited. case 214
func TestLimitsAreBounded(t *testing.T) {
	var l limits
	now := time.Unix(1_700_000_000, 0)
	const limit = 5
	for range limit {
		if l.take("attacker", limit, now) > 0 {
			t.Fatal("limited too early")
		}
	}
	passed := 0
	for i := range 100_000 {
		if l.take(fmt.Sprintf("address %d", i), limit, now) == 0 {
			passed++
		}
	}
	if n := len(l.byKey); n > maxKeys+1 {
		t.Errorf("%d keys are kept, want at most %d", n, maxKeys)
	}
	if passed > maxKeys+limit {
		t.Errorf("%d calls passed: whoever has no place of its own is not limited", passed)
	}
	if wait := l.take("attacker", limit, now); wait <= 0 || wait > 2*window {
		t.Errorf("a flood freed the one who was limited: %s", wait)
	}
	// When the flood is over its places are free again.
	now = now.Add(3 * window)
	if l.take("somebody new", limit, now) > 0 {
		t.Error("limited after the flood")
	}
	if n := len(l.byKey); n > 2 {
		t.Errorf("%d keys are left of the flood", n)
	}
}

// TestRetryAfterIsTrue: whoever waits as long as the 429 says gets through, for each token and for addresses. case 214
func TestRetryAfterIsTrue(t *testing.T) {
	w := newWorld(t)
	now := time.Unix(1_700_000_000, 0)
	w.front.o.Now = func() time.Time { return now }
	w.set(func(s *Settings) { s.RateLimit = 3 })
	for _, mode := range []store.AuthType{store.AuthBearer, store.AuthNone} {
		w.set(func(s *Settings) { s.AuthType = mode })
		for round := range 4 {
			for n := 0; ; n++ {
				resp, body := w.post(call)
				if resp.StatusCode == 200 && n <= 3 {
					continue
				}
				var wait int
				if _, err := fmt.Sscan(resp.Header.Get("Retry-After"), &wait); err != nil || resp.StatusCode != 429 || wait < 1 || wait > 120 || !strings.Contains(body, "-31002") {
					t.Fatalf("%s, round %d, call %d: %d, Retry-After %q: %s", mode, round, n, resp.StatusCode, resp.Header.Get("Retry-After"), body)
				}
				now = now.Add(time.Duration(wait) * time.Second)
				break
			}
			if resp, body := w.post(call); resp.StatusCode != 200 {
				t.Fatalf("%s, round %d: after the wait: %d %s", mode, round, resp.StatusCode, body)
			}
			now = now.Add(3 * window)
		}
	}
}
