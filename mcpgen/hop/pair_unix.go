//go:build unix

package hop

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// Pair makes the two ends of a link: a connected pair of Unix stream sockets. The child's end is a file to hand to the
// process (as exec.Cmd's ExtraFiles) and to close afterwards; there net.FileConn makes a connection of it. Neither end
// is inherited by any other process.
func Pair() (parent net.Conn, child *os.File, err error) {
	syscall.ForkLock.RLock() // no fork between making the sockets and closing them on exec
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair for calls: %w", err)
	}
	near := os.NewFile(uintptr(fds[0]), "calls, parent")
	child = os.NewFile(uintptr(fds[1]), "calls, child")
	defer near.Close()
	if parent, err = net.FileConn(near); err != nil {
		child.Close()
		return nil, nil, fmt.Errorf("use a socket pair for calls: %w", err)
	}
	return parent, child, nil
}
