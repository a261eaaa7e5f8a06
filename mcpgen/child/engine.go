package child

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strings"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/broker"
	"mcpstudio/mcpgen/control"
	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/driver/all"
	"mcpstudio/mcpgen/query"
)

// newEngine opens the manifest's connections; nothing is dialled before the first call.
func newEngine(m *mcpgen.Manifest, secrets control.Secrets, dialer *broker.Dialer, sqliteDir string, log *logger) (*query.Engine, error) {
	e := query.New(query.Options{
		Drivers: all.Drivers(), SQLiteDir: sqliteDir, Variables: m.Variables, Log: log.slog(), Places: places,
		Dial: func(connection string) driver.Dial {
			return func(ctx context.Context, host string, port int) (net.Conn, error) {
				return dialer.Dial(ctx, connection, host, port)
			}
		},
	})
	for _, c := range m.Connections {
		if err := e.AddConnection(queryConnection(c, secrets.Open(c.ID))); err != nil {
			e.Close()
			return nil, fmt.Errorf("connection %s: %w", c.Name, err)
		}
	}
	return e, nil
}

// queryConnection joins a connection's settings with its opened secrets, which are
// named "password" and "extra_params.<key>".
func queryConnection(c mcpgen.Connection, secrets map[string]string) query.Connection {
	extra := maps.Clone(c.ExtraParams)
	for field, value := range secrets {
		if key, ok := strings.CutPrefix(field, "extra_params."); ok {
			if extra == nil {
				extra = map[string]json.RawMessage{}
			}
			extra[key] = jsonString(value)
		}
	}
	return query.Connection{
		Name: c.Name, Concurrent: c.Concurrent, QueueEnabled: c.QueueEnabled, QueueWait: time.Duration(c.QueueSeconds) * time.Second,
		MaxRows: c.MaxRows, MaxBytes: c.MaxBytes,
		Config: driver.Config{
			ID: c.ID, DBType: c.DBType, Host: c.Host, Port: c.Port, Database: c.Database, Username: c.Username, Password: secrets["password"],
			SSLMode: c.SSLMode, RootCert: c.SSLRootCert, Extra: extra, ReadOnly: c.ReadOnly,
			MaxSessions: c.PoolMax, MinSessions: c.PoolMin, StatementTimeout: time.Duration(c.StatementSeconds) * time.Second,
		},
	}
}
