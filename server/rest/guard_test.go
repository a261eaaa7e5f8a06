package rest_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcpstudio/server/rest"
)

// TestLengthAndChunks hides a request behind one that has a length and chunks: a proxy that goes by the length passes both on as one.
// The connection is closed after such a request, as RFC 9112 section 6.1 demands. case 200
func TestLengthAndChunks(t *testing.T) {
	paths := make(chan string, 10)
	s := httptest.NewServer(rest.Secure(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path })))
	defer s.Close()
	const hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, tt := range []struct {
		name, headers, body string
		want                string
	}{
		{"a length and chunks", "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", "/first"},
		{"chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: 50\r\n", "0\r\n\r\n", "/first"},
		{"a length", "Content-Length: 2\r\n", "{}", "/first /hidden"}, // the connection is kept for an honest request
	} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(c, "POST /first HTTP/1.1\r\nHost: localhost\r\n"+tt.headers+"\r\n"+tt.body+strings.Replace(hidden, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%s: the connection stays open: %v", tt.name, err)
		}
		_ = c.Close()
		var got []string
		for len(paths) > 0 {
			got = append(got, <-paths)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q were served, want %q", tt.name, got, tt.want)
		}
	}
}
