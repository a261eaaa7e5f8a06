package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// candidates finds the addresses the request stands for. The child's text is compared, not parsed, with one exception:
// an address this connection was really dialled at before is accepted, since pgx sends a cancel request to the peer of
// the connection it cancels.
func (s *Server) candidates(ctx context.Context, r request) (Target, []netip.Addr, *DialError) {
	t, ok := s.o.Allow[r.Conn]
	if !ok {
		return t, nil, &DialError{StagePolicy, "denied: this server has no such connection"}
	}
	if r.Port != t.Port {
		return t, nil, &DialError{StagePolicy, "denied: the connection is not configured for this port"}
	}
	if !strings.EqualFold(r.Host, t.Host) {
		a, err := netip.ParseAddr(r.Host)
		if err != nil || !s.known(r.Conn, netip.AddrPortFrom(a.Unmap(), uint16(r.Port))) {
			return t, nil, &DialError{StagePolicy, "denied: the connection is not configured for this host"}
		}
		return t, []netip.Addr{a}, nil
	}
	if a, err := netip.ParseAddr(t.Host); err == nil {
		return t, []netip.Addr{a}, nil
	}
	addrs, err := s.o.Resolve(ctx, t.Host)
	if err == nil && len(addrs) > 0 {
		return t, addrs, nil
	}
	if timeout := net.Error(nil); ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return t, nil, &DialError{StageTimeout, "the name was not resolved in time"}
	}
	return t, nil, &DialError{StageResolve, "the name cannot be resolved" + because(err)}
}

// because is the reason inside a resolver's error: that of net repeats the name and names the resolver.
func because(err error) string {
	var dns *net.DNSError
	switch {
	case err == nil:
		return ": it has no address"
	case errors.As(err, &dns):
		return ": " + dns.Err
	default:
		return ": " + err.Error()
	}
}

// dial decides, connects and returns the socket with the address it is connected to.
func (s *Server) dial(ctx context.Context, r request) (*net.TCPConn, netip.AddrPort, *DialError) {
	t, addrs, refused := s.candidates(ctx, r)
	if refused != nil {
		return nil, netip.AddrPort{}, refused
	}
	own := s.o.Own()
	var local []netip.Addr
	if slices.ContainsFunc(own, func(o netip.AddrPort) bool { return int(o.Port()) == r.Port && o.Addr().IsUnspecified() }) {
		local = localAddrs()
	}
	var last *DialError
	for i, a := range addrs {
		at := netip.AddrPortFrom(a.Unmap(), uint16(r.Port))
		if err := CheckAddr(a, t.AllowPrivate); err != nil {
			last = keep(last, &DialError{StagePolicy, fmt.Sprintf("denied: the host is at %s, and %v", a, err)})
			continue
		}
		if isOwn(at, own, local) {
			last = keep(last, &DialError{StagePolicy, fmt.Sprintf("denied: %s is the studio itself", at)})
			continue
		}
		c, err := dialOne(ctx, at, len(addrs)-i)
		switch {
		case err != nil:
			last = keep(last, connectError(at, err))
		case toItself(c) && isOwn(at, own, []netip.Addr{at.Addr()}):
			_ = c.Close()
			last = keep(last, &DialError{StagePolicy, fmt.Sprintf("denied: %s is the studio itself", at)})
		default:
			return c, at, nil
		}
	}
	return nil, netip.AddrPort{}, last
}

// keep prefers, of two failures, the one that went further.
func keep(a, b *DialError) *DialError {
	if a != nil && a.Stage != StagePolicy && b.Stage == StagePolicy {
		return a
	}
	return b
}

// dialOne connects to at with its share of the time: one address that does not answer must not use up what the left
// ones need.
func dialOne(ctx context.Context, at netip.AddrPort, left int) (*net.TCPConn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		share, cancel := context.WithTimeout(ctx, max(time.Until(end)/time.Duration(left), minShare))
		defer cancel()
		ctx = share
	}
	return dialExactly(ctx, at)
}

// dialExactly connects to at and nothing else: the address is checked once more on the socket, after everything that
// could have changed it.
func dialExactly(ctx context.Context, at netip.AddrPort) (*net.TCPConn, error) {
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		got, err := netip.ParseAddrPort(address)
		if err != nil || got.Addr().Unmap() != at.Addr() || got.Port() != at.Port() {
			return fmt.Errorf("dialled %s instead of %s", address, at)
		}
		return nil
	}}
	d.SetMultipathTCP(false) // the child's rules know plain TCP
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("dialled a %T", c)
	}
	return tcp, nil
}

// connectError puts a failed dial into words.
func connectError(at netip.AddrPort, err error) *DialError {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		return &DialError{StageTimeout, fmt.Sprintf("%s did not answer in time", at)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &DialError{StageConnect, fmt.Sprintf("connection refused by %s: nothing listens there", at)}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &DialError{StageConnect, fmt.Sprintf("%s cannot be reached from here: no route", at)}
	default:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return &DialError{StageConnect, fmt.Sprintf("%s: %v", at, err)}
	}
}

// isOwn reports whether at is a listener of the studio. local are the machine's addresses, needed for a listener on
// all of them.
func isOwn(at netip.AddrPort, own []netip.AddrPort, local []netip.Addr) bool {
	for _, o := range own {
		if o.Port() != at.Port() {
			continue
		}
		a := o.Addr().Unmap().WithZone("")
		if a == at.Addr() || a.IsUnspecified() && (at.Addr().IsLoopback() || slices.Contains(local, at.Addr())) {
			return true
		}
		if inner, ok := embedded(at.Addr()); ok && (inner == a || a.IsUnspecified() && slices.Contains(local, inner)) {
			return true
		}
	}
	return false
}

// toItself reports whether the other end of c is this machine: the kernel gives a connection to an address of its own that address on
// both ends, also when no interface has it but a route of type local leads to it, as load balancers of clouds are set up.
func toItself(c *net.TCPConn) bool {
	here, ok := c.LocalAddr().(*net.TCPAddr)
	there, also := c.RemoteAddr().(*net.TCPAddr)
	return ok && also && here.IP.Equal(there.IP)
}

// localAddrs are the addresses of this machine's interfaces now.
func localAddrs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // loopback is recognised without
	}
	var out []netip.Addr
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				out = append(out, ip.Unmap())
			}
		}
	}
	return out
}
