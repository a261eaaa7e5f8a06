package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"mcpstudio/auth"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/server/front"
	"mcpstudio/server/rest"
	"mcpstudio/store"
)

// BenchmarkFront is what one call costs from the bytes of its request to the bytes of its answer, without system calls and without the
// child: net/http, the bounds of a listener, the checks, the call record.
func BenchmarkFront(b *testing.B) {
	for _, era := range []struct{ name, header, meta string }{
		{"legacy", "Mcp-Protocol-Version: 2025-06-18\r\n", ""},
		{"modern", "Mcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_account\r\n",
			`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`},
	} {
		b.Run(era.name, func(b *testing.B) {
			f := front.New(front.Options{
				Live: echoLive{}, Verifier: oneToken{}, Recorder: noRecorder{},
				Settings: func() front.Settings { return front.Settings{AuthType: store.AuthBearer, RateLimit: 1 << 30} },
			})
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			go f.Run(ctx)
			mux := http.NewServeMux()
			mux.Handle("/mcp", f)
			hosts := []string{"localhost"}
			s := newHTTPServer(rest.Secure(front.CheckHost(func() []string { return hosts }, mux)), 16, slog.New(slog.DiscardHandler))
			body := `{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"get_account","arguments":{"aid":4711}` + era.meta + `}}`
			request := "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUser-Agent: bench\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n" +
				"Authorization: Bearer mcps_0123456789abcdef\r\n" + era.header + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
			c := &loop{request: []byte(request), left: b.N, ready: make(chan struct{}, 1), done: make(chan struct{})}
			b.ReportAllocs()
			b.ResetTimer()
			go s.Serve(&oneListener{conn: c, done: c.done})
			<-c.done
			b.StopTimer()
			_ = s.Close()
			if !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200 ")) || !bytes.HasSuffix(c.answer, echoed) {
				b.Fatalf("answered %q", c.answer)
			}
		})
	}
}

// loop is a connection whose client sends the same request as soon as it has the answer.
type loop struct {
	request []byte
	unread  []byte
	left    int           // requests
	ready   chan struct{} // there is one to read
	answer  []byte        // the last
	done    chan struct{} // closed with it
}

func (c *loop) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		if c.answer != nil {
			select {
			case <-c.ready:
			case <-c.done:
				return 0, io.EOF
			}
		}
		c.unread = c.request
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *loop) Write(p []byte) (int, error) {
	c.answer = append(c.answer[:0], p...)
	if c.left--; c.left == 0 {
		close(c.done)
	} else {
		c.ready <- struct{}{}
	}
	return len(p), nil
}

func (c *loop) Close() error                     { return nil }
func (c *loop) SetDeadline(time.Time) error      { return nil }
func (c *loop) SetReadDeadline(time.Time) error  { return nil }
func (c *loop) SetWriteDeadline(time.Time) error { return nil }
func (c *loop) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
func (c *loop) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3000} }

// echoLive answers at once.
type echoLive struct{}

var echoed = bytes.Repeat([]byte("x"), 300)

func (echoLive) Call(_ context.Context, _ *hop.Request, r *hop.Reply) error {
	r.Status, r.Code, r.Body = http.StatusOK, "ok", append(r.Body[:0], echoed...)
	return nil
}

type oneToken struct{}

func (oneToken) Verify(context.Context, string) (auth.Principal, error) {
	return auth.Principal{ID: "1", Name: "bench", Kind: auth.KindMCPToken}, nil
}

type noRecorder struct{}

func (noRecorder) Record(context.Context, []front.Call, int) {}

// oneListener has one connection.
type oneListener struct {
	conn net.Conn
	done <-chan struct{}
}

func (l *oneListener) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error   { return nil }
func (l *oneListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3000} }
