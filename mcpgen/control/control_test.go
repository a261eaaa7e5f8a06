package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/mcpgen/pipe"
)

const password = "pa\"ss<wörd>&"

func start() Message {
	return Message{Type: TypeStart, Start: &Start{
		Role: RoleServer, Manifest: json.RawMessage(`{"a":"<&>\u2028","n":1.10}`), Secrets: NewSecrets(map[string]map[string]string{"c1": {"password": password, "user": "u"}}),
	}}
}

// ends makes both ends over a real socket pair.
func ends(t testing.TB) (p, c *Conn) {
	t.Helper()
	near, far := sockets(t)
	return NewParent(near), NewChild(far)
}

func sockets(t testing.TB) (near, far net.Conn) {
	t.Helper()
	near, f, err := pipe.New("control")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if far, err = net.FileConn(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func TestEveryMessageArrives(t *testing.T) {
	p, c := ends(t)
	ctx := context.Background()
	for _, step := range []struct {
		from, to *Conn
		m        Message
	}{
		{p, c, Message{Type: TypePolicy, Policy: json.RawMessage(`{"fs":"none"}`)}},
		{c, p, Message{Type: TypeReport, Report: json.RawMessage(`{"layers":[]}`)}},
		{p, c, start()},
		{c, p, Message{Type: TypeReady}},
		{c, p, Message{Type: TypeLog, Log: &Log{Level: LevelWarn, Message: "two\nlines", Attrs: map[string]string{"tool": "t", "n_1": ""}}}},
		{c, p, Message{Type: TypeFailed, Failed: &Failed{Reason: "no driver"}}},
		{p, c, Message{Type: TypeDrain, Drain: &Drain{DeadlineMS: 5000}}},
		{c, p, Message{Type: TypeDrained}},
	} {
		if err := step.from.Send(ctx, step.m); err != nil {
			t.Fatalf("%s: %v", step.m.Type, err)
		}
		got, err := step.to.Receive(ctx)
		if diff := cmp.Diff(step.m, got, cmp.AllowUnexported(Secrets{})); err != nil || diff != "" {
			t.Errorf("%s: %v %s", step.m.Type, err, diff)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if _, err := c.Receive(ctx); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
	}
}

// The credentials show in no way of printing a message, and only the pipe has them.
func TestSecretsNeverPrint(t *testing.T) {
	m := start()
	s := m.Start.Secrets
	var shown []string
	for _, v := range []any{s, &s, m, &m, *m.Start, m.Start, []any{s}, map[string]any{"s": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(text))
		for _, h := range []func(io.Writer) slog.Handler{
			func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var b bytes.Buffer
			slog.New(h(&b)).Info("x", "v", v, slog.Any("group", slog.GroupValue(slog.Any("v", v))))
			shown = append(shown, b.String())
		}
	}
	shown = append(shown, fmt.Sprint(s), s.String(), s.GoString(), fmt.Errorf("x: %v", s).Error())
	for _, text := range shown {
		for _, leak := range []string{"pa\"ss", `pa\"ss`, "wörd", fmt.Sprintf("%x", password), strings.ToUpper(fmt.Sprintf("%x", password)), "password"} {
			if strings.Contains(text, leak) {
				t.Errorf("%q shows in %q", leak, text)
			}
		}
	}
	line, err := m.encode()
	if err != nil || !bytes.Contains(line, []byte("wörd")) || bytes.Count(line, []byte("\n")) != 1 {
		t.Errorf("the line for the pipe: %q, %v", line, err)
	}
	if got := s.Open("c1")["password"]; got != password {
		t.Errorf("opened: %q", got)
	}
	if got := s.Open("c2"); got != nil {
		t.Errorf("opened: %q", got)
	}
}

func TestSendRefuses(t *testing.T) {
	p, c := ends(t)
	object := func(size int) json.RawMessage { return json.RawMessage(`{"a":"` + strings.Repeat("x", size) + `"}`) }
	for what, step := range map[string]struct {
		from *Conn
		m    Message
	}{
		"no type":              {p, Message{}},
		"unknown type":         {p, Message{Type: "exec"}},
		"child's type":         {p, Message{Type: TypeReady}},
		"parent's type":        {c, Message{Type: TypeDrain, Drain: &Drain{DeadlineMS: 1}}},
		"no payload":           {p, Message{Type: TypeStart}},
		"two payloads":         {p, Message{Type: TypeDrain, Drain: &Drain{DeadlineMS: 1}, Policy: json.RawMessage(`{}`)}},
		"payload of another":   {c, Message{Type: TypeReady, Report: json.RawMessage(`{}`)}},
		"policy not an object": {p, Message{Type: TypePolicy, Policy: json.RawMessage(`[]`)}},
		"policy not JSON":      {p, Message{Type: TypePolicy, Policy: json.RawMessage(`{"a":`)}},
		"no role":              {p, Message{Type: TypeStart, Start: &Start{Manifest: json.RawMessage(`{}`)}}},
		"no manifest":          {p, Message{Type: TypeStart, Start: &Start{Role: RoleBench}}},
		"secret not UTF-8":     {p, Message{Type: TypeStart, Start: &Start{Role: RoleBench, Manifest: json.RawMessage(`{}`), Secrets: NewSecrets(map[string]map[string]string{"c": {"p": "\xff"}})}}},
		"no deadline":          {p, Message{Type: TypeDrain, Drain: &Drain{}}},
		"level":                {c, Message{Type: TypeLog, Log: &Log{Level: "fatal"}}},
		"attribute name":       {c, Message{Type: TypeLog, Log: &Log{Level: LevelInfo, Attrs: map[string]string{"a b": ""}}}},
		"policy too long":      {p, Message{Type: TypePolicy, Policy: object(MaxFromParent)}},
		"report too long":      {c, Message{Type: TypeReport, Report: object(MaxFromChild)}},
	} {
		if err := step.from.Send(context.Background(), step.m); err == nil || strings.Contains(err.Error(), "xxxx") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	// Nothing of all that was written.
	for _, step := range []struct {
		from, to *Conn
		m        Message
	}{{p, c, start()}, {c, p, Message{Type: TypeReady}}} {
		if err := step.from.Send(context.Background(), step.m); err != nil {
			t.Fatal(err)
		}
		if m, err := step.to.Receive(context.Background()); err != nil || m.Type != step.m.Type {
			t.Errorf("got %s, %v", m.Type, err)
		}
	}
}

// What is too long for a log is cut between two characters; it must not cost the message.
func TestSendCutsTexts(t *testing.T) {
	p, c := ends(t)
	long := "x" + strings.Repeat("é", maxText)
	for _, m := range []Message{
		{Type: TypeFailed, Failed: &Failed{Reason: long}},
		{Type: TypeLog, Log: &Log{Level: LevelError, Message: long, Attrs: map[string]string{"a": long}}},
	} {
		if err := c.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		got, err := p.Receive(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		if got.Failed != nil {
			texts = append(texts, got.Failed.Reason)
		} else {
			texts = append(texts, got.Log.Message, got.Log.Attrs["a"])
		}
		for _, text := range texts {
			if len(text) != maxText-1 || !strings.HasPrefix(long, text) {
				t.Errorf("%s: %d bytes", m.Type, len(text))
			}
		}
	}
	if long[len(long)-1] == 'x' {
		t.Error("the caller's message was changed")
	}
}

// case 139 and the like for the pipe: what a child may not say ends the connection with an error that names the flaw
// and quotes nothing.
func TestReceiveRefuses(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	for what, line := range map[string]string{
		"empty line":        ``,
		"not JSON":          `ready`,
		"array":             `[{"type":"ready"}]`,
		"null":              `null`,
		"two messages":      `{"type":"ready"}{"type":"ready"}`,
		"unknown type":      `{"type":"exec-secret"}`,
		"type of a number":  `{"type":1}`,
		"no type":           `{}`,
		"parent's type":     `{"type":"start","start":{"role":"server","manifest":{}}}`,
		"unknown field":     `{"type":"ready","x":1}`,
		"unknown in log":    `{"type":"log","log":{"level":"info","message":"","x":1}}`,
		"payload missing":   `{"type":"log"}`,
		"payload null":      `{"type":"log","log":null}`,
		"other payload":     `{"type":"ready","log":{"level":"info","message":""}}`,
		"report a string":   `{"type":"report","report":"x"}`,
		"level":             `{"type":"log","log":{"level":"INFO","message":""}}`,
		"long message":      `{"type":"log","log":{"level":"info","message":"` + long + `"}}`,
		"long attribute":    `{"type":"log","log":{"level":"info","message":"","attrs":{"a":"` + long + `"}}}`,
		"attribute name":    `{"type":"log","log":{"level":"info","message":"","attrs":{"A":""}}}`,
		"no attribute name": `{"type":"log","log":{"level":"info","message":"","attrs":{"":""}}}`,
		"many attributes":   `{"type":"log","log":{"level":"info","message":"","attrs":{` + attrs(33) + `}}}`,
		"attribute object":  `{"type":"log","log":{"level":"info","message":"","attrs":{"a":{}}}}`,
		"long reason":       `{"type":"failed","failed":{"reason":"` + long + `"}}`,
		"deep":              `{"type":"report","report":` + strings.Repeat(`{"a":`, 20_000) + `1` + strings.Repeat(`}`, 20_000) + `}`,
		"too long":          `{"type":"report","report":{"a":"` + strings.Repeat("x", MaxFromChild) + `"}}`,
	} {
		near, far := sockets(t)
		p := NewParent(near)
		go func() {
			// The reader may stop before all of it is written.
			_, _ = io.WriteString(far, line+"\n"+`{"type":"ready"}`+"\n")
			far.Close()
		}()
		for range 2 { // the error stays
			m, err := p.Receive(context.Background())
			if !errors.Is(err, ErrProtocol) || m.Type != "" {
				t.Errorf("%s: got %q, %v", what, m.Type, err)
			} else if text := err.Error(); len(text) > 200 || strings.Contains(text, "secret") {
				t.Errorf("%s: the error quotes the line: %.300s", what, text)
			}
		}
		near.Close()
	}
}

func attrs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"a%d":"",`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestReceiveCutOff(t *testing.T) {
	near, far := sockets(t)
	if _, err := io.WriteString(far, `{"type":"ready"}`); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if _, err := NewParent(near).Receive(context.Background()); !errors.Is(err, ErrProtocol) {
		t.Errorf("got %v", err)
	}
}

// A line that comes in pieces around a receive that was given up is not lost.
func TestReceiveIsGivenUp(t *testing.T) {
	near, far := sockets(t)
	p := NewParent(near)
	for i := range 3 {
		if _, err := io.WriteString(far, `{"type":"fai`); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		if _, err := p.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
		if _, err := fmt.Fprintf(far, "led\",\"failed\":{\"reason\":\"%d\"}}\n", i); err != nil {
			t.Fatal(err)
		}
		m, err := p.Receive(context.Background())
		if err != nil || m.Failed == nil || m.Failed.Reason != fmt.Sprint(i) {
			t.Errorf("got %+v, %v", m, err)
		}
	}
}

// A child that reads nothing cannot hold the parent.
func TestSendIsGivenUp(t *testing.T) {
	near, far := sockets(t)
	p, c := NewParent(near), NewChild(far)
	m := Message{Type: TypePolicy, Policy: json.RawMessage(`{"a":"` + strings.Repeat("x", 8<<20) + `"}`)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- p.Send(ctx, m) }()
	if _, err := far.Read(make([]byte, 1)); err != nil { // it is on its way
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	if err := p.Send(waiting, start()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for the other: %v", err)
	}
	cancel()
	if err := <-sent; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := p.Send(context.Background(), start()); !errors.Is(err, context.Canceled) {
		t.Errorf("after half a line: %v", err)
	}
	p.Close()
	if _, err := c.Receive(context.Background()); !errors.Is(err, ErrProtocol) {
		t.Errorf("the child got %v", err)
	}
}

func TestManySenders(t *testing.T) {
	p, c := ends(t)
	const senders, each = 8, 50
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for range each {
				if err := c.Send(context.Background(), Message{Type: TypeLog, Log: &Log{Level: LevelDebug, Message: strings.Repeat("m", 5000)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range senders * each {
		if m, err := p.Receive(context.Background()); err != nil || len(m.Log.Message) != 5000 {
			t.Fatal(err)
		}
	}
	all.Wait()
}

// Whatever a child writes, the parent gets messages within the limits or one error that stays.
func FuzzReceive(f *testing.F) {
	for _, line := range []string{
		`{"type":"ready"}`, `{"type":"report","report":{"layers":[]}}`, `{"type":"log","log":{"level":"info","message":"x","attrs":{"a":"b"}}}`,
		`{"type":"failed","failed":{"reason":"x"}}` + "\n" + `{"type":"drained"}`, `{"type":"start","start":{"role":"server","manifest":{},"secrets":{"a":{"b":"c"}}}}`, "\x00",
	} {
		f.Add([]byte(line + "\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := net.Pipe()
		p := NewParent(near)
		var all sync.WaitGroup
		all.Go(func() {
			_, _ = far.Write(b) // the parent may have hung up
			far.Close()
		})
		defer all.Wait()
		defer p.Close()
		for {
			m, err := p.Receive(context.Background())
			if err != nil {
				if err != io.EOF && !errors.Is(err, ErrProtocol) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err := m.check(child); err != nil || m.Start != nil || m.Policy != nil || m.Drain != nil {
				t.Errorf("received %+v: %v", m, err)
			}
			line, err := m.encode()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := decode(line); err != nil || again.check(child) != nil {
				t.Errorf("%q cannot be read again: %v", line, err)
			}
		}
	})
}

// A child that writes without end is read at a bounded rate, and what it wrote is not lost; a parent, which is trusted, is not held up.
func TestChildIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe() // in memory, so that time here is the test's
		p := NewParent(near)
		line := []byte(`{"type":"log","log":{"level":"info","message":"` + strings.Repeat("x", 1000) + `"}}` + "\n")
		written := make(chan struct{})
		go func() {
			defer close(written)
			for {
				if _, err := far.Write(line); err != nil {
					return
				}
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		read := 0
		for {
			m, err := p.Receive(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				break
			}
			if err != nil || len(m.Log.Message) != 1000 {
				t.Fatalf("after %d bytes: %+v %v", read, m, err)
			}
			read += len(line)
		}
		if least, most := childBurst+9*childRate, childBurst+11*childRate; read < least || read > most {
			t.Errorf("%d bytes in 10 s, want %d to %d", read, least, most)
		}
		p.Close()
		<-written

		near, far = net.Pipe()
		c := NewChild(near)
		go func() {
			for range 20_000 {
				if _, err := far.Write([]byte(`{"type":"drain","drain":{"deadline_ms":1}}` + "\n")); err != nil {
					return
				}
			}
			far.Close()
		}()
		start := time.Now()
		for {
			if _, err := c.Receive(t.Context()); err != nil {
				break
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the parent was held up for %v", took)
		}
		c.Close()
	})
}
