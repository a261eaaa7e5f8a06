package front

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// HostAllowed reports whether a request's Host may be answered: an IP literal,
// localhost, or one of names, each with any port. A name that an attacker points
// at this machine (DNS rebinding) is none of them.
func HostAllowed(host string, names []string) bool {
	name, ok := splitHost(host)
	if !ok {
		return false
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return strings.EqualFold(name, "localhost") || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// splitHost takes the port and the brackets of an IPv6 literal off a Host header
// (RFC 9110, section 7.2). A final dot means the same name (RFC 1034, section 3.1).
func splitHost(host string) (name string, ok bool) {
	name = host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", false
		}
		name = h
		if strings.Contains(h, ":") != strings.HasPrefix(host, "[") {
			return "", false
		}
	} else if inner, found := strings.CutPrefix(host, "["); found {
		if inner, found = strings.CutSuffix(inner, "]"); !found {
			return "", false
		}
		a, err := netip.ParseAddr(inner)
		return inner, err == nil && a.Is6()
	}
	name = strings.TrimSuffix(name, ".")
	return name, name != "" && (!strings.Contains(name, ":") || name != host) && !strings.ContainsAny(name, "/\\@?# \t")
}

// CheckHost answers 421 to requests whose Host is not allowed and passes the rest on.
func CheckHost(names func() []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !HostAllowed(r.Host, names()) {
			misdirected(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func misdirected(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.Error(w, "This server does not answer to that host name. An admin can add it with STUDIO_ALLOWED_HOSTS.", http.StatusMisdirectedRequest)
}

// OriginAllowed reports whether a request's Origin may call: absent, the scheme and
// host the request went to, public (the origin people use), or one of origins. https
// says whether the request came encrypted: a page of the same name on the other
// scheme is another origin. Whoever uses it has checked the Host.
func OriginAllowed(r *http.Request, https bool, public string, origins []string) bool {
	values := r.Header["Origin"]
	switch {
	case len(values) == 0:
		return true
	case len(values) > 1:
		return false
	case slices.Contains(origins, values[0]) || public != "" && values[0] == public:
		return true
	}
	u, err := url.Parse(values[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || values[0] != u.Scheme+"://"+u.Host {
		return false
	}
	return https == (u.Scheme == "https") && sameHost(u.Scheme, u.Host, r.Host)
}

// sameHost compares hosts with their ports. One without a port belongs to the
// scheme's default.
func sameHost(scheme, a, b string) bool {
	return strings.EqualFold(withPort(scheme, a), withPort(scheme, b))
}

func withPort(scheme, host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return host + ":443"
	}
	return host + ":80"
}

// What browsers may send and read. The MCP headers are those of revision
// 2026-07-28 and before; Mcp-Param-* is allowed by name as it is asked for.
const (
	corsHeaders = "Accept, Authorization, Content-Type, Last-Event-ID, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id"
	corsExposed = "MCP-Protocol-Version, Retry-After, WWW-Authenticate"
	corsMaxAge  = "600"
)

// cors lets an allowed foreign origin read the answer (Fetch standard, "CORS protocol").
func cors(h http.Header, r *http.Request, origins []string) {
	h.Add("Vary", "Origin")
	if o := r.Header["Origin"]; len(o) == 1 && slices.Contains(origins, o[0]) {
		h.Set("Access-Control-Allow-Origin", o[0])
		h.Set("Access-Control-Expose-Headers", corsExposed)
	}
}

// preflight answers OPTIONS; cors has been called.
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "POST, OPTIONS")
	if h.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") == http.MethodPost {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", "POST")
		h.Set("Access-Control-Allow-Headers", corsHeaders+paramHeaders(r.Header.Get("Access-Control-Request-Headers")))
		h.Set("Access-Control-Max-Age", corsMaxAge)
	}
	w.WriteHeader(http.StatusNoContent)
}

// paramHeaders picks the Mcp-Param-* names out of a preflight's list.
func paramHeaders(asked string) string {
	var b strings.Builder
	for name := range strings.SplitSeq(asked, ",") {
		name = strings.TrimSpace(name)
		if len(name) <= 100 && len(name) > 10 && strings.EqualFold(name[:10], "mcp-param-") && isToken(name) && b.Len() < 4096 {
			b.WriteString(", " + name)
		}
	}
	return b.String()
}

// isToken reports whether s may be a header name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c)
	})
}
