// Package all is the map from a connection's db_type to its driver. A type that is
// not in it can be stored but neither tested, previewed nor deployed.
package all

import (
	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/driver/postgres"
	"mcpstudio/mcpgen/driver/sqlite"
	"mcpstudio/store"
)

// Drivers returns every driver of this build.
func Drivers() map[store.DBType]driver.Driver {
	return map[store.DBType]driver.Driver{
		store.PostgreSQL: postgres.New(),
		store.Greenplum:  postgres.New(),
		store.Supabase:   postgres.New(),
		store.SQLite:     sqlite.New(),
	}
}
