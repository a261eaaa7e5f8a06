package broker

import (
	"errors"
	"net/netip"
)

// Errors of CheckAddr.
var (
	ErrMetadata = errors.New("it is a cloud metadata address, which is never allowed")
	ErrSpecial  = errors.New("it is an unspecified, multicast, broadcast or link-local address, which is never allowed")
	ErrPrivate  = errors.New("it is a loopback, private or reserved address: allow private addresses for this connection")
)

// isMetadata lists the addresses at which clouds hand credentials to whoever asks.
func isMetadata(a netip.Addr) bool {
	switch a.String() {
	case "169.254.169.254", // AWS, Azure, Google, DigitalOcean, Oracle and most others
		"169.254.169.253", "169.254.169.123", // AWS resolver and clock
		"169.254.170.2", "169.254.170.23", // AWS container credentials
		"100.100.100.200",                                // Alibaba
		"168.63.129.16",                                  // Azure platform
		"192.0.0.192",                                    // Oracle
		"fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::23", // AWS over IPv6
		"fd20:ce::254": // Google over IPv6
		return true
	default:
		return false
	}
}

// privateRanges are those beyond netip.Addr.IsPrivate and IsLoopback that are not on the public Internet (IANA special
// purpose address registries, RFC 6890).
func privateRanges() []netip.Prefix {
	p := netip.MustParsePrefix
	return []netip.Prefix{
		p("0.0.0.0/8"), p("100.64.0.0/10"), p("192.0.0.0/24"), p("192.0.2.0/24"), p("192.88.99.0/24"), p("198.18.0.0/15"), p("198.51.100.0/24"),
		p("203.0.113.0/24"), p("240.0.0.0/4"), p("fec0::/10"), p("100::/64"), p("100:0:0:1::/64"), p("2001:db8::/32"), p("2001:2::/48"), p("3fff::/20"),
		p("5f00::/16"), p("64:ff9b:1::/48"),
	}
}

// embedded returns the IPv4 address a translator or tunnel would send a to, if a is of such a kind: IPv4-mapped
// (RFC 4291 section 2.5.5.2), -compatible (2.5.5.1), -translated (RFC 2765), NAT64 (RFC 6052, RFC 8215), 6to4
// (RFC 3056), Teredo (RFC 4380), ISATAP (RFC 5214). NAT64 with a network's own prefix cannot be told from any other.
func embedded(a netip.Addr) (netip.Addr, bool) {
	if a.Is4In6() {
		return a.Unmap(), true
	}
	if !a.Is6() || a == netip.IPv6Unspecified() || a == netip.IPv6Loopback() {
		return a, false
	}
	b := a.As16()
	in := func(prefix string) bool { return netip.MustParsePrefix(prefix).Contains(a) }
	last := netip.AddrFrom4([4]byte(b[12:16]))
	switch {
	case in("::/96"), in("::ffff:0:0:0/96"), in("64:ff9b::/96"), in("64:ff9b:1::/48"):
		return last, true
	case in("2002::/16"):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case in("2001::/32"): // the client's address, inverted
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	case (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe:
		return last, true
	}
	return a, false
}

// localNAT64 are further readings of an address below 64:ff9b:1::/48, where each network chooses how long its translator's prefix is (RFC
// 8215), and with that where in the address the IPv4 address lies (RFC 6052 section 2.2). Which is right cannot be told from outside; the
// one behind 96 bits is embedded's.
func localNAT64(a netip.Addr) (out []netip.Addr) {
	if !netip.MustParsePrefix("64:ff9b:1::/48").Contains(a) {
		return nil
	}
	b := a.As16()
	for _, v4 := range [][4]byte{{b[6], b[7], b[9], b[10]}, {b[7], b[9], b[10], b[11]}, {b[9], b[10], b[11], b[12]}} {
		out = append(out, netip.AddrFrom4(v4))
	}
	return out
}

// CheckAddr says whether a database may be dialled at a: nil, or one of ErrMetadata, ErrSpecial, ErrPrivate. It decides
// about the address inside an address too. It must be asked about the address that is dialled, not about a name.
func CheckAddr(a netip.Addr, allowPrivate bool) error {
	if !a.IsValid() {
		return ErrSpecial
	}
	// A zone names an interface of this machine: link-local by nature.
	if a.Zone() != "" {
		return ErrSpecial
	}
	a = a.Unmap()
	for _, r := range localNAT64(a) { // a wrong reading may be any address, so only what is never meant by chance counts
		switch {
		case isMetadata(r):
			return ErrMetadata
		case r.IsLinkLocalUnicast():
			return ErrSpecial
		}
	}
	if err := checkPlain(a, allowPrivate); err != nil {
		return err
	}
	if inner, ok := embedded(a); ok { // an IPv4 address, which has none inside
		return checkPlain(inner, allowPrivate)
	}
	return nil
}

func checkPlain(a netip.Addr, allowPrivate bool) error {
	switch {
	case isMetadata(a):
		return ErrMetadata
	case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ErrSpecial
	case allowPrivate:
		return nil
	case a.IsLoopback(), a.IsPrivate():
		return ErrPrivate
	}
	for _, p := range privateRanges() {
		if p.Contains(a) {
			return ErrPrivate
		}
	}
	return nil
}
