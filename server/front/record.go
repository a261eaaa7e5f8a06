package front

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"sync"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/jsonscan"
)

// Call is one request to the MCP endpoint as the call log keeps it. It holds
// neither arguments nor results.
type Call struct {
	At            time.Time
	PrincipalID   string // "" when authentication failed
	PrincipalName string
	PrincipalKind string // an auth.Kind
	OnBehalf      bool   // the studio's playground made it
	Method        string // at most 128 bytes, as the client wrote it
	Name          string // of the tool or prompt, or the resource's URI; at most 128 bytes
	Status        int    // HTTP; 499: the client went away
	Code          string // "ok" or a reason
	Rows          int    // of the result; of tools/list: the tools listed
	Bytes         int64
	Wait          time.Duration // in the queue
	Run           time.Duration // in the database
	Total         time.Duration // from the request's head to the answer's last byte
	ClientName    string        // what the client says of itself
	ClientVersion string
	IP            netip.Addr
	Country       string
}

// Recorder takes the calls of the last moments, oldest first, from one goroutine.
// dropped is how many more there were than could be kept. The slice is used
// again after Record returns.
type Recorder interface {
	Record(ctx context.Context, batch []Call, dropped int)
}

const (
	recordEvery = 250 * time.Millisecond
	maxBatch    = 1 << 16
	maxText     = 128
)

// calls collects records: a call pays for one append, never for a write.
type calls struct {
	mu      sync.Mutex
	batch   []Call
	dropped int
}

func (f *Front) record(c *Call) {
	if f.o.Recorder == nil {
		return
	}
	f.calls.mu.Lock()
	defer f.calls.mu.Unlock()
	if len(f.calls.batch) >= maxBatch {
		f.calls.dropped++
		return
	}
	f.calls.batch = append(f.calls.batch, *c)
}

// Run hands records to the Recorder every 250 ms, and what is left when ctx ends; then it returns.
func (f *Front) Run(ctx context.Context) {
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	var spare []Call
	for {
		select {
		case <-tick.C:
			spare = f.flush(ctx, spare)
		case <-ctx.Done():
			f.flush(context.WithoutCancel(ctx), spare)
			return
		}
	}
}

func (f *Front) flush(ctx context.Context, spare []Call) []Call {
	f.calls.mu.Lock()
	batch, dropped := f.calls.batch, f.calls.dropped
	f.calls.batch, f.calls.dropped = spare[:0], 0
	f.calls.mu.Unlock()
	if f.o.Recorder != nil && (len(batch) > 0 || dropped > 0) {
		f.o.Recorder.Record(ctx, batch, dropped)
	}
	clear(batch) // strings of past calls are not kept alive
	return batch
}

func (c *Call) fill(r *hop.Reply) {
	c.Status, c.Code, c.Rows, c.Bytes, c.Wait, c.Run = r.Status, r.Code, r.Rows, r.Bytes, r.Wait, r.Took
}

// short copies a client's text into bounded memory.
func short(b []byte) string {
	if len(b) > maxText {
		return strings.ToValidUTF8(string(b[:maxText]), "")
	}
	return string(b)
}

// clients remembers what clients say of themselves: legacy ones in initialize, since
// their later messages do not repeat it, modern ones in every message, so that it is
// decoded once. It is for the call log only.
type clients struct {
	mu     sync.RWMutex
	known  map[clientKey]clientInfo
	modern map[string]clientInfo // by the raw value of the message
}

type clientKey struct {
	principal string
	addr      netip.Addr
}

type clientInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Bounds of what is remembered.
const (
	maxClients    = 4096
	maxClientText = 512 // bytes of a raw value; a longer one is decoded each time
)

// of returns the client's name and version, from the message itself or from an earlier one.
func (s *clients) of(m *hop.Message, c caller) clientInfo {
	if m.Modern() {
		return s.said(m.Client)
	}
	key := clientKey{c.who.ID, c.addr}
	if string(m.Method) != "initialize" {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.known[key]
	}
	var params struct {
		ClientInfo json.RawMessage `json:"clientInfo"`
	}
	_ = json.Unmarshal(m.Params, &params) // see decodeClient
	info := decodeClient(params.ClientInfo)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxClients {
		s.known = map[clientKey]clientInfo{}
	}
	s.known[key] = info
	return info
}

// said decodes what a modern message says, unless it has been said before.
func (s *clients) said(raw []byte) clientInfo {
	s.mu.RLock()
	info, ok := s.modern[string(raw)]
	s.mu.RUnlock()
	if ok {
		return info
	}
	info = decodeClient(raw)
	if len(raw) > maxClientText {
		return info
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.modern == nil || len(s.modern) >= maxClients {
		s.modern = map[string]clientInfo{}
	}
	s.modern[string(raw)] = info
	return info
}

// decodeClient reads a client's own words; what does not have their form says nothing, and nothing depends on it.
func decodeClient(raw []byte) clientInfo {
	var info clientInfo
	_ = json.Unmarshal(raw, &info)
	return clientInfo{short([]byte(info.Name)), short([]byte(info.Version))}
}

// Answer is what CallAs got.
type Answer struct {
	Status int             // HTTP, as a client would have seen it
	Body   json.RawMessage // the JSON-RPC response
	Call   Call
}

// CallAs makes a call on behalf of a principal that the studio has authenticated
// itself: the playground. From there it takes the front's own path, and it is
// recorded as the admin's. A malformed params is answered like any client's.
func (f *Front) CallAs(ctx context.Context, who auth.Principal, method string, params json.RawMessage) (Answer, error) {
	x := &exchange{call: Call{
		At: f.o.Now(), PrincipalID: who.ID, PrincipalName: who.Name, PrincipalKind: string(who.Kind), OnBehalf: true, ClientName: "MCP Studio playground",
	}}
	x.body = append(jsonscan.AppendString([]byte(`{"jsonrpc":"2.0","id":1,"method":`), method), `,"params":`...)
	if len(params) == 0 {
		params = json.RawMessage("{}")
	}
	x.body = append(append(x.body, params...), '}')
	c := caller{who: hop.Principal{ID: who.ID, Name: who.Name, Kind: string(who.Kind)}, allowed: f.allowed.of(who.Allowed)}
	no := f.callAs(ctx, x, c)
	if no != nil {
		x.call.Status, x.call.Code = no.status, no.outcome
		x.r.Status, x.r.Body = no.status, hop.ErrorBody(nil, x.m.ID, no.code, no.message, nil)
	}
	x.call.Total = f.o.Now().Sub(x.call.At)
	f.record(&x.call)
	if no != nil && no.status == statusGone {
		return Answer{}, ctx.Err()
	}
	return Answer{Status: x.r.Status, Body: x.r.Body, Call: x.call}, nil
}

func (f *Front) callAs(ctx context.Context, x *exchange, c caller) *refusal {
	if err := hop.Scan(x.body, &x.m); err != nil {
		return &refusal{status: 400, code: hop.CodeInvalidRequest, outcome: "malformed", message: sentence(err.Error())}
	}
	x.call.Method, x.call.Name = short(x.m.Method), short(x.m.Name)
	if err := f.call(ctx, x, c); err != nil {
		return f.failed(ctx, err)
	}
	x.call.fill(&x.r)
	return nil
}
