package driver

import (
	"errors"
)

// Kind is what went wrong, in few enough words that every caller can handle each.
type Kind string

// The kinds.
const (
	KindUnavailable Kind = "unavailable" // no connection, or it was lost
	KindAuth        Kind = "auth"        // the database did not accept the user
	KindTLS         Kind = "tls"         // no TLS, or a certificate that is not trusted
	KindTimeout     Kind = "timeout"     // the statement took too long and was stopped
	KindCancelled   Kind = "cancelled"   // the caller went away and the statement was stopped
	KindSyntax      Kind = "syntax"      // the database does not understand the statement
	KindMissing     Kind = "missing"     // a table, column, function or database does not exist
	KindReadOnly    Kind = "readonly"    // the statement wanted to write
	KindPermission  Kind = "permission"  // the database's user may not do this
	KindData        Kind = "data"        // a value does not fit: type, range, constraint
	KindLimit       Kind = "limit"       // a limit of ours or of the database was reached
	KindConfig      Kind = "config"      // the connection's settings cannot work
	KindOther       Kind = "other"
)

// Error is what a database or its driver said no with.
type Error struct {
	Kind     Kind
	Message  string // the database's own words; may quote data, so it is for the admin and the log
	Hint     string // the database's or ours: what to do
	SQLState string // five characters (SQL standard), or empty
	Position int    // character offset in Statement.SQL, from 0; -1: not known
	Err      error  // the cause, for errors.Is and the log
}

// Error implements error.
func (e *Error) Error() string {
	if e.SQLState != "" {
		return e.Message + " (SQLSTATE " + e.SQLState + ")"
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NewError returns an Error without position.
func NewError(kind Kind, message string, cause error) *Error {
	return &Error{Kind: kind, Message: message, Position: -1, Err: cause}
}

// KindOf returns the kind of err; an error that is not a driver's is KindOther.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindOther
}

// DialFailure maps an error of Config.Dial that tells its stage ("resolve", "policy", "connect" or "timeout", as the broker's do)
// to an Error with a hint; nil when err tells none.
func DialFailure(err error) *Error {
	var at interface {
		error
		DialStage() string
	}
	if !errors.As(err, &at) {
		return nil
	}
	e := &Error{Kind: KindUnavailable, Message: at.Error(), Position: -1, Err: err}
	switch at.DialStage() {
	case stageResolve:
		e.Hint = "Check the spelling of the host. A studio in a container sees only the names that the container can resolve."
	case "policy":
		e.Kind = KindConfig // trying again changes nothing
		e.Hint = "The studio refuses this address. Metadata and link-local addresses and the studio itself are never dialled; private networks need STUDIO_ALLOW_PRIVATE_NETWORKS."
	case "timeout":
		e.Hint = "Check the host and the port, and that no firewall drops the packets."
	default:
		e.Hint = "Check the host and the port, and that the server runs and listens there. Inside a container localhost is the container itself; try host.docker.internal."
	}
	return e
}

const stageResolve = "resolve"

// Unresolved reports whether err says that a host name has no address.
func Unresolved(err error) bool {
	var at interface{ DialStage() string }
	return errors.As(err, &at) && at.DialStage() == stageResolve
}
