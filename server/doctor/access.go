package doctor

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"mcpstudio/store"
)

// After which a token that nobody uses is one that nobody would miss.
const (
	neverUsed = 30 * 24 * time.Hour
	longAgo   = 90 * 24 * time.Hour
)

// What is said of items whose facts are in a store that was not opened.
const (
	notOpened = "The store was not opened."
	openIt    = "Start the studio once, or run studio doctor with its settings."
)

// unopened is the item when its facts are in a store that was not opened.
func (i ChecklistItem) unopened() ChecklistItem {
	i.Status, i.Found, i.Mend = Unknown, notOpened, openIt
	return i
}

// fewCodes is how many recovery codes are too few.
const fewCodes = 3

func adminPassword(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "admin_password", Title: "Admin password", Doc: securityDoc, Link: "/account#password",
		Why: "The admin can read every connected database. Long passwords are what stops guessing; without two-factor sign-in nothing else does.",
	}
	switch a := f.Account; {
	case a == nil:
		return i.unopened()
	case !a.Exists:
		i.Status, i.Found, i.Mend = Warn, "There is no admin yet: whoever has the setup code becomes it.", "Open the setup link that the studio printed when it started."
	case a.ShortPassword == nil:
		i.Status, i.Found = Unknown, "Its length was not recorded when it was set."+changed(a.PasswordChangedAt)
		i.Mend = "Change it once; 15 characters or more are recommended."
	case *a.ShortPassword && (a.TwoFactor == nil || !*a.TwoFactor):
		i.Status, i.Found = Warn, "It has fewer than 15 characters, and two-factor sign-in is off."+changed(a.PasswordChangedAt)
		i.Mend = "Choose a longer one, or turn two-factor sign-in on."
	case *a.ShortPassword:
		i.Status, i.Found = OK, "It has fewer than 15 characters, with two-factor sign-in beside it."+changed(a.PasswordChangedAt)
	default:
		i.Status, i.Found = OK, "It has 15 characters or more."+changed(a.PasswordChangedAt)
	}
	return i
}

func changed(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " Last set on " + at.UTC().Format(time.DateOnly) + "."
}

func twoFactor(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "two_factor", Title: "Two-factor sign-in", Doc: securityDoc, Link: "/account#two-factor",
		Why:  "A password that was read somewhere else is then not enough to get in.",
		Mend: "Turn it on under Account.",
	}
	a := f.Account
	switch {
	case a == nil || a.Exists && a.TwoFactor == nil:
		return i.unopened()
	case !a.Exists:
		i.Status, i.Found, i.Mend = Unknown, "There is no admin yet.", "Set the studio up first."
	case !*a.TwoFactor && f.exposed():
		i.Status, i.Found = Fail, "It is off, and others than this machine reach the studio."
	case !*a.TwoFactor:
		i.Status, i.Found = Warn, "It is off."
	case a.RecoveryCodes < fewCodes:
		i.Status, i.Found, i.Mend = Warn, fmt.Sprintf("It is on, with %d recovery codes left.", a.RecoveryCodes), "Make new recovery codes under Account."
	default:
		i.Status, i.Found = OK, fmt.Sprintf("It is on, with %d recovery codes left.", a.RecoveryCodes)
	}
	return i
}

func mcpAuth(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "mcp_auth", Title: "Authentication of MCP clients", Doc: securityDoc, Link: "/settings/general",
		Why:  "Without it, everybody who reaches the endpoint can call every tool and read what the tools read.",
		Mend: "Choose bearer tokens under Settings.",
	}
	switch a := f.Access; {
	case a == nil:
		return i.unopened()
	case a.AuthType != store.AuthNone:
		i.Status, i.Found = OK, "On: "+string(a.AuthType)+"."
	case f.exposed():
		i.Status, i.Found = Fail, "It is off, and others than this machine reach the endpoint."
	default:
		i.Status, i.Found = Warn, "It is off; only this machine reaches the endpoint."
	}
	return i
}

func mcpTokens(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "mcp_tokens", Title: "Unused tokens", Doc: securityDoc, Link: "/connect",
		Why:  "A token that nobody misses is one whose theft nobody notices.",
		Mend: "Revoke the ones no client needs, and give new ones an end date.",
	}
	if f.Access == nil {
		return i.unopened()
	}
	var unused []string
	valid := 0
	for _, t := range f.Access.Tokens {
		if t.ExpiresAt != nil && !f.Now.Before(*t.ExpiresAt) {
			continue // dead already
		}
		valid++
		switch {
		case t.LastUsedAt == nil && f.Now.Sub(t.CreatedAt) > neverUsed:
			unused = append(unused, fmt.Sprintf("%q (never used)", t.Name))
		case t.LastUsedAt != nil && f.Now.Sub(*t.LastUsedAt) > longAgo:
			unused = append(unused, fmt.Sprintf("%q (last used on %s)", t.Name, t.LastUsedAt.UTC().Format(time.DateOnly)))
		}
	}
	switch {
	case len(unused) > 0:
		i.Status, i.Found = Warn, fmt.Sprintf("%d of %d valid tokens are not in use: %s.", len(unused), valid, listed(unused))
	case valid == 0:
		i.Status, i.Found = OK, "There are no valid tokens."
	default:
		i.Status, i.Found = OK, fmt.Sprintf("All of the valid tokens (%d) are new or in use.", valid)
	}
	return i
}

func corsOrigins(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "cors_origins", Title: "Web origins that may call", Doc: securityDoc, Link: "/settings/general",
		Why:  "A page of a listed origin can call the endpoint from any visitor's browser.",
		Mend: "List exact https:// origins only.",
	}
	if f.Access == nil {
		return i.unopened()
	}
	var open, plain []string
	for _, o := range f.Access.CORSOrigins {
		u, err := url.Parse(o)
		switch {
		case err != nil || u.Host == "" || strings.Contains(o, "*") || o == "null":
			open = append(open, o)
		case u.Scheme != "https" && !local(u.Hostname()):
			plain = append(plain, o)
		}
	}
	switch {
	case len(open) > 0:
		i.Status, i.Found = Fail, "Not exact: "+listed(open)+"."
	case len(plain) > 0:
		i.Status, i.Found = Warn, "Not encrypted, so anybody on the way can be them: "+listed(plain)+"."
	case len(f.Access.CORSOrigins) == 0:
		i.Status, i.Found = OK, "None."
	default:
		i.Status, i.Found = OK, listed(f.Access.CORSOrigins)+"."
	}
	return i
}

func local(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// maxListed bounds how many names one sentence holds.
const maxListed = 10

func listed(names []string) string {
	if n := len(names); n > maxListed {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", n-maxListed)
	}
	return strings.Join(names, ", ")
}
