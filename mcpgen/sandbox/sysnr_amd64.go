//go:build linux

package sandbox

import "golang.org/x/sys/unix"

// auditArch is the machine of a system call made through its native table; x32Calls says that there is a second one.
const (
	auditArch = unix.AUDIT_ARCH_X86_64
	x32Calls  = true
)

// ownCalls are the old forms that later architectures left out.
func ownCalls() map[string]uint32 {
	return map[string]uint32{
		"access": unix.SYS_ACCESS, "epoll_wait": unix.SYS_EPOLL_WAIT, "fork": unix.SYS_FORK, "ioperm": unix.SYS_IOPERM,
		"iopl": unix.SYS_IOPL, "lstat": unix.SYS_LSTAT, "mkdir": unix.SYS_MKDIR, "modify_ldt": unix.SYS_MODIFY_LDT,
		"open": unix.SYS_OPEN, "poll": unix.SYS_POLL, "readlink": unix.SYS_READLINK, "rename": unix.SYS_RENAME,
		"rmdir": unix.SYS_RMDIR, "stat": unix.SYS_STAT, "unlink": unix.SYS_UNLINK, "vfork": unix.SYS_VFORK,
	}
}
