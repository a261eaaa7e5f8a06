package store

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// OwnAs gives a file that root has just made to the owner of its directory: a command that is run as root beside a studio of another
// user must leave nothing in the data directory that this user cannot read. It does nothing for anybody else.
func OwnAs(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return fmt.Errorf("inspect the directory of %s: %w", f.Name(), err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return nil
	}
	if now, err := f.Stat(); err == nil { // a file system without owners of its own gives every file that of the mount, and refuses to change it
		if is, ok := now.Sys().(*syscall.Stat_t); ok && is.Uid == st.Uid {
			return nil
		}
	}
	if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("give %s to the user of its directory: %w", f.Name(), err)
	}
	return nil
}
