package broker

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestEdges tries requests at each bound and one step beyond it.
func TestEdges(t *testing.T) {
	request := func(conn, host, port int) string {
		return fmt.Sprintf(`{"id":1,"conn":"%s","host":"%s","port":%d}`, strings.Repeat("c", conn), strings.Repeat("h", host), port)
	}
	padded := func(size int) string {
		r := request(1, 1, 1)
		return r + strings.Repeat(" ", size-len(r))
	}
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"the shortest": {request(1, 1, 1), true}, "the longest": {request(64, 255, 65535), true}, "1,024 bytes": {padded(1024), true},
		"no connection": {request(0, 1, 1), false}, "no host": {request(1, 0, 1), false}, "no port": {request(1, 1, 0), false},
		"a longer connection": {request(65, 1, 1), false}, "a longer host": {request(1, 256, 1), false}, "a higher port": {request(1, 1, 65536), false}, "1,025 bytes": {padded(1025), false},
	} {
		if _, err := parseRequest([]byte(c.text)); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReachedAddressesAreBounded: a name that answers with ever new addresses does not fill the memory, and the latest one stays known.
func TestReachedAddressesAreBounded(t *testing.T) {
	s := NewServer(Options{})
	for n := range uint16(1000) {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)}), 5432)
		s.remember("c1", at)
		if !s.known("c1", at) || len(s.dialed["c1"]) > 256 {
			t.Fatalf("after %d: %d are kept", n+1, len(s.dialed["c1"]))
		}
	}
}
