package db

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"mcpstudio/store"
)

// Record writes a history entry for something that is not an entity's insert, update or delete: a blocked attempt, a password
// change, an export. before and after are marshalled, nil meaning none; they must not hold a secret other than as store.Secret.
func (tx *Tx) Record(kind store.Kind, id, name string, before, after any) error {
	return tx.record(kind, id, name, 0, before, after)
}

func (tx *Tx) record(kind store.Kind, id, name string, version int, before, after any) error {
	c := store.Change{At: tx.now, Actor: tx.act.Actor, Operation: tx.act.Operation, EntityType: kind, EntityID: id, EntityName: name}
	var err error
	if c.ID, err = newID(tx.now); err != nil {
		return err
	}
	if c.Before, err = bodyOf(before); err != nil {
		return err
	}
	if c.After, err = bodyOf(after); err != nil {
		return err
	}
	what := fmt.Sprintf("write the history of %s %s", kind, id)
	// Under the write lock the next number is one more than the last, and rows are never removed.
	if _, err := tx.row(what, []any{&c.Seq}, `SELECT coalesce(max(seq), 0) + 1 FROM changes`); err != nil {
		return err
	}
	_, err = tx.exec(what, `INSERT INTO changes (seq, id, at, actor_kind, actor_id, actor_name, operation, entity_type, entity_id, entity_name, version, before_body, after_body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.Seq, c.ID, micros(c.At), c.Actor.Kind, c.Actor.ID, c.Actor.Name, c.Operation, string(kind), id, name, version, nullText(c.Before), nullText(c.After))
	if err != nil {
		return err
	}
	tx.changes = append(tx.changes, c)
	return nil
}

func bodyOf(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a history entry: %w", err)
	}
	return b, nil
}

func nullText(b []byte) sql.NullString { return sql.NullString{String: string(b), Valid: b != nil} }

// ChangeQuery asks for a page of history, newest first. Empty fields do not narrow.
type ChangeQuery struct {
	Kind      store.Kind
	Kinds     []store.Kind // any of them
	EntityID  string
	Operation string
	ActorKind string
	Skip      int
	Limit     int // as store.Query
}

const changeColumns = `seq, id, at, actor_kind, actor_id, actor_name, operation, entity_type, entity_id, entity_name, before_body, after_body`

// Changes returns a page of history, newest first.
func (tx *Tx) Changes(q ChangeQuery) (store.Page[store.Change], error) {
	page := store.Page[store.Change]{Items: []store.Change{}}
	clean, err := store.Query{Skip: q.Skip, Limit: q.Limit}.Clean()
	if err != nil {
		return page, err
	}
	var s selection
	for column, v := range map[string]string{"entity_type": string(q.Kind), "entity_id": q.EntityID, "operation": q.Operation, "actor_kind": q.ActorKind} {
		if v != "" {
			s.add(column+" = $%d", v)
		}
	}
	s.anyOf("entity_type", q.Kinds)
	if _, err := tx.row("count the history", []any{&page.Total}, `SELECT count(*) FROM changes`+s.clause(), s.args...); err != nil {
		return page, err
	}
	tail := fmt.Sprintf(" ORDER BY seq DESC LIMIT %d OFFSET %d", clean.Limit, clean.Skip)
	err = tx.rows("read the history", func(scan func(...any) error) error {
		c, err := scanChange(scan)
		page.Items = append(page.Items, c)
		return err
	}, `SELECT `+changeColumns+` FROM changes`+s.clause()+tail, s.args...)
	return page, err
}

// Change returns one history entry, or a store.NotFound error.
func (tx *Tx) Change(id string) (store.Change, error) {
	var found []store.Change
	err := tx.rows("read history entry "+id, func(scan func(...any) error) error {
		c, err := scanChange(scan)
		found = append(found, c)
		return err
	}, `SELECT `+changeColumns+` FROM changes WHERE id = $1`, id)
	if err != nil {
		return store.Change{}, err
	}
	if len(found) == 0 {
		return store.Change{}, &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no history entry %q", strings.ToValidUTF8(id, "?"))}
	}
	return found[0], nil
}

func scanChange(scan func(...any) error) (store.Change, error) {
	var c store.Change
	var at int64
	var before, after sql.NullString
	err := scan(&c.Seq, &c.ID, &at, &c.Actor.Kind, &c.Actor.ID, &c.Actor.Name, &c.Operation, &c.EntityType, &c.EntityID, &c.EntityName, &before, &after)
	c.At = fromMicros(at)
	if before.Valid {
		c.Before = json.RawMessage(before.String)
	}
	if after.Valid {
		c.After = json.RawMessage(after.String)
	}
	return c, err
}
