package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// sessions is how many sessions each server may hold; more statements at once than that wait in the server.
const sessions = 8

// postgres is the database of a run: a database and a role of its own on the server of the tests.
type postgres struct {
	admin                          string // the superuser's address
	host, database, role, password string
	port                           int
	postmaster                     int
}

// newPostgres makes the database, the role and the table.
func newPostgres(ctx context.Context, dsn string) (*postgres, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read STUDIO_TEST_POSTGRES: %w", err)
	}
	name := "bench_" + rand.Text()[:8]
	p := &postgres{admin: dsn, host: config.Host, port: int(config.Port), database: name, role: name, password: rand.Text()}
	if err := p.as(ctx, dsn, fmt.Sprintf(`CREATE ROLE %q LOGIN PASSWORD '%s'`, p.role, p.password), fmt.Sprintf(`CREATE DATABASE %q`, p.database)); err != nil {
		return nil, err
	}
	own, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("read STUDIO_TEST_POSTGRES: %w", err)
	}
	own.Path = "/" + p.database
	if err := p.as(ctx, own.String(), schema, "VACUUM ANALYZE bench_accounts"); err != nil {
		p.drop()
		return nil, err
	}
	return p, p.findPostmaster(ctx)
}

// as runs statements one by one with an address.
func (p *postgres) as(ctx context.Context, dsn string, statements ...string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.PgConn().Exec(ctx, s).ReadAll(); err != nil {
			return fmt.Errorf("prepare PostgreSQL: %w", err)
		}
	}
	return nil
}

// findPostmaster remembers the process whose children serve the sessions.
func (p *postgres) findPostmaster(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.admin)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer conn.Close(ctx)
	s, err := readStat(int(conn.PgConn().PID()))
	if err != nil || s.name != "postgres" {
		return fmt.Errorf("PostgreSQL must run on this machine and in this PID namespace: its CPU time is part of the report")
	}
	p.postmaster = s.parent
	return nil
}

// dsn is the address for the role.
func (p *postgres) dsn() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(p.role, p.password), Host: p.host + ":" + strconv.Itoa(p.port), Path: p.database,
		RawQuery: "sslmode=disable&pool_max_conns=" + strconv.Itoa(sessions)}
	return u.String()
}

// cpu is the CPU time of the whole server, sessions that have ended included.
func (p *postgres) cpu() time.Duration {
	main, err := readStat(p.postmaster)
	if err != nil {
		return 0
	}
	sum := main.own + main.waited
	for _, c := range cpuOf(children(p.postmaster)) {
		sum += c
	}
	return sum
}

// drop removes what newPostgres made. The server of the tests ends with the run anyway, so an error says nothing of use.
func (p *postgres) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.as(ctx, p.admin, fmt.Sprintf(`DROP DATABASE IF EXISTS %q WITH (FORCE)`, p.database), fmt.Sprintf(`DROP ROLE IF EXISTS %q`, p.role))
}
