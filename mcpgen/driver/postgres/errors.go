package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mcpstudio/mcpgen/driver"
)

// serverError maps what the server said (PostgreSQL manual, appendix A).
func serverError(pg *pgconn.PgError) *driver.Error {
	e := &driver.Error{Kind: kindOf(pg.Code), Message: pg.Message, Hint: pg.Hint, SQLState: pg.Code, Position: int(pg.Position) - 1, Err: pg}
	if pg.InternalQuery != "" {
		e.Position = -1 // the position is in a function's own text
	}
	if pg.Detail != "" {
		e.Message += ": " + pg.Detail
	}
	return e
}

func kindOf(code string) driver.Kind {
	switch code {
	case "25006":
		return driver.KindReadOnly
	case "42501":
		return driver.KindPermission
	case "42P01", "42703", "42883", "3D000", "3F000", "42704":
		return driver.KindMissing
	case "57014":
		return driver.KindTimeout
	case "53000", "53100", "53200", "53400", "54000", "54001":
		return driver.KindLimit
	case "57P01", "57P02", "57P03", "53300", "57P05":
		return driver.KindUnavailable
	}
	if len(code) < 2 {
		return driver.KindOther
	}
	switch code[:2] {
	case "08":
		return driver.KindUnavailable
	case "28":
		return driver.KindAuth
	case "42":
		return driver.KindSyntax
	case "22", "23":
		return driver.KindData
	}
	return driver.KindOther
}

// connectError maps why no session could be opened. pgconn's own text may name the user and the database but never the
// password.
func connectError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var d *driver.Error
	if errors.As(err, &d) {
		return d
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e := serverError(pg)
		e.Position = -1
		if e.Kind == driver.KindAuth {
			e.Hint = "Check the user name and the password, and that the server's pg_hba.conf lets this user in from here."
		}
		if pg.Code == "3D000" { // invalid_catalog_name
			e.Hint = "Check the spelling of the database name: it is case-sensitive. Otherwise create the database first."
		}
		return e
	}
	if e := driver.DialFailure(err); e != nil {
		return e
	}
	if e := tlsError(err); e != nil {
		return e
	}
	text := err.Error()
	switch {
	case strings.Contains(text, `require_auth`) && strings.Contains(text, "password"):
		return &driver.Error{Kind: driver.KindAuth, Position: -1, Err: err, Message: "the server asks for the password in clear text on an unencrypted connection",
			Hint: "Use the TLS mode require or stronger, or scram-sha-256 on the server."}
	case strings.Contains(text, "SASL"), strings.Contains(text, "require_auth"), strings.Contains(text, "authentication type"):
		return &driver.Error{Kind: driver.KindAuth, Position: -1, Err: err, Message: "the server wants a way to sign in that is not supported: " + innermost(err).Error(), Hint: "Set the server to scram-sha-256 for this user."}
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &driver.Error{Kind: driver.KindUnavailable, Position: -1, Err: err, Message: "the server did not answer in time",
			Hint: "Check the host and the port, and that no firewall drops the packets."}
	}
	return &driver.Error{Kind: driver.KindUnavailable, Position: -1, Err: err, Message: innermost(err).Error(), Hint: "Check the host and the port, and that the server runs."}
}

func tlsError(err error) *driver.Error {
	e := &driver.Error{Kind: driver.KindTLS, Position: -1, Err: err}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		e.Message, e.Hint = "the server's certificate is not signed by a trusted authority", "Paste the authority's certificate into ssl_root_cert."
	case errors.As(err, &name):
		e.Message, e.Hint = name.Error(), "Use the host name that stands in the certificate, or the TLS mode verify-ca."
	case errors.As(err, &invalid):
		e.Message = invalid.Error()
	case errors.As(err, &cert):
		e.Message = cert.Error()
	case errors.As(err, &record):
		e.Message, e.Hint = "the server does not speak TLS at this port", "Check the port."
	case strings.Contains(err.Error(), "refused TLS"):
		e.Message, e.Hint = "the server does not offer TLS", "Switch TLS on at the server, or use the mode disable or prefer in a network you trust."
	case strings.Contains(err.Error(), "tls error"), strings.Contains(err.Error(), "tls: "):
		e.Message = innermost(err).Error()
	default:
		return nil
	}
	return e
}

// lost maps a failure in the middle of a session.
func lost(err error) *driver.Error {
	var big *pgproto3.ExceededMaxBodyLenErr
	if errors.As(err, &big) {
		return &driver.Error{Kind: driver.KindLimit, Position: -1, Err: err, Message: "one row of the result is larger than 16 MiB", Hint: "Select fewer or shorter columns."}
	}
	return &driver.Error{Kind: driver.KindUnavailable, Position: -1, Err: err, Message: "the connection to the database was lost: " + innermost(err).Error()}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// innermost is the cause without the chain of who was doing what.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
