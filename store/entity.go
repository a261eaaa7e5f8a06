package store

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// Meta is what every entity shares.
type Meta struct {
	ID        string    `json:"id" jsonschema:"UUID v7"`
	Version   int       `json:"version" jsonschema:"optimistic lock: send the version you last read with a change"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Entity is what the store can keep with versions and history.
type Entity interface {
	Head() *Meta
	Kind() Kind
	Label() string               // the name people see
	Enabled() bool               // the state lists filter on
	Secrets() map[string]*Secret // sealed fields by column; nil when the kind has none
}

// Kind names a kind of entity, in the singular, as history and errors show it.
type Kind string

// The kinds with history.
const (
	KindConnection   Kind = "connection"
	KindTool         Kind = "tool"
	KindResource     Kind = "resource"
	KindPrompt       Kind = "prompt"
	KindServerConfig Kind = "server_config"
	KindMCPToken     Kind = "mcp_token"
	KindRevision     Kind = "revision"
	KindAdmin        Kind = "admin"
	KindEncryption   Kind = "encryption" // the key that seals secrets
	KindBackup       Kind = "backup"     // one that was restored
)

// Kinds lists every kind with history.
func Kinds() []Kind {
	return []Kind{KindConnection, KindTool, KindResource, KindPrompt, KindServerConfig, KindMCPToken, KindRevision, KindAdmin, KindEncryption, KindBackup}
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total" jsonschema:"how many there are over all pages"`
}

// Query asks for a page of a list.
type Query struct {
	Skip   int    `json:"skip,omitempty" jsonschema:"entries to skip"`
	Limit  int    `json:"limit,omitempty" jsonschema:"page size; default 50, at most 100"`
	Search string `json:"search,omitempty" jsonschema:"text to find in names and descriptions"`
	Sort   string `json:"sort,omitempty" jsonschema:"name, created_at or updated_at; a leading minus reverses"`
}

// The bounds of a page.
const (
	DefaultLimit = 50
	MaxLimit     = 100
)

// Clean checks a query and fills its defaults.
func (q Query) Clean() (Query, error) {
	var f Fields
	if q.Skip < 0 {
		f.Add("skip", "skip is 0 or more, got %d", q.Skip)
	}
	if q.Limit < 0 || q.Limit > MaxLimit {
		f.Add("limit", "limit is 1 to %d, got %d", MaxLimit, q.Limit)
	}
	if utf8.RuneCountInString(q.Search) > 200 {
		f.Add("search", "search is at most 200 characters")
	}
	if strings.ContainsRune(q.Search, 0) {
		f.Add("search", "search has a character that no text has (NUL)")
	}
	switch q.Sort {
	case "", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at":
	default:
		f.Add("sort", "sort is name, created_at or updated_at, with a leading minus to reverse%s", Got(q.Sort))
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Sort == "" {
		q.Sort = "name"
	}
	return q, f.Err()
}

// Opt is an input field where absent, null and a value mean three things: leave alone, clear, set.
type Opt[T any] struct {
	Set   bool // the field was there
	Null  bool // and it was null
	Value T
}

// UnmarshalJSON notes that the field was there.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	*o = Opt[T]{Set: true}
	if string(b) == "null" {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// MarshalJSON writes the value, or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// IsZero lets omitzero leave an absent field out.
func (o Opt[T]) IsZero() bool { return !o.Set }

// set changes dst when the patch has the field.
func set[T any](dst *T, src *T) {
	if src != nil {
		*dst = *src
	}
}
