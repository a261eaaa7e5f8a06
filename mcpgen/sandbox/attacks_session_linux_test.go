package sandbox

import (
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sessionAttacks go for what children share with the studio, or inherited from it: the session and its terminal, the process group, the
// scheduling that goes with them, the slack of timers, and descriptors that were open at the start.
func sessionAttacks() []attack {
	terminal := func(name string, request uint) attack {
		return attack{name, true, func(targets) string {
			var last string
			c := [1]byte{'x'}
			for fd := range uintptr(8) {
				_, err := sys(unix.SYS_IOCTL, fd, uintptr(request), uintptr(unsafe.Pointer(&c[0])))
				if last = verdict(err, fmt.Sprintf("done on descriptor %d", fd)); err == nil {
					return last
				}
			}
			return last
		}}
	}
	return []attack{
		opens("terminal of the session", unix.O_RDWR|unix.O_NOCTTY, func(targets) string { return "/dev/tty" }),
		terminal("type into the terminal", unix.TIOCSTI),
		terminal("take the terminal", unix.TIOCSCTTY),
		terminal("foreground of the terminal", unix.TIOCSPGRP),
		{"signal the studio's process group", false, func(t targets) string { return verdict(unix.Kill(-t.Group, 0), "may signal") }},
		{"signal one's own process group", false, func(targets) string { return verdict(unix.Kill(0, 0), "may signal") }},
		{"join the studio's process group", true, func(t targets) string { return verdict(unix.Setpgid(0, t.Group), "joined") }},
		{"process group of the studio", false, func(t targets) string {
			_, err := unix.Getpgid(t.Parent)
			return verdict(err, "read")
		}},
		{"priority of the studio's process group", false, func(t targets) string {
			return verdict(unix.Setpriority(unix.PRIO_PGRP, t.Group, 1), "set")
		}},
		{"weight of the session", false, func(targets) string { return openFile("/proc/self/autogroup", unix.O_RDWR) }},
		{"slack of timers", false, func(targets) string { return verdict(unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0), "set") }},
		{"slack of the studio's timers", false, func(t targets) string {
			return openFile(fmt.Sprintf("/proc/%d/timerslack_ns", t.Parent), unix.O_RDWR)
		}},
		{"climb out of an inherited descriptor", true, func(targets) string {
			last := verdict(unix.EACCES, "") // every descriptor is closed
			for fd := range 1024 {
				got, err := unix.Openat(fd, strings.Repeat("../", 12)+"etc/passwd", unix.O_RDONLY, 0)
				if err == nil {
					unix.Close(got)
					return fmt.Sprintf("ESCAPE through descriptor %d", fd)
				}
				if err != unix.EBADF {
					last = verdict(err, "")
				}
			}
			return last
		}},
	}
}
