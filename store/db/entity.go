package db

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"mcpstudio/store"
)

// Get returns the entity with the id, its secrets as store.StoredSecret. The error has code store.NotFound when there is none.
func Get[T store.Entity](tx *Tx, id string) (T, error) {
	var none T
	e, err := tx.get(none.Kind(), id)
	if err != nil {
		return none, err
	}
	return as[T](e)
}

// Find returns the entity with the name, compared as store.NormalName does, or a store.NotFound error.
func Find[T store.Entity](tx *Tx, name string) (T, error) {
	var none T
	all, err := All[T](tx, Named(name))
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, notFound(none.Kind(), name)
	}
	return all[0], nil
}

// A Filter narrows List and All.
type Filter func(*selection)

type selection struct {
	where []string
	args  []any
}

func (s *selection) add(condition string, arg any) {
	s.args = append(s.args, arg)
	s.where = append(s.where, fmt.Sprintf(condition, len(s.args)))
}

// anyOf keeps rows whose column is one of kinds; none given does not narrow.
func (s *selection) anyOf(column string, kinds []store.Kind) {
	if len(kinds) == 0 {
		return
	}
	var places []string
	for _, k := range kinds {
		s.args = append(s.args, string(k))
		places = append(places, fmt.Sprintf("$%d", len(s.args)))
	}
	s.where = append(s.where, column+" IN ("+strings.Join(places, ", ")+")")
}

func (s *selection) clause() string {
	if len(s.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(s.where, " AND ")
}

// UsesConnection keeps the tools or resources that use the connection. Other kinds have no such column: the query fails.
func UsesConnection(id string) Filter {
	return func(s *selection) { s.add("connection_id = $%d", id) }
}

// Enabled keeps entities whose Enabled() is on.
func Enabled(on bool) Filter {
	return func(s *selection) { s.add("enabled = $%d", on) }
}

// Named keeps the entity with this name, as store.NormalName compares.
func Named(name string) Filter {
	return func(s *selection) { s.add("name_key = $%d", store.NormalName(name)) }
}

// List returns a page. The query is cleaned first (an Invalid error names its field). Search finds the text anywhere in name,
// title, description and SQL, without regard to case; % and _ are ordinary characters. Ties are ordered by id, so pages do not overlap.
func List[T store.Entity](tx *Tx, q store.Query, filters ...Filter) (store.Page[T], error) {
	page := store.Page[T]{Items: []T{}}
	var none T
	t, err := tableOf(none.Kind())
	if err != nil {
		return page, err
	}
	if q, err = q.Clean(); err != nil {
		return page, err
	}
	var s selection
	for _, f := range filters {
		f(&s)
	}
	if q.Search != "" {
		s.add(`search LIKE $%d ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(q.Search))+"%")
	}
	if _, err := tx.row("count "+t.name, []any{&page.Total}, `SELECT count(*) FROM `+t.name+s.clause(), s.args...); err != nil {
		return page, err
	}
	tail := fmt.Sprintf(" ORDER BY %s LIMIT %d OFFSET %d", order(q.Sort), q.Limit, q.Skip)
	page.Items, err = query[T](tx, t, s, tail)
	return page, err
}

// order turns the cleaned sort of a query into a clause of fixed texts.
func order(sort string) string {
	column, down := strings.CutPrefix(sort, "-")
	direction := ""
	if down {
		direction = " DESC"
	}
	switch column {
	case "created_at", "updated_at":
		return column + direction + ", id" + direction
	}
	return "name_key" + direction + ", id" + direction
}

// All returns every entity that passes the filters, ordered by name.
func All[T store.Entity](tx *Tx, filters ...Filter) ([]T, error) {
	var none T
	t, err := tableOf(none.Kind())
	if err != nil {
		return nil, err
	}
	var s selection
	for _, f := range filters {
		f(&s)
	}
	return query[T](tx, t, s, " ORDER BY name_key, id")
}

func query[T store.Entity](tx *Tx, t table, s selection, tail string) ([]T, error) {
	found, err := tx.load(t, s, tail)
	if err != nil {
		return nil, err
	}
	items := make([]T, len(found))
	for i, e := range found {
		if items[i], err = as[T](e); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func as[T store.Entity](e store.Entity) (T, error) {
	t, ok := e.(T)
	if !ok {
		return t, fmt.Errorf("the table of kind %s holds %T, not %T", t.Kind(), e, t)
	}
	return t, nil
}

func notFound(kind store.Kind, id string) error {
	return &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no %s %q", strings.ReplaceAll(string(kind), "_", " "), id)}
}

func (tx *Tx) get(kind store.Kind, id string) (store.Entity, error) {
	t, err := tableOf(kind)
	if err != nil {
		return nil, err
	}
	var s selection
	s.add("id = $%d", id)
	found, err := tx.load(t, s, "")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, notFound(kind, id)
	}
	return found[0], nil
}

// load reads entities. Their secrets and what lives in side tables are read after the rows, because a connection runs one
// query at a time.
func (tx *Tx) load(t table, s selection, tail string) ([]store.Entity, error) {
	var found []store.Entity
	what := "read " + t.name
	err := tx.rows(what, func(scan func(...any) error) error {
		e := t.empty()
		var body, id string
		var version int
		var created, updated int64
		if err := scan(&id, &version, &body, &created, &updated); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), e); err != nil {
			return fmt.Errorf("decode %s: %w", id, err)
		}
		*e.Head() = store.Meta{ID: id, Version: version, CreatedAt: fromMicros(created), UpdatedAt: fromMicros(updated)}
		found = append(found, e)
		return nil
	}, `SELECT id, version, body, created_at, updated_at FROM `+t.name+s.clause()+tail, s.args...)
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		if err := tx.markSecrets(t, e); err != nil {
			return nil, err
		}
		if t.loaded != nil {
			if err := t.loaded(tx, e); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// Insert keeps a new entity and its history entry, and fills its Meta: an id unless it brings one (a rollback does), times, and
// version 1, or one more than it last had. Given secrets are sealed and become store.StoredSecret in v. The error has code
// store.Conflict with field "name" when the name is taken, and store.Invalid when it uses a connection that does not exist.
func Insert[T store.Entity](tx *Tx, v T) error {
	t, err := tableOf(v.Kind())
	if err != nil {
		return err
	}
	head := v.Head()
	version := 1
	if head.ID == "" {
		if head.ID, err = newID(tx.now); err != nil {
			return err
		}
	} else if version, err = tx.nextVersion(t, v); err != nil {
		return err
	}
	if err := tx.checkLinks(t, v); err != nil {
		return err
	}
	head.Version, head.CreatedAt, head.UpdatedAt = version, tx.now, tx.now
	if _, err := tx.settleSecrets(t, v); err != nil {
		return err
	}
	if err := tx.writeRow(t, v, true); err != nil {
		return err
	}
	if t.added != nil {
		if err := t.added(tx, v); err != nil {
			return err
		}
	}
	return tx.record(v.Kind(), head.ID, v.Label(), version, nil, v)
}

// Update keeps the changed entity as the next version, with its history entry, and fills its Meta. expect is the version the caller
// last read; when another one is current the error has code store.Stale and carries the current state. expect 0 skips that check.
// When nothing differs and no secret is given, there is no new version and no history entry.
func Update[T store.Entity](tx *Tx, v T, expect int) error {
	t, err := tableOf(v.Kind())
	if err != nil {
		return err
	}
	head := v.Head()
	current, err := tx.get(v.Kind(), head.ID)
	if err != nil {
		return err
	}
	was := current.Head()
	if expect != 0 && expect != was.Version {
		return stale(current, expect)
	}
	if err := tx.checkLinks(t, v); err != nil {
		return err
	}
	changed, err := tx.settleSecrets(t, v)
	if err != nil {
		return err
	}
	*head = *was
	if !changed {
		same, err := equal(current, v)
		if err != nil || same {
			return err
		}
	}
	head.Version, head.UpdatedAt = was.Version+1, tx.now
	if err := tx.writeRow(t, v, false); err != nil {
		return err
	}
	return tx.record(v.Kind(), head.ID, v.Label(), head.Version, current, v)
}

// Delete removes the entity with its sealed secrets and writes the history entry. The error has code store.NotFound when there is
// none and store.Conflict when a connection is still used.
func Delete[T store.Entity](tx *Tx, id string) error {
	var none T
	t, err := tableOf(none.Kind())
	if err != nil {
		return err
	}
	current, err := tx.get(none.Kind(), id)
	if err != nil {
		return err
	}
	if t.removed != nil {
		if err := t.removed(tx, id); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("delete %s %s", none.Kind(), id)
	if _, err := tx.exec(what, `DELETE FROM secrets WHERE tbl = $1 AND row_id = $2`, t.name, id); err != nil {
		return err
	}
	if _, err := tx.exec(what, `DELETE FROM `+t.name+` WHERE id = $1`, id); err != nil {
		return err
	}
	return tx.record(none.Kind(), id, current.Label(), current.Head().Version, current, nil)
}

func stale(current store.Entity, expect int) error {
	return &store.Error{
		Code: store.Stale, Field: "version", Current: current,
		Message: fmt.Sprintf("the %s %q was changed in the meantime: it is at version %d, and the change is based on version %d",
			strings.ReplaceAll(string(current.Kind()), "_", " "), current.Label(), current.Head().Version, expect),
	}
}

// checkLinks enforces the rules that need other rows: the name is free and the connection exists.
func (tx *Tx) checkLinks(t table, e store.Entity) error {
	var other string
	what := fmt.Sprintf("check the name of %s %s", e.Kind(), e.Head().ID)
	taken, err := tx.row(what, []any{&other}, `SELECT name FROM `+t.name+` WHERE name_key = $1 AND id <> $2`, store.NormalName(e.Label()), e.Head().ID)
	if err != nil {
		return err
	}
	if taken {
		return &store.Error{Code: store.Conflict, Field: "name", Message: nameTaken(e, other)}
	}
	id := usedConnection(e)
	if id == "" {
		return nil
	}
	var found string
	exists, err := tx.row("look for connection "+id, []any{&found}, `SELECT id FROM connections WHERE id = $1`, id)
	if err != nil {
		return err
	}
	if !exists {
		return store.Invalidf("connection_id", "there is no connection %q", id)
	}
	return nil
}

func nameTaken(e store.Entity, other string) string {
	kind := strings.ReplaceAll(string(e.Kind()), "_", " ")
	if other == e.Label() {
		return fmt.Sprintf("there is already a %s named %q", kind, other)
	}
	return fmt.Sprintf("there is already a %s named %q, and names that differ only in capitals or in - . _ are one name", kind, other)
}

// nextVersion is the version of an entity that brings its id: it goes on from its history, so that a version number never
// stands for two contents.
func (tx *Tx) nextVersion(t table, e store.Entity) (int, error) {
	id := e.Head().ID
	var found string
	taken, err := tx.row("look for "+id, []any{&found}, `SELECT id FROM `+t.name+` WHERE id = $1`, id)
	if err != nil {
		return 0, err
	}
	if taken {
		return 0, &store.Error{Code: store.Conflict, Field: "id", Message: fmt.Sprintf("there is already a %s with the id %q", e.Kind(), id)}
	}
	var last int
	_, err = tx.row("read the last version of "+id, []any{&last}, `SELECT coalesce(max(version), 0) FROM changes WHERE entity_type = $1 AND entity_id = $2`, e.Kind(), id)
	return last + 1, err
}

func (tx *Tx) writeRow(t table, e store.Entity, isNew bool) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", e.Kind(), e.Head().ID, err)
	}
	h := e.Head()
	columns := []string{"name", "name_key", "search", "version", "enabled", "body", "created_at", "updated_at"}
	args := []any{h.ID, e.Label(), store.NormalName(e.Label()), fold(t.search(e)...), h.Version, e.Enabled(), string(body), micros(h.CreatedAt), micros(h.UpdatedAt)}
	if t.uses {
		columns = append(columns, "connection_id")
		id := usedConnection(e)
		args = append(args, sql.NullString{String: id, Valid: id != ""})
	}
	what := fmt.Sprintf("write %s %s", e.Kind(), h.ID)
	if isNew {
		places := "$1"
		for i := range columns {
			places += fmt.Sprintf(", $%d", i+2)
		}
		_, err = tx.exec(what, `INSERT INTO `+t.name+` (id, `+strings.Join(columns, ", ")+`) VALUES (`+places+`)`, args...)
		return err
	}
	for i, c := range columns {
		columns[i] = fmt.Sprintf("%s = $%d", c, i+2)
	}
	n, err := tx.exec(what, `UPDATE `+t.name+` SET `+strings.Join(columns, ", ")+` WHERE id = $1`, args...)
	if err == nil && n != 1 {
		return fmt.Errorf("%s: %d rows changed", what, n)
	}
	return err
}

// equal compares contents: what the bodies say apart from Meta.
func equal(a, b store.Entity) (bool, error) {
	x, err := content(a)
	if err != nil {
		return false, err
	}
	y, err := content(b)
	return x == y, err
}

func content(e store.Entity) (string, error) {
	head := *e.Head()
	defer func() { *e.Head() = head }()
	*e.Head() = store.Meta{}
	b, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encode %s %s: %w", e.Kind(), head.ID, err)
	}
	return string(b), nil
}

// ensureConfig makes the one config row of a fresh store. It is where every studio starts, not a change, so history does not have it.
func (tx *Tx) ensureConfig() error {
	t, err := tableOf(store.KindServerConfig)
	if err != nil {
		return err
	}
	var id string
	found, err := tx.row("look for the server config", []any{&id}, `SELECT id FROM server_config WHERE id = $1`, store.ServerConfigID)
	if err != nil || found {
		return err
	}
	c := store.NewServerConfig()
	c.Version, c.CreatedAt, c.UpdatedAt = 1, tx.now, tx.now
	return tx.writeRow(t, c, true)
}

// Config returns the server config. There always is one.
func (tx *Tx) Config() (*store.ServerConfig, error) {
	return Get[*store.ServerConfig](tx, store.ServerConfigID)
}

// Snapshot returns all configuration at the transaction's moment, ordered by name, secrets as store.StoredSecret (see OpenSecrets).
func (tx *Tx) Snapshot() (store.Snapshot, error) {
	var s store.Snapshot
	var err error
	if s.Connections, err = All[*store.Connection](tx); err != nil {
		return store.Snapshot{}, err
	}
	if s.Tools, err = All[*store.Tool](tx); err != nil {
		return store.Snapshot{}, err
	}
	if s.Resources, err = All[*store.Resource](tx); err != nil {
		return store.Snapshot{}, err
	}
	if s.Prompts, err = All[*store.Prompt](tx); err != nil {
		return store.Snapshot{}, err
	}
	s.Config, err = tx.Config()
	return s, err
}
