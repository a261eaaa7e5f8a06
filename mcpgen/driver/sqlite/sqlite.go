// Package sqlite drives SQLite files below one directory, in process.
//
// It promises that a read-only statement meets these fences, each for what the others let through:
//
//   - the file is opened read-only (SQLITE_OPEN_READONLY) by a plain name, so no
//     text in it is a URI parameter, and never through a symbolic link;
//   - an authorizer allows reading tables and calling functions and nothing else:
//     no ATTACH, no PRAGMA that changes anything, no transaction, no temporary
//     object, no load_extension;
//   - PRAGMA query_only and SQLite's defensive mode are on, extensions, triggers
//     and double-quoted strings are off, no database can be attached;
//   - sqlite3_stmt_readonly must agree.
//
// A value is at most 16 MiB and a statement ends when its time is over: it is
// interrupted between two steps of SQLite's machine. A step may be one call of a
// built-in function, some of which (instr, replace, trim, LIKE, json_patch) take
// time in the square of a value's size: one that is not over ten seconds later ends
// the process, by driver.Config.GiveUp.
//
// # Types
//
// A column gives what is stored in it. The declared type decides only where
// SQLite has no storage class of its own: BOOLEAN with 0 or 1 is a boolean, JSON
// with valid JSON is JSON, DATETIME and TIMESTAMP with text that reads as one is
// RFC 3339 in UTC, DECIMAL and NUMERIC are strings as every decimal is, with the
// 15 or 17 digits SQLite's floating point has. Arrays are bound as JSON text, for
// json_each(:ids).
//
// Its hole: memory for sorting is bounded by the sandbox, not here. R*Tree tables
// cannot be read: SQLite prepares their writing statements as soon as they are
// opened, and the authorizer refuses those.
package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	lib "modernc.org/sqlite/lib"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/store"
)

// Driver is SQLite. The zero value is ready.
type Driver struct{}

var _ driver.Driver = Driver{}

// New returns the driver.
func New() Driver { return Driver{} }

// Dialect implements driver.Driver.
func (Driver) Dialect() sqllex.Dialect { return sqllex.SQLite }

// Open implements driver.Driver.
func (Driver) Open(cfg driver.Config) (driver.Pool, error) { return open(cfg) }

func open(cfg driver.Config) (*pool, error) {
	if !filepath.IsAbs(cfg.SQLiteDir) {
		return nil, driver.NewError(driver.KindConfig, "no directory for SQLite files is set", nil)
	}
	if cfg.Database == "" {
		return nil, driver.NewError(driver.KindConfig, "the connection names no database file", nil)
	}
	if !filepath.IsLocal(cfg.Database) || strings.ContainsAny(cfg.Database, "\\\x00") {
		return nil, driver.NewError(driver.KindConfig, fmt.Sprintf("the database %q is not a path below the SQLite directory", cfg.Database), nil)
	}
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = store.DefaultPoolSize
	}
	if cfg.StatementTimeout <= 0 {
		cfg.StatementTimeout = store.DefaultStatement * time.Second
	}
	if cfg.GiveUp == nil {
		cfg.GiveUp = func(why string) { panic("sqlite: " + why) }
	}
	return &pool{cfg: cfg, slots: make(chan struct{}, cfg.MaxSessions), stop: make(chan struct{}), idle: map[bool][]*session{}, busy: map[*session]bool{}, catalog: newCatalog()}, nil
}

// pool holds the open handles of one file: those that read, and apart from them those that write.
type pool struct {
	cfg     driver.Config
	slots   chan struct{} // one token for each handle in use
	stop    chan struct{} // closed by Close
	catalog catalog

	mu     sync.Mutex
	closed bool
	idle   map[bool][]*session // by whether they write
	busy   map[*session]bool
}

// session is one open handle with its prepared statements.
type session struct {
	h        *handle
	writes   bool
	path     string
	file     fs.FileInfo // as it was when opened
	prepared map[*driver.Statement]*prepared
	serial   uint64
	giveUp   func(why string)
}

// acquire returns a handle, waiting for one to be free until ctx ends. One whose file was replaced since, by a rename
// for instance, is closed: it would go on reading the old file.
func (p *pool) acquire(ctx context.Context, writes bool) (*session, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.stop:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.take(writes)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return s, nil
}

func (p *pool) take(writes bool) (*session, error) {
	for {
		s, err := p.takeIdle(writes)
		if err != nil {
			return nil, err
		}
		if s == nil {
			break
		}
		if s.current() {
			return s, nil
		}
		p.mu.Lock()
		delete(p.busy, s)
		p.mu.Unlock()
		s.close()
	}
	path, info, err := locate(p.cfg.SQLiteDir, p.cfg.Database)
	if err != nil {
		return nil, err
	}
	s, err := newSession(path, info, writes, p.cfg)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		s.close()
		return nil, errClosed()
	}
	p.busy[s] = true
	return s, nil
}

// takeIdle returns an idle handle, or nil when there is none.
func (p *pool) takeIdle(writes bool) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed()
	}
	idle := p.idle[writes]
	if len(idle) == 0 {
		return nil, nil
	}
	s := idle[len(idle)-1]
	p.idle[writes] = idle[:len(idle)-1]
	p.busy[s] = true
	return s, nil
}

// current reports whether the path still leads to the file that was opened. A link in its place is another file.
func (s *session) current() bool {
	info, err := os.Lstat(s.path)
	return err == nil && os.SameFile(s.file, info)
}

func (p *pool) release(s *session) {
	p.mu.Lock()
	delete(p.busy, s)
	keep := !p.closed
	if keep {
		p.idle[s.writes] = append(p.idle[s.writes], s)
	}
	p.mu.Unlock()
	if !keep {
		s.close()
	}
	<-p.slots
}

// Close implements driver.Pool. Statements that run are interrupted.
func (p *pool) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	idle := p.idle
	p.idle = nil
	for s := range p.busy {
		s.h.interrupt()
	}
	p.mu.Unlock()
	close(p.stop)
	for _, list := range idle {
		for _, s := range list {
			s.close()
		}
	}
	for range cap(p.slots) { // every slot is free when every handle has been given back
		p.slots <- struct{}{}
	}
}

func errClosed() error {
	return driver.NewError(driver.KindUnavailable, "the connection is closed", nil)
}

func (s *session) close() {
	for st := range s.prepared {
		s.forget(st)
	}
	s.h.close()
}

// The limits of a handle (SQLite manual, "Limits").
const (
	maxValue     = 16 << 20 // bytes of one value or row
	maxStatement = 1 << 20  // bytes of SQL
	maxLike      = 1000     // bytes of a LIKE or GLOB pattern: matching takes time in the square of it
	maxVariables = 1000
	busyWait     = 2000 // milliseconds to wait for another program's lock
)

func newSession(path string, info fs.FileInfo, writes bool, cfg driver.Config) (*session, error) {
	flags := int32(lib.SQLITE_OPEN_NOMUTEX | lib.SQLITE_OPEN_PRIVATECACHE | lib.SQLITE_OPEN_NOFOLLOW)
	if writes {
		flags |= lib.SQLITE_OPEN_READWRITE
	} else {
		flags |= lib.SQLITE_OPEN_READONLY
	}
	h, err := openHandle(path, flags)
	if err != nil {
		return nil, explain(err, path)
	}
	s := &session{h: h, writes: writes, path: path, file: info, prepared: map[*driver.Statement]*prepared{}, giveUp: cfg.GiveUp}
	if err := s.confine(cfg.StatementTimeout); err != nil {
		s.close()
		return nil, explain(err, path)
	}
	return s, nil
}

// confine sets what a handle may do. The pragmas come before the authorizer, which would refuse them.
func (s *session) confine(timeout time.Duration) error {
	h := s.h
	for id, value := range map[int32]int32{
		lib.SQLITE_LIMIT_ATTACHED: 0, lib.SQLITE_LIMIT_LENGTH: maxValue, lib.SQLITE_LIMIT_SQL_LENGTH: maxStatement,
		lib.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: maxLike, lib.SQLITE_LIMIT_VARIABLE_NUMBER: maxVariables, lib.SQLITE_LIMIT_WORKER_THREADS: 0,
	} {
		h.limit(id, value)
	}
	for option, on := range map[int32]int32{
		lib.SQLITE_DBCONFIG_DEFENSIVE: 1, lib.SQLITE_DBCONFIG_TRUSTED_SCHEMA: 0, lib.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION: 0,
		lib.SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER: 0, lib.SQLITE_DBCONFIG_DQS_DML: 0, lib.SQLITE_DBCONFIG_DQS_DDL: 0,
	} {
		if err := h.config(option, on); err != nil {
			return err
		}
	}
	h.busyTimeout(int32(min(busyWait, timeout.Milliseconds())))
	pragmas := []string{"PRAGMA temp_store = MEMORY", "PRAGMA mmap_size = 0", "PRAGMA cell_size_check = ON"}
	if s.writes {
		pragmas = append(pragmas, "PRAGMA foreign_keys = ON")
	} else {
		if err := h.config(lib.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0); err != nil {
			return err
		}
		pragmas = append(pragmas, "PRAGMA query_only = ON")
	}
	// Reading the schema now tells at once that a file is not a database or cannot be read.
	for _, sql := range append(pragmas, "SELECT count(*) FROM sqlite_schema") {
		if err := s.exec(sql); err != nil {
			return err
		}
	}
	if s.writes {
		h.authorize(authorizeWrite)
	} else {
		h.authorize(authorizeRead)
	}
	return nil
}

// exec runs a statement of ours and throws its rows away.
func (s *session) exec(sql string) error {
	stmt, err := s.h.prepare(sql)
	if err != nil {
		return err
	}
	defer s.h.finalize(stmt)
	for {
		switch rc := s.h.step(stmt); rc {
		case lib.SQLITE_ROW:
		case lib.SQLITE_DONE:
			return nil
		default:
			return s.h.err(rc)
		}
	}
}

// locate finds the file of a database. No part of the way to it below dir may be a symbolic link, and it must be an
// ordinary file. SQLITE_OPEN_NOFOLLOW repeats the first rule at the moment of opening.
func locate(dir, name string) (string, fs.FileInfo, error) {
	dir, err := filepath.EvalSymlinks(dir) // the directory itself is the operator's choice
	if err != nil {
		return "", nil, driver.NewError(driver.KindConfig, "the SQLite directory cannot be read", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", nil, driver.NewError(driver.KindConfig, "the SQLite directory cannot be opened", err)
	}
	defer root.Close()
	clean := filepath.Clean(name)
	parts := strings.Split(clean, string(filepath.Separator))
	for i := range parts {
		part := filepath.Join(parts[:i+1]...)
		info, err := root.Lstat(part)
		switch last := i == len(parts)-1; {
		case err != nil:
			return "", nil, &driver.Error{Kind: driver.KindUnavailable, Position: -1, Err: err, Message: fmt.Sprintf("there is no file %q below the SQLite directory that the studio may see", name),
				Hint: fmt.Sprintf("Put the file there and let uid %d read it.", os.Getuid())}
		case info.Mode()&fs.ModeSymlink != 0:
			return "", nil, driver.NewError(driver.KindConfig, fmt.Sprintf("%q is a symbolic link, which is never followed", part), nil)
		case last && !info.Mode().IsRegular():
			return "", nil, driver.NewError(driver.KindConfig, fmt.Sprintf("%q is not an ordinary file", name), nil)
		case last:
			return filepath.Join(dir, clean), info, nil
		}
	}
	return "", nil, driver.NewError(driver.KindConfig, fmt.Sprintf("%q names no file", name), nil)
}

// walHeader is where a database file says that it uses a write-ahead log: both bytes are 2 (SQLite file format, 1.3.3).
const walHeader = 18

// explain adds what a person can do about a file that cannot be opened.
func explain(err error, path string) error {
	e, ok := err.(*driver.Error)
	if !ok || e.Kind != driver.KindUnavailable || e.Hint != "" {
		return err
	}
	f, openErr := os.Open(path)
	if openErr != nil {
		e.Hint = fmt.Sprintf("The file is not readable by uid %d.", os.Getuid())
		return e
	}
	defer f.Close()
	var version [2]byte
	if _, err := f.ReadAt(version[:], walHeader); err == nil && version == [2]byte{2, 2} {
		e.Hint = "The database uses a write-ahead log, whose -wal and -shm files must exist and be writable for the studio. Make the directory writable once, or switch the database to journal_mode=DELETE."
	}
	return e
}
