package doctor

import (
	"net/netip"
	"strings"
)

func innerListeners(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "listeners", Title: "Inner listeners on loopback", Doc: configurationDoc,
		Why: "The front serves everything people and clients need. An inner listener that other machines reach is one more door to watch.",
	}
	var all, mend []string
	i.Status = OK
	for _, l := range f.Listeners {
		text := l.Name + " on " + l.Address
		if l.Taken != "" {
			text += " (" + l.Taken + " was taken)"
		}
		all = append(all, text)
		if !l.Reachable || l.Name == "front" {
			continue
		}
		if i.Status = worse(i.Status, Warn); l.Name == "api" { // who reaches it may try to sign in
			i.Status = Fail
		}
		mend = append(mend, l.Variable)
	}
	if len(all) == 0 {
		i.Status, i.Found, i.Mend = Unknown, "No listener is known.", "Start the studio."
		return i
	}
	i.Found = "Listening: " + strings.Join(all, "; ") + "."
	if len(mend) > 0 {
		i.Found += " Other machines reach the inner ones."
		i.Mend = "Set " + strings.Join(mend, " and ") + " to off, a loopback address or unix:/path."
	}
	return i
}

func transport(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "tls", Title: "Encrypted transport", Doc: configurationDoc,
		Why: "Without TLS everybody on the way reads passwords, tokens and rows, and can change pages.",
	}
	front, known := f.listener("front")
	https := strings.HasPrefix(f.PublicURL, "https://")
	behind := len(f.Proxies) > 0 || f.TrustUnix
	switch {
	case !known:
		i.Status, i.Found, i.Mend = Unknown, "The front's address is not known.", "Start the studio."
	case f.PublicURL != "" && !https:
		i.Status, i.Found = Fail, "STUDIO_PUBLIC_URL is "+f.PublicURL+": people sign in over an unencrypted connection."
		i.Mend = "Put a proxy with TLS in front, list it in STUDIO_TRUSTED_PROXIES and set STUDIO_PUBLIC_URL to its https:// address."
	case front.Reachable && !(https && behind):
		i.Status, i.Found = Fail, "The front listens on "+front.Address+" without TLS, and other machines reach it."
		i.Mend = "Listen on 127.0.0.1 behind a proxy with TLS, list the proxy in STUDIO_TRUSTED_PROXIES and set STUDIO_PUBLIC_URL to its https:// address."
	case front.Reachable:
		i.Status, i.Found = Warn, "A trusted proxy serves "+f.PublicURL+", but "+front.Address+" can also be reached without it."
		i.Mend = "Let the front listen on a loopback address or on unix:/path, or close its port to all but the proxy."
	case https && behind:
		i.Status, i.Found = OK, "A trusted proxy serves "+f.PublicURL+"; the front itself listens on "+front.Address+"."
	case https || behind:
		i.Status, i.Found = Warn, "Only one of STUDIO_PUBLIC_URL (https) and STUDIO_TRUSTED_PROXIES is set, so the studio cannot tell which requests came encrypted."
		i.Mend = "Set both: the https:// address people use, and the address of the proxy that serves it."
	default:
		i.Status, i.Found = OK, "Only this machine reaches the front ("+front.Address+")."
	}
	return i
}

func trustedProxies(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "trusted_proxies", Title: "Trusted proxies", Doc: configurationDoc,
		Why:  "Their word about a caller's address is believed. Whoever is trusted can choose the address that failed sign-ins are counted for.",
		Mend: "List only the addresses of your own proxies in STUDIO_TRUSTED_PROXIES.",
	}
	var names, wide []string
	for _, p := range f.Proxies {
		names = append(names, p.String())
		if Everybody(p) {
			wide = append(wide, p.String())
		}
	}
	if f.TrustUnix {
		names = append(names, "unix")
	}
	switch {
	case len(wide) > 0:
		i.Status, i.Found = Fail, "Everybody is trusted: "+strings.Join(wide, ", ")+"."
	case f.frontOnSocket() && !f.TrustUnix:
		i.Status, i.Found = Warn, "The front listens on a Unix socket, and who speaks there is not trusted: everybody behind the proxy shares one address, and one lock-out after failed sign-ins."
		i.Mend = "Set STUDIO_TRUSTED_PROXIES=unix, and let the proxy set X-Forwarded-For."
	case len(names) == 0 && f.PublicURL != "":
		i.Status, i.Found = Warn, "None, while people come by "+f.PublicURL+": behind a proxy they share one address, and one lock-out after failed sign-ins."
		i.Mend = "List the address of the proxy that serves it in STUDIO_TRUSTED_PROXIES."
	case len(names) == 0:
		i.Status, i.Found = OK, "None; forwarding headers are ignored."
	default:
		i.Status, i.Found = OK, strings.Join(names, ", ")+"."
	}
	return i
}

// Everybody reports whether a network is all of an address family, or half of it: two halves are the usual way around a check.
func Everybody(p netip.Prefix) bool { return p.Bits() <= 1 }

func privateNetworks(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "private_networks", Title: "Connections into private networks", Doc: configurationDoc,
		Why: "A connection is a way for whoever holds the admin account to make this machine open connections. Metadata addresses, link-local addresses and the studio itself are refused always.",
	}
	switch {
	case !f.AllowPrivate:
		i.Status, i.Found = OK, "Not allowed: connections lead to public addresses only."
	case f.exposed():
		i.Status, i.Found = Warn, "Allowed, and others than this machine reach the studio."
		i.Mend = "If no database is in a private network, set STUDIO_ALLOW_PRIVATE_NETWORKS=false."
	default:
		i.Status, i.Found = OK, "Allowed, and only this machine reaches the studio."
	}
	return i
}

// worse is the worse of two statuses.
func worse(a, b ChecklistStatus) ChecklistStatus {
	for _, s := range []ChecklistStatus{Fail, Warn, Unknown} {
		if a == s || b == s {
			return s
		}
	}
	return OK
}
