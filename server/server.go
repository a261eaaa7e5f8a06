package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"mcpstudio/auth/session"
	"mcpstudio/auth/token"
	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/supervisor"
	"mcpstudio/server/clientip"
	"mcpstudio/server/doctor"
	"mcpstudio/server/front"
	"mcpstudio/server/rest"
	"mcpstudio/server/studio"
	"mcpstudio/store"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// Run is studio serve: it starts everything, prints where it is, and blocks until ctx ends and everything has ended. What people need
// (the setup link) goes to out, the log to errs.
func Run(ctx context.Context, c Config, ui fs.FS, out, errs io.Writer) error {
	// Whoever reads the log or the output may leave; a write to a pipe without a reader is then an error and not the end (os/signal,
	// "SIGPIPE"). Nobody receives from the channel. To ignore the signal would make every child ignore it too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	kept := forgetSecrets()
	starter, err := harden()
	if err != nil {
		return err
	}
	if starter != nil {
		defer starter.Close() // its children have ended by then
		c.starter = starter
	}
	level := new(slog.LevelVar)
	level.Set(c.LogLevel)
	log := newLog(c, errs, level)
	if kept != nil {
		log.Warn("secrets stay in this process's environment, where root can read them", "error", kept)
	}
	s, err := New(ctx, c, ui, log)
	if err != nil {
		return err
	}
	if !c.LogLevelGiven { // the environment's word is final; otherwise the server config's counts, from one change to the next
		s.settings.follow(ctx, level)
	}
	s.confine()
	if err := s.announce(ctx, out); err != nil {
		return errors.Join(err, s.Close())
	}
	err = s.serve(ctx)
	return errors.Join(err, s.Close())
}

func newLog(c Config, w io.Writer, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	f, file := w.(*os.File)
	if c.LogFormat == "text" || c.LogFormat == "" && file && term.IsTerminal(int(f.Fd())) {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// Server is the studio with its listeners open. Fields are in the order of their start.
type Server struct {
	config     Config
	log        *slog.Logger
	version    string
	db         *db.DB
	sessions   *session.Service
	tokens     *token.Verifier
	supervisor *supervisor.Supervisor
	studio     *studio.Service
	front      *front.Front
	settings   *settings
	api        *rest.Handler
	listeners  []*listener
	unwatch    []func()
}

// New opens the store and the listeners and puts everything together; nothing is served yet. On an error all is closed again.
func New(ctx context.Context, c Config, ui fs.FS, log *slog.Logger) (_ *Server, err error) {
	s := &Server{config: c, log: log}
	s.version, _ = build()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.warn()
	keys, err := s.openStore(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.openAccounts(ctx); err != nil {
		return nil, err
	}
	if err := s.openListeners(ctx); err != nil {
		return nil, err
	}
	if s.tokens, err = token.New(ctx, s.db, token.Options{Log: log}); err != nil {
		return nil, err
	}
	s.unwatch = append(s.unwatch, s.db.Observe(s.tokens.Changed))
	if s.settings, err = newSettings(ctx, s.db, s.hosts(), s.publicOrigin(), s.site().Exposed); err != nil {
		return nil, err
	}
	s.unwatch = append(s.unwatch, s.db.Observe(s.settings.changed))
	s.generate()
	return s, s.connect(keys, ui)
}

// warn tells operators about settings that do nothing, or more than they may think.
func (s *Server) warn() {
	for _, name := range s.config.Warnings {
		s.log.Warn("a variable has no effect in this version", "variable", name)
	}
	if f := s.config.DotEnv; f != nil && f.Mode != 0o600 {
		s.log.Warn("the .env file should be readable by its owner alone", "path", f.Path, "mode", fmt.Sprintf("%04o", f.Mode), "mend", "chmod 600 "+f.Path)
	}
	for _, p := range s.config.Proxies {
		if doctor.Everybody(p) {
			s.log.Warn("everybody is a trusted proxy and can choose the address that failed sign-ins are counted for", "variable", "STUDIO_TRUSTED_PROXIES", "network", p.String())
		}
	}
}

// openStore makes the data directory, the keys and the store.
func (s *Server) openStore(ctx context.Context) (*keyring.Keyring, error) {
	keys, err := s.openKeys(ctx)
	err = orForget(err)
	if err != nil && !strings.Contains(err.Error(), "STUDIO_") { // where it is wrong is for the operator to say, by a variable
		err = fmt.Errorf("STUDIO_DATA_DIR (%s): %w", s.config.DataDir, err)
	}
	return keys, err
}

func (s *Server) openKeys(ctx context.Context) (*keyring.Keyring, error) {
	exists, err := db.Exists(s.config.DataDir)
	if err != nil {
		return nil, err
	}
	if err := db.PrepareDir(s.config.DataDir); err != nil { // before a key is made in it
		return nil, err
	}
	key, _ := s.config.EncryptionKey.Reveal()
	keys, err := keyring.Open(keyring.Options{Dir: s.config.DataDir, Env: key, MustExist: exists})
	if err != nil {
		return nil, err
	}
	if s.db, err = db.Open(ctx, db.Options{Dir: s.config.DataDir, Keyring: keys, Log: s.log}); err != nil {
		return nil, err
	}
	return keys, s.openSQLiteDir()
}

// openAccounts makes the session service, and the admin of the environment when there is none yet.
func (s *Server) openAccounts(ctx context.Context) error {
	var err error
	if s.sessions, err = newSessions(s.config, s.db, s.log); err != nil {
		return err
	}
	password, given := s.config.AdminPassword.Reveal()
	if !given {
		return nil
	}
	_, open, err := s.sessions.SetupCode(ctx)
	if err != nil {
		return err
	}
	if !open { // whoever changes it there expects another password
		s.log.Info("there is an admin already, so STUDIO_ADMIN_USERNAME and STUDIO_ADMIN_PASSWORD change nothing; studio reset-password sets a new password")
		return nil
	}
	if err := s.sessions.CreateAdmin(ctx, s.config.AdminUsername, password); err != nil {
		return fmt.Errorf("make the admin of STUDIO_ADMIN_USERNAME and STUDIO_ADMIN_PASSWORD: %w", err)
	}
	s.log.Info("the admin was made from the environment")
	return nil
}

// generate makes the supervisor and the operations.
func (s *Server) generate() {
	c := s.config
	s.supervisor = supervisor.New(supervisor.Options{
		Starter: c.starter, Enforce: c.Enforce, SQLiteDir: c.SQLiteDir, Log: s.log,
		Broker: supervisor.BrokerPolicy{AllowPrivate: c.AllowPrivate, Own: s.own},
	})
	s.front = front.New(front.Options{
		Live: s.supervisor, Verifier: s.tokens, Settings: s.settings.current, ClientIP: s.clientIP(), Recorder: recorder{s}, Log: s.log,
	})
	s.studio = studio.New(studio.Options{
		DB: s.db, Deployer: s.supervisor, Workbench: s.supervisor, Logs: s.supervisor.Logs(), Player: player{s.front}, Site: s.site, Facts: s.facts,
		Passwords: s.sessions, SQLiteDir: c.SQLiteDir, Version: s.version, Log: s.log,
	})
	s.supervisor.OnChange(func(mcpgen.ServerState) { s.studio.ServerChanged() })
	s.supervisor.OnSecurity(s.studio.ChildKilled)
}

func (s *Server) clientIP() clientip.Resolver {
	return clientip.Resolver{Trusted: s.config.Proxies, TrustUnix: s.config.TrustUnix}
}

// connect makes the handlers of the listeners.
func (s *Server) connect(keys *keyring.Keyring, ui fs.FS) error {
	var origins []string
	if o := s.publicOrigin(); o != "" {
		origins = append(origins, o)
	}
	var err error
	s.api, err = rest.New(rest.Options{
		Ops: s.studio.Ops(), Enums: studio.Enums(), Sessions: s.sessions, Admin: s.db.Admin, Streams: s.studio, Ready: s.studio.Ready,
		ClientIP: s.clientIP(), Origins: origins, Key: rest.Key{Source: keys.Source(), Path: keys.Path()}, Version: s.version, Log: s.log,
	})
	if err != nil {
		return err
	}
	pages, err := newPages(ui)
	if err != nil {
		return err
	}
	hosts := s.hosts() // once: this is on the way of every call
	for _, l := range s.listeners {
		l.server = newHTTPServer(rest.Secure(front.CheckHost(func() []string { return hosts }, l.mux(s.api, s.front, pages))), connectionLimit(len(s.listeners)), s.log)
	}
	return nil
}

// serve runs everything until ctx ends or a listener fails, then ends what serves: streams first, running requests after them.
func (s *Server) serve(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop() // before the wait
	beside.Go(func() { s.front.Run(background) })
	beside.Go(func() {
		if err := s.tokens.Run(background); err != nil {
			s.log.Error("the last uses of MCP tokens were not written", "error", err)
		}
	})
	if err := s.studio.Resume(ctx); err != nil {
		s.log.Error("the live revision could not be started again", "error", err)
	}
	failed := make(chan error, len(s.listeners))
	for _, l := range s.listeners {
		beside.Go(func() {
			if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", l.name, err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	case <-s.starterDone():
		err = s.starterEnded()
	}
	s.log.Info("the studio ends")
	s.shutdown(ctx)
	return err
}

func (s *Server) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	s.studio.EndStreams()
	var all sync.WaitGroup
	for _, l := range s.listeners {
		all.Go(func() {
			if err := l.server.Shutdown(ctx); err != nil {
				s.log.Warn("requests were cut off", "listener", l.name, "error", err)
				_ = l.server.Close() // what is left had its time
			}
		})
	}
	all.Wait()
}

// Close ends what New made, in the reverse order. It is for after serve, or instead of it.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("close %s: %w", l.name, err))
		}
	}
	if s.studio != nil {
		s.studio.Close()
	}
	if s.supervisor != nil {
		ctx, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		errs = append(errs, s.supervisor.Close(ctx))
	}
	for _, stop := range s.unwatch {
		stop()
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// announce prints where the studio is, and the way to set it up while that is open. The code is not logged.
func (s *Server) announce(ctx context.Context, out io.Writer) error {
	base := s.base()
	for _, l := range s.listeners {
		s.log.Info("listening", "listener", l.name, "address", l.Addr().String())
	}
	code, open, err := s.sessions.SetupCode(ctx)
	if err != nil {
		return err
	}
	text := "MCP Studio " + s.version + " is at " + base + "\n"
	if open {
		text += "Set it up at " + base + "/setup#code=" + code + "\n"
	}
	if at := s.config.Front.Unix; at != "" && s.config.PublicURL == nil {
		text += "It listens on the socket " + at + "; try it with: curl --unix-socket " + at + " " + base + "/api/health\n" +
			"For a browser, put a proxy in front of the socket, set STUDIO_PUBLIC_URL to its address and STUDIO_TRUSTED_PROXIES=unix, so that it may say who calls.\n"
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	return nil
}

// own lists the studio's own listeners, which no connection may reach.
func (s *Server) own() []netip.AddrPort {
	var out []netip.AddrPort
	for _, l := range s.listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok {
			out = append(out, tcp.AddrPort())
		}
	}
	return out
}

// newSessions makes the session service on an open store.
func newSessions(c Config, d *db.DB, log *slog.Logger) (*session.Service, error) {
	secret, _ := c.SessionSecret.Reveal()
	key, err := session.OpenSecret(c.DataDir, secret)
	if err != nil {
		return nil, err
	}
	return accounts(d, key, log)
}

var _ studio.Deployer = (*supervisor.Supervisor)(nil)

// settings keeps what the front reads on every call.
type settings struct {
	db      *db.DB
	hosts   []string
	origin  string
	exposed bool         // others than this machine can reach the MCP endpoint
	mu      sync.RWMutex // guards the rest
	now     front.Settings
	level   *slog.LevelVar // follows the config's log level; nil: the environment decides
}

// authUnconfirmed is a mode the front does not know, and so a closed door: "none" was chosen while only this machine reached the
// endpoint, and the environment has since opened it to others. Nobody has confirmed that.
const authUnconfirmed store.AuthType = "none (not confirmed for an endpoint that others reach)"

func newSettings(ctx context.Context, d *db.DB, hosts []string, origin string, exposed bool) (*settings, error) {
	s := &settings{db: d, hosts: hosts, origin: origin, exposed: exposed}
	return s, s.load(ctx)
}

func (s *settings) load(ctx context.Context) error {
	return s.db.View(ctx, func(tx *db.Tx) error {
		c, err := tx.Config()
		if err != nil {
			return err
		}
		mode := c.AuthType
		if mode == store.AuthNone && s.exposed && !c.AuthNoneConfirmed {
			mode = authUnconfirmed
		}
		s.set(front.Settings{AuthType: mode, CORSOrigins: c.CORSOrigins, RateLimit: c.MCPRateLimit, Hosts: s.hosts, PublicOrigin: s.origin})
		s.mu.RLock()
		defer s.mu.RUnlock()
		var level slog.Level
		if s.level != nil && level.UnmarshalText([]byte(c.LogLevel)) == nil {
			s.level.Set(level)
		}
		return nil
	})
}

// follow makes level that of the config, now and after every change.
func (s *settings) follow(ctx context.Context, level *slog.LevelVar) {
	s.mu.Lock()
	s.level = level
	s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		s.set(front.Settings{Hosts: s.hosts})
	}
}

func (s *settings) set(now front.Settings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

func (s *settings) current() front.Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now
}

// changed follows the server config. Settings that cannot be read close the door: a mode that is not known refuses every call.
func (s *settings) changed(c store.Change) {
	if c.EntityType != store.KindServerConfig {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.load(ctx); err != nil {
		s.set(front.Settings{Hosts: s.hosts})
	}
}
