package server

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// slack is how late a timer of this process and of its children may be.
	slack = time.Millisecond
	// defaultSlack is the kernel's own (prctl(2), PR_SET_TIMERSLACK).
	defaultSlack = 50 * time.Microsecond
	// executed marks the environment of a program that has done this, so that it is done once whatever the kernel makes of it.
	executed = "_STUDIO_EXECUTED"
)

// CoarseTimers lets timers be a millisecond late. The Go runtime looks after its threads every 20 µs while anything runs; at a
// millisecond that costs a fifth less CPU per call under light load and a tenth under full load, of parent and child alike (ADR 0012).
//
// The attribute belongs to a thread and is inherited by those it makes and by processes, and the runtime's own thread runs before any
// code of ours. So the program executes itself once more: same process, same arguments. Where that is not possible, or a service
// manager chose a value (TimerSlackNSec=), everything stays as it is, and nothing but speed is lost.
//
// It must come before anything is opened or started. It returns if there is nothing to do.
func CoarseTimers() {
	if os.Getenv(executed) != "" {
		_ = os.Unsetenv(executed)
		return
	}
	runtime.LockOSThread() // the attribute that counts is that of the thread which executes
	defer runtime.UnlockOSThread()
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || time.Duration(now) != defaultSlack {
		return
	}
	program, err := os.Executable()
	if err != nil || unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) != nil {
		return
	}
	_ = syscall.Exec(program, os.Args, append(os.Environ(), executed+"=1")) // it returns only if it could not
}
