package query

// Code is the outcome of a call that failed, for the call log and the metrics.
type Code string

// The codes.
const (
	InvalidParams Code = "invalid_params" // the arguments; the message names the one
	Timeout       Code = "timeout"        // the statement ran too long and was stopped
	QueueTimeout  Code = "queue_timeout"  // its turn did not come in time, or there was no place to wait for it
	Cancelled     Code = "cancelled"      // the caller went away
	Database      Code = "database"       // the database refused the statement
	Unavailable   Code = "unavailable"    // the database cannot be reached
	ReadOnly      Code = "readonly"       // the statement wanted to write
	Transform     Code = "transform"      // the jq program failed
	Internal      Code = "internal"       // ours
)

// Error is why a call failed.
type Error struct {
	Code     Code
	Message  string // for the MCP client: what happened and what to do; no SQL, no data, no secret
	Argument string // the argument concerned, if it is one
	Detail   string // the database's own words, for the admin's preview and the log only
	Hint     string // for the admin: what to do about it
	SQLState string // of the database, or empty
	Position int    // character offset in the SQL as written, from 0; -1: not known
	Err      error
}

// Error implements error with the sentence for the client.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
