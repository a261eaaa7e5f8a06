package front

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"mcpstudio/auth"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// The product's own JSON-RPC codes, outside the range that JSON-RPC and MCP
// reserve (-32768 to -32000); hop.CodeUnavailable is another.
const (
	codeUnauthorized = -31001
	codeTooMany      = -31002
	codeForbidden    = -31003
)

// challenges of RFC 6750, section 3. There is no resource_metadata: a client that
// sees one starts to look for an authorization server, and static tokens have none.
const (
	challenge        = `Bearer realm="MCP Studio"`
	challengeInvalid = challenge + `, error="invalid_token", error_description="The token is not valid"`
)

// refusal is how the door says no.
type refusal struct {
	status  int
	code    int    // JSON-RPC
	outcome string // for the call log
	message string
	header  [2]string // one more header; empty: none
}

// admit finds out who calls.
func (f *Front) admit(r *http.Request, s Settings, addr netip.Addr) (caller, *refusal) {
	switch s.AuthType {
	case store.AuthNone:
		return caller{who: hop.Principal{ID: "none", Name: "anonymous", Kind: string(auth.KindNone)}, addr: addr}, nil
	case store.AuthBearer:
		return f.bearer(r, addr)
	}
	// case 129: a mode that this version or configuration cannot check is a closed door.
	f.o.Log.Error("MCP auth mode is not available: every call is refused", "auth_type", s.AuthType)
	return caller{}, &refusal{status: http.StatusServiceUnavailable, code: hop.CodeUnavailable, outcome: "unavailable",
		message: "The server's auth mode is not available. Its admin must choose another one."}
}

func (f *Front) bearer(r *http.Request, addr netip.Addr) (caller, *refusal) {
	token, presented := bearerToken(r.Header["Authorization"])
	if !presented {
		return caller{}, unauthorized(challenge, "This server needs a bearer token in the Authorization header. Ask its admin for one.")
	}
	p, err := f.o.Verifier.Verify(r.Context(), token)
	switch {
	case err == nil:
		return caller{who: hop.Principal{ID: p.ID, Name: p.Name, Kind: string(p.Kind)}, allowed: f.allowed.of(p.Allowed), addr: addr}, nil
	case store.CodeOf(err) == store.Unauthorized:
		return caller{}, unauthorized(challengeInvalid, "The bearer token is not valid: it is unknown, expired or revoked.")
	}
	f.o.Log.Error("an MCP token could not be checked", "error", err)
	return caller{}, &refusal{status: http.StatusServiceUnavailable, code: hop.CodeUnavailable, outcome: "unavailable",
		message: "The token could not be checked. Try again.", header: [2]string{"Retry-After", "2"}}
}

func unauthorized(challenge, message string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: codeUnauthorized, outcome: "unauthorized", message: message, header: [2]string{"Www-Authenticate", challenge}}
}

// bearerToken reads exactly one Authorization header (RFC 6750, section 2.1); the
// scheme's case does not matter (RFC 9110, section 11.1). Two headers are none:
// which of them counts would be a guess.
func bearerToken(values []string) (token string, presented bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.TrimLeft(token, " ")
	return token, token != ""
}

// allowedCache keeps the form of a token's lists that goes through the wall, so
// that it is made once per token and not per call.
type allowedCache struct {
	mu    sync.RWMutex
	known map[auth.Allowed]*hop.Allowed // by the identity of the lists, which do not change
}

// maxAllowed bounds what is kept: tokens come and go while the studio runs.
const maxAllowed = 4096

func (c *allowedCache) of(a auth.Allowed) *hop.Allowed {
	if a == (auth.Allowed{}) {
		return nil
	}
	c.mu.RLock()
	h, ok := c.known[a]
	c.mu.RUnlock()
	if ok {
		return h
	}
	h = hop.NewAllowed(list(a.Tools), list(a.Resources), list(a.Prompts))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxAllowed {
		c.known = map[auth.Allowed]*hop.Allowed{}
	}
	c.known[a] = h
	return h
}

// list keeps the difference between all (nil) and none (empty).
func list(names *[]string) []string {
	switch {
	case names == nil:
		return nil
	case *names == nil:
		return []string{}
	}
	return *names
}

// call runs one scanned message on the live server; what comes back goes to the client as it is.
func (f *Front) call(ctx context.Context, x *exchange, c caller) error {
	x.q = hop.Request{
		Modern: x.m.Modern(), Version: x.m.Version, Method: x.m.Method, ID: x.m.ID, Name: x.m.Name,
		Mirror: x.mirror, Principal: c.who, Allowed: c.allowed,
	}
	switch string(x.m.Method) { // each needs a part only, and a large one twice would be too large
	case "tools/call", "prompts/get":
		x.q.Args = x.m.Args
	case "resources/read":
	default:
		x.q.Params = x.m.Params
	}
	return f.o.Live.Call(ctx, &x.q, &x.r)
}
