package store

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// AuthType is how MCP clients prove who they are.
type AuthType string

// The modes.
const (
	AuthNone          AuthType = "none"
	AuthBearer        AuthType = "bearer"
	AuthOAuth         AuthType = "oauth_credentials"
	AuthIntrospection AuthType = "oauth_introspection"
)

// ServerConfigID is the id of the one server config row.
const ServerConfigID = "server"

// ServerConfig holds the settings of the generated MCP server and of the studio. There is one.
type ServerConfig struct {
	Meta
	ServerName      string                     `json:"server_name"`
	Instructions    string                     `json:"instructions" jsonschema:"told to every client when it connects"`
	AuthType        AuthType                   `json:"auth_type" jsonschema:"none, bearer, oauth_credentials or oauth_introspection"`
	CORSOrigins     []string                   `json:"cors_origins" jsonschema:"browser origins that may call the MCP endpoint"`
	LogLevel        string                     `json:"log_level" jsonschema:"debug, info, warn or error"`
	MCPRateLimit    int                        `json:"mcp_rate_limit" jsonschema:"calls per minute and token; 0: no limit"`
	GlobalVariables map[string]json.RawMessage `json:"global_variables" jsonschema:"name to string, number or boolean; transforms read them as $vars.name"`
	// AuthNoneConfirmed records that the admin accepted mode none on a listener others can reach.
	AuthNoneConfirmed bool `json:"auth_none_confirmed"`
	// ChildMemoryMiB and ChildCPUs limit each child; a revision keeps those it was deployed with.
	ChildMemoryMiB int `json:"child_memory_mib" jsonschema:"memory of a child in MiB, 64 to 16384; with less than 128 a large result can end the child; takes effect with the next deploy"`
	ChildCPUs      int `json:"child_cpus" jsonschema:"whole processors a child may use; 0: all; takes effect with the next deploy"`
}

// The bounds of what a child may use. Processors are whole ones: a quota (cgroup cpu.max) could be a fraction of one, the CPU
// affinity that limits a child where no cgroup is writable could not, and one setting must mean the same in both.
const (
	DefaultChildMemoryMiB = 512
	MinChildMemoryMiB     = 64
	MaxChildMemoryMiB     = 16384
	MaxChildCPUs          = 1024
)

// NewServerConfig returns the settings a fresh studio starts with.
func NewServerConfig() *ServerConfig {
	return &ServerConfig{
		Meta: Meta{ID: ServerConfigID}, ServerName: "MCP Studio", AuthType: AuthBearer, LogLevel: "info",
		CORSOrigins: []string{}, GlobalVariables: map[string]json.RawMessage{}, ChildMemoryMiB: DefaultChildMemoryMiB,
	}
}

// Head implements Entity.
func (c *ServerConfig) Head() *Meta { return &c.Meta }

// Kind implements Entity.
func (c *ServerConfig) Kind() Kind { return KindServerConfig }

// Label implements Entity.
func (c *ServerConfig) Label() string { return "server config" }

// Enabled implements Entity.
func (c *ServerConfig) Enabled() bool { return true }

// Secrets implements Entity; none yet.
func (c *ServerConfig) Secrets() map[string]*Secret { return nil }

// ServerConfigPatch changes the config. Version is optional here: 0 skips the check.
type ServerConfigPatch struct {
	Version           int                         `json:"version,omitempty"`
	ServerName        *string                     `json:"server_name,omitempty"`
	Instructions      *string                     `json:"instructions,omitempty"`
	AuthType          *AuthType                   `json:"auth_type,omitempty"`
	AuthNoneConfirmed *bool                       `json:"auth_none_confirmed,omitempty"`
	CORSOrigins       *[]string                   `json:"cors_origins,omitempty"`
	LogLevel          *string                     `json:"log_level,omitempty"`
	MCPRateLimit      *int                        `json:"mcp_rate_limit,omitempty"`
	GlobalVariables   *map[string]json.RawMessage `json:"global_variables,omitempty"`
	ChildMemoryMiB    *int                        `json:"child_memory_mib,omitempty"`
	ChildCPUs         *int                        `json:"child_cpus,omitempty"`
}

// Target says what the patch is for.
func (p ServerConfigPatch) Target() (id string, version int) { return ServerConfigID, p.Version }

// Apply changes c.
func (p ServerConfigPatch) Apply(c *ServerConfig) error {
	set(&c.ServerName, p.ServerName)
	set(&c.Instructions, p.Instructions)
	set(&c.AuthType, p.AuthType)
	set(&c.AuthNoneConfirmed, p.AuthNoneConfirmed)
	set(&c.CORSOrigins, p.CORSOrigins)
	set(&c.LogLevel, p.LogLevel)
	set(&c.MCPRateLimit, p.MCPRateLimit)
	set(&c.GlobalVariables, p.GlobalVariables)
	set(&c.ChildMemoryMiB, p.ChildMemoryMiB)
	set(&c.ChildCPUs, p.ChildCPUs)
	if c.AuthType != AuthNone {
		c.AuthNoneConfirmed = false
	}
	return nil
}

// Check reports every field that breaks a rule.
func (c *ServerConfig) Check() error {
	var f Fields
	if n := utf8.RuneCountInString(strings.TrimSpace(c.ServerName)); n < 1 || n > 100 || !printable(c.ServerName) {
		f.Add("server_name", "a server name is 1 to 100 printable characters")
	}
	if utf8.RuneCountInString(c.Instructions) > 10_000 {
		f.Add("instructions", "instructions are at most 10,000 characters")
	}
	switch c.AuthType {
	case AuthNone, AuthBearer:
	case AuthOAuth, AuthIntrospection:
		return &Error{Code: NotAvailable, Field: "auth_type", Message: "OAuth2 is not part of this version; use bearer tokens"}
	default:
		f.Add("auth_type", "auth_type is none or bearer%s", Got(string(c.AuthType)))
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		f.Add("log_level", "log_level is debug, info, warn or error%s", Got(c.LogLevel))
	}
	between(&f, "mcp_rate_limit", c.MCPRateLimit, 0, 1_000_000)
	between(&f, "child_memory_mib", c.ChildMemoryMiB, MinChildMemoryMiB, MaxChildMemoryMiB)
	between(&f, "child_cpus", c.ChildCPUs, 0, MaxChildCPUs)
	if len(c.CORSOrigins) > 50 {
		f.Add("cors_origins", "at most 50 origins")
	}
	for i, o := range c.CORSOrigins {
		if u, err := url.Parse(o); err != nil || (u.Scheme != "https" && u.Scheme != "http") || !exactHost(u) || o != strings.ToLower(u.Scheme+"://"+u.Host) {
			f.Add(fmt.Sprintf("cors_origins.%d", i), "an origin is scheme://host[:port] in small letters, without a path and never *%s", Got(o))
		}
	}
	f.Merge("global_variables", CheckVariables(c.GlobalVariables))
	return f.Err()
}

// exactHost reports whether the address names one host: a pattern would be no allow-list.
func exactHost(u *url.URL) bool {
	return isHost(u.Hostname()) && !strings.HasSuffix(u.Host, ":")
}

var plainNumber = regexp.MustCompile(`^-?\d+(\.\d+)?([eE][+-]?\d+)?$`)

// CheckVariables judges global variables: names, number of them, and that each is a string, number or boolean.
func CheckVariables(vars map[string]json.RawMessage) error {
	if len(vars) > MaxVariables {
		return fmt.Errorf("at most %d global variables, got %d", MaxVariables, len(vars))
	}
	for name, v := range vars {
		if !variableName.MatchString(name) {
			return fmt.Errorf("a variable name is 1 to 64 letters, digits or _ and does not start with a digit%s", Got(name))
		}
		var value any
		if json.Unmarshal(v, &value) != nil {
			return fmt.Errorf("the variable %s is not valid JSON", name)
		}
		switch x := value.(type) {
		case bool:
		case string:
			if utf8.RuneCountInString(x) > 10_000 {
				return fmt.Errorf("the variable %s is longer than 10,000 characters", name)
			}
		case float64:
			if math.IsInf(x, 0) || len(v) > 64 || !plainNumber.Match(v) {
				return fmt.Errorf("the variable %s is not a plain number", name)
			}
		default:
			return fmt.Errorf("the variable %s is a string, number or boolean", name)
		}
	}
	return nil
}
