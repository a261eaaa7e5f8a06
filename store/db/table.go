package db

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"mcpstudio/store"
)

// table says how a kind of entity is kept. Every kind has the same columns, plus connection_id when it uses a connection.
type table struct {
	name   string
	uses   bool // has connection_id
	empty  func() store.Entity
	search func(store.Entity) []string // texts that List searches

	loaded  func(*Tx, store.Entity) error // fills what is not in the body; may be nil
	added   func(*Tx, store.Entity) error // after Insert; may be nil
	removed func(*Tx, string) error       // before Delete; may be nil
}

// tableOf returns the table of a kind. A kind without one is a mistake in this program, not of a caller.
func tableOf(kind store.Kind) (table, error) {
	switch kind {
	case store.KindConnection:
		return table{
			name: "connections", empty: func() store.Entity { return &store.Connection{} }, removed: connectionUnused,
			search: texts(func(c *store.Connection) []string { return []string{c.Name, c.Host, c.Database} }),
		}, nil
	case store.KindTool:
		return table{
			name: "tools", uses: true, empty: func() store.Entity { return &store.Tool{} },
			search: texts(func(t *store.Tool) []string { return []string{t.Name, t.Title, t.Description, t.SQLQuery} }),
		}, nil
	case store.KindResource:
		return table{
			name: "resources", uses: true, empty: func() store.Entity { return &store.Resource{} },
			search: texts(func(r *store.Resource) []string {
				return []string{r.Name, r.Title, r.Description, r.URITemplate, r.SQLQuery}
			}),
		}, nil
	case store.KindPrompt:
		return table{
			name: "prompts", empty: func() store.Entity { return &store.Prompt{} },
			search: texts(func(p *store.Prompt) []string { return []string{p.Name, p.Title, p.Description} }),
		}, nil
	case store.KindServerConfig:
		return table{
			// A setting that a stored body does not have yet has its default.
			name: "server_config", empty: func() store.Entity { return store.NewServerConfig() },
			search: texts(func(c *store.ServerConfig) []string { return []string{c.ServerName} }),
		}, nil
	case store.KindMCPToken:
		return table{
			name: "mcp_tokens", empty: func() store.Entity { return &store.MCPToken{} },
			search: texts(func(t *store.MCPToken) []string { return []string{t.Name, t.Prefix} }),
			loaded: loadTokenUse, added: addTokenUse, removed: removeTokenUse,
		}, nil
	}
	return table{}, fmt.Errorf("the kind %q has no table", kind)
}

func texts[T store.Entity](f func(T) []string) func(store.Entity) []string {
	return func(e store.Entity) []string {
		t, ok := e.(T)
		if !ok {
			return nil
		}
		return f(t)
	}
}

// usedConnection is the id in connection_id.
func usedConnection(e store.Entity) string {
	switch e := e.(type) {
	case *store.Tool:
		return e.ConnectionID
	case *store.Resource:
		return e.ConnectionID
	}
	return ""
}

// fold is how text is compared when searching: LIKE itself folds ASCII in SQLite and nothing in PostgreSQL.
func fold(texts ...string) string { return strings.ToLower(strings.Join(texts, "\n")) }

// connectionUnused refuses to remove a connection that tools or resources use.
func connectionUnused(tx *Tx, id string) error {
	var users []string
	for _, kind := range []store.Kind{store.KindTool, store.KindResource} {
		t, err := tableOf(kind)
		if err != nil {
			return err
		}
		err = tx.rows("find what uses connection "+id, func(scan func(...any) error) error {
			var name string
			if err := scan(&name); err != nil {
				return err
			}
			users = append(users, string(kind)+" "+name)
			return nil
		}, `SELECT name FROM `+t.name+` WHERE connection_id = $1 ORDER BY name_key`, id)
		if err != nil {
			return err
		}
	}
	if len(users) == 0 {
		return nil
	}
	shown := strings.Join(users[:min(len(users), 20)], ", ")
	if len(users) > 20 {
		shown += fmt.Sprintf(" and %d more", len(users)-20)
	}
	return &store.Error{Code: store.Conflict, Message: "the connection is used by " + shown + "; remove them first, or delete with cascade"}
}

func addTokenUse(tx *Tx, e store.Entity) error {
	t, ok := e.(*store.MCPToken)
	if !ok || len(t.TokenHash) == 0 {
		return errors.New("an MCP token is kept by its hash, and this one has none")
	}
	_, err := tx.exec("keep the hash of token "+t.ID, `INSERT INTO mcp_token_uses (token_id, token_hash) VALUES ($1, $2)`, t.ID, hex.EncodeToString(t.TokenHash))
	return err
}

func removeTokenUse(tx *Tx, id string) error {
	_, err := tx.exec("remove the hash of token "+id, `DELETE FROM mcp_token_uses WHERE token_id = $1`, id)
	return err
}

func loadTokenUse(tx *Tx, e store.Entity) error {
	t, ok := e.(*store.MCPToken)
	if !ok {
		return errors.New("not an MCP token")
	}
	var hash string
	var last sql.NullInt64
	found, err := tx.row("read the use of token "+t.ID, []any{&hash, &last, &t.LastUsedIP, &t.LastClient, &t.LastMethod, &t.LastListed},
		`SELECT token_hash, last_used_at, last_used_ip, last_client, last_method, last_listed FROM mcp_token_uses WHERE token_id = $1`, t.ID)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("the token %s has lost its hash", t.ID)
	}
	t.LastUsedAt = fromNullMicros(last)
	if t.TokenHash, err = hex.DecodeString(hash); err != nil {
		return fmt.Errorf("read the hash of token %s: %w", t.ID, err)
	}
	return nil
}
