// Package query runs one statement end to end: check the arguments, bind them,
// guard, admit, run, cap, transform.
//
// It promises that a value never becomes part of SQL text, that a read-only tool
// runs read-only by the database's own means whatever its text says, that no more
// than the connection's share of statements runs at once, that rows stop at the
// row, byte and time limits with an exact "truncated", and that what an MCP
// client reads in an [Error] holds no SQL, no row data and no secret.
//
// Its hole: the result cache is this process's own, so two studios on one database
// cache apart, and a cached answer is as old as the tool's cache_ttl allows.
package query

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// Options is what an Engine needs. Only Drivers is required.
type Options struct {
	Drivers    map[store.DBType]driver.Driver
	Dial       func(connection string) driver.Dial // by connection id
	SQLiteDir  string                              // absolute directory of the SQLite files
	Variables  map[string]json.RawMessage          // global variables, $vars of the transforms
	Log        *slog.Logger                        // nil: nothing is logged
	Now        func() time.Time                    // nil: time.Now
	CacheBytes int                                 // of all cached results together; 0 is 16 MiB
	Places     int                                 // for calls of all connections that run or wait, see queue.Room; 0: no bound
}

// Connection is one database and the share of it that calls may take.
type Connection struct {
	// Config says how to reach it. The engine fills in Dial, SQLiteDir and Now.
	Config       driver.Config
	Name         string        // for sentences
	Concurrent   int           // statements at once; 0 is store.DefaultConcurrent
	QueueEnabled bool          // false: no waiting room, the pool's size alone limits
	QueueWait    time.Duration // longest wait; 0 is store.DefaultQueueWait seconds
	MaxRows      int           // 0 is store.DefaultRowLimit
	MaxBytes     int           // 0 is store.DefaultResultBytes
}

// Spec is a tool, or a resource with SQL, as Compile takes it.
type Spec struct {
	ID         string // part of the cache's key
	Name       string
	Connection string // id of a connection added before
	SQL        string // as written, with :name placeholders
	Parameters []store.Parameter
	ReadOnly   bool
	CacheTTL   time.Duration // 0: no cache; only read-only tools are cached
	Transform  string        // jq; empty: none
	// InputSchema is a JSON Schema the author wrote instead of the generated one.
	// When set, arguments are validated against it too, and it alone decides which
	// further properties are allowed. Leave it nil for the generated schema.
	InputSchema json.RawMessage
}

// Limits lowers the connection's limits for one request; zero fields leave them.
type Limits struct {
	Rows    int
	Bytes   int
	Timeout time.Duration
}

// Request is one call.
type Request struct {
	Tool      *Prepared
	Args      []byte            // one JSON object; empty or null is {}
	Principal string            // whose turn it is in the queue
	Limits    Limits            // for previews
	Caller    map[string]string // values of :caller.name placeholders; an absent one is NULL; see [Prepared.AsksCaller]
	NoCache   bool              // neither read nor fill the cache
}

// Result is what a call gave, beside the JSON that Run appended.
type Result struct {
	// Rows is the JSON array of row objects before any transform. It lies in the
	// buffer Run returned, or beside it when there is a transform; nil when the
	// answer came from the cache.
	Rows      []byte
	RowCount  int
	Truncated bool
	Affected  int64
	Columns   []driver.Column // shared: not to be changed
	Wait      time.Duration   // in the queue
	Run       time.Duration   // in the database
	Cached    bool
}

// Run answers one call. It appends the structured content to b: {"rows":[…],
// "row_count":n,"truncated":bool}, or what the transform gave, as {"result":…}
// when that is not an object.
//
// The error is always an *Error; b then comes back as it was. When only the
// transform failed, Result still holds the rows.
func (e *Engine) Run(ctx context.Context, q *Request, b []byte) ([]byte, Result, error) {
	return e.run(ctx, q, b)
}
