package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"mcpstudio/store"
)

// pingEvery keeps proxies from closing a quiet stream, and finds readers that are gone.
const pingEvery = 20 * time.Second

// writeTime is how long one event may take to be taken by a reader.
const writeTime = 10 * time.Second

func (h *Handler) events(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	return h.stream(w, r, func(ctx context.Context, emit Emit) error { return h.Streams.StreamEvents(ctx, emit) })
}

// maxTail bounds how many old lines a log stream begins with.
const maxTail = 2000

func (h *Handler) logs(w http.ResponseWriter, r *http.Request, _ map[string]string) error {
	query, err := queryOf(r)
	if err != nil {
		return err
	}
	tail := 200
	for key, value := range query {
		n, err := strconv.Atoi(value)
		if key != "tail" || err != nil || n < 0 || n > maxTail {
			return store.Invalidf(key, "the one field is tail, a number of lines from 0 to %d", maxTail)
		}
		tail = n
	}
	after, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		after = 0 // none, or not an id of ours: begin anew
	}
	return h.stream(w, r, func(ctx context.Context, emit Emit) error { return h.Streams.StreamLogs(ctx, after, tail, emit) })
}

// maxStreams bounds the streams that are open at once. A browser holds one for all its tabs.
const maxStreams = 100

// stream serves server-sent events (HTML standard, section 9.2) until the source ends, the reader is gone or the session is over.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, source func(context.Context, Emit) error) error {
	defer h.open.Add(-1)
	if h.open.Add(1) > maxStreams {
		return &store.Error{Code: store.Unavailable, Message: "too many event streams are open; close some pages", Retry: 10}
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's bound on a request would end the stream, see write
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	ctx, cancel := context.WithDeadline(r.Context(), sessionOf(r).session.ExpiresAt)
	defer cancel()
	out := &eventWriter{w: w, control: control}
	if err := out.write([]byte(": connected\n\n")); err != nil {
		return nil // the reader is gone, and there is nobody to tell
	}
	var beside sync.WaitGroup
	beside.Go(func() {
		defer cancel()
		h.watchStream(ctx, r, out)
	})
	if err := source(ctx, out.emit); err != nil && ctx.Err() == nil {
		h.Log.Debug("a stream ended", "request_id", requestID(r), "error", err)
	}
	cancel()
	beside.Wait()
	_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // for the end of the answer; that of the last event is over by now
	return nil
}

// watchStream sends pings, and returns when the reader or the session is gone.
func (h *Handler) watchStream(ctx context.Context, r *http.Request, out *eventWriter) {
	ping, session := time.NewTicker(pingEvery), time.NewTicker(h.recheck)
	defer ping.Stop()
	defer session.Stop()
	for {
		ended := h.Sessions.Ended() // before the check, so that no end falls between the two
		_, _, err := h.Sessions.Verify(ctx, sessionOf(r).cookie)
		if err != nil && store.CodeOf(err) == store.Unauthorized {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
			if out.emit("", "ping", struct{}{}) != nil {
				return
			}
		case <-ended:
		case <-session.C: // another process may have ended it
		}
	}
}

// eventWriter writes events whole, one at a time.
type eventWriter struct {
	mu      sync.Mutex // guards w
	w       http.ResponseWriter
	control *http.ResponseController
}

func (e *eventWriter) emit(id, name string, data any) error {
	body, err := json.Marshal(data) // one line: JSON has no bare line breaks
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, body)
	return e.write(b.Bytes())
}

func (e *eventWriter) write(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines just has none
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.control.Flush()
}
