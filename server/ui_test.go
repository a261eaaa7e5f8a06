package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	page := `<!doctype html><html lang="en" data-theme="system"><title>`
	return fstest.MapFS{
		"dist-missing.html":            {Data: []byte("run make build")},
		"dist/index.html":              {Data: []byte(page + "app")},
		"dist/index.html.br":           {Data: []byte("br of app")},
		"dist/auth.html":               {Data: []byte(page + "auth")},
		"dist/favicon.svg":             {Data: []byte("<svg/>")},
		"dist/assets/app-1a2b.js":      {Data: []byte("console.log(1)")},
		"dist/assets/app-1a2b.js.br":   {Data: []byte("br")},
		"dist/assets/app-1a2b.js.gz":   {Data: []byte("gz")},
		"dist/assets/_helper-1.js":     {Data: []byte("h")},
		"dist/.built":                  {Data: []byte("")},
		"dist/.vite/manifest.json":     {Data: []byte("{}")},
		"dist/assets/inter-1a2b.woff2": {Data: []byte("font")},
	}
}

func get(t *testing.T, h http.Handler, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(b)
}

func TestPages(t *testing.T) {
	p, err := newPages(built())
	if err != nil {
		t.Fatal(err)
	}
	const immutable, nocache = "public, max-age=31536000, immutable", "no-cache"
	nav := []string{"Sec-Fetch-Mode", "navigate"}
	for _, x := range []struct {
		path            string
		header          []string
		status          int
		body, cache, ce string
	}{
		{"/", nav, 200, "app", nocache, ""},
		{"/tools/7", nav, 200, "app", nocache, ""},
		{"/", append([]string{"Accept-Encoding", "gzip, br"}, nav...), 200, "br of app", nocache, "br"},
		{"/login", nav, 200, "auth", nocache, ""},
		{"/setup", nav, 200, "auth", nocache, ""},
		{"/tools", []string{"Accept", "text/html"}, 200, "app", nocache, ""},
		{"/tools", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, 404, "", "no-store", ""},
		{"/tools", nil, 404, "", "no-store", ""},
		{"/assets/app-1a2b.js", []string{"Accept-Encoding", "gzip;q=1, br;q=0"}, 200, "gz", immutable, "gzip"},
		{"/assets/app-1a2b.js", []string{"Accept-Encoding", "gzip, br"}, 200, "br", immutable, "br"},
		{"/assets/app-1a2b.js", nil, 200, "console.log(1)", immutable, ""},
		{"/assets/_helper-1.js", nil, 200, "h", immutable, ""},
		{"/assets/gone.js", nav, 404, "", "no-store", ""},
		{"/assets/", nav, 404, "", "no-store", ""},
		{"/favicon.svg", nil, 200, "<svg/>", nocache, ""},
		// case 80: only built files, by their plain name
		{"/index.html", nil, 404, "", "no-store", ""},
		{"/index.html.br", nil, 404, "", "no-store", ""},
		{"/.vite/manifest.json", nav, 404, "", "no-store", ""},
		{"/.built", nav, 404, "", "no-store", ""},
		{"/dist/index.html", nav, 404, "", "no-store", ""},
		{"/assets/app-1a2b.js.map", nav, 404, "", "no-store", ""},
		{"/.git/config.bak", nav, 404, "", "no-store", ""},
	} {
		r, body := get(t, p, x.path, x.header...)
		if r.StatusCode != x.status || !strings.Contains(body, x.body) || r.Header.Get("Cache-Control") != x.cache || r.Header.Get("Content-Encoding") != x.ce {
			t.Errorf("%s %v: got %d %q %v", x.path, x.header, r.StatusCode, body, r.Header)
		}
		if x.status == 200 {
			tag := r.Header.Get("Etag")
			again, rest := get(t, p, x.path, append([]string{"If-None-Match", `"x", W/` + tag}, x.header...)...)
			if again.StatusCode != http.StatusNotModified || rest != "" || strings.HasPrefix(tag, "W/") || tag == "" {
				t.Errorf("%s: etag %s gave %d", x.path, tag, again.StatusCode)
			}
		}
	}
	for cookie, want := range map[string]string{"dark": "dark", "light": "light", "system": "system", `"><script>`: "system"} {
		r, body := get(t, p, "/", "Sec-Fetch-Mode", "navigate", "Cookie", "theme="+cookie)
		if !strings.Contains(body, `data-theme="`+want+`"`) || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Cookie") {
			t.Errorf("theme %s: %s", cookie, body)
		}
	}
}

func TestPagesNotBuilt(t *testing.T) {
	p, err := newPages(fstest.MapFS{"dist-missing.html": {Data: []byte("run make build")}})
	if err != nil {
		t.Fatal(err)
	}
	if r, body := get(t, p, "/", "Sec-Fetch-Mode", "navigate"); r.StatusCode != http.StatusServiceUnavailable || body != "run make build" {
		t.Errorf("got %d %s", r.StatusCode, body)
	}
}
