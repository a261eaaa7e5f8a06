package token_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mcpstudio/auth"
	"mcpstudio/auth/token"
	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

var act = db.Act{Actor: store.Actor{Kind: "admin", ID: "admin", Name: "ada"}, Operation: "test"}

type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time      { return time.UnixMicro(c.micros.Load()) }
func (c *clock) add(d time.Duration) { c.micros.Add(d.Microseconds()) }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func setUp(t *testing.T) (*db.DB, *token.Verifier, *clock) {
	t.Helper()
	c := newClock()
	dir := filepath.Join(t.TempDir(), "data")
	k, err := keyring.Open(keyring.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), db.Options{Dir: dir, Keyring: k, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	v, err := token.New(t.Context(), d, token.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Observe(v.Changed))
	return d, v, c
}

// add mints and keeps a token.
func add(t *testing.T, d *db.DB, change func(*store.MCPToken)) (*store.MCPToken, string) {
	t.Helper()
	m, err := token.Mint()
	if err != nil {
		t.Fatal(err)
	}
	v := &store.MCPToken{Name: "t" + m.Prefix[5:], Prefix: m.Prefix, TokenHash: m.Hash}
	if change != nil {
		change(v)
	}
	if err := d.Update(t.Context(), act, func(tx *db.Tx) error { return db.Insert(tx, v) }); err != nil {
		t.Fatal(err)
	}
	return v, m.Token
}

func wantRefused(t *testing.T, v *token.Verifier, tok, why string) {
	t.Helper()
	p, err := v.Verify(t.Context(), tok)
	if err == nil || store.CodeOf(err) != store.Unauthorized {
		t.Errorf("%s: got %+v, %v", why, p, err)
	}
}

func wantGood(t *testing.T, v *token.Verifier, tok string) auth.Principal {
	t.Helper()
	p, err := v.Verify(t.Context(), tok)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return p
}

// case 111
func TestMint(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		m, err := token.Mint()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(m.Token))
		if len(m.Token) != 48 || !strings.HasPrefix(m.Token, token.Prefix) || !strings.HasPrefix(m.Token, m.Prefix) || len(m.Prefix) != 11 || !bytes.Equal(sum[:], m.Hash) {
			t.Fatalf("%+v", m)
		}
		if seen[m.Token] {
			t.Fatal("minted twice")
		}
		seen[m.Token] = true
	}
}

// TestOnlyTheHash is case 111 against the real files.
func TestOnlyTheHash(t *testing.T) {
	d, v, _ := setUp(t)
	_, tok := add(t, d, nil)
	wantGood(t, v, tok)
	entries, err := os.ReadDir(filepath.Dir(d.Path()))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(d.Path()), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(tok[11:])) {
			t.Errorf("%s holds the token", e.Name())
		}
	}
}

func TestVerify(t *testing.T) {
	d, v, _ := setUp(t)
	tools := []string{"list_orders"}
	row, tok := add(t, d, func(m *store.MCPToken) { m.Tools = &tools })
	p := wantGood(t, v, tok)
	if p.Kind != auth.KindMCPToken || p.ID != row.ID || p.Name != row.Name || len(p.Scopes) != 0 || !p.Allowed.Tool("list_orders") || p.Allowed.Tool("other") || !p.Allowed.Prompt("x") {
		t.Errorf("%+v", p)
	}
	// case 114: nothing but the exact token
	for _, bad := range []string{
		"", " ", tok + " ", " " + tok, tok + "\n", strings.ToUpper(tok), tok[:len(tok)-1], tok + "a", "Bearer " + tok, tok[5:], "mcps_", row.Prefix,
		"mcpt_" + tok[5:], tok[:47] + "-", tok[:20] + "\x00" + tok[21:], strings.Repeat("a", 1<<20), tok + "," + tok,
	} {
		wantRefused(t, v, bad, fmt.Sprintf("%.60q", bad))
	}
	other, err := token.Mint()
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, v, other.Token, "a token that was never kept")
}

// TestChangesAreInForceAtOnce: a new, a changed and a removed token, without waiting.
func TestChangesAreInForceAtOnce(t *testing.T) {
	d, v, c := setUp(t)
	row, tok := add(t, d, nil)
	wantGood(t, v, tok)
	c.add(time.Hour)
	none := []string{}
	row.Tools = &none
	if err := d.Update(t.Context(), act, func(tx *db.Tx) error { return db.Update(tx, row, 1) }); err != nil {
		t.Fatal(err)
	}
	if p := wantGood(t, v, tok); p.Allowed.Tool("x") {
		t.Error("the narrowed list is not in force")
	}
	if err := d.Update(t.Context(), act, func(tx *db.Tx) error { return db.Delete[*store.MCPToken](tx, row.ID) }); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, v, tok, "revoked")
}

// TestRevokeUnderLoad is case 113: no check that starts after the revocation returned lets the token in, while others change tokens.
func TestRevokeUnderLoad(t *testing.T) {
	d, v, _ := setUp(t)
	row, tok := add(t, d, nil)
	var revoked atomic.Bool
	var checks atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				was := revoked.Load()
				_, err := v.Verify(context.Background(), tok)
				checks.Add(1)
				if was && err == nil {
					t.Error("let in after the revocation")
					return
				}
				if !was && err != nil && !revoked.Load() && store.CodeOf(err) != store.Unauthorized {
					t.Error(err)
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range 2 { // other changes that reload at the same time
		wg.Go(func() {
			for n := range 20 {
				m, err := token.Mint()
				if err == nil {
					err = d.Update(context.Background(), act, func(tx *db.Tx) error {
						return db.Insert(tx, &store.MCPToken{Name: fmt.Sprintf("other %d %d", i, n), Prefix: m.Prefix, TokenHash: m.Hash})
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	more := func() { // waits until a hundred more checks have been made
		t.Helper()
		was := checks.Load()
		for deadline := time.Now().Add(time.Minute); checks.Load() < was+100; time.Sleep(time.Millisecond) {
			if t.Failed() { // whoever was wrongly let in checks no more
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("only %d checks", checks.Load())
				return
			}
		}
	}
	more()
	if err := d.Update(context.Background(), act, func(tx *db.Tx) error { return db.Delete[*store.MCPToken](tx, row.ID) }); err != nil {
		t.Fatal(err)
	}
	revoked.Store(true)
	more()
	close(done)
	wg.Wait()
	wantRefused(t, v, tok, "revoked")
}

func TestExpiryAndIdle(t *testing.T) {
	d, v, c := setUp(t)
	at := c.now().Add(24 * time.Hour)
	_, expiring := add(t, d, func(m *store.MCPToken) { m.ExpiresAt = &at })
	idle, idling := add(t, d, func(m *store.MCPToken) { m.IdleTimeoutMinutes = 30 })
	_, unused := add(t, d, func(m *store.MCPToken) { m.IdleTimeoutMinutes = 60 })

	c.add(29 * time.Minute)
	wantGood(t, v, idling) // use goes on
	c.add(29 * time.Minute)
	wantGood(t, v, idling)
	add(t, d, nil) // a reload must not forget the uses that are not written yet
	c.add(29 * time.Minute)
	wantGood(t, v, idling)
	wantRefused(t, v, unused, "never used for an hour")
	c.add(30 * time.Minute)
	wantRefused(t, v, idling, "idle")
	wantRefused(t, v, idling, "a refused check does not wake it")
	c.add(24*time.Hour - 117*time.Minute - time.Microsecond)
	wantGood(t, v, expiring)
	c.add(time.Microsecond)
	wantRefused(t, v, expiring, "expired")

	// After a restart the written last use counts.
	if err := d.TouchTokens(t.Context(), []store.TokenUse{{ID: idle.ID, At: c.now()}}); err != nil {
		t.Fatal(err)
	}
	again, err := token.New(t.Context(), d, token.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, again, idling)
}

// TestRun writes uses in batches and the last one when it ends.
func TestRun(t *testing.T) {
	d, v, c := setUp(t)
	row, _ := add(t, d, nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	use := func(method string, listed int) {
		c.add(time.Second)
		v.Used(store.TokenUse{ID: row.ID, At: c.now(), IP: "192.0.2.1", Client: "claude\xff " + strings.Repeat("x", 500), Method: method, Listed: listed})
	}
	use("tools/list", 7)
	use("tools/call", 0)
	last := func() *store.MCPToken {
		t.Helper()
		all, err := d.MCPTokens(context.Background())
		if err != nil || len(all) != 1 {
			t.Fatalf("%v %v", all, err)
		}
		return all[0]
	}
	deadline := time.Now().Add(time.Minute)
	for last().LastMethod != "tools/call" {
		if time.Now().After(deadline) {
			t.Fatal("the use was not written")
		}
		time.Sleep(20 * time.Millisecond)
	}
	got := last()
	if got.LastListed != 7 || got.LastUsedIP != "192.0.2.1" || len(got.LastClient) > 200 || !strings.HasPrefix(got.LastClient, "claude x") {
		t.Errorf("%+v", got)
	}
	use("prompts/get", 0)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := last(); got.LastMethod != "prompts/get" || got.Version != 1 {
		t.Errorf("the last use was lost: %+v", got)
	}
}

// broken is a store whose disk fails: the boundary the verifier must survive.
type broken struct {
	mu     sync.Mutex
	fail   bool
	tokens []*store.MCPToken
	uses   []store.TokenUse
}

func (b *broken) set(fail bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}

func (b *broken) MCPTokens(context.Context) ([]*store.MCPToken, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		return nil, errors.New("disk error")
	}
	return b.tokens, nil
}

func (b *broken) TouchTokens(_ context.Context, uses []store.TokenUse) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		return errors.New("disk error")
	}
	b.uses = append(b.uses, uses...)
	return nil
}

// TestFailClosed: when a change cannot be read, the changed token is out, the others stay, and it heals by itself; uses are not lost.
func TestFailClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broken{}
		var toks []string
		for i := range 2 {
			m, err := token.Mint()
			if err != nil {
				t.Fatal(err)
			}
			toks = append(toks, m.Token)
			b.tokens = append(b.tokens, &store.MCPToken{Meta: store.Meta{ID: fmt.Sprint(i), CreatedAt: time.Now()}, Name: "n", TokenHash: m.Hash})
		}
		v, err := token.New(t.Context(), b, token.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- v.Run(ctx) }()

		b.set(true)
		v.Changed(store.Change{EntityType: store.KindTool, EntityID: "0"}) // not about tokens
		wantGood(t, v, toks[0])
		v.Changed(store.Change{EntityType: store.KindMCPToken, EntityID: "0"})
		wantRefused(t, v, toks[0], "unreadable")
		wantGood(t, v, toks[1])
		v.Used(store.TokenUse{ID: "1", Method: "tools/call"})
		time.Sleep(3500 * time.Millisecond)
		wantRefused(t, v, toks[0], "still unreadable")
		b.set(false)
		time.Sleep(time.Second)
		synctest.Wait()
		wantGood(t, v, toks[0])
		b.mu.Lock()
		if len(b.uses) != 1 || b.uses[0].Method != "tools/call" {
			t.Errorf("uses %+v", b.uses)
		}
		b.mu.Unlock()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestTimingTellsNothing is case 112 in structure: a wrong token with the right prefix takes the path of any wrong token. The lookup is
// by SHA-256, so no comparison goes byte by byte over the stored token.
func TestTimingTellsNothing(t *testing.T) {
	d, v, _ := setUp(t)
	_, tok := add(t, d, nil)
	measure := func(tok string) time.Duration {
		start := time.Now()
		for range 20 {
			_, _ = v.Verify(context.Background(), tok)
		}
		return time.Since(start)
	}
	nearly, other := tok[:47]+map[bool]string{true: "0", false: "1"}[tok[47] != '0'], token.Prefix+strings.Repeat("Z", 43)
	near, far := time.Hour, time.Hour
	for n := 0; n < 200 || n < 20_000 && (near > 2*far || far > 2*near); n++ { // in turns, and longer on a busy machine: the best of each counts
		near, far = min(near, measure(nearly)), min(far, measure(other))
	}
	if near > 2*far || far > 2*near {
		t.Errorf("near %s, far %s", near, far)
	}
}

// FuzzVerify: no input panics or gets in.
func FuzzVerify(f *testing.F) {
	b := &broken{}
	m, err := token.Mint()
	if err != nil {
		f.Fatal(err)
	}
	b.tokens = []*store.MCPToken{{Meta: store.Meta{ID: "1"}, TokenHash: m.Hash}, {Meta: store.Meta{ID: "2"}}, {Meta: store.Meta{ID: "3"}, TokenHash: []byte("short")}}
	v, err := token.New(context.Background(), b, token.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "mcps_", m.Token[:40], "mcps_" + strings.Repeat("0", 43), "mcps_" + strings.Repeat("é", 22)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := v.Verify(context.Background(), s); err == nil && s != m.Token {
			t.Fatalf("%q got in", s)
		}
	})
}
