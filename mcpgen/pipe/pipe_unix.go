//go:build unix

package pipe

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// New makes a connected pair of Unix stream sockets; name is for messages and for the files. The child's end is a file to
// hand to the process (as exec.Cmd's ExtraFiles) and to close afterwards; there net.FileConn makes a connection of it.
func New(name string) (parent net.Conn, child *os.File, err error) {
	syscall.ForkLock.RLock() // no fork between making the sockets and closing them on exec
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair for %s: %w", name, err)
	}
	near := os.NewFile(uintptr(fds[0]), name+", parent")
	child = os.NewFile(uintptr(fds[1]), name+", child")
	defer near.Close()
	if parent, err = net.FileConn(near); err != nil {
		child.Close()
		return nil, nil, fmt.Errorf("use a socket pair for %s: %w", name, err)
	}
	return parent, child, nil
}
