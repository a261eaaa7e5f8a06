package studio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/mcpgen"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

type connections = collection[*store.Connection, store.ConnectionDraft, store.ConnectionPatch]

func (s *Service) connections() connections {
	return newCollection[*store.Connection, store.ConnectionDraft, store.ConnectionPatch](s, "connection", "connections", unchecked[*store.Connection])
}

func (s *Service) connectionOps() []op.Op {
	const tag = "connections"
	return append([]op.Op{
		declare(op.Op{Name: "list_connections", Route: "GET /connections", Tag: tag, Agent: true, Scope: auth.ScopeRead, Doc: "List connections."}, s.listConnections),
		declare(op.Op{Name: "delete_connection", Route: "DELETE /connections/{id}", Tag: tag, Agent: true, Scope: auth.ScopeWrite, Effect: op.Delete,
			Doc: "Delete a connection; with cascade=true also the tools and resources that use it."}, s.deleteConnection),
		declare(op.Op{Name: "test_connection", Route: "POST /connections/{id}/test", Tag: tag, Agent: true, Scope: auth.ScopeQuery, Effect: op.Read,
			Doc: "Connect step by step and say where it fails."}, s.testConnection),
		declare(op.Op{Name: "test_connection_draft", Route: "POST /connections/test", Tag: tag, Scope: auth.ScopeQuery, Effect: op.Read,
			Doc: "Test a connection that is not saved; with id, the stored secret is used if the endpoint is unchanged."}, s.testDraft),
		declare(op.Op{Name: "list_connection_health", Route: "GET /connections/health", Tag: tag, Scope: auth.ScopeRead,
			Doc: "The last known state of every connection; nothing is dialled."}, s.connectionHealth),
		declare(op.Op{Name: "list_connection_usage", Route: "GET /connections/{id}/usage", Tag: tag, Scope: auth.ScopeRead,
			Doc: "The tools and resources that use a connection."}, s.connectionUsage),
		declare(op.Op{Name: "list_drivers", Route: "GET /drivers", Tag: tag, Scope: auth.ScopeRead, Doc: "The kinds of database and how each was verified."}, s.listDrivers),
		declare(op.Op{Name: "list_sqlite_files", Route: "GET /server/sqlite-files", Tag: tag, Scope: auth.ScopeRead, Doc: "The files a SQLite connection may open."}, s.listSQLiteFiles),
	}, s.connections().ops(false)...)
}

type listConnections struct {
	store.Query
	DBType   store.DBType `json:"db_type,omitempty"`
	IsActive *bool        `json:"is_active,omitempty"`
}

func (s *Service) listConnections(ctx context.Context, in listConnections) (store.Page[*store.Connection], error) {
	var filters []db.Filter
	if in.IsActive != nil {
		filters = append(filters, db.Enabled(*in.IsActive))
	}
	var keep func(*store.Connection) bool
	if in.DBType != "" {
		keep = func(c *store.Connection) bool { return c.DBType == in.DBType }
	}
	return list(ctx, s, in.Query, keep, filters...)
}

// Usage is an entity that uses a connection.
type Usage struct {
	Type store.Kind `json:"type" jsonschema:"tool or resource"`
	ID   string     `json:"id"`
	Name string     `json:"name"`
}

// Usages lists them.
type Usages struct {
	Items []Usage `json:"items"`
}

// UsedBy goes with the refusal to delete a connection that is used.
type UsedBy struct {
	UsedBy []Usage `json:"used_by"`
}

func usages(tx *db.Tx, id string) ([]Usage, error) {
	out := []Usage{}
	tools, err := db.All[*store.Tool](tx, db.UsesConnection(id))
	if err != nil {
		return nil, err
	}
	for _, t := range tools {
		out = append(out, Usage{store.KindTool, t.ID, t.Name})
	}
	resources, err := db.All[*store.Resource](tx, db.UsesConnection(id))
	if err != nil {
		return nil, err
	}
	for _, r := range resources {
		out = append(out, Usage{store.KindResource, r.ID, r.Name})
	}
	return out, nil
}

func (s *Service) connectionUsage(ctx context.Context, in byID) (Usages, error) {
	return view(ctx, s, func(tx *db.Tx) (Usages, error) {
		if _, err := db.Get[*store.Connection](tx, in.ID); err != nil {
			return Usages{}, err
		}
		items, err := usages(tx, in.ID)
		return Usages{items}, err
	})
}

type deleteConnection struct {
	ID      string `json:"id"`
	Cascade bool   `json:"cascade,omitempty" jsonschema:"also delete the tools and resources that use it"`
}

func (s *Service) deleteConnection(ctx context.Context, in deleteConnection) (struct{}, error) {
	return update(ctx, s, "delete_connection", func(tx *db.Tx) (struct{}, error) {
		c, err := db.Get[*store.Connection](tx, in.ID)
		if err != nil {
			return struct{}{}, err
		}
		users, err := usages(tx, in.ID)
		if err != nil {
			return struct{}{}, err
		}
		if len(users) > 0 && !in.Cascade {
			return struct{}{}, &store.Error{Code: store.Conflict, Current: UsedBy{users},
				Message: fmt.Sprintf("the connection %q is used by %d of the tools and resources; delete or move them first, disable it instead, or delete all with cascade=true", c.Name, len(users))}
		}
		for _, u := range users {
			if err := deleteUser(tx, u); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, db.Delete[*store.Connection](tx, in.ID)
	})
}

func deleteUser(tx *db.Tx, u Usage) error {
	if u.Type == store.KindTool {
		return db.Delete[*store.Tool](tx, u.ID)
	}
	return db.Delete[*store.Resource](tx, u.ID)
}

func (s *Service) testConnection(ctx context.Context, in byID) (mcpgen.TestResult, error) {
	c, bench, err := s.benchOf(ctx, in.ID)
	if err != nil {
		return mcpgen.TestResult{}, err
	}
	out, err := s.test(ctx, bench)
	if err == nil {
		s.health.note(c, out, s.Now())
	}
	return out, err
}

type testDraft struct {
	store.ConnectionDraft
	ID string `json:"id,omitempty" jsonschema:"a saved connection whose secret to use"`
}

func (s *Service) testDraft(ctx context.Context, in testDraft) (mcpgen.TestResult, error) {
	bench, err := view(ctx, s, func(tx *db.Tx) (mcpgen.Bench, error) {
		c := in.New()
		if in.ID != "" {
			var err error
			if c, err = s.overlay(tx, in); err != nil {
				return mcpgen.Bench{}, err
			}
		}
		if c.Name == "" {
			c.Name = "draft" // the form is tested before it has a name
		}
		if err := c.Check(); err != nil {
			return mcpgen.Bench{}, err
		}
		return openBench(tx, c)
	})
	if err != nil {
		return mcpgen.TestResult{}, err
	}
	return s.test(ctx, bench)
}

// overlay lays a draft over the saved connection as a patch would, so that the rule about secrets and changed endpoints is the
// same one: a stored secret is used for the stored endpoint only.
func (s *Service) overlay(tx *db.Tx, in testDraft) (*store.Connection, error) {
	c, err := db.Get[*store.Connection](tx, in.ID)
	if err != nil {
		return nil, err
	}
	n := in.New()
	p := store.ConnectionPatch{
		ID: c.ID, Version: c.Version, Name: &n.Name, DBType: &n.DBType, Host: &n.Host, Port: &n.Port, Database: &n.Database, Username: &n.Username,
		Password: in.Password, SSLMode: &n.SSLMode, SSLRootCert: &n.SSLRootCert, ReadOnly: &n.ReadOnly, StatementTimeoutSeconds: &n.StatementTimeoutSeconds,
	}
	if in.ExtraParams != nil {
		p.ExtraParams = &in.ExtraParams
	}
	return c, p.Apply(c)
}

func (s *Service) test(ctx context.Context, b mcpgen.Bench) (mcpgen.TestResult, error) {
	out := mcpgen.TestResult{}
	if err := needDriver(b.Connection.DBType); err != nil {
		return out, err
	}
	err := s.Workbench.Bench(ctx, b, mcpgen.BenchTest, struct{}{}, &out)
	if out.Steps == nil {
		out.Steps = []mcpgen.TestStep{}
	}
	if out.Warnings == nil {
		out.Warnings = []string{}
	}
	return out, err
}

// benchOf loads a saved connection with its secrets for the workbench.
func (s *Service) benchOf(ctx context.Context, id string) (*store.Connection, mcpgen.Bench, error) {
	var c *store.Connection
	bench, err := view(ctx, s, func(tx *db.Tx) (_ mcpgen.Bench, err error) {
		if c, err = db.Get[*store.Connection](tx, id); err != nil {
			return mcpgen.Bench{}, err
		}
		return openBench(tx, c)
	})
	if err == nil {
		err = needDriver(c.DBType)
	}
	return c, bench, err
}

// openBench opens the secrets c has in the store; c may carry changes that are not saved.
func openBench(tx *db.Tx, c *store.Connection) (mcpgen.Bench, error) {
	if c.NeedsSecret && !c.HasSecret() { // dialling without one would end in a message of the database that tells nothing
		return mcpgen.Bench{}, store.Invalidf("password", "the connection %q needs its password again: the stored one was cleared, or was entered for another endpoint; enter it", c.Name)
	}
	if err := tx.OpenSecrets(c); err != nil {
		return mcpgen.Bench{}, err
	}
	config, err := tx.Config()
	if err != nil {
		return mcpgen.Bench{}, err
	}
	return mcpgen.Bench{Connection: mcpgen.ConnectionOf(c), Secrets: secretsOf(c), Variables: config.GlobalVariables, Limits: mcpgen.LimitsOf(config)}, nil
}

// secretsOf collects the opened secrets of connections for a child.
func secretsOf(all ...*store.Connection) mcpgen.Secrets {
	m := map[string]map[string]string{}
	for _, c := range all {
		opened := map[string]string{}
		for column, secret := range c.Secrets() {
			if v, ok := secret.Reveal(); ok {
				opened[column] = v
			}
		}
		if len(opened) > 0 {
			m[c.ID] = opened
		}
	}
	return mcpgen.NewSecrets(m)
}

// SQLiteFile is one file a SQLite connection may open.
type SQLiteFile struct {
	Name      string `json:"name" jsonschema:"path below the directory"`
	SizeBytes int64  `json:"size_bytes"`
}

// SQLiteFiles lists them.
type SQLiteFiles struct {
	Directory string       `json:"directory"`
	Items     []SQLiteFile `json:"items"`
}

// maxSQLiteFiles bounds the listing; a directory with more is not meant for choosing from a form.
const maxSQLiteFiles = 500

func (s *Service) listSQLiteFiles(_ context.Context, _ none) (SQLiteFiles, error) {
	out := SQLiteFiles{Directory: s.SQLiteDir, Items: []SQLiteFile{}}
	root, err := os.OpenRoot(s.SQLiteDir)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, &store.Error{Code: store.Unavailable, Retry: 30, Err: err, Message: fmt.Sprintf(
			"the SQLite directory %s cannot be read (%v); let the studio read it, or name another one with STUDIO_SQLITE_DIR", s.SQLiteDir, innermost(err))}
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir // a directory we may not read is not ours to offer
		}
		if len(out.Items) >= maxSQLiteFiles {
			return fs.SkipAll
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() && isSQLite(root, path) {
			out.Items = append(out.Items, SQLiteFile{filepath.ToSlash(path), info.Size()})
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("list the SQLite directory: %w", err)
	}
	return out, nil
}

// innermost is the cause at the end of a chain: what the system said, without our words around it.
func innermost(err error) error {
	for {
		cause := errors.Unwrap(err)
		if cause == nil {
			return err
		}
		err = cause
	}
}

// sqliteMagic starts every SQLite database (sqlite.org/fileformat.html, section 1.3).
const sqliteMagic = "SQLite format 3\x00"

func isSQLite(root *os.Root, path string) bool {
	if strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, "-journal") {
		return false
	}
	f, err := root.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(sqliteMagic))
	n, err := f.Read(head)
	return n == 0 || err == nil && string(head[:n]) == sqliteMagic // an empty file is an empty database
}
