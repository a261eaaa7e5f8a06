package supervisor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/mcpgen/pipe"
)

// candidate answers the health check as it should, but for tools/list.
type candidate struct {
	list  string
	calls int
}

func (*candidate) Inline(*hop.Request) bool { return true }

func (c *candidate) Serve(_ context.Context, q *hop.Request, r *hop.Reply) {
	c.calls++
	result := c.list
	if string(q.Method) != "tools/list" {
		result = `{"supportedVersions":["2026-07-28"],"protocolVersion":"2025-11-25","serverInfo":{"name":"Shop"}}`
	}
	r.Body = fmt.Appendf(r.Body, `{"jsonrpc":"2.0","id":%s,"result":%s}`, q.ID, result)
}

// TestProbeIsBounded: what a candidate answers to the health check costs the studio no more than the manifest, however much it has to say.
func TestProbeIsBounded(t *testing.T) {
	m := deployment(t, 1, snapshot(sqliteConnection("shop.db"), "one"), nil).Manifest
	first, second := m.Tools[0].Definition, m.Tools[1].Definition
	for name, tt := range map[string]struct {
		list, want string
		calls      int
	}{
		"as it should be":          {fmt.Sprintf(`{"tools":[%s,%s]}`, first, second), "", 3},
		"the same page again":      {fmt.Sprintf(`{"tools":[%s,%s],"nextCursor":"x"}`, first, second), "more than 2 tools", 4},
		"another tool":             {fmt.Sprintf(`{"tools":[%s],"nextCursor":"x"}`, first), "the definition of " + m.Tools[1].Name, 4},
		"nothing, again and again": {`{"tools":[],"nextCursor":"x"}`, "got 0 tools, want 2", 3},
		"more than there is":       {`{"tools":[` + strings.Repeat("0,", 4<<20) + `0]}`, "more than there is to say", 3},
	} {
		conn, file, err := pipe.New("calls")
		if err != nil {
			t.Fatal(err)
		}
		end, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		c, served := &candidate{list: tt.list}, make(chan error, 1)
		go func() { served <- hop.Serve(context.Background(), end, c, 1) }()
		link := hop.NewLink(conn)
		_, err = probe(t.Context(), link, m)
		link.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || c.calls != tt.calls {
			t.Errorf("%s: after %d calls %v", name, c.calls, err)
		}
	}
}
