package broker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// aliased dials a listener on all addresses by one that the machine answers to and that no interface has, first as the studio's own
// and then as a database.
func aliased() string {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		return err.Error()
	}
	defer l.Close()
	own := netip.MustParseAddrPort(l.Addr().String())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var said []string
	for _, listeners := range [][]netip.AddrPort{{own}, nil} {
		s := NewServer(Options{
			Allow: map[string]Target{"c1": {"198.51.100.7", int(own.Port()), true}}, Own: func() []netip.AddrPort { return listeners },
		})
		c, _, refused := s.dial(ctx, request{Conn: "c1", Host: "198.51.100.7", Port: int(own.Port())})
		switch {
		case refused != nil:
			said = append(said, string(refused.Stage)+": "+strings.ReplaceAll(refused.Message, fmt.Sprint(own.Port()), "PORT"))
		default:
			said = append(said, "connected")
			c.Close()
		}
	}
	return strings.Join(said, "; ")
}

// The studio's listeners are refused under every address that leads to them on this machine, also one that only a route of type local
// knows, as load balancers of clouds are set up (ip-route(8)). // case 232
func TestOwnListenerByARoute(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a network of its own to add a route to")
	}
	for _, tool := range []string{"unshare", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed: there is no network of its own to add a route to")
		}
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "sh", "-c", `ip link set lo up && ip route add local 198.51.100.0/24 dev lo && exec "$0" broker-alias`, "/proc/self/exe")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[len(cmd.Args)-1] = exe
	out, err := cmd.CombinedOutput()
	if want := "policy: denied: 198.51.100.7:PORT is the studio itself; connected"; err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("got %q %v, want %q", out, err, want)
	}
}
