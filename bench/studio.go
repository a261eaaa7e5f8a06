package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Of every tool.
const (
	toolDescription      = "Returns one account with its branch, its balance and its filler."
	parameterDescription = "Number of the account."
)

// toolNames are n tools; the first is the one that is called.
func toolNames(n int) []string {
	names := []string{"get_account"}
	for i := 1; i < n; i++ {
		names = append(names, fmt.Sprintf("get_account_%04d", i))
	}
	return names
}

// studio is a running studio, set up through its admin API.
type studio struct {
	*server
	p          *program
	base       string
	cookie     string
	connection string
	level      string // of the sandbox
	starter    int    // process that starts children
	tools      int
}

// object is one of the API.
type object map[string]any

// startStudio runs the binary in a fresh data directory and deploys one tool. Everything is as it comes, but for the
// session limit, which all servers share, and the rate limit, which is on and out of reach.
func startStudio(ctx context.Context, p *plan, pg *postgres) (*studio, error) {
	dir, err := os.MkdirTemp("", "bench-studio.")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the child has a user of its own when the studio runs as root
		return nil, err
	}
	password := rand.Text()
	proc, err := start(p.studio, []string{"serve"}, bare("STUDIO_DATA_DIR="+dir+"/data", "STUDIO_ADDR=127.0.0.1:0", "STUDIO_API_ADDR=off", "STUDIO_MCP_ADDR=off",
		"STUDIO_SANDBOX="+p.sandbox, "STUDIO_ADMIN_USERNAME=bench", "STUDIO_ADMIN_PASSWORD="+password))
	if err != nil {
		return nil, fmt.Errorf("start the studio: %w", err)
	}
	s := &studio{p: proc, server: &server{name: "studio", eras: []era{legacyEra, modernEra}, end: func() { proc.stop(); os.RemoveAll(dir) }}}
	if err := s.setUp(ctx, pg, password); err != nil {
		s.end()
		return nil, fmt.Errorf("set up the studio: %w\n%s", err, proc.said())
	}
	return s, nil
}

func (s *studio) setUp(ctx context.Context, pg *postgres, password string) error {
	var err error
	if s.base, err = s.p.line(ctx, " is at "); err != nil {
		return err
	}
	s.addr = strings.TrimPrefix(s.base, "http://")
	if err := s.api(ctx, "POST", "auth/login", object{"username": "bench", "password": password}, nil); err != nil {
		return err
	}
	var config struct{ Version int }
	if err := s.api(ctx, "GET", "server/config", nil, &config); err != nil {
		return err
	}
	if err := s.api(ctx, "PATCH", "server/config", object{"version": config.Version, "auth_type": "bearer", "mcp_rate_limit": 1_000_000}, nil); err != nil {
		return err
	}
	var made struct{ ID, Token string }
	if err := s.api(ctx, "POST", "connections", object{
		"name": "Bench", "db_type": "postgresql", "host": pg.host, "port": pg.port, "database": pg.database, "username": pg.role, "password": pg.password, "ssl_mode": "disable",
		"pool_max_size": sessions, "max_concurrent_queries": sessions,
	}, &made); err != nil {
		return err
	}
	s.connection = made.ID
	for i := range 4 { // the rate limit counts by token
		if err := s.api(ctx, "POST", "mcp-tokens", object{"name": fmt.Sprintf("bench %d", i)}, &made); err != nil {
			return err
		}
		s.tokens = append(s.tokens, made.Token)
	}
	if err := s.addTools(ctx, 1); err != nil {
		return err
	}
	return s.deploy(ctx)
}

// addTools makes tools until there are n.
func (s *studio) addTools(ctx context.Context, n int) error {
	for ; s.tools < n; s.tools++ {
		err := s.api(ctx, "POST", "tools", object{
			"connection_id": s.connection, "name": toolNames(n)[s.tools], "description": toolDescription, "sql_query": statement + ":aid",
			"parameters": []object{{"name": "aid", "param_type": "integer", "is_required": true, "description": parameterDescription}},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// deploy starts a deploy and waits until its revision serves.
func (s *studio) deploy(ctx context.Context) error {
	var started struct{ Revision int }
	if err := s.api(ctx, "POST", "deploy", object{"accept_warnings": true}, &started); err != nil {
		return err
	}
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var now struct {
			Status    string
			Revision  int
			Error     string
			Deploying *object
			Level     string `json:"sandbox_level"`
		}
		if err := s.api(ctx, "GET", "deploy/status", nil, &now); err != nil {
			return err
		}
		switch {
		case now.Deploying != nil:
		case now.Revision == started.Revision && now.Status == "running":
			s.level = now.Level
			return s.processes(ctx)
		default:
			return fmt.Errorf("revision %d does not serve: %s %s", started.Revision, now.Status, now.Error)
		}
	}
	return fmt.Errorf("revision %d does not serve after a minute", started.Revision)
}

// processes notes the parent, the live child and who started it: the parent itself, or as root a process of its own.
func (s *studio) processes(ctx context.Context) error {
	var health struct {
		Server struct{ PID int }
	}
	if err := s.api(ctx, "GET", "server/health", nil, &health); err != nil {
		return err
	}
	child, err := readStat(health.Server.PID)
	if err != nil {
		return fmt.Errorf("find the live child: %w", err)
	}
	s.pids, s.starter = []int{s.p.cmd.Process.Pid, health.Server.PID}, child.parent
	return nil
}

// api makes one call of the admin API.
func (s *studio) api(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, s.base+"/api/v1/"+path, body)
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	if s.cookie != "" {
		q.Header.Set("Cookie", s.cookie)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, b)
	}
	for _, c := range res.Cookies() {
		s.cookie = c.Name + "=" + c.Value
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
