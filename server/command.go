package server

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/term"

	"mcpstudio/auth/limit"
	"mcpstudio/auth/password"
	"mcpstudio/auth/session"
	"mcpstudio/server/connect"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// build is what Go recorded when the program was built: the version of its tag and the commit, from version control.
func build() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	version = cmp.Or(strings.Trim(info.Main.Version, "()"), "devel")
	if untagged.MatchString(version) { // Go makes up a version from time and commit; people read the commit
		version = "dev-" + commit[:min(7, len(commit))]
	}
	return version, cmp.Or(commit, "unknown")
}

// untagged matches the pseudo-versions of commits without a tag (Go modules reference, "Pseudo-versions").
var untagged = regexp.MustCompile(`-(0\.)?\d{14}-[0-9a-f]{12}(\+dirty)?$`)

// Version is what studio version prints: version, commit and Go version.
func Version() string {
	version, commit := build()
	return fmt.Sprintf("studio %s (commit %s, %s %s/%s)", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// accounts makes the session service on an open store.
func accounts(d *db.DB, secret []byte, log *slog.Logger) (*session.Service, error) {
	hasher, err := password.New()
	if err != nil {
		return nil, err
	}
	return session.New(d, d, d, session.Options{Secret: secret, Hasher: hasher, Limiter: limit.New(d, limit.Options{}), Log: log})
}

// Terminal is where a command reads and writes.
type Terminal struct {
	In  io.Reader
	Out io.Writer
}

// maxPasswordLine bounds what is read as a password; longer than any that is accepted.
const maxPasswordLine = 4096

// Reset says how ResetPassword goes about it.
type Reset struct {
	Stdin            bool // take the password from the input instead of asking
	DisableTwoFactor bool // turn two-factor off too
}

// ResetPassword sets a new admin password and ends every session. It works beside a running studio. The password is asked for on the
// terminal, or is the first line of the input; never an argument, which every process on the host could read.
func ResetPassword(ctx context.Context, c Config, t Terminal, o Reset) error {
	exists, err := db.Exists(c.DataDir)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("there is no studio in %s; give the directory with --data-dir or STUDIO_DATA_DIR", c.DataDir)
	}
	pass, err := t.password(ctx, o.Stdin)
	if err != nil {
		return err
	}
	key, _ := c.EncryptionKey.Reveal()
	keys, err := keyring.Open(keyring.Options{Dir: c.DataDir, Env: key, MustExist: true})
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, db.Options{Dir: c.DataDir, Keyring: keys, Beside: true})
	if err != nil {
		return err
	}
	sessions, err := newSessions(c, d, slog.New(slog.DiscardHandler))
	if err != nil {
		return errors.Join(err, d.Close())
	}
	username, twoFactor, err := sessions.ResetPassword(ctx, pass, o.DisableTwoFactor)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	text := fmt.Sprintf("The password of %s was changed and every session ended.\n", username)
	switch {
	case twoFactor:
		text += "Signing in still takes a code of the authenticator app; --disable-2fa turns that off.\n"
	case o.DisableTwoFactor:
		text += "Two-factor is off.\n"
	}
	_, err = io.WriteString(t.Out, text)
	return err
}

func (t Terminal) password(ctx context.Context, stdin bool) (string, error) {
	if stdin {
		line, err := awaited(ctx, func() (string, error) {
			return bufio.NewReader(io.LimitReader(t.In, maxPasswordLine)).ReadString('\n')
		})
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", errors.Join(errors.New("no password came on the standard input"), ignoreEOF(err))
		}
		return line, nil
	}
	f, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", errors.New("there is no terminal to ask on; use --stdin and give the password on the standard input")
	}
	first, err := t.ask(ctx, f, "New password: ")
	if err != nil {
		return "", err
	}
	again, err := t.ask(ctx, f, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two passwords differ; nothing was changed")
	}
	return first, nil
}

// ask reads a line without showing it. When it is interrupted, the terminal shows again what is typed.
func (t Terminal) ask(ctx context.Context, f *os.File, prompt string) (string, error) {
	was, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	if _, err := io.WriteString(t.Out, prompt); err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	b, err := awaited(ctx, func() ([]byte, error) { return term.ReadPassword(int(f.Fd())) })
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), term.Restore(int(f.Fd()), was))
	}
	if _, werr := io.WriteString(t.Out, "\n"); err == nil {
		err = werr
	}
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(b), nil
}

// awaited is a read that may wait for a person. No context interrupts such a read, so it is left behind when ctx ends; the program ends
// then too.
func awaited[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := read()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Connect bridges a client on in and out to the MCP endpoint at url. The token comes from a file or the environment.
func Connect(ctx context.Context, c Config, in io.Reader, out io.Writer, url, tokenFile string) error {
	token, _ := c.MCPToken.Reveal()
	if tokenFile != "" {
		var err error
		if token, err = connect.ReadToken(tokenFile); err != nil {
			return err
		}
	}
	return connect.Bridge(ctx, in, out, connect.Options{URL: url, Token: token})
}
