package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Pair makes the two ends: the parent's as a connection, the child's as a file to be inherited, which the caller closes
// after the child has started.
func Pair() (parent *net.UnixConn, child *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make broker sockets: %w", err)
	}
	f := os.NewFile(uintptr(fds[0]), "broker")
	child = os.NewFile(uintptr(fds[1]), "broker-child")
	c, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		_ = child.Close()
		return nil, nil, fmt.Errorf("make broker sockets: %w", err)
	}
	parent, ok := c.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.Join(fmt.Errorf("make broker sockets: got a %T", c), c.Close(), child.Close())
	}
	return parent, child, nil
}

// truncated reports whether a message did not fit, or carried ancillary data there was no room for.
func truncated(flags int) bool { return flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 }

// sendWithFile writes a message with the descriptor of c; without when c is nil.
func sendWithFile(u *net.UnixConn, b []byte, c *net.TCPConn) error {
	if c == nil {
		_, _, err := u.WriteMsgUnix(b, nil, nil)
		return err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		_, _, sent = u.WriteMsgUnix(b, unix.UnixRights(int(fd)), nil)
	}); err != nil {
		return err
	}
	return sent
}

// receiveWithFile reads a message and the descriptor with it, if there is one. Go's net asks for close-on-exec.
func receiveWithFile(u *net.UnixConn, b []byte) (int, *os.File, error) {
	oob := make([]byte, unix.CmsgSpace(4)) // one descriptor
	n, oobn, _, _, err := u.ReadMsgUnix(b, oob)
	if err != nil {
		return 0, nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) == 0 {
		return n, nil, nil
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
		return n, nil, nil
	}
	return n, os.NewFile(uintptr(fds[0]), "brokered"), nil
}
