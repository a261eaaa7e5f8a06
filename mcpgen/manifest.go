package mcpgen

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"

	"mcpstudio/store"
)

// Format is the version of the manifest's form. A child refuses another one.
const Format = 1

// Manifest is the complete, immutable description of a generated MCP server.
// It is data, not code, and holds no secret: the same configuration gives the
// same bytes, so it can be compared, hashed, shown and rolled back to.
type Manifest struct {
	Format      int                        `json:"format"`
	Server      Server                     `json:"server"`
	Connections []Connection               `json:"connections"`
	Tools       []Tool                     `json:"tools"`
	Resources   []Resource                 `json:"resources"`
	Prompts     []Prompt                   `json:"prompts"`
	Variables   map[string]json.RawMessage `json:"variables"`
	Limits      Limits                     `json:"limits"`
}

// Limits is what the child that runs the manifest may use. The zero value, which manifests have that were made before there were
// limits, stands for the defaults.
type Limits struct {
	MemoryMiB int `json:"memory_mib"`
	CPUs      int `json:"cpus"` // whole processors; 0: all
}

// Filled returns the limits with the default memory where none is given.
func (l Limits) Filled() Limits {
	if l.MemoryMiB == 0 {
		l.MemoryMiB = store.DefaultChildMemoryMiB
	}
	return l
}

// MemoryBytes is the memory limit in bytes.
func (l Limits) MemoryBytes() uint64 { return uint64(l.Filled().MemoryMiB) << 20 }

// String is a phrase for people.
func (l Limits) String() string {
	cpus := "all processors"
	switch {
	case l.CPUs == 1:
		cpus = "1 processor"
	case l.CPUs > 1:
		cpus = fmt.Sprintf("%d processors", l.CPUs)
	}
	return fmt.Sprintf("%d MiB of memory, %s", l.Filled().MemoryMiB, cpus)
}

// LimitsOf takes the limits of the server config.
func LimitsOf(c *store.ServerConfig) Limits {
	return Limits{MemoryMiB: c.ChildMemoryMiB, CPUs: c.ChildCPUs}
}

// Server is what the generated server says of itself.
type Server struct {
	Name         string `json:"name"`
	Instructions string `json:"instructions"`
}

// Connection is a database as the child needs it, without its secrets.
type Connection struct {
	ID               string                     `json:"id"`
	Name             string                     `json:"name"`
	DBType           store.DBType               `json:"db_type"`
	Host             string                     `json:"host"`
	Port             int                        `json:"port"`
	Database         string                     `json:"database"`
	Username         string                     `json:"username"`
	SSLMode          store.SSLMode              `json:"ssl_mode"`
	SSLRootCert      string                     `json:"ssl_root_cert"`
	ExtraParams      map[string]json.RawMessage `json:"extra_params"` // secret keys are left out
	ReadOnly         bool                       `json:"read_only"`
	PoolMin          int                        `json:"pool_min"`
	PoolMax          int                        `json:"pool_max"`
	Concurrent       int                        `json:"concurrent"`
	QueueEnabled     bool                       `json:"queue_enabled"`
	QueueSeconds     int                        `json:"queue_seconds"`
	StatementSeconds int                        `json:"statement_seconds"`
	MaxRows          int                        `json:"max_rows"`
	MaxBytes         int                        `json:"max_bytes"`
}

// Tool is an MCP tool, ready to be listed and called.
type Tool struct {
	ID          string                   `json:"id"`
	Connection  string                   `json:"connection"` // its id
	Name        string                   `json:"name"`
	SQL         string                   `json:"sql"` // as written, with :name placeholders
	Parameters  []store.Parameter        `json:"parameters"`
	ReadOnly    bool                     `json:"read_only"` // the statement runs read-only, enforced by the database
	Content     map[string]store.Content `json:"content"`
	CacheTTL    int                      `json:"cache_ttl"`
	Transform   string                   `json:"transform"`
	InputSchema json.RawMessage          `json:"input_schema"`
	Definition  json.RawMessage          `json:"definition"` // the exact tools/list entry
}

// Resource is an MCP resource or resource template.
type Resource struct {
	ID          string `json:"id"`
	Connection  string `json:"connection"` // empty: fixed content
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	URITemplate string `json:"uri_template"`
	MIMEType    string `json:"mime_type"`
	SQL         string `json:"sql"`
	Static      string `json:"static"`
}

// Prompt is an MCP prompt.
type Prompt struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Messages    []store.Block    `json:"messages"`
	Arguments   []store.Argument `json:"arguments"`
}

// Encode returns the manifest's canonical bytes: fixed field order, sorted maps, entities sorted by name.
func (m *Manifest) Encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote and refuses another format.
func Decode(b []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("decode manifest: %w", err)
	}
	if m.Format != Format {
		return nil, fmt.Errorf("decode manifest: format %d is not %d: deploy again", m.Format, Format)
	}
	return &m, nil
}

// Digest names the manifest by its content: SHA-256 in hexadecimal.
func Digest(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// Connection returns the connection with that id.
func (m *Manifest) Connection(id string) (Connection, bool) {
	for _, c := range m.Connections {
		if c.ID == id {
			return c, true
		}
	}
	return Connection{}, false
}

// Secrets holds opened secrets by connection id and field ("password",
// "extra_params.key"). It never prints; Encode is the one way out, for the pipe
// to a child and for sealing.
type Secrets struct {
	byConnection map[string]map[string]string
}

// NewSecrets wraps opened secrets.
func NewSecrets(byConnection map[string]map[string]string) Secrets { return Secrets{byConnection} }

// Of returns the secrets of one connection.
func (s Secrets) Of(connection string) map[string]string { return s.byConnection[connection] }

// Only returns the secrets of one connection as a set of its own.
func (s Secrets) Only(connection string) Secrets {
	if v, ok := s.byConnection[connection]; ok {
		return Secrets{map[string]map[string]string{connection: v}}
	}
	return Secrets{}
}

// Encode returns the secrets as JSON, in clear: for the pipe and the keyring only.
func (s Secrets) Encode() ([]byte, error) { return json.Marshal(s.byConnection) }

// DecodeSecrets reads what Encode wrote.
func DecodeSecrets(b []byte) (Secrets, error) {
	var s Secrets
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s.byConnection); err != nil {
		return Secrets{}, fmt.Errorf("decode secrets: not the expected form") // the cause could quote a secret
	}
	return s, nil
}

// String implements fmt.Stringer with the mask.
func (s Secrets) String() string { return store.Mask }

// GoString keeps %#v from showing the values.
func (s Secrets) GoString() string { return "mcpgen.Secrets(" + store.Mask + ")" }

// Format keeps every other verb from showing them.
func (s Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, store.Mask) }

// LogValue implements slog.LogValuer with the mask.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(store.Mask) }

// MarshalJSON refuses to leak through a struct that happens to contain secrets.
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(store.Mask) }
