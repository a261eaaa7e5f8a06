package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"mcpstudio/mcpgen/driver"
)

// prober walks the steps of a connection test and times each.
type prober struct {
	report func(driver.Step)
	start  time.Time
}

// step reports a finished step, and with an error why it failed.
func (p *prober) step(name, message string, took time.Duration, err error) {
	s := driver.Step{Name: name, OK: err == nil, Took: took, Message: message}
	var d *driver.Error
	switch {
	case errors.As(err, &d):
		s.Message, s.Hint = d.Message, d.Hint
	case err != nil:
		s.Message = err.Error()
	}
	if p.report != nil {
		p.report(s)
	}
}

// Test implements driver.Driver: resolve, connect, tls, sign_in, database, schema. Resolving is the broker's work behind
// Dial, so its time is part of connecting.
func (Driver) Test(ctx context.Context, cfg driver.Config, report func(driver.Step)) (driver.TestInfo, error) {
	pool, err := open(cfg)
	if err != nil {
		(&prober{report: report}).step("resolve", "", 0, err)
		return driver.TestInfo{}, err
	}
	defer pool.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	p := &prober{report: report}
	pg, err := p.connect(ctx, pool)
	if err != nil {
		return driver.TestInfo{}, err
	}
	s := pool.wrap(pg)
	defer s.close()
	defer s.watch(ctx, connectTimeout)()
	return p.inspect(pool.cfg, s)
}

// connect opens one connection and reports the steps up to sign_in. With the modes allow and prefer there may be two
// attempts; the one that counts is the last.
func (p *prober) connect(ctx context.Context, pool *pool) (*pgconn.PgConn, error) {
	var dialled, secured time.Time
	var address, protection string
	begun := time.Now()
	pg, err := dial(ctx, pool.cfg, func(c *pgconn.Config) {
		through := c.DialFunc
		c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			begun, dialled, secured = time.Now(), time.Time{}, time.Time{}
			conn, err := through(ctx, network, addr)
			if err == nil {
				dialled, address = time.Now(), conn.RemoteAddr().String()
			}
			return conn, err
		}
		c.AfterNetConnect = func(ctx context.Context, _ *pgconn.Config, conn net.Conn) (net.Conn, error) {
			if secure, ok := conn.(*tls.Conn); ok { // otherwise the first write of the next step would do it
				if err := secure.HandshakeContext(ctx); err != nil {
					return conn, err
				}
			}
			secured, protection = time.Now(), protectionOf(conn, c.TLSConfig)
			return conn, nil
		}
	})
	var missing *net.DNSError
	switch {
	case errors.As(err, &missing):
		p.step("resolve", "", time.Since(begun), &driver.Error{Message: missing.Error(), Hint: "Check the host name."})
		return nil, err
	case driver.Unresolved(err):
		p.step("resolve", "", time.Since(begun), err)
		return nil, err
	case dialled.IsZero():
		p.step("resolve", pool.cfg.Host, 0, nil)
		p.step("connect", "", time.Since(begun), err)
		return nil, err
	}
	p.step("resolve", address, 0, nil)
	p.step("connect", address, dialled.Sub(begun), nil)
	if secured.IsZero() {
		p.step("tls", "", time.Since(dialled), err)
		return nil, err
	}
	p.step("tls", protection, secured.Sub(dialled), nil)
	if err != nil && driver.KindOf(err) == driver.KindMissing { // the server knows the user but not the database
		p.step("sign_in", pool.cfg.Username, time.Since(secured), nil)
		p.step("database", "", 0, err)
		return nil, err
	}
	p.step("sign_in", pool.cfg.Username, time.Since(secured), err)
	return pg, err
}

// protectionOf says how the connection is protected.
func protectionOf(conn net.Conn, cfg *tls.Config) string {
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return driver.NotEncrypted
	}
	s := secure.ConnectionState()
	text := tls.VersionName(s.Version)
	switch {
	case len(s.VerifiedChains) > 0:
		return text + ", certificate and name verified"
	case cfg != nil && cfg.VerifyConnection != nil:
		return text + ", certificate verified, name not"
	}
	return text + ", certificate not verified"
}

// facts asks what the test reports, in one row.
const facts = `SELECT version(), current_setting('server_version'), current_database(),
	coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),
	coalesce((SELECT rolreplication OR rolcreaterole OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user), false)`

// inventory counts what the user can read and write.
const inventory = `SELECT count(*) FILTER (WHERE pg_catalog.has_table_privilege(c.oid, 'SELECT')),
	count(*) FILTER (WHERE pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'`

func (p *prober) inspect(cfg driver.Config, s *session) (driver.TestInfo, error) {
	start := time.Now()
	row, err := oneRow(s, facts, 5)
	if err != nil {
		p.step("database", "", time.Since(start), err)
		return driver.TestInfo{}, err
	}
	p.step("database", row[2]+" on "+strings.SplitN(row[0], " on ", 2)[0], time.Since(start), nil)
	info := driver.TestInfo{Version: row[1]}
	if row[3] == "t" {
		info.Warnings = append(info.Warnings, fmt.Sprintf("The user %s is a superuser: it may read the server's files even in a read-only transaction. Use a role that may only read the tables it needs.", cfg.Username))
	} else if row[4] == "t" {
		info.Warnings = append(info.Warnings, fmt.Sprintf("The user %s may create roles or databases, or replicate. Use a role that may only read the tables it needs.", cfg.Username))
	}
	start = time.Now()
	if row, err = oneRow(s, inventory, 2); err != nil {
		p.step("schema", "", time.Since(start), err)
		return driver.TestInfo{}, err
	}
	p.step("schema", row[0]+" readable tables and views", time.Since(start), nil)
	if row[0] == "0" {
		info.Warnings = append(info.Warnings, fmt.Sprintf("The user %s may read no table. Grant SELECT on those the tools need.", cfg.Username))
	}
	if row[1] != "0" && cfg.ReadOnly {
		info.Warnings = append(info.Warnings, fmt.Sprintf("The user %s may write to %s tables. The connection is read-only, so this is not needed: a role that may only read is a second wall.", cfg.Username, row[1]))
	}
	if _, encrypted := s.pg.Conn().(*tls.Conn); !encrypted && !isLoopback(s.pg.Conn().RemoteAddr()) {
		info.Warnings = append(info.Warnings, "The connection is not encrypted: whoever listens on the way reads the data. Use the TLS mode require or stronger.")
	}
	start = time.Now()
	if _, err := oneRow(s, "SELECT 1", 1); err != nil {
		return driver.TestInfo{}, err
	}
	info.Latency = time.Since(start)
	return info, nil
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// oneRow runs a query of ours that gives one row of so many columns.
func oneRow(s *session, sql string, columns int) ([]string, error) {
	var rows [][]string
	err := s.rowsOf(sql, nil, nil, func(values [][]byte) {
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = string(v)
		}
		rows = append(rows, row)
	})
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		return nil, serverError(pg)
	case err != nil:
		return nil, lost(err)
	case len(rows) != 1 || len(rows[0]) != columns:
		return nil, driver.NewError(driver.KindOther, "the server's answer does not have the expected form", nil)
	}
	return rows[0], nil
}
