package front

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestHostAllowed(t *testing.T) {
	names := []string{"studio.example"}
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:3000": true, "192.0.2.1:80": true, "[::1]": true, "[::1]:3000": true,
		"localhost": true, "LOCALHOST:1": true, "localhost.": true, "studio.example": true, "Studio.Example.:443": true,
		"": false, "evil.example": false, "evil.example:3000": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"studio.example:x": false, "studio.example:70000": false, "[::1": false, "::1": false, "[127.0.0.1]": false, "[studio.example]:80": false,
		"studio.example/": false, "a@studio.example": false, ":80": false, "127.0.0.1:80:80": false, "2130706433": false,
	} {
		if got := HostAllowed(host, names); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

func TestCheckHost(t *testing.T) {
	h := CheckHost(func() []string { return []string{"studio.example"} }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "in") }))
	for host, want := range map[string]int{"studio.example": 200, "evil.example": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", host, w.Code, want)
		}
	}
}

// cases 45, 46: the endpoint's own pages and the listed origins, and nobody who only looks like them.
func TestOriginAllowed(t *testing.T) {
	for _, tt := range []struct {
		host   string
		https  bool
		origin []string
		want   bool
	}{
		{"studio.example", true, nil, true},
		{"studio.example", true, []string{"https://studio.example"}, true},
		{"studio.example", true, []string{"https://studio.example:443"}, true},
		{"studio.example:8443", true, []string{"https://studio.example:8443"}, true},
		{"studio.example", true, []string{"http://studio.example"}, false},
		{"studio.example", false, []string{"https://studio.example"}, false},
		{"127.0.0.1:3000", false, []string{"http://127.0.0.1:3000"}, true},
		{"127.0.0.1:3000", false, []string{"https://127.0.0.1:3000"}, false},
		{"studio.example:3000", false, []string{"http://studio.example"}, false},
		{"127.0.0.1:3000", false, []string{"https://public.example"}, true},
		{"127.0.0.1:3000", false, []string{"http://public.example"}, false},
		{"studio.example", true, []string{"https://app.example"}, true},
		{"studio.example", true, []string{"https://APP.example"}, false},
		{"studio.example", true, []string{"http://app.example"}, false},
		{"studio.example", true, []string{""}, false},
		{"studio.example", true, []string{"null"}, false},
		{"studio.example", true, []string{"file://studio.example"}, false},
		{"studio.example", true, []string{"https://user@studio.example"}, false},
		{"studio.example", true, []string{"https://studio.example/x"}, false},
		{"studio.example", true, []string{"https://studio.example", "https://evil.example"}, false},
		{"studio.example", true, []string{"https://studio.example.evil.example"}, false},
	} {
		r := &http.Request{Host: tt.host, Header: http.Header{}}
		if tt.origin != nil {
			r.Header["Origin"] = tt.origin
		}
		if got := OriginAllowed(r, tt.https, "https://public.example", []string{"https://app.example"}); got != tt.want {
			t.Errorf("host %s, encrypted %t, origin %q: got %v, want %v", tt.host, tt.https, tt.origin, got, tt.want)
		}
	}
}

// TestLimitWindow: never more than the limit (and the sliding remainder) in any
// minute, and a refused caller who waits as told gets in.
func TestLimitWindow(t *testing.T) {
	var l limits
	now := time.Unix(1_000_000, 0)
	passed := []time.Time{}
	for range 3000 {
		if wait := l.take("k", 10, now); wait == 0 {
			passed = append(passed, now)
		} else if retry := l.take("k", 10, now.Add(wait)); retry > 0 && wait < time.Minute {
			t.Fatalf("waited %s as told and was told %s", wait, retry)
		} else if retry == 0 {
			passed = append(passed, now.Add(wait))
			now = now.Add(wait)
		}
		now = now.Add(700 * time.Millisecond)
	}
	for i := 10; i+11 < len(passed); i++ {
		if span := passed[i+11].Sub(passed[i]); span < 30*time.Second {
			t.Fatalf("12 calls within %s", span)
		}
	}
	if rate := float64(len(passed)) / now.Sub(time.Unix(1_000_000, 0)).Minutes(); rate < 8 || rate > 10.5 {
		t.Errorf("%.1f calls a minute passed, want about 10", rate)
	}
	for i := range 3 * maxKeys {
		l.take(fmt.Sprint("key", i), 10, now)
	}
	if len(l.byKey) > maxKeys+1 {
		t.Errorf("%d keys are kept", len(l.byKey))
	}
}
