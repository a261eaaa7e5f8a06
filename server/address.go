package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Address is where a listener listens.
type Address struct {
	Variable string // that sets it
	Set      bool   // by the operator, so it is taken exactly
	Inner    bool   // a taken default may move to a free port
	Off      bool
	Unix     string // path of a socket
	TCP      string // host:port
}

func (r *reader) address(v string, inner bool) Address {
	a := Address{Variable: r.row.Name, Set: true, Inner: inner}
	if v == "off" && inner {
		a.Off = true
		return a
	}
	if path, ok := strings.CutPrefix(v, "unix:"); ok {
		if a.Unix = path; !filepath.IsAbs(path) || len(path) > maxSocketPath {
			r.wrong(v)
		}
		return a
	}
	host, port, err := net.SplitHostPort(v)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || host != "" && host != "localhost" && !isAddress(host) {
		r.wrong(v)
	}
	a.TCP = net.JoinHostPort(host, strconv.FormatUint(n, 10))
	return a
}

// maxSocketPath is what sun_path holds beside its final zero (unix(7)).
const maxSocketPath = 107

// listen opens the address. A default that is taken moves to a free loopback port when it may; one that was set never does.
func (a Address) listen(ctx context.Context, log *slog.Logger) (net.Listener, error) {
	if a.Unix != "" {
		return a.listenUnix(ctx)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", a.TCP)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) || a.Set || !a.Inner {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w; set another address", a.Variable, a.TCP, errors.Unwrap(err))
	}
	l, err = config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on a free port: %w", a.Variable, err)
	}
	log.Info("a default address was taken, so a free port is used", "variable", a.Variable, "taken", a.TCP, "address", l.Addr().String())
	return l, nil
}

// listenUnix opens a socket of mode 0600. A socket that a dead studio left is replaced; one that answers is not.
func (a Address) listenUnix(ctx context.Context) (net.Listener, error) {
	info, err := os.Lstat(a.Unix)
	switch {
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s: %s is there and is not a socket", a.Variable, a.Unix)
	case err == nil:
		dial := net.Dialer{Timeout: time.Second}
		if c, err := dial.DialContext(ctx, "unix", a.Unix); err == nil {
			_ = c.Close() // it only told us that somebody listens
			return nil, fmt.Errorf("%s: somebody listens on %s", a.Variable, a.Unix)
		}
		if err := os.Remove(a.Unix); err != nil {
			return nil, fmt.Errorf("%s: remove an old socket: %w", a.Variable, err)
		}
	}
	// The mask makes the socket private from its first moment; a chmod afterwards would leave a gap. No other file is made now: the
	// listeners are opened one after another before anything runs.
	old := syscall.Umask(0o177)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", a.Unix)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot listen on %s: %w", a.Variable, a.Unix, err)
	}
	return l, nil
}

// loopback reports whether only this machine would reach the address.
func (a Address) loopback() bool {
	host, _, err := net.SplitHostPort(a.TCP)
	ip, perr := netip.ParseAddr(host)
	return a.TCP == "" || host == "localhost" || err == nil && perr == nil && ip.IsLoopback()
}

// loopback reports whether only this machine reaches a listener.
func loopback(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// reachable is the host and port a browser on this machine uses for a listener.
func reachable(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return l.Addr().String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}
