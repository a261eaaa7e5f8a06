package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is also the child, the victim and the parent run as somebody else.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "sandbox-child":
			childMain()
			return
		case "sandbox-victim":
			time.Sleep(time.Minute)
			return
		case "sandbox-harness":
			harnessMain(os.Args[2])
			return
		case "sandbox-probe":
			probeMain()
			return
		case "sandbox-docker":
			containerMain()
			return
		case "sandbox-doomed":
			doomedMain(slices.Contains(os.Args, "starter"))
			return
		case "sandbox-starter":
			os.Exit(serveStarter(starterCapabilities() &^ withheld()))
		case "sandbox-in-group":
			inGroupMain()
			return
		case "sandbox-refusing":
			refusingMain()
			return
		case "sandbox-swap":
			swapMain()
			return
		case "sandbox-crowd":
			crowdMain()
			return
		case "sandbox-one":
			oneMain()
			return
		case "sandbox-parent":
			parentMain()
			return
		}
	}
	os.Exit(m.Run())
}

// Descriptors of the test child.
const (
	fdControl = 3 // unix stream: policy, report, job, results
	fdTCP     = 4 // a TCP connection, as the broker would have passed it
	fdPeer    = 5 // a unix stream
)

// job is what the child does after it was let in.
type job struct {
	Name    string  `json:"name"`
	From    int     `json:"from"`
	Targets targets `json:"targets"`
}

// result is one answer of a job.
type result struct {
	Index int    `json:"index"`
	Text  string `json:"text"`
}

// hello wraps the policy with what only tests may ask for.
type hello struct {
	Policy Policy `json:"policy"`
	Naked  bool   `json:"naked"` // do not enter: the control run
	// RootOnly enters the private root and puts on no other layer.
	RootOnly bool `json:"root_only"`
}

func childMain() {
	control := os.NewFile(fdControl, "control")
	in, out := json.NewDecoder(bufio.NewReader(control)), json.NewEncoder(control)
	var h hello
	if err := in.Decode(&h); err != nil {
		os.Exit(3)
	}
	var r Report
	switch {
	case h.RootOnly:
		enterNamespaces(&r, h.Policy, h.Policy.places())
	case !h.Naked:
		r = Enter(h.Policy)
	}
	if err := out.Encode(r); err != nil {
		os.Exit(4)
	}
	var j job
	if err := in.Decode(&j); err != nil {
		os.Exit(5)
	}
	run, ok := jobs()[j.Name]
	if !ok {
		os.Exit(6)
	}
	run(j, func(i int, text string) {
		if err := out.Encode(result{i, text}); err != nil {
			os.Exit(7)
		}
	})
}

// link is the parent's end of a test child.
type link struct {
	conn *net.UnixConn
	in   *json.Decoder
	out  *json.Encoder
}

// unixPair is a stream pair: a connection for this process and a file for the child.
func unixPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fds[0]), "pair")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, nil, err
	}
	return c.(*net.UnixConn), os.NewFile(uintptr(fds[1]), "pair"), nil
}

// testOptions makes options whose handshake speaks with childMain over the returned link.
func testOptions(p Policy, extra ...*os.File) (Options, *link, error) {
	conn, file, err := unixPair()
	if err != nil {
		return Options{}, nil, err
	}
	l := &link{conn: conn, in: json.NewDecoder(conn), out: json.NewEncoder(conn)}
	return Options{
		Args:    []string{"studio", "sandbox-child"},
		Files:   append([]*os.File{file}, extra...),
		Policy:  p,
		Enforce: true,
		Handshake: func(p Policy) (Report, error) {
			if err := l.out.Encode(hello{Policy: p}); err != nil {
				return Report{}, err
			}
			var r Report
			err := l.in.Decode(&r)
			return r, err
		},
	}, l, nil
}

// needThreads skips a test that starts a real child in a binary with cgo, which -race implies.
func needThreads(t *testing.T) {
	t.Helper()
	if builtWithCgo {
		t.Skip("built with cgo, where a child cannot confine all its threads: run with CGO_ENABLED=0")
	}
}

// startTest starts a child that ends with the test.
func startTest(t *testing.T, change func(*Options), p Policy, extra ...*os.File) (*Process, *link) {
	t.Helper()
	needThreads(t)
	o, l, err := testOptions(p, extra...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.conn.Close() })
	o.Log = func(line string) { t.Log("child: " + line) }
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill("test over")
		c.Exit()
	})
	return c, l
}

// do gives the child its job and reads one result.
func (l *link) do(j job) (string, error) {
	if err := l.out.Encode(j); err != nil {
		return "", err
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	var r result
	err := l.in.Decode(&r)
	return r.Text, err
}

// tcpPair is a connection over loopback: the server's end, and the client's as a file.
func tcpPair() (net.Conn, *os.File, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	s, err := ln.Accept()
	if err != nil {
		return nil, nil, err
	}
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		s.Close()
	}
	return s, f, err
}

const ordinaryUID = 2000 // an uid without a passwd entry

// asUser runs this binary as an ordinary user when the test is root, else as the user it is.
func asUser(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.Dir = "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryUID, Gid: ordinaryUID}}
	}
	return cmd
}

// ended waits until pid is gone or a zombie.
func ended(pid int, within time.Duration) error {
	for end := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			return nil
		}
		if _, after, ok := strings.Cut(string(b), ") "); ok && (after[0] == 'Z' || after[0] == 'X') {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("process %d still lives after %v", pid, within)
		}
	}
}
