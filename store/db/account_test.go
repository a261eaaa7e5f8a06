package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// lookingContext looks whether it is over whenever somebody asks, as every transaction does at its beginning.
type lookingContext struct {
	context.Context
	look func()
}

func (c lookingContext) Done() <-chan struct{} {
	c.look()
	return c.Context.Done()
}

// contextAfterWrites returns a context that ends once a rotation has moved n secrets to another key, before it moves more.
func contextAfterWrites(t *testing.T, d *db.DB, n int) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	old := func() int {
		var ids map[string]int
		err := d.View(t.Context(), func(tx *db.Tx) (err error) {
			ids, err = tx.KeyIDs()
			return err
		})
		if err != nil {
			return 0
		}
		most := 0
		for _, c := range ids {
			most = max(most, c)
		}
		return most
	}
	start := old()
	return lookingContext{ctx, func() {
		if ctx.Err() == nil && old() <= start-n {
			cancel()
		}
	}}, cancel
}

func session(id string, at time.Time) *store.Session {
	return &store.Session{ID: id, TokenHash: []byte("hash of " + id), CreatedAt: at, ExpiresAt: at.Add(24 * time.Hour), LastSeenAt: at, Address: "192.0.2.1", UserAgent: "test"}
}

// TestOneAdmin is cases 1 and 2 in the store: of many at once exactly one, and its session is the only one.
func TestOneAdmin(t *testing.T) {
	d := open(t)
	if _, err := d.Admin(t.Context()); store.CodeOf(err) != store.NotFound {
		t.Fatalf("got %v", err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() {
			a := &store.Admin{Username: fmt.Sprintf("user%d", i), PasswordHash: fmt.Sprintf("canary-hash-%d", i)}
			errs[i] = d.CreateAdmin(t.Context(), store.Actor{Kind: "admin"}, a, session(fmt.Sprintf("s%d", i), now))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("%d and %d both became admin", winner, i)
		case err == nil:
			winner = i
		case store.CodeOf(err) != store.Conflict:
			t.Error(err)
		}
	}
	a, err := d.Admin(t.Context())
	if err != nil || a.Username != fmt.Sprintf("user%d", winner) || a.LastLoginAt == nil {
		t.Fatalf("admin %+v, winner %d, %v", a, winner, err)
	}
	list, err := d.Sessions(t.Context(), now)
	if err != nil || len(list) != 1 || list[0].ID != fmt.Sprintf("s%d", winner) {
		t.Errorf("sessions %+v %v", list, err)
	}
	history := changes(t, d, db.ChangeQuery{Kind: store.KindAdmin})
	if len(history) != 1 || strings.Contains(encode(t, history), "canary-hash") { // case 12
		t.Errorf("history: %s", encode(t, history))
	}
}

func TestSessionsEndWithTheAccount(t *testing.T) {
	d := open(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	a := &store.Admin{Username: "ada", PasswordHash: "h1"}
	if err := d.CreateAdmin(t.Context(), store.SystemActor(), a, nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		if err := d.StartSession(t.Context(), session(id, now), store.SignIn{AdminVersion: a.Version}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.EndSession(t.Context(), admin.Actor, "b"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.EndSession(t.Context(), admin.Actor, "b"), store.NotFound)
	if _, err := d.SessionByHash(t.Context(), []byte("hash of b")); store.CodeOf(err) != store.NotFound {
		t.Errorf("an ended session is found: %v", err)
	}
	if n, err := d.EndSessions(t.Context(), admin.Actor, "c"); n != 1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	if h := changes(t, d, db.ChangeQuery{Operation: "end_session"}); len(h) != 2 || strings.Contains(encode(t, h), "hash") || !strings.Contains(string(h[0].Before), "192.0.2.1") {
		t.Errorf("history: %s", encode(t, h))
	}
	if err := d.StartSession(t.Context(), session("left", now), store.SignIn{AdminVersion: a.Version}); err != nil {
		t.Fatal(err)
	}
	if err := d.Logout(t.Context(), "left"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.Logout(t.Context(), "left"), store.NotFound)
	if err := d.TouchSession(t.Context(), "c", now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	s, err := d.SessionByHash(t.Context(), []byte("hash of c"))
	if err != nil || !s.LastSeenAt.Equal(now.Add(time.Minute)) || !s.ExpiresAt.Equal(now.Add(24*time.Hour)) {
		t.Errorf("%+v %v", s, err)
	}

	a.PasswordHash = "h2"
	if err := d.UpdateAdmin(t.Context(), store.AccountEdit{Actor: admin.Actor, Operation: "update_account", Start: session("new", now)}, a); err != nil {
		t.Fatal(err)
	}
	list, err := d.Sessions(t.Context(), now)
	if err != nil || len(list) != 1 || list[0].ID != "new" {
		t.Errorf("after the change: %+v %v", list, err)
	}
	// A login whose password was checked before the change does not start after it.
	wantCode(t, d.StartSession(t.Context(), session("late", now), store.SignIn{AdminVersion: 1}), store.Unauthorized)
	stale := &store.Admin{Meta: store.Meta{Version: 1}, Username: "x", PasswordHash: "h3"}
	wantCode(t, d.UpdateAdmin(t.Context(), store.AccountEdit{Actor: admin.Actor, Operation: "update_account"}, stale), store.Stale)
	// Sessions that ended by themselves go when the next one starts.
	if err := d.StartSession(t.Context(), session("old", now.Add(-48*time.Hour)), store.SignIn{AdminVersion: 2}); err != nil {
		t.Fatal(err)
	}
	if err := d.StartSession(t.Context(), session("next", now), store.SignIn{AdminVersion: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SessionByHash(t.Context(), []byte("hash of old")); store.CodeOf(err) != store.NotFound {
		t.Errorf("an expired session stayed: %v", err)
	}
}

func TestUsed(t *testing.T) {
	d := open(t)
	want := func(want bool) {
		t.Helper()
		if got, err := d.Used(t.Context()); got != want || err != nil {
			t.Errorf("Used = %v %v, want %v", got, err, want)
		}
	}
	want(false)
	if err := d.Update(t.Context(), db.Act{Actor: store.SystemActor(), Operation: "sample"}, func(tx *db.Tx) error { return db.Insert(tx, connection("sample")) }); err != nil {
		t.Fatal(err)
	}
	want(false)
	if err := d.CreateAdmin(t.Context(), store.SystemActor(), &store.Admin{Username: "a", PasswordHash: "h"}, nil); err != nil {
		t.Fatal(err)
	}
	want(true)
	raw(t, d.Path(), `DELETE FROM admin`) // case 11
	want(true)
}

func TestAttempts(t *testing.T) {
	d := open(t)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	attempt := func(bucket string, at time.Time, wantOpen, wantSettled int) (string, error) {
		t.Helper()
		return d.Attempt(t.Context(), bucket, at, at.Add(-time.Minute), func(open, settled []time.Time) error {
			if len(open) != wantOpen || len(settled) != wantSettled {
				t.Errorf("%s at %s: %d open, %d settled; want %d, %d", bucket, at.Format(time.TimeOnly), len(open), len(settled), wantOpen, wantSettled)
			}
			return nil
		})
	}
	must := func(bucket string, at time.Time, wantOpen, wantSettled int) string {
		t.Helper()
		id, err := attempt(bucket, at, wantOpen, wantSettled)
		if err != nil || id == "" {
			t.Fatalf("attempt: %q %v", id, err)
		}
		return id
	}
	must("a", now, 0, 0)
	id := must("a", now.Add(time.Second), 1, 0)
	must("b", now, 0, 0)
	if err := d.SettleAttempt(t.Context(), "a", id); err != nil {
		t.Fatal(err)
	}
	must("a", now.Add(2*time.Second), 0, 1)
	must("b", now.Add(3*time.Second), 1, 0) // settling a is not about b
	must("a", now.Add(61*time.Second), 1, 0)

	// The clock goes back an hour: what was counted counts from now, not for an hour more.
	back := now.Add(-time.Hour)
	must("b", back, 2, 0)
	must("b", back.Add(61*time.Second), 0, 0)

	refuse := errors.New("no")
	if _, err := d.Attempt(t.Context(), "c", now, now.Add(-time.Minute), func(_, _ []time.Time) error { return refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
	must("c", now, 0, 0) // the refused one was not kept
}

func TestTokenUse(t *testing.T) {
	d := open(t)
	v := &store.MCPToken{Name: "claude", Prefix: "mcps_abc", TokenHash: []byte("0123456789abcdef0123456789abcdef")}
	insert(t, d, v)
	history := len(changes(t, d, db.ChangeQuery{}))
	at := time.Now().UTC().Truncate(time.Microsecond)
	use := store.TokenUse{ID: v.ID, At: at, IP: "192.0.2.7", Client: "claude 1.0", Method: "tools/list", Listed: 3}
	older := store.TokenUse{ID: v.ID, At: at.Add(-time.Minute), IP: "192.0.2.8", Client: "old", Method: "x"}
	if err := d.TouchTokens(t.Context(), []store.TokenUse{use, older, {ID: "gone", At: at}}); err != nil {
		t.Fatal(err)
	}
	use.At, use.Method, use.Listed = at.Add(time.Second), "tools/call", 0
	if err := d.TouchTokens(t.Context(), []store.TokenUse{use}); err != nil {
		t.Fatal(err)
	}
	read(t, d, func(tx *db.Tx) error {
		got, err := tx.MCPTokenByHash(v.TokenHash)
		if err != nil {
			return err
		}
		if got.Version != 1 || got.LastUsedIP != "192.0.2.7" || got.LastMethod != "tools/call" || got.LastListed != 3 || !got.LastUsedAt.Equal(use.At) {
			t.Errorf("got %s", encode(t, got))
		}
		_, err = tx.MCPTokenByHash([]byte("other"))
		wantCode(t, err, store.NotFound)
		return nil
	})
	if n := len(changes(t, d, db.ChangeQuery{})); n != history {
		t.Errorf("a use made %d history entries", n-history)
	}
	write(t, d, func(tx *db.Tx) error { return db.Delete[*store.MCPToken](tx, v.ID) })
	if all, err := d.MCPTokens(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("%v %v", all, err)
	}
	bad := &store.MCPToken{Name: "no hash"}
	if err := try(t, d, func(tx *db.Tx) error { return db.Insert(tx, bad) }); err == nil {
		t.Error("a token without a hash was kept")
	}
}

func TestRevisions(t *testing.T) {
	d := open(t)
	add := func(digest, secrets string) *store.Revision {
		t.Helper()
		r := &store.Revision{Digest: digest, Manifest: json.RawMessage(`{"n":9007199254740993}`), Tools: 2, Note: "note"}
		var s store.Secret
		if secrets != "" {
			s = store.GivenSecret(secrets)
		}
		write(t, d, func(tx *db.Tx) error { return tx.AddRevision(r, s) })
		return r
	}
	set := func(n int, s store.RevisionState, reason string) {
		t.Helper()
		write(t, d, func(tx *db.Tx) error { return tx.SetRevisionState(n, s, reason) })
	}
	one, two, three := add("d1", `{"c":"p1"}`), add("d2", ""), add("d3", "")
	if one.Number != 1 || two.Number != 2 || one.State != store.RevisionStarting || one.Author != admin.Actor || one.Size != 22 {
		t.Fatalf("%+v", one)
	}
	set(1, store.RevisionLive, "")
	set(2, store.RevisionLive, "")
	set(3, store.RevisionFailed, "no child")
	read(t, d, func(tx *db.Tx) error {
		live, err := tx.LiveRevision()
		if err != nil || live.Number != 2 || string(live.Manifest) != `{"n":9007199254740993}` {
			t.Errorf("live %+v %v", live, err)
		}
		page, err := tx.Revisions(store.Query{Limit: 2})
		if err != nil || page.Total != 3 || len(page.Items) != 2 || page.Items[0].Number != 3 || page.Items[0].Manifest != nil {
			t.Errorf("page %+v %v", page, err)
		}
		if r := page.Items[0]; r.State != store.RevisionFailed || r.Error != "no child" || r.EndedAt == nil || r.LiveAt != nil {
			t.Errorf("failed: %+v", r)
		}
		r, err := tx.Revision(1)
		if err != nil || r.State != store.RevisionRetired || r.LiveAt == nil || r.EndedAt == nil {
			t.Errorf("retired: %+v %v", r, err)
		}
		s, err := tx.RevisionSecrets(1)
		if v, _ := s.Reveal(); v != `{"c":"p1"}` || err != nil {
			t.Errorf("secrets %q %v", v, err)
		}
		if s, err := tx.RevisionSecrets(2); s.IsSet() || err != nil {
			t.Errorf("secrets of a revision without: %v", err)
		}
		_, err = tx.Revision(9)
		wantCode(t, err, store.NotFound)
		return nil
	})
	wantCode(t, try(t, d, func(tx *db.Tx) error { return tx.SetRevisionState(9, store.RevisionLive, "") }), store.NotFound)
	set(1, store.RevisionLive, "") // an earlier one again
	set(1, store.RevisionRetired, "")
	read(t, d, func(tx *db.Tx) error {
		live, err := tx.LiveRevision()
		if live != nil || err != nil {
			t.Errorf("live after a stop: %+v %v", live, err)
		}
		return nil
	})
	history := changes(t, d, db.ChangeQuery{Kind: store.KindRevision})
	if len(history) != 3 || history[0].EntityID != fmt.Sprint(three.Number) {
		t.Errorf("history %s", encode(t, history))
	}
}

func TestHistory(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	for i := range 5 {
		insert(t, d, tool(fmt.Sprintf("t%d", i), c.ID))
	}
	write(t, d, func(tx *db.Tx) error {
		return tx.Record(store.KindTool, "", "bad", nil, map[string]string{"rule": "PI-3"})
	})
	read(t, d, func(tx *db.Tx) error {
		page, err := tx.Changes(db.ChangeQuery{Skip: 1, Limit: 2})
		if err != nil || page.Total != 7 || len(page.Items) != 2 || page.Items[0].Seq != 6 || page.Items[1].Seq != 5 {
			t.Errorf("%+v %v", page, err)
		}
		one, err := tx.Change(page.Items[0].ID)
		if err != nil || encode(t, one) != encode(t, page.Items[0]) {
			t.Errorf("%+v %v", one, err)
		}
		page, err = tx.Changes(db.ChangeQuery{Kind: store.KindTool, Operation: "test"})
		if err != nil || page.Total != 6 {
			t.Errorf("%d %v", page.Total, err)
		}
		page, err = tx.Changes(db.ChangeQuery{Kinds: []store.Kind{store.KindConnection, store.KindPrompt}})
		if err != nil || page.Total != 1 || len(page.Items) != 1 || page.Items[0].EntityID != c.ID {
			t.Errorf("of two kinds: %+v %v", page, err)
		}
		page, err = tx.Changes(db.ChangeQuery{Kind: store.KindTool, Kinds: []store.Kind{store.KindConnection}})
		if err != nil || page.Total != 0 {
			t.Errorf("of a kind that is none of the two: %+v %v", page, err)
		}
		_, err = tx.Change("nobody")
		wantCode(t, err, store.NotFound)
		_, err = tx.Changes(db.ChangeQuery{Limit: 101})
		wantCode(t, err, store.Invalid)
		return nil
	})
	for _, act := range []db.Act{{}, {Operation: "x"}, {Actor: admin.Actor}} {
		if err := d.Update(t.Context(), act, func(*db.Tx) error { return nil }); err == nil {
			t.Errorf("a write by %+v was let through", act)
		}
	}
}

func TestMeta(t *testing.T) {
	d := open(t)
	write(t, d, func(tx *db.Tx) error { return errors.Join(tx.SetMeta("sample", "a"), tx.SetMeta("sample", "b")) })
	read(t, d, func(tx *db.Tx) error {
		v, found, err := tx.Meta("sample")
		if v != "b" || !found {
			t.Errorf("%q %v", v, found)
		}
		if _, found, _ := tx.Meta("other"); found {
			t.Error("found what is not there")
		}
		return err
	})
}
