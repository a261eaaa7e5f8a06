package store

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// MCPToken lets an MCP client call the generated server. The token itself is shown once; the store keeps its hash.
type MCPToken struct {
	Meta
	Name               string     `json:"name"`
	Prefix             string     `json:"prefix" jsonschema:"how the token starts, to tell tokens apart"`
	TokenHash          []byte     `json:"-"`
	Tools              *[]string  `json:"tools" jsonschema:"names this token may see and call; null: all"`
	Resources          *[]string  `json:"resources"`
	Prompts            *[]string  `json:"prompts"`
	ExpiresAt          *time.Time `json:"expires_at"`
	IdleTimeoutMinutes int        `json:"idle_timeout_minutes" jsonschema:"0: none"`
	LastUsedAt         *time.Time `json:"last_used_at"`
	LastUsedIP         string     `json:"last_used_ip"`
	LastClient         string     `json:"last_client" jsonschema:"name and version the client gave"`
	LastMethod         string     `json:"last_method"`
	LastListed         int        `json:"last_listed" jsonschema:"how many tools the client last listed"`
}

// Head implements Entity.
func (t *MCPToken) Head() *Meta { return &t.Meta }

// Valid reports whether the token is good at now: neither past its end nor idle for too long. One that was never used is idle since it was made.
func (t *MCPToken) Valid(now time.Time) bool {
	if t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) {
		return false
	}
	last := t.CreatedAt
	if t.LastUsedAt != nil {
		last = *t.LastUsedAt
	}
	return t.IdleTimeoutMinutes == 0 || now.Sub(last) < time.Duration(t.IdleTimeoutMinutes)*time.Minute
}

// Kind implements Entity.
func (t *MCPToken) Kind() Kind { return KindMCPToken }

// Label implements Entity.
func (t *MCPToken) Label() string { return t.Name }

// Enabled implements Entity.
func (t *MCPToken) Enabled() bool { return true }

// Secrets implements Entity; the token is hashed, not sealed.
func (t *MCPToken) Secrets() map[string]*Secret { return nil }

// TokenUse is one use of an MCP token, as the front saw it. Uses are kept in batches, without a version or a history entry.
type TokenUse struct {
	ID     string // of the token
	At     time.Time
	IP     string
	Client string // name and version the client gave
	Method string // of the MCP request
	Listed int    // how many tools a tools/list answered; 0: it was another method
}

// Bounds of an MCP token's idle timeout in minutes: 30 minutes to 30 days.
const (
	MinIdleMinutes = 30
	MaxIdleMinutes = 30 * 24 * 60
)

// MCPTokenDraft makes a token.
type MCPTokenDraft struct {
	Name               string    `json:"name"`
	Tools              *[]string `json:"tools,omitempty"`
	Resources          *[]string `json:"resources,omitempty"`
	Prompts            *[]string `json:"prompts,omitempty"`
	ExpiresInDays      *int      `json:"expires_in_days,omitempty" jsonschema:"1 to 3650; left out: never"`
	IdleTimeoutMinutes *int      `json:"idle_timeout_minutes,omitempty" jsonschema:"30 to 43200; left out: none"`
}

// MCPTokenPatch renames a token.
type MCPTokenPatch struct {
	ID      string  `json:"id"`
	Version int     `json:"version"`
	Name    *string `json:"name,omitempty"`
}

// Target says what the patch is for.
func (p MCPTokenPatch) Target() (id string, version int) { return p.ID, p.Version }

// Apply changes t.
func (p MCPTokenPatch) Apply(t *MCPToken) error {
	set(&t.Name, p.Name)
	t.Name = strings.TrimSpace(t.Name)
	return nil
}

// Check reports every field that breaks a rule.
func (t *MCPToken) Check() error {
	var f Fields
	if n := utf8.RuneCountInString(t.Name); n < 1 || n > 100 || !printable(t.Name) {
		f.Add("name", "a token name is 1 to 100 printable characters; name it after the client that will use it")
	}
	if t.IdleTimeoutMinutes != 0 {
		between(&f, "idle_timeout_minutes", t.IdleTimeoutMinutes, MinIdleMinutes, MaxIdleMinutes)
	}
	for _, l := range []struct {
		field string
		names *[]string
	}{{"tools", t.Tools}, {"resources", t.Resources}, {"prompts", t.Prompts}} {
		if l.names == nil {
			continue
		}
		for i, n := range *l.names {
			if !mcpName.MatchString(n) {
				f.Add(fmt.Sprintf("%s.%d", l.field, i), "%q is not a valid name", Clip(n))
			}
		}
	}
	return f.Err()
}

// Check reports what the draft's own fields break.
func (d MCPTokenDraft) Check() error {
	var f Fields
	if d.ExpiresInDays != nil {
		between(&f, "expires_in_days", *d.ExpiresInDays, 1, 3650)
	}
	if d.IdleTimeoutMinutes != nil {
		between(&f, "idle_timeout_minutes", *d.IdleTimeoutMinutes, MinIdleMinutes, MaxIdleMinutes)
	}
	return f.Err()
}
