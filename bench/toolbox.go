package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// installedToolbox finds the peer where make bench installs it; npm keeps the program in a package of its platform.
func installedToolbox() string {
	found, _ := filepath.Glob("bench/toolbox/node_modules/@toolbox-sdk/server-*/bin/toolbox") // the pattern is right
	slices.Sort(found)
	if len(found) == 0 {
		return ""
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		return ""
	}
	return path
}

// startToolbox starts the peer with its own defaults, the same number of sessions, and tools of the same form. It has no
// authentication of its own for this, no limits, no read-only transaction and no log below warnings.
func startToolbox(ctx context.Context, path string, pg *postgres, tools int) (*server, error) {
	dir, err := os.MkdirTemp("", "bench-toolbox.")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "tools.yaml")
	if err := os.WriteFile(config, toolboxConfig(pg, tools), 0o600); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := start(path, []string{"--config", config, "--address", "127.0.0.1", "--port", strconv.Itoa(port), "--disable-version-check", "--disable-reload", "--log-level", "WARN"}, bare())
	if err != nil {
		return nil, fmt.Errorf("start MCP Toolbox: %w", err)
	}
	s := &server{
		name: "MCP Toolbox", addr: "127.0.0.1:" + strconv.Itoa(port), pids: []int{p.cmd.Process.Pid}, eras: []era{legacyEra},
		end: func() { p.stop(); os.RemoveAll(dir) },
	}
	if _, err := answers(ctx, s.target(legacyEra, 0), accountCall("get_account"), p); err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// toolboxConfig is a source, the tool that is called, and more like it.
func toolboxConfig(pg *postgres, tools int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "sources:\n  bench:\n    kind: postgres\n    host: %s\n    port: %d\n    database: %s\n    user: %s\n    password: %s\n    queryParams:\n      sslmode: disable\n      pool_max_conns: %q\ntools:\n",
		pg.host, pg.port, pg.database, pg.role, pg.password, strconv.Itoa(sessions))
	for _, name := range toolNames(tools) {
		fmt.Fprintf(&b, "  %s:\n    kind: postgres-sql\n    source: bench\n    description: %s\n    statement: %s$1\n    parameters:\n      - name: aid\n        type: integer\n        description: %s\n",
			name, toolDescription, statement, parameterDescription)
	}
	return []byte(b.String())
}

// freePort is for a program that cannot say which port it was given; somebody else may take it first.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
