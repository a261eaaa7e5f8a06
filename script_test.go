package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be the program, in scripts and as the child it starts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"studio": main})
}

// TestScripts drives the real program. Beside testscript's own commands there are
//
//	serve [flag...]                starts studio serve and waits for its address; sets URL, CODE (of the setup link) and PID
//	stop [signal]                  ends it and waits; its log is then in serve.log
//	http status METHOD path [body] calls it with the session of the last answer that set one; the body goes to stdout
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "server/testdata/script",
		Setup: func(e *testscript.Env) error {
			// Children have a user id of their own when the studio runs as root: they must get to the databases.
			for dir := e.WorkDir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			e.Setenv("STUDIO_DATA_DIR", filepath.Join(e.WorkDir, "data"))
			for _, name := range []string{"STUDIO_ADDR", "STUDIO_API_ADDR", "STUDIO_MCP_ADDR"} {
				e.Setenv(name, "127.0.0.1:0")
			}
			e.Setenv("STUDIO_SANDBOX", "degraded") // what this machine allows is what mcpgen/sandbox tests
			e.Values[key{}] = &served{}
			e.Defer(e.Values[key{}].(*served).kill)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serveCmd, "stop": stopCmd, "http": httpCmd},
	})
}

type key struct{}

// served is the studio of one script.
type served struct {
	cmd    *exec.Cmd
	log    *os.File
	cookie string
}

func (s *served) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // gone already is as good
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func state(ts *testscript.TestScript) *served { return ts.Value(key{}).(*served) }

func serveCmd(ts *testscript.TestScript, neg bool, args []string) {
	s := state(ts)
	s.kill()
	program, err := exec.LookPath("studio")
	ts.Check(err)
	s.log, err = os.Create(ts.MkAbs("serve.log"))
	ts.Check(err)
	s.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
	s.cmd.Stderr = s.log
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "STUDIO_DATA_DIR", "STUDIO_ADDR", "STUDIO_API_ADDR", "STUDIO_MCP_ADDR", "STUDIO_SANDBOX", "STUDIO_ADMIN_USERNAME", "STUDIO_ADMIN_PASSWORD", "STUDIO_ENCRYPTION_KEY"} {
		if v := ts.Getenv(name); v != "" {
			s.cmd.Env = append(s.cmd.Env, name+"="+v)
		}
	}
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil { // it ended
		_ = s.cmd.Wait()
		s.cmd = nil
		ts.Check(s.log.Close())
		log, err := os.ReadFile(ts.MkAbs("serve.log"))
		ts.Check(err)
		if !neg {
			ts.Fatalf("studio serve ended:\n%s", log)
		}
		return
	}
	if neg {
		ts.Fatalf("studio serve runs, against expectation: %s", first)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(first), " is at ")
	ts.Setenv("URL", url)
	ts.Setenv("PID", strconv.Itoa(s.cmd.Process.Pid))
	ts.Setenv("CODE", "")
	if lines.Buffered() > 0 { // the link is written together with the address
		second, err := lines.ReadString('\n')
		ts.Check(err)
		_, code, _ := strings.Cut(strings.TrimSpace(second), "#code=")
		ts.Setenv("CODE", code)
	}
}

func stopCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := state(ts)
	if s.cmd == nil {
		ts.Fatalf("nothing is served")
	}
	signal := syscall.SIGTERM
	if len(args) == 1 && args[0] == "KILL" {
		signal = syscall.SIGKILL
	}
	ts.Check(s.cmd.Process.Signal(signal))
	timer := time.AfterFunc(45*time.Second, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	if !timer.Stop() {
		ts.Fatalf("studio serve did not end")
	}
	if signal == syscall.SIGTERM {
		ts.Check(err)
	}
	s.cmd = nil
	ts.Check(s.log.Close())
}

func httpCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || len(args) > 4 || neg {
		ts.Fatalf("usage: http status METHOD path [body]")
	}
	s := state(ts)
	var body io.Reader
	if len(args) == 4 {
		body = strings.NewReader(args[3])
	}
	q, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], body)
	ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	if s.cookie != "" {
		q.Header.Set("Cookie", s.cookie)
	}
	client := http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(q)
	ts.Check(err)
	defer res.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(res.Body)
	ts.Check(err)
	for _, c := range res.Cookies() {
		s.cookie = c.Name + "=" + c.Value
	}
	fmt.Fprint(ts.Stdout(), out.String())
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("%s %s: got %d, want %s: %s", args[1], args[2], res.StatusCode, args[0], out.String())
	}
}
