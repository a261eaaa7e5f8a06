package db_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

var uuid7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// suite runs the same steps for every kind: the contract does not depend on what is kept.
func suite[T store.Entity](t *testing.T, d *db.DB, fresh func(name string) T, rename func(T, string)) {
	kind := string(fresh("x").Kind())
	t.Run(kind, func(t *testing.T) {
		before := time.Now().UTC().Truncate(time.Microsecond)
		v := insert(t, d, fresh(kind+"_one"))
		h := *v.Head()
		if !uuid7.MatchString(h.ID) || h.Version != 1 || h.CreatedAt.Before(before) || !h.CreatedAt.Equal(h.UpdatedAt) {
			t.Fatalf("after Insert: %+v", h)
		}
		got := get[T](t, d, h.ID)
		if diff := cmp.Diff(encode(t, v), encode(t, got)); diff != "" {
			t.Errorf("what was read is not what was written:\n%s", diff)
		}

		rename(got, kind+"_two")
		write(t, d, func(tx *db.Tx) error { return db.Update(tx, got, 1) })
		if got.Head().Version != 2 || !got.Head().CreatedAt.Equal(h.CreatedAt) {
			t.Errorf("after Update: %+v", got.Head())
		}

		// A second change from the same reading is stale and carries the current state.
		rename(v, kind+"_three")
		err := try(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 1) })
		e := wantCode(t, err, store.Stale)
		if current, ok := e.Current.(T); !ok || current.Label() != kind+"_two" || current.Head().Version != 2 {
			t.Errorf("Current = %#v", e.Current)
		}

		// A name that only differs in case and separators is the same to a client.
		_ = insert(t, d, fresh(kind+"_other"))
		for _, name := range []string{kind + "_other", strings.ToUpper(kind) + "-OTHER", kind + ".other"} {
			err := try(t, d, func(tx *db.Tx) error { return db.Insert(tx, fresh(name)) })
			if e := wantCode(t, err, store.Conflict); e.Field != "name" || !strings.Contains(e.Message, kind+"_other") {
				t.Errorf("insert %q: %q %q", name, e.Field, e.Message)
			}
			rename(got, name)
			err = try(t, d, func(tx *db.Tx) error { return db.Update(tx, got, 2) })
			wantCode(t, err, store.Conflict)
		}

		// Changing only the case of the own name is not a conflict.
		got = get[T](t, d, h.ID)
		rename(got, strings.ToUpper(kind)+"_two")
		write(t, d, func(tx *db.Tx) error { return db.Update(tx, got, 0) })

		write(t, d, func(tx *db.Tx) error { return db.Delete[T](tx, h.ID) })
		err = d.View(t.Context(), func(tx *db.Tx) error { _, err := db.Get[T](tx, h.ID); return err })
		if e := wantCode(t, err, store.NotFound); !strings.Contains(e.Message, h.ID) || !strings.Contains(e.Message, strings.ReplaceAll(kind, "_", " ")) {
			t.Errorf("NotFound does not name kind and id: %q", e.Message)
		}
		wantCode(t, try(t, d, func(tx *db.Tx) error { return db.Delete[T](tx, h.ID) }), store.NotFound)
		wantCode(t, try(t, d, func(tx *db.Tx) error { return db.Update(tx, got, 3) }), store.NotFound)

		history := changes(t, d, db.ChangeQuery{Kind: v.Kind(), EntityID: h.ID})
		if len(history) != 4 {
			t.Fatalf("got %d history entries, want insert, two updates, delete: %+v", len(history), history)
		}
		for i, want := range []struct{ before, after bool }{{true, false}, {true, true}, {true, true}, {false, true}} {
			c := history[i]
			if (c.Before != nil) != want.before || (c.After != nil) != want.after || c.Operation != "test" || c.Actor != admin.Actor || c.EntityType != v.Kind() {
				t.Errorf("entry %d: %+v", i, c)
			}
		}
		if !strings.Contains(string(history[2].Before), kind+"_one") || !strings.Contains(string(history[2].After), kind+"_two") {
			t.Errorf("the first update's entry shows %s -> %s", history[2].Before, history[2].After)
		}

		// Bringing it back under its id goes on counting: version 3 must not stand for two contents.
		again := fresh(kind + "_back")
		again.Head().ID = h.ID
		insert(t, d, again)
		if again.Head().Version != 4 {
			t.Errorf("version after deletion at 3 and insertion: %d, want 4", again.Head().Version)
		}
		double := fresh(kind + "_double")
		double.Head().ID = h.ID
		wantCode(t, try(t, d, func(tx *db.Tx) error { return db.Insert(tx, double) }), store.Conflict)
	})
}

func TestEntities(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	suite(t, d, connection, func(v *store.Connection, n string) { v.Name = n })
	suite(t, d, func(n string) *store.Tool { return tool(n, c.ID) }, func(v *store.Tool, n string) { v.Name = n })
	suite(t, d, func(n string) *store.Resource {
		return store.ResourceDraft{Name: n, Description: "d", URITemplate: "shop://x", StaticContent: "text"}.New()
	}, func(v *store.Resource, n string) { v.Name = n })
	suite(t, d, func(n string) *store.Prompt {
		return store.PromptDraft{Name: n, Description: "d", Template: "Hello {who}", Arguments: []store.Argument{{Name: "who"}}}.New()
	}, func(v *store.Prompt, n string) { v.Name = n })
	hash := byte(0)
	suite(t, d, func(n string) *store.MCPToken {
		hash++
		return &store.MCPToken{Name: n, Prefix: "mcps_abc", TokenHash: []byte{hash}}
	}, func(v *store.MCPToken, n string) { v.Name = n })
}

func TestUpdateWithoutDifference(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	v := insert(t, d, tool("t", c.ID))
	write(t, d, func(tx *db.Tx) error {
		v, err := db.Get[*store.Tool](tx, v.ID)
		if err != nil {
			return err
		}
		return db.Update(tx, v, 1)
	})
	if got := get[*store.Tool](t, d, v.ID); got.Version != 1 {
		t.Errorf("version %d after a change of nothing, want 1", got.Version)
	}
	if n := len(changes(t, d, db.ChangeQuery{EntityID: v.ID})); n != 1 {
		t.Errorf("%d history entries, want 1", n)
	}
}

func TestConnectionLinks(t *testing.T) {
	d := open(t)
	err := try(t, d, func(tx *db.Tx) error { return db.Insert(tx, tool("t", "no-such-connection")) })
	if e := wantCode(t, err, store.Invalid); e.Field != "connection_id" {
		t.Errorf("field %q", e.Field)
	}
	c := insert(t, d, connection("main"))
	v := insert(t, d, tool("list_orders", c.ID))
	insert(t, d, store.ResourceDraft{Name: "orders", Description: "d", URITemplate: "shop://o", ConnectionID: c.ID, SQLQuery: "select 1"}.New())
	err = try(t, d, func(tx *db.Tx) error { return db.Delete[*store.Connection](tx, c.ID) })
	if e := wantCode(t, err, store.Conflict); !strings.Contains(e.Message, "tool list_orders, resource orders") {
		t.Errorf("the users are not listed: %q", e.Message)
	}
	v.ConnectionID = "gone"
	wantCode(t, try(t, d, func(tx *db.Tx) error { return db.Update(tx, v, 1) }), store.Invalid)

	// With cascade the operation deletes users and connection in one transaction.
	write(t, d, func(tx *db.Tx) error {
		tools, err := db.All[*store.Tool](tx, db.UsesConnection(c.ID))
		if err != nil || len(tools) != 1 {
			return fmt.Errorf("got %d tools: %w", len(tools), err)
		}
		resources, err := db.All[*store.Resource](tx, db.UsesConnection(c.ID))
		if err != nil || len(resources) != 1 {
			return fmt.Errorf("got %d resources: %w", len(resources), err)
		}
		return errors.Join(db.Delete[*store.Tool](tx, tools[0].ID), db.Delete[*store.Resource](tx, resources[0].ID), db.Delete[*store.Connection](tx, c.ID))
	})
}

func TestList(t *testing.T) {
	clk := &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	dir := filepath.Join(t.TempDir(), "data")
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Now: clk.now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c := insert(t, d, connection("main"))
	for i, name := range []string{"delta", "Alpha", "charlie", "bravo"} {
		clk.at = clk.at.Add(time.Second)
		v := tool(name, c.ID)
		v.IsEnabled = i%2 == 0
		v.Description = []string{"all of 100%", "under_score", `back\slash`, "ÄRGER und Straße"}[i]
		v.SQLQuery = []string{"select 1", "select 2 -- needle", "select 3", "select 4"}[i]
		insert(t, d, v)
	}
	for _, tc := range []struct {
		name  string
		q     store.Query
		f     []db.Filter
		want  string
		total int
	}{
		{"default sort is by name without case", store.Query{}, nil, "Alpha bravo charlie delta", 4},
		{"reversed", store.Query{Sort: "-name"}, nil, "delta charlie bravo Alpha", 4},
		{"by creation", store.Query{Sort: "created_at"}, nil, "delta Alpha charlie bravo", 4},
		{"newest first", store.Query{Sort: "-created_at"}, nil, "bravo charlie Alpha delta", 4},
		{"a page", store.Query{Skip: 1, Limit: 2}, nil, "bravo charlie", 4},
		{"behind the end", store.Query{Skip: 10}, nil, "", 4},
		{"in names", store.Query{Search: "RAV"}, nil, "bravo", 1},
		{"in SQL", store.Query{Search: "needle"}, nil, "Alpha", 1},
		{"percent is a character", store.Query{Search: "100%"}, nil, "delta", 1},
		{"percent does not match all", store.Query{Search: "%"}, nil, "delta", 1},
		{"underscore is a character", store.Query{Search: "_"}, nil, "Alpha", 1},
		{"backslash is a character", store.Query{Search: `\`}, nil, "charlie", 1},
		{"beyond ASCII", store.Query{Search: "ärger UND straße"}, nil, "bravo", 1},
		{"not in JSON keys", store.Query{Search: "is_enabled"}, nil, "", 0},
		{"a quote does not end the text", store.Query{Search: "' OR 1=1 --"}, nil, "", 0},
		{"enabled", store.Query{}, []db.Filter{db.Enabled(true)}, "charlie delta", 2},
		{"enabled and search", store.Query{Search: "a"}, []db.Filter{db.Enabled(false), db.UsesConnection(c.ID)}, "Alpha bravo", 2},
		{"named", store.Query{}, []db.Filter{db.Named("ALPHA")}, "Alpha", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			read(t, d, func(tx *db.Tx) error {
				page, err := db.List[*store.Tool](tx, tc.q, tc.f...)
				if err != nil {
					return err
				}
				var names []string
				for _, v := range page.Items {
					names = append(names, v.Name)
				}
				if got := strings.Join(names, " "); got != tc.want || page.Total != tc.total {
					t.Errorf("got %q of %d, want %q of %d", got, page.Total, tc.want, tc.total)
				}
				if page.Items == nil {
					t.Error("items is null in JSON")
				}
				return nil
			})
		})
	}
	err = d.View(t.Context(), func(tx *db.Tx) error {
		_, err := db.List[*store.Tool](tx, store.Query{Sort: "name; DROP TABLE tools"})
		return err
	})
	wantCode(t, err, store.Invalid)
	read(t, d, func(tx *db.Tx) error {
		v, err := db.Find[*store.Tool](tx, "CHARLIE")
		if err != nil || v.Name != "charlie" {
			t.Errorf("Find: %v %v", v, err)
		}
		if _, err := db.Find[*store.Tool](tx, "nobody"); store.CodeOf(err) != store.NotFound {
			t.Errorf("Find of nobody: %v", err)
		}
		return nil
	})
}

func TestConfigAndSnapshot(t *testing.T) {
	d := open(t)
	read(t, d, func(tx *db.Tx) error {
		c, err := tx.Config()
		if err != nil {
			return err
		}
		if c.ID != store.ServerConfigID || c.Version != 1 || c.AuthType != store.AuthBearer {
			t.Errorf("fresh config: %+v", c)
		}
		return nil
	})
	if n := len(changes(t, d, db.ChangeQuery{})); n != 0 {
		t.Errorf("a fresh store has %d history entries", n)
	}
	c := insert(t, d, connection("main"))
	insert(t, d, tool("b", c.ID))
	insert(t, d, tool("A", c.ID))
	write(t, d, func(tx *db.Tx) error {
		cfg, err := tx.Config()
		if err != nil {
			return err
		}
		cfg.ServerName = "Shop"
		return db.Update(tx, cfg, 0)
	})
	read(t, d, func(tx *db.Tx) error {
		s, err := tx.Snapshot()
		if err != nil {
			return err
		}
		if len(s.Connections) != 1 || len(s.Tools) != 2 || s.Tools[0].Name != "A" || s.Config.ServerName != "Shop" || s.Config.Version != 2 {
			t.Errorf("snapshot: %s", encode(t, s))
		}
		return nil
	})
}

// TestViewIsOneMoment reads twice around a write: a deploy must not mix two states.
func TestViewIsOneMoment(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	read(t, d, func(tx *db.Tx) error {
		first, err := db.All[*store.Tool](tx)
		if err != nil {
			return err
		}
		insert(t, d, tool("late", c.ID))
		second, err := db.All[*store.Tool](tx)
		if len(first) != 0 || len(second) != 0 {
			t.Errorf("the view saw %d, then %d tools", len(first), len(second))
		}
		return err
	})
	err := d.View(t.Context(), func(tx *db.Tx) error { return db.Insert(tx, tool("x", c.ID)) })
	if err == nil || !strings.Contains(err.Error(), "only reads") {
		t.Errorf("a write in a view: %v", err)
	}
}

func TestNothingOfAFailedUpdateStays(t *testing.T) {
	d := open(t)
	boom := errors.New("boom")
	check := func(t *testing.T) {
		t.Helper()
		read(t, d, func(tx *db.Tx) error {
			all, err := db.All[*store.Connection](tx)
			if len(all) != 0 {
				t.Errorf("%d connections stayed", len(all))
			}
			return err
		})
		if n := len(changes(t, d, db.ChangeQuery{})); n != 0 {
			t.Errorf("%d history entries stayed", n)
		}
	}
	seen := 0
	defer d.Observe(func(store.Change) { seen++ })()
	err := try(t, d, func(tx *db.Tx) error { return errors.Join(db.Insert(tx, connection("a")), boom) })
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	check(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = try(t, d, func(tx *db.Tx) error {
			if err := db.Insert(tx, connection("a")); err != nil {
				return err
			}
			panic("in the middle")
		})
	}()
	check(t)
	if seen != 0 {
		t.Errorf("observers were told of %d changes that did not happen", seen)
	}
	insert(t, d, connection("a")) // the writer still works
}

// TestParallelWriters is case 261: no "database is locked", nothing lost, seq without a gap or a double, observers in order.
func TestParallelWriters(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	var seqs []int64
	stop := d.Observe(func(ch store.Change) { seqs = append(seqs, ch.Seq) })
	const writers = 500
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for i := range writers {
		wg.Go(func() {
			v := tool(fmt.Sprintf("t%03d", i), c.ID)
			errs <- d.Update(background(), admin, func(tx *db.Tx) error { return db.Insert(tx, v) })
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	insert(t, d, tool("after_stop", c.ID))
	if len(seqs) != writers || !slices.IsSorted(seqs) || len(slices.Compact(seqs)) != writers || seqs[writers-1] != writers+1 {
		t.Errorf("observed %d changes, sorted %v", len(seqs), slices.IsSorted(seqs))
	}
	read(t, d, func(tx *db.Tx) error {
		all, err := db.All[*store.Tool](tx)
		if len(all) != writers+1 {
			t.Errorf("%d tools", len(all))
		}
		return err
	})
}

// TestParallelChangesOfOne lets many change the same version: one wins, the others are stale.
func TestParallelChangesOfOne(t *testing.T) {
	d := open(t)
	c := insert(t, d, connection("main"))
	v := insert(t, d, tool("t", c.ID))
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for i := range 20 {
		wg.Go(func() {
			mine := *v
			mine.Description = fmt.Sprintf("change %d", i)
			results <- d.Update(background(), admin, func(tx *db.Tx) error { return db.Update(tx, &mine, 1) })
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if store.CodeOf(err) != store.Stale {
			t.Error(err)
		}
	}
	if got := get[*store.Tool](t, d, v.ID); won != 1 || got.Version != 2 {
		t.Errorf("%d changes won, version %d", won, got.Version)
	}
}

// TestHistoryKeepsItsOrder: entries stay in the order in which they were made when the clock jumps back, on and back to 1970, also over
// a restart; the time of each is what the clock said. case 220
func TestHistoryKeepsItsOrder(t *testing.T) {
	clk := &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	dir := filepath.Join(t.TempDir(), "data")
	reopen := func() *db.DB {
		t.Helper()
		d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir), Now: clk.now})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := reopen()
	var want []string
	for i, at := range []time.Time{clk.at, clk.at.Add(-time.Hour), time.Unix(0, 0).UTC(), clk.at.Add(10 * 365 * 24 * time.Hour), clk.at, clk.at} {
		if i == 3 {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = reopen()
		}
		clk.at = at
		name := fmt.Sprintf("entry %d", i)
		insert(t, d, connection(name))
		want = append([]string{name}, want...)
	}
	defer d.Close()
	all := changes(t, d, db.ChangeQuery{Kind: store.KindConnection})
	var got []string
	for i, c := range all {
		got = append(got, c.EntityName)
		if i > 0 && c.Seq >= all[i-1].Seq {
			t.Errorf("%s has number %d, the one after it %d", c.EntityName, c.Seq, all[i-1].Seq)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if at := all[3].At; !at.Equal(time.Unix(0, 0)) {
		t.Errorf("the entry of 1970 is of %s", at)
	}
}
