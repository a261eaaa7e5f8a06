package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mcpstudio/store"
)

// failure wraps an error of the database with what was being done. What a caller can do something about becomes a *store.Error
// with code Unavailable (SQLite, "Result and Error Codes"); errors that already have a code pass unchanged.
func failure(what string, err error) error {
	var coded *store.Error
	if errors.As(err, &coded) {
		return err
	}
	wrapped := fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return wrapped
	}
	unavailable := func(retry int, sentence string) error {
		return &store.Error{Code: store.Unavailable, Message: sentence, Retry: retry, Err: wrapped}
	}
	if isFull(err) {
		return unavailable(30, sentenceFull)
	}
	if errors.Is(err, syscall.EROFS) {
		return unavailable(30, sentenceReadOnly)
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return wrapped
	}
	switch e.Code() & 0xff { // the low byte is the primary code
	case sqlite3.SQLITE_READONLY:
		return unavailable(30, sentenceReadOnly)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return unavailable(5, "another program holds the studio's database; nothing was saved, try again in a moment")
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return unavailable(30, "the disk of the data directory reports an error; nothing was saved, look at the studio's log")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return unavailable(0, "the studio's database file is damaged; restore a backup")
	}
	return wrapped
}

// isFull reports whether there was no room on a disk, or not for this user.
func isFull(err error) bool {
	var e *sqlite.Error
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// isReadOnly reports whether the file or its directory could not be written: SQLite needs to, even for reading a WAL database. When it
// cannot make the files beside one that can be read itself, it only says that it cannot open it.
func isReadOnly(err error, path string) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_READONLY:
		return true
	case sqlite3.SQLITE_CANTOPEN:
		f, err := os.Open(path)
		return err == nil && f.Close() == nil
	}
	return false
}

const (
	sentenceFull     = "the disk of the data directory is full; nothing was saved, make room and try again"
	sentenceReadOnly = "the data directory is read-only; nothing was saved, make it writable and try again"
)
