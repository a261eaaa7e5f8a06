package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// coverDir is where the new root is built: any directory that exists everywhere will do, as it is covered in the
// child's own mount namespace only.
const coverDir = "/proc"

// bind is a detached copy of a mount waiting for its place.
type bind struct {
	fd   int
	path string
	file bool
}

// privateRoot replaces the root of the mount namespace by an empty read-only tmpfs that holds nothing but the
// directories of the policy, read-only, and its writable files. It needs CAP_SYS_ADMIN in the mount namespace and
// mount_setattr(2), Linux 5.12.
func privateRoot(p Policy) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// All handles first: the tmpfs may cover what is still to be found.
	binds, err := detach(p)
	defer func() {
		for _, b := range binds {
			_ = unix.Close(b.fd)
		}
	}()
	if err != nil {
		return err
	}
	options := fmt.Sprintf("mode=0755,size=64k,nr_inodes=%d", 64+64*len(p.Dirs))
	if err := unix.Mount("sandbox", coverDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, b := range binds {
		place := filepath.Join(coverDir, b.path)
		if !b.file { // a file lies in a directory that is in place already
			if err := os.MkdirAll(place, 0o755); err != nil {
				return fmt.Errorf("private root: %w", err)
			}
		}
		if err := unix.MoveMount(b.fd, "", unix.AT_FDCWD, place, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil && !(b.file && outOfReach(err)) {
			return fmt.Errorf("bind %s: %w", b.path, err)
		}
	}
	if err := unix.Chdir(coverDir); err != nil {
		return fmt.Errorf("enter private root: %w", err)
	}
	// pivot_root(2): with "." for both, the old root ends up stacked on the new one and is detached from there.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach old root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter private root: %w", err)
	}
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("", "/", "", flags, ""); err != nil {
		return fmt.Errorf("make private root read-only: %w", err)
	}
	return nil
}

// outOfReach says that a path is missing, or closed to this uid: no reason to put on less of the wall.
func outOfReach(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)
}

// detach copies the mounts of the directories and the writable files, and takes suid, devices, execution and, of the
// directories, writing away from the copies. What it opened is returned also with an error.
func detach(p Policy) ([]bind, error) {
	var binds []bind
	add := func(path string, file bool, attributes uint64) error {
		// Recursive: a copy that leaves out mounts below it is refused in a user namespace (mounts are locked there).
		fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if outOfReach(err) {
			return nil // what is not there cannot be read either; reportFiles says so
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", path, err)
		}
		binds = append(binds, bind{fd: fd, path: path, file: file})
		attr := unix.MountAttr{Attr_set: attributes}
		if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return fmt.Errorf("restrict mount %s: %w", path, err)
		}
		return nil
	}
	const attributes = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	for _, d := range p.Dirs {
		if err := add(d, false, attributes|unix.MOUNT_ATTR_RDONLY); err != nil {
			return binds, err
		}
	}
	for _, f := range p.RWFiles {
		if err := add(f, true, attributes); err != nil {
			return binds, err
		}
	}
	return binds, nil
}
