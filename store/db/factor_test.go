package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

const factorCanary = "JBSWY3DPEHPK3PXPCANARYKEY"

// withFactor is a store whose admin has two-factor on, with two recovery codes.
func withFactor(t *testing.T) *db.DB {
	t.Helper()
	d := open(t)
	if err := d.CreateAdmin(t.Context(), admin.Actor, &store.Admin{Username: "ada", PasswordHash: "h1"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := d.DraftFactor(t.Context(), store.GivenSecret(factorCanary)); err != nil {
		t.Fatal(err)
	}
	err := d.UpdateFactor(t.Context(), store.FactorEdit{Actor: admin.Actor, Operation: "enable_two_factor"}, func(f *store.Factor) error {
		draft, _ := f.Draft.Reveal()
		if draft != factorCanary || f.DraftAt == nil || f.EnabledAt != nil {
			t.Errorf("the draft is not there: %+v", f)
		}
		f.EnabledAt, f.Key, f.LastStep = new(time.Now()), f.Draft, 7
		f.Draft, f.DraftAt = store.Secret{}, nil
		f.CodeKey, f.Codes = store.GivenSecret("canary-code-key"), [][]byte{[]byte("one"), []byte("two")}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func pending(t *testing.T, d *db.DB, token string, version int) {
	t.Helper()
	p := &store.PendingLogin{TokenHash: []byte(token), ExpiresAt: time.Now().Add(time.Minute)}
	if err := d.StartPending(t.Context(), p, store.SignIn{AdminVersion: version}); err != nil {
		t.Fatal(err)
	}
}

func TestFactor(t *testing.T) {
	d := withFactor(t)
	a, err := d.Admin(t.Context())
	if err != nil || a.TwoFactorAt == nil || a.RecoveryCodesLeft != 2 || a.Version != 2 {
		t.Fatalf("%+v %v", a, err)
	}
	wantCode(t, d.DraftFactor(t.Context(), store.GivenSecret("x")), store.Conflict)
	no := errors.New("no")
	e := store.FactorEdit{Actor: admin.Actor, Operation: "x", AdminVersion: 2}
	if err := d.UpdateFactor(t.Context(), e, func(f *store.Factor) error { f.LastStep = 99; f.Codes = nil; return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	err = d.UpdateFactor(t.Context(), e, func(f *store.Factor) error {
		key, _ := f.Key.Reveal()
		codeKey, _ := f.CodeKey.Reveal()
		if key != factorCanary || codeKey != "canary-code-key" || f.LastStep != 7 || len(f.Codes) != 2 || f.Draft.IsSet() || f.DraftAt != nil {
			t.Errorf("a refused change left something: %+v", f)
		}
		f.Codes = append(f.Codes[:1:1], []byte("three"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.UpdateFactor(t.Context(), e, func(*store.Factor) error { return nil }), store.Stale)

	// case 37, case 64: the keys are not in the files, the history or the entries.
	for _, canary := range []string{factorCanary, "canary-code-key"} {
		if h := encode(t, changes(t, d, db.ChangeQuery{})); strings.Contains(h, canary) {
			t.Errorf("history shows %s: %s", canary, h)
		}
		for _, suffix := range []string{"", "-wal"} {
			if b, err := os.ReadFile(d.Path() + suffix); err == nil && bytes.Contains(b, []byte(canary)) {
				t.Errorf("the file %q holds %s", suffix, canary)
			}
		}
	}

	// On and without its key, it closes; it does not turn itself off (case 68).
	raw(t, d.Path(), `DELETE FROM secrets WHERE tbl = 'second_factor' AND col = 'key'`)
	pending(t, d, "p", 3)
	err = d.FinishLogin(t.Context(), []byte("p"), session("s", time.Now()), store.SignIn{}, func(*store.Factor) error { return nil })
	wantCode(t, err, store.Unavailable)
	if !strings.Contains(err.Error(), "--disable-2fa") {
		t.Errorf("got %v", err)
	}
	// The way out needs no key.
	a.Version = 0
	if err := d.UpdateAdmin(t.Context(), store.AccountEdit{Actor: admin.Actor, Operation: "reset_password", DropFactor: true}, a); err != nil {
		t.Fatal(err)
	}
	if a.TwoFactorAt != nil || a.RecoveryCodesLeft != 0 {
		t.Errorf("%+v", a)
	}
	if n := count(t, d, `SELECT count(*) FROM secrets WHERE tbl = 'second_factor'`); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

// TestFinishLogin is cases 55, 58 and 63 in the store: of many at once one uses a code up, and a sign-in dies with the account's change.
func TestFinishLogin(t *testing.T) {
	d := withFactor(t)
	now := time.Now()
	tokens := make([]string, 30)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("token %d", i)
		pending(t, d, tokens[i], 2)
	}
	used := errors.New("used")
	var wg sync.WaitGroup
	errs := make([]error, len(tokens))
	for i, token := range tokens {
		wg.Go(func() {
			errs[i] = d.FinishLogin(context.Background(), []byte(token), session(token, now), store.SignIn{}, func(f *store.Factor) error {
				if f.LastStep >= 8 {
					return used
				}
				f.LastStep = 8
				return nil
			})
		})
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		if err == nil {
			in++
		} else if !errors.Is(err, used) {
			t.Error(err)
		}
	}
	if list, err := d.Sessions(t.Context(), now); in != 1 || len(list) != 1 || err != nil {
		t.Errorf("%d signed in, %d sessions, %v", in, len(list), err)
	}
	if n := count(t, d, `SELECT count(*) FROM pending_logins`); n != 29 {
		t.Errorf("%d wait, want 29", n)
	}

	// One token at once, many times.
	pending(t, d, "same", 2)
	in = 0
	for i := range errs {
		wg.Go(func() {
			errs[i] = d.FinishLogin(context.Background(), []byte("same"), session(fmt.Sprint("same", i), now), store.SignIn{}, func(*store.Factor) error { return nil })
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			in++
		} else {
			wantCode(t, err, store.NotFound)
		}
	}
	if in != 1 {
		t.Errorf("a token was good %d times", in)
	}

	// A change of the factor ends what waits, and all sessions but the one that changed it.
	e := store.FactorEdit{Actor: admin.Actor, Operation: "regenerate_recovery_codes", Keep: "keeper"}
	if err := d.StartSession(t.Context(), session("keeper", now), store.SignIn{AdminVersion: 2}); err != nil {
		t.Fatal(err)
	}
	if err := d.UpdateFactor(t.Context(), e, func(*store.Factor) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Sessions(t.Context(), now); len(list) != 1 || list[0].ID != "keeper" || err != nil {
		t.Errorf("sessions %v %v", list, err)
	}
	if _, err := d.Pending(t.Context(), []byte(tokens[1])); store.CodeOf(err) != store.NotFound {
		t.Errorf("a half-done sign-in lives: %v", err)
	}
	p := &store.PendingLogin{TokenHash: []byte("late"), ExpiresAt: now.Add(time.Minute)}
	wantCode(t, d.StartPending(t.Context(), p, store.SignIn{AdminVersion: 2}), store.Unauthorized)
}

// TestLoginAfterFailures: a success after many failures of its address is in history, once, with no more than counts.
func TestLoginAfterFailures(t *testing.T) {
	d := open(t)
	if err := d.CreateAdmin(t.Context(), admin.Actor, &store.Admin{Username: "ada", PasswordHash: "h1"}, nil); err != nil {
		t.Fatal(err)
	}
	admit := func(_, _ []time.Time) error { return nil }
	signIn := func(id string, failures int) {
		t.Helper()
		var last string
		for range failures + 1 {
			var err error
			if last, err = d.Attempt(t.Context(), "login:x", time.Now(), time.Now().Add(-time.Minute), admit); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.StartSession(t.Context(), session(id, time.Now()), store.SignIn{AdminVersion: 1, Bucket: "login:x", NoteAfter: 5}); err != nil {
			t.Fatal(err)
		}
		if err := d.SettleAttempt(t.Context(), "login:x", last); err != nil {
			t.Fatal(err)
		}
	}
	noted := func(want int) {
		t.Helper()
		if h := changes(t, d, db.ChangeQuery{Operation: "login_after_failures"}); len(h) != want {
			t.Fatalf("%d entries, want %d", len(h), want)
		} else if want > 0 && string(h[0].After) != `{"address":"192.0.2.1","failed_passwords":5,"failed_codes":0}` {
			t.Errorf("%s", h[0].After)
		}
	}
	signIn("a", 4)
	noted(0)
	signIn("b", 5)
	noted(1)
	signIn("c", 0)
	noted(1)
	// Nobody asks twice about the others' failures.
	if err := d.UpdateAdmin(t.Context(), store.AccountEdit{Actor: admin.Actor, Operation: "reset_password", Unlock: true}, &store.Admin{Username: "ada", PasswordHash: "h2"}); err != nil {
		t.Fatal(err)
	}
	if n := count(t, d, `SELECT count(*) FROM login_failures`); n != 0 {
		t.Errorf("%d attempts are left after a reset", n)
	}
}

// TestUpgradeOfAccounts opens a store of the first schema: the admin signs in as before, and what was not noted then is not made up.
func TestUpgradeOfAccounts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(filepath.Join("migrations", "00001_initial.sql"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := sql.Open("sqlite", "file:"+filepath.Join(dir, db.FileName))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		string(first),
		`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)`,
		`INSERT INTO admin VALUES ('admin', 3, 'ada', 'old hash', 1000000, 2000000, NULL)`,
	} {
		if _, err := h.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	d := openAt(t, dir)
	a, err := d.Admin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a.Username != "ada" || a.PasswordHash != "old hash" || a.Version != 3 || !a.PasswordChangedAt.Equal(time.Unix(2, 0)) || a.PasswordLong != nil || a.TwoFactorAt != nil || a.RecoveryCodesLeft != 0 {
		t.Errorf("%+v", a)
	}
}

func count(t *testing.T, d *db.DB, query string) int {
	t.Helper()
	h, err := sql.Open("sqlite", "file:"+d.Path()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	n := 0
	if err := h.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
