package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// variant is a server in one era.
type variant struct {
	*server
	era era
}

func (v variant) String() string { return v.name + ", " + string(v.era) }

// measured is what a run found.
type measured struct {
	level    string
	start    startFigures
	variants []variant
	calls    map[int]map[variant][]sample // by clients
	lists    []listFigures
}

// startFigures are about the studio alone.
type startFigures struct {
	binary               int // bytes
	idle, loaded         memories
	spawn, kill, deploys []time.Duration
}

// run does everything and prints it.
func run(ctx context.Context, p plan, out io.Writer) error {
	began, where := time.Now(), machine()+", "+runtime.Version()
	pg, err := newPostgres(ctx, p.dsn)
	if err != nil {
		return err
	}
	defer pg.drop()
	s, err := startStudio(ctx, &p, pg)
	if err != nil {
		return err
	}
	defer func() { s.end() }()
	m := measured{level: s.level, calls: map[int]map[variant][]sample{}}
	fmt.Fprintf(out, "%s\nsandbox %s, PostgreSQL and load on the same machine\n", where, s.level)
	if m.start, err = s.starts(ctx, &p); err != nil {
		return err
	}
	b, err := startBaseline(ctx, pg)
	if err != nil {
		return err
	}
	defer b.end()
	servers := []*server{b, s.server}
	if p.toolbox == "" {
		fmt.Fprintln(out, "MCP Toolbox: not present; ratios are to the baseline only")
	} else {
		t, err := startToolbox(ctx, p.toolbox, pg, 1)
		if err != nil {
			return err
		}
		servers = append(servers, t)
	}
	err = m.load(ctx, &p, pg, servers, out)
	for _, other := range servers {
		if other != s.server {
			other.end()
		}
	}
	if err != nil {
		return err
	}
	m.start.loaded = s.memories()
	if err := m.list(ctx, &p, pg, s, out); err != nil {
		return err
	}
	report := m.markdown(&p)
	fmt.Fprintf(out, "\n%s\n%s in all\n", report, time.Since(began).Round(time.Second))
	if p.write != "" {
		return write(p.write, where+", "+began.UTC().Format(time.DateOnly)+"\n\n"+report)
	}
	return nil
}

// load runs the rounds. In each, the servers take turns in another order, so that none always follows the same one.
func (m *measured) load(ctx context.Context, p *plan, pg *postgres, servers []*server, out io.Writer) error {
	for _, s := range servers {
		for _, e := range s.eras {
			m.variants = append(m.variants, variant{s, e})
		}
	}
	slices.SortStableFunc(m.variants, func(a, b variant) int { return strings.Compare(string(a.era), string(b.era)) })
	for _, clients := range p.clients {
		m.calls[clients] = map[variant][]sample{}
		for round := range p.rounds {
			for i := range m.variants {
				v := m.variants[(i+round)%len(m.variants)]
				got, err := load(ctx, v.server, v.era, clients, p, pg, func() one { return accountCall("get_account") })
				if err != nil {
					return err
				}
				m.calls[clients][v] = append(m.calls[clients][v], got)
				fmt.Fprintf(out, "%3d clients, round %d: %-24s %7.0f calls/s, %s CPU a call\n", clients, round+1, v, got.perSec, micros(got.total()))
			}
		}
	}
	return nil
}

// starts measures what happens outside of load: memory when idle, restarts and deploys.
func (s *studio) starts(ctx context.Context, p *plan) (startFigures, error) {
	var f startFigures
	info, err := os.Stat(p.studio)
	if err != nil {
		return f, err
	}
	f.binary = int(info.Size())
	if _, err := answers(ctx, s.target(legacyEra, 0), accountCall("get_account"), s.p); err != nil {
		return f, err
	}
	if err := idle(ctx, 3*time.Second); err != nil {
		return f, err
	}
	f.idle = s.memories()
	for range p.repeat {
		spawn, all, err := s.restart(ctx)
		if err != nil {
			return f, fmt.Errorf("restart: %w", err)
		}
		f.spawn, f.kill = append(f.spawn, spawn), append(f.kill, all)
	}
	for range p.repeat {
		took, err := s.firstCall(ctx)
		if err != nil {
			return f, fmt.Errorf("deploy: %w", err)
		}
		f.deploys = append(f.deploys, took)
	}
	return f, nil
}

// memories are the resident bytes of the studio's processes; starter is 0 if the parent starts children itself.
type memories struct{ parent, starter, child int }

func (s *studio) memories() memories {
	m := memories{parent: memory(s.pids[0]), child: memory(s.pids[1])}
	if s.starter != s.pids[0] {
		m.starter = memory(s.starter)
	}
	return m
}

func (m memories) String() string {
	s := "parent " + mebi(m.parent) + ", child " + mebi(m.child)
	if m.starter > 0 {
		s += ", starter " + mebi(m.starter)
	}
	return s
}

func idle(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// restart kills the child and waits for the next answer that needs no database. It returns how long that took from the
// moment the new process was there, and from the kill.
func (s *studio) restart(ctx context.Context) (spawn, all time.Duration, err error) {
	if err := idle(ctx, 1300*time.Millisecond); err != nil { // a child that was ready for a second is restarted at once
		return 0, 0, err
	}
	c, err := dial(s.target(modernEra, 0))
	if err != nil {
		return 0, 0, err
	}
	defer c.conn.Close()
	old := s.pids[1]
	child, err := os.FindProcess(old)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := child.Kill(); err != nil {
		return 0, 0, err
	}
	answered := make(chan error, 1)
	var at time.Time
	go func() {
		for end := time.Now().Add(20 * time.Second); ; {
			status, body, err := c.post("tools/list", "", c.params([]byte(`{"jsonrpc":"2.0","id":2,"method":"tools/list",`), ""))
			if err == nil && status != 200 {
				err = fmt.Errorf("%d %.200s", status, body)
			}
			if at = time.Now(); err == nil || at.After(end) {
				answered <- err
				return
			}
		}
	}()
	var seen time.Time
	for seen.IsZero() {
		if c := slices.DeleteFunc(childrenOf(s.starter), func(pid int) bool { return pid == old }); len(c) > 0 {
			seen, s.pids[1] = time.Now(), c[0]
			break
		}
		select {
		case err := <-answered:
			return 0, 0, errors.Join(err, errors.New("the new child was not seen"))
		case <-time.After(100 * time.Microsecond):
		}
	}
	if err := <-answered; err != nil {
		return 0, 0, err
	}
	return at.Sub(seen), at.Sub(began), s.processes(ctx)
}

// firstCall deploys one tool more and returns how long it took from the request to the first answer of the new tool.
func (s *studio) firstCall(ctx context.Context) (time.Duration, error) {
	if err := s.addTools(ctx, s.tools+1); err != nil {
		return 0, err
	}
	name := toolNames(s.tools)[s.tools-1]
	deployed := make(chan error, 1)
	go func() { deployed <- s.deploy(ctx) }()
	took, err := answers(ctx, s.target(modernEra, 0), accountCall(name), s.p)
	return took, errors.Join(err, <-deployed)
}
