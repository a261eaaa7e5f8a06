package sqlite

import (
	"fmt"
	"strings"

	lib "modernc.org/sqlite/lib"

	"mcpstudio/mcpgen/driver"
)

// err maps a result code (SQLite manual, "Result and Error Codes").
func (h *handle) err(rc int32) *driver.Error {
	text, code := fmt.Sprintf("SQLite result code %d", rc), rc
	if h.db != 0 {
		text, code = h.message()
	}
	e := &driver.Error{Kind: driver.KindOther, Message: text, Position: -1}
	switch code & 0xff {
	case lib.SQLITE_ERROR:
		switch {
		case *at[int32](h.denied) == lib.SQLITE_FUNCTION:
			e.Kind = driver.KindReadOnly
		case strings.HasPrefix(text, "no such "): // a table, column, function or collation
			e.Kind = driver.KindMissing
		default:
			e.Kind = driver.KindSyntax
		}
	case lib.SQLITE_AUTH:
		e.Kind = driver.KindReadOnly
		switch action := *at[int32](h.denied); action {
		case 0:
		case lib.SQLITE_READ:
			e.Kind = driver.KindPermission
		default:
			e.Message = "not authorized: " + actionName(action)
		}
	case lib.SQLITE_READONLY:
		e.Kind = driver.KindReadOnly
	case lib.SQLITE_PERM:
		e.Kind = driver.KindPermission
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		e.Kind, e.Hint = driver.KindUnavailable, "Another program writes to the file. Try again."
	case lib.SQLITE_INTERRUPT:
		e.Kind = driver.KindTimeout
	case lib.SQLITE_CANTOPEN, lib.SQLITE_IOERR:
		e.Kind = driver.KindUnavailable
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		e.Kind, e.Hint = driver.KindConfig, "The file is not a healthy SQLite database."
	case lib.SQLITE_TOOBIG, lib.SQLITE_NOMEM, lib.SQLITE_FULL:
		e.Kind = driver.KindLimit
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_RANGE:
		e.Kind = driver.KindData
	}
	return e
}

// runError maps the result code of a statement that compiled: what SQLite then finds wrong is in the values, such as malformed
// JSON, an overflow or a LIKE pattern that is too long.
func (h *handle) runError(rc int32) *driver.Error {
	e := h.err(rc)
	if e.Kind == driver.KindSyntax {
		e.Kind = driver.KindData
	}
	return e
}
