package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openSQLiteDir makes the directory of the SQLite databases. A studio that runs as root gives its children a user id of their own, which
// must be able to read the directory; the data directory around it stays closed, as the sandbox binds the inner one by itself. A
// directory elsewhere is the operator's, and is left as it is.
func (s *Server) openSQLiteDir() error {
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755
	}
	if err := os.MkdirAll(s.config.SQLiteDir, mode); err != nil {
		return fmt.Errorf("make the directory of the SQLite databases: %w", err)
	}
	if !below(s.config.DataDir, s.config.SQLiteDir) {
		return nil
	}
	if err := os.Chmod(s.config.SQLiteDir, mode); err != nil { // the umask may have taken bits away
		return fmt.Errorf("let children read the SQLite databases: %w", err)
	}
	return nil
}

func below(parent, dir string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../")
}
