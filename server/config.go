package server

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"mcpstudio/store"
)

// variables are the environment as it is written. What each means and its default: product.md section 3.
type variables struct {
	DataDir       string     `env:"STUDIO_DATA_DIR" envDefault:"./data"`
	PublicURL     string     `env:"STUDIO_PUBLIC_URL"`
	AllowedHosts  string     `env:"STUDIO_ALLOWED_HOSTS"`
	DatabaseURL   string     `env:"STUDIO_DATABASE_URL"`
	RedisURL      string     `env:"STUDIO_REDIS_URL"`
	EncryptionKey secretText `env:"STUDIO_ENCRYPTION_KEY"`
	JWTSecret     secretText `env:"STUDIO_JWT_SECRET"`
	ServiceToken  secretText `env:"STUDIO_AGENT_SERVICE_TOKEN"`
	Addr          string     `env:"STUDIO_ADDR"`
	APIAddr       string     `env:"STUDIO_API_ADDR"`
	MCPAddr       string     `env:"STUDIO_MCP_ADDR"`
	AgentAddr     string     `env:"STUDIO_AGENT_ADDR"`
	AdminUsername string     `env:"STUDIO_ADMIN_USERNAME"`
	AdminPassword secretText `env:"STUDIO_ADMIN_PASSWORD"`
	Proxies       string     `env:"STUDIO_TRUSTED_PROXIES"`
	AllowPrivate  string     `env:"STUDIO_ALLOW_PRIVATE_NETWORKS" envDefault:"true"`
	AgentPrivate  string     `env:"STUDIO_AGENT_ALLOW_PRIVATE_NETWORKS"`
	Passthrough   string     `env:"STUDIO_ALLOW_PASSTHROUGH_SQL" envDefault:"false"`
	SQLiteDir     string     `env:"STUDIO_SQLITE_DIR"`
	Sandbox       string     `env:"STUDIO_SANDBOX" envDefault:"enforce"`
	AgentLimit    string     `env:"STUDIO_AGENT_RATE_LIMIT"`
	PromptGuard   string     `env:"STUDIO_PROMPT_GUARD_ENABLED"`
	SSLDomain     string     `env:"STUDIO_SSL_DOMAIN"`
	SSLEmail      string     `env:"STUDIO_SSL_EMAIL"`
	SSLStaging    string     `env:"STUDIO_SSL_STAGING"`
	HTTPSPort     string     `env:"STUDIO_EXTERNAL_HTTPS_PORT"`
	ACMEDirectory string     `env:"STUDIO_ACME_DIRECTORY"`
	ACMECA        string     `env:"STUDIO_ACME_CA"`
	LogLevel      string     `env:"STUDIO_LOG_LEVEL"`
	LogFormat     string     `env:"STUDIO_LOG_FORMAT"`
	MCPToken      secretText `env:"STUDIO_MCP_TOKEN"` // of studio connect
}

// secretText reads a secret from the environment; an empty value counts as not set.
type secretText struct{ store.Secret }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *secretText) UnmarshalText(b []byte) error {
	if len(b) > 0 {
		s.Secret = store.GivenSecret(string(b))
	}
	return nil
}

// Config is what the studio runs with.
type Config struct {
	DataDir       string // absolute
	SQLiteDir     string // absolute
	PublicURL     *url.URL
	AllowedHosts  []string
	EncryptionKey store.Secret
	SessionSecret store.Secret
	Front         Address
	API           Address
	MCP           Address
	MCPToken      store.Secret // of studio connect
	AdminUsername string
	AdminPassword store.Secret
	Proxies       []netip.Prefix
	TrustUnix     bool // peers on Unix sockets are trusted proxies
	AllowPrivate  bool
	Passthrough   bool
	Enforce       bool // the sandbox's mandatory layers
	LogLevel      slog.Level
	LogLevelGiven bool     // the environment names it, so the server config's does not count
	LogFormat     string   // text, json; empty: text on a terminal
	Warnings      []string // set variables that have no effect in this version
}

// ConfigError lists what is wrong with the environment, one line each.
type ConfigError struct{ Lines []string }

// Error implements error.
func (e *ConfigError) Error() string { return strings.Join(e.Lines, "\n") }

// ConfigFromEnv reads the configuration from KEY=VALUE pairs, the later of two winning. The error is a *ConfigError with a line for
// each mistake: the variable, what was found, what is accepted. The values of secrets are never in it.
func ConfigFromEnv(environ []string) (Config, error) {
	values := map[string]string{}
	for _, pair := range environ {
		if k, v, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(k, "STUDIO_") {
			values[k] = v
		}
	}
	var raw variables
	if err := env.ParseWithOptions(&raw, env.Options{Environment: values}); err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	r := reader{raw: raw}
	r.unknown(values)
	r.later()
	c := r.config()
	if len(r.lines) > 0 {
		slices.Sort(r.lines)
		return Config{}, &ConfigError{r.lines}
	}
	return c, nil
}

// reader turns the raw variables into a Config and collects mistakes.
type reader struct {
	raw      variables
	lines    []string
	warnings []string
}

func (r *reader) wrong(name, found, accepted string) {
	r.lines = append(r.lines, fmt.Sprintf("%s: found %s; accepted: %s", name, strconv.Quote(found), accepted))
}

// unknown reports variables that do not exist, with the nearest one that does.
func (r *reader) unknown(values map[string]string) {
	params, err := env.GetFieldParams(&variables{})
	if err != nil {
		r.lines = append(r.lines, err.Error())
		return
	}
	var known []string
	for _, p := range params {
		known = append(known, p.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(known, name) {
			continue
		}
		nearest := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
		r.lines = append(r.lines, fmt.Sprintf("%s: there is no such variable; the nearest is %s", name, nearest))
	}
}

// later handles variables of parts that are not in this version: what would weaken or move something by being ignored stops the
// start, the rest is a warning.
func (r *reader) later() {
	stops := map[string]string{
		"STUDIO_REDIS_URL": r.raw.RedisURL, "STUDIO_SSL_DOMAIN": r.raw.SSLDomain, "STUDIO_SSL_EMAIL": r.raw.SSLEmail, "STUDIO_SSL_STAGING": r.raw.SSLStaging,
		"STUDIO_EXTERNAL_HTTPS_PORT": r.raw.HTTPSPort, "STUDIO_ACME_DIRECTORY": r.raw.ACMEDirectory, "STUDIO_ACME_CA": r.raw.ACMECA,
	}
	for name, v := range stops {
		if v != "" {
			r.lines = append(r.lines, name+": not part of this version; remove it (TLS: put a proxy in front and list it in STUDIO_TRUSTED_PROXIES)")
		}
	}
	if d := r.raw.DatabaseURL; d != "" {
		r.wrong("STUDIO_DATABASE_URL", scheme(d)+"://…", "nothing: this version keeps its store in STUDIO_DATA_DIR")
	}
	warns := map[string]string{
		"STUDIO_AGENT_ADDR": r.raw.AgentAddr, "STUDIO_AGENT_ALLOW_PRIVATE_NETWORKS": r.raw.AgentPrivate, "STUDIO_AGENT_RATE_LIMIT": r.raw.AgentLimit,
		"STUDIO_PROMPT_GUARD_ENABLED": r.raw.PromptGuard,
	}
	if r.raw.ServiceToken.IsSet() {
		warns["STUDIO_AGENT_SERVICE_TOKEN"] = "set"
	}
	for _, name := range slices.Sorted(maps.Keys(warns)) {
		if warns[name] != "" {
			r.warnings = append(r.warnings, name)
		}
	}
}

func scheme(u string) string {
	s, _, _ := strings.Cut(u, ":")
	return s
}

func (r *reader) config() Config {
	raw := r.raw
	c := Config{
		DataDir: r.dir("STUDIO_DATA_DIR", raw.DataDir), PublicURL: r.public(raw.PublicURL), AllowedHosts: r.hosts(raw.AllowedHosts),
		EncryptionKey: raw.EncryptionKey.Secret, SessionSecret: raw.JWTSecret.Secret, MCPToken: raw.MCPToken.Secret, AdminUsername: raw.AdminUsername, AdminPassword: raw.AdminPassword.Secret,
		Front: r.address("STUDIO_ADDR", raw.Addr, "127.0.0.1:3000", false), API: r.address("STUDIO_API_ADDR", raw.APIAddr, "127.0.0.1:8000", true),
		MCP:          r.address("STUDIO_MCP_ADDR", raw.MCPAddr, "127.0.0.1:8080", true),
		AllowPrivate: r.truth("STUDIO_ALLOW_PRIVATE_NETWORKS", raw.AllowPrivate), Passthrough: r.truth("STUDIO_ALLOW_PASSTHROUGH_SQL", raw.Passthrough),
		LogFormat: raw.LogFormat, Warnings: r.warnings,
	}
	c.SQLiteDir = filepath.Join(c.DataDir, "databases")
	if raw.SQLiteDir != "" {
		c.SQLiteDir = r.dir("STUDIO_SQLITE_DIR", raw.SQLiteDir)
		if dir, data := resolved(c.SQLiteDir), resolved(c.DataDir); dir == data || below(dir, data) {
			r.wrong("STUDIO_SQLITE_DIR", raw.SQLiteDir, "a directory that does not hold the data directory: connections would reach the studio's own store")
		}
	}
	r.proxies(&c)
	switch raw.Sandbox {
	case "enforce", "degraded":
		c.Enforce = raw.Sandbox == "enforce"
	default:
		r.wrong("STUDIO_SANDBOX", raw.Sandbox, "enforce or degraded")
	}
	c.LogLevelGiven = raw.LogLevel != ""
	if err := c.LogLevel.UnmarshalText([]byte(cmp.Or(raw.LogLevel, "info"))); err != nil || c.LogLevelGiven && !slices.Contains([]string{"debug", "info", "warn", "error"}, raw.LogLevel) {
		r.wrong("STUDIO_LOG_LEVEL", raw.LogLevel, "debug, info, warn or error")
	}
	if !slices.Contains([]string{"", "text", "json"}, raw.LogFormat) {
		r.wrong("STUDIO_LOG_FORMAT", raw.LogFormat, "text or json")
	}
	if (raw.AdminUsername == "") != !raw.AdminPassword.IsSet() {
		r.lines = append(r.lines, "STUDIO_ADMIN_USERNAME, STUDIO_ADMIN_PASSWORD: one of them is set; accepted: both or none")
	}
	return c
}

func (r *reader) dir(name, v string) string {
	abs, err := filepath.Abs(v)
	if err != nil || v == "" {
		r.wrong(name, v, "a directory")
	}
	return abs
}

// resolved is an absolute path with the symbolic links of what there is of it followed.
func resolved(path string) string {
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, strings.TrimPrefix(path, at))
		}
		if at == filepath.Dir(at) {
			return path
		}
	}
}

func (r *reader) truth(name, v string) bool {
	on, err := strconv.ParseBool(v)
	if err != nil {
		r.wrong(name, v, "true or false")
	}
	return on
}

func (r *reader) public(v string) *url.URL {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		r.wrong("STUDIO_PUBLIC_URL", redacted(v), "scheme://host[:port] without a path, for example https://studio.example.org")
		return nil
	}
	u.Path = ""
	return u
}

// redacted leaves the user information of an address out.
func redacted(v string) string {
	if i := strings.LastIndexByte(v, '@'); i >= 0 {
		return "…" + v[i:]
	}
	return v
}

func (r *reader) hosts(v string) []string {
	var out []string
	for _, h := range split(v) {
		if strings.ContainsAny(h, "/:@ *") {
			r.wrong("STUDIO_ALLOWED_HOSTS", h, "host names without scheme and port, separated by commas")
		}
		out = append(out, strings.ToLower(h))
	}
	return out
}

func (r *reader) proxies(c *Config) {
	for _, p := range split(r.raw.Proxies) {
		if p == "unix" {
			c.TrustUnix = true
			continue
		}
		prefix, err := netip.ParsePrefix(p)
		if a, aerr := netip.ParseAddr(p); err != nil && aerr == nil {
			prefix, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			r.wrong("STUDIO_TRUSTED_PROXIES", p, "addresses or networks such as 10.0.0.0/8, or unix, separated by commas")
			continue
		}
		c.Proxies = append(c.Proxies, prefix.Masked())
	}
}

func split(v string) []string {
	var out []string
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// distance is how many single-character edits are between two names (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
