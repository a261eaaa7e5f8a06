// Command studio is MCP Studio: one program that turns a database into an MCP
// server. See studio --help; the hidden command child is how it starts its own
// sandboxed processes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"mcpstudio/mcpgen/child"
	"mcpstudio/server"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands is the command line.
type commands struct {
	Serve struct {
		DataDir  string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		Addr     string `help:"Address of the pages, the API and the MCP endpoint (STUDIO_ADDR)." placeholder:"HOST:PORT"`
		LogLevel string `help:"debug, info, warn or error (STUDIO_LOG_LEVEL)." placeholder:"LEVEL"`
	} `cmd:"" help:"Run everything."`
	ResetPassword struct {
		DataDir string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		Stdin   bool   `help:"Take the password from standard input instead of asking."`
	} `cmd:"" help:"Set a new admin password and end every session. Works while the server runs."`
	Connect struct {
		URL       string `required:"" help:"Address of the MCP endpoint, for example http://127.0.0.1:3000/mcp." placeholder:"URL"`
		TokenFile string `help:"File that holds the token; without it, STUDIO_MCP_TOKEN is used." placeholder:"FILE" type:"path"`
	} `cmd:"" help:"Bridge a client that only speaks stdio to a deployed server."`
	Version struct{} `cmd:"" help:"Print the version."`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. It returns its exit code.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == "child" {
		return child.Main(args[1:])
	}
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("studio"), kong.Description("Turn a database into an MCP server."), kong.UsageOnError(),
		kong.Writers(out, errs), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(errs, "studio:", err)
		return exitUsage
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(errs, "studio: %v\nRun studio --help for the commands.\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx, parsed.Command(), in, out, errs); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(errs, "studio:", err)
		return exitFailed
	}
	return exitOK
}

func (c *commands) run(ctx context.Context, command string, in io.Reader, out, errs io.Writer) error {
	if command == "version" {
		_, err := fmt.Fprintln(out, server.Version())
		return err
	}
	environ, err := environment()
	if err != nil {
		return err
	}
	switch command {
	case "serve":
		environ = with(environ, "STUDIO_DATA_DIR", c.Serve.DataDir)
		environ = with(environ, "STUDIO_ADDR", c.Serve.Addr)
		environ = with(environ, "STUDIO_LOG_LEVEL", c.Serve.LogLevel)
	case "reset-password":
		environ = with(environ, "STUDIO_DATA_DIR", c.ResetPassword.DataDir)
	}
	config, err := server.ConfigFromEnv(environ)
	if err != nil {
		return err
	}
	switch command {
	case "reset-password":
		return server.ResetPassword(ctx, config, server.Terminal{In: in, Out: out}, c.ResetPassword.Stdin)
	case "connect":
		return server.Connect(ctx, config, in, out, c.Connect.URL, c.Connect.TokenFile)
	}
	ui, err := pages()
	if err != nil {
		return err
	}
	return server.Run(ctx, config, ui, out, errs)
}

// with adds a flag's value, which wins over the environment.
func with(environ []string, name, value string) []string {
	if value == "" {
		return environ
	}
	return append(environ, name+"="+value)
}

// environment is the process's environment over the .env file beside the program.
func environment() ([]string, error) {
	exe, err := os.Executable()
	if err != nil {
		return os.Environ(), nil // nothing is beside a program without a place
	}
	return server.Environ(filepath.Join(filepath.Dir(exe), ".env"), os.Environ())
}
