package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is one of those that are measured.
type server struct {
	name   string
	addr   string
	tokens []string // shared out among the clients; none: no auth
	pids   []int    // processes that work for a call
	eras   []era
	end    func()
}

func (s *server) target(e era, client int) target {
	t := target{addr: s.addr, era: e}
	if len(s.tokens) > 0 {
		t.token = s.tokens[client%len(s.tokens)]
	}
	return t
}

// program is a started process.
type program struct {
	cmd   *exec.Cmd
	ended chan struct{}
	lines chan string // of its standard output

	mu  sync.Mutex
	log bytes.Buffer // of its standard error
}

// start runs a command; a run that is cut off takes it along.
func start(path string, args, env []string) (*program, error) {
	p := &program{cmd: exec.Command(path, args...), ended: make(chan struct{}), lines: make(chan string, 64)}
	p.cmd.Env = env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.read(out)
		_ = p.cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

func (p *program) read(out io.Reader) {
	defer close(p.lines)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		select {
		case p.lines <- lines.Text():
		default: // nobody reads that far
		}
	}
}

// Write implements io.Writer for the standard error.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log.Len() < 1<<20 {
		p.log.Write(b)
	}
	return len(b), nil
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.log.String()
	return s[max(0, len(s)-4000):]
}

// line waits for a line of the output with this in it and returns what follows it.
func (p *program) line(ctx context.Context, mark string) (string, error) {
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return "", fmt.Errorf("%s ended:\n%s", p.cmd.Path, p.said())
			}
			if _, rest, ok := strings.Cut(line, mark); ok {
				return rest, nil
			}
		case <-timer.C:
			return "", fmt.Errorf("%s did not say %q:\n%s", p.cmd.Path, mark, p.said())
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// stop ends the process, by force after a while.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // gone already is as good
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// answers waits until a server answers a call rightly, and returns how long that took.
func answers(ctx context.Context, t target, call one, p *program) (time.Duration, error) {
	begin := time.Now()
	var last error
	for time.Since(begin) < 60*time.Second && ctx.Err() == nil {
		c, err := dial(t)
		if err == nil {
			err = call(c, 2)
			c.conn.Close()
		}
		if err == nil {
			return time.Since(begin), nil
		}
		last = err
		select {
		case <-p.ended:
			return 0, fmt.Errorf("%s ended:\n%s", p.cmd.Path, p.said())
		case <-time.After(2 * time.Millisecond):
		}
	}
	return 0, fmt.Errorf("%s does not answer: %w\n%s", p.cmd.Path, errors.Join(last, ctx.Err()), p.said())
}

// bare is an environment with what programs need and nothing else.
func bare(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir()}, more...)
}
