package sandbox

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// targets are what the attacks go for; all of it works for a process without a sandbox.
type targets struct {
	Parent   int    `json:"parent"`
	Group    int    `json:"group"`    // the parent's process group
	Victim   int    `json:"victim"`   // a process of the parent's uid
	TCP      string `json:"tcp"`      // a listener
	Unix     string `json:"unix"`     // a socket with mode 0666
	Abstract string `json:"abstract"` // an abstract socket
	Secret   string `json:"secret"`   // a world-readable file outside the policy
	Dir      string `json:"dir"`      // in FSRO and FSROShm the directory of the policy, else one outside
	Database string `json:"database"` // a world-writable file in it
	Link     string `json:"link"`     // a symbolic link in it to Secret
}

// attack tries one thing; it returns "ESCAPE …" when that worked.
type attack struct {
	name   string
	danger bool // not to be tried without a sandbox
	try    func(t targets) string
}

func verdict(err error, what string) string {
	if err == nil {
		return "ESCAPE " + what
	}
	var e unix.Errno
	if errors.As(err, &e) {
		return "blocked " + unix.ErrnoName(e)
	}
	return "blocked " + err.Error()
}

func sys(nr uintptr, args ...uintptr) (uintptr, error) {
	var a [6]uintptr
	copy(a[:], args)
	r, _, e := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if e != 0 {
		return r, e
	}
	return r, nil
}

// call is an attack that is one raw call.
func call(name string, danger bool, nr uintptr, args ...uintptr) attack {
	return attack{name, danger, func(targets) string {
		_, err := sys(nr, args...)
		return verdict(err, "call succeeded")
	}}
}

// systemV makes an object that outlives its process, and removes it where that worked. command is the place of
// IPC_RMID, which is 0, among the arguments of control; all others are 0 as well.
func systemV(name string, control uintptr, command int, get uintptr, args ...uintptr) attack {
	return attack{name, false, func(targets) string {
		id, err := sys(get, args...)
		if err == nil {
			remove := make([]uintptr, command+2)
			remove[0] = id
			_, _ = sys(control, remove...)
		}
		return verdict(err, "object made")
	}}
}

func openFile(path string, flags int) string {
	fd, err := unix.Open(path, flags, 0o600)
	if err == nil {
		unix.Close(fd)
	}
	return verdict(err, "opened "+path)
}

func opens(name string, flags int, path func(targets) string) attack {
	return attack{name, false, func(t targets) string { return openFile(path(t), flags) }}
}

func socket(name string, domain, kind, protocol int) attack {
	return attack{name, false, func(targets) string {
		fd, err := unix.Socket(domain, kind, protocol)
		if err == nil {
			unix.Close(fd)
		}
		return verdict(err, "socket made")
	}}
}

func address(t targets) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: int(netip.MustParseAddrPort(t.TCP).Port()), Addr: [4]byte{127, 0, 0, 1}}
}

func unixConnect(name string) string {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return verdict(err, "")
	}
	defer unix.Close(fd)
	return verdict(unix.Connect(fd, &unix.SockaddrUnix{Name: name}), "connected to a unix socket")
}

// exits makes a raw-forked copy of this process end at once.
func exits(r uintptr, err error) error {
	if err == nil && r == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return err
}

// attackGroup is a part of the catalogue under a heading.
type attackGroup struct {
	name    string
	attacks []attack
}

// attackGroups is the catalogue: cases 227, 228, 229 and 237 of the attack list.
func attackGroups() []attackGroup {
	return []attackGroup{
		{"Network", networkAttacks()}, {"Files", fileAttacks()}, {"Other processes", processAttacks()}, {"Session and inheritance", sessionAttacks()}, {"Privileges", privilegeAttacks()},
		{"Kernel surface", kernelAttacks()}, {"Less trodden system calls", callAttacks()}, {"Other system call tables", archAttacks()},
		{"Resources", append(resourceAttacks(), bombAttacks()...)},
	}
}

func attacks() []attack {
	var list []attack
	for _, g := range attackGroups() {
		list = append(list, g.attacks...)
	}
	return list
}

// case 227
func networkAttacks() []attack {
	return []attack{
		{"tcp connect", false, func(t targets) string {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			if err != nil {
				return verdict(err, "")
			}
			defer unix.Close(fd)
			return verdict(unix.Connect(fd, address(t)), "connected")
		}},
		socket("socket inet6", unix.AF_INET6, unix.SOCK_STREAM, 0),
		socket("socket udp", unix.AF_INET, unix.SOCK_DGRAM, 0),
		socket("socket mptcp", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP),
		socket("socket sctp", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP),
		socket("socket raw", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP),
		socket("socket netlink", unix.AF_NETLINK, unix.SOCK_RAW, 0),
		socket("socket packet", unix.AF_PACKET, unix.SOCK_RAW, 0),
		socket("socket vsock", unix.AF_VSOCK, unix.SOCK_STREAM, 0),
		socket("socket alg", unix.AF_ALG, unix.SOCK_SEQPACKET, 0),
		socket("socket unix", unix.AF_UNIX, unix.SOCK_DGRAM, 0),
		{"socket on a new thread", false, func(targets) string {
			done := make(chan string)
			for range 8 {
				go func() {
					runtime.LockOSThread()
					_, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
					done <- verdict(err, "socket made")
				}()
			}
			var last string
			for range 8 {
				if last = <-done; strings.HasPrefix(last, "ESCAPE") {
					return last
				}
			}
			return last
		}},
		{"socketpair", false, func(targets) string {
			_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return verdict(err, "pair made")
		}},
		{"connect unix path", false, func(t targets) string { return unixConnect(t.Unix) }},
		{"connect unix abstract", false, func(t targets) string { return unixConnect("@" + t.Abstract) }},
		{"passed socket: connect(AF_UNSPEC), connect", false, func(t targets) string {
			unspec := make([]byte, 16)
			if _, err := sys(unix.SYS_CONNECT, fdTCP, uintptr(unsafe.Pointer(&unspec[0])), 16); err != nil {
				return verdict(err, "")
			}
			return verdict(unix.Connect(fdTCP, address(t)), "re-aimed the socket")
		}},
		{"passed socket: shutdown for reading", false, func(targets) string {
			return verdict(unix.Shutdown(fdTCP, unix.SHUT_RD), "shut down")
		}},
		{"passed socket: sendto with address", false, func(t targets) string {
			b := []byte("x")
			a := make([]byte, 16)
			a[0] = unix.AF_INET
			_, err := sys(unix.SYS_SENDTO, fdTCP, uintptr(unsafe.Pointer(&b[0])), 1, 0, uintptr(unsafe.Pointer(&a[0])), 16)
			return verdict(err, "sent")
		}},
		{"passed socket: sendmsg fast open", false, func(t targets) string {
			err := unix.Sendmsg(fdTCP, []byte("x"), nil, nil, unix.MSG_FASTOPEN)
			return verdict(err, "sent with fast open")
		}},
		{"passed socket: bind", false, func(targets) string {
			return verdict(unix.Bind(fdTCP, &unix.SockaddrInet4{}), "bound")
		}},
		{"passed socket: listen", false, func(targets) string { return verdict(unix.Listen(fdTCP, 1), "listening") }},
		{"passed socket: setsockopt priority", false, func(targets) string {
			return verdict(unix.SetsockoptInt(fdTCP, unix.SOL_SOCKET, unix.SO_PRIORITY, 5), "set")
		}},
		{"passed socket: attach bpf filter", false, func(targets) string {
			code := []unix.SockFilter{{Code: codeReturn, K: 1 << 16}}
			return verdict(unix.SetsockoptSockFprog(fdTCP, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &code[0]}), "attached")
		}},
		{"unix pair: peer pidfd", false, func(targets) string {
			_, err := unix.IoctlGetInt(fdPeer, unix.SIOCINQ)
			return verdict(err, "ioctl on a socket")
		}},
		{"unix pair: accept", true, func(targets) string {
			_, _, err := unix.Accept(fdPeer)
			return verdict(err, "accepted")
		}},
		{"bind and listen", false, func(targets) string {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			if err != nil {
				return verdict(err, "")
			}
			defer unix.Close(fd)
			if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				return verdict(err, "")
			}
			return verdict(unix.Listen(fd, 1), "listening")
		}},
	}
}

// case 228
func fileAttacks() []attack {
	fixed := func(p string) func(targets) string { return func(targets) string { return p } }
	proc := func(name string) func(targets) string {
		return func(t targets) string { return fmt.Sprintf("/proc/%d/%s", t.Parent, name) }
	}
	return []attack{
		opens("read /etc/passwd", unix.O_RDONLY, fixed("/etc/passwd")),
		opens("read /etc/shadow", unix.O_RDONLY, fixed("/etc/shadow")),
		opens("read a secret", unix.O_RDONLY, func(t targets) string { return t.Secret }),
		opens("path handle of a secret, for write", unix.O_RDWR, func(t targets) string { return t.Secret }),
		opens("read the parent's environment", unix.O_RDONLY, proc("environ")),
		opens("read the parent's memory", unix.O_RDONLY, proc("mem")),
		opens("read the parent's status", unix.O_RDONLY, proc("status")),
		opens("parent's root", unix.O_RDONLY, proc("root/etc/passwd")),
		opens("parent's working directory", unix.O_RDONLY, proc("cwd")),
		opens("victim's environment", unix.O_RDONLY, func(t targets) string { return fmt.Sprintf("/proc/%d/environ", t.Victim) }),
		opens("own memory", unix.O_RDWR, fixed("/proc/self/mem")),
		opens("own root", unix.O_RDONLY, fixed("/proc/self/root/etc/passwd")),
		// A pipe: Landlock does not rule over objects without a path. One's own descriptors one has anyway.
		opens("victim's descriptor", unix.O_RDONLY, func(t targets) string { return fmt.Sprintf("/proc/%d/fd/0", t.Victim) }),
		opens("device", unix.O_RDWR, fixed("/dev/null")),
		opens("terminal", unix.O_RDWR, fixed("/dev/ptmx")),
		opens("climb out of the directory", unix.O_RDONLY, func(t targets) string { return t.Dir + strings.Repeat("/..", 8) + "/etc/passwd" }),
		opens("symbolic link out of the directory", unix.O_RDONLY, func(t targets) string { return t.Link }),
		opens("write the database", unix.O_RDWR, func(t targets) string { return t.Database }),
		opens("truncate the database", unix.O_WRONLY|unix.O_TRUNC, func(t targets) string { return t.Database }),
		opens("append to the database", unix.O_WRONLY|unix.O_APPEND, func(t targets) string { return t.Database }),
		opens("create beside the database", unix.O_CREAT|unix.O_WRONLY, func(t targets) string { return t.Dir + "/made" }),
		opens("unnamed file beside the database", unix.O_TMPFILE|unix.O_RDWR, func(t targets) string { return t.Dir }),
		opens("create in /tmp", unix.O_CREAT|unix.O_WRONLY, fixed(fmt.Sprintf("/tmp/sandbox-attack-%d", os.Getppid()))),
		opens("create in /dev/shm", unix.O_CREAT|unix.O_WRONLY, fixed(fmt.Sprintf("/dev/shm/sandbox-attack-%d", os.Getppid()))),
		opens("create in /var/tmp", unix.O_CREAT|unix.O_WRONLY, fixed(fmt.Sprintf("/var/tmp/sandbox-attack-%d", os.Getppid()))),
		{"openat2", false, func(t targets) string {
			fd, err := unix.Openat2(unix.AT_FDCWD, t.Secret, &unix.OpenHow{Flags: unix.O_RDONLY})
			if err == nil {
				unix.Close(fd)
			}
			return verdict(err, "opened")
		}},
		{"list /", false, func(targets) string {
			fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY, 0)
			if err != nil {
				return verdict(err, "")
			}
			defer unix.Close(fd)
			b := make([]byte, 4096)
			n, err := unix.ReadDirent(fd, b)
			if err != nil {
				return verdict(err, "")
			}
			// A private root holds nothing but the way to the directories of the policy.
			if _, _, names := unix.ParseDirent(b[:n], -1, nil); slices.Contains(names, "etc") || slices.Contains(names, "usr") {
				return "ESCAPE listed the root"
			}
			return verdict(unix.ENOENT, "")
		}},
		{"delete the database", false, func(t targets) string { return verdict(unix.Unlink(t.Database+"-spare"), "deleted") }},
		{"rename the database", false, func(t targets) string {
			return verdict(unix.Rename(t.Database+"-spare2", t.Database+"-moved"), "renamed")
		}},
		{"truncate by path", false, func(t targets) string { return verdict(unix.Truncate(t.Database, 0), "truncated") }},
		{"chmod", false, func(t targets) string { return verdict(unix.Chmod(t.Database, 0o777), "changed") }},
		{"hard link", false, func(t targets) string { return verdict(unix.Link(t.Database, t.Dir+"/linked"), "linked") }},
		{"symbolic link", false, func(t targets) string { return verdict(unix.Symlink("/etc/passwd", t.Dir+"/sym"), "linked") }},
		{"mkdir", false, func(t targets) string { return verdict(unix.Mkdir(t.Dir+"/sub", 0o700), "made") }},
		{"fifo", false, func(t targets) string { return verdict(unix.Mkfifo(t.Dir+"/fifo", 0o600), "made") }},
		{"extended attribute", false, func(t targets) string { return verdict(unix.Setxattr(t.Database, "user.x", []byte("y"), 0), "set") }},
		{"inotify", false, func(targets) string { _, err := unix.InotifyInit1(0); return verdict(err, "watching") }},
		{"memfd", false, func(targets) string { _, err := unix.MemfdCreate("x", 0); return verdict(err, "memfd made") }},
		call("memfd_secret", false, unix.SYS_MEMFD_SECRET),
		{"handle of a file", false, func(t targets) string {
			_, _, err := unix.NameToHandleAt(unix.AT_FDCWD, t.Secret, 0)
			return verdict(err, "handle")
		}},
		{"open by handle", false, func(targets) string {
			_, err := unix.OpenByHandleAt(unix.AT_FDCWD, unix.NewFileHandle(1, make([]byte, 8)), 0)
			return verdict(err, "opened")
		}},
	}
}

// case 229
func processAttacks() []attack {
	return []attack{
		{"exec a shell", false, func(targets) string {
			return verdict(unix.Exec("/bin/sh", []string{"sh", "-c", `echo '{"index":-1,"text":"ESCAPE shell ran"}' >&3`}, nil), "")
		}},
		{"exec itself", false, func(targets) string {
			return verdict(unix.Exec("/proc/self/exe", []string{"x", "-test.list=^$"}, nil), "")
		}},
		{"fork", false, func(targets) string { return verdict(exits(sys(unix.SYS_CLONE, uintptr(unix.SIGCHLD))), "forked") }},
		{"clone3", false, func(targets) string {
			a := [11]uint64{4: uint64(unix.SIGCHLD)}
			return verdict(exits(sys(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&a[0])), 88)), "forked")
		}},
		{"ptrace the parent", true, func(t targets) string { return verdict(unix.PtraceSeize(t.Parent), "attached") }},
		{"ptrace the victim", false, func(t targets) string {
			runtime.LockOSThread()
			return verdict(unix.PtraceSeize(t.Victim), "attached")
		}},
		{"read the victim's memory", false, func(t targets) string {
			b := make([]byte, 8)
			_, err := unix.ProcessVMReadv(t.Victim, []unix.Iovec{{Base: &b[0], Len: 8}}, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
			return verdict(err, "read")
		}},
		{"signal the parent", false, func(t targets) string { return verdict(unix.Kill(t.Parent, 0), "may signal") }},
		{"signal the victim", false, func(t targets) string { return verdict(unix.Kill(t.Victim, 0), "may signal") }},
		{"signal everybody", true, func(targets) string { return verdict(unix.Kill(-1, 0), "may signal") }},
		{"thread signal to the parent", false, func(t targets) string { return verdict(unix.Tgkill(t.Parent, t.Parent, 0), "may signal") }},
		{"queue a signal to the victim", false, func(t targets) string {
			var info [128]byte
			*(*int32)(unsafe.Pointer(&info[8])) = -1 // SI_QUEUE
			_, err := sys(unix.SYS_RT_SIGQUEUEINFO, uintptr(t.Victim), 0, uintptr(unsafe.Pointer(&info[0])))
			return verdict(err, "queued")
		}},
		{"own a descriptor's signals", false, func(t targets) string {
			_, err := unix.FcntlInt(fdControl, unix.F_SETOWN, t.Parent)
			return verdict(err, "set")
		}},
		{"steal a descriptor", false, func(t targets) string {
			fd, err := unix.PidfdOpen(t.Victim, 0)
			if err != nil {
				return verdict(err, "")
			}
			_, err = unix.PidfdGetfd(fd, 0, 0)
			return verdict(err, "stolen")
		}},
		{"limits of the parent", false, func(t targets) string {
			var l unix.Rlimit
			_, err := sys(unix.SYS_PRLIMIT64, uintptr(t.Victim), unix.RLIMIT_NOFILE, 0, uintptr(unsafe.Pointer(&l)))
			return verdict(err, "read")
		}},
		{"outlive the parent", false, func(targets) string { return verdict(unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0), "cleared") }},
		{"be dumpable", false, func(targets) string { return verdict(unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0), "set") }},
		{"allow tracers", false, func(targets) string { return verdict(unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0), "set") }},
		{"widen the affinity", false, func(targets) string {
			var s unix.CPUSet
			s.Set(0)
			return verdict(unix.SchedSetaffinity(0, &s), "set")
		}},
		call("raise the nice value", false, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, 1),
		call("set io priority", false, unix.SYS_IOPRIO_SET, 1, 0, 3<<13),
		call("new session", true, unix.SYS_SETSID),
		{"raise a limit", true, func(targets) string {
			return verdict(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100000, Max: 100000}), "raised")
		}},
	}
}

func privilegeAttacks() []attack {
	return []attack{
		call("setuid 0", true, unix.SYS_SETUID, 0),
		call("setgid 0", true, unix.SYS_SETGID, 0),
		call("setresuid to itself", true, unix.SYS_SETRESUID, ^uintptr(0), ^uintptr(0), ^uintptr(0)),
		{"setgroups", true, func(targets) string { return verdict(unix.Setgroups([]int{0}), "set") }},
		{"capset", true, func(targets) string {
			h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			d := [2]unix.CapUserData{{Effective: ^uint32(0), Permitted: ^uint32(0)}}
			return verdict(unix.Capset(&h, &d[0]), "set")
		}},
		{"fork into a user namespace", false, func(targets) string {
			return verdict(exits(sys(unix.SYS_CLONE, uintptr(unix.CLONE_NEWUSER|int(unix.SIGCHLD)))), "forked")
		}},
		{"unshare files", false, func(targets) string { return verdict(unix.Unshare(unix.CLONE_FILES), "unshared") }},
		{"unshare network", true, func(targets) string { return verdict(unix.Unshare(unix.CLONE_NEWNET), "unshared") }},
		{"setns", true, func(targets) string { return verdict(unix.Setns(0, 0), "entered") }},
		{"mount", true, func(targets) string { return verdict(unix.Mount("x", "/", "tmpfs", 0, ""), "mounted") }},
		{"unmount", true, func(targets) string { return verdict(unix.Unmount("/proc", unix.MNT_DETACH), "unmounted") }},
		{"pivot_root", true, func(targets) string { return verdict(unix.PivotRoot(".", "."), "pivoted") }},
		{"open_tree", true, func(targets) string {
			_, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE)
			return verdict(err, "cloned")
		}},
		{"chroot", true, func(targets) string { return verdict(unix.Chroot("/"), "changed") }},
		call("set the host name", true, unix.SYS_SETHOSTNAME, 0, 0),
		call("set the clock", true, unix.SYS_CLOCK_SETTIME, unix.CLOCK_REALTIME, 0),
		call("reboot", true, unix.SYS_REBOOT, 0, 0, 0),
		call("load a module", true, unix.SYS_INIT_MODULE, 0, 0, 0),
		call("swap off", true, unix.SYS_SWAPOFF, 0),
		call("kernel log", true, unix.SYS_SYSLOG, 10),
	}
}

// case 229
func kernelAttacks() []attack {
	return []attack{
		{"io_uring", false, func(targets) string {
			var p [120]byte
			_, err := sys(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&p[0])))
			return verdict(err, "ring made")
		}},
		{"bpf", false, func(targets) string {
			var a [120]byte
			_, err := sys(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&a[0])), 64)
			return verdict(err, "map made")
		}},
		{"perf", false, func(targets) string {
			_, err := unix.PerfEventOpen(&unix.PerfEventAttr{Type: 1, Size: 112}, 0, -1, -1, 0)
			return verdict(err, "opened")
		}},
		{"keyring", false, func(targets) string {
			_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_PROCESS_KEYRING, true)
			return verdict(err, "keyring made")
		}},
		call("userfaultfd", false, unix.SYS_USERFAULTFD, 1),
		call("personality", false, unix.SYS_PERSONALITY, 0xffffffff),
		call("seccomp", false, unix.SYS_SECCOMP, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, uintptr(unsafe.Pointer(new(uint32(0x7fff0000))))),
		call("landlock version", false, unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1),
		systemV("shared memory segment", unix.SYS_SHMCTL, 1, unix.SYS_SHMGET, 0, 4096, 0o600|0o1000),
		systemV("semaphore", unix.SYS_SEMCTL, 2, unix.SYS_SEMGET, 0, 1, 0o600|0o1000),
		systemV("message queue", unix.SYS_MSGCTL, 1, unix.SYS_MSGGET, 0, 0o600|0o1000),
		call("aio", false, unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(new(uint64)))),
		call("mlockall", false, unix.SYS_MLOCKALL, 1),
		call("fanotify", false, unix.SYS_FANOTIFY_INIT, 0, 0),
		{"executable mapping", false, func(targets) string {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			return verdict(err, "mapped")
		}},
		{"make a page executable", false, func(targets) string {
			b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return "blocked " + err.Error()
			}
			return verdict(unix.Mprotect(b, unix.PROT_READ|unix.PROT_EXEC), "executable")
		}},
		{"grow a pipe", false, func(targets) string {
			var p [2]int
			if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
				return "blocked " + err.Error()
			}
			defer unix.Close(p[0])
			defer unix.Close(p[1])
			_, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, 1<<17)
			return verdict(err, "grown")
		}},
		{"terminal input", true, func(targets) string {
			c := byte('x')
			_, err := sys(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(unsafe.Pointer(&c)))
			return verdict(err, "injected")
		}},
		{"foreign descriptors", false, func(targets) string {
			var odd []string
			for fd := fdPeer + 1; fd < 1024; fd++ {
				var st unix.Stat_t
				// The poller's two are anonymous inodes: no file type in the mode.
				if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT != 0 {
					odd = append(odd, fmt.Sprint(fd))
				}
			}
			if len(odd) > 0 {
				return "ESCAPE inherited " + strings.Join(odd, " ")
			}
			return "blocked nothing there"
		}},
	}
}

// case 237
func resourceAttacks() []attack {
	bomb := func(flags int) func(targets) string {
		return func(targets) string {
			for i := range 256 {
				b, err := unix.Mmap(-1, 0, 4<<20, unix.PROT_READ|unix.PROT_WRITE, flags|unix.MAP_ANON)
				if err != nil {
					return fmt.Sprintf("blocked after %d MiB: %v", i*4, err)
				}
				for j := 0; j < len(b); j += 4096 {
					b[j] = 1
				}
			}
			return "ESCAPE 1 GiB touched"
		}
	}
	return []attack{
		{"thread bomb", true, func(targets) string {
			var wg sync.WaitGroup
			for range 400 {
				wg.Go(func() {
					runtime.LockOSThread()
					d := unix.NsecToTimespec(int64(500 * time.Millisecond))
					_ = unix.Nanosleep(&d, nil)
				})
			}
			wg.Wait()
			return "ESCAPE 400 threads"
		}},
		{"descriptor bomb", true, func(targets) string {
			for n := range 5000 {
				if _, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0); err != nil {
					return fmt.Sprintf("blocked after %d: %v", n, err)
				}
			}
			return "ESCAPE 5000 descriptors"
		}},
		{"memory bomb on the heap", true, func(targets) string {
			var l [][]byte
			for len(l) < 256 {
				b := make([]byte, 4<<20)
				for j := 0; j < len(b); j += 4096 {
					b[j] = 1
				}
				l = append(l, b)
			}
			return fmt.Sprintf("ESCAPE %d MiB", len(l)*4)
		}},
		{"memory bomb, private", true, bomb(unix.MAP_PRIVATE)},
		{"memory bomb, shared", true, bomb(unix.MAP_SHARED)},
		{"flood of output", true, func(targets) string {
			line := strings.Repeat("x", 1000) + "\n"
			for range 20000 {
				if _, err := os.Stdout.WriteString(line); err != nil {
					return "blocked " + err.Error()
				}
			}
			return "blocked the studio keeps the bound" // asserted by the line count of the harness
		}},
	}
}
