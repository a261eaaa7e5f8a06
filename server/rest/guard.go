package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/auth/session"
	"mcpstudio/store"
)

// SecurityHeaders are on every answer.
func SecurityHeaders() map[string]string {
	return map[string]string{
		"X-Frame-Options":        "DENY",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "strict-origin-when-cross-origin",
		"Permissions-Policy":     "camera=(), microphone=(), geolocation=()",
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
			"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
			"require-trusted-types-for 'script'; trusted-types 'none'",
	}
}

func secure(h http.Header, r *http.Request) {
	for name, value := range SecurityHeaders() {
		h.Set(name, value)
	}
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")
	}
}

// Secure sets the security headers on whatever next answers, and ends a connection on which a body came in chunks. It is on the way of
// every MCP call, so the headers are made once; whoever sets one anew replaces the shared value and does not change it.
func Secure(next http.Handler) http.Handler {
	plain, encrypted := http.Header{}, http.Header{}
	secure(plain, &http.Request{})
	secure(encrypted, &http.Request{TLS: &tls.ConnectionState{}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := plain
		if r.TLS != nil {
			headers = encrypted
		}
		maps.Copy(w.Header(), headers)
		if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 {
			// It may have had a length too, which net/http does not tell: the connection must not live on (RFC 9112 section 6.1).
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses what another site's page makes a browser send. Reads are held to the same rule unless they are a navigation:
// a page of another origin has no business opening our streams.
func (h *Handler) sameOrigin(r *http.Request) error {
	check := r
	switch {
	case r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate":
		return nil
	case r.Method == http.MethodGet:
		check = r.Clone(r.Context())
		check.Method = http.MethodPost
	}
	err := h.origins.Check(check)
	origin := r.Header.Get("Origin")
	switch {
	case err != nil || slices.Contains(h.Origins, origin):
	case h.https(r) && strings.HasPrefix(origin, "http://"):
		err = errPlainOrigin // a plain page of our own name can be anybody's on the way
	case !h.https(r) && strings.HasPrefix(origin, "https://") && r.Header.Get("Sec-Fetch-Site") == "":
		err = errOtherOrigin // the check above compares hosts only; a browser that says same-origin sees a proxy we do not
	}
	if err != nil {
		return &store.Error{Code: store.Forbidden, Message: "the request comes from another site", Err: err}
	}
	return nil
}

// Cookies of the session. The prefix makes browsers insist on Secure, the whole host and the root path (RFC 6265bis section 4.1.3.2).
const (
	cookieName       = "studio_session"
	secureCookieName = "__Host-studio_session"
	maxCookies       = 4 // values of one name that are tried
)

// https reports whether the caller's own connection is encrypted: here, as a trusted proxy says, or because the request is for a name
// that is ours only under https.
func (h *Handler) https(r *http.Request) bool {
	if h.ClientIP.HTTPS(r) {
		return true
	}
	for _, origin := range h.Origins {
		u, err := url.Parse(origin)
		if err == nil && u.Scheme == "https" && strings.EqualFold(bareHost(u.Host), bareHost(r.Host)) {
			return true
		}
	}
	return false
}

// bareHost is a host without the port of https, which is left out or not.
func bareHost(host string) string { return strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ".") }

func (h *Handler) cookieFor(r *http.Request) (name string, secure bool) {
	if h.https(r) {
		return secureCookieName, true
	}
	return cookieName, false
}

type sessionKey struct{}

// signedIn verifies the session cookie and returns the request with its principal.
func (h *Handler) signedIn(r *http.Request) (*http.Request, error) {
	name, _ := h.cookieFor(r)
	var err error = &store.Error{Code: store.Unauthorized, Message: "sign in first"}
	for i, c := range r.CookiesNamed(name) {
		if i >= maxCookies {
			break
		}
		p, s, verr := h.Sessions.Verify(r.Context(), c.Value)
		if verr != nil {
			err = verr
			continue
		}
		ctx := context.WithValue(session.WithClient(r.Context(), h.client(r)), sessionKey{}, current{c.Value, s})
		return r.WithContext(auth.NewContext(ctx, p)), nil
	}
	return r, err
}

// current is the session of a request.
type current struct {
	cookie  string
	session *store.Session
}

func sessionOf(r *http.Request) current {
	c, _ := r.Context().Value(sessionKey{}).(current)
	return c
}

func (h *Handler) setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	name, secure := h.cookieFor(r)
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// unescape undoes the escapes of one path part; the router hands them on as they came.
func unescape(r *http.Request, part string) (string, error) {
	if r.URL.RawPath == "" {
		return part, nil
	}
	plain, err := url.PathUnescape(part)
	if err != nil {
		return "", noRoute()
	}
	return plain, nil
}

// The origins of our own name that are not ours.
var (
	errPlainOrigin = errors.New("an unencrypted origin against an encrypted address")
	errOtherOrigin = errors.New("an encrypted origin against an unencrypted address")
)
