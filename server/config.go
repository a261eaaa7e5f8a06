package server

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/server/doctor"
	"mcpstudio/store"
)

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
	Enforce       bool // the sandbox's mandatory layers
	LogLevel      slog.Level
	LogLevelGiven bool             // the environment names it, so the server config's does not count
	LogFormat     string           // text, json; empty: text on a terminal
	DotEnv        *DotEnv          // the .env file that was read; nil: there was none
	Given         []doctor.Setting // every variable that is set
	Warnings      []string         // set variables that have no effect in this version

	starter *sandbox.Starter // starts the children; nil: this process does. Run makes it
}

// ConfigError lists what is wrong with the environment, one line each.
type ConfigError struct{ Lines []string }

// Error implements error.
func (e *ConfigError) Error() string { return strings.Join(e.Lines, "\n") }

// LoadConfig reads the configuration from the .env file at dotenv, when there is one, the process's environment over it, and flags over
// both. The error is a *ConfigError for mistakes in them.
func LoadConfig(dotenv string, environ, flags []string) (Config, error) {
	file, values, err := readDotEnv(dotenv)
	if err != nil {
		return Config{}, err
	}
	c, err := ConfigFromEnv(slices.Concat(values, environ, flags))
	c.DotEnv = file
	return c, err
}

// ConfigFromEnv reads the configuration from KEY=VALUE pairs, the later of two winning. The error is a *ConfigError with a line for
// each mistake: the variable, what was found, what is accepted. The values of secrets are never in it.
func ConfigFromEnv(environ []string) (Config, error) {
	known := Variables()
	values := map[string]string{}
	for _, pair := range environ {
		name, v, ok := strings.Cut(pair, "=")
		if ok && (strings.HasPrefix(name, "STUDIO_") || slices.ContainsFunc(known, func(k Variable) bool { return k.Name == name })) {
			values[name] = v
		}
	}
	r := reader{c: defaults()}
	for _, v := range known {
		r.take(v, values[v.Name])
		delete(values, v.Name)
	}
	for name := range values {
		r.lines = append(r.lines, fmt.Sprintf("%s: there is no such variable; the nearest is %s", name, nearest(name, known)))
	}
	r.settle()
	if len(r.lines) > 0 {
		slices.Sort(r.lines)
		return Config{Given: r.c.Given}, &ConfigError{r.lines}
	}
	return r.c, nil
}

// reader turns values into a Config and collects mistakes.
type reader struct {
	c     Config
	row   Variable // that is read now
	lines []string
}

// take reads one variable; an empty value counts as not set.
func (r *reader) take(v Variable, value string) {
	r.row = v
	switch {
	case value == "":
		return
	case v.read != nil:
		v.read(r, value)
	case v.Later == LaterStops:
		found := ""
		_, why, _ := strings.Cut(v.Accepted, ": ")                              // "nothing: …"
		if scheme, _, ok := strings.Cut(value, "://"); ok && len(scheme) < 20 { // of an address only what it is: the rest may hold a password
			found = " (found " + strconv.Quote(scheme+"://…") + ")"
		}
		r.lines = append(r.lines, v.Name+": not part of this version; remove it"+found+"; "+why)
	default:
		r.c.Warnings = append(r.c.Warnings, v.Name)
	}
	r.c.Given = append(r.c.Given, doctor.Setting{Name: v.Name, Value: v.shown(value)})
}

// wrong reports the value of the variable that is read now.
func (r *reader) wrong(found string) {
	r.lines = append(r.lines, fmt.Sprintf("%s: found %s; accepted: %s", r.row.Name, r.row.shown(found), r.row.Accepted))
}

// settle fills what follows from other variables, and judges what only two of them together show.
func (r *reader) settle() {
	c := &r.c
	if abs, err := filepath.Abs(c.DataDir); err == nil {
		c.DataDir = abs
	}
	switch dir, data := resolved(c.SQLiteDir), resolved(c.DataDir); {
	case c.SQLiteDir == "":
		c.SQLiteDir = filepath.Join(c.DataDir, "databases")
	case dir == data || below(dir, data):
		r.row = variable("STUDIO_SQLITE_DIR")
		r.wrong(c.SQLiteDir)
	}
	if (c.AdminUsername == "") != !c.AdminPassword.IsSet() {
		r.lines = append(r.lines, "STUDIO_ADMIN_USERNAME, STUDIO_ADMIN_PASSWORD: one of them is set; accepted: both or none")
	}
	slices.Sort(c.Warnings)
}

// variable is the row of a name that is in the table.
func variable(name string) Variable {
	all := Variables()
	return all[slices.IndexFunc(all, func(v Variable) bool { return v.Name == name })]
}

// dir reads a directory that is there or can be made: what is there already must be one.
func (r *reader) dir(v string) string {
	abs, err := filepath.Abs(v)
	home := v == "~" || strings.HasPrefix(v, "~/") // no shell has put the home directory there, and a directory of this name is nobody's wish
	if info, serr := os.Stat(abs); err != nil || home || strings.ContainsRune(v, 0) || serr == nil && !info.IsDir() {
		r.wrong(v)
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

func (r *reader) truth(v string) bool {
	on, err := strconv.ParseBool(v)
	if err != nil {
		r.wrong(v)
	}
	return on
}

func (r *reader) public(v string) *url.URL {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !hostName.MatchString(u.Hostname()) && !isAddress(u.Hostname()) || !goodPort(u) ||
		u.User != nil || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		r.wrong(v)
		return nil
	}
	u.Path, u.Host = "", strings.ToLower(u.Host)
	return u
}

// hostName is a name of the DNS (RFC 1123, section 2.1), with the underscore that container networks use.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`)

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// goodPort takes no port, or one from 1 to 65535. A colon without digits is a mistake.
func goodPort(u *url.URL) bool {
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" && !strings.HasSuffix(u.Host, ":") || err == nil && n > 0
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
		if !hostName.MatchString(h) {
			r.wrong(h)
		}
		out = append(out, strings.ToLower(h))
	}
	return out
}

func (r *reader) proxies(v string) {
	for _, p := range split(v) {
		if p == "unix" {
			r.c.TrustUnix = true
			continue
		}
		prefix, err := netip.ParsePrefix(p)
		if a, aerr := netip.ParseAddr(p); err != nil && aerr == nil {
			prefix, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			r.wrong(p)
			continue
		}
		r.c.Proxies = append(r.c.Proxies, prefix.Masked())
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
