package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpstudio/mcpgen/driver"
	dt "mcpstudio/mcpgen/driver/drivertest"
	"mcpstudio/mcpgen/driver/postgres"
	"mcpstudio/store"
)

// server is a PostgreSQL of the test's own, which it may stop and whose certificate it knows.
type server struct {
	t         *testing.T
	bin, dir  string
	owner     *syscall.Credential // nil: the one who tests
	port      int
	authority string // PEM
}

// newServer starts one. The programs refuse to run as root, so there they run as the user postgres.
func newServer(t *testing.T) *server {
	t.Helper()
	if os.Getenv("STUDIO_TEST_POSTGRES") == "" {
		t.Skip("STUDIO_TEST_POSTGRES is not set: run through make test")
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil || len(found) == 0 {
		t.Skip("no PostgreSQL programs in /usr/lib/postgresql: the server's own TLS and restarts are not tested")
	}
	dir, err := os.MkdirTemp("", "studio-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, bin: filepath.Dir(found[len(found)-1]), dir: dir}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("no user postgres, and PostgreSQL does not run as root: the server's own TLS and restarts are not tested")
		}
		uid, _ := strconv.Atoi(u.Uid) // a number on every system with such a user
		gid, _ := strconv.Atoi(u.Gid)
		s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	s.run("initdb", "-D", "data", "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	authority, certificate, key := certificates(t)
	s.authority = authority
	s.write("server.crt", certificate)
	s.write("server.key", key)
	s.write("data/pg_hba.conf", hba)
	s.write("data/postgresql.auto.conf", fmt.Sprintf("port = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '%s'\nfsync = off\nssl = on\nssl_cert_file = '%s/server.crt'\nssl_key_file = '%s/server.key'\npassword_encryption = 'scram-sha-256'\nmax_prepared_transactions = 5\n", s.port, dir, dir, dir))
	s.start()
	t.Cleanup(func() { s.stop("immediate") })
	return s
}

const hba = `
host    all admin      127.0.0.1/32 trust
hostssl all tls_only   127.0.0.1/32 scram-sha-256
hostnossl all plain_only 127.0.0.1/32 scram-sha-256
host    all tls_only,plain_only 127.0.0.1/32 reject
host    all clear      127.0.0.1/32 password
host    all hashed     127.0.0.1/32 md5
host    all all        127.0.0.1/32 scram-sha-256
`

// run runs one of PostgreSQL's programs in the server's directory.
func (s *server) run(name string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	c.Dir, c.Env = s.dir, []string{"LC_ALL=C", "PATH=" + s.bin + ":/usr/bin:/bin"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	log := filepath.Join(s.dir, name+".out") // not a pipe: the server would keep it open
	out, err := os.Create(log)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	if err := c.Run(); err != nil {
		text, _ := os.ReadFile(log) // an empty text is as good as none
		s.t.Fatalf("%s %v: %v\n%s", name, args, err, text)
	}
}

func (s *server) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if s.owner != nil {
		if err := os.Chown(path, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *server) start() {
	s.t.Helper()
	s.run("pg_ctl", "-D", "data", "-w", "-l", "log", "start")
}

func (s *server) stop(mode string) {
	s.t.Helper()
	s.run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")
}

func (s *server) dsn() string { return fmt.Sprintf("postgres://admin@127.0.0.1:%d/postgres", s.port) }

const password = "pässword 'x'"

// config reaches the server as a user of pg_hba.conf.
func (s *server) config(user string, mode store.SSLMode) driver.Config {
	return driver.Config{DBType: store.PostgreSQL, Host: "127.0.0.1", Port: s.port, Database: "postgres", Username: user, Password: password, SSLMode: mode, ReadOnly: true, MaxSessions: 3, Dial: dialTCP}
}

// certificates makes an authority and a server's certificate for localhost and 127.0.0.1.
func certificates(t *testing.T) (authority, certificate, key string) {
	t.Helper()
	encode := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	sign := func(c, parent *x509.Certificate, k, by *ecdsa.PrivateKey) []byte {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		b, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caKey, serverKey := newKey(), newKey()
	caBytes := sign(ca, ca, caKey, caKey)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leafBytes := sign(leaf, ca, serverKey, caKey)
	keyBytes, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	return encode("CERTIFICATE", caBytes), encode("CERTIFICATE", leafBytes), encode("PRIVATE KEY", keyBytes)
}

func TestServer(t *testing.T) {
	s := newServer(t)
	admin := connect(t, s.dsn())
	for _, user := range []string{"tls_only", "plain_only", "clear", "hashed"} {
		sql := "CREATE ROLE " + user + " LOGIN PASSWORD '" + strings.ReplaceAll(password, "'", "''") + "'"
		if user == "hashed" {
			sql = "SET password_encryption = 'md5'; " + sql
		}
		if _, err := admin.Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	admin.Close(t.Context())
	t.Run("tls", s.testTLS)
	t.Run("steps", s.testSteps)
	t.Run("restart", s.testRestart)
	t.Run("suite over TLS", func(t *testing.T) { // cancel requests and everything else through TLS too
		d := databaseIn(t, s.dsn())
		d.cfg.SSLMode, d.cfg.RootCert = store.SSLVerifyFull, s.authority
		dt.Run(t, suite(d))
	})
}

func (s *server) testTLS(t *testing.T) {
	other, _, _ := certificates(t)
	for _, c := range []struct {
		user  string
		mode  store.SSLMode
		root  string
		host  string // what the certificate is compared with; empty: 127.0.0.1
		fails driver.Kind
		tls   bool
	}{
		{user: "tls_only", mode: store.SSLDisable, fails: driver.KindAuth},
		{user: "tls_only", mode: store.SSLAllow, tls: true},
		{user: "tls_only", mode: store.SSLPrefer, tls: true},
		{user: "tls_only", mode: store.SSLRequire, tls: true},
		{user: "tls_only", mode: store.SSLRequire, root: other, fails: driver.KindTLS}, // libpq: as verify-ca
		{user: "tls_only", mode: store.SSLRequire, root: s.authority, host: "db.test", tls: true},
		{user: "tls_only", mode: store.SSLVerifyCA, root: s.authority, host: "db.test", tls: true},
		{user: "tls_only", mode: store.SSLVerifyCA, root: other, fails: driver.KindTLS},
		{user: "tls_only", mode: store.SSLVerifyCA, fails: driver.KindTLS}, // the system does not know the authority
		{user: "tls_only", mode: store.SSLVerifyFull, root: s.authority, tls: true},
		{user: "tls_only", mode: store.SSLVerifyFull, root: s.authority, host: "localhost", tls: true},
		{user: "tls_only", mode: store.SSLVerifyFull, root: s.authority, host: "db.test", fails: driver.KindTLS},
		{user: "tls_only", mode: store.SSLVerifyFull, root: other, fails: driver.KindTLS},
		{user: "tls_only", mode: store.SSLVerifyFull, root: "no certificate", fails: driver.KindConfig},
		{user: "tls_only", mode: "evil", fails: driver.KindConfig},
		{user: "plain_only", mode: store.SSLDisable},
		{user: "plain_only", mode: store.SSLPrefer},
		{user: "plain_only", mode: store.SSLAllow},
		{user: "plain_only", mode: store.SSLRequire, fails: driver.KindAuth},
		{user: "clear", mode: store.SSLDisable, fails: driver.KindAuth}, // case 178: no password in clear text
		{user: "clear", mode: store.SSLRequire, tls: true},
		{user: "hashed", mode: store.SSLDisable},
		{user: "nobody", mode: store.SSLDisable, fails: driver.KindAuth},
	} {
		cfg := s.config(c.user, c.mode)
		cfg.RootCert = c.root
		if c.host != "" {
			cfg.Host = c.host
			cfg.Dial = func(ctx context.Context, _ string, port int) (net.Conn, error) {
				return dialTCP(ctx, "127.0.0.1", port)
			}
		}
		name := fmt.Sprintf("%s %s to %s", c.user, c.mode, cfg.Host)
		p, err := postgres.New().Open(cfg)
		var got []byte
		if err == nil {
			got, _, err = p.Query(t.Context(), &driver.Statement{SQL: "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", ReadOnly: true}, nil, driver.Limits{}, nil)
			p.Close()
		}
		switch {
		case c.fails != "" && (driver.KindOf(err) != c.fails || strings.Contains(fmt.Sprintf("%v %+v", err, err), password)):
			t.Errorf("%s: got %s, %v; want %s", name, got, err, c.fails)
		case c.fails == "" && (err != nil || string(got) != fmt.Sprintf(`[{"ssl":%v}]`, c.tls)):
			t.Errorf("%s: got %s, %v; want tls %v", name, got, err, c.tls)
		}
	}
}

// testSteps looks at the steps of a connection test, as people see them.
func (s *server) testSteps(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	wrong := func(change func(*driver.Config)) driver.Config {
		cfg := s.config("tls_only", store.SSLRequire)
		change(&cfg)
		return cfg
	}
	for _, c := range []struct {
		cfg   driver.Config
		steps string // with the last one failing, if it ends in !
		says  string // of the last step's message and hint
	}{
		{s.config("tls_only", store.SSLRequire), "resolve connect tls sign_in database schema", "readable tables"},
		{s.config("plain_only", store.SSLPrefer), "resolve connect tls sign_in database schema", "readable tables"},
		{wrong(func(c *driver.Config) { c.Password = "wrong" }), "resolve connect tls sign_in!", "password"},
		{wrong(func(c *driver.Config) { c.Database = "nowhere" }), "resolve connect tls sign_in database!", "does not exist"},
		{wrong(func(c *driver.Config) { c.SSLMode = store.SSLVerifyFull }), "resolve connect tls!", "ssl_root_cert"},
		{wrong(func(c *driver.Config) { c.Port = closed.Addr().(*net.TCPAddr).Port }), "resolve connect!", "refused"},
		{wrong(func(c *driver.Config) {
			c.Dial = func(context.Context, string, int) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "db.test", IsNotFound: true}}
			}
		}), "resolve!", "host name"},
	} {
		var names []string
		var last driver.Step
		info, err := postgres.New().Test(t.Context(), c.cfg, func(step driver.Step) {
			if names, last = append(names, step.Name), step; !step.OK {
				names[len(names)-1] += "!"
			}
		})
		if got := strings.Join(names, " "); got != c.steps || !strings.Contains(last.Message+last.Hint, c.says) || (err != nil) != strings.HasSuffix(c.steps, "!") {
			t.Errorf("got %s, %+v, %v; want %s and %q", got, last, err, c.steps, c.says)
		}
		if err == nil && (info.Version == "" || info.Latency <= 0) {
			t.Errorf("got %+v", info)
		}
	}
	info, err := postgres.New().Test(t.Context(), s.config("admin", store.SSLDisable), nil)
	if err != nil || len(info.Warnings) == 0 || !strings.Contains(info.Warnings[0], "superuser") {
		t.Errorf("a superuser: got %+v, %v", info, err)
	}
}

// testRestart stops the server in both ways while sessions are idle.
func (s *server) testRestart(t *testing.T) {
	p, err := postgres.New().Open(s.config("plain_only", store.SSLDisable))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	one := func() error {
		b, _, err := p.Query(t.Context(), &driver.Statement{SQL: "SELECT 1 AS a", ReadOnly: true}, nil, driver.Limits{}, nil)
		if err == nil && string(b) != `[{"a":1}]` {
			err = fmt.Errorf("got %s", b)
		}
		return err
	}
	for _, mode := range []string{"fast", "immediate"} {
		done := make(chan error)
		for range 3 { // three sessions are open, then idle
			go func() {
				_, _, err := p.Query(t.Context(), &driver.Statement{SQL: "SELECT pg_sleep(0.2)", ReadOnly: true}, nil, driver.Limits{}, nil)
				done <- err
			}()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		s.stop(mode)
		s.start()
		if err := one(); err != nil {
			t.Errorf("%s: the first statement after a restart: %v", mode, err)
		}
		s.stop(mode)
		if err := one(); driver.KindOf(err) != driver.KindUnavailable {
			t.Errorf("%s: while the server is down: %v", mode, err)
		}
		s.start()
		for range 4 {
			if err := one(); err != nil {
				t.Errorf("%s: after the restart: %v", mode, err)
			}
		}
	}
}
