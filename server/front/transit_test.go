package front

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// dial opens a connection that takes little of an answer until it is read, and sends the beginning of a request on it.
func (w *world) dial(request string) net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// head is that of a call whose body has a length, or is in chunks when it is negative.
func (w *world) head(length int) string {
	size := fmt.Sprintf("Content-Length: %d", length)
	if length < 0 {
		size = "Transfer-Encoding: chunked"
	}
	return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + w.token + "\r\nContent-Type: application/json\r\n" + size + "\r\n\r\n"
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited for %s", what)
		}
	}
}

// TestUnreadAnswersAreBounded: clients that call for large answers and do not read them cannot fill the memory; small answers go on, and
// large ones when others have been read or given up.
func TestUnreadAnswersAreBounded(t *testing.T) {
	w := newWorld(t)
	w.front.answers.most = 40 << 20
	large := strings.Replace(call, "top", "large", 1)
	var unread []net.Conn
	for range 2 {
		unread = append(unread, w.dial(w.head(len(large))+large))
	}
	w.until("two answers", func() bool { return w.front.answers.held.Load() == 32<<20 })
	if resp, body := w.post(large); resp.StatusCode != 200 || !strings.Contains(body, `"id":7,"error":{"code":-32603`) || !strings.Contains(body, "too many large answers") {
		t.Errorf("a third: %d %.200s", resp.StatusCode, body)
	}
	if resp, body := w.post(call); resp.StatusCode != 200 || !strings.Contains(body, `"result"`) {
		t.Errorf("a small one: %d %.200s", resp.StatusCode, body)
	}
	resp, err := http.ReadResponse(bufio.NewReader(unread[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 16<<20 {
		t.Errorf("the first: %d bytes, %v", n, err)
	}
	unread[1].Close()
	w.until("their end", func() bool { return w.front.answers.held.Load() == 0 })
	if resp, body := w.post(large); resp.StatusCode != 200 || len(body) != 16<<20 {
		t.Errorf("when there is room: %d %.200s", resp.StatusCode, body)
	}
}

// TestUnfinishedBodiesAreBounded: clients that begin large messages and do not end them cannot fill the memory.
func TestUnfinishedBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.front.bodies.most = 5 << 20
	filler := strings.Repeat(" ", 3<<20)
	c := w.dial(w.head(MaxBody) + filler)
	w.until("the first body", func() bool { return w.front.bodies.held.Load() >= 3<<20 })
	chunked := w.dial(w.head(-1) + fmt.Sprintf("%x\r\n", len(filler)))
	go func() { _, _ = io.WriteString(chunked, filler) }() // the server need not take all of it
	resp, err := http.ReadResponse(bufio.NewReader(chunked), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(b), "-31000") {
		t.Errorf("a second: %d %s", resp.StatusCode, b)
	}
	if resp, body := w.post(call); resp.StatusCode != 200 {
		t.Errorf("a small one: %d %.200s", resp.StatusCode, body)
	}
	if held := w.front.bodies.held.Load(); held > 5<<20 {
		t.Errorf("%d bytes are held", held)
	}
	c.Close()
	w.until("its end", func() bool { return w.front.bodies.held.Load() == 0 })
	if resp, body := w.post(strings.Replace(call, "{", strings.Repeat(" ", 3<<20)+"{", 1)); resp.StatusCode != 200 {
		t.Errorf("when there is room: %d %.200s", resp.StatusCode, body)
	}
}

// TestBusyChild: whoever is told that the server is busy is told when to come back (docs/mcp.md).
func TestBusyChild(t *testing.T) {
	w := newWorld(t)
	if resp, body := w.post(strings.Replace(call, "top", "busy", 1)); resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d, Retry-After %q: %s", resp.StatusCode, resp.Header.Get("Retry-After"), body)
	}
}
