package connect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// The bounds of the bridge.
const (
	maxLine     = 8 << 20  // bytes of one message from the client
	maxAnswer   = 72 << 20 // bytes of one answer: more than the server sends
	maxInFlight = 64       // requests at once; more wait
	lastAnswers = 10 * time.Second
)

// The JSON-RPC codes of errors that are made here.
const (
	codeParse       = -32700
	codeInvalid     = -32600
	codeUnreachable = -31000 // as the server's own "not running now"
	codeRefused     = -31001 // as the server's own "not authorised"
)

// lastLegacy is the newest revision of MCP that begins with initialize.
const lastLegacy = "2025-11-25"

// Options says where the bridge leads.
type Options struct {
	URL    string       // of the MCP endpoint: http or https
	Token  string       // "" for a server without authentication
	Client *http.Client // nil: one without a timeout, as calls may take long
	Agent  string       // the User-Agent; "": studio-connect
}

// Bridge carries messages between a client on in and out, one JSON message a line
// (MCP, transports, "stdio"), and a server at a URL. Requests run at the same time;
// answers come in the order in which they are ready, except that requests of one
// id keep theirs.
//
// It returns nil when in has ended and what was under way has been answered or ten
// seconds have passed; else when ctx ends or out cannot be written any more.
func Bridge(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	target, err := url.Parse(o.URL)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Host == "" || target.User != nil {
		return errors.New("the URL is not of the form https://host/mcp, without a user name and a password") // it may hold some
	}
	if strings.ContainsAny(o.Token, "\r\n\x00") {
		return errors.New("the token holds a line break or another control character")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b := &bridge{o: o, out: out, broken: cancel, slots: make(chan struct{}, maxInFlight), running: map[string]*flight{}}
	client := http.Client{}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.client = &client
	lines := make(chan []byte)
	ended := make(chan error, 1)
	// This reader outlives Bridge when in blocks for ever; it holds nothing but the line it reads.
	go func() { ended <- readLines(ctx, in, lines) }()
	for {
		select {
		case line := <-lines:
			b.take(ctx, line)
		case err := <-ended:
			return b.finish(ctx, err)
		case <-ctx.Done():
			b.all.Wait()
			return context.Cause(ctx)
		}
	}
}

// readLines hands over lines without their ends; empty ones are skipped.
func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(r)
		if line = bytes.TrimSpace(line); len(line) > 0 {
			select {
			case lines <- line:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read from the client: %w", err)
		}
	}
}

func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("a message has more than %d bytes", maxLine)
		}
	}
}

// bridge is one run of Bridge.
type bridge struct {
	o      Options
	client *http.Client
	broken context.CancelCauseFunc
	slots  chan struct{}
	all    sync.WaitGroup

	write sync.Mutex
	out   io.Writer

	mu      sync.Mutex
	version string             // what initialize agreed on
	running map[string]*flight // by id, the last one of each
}

// flight is one request under way.
type flight struct {
	cancel context.CancelFunc
	before <-chan struct{} // closed when the one before it of the same id is done; nil: none
	done   chan struct{}
}

// message is what the bridge must know of a message; the server reads it strictly.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      *string         `json:"name"`
		URI       *string         `json:"uri"`
		RequestID json.RawMessage `json:"requestId"`
		Meta      struct {
			Version string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	} `json:"params"`
}

func (m *message) request() bool { return len(m.ID) > 0 && string(m.ID) != "null" && m.Method != "" }

// modern reports whether the message follows a revision without initialize. Dates
// in this form sort as text.
func (m *message) modern() bool { return m.Params.Meta.Version > lastLegacy }

// take handles one line of the client.
func (b *bridge) take(ctx context.Context, line []byte) {
	var m message
	switch err := json.Unmarshal(line, &m); {
	case line[0] == '[':
		b.refuse(nil, codeInvalid, "Batches are not accepted. Send the messages one by one.")
		return
	case err != nil:
		b.refuse(nil, codeParse, "The line is not a JSON-RPC message.")
		return
	case m.Method == "notifications/cancelled":
		b.cancel(string(m.Params.RequestID))
		return
	}
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	f := &flight{done: make(chan struct{})}
	ctx, f.cancel = context.WithCancel(ctx)
	if m.request() {
		b.enter(string(m.ID), f)
	}
	b.all.Go(func() {
		defer func() { <-b.slots }()
		defer b.leave(string(m.ID), f)
		if f.before != nil {
			select {
			case <-f.before:
			case <-ctx.Done():
			}
		}
		b.exchange(ctx, &m, line)
	})
}

func (b *bridge) enter(id string, f *flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.running[id]; last != nil {
		f.before = last.done
	}
	b.running[id] = f
}

func (b *bridge) leave(id string, f *flight) {
	f.cancel()
	close(f.done)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running[id] == f {
		delete(b.running, id)
	}
}

// cancel gives a request up; its answer is not wanted any more.
func (b *bridge) cancel(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.running[id]; f != nil {
		f.cancel()
	}
}

// finish waits for what is under way after the input has ended.
func (b *bridge) finish(ctx context.Context, err error) error {
	done := make(chan struct{})
	go func() { b.all.Wait(); close(done) }()
	timer := time.NewTimer(lastAnswers)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		b.broken(nil)
		<-done
		return err
	case <-ctx.Done():
		<-done
		return errors.Join(err, context.Cause(ctx))
	}
	return err
}

// exchange sends one message and writes what comes back.
func (b *bridge) exchange(ctx context.Context, m *message, line []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.o.URL, bytes.NewReader(line))
	if err != nil {
		b.refuse(m, codeUnreachable, "The request could not be made.")
		return
	}
	b.setHeaders(r.Header, m)
	resp, err := b.client.Do(r)
	if err != nil {
		if ctx.Err() == nil { // else the client has cancelled, and expects no answer
			b.refuse(m, codeUnreachable, "The server at "+b.o.URL+" cannot be reached: "+reason(err)+". Is the studio running?")
		}
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case ctx.Err() != nil:
	case err != nil || len(body) > maxAnswer:
		b.refuse(m, codeUnreachable, "The answer broke off. Try again.")
	case m.request():
		b.answer(m, resp, body)
	}
}

// setHeaders adds what the message's era demands (MCP 2026-07-28, transports,
// "Streamable HTTP"; before it, the version that initialize agreed on).
func (b *bridge) setHeaders(h http.Header, m *message) {
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json, text/event-stream")
	h.Set("User-Agent", "studio-connect")
	if b.o.Agent != "" {
		h.Set("User-Agent", b.o.Agent)
	}
	if b.o.Token != "" {
		h.Set("Authorization", "Bearer "+b.o.Token)
	}
	if !m.modern() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.version != "" && m.Method != "initialize" {
			h.Set("Mcp-Protocol-Version", b.version)
		}
		return
	}
	h.Set("Mcp-Protocol-Version", headerValue(m.Params.Meta.Version))
	h.Set("Mcp-Method", headerValue(m.Method))
	switch name := m.Params.Name; m.Method {
	case "resources/read":
		name = m.Params.URI
		fallthrough
	case "tools/call", "prompts/get":
		if name != nil {
			h.Set("Mcp-Name", headerValue(*name))
		}
	}
}

// headerValue encodes what a header cannot carry as it is, or what would read as encoded.
func headerValue(v string) string {
	plain := strings.TrimSpace(v) == v && !strings.HasPrefix(v, "=?base64?")
	for i := range len(v) {
		plain = plain && v[i] >= 0x20 && v[i] <= 0x7e
	}
	if plain {
		return v
	}
	return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(v)) + "?="
}

// answer writes the server's answer, or an error in its place that belongs to the request.
func (b *bridge) answer(m *message, resp *http.Response, body []byte) {
	var a struct {
		ID     json.RawMessage `json:"id"`
		Result *struct {
			ProtocolVersion string `json:"protocolVersion"`
		} `json:"result"`
		Error *struct {
			Code    int             `json:"code"`
			Message string          `json:"message"`
			Data    json.RawMessage `json:"data,omitempty"`
		} `json:"error"`
	}
	var compact bytes.Buffer
	ok := json.Unmarshal(body, &a) == nil && (a.Result != nil || a.Error != nil)
	switch {
	case ok && bytes.Equal(a.ID, m.ID) && json.Compact(&compact, body) == nil:
		if m.Method == "initialize" && a.Result != nil {
			b.mu.Lock()
			b.version = a.Result.ProtocolVersion
			b.mu.Unlock()
		}
		b.line(compact.Bytes())
	case ok && a.Error != nil: // refused before the id was read
		text, err := json.Marshal(struct {
			JSONRPC string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Error   any             `json:"error"`
		}{"2.0", m.ID, a.Error})
		if err != nil {
			b.refuse(m, a.Error.Code, a.Error.Message)
			return
		}
		b.line(text)
	case resp.StatusCode == http.StatusUnauthorized:
		b.refuse(m, codeRefused, "The server did not accept the token. Make a new one in the studio, and put it into the token file.")
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		b.refuse(m, codeUnreachable, "The server answers from another address ("+resp.Status+"). Use that address as the URL.")
	default:
		b.refuse(m, codeUnreachable, "What answers at "+b.o.URL+" is not an MCP server ("+resp.Status+").")
	}
}

// refuse answers a request with an error; a notification gets none. A nil message has no id.
func (b *bridge) refuse(m *message, code int, text string) {
	id := json.RawMessage("null")
	if m != nil {
		if !m.request() {
			return
		}
		id = m.ID
	}
	quoted, err := json.Marshal(text)
	if err != nil { // a string always marshals
		quoted = []byte(`""`)
	}
	b.line(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s}}`, id, code, quoted))
}

// line writes one message; when that fails the client has gone.
func (b *bridge) line(text []byte) {
	b.write.Lock()
	defer b.write.Unlock()
	if _, err := b.out.Write(append(text, '\n')); err != nil {
		b.broken(fmt.Errorf("write to the client: %w", err))
	}
}

// reason is the inside of an http.Client's error: the URL stands in the sentence already.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// ReadToken reads a token file: one line. A file that others on the machine can
// read is refused, as ssh does with keys.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		return "", fmt.Errorf("token file %s can be read by others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" || strings.ContainsAny(token, " \t\r\n") || len(token) > 4096 {
		return "", fmt.Errorf("token file %s does not hold one token", path)
	}
	return token, nil
}
