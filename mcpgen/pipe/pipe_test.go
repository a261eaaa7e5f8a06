//go:build unix

package pipe

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

func TestNewIsNotInherited(t *testing.T) {
	parent, f, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	defer f.Close()
	flags, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", f.Fd()))
	if err != nil {
		t.Skip("this system has no /proc/self/fdinfo")
	}
	var octal uint64
	for line := range strings.Lines(string(flags)) {
		if v, ok := strings.CutPrefix(line, "flags:"); ok {
			fmt.Sscanf(strings.TrimSpace(v), "%o", &octal)
		}
	}
	if octal&0o2000000 == 0 { // O_CLOEXEC
		t.Errorf("flags %o", octal)
	}
}

func TestNewConnectsBothEnds(t *testing.T) {
	parent, f, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Close()
	child, err := net.FileConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to net.Conn }{{parent, child}, {child, parent}} {
		if _, err := c.from.Write([]byte("one")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(c.to, got); err != nil || string(got) != "one" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	child.Close()
	if n, err := parent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the close: got %d, %v, want EOF", n, err)
	}
}
