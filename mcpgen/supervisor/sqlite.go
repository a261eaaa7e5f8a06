package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mcpstudio/mcpgen/sandbox"
)

// held are the directory and the side files of SQLite databases as they were looked at, by path: the child is given these, whatever
// somebody who may write there puts in their places.
type held map[string]*os.File

func (h held) close() {
	for _, f := range h {
		f.Close()
	}
}

// sqlitePolicy lets a child read the SQLite directory, and write the -shm files of the databases in WAL mode among the named ones: a
// reader of such a database joins its shared index (https://sqlite.org/wal.html, "Read-only databases"). The log itself, -wal, it only
// reads: who can write it can put any row in it, which the next reader finds and the next checkpoint keeps. Missing ones are made,
// empty, with the owner and mode of the database, because the child cannot make a file. What it returns goes with the policy to
// sandbox.Start, and is for one child: the next one may find other files.
//
// When the studio is root its children have a uid and a group of their own, and the
// directory and its files must let one of them read.
//
// A database that is missing or not readable is no error here: the driver says so
// at its connection, in a test as in a call.
func sqlitePolicy(p *sandbox.Policy, dir string, databases []string) (_ held, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("the directory for SQLite databases: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the directory for SQLite databases: %w", err)
	}
	defer root.Close()
	if err := readable(root, dir); err != nil {
		return nil, err
	}
	out := held{}
	defer func() {
		if err != nil {
			out.close()
		}
	}()
	p.FS, p.Dirs = sandbox.FSRO, []string{dir}
	if out[dir], err = sandbox.Hold(root, "."); err != nil {
		return nil, fmt.Errorf("the directory for SQLite databases: %w", err)
	}
	for _, name := range databases {
		wal, info, err := walMode(root, name)
		if err != nil || !wal {
			continue
		}
		for _, side := range []string{name + "-wal", name + "-shm"} {
			f, err := sideFile(root, side, info)
			if err != nil {
				out.close()
				return nil, fmt.Errorf("%s is in WAL mode and its file %s cannot be used here: %w", name, side, err)
			}
			path := filepath.Join(dir, side)
			if _, twice := out[path]; twice || strings.HasSuffix(side, "-wal") {
				f.Close()
				continue
			}
			p.FS, out[path] = sandbox.FSROShm, f
			p.RWFiles = append(p.RWFiles, path)
		}
	}
	return out, nil
}

// readable says when children, with a uid and a group of their own, could not read the directory. What lies above it does not matter: the
// sandbox binds the directory itself. Where the kernel gives no mount namespace the driver reports what it cannot open.
func readable(root *os.Root, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	need := fs.FileMode(0o005)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Gid == sandbox.GID {
		need = 0o050
	}
	if info.Mode().Perm()&need != need {
		return fmt.Errorf("the server runs as group %d, which cannot read the databases: %s has mode %04o; chgrp %d and chmod g+rx it (or chmod o+rx), or run the studio as an ordinary user",
			sandbox.GID, dir, info.Mode().Perm(), sandbox.GID)
	}
	return nil
}

// walMode reports whether the header says WAL: bytes 18 and 19 are 2 (https://sqlite.org/fileformat.html, 1.3.3).
func walMode(root *os.Root, name string) (bool, fs.FileInfo, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe of that name would wait for its other end
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

// sideFile opens a side file, and makes it when it is missing. The file is looked at through its descriptor, which is what the child
// gets.
func sideFile(root *os.Root, name string, like fs.FileInfo) (*os.File, error) {
	if err := touchLike(root, name, like); err != nil {
		return nil, err
	}
	f, err := sandbox.Hold(root, name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = ownSideFile(info, like)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// touchLike makes an empty file like another, unless there is something of that name.
func touchLike(root *os.Root, name string, like fs.FileInfo) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, like.Mode().Perm())
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
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
func ownSideFile(info, like fs.FileInfo) error {
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
