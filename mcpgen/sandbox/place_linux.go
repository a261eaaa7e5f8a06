package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxHeld is how many directories and files a child can be given: the descriptors of one message (SCM_MAX_FD, unix(7))
// less its pipes and its output.
const maxHeld = maxStarterFiles - 13

// Hold opens a file or directory below root for Options.Held, without following a link in its last place: what is behind the
// descriptor stays the same whatever happens to the name. It can be looked at (Stat) and not be read or written.
func Hold(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, unix.O_PATH|unix.O_NOFOLLOW, 0)
}

// hold opens every path of the policy that the caller did not. One that cannot be opened is left out, and the layer files
// says so; every other error ends the start. It owns held.
func hold(p Policy, held map[string]*os.File) (files []*os.File, err error) {
	paths := slices.Concat(p.Dirs, p.RWFiles)
	files = make([]*os.File, len(paths))
	defer func() {
		if err != nil {
			closeFiles(slices.Concat(files, slices.Collect(maps.Values(held))))
			files = nil
		}
	}()
	for path, f := range held {
		i := slices.Index(paths, path)
		if i < 0 { // its place would be opened by its path, unseen
			return files, fmt.Errorf("%s is held and not in the policy", path)
		}
		files[i] = f
	}
	if len(paths) > maxHeld {
		return files, fmt.Errorf("a child can be given %d directories and files, not %d", maxHeld, len(paths))
	}
	for i, path := range paths {
		if files[i] != nil {
			continue
		}
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		switch {
		case outOfReach(err):
		case err != nil:
			return files, fmt.Errorf("open %s: %w", path, err)
		default:
			files[i] = os.NewFile(uintptr(fd), path)
		}
	}
	return files, nil
}

// number says which descriptors of the child the held ones become after before others, and leaves the gaps out.
func number(held []*os.File, before int) (files []*os.File, numbers []int) {
	for _, f := range held {
		if f == nil {
			numbers = append(numbers, -1)
			continue
		}
		numbers = append(numbers, firstFile+before+len(files))
		files = append(files, f)
	}
	return files, numbers
}

// place is a directory or file of the policy, as the child finds it: the descriptor says which one is meant, the path only
// where it was. Between the studio's look and the child's mount or rule, whoever may write to a directory can put a link or
// another file where the path leads; descriptors cannot be swapped. That is why nothing here trusts a path before it was
// compared.
type place struct {
	path    string
	file    bool // writable; else a directory to read
	fd      int  // -1: nothing was there
	id      identity
	swapped bool // the path led elsewhere
}

// identity tells files apart while one of them is open, so that the kernel cannot give its number away. It is the same in
// every mount namespace.
type identity struct{ dev, ino uint64 }

func identify(fd int) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return identity{}, err
	}
	return identity{st.Dev, st.Ino}, nil
}

// errSwapped is the reason of a place whose path leads elsewhere by now.
var errSwapped = errors.New("it is another one than the studio looked at")

// places reads what the child inherited.
func (p Policy) places() []*place {
	var out []*place
	for i, path := range slices.Concat(p.Dirs, p.RWFiles) {
		at := &place{path: path, file: i >= len(p.Dirs), fd: -1}
		if i < len(p.Held) && p.Held[i] >= 0 {
			if id, err := identify(p.Held[i]); err == nil {
				at.fd, at.id = p.Held[i], id
			}
		}
		out = append(out, at)
	}
	return out
}

// find opens the place by a path, as itself and in this mount namespace, and refuses what is not the same.
func (at *place) find(path string) (fd int, err error) {
	if at.fd < 0 {
		return -1, unix.ENOENT
	}
	if fd, err = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return -1, err
	}
	id, err := identify(fd)
	if err == nil && id != at.id {
		at.swapped, err = true, errSwapped
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// rulePath is how to name the place for a Landlock rule, which must be about what is behind the descriptor. In a private
// root the path is as good: what lies there was put there by its descriptor, and there is no /proc.
func (at *place) rulePath(private bool) string {
	if private {
		return at.path
	}
	return "/proc/self/fd/" + strconv.Itoa(at.fd)
}

// elsewhere reports whether the path leads to something else by now.
func (at *place) elsewhere() bool {
	var st unix.Stat_t
	return at.swapped || at.fd >= 0 && unix.Stat(at.path, &st) == nil && identity{st.Dev, st.Ino} != at.id
}

// letGo closes the descriptors of the places. They lead out of the private root, so nothing foreign may be read before.
func letGo(places []*place) {
	for _, at := range places {
		if at.fd >= 0 {
			_ = unix.Close(at.fd) // it was open a moment ago
		}
	}
}
