package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// kills is how often the sample of the kill sweep kills; STUDIO_TEST_KILLS overrides it for a full run.
const kills = 20

// crashWriter creates, changes and deletes without end, and says each step on standard output once it is committed.
func crashWriter() int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "writer:", err)
		return 1
	}
	dir, round := os.Getenv("STUDIO_TEST_DIR"), os.Getenv("STUDIO_TEST_ROUND")
	ctx := context.Background()
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		return fail(err)
	}
	d, err := db.Open(ctx, db.Options{Dir: dir, Keyring: k})
	if err != nil {
		return fail(err)
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("r%s_%d", round, i)
		c := connection(name)
		c.Password = store.GivenSecret("secret of " + name)
		// Two rows in one transaction: both or none must be there afterwards.
		err := d.Update(ctx, admin, func(tx *db.Tx) error {
			if err := db.Insert(tx, c); err != nil {
				return err
			}
			return db.Insert(tx, tool(name, c.ID))
		})
		if err != nil {
			return fail(err)
		}
		fmt.Println("made", name, c.ID)
		switch i % 3 {
		case 1:
			c.Database = "changed"
			if err := d.Update(ctx, admin, func(tx *db.Tx) error { return db.Update(tx, c, 1) }); err != nil {
				return fail(err)
			}
			fmt.Println("changed", name, c.ID)
		case 2:
			err := d.Update(ctx, admin, func(tx *db.Tx) error {
				t, err := db.Find[*store.Tool](tx, name)
				if err != nil {
					return err
				}
				if err := db.Delete[*store.Tool](tx, t.ID); err != nil {
					return err
				}
				return db.Delete[*store.Connection](tx, c.ID)
			})
			if err != nil {
				return fail(err)
			}
			fmt.Println("deleted", name, c.ID)
		}
	}
}

// TestKill is case 253: whatever the moment of kill -9, each acknowledged write is there, whole and with its history, the next start needs
// no help, and nothing half-written is visible.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	openKeys(t, dir)
	seed := uint64(20261122)
	rng := rand.New(rand.NewPCG(seed, 0))
	n := kills
	if s := os.Getenv("STUDIO_TEST_KILLS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	state := map[string]string{} // connection id to its last acknowledged step
	names := map[string]string{}
	acknowledged := 0
	for round := range n {
		w := startRole(t, "writer", dir, "STUDIO_TEST_ROUND="+strconv.Itoa(round))
		// From before the first write (migration, opening) to well into the stream of writes; every second time not before there are some.
		wait := time.Duration(rng.IntN(400)) * time.Millisecond
		time.Sleep(wait)
		for deadline := time.Now().Add(time.Minute); round%2 == 1 && len(w.out.ch) < 2 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if err := w.cmd.Process.Kill(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		_ = w.cmd.Wait() // killed: it always has an error
		if w.cmd.ProcessState.Exited() {
			t.Fatalf("round %d: the writer ended by itself", round)
		}
		for len(w.out.ch) > 0 {
			f := strings.Fields(<-w.out.ch)
			state[f[2]], names[f[2]] = f[0], f[1]
			acknowledged++
		}
		checkHeld(t, dir, round, state, names)
		if t.Failed() {
			t.Fatalf("seed %d, round %d, killed after %s", seed, round, wait)
		}
	}
	t.Logf("%d kills, %d acknowledged writes", n, acknowledged)
	if acknowledged < n/2 {
		t.Errorf("only %d writes were acknowledged: the test proved little", acknowledged)
	}
}

func checkHeld(t *testing.T, dir string, round int, state, names map[string]string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: openKeys(t, dir)})
	if err != nil {
		t.Fatalf("round %d: open after the kill: %v", round, err)
	}
	defer d.Close()
	err = d.View(t.Context(), func(tx *db.Tx) error {
		connections, err := db.All[*store.Connection](tx)
		if err != nil {
			return err
		}
		there := map[string]*store.Connection{}
		for _, c := range connections {
			there[c.ID] = c
			tools, err := db.All[*store.Tool](tx, db.UsesConnection(c.ID))
			if err != nil {
				return err
			}
			if len(tools) != 1 || tools[0].Name != c.Name {
				t.Errorf("connection %s has %d tools: half a transaction", c.Name, len(tools))
			}
			if err := tx.OpenSecrets(c); err != nil {
				return err
			}
			if v, _ := c.Password.Reveal(); v != "secret of "+c.Name {
				t.Errorf("connection %s has the secret %q", c.Name, v)
			}
		}
		for id, step := range state {
			c := there[id]
			if (c == nil) != (step == "deleted") {
				// The step after the acknowledged one may have committed without its word getting out.
				if step == "deleted" || !deletedAfter(t, tx, id) {
					t.Errorf("%s was acknowledged as %s, and is there: %v", names[id], step, c != nil)
				}
				continue
			}
			if c != nil && step == "changed" && (c.Database != "changed" || c.Version != 2) {
				t.Errorf("%s was acknowledged as changed: %s version %d", names[id], c.Database, c.Version)
			}
			checkHistory(t, tx, id, step, c)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	checkIntegrity(t, d.Path())
}

func deletedAfter(t *testing.T, tx *db.Tx, id string) bool {
	t.Helper()
	page, err := tx.Changes(db.ChangeQuery{EntityID: id, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Items) == 1 && page.Items[0].After == nil
}

func checkHistory(t *testing.T, tx *db.Tx, id, step string, c *store.Connection) {
	t.Helper()
	page, err := tx.Changes(db.ChangeQuery{Kind: store.KindConnection, EntityID: id})
	if err != nil {
		t.Fatal(err)
	}
	least := map[string]int{"made": 1, "changed": 2, "deleted": 2}[step]
	if len(page.Items) < least {
		t.Errorf("%s has %d history entries after %q", id, len(page.Items), step)
		return
	}
	if c == nil {
		return
	}
	var after struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(page.Items[0].After, &after); err != nil || after.Version != c.Version {
		t.Errorf("%s is at version %d, its history at %d (%v)", id, c.Version, after.Version, err)
	}
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	h, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, q := range []string{"PRAGMA integrity_check", "SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE 'bad' END FROM pragma_foreign_key_check"} {
		var verdict string
		if err := h.QueryRow(q).Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("%s: %s %v", q, verdict, err)
		}
	}
	var gaps int
	if err := h.QueryRow("SELECT max(seq) - count(*) FROM changes HAVING count(*) > 0 UNION ALL SELECT 0").Scan(&gaps); err != nil || gaps != 0 {
		t.Errorf("history has %d gaps (%v)", gaps, err)
	}
}
