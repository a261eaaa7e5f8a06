package rest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/server/clientip"
	"mcpstudio/store"
)

// SecurityHeaders are on every answer (product.md section 8; the policy is the one of dependencies.md).
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

// Secure sets the security headers on whatever next answers.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), r)
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
	if err == nil && h.ClientIP.HTTPS(r) && strings.HasPrefix(r.Header.Get("Origin"), "http://") {
		err = errPlainOrigin // a plain page of our own name can be anybody's on the way
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

func cookieFor(ip clientip.Resolver, r *http.Request) (name string, secure bool) {
	if ip.HTTPS(r) {
		return secureCookieName, true
	}
	return cookieName, false
}

type sessionKey struct{}

// signedIn verifies the session cookie and returns the request with its principal.
func (h *Handler) signedIn(r *http.Request) (*http.Request, error) {
	name, _ := cookieFor(h.ClientIP, r)
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
		ctx := context.WithValue(r.Context(), sessionKey{}, current{c.Value, s})
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
	name, secure := cookieFor(h.ClientIP, r)
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

var errPlainOrigin = errors.New("an unencrypted origin against an encrypted address")
