// Package clientip says who is calling: the address behind trusted proxies and
// the country such a proxy names.
//
// It promises that a header counts only when the peer that sent the request is a
// trusted proxy, and that of X-Forwarded-For only the hops that trusted proxies
// wrote are believed: the first address from the right that is not a proxy itself
// is the caller (RFC 7239, section 5.2, on the older header's form). An address is
// the same however it is written: IPv4 inside IPv6 is unwrapped, zones are dropped.
//
// Its hole: a trusted proxy that passes X-Forwarded-For on without appending to it
// makes the caller's word count. And a request over a Unix socket has no address:
// its peer is trusted only with TrustUnix.
package clientip

import (
	"net/http"
	"net/netip"
	"strings"
)

// Resolver finds addresses. The zero value trusts nobody.
type Resolver struct {
	// Trusted are the networks of the proxies in front of the studio.
	Trusted []netip.Prefix
	// TrustUnix makes peers on Unix sockets trusted proxies.
	TrustUnix bool
}

// maxHops bounds the work on one request's X-Forwarded-For; a longer list is cut on its left, forged side.
const maxHops = 64

// Addr returns the address of the caller. It is invalid only for a caller on a
// Unix socket about whom no trusted header says more.
func (v Resolver) Addr(r *http.Request) netip.Addr {
	peer, trusted := v.peer(r)
	if !trusted {
		return peer
	}
	hops := forwarded(r)
	if len(hops) == 0 {
		if a, ok := single(r, "Cf-Connecting-Ip"); ok {
			return a
		}
		return peer
	}
	caller := peer
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops); i-- {
		a, ok := parse(hops[i])
		if !ok { // what comes before an unreadable hop cannot be trusted either
			return caller
		}
		caller = a
		if !v.trusts(a) {
			return caller
		}
	}
	return caller
}

// HTTPS reports whether the caller's own connection is encrypted, as far as the
// studio or a trusted proxy (X-Forwarded-Proto) knows.
func (v Resolver) HTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	values := r.Header["X-Forwarded-Proto"]
	if _, trusted := v.peer(r); !trusted || len(values) == 0 {
		return false
	}
	// The proxy next to us wrote the last one.
	parts := strings.Split(values[len(values)-1], ",")
	return strings.EqualFold(strings.TrimSpace(parts[len(parts)-1]), "https")
}

// Country returns the caller's country as a trusted proxy names it (CF-IPCountry,
// ISO 3166-1 alpha-2 in capitals), or "" when it is not known.
func (v Resolver) Country(r *http.Request) string {
	values := r.Header["Cf-Ipcountry"]
	if len(values) != 1 || len(values[0]) != 2 {
		return ""
	}
	if _, trusted := v.peer(r); !trusted {
		return ""
	}
	country := strings.ToUpper(values[0])
	// XX stands for unknown and T1 for Tor in this header.
	if country == "XX" || country[0] < 'A' || country[0] > 'Z' || country[1] < 'A' || country[1] > 'Z' {
		return ""
	}
	return country
}

// peer is the other end of the connection and whether it is a trusted proxy.
func (v Resolver) peer(r *http.Request) (a netip.Addr, trusted bool) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil { // a Unix socket's peer is "@" or a path
		return netip.Addr{}, v.TrustUnix
	}
	a = Clean(ap.Addr())
	return a, v.trusts(a)
}

func (v Resolver) trusts(a netip.Addr) bool {
	for _, p := range v.Trusted {
		if p.Contains(a) {
			return true
		}
		// A network written as IPv4 inside IPv6 means the IPv4 one.
		if p.Addr().Is4In6() && p.Bits() >= 96 && netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Contains(a) {
			return true
		}
	}
	return false
}

// Clean is the one way to write an address: IPv4 inside IPv6 unwrapped, no zone.
func Clean(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// forwarded lists the hops of X-Forwarded-For; several headers are one list (RFC 9110, section 5.3).
func forwarded(r *http.Request) []string {
	var hops []string
	for _, line := range r.Header["X-Forwarded-For"] {
		for hop := range strings.SplitSeq(line, ",") {
			hops = append(hops, strings.TrimSpace(hop))
		}
	}
	return hops
}

func single(r *http.Request, name string) (netip.Addr, bool) {
	if v := r.Header[name]; len(v) == 1 {
		return parse(strings.TrimSpace(v[0]))
	}
	return netip.Addr{}, false
}

// parse reads an address, with a port or brackets as some proxies write them.
func parse(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return Clean(a), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return Clean(ap.Addr()), true
	}
	return netip.Addr{}, false
}
