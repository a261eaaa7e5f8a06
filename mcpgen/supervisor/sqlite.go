package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"mcpstudio/mcpgen/sandbox"
)

// sqlitePolicy lets a child read the SQLite directory, and write the -wal and
// -shm files of the databases in WAL mode among the named ones: a reader of such a
// database joins its shared index (https://sqlite.org/wal.html, "Read-only
// databases"). Missing ones are made, empty, with the owner and mode of the
// database, because the child cannot make a file.
//
// When the studio is root its children have a uid of their own, and the directory
// and its files must let that read.
//
// A database that is missing or not readable is no error here: the driver says so
// at its connection, in a test as in a call.
func sqlitePolicy(p *sandbox.Policy, dir string, databases []string) error {
	if dir == "" {
		return errors.New("there is no directory for SQLite databases: set STUDIO_SQLITE_DIR")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return fmt.Errorf("the directory for SQLite databases: %w", err)
	}
	if err := readable(dir); err != nil {
		return err
	}
	p.FS, p.Dirs = sandbox.FSRO, []string{dir}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("the directory for SQLite databases: %w", err)
	}
	defer root.Close()
	for _, name := range databases {
		wal, info, err := walMode(root, name)
		if err != nil || !wal {
			continue
		}
		for _, side := range []string{name + "-wal", name + "-shm"} {
			if err := touchLike(root, side, info); err != nil {
				return fmt.Errorf("%s is in WAL mode and its file %s cannot be used here: %w", name, side, err)
			}
			p.FS = sandbox.FSROShm
			p.RWFiles = append(p.RWFiles, filepath.Join(dir, side))
		}
	}
	return nil
}

// readable says when a child with a uid of its own could not read the directory. What lies above it does not matter: the sandbox binds
// the directory itself. Where the kernel gives no mount namespace the driver reports what it cannot open.
func readable(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if need := fs.FileMode(0o005); info.Mode().Perm()&need != need {
		return fmt.Errorf("the server runs as uid %d to %d and cannot read the databases: %s has mode %04o; chmod o+rx it, or run the studio as an ordinary user",
			sandbox.FirstUID, sandbox.FirstUID+sandbox.UIDs-1, dir, info.Mode().Perm())
	}
	return nil
}

// walMode reports whether the header says WAL: bytes 18 and 19 are 2 (https://sqlite.org/fileformat.html, 1.3.3).
func walMode(root *os.Root, name string) (bool, fs.FileInfo, error) {
	f, err := root.Open(name)
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false, nil, errors.Join(err, fs.ErrInvalid)
	}
	var header [20]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		return false, nil, err
	}
	return header[18] == 2 && header[19] == 2, info, nil
}

// touchLike makes an empty file unless there is one that can be no other file than the database's own.
func touchLike(root *os.Root, name string, like fs.FileInfo) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, like.Mode().Perm())
	switch {
	case errors.Is(err, fs.ErrExist):
		return ownSideFile(root, name, like)
	case err != nil:
		return err
	}
	defer f.Close()
	if err := f.Chmod(like.Mode().Perm()); err != nil { // the umask may have taken bits away
		return err
	}
	if st, ok := like.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return f.Chown(int(st.Uid), int(st.Gid))
	}
	return nil
}

// ownSideFile refuses what the child must not be given to write: a link, which may lead to any other file, and a file of somebody who
// is neither the owner of the database nor the studio.
func ownSideFile(root *os.Root, name string, like fs.FileInfo) error {
	info, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is not a regular file (%s); remove it", info.Mode().Type())
	}
	side, ok := info.Sys().(*syscall.Stat_t)
	database, known := like.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !known:
		return errors.New("its owner cannot be told on this system")
	case side.Nlink != 1:
		return fmt.Errorf("it is a hard link: the same file has %d names; remove this one", side.Nlink)
	case side.Uid != database.Uid && int(side.Uid) != os.Geteuid():
		return fmt.Errorf("it is of uid %d, and the database of uid %d; chown it", side.Uid, database.Uid)
	}
	return nil
}
