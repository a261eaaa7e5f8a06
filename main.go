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
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`

	Serve struct {
		DataDir  string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		Addr     string `help:"Address of the pages, the API and the MCP endpoint (STUDIO_ADDR)." placeholder:"HOST:PORT"`
		LogLevel string `help:"debug, info, warn or error (STUDIO_LOG_LEVEL)." placeholder:"LEVEL"`
	} `cmd:"" help:"Start the studio: its pages, the admin API and the MCP endpoint. The address is printed; end it with Ctrl-C."`
	ResetPassword struct {
		DataDir string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		Stdin   bool   `help:"Take the password from standard input instead of asking."`

		DisableTwoFactor bool `name:"disable-2fa" help:"Turn two-factor authentication off too."`
	} `cmd:"" help:"Set a new admin password and end every session. Works while the server runs."`
	RotateKey struct {
		DataDir  string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		Generate bool   `help:"Make a new key in the key file and rotate to it." xor:"how"`
		Forget   bool   `name:"forget-lost" help:"For a lost key: give up the secrets that no key opens; they must be entered again." xor:"how"`
	} `cmd:"" help:"Seal every secret anew with the first key. Safe to interrupt and repeat."`
	Backup struct {
		DataDir string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		File    string `arg:"" help:"File to make; one that exists is never overwritten."`
	} `cmd:"" help:"Copy the store, also while the server runs. The encryption key is not in it."`
	Restore struct {
		DataDir string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		File    string `arg:"" help:"The backup."`
	} `cmd:"" help:"Put a backup in the place of the store, after checking its version, integrity and key. The server must not run."`
	Doctor struct {
		DataDir string `help:"Directory of the store and the keys (STUDIO_DATA_DIR)." placeholder:"DIR"`
		JSON    bool   `name:"json" help:"Write JSON."`
	} `cmd:"" help:"Say what is not safe yet and how to mend it. Changes nothing; exit code 1 when an item fails."`
	Healthcheck struct{} `cmd:"" help:"Ask the running studio for its health; exit code 1 when none answers. For containers."`
	Connect     struct {
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
	parser, err := kong.New(&c, kong.Name("studio"), kong.Description("Turn a database into an MCP server."), kong.Vars{"version": server.Version()},
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
		fmt.Fprintf(errs, "studio: %v\n%s\n", err, help(err))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // the first signal ends in order; with the handler gone, a second one ends at once
	command := parsed.Command()
	err = c.run(ctx, command, in, out, errs)
	switch endless := command == "serve" || command == "connect"; {
	case err == nil, endless && errors.Is(err, context.Canceled):
		return exitOK
	case !endless && ctx.Err() != nil: // what a part of it says about being interrupted is for nobody
		err = errors.New("interrupted before it was done")
	}
	fmt.Fprintln(errs, "studio:", err)
	return exitFailed
}

// help says where the command line is explained that err is about.
func help(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context.Selected() != nil {
		return "Run studio " + wrong.Context.Selected().Name + " --help for what it takes."
	}
	return "Run studio --help for the commands."
}

func (c *commands) run(ctx context.Context, command string, in io.Reader, out, errs io.Writer) error {
	if command == "version" {
		_, err := fmt.Fprintln(out, server.Version())
		return err
	}
	if command == "serve" {
		server.CoarseTimers()
	}
	config, err := server.LoadConfig(dotenv(), os.Environ(), c.flags(command))
	if command == "doctor" {
		return server.Doctor(ctx, config, err, c.Doctor.JSON, out)
	}
	if err != nil {
		return err
	}
	switch command {
	case "reset-password":
		return server.ResetPassword(ctx, config, server.Terminal{In: in, Out: out}, server.Reset{Stdin: c.ResetPassword.Stdin, DisableTwoFactor: c.ResetPassword.DisableTwoFactor})
	case "rotate-key":
		if c.RotateKey.Forget {
			return server.ForgetLost(ctx, config, out)
		}
		return server.RotateKey(ctx, config, out, c.RotateKey.Generate)
	case "backup <file>":
		return server.Backup(ctx, config, out, c.Backup.File)
	case "restore <file>":
		return server.Restore(ctx, config, out, c.Restore.File)
	case "healthcheck":
		return server.HealthCheck(ctx, config)
	case "connect":
		return server.Connect(ctx, config, in, out, c.Connect.URL, c.Connect.TokenFile)
	}
	ui, err := pages()
	if err != nil {
		return err
	}
	return server.Run(ctx, config, ui, out, errs)
}

// flags are the settings of the command line, which win over the environment.
func (c *commands) flags(command string) []string {
	var out []string
	set := func(name, value string) {
		if value != "" {
			out = append(out, name+"="+value)
		}
	}
	switch command {
	case "serve":
		set("STUDIO_DATA_DIR", c.Serve.DataDir)
		set("STUDIO_ADDR", c.Serve.Addr)
		set("STUDIO_LOG_LEVEL", c.Serve.LogLevel)
	case "doctor":
		set("STUDIO_DATA_DIR", c.Doctor.DataDir)
	case "reset-password":
		set("STUDIO_DATA_DIR", c.ResetPassword.DataDir)
	case "rotate-key":
		set("STUDIO_DATA_DIR", c.RotateKey.DataDir)
	case "backup <file>":
		set("STUDIO_DATA_DIR", c.Backup.DataDir)
	case "restore <file>":
		set("STUDIO_DATA_DIR", c.Restore.DataDir)
	}
	return out
}

// dotenv is the .env file beside the program; empty when the program has no place.
func dotenv() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(exe), ".env")
}
