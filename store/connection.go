package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DBType names a kind of database.
type DBType string

// The ten kinds. All can be stored; which have a driver is the child's matter.
const (
	PostgreSQL DBType = "postgresql"
	MySQL      DBType = "mysql"
	MSSQL      DBType = "mssql"
	ClickHouse DBType = "clickhouse"
	SQLite     DBType = "sqlite"
	Cassandra  DBType = "cassandra"
	Greenplum  DBType = "greenplum"
	Supabase   DBType = "supabase"
	Snowflake  DBType = "snowflake"
	BigQuery   DBType = "bigquery"
)

// DBTypes lists every kind, in the order the UI shows them.
func DBTypes() []DBType {
	return []DBType{PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, Cassandra, Greenplum, Supabase, Snowflake, BigQuery}
}

// DefaultPort is the port a kind listens on unless told otherwise; 0 where there is none to dial.
func (t DBType) DefaultPort() int {
	switch t {
	case PostgreSQL, Greenplum, Supabase:
		return 5432
	case MySQL:
		return 3306
	case MSSQL:
		return 1433
	case ClickHouse:
		return 9000
	case Cassandra:
		return 9042
	}
	return 0
}

// NeedsHost reports whether the kind is reached at a host and port of the admin's choice.
func (t DBType) NeedsHost() bool { return t.DefaultPort() != 0 }

// SecretParams names the keys of extra_params that are sealed.
func (t DBType) SecretParams() []string {
	if t == BigQuery {
		return []string{"credentials_json"}
	}
	return nil
}

// SSLMode is how a connection uses TLS, in PostgreSQL's words (libpq, "SSL Mode Descriptions").
type SSLMode string

// The modes.
const (
	SSLDisable    SSLMode = "disable"
	SSLAllow      SSLMode = "allow"
	SSLPrefer     SSLMode = "prefer"
	SSLRequire    SSLMode = "require"
	SSLVerifyCA   SSLMode = "verify-ca"
	SSLVerifyFull SSLMode = "verify-full"
)

// SSLModes lists the modes from weak to strong.
func SSLModes() []SSLMode {
	return []SSLMode{SSLDisable, SSLAllow, SSLPrefer, SSLRequire, SSLVerifyCA, SSLVerifyFull}
}

// The bounds of a connection's limits.
const (
	MaxExtraParams     = 64 << 10
	MaxConcurrent      = 200
	DefaultConcurrent  = 5
	MaxQueueTimeout    = 300
	DefaultQueueWait   = 30
	MaxStatementTime   = 600
	DefaultStatement   = 30
	MaxRowLimit        = 100_000
	DefaultRowLimit    = 1_000
	MaxResultBytes     = 10 << 20
	DefaultResultBytes = 1 << 20
	MaxPoolSize        = 100
	DefaultPoolSize    = 5
)

// Connection is how to reach one database.
type Connection struct {
	Meta
	Name                    string                     `json:"name"`
	DBType                  DBType                     `json:"db_type" jsonschema:"postgresql, mysql, mssql, clickhouse, sqlite, cassandra, greenplum, supabase, snowflake or bigquery"`
	Host                    string                     `json:"host"`
	Port                    int                        `json:"port"`
	Database                string                     `json:"database" jsonschema:"database name; for sqlite the file below the SQLite directory"`
	Username                string                     `json:"username"`
	Password                Secret                     `json:"password" jsonschema:"masked; null when none is stored"`
	SSLMode                 SSLMode                    `json:"ssl_mode"`
	SSLRootCert             string                     `json:"ssl_root_cert" jsonschema:"PEM certificates to trust instead of the system's"`
	PoolMinSize             int                        `json:"pool_min_size"`
	PoolMaxSize             int                        `json:"pool_max_size"`
	ExtraParams             map[string]json.RawMessage `json:"extra_params" jsonschema:"options of the kind; secret ones are masked"`
	IsActive                bool                       `json:"is_active"`
	ReadOnly                bool                       `json:"read_only" jsonschema:"the database itself refuses writes on this connection"`
	MaxConcurrentQueries    int                        `json:"max_concurrent_queries"`
	QueueEnabled            bool                       `json:"queue_enabled"`
	QueueTimeoutSeconds     int                        `json:"queue_timeout_seconds"`
	StatementTimeoutSeconds int                        `json:"statement_timeout_seconds"`
	MaxRows                 int                        `json:"max_rows"`
	MaxResultBytes          int                        `json:"max_result_bytes"`
	NeedsSecret             bool                       `json:"needs_secret" jsonschema:"the secret was cleared by an import or rollback and must be entered again"`
	Tags                    []string                   `json:"tags"`

	// ExtraSecrets holds the sealed keys of extra_params, by "extra_params.key".
	ExtraSecrets map[string]*Secret `json:"-"`
}

// Head implements Entity.
func (c *Connection) Head() *Meta { return &c.Meta }

// Kind implements Entity.
func (c *Connection) Kind() Kind { return KindConnection }

// Label implements Entity.
func (c *Connection) Label() string { return c.Name }

// Enabled implements Entity.
func (c *Connection) Enabled() bool { return c.IsActive }

// Secrets implements Entity.
func (c *Connection) Secrets() map[string]*Secret {
	m := map[string]*Secret{"password": &c.Password}
	if c.ExtraSecrets == nil {
		c.ExtraSecrets = map[string]*Secret{}
	}
	for _, k := range c.DBType.SecretParams() {
		key := "extra_params." + k
		if c.ExtraSecrets[key] == nil {
			c.ExtraSecrets[key] = &Secret{}
		}
		m[key] = c.ExtraSecrets[key]
	}
	return m
}

// HasSecret reports whether any secret is stored or given.
func (c *Connection) HasSecret() bool {
	for _, s := range c.Secrets() {
		if s.IsSet() {
			return true
		}
	}
	return false
}

// Endpoint is everything that says where a connection points and how it is protected on the way. When it changes, a
// stored secret must not follow without being typed again (docs/security.md). ConnectionPatch.Apply and Digest read the same list.
type Endpoint struct {
	DBType                   DBType
	Host                     string
	Port                     int
	Username                 string
	SSLMode                  SSLMode
	SSLRootCert, ExtraParams string
}

// Endpoint returns the connection's endpoint in comparable form. Secret options are no part of it: they are what must not follow.
func (c *Connection) Endpoint() Endpoint {
	options := maps.Clone(c.ExtraParams)
	for _, k := range c.DBType.SecretParams() {
		delete(options, k)
	}
	if options == nil {
		options = map[string]json.RawMessage{} // no options and none given are the same
	}
	extra, _ := json.Marshal(options) // map keys are sorted; raw values are valid JSON by decoding
	return Endpoint{c.DBType, strings.ToLower(c.Host), c.Port, c.Username, c.SSLMode, c.SSLRootCert, string(extra)}
}

// Digest is the SHA-256 of the endpoint in hexadecimal, each part behind its length so that no two endpoints read the same. Stored
// secrets are sealed together with it. It must stay what it is for every endpoint there is: with another one, all must be entered anew.
func (e Endpoint) Digest() string {
	h := sha256.New()
	for _, part := range []string{string(e.DBType), e.Host, strconv.Itoa(e.Port), e.Username, string(e.SSLMode), e.SSLRootCert, e.ExtraParams} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ConnectionDraft makes a connection. Zero limits take their defaults.
type ConnectionDraft struct {
	Name                    string                     `json:"name"`
	DBType                  DBType                     `json:"db_type"`
	Host                    string                     `json:"host,omitempty"`
	Port                    int                        `json:"port,omitempty"`
	Database                string                     `json:"database,omitempty"`
	Username                string                     `json:"username,omitempty"`
	Password                Secret                     `json:"password,omitempty"`
	SSLMode                 SSLMode                    `json:"ssl_mode,omitempty"`
	SSLRootCert             string                     `json:"ssl_root_cert,omitempty"`
	PoolMinSize             *int                       `json:"pool_min_size,omitempty"`
	PoolMaxSize             *int                       `json:"pool_max_size,omitempty"`
	ExtraParams             map[string]json.RawMessage `json:"extra_params,omitempty"`
	IsActive                *bool                      `json:"is_active,omitempty"`
	ReadOnly                *bool                      `json:"read_only,omitempty"`
	MaxConcurrentQueries    *int                       `json:"max_concurrent_queries,omitempty"`
	QueueEnabled            *bool                      `json:"queue_enabled,omitempty"`
	QueueTimeoutSeconds     *int                       `json:"queue_timeout_seconds,omitempty"`
	StatementTimeoutSeconds *int                       `json:"statement_timeout_seconds,omitempty"`
	MaxRows                 *int                       `json:"max_rows,omitempty"`
	MaxResultBytes          *int                       `json:"max_result_bytes,omitempty"`
	Tags                    []string                   `json:"tags,omitempty"`
}

// New fills the defaults; Check judges the result.
func (d ConnectionDraft) New() *Connection {
	c := &Connection{
		Name: d.Name, DBType: d.DBType, Host: d.Host, Port: d.Port, Database: d.Database, Username: d.Username,
		Password: d.Password, SSLMode: d.SSLMode, SSLRootCert: d.SSLRootCert, Tags: d.Tags,
		PoolMaxSize: DefaultPoolSize, IsActive: true, ReadOnly: true,
		MaxConcurrentQueries: DefaultConcurrent, QueueEnabled: true, QueueTimeoutSeconds: DefaultQueueWait,
		StatementTimeoutSeconds: DefaultStatement, MaxRows: DefaultRowLimit, MaxResultBytes: DefaultResultBytes,
	}
	if c.Port == 0 {
		c.Port = d.DBType.DefaultPort()
	}
	if c.SSLMode == "" {
		c.SSLMode = SSLPrefer
	}
	set(&c.PoolMinSize, d.PoolMinSize)
	set(&c.PoolMaxSize, d.PoolMaxSize)
	set(&c.IsActive, d.IsActive)
	set(&c.ReadOnly, d.ReadOnly)
	set(&c.MaxConcurrentQueries, d.MaxConcurrentQueries)
	set(&c.QueueEnabled, d.QueueEnabled)
	set(&c.QueueTimeoutSeconds, d.QueueTimeoutSeconds)
	set(&c.StatementTimeoutSeconds, d.StatementTimeoutSeconds)
	set(&c.MaxRows, d.MaxRows)
	set(&c.MaxResultBytes, d.MaxResultBytes)
	c.takeExtra(d.ExtraParams)
	c.tidy()
	return c
}

// ConnectionPatch changes a connection; an absent field is left alone.
type ConnectionPatch struct {
	ID                      string                      `json:"id"`
	Version                 int                         `json:"version" jsonschema:"the version you last read"`
	Name                    *string                     `json:"name,omitempty"`
	DBType                  *DBType                     `json:"db_type,omitempty"`
	Host                    *string                     `json:"host,omitempty"`
	Port                    *int                        `json:"port,omitempty"`
	Database                *string                     `json:"database,omitempty"`
	Username                *string                     `json:"username,omitempty"`
	Password                Secret                      `json:"password,omitempty"`
	SSLMode                 *SSLMode                    `json:"ssl_mode,omitempty"`
	SSLRootCert             *string                     `json:"ssl_root_cert,omitempty"`
	PoolMinSize             *int                        `json:"pool_min_size,omitempty"`
	PoolMaxSize             *int                        `json:"pool_max_size,omitempty"`
	ExtraParams             *map[string]json.RawMessage `json:"extra_params,omitempty"`
	IsActive                *bool                       `json:"is_active,omitempty"`
	ReadOnly                *bool                       `json:"read_only,omitempty"`
	MaxConcurrentQueries    *int                        `json:"max_concurrent_queries,omitempty"`
	QueueEnabled            *bool                       `json:"queue_enabled,omitempty"`
	QueueTimeoutSeconds     *int                        `json:"queue_timeout_seconds,omitempty"`
	StatementTimeoutSeconds *int                        `json:"statement_timeout_seconds,omitempty"`
	MaxRows                 *int                        `json:"max_rows,omitempty"`
	MaxResultBytes          *int                        `json:"max_result_bytes,omitempty"`
	Tags                    *[]string                   `json:"tags,omitempty"`
}

// Target says what the patch is for.
func (p ConnectionPatch) Target() (id string, version int) { return p.ID, p.Version }

// Apply changes c. When the endpoint changes while a secret is stored and the patch brings none, the change is refused:
// a stored password never travels to another host.
func (p ConnectionPatch) Apply(c *Connection) error {
	before, had := c.Endpoint(), c.HasSecret()
	if p.DBType != nil && *p.DBType != c.DBType && p.Port == nil {
		c.Port = p.DBType.DefaultPort()
	}
	set(&c.Name, p.Name)
	set(&c.DBType, p.DBType)
	set(&c.Host, p.Host)
	set(&c.Port, p.Port)
	set(&c.Database, p.Database)
	set(&c.Username, p.Username)
	set(&c.SSLMode, p.SSLMode)
	set(&c.SSLRootCert, p.SSLRootCert)
	set(&c.PoolMinSize, p.PoolMinSize)
	set(&c.PoolMaxSize, p.PoolMaxSize)
	set(&c.IsActive, p.IsActive)
	set(&c.ReadOnly, p.ReadOnly)
	set(&c.MaxConcurrentQueries, p.MaxConcurrentQueries)
	set(&c.QueueEnabled, p.QueueEnabled)
	set(&c.QueueTimeoutSeconds, p.QueueTimeoutSeconds)
	set(&c.StatementTimeoutSeconds, p.StatementTimeoutSeconds)
	set(&c.MaxRows, p.MaxRows)
	set(&c.MaxResultBytes, p.MaxResultBytes)
	set(&c.Tags, p.Tags)
	switch {
	case p.ExtraParams != nil:
		c.takeExtra(*p.ExtraParams)
	case p.DBType != nil: // another type may have other secret keys
		c.takeExtra(c.ExtraParams)
	}
	if p.Password.IsGiven() || p.Password.IsCleared() {
		c.Password = p.Password
	}
	c.tidy()
	if had && c.Endpoint() != before && !c.secretsSettled() {
		return Invalidf("password", "the type, host, port, user, TLS or endpoint options changed: enter the password again, so that a stored one is never sent to another place (or send null to remove it)")
	}
	for _, s := range c.Secrets() {
		if s.IsGiven() {
			c.NeedsSecret = false
		}
	}
	return nil
}

// secretsSettled reports whether no secret that is merely stored would be carried over.
func (c *Connection) secretsSettled() bool {
	for _, s := range c.Secrets() {
		if s.IsSet() && !s.IsGiven() {
			return false
		}
	}
	return true
}

// maskJSON is what stands in extra_params for a secret that there is.
const maskJSON = `"` + Mask + `"`

// takeExtra splits the secret keys off and leaves the mask in their place, also for a stored secret that the input leaves out. A mask
// under another key stands for nothing and is dropped. A secret that is no value (an empty text, an edited mask) is left as an empty
// text, for Check to name.
func (c *Connection) takeExtra(in map[string]json.RawMessage) {
	c.ExtraParams = map[string]json.RawMessage{}
	secret := c.DBType.SecretParams()
	for k, v := range in {
		if !slices.Contains(secret, k) && string(v) != maskJSON {
			c.ExtraParams[k] = v
		}
	}
	sealed := c.Secrets()
	for _, k := range secret {
		dst := sealed["extra_params."+k]
		if v, ok := in[k]; ok {
			var s Secret
			switch err := s.UnmarshalJSON(v); {
			case err == nil && (s.IsGiven() || s.IsCleared()):
				*dst = s
			case err != nil && len(v) > 0 && v[0] == '{': // a pasted key file is kept as its own text
				*dst = GivenSecret(string(v))
			case err != nil:
				c.ExtraParams[k] = json.RawMessage(`""`)
				continue
			}
		}
		if dst.IsSet() {
			c.ExtraParams[k] = json.RawMessage(maskJSON)
		}
	}
}

// MarkSecrets makes extra_params show the mask for the secret keys that are set, and nothing for the others.
func (c *Connection) MarkSecrets() {
	for _, k := range c.DBType.SecretParams() {
		if !c.Secrets()["extra_params."+k].IsSet() {
			delete(c.ExtraParams, k)
			continue
		}
		if c.ExtraParams == nil {
			c.ExtraParams = map[string]json.RawMessage{}
		}
		c.ExtraParams[k] = json.RawMessage(maskJSON)
	}
}

// tidy makes equal things look equal.
func (c *Connection) tidy() {
	c.Name = strings.TrimSpace(c.Name)
	c.Host = strings.TrimSpace(c.Host)
	c.SSLRootCert = strings.TrimSpace(c.SSLRootCert)
	if c.Tags == nil {
		c.Tags = []string{}
	}
	if c.ExtraParams == nil {
		c.ExtraParams = map[string]json.RawMessage{}
	}
}

// secretName matches options that are secrets in some driver or other, such as PostgreSQL's sslkey and sslpassword.
var secretName = regexp.MustCompile(`(?i)passw|passphrase|secret|token|credential|private.?key|api.?key|access.?key|sslkey`)

// secretInside matches, in JSON, a member named like a secret, and an address with a password in it.
var secretInside = regexp.MustCompile(`(?i)"[^"]*(passw|passphrase|secret|token|credential|private.?key|api.?key|access.?key|sslkey)[^"]*"\s*:|://[^/"\s]*:[^/"\s]*@|PRIVATE KEY-----`)

// holdsSecret reports whether an option's value looks as if a secret were in it.
func holdsSecret(v json.RawMessage) bool { return secretInside.Match(v) }

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253})$`)

func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || hostName.MatchString(s)
}

// Check reports every field that breaks a rule.
func (c *Connection) Check() error {
	var f Fields
	if n := utf8.RuneCountInString(c.Name); n < 1 || n > 100 || !printable(c.Name) {
		f.Add("name", "a name is 1 to 100 printable characters")
	}
	if !slices.Contains(DBTypes(), c.DBType) {
		f.Add("db_type", "a database type is postgresql, mysql, mssql, clickhouse, sqlite, cassandra, greenplum, supabase, snowflake or bigquery%s", Got(string(c.DBType)))
		return f.Err()
	}
	if c.DBType.NeedsHost() {
		switch {
		case c.Host == "":
			f.Add("host", "a host name or IP address is needed")
		case strings.Contains(c.Host, "@"): // an address with a password in it; it is not said back
			f.Add("host", "a host is one name or IP address; the user name and the password have fields of their own")
		case !isHost(c.Host):
			f.Add("host", "a host is one name or IP address, without scheme, port or path%s", Got(c.Host))
		}
	}
	if c.Port < 1 && (c.Port < 0 || c.DBType.NeedsHost()) || c.Port > 65535 {
		f.Add("port", "a port is 1 to 65535, got %d", c.Port)
	}
	for _, text := range []struct{ field, v string }{{"host", c.Host}, {"database", c.Database}, {"username", c.Username}} {
		switch {
		case strings.Contains(text.v, "://"): // an address, perhaps with a password in it; it is not said back
			f.Add(text.field, "%s is a name alone, not an address; host, port, database, user name and password have fields of their own", text.field)
		case len(text.v) > 256 || !printable(text.v):
			f.Add(text.field, "%s is at most 256 printable characters", text.field)
		}
	}
	if c.DBType == SQLite {
		c.checkSQLite(&f)
	}
	if !slices.Contains(SSLModes(), c.SSLMode) {
		f.Add("ssl_mode", "ssl_mode is disable, allow, prefer, require, verify-ca or verify-full%s", Got(string(c.SSLMode)))
	}
	switch {
	case len(c.SSLRootCert) > 256<<10:
		f.Add("ssl_root_cert", "the certificates are at most 256 KiB")
	case strings.Contains(c.SSLRootCert, "PRIVATE KEY-----"):
		f.Add("ssl_root_cert", "there is a private key among the certificates, which would be stored and shown in clear; paste the certificates alone")
	}
	if extra, err := json.Marshal(c.ExtraParams); err != nil || len(extra) > MaxExtraParams {
		f.Add("extra_params", "extra_params is an object of at most 64 KiB")
	}
	for key := range c.ExtraParams { // another spelling of a secret key would be kept and shown in clear
		for _, k := range c.DBType.SecretParams() {
			if key != k && strings.EqualFold(strings.TrimSpace(key), k) {
				f.Add("extra_params."+key, "the key is written %s", k)
			}
		}
	}
	for k, v := range c.ExtraParams {
		if !slices.Contains(c.DBType.SecretParams(), k) && (secretName.MatchString(k) || holdsSecret(v)) {
			f.Add("extra_params."+k, "this option looks like a secret, and options are stored and shown in clear; use the field password, or leave it out")
		}
	}
	for _, k := range c.DBType.SecretParams() {
		if v, ok := c.ExtraParams[k]; ok && string(v) != maskJSON {
			f.Add("extra_params."+k, "%s is a secret: send its whole text, null to remove it, or leave it out to keep it", k)
		}
	}
	between(&f, "pool_min_size", c.PoolMinSize, 0, MaxPoolSize)
	between(&f, "pool_max_size", c.PoolMaxSize, 1, MaxPoolSize)
	if c.PoolMinSize > c.PoolMaxSize {
		f.Add("pool_min_size", "pool_min_size is at most pool_max_size")
	}
	between(&f, "max_concurrent_queries", c.MaxConcurrentQueries, 1, MaxConcurrent)
	between(&f, "queue_timeout_seconds", c.QueueTimeoutSeconds, 1, MaxQueueTimeout)
	between(&f, "statement_timeout_seconds", c.StatementTimeoutSeconds, 1, MaxStatementTime)
	between(&f, "max_rows", c.MaxRows, 1, MaxRowLimit)
	between(&f, "max_result_bytes", c.MaxResultBytes, 1024, MaxResultBytes)
	checkTags(&f, c.Tags)
	return f.Err()
}

// checkSQLite keeps the file below the SQLite directory: a relative path without tricks. The child opens it through a
// directory it cannot leave; this is the sentence for the person.
func (c *Connection) checkSQLite(f *Fields) {
	switch {
	case c.Database == "":
		f.Add("database", "name the file below the SQLite directory, for example shop.db")
	case strings.HasPrefix(c.Database, "/"), strings.ContainsAny(c.Database, "\\?#%\x00"), strings.HasPrefix(c.Database, "file:"), slices.Contains(strings.Split(c.Database, "/"), ".."):
		f.Add("database", "the file is a path below the SQLite directory, without a leading slash, .., \\, ?, # or %%%s", Got(c.Database))
	}
}
