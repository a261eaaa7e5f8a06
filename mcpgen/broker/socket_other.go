//go:build !linux

package broker

import (
	"errors"
	"net"
	"os"
)

// errUnsupported is returned where there is no sandbox to pass sockets into.
var errUnsupported = errors.New("the broker works on Linux only")

// Pair fails: there is no sandboxed child on this operating system.
func Pair() (*net.UnixConn, *os.File, error) { return nil, nil, errUnsupported }

func truncated(int) bool { return false }

func sendWithFile(*net.UnixConn, []byte, *net.TCPConn) error { return errUnsupported }

func receiveWithFile(*net.UnixConn, []byte) (int, *os.File, error) { return 0, nil, errUnsupported }
