//go:build linux

package sandbox

import "golang.org/x/sys/unix"

// auditArch is the machine of a system call made through its native table; x32Calls says that there is a second one.
const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	x32Calls  = false
)

// ownCalls is empty: the architecture has only the calls all share.
func ownCalls() map[string]uint32 { return nil }
