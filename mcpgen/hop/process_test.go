package hop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"mcpstudio/mcpgen/pipe"
)

// asChild makes the test binary the other process of a test.
const asChild = "HOP_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	conn, err := net.FileConn(os.NewFile(3, "calls"))
	if err == nil {
		err = Serve(context.Background(), conn, serveFunc(func(ctx context.Context, q *Request, r *Reply) {
			switch string(q.Method) {
			case "pid":
				r.Body = fmt.Append(r.Body, os.Getpid())
			case "sleep":
				<-ctx.Done()
			case "exit":
				os.Exit(3)
			}
		}), 2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// otherProcess starts a child and returns the link to it.
func otherProcess(t *testing.T) (*Link, *exec.Cmd) {
	t.Helper()
	parent, child, err := pipe.New("calls")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = []string{asChild + "=1"}
	cmd.ExtraFiles = []*os.File{child}
	cmd.Stderr = os.Stderr
	err = cmd.Start()
	child.Close()
	if err != nil {
		t.Fatal(err)
	}
	l := NewLink(parent)
	t.Cleanup(func() { l.Close() })
	return l, cmd
}

func TestTwoProcesses(t *testing.T) {
	l, cmd := otherProcess(t)
	if got, want := string(call(t, l, "pid", "").Body), fmt.Sprint(cmd.Process.Pid); got != want {
		t.Errorf("answered by %s, want %s", got, want)
	}
	l.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("a child whose link was closed: %v", err)
	}
}

// A call that the child dies of may have run; one that comes later was not sent.
func TestChildDies(t *testing.T) {
	l, cmd := otherProcess(t)
	sleeping := make(chan error, 1)
	call(t, l, "pid", "")
	go func() { sleeping <- l.Call(context.Background(), &Request{Method: []byte("sleep")}, new(Reply)) }()
	for l.InFlight() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := l.Call(context.Background(), &Request{Method: []byte("exit")}, new(Reply)); !errors.Is(err, ErrClosed) || errors.Is(err, ErrNotSent) {
		t.Errorf("the call the child died of: %v", err)
	}
	if err := <-sleeping; !errors.Is(err, ErrClosed) {
		t.Errorf("the call in flight: %v", err)
	}
	<-l.Done()
	if err := l.Call(context.Background(), &Request{}, new(Reply)); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrNotSent) {
		t.Errorf("a later call: %v", err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("the child ended with %v", err)
	}
}

// BenchmarkCall is a round trip over a socket, both ends in this process.
func BenchmarkCall(b *testing.B) {
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprint(parallel), func(b *testing.B) {
			l := serving(b, echo, 8)
			q := Request{Method: []byte("tools/call"), ID: []byte("1"), Name: []byte("orders"), Args: make([]byte, 200), Principal: Principal{"t1", "bench", "token"}}
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var r Reply
				for pb.Next() {
					if err := l.Call(context.Background(), &q, &r); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
