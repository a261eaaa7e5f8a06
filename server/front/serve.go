package front

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// statusGone is the status of a call whose client went away. It is for the log, and for a client that closed its own side of the
// connection only: net/http cannot tell the two apart.
const statusGone = 499

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := f.o.Now()
	s := f.o.Settings()
	if !HostAllowed(r.Host, s.Hosts) { // case 137
		misdirected(w)
		return
	}
	maps.Copy(w.Header(), f.fixed)
	if len(s.CORSOrigins) > 0 {
		cors(w.Header(), r, s.CORSOrigins)
	}
	x := f.spare.Get().(*exchange)
	defer f.recycle(x)
	defer f.recovered(w, x)
	x.r.Body = x.r.Body[:0]
	switch {
	case r.Header["Origin"] != nil && !OriginAllowed(r, f.o.ClientIP.HTTPS(r), s.PublicOrigin, s.CORSOrigins):
		f.refuse(w, x, &refusal{status: http.StatusForbidden, code: codeForbidden, message: "Web pages of this origin may not call this server. An admin can add it to cors_origins."})
		return
	case r.Method == http.MethodOptions:
		preflight(w, r)
		return
	case r.Method != http.MethodPost: // there are no streams and no sessions to open or end
		f.refuse(w, x, &refusal{status: http.StatusMethodNotAllowed, code: hop.CodeInvalidRequest, message: "Send MCP messages with POST.", header: [2]string{"Allow", "POST, OPTIONS"}})
		return
	}
	addr := f.o.ClientIP.Addr(r)
	x.call = Call{At: start, IP: addr, Country: f.o.ClientIP.Country(r)}
	if no := f.post(w, r, x, s, addr); no != nil {
		f.refuse(w, x, no)
	}
	x.call.Total = f.o.Now().Sub(start)
	f.record(&x.call)
}

// post takes a POST from authentication to its answer, or says why not.
func (f *Front) post(w http.ResponseWriter, r *http.Request, x *exchange, s Settings, addr netip.Addr) *refusal {
	c, no := f.admit(r, s, addr)
	if no != nil {
		return no
	}
	x.call.PrincipalID, x.call.PrincipalName, x.call.PrincipalKind = c.who.ID, c.who.Name, c.who.Kind
	if wait := f.limits.take(limitKey(c), s.RateLimit, x.call.At); wait > 0 {
		return &refusal{status: http.StatusTooManyRequests, code: codeTooMany, outcome: "rate_limited",
			message: "Too many calls. The limit is " + strconv.Itoa(s.RateLimit) + " a minute.", header: [2]string{"Retry-After", seconds(wait)}}
	}
	defer f.forget(x)
	if no := f.read(w, r, x); no != nil {
		return no
	}
	if no := f.understand(r, x, c); no != nil {
		return no
	}
	if x.m.ID == nil || x.m.IsResponse { // nothing is answered to a notification or a response
		x.call.Status, x.call.Code = http.StatusAccepted, "ok"
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if x.m.Modern() && string(x.m.Method) == "tools/call" {
		x.mirror = hop.MirrorHeaders(x.mirror, r.Header)
	}
	if err := f.call(r.Context(), x, c); err != nil {
		return f.failed(r.Context(), err)
	}
	x.call.fill(&x.r)
	if n := len(x.r.Body); n > small {
		if !f.answers.take(n) {
			return &refusal{status: http.StatusOK, code: hop.CodeInternal, outcome: "too_large",
				message: "The call ran, but too many large answers are on their way to clients. Ask for less, or try again in a moment."}
		}
		defer f.answers.give(n)
	}
	if x.r.Status == http.StatusServiceUnavailable {
		w.Header()["Retry-After"] = []string{"1"}
	}
	f.answer(w, x, x.r.Status)
	return nil
}

// forget takes a body off the count of those that are on their way.
func (f *Front) forget(x *exchange) {
	f.bodies.give(x.taken)
	x.taken = 0
}

// read takes the body within its limit; the server keeps the time.
func (f *Front) read(w http.ResponseWriter, r *http.Request, x *exchange) *refusal {
	tooLarge := &refusal{status: http.StatusRequestEntityTooLarge, code: hop.CodeInvalidRequest, outcome: "too_large", message: "A message is at most 4 MiB."}
	switch {
	case !isJSON(r.Header["Content-Type"]) || r.Header["Content-Encoding"] != nil:
		return &refusal{status: http.StatusUnsupportedMediaType, code: hop.CodeInvalidRequest, outcome: "unsupported", message: "Send the message as application/json, not compressed."}
	case r.ContentLength > MaxBody:
		w.Header().Set("Connection", "close")
		return tooLarge
	}
	body := r.Body
	if r.ContentLength < 0 { // net/http holds the others to what they announced
		body = http.MaxBytesReader(w, body, MaxBody)
	}
	err := f.readAll(body, x, r.ContentLength)
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		return tooLarge
	case errors.Is(err, errTransit):
		w.Header().Set("Connection", "close")
		return &refusal{status: http.StatusServiceUnavailable, code: hop.CodeUnavailable, outcome: "overloaded",
			message: "Too many large messages are on their way. Try again in a moment.", header: [2]string{"Retry-After", "2"}}
	case err != nil:
		w.Header().Set("Connection", "close")
		return &refusal{status: http.StatusBadRequest, code: hop.CodeParseError, outcome: "malformed", message: "The body could not be read."}
	}
	return nil
}

// errTransit means that no memory is left for a body.
var errTransit = errors.New("too many bodies")

// readAll reads r into x.body; size is what the client announced, or -1.
func (f *Front) readAll(r io.Reader, x *exchange, size int64) error {
	x.body = x.body[:0]
	most := max(int(size)+1, 512) // with a byte to see the end in
	if size < 0 {
		most = MaxBody + 1
	}
	for {
		if len(x.body) == cap(x.body) {
			next := max(2*cap(x.body), 512)
			if size > 0 && cap(x.body) == 0 { // a client that announces much must send it first
				next = 256 << 10
			}
			if err := f.grow(x, min(next, most)); err != nil {
				return err
			}
		}
		n, err := r.Read(x.body[len(x.body):cap(x.body)])
		x.body = x.body[:len(x.body)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow makes room for n bytes of a body, which count before they are taken.
func (f *Front) grow(x *exchange, n int) error {
	if n > small {
		if !f.bodies.take(n - x.taken) {
			return errTransit
		}
		x.taken = n
	}
	x.body = append(make([]byte, 0, n), x.body...)
	return nil
}

func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	if values[0] == "application/json" {
		return true
	}
	kind, params, err := mime.ParseMediaType(values[0])
	charset := params["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// understand reads the message once, strictly, and compares it with the headers.
func (f *Front) understand(r *http.Request, x *exchange, c caller) *refusal {
	if err := hop.Scan(x.body, &x.m); err != nil {
		no := &refusal{status: http.StatusBadRequest, code: hop.CodeParseError, outcome: "malformed", message: err.Error()}
		var bad *hop.ScanError
		if errors.As(err, &bad) {
			no.code, no.message = bad.Code, sentence(bad.Reason)
		}
		return no
	}
	x.call.Method, x.call.Name = short(x.m.Method), short(x.m.Name)
	if bad := hop.CheckHeaders(r.Header, &x.m); bad != nil {
		x.r.Body = hop.ErrorBody(x.r.Body[:0], x.m.ID, bad.Code, sentence(bad.Message), bad.Data)
		return &refusal{status: bad.Status, code: bad.Code, outcome: "invalid_request"}
	}
	client := f.clients.of(&x.m, c)
	x.call.ClientName, x.call.ClientVersion = client.Name, client.Version
	return nil
}

// failed turns an error of the live server into a refusal.
func (f *Front) failed(ctx context.Context, err error) *refusal {
	var known *store.Error
	switch {
	case ctx.Err() != nil:
		return &refusal{status: statusGone, code: hop.CodeInternal, outcome: "cancelled",
			message: "The client closed the connection, or its side of it, which ends a call."}
	case errors.As(err, &known) && known.Code == store.Unavailable:
		return &refusal{status: http.StatusServiceUnavailable, code: hop.CodeUnavailable, outcome: "unavailable", message: known.Message,
			header: [2]string{"Retry-After", strconv.Itoa(max(known.Retry, 1))}}
	case errors.Is(err, hop.ErrTooLarge):
		return &refusal{status: http.StatusOK, code: hop.CodeInternal, outcome: "too_large", message: "The answer is too large. Ask for less."}
	}
	f.o.Log.Error("an MCP call failed", "error", err)
	return &refusal{status: http.StatusInternalServerError, code: hop.CodeInternal, outcome: "internal", message: internalSentence}
}

const internalSentence = "The server failed on this call. Its log says why."

// refuse answers with a JSON-RPC error; the body may be there already.
func (f *Front) refuse(w http.ResponseWriter, x *exchange, no *refusal) {
	x.call.Status, x.call.Code = no.status, no.outcome
	if no.status == statusGone {
		w.Header().Set("Connection", "close")
	}
	if no.header[0] != "" {
		w.Header().Set(no.header[0], no.header[1])
	}
	if no.message != "" {
		x.r.Body = hop.ErrorBody(x.r.Body[:0], x.m.ID, no.code, no.message, nil)
	}
	f.answer(w, x, no.status)
}

// answer writes x.r.Body. How long a client may take to read it is the HTTP server's matter, for every answer alike.
func (f *Front) answer(w http.ResponseWriter, x *exchange, status int) {
	h := w.Header()
	h["Content-Type"] = f.json
	h["Content-Length"] = []string{strconv.Itoa(len(x.r.Body))}
	w.WriteHeader(status)
	if _, err := w.Write(x.r.Body); err != nil {
		x.call.Code = "cancelled" // the client has gone; there is nobody to tell
	}
}

// recovered keeps a panic of one request from showing its text to the client.
func (f *Front) recovered(w http.ResponseWriter, x *exchange) {
	v := recover()
	if v == nil {
		return
	}
	f.o.Log.Error("panic in the MCP front", "panic", v, "stack", string(debug.Stack()))
	f.refuse(w, x, &refusal{status: http.StatusInternalServerError, code: hop.CodeInternal, outcome: "internal", message: internalSentence})
	f.record(&x.call)
}

// sentence makes a clause of another package a sentence.
func sentence(clause string) string {
	if clause == "" {
		return clause
	}
	return strings.ToUpper(clause[:1]) + clause[1:] + "."
}

func seconds(d time.Duration) string { return strconv.Itoa(max(int((d+time.Second-1)/time.Second), 1)) }
