package db

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"mcpstudio/store"
)

// revisionPlace is where a revision's bundle of secrets is sealed.
func revisionPlace(n int) store.Place {
	return store.Place{Table: "revisions", Column: "secrets", Row: strconv.Itoa(n)}
}

// AddRevision keeps a new revision with its manifest, seals its bundle of secrets, writes the deploy's history entry, and fills
// Number (one more than the last), CreatedAt, Author, Size and Kept. A zero State becomes store.RevisionStarting.
func (tx *Tx) AddRevision(r *store.Revision, secrets store.Secret) error {
	what := "add a revision"
	if _, err := tx.row(what, []any{&r.Number}, `SELECT coalesce(max(number), 0) + 1 FROM revisions`); err != nil {
		return err
	}
	r.CreatedAt, r.Author, r.Size, r.Kept = tx.now, tx.act.Actor, len(r.Manifest), len(r.Manifest) > 0
	if r.State == "" {
		r.State = store.RevisionStarting
	}
	_, err := tx.exec(what, `INSERT INTO revisions (number, digest, state, created_at, live_at, ended_at, author_kind, author_id, author_name, note, error, size, tools, resources, prompts, manifest)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		r.Number, r.Digest, string(r.State), micros(r.CreatedAt), nullMicros(r.LiveAt), nullMicros(r.EndedAt), r.Author.Kind, r.Author.ID, r.Author.Name,
		r.Note, r.Error, r.Size, r.Tools, r.Resources, r.Prompts, string(r.Manifest))
	if err != nil {
		return err
	}
	if err := tx.SetSecret(revisionPlace(r.Number), secrets); err != nil {
		return err
	}
	if err := tx.forgetManifests(r.Number - KeptRevisions); err != nil {
		return err
	}
	return tx.record(store.KindRevision, strconv.Itoa(r.Number), fmt.Sprintf("revision %d", r.Number), r.Number, nil, r)
}

// KeptRevisions is how many of the newest revisions keep their manifest and secrets. Of older ones that are not live only the entry
// stays: who deployed what and when. Without a bound the store would grow with every deploy, and every password there ever was would
// stay in it.
const KeptRevisions = 50

// forgetManifests drops what revisions up to a number would need to run again.
func (tx *Tx) forgetManifests(upTo int) error {
	what := "drop the manifests of old revisions"
	_, err := tx.exec(what, `UPDATE revisions SET manifest = '' WHERE number <= $1 AND manifest <> '' AND state NOT IN ($2, $3)`,
		upTo, string(store.RevisionLive), string(store.RevisionStarting))
	if err != nil {
		return err
	}
	_, err = tx.exec(what, `DELETE FROM secrets WHERE tbl = $1 AND row_id IN (SELECT CAST(number AS TEXT) FROM revisions WHERE manifest = '')`, revisionPlace(0).Table)
	return err
}

// SetRevisionState moves a revision to a state and notes the time: LiveAt for live, EndedAt for retired and failed. reason is kept as
// Error. Making one live retires the one that was. It is part of the deploy that AddRevision recorded, so it has no history
// entry of its own; an operation that activates an earlier revision records that itself.
func (tx *Tx) SetRevisionState(n int, state store.RevisionState, reason string) error {
	what := fmt.Sprintf("set revision %d to %s", n, state)
	if state == store.RevisionLive {
		_, err := tx.exec(what, `UPDATE revisions SET state = $1, ended_at = $2 WHERE state = $3 AND number <> $4`,
			string(store.RevisionRetired), micros(tx.now), string(store.RevisionLive), n)
		if err != nil {
			return err
		}
	}
	var live, ended sql.NullInt64
	switch state {
	case store.RevisionLive:
		live = sql.NullInt64{Int64: micros(tx.now), Valid: true}
	case store.RevisionRetired, store.RevisionFailed:
		ended = sql.NullInt64{Int64: micros(tx.now), Valid: true}
	}
	changed, err := tx.exec(what, `UPDATE revisions SET state = $1, live_at = coalesce($2, live_at), ended_at = $3, error = $4 WHERE number = $5`,
		string(state), live, ended, reason, n)
	if err == nil && changed == 0 {
		return noRevision(n)
	}
	return err
}

func noRevision(n int) error {
	return &store.Error{Code: store.NotFound, Message: fmt.Sprintf("there is no revision %d", n)}
}

const revisionColumns = `number, digest, state, created_at, live_at, ended_at, author_kind, author_id, author_name, note, error, size, manifest <> '', tools, resources, prompts`

// Revision returns one revision with its manifest, or a store.NotFound error.
func (tx *Tx) Revision(n int) (*store.Revision, error) {
	found, err := tx.revisions(`, manifest FROM revisions WHERE number = $1`, true, n)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noRevision(n)
	}
	if len(found[0].Manifest) == 0 {
		return nil, &store.Error{Code: store.NotFound, Message: fmt.Sprintf("revision %d can no longer be shown or activated: what the newest %d revisions ran is kept, and of older ones only when and by whom they were deployed", n, KeptRevisions)}
	}
	return found[0], nil
}

// LiveRevision returns the live revision with its manifest, or nil when none is.
func (tx *Tx) LiveRevision() (*store.Revision, error) {
	found, err := tx.revisions(`, manifest FROM revisions WHERE state = $1 ORDER BY number DESC LIMIT 1`, true, string(store.RevisionLive))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Revisions returns a page of revisions, newest first, without their manifests. Search and Sort do not apply.
func (tx *Tx) Revisions(q store.Query) (store.Page[*store.Revision], error) {
	page := store.Page[*store.Revision]{Items: []*store.Revision{}}
	q, err := q.Clean()
	if err != nil {
		return page, err
	}
	if _, err := tx.row("count the revisions", []any{&page.Total}, `SELECT count(*) FROM revisions`); err != nil {
		return page, err
	}
	found, err := tx.revisions(fmt.Sprintf(` FROM revisions ORDER BY number DESC LIMIT %d OFFSET %d`, q.Limit, q.Skip), false)
	page.Items = append(page.Items, found...)
	return page, err
}

// RevisionSecrets opens the bundle of secrets that was sealed with the revision; it is absent when there was none.
func (tx *Tx) RevisionSecrets(n int) (store.Secret, error) {
	s, err := tx.Open(revisionPlace(n))
	if store.CodeOf(err) == store.NotFound {
		return store.Secret{}, nil
	}
	return s, err
}

func (tx *Tx) revisions(tail string, manifest bool, args ...any) ([]*store.Revision, error) {
	var found []*store.Revision
	err := tx.rows("read revisions", func(scan func(...any) error) error {
		r := &store.Revision{}
		var created int64
		var live, ended sql.NullInt64
		var body string
		dst := []any{&r.Number, &r.Digest, &r.State, &created, &live, &ended, &r.Author.Kind, &r.Author.ID, &r.Author.Name,
			&r.Note, &r.Error, &r.Size, &r.Kept, &r.Tools, &r.Resources, &r.Prompts}
		if manifest {
			dst = append(dst, &body)
		}
		if err := scan(dst...); err != nil {
			return err
		}
		r.CreatedAt, r.LiveAt, r.EndedAt = fromMicros(created), fromNullMicros(live), fromNullMicros(ended)
		if manifest {
			r.Manifest = json.RawMessage(body)
		}
		found = append(found, r)
		return nil
	}, `SELECT `+revisionColumns+tail, args...)
	return found, err
}
