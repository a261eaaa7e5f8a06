package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// HardenParent protects the parent from processes of the same user and keeps what it inherited from reaching children:
// no ptrace, no core file, and every descriptor above 2 close-on-exec. Call it once, first thing in the studio.
func HardenParent() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("harden: set undumpable: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("harden: no core files: %w", err)
	}
	if err := closeOnExec(); err != nil {
		return fmt.Errorf("harden: %w", err)
	}
	return nil
}

// closeOnExec marks every descriptor from 3 up. The runtime marks its own; what a service manager or a shell passed
// on, and what a library opened without the flag, is not.
func closeOnExec() error {
	err := unix.CloseRange(firstFile, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil || !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		return err
	}
	// Before Linux 5.11, and under container profiles that do not know the call.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= firstFile {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
