package sandbox

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// securebits with every lock: uid 0 means nothing, a change of uid keeps nothing, no ambient capability can be raised
// (capabilities(7), SECBIT_NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off, NO_CAP_AMBIENT_RAISE).
const lockedSecurebits = 0xef

// dropCapabilities empties the bounding, ambient, inheritable, permitted and effective sets of every thread. The
// bounding set and the securebits need CAP_SETPCAP, which a child of an ordinary user without a user namespace does
// not have; no_new_privs covers them, since nothing it could execute would gain anything.
func dropCapabilities() error {
	var bounding error
	for c := uintptr(0); c < 64; c++ {
		have, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil {
			break // past the last capability of this kernel
		}
		if have == 1 {
			if bounding = onAllThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c); bounding != nil {
				break
			}
		}
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, lockedSecurebits); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("securebits: %w", err)
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil {
		return fmt.Errorf("ambient set: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	// Called directly: AllThreadsSyscall keeps its pointer arguments alive, a wrapper would not.
	if _, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none[0])), 0); e != 0 {
		return fmt.Errorf("capset: %w", e)
	}
	if bounding != nil && os.Getuid() == 0 {
		return fmt.Errorf("bounding set of root: %w", bounding)
	}
	return nil
}

// keepCapabilities takes every capability but those of keep from the bounding, permitted and effective sets of every
// thread, and empties the inheritable set. An ordinary user has none to lose.
func keepCapabilities(keep uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if have[0].Permitted|have[1].Permitted == 0 {
		return nil
	}
	for c := uintptr(0); c < 64; c++ {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil {
			break // past the last capability of this kernel
		}
		if in == 1 && keep&(1<<c) == 0 {
			if err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c); err != nil && !errors.Is(err, unix.EPERM) {
				return fmt.Errorf("bounding set: %w", err)
			}
		}
	}
	for i := range have {
		part := uint32(keep >> (32 * i))
		have[i] = unix.CapUserData{Effective: have[i].Permitted & part, Permitted: have[i].Permitted & part}
	}
	if _, _, e := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&have[0])), 0); e != 0 {
		return fmt.Errorf("capset: %w", threadsError(e))
	}
	return nil
}

// setAffinity pins every thread to the set.
func setAffinity(set *unix.CPUSet) error {
	_, _, e := syscall.AllThreadsSyscall(unix.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set)))
	return threadsError(e)
}
