package sandbox

import "golang.org/x/sys/unix"

// Flags of clone(2) with which the Go runtime makes a thread (runtime/os_linux.go, cloneFlags), without and with
// CLONE_SETTLS. Anything else would be a process or a namespace.
const (
	cloneThread    = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	cloneThreadTLS = cloneThread | unix.CLONE_SETTLS
)

// openWrites are the flags of open(2) that write, make or change a file. O_TMPFILE is its own bit: the constant of
// x/sys carries O_DIRECTORY too, which readers use.
const (
	bitTmpfile = 0x400000
	openWrites = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND | bitTmpfile
)

func each(act uint32, names ...string) []rule {
	rules := make([]rule, len(names))
	for i, n := range names {
		rules[i] = rule{name: n, act: act}
	}
	return rules
}

func equal(arg int, value uint64) cond { return cond{arg: arg, op: opEqual, value: value} }

func equalInt(arg int, value uint64) cond {
	return cond{arg: arg, op: opEqual, value: value, low: true}
}

func without(arg int, bits uint64) cond { return cond{arg: arg, op: opMasked, mask: bits, low: true} }

// anyInt is one alternative for each value of an int argument.
func anyInt(arg int, values ...uint64) [][]cond {
	alts := make([][]cond, len(values))
	for i, v := range values {
		alts[i] = []cond{equalInt(arg, v)}
	}
	return alts
}

// childRules are the calls of a child in file mode fs whose process id, as it sees it, is pid. What is not named here
// fails with EPERM: socket, connect, bind, listen, accept, socketpair, kill and all the rest.
func childRules(fs FSMode, pid int) []rule {
	rules := checkedRules(fs, pid)
	rules = append(rules, each(actAllow, plainCalls()...)...)
	// Go falls back to read and write on these errors only (internal/poll, os.zeroCopy…).
	rules = append(rules, each(actErrno(unix.EINVAL), "splice", "tee", "sendfile", "copy_file_range")...)
	rules = append(rules, each(actErrno(unix.ENOSYS), "clone3")...) // glibc and Go then use clone, which can be checked
	rules = append(rules, each(actErrno(unix.ENOTTY), "ioctl")...)
	rules = append(rules, fileRules(fs)...)
	return append(rules, each(actKill, killedCalls()...)...)
}

// checkedRules are allowed for some arguments only.
func checkedRules(fs FSMode, pid int) []rule {
	refuse := actErrno(unix.EPERM)
	// No F_SETOWN (signals to others), no F_SETSIG, F_SETLEASE, F_NOTIFY, no pipe resizing.
	commands := []uint64{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC}
	if fs == FSRO || fs == FSROShm { // SQLite locks. The kernel keeps an object for each lock and bounds their number by nothing
		commands = append(commands, unix.F_SETLK, unix.F_SETLKW, unix.F_GETLK)
	}
	var options [][]cond
	for _, o := range []uint64{unix.SO_KEEPALIVE, unix.SO_LINGER, unix.SO_RCVBUF, unix.SO_SNDBUF} {
		options = append(options, []cond{equalInt(1, unix.SOL_SOCKET), equalInt(2, o)})
	}
	for _, o := range []uint64{unix.TCP_NODELAY, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT, unix.TCP_USER_TIMEOUT} {
		options = append(options, []cond{equalInt(1, unix.IPPROTO_TCP), equalInt(2, o)})
	}
	return []rule{
		// MSG_FASTOPEN connects without connect; an address would aim a datagram.
		{name: "sendto", alts: [][]cond{{equal(4, 0), without(3, unix.MSG_FASTOPEN)}}, act: actAllow, other: refuse},
		{name: "sendmsg", alts: [][]cond{{without(2, unix.MSG_FASTOPEN)}}, act: actAllow, other: refuse},
		{name: "tgkill", alts: anyInt(0, uint64(pid)), act: actAllow, other: refuse}, // the runtime preempts itself
		// Never executable; never shared and anonymous, and never a stack, which RLIMIT_DATA does not count; never of the machine's
		// reserved huge pages, which no resident size shows.
		{name: "mmap", alts: [][]cond{
			{without(2, unix.PROT_EXEC), without(3, unix.MAP_ANON)},
			{without(2, unix.PROT_EXEC), without(3, unix.MAP_SHARED|unix.MAP_GROWSDOWN|unix.MAP_HUGETLB)},
		}, act: actAllow, other: refuse},
		{name: "mprotect", alts: [][]cond{{without(2, unix.PROT_EXEC)}}, act: actAllow, other: refuse},
		{name: "fcntl", alts: anyInt(1, commands...), act: actAllow, other: refuse},
		{name: "clone", alts: [][]cond{{equal(0, cloneThread)}, {equal(0, cloneThreadTLS)}}, act: actAllow, other: refuse},
		// Not PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_MM.
		{name: "prctl", alts: anyInt(0, unix.PR_SET_VMA, unix.PR_SET_NAME, unix.PR_GET_NAME), act: actAllow, other: refuse},
		{name: "prlimit64", alts: [][]cond{{equalInt(0, 0), equal(2, 0)}}, act: actAllow, other: refuse}, // reading one's own
		{name: "setsockopt", alts: options, act: actAllow, other: refuse},
		// CloseWrite only: a socket shut down for reading can be re-aimed by some protocols.
		{name: "shutdown", alts: anyInt(1, unix.SHUT_WR), act: actAllow, other: refuse},
	}
}

// plainCalls are allowed as they are: memory, time, threads, and reading and writing what is already open. Calls without
// conditions are answered from the kernel's bitmap (5.11 and later) and cost nothing.
func plainCalls() []string {
	return []string{
		"read", "write", "readv", "writev", "pread64", "pwrite64", "close", "fstat", "lseek", "recvfrom", "recvmsg",
		"getsockname", "getpeername", "getsockopt",
		"munmap", "mincore", "brk", "madvise",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
		"futex", "sched_yield", "sched_getaffinity", "membarrier", "rseq", "set_robust_list", "gettid",
		"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe2", "poll", "ppoll",
		"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday",
		"timer_create", "timer_settime", "timer_delete", "setitimer",
		"getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getcwd", "getrandom", "sysinfo", "uname", "getrusage",
		"exit", "exit_group",
	}
}

// fileRules decide the calls that name a path. Which paths is Landlock's and the private root's business.
func fileRules(fs FSMode) []rule {
	denied := actErrno(unix.EACCES)
	look := []string{"newfstatat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat"}
	change := []string{"unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "rename", "renameat", "renameat2", "openat2"}
	rules := each(denied, change...)
	if fs != FSRO && fs != FSROShm {
		return append(append(rules, each(denied, "open", "openat")...), each(denied, look...)...)
	}
	rules = append(rules, each(actAllow, look...)...)
	rules = append(rules, each(actAllow, "getdents64", "fstatfs")...)
	if fs == FSRO {
		return append(rules, // the C library inside modernc's SQLite uses the old open as well
			rule{name: "openat", alts: [][]cond{{without(2, openWrites)}}, act: actAllow, other: denied},
			rule{name: "open", alts: [][]cond{{without(1, openWrites)}}, act: actAllow, other: denied})
	}
	// SQLite opens the wal-index with O_RDWR|O_CREAT, grows and locks it. Landlock holds that to Policy.RWFiles. Not what a descriptor
	// for reading is enough for (fchmod, fchown: Landlock does not know them), nor fallocate, which takes blocks of the disk past
	// RLIMIT_FSIZE; SQLite does without.
	return append(rules, each(actAllow, "open", "openat", "ftruncate", "fsync", "fdatasync")...)
}

// killedCalls end the child at once with SIGSYS: no code in it has a reason for them, so the attempt is an attack.
func killedCalls() []string {
	return []string{
		"execve", "execveat", "fork", "vfork",
		"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp",
		"mount", "umount2", "pivot_root", "chroot", "setns", "unshare",
		"open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
		"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
		"keyctl", "add_key", "request_key",
		"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
		"open_by_handle_at", "name_to_handle_at", "memfd_create", "memfd_secret",
		"personality", "modify_ldt", "iopl", "ioperm", "reboot", "swapon", "swapoff", "acct", "quotactl",
		"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
		"capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
	}
}
