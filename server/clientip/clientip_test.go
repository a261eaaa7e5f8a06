package clientip

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(t *testing.T, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func request(remote string, header ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestAddr(t *testing.T) {
	proxy := Resolver{Trusted: prefixes(t, "10.0.0.0/8", "fd00::/8")}
	const xff = "X-Forwarded-For"
	many := strings.Repeat("1.1.1.1,", 5000) + "10.0.0.3"
	for _, tt := range []struct {
		name string
		v    Resolver
		r    *http.Request
		want string
	}{
		// case 14: without a trusted proxy no header counts.
		{"no proxy", Resolver{}, request("192.0.2.9:1", xff, "1.2.3.4", "X-Real-Ip", "1.2.3.4", "Forwarded", "for=1.2.3.4", "True-Client-Ip", "1.2.3.4", "Cf-Connecting-Ip", "1.2.3.4", "X-Client-Ip", "1.2.3.4"), "192.0.2.9"},
		// case 15: the forged part in front is ignored.
		{"forged in front", proxy, request("10.0.0.1:1", xff, "1.2.3.4, 198.51.100.7"), "198.51.100.7"},
		{"two proxies", proxy, request("10.0.0.1:1", xff, "1.2.3.4, 198.51.100.7, 10.0.0.2"), "198.51.100.7"},
		{"two headers are one list", proxy, request("10.0.0.1:1", xff, "1.2.3.4", xff, "198.51.100.7"), "198.51.100.7"},
		{"only proxies", proxy, request("10.0.0.1:1", xff, "10.0.0.3, 10.0.0.2"), "10.0.0.3"},
		{"other headers of a trusted proxy do not count", proxy, request("10.0.0.1:1", "X-Real-Ip", "1.2.3.4", "Forwarded", "for=1.2.3.4"), "10.0.0.1"},
		// case 16: a direct request from elsewhere.
		{"untrusted peer", proxy, request("203.0.113.5:1", xff, "1.2.3.4"), "203.0.113.5"},
		{"unreadable hop", proxy, request("10.0.0.1:1", xff, "1.2.3.4, unknown"), "10.0.0.1"},
		{"unreadable hop behind a proxy", proxy, request("10.0.0.1:1", xff, "1.2.3.4, <script>, 10.0.0.2"), "10.0.0.2"},
		{"empty header", proxy, request("10.0.0.1:1", xff, ""), "10.0.0.1"},
		{"mapped peer is the IPv4 proxy", proxy, request("[::ffff:10.0.0.1]:1", xff, "198.51.100.7"), "198.51.100.7"},
		{"mapped hop", proxy, request("10.0.0.1:1", xff, "::ffff:198.51.100.7"), "198.51.100.7"},
		{"hop with a port", proxy, request("10.0.0.1:1", xff, "198.51.100.7:4711"), "198.51.100.7"},
		{"hop in brackets", proxy, request("10.0.0.1:1", xff, "[2001:db8::1]:4711"), "2001:db8::1"},
		{"brackets without a port", proxy, request("10.0.0.1:1", xff, "[2001:db8::1]"), "2001:db8::1"},
		{"zone is dropped", Resolver{}, request("[fe80::1%eth0]:1"), "fe80::1"},
		{"mapped network", Resolver{Trusted: prefixes(t, "::ffff:10.0.0.0/104")}, request("10.0.0.1:1", xff, "198.51.100.7"), "198.51.100.7"},
		{"one header of the proxy's own", proxy, request("10.0.0.1:1", "Cf-Connecting-Ip", "198.51.100.7"), "198.51.100.7"},
		{"the list wins over it", proxy, request("10.0.0.1:1", "Cf-Connecting-Ip", "1.2.3.4", xff, "198.51.100.7"), "198.51.100.7"},
		{"twice is not once", proxy, request("10.0.0.1:1", "Cf-Connecting-Ip", "1.2.3.4", "Cf-Connecting-Ip", "5.6.7.8"), "10.0.0.1"},
		{"a long list", proxy, request("10.0.0.1:1", xff, many), "1.1.1.1"},
		{"unix socket", Resolver{TrustUnix: true}, request("@", xff, "198.51.100.7"), "198.51.100.7"},
	} {
		if got := tt.v.Addr(tt.r); got != netip.MustParseAddr(tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := (Resolver{}).Addr(request("@", xff, "198.51.100.7")); got.IsValid() {
		t.Errorf("an untrusted unix peer has the address %s", got)
	}
}

func TestCountry(t *testing.T) {
	proxy := Resolver{Trusted: prefixes(t, "10.0.0.0/8")}
	for _, tt := range []struct {
		r    *http.Request
		want string
	}{
		{request("10.0.0.1:1", "Cf-Ipcountry", "de"), "DE"},
		{request("203.0.113.5:1", "Cf-Ipcountry", "DE"), ""}, // case 16
		{request("10.0.0.1:1", "Cf-Ipcountry", "XX"), ""},
		{request("10.0.0.1:1", "Cf-Ipcountry", "T1"), ""},
		{request("10.0.0.1:1", "Cf-Ipcountry", "DEU"), ""},
		{request("10.0.0.1:1", "Cf-Ipcountry", "DE", "Cf-Ipcountry", "FR"), ""},
		{request("10.0.0.1:1"), ""},
	} {
		if got := proxy.Country(tt.r); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.r.Header, got, tt.want)
		}
	}
}

func TestHTTPS(t *testing.T) {
	proxy := Resolver{Trusted: prefixes(t, "10.0.0.0/8")}
	encrypted := request("203.0.113.5:1")
	encrypted.TLS = &tls.ConnectionState{}
	for _, tt := range []struct {
		r    *http.Request
		want bool
	}{
		{encrypted, true},
		{request("10.0.0.1:1", "X-Forwarded-Proto", "https"), true},
		{request("10.0.0.1:1", "X-Forwarded-Proto", "https, http"), false},
		{request("10.0.0.1:1", "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"), false},
		{request("203.0.113.5:1", "X-Forwarded-Proto", "https"), false},
		{request("10.0.0.1:1"), false},
	} {
		if got := proxy.HTTPS(tt.r); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.r.Header, got, tt.want)
		}
	}
}
