// Package driver says what a database must do for the studio, in the studio's
// words: open lazily, run one statement with typed arguments, write its rows as
// JSON, stop at limits, and be read-only by the database's own means.
//
// It promises that nothing here dials except through [Dial], that values reach
// the JSON by the one rule of [AppendString] and its neighbours, and that an
// [Error] carries the database's own words but never a secret.
//
// # Values
//
//   - integers are JSON numbers within ±(2^53−1) and strings beyond;
//   - decimals are strings with every digit; binary floating point is a number;
//   - timestamps are RFC 3339 in UTC with the digits they have, dates are
//     YYYY-MM-DD, times and intervals are text;
//   - UUIDs are text, arrays are arrays, JSON is JSON with its numbers untouched;
//   - bytes are base64; invalid UTF-8 is replaced by U+FFFD;
//   - NULL, NaN, infinite numbers and infinite timestamps are null;
//   - two columns of one name get distinct keys: name, name_2, name_3.
//
// Its hole: what a database calls by a type of its own (ranges, composite types,
// geometry) arrives as the database's own text.
package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"time"

	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/store"
)

// Dial opens a TCP connection to one host and port. It is the only way out: in
// the child it asks the broker, which knows what the connection may reach.
type Dial func(ctx context.Context, host string, port int) (net.Conn, error)

// Config is how to reach one database. It holds the opened password, which no
// printer, logger or encoder shows.
type Config struct {
	ID               string // of the connection
	DBType           store.DBType
	Host             string
	Port             int
	Database         string
	Username         string
	Password         string `json:"-"`
	SSLMode          store.SSLMode
	RootCert         string                     // PEM; empty: the system's certificates
	Extra            map[string]json.RawMessage `json:"-"` // opened: may hold secrets
	ReadOnly         bool                       // no statement may write, whatever it says of itself
	MaxSessions      int                        // at most this many sessions at once; 0 is store.DefaultPoolSize
	MinSessions      int                        // this many idle sessions are kept once opened
	StatementTimeout time.Duration              // the server's own limit; 0 is store.DefaultStatement seconds
	SQLiteDir        string                     // absolute directory that holds the SQLite files
	Dial             Dial
	Now              func() time.Time // nil is time.Now
	// GiveUp ends the process, because a statement that runs in it cannot be stopped in another way. nil panics.
	GiveUp func(why string) `json:"-"`
}

// Format keeps every verb from showing the secrets.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "connection %s to %s at %s:%d", c.ID, c.DBType, c.Host, c.Port)
}

// LogValue implements slog.LogValuer in the same words.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// Driver is one kind of database.
type Driver interface {
	// Dialect is how the database reads SQL.
	Dialect() sqllex.Dialect
	// Open returns a pool. It checks cfg but dials nothing: the first statement does.
	Open(cfg Config) (Pool, error)
	// Test connects step by step and calls report, which may be nil, after each
	// step. A failed step is the last one, and its error is returned too.
	Test(ctx context.Context, cfg Config, report func(Step)) (TestInfo, error)
}

// Pool holds the sessions of one database. All methods may be called at once.
type Pool interface {
	// Query runs st and appends its rows to b as one JSON array of objects, in the
	// database's order, the keys of each in column order. On an error the returned
	// slice is b as it was given, perhaps with a larger capacity. When ctx ends, or
	// lim.Timeout passes, the statement is stopped on the server.
	//
	// The error is an *Error, or the context's own while waiting for a session.
	Query(ctx context.Context, st *Statement, args []Arg, lim Limits, b []byte) ([]byte, Outcome, error)
	// Describe asks the database to parse st without running it.
	Describe(ctx context.Context, st *Statement) (Description, error)
	// Close ends all sessions and waits for them. Statements that run are cancelled.
	Close()
}

// Schema is what a Pool offers when its database can list what is in it.
type Schema interface {
	Tables(ctx context.Context, q TableQuery) (Tables, error)
	// Columns describes one table. An unknown table is an Error of KindMissing.
	Columns(ctx context.Context, schema, table string) (TableInfo, error)
}

// Statement is one statement, ready for the driver. It is compiled once and not
// changed after its first use: pools remember what they prepared by its pointer.
type Statement struct {
	SQL      string  // with the driver's placeholders, from sqllex.Statement.Bind
	Params   []Param // one for each placeholder, in the order of their numbers
	ReadOnly bool    // runs read-only, enforced by the database
}

// Param is the type of one placeholder.
type Param struct {
	Type store.ParamType
	Item store.ParamType // type of an array's items
}

// Arg is one value, in the text form of its Param's type: the client's own digits
// for numbers, true or false, YYYY-MM-DD, RFC 3339. It is checked before it gets
// here; a driver may rely on the form.
type Arg struct {
	Null  bool
	Text  []byte
	Items []Arg // of an array; an item may be Null, none has Items
}

// Limits bounds one Query.
type Limits struct {
	Rows    int           // at most this many rows; 0 is store.DefaultRowLimit
	Bytes   int           // at most this many bytes of JSON for the array; 0 is store.DefaultResultBytes
	Timeout time.Duration // for the statement, once it has a session; 0: the pool's StatementTimeout
}

// Outcome is what a Query did.
type Outcome struct {
	Rows      int
	Truncated bool // there was at least one more row than was written
	Affected  int64
	Columns   []Column // shared: not to be changed
}

// Column is one column of a result or a table.
type Column struct {
	Name       string // the JSON key
	Type       string // the database's own type name
	ParamType  store.ParamType
	Nullable   bool // tables only; the rest too
	Default    string
	Comment    string
	PrimaryKey bool
}

// Description is what the database says of a statement without running it.
type Description struct {
	Columns []Column
	Params  []store.ParamType // what the database infers for each placeholder; empty where it cannot say
}

// NotEncrypted is the Message of a tls step that went well without TLS: the mode allows it. The admin is shown it as a
// warning, so every driver says it in these words.
const NotEncrypted = "not encrypted"

// Step is one step of a connection test.
type Step struct {
	Name    string // resolve, connect, tls, sign_in, database or schema; open and schema for SQLite
	OK      bool
	Took    time.Duration
	Message string // the database's own words, or what was found
	Hint    string // what to do about a failure
}

// TestInfo is what a test found out.
type TestInfo struct {
	Version  string
	Latency  time.Duration // of one round trip on an open session
	Warnings []string      // what works but should be changed
}

// TableQuery asks for tables.
type TableQuery struct {
	Search  string // part of a name, case-insensitive; empty: all
	Columns bool   // with the names and types of their columns
	Limit   int    // 1 to MaxTables; 0 is 1,000
}

// MaxTables bounds one listing of tables.
const MaxTables = 5000

// Tables is a listing.
type Tables struct {
	Items     []Table
	Total     int // that match, also those left out
	Truncated bool
}

// Table is one table or view.
type Table struct {
	Schema  string
	Name    string
	Kind    string // table, view, materialized_view or foreign_table
	Rows    int64  // the database's estimate; -1: unknown
	Comment string
	Columns []Column
}

// TableInfo describes one table.
type TableInfo struct {
	Schema      string
	Name        string
	Columns     []Column
	ForeignKeys []ForeignKey
}

// ForeignKey points from columns of a table to columns of another.
type ForeignKey struct {
	Columns    []string
	RefSchema  string
	RefTable   string
	RefColumns []string
}
