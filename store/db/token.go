package db

import (
	"context"
	"encoding/hex"

	"mcpstudio/store"
)

// MCPTokens returns every MCP token with its hash, ordered by name.
func (d *DB) MCPTokens(ctx context.Context) ([]*store.MCPToken, error) {
	var all []*store.MCPToken
	err := d.View(ctx, func(tx *Tx) (err error) {
		all, err = All[*store.MCPToken](tx)
		return err
	})
	return all, err
}

// MCPTokenByHash returns the token whose SHA-256 this is, or a store.NotFound error.
func (tx *Tx) MCPTokenByHash(hash []byte) (*store.MCPToken, error) {
	var id string
	found, err := tx.row("look for a token", []any{&id}, `SELECT token_id FROM mcp_token_uses WHERE token_hash = $1`, hex.EncodeToString(hash))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &store.Error{Code: store.NotFound, Message: "there is no such token"}
	}
	return Get[*store.MCPToken](tx, id)
}

// TouchTokens notes last uses in one transaction, without a version or a history entry. A use older than the one stored, or of a token that is
// gone, changes nothing; a Listed of 0 keeps the last number.
func (d *DB) TouchTokens(ctx context.Context, uses []store.TokenUse) error {
	if len(uses) == 0 {
		return nil
	}
	return d.Update(ctx, Act{Actor: store.SystemActor(), Operation: "touch_tokens"}, func(tx *Tx) error {
		for _, u := range uses {
			_, err := tx.exec("note the use of token "+u.ID, `UPDATE mcp_token_uses SET last_used_at = $2, last_used_ip = $3, last_client = $4, last_method = $5,
				last_listed = CASE WHEN $6 > 0 THEN $6 ELSE last_listed END WHERE token_id = $1 AND (last_used_at IS NULL OR last_used_at <= $2)`,
				u.ID, micros(u.At), u.IP, u.Client, u.Method, u.Listed)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
