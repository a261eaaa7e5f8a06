package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// listClients is how many clients list tools at once.
const listClients = 16

// listFigures are those of tools/list with one number of tools.
type listFigures struct {
	tools   int
	servers []*server
	pages   map[*server]int // of a whole list
	samples map[*server][]sample
}

// list measures tools/list with growing numbers of tools. The peer reads its tools when it starts.
func (m *measured) list(ctx context.Context, p *plan, pg *postgres, s *studio, out io.Writer) error {
	for _, n := range p.lists {
		if n > s.tools {
			if err := s.addTools(ctx, n); err != nil {
				return err
			}
			if err := s.deploy(ctx); err != nil {
				return err
			}
		}
		f, err := m.listOf(ctx, p, pg, s, out)
		if err != nil {
			return err
		}
		m.lists = append(m.lists, f)
	}
	return nil
}

func (m *measured) listOf(ctx context.Context, p *plan, pg *postgres, s *studio, out io.Writer) (listFigures, error) {
	f := listFigures{tools: s.tools, servers: []*server{s.server}, pages: map[*server]int{}, samples: map[*server][]sample{}}
	if p.toolbox != "" {
		t, err := startToolbox(ctx, p.toolbox, pg, s.tools)
		if err != nil {
			return f, err
		}
		defer t.end()
		f.servers = append(f.servers, t)
	}
	for range p.rounds {
		for _, server := range f.servers {
			var known listing
			if err := known.learn(server, s.tools); err != nil {
				return f, err
			}
			got, err := load(ctx, server, legacyEra, listClients, p, pg, known.call)
			if err != nil {
				return f, err
			}
			f.pages[server] = len(known.pages)
			f.samples[server] = append(f.samples[server], got)
			fmt.Fprintf(out, "tools/list of %d tools: %-12s %7.0f answers/s, %d for a list, %s CPU an answer\n", s.tools, server.name, got.perSec, len(known.pages), micros(got.total()))
		}
	}
	return f, nil
}

// listing is what a server answers to tools/list, page by page. The messages carry one id, so every answer must be one of
// those that were read in full, byte by byte.
type listing struct {
	messages [][]byte
	pages    [][]byte
}

// learn reads a whole list and checks that it names every tool once.
func (l *listing) learn(s *server, tools int) error {
	c, err := dial(s.target(legacyEra, 0))
	if err != nil {
		return err
	}
	defer c.conn.Close()
	var names []string
	for cursor := ""; ; {
		message := listMessage(c, cursor)
		status, body, err := c.post("tools/list", "", message)
		if err != nil {
			return err
		}
		var m struct {
			Result struct {
				NextCursor string
				Tools      []struct{ Name string }
			}
		}
		if err := json.Unmarshal(body, &m); err != nil || status != 200 {
			return errors.Join(err, fmt.Errorf("tools/list: %d %.200s", status, body))
		}
		for _, t := range m.Result.Tools {
			names = append(names, t.Name)
		}
		l.messages, l.pages = append(l.messages, message), append(l.pages, bytes.Clone(body))
		if cursor = m.Result.NextCursor; cursor == "" {
			break
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(toolNames(tools))); !slices.Equal(names, want) {
		return fmt.Errorf("%s lists %d tools, want %d", s.name, len(names), len(want))
	}
	return nil
}

func listMessage(c *client, cursor string) []byte {
	members := ""
	if cursor != "" {
		quoted, _ := json.Marshal(cursor) // a string always marshals
		members = `"cursor":` + string(quoted)
	}
	return c.params([]byte(`{"jsonrpc":"2.0","id":2,"method":"tools/list",`), members)
}

// call asks for one page after the other.
func (l *listing) call() one {
	next := 0
	return func(c *client, _ int) error {
		page := next % len(l.pages)
		next++
		status, body, err := c.post("tools/list", "", l.messages[page])
		if err == nil && (status != 200 || !bytes.Equal(body, l.pages[page])) {
			err = fmt.Errorf("page %d of tools/list is another: %d %.200s", page+1, status, body)
		}
		return err
	}
}
