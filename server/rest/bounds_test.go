package rest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
)

// TestStreams: a hundred streams may be open at once, and when one ends another may begin.
func TestStreams(t *testing.T) {
	w := newWorld(t).signIn()
	const path = "/api/v1/events"
	first := w.begin(path)
	for range 99 {
		if res := w.begin(path); res.StatusCode != http.StatusOK {
			t.Fatalf("one of a hundred: %s", res.Status)
		}
	}
	for range 3 { // one that is refused takes no place
		if res := w.begin(path); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("one more: %s", res.Status)
		}
	}
	if err := first.Body.Close(); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(time.Minute); w.begin(path).StatusCode != http.StatusOK; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the place of a stream that ended is not free")
		}
	}
}

// TestTail: how many old lines a log stream may begin with, at its bounds and beyond.
func TestTail(t *testing.T) {
	w := newWorld(t).signIn()
	for tail, want := range map[string]int{"0": 200, "2000": 200, "2001": 422, "-1": 422, "1e3": 422, "": 422, "9223372036854775808": 422} {
		if res := w.begin("/api/v1/deploy/logs?tail=" + tail); res.StatusCode != want {
			t.Errorf("tail=%s: got %s, want %d", tail, res.Status, want)
		}
	}
	w.do(http.MethodGet, "/api/v1/deploy/logs?tail=x", nil).failure(http.StatusUnprocessableEntity, store.Invalid, "tail")
}

// TestCookies: of several cookies of the session's name the first four are tried, so that one that somebody planted does not lock the admin
// out, and a crowd of them costs no more (case 52).
func TestCookies(t *testing.T) {
	w := newWorld(t).signIn()
	for planted, want := range []int{200, 200, 200, 200, 401, 401} {
		var line []string
		for range planted {
			line = append(line, w.cookie.Name+"=planted")
		}
		line = append(line, w.cookie.Name+"="+w.cookie.Value)
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.http.URL+"/api/v1/tools", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Cookie", strings.Join(line, "; "))
		res, err := w.client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != want {
			t.Errorf("behind %d others: %s, want %d", planted, res.Status, want)
		}
	}
}

// begin sends a GET and returns when its answer has begun, which may have no end; the test ends it.
func (w *world) begin(path string) *http.Response {
	w.t.Helper()
	q, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.http.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	q.AddCookie(w.cookie)
	res, err := w.client.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}
