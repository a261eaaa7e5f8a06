package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// callAttacks go for the system calls beside the well-trodden ones: newer forms of what is refused under an older number, and
// calls nothing in the child makes. // case 227, 228, 229
func callAttacks() []attack {
	list := append(newerCalls(), otherProcessCalls()...)
	return append(list, socketCalls()...)
}

func newerCalls() []attack {
	return []attack{
		{"run a program by its descriptor", false, func(targets) string {
			fd, err := unix.Open("/bin/sh", unix.O_PATH, 0)
			if err != nil {
				return verdict(err, "")
			}
			path, argv := []byte("\x00"), []*byte{nil}
			_, err = sys(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&path[0])), uintptr(unsafe.Pointer(&argv[0])), 0, unix.AT_EMPTY_PATH)
			return verdict(err, "ran")
		}},
		{"make a page executable with a key", false, func(targets) string {
			b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return "blocked " + err.Error()
			}
			_, err = sys(unix.SYS_PKEY_MPROTECT, uintptr(unsafe.Pointer(&b[0])), 4096, unix.PROT_READ|unix.PROT_EXEC, ^uintptr(0))
			return verdict(err, "executable")
		}},
		{"map a file executable", false, func(t targets) string {
			fd, err := unix.Open(t.Database, unix.O_RDONLY, 0)
			if err != nil {
				return verdict(err, "")
			}
			defer unix.Close(fd)
			_, err = unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
			return verdict(err, "mapped")
		}},
		{"move a mapping", false, func(targets) string {
			b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return "blocked " + err.Error()
			}
			_, err = sys(unix.SYS_MREMAP, uintptr(unsafe.Pointer(&b[0])), 4096, 8192, 1)
			return verdict(err, "moved")
		}},
		call("protection key", false, unix.SYS_PKEY_ALLOC, 0, 0),
		{"change a mode by descriptor and path", false, func(t targets) string { return path2(unix.SYS_FCHMODAT2, t.Database, 0o777, 0) }},
		{"change a mode beside the filter", false, func(t targets) string { return path2(unix.SYS_FCHMODAT, t.Database, 0o777, 0) }},
		{"change an owner", false, func(t targets) string {
			return path2(unix.SYS_FCHOWNAT, t.Database, ^uintptr(0), ^uintptr(0))
		}},
		{"change a time", false, func(t targets) string { return path2(unix.SYS_UTIMENSAT, t.Database, 0, 0) }},
		{"make a device", true, func(t targets) string {
			return verdict(unix.Mknodat(unix.AT_FDCWD, t.Dir+"/device", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))), "made")
		}},
		{"link by descriptor", false, func(t targets) string {
			return verdict(unix.Linkat(unix.AT_FDCWD, t.Database, unix.AT_FDCWD, t.Dir+"/linkedat", 0), "linked")
		}},
		{"exchange two files", false, func(t targets) string {
			return verdict(unix.Renameat2(unix.AT_FDCWD, t.Database, unix.AT_FDCWD, t.Database+"-shm", unix.RENAME_EXCHANGE), "exchanged")
		}},
		{"remove an extended attribute", true, func(t targets) string { return verdict(unix.Removexattr(t.Database, "user.x"), "removed") }},
		{"file system statistics by path", false, func(t targets) string {
			var st unix.Statfs_t
			return verdict(unix.Statfs(t.Dir+"/..", &st), "read")
		}},
		{"change directory", false, func(targets) string { return verdict(unix.Chdir("/etc"), "changed") }},
		{"watch a directory", false, func(targets) string { _, err := unix.FanotifyInit(0x200, 0); return verdict(err, "watching") }},
		call("open a file system", true, unix.SYS_FSOPEN, 0, 0),
		call("mount a file system", true, unix.SYS_FSMOUNT, ^uintptr(0), 0, 0),
		call("pick a mount", true, unix.SYS_FSPICK, ^uintptr(99), 0, 0),
		call("move a mount", true, unix.SYS_MOVE_MOUNT, ^uintptr(0), 0, ^uintptr(0), 0, 0),
		call("list mounts", true, unix.SYS_LISTMOUNT, 0, 0, 0, 0),
		call("describe a mount", true, unix.SYS_STATMOUNT, 0, 0, 0, 0),
		call("quota by descriptor", true, unix.SYS_QUOTACTL_FD, ^uintptr(0), 0, 0, 0),
		call("secure module attributes", true, unix.SYS_LSM_SET_SELF_ATTR, 100, 0, 0, 0),
		call("seal memory", true, unix.SYS_MSEAL, 0, 0, 0),
		call("page cache statistics", true, unix.SYS_CACHESTAT, 0, 0, 0, 0),
		call("POSIX message queue", false, unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(&[]byte("sandbox-attack\x00")[0])), unix.O_RDWR, 0, 0),
	}
}

// path2 makes a call on a path relative to nothing, with two further arguments.
func path2(nr uintptr, path string, a, b uintptr) string {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return "blocked " + err.Error()
	}
	_, err = sys(nr, unix.AT_FDCWD&(1<<64-1), uintptr(unsafe.Pointer(p)), a, b, 0)
	return verdict(err, "changed")
}

func otherProcessCalls() []attack {
	return []attack{
		{"signal by a process descriptor", false, func(t targets) string {
			fd, err := unix.PidfdOpen(t.Victim, 0)
			if err != nil {
				return verdict(err, "")
			}
			return verdict(unix.PidfdSendSignal(fd, 0, nil, 0), "signalled")
		}},
		{"advise the victim's memory", false, func(t targets) string {
			fd, err := unix.PidfdOpen(t.Victim, 0)
			if err != nil {
				return verdict(err, "")
			}
			_, err = sys(unix.SYS_PROCESS_MADVISE, uintptr(fd), 0, 0, unix.MADV_COLD, 0)
			return verdict(err, "advised")
		}},
		{"release the victim's memory", true, func(targets) string {
			_, err := sys(unix.SYS_PROCESS_MRELEASE, ^uintptr(0), 0)
			return verdict(err, "released")
		}},
		{"compare with the victim", false, func(t targets) string {
			_, err := sys(unix.SYS_KCMP, uintptr(t.Victim), uintptr(t.Victim), 0, 0, 0)
			return verdict(err, "compared")
		}},
		{"thread signal without a group", false, func(t targets) string {
			_, err := sys(unix.SYS_TKILL, uintptr(t.Victim), 0)
			return verdict(err, "may signal")
		}},
		{"write the victim's memory", true, func(t targets) string {
			b := make([]byte, 8)
			_, err := unix.ProcessVMWritev(t.Victim, []unix.Iovec{{Base: &b[0], Len: 8}}, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
			return verdict(err, "written")
		}},
		{"affinity of the victim", false, func(t targets) string {
			var s unix.CPUSet
			s.Set(0)
			return verdict(unix.SchedSetaffinity(t.Victim, &s), "set")
		}},
		{"session of the victim", false, func(t targets) string {
			_, err := unix.Getsid(t.Victim)
			return verdict(err, "read")
		}},
		{"process group of its own", true, func(targets) string { return verdict(unix.Setpgid(0, 0), "set") }},
		{"scheduler", false, func(targets) string {
			var param int32
			_, err := sys(unix.SYS_SCHED_SETSCHEDULER, 0, 3 /* SCHED_BATCH */, uintptr(unsafe.Pointer(&param)))
			return verdict(err, "set")
		}},
		{"memory policy", false, func(targets) string {
			_, err := sys(unix.SYS_SET_MEMPOLICY, 0, 0, 0)
			return verdict(err, "set")
		}},
		{"become a reaper", false, func(targets) string {
			return verdict(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "set")
		}},
		{"keep capabilities", false, func(targets) string { return verdict(unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0), "set") }},
		{"an ambient capability", true, func(targets) string {
			return verdict(unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_RAW, 0, 0), "raised")
		}},
		{"dispatch system calls", false, func(targets) string {
			return verdict(unix.Prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0), "set")
		}},
		{"a second filter", true, func(targets) string {
			return verdict(unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_STRICT, 0, 0, 0), "set")
		}},
		{"wait for others", false, func(targets) string {
			_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.ECHILD { // the call was let in and looked
				err = nil
			}
			return verdict(err, "asked")
		}},
	}
}

func socketCalls() []attack {
	return []attack{
		{"passed socket: many messages", false, func(targets) string {
			_, err := sys(unix.SYS_SENDMMSG, fdTCP, 0, 0, 0)
			return verdict(err, "sent")
		}},
		{"passed socket: receive many", false, func(targets) string {
			_, err := sys(unix.SYS_RECVMMSG, fdTCP, 0, 0, unix.MSG_DONTWAIT, 0)
			return verdict(err, "received")
		}},
		{"passed socket: accept with flags", true, func(targets) string {
			_, _, err := unix.Accept4(fdTCP, unix.SOCK_NONBLOCK)
			return verdict(err, "accepted")
		}},
		{"passed socket: bind to a device", false, func(targets) string {
			return verdict(unix.SetsockoptString(fdTCP, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo"), "bound")
		}},
		{"passed socket: mark", true, func(targets) string {
			return verdict(unix.SetsockoptInt(fdTCP, unix.SOL_SOCKET, unix.SO_MARK, 1), "marked")
		}},
		{"passed socket: repair", true, func(targets) string {
			return verdict(unix.SetsockoptInt(fdTCP, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1), "repaired")
		}},
		{"passed socket: upper protocol", false, func(targets) string {
			err := unix.SetsockoptString(fdTCP, unix.IPPROTO_TCP, unix.TCP_ULP, "tls")
			if err == unix.ENOENT { // the call was let in; this kernel has no such protocol
				err = nil
			}
			return verdict(err, "set")
		}},
		{"passed socket: shutdown of both sides", true, func(targets) string { return verdict(unix.Shutdown(fdTCP, unix.SHUT_RDWR), "shut down") }},
		{"passed socket: owner", false, func(t targets) string {
			_, err := unix.FcntlInt(fdTCP, unix.F_SETOWN, t.Victim)
			return verdict(err, "owned")
		}},
		{"passed socket: signal", false, func(targets) string {
			_, err := unix.FcntlInt(fdTCP, unix.F_SETSIG, int(unix.SIGKILL))
			return verdict(err, "set")
		}},
		{"duplicate without close-on-exec", false, func(targets) string {
			fd, err := unix.FcntlInt(fdTCP, unix.F_DUPFD, 100)
			if err == nil {
				unix.Close(fd)
			}
			return verdict(err, "duplicated")
		}},
		{"duplicate onto a descriptor", false, func(targets) string {
			err := unix.Dup3(fdTCP, 200, 0)
			if err == nil {
				unix.Close(200)
			}
			return verdict(err, "duplicated")
		}},
		{"pages into a pipe", false, func(targets) string {
			var p [2]int
			if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
				return "blocked " + err.Error()
			}
			defer unix.Close(p[0])
			defer unix.Close(p[1])
			b := []byte("x")
			_, err := unix.Vmsplice(p[1], []unix.Iovec{{Base: &b[0], Len: 1}}, 0)
			return verdict(err, "spliced")
		}},
		{"signals as a descriptor", false, func(targets) string {
			var set unix.Sigset_t
			fd, err := unix.Signalfd(-1, &set, 0)
			if err == nil {
				unix.Close(fd)
			}
			return verdict(err, "made")
		}},
		{"timer as a descriptor", false, func(targets) string {
			fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, 0)
			if err == nil {
				unix.Close(fd)
			}
			return verdict(err, "made")
		}},
		{"unshare the sockets", true, func(targets) string { return verdict(unix.Unshare(unix.CLONE_NEWNET|unix.CLONE_NEWUSER), "unshared") }},
	}
}

// bombAttacks use up what there is; what bounds them is the kernel, the watchdog or the runtime. // case 237
func bombAttacks() []attack {
	return []attack{
		{"process bomb", true, func(targets) string {
			for n := range 1000 {
				if err := exits(sys(unix.SYS_CLONE, uintptr(unix.SIGCHLD))); err != nil {
					return fmt.Sprintf("blocked after %d: %v", n, err)
				}
			}
			return "ESCAPE 1000 processes"
		}},
		{"pipe bomb", true, func(targets) string {
			for n := range 5000 {
				var p [2]int
				if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
					return fmt.Sprintf("blocked after %d: %v", n, err)
				}
			}
			return "ESCAPE 5000 pipes"
		}},
		{"event descriptor bomb", true, func(targets) string {
			for n := range 5000 {
				if _, err := unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
					return fmt.Sprintf("blocked after %d: %v", n, err)
				}
			}
			return "ESCAPE 5000 event descriptors"
		}},
		{"goroutine bomb", true, func(targets) string {
			stop := make(chan struct{})
			defer close(stop)
			for range 1_000_000 {
				go func() { <-stop }()
			}
			return "ESCAPE a million goroutines"
		}},
		{"CPU spin", true, func(targets) string {
			var before, after unix.Rusage
			if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
				return "blocked " + err.Error()
			}
			began := time.Now()
			end := began.Add(300 * time.Millisecond)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					runtime.LockOSThread()
					for time.Now().Before(end) {
					}
				})
			}
			wg.Wait()
			if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
				return "blocked " + err.Error()
			}
			used := time.Duration(after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano())
			if took := time.Since(began); used > took*3/2 { // one processor, and the policy allows one
				return fmt.Sprintf("ESCAPE %v of processor time in %v", used, took)
			}
			return "blocked one processor"
		}},
		{"flood of error output without an end of line", true, func(targets) string {
			block := strings.Repeat("y", 64<<10)
			for range 400 {
				if _, err := os.Stderr.WriteString(block); err != nil {
					return "blocked " + err.Error()
				}
			}
			return "blocked the studio keeps the bound" // asserted by the line count of the harness
		}},
	}
}
