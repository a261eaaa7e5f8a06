package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Target is one dial the child may ask for.
type Target struct {
	// Host is a name or an address; the child must ask for exactly this text, but for the case of letters.
	Host string
	Port int
	// AllowPrivate admits loopback and private ranges, never metadata and link-local addresses.
	AllowPrivate bool
}

// Options configure a Server; the zero value allows nothing.
type Options struct {
	// Allow holds the targets by connection id. A child asks by id, so one id of another child is worth nothing to it.
	// A connection with several hosts has several entries, each under an id of its own.
	Allow map[string]Target
	// Own returns the listeners of the studio, which are refused whatever Allow says. An unspecified address stands for
	// every address of this machine. nil means there are none.
	Own func() []netip.AddrPort
	// Resolve looks a name up; nil means net.DefaultResolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// OnAbuse is called once, on a goroutine of Serve, when a child has broken the protocol ten times. The caller ends
	// the child. nil is allowed.
	OnAbuse func(reason string)
	// Log receives denials (Info) and abuse (Warn); nil discards.
	Log *slog.Logger
}

// Stats count what happened since the server was made.
type Stats struct {
	Allowed int64 `json:"allowed"` // sockets dialled and handed over
	Denied  int64 `json:"denied"`  // refused by policy or limit
	Failed  int64 `json:"failed"`  // allowed, but not resolved or not connected
	Abuse   int64 `json:"abuse"`   // messages no honest child sends
}

// keptRefusals is how many refusals a Server remembers.
const keptRefusals = 20

// Refusal is a dial that was denied, or a message that was abuse. Host, Port and Connection are what the child asked
// for, within the bounds of a message and without control characters; they are empty for abuse, and for a request that
// exceeded a limit before it was looked at they are what it named.
type Refusal struct {
	At         time.Time `json:"at"`
	Connection string    `json:"connection,omitempty"`
	Host       string    `json:"host,omitempty"`
	Port       int       `json:"port,omitempty"`
	Reason     string    `json:"reason"`
	// Abuse is set for a message no honest child sends.
	Abuse bool `json:"abuse,omitempty"`
}

// Server is the parent's end for one child. Its methods are safe for concurrent use.
type Server struct {
	o                              Options
	inFlight                       chan struct{}
	allowed, denied, failed, abuse atomic.Int64

	mu     sync.Mutex
	dialed map[string]map[netip.AddrPort]bool // guarded by mu: by connection id, what was really connected to
	lines  *bucket                            // guarded by mu: lines of log a child can cause
	last   []Refusal                          // guarded by mu: the newest last, at most keptRefusals
}

// NewServer makes the parent's end.
func NewServer(o Options) *Server {
	if o.Resolve == nil {
		o.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if o.Own == nil {
		o.Own = func() []netip.AddrPort { return nil }
	}
	if o.OnAbuse == nil {
		o.OnAbuse = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o, inFlight: make(chan struct{}, maxInFlight), dialed: map[string]map[netip.AddrPort]bool{}, lines: newBucket(logBurst, logRate, time.Now())}
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{Allowed: s.allowed.Load(), Denied: s.denied.Load(), Failed: s.failed.Load(), Abuse: s.abuse.Load()}
}

// Refusals returns the last refusals, the newest first.
func (s *Server) Refusals() []Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.last)
	slices.Reverse(out)
	return out
}

// refuse counts a denial and remembers it.
func (s *Server) refuse(ctx context.Context, r request, reason string) {
	s.denied.Add(1)
	s.keep(Refusal{Connection: r.Conn, Host: r.Host, Port: r.Port, Reason: reason})
	s.log(ctx, slog.LevelInfo, "broker denied a connection", "connection", r.Conn, "host", r.Host, "port", r.Port, "reason", reason)
}

func (s *Server) keep(r Refusal) {
	r.At = time.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) == keptRefusals {
		s.last = slices.Delete(s.last, 0, 1)
	}
	s.last = append(s.last, r)
}

// Serve answers the child on conn, which it owns, until the child closes its end or ctx ends; it returns when every dial
// has ended. The error is nil for a child that left and ctx's cause when ctx ended.
func (s *Server) Serve(ctx context.Context, conn *net.UnixConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = conn.Close()
	})
	var dials sync.WaitGroup
	// In this order: end the dials, wait for them, and leave the connection closed.
	defer func() {
		cancel()
		if !stop() {
			<-closed
		}
		dials.Wait()
	}()
	w := &writer{conn: conn}
	pace, limit := newBucket(messageBurst, messageRate, time.Now()), newBucket(dialBurst, dialRate, time.Now())
	buf := make([]byte, maxMessage+1)
	abuses := 0
	for {
		if err := pace.wait(ctx); err != nil {
			return err
		}
		// Without room for ancillary data: descriptors stuffed into a message are dropped by the kernel.
		n, _, flags, _, err := conn.ReadMsgUnix(buf, nil)
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err != nil || n == 0 {
			return ended(err)
		}
		r, err := s.read(buf[:n], flags)
		if err != nil {
			s.abuse.Add(1)
			s.keep(Refusal{Reason: "abuse: " + err.Error(), Abuse: true})
			s.log(ctx, slog.LevelWarn, "broker message refused", "reason", err.Error())
			if abuses++; abuses == maxAbuse {
				s.o.OnAbuse("broken broker messages: " + err.Error())
			}
			continue
		}
		if err := s.enter(limit); err != nil {
			reason := "denied: " + err.Error()
			s.refuse(ctx, r, reason)
			w.send(reply{ID: r.ID, Stage: StagePolicy, Error: reason}, nil)
			continue
		}
		dials.Go(func() {
			defer func() { <-s.inFlight }()
			s.answer(ctx, r, w)
		})
	}
}

// ended tells the child's leaving from a broken socket.
func ended(err error) error {
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read from child: %w", err)
}

// read checks how the message arrived and parses it.
func (s *Server) read(b []byte, flags int) (request, error) {
	if truncated(flags) {
		return request{}, errors.New("truncated, or with descriptors")
	}
	return parseRequest(b)
}

// enter takes a place for a dial, or says why there is none.
func (s *Server) enter(limit *bucket) error {
	if !limit.take(time.Now()) {
		return errors.New("too many new connections, at most 100 in a second")
	}
	select {
	case s.inFlight <- struct{}{}:
		return nil
	default:
		return fmt.Errorf("%d connections are being made already", maxInFlight)
	}
}

// answer dials for one request and replies.
func (s *Server) answer(ctx context.Context, r request, w *writer) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, at, err := s.dial(ctx, r)
	if err != nil {
		if err.Stage == StagePolicy {
			s.refuse(ctx, r, err.Message)
		} else {
			s.failed.Add(1)
		}
		w.send(reply{ID: r.ID, Stage: err.Stage, Error: err.Message}, nil)
		return
	}
	defer c.Close() // the child's copy lives on
	s.remember(r.Conn, at)
	s.allowed.Add(1)
	w.send(reply{ID: r.ID, Addr: at.String()}, c)
}

// log writes a line about what the child did, unless it did too much.
func (s *Server) log(ctx context.Context, level slog.Level, message string, args ...any) {
	s.mu.Lock()
	fits := s.lines.take(time.Now())
	s.mu.Unlock()
	if fits {
		s.o.Log.Log(ctx, level, message, args...)
	}
}

// remember notes an address that was really reached for a connection.
func (s *Server) remember(conn string, at netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dialed[conn] == nil {
		s.dialed[conn] = map[netip.AddrPort]bool{}
	}
	if len(s.dialed[conn]) >= 256 { // a name with that many addresses is answered by chance anyway
		clear(s.dialed[conn])
	}
	s.dialed[conn][at] = true
}

func (s *Server) known(conn string, at netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialed[conn][at]
}

// writer sends one reply at a time.
type writer struct {
	mu   sync.Mutex
	conn *net.UnixConn
}

// send writes a reply, with the socket when there is one. A child that does not read is given up on after two seconds;
// it will run into its own timeout.
func (w *writer) send(r reply, c *net.TCPConn) {
	b := encodeReply(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.conn.SetWriteDeadline(time.Now().Add(writeDeadline)); err != nil {
		return // closed: the child is gone, or Serve is ending
	}
	_ = sendWithFile(w.conn, b, c) // nobody is left to tell
}
