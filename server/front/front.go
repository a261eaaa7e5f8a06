package front

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/server/clientip"
	"mcpstudio/store"
)

// MaxBody is the largest request body.
const MaxBody = 4 << 20

// Live is the generated server that runs now. The errors are ctx's,
// hop.ErrTooLarge, and *store.Error for what a client may be told.
type Live interface {
	Call(ctx context.Context, q *hop.Request, r *hop.Reply) error
}

// Settings is what an admin can change while the front runs.
type Settings struct {
	AuthType    store.AuthType
	CORSOrigins []string // browser origins that may call, besides the endpoint's own
	RateLimit   int      // calls per minute and token (address, with mode none); 0: no limit
	Hosts       []string // names the studio is known by; IP literals and localhost always pass
	// PublicOrigin is the origin people use, as configured; empty: none. It may call whatever scheme a request seems to have come by.
	PublicOrigin string
}

// Options is what a front needs; Live, Verifier and Settings are required.
type Options struct {
	Live     Live
	Verifier auth.Verifier   // of bearer tokens
	Settings func() Settings // called for every request: it must be cheap and not block
	ClientIP clientip.Resolver
	Recorder Recorder // nil: calls are not recorded
	Log      *slog.Logger
	Now      func() time.Time
}

// Front is the handler. Run must run beside it when there is a Recorder.
type Front struct {
	o       Options
	limits  limits
	calls   calls
	clients clients
	allowed allowedCache
	bodies  transit
	answers transit
	fixed   http.Header // of every answer; its values are shared and never changed
	json    []string    // Content-Type
	spare   sync.Pool   // of *exchange
}

var _ http.Handler = (*Front)(nil)

// New makes a front.
func New(o Options) *Front {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Front{
		o: o, json: []string{"application/json"},
		fixed: http.Header{"X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"}},
	}
	f.bodies.most, f.answers.most = maxTransit, maxTransit
	f.spare.New = func() any { return new(exchange) }
	return f
}

// exchange is the memory of one request; it is used again.
type exchange struct {
	body   []byte
	taken  int    // bytes of it that f.bodies counts
	mirror []byte // the Mcp-Param headers, empty between requests
	m      hop.Message
	q      hop.Request
	r      hop.Reply
	call   Call
}

// recycle keeps the memory of an exchange unless it is unusually large.
func (f *Front) recycle(x *exchange) {
	if cap(x.body) <= small && cap(x.r.Body) <= 1<<20 {
		x.m.Reset()
		x.q, x.call, x.mirror = hop.Request{}, Call{}, x.mirror[:0]
		f.spare.Put(x)
	}
}

// caller is who asks, as the checks before the body know it.
type caller struct {
	who     hop.Principal
	allowed *hop.Allowed
	addr    netip.Addr
}
