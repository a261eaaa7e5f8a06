//go:build !unix

package pipe

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// New needs Unix sockets that a process can inherit; there are none on this system.
func New(name string) (parent net.Conn, child *os.File, err error) {
	return nil, nil, fmt.Errorf("make a socket pair for %s: %w", name, errors.ErrUnsupported)
}
