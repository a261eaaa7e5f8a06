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
	*place
	mount int // the copy
}

// privateRoot replaces the root of the mount namespace by an empty read-only tmpfs that holds nothing but the
// directories of the policy, read-only, and its writable files. It needs CAP_SYS_ADMIN in the mount namespace and
// mount_setattr(2), Linux 5.12.
func privateRoot(places []*place) (err error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	// All handles first: the tmpfs may cover what is still to be found.
	binds, err := detach(places)
	defer func() {
		for _, b := range binds {
			_ = unix.Close(b.mount)
		}
	}()
	if err != nil {
		return err
	}
	options := fmt.Sprintf("mode=0755,size=64k,nr_inodes=%d", 64+64*len(places))
	if err := unix.Mount("sandbox", coverDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	inside := false
	defer func() {
		if err != nil && !inside {
			_ = unix.Unmount(coverDir, unix.MNT_DETACH) // Landlock, tried next without the root, needs what it covers
		}
	}()
	for _, b := range binds {
		if err := b.put(filepath.Join(coverDir, b.path)); err != nil {
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
	inside = true
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

// put moves the copy to where its path is in the new root. A file goes onto itself, in a directory that is in place already and that
// others may write to: one that is gone or swapped there stays as it is, read-only.
func (b bind) put(at string) error {
	if !b.file {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		return unix.MoveMount(b.mount, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH)
	}
	under, err := b.find(at)
	if outOfReach(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(under)
	return unix.MoveMount(b.mount, "", under, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// outOfReach says that a path is missing, closed to this uid or another's: no reason to put on less of the wall, since
// what the child is not given it cannot get at. The layer files names it.
func outOfReach(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, errSwapped)
}

// detach copies the mounts of the directories and the writable files, and takes suid, devices, execution and, of the
// directories, writing away from the copies. What it opened is returned also with an error.
//
// A descriptor from another mount namespace cannot be copied (open_tree(2)), so each place is opened here once more, and compared.
func detach(places []*place) (binds []bind, err error) {
	for _, at := range places {
		here, err := at.find(at.path)
		if outOfReach(err) {
			continue // reportFiles says so
		}
		if err != nil {
			return binds, fmt.Errorf("open %s: %w", at.path, err)
		}
		// Recursive: a copy that leaves out mounts below it is refused in a user namespace (mounts are locked there).
		fd, err := unix.OpenTree(here, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_EMPTY_PATH)
		_ = unix.Close(here)
		if err != nil {
			return binds, fmt.Errorf("copy the mount of %s: %w", at.path, err)
		}
		binds = append(binds, bind{place: at, mount: fd})
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC}
		if !at.file {
			attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
		}
		if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return binds, fmt.Errorf("restrict mount %s: %w", at.path, err)
		}
	}
	return binds, nil
}
