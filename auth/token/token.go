// Package token is the bearer tokens of MCP clients: how they are made, and how
// the front recognises them on every request.
//
// A token is mcps_ and 256 random bits in base 62. The store keeps its SHA-256:
// at that entropy a slow hash would add nothing but load. The Verifier holds all
// hashes in one map that is swapped whole, so a check takes no lock and no
// query; a change to a token is in force before the operation that made it
// returns (see Changed), which makes a revoked token dead on the next request.
// The map is found by a hash the caller cannot steer, so its timing tells
// nothing about stored tokens.
//
// Its hole: a token that another process removes from the store stays good in
// this one until it is told or started again. The studio's own commands do not
// touch tokens.
package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mcpstudio/auth"
	"mcpstudio/store"
)

// Prefix starts every token, so that scanners for leaked secrets can find one.
const Prefix = "mcps_"

const (
	digits     = 43 // base 62 digits that hold 256 bits
	shownChars = len(Prefix) + 6
)

// flushEvery is how often last uses are written.
const flushEvery = time.Second

// Minted is a new token. Token is to be shown once and then forgotten.
type Minted struct {
	Token  string
	Prefix string // what may be shown later, to tell tokens apart
	Hash   []byte // what the store keeps
}

// Mint makes a token. The error is of the random source.
func Mint() (Minted, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return Minted{}, fmt.Errorf("draw a token: %w", err)
	}
	text := new(big.Int).SetBytes(b[:]).Text(62)
	t := Prefix + strings.Repeat("0", digits-len(text)) + text
	sum := sha256.Sum256([]byte(t))
	return Minted{Token: t, Prefix: t[:shownChars], Hash: sum[:]}, nil
}

// Store is what the Verifier needs of the metadata store.
type Store interface {
	MCPTokens(ctx context.Context) ([]*store.MCPToken, error)
	TouchTokens(ctx context.Context, uses []store.TokenUse) error
}

// Options tunes a Verifier; the zero value works.
type Options struct {
	Now func() time.Time // time.Now when nil
	Log *slog.Logger     // discarded when nil
}

// Verifier recognises MCP tokens. It implements auth.Verifier.
type Verifier struct {
	store Store
	now   func() time.Time
	log   *slog.Logger
	live  atomic.Pointer[map[[sha256.Size]byte]*entry]

	reload sync.Mutex // one reload at a time: an older read must not replace a newer one

	mu      sync.Mutex // guards the fields below
	uses    map[string]store.TokenUse
	missing bool // a reload failed: Run tries again
}

// entry is a token in force. lastUsed is shared by the entries of one token across swaps.
type entry struct {
	principal auth.Principal
	expires   time.Time     // zero: never
	idle      time.Duration // zero: no limit
	lastUsed  *atomic.Int64 // microseconds since 1970; of making, before the first use
}

var _ auth.Verifier = (*Verifier)(nil)

// New loads the tokens.
func New(ctx context.Context, s Store, o Options) (*Verifier, error) {
	v := &Verifier{store: s, now: o.Now, log: o.Log, uses: map[string]store.TokenUse{}}
	if v.now == nil {
		v.now = time.Now
	}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	v.live.Store(&map[[sha256.Size]byte]*entry{})
	if err := v.Reload(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// Reload reads the tokens anew and swaps them in.
func (v *Verifier) Reload(ctx context.Context) error {
	v.reload.Lock()
	defer v.reload.Unlock()
	all, err := v.store.MCPTokens(ctx)
	if err != nil {
		return fmt.Errorf("load the MCP tokens: %w", err)
	}
	used := map[string]*atomic.Int64{}
	for _, e := range *v.live.Load() {
		used[e.principal.ID] = e.lastUsed
	}
	next := make(map[[sha256.Size]byte]*entry, len(all))
	for _, t := range all {
		if len(t.TokenHash) != sha256.Size {
			continue // not a hash of ours: no token can match it
		}
		e := &entry{
			principal: auth.Principal{Kind: auth.KindMCPToken, ID: t.ID, Name: t.Name, Allowed: auth.Allowed{Tools: t.Tools, Resources: t.Resources, Prompts: t.Prompts}},
			idle:      time.Duration(t.IdleTimeoutMinutes) * time.Minute,
			lastUsed:  used[t.ID],
		}
		if t.ExpiresAt != nil {
			e.expires = *t.ExpiresAt
		}
		if e.lastUsed == nil {
			e.lastUsed = new(atomic.Int64)
			e.lastUsed.Store(t.CreatedAt.UnixMicro())
			if t.LastUsedAt != nil {
				e.lastUsed.Store(t.LastUsedAt.UnixMicro())
			}
		}
		next[[sha256.Size]byte(t.TokenHash)] = e
	}
	v.live.Store(&next)
	return nil
}

// Changed is told of every committed change (db.Observe) and puts a change to a token in force before it returns. When the tokens
// cannot be read, the changed one is taken out of force and Run tries again: fail closed.
func (v *Verifier) Changed(c store.Change) {
	if c.EntityType != store.KindMCPToken {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := v.Reload(ctx)
	if err == nil {
		return
	}
	v.log.Error("the MCP tokens could not be read; the changed one is refused until they can", "token_id", c.EntityID, "error", err)
	v.drop(c.EntityID)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.missing = true
}

func (v *Verifier) drop(id string) {
	v.reload.Lock()
	defer v.reload.Unlock()
	next := map[[sha256.Size]byte]*entry{}
	for h, e := range *v.live.Load() {
		if e.principal.ID != id {
			next[h] = e
		}
	}
	v.live.Store(&next)
}

// Verify implements auth.Verifier. The error has code store.Unauthorized and never says which of unknown, expired and idle it was;
// the studio's token list does.
func (v *Verifier) Verify(_ context.Context, token string) (auth.Principal, error) {
	if !wellFormed(token) {
		return auth.Principal{}, refused()
	}
	e := (*v.live.Load())[sha256.Sum256([]byte(token))]
	if e == nil {
		return auth.Principal{}, refused()
	}
	now := v.now()
	if !e.expires.IsZero() && !now.Before(e.expires) {
		return auth.Principal{}, refused()
	}
	last := e.lastUsed.Load()
	if e.idle > 0 && now.Sub(time.UnixMicro(last)) >= e.idle {
		return auth.Principal{}, refused()
	}
	// Use counts from here, before the request is done: a long call must not let its own token go idle. A failed swap means a use in
	// parallel, which is as good.
	e.lastUsed.CompareAndSwap(last, max(last, now.UnixMicro()))
	return e.principal, nil
}

func refused() error {
	return &store.Error{Code: store.Unauthorized, Message: "the bearer token is not valid; ask the admin of this server for one"}
}

func wellFormed(t string) bool {
	rest, ok := strings.CutPrefix(t, Prefix)
	return ok && len(rest) == digits && !strings.ContainsFunc(rest, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// maxUsed bounds the text kept of what a client says of itself.
const maxUsed = 200

// Used notes a use, to be written by Run; of many within a second the latest is kept.
func (v *Verifier) Used(u store.TokenUse) {
	u.Client, u.Method = cut(u.Client), cut(u.Method)
	v.mu.Lock()
	defer v.mu.Unlock()
	if was, ok := v.uses[u.ID]; ok && u.Listed == 0 {
		u.Listed = was.Listed
	}
	v.uses[u.ID] = u
}

func cut(s string) string {
	if len(s) > maxUsed {
		s = s[:maxUsed]
	}
	return strings.ToValidUTF8(s, "")
}

// Run writes last uses every second, and once more when ctx ends. It returns then. A batch that cannot be written is kept and tried
// again with the next.
func (v *Verifier) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return v.flush(last)
		case <-tick.C:
			v.retryReload(ctx)
			if err := v.flush(ctx); err != nil {
				v.log.Warn("the last uses of MCP tokens could not be written; they will be tried again", "error", err)
			}
		}
	}
}

func (v *Verifier) retryReload(ctx context.Context) {
	v.mu.Lock()
	missing := v.missing
	v.missing = false
	v.mu.Unlock()
	if !missing {
		return
	}
	if err := v.Reload(ctx); err != nil {
		v.log.Warn("the MCP tokens still cannot be read", "error", err)
		v.mu.Lock()
		defer v.mu.Unlock()
		v.missing = true
	}
}

func (v *Verifier) flush(ctx context.Context) error {
	v.mu.Lock()
	batch := v.uses
	v.uses = map[string]store.TokenUse{}
	v.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	uses := make([]store.TokenUse, 0, len(batch))
	for _, u := range batch {
		uses = append(uses, u)
	}
	err := v.store.TouchTokens(ctx, uses)
	if err == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, u := range batch {
		if _, newer := v.uses[id]; !newer {
			v.uses[id] = u
		}
	}
	return fmt.Errorf("write the last uses of MCP tokens: %w", err)
}
