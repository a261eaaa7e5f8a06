package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/child/childtest"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
	"mcpstudio/store"
)

// hostile is a child that has been taken over: it confines itself, since the parent
// would not give it anything otherwise, and then does not do what it should.
func hostile(how string) int {
	conn, err := net.FileConn(os.NewFile(3, "control"))
	if err != nil {
		return 3
	}
	c := control.NewChild(conn)
	ctx := context.Background()
	m, err := c.Receive(ctx)
	if err != nil {
		return 3
	}
	var policy sandbox.Policy
	if json.Unmarshal(m.Policy, &policy) != nil {
		return 3
	}
	if how == "unconfined" {
		_ = c.Send(ctx, control.Message{Type: control.TypeReport, Report: json.RawMessage(`{"layers":[{"name":"seccomp","state":"enforced"}]}`)})
		time.Sleep(time.Minute)
	}
	if how == "hello" { // another conversation than this one
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		time.Sleep(time.Minute)
	}
	report, _ := json.Marshal(sandbox.Enter(policy))
	if how == "report" { // of another version
		report = []byte(`{"layers":"all of them"}`)
	}
	_ = c.Send(ctx, control.Message{Type: control.TypeReport, Report: report})
	if _, err := c.Receive(ctx); err != nil { // the manifest
		return 3
	}
	link, err := net.FileConn(os.NewFile(5, "hop"))
	if err != nil {
		return 3
	}
	defer runtime.KeepAlive(link) // collected, it would be closed
	switch how {
	case "silent":
		time.Sleep(time.Minute)
	case "exit":
		fmt.Fprintln(os.Stderr, "giving up for a test")
		return 7
	case "failed":
		_ = c.Send(ctx, control.Message{Type: control.TypeFailed, Failed: &control.Failed{Reason: "the test wants it so"}})
		time.Sleep(time.Minute)
	case "control":
		_, _ = conn.Write([]byte("this is no JSON\n"))
		time.Sleep(time.Minute)
	case "oversized":
		_, _ = conn.Write(bytes.Repeat([]byte("x"), 2*control.MaxFromChild))
		time.Sleep(time.Minute)
	case "half":
		_, _ = conn.Write([]byte(`{"type":"rea`))
		if half, ok := conn.(*net.UnixConn); ok {
			_ = half.CloseWrite()
		}
		time.Sleep(time.Minute) // one that exits may be seen to have exited first
	case "frame":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_, _ = link.Write(bytes.Repeat([]byte{0xff}, 64)) // a head that announces more than there may be
		time.Sleep(time.Minute)
	case "version":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`{"jsonrpc":"2.0","id":"studio-health","result":{"supportedVersions":["2026-07-28"],"protocolVersion":"1999-01-01","serverInfo":{"name":"Shop"},"tools":[]}}`}, 1)
	case "another":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`{"jsonrpc":"2.0","id":"somebody-else","result":{}}`}, 1)
	case "words":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`<html>no JSON</html>`}, 1)
	case "twice":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`{"jsonrpc":"2.0","id":"studio-health","result":{}}`}, 1)
	case "garbage":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		for {
			if _, err := link.Write([]byte(strings.Repeat("garbage!", 512))); err != nil {
				time.Sleep(time.Minute)
			}
		}
	case "deaf":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		time.Sleep(time.Minute)
	case "mute":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, mute{}, 4)
	case "lies":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`{"jsonrpc":"2.0","id":"studio-health","result":{"supportedVersions":["2026-07-28"],"protocolVersion":"2025-11-25","serverInfo":{"name":"Shop"},"tools":[]}}`}, 1)
	case "endless":
		_ = c.Send(ctx, control.Message{Type: control.TypeReady})
		_ = hop.Serve(ctx, link, liar{`{"jsonrpc":"2.0","id":"studio-health","result":{"supportedVersions":["2026-07-28"],"protocolVersion":"2025-11-25","serverInfo":{"name":"Shop"},"tools":[],"nextCursor":"x"}}`}, 1)
	}
	return 0
}

// liar gives one answer to everything.
type liar struct{ body string }

func (liar) Inline(*hop.Request) bool { return true }

func (l liar) Serve(_ context.Context, _ *hop.Request, r *hop.Reply) {
	r.Status, r.Body = http.StatusOK, append(r.Body, l.body...)
}

// mute says that it lives, and nothing else.
type mute struct{}

func (mute) Inline(q *hop.Request) bool { return string(q.Method) == "ping" }

func (mute) Serve(ctx context.Context, q *hop.Request, _ *hop.Reply) {
	if string(q.Method) != "ping" {
		<-ctx.Done()
	}
}

// TestMuteChild: a call that a living child does not answer does not stay for ever, nor does the child hear of it for ever.
func TestMuteChild(t *testing.T) {
	o := options(shop(t))
	o.AliveEvery, o.CallTimeout = 20*time.Millisecond, 500*time.Millisecond
	v := newSupervisor(t, o)
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	pid := livePID(t, v)
	v.o.Args = []string{"studio", "hostile", "mute"} // from now on
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "another child is live", func() bool { s := v.State(); return s.PID != 0 && s.PID != pid })
	now := livePID(t, v)
	start := time.Now()
	_, _, err := callTool(t.Context(), v, "which", "{}")
	if took := time.Since(start); store.CodeOf(err) != store.Unavailable || !strings.Contains(err.Error(), "did not answer this call in time") || took < o.CallTimeout {
		t.Errorf("got %v after %s", err, took)
	}
	if got := livePID(t, v); got != now {
		t.Errorf("the child was replaced: %d, %d", now, got)
	}
}

// TestHostileChild: whatever a candidate does, the deploy fails in time with a
// reason, no process is left, and the live revision goes on (case 240).
func TestHostileChild(t *testing.T) {
	dir := shop(t)
	good := deployment(t, 1, snapshot(sqliteConnection("shop.db"), "good"), nil)
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, good)
	const patient, short = 30 * time.Second, 5 * time.Second
	for _, tt := range []struct{ how, want string }{
		{"unconfined", "seccomp"}, // case 231: nothing was given to it
		{"silent", "not ready after"},
		{"exit", "exit"},
		{"failed", "the test wants it so"},
		{"control", "before it was ready (ended by SIGKILL: it broke the protocol: malformed JSON)"},
		{"hello", "ready came instead of the report"}, // case 240
		{"report", "the report is malformed"},
		{"oversized", "it broke the protocol: a line of more than 1048576 bytes"},
		{"half", "it broke the protocol: the pipe ended within a line"},
		{"frame", "server/discover"},
		{"version", "initialize: got 1999-01-01"},
		{"another", "is not for this request"},
		{"words", "the answer is not JSON"},
		{"twice", ""},
		{"garbage", "server/discover"},
		{"deaf", "server/discover"},
		{"lies", "tools/list"},
		{"endless", "tools/list"},
	} {
		v.o.Args = []string{"studio", "hostile", tt.how}
		v.o.StartTimeout = patient
		if tt.how == "silent" { // only the time ends it
			v.o.StartTimeout = short
		}
		start := time.Now()
		err := v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("shop.db"), "bad"), nil), func(s mcpgen.Step) {
			if tt.how == "deaf" && s.Name == "health_check" { // likewise
				v.o.StartTimeout = time.Second
			}
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to name %q", tt.how, err, tt.want)
		}
		if took := time.Since(start); took > patient*9/10 {
			t.Errorf("%s took %s", tt.how, took)
		}
		mustCall(t, v, "which", "{}", "good")
		if s := v.State(); s.Status != "running" || s.Revision != 1 || s.Restarts != 0 {
			t.Errorf("%s: the live revision is %+v", tt.how, s)
		}
	}
	if left := children(t); len(left) != 1 {
		t.Errorf("%d children are left, want the live one", len(left))
	}
	v.o.Args = realChild()
}

// TestGarbageFromTheLiveChild: a live child that breaks a protocol is ended with the cause and started again, and nothing it said
// reached a client.
func TestGarbageFromTheLiveChild(t *testing.T) {
	o := options(shop(t))
	o.Args = turnedChild()
	v := newSupervisor(t, o)
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "good"), nil))
	time.Sleep(settled)
	pid := livePID(t, v)
	turn(t, pid, childtest.Garbage)
	eventually(t, time.Minute, "the child was replaced", func() bool { s := v.State(); return s.PID != 0 && s.PID != pid })
	mustCallAgain(t, v, "which", "{}", "good")
	last := v.Sandbox(t.Context()).LastExit
	if last == nil || last.PID != pid || !strings.Contains(last.Reason, "protocol") && !strings.Contains(last.Reason, "link") {
		t.Errorf("the last exit: %+v", last)
	}
}

// TestBrokenLinkCountsFromItsEnd: a child that breaks the rules of calls as soon as it is ready is killed at once, and counts as one that
// ended early, however long it stays: the next one waits (case 238).
func TestBrokenLinkCountsFromItsEnd(t *testing.T) {
	v := newSupervisor(t, options(shop(t)))
	mustDeploy(t, v, deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil))
	time.Sleep(settled)
	v.o.Args = []string{"studio", "hostile", "frame"} // from now on
	if err := syscall.Kill(livePID(t, v), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var s mcpgen.ServerState
	eventually(t, 30*time.Second, "the state is error", func() bool { s = v.State(); return s.Status == mcpgen.Failed })
	if !strings.Contains(s.Error, "next attempt is in") || !strings.Contains(s.Error, "broken frame") {
		t.Errorf("state %+v", s)
	}
	for _, l := range v.Logs().Since(0, 0) {
		var lived time.Duration
		if _, rest, ok := strings.Cut(l.Message, "the server ended after "); ok && strings.Contains(rest, "broken frame") {
			var err error
			if lived, err = time.ParseDuration(strings.Fields(rest)[0]); err != nil || lived >= settled {
				t.Errorf("%q: %v", l.Message, err)
			}
		}
	}
}

// TestGarbageFromTheParent: a child that is told nonsense ends with the cause, at every stage of its life; it never goes on.
func TestGarbageFromTheParent(t *testing.T) {
	good := control.Message{Type: control.TypeStart, Start: &control.Start{Role: control.RoleBench, Manifest: json.RawMessage(`{"format":1,"connections":[]}`)}}
	wrong := func(role control.Role, manifest string) control.Message {
		return control.Message{Type: control.TypeStart, Start: &control.Start{Role: role, Manifest: json.RawMessage(manifest)}}
	}
	for name, tt := range map[string]struct {
		policy []byte           // instead of the policy
		raw    []byte           // instead of start
		start  *control.Message // what is started
		want   string           // in what it says last
	}{
		"no policy":           {policy: []byte("nonsense\n"), want: "control protocol broken"},
		"another message":     {policy: []byte(`{"type":"drain","drain":{"deadline_ms":1}}` + "\n"), want: "instead of the policy"},
		"an oversized line":   {raw: append(bytes.Repeat([]byte(" "), control.MaxFromParent+1), '\n'), want: "more than"},
		"half a line":         {raw: []byte(`{"type":"start"`), want: "within a line"},
		"no start":            {raw: []byte(`{"type":"drain","drain":{"deadline_ms":1}}` + "\n"), want: "instead of start"},
		"another format":      {start: new(wrong(control.RoleServer, `{"format":99}`)), want: "format 99 is not 1"},
		"a broken manifest":   {start: new(wrong(control.RoleServer, `{"format":1,"tools":7}`)), want: "decode manifest"},
		"a bench for nothing": {start: &good, want: "one connection, not 0"},
	} {
		t.Run(name, func(t *testing.T) {
			said, exit := converse(t, tt.policy, tt.raw, tt.start)
			if !strings.Contains(said, tt.want) || exit.Signal != "" || exit.Code != 1 {
				t.Errorf("it said %q and ended with %s, want %q and exit code 1", said, exit, tt.want)
			}
		})
	}
}

// converse starts a child by hand and returns what it said last, on the control pipe or in print, and how it ended.
func converse(t *testing.T, policy, raw []byte, start *control.Message) (said string, exit sandbox.Exit) {
	t.Helper()
	ends, err := newPipes()
	if err != nil {
		t.Fatal(err)
	}
	defer ends.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var printed strings.Builder
	p := &process{control: control.NewParent(ends.control)}
	box, err := sandbox.Start(ctx, sandbox.Options{
		Args: realChild(), Exe: theExe, Files: ends.files, Policy: sandbox.Policy{},
		Log: func(line string) { mu.Lock(); defer mu.Unlock(); printed.WriteString(line) },
		Handshake: func(q sandbox.Policy) (sandbox.Report, error) {
			if policy == nil {
				return p.handshake(ctx, q)
			}
			if _, err := ends.control.Write(policy); err != nil {
				return sandbox.Report{}, err
			}
			_, err := p.control.Receive(ctx)
			return sandbox.Report{}, errors.Join(errors.New("it went on"), err)
		},
	})
	lastWords := func() string { mu.Lock(); defer mu.Unlock(); return printed.String() }
	if policy != nil {
		if err == nil || !strings.Contains(err.Error(), "exit code 1") {
			t.Fatalf("a child without a policy: %v", err)
		}
		return lastWords(), sandbox.Exit{Code: 1}
	}
	if err != nil {
		t.Fatal(err)
	}
	if start != nil {
		if err := p.control.Send(ctx, *start); err != nil {
			t.Fatal(err)
		}
		if m, err := p.control.Receive(ctx); err == nil && m.Type == control.TypeFailed {
			said = m.Failed.Reason
		}
	} else {
		_, _ = ends.control.Write(raw) // it may close the pipe before the end
		if c, ok := ends.control.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		}
	}
	select {
	case <-box.Done():
	case <-ctx.Done():
		box.Kill("it went on")
	}
	return said + lastWords(), box.Exit()
}

// children lists this process's children that have not been reaped.
func children(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}
