package doctor

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/store"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) *time.Time { return new(now().Add(-d)) }

// sound is a studio with nothing to mend.
func sound() Facts {
	return Facts{
		Now: now(), Key: Secret{Source: FromEnvironment, Variable: "STUDIO_ENCRYPTION_KEY", Keys: 1}, SessionSecret: Secret{Source: FromFile, Path: "/d/session.key", Keys: 1},
		DataDir: &File{Path: "/d", Mode: 0o700}, Private: []File{{Path: "/d/studio.db", Mode: 0o600}},
		Listeners:    []Listener{{Name: "front", Variable: "STUDIO_ADDR", Address: "127.0.0.1:3000"}, {Name: "api", Variable: "STUDIO_API_ADDR", Address: "127.0.0.1:8000"}, {Name: "mcp", Variable: "STUDIO_MCP_ADDR", Address: "127.0.0.1:8080"}},
		AllowPrivate: true, Sandbox: &Sandbox{Enforce: true, Level: "full"}, Parent: &Confinement{Layers: 6},
		Account: &Account{Exists: true, PasswordChangedAt: now().AddDate(0, -1, 0), ShortPassword: new(false), TwoFactor: new(true), RecoveryCodes: 10},
		Access:  &MCPAccess{AuthType: store.AuthBearer, CORSOrigins: []string{"https://app.example"}, Tokens: []Token{{Name: "claude", CreatedAt: *ago(time.Hour)}}},
		Roles:   &Roles{Active: 1}, Backup: &Backup{At: ago(24 * time.Hour)},
	}
}

func day(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// TestCheck changes one thing at a time of a sound studio: the item that is about it must say so, in each of its statuses.
func TestCheck(t *testing.T) {
	exposed := func(f *Facts) { f.Listeners[0].Reachable, f.Listeners[0].Address = true, "0.0.0.0:3000" }
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}
	for _, x := range []struct {
		id     string
		status ChecklistStatus
		says   string // part of found or mend
		change func(*Facts)
	}{
		{"encryption_key", OK, "STUDIO_ENCRYPTION_KEY, and strong", func(*Facts) {}},
		{"encryption_key", OK, "/d/encryption.key", func(f *Facts) { f.Key = Secret{Source: FromFile, Path: "/d/encryption.key", Keys: 1} }},
		{"encryption_key", Warn, "studio rotate-key", func(f *Facts) { f.Key.Keys = 2 }},
		{"encryption_key", Warn, "repeats", func(f *Facts) { f.Key.Weak = "repeats few different characters" }},
		{"encryption_key", Unknown, "no key yet", func(f *Facts) { f.Key = Secret{Variable: "STUDIO_ENCRYPTION_KEY"} }},

		{"session_secret", OK, "/d/session.key", func(*Facts) {}},
		{"session_secret", OK, "STUDIO_JWT_SECRET", func(f *Facts) { f.SessionSecret = Secret{Source: FromEnvironment, Variable: "STUDIO_JWT_SECRET"} }},
		{"session_secret", Warn, "openssl", func(f *Facts) { f.SessionSecret = Secret{Source: FromEnvironment, Weak: "is short"} }},
		{"session_secret", Unknown, "first start", func(f *Facts) { f.SessionSecret = Secret{Variable: "STUDIO_JWT_SECRET"} }},

		{"env_file", OK, "There is none", func(*Facts) {}},
		{"env_file", OK, "its owner alone", func(f *Facts) { f.EnvFile = &File{Path: "/x/.env", Mode: 0o600} }},
		{"env_file", Warn, "chmod 600 /x/.env", func(f *Facts) { f.EnvFile = &File{Path: "/x/.env", Mode: 0o644} }},
		{"env_file", Warn, "0400", func(f *Facts) { f.EnvFile = &File{Path: "/x/.env", Mode: 0o400} }},

		{"data_dir", OK, "/d", func(*Facts) {}},
		{"data_dir", Fail, "chmod go= /d", func(f *Facts) { f.DataDir.Mode = 0o750 }},
		{"data_dir", Fail, "/d/encryption.key (mode 0644)", func(f *Facts) { f.Private = append(f.Private, File{Path: "/d/encryption.key", Mode: 0o644}) }},
		{"data_dir", Fail, "/d/studio.db (of uid 0)", func(f *Facts) { f.User, f.DataDir.Owner, f.Private[0].Owner = new(7), new(7), new(0) }},
		{"data_dir", Fail, "chown 7 /d", func(f *Facts) { f.User, f.DataDir.Owner = new(7), new(8) }},
		{"data_dir", Fail, "chmod go= /d", func(f *Facts) { f.User, f.DataDir.Owner, f.DataDir.Mode = new(7), new(8), 0o750 }},
		{"data_dir", OK, "/d", func(f *Facts) { f.User, f.DataDir.Owner, f.Private[0].Owner = new(7), new(7), new(7) }},
		{"data_dir", Unknown, "no data directory", func(f *Facts) { f.DataDir = nil }},

		{"listeners", OK, "api on 127.0.0.1:8000", func(*Facts) {}},
		{"listeners", OK, "8000 was taken", func(f *Facts) { f.Listeners[1].Address, f.Listeners[1].Taken = "127.0.0.1:41234", "127.0.0.1:8000" }},
		{"listeners", OK, "front on 0.0.0.0:3000", exposed},
		{"listeners", Warn, "STUDIO_MCP_ADDR", func(f *Facts) { f.Listeners[2].Reachable = true }},
		{"listeners", Fail, "STUDIO_API_ADDR", func(f *Facts) { f.Listeners[1].Reachable = true }},
		{"listeners", Fail, "STUDIO_API_ADDR and STUDIO_MCP_ADDR", func(f *Facts) { f.Listeners[1].Reachable, f.Listeners[2].Reachable = true, true }},
		{"listeners", Unknown, "No listener", func(f *Facts) { f.Listeners = nil }},

		{"tls", OK, "Only this machine", func(*Facts) {}},
		{"tls", OK, "A trusted proxy serves https://s.example", func(f *Facts) { f.PublicURL, f.Proxies = "https://s.example", proxy }},
		{"tls", OK, "A trusted proxy", func(f *Facts) { f.PublicURL, f.TrustUnix = "https://s.example", true }},
		{"tls", Warn, "Only one of", func(f *Facts) { f.PublicURL = "https://s.example" }},
		{"tls", Warn, "Only one of", func(f *Facts) { f.Proxies = proxy }},
		{"tls", Warn, "without it", func(f *Facts) { exposed(f); f.PublicURL, f.Proxies = "https://s.example", proxy }},
		{"tls", Fail, "without TLS", exposed},
		{"tls", Fail, "unencrypted", func(f *Facts) { f.PublicURL = "http://s.example" }},
		{"tls", Unknown, "not known", func(f *Facts) { f.Listeners = f.Listeners[1:] }},

		{"trusted_proxies", OK, "None", func(*Facts) {}},
		{"trusted_proxies", Warn, "STUDIO_TRUSTED_PROXIES", func(f *Facts) { f.PublicURL = "https://s.example" }},
		{"trusted_proxies", Warn, "share one address", func(f *Facts) { f.PublicURL = "https://s.example" }},
		{"trusted_proxies", Warn, "STUDIO_TRUSTED_PROXIES=unix", func(f *Facts) { f.Listeners[0].Address = "unix:/run/studio.sock" }},
		{"trusted_proxies", Warn, "STUDIO_TRUSTED_PROXIES=unix", func(f *Facts) { f.Listeners[0].Address, f.Proxies = "unix:/run/studio.sock", proxy }},
		{"trusted_proxies", OK, "unix", func(f *Facts) {
			f.Listeners[0].Address, f.PublicURL, f.TrustUnix = "unix:/run/studio.sock", "https://s.example", true
		}},
		{"trusted_proxies", OK, "10.0.0.7/32, unix", func(f *Facts) { f.Proxies, f.TrustUnix = proxy, true }},
		{"trusted_proxies", Fail, "0.0.0.0/0", func(f *Facts) { f.Proxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }},
		{"trusted_proxies", Fail, "::/0", func(f *Facts) { f.Proxies = append(proxy, netip.MustParsePrefix("::/0")) }},
		{"trusted_proxies", Fail, "128.0.0.0/1", func(f *Facts) { f.Proxies = []netip.Prefix{netip.MustParsePrefix("128.0.0.0/1")} }},

		{"private_networks", OK, "only this machine", func(*Facts) {}},
		{"private_networks", OK, "Not allowed", func(f *Facts) { exposed(f); f.AllowPrivate = false }},
		{"private_networks", Warn, "STUDIO_ALLOW_PRIVATE_NETWORKS=false", exposed},

		{"admin_password", OK, "15 characters or more. Last set on 2026-10-23.", func(*Facts) {}},
		{"admin_password", OK, "beside it", func(f *Facts) { f.Account.ShortPassword = new(true) }},
		{"admin_password", Warn, "two-factor sign-in is off", func(f *Facts) { f.Account.ShortPassword, f.Account.TwoFactor = new(true), new(false) }},
		{"admin_password", Warn, "no admin yet", func(f *Facts) { f.Account = &Account{} }},
		{"admin_password", Unknown, "not recorded", func(f *Facts) { f.Account.ShortPassword = nil }},
		{"admin_password", Unknown, "not opened", func(f *Facts) { f.Account = nil }},

		{"two_factor", OK, "10 recovery codes", func(*Facts) {}},
		{"two_factor", Warn, "2 recovery codes", func(f *Facts) { f.Account.RecoveryCodes = 2 }},
		{"two_factor", Warn, "It is off.", func(f *Facts) { f.Account.TwoFactor = new(false) }},
		{"two_factor", Fail, "others than this machine", func(f *Facts) { exposed(f); f.Account.TwoFactor = new(false) }},
		{"two_factor", Unknown, "not opened", func(f *Facts) { f.Account.TwoFactor = nil }},
		{"two_factor", Unknown, "no admin yet", func(f *Facts) { f.Account = &Account{} }},

		{"mcp_auth", OK, "bearer", exposed},
		{"mcp_auth", Warn, "only this machine", func(f *Facts) { f.Access.AuthType = store.AuthNone }},
		{"mcp_auth", Fail, "others than this machine", func(f *Facts) { f.Access.AuthType, f.PublicURL = store.AuthNone, "https://s.example" }},
		{"mcp_auth", Unknown, "not opened", func(f *Facts) { f.Access = nil }},

		{"mcp_tokens", OK, "(1)", func(*Facts) {}},
		{"mcp_tokens", OK, "no valid tokens", func(f *Facts) { f.Access.Tokens = []Token{{Name: "old", CreatedAt: *ago(day(400)), ExpiresAt: ago(0)}} }},
		{"mcp_tokens", OK, "(1)", func(f *Facts) {
			f.Access.Tokens = []Token{{Name: "x", CreatedAt: *ago(day(400)), LastUsedAt: ago(day(89))}}
		}},
		{"mcp_tokens", Warn, `"x" (last used on 2026-08-24)`, func(f *Facts) {
			f.Access.Tokens = []Token{{Name: "x", CreatedAt: *ago(day(400)), LastUsedAt: ago(day(91))}}
		}},
		{"mcp_tokens", Warn, `1 of 2 valid tokens are not in use: "x" (never used)`, func(f *Facts) {
			f.Access.Tokens = append(f.Access.Tokens, Token{Name: "x", CreatedAt: *ago(day(31))})
		}},
		{"mcp_tokens", Unknown, "not opened", func(f *Facts) { f.Access = nil }},

		{"cors_origins", OK, "https://app.example", func(*Facts) {}},
		{"cors_origins", OK, "None", func(f *Facts) { f.Access.CORSOrigins = nil }},
		{"cors_origins", OK, "localhost", func(f *Facts) { f.Access.CORSOrigins = []string{"http://localhost:6274", "http://[::1]:1"} }},
		{"cors_origins", Warn, "http://app.example", func(f *Facts) { f.Access.CORSOrigins = []string{"http://app.example"} }},
		{"cors_origins", Fail, "https://*.example", func(f *Facts) { f.Access.CORSOrigins = []string{"https://*.example"} }},
		{"cors_origins", Fail, "Not exact: *", func(f *Facts) { f.Access.CORSOrigins = []string{"*"} }},
		{"cors_origins", Fail, "null", func(f *Facts) { f.Access.CORSOrigins = []string{"null"} }},
		{"cors_origins", Unknown, "not opened", func(f *Facts) { f.Access = nil }},

		{"sandbox", OK, "Level full.", func(*Facts) {}},
		{"sandbox", Warn, "Allow user namespaces.", func(f *Facts) {
			f.Sandbox.Level, f.Sandbox.Missing = "strong", []Layer{{"namespaces", "unavailable", "EPERM", "allow user namespaces"}}
		}},
		{"sandbox", Unknown, "a child of uid 0 gets, who asks", func(f *Facts) { f.Observer = new(0) }},
		{"sandbox", OK, "the watchdog", func(f *Facts) {
			f.Sandbox.Missing = []Layer{{"cgroup", "unavailable", "none delegated", "delegate one"}}
		}},
		{"sandbox", Warn, "oom_score", func(f *Facts) {
			f.Sandbox.Missing = []Layer{{"cgroup", "unavailable", "none delegated", "delegate one"}, {"oom_score", "partial", "EACCES", "mount /proc"}}
		}},
		{"sandbox", Fail, "Level degraded", func(f *Facts) { f.Sandbox.Level = "degraded" }},
		{"sandbox", Fail, "Level none", func(f *Facts) { f.Sandbox.Level = "none" }},
		{"sandbox", Warn, "STUDIO_SANDBOX=enforce", func(f *Facts) { f.Sandbox.Enforce = false }},
		{"sandbox", Fail, "STUDIO_SANDBOX=enforce", func(f *Facts) { f.Sandbox = &Sandbox{Level: "none"} }},
		{"sandbox", Fail, "seccomp is missing", func(f *Facts) { f.Sandbox.Problem = "seccomp is missing" }},
		{"sandbox", Unknown, "No child", func(f *Facts) { f.Sandbox.Level = "" }},
		{"sandbox", Warn, "No child", func(f *Facts) { f.Sandbox = &Sandbox{} }},
		{"sandbox", Unknown, "No child", func(f *Facts) { f.Sandbox = nil }},

		{"studio_confinement", OK, "Every layer", func(*Facts) {}},
		{"studio_confinement", Warn, "landlock is unavailable (not in this kernel)", func(f *Facts) {
			f.Parent.Missing = []Layer{{"landlock", "unavailable", "not in this kernel", "use another kernel"}, {"dumpable", "unavailable", "the kernel says 1", "use another kernel"}}
		}},
		{"studio_confinement", Warn, "Run the studio as an ordinary user.", func(f *Facts) {
			f.Parent.Missing = []Layer{{"landlock", "partial", "reading all of /etc", "run the studio as an ordinary user"}}
		}},
		{"studio_confinement", Warn, "did not confine itself", func(f *Facts) { f.Parent = &Confinement{} }},
		{"studio_confinement", Unknown, "running studio", func(f *Facts) { f.Parent = nil }},

		{"not_root", OK, "ordinary user", func(*Facts) {}},
		{"not_root", Warn, "root", func(f *Facts) { f.Root = true }},

		{"database_roles", OK, "nothing against", func(*Facts) {}},
		{"database_roles", OK, "no active", func(f *Facts) { f.Roles.Active = 0 }},
		{"database_roles", Warn, "shop: superuser", func(f *Facts) { f.Roles.Warnings, f.Roles.Untested = []string{"shop: superuser"}, []string{"b"} }},
		{"database_roles", Unknown, "shop", func(f *Facts) { f.Roles.Untested = []string{"shop"} }},
		{"database_roles", Unknown, "running studio", func(f *Facts) { f.Roles = nil }},

		{"backups", OK, "2026-11-22", func(*Facts) {}},
		{"backups", Warn, "studio backup", func(f *Facts) { f.Backup.At = ago(day(8)) }},
		{"backups", Fail, "studio backup", func(f *Facts) { f.Backup.At = ago(day(31)) }},
		{"backups", Warn, "never run", func(f *Facts) { f.Backup.At = nil }},
		{"backups", Unknown, "not opened", func(f *Facts) { f.Backup = nil }},
	} {
		f := sound()
		x.change(&f)
		checked := false
		for _, i := range Check(f).Items {
			if i.ID != x.id {
				continue
			}
			checked = true
			if i.Status != x.status || !strings.Contains(i.Found+" "+i.Mend, x.says) {
				t.Errorf("%s: got %s, %q, %q; want %s and %q", x.id, i.Status, i.Found, i.Mend, x.status, x.says)
			}
			if i.Found == "" || i.Why == "" || i.Title == "" || i.Doc == "" || (i.Mend == "") != (i.Status == OK) {
				t.Errorf("%s %s: the item is not complete: %+v", x.id, i.Status, i)
			}
		}
		if !checked {
			t.Errorf("there is no item %s", x.id)
		}
	}
}

// A sound studio has nothing but ok, an unknown one nothing but what can be said without facts, and the counts agree with the items.
func TestCheckCounts(t *testing.T) {
	for name, f := range map[string]Facts{"sound": sound(), "unknown": {Now: now()}} {
		c := Check(f)
		var want ChecklistCounts
		ids := map[string]bool{}
		for _, i := range c.Items {
			want.add(i.Status)
			if ids[i.ID] {
				t.Errorf("%s: %s is there twice", name, i.ID)
			}
			ids[i.ID] = true
			if i.Group == "" {
				t.Errorf("%s: %s has no group", name, i.ID)
			}
		}
		if d := cmp.Diff(want, c.Counts); d != "" {
			t.Errorf("%s: counts (-want +got)\n%s", name, d)
		}
		if len(c.Items) != 18 || !c.EvaluatedAt.Equal(now()) {
			t.Errorf("%s: %d items at %s", name, len(c.Items), c.EvaluatedAt)
		}
		if name == "sound" && c.Counts.OK != len(c.Items) {
			t.Errorf("a sound studio: %+v", c.Counts)
		}
	}
}

func TestListedIsBounded(t *testing.T) {
	if got := listed(strings.Split(strings.Repeat("a,", 40)+"a", ",")); !strings.HasSuffix(got, " and 31 more") {
		t.Errorf("got %q", got)
	}
}
