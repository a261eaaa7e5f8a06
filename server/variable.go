package server

import (
	"cmp"
	"log/slog"
	"slices"
	"strconv"

	"mcpstudio/auth/session"
	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

// Variable is one setting of the environment. The table of them is what the start checks by, what docs/configuration.md is written
// from, and what studio doctor lists.
type Variable struct {
	Name     string
	Default  string // in words, when the value alone would not say it; empty: none
	Meaning  string
	Accepted string
	Effect   Effect
	Secret   bool // the value is never shown
	Later    Later
	// read puts a value that is not empty into the configuration, or reports it. It is nil for what is not in this version.
	read func(r *reader, v string)
}

// Effect says when a change of a variable counts.
type Effect string

// The moments.
const (
	NextStart  Effect = "next start"
	FirstStart Effect = "first start, while there is no admin"
	NextCall   Effect = "next studio connect"
)

// Later says what becomes of a variable whose part is not in this version.
type Later string

// What would weaken or move something by being ignored stops the start; the rest is a warning.
const (
	InThisVersion Later = ""
	LaterStops    Later = "not in this version; stops the start"
	LaterIgnored  Later = "not in this version; ignored with a warning"
)

// VariableGroup is variables that belong together.
type VariableGroup struct {
	Title     string
	Variables []Variable
}

// VariableGroups is the table.
func VariableGroups() []VariableGroup {
	return []VariableGroup{
		{"Where things are kept", placeVariables()},
		{"Addresses", addressVariables()},
		{"Secrets and the first account", secretVariables()},
		{"What is allowed", policyVariables()},
		{"TLS", tlsVariables()},
		{"Log", logVariables()},
		{"Commands", commandVariables()},
	}
}

// Variables is the table without its groups.
func Variables() []Variable {
	var all []Variable
	for _, g := range VariableGroups() {
		all = append(all, g.Variables...)
	}
	return all
}

func placeVariables() []Variable {
	return []Variable{
		{
			Name: "STUDIO_DATA_DIR", Default: "`./data`", Effect: NextStart,
			Meaning:  "The store, the keys and the SQLite databases. Made with mode 0700, files in it 0600. One studio at a time uses it, and nothing else: a directory with other files in it that others may enter is refused.",
			Accepted: "a directory, or a path where one can be made; ~ is not expanded",
			read:     func(r *reader, v string) { r.c.DataDir = r.dir(v) },
		},
		{
			Name: "STUDIO_SQLITE_DIR", Default: "`databases` in the data directory", Effect: NextStart,
			Meaning:  "The only directory whose files a SQLite connection may open.",
			Accepted: "a directory that does not hold the data directory (connections would reach the studio's own store); ~ is not expanded",
			read:     func(r *reader, v string) { r.c.SQLiteDir = r.dir(v) },
		},
		{
			Name: "STUDIO_DATABASE_URL", Default: "SQLite in the data directory", Effect: NextStart, Later: LaterStops, Secret: true,
			Meaning:  "Another place for the studio's own store.",
			Accepted: "nothing: this version keeps its store in STUDIO_DATA_DIR",
		},
		{
			Name: "STUDIO_REDIS_URL", Default: "none", Effect: NextStart, Later: LaterStops, Secret: true,
			Meaning:  "A Redis that several studios share.",
			Accepted: "nothing: this version needs no Redis",
		},
		{
			Name: "REDIS_PASSWORD", Default: "none", Effect: NextStart, Later: LaterIgnored, Secret: true,
			Meaning:  "The password of an embedded Redis.",
			Accepted: "nothing: this version has none",
		},
	}
}

// Accepted forms that several variables share.
const (
	acceptedAddress = "address:port such as 127.0.0.1:3000, :port for every address, or unix:/absolute/path"
	acceptedInner   = acceptedAddress + ", or off"
	acceptedTruth   = "true or false"
	acceptedNothing = "nothing in this version"
)

func addressVariables() []Variable {
	return []Variable{
		{
			Name: "STUDIO_ADDR", Default: "`127.0.0.1:3000`", Effect: NextStart, Accepted: acceptedAddress,
			Meaning: "The front: pages, `/api` and `/mcp`. A socket file gets mode 0600.",
			read:    func(r *reader, v string) { r.c.Front = r.address(v, false) },
		},
		{
			Name: "STUDIO_API_ADDR", Default: "`127.0.0.1:8000`, or a free port when that is taken", Effect: NextStart, Accepted: acceptedInner,
			Meaning: "The admin API alone, for tools on this machine.",
			read:    func(r *reader, v string) { r.c.API = r.address(v, true) },
		},
		{
			Name: "STUDIO_MCP_ADDR", Default: "`127.0.0.1:8080`, or a free port when that is taken", Effect: NextStart, Accepted: acceptedInner,
			Meaning: "The generated MCP server alone.",
			read:    func(r *reader, v string) { r.c.MCP = r.address(v, true) },
		},
		{
			Name: "STUDIO_AGENT_ADDR", Default: "none", Effect: NextStart, Later: LaterIgnored, Accepted: acceptedNothing,
			Meaning: "The MCP server with which agents manage the studio.",
		},
		{
			Name: "STUDIO_PUBLIC_URL", Default: "none", Effect: NextStart,
			Meaning:  "The address people use, when a proxy is in front. Links, snippets and the origin check follow it.",
			Accepted: "scheme://host[:port] without a path, for example https://studio.example.org",
			read:     func(r *reader, v string) { r.c.PublicURL = r.public(v) },
		},
		{
			Name: "STUDIO_ALLOWED_HOSTS", Default: "none", Effect: NextStart,
			Meaning:  "Further host names that are answered. IP addresses, `localhost` and the name of STUDIO_PUBLIC_URL always are; any other name gets 421.",
			Accepted: "host names without scheme and port, separated by commas",
			read:     func(r *reader, v string) { r.c.AllowedHosts = r.hosts(v) },
		},
		{
			Name: "STUDIO_TRUSTED_PROXIES", Default: "none", Effect: NextStart,
			Meaning:  "The proxies whose `X-Forwarded-For`, `X-Forwarded-Proto`, `CF-Connecting-IP` and `CF-IPCountry` are believed. From anyone else these headers are ignored.",
			Accepted: "addresses or networks such as 10.0.0.0/8, or unix for every peer on a Unix socket, separated by commas",
			read:     func(r *reader, v string) { r.proxies(v) },
		},
	}
}

func secretVariables() []Variable {
	return []Variable{
		{
			Name: "STUDIO_ENCRYPTION_KEY", Default: "made at the first start, in `encryption.key` (0600)", Effect: NextStart, Secret: true,
			Meaning:  "Seals the secrets in the store. The first of several keys seals, every one opens; `studio rotate-key` seals everything anew.",
			Accepted: "one to three keys separated by commas, each 32 bytes as base64 or hexadecimal, or a passphrase of 20 characters or more without a comma",
			read: func(r *reader, v string) {
				if _, err := keyring.Open(keyring.Options{Env: v}); err != nil {
					r.lines = append(r.lines, err.Error())
				}
				r.c.EncryptionKey = store.GivenSecret(v)
			},
		},
		{
			Name: "STUDIO_JWT_SECRET", Default: "made at the first start, in `session.key` (0600)", Effect: NextStart, Secret: true,
			Meaning:  "Signs the sessions of the admin. Another value ends them all.",
			Accepted: "32 characters or more, for example from: openssl rand -base64 32",
			read: func(r *reader, v string) {
				if _, err := session.OpenSecret("", v); err != nil {
					r.lines = append(r.lines, err.Error())
				}
				r.c.SessionSecret = store.GivenSecret(v)
			},
		},
		{
			Name: "STUDIO_AGENT_SERVICE_TOKEN", Default: "none", Effect: NextStart, Later: LaterIgnored, Secret: true, Accepted: acceptedNothing,
			Meaning: "Lets an agent MCP server that runs apart call the admin API.",
		},
		{
			Name: "STUDIO_ADMIN_USERNAME", Default: "none", Effect: FirstStart,
			Meaning:  "With STUDIO_ADMIN_PASSWORD: makes the admin instead of the setup page.",
			Accepted: "a user name, together with STUDIO_ADMIN_PASSWORD",
			read:     func(r *reader, v string) { r.c.AdminUsername = v },
		},
		{
			Name: "STUDIO_ADMIN_PASSWORD", Default: "none", Effect: FirstStart, Secret: true,
			Meaning:  "The password of that admin. It is not needed again and can be removed after the first start.",
			Accepted: "8 to 256 characters, not a common password, together with STUDIO_ADMIN_USERNAME",
			read:     func(r *reader, v string) { r.c.AdminPassword = store.GivenSecret(v) },
		},
	}
}

func policyVariables() []Variable {
	return []Variable{
		{
			Name: "STUDIO_SANDBOX", Default: "`enforce`", Effect: NextStart, Accepted: "enforce or degraded",
			Meaning: "`enforce` starts a child process only if the mandatory layers of the sandbox hold; `degraded` starts it anyway, with a warning everywhere.",
			read: func(r *reader, v string) {
				if v != "enforce" && v != "degraded" {
					r.wrong(v)
				}
				r.c.Enforce = v == "enforce"
			},
		},
		{
			Name: "STUDIO_ALLOW_PRIVATE_NETWORKS", Default: "`true`", Effect: NextStart, Accepted: acceptedTruth,
			Meaning: "Whether connections may lead to loopback and private addresses. Link-local and cloud metadata addresses and the studio's own listeners are refused always.",
			read:    func(r *reader, v string) { r.c.AllowPrivate = r.truth(v) },
		},
		{
			Name: "STUDIO_ALLOW_PASSTHROUGH_SQL", Default: "`false`", Effect: NextStart, Accepted: "false: in this version no argument is ever run as SQL",
			Meaning: "Whether a tool may be nothing but a parameter that holds the whole statement.",
			read: func(r *reader, v string) {
				if r.truth(v) {
					r.wrong(v)
				}
			},
		},
		{
			Name: "STUDIO_PROMPT_GUARD_ENABLED", Default: "none", Effect: NextStart, Later: LaterIgnored, Accepted: acceptedNothing,
			Meaning: "The scan for injected instructions.",
		},
		{
			Name: "STUDIO_AGENT_ALLOW_PRIVATE_NETWORKS", Default: "none", Effect: NextStart, Later: LaterIgnored, Accepted: acceptedNothing,
			Meaning: "The same as STUDIO_ALLOW_PRIVATE_NETWORKS for connections that an agent makes.",
		},
		{
			Name: "STUDIO_AGENT_RATE_LIMIT", Default: "none", Effect: NextStart, Later: LaterIgnored, Accepted: acceptedNothing,
			Meaning: "Requests a minute of one agent token.",
		},
	}
}

// tlsVariables are refused: a studio that ignored them would serve in clear what its operator thinks is encrypted.
func tlsVariables() []Variable {
	var out []Variable
	for _, v := range [][2]string{
		{"STUDIO_SSL_DOMAIN", "The names certificates are for."},
		{"STUDIO_SSL_EMAIL", "Where the certificate authority writes to."},
		{"STUDIO_SSL_STAGING", "Whether to use the authority's test service."},
		{"STUDIO_EXTERNAL_HTTPS_PORT", "The port people reach TLS at."},
		{"STUDIO_ACME_DIRECTORY", "Another certificate authority."},
		{"STUDIO_ACME_CA", "Its root certificate."},
	} {
		out = append(out, Variable{
			Name: v[0], Default: "none", Effect: NextStart, Later: LaterStops, Meaning: v[1],
			Accepted: "nothing in this version: put a proxy with TLS in front and list it in STUDIO_TRUSTED_PROXIES",
		})
	}
	return out
}

func logVariables() []Variable {
	return []Variable{
		{
			Name: "STUDIO_LOG_LEVEL", Default: "that of the settings page, `info` at first", Effect: NextStart, Accepted: "debug, info, warn or error",
			Meaning: "How much is logged. When it is set, the setting in the UI does not count.",
			read: func(r *reader, v string) {
				if err := r.c.LogLevel.UnmarshalText([]byte(v)); err != nil || !slices.Contains([]string{"debug", "info", "warn", "error"}, v) {
					r.wrong(v)
				}
				r.c.LogLevelGiven = true
			},
		},
		{
			Name: "STUDIO_LOG_FORMAT", Default: "`text` on a terminal, else `json`", Effect: NextStart, Accepted: "text or json",
			Meaning: "The form of a log line.",
			read: func(r *reader, v string) {
				if v != "text" && v != "json" {
					r.wrong(v)
				}
				r.c.LogFormat = v
			},
		},
		{
			Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Default: "none", Effect: NextStart, Later: LaterIgnored, Accepted: acceptedNothing,
			Meaning: "Where traces and metrics are sent.",
		},
	}
}

func commandVariables() []Variable {
	return []Variable{{
		Name: "STUDIO_MCP_TOKEN", Default: "none", Effect: NextCall, Secret: true,
		Meaning:  "The token of `studio connect`, when it is not in a file.",
		Accepted: "an MCP token",
		read:     func(r *reader, v string) { r.c.MCPToken = store.GivenSecret(v) },
	}}
}

// defaults is the configuration of an empty environment.
func defaults() Config {
	return Config{
		DataDir: "data",
		Front:   Address{Variable: "STUDIO_ADDR", TCP: "127.0.0.1:3000"},
		API:     Address{Variable: "STUDIO_API_ADDR", TCP: "127.0.0.1:8000", Inner: true},
		MCP:     Address{Variable: "STUDIO_MCP_ADDR", TCP: "127.0.0.1:8080", Inner: true},
		Enforce: true, AllowPrivate: true, LogLevel: slog.LevelInfo,
	}
}

// nearest is the known name with the fewest single-character edits to name.
func nearest(name string, known []Variable) string {
	return slices.MinFunc(known, func(a, b Variable) int { return cmp.Compare(distance(name, a.Name), distance(name, b.Name)) }).Name
}

// shown is a value as it may be printed.
func (v Variable) shown(value string) string {
	if v.Secret {
		return store.Mask
	}
	return strconv.Quote(redacted(value))
}
