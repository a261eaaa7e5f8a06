package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mcpstudio/mcpgen/sandbox"
)

// openSQLiteDir makes the directory of the SQLite databases. A studio that runs as root gives its children a user and a group of their
// own, and that group may read the directory; the data directory around it stays closed, as a child is handed the inner one as a
// descriptor. A directory elsewhere is the operator's, and is left as it is.
func (s *Server) openSQLiteDir() error {
	dir := s.config.SQLiteDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of the SQLite databases: %w", err)
	}
	if !below(s.config.DataDir, dir) {
		return nil
	}
	err := os.Chmod(dir, 0o700)
	if err == nil && os.Geteuid() == 0 {
		err = shareDatabases(dir)
		if notGiven(err) {
			s.log.Debug("the SQLite databases cannot be given to the children's group, so everybody who gets past the data directory may read them", "error", err)
			err = os.Chmod(dir, 0o755)
		}
	}
	if err != nil {
		return fmt.Errorf("let children read the SQLite databases: %w", err)
	}
	return nil
}

// notGiven reports whether a file could not be given to a group here: root without CAP_CHOWN or CAP_FOWNER, an id that a user namespace
// does not know, a file system that keeps no owners.
func notGiven(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

// shareDatabases lets the group of the children read the directory and what is in it, and nobody else but the owner: directories 2750, so
// that what is put there later is of that group too, and files 0640. Links and files with several names are left as they are, since what
// they lead to may be anything; in a directory that only the studio could write to until now they are the operator's wish.
func shareDatabases(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o640)
		if d.IsDir() {
			mode = os.ModeSetgid | 0o750
		} else if !d.Type().IsRegular() {
			return nil
		}
		return shareFile(root, path, mode)
	})
}

// shareFile works on what it has opened, so that nothing can be put in its place between the look and the change.
func shareFile(root *os.Root, path string, mode os.FileMode) error {
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() && (!info.Mode().IsRegular() || st.Nlink != 1) {
		return nil
	}
	if err := f.Chown(-1, sandbox.GID); err != nil {
		return err
	}
	return f.Chmod(mode) // after chown(2), which takes the set-group-id bit away
}

func below(parent, dir string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, "../")
}
