package db

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/keyring"
)

func openFaulty(t *testing.T) *DB {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), Options{Dir: dir, Keyring: k})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func setMeta(ctx context.Context, d *DB, name, value string) error {
	return d.Update(ctx, Act{Actor: store.SystemActor(), Operation: "test"}, func(tx *Tx) error { return tx.SetMeta(name, value) })
}

func unavailable(t *testing.T, err error, says string) {
	t.Helper()
	var e *store.Error
	if !errors.As(err, &e) || e.Code != store.Unavailable || !strings.Contains(e.Message, says) || e.Err == nil {
		t.Fatalf("got %v, want Unavailable with %q and a detail for the log", err, says)
	}
}

// TestDiskFull is case 255: refused with a sentence, nothing acknowledged is lost, and it works again without a restart.
func TestDiskFull(t *testing.T) {
	d := openFaulty(t)
	if err := setMeta(t.Context(), d, "before", "kept"); err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := d.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if _, err := d.write.Exec(`PRAGMA max_page_count = ` + strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages) // SQLite answers SQLITE_FULL, as on a full disk
	large := strings.Repeat("x", 1<<20)
	unavailable(t, setMeta(t.Context(), d, "large", large), "full")
	limit(1 << 30)
	if err := setMeta(t.Context(), d, "large", large); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	err := d.View(t.Context(), func(tx *Tx) error {
		v, found, err := tx.Meta("before")
		if v != "kept" || !found {
			t.Errorf("lost: %q", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReadOnly is case 257 as SQLite reports it.
func TestReadOnly(t *testing.T) {
	d := openFaulty(t)
	if _, err := d.write.Exec(`PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	unavailable(t, setMeta(t.Context(), d, "a", "b"), "read-only")
}

// TestBusy is case 260: another program holds the write lock; reads go on, and the write is 503 after the stated wait.
func TestBusy(t *testing.T) {
	d := openFaulty(t)
	other, err := sql.Open("sqlite", "file:"+d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	done := make(chan error, 1)
	go func() { done <- setMeta(t.Context(), d, "a", "b") }()
	time.Sleep(50 * time.Millisecond)
	if err := d.View(t.Context(), func(tx *Tx) error { _, err := tx.Config(); return err }); err != nil || len(done) != 0 {
		t.Errorf("a read waited as long as the write, %s: %v", time.Since(start), err)
	}
	err = <-done
	unavailable(t, err, "another program")
	if waited := time.Since(start); waited < 4*time.Second || waited > time.Minute {
		t.Errorf("waited %s, want about 5 s", waited)
	}
	if _, err := conn.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := setMeta(t.Context(), d, "a", "b"); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

// TestCancel proves that a caller that gives up leaves nothing behind and does not block the writer.
func TestCancel(t *testing.T) {
	d := openFaulty(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Update(ctx, Act{Actor: store.SystemActor(), Operation: "test"}, func(tx *Tx) error {
		if err := tx.SetMeta("a", "b"); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// One caller holds the writer; another's wait ends with its context.
	hold, held := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- d.Update(t.Context(), Act{Actor: store.SystemActor(), Operation: "test"}, func(tx *Tx) error {
			close(held)
			<-hold
			return tx.SetMeta("c", "d")
		})
	}()
	<-held
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := setMeta(short, d, "e", "f"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the waiter got %v", err)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	err = d.View(t.Context(), func(tx *Tx) error {
		for name, want := range map[string]bool{"a": false, "c": true, "e": false} {
			if _, found, err := tx.Meta(name); found != want || err != nil {
				t.Errorf("%s: %v %v, want %v", name, found, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailureMapping(t *testing.T) {
	unavailable(t, failure("write", syscall.ENOSPC), "full")
	unavailable(t, failure("write", syscall.EROFS), "read-only")
	coded := &store.Error{Code: store.Stale}
	if got := failure("x", coded); got != coded {
		t.Errorf("a coded error was wrapped: %v", got)
	}
	plain := errors.New("plain")
	if got := failure("read x", plain); !errors.Is(got, plain) || got.Error() != "read x: plain" {
		t.Errorf("got %v", got)
	}
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for i := range 1000 {
		id, err := newID(time.UnixMilli(int64(1_800_000_000_000 + i)))
		if err != nil {
			t.Fatal(err)
		}
		if seen[id] || id <= last || len(id) != 36 || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%s after %s", id, last)
		}
		seen[id], last = true, id
	}
}
