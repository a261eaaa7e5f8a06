package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openSQLiteDir makes the directory of the SQLite databases and sees to it that a child can get there. A studio that runs as root
// gives its children a user id of their own: they then need to pass through every directory on the way, though not to list it. The
// data directory lets them through in that case (0711: its files stay 0600); other directories are the operator's, who is told.
func (s *Server) openSQLiteDir() error {
	own := os.Geteuid() == 0
	mode := os.FileMode(0o700)
	if own {
		mode = 0o755
	}
	if err := os.MkdirAll(s.config.SQLiteDir, mode); err != nil {
		return fmt.Errorf("make the directory of the SQLite databases: %w", err)
	}
	if !own {
		return nil
	}
	if below(s.config.DataDir, s.config.SQLiteDir) {
		if err := os.Chmod(s.config.DataDir, 0o711); err != nil {
			return fmt.Errorf("let children through the data directory: %w", err)
		}
	}
	for dir := s.config.SQLiteDir; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("inspect the way to the SQLite databases: %w", err)
		}
		if info.Mode().Perm()&0o001 == 0 {
			s.log.Warn("children cannot reach the SQLite databases; give their user ids the right to pass through this directory, or run the studio as an ordinary user", "directory", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func below(parent, dir string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
