//go:build !unix

package hop

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// Pair needs Unix sockets that a process can inherit; there are none on this system.
func Pair() (parent net.Conn, child *os.File, err error) {
	return nil, nil, fmt.Errorf("make a socket pair for calls: %w", errors.ErrUnsupported)
}
