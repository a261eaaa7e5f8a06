package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary is also the child that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "broker-child" {
		transfer(os.Args[2])
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "broker-alias" {
		fmt.Println(aliased())
		return
	}
	goleak.VerifyTestMain(m)
}

// echo is a database that sends everything back.
func echo(t *testing.T, address string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return netip.MustParseAddrPort(l.Addr().String())
}

// wall is a server and a dialer with a pair between them.
type wall struct {
	*Server
	dialer *Dialer
	end    context.CancelFunc
	served chan error
}

func newWall(t *testing.T, o Options) *wall {
	t.Helper()
	parent, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDialer(child)
	if err != nil {
		t.Fatal(err)
	}
	w := &wall{Server: NewServer(o), dialer: d, served: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	w.end = cancel
	go func() { w.served <- w.Serve(ctx, parent) }()
	t.Cleanup(func() {
		d.Close()
		select {
		case err := <-w.served:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("Serve does not end")
		}
		cancel()
	})
	return w
}

// dial asks and closes; the stage is "" when a socket came.
func (w *wall) dial(t *testing.T, conn, host string, port int) (Stage, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := w.dialer.Dial(ctx, conn, host, port)
	if err == nil {
		return "", c.Close()
	}
	var e *DialError
	if !errors.As(err, &e) {
		return "other", err
	}
	return e.Stage, err
}

func resolver(names map[string][]string) func(context.Context, string) ([]netip.Addr, error) {
	return func(_ context.Context, host string) ([]netip.Addr, error) {
		var out []netip.Addr
		for _, a := range names[host] {
			out = append(out, netip.MustParseAddr(a))
		}
		if out == nil {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return out, nil
	}
}

func TestDial(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	w := newWall(t, Options{
		Allow:   map[string]Target{"c1": {"db.test", int(db.Port()), true}},
		Resolve: resolver(map[string][]string{"db.test": {"127.0.0.1"}}),
	})
	c, err := w.dialer.Dial(t.Context(), "c1", "DB.test", int(db.Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		t.Fatalf("got a %T", c)
	}
	if got := tcp.RemoteAddr().String(); got != db.String() {
		t.Errorf("connected to %s", got)
	}
	if err := errors.Join(tcp.SetDeadline(time.Now().Add(time.Minute)), tcp.SetNoDelay(true)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := tcp.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		t.Errorf("%q %v", b, err)
	}
	// A request for cancellation goes to the address of the peer; only now is it known, and only on this connection.
	if stage, err := w.dial(t, "c1", "127.0.0.1", int(db.Port())); stage != "" {
		t.Errorf("peer address: %v", err)
	}
	if s := w.Stats(); s != (Stats{Allowed: 2}) {
		t.Errorf("stats %+v", s)
	}
}

// case 232, 233: what is not listed, in every spelling.
func TestDenied(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	port := int(db.Port())
	w := newWall(t, Options{
		Allow: map[string]Target{
			"c1":      {"db.test", port, true},
			"other":   {"db2.test", port, true},
			"meta":    {"meta.test", port, true},
			"nat64":   {"nat64.test", port, true},
			"private": {"private.test", port, false},
			"local":   {"127.0.0.1", port, false},
		},
		Resolve: resolver(map[string][]string{
			"db.test": {"127.0.0.1"}, "db2.test": {"127.0.0.1"}, "meta.test": {"169.254.169.254", "::ffff:169.254.169.254"},
			"nat64.test": {"64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"}, "private.test": {"10.0.0.5", "192.168.1.1", "fd12::1", "100.64.1.1"},
		}),
	})
	if stage, err := w.dial(t, "other", "db2.test", port); stage != "" {
		t.Fatal(err)
	}
	for _, c := range []struct {
		conn, host string
		port       int
		reason     string
	}{
		{"c1", "evil.test", port, "not configured for this host"},
		{"c1", "db.test", 22, "not configured for this port"},
		{"c9", "db.test", port, "no such connection"},
		{"c1", "db2.test", port, "not configured for this host"},
		{"c1", "127.0.0.1", port, "not configured for this host"}, // dialled, but for another connection
		{"c1", "169.254.169.254", port, "host"},
		{"c1", "2130706433", port, "host"}, {"c1", "0x7f000001", port, "host"}, {"c1", "0177.0.0.1", port, "host"}, {"c1", "127.1", port, "host"},
		{"c1", "127.0.0.1.", port, "host"}, {"c1", "[::1]", port, "host"}, {"c1", "::1", port, "host"}, {"c1", "0", port, "host"}, {"c1", "localhost.", port, "host"},
		{"c1", "::ffff:127.0.0.1", port, "host"}, {"c1", "::ffff:7f00:1%lo", port, "host"}, {"c1", "64:ff9b::a9fe:a9fe", port, "host"}, {"c1", "db.test.", port, "host"},
		{"c1", "127。0。0。1", port, "host"}, {"c1", "①27.0.0.1", port, "host"}, {"c1", "db.test:80", port, "host"}, {"c1", "/run/db.sock", port, "host"}, {"c1", "@db", port, "host"},
		{"c1", "db.test\x00.evil.test", port, "control character"}, {"c1", "db.test\r\nx", port, "control character"}, {"c1", " db.test", port, "control character"},
		{"c1", strings.Repeat("a", 1<<20), port, "cannot be asked for"}, {"c1", "", port, "out of bounds"}, {"c1", "db.test", 0, "out of bounds"}, {"c1", "db.test", 1 << 17, "out of bounds"},
		{"meta", "meta.test", port, "metadata"}, {"nat64", "nat64.test", port, "metadata"},
		{"private", "private.test", port, "private"}, {"local", "127.0.0.1", port, "private"},
	} {
		stage, err := w.dial(t, c.conn, c.host, c.port)
		if stage != StagePolicy || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %.40q:%d: %s %v, want %q", c.conn, c.host, c.port, stage, err, c.reason)
		}
	}
	if s := w.Stats(); s.Allowed != 1 || s.Denied == 0 || s.Abuse != 0 {
		t.Errorf("stats %+v", s)
	}
	// What was refused is kept for the admin: the newest first, bounded, each with its reason.
	last := w.Refusals()
	if len(last) != keptRefusals {
		t.Fatalf("%d refusals kept, want %d", len(last), keptRefusals)
	}
	if r := last[0]; r.Connection != "local" || r.Host != "127.0.0.1" || r.Port != port || !strings.Contains(r.Reason, "private") || r.Abuse || time.Since(r.At) > time.Minute {
		t.Errorf("the last refusal is %+v", r)
	}
	if r := last[1]; r.Connection != "private" || !strings.Contains(r.Reason, "private") {
		t.Errorf("the one before is %+v", r)
	}
}

// The words and the stage a connection test shows.
func TestFailures(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	w := newWall(t, Options{
		Allow: map[string]Target{
			"none": {"none.test", 1, true}, "closed": {"127.0.0.1", int(closed.Port()), true}, "slow": {"slow.test", 1, true},
			"second": {"second.test", int(db.Port()), true}, "mixed": {"mixed.test", int(closed.Port()), true}, "ipv6": {"::1", 1, false},
		},
		Resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
			if host == "slow.test" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return resolver(map[string][]string{"second.test": {"169.254.169.254", "127.0.0.2", "127.0.0.1"}, "mixed.test": {"127.0.0.1", "169.254.169.254"}})(ctx, host)
		},
	})
	for _, c := range []struct {
		conn, host string
		port       int
		stage      Stage
		text       string
	}{
		{"none", "none.test", 1, StageResolve, "none.test:1: the name cannot be resolved: no such host"},
		{"closed", "127.0.0.1", int(closed.Port()), StageConnect, fmt.Sprintf("127.0.0.1:%d: connection refused by %s: nothing listens there", closed.Port(), closed)},
		{"second", "second.test", int(db.Port()), "", ""}, // a bad record, a dead one, a good one
		{"mixed", "mixed.test", int(closed.Port()), StageConnect, "connection refused"},
		{"ipv6", "::1", 1, StagePolicy, "[::1]:1: denied: the host is at ::1"},
	} {
		stage, err := w.dial(t, c.conn, c.host, c.port)
		if stage != c.stage || c.text != "" && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %q %v", c.conn, stage, err)
		}
	}
	// The caller's own patience.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := w.dialer.Dial(ctx, "slow", "slow.test", 1); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "slow.test:1") {
		t.Errorf("got %v", err)
	}
	// The studio goes while somebody waits.
	time.AfterFunc(50*time.Millisecond, w.end)
	if _, err := w.dialer.Dial(t.Context(), "slow", "slow.test", 1); err == nil {
		t.Error("a dial survived the studio")
	}
	select {
	case <-w.dialer.Done():
	case <-time.After(time.Minute):
		t.Error("the dialer did not notice")
	}
	if _, err := w.dialer.Dial(t.Context(), "slow", "slow.test", 1); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
}

// case 176: the answer of the name server changes; the address that was checked is the one dialled.
func TestRebinding(t *testing.T) {
	db := echo(t, "127.0.0.1:0")
	var asked atomic.Int64
	w := newWall(t, Options{
		Allow: map[string]Target{"c1": {"rebind.test", int(db.Port()), true}},
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			if asked.Add(1) == 1 {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
		},
	})
	if stage, err := w.dial(t, "c1", "rebind.test", int(db.Port())); stage != "" || asked.Load() != 1 {
		t.Errorf("first: %v after %d lookups", err, asked.Load())
	}
	if stage, err := w.dial(t, "c1", "rebind.test", int(db.Port())); stage != StagePolicy || asked.Load() != 2 {
		t.Errorf("second: %s %v", stage, err)
	}
}

// case 175: the studio's own ports, also behind a listener on every address.
func TestOwnListeners(t *testing.T) {
	var local netip.Addr // an address of this machine that is not loopback, if it has one
	for _, a := range localAddrs() {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			local = a
		}
	}
	for _, c := range []struct {
		own, host string
		offset    uint16
		refused   bool
	}{
		{"127.0.0.1", "127.0.0.1", 0, true},
		{"127.0.0.1", "127.0.0.1", 1, false},
		{"0.0.0.0", "127.0.0.1", 0, true}, {"0.0.0.0", "127.9.9.9", 0, true}, {"::", "127.0.0.1", 0, true}, {"::", "::1", 0, true},
		{"0.0.0.0", "::ffff:127.0.0.1", 0, true}, {"127.0.0.1", "64:ff9b::7f00:1", 0, true},
		{"0.0.0.0", local.String(), 0, true}, {"::", local.String(), 0, true},
		{"0.0.0.0", local.String(), 1, false},
	} {
		if c.host == (netip.Addr{}).String() {
			t.Log("this machine has no address but loopback: a listener on all of them is tried on loopback only")
			continue
		}
		const port = 8443
		own := netip.AddrPortFrom(netip.MustParseAddr(c.own), port+c.offset)
		s := NewServer(Options{
			Allow: map[string]Target{"c1": {c.host, port, true}},
			Own:   func() []netip.AddrPort { return []netip.AddrPort{own} },
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		conn, _, err := s.dial(ctx, request{Conn: "c1", Host: c.host, Port: port})
		cancel()
		if conn != nil {
			conn.Close()
		}
		if refused := err != nil && strings.Contains(err.Message, "the studio itself"); refused != c.refused {
			t.Errorf("%s:%d dialled while listening on %s: %v", c.host, port, own, err)
		}
	}
}
