package server

import (
	"container/list"
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
	// requestTime is for a whole request. Handlers that read a body give it less.
	requestTime = 2 * time.Minute
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
		next.ServeHTTP(&timedWriter{ResponseWriter: w}, r)
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime)) // a writer without deadlines has no connection to hold
		}
	})
}

// timedWriter sets the deadline when an answer begins.
type timedWriter struct {
	http.ResponseWriter
	begun bool
}

func (w *timedWriter) begin() {
	if !w.begun {
		w.begun = true
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTime)) // see timed
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *timedWriter) WriteHeader(status int) {
	w.begin()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *timedWriter) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
