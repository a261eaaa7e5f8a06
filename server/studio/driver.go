package studio

import (
	"context"

	"mcpstudio/store"
)

// Driver is one kind of database as the form shows it.
type Driver struct {
	DBType      store.DBType `json:"db_type"`
	Title       string       `json:"title"`
	Available   bool         `json:"available" jsonschema:"false: connections can be kept, but not tested or used yet"`
	DefaultPort int          `json:"default_port"`
	Verified    string       `json:"verified" jsonschema:"real server, wire-compatible or protocol test; empty: not available"`
	Note        string       `json:"note"`
}

// Drivers lists them.
type Drivers struct {
	Items []Driver `json:"items"`
}

// drivers is what this build reaches, and how that was verified. The parent has no driver of its own (docs/architecture.md section 1),
// so the list is kept here; a test compares it with mcpgen/driver/all.
func drivers() []Driver {
	const later = "Not part of this version."
	out := []Driver{
		{DBType: store.PostgreSQL, Title: "PostgreSQL", Verified: "real server", Note: "Tested with PostgreSQL 15."},
		{DBType: store.MySQL, Title: "MySQL, MariaDB", Note: later},
		{DBType: store.MSSQL, Title: "SQL Server", Note: later},
		{DBType: store.ClickHouse, Title: "ClickHouse", Note: later},
		{DBType: store.SQLite, Title: "SQLite", Verified: "real server", Note: "Opens files of the studio's SQLite directory, read-only."},
		{DBType: store.Cassandra, Title: "Cassandra, ScyllaDB", Note: later},
		{DBType: store.Greenplum, Title: "Greenplum", Verified: "wire-compatible", Note: "Tested against PostgreSQL."},
		{DBType: store.Supabase, Title: "Supabase", Verified: "wire-compatible", Note: "Tested against PostgreSQL."},
		{DBType: store.Snowflake, Title: "Snowflake", Note: later},
		{DBType: store.BigQuery, Title: "BigQuery", Note: later},
	}
	for i := range out {
		out[i].Available = out[i].Verified != ""
		out[i].DefaultPort = out[i].DBType.DefaultPort()
	}
	return out
}

func (s *Service) listDrivers(context.Context, none) (Drivers, error) { return Drivers{drivers()}, nil }
