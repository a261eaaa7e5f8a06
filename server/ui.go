package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// pages serves the built UI: files by their name, index.html for navigations to a page's address. Everything is read once; a file
// comes in the best coding the browser takes, made when the UI was built.
type pages struct {
	files   map[string]*file // by address
	missing []byte           // what to show when the UI was not built
}

// file is one address with its codings.
type file struct {
	kind   string // content type
	plain  coded
	br, gz *coded
}

type coded struct {
	body []byte
	etag string
}

func newCoded(b []byte) coded {
	sum := sha256.Sum256(b)
	return coded{b, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// The pages a navigation gets.
const (
	appPage  = "/index.html"
	authPage = "/auth.html"
)

// newPages reads the UI. dist has dist/ when it was built, and always the page that says how.
func newPages(ui fs.FS) (*pages, error) {
	p := &pages{files: map[string]*file{}}
	var err error
	if p.missing, err = fs.ReadFile(ui, "dist-missing.html"); err != nil {
		return nil, fmt.Errorf("read the embedded UI: %w", err)
	}
	dist, err := fs.Sub(ui, "dist")
	if err != nil {
		return nil, fmt.Errorf("read the embedded UI: %w", err)
	}
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		return p, nil
	}
	codings := map[string][]byte{}
	err = fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(d.Name(), ".") // .vite and .built are for the build's own tools
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir():
			return nil
		}
		b, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		switch path.Ext(name) {
		case ".br", ".gz":
			codings["/"+name] = b
		default:
			p.files["/"+name] = &file{kind: contentType(name), plain: newCoded(b)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded UI: %w", err)
	}
	p.attach(codings)
	return p, nil
}

// attach adds the codings to their files.
func (p *pages) attach(codings map[string][]byte) {
	for name, b := range codings {
		f := p.files[strings.TrimSuffix(name, path.Ext(name))]
		if f == nil {
			continue
		}
		c := newCoded(b)
		if path.Ext(name) == ".br" {
			f.br = &c
		} else {
			f.gz = &c
		}
	}
}

// contentType does not ask the system's table, which differs between machines.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// ServeHTTP implements http.Handler.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This address takes GET.", http.StatusMethodNotAllowed)
		return
	}
	name := r.URL.Path
	f := p.files[name]
	if strings.HasSuffix(name, ".html") {
		f = nil // pages have addresses without it
	}
	switch {
	case f != nil:
		p.serveFile(w, r, f)
	case strings.HasPrefix(name, "/assets/") || path.Ext(name) != "" || !navigation(r):
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is nothing at this address.", http.StatusNotFound)
	case len(p.files) == 0:
		w.Header().Set("Content-Type", contentType(".html"))
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(p.missing) // a reader that left needs no answer
	case name == "/login" || name == "/setup":
		p.servePage(w, r, p.files[authPage])
	default:
		p.servePage(w, r, p.files[appPage])
	}
}

// navigation reports whether a person opens a page, as opposed to a script asking for a file that is not there. A client that says
// neither (curl) is taken by its Accept.
func navigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/html") || r.URL.Path == "/"
}

func (p *pages) serveFile(w http.ResponseWriter, r *http.Request, f *file) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(r.URL.Path, "/assets/") { // their names hold a hash of what is in them
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Add("Vary", "Accept-Encoding")
	c := &f.plain
	accept := r.Header.Values("Accept-Encoding")
	switch {
	case f.br != nil && takes(accept, "br"):
		c = f.br
		h.Set("Content-Encoding", "br")
	case f.gz != nil && takes(accept, "gzip"):
		c = f.gz
		h.Set("Content-Encoding", "gzip")
	}
	send(w, r, f.kind, c)
}

// systemTheme is how a page is built; the cookie's choice takes its place, so that no script has to run before the first paint.
const systemTheme = `data-theme="system"`

// themes are the choices of the theme cookie; anything else in it is not believed.
func themes() []string { return []string{"light", "dark"} }

func (p *pages) servePage(w http.ResponseWriter, r *http.Request, f *file) {
	h := w.Header()
	h.Add("Vary", "Cookie")
	theme, err := r.Cookie("theme")
	if err != nil || !slices.Contains(themes(), theme.Value) {
		p.serveFile(w, r, f)
		return
	}
	h.Set("Cache-Control", "no-cache")
	c := newCoded(bytes.Replace(f.plain.body, []byte(systemTheme), []byte(`data-theme="`+theme.Value+`"`), 1))
	send(w, r, f.kind, &c)
}

func send(w http.ResponseWriter, r *http.Request, kind string, c *coded) {
	h := w.Header()
	h.Set("Etag", c.etag)
	if slices.ContainsFunc(strings.Split(r.Header.Get("If-None-Match"), ","), func(t string) bool {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/") // compared weakly for GET (RFC 9110 section 13.1.2)
		return t == c.etag || t == "*"
	}) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(c.body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(c.body) // a reader that left needs no answer
	}
}

// takes reports whether Accept-Encoding lists a coding with a weight above zero (RFC 9110 section 12.5.3).
func takes(accept []string, coding string) bool {
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !found || err == nil && weight > 0
	}
	return false
}
