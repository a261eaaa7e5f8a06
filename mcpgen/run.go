package mcpgen

import (
	"encoding/json"
	"time"

	"mcpstudio/store"
)

// Deployment is one revision on its way to a child.
type Deployment struct {
	Revision int
	Manifest *Manifest
	Secrets  Secrets
}

// StepState is where one step of long work stands.
type StepState string

// The states of a step.
const (
	StepWaiting StepState = "waiting"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// Step is one step of a deploy, as people follow it.
type Step struct {
	Name   string    `json:"name" jsonschema:"validate, compile, start, health_check or switch"`
	State  StepState `json:"state" jsonschema:"waiting, running, done or failed"`
	MS     float64   `json:"ms"`
	Detail string    `json:"detail"`
}

// ServerStatus is the state of the generated server.
type ServerStatus string

// The states.
const (
	Stopped   ServerStatus = "stopped"
	Deploying ServerStatus = "deploying"
	Running   ServerStatus = "running"
	Failed    ServerStatus = "error"
)

// ServerState is what the supervisor knows of the live child.
type ServerState struct {
	Status       ServerStatus `json:"status"`
	Revision     int          `json:"revision" jsonschema:"the live revision; 0: none"`
	StartedAt    *time.Time   `json:"started_at"`
	Error        string       `json:"error"`
	Restarts     int          `json:"restarts" jsonschema:"since this revision went live"`
	LastExit     string       `json:"last_exit"`
	SandboxLevel string       `json:"sandbox_level" jsonschema:"full, strong, degraded or none"`
	Layers       []Layer      `json:"layers"`
	PID          int          `json:"pid"`
	MemoryBytes  uint64       `json:"memory_bytes"`
}

// LogLine is one line of the deploy and child log. IDs grow by one, so a reader can go on where it stopped.
type LogLine struct {
	ID       uint64            `json:"id"`
	At       time.Time         `json:"at"`
	Level    string            `json:"level" jsonschema:"debug, info, warn or error"`
	Source   string            `json:"source" jsonschema:"deploy, child or supervisor"`
	Revision int               `json:"revision"`
	Message  string            `json:"message"`
	Attrs    map[string]string `json:"attrs,omitempty"`
}

// Bench names what a workbench is for: one connection, saved or a draft, with its opened secrets.
type Bench struct {
	Connection Connection
	Secrets    Secrets
	Variables  map[string]json.RawMessage
	Limits     Limits
}

// The workbench's requests, as methods of the hop. In and out are the types below.
const (
	BenchTest    = "bench/test"    // BenchTestIn → TestResult
	BenchTables  = "bench/tables"  // TablesIn → TablesOut
	BenchColumns = "bench/columns" // ColumnsIn → ColumnsOut
	BenchPreview = "bench/preview" // PreviewIn → PreviewOut
	BenchCheck   = "bench/check"   // CheckIn → CheckOut
)

// TestStep is one step of a connection test.
type TestStep struct {
	Name    string  `json:"name" jsonschema:"resolve, connect, tls, sign_in, database or schema; open instead of the first four for sqlite"`
	OK      bool    `json:"ok"`
	MS      float64 `json:"ms"`
	Message string  `json:"message"`
	Hint    string  `json:"hint"`
}

// TestResult is the outcome of a connection test; it is an answer also when the test failed.
type TestResult struct {
	Success       bool       `json:"success"`
	Steps         []TestStep `json:"steps"`
	LatencyMS     float64    `json:"latency_ms"`
	ServerVersion string     `json:"server_version"`
	Warnings      []string   `json:"warnings" jsonschema:"what works but should be changed, for instance a superuser"`
}

// TablesIn asks for the tables of a database.
type TablesIn struct {
	Search  string `json:"search,omitempty"`
	Columns bool   `json:"columns,omitempty"` // with the names and types of their columns
	Limit   int    `json:"limit,omitempty"`   // at most 5,000, default 1,000
}

// Table is one table or view.
type Table struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Kind    string   `json:"kind" jsonschema:"table, view, materialized_view or foreign_table"`
	Rows    int64    `json:"rows" jsonschema:"the database's estimate; -1: unknown"`
	Comment string   `json:"comment"`
	Columns []Column `json:"columns,omitempty"`
}

// TablesOut lists tables.
type TablesOut struct {
	Items     []Table `json:"items"`
	Total     int     `json:"total"`
	Truncated bool    `json:"truncated"`
}

// ColumnsIn asks for one table's columns. Schema may be empty: the database's own search order decides.
type ColumnsIn struct {
	Schema string `json:"schema,omitempty"`
	Table  string `json:"table"`
}

// Column is one column.
type Column struct {
	Name       string          `json:"name"`
	Type       string          `json:"type" jsonschema:"the database's own type name"`
	ParamType  store.ParamType `json:"param_type" jsonschema:"the parameter type that fits"`
	Nullable   bool            `json:"nullable"`
	Default    string          `json:"default,omitempty"`
	Comment    string          `json:"comment,omitempty"`
	PrimaryKey bool            `json:"primary_key"`
}

// ForeignKey points from columns of a table to columns of another.
type ForeignKey struct {
	Columns    []string `json:"columns"`
	RefSchema  string   `json:"ref_schema"`
	RefTable   string   `json:"ref_table"`
	RefColumns []string `json:"ref_columns"`
}

// ColumnsOut describes one table.
type ColumnsOut struct {
	Schema      string       `json:"schema"`
	Table       string       `json:"table"`
	Columns     []Column     `json:"columns"`
	ForeignKeys []ForeignKey `json:"foreign_keys"`
}

// PreviewIn runs a draft tool with arguments: read-only, 10 s, 100 rows.
type PreviewIn struct {
	Tool      Tool            `json:"tool"`
	Arguments json.RawMessage `json:"arguments"` // one JSON object
}

// The bounds of a preview.
const (
	PreviewSeconds = 10
	PreviewRows    = 100
)

// PreviewOut is what the draft gives.
type PreviewOut struct {
	Columns        []Column        `json:"columns"`
	Rows           json.RawMessage `json:"rows" jsonschema:"array of objects, keys in column order"`
	RowCount       int             `json:"row_count"`
	Truncated      bool            `json:"truncated"`
	ExecutionMS    float64         `json:"execution_ms"`
	Transformed    json.RawMessage `json:"transformed" jsonschema:"null without a transform"`
	TransformError string          `json:"transform_error"`
	ClientResult   json.RawMessage `json:"client_result" jsonschema:"the exact result a client receives from tools/call"`
}

// CheckIn asks the database to parse a statement without running it.
type CheckIn struct {
	SQL        string            `json:"sql"`
	Parameters []store.Parameter `json:"parameters"`
}

// CheckOut is the database's own verdict. Offset is in characters of the SQL as written; -1: not known.
type CheckOut struct {
	OK         bool                       `json:"ok"`
	Message    string                     `json:"message"`
	Offset     int                        `json:"offset"`
	Columns    []Column                   `json:"columns"`
	ParamTypes map[string]store.ParamType `json:"param_types" jsonschema:"what the database infers for each placeholder"`
}

// BenchError is how a workbench says no: it becomes a store.Error at the edge.
type BenchError struct {
	Code    store.Code `json:"code"`
	Field   string     `json:"field,omitempty"`
	Message string     `json:"message"`
}
