package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// neutral is a connection string under which pgconn reads no file and takes nothing from the environment that counts:
// every setting is overwritten after it. What it cannot switch off is PGSERVICE: where that is set, connecting fails.
const neutral = "host=placeholder port=1 user=placeholder password=placeholder dbname=placeholder passfile='' sslcert='' " +
	"sslkey='' sslrootcert='' sslpassword='' sslcertmode=disable sslmode=disable sslnegotiation=postgres sslsni=1 " +
	"target_session_attrs=any min_protocol_version=3.0 max_protocol_version=3.0 channel_binding=prefer require_auth='' connect_timeout=0"

// authMethods are the ways to prove a password that are accepted (libpq, require_auth). An unencrypted connection never
// answers a request for the password in clear text: whoever listens, or poses as the server, would have it.
const (
	authEncrypted = "scram-sha-256,md5,password,none"
	authClear     = "scram-sha-256,md5,none"
)

// maxMessage bounds one message of the server, and so one row: a length field of 4 GiB must not fill the memory.
const maxMessage = 16 << 20

// connConfig returns what pgconn needs to reach cfg's database, with one TLS configuration (nil: none).
func connConfig(cfg driver.Config, secure *tls.Config) (*pgconn.Config, error) {
	c, err := pgconn.ParseConfig(neutral)
	if err != nil {
		return nil, driver.NewError(driver.KindConfig, "the settings cannot be used", err)
	}
	c.Host, c.Port, c.Database, c.User, c.Password = cfg.Host, uint16(cfg.Port), cfg.Database, cfg.Username, cfg.Password
	c.TLSConfig, c.Fallbacks = secure, nil
	c.KerberosSrvName, c.KerberosSpn, c.ConnectTimeout = "", "", 0
	c.RequireAuth = authClear
	if secure != nil {
		c.RequireAuth = authEncrypted
	}
	c.MaxProtocolMessageBodyLen = maxMessage
	c.ValidateConnect, c.AfterConnect, c.AfterNetConnect = nil, nil, nil
	c.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	c.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, err
		}
		return cfg.Dial(ctx, host, n)
	}
	// Poolers accept these at startup; everything else is set afterwards (PgBouncer manual, ignore_startup_parameters). The
	// last one is how package sqllex reads strings; a server or a role may have it off.
	c.RuntimeParams = map[string]string{
		"application_name": "mcp-studio", "client_encoding": "UTF8", "TimeZone": "UTC", "DateStyle": "ISO, YMD", "standard_conforming_strings": "on",
	}
	return c, nil
}

// dial connects by the TLS mode: one attempt, or two where the mode allows both ways. prepare may change how.
func dial(ctx context.Context, cfg driver.Config, prepare func(*pgconn.Config)) (*pgconn.PgConn, error) {
	ways, err := tlsConfigs(cfg)
	if err != nil {
		return nil, err
	}
	var reason error
	for _, secure := range ways {
		c, err := connConfig(cfg, secure)
		if err != nil {
			return nil, err
		}
		if prepare != nil {
			prepare(c)
		}
		pg, err := pgconn.ConnectConfig(ctx, c)
		if err == nil {
			return pg, nil
		}
		// Of two failures the server's own words count: that it does not offer TLS is no reason where TLS is not required.
		var said *pgconn.PgError
		if reason == nil || errors.As(err, &said) || strings.Contains(reason.Error(), "refused TLS") {
			reason = err
		}
		if ctx.Err() != nil || !tryOtherWay(err) {
			break
		}
	}
	return nil, connectError(ctx, reason)
}

// tryOtherWay reports whether a failure may be due to encryption or the lack of it. Wrong passwords and unknown
// databases are not: trying again would only lock the account sooner.
func tryOtherWay(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "28000" // pg_hba.conf has no line for this user with, or without, encryption
	}
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}

// tlsConfigs returns the ways to connect in the order to try them, by libpq's meaning of the modes ("SSL Support"):
// require with certificates given is verify-ca.
func tlsConfigs(cfg driver.Config) ([]*tls.Config, error) {
	roots, err := rootCerts(cfg.RootCert)
	if err != nil {
		return nil, err
	}
	open := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} // no identity is promised in these modes
	if _, err := netip.ParseAddr(cfg.Host); err != nil {
		open.ServerName = cfg.Host // for the server to choose a certificate by (RFC 6066 section 3); never an address
	}
	chain := open.Clone()
	chain.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s.PeerCertificates, roots) }
	switch cfg.SSLMode {
	case store.SSLDisable:
		return []*tls.Config{nil}, nil
	case store.SSLAllow:
		return []*tls.Config{nil, open}, nil
	case store.SSLPrefer, "":
		return []*tls.Config{open, nil}, nil
	case store.SSLRequire:
		if roots != nil {
			return []*tls.Config{chain}, nil
		}
		return []*tls.Config{open}, nil
	case store.SSLVerifyCA:
		return []*tls.Config{chain}, nil
	case store.SSLVerifyFull:
		return []*tls.Config{{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: cfg.Host}}, nil
	}
	return nil, driver.NewError(driver.KindConfig, "unknown TLS mode "+string(cfg.SSLMode), nil)
}

func rootCerts(pem string) (*x509.CertPool, error) {
	if pem == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		return nil, driver.NewError(driver.KindConfig, "ssl_root_cert holds no certificate in PEM form", nil)
	}
	return pool, nil
}

// verifyChain checks the certificate without its name, as verify-ca means it.
func verifyChain(certs []*x509.Certificate, roots *x509.CertPool) error {
	if len(certs) == 0 {
		return errors.New("the server sent no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range certs[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := certs[0].Verify(o)
	return err
}
