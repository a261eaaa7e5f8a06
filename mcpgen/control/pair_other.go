//go:build !unix

package control

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// Pair needs Unix sockets that a process can inherit; there are none on this system.
func Pair() (parent net.Conn, child *os.File, err error) {
	return nil, nil, fmt.Errorf("make a socket pair for control: %w", errors.ErrUnsupported)
}
