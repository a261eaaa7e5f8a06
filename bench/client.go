package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// answerTime bounds the wait for one answer.
const answerTime = 30 * time.Second

// client is one keep-alive HTTP/1.1 connection. net/http would take as much CPU as the servers that are measured, and on
// one machine that would hide what they differ in.
type client struct {
	conn    net.Conn
	r       *bufio.Reader
	target  target
	out     []byte
	body    []byte
	session string // a legacy server's, if it has sessions
}

// target is how to reach a server.
type target struct {
	addr  string
	era   era
	token string // empty: none
}

// era is a protocol family of MCP, by its revision.
type era string

const (
	legacyEra era = "2025-06-18" // the newest that all know
	modernEra era = "2026-07-28"
)

func (e era) modern() bool { return e == modernEra }

func dial(t target) (*client, error) {
	conn, err := net.DialTimeout("tcp", t.addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, r: bufio.NewReaderSize(conn, 32<<10), target: t}
	if !t.era.modern() {
		if err := c.initialize(); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return c, nil
}

// initialize opens a legacy conversation.
func (c *client) initialize() error {
	status, body, err := c.post("", "", []byte(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"`+string(c.target.era)+
		`","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`))
	if err != nil {
		return err
	}
	if status != 200 || !bytes.Contains(body, []byte(`"protocolVersion"`)) {
		return fmt.Errorf("initialize: %d %.200s", status, body)
	}
	if status, body, err = c.post("", "", []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)); err == nil && status/100 != 2 {
		err = fmt.Errorf("initialized: %d %.200s", status, body)
	}
	return err
}

// params wraps the members of a request's params as the era wants them.
func (c *client) params(b []byte, members string) []byte {
	b = append(append(b, `"params":{`...), members...)
	if c.target.era.modern() {
		if members != "" {
			b = append(b, ',')
		}
		b = append(b, `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`...)
	}
	return append(b, "}}"...)
}

// post sends a message and reads the answer, whose body is valid until the next one.
func (c *client) post(method, name string, message []byte) (status int, body []byte, err error) {
	b := append(c.out[:0], "POST /mcp HTTP/1.1\r\nHost: "...)
	b = append(append(b, c.target.addr...), "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: "...)
	b = append(append(b, c.target.era...), "\r\n"...)
	if c.target.era.modern() {
		b = append(append(append(b, "Mcp-Method: "...), method...), "\r\n"...)
		if name != "" {
			b = append(append(append(b, "Mcp-Name: "...), name...), "\r\n"...)
		}
	}
	if c.session != "" {
		b = append(append(append(b, "Mcp-Session-Id: "...), c.session...), "\r\n"...)
	}
	if c.target.token != "" {
		b = append(append(append(b, "Authorization: Bearer "...), c.target.token...), "\r\n"...)
	}
	b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(message)), 10), "\r\n\r\n"...)
	c.out = append(b, message...)
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, nil, err
	}
	return c.answer()
}

// answer reads one response (RFC 9112), with a length or in chunks.
func (c *client) answer() (status int, body []byte, err error) {
	line, err := c.line()
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("%q is no status line", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, fmt.Errorf("%q is no status line", line)
	}
	length, chunked := 0, false
	for {
		if line, err = c.line(); err != nil {
			return 0, nil, err
		}
		if len(line) == 0 {
			break
		}
		key, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(key, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, nil, fmt.Errorf("%q is no length", value)
			}
		case bytes.EqualFold(key, []byte("Transfer-Encoding")):
			chunked = true
		case bytes.EqualFold(key, []byte("Mcp-Session-Id")):
			c.session = string(value)
		}
	}
	c.body = c.body[:0]
	if !chunked {
		err = c.read(length)
		return status, c.body, err
	}
	err = c.chunks()
	return status, c.body, err
}

func (c *client) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// read appends n bytes to the body.
func (c *client) read(n int) error {
	from := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.body[from:])
	return err
}

func (c *client) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return fmt.Errorf("%q is no size of a chunk", line)
		}
		if n > 0 {
			if err := c.read(int(n)); err != nil {
				return err
			}
		}
		if line, err = c.line(); err != nil || len(line) > 0 {
			return fmt.Errorf("a chunk does not end: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}
