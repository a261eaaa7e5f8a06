package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/sandbox"
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
	report, _ := json.Marshal(sandbox.Enter(policy))
	_ = c.Send(ctx, control.Message{Type: control.TypeReport, Report: report})
	if _, err := c.Receive(ctx); err != nil { // the manifest
		return 3
	}
	link, err := net.FileConn(os.NewFile(5, "hop"))
	if err != nil {
		return 3
	}
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

// TestHostileChild: whatever a candidate does, the deploy fails in time with a
// reason, no process is left, and the live revision goes on (case 240).
func TestHostileChild(t *testing.T) {
	dir := shop(t)
	good := deployment(t, 1, snapshot(sqliteConnection("shop.db"), "good"), nil)
	v := newSupervisor(t, options(dir))
	mustDeploy(t, v, good)
	v.o.StartTimeout = 3 * time.Second
	for _, tt := range []struct{ how, want string }{
		{"unconfined", "seccomp"}, // case 231: nothing was given to it
		{"silent", "not ready after"},
		{"exit", "exit"},
		{"failed", "the test wants it so"},
		{"control", "before it was ready"},
		{"twice", ""},
		{"garbage", "server/discover"},
		{"deaf", "server/discover"},
		{"lies", "tools/list"},
		{"endless", "tools/list"},
	} {
		v.o.Args = []string{"studio", "hostile", tt.how}
		start := time.Now()
		err := v.Deploy(t.Context(), deployment(t, 2, snapshot(sqliteConnection("shop.db"), "bad"), nil), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to name %q", tt.how, err, tt.want)
		}
		if took := time.Since(start); took > 8*time.Second {
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
