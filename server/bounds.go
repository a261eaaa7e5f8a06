package server

import (
	"container/list"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// The bounds of what one connection may hold, and for how long. What a handler knows better it sets itself: the time for a body it
// wants, and streams, which have no end.
const (
	headerTime  = 10 * time.Second
	headerBytes = 64 << 10
	// requestTime is for a whole request, its body included. Handlers give strangers less.
	requestTime = 30 * time.Second
	// drainTime is how long the rest of a body that nobody wanted may hold its connection.
	drainTime = 5 * time.Second
	// workTime is from the request to the end of the answer. The longest is a call that waits for its turn (300 s) and then runs as long
	// as a statement may (600 s).
	workTime = 20 * time.Minute
	// answerTime is for an answer that has begun: whoever does not read it in time is cut off.
	answerTime = time.Minute
	idleTime   = 2 * time.Minute
	// endTime is how long running requests and calls have when the studio ends.
	endTime = 30 * time.Second
)

// maxConnections is how many connections one listener holds at most; fewer where the process may not open as many files.
const maxConnections = 4096

// ownFiles is how many descriptors the studio needs for itself: store, children, databases.
const ownFiles = 512

// connectionLimit is the limit of each of n listeners under the process's limit of open files, which Go has raised as far as it goes.
func connectionLimit(n int) int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur > 1<<20 {
		return maxConnections
	}
	return min(maxConnections, max(16, (int(files.Cur)-ownFiles)/n))
}

// newHTTPServer makes the server of one listener, within the bounds.
func newHTTPServer(h http.Handler, limit int, log *slog.Logger) *http.Server {
	g := &gate{limit: limit, elements: map[net.Conn]*list.Element{}}
	return &http.Server{
		Handler: timed(h), ConnState: g.note, MaxHeaderBytes: headerBytes, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime,
		WriteTimeout: workTime, IdleTimeout: idleTime, DisableGeneralOptionsHandler: true, // "OPTIONS *" passes the same checks as the rest
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// gate bounds the connections of one listener. When one comes over the limit, the one that has waited longest for its client to say
// something is closed; when all are at work, the new one is. So connections that are only held open never keep anybody out.
type gate struct {
	limit int

	mu       sync.Mutex
	open     int
	waiting  list.List // of net.Conn: no complete request yet, or none since the last answer; the longest first
	elements map[net.Conn]*list.Element
}

// note is the server's ConnState hook. A connection stays new or idle until a request's header is complete.
func (g *gate) note(c net.Conn, state http.ConnState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.elements[c]; e != nil {
		g.waiting.Remove(e)
		delete(g.elements, c)
	}
	switch state {
	case http.StateNew:
		if g.open++; g.open > g.limit {
			g.makeRoom(c)
		}
		fallthrough
	case http.StateIdle:
		g.elements[c] = g.waiting.PushBack(c)
	case http.StateClosed, http.StateHijacked:
		g.open--
	case http.StateActive:
	}
}

// makeRoom closes a connection for c, or c. The server notes the end of what was closed.
func (g *gate) makeRoom(c net.Conn) {
	victim := c
	if e := g.waiting.Front(); e != nil {
		victim = g.waiting.Remove(e).(net.Conn)
		delete(g.elements, victim)
	}
	_ = victim.Close() // it is of no more use, whatever closing says
}

// timed gives every answer that begins its time, and the rest of a body that was not read a short one.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := &timedExchange{ResponseWriter: w, body: r.Body}
		if r.ContentLength != 0 {
			r.Body = t
		}
		next.ServeHTTP(t, r)
		if r.ContentLength == 0 || t.ended {
			return
		}
		// A deadline is a timer, and this is on the way of every call: hence the look at what was read, and no http.ResponseController.
		if c, ok := w.(interface{ SetReadDeadline(time.Time) error }); ok {
			_ = c.SetReadDeadline(time.Now().Add(drainTime)) // a writer without deadlines has no connection to hold
		}
	})
}

// timedExchange is the writer of an answer, which sets the deadline when it begins, and the body of its request, which notes its end.
type timedExchange struct {
	http.ResponseWriter
	begun bool
	body  io.ReadCloser
	ended bool
}

// Read implements io.Reader for the body.
func (t *timedExchange) Read(b []byte) (int, error) {
	n, err := t.body.Read(b)
	t.ended = t.ended || err == io.EOF
	return n, err
}

// Close implements io.Closer for the body.
func (t *timedExchange) Close() error { return t.body.Close() }

func (t *timedExchange) begin() {
	if t.begun {
		return
	}
	t.begun = true
	if c, ok := t.ResponseWriter.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = c.SetWriteDeadline(time.Now().Add(answerTime)) // see timed
	}
}

// WriteHeader implements http.ResponseWriter.
func (t *timedExchange) WriteHeader(status int) {
	t.begin()
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *timedExchange) Write(b []byte) (int, error) {
	t.begin()
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *timedExchange) Unwrap() http.ResponseWriter { return t.ResponseWriter }
