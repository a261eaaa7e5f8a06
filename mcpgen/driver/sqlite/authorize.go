package sqlite

import (
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// authorizeRead lets a statement read tables and call functions, and nothing else: no ATTACH, no PRAGMA that changes
// anything, no transaction, no temporary object. SQLite asks it while it compiles a statement.
func authorizeRead(_ *libc.TLS, denied uintptr, action int32, a, b, _, _ uintptr) int32 {
	if reads(action, a, b) {
		return lib.SQLITE_OK
	}
	*at[int32](denied) = action
	return lib.SQLITE_DENY
}

// authorizeWrite also lets a statement change rows and the schema of the main database.
func authorizeWrite(_ *libc.TLS, denied uintptr, action int32, a, b, _, _ uintptr) int32 {
	switch action {
	case lib.SQLITE_INSERT, lib.SQLITE_UPDATE, lib.SQLITE_DELETE, lib.SQLITE_REINDEX, lib.SQLITE_ANALYZE,
		lib.SQLITE_CREATE_INDEX, lib.SQLITE_CREATE_TABLE, lib.SQLITE_CREATE_TRIGGER, lib.SQLITE_CREATE_VIEW,
		lib.SQLITE_DROP_INDEX, lib.SQLITE_DROP_TABLE, lib.SQLITE_DROP_TRIGGER, lib.SQLITE_DROP_VIEW, lib.SQLITE_ALTER_TABLE:
		return lib.SQLITE_OK
	}
	if reads(action, a, b) {
		return lib.SQLITE_OK
	}
	*at[int32](denied) = action
	return lib.SQLITE_DENY
}

// reads decides on one action; a and b are its arguments as C strings (SQLite manual, "Authorizer Action Codes").
func reads(action int32, a, b uintptr) bool {
	switch action {
	case lib.SQLITE_SELECT, lib.SQLITE_RECURSIVE:
		return true
	case lib.SQLITE_READ:
		return !strings.EqualFold(libc.GoString(a), "sqlite_dbpage") // the file's pages, with what was deleted
	case lib.SQLITE_FUNCTION:
		switch strings.ToLower(libc.GoString(b)) {
		case "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlite_rename_table", "sqlite_rename_column":
			return false
		}
		return true
	case lib.SQLITE_PRAGMA:
		// Those behind the table-valued functions that describe a schema, and data_version, which full-text search asks.
		switch strings.ToLower(libc.GoString(a)) {
		case "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list", "collation_list", "function_list", "data_version":
			return true
		}
	}
	return false
}

// actionName says in SQL's words what was refused.
func actionName(action int32) string {
	switch action {
	case lib.SQLITE_ATTACH:
		return "ATTACH"
	case lib.SQLITE_DETACH:
		return "DETACH"
	case lib.SQLITE_PRAGMA:
		return "this PRAGMA"
	case lib.SQLITE_FUNCTION:
		return "this function"
	case lib.SQLITE_TRANSACTION, lib.SQLITE_SAVEPOINT:
		return "a transaction of its own"
	case lib.SQLITE_INSERT, lib.SQLITE_UPDATE, lib.SQLITE_DELETE:
		return "changing rows"
	}
	return "changing the schema"
}
