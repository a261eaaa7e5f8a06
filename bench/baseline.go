package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// baseline serves the one tool in one process with net/http, encoding/json and pgx's pool: what a Go program costs that
// does the job and nothing else. No auth, no limits, no log, no read-only transaction, no checks beyond the types.
func baseline(args []string) error {
	f := flag.NewFlagSet("baseline", flag.ContinueOnError)
	if err := f.Parse(args); err != nil {
		return err
	}
	pool, err := pgxpool.New(context.Background(), os.Getenv("BENCH_DSN"))
	if err != nil {
		return fmt.Errorf("open the pool: %w", err)
	}
	defer pool.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on " + l.Addr().String())
	return (&http.Server{Handler: &plain{pool: pool}, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// plain is the baseline's handler.
type plain struct {
	pool    *pgxpool.Pool
	buffers sync.Pool // of *bytes.Buffer
}

func (p *plain) buffer() *bytes.Buffer {
	b, ok := p.buffers.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	b.Reset()
	return b
}

// ServeHTTP implements http.Handler.
func (p *plain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	in, out := p.buffer(), p.buffer()
	defer p.buffers.Put(in)
	defer p.buffers.Put(out)
	if _, err := in.ReadFrom(io.LimitReader(r.Body, 1<<20)); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if status := p.answer(r.Context(), in.Bytes(), out); status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out.Bytes()) // the client has gone; there is nobody to tell
}

// answer writes the response to one message and returns the status.
func (p *plain) answer(ctx context.Context, in []byte, out *bytes.Buffer) int {
	var q struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(in, &q); err != nil {
		return http.StatusBadRequest
	}
	if len(q.ID) == 0 {
		return http.StatusAccepted
	}
	out.WriteString(`{"jsonrpc":"2.0","id":`)
	out.Write(q.ID)
	switch q.Method {
	case "initialize":
		out.WriteString(`,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"baseline","version":"0"}}}`)
	case "tools/call":
		p.call(ctx, q.Params, out)
	default:
		out.WriteString(`,"error":{"code":-32601,"message":"no such method"}}`)
	}
	return http.StatusOK
}

func (p *plain) call(ctx context.Context, params json.RawMessage, out *bytes.Buffer) {
	var q struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	}
	aid, ok := 0.0, false
	if json.Unmarshal(params, &q) == nil && q.Name == "get_account" {
		aid, ok = q.Arguments["aid"].(float64)
	}
	if !ok || aid != float64(int64(aid)) {
		out.WriteString(`,"error":{"code":-32602,"message":"bad params"}}`)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	text, err := p.query(ctx, int64(aid))
	if err != nil {
		out.WriteString(`,"error":{"code":-32603,"message":"query failed"}}`)
		return
	}
	escaped, _ := json.Marshal(string(text)) // a string always marshals
	out.WriteString(`,"result":{"content":[{"type":"text","text":`)
	out.Write(escaped)
	out.WriteString(`}]}}`)
}

// query runs the statement and writes its rows as JSON, whatever its columns are.
func (p *plain) query(ctx context.Context, aid int64) ([]byte, error) {
	rows, err := p.pool.Query(ctx, statement+"$1", aid)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var b bytes.Buffer
	b.WriteByte('[')
	for n := 0; rows.Next(); n++ {
		values, err := rows.Values()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for i, column := range rows.FieldDescriptions() {
			if i > 0 {
				b.WriteByte(',')
			}
			key, _ := json.Marshal(column.Name) // a string always marshals
			value, err := json.Marshal(values[i])
			if err != nil {
				return nil, err
			}
			b.Write(key)
			b.WriteByte(':')
			b.Write(value)
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), rows.Err()
}

// startBaseline runs this program again as the baseline.
func startBaseline(ctx context.Context, pg *postgres) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := start(self, []string{"baseline"}, bare("BENCH_DSN="+pg.dsn()))
	if err != nil {
		return nil, fmt.Errorf("start the baseline: %w", err)
	}
	s := &server{name: "baseline", pids: []int{p.cmd.Process.Pid}, eras: []era{legacyEra, modernEra}, end: p.stop}
	if s.addr, err = p.line(ctx, "listening on "); err == nil {
		_, err = answers(ctx, s.target(legacyEra, 0), accountCall("get_account"), p)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return s, nil
}
