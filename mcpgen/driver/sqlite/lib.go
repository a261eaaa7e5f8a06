package sqlite

import (
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"mcpstudio/mcpgen/driver"
)

// This file is the only one that touches memory of the C side. SQLite is used through its own C interface rather than
// database/sql: that is where the authorizer, the limits, the declared types and the undecoded values are to be had.

// at returns p, an address in SQLite's memory, as a Go pointer. That memory is not the garbage collector's, so nothing
// moves it; it is valid as long as the C interface says.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// view returns n bytes at p without copying them.
func view(p uintptr, n int32) []byte {
	if p == 0 || n <= 0 {
		return nil
	}
	return unsafe.Slice(at[byte](p), int(n))
}

// authorizer is the signature of SQLite's callback (sqlite3_set_authorizer).
type authorizer = func(tls *libc.TLS, arg uintptr, action int32, a, b, database, trigger uintptr) int32

// address returns f as the C side wants it. f must be a function of this package, not a closure: then the address
// points to read-only data that never moves.
func address(f authorizer) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f authorizer }{f}))
}

// handle is one open database. It belongs to one goroutine at a time; interrupt alone may be called beside it.
type handle struct {
	tls    *libc.TLS
	db     uintptr
	denied uintptr // an int32 in C memory: the last action the authorizer refused
	out    uintptr // room for two pointers
}

// openHandle opens path, which is a plain file name: without SQLITE_OPEN_URI no text in it is a parameter.
func openHandle(path string, flags int32) (*handle, error) {
	h := &handle{tls: libc.NewTLS()}
	h.denied, h.out = libc.Xcalloc(h.tls, 1, 8), libc.Xcalloc(h.tls, 2, 8)
	name, err := libc.CString(path)
	if err != nil || h.denied == 0 || h.out == 0 {
		h.close()
		return nil, driver.NewError(driver.KindLimit, "out of memory", err)
	}
	defer libc.Xfree(h.tls, name)
	rc := lib.Xsqlite3_open_v2(h.tls, name, h.out, flags, 0)
	h.db = *at[uintptr](h.out)
	if rc != lib.SQLITE_OK {
		err := h.err(rc)
		h.close()
		return nil, err
	}
	lib.Xsqlite3_extended_result_codes(h.tls, h.db, 1)
	return h, nil
}

func (h *handle) close() {
	if h.db != 0 {
		lib.Xsqlite3_close_v2(h.tls, h.db)
	}
	for _, p := range []uintptr{h.denied, h.out} {
		if p != 0 {
			libc.Xfree(h.tls, p)
		}
	}
	h.tls.Close()
}

// config sets one of SQLite's boolean options.
func (h *handle) config(option int32, on int32) error {
	args := libc.Xcalloc(h.tls, 2, 8) // an int and a pointer, eight bytes each
	if args == 0 {
		return driver.NewError(driver.KindLimit, "out of memory", nil)
	}
	defer libc.Xfree(h.tls, args)
	if rc := lib.Xsqlite3_db_config(h.tls, h.db, option, libc.VaList(args, on, uintptr(0))); rc != lib.SQLITE_OK {
		return h.err(rc)
	}
	return nil
}

func (h *handle) limit(id, value int32) { lib.Xsqlite3_limit(h.tls, h.db, id, value) }

func (h *handle) busyTimeout(ms int32) { lib.Xsqlite3_busy_timeout(h.tls, h.db, ms) }

func (h *handle) authorize(f authorizer) {
	lib.Xsqlite3_set_authorizer(h.tls, h.db, address(f), h.denied)
}

// interrupt stops the statement that runs, if one does. It may be called from any goroutine.
func (h *handle) interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	lib.Xsqlite3_interrupt(tls, h.db)
}

// prepare compiles sql, which must be one statement.
func (h *handle) prepare(sql string) (uintptr, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return 0, driver.NewError(driver.KindLimit, "out of memory", err)
	}
	defer libc.Xfree(h.tls, text)
	*at[int32](h.denied) = 0
	stmt, tail, rc := h.compile(text)
	if rc != lib.SQLITE_OK {
		return 0, h.position(h.err(rc), sql)
	}
	if stmt == 0 {
		return 0, driver.NewError(driver.KindSyntax, "the statement is empty", nil)
	}
	for tail != 0 && *at[byte](tail) != 0 {
		next, rest, rc := h.compile(tail)
		if next != 0 {
			lib.Xsqlite3_finalize(h.tls, next)
		}
		if next != 0 || rc != lib.SQLITE_OK {
			lib.Xsqlite3_finalize(h.tls, stmt)
			return 0, driver.NewError(driver.KindSyntax, "there is more than one statement", nil)
		}
		if rest == tail { // only a comment or space is left
			break
		}
		tail = rest
	}
	return stmt, nil
}

func (h *handle) compile(text uintptr) (stmt, tail uintptr, rc int32) {
	const pointer = unsafe.Sizeof(uintptr(0))
	*at[uintptr](h.out), *at[uintptr](h.out + pointer) = 0, 0
	rc = lib.Xsqlite3_prepare_v3(h.tls, h.db, text, -1, lib.SQLITE_PREPARE_PERSISTENT, h.out, h.out+pointer)
	return *at[uintptr](h.out), *at[uintptr](h.out + pointer), rc
}

// position adds where in sql the parser stopped.
func (h *handle) position(e *driver.Error, sql string) *driver.Error {
	if offset := lib.Xsqlite3_error_offset(h.tls, h.db); offset >= 0 && int(offset) <= len(sql) {
		e.Position = utf8.RuneCountInString(sql[:offset])
	}
	return e
}

func (h *handle) step(stmt uintptr) int32 { return lib.Xsqlite3_step(h.tls, stmt) }

// reset ends a statement's run and forgets its arguments.
func (h *handle) reset(stmt uintptr) {
	lib.Xsqlite3_reset(h.tls, stmt)
	lib.Xsqlite3_clear_bindings(h.tls, stmt)
}

func (h *handle) finalize(stmt uintptr)      { lib.Xsqlite3_finalize(h.tls, stmt) }
func (h *handle) readOnly(stmt uintptr) bool { return lib.Xsqlite3_stmt_readonly(h.tls, stmt) != 0 }
func (h *handle) parameters(stmt uintptr) int {
	return int(lib.Xsqlite3_bind_parameter_count(h.tls, stmt))
}
func (h *handle) columns(stmt uintptr) int { return int(lib.Xsqlite3_column_count(h.tls, stmt)) }

// totalChanges counts the rows changed since the handle was opened, also by triggers and foreign keys.
func (h *handle) totalChanges() int64 { return int64(lib.Xsqlite3_total_changes64(h.tls, h.db)) }

// reprepared counts how often SQLite compiled the statement anew because the schema changed.
func (h *handle) reprepared(stmt uintptr) int32 {
	return lib.Xsqlite3_stmt_status(h.tls, stmt, lib.SQLITE_STMTSTATUS_REPREPARE, 0)
}

func (h *handle) columnName(stmt uintptr, i int) string {
	return libc.GoString(lib.Xsqlite3_column_name(h.tls, stmt, int32(i)))
}

// declared is the type a column was declared with; empty for an expression.
func (h *handle) declared(stmt uintptr, i int) string {
	p := lib.Xsqlite3_column_decltype(h.tls, stmt, int32(i))
	if p == 0 {
		return ""
	}
	return libc.GoString(p)
}

func (h *handle) columnType(stmt uintptr, i int) int32 {
	return lib.Xsqlite3_column_type(h.tls, stmt, int32(i))
}

func (h *handle) integer(stmt uintptr, i int) int64 {
	return int64(lib.Xsqlite3_column_int64(h.tls, stmt, int32(i)))
}

func (h *handle) float(stmt uintptr, i int) float64 {
	return lib.Xsqlite3_column_double(h.tls, stmt, int32(i))
}

// text returns a column's text, valid until the next step.
func (h *handle) text(stmt uintptr, i int) []byte {
	p := lib.Xsqlite3_column_text(h.tls, stmt, int32(i))
	return view(p, lib.Xsqlite3_column_bytes(h.tls, stmt, int32(i)))
}

// blob returns a column's bytes, valid until the next step.
func (h *handle) blob(stmt uintptr, i int) []byte {
	p := lib.Xsqlite3_column_blob(h.tls, stmt, int32(i))
	return view(p, lib.Xsqlite3_column_bytes(h.tls, stmt, int32(i)))
}

// bindText binds v, of which SQLite takes a copy. Parameters count from 1.
func (h *handle) bindText(stmt uintptr, i int, v []byte) int32 {
	p := libc.Xmalloc(h.tls, libc.Tsize_t(len(v)+1))
	if p == 0 {
		return lib.SQLITE_NOMEM
	}
	defer libc.Xfree(h.tls, p)
	copy(unsafe.Slice(at[byte](p), len(v)), v)
	return lib.Xsqlite3_bind_text(h.tls, stmt, int32(i), p, int32(len(v)), lib.SQLITE_TRANSIENT)
}

func (h *handle) bindInt(stmt uintptr, i int, v int64) int32 {
	return lib.Xsqlite3_bind_int64(h.tls, stmt, int32(i), v)
}

func (h *handle) bindFloat(stmt uintptr, i int, v float64) int32 {
	return lib.Xsqlite3_bind_double(h.tls, stmt, int32(i), v)
}

// message is what SQLite says about the last failure.
func (h *handle) message() (text string, code int32) {
	return libc.GoString(lib.Xsqlite3_errmsg(h.tls, h.db)), lib.Xsqlite3_extended_errcode(h.tls, h.db)
}
