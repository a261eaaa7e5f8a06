package sandbox

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ownSocket is a Unix listener of the parent. The descriptor of the socket's file keeps its inode from being given to another.
type ownSocket struct {
	dir, file *os.File
	name      string
	id        identity
}

// lookAtSockets opens what lies at the paths, so that later nothing else is taken for it. The parent tells once, before it confines
// itself; a second list is not accepted, so no later order can have another file removed. What is no socket is left out.
func lookAtSockets(paths []string) *[]ownSocket {
	out := []ownSocket{}
	for _, path := range paths {
		s := ownSocket{name: filepath.Base(path)}
		dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // it stays, and the next start replaces it
		}
		s.dir = os.NewFile(uintptr(dir), filepath.Dir(path))
		fd, err := unix.Openat(dir, s.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			_ = s.dir.Close()
			continue
		}
		s.file = os.NewFile(uintptr(fd), path)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
			closeFiles([]*os.File{s.dir, s.file})
			continue
		}
		s.id = identity{st.Dev, st.Ino}
		out = append(out, s)
	}
	return &out
}

// removeSockets removes the parent's sockets that are still the same: a studio that was started meanwhile has put its own there. A
// socket that cannot be removed is no harm, since nobody listens on it and the next start replaces it.
func (s *starterServer) removeSockets() {
	if s.sockets == nil {
		return
	}
	for _, o := range *s.sockets {
		var st unix.Stat_t
		dir := int(o.dir.Fd())
		if err := unix.Fstatat(dir, o.name, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil && (identity{st.Dev, st.Ino}) == o.id {
			_ = unix.Unlinkat(dir, o.name, 0)
		}
	}
}
