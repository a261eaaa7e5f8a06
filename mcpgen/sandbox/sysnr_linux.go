package sandbox

import (
	"maps"

	"golang.org/x/sys/unix"
)

// systemCalls are the numbers of all calls the filter names, for the machine this is built for. A call that the machine
// does not have is not in it.
func systemCalls() map[string]uint32 {
	numbers := sharedCalls()
	maps.Copy(numbers, ownCalls())
	return numbers
}

// sharedCalls exist on every supported architecture; their numbers differ.
func sharedCalls() map[string]uint32 {
	return map[string]uint32{
		"acct": unix.SYS_ACCT, "add_key": unix.SYS_ADD_KEY, "bpf": unix.SYS_BPF, "brk": unix.SYS_BRK,
		"capset": unix.SYS_CAPSET, "chroot": unix.SYS_CHROOT, "clock_getres": unix.SYS_CLOCK_GETRES,
		"clock_gettime": unix.SYS_CLOCK_GETTIME, "clock_nanosleep": unix.SYS_CLOCK_NANOSLEEP, "clone": unix.SYS_CLONE,
		"clone3": unix.SYS_CLONE3, "close": unix.SYS_CLOSE, "copy_file_range": unix.SYS_COPY_FILE_RANGE,
		"delete_module": unix.SYS_DELETE_MODULE, "epoll_create1": unix.SYS_EPOLL_CREATE1, "epoll_ctl": unix.SYS_EPOLL_CTL,
		"epoll_pwait": unix.SYS_EPOLL_PWAIT, "epoll_pwait2": unix.SYS_EPOLL_PWAIT2, "eventfd2": unix.SYS_EVENTFD2,
		"execve": unix.SYS_EXECVE, "execveat": unix.SYS_EXECVEAT, "exit": unix.SYS_EXIT, "exit_group": unix.SYS_EXIT_GROUP,
		"faccessat": unix.SYS_FACCESSAT, "faccessat2": unix.SYS_FACCESSAT2, "fcntl": unix.SYS_FCNTL, "fdatasync": unix.SYS_FDATASYNC,
		"finit_module": unix.SYS_FINIT_MODULE, "fsconfig": unix.SYS_FSCONFIG, "fsmount": unix.SYS_FSMOUNT,
		"fsopen": unix.SYS_FSOPEN, "fspick": unix.SYS_FSPICK, "fstat": unix.SYS_FSTAT, "fstatfs": unix.SYS_FSTATFS,
		"fsync": unix.SYS_FSYNC, "ftruncate": unix.SYS_FTRUNCATE, "futex": unix.SYS_FUTEX, "getcwd": unix.SYS_GETCWD,
		"getdents64": unix.SYS_GETDENTS64, "getegid": unix.SYS_GETEGID, "geteuid": unix.SYS_GETEUID,
		"getgid": unix.SYS_GETGID, "getpeername": unix.SYS_GETPEERNAME, "getpid": unix.SYS_GETPID,
		"getppid": unix.SYS_GETPPID, "getrandom": unix.SYS_GETRANDOM, "getrusage": unix.SYS_GETRUSAGE,
		"getsockname": unix.SYS_GETSOCKNAME, "getsockopt": unix.SYS_GETSOCKOPT, "gettid": unix.SYS_GETTID,
		"gettimeofday": unix.SYS_GETTIMEOFDAY, "getuid": unix.SYS_GETUID, "init_module": unix.SYS_INIT_MODULE,
		"io_uring_enter": unix.SYS_IO_URING_ENTER, "io_uring_register": unix.SYS_IO_URING_REGISTER,
		"io_uring_setup": unix.SYS_IO_URING_SETUP, "ioctl": unix.SYS_IOCTL, "kcmp": unix.SYS_KCMP,
		"kexec_file_load": unix.SYS_KEXEC_FILE_LOAD, "kexec_load": unix.SYS_KEXEC_LOAD, "keyctl": unix.SYS_KEYCTL,
		"landlock_add_rule": unix.SYS_LANDLOCK_ADD_RULE, "landlock_create_ruleset": unix.SYS_LANDLOCK_CREATE_RULESET,
		"landlock_restrict_self": unix.SYS_LANDLOCK_RESTRICT_SELF, "lseek": unix.SYS_LSEEK, "madvise": unix.SYS_MADVISE,
		"membarrier": unix.SYS_MEMBARRIER, "memfd_create": unix.SYS_MEMFD_CREATE, "memfd_secret": unix.SYS_MEMFD_SECRET,
		"mincore": unix.SYS_MINCORE, "mkdirat": unix.SYS_MKDIRAT, "mmap": unix.SYS_MMAP, "mount": unix.SYS_MOUNT,
		"mount_setattr": unix.SYS_MOUNT_SETATTR, "move_mount": unix.SYS_MOVE_MOUNT, "mprotect": unix.SYS_MPROTECT,
		"munmap": unix.SYS_MUNMAP, "name_to_handle_at": unix.SYS_NAME_TO_HANDLE_AT, "nanosleep": unix.SYS_NANOSLEEP,
		"newfstatat": unix.SYS_NEWFSTATAT, "open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT,
		"open_tree": unix.SYS_OPEN_TREE, "openat": unix.SYS_OPENAT, "openat2": unix.SYS_OPENAT2,
		"perf_event_open": unix.SYS_PERF_EVENT_OPEN, "personality": unix.SYS_PERSONALITY,
		"pidfd_getfd": unix.SYS_PIDFD_GETFD, "pidfd_open": unix.SYS_PIDFD_OPEN,
		"pidfd_send_signal": unix.SYS_PIDFD_SEND_SIGNAL, "pipe2": unix.SYS_PIPE2, "pivot_root": unix.SYS_PIVOT_ROOT,
		"ppoll": unix.SYS_PPOLL, "prctl": unix.SYS_PRCTL, "pread64": unix.SYS_PREAD64, "prlimit64": unix.SYS_PRLIMIT64,
		"process_madvise": unix.SYS_PROCESS_MADVISE, "process_vm_readv": unix.SYS_PROCESS_VM_READV,
		"process_vm_writev": unix.SYS_PROCESS_VM_WRITEV, "ptrace": unix.SYS_PTRACE, "pwrite64": unix.SYS_PWRITE64,
		"quotactl": unix.SYS_QUOTACTL, "read": unix.SYS_READ, "readlinkat": unix.SYS_READLINKAT, "readv": unix.SYS_READV,
		"reboot": unix.SYS_REBOOT, "recvfrom": unix.SYS_RECVFROM, "recvmsg": unix.SYS_RECVMSG,
		"renameat": unix.SYS_RENAMEAT, "renameat2": unix.SYS_RENAMEAT2, "request_key": unix.SYS_REQUEST_KEY,
		"restart_syscall": unix.SYS_RESTART_SYSCALL, "rseq": unix.SYS_RSEQ, "rt_sigaction": unix.SYS_RT_SIGACTION,
		"rt_sigprocmask": unix.SYS_RT_SIGPROCMASK, "rt_sigreturn": unix.SYS_RT_SIGRETURN,
		"sched_getaffinity": unix.SYS_SCHED_GETAFFINITY, "sched_yield": unix.SYS_SCHED_YIELD, "seccomp": unix.SYS_SECCOMP,
		"sendfile": unix.SYS_SENDFILE, "sendmsg": unix.SYS_SENDMSG, "sendto": unix.SYS_SENDTO,
		"set_robust_list": unix.SYS_SET_ROBUST_LIST, "setfsgid": unix.SYS_SETFSGID, "setfsuid": unix.SYS_SETFSUID,
		"setgid": unix.SYS_SETGID, "setgroups": unix.SYS_SETGROUPS, "setitimer": unix.SYS_SETITIMER,
		"setns": unix.SYS_SETNS, "setregid": unix.SYS_SETREGID, "setresgid": unix.SYS_SETRESGID,
		"setresuid": unix.SYS_SETRESUID, "setreuid": unix.SYS_SETREUID, "setsockopt": unix.SYS_SETSOCKOPT,
		"setuid": unix.SYS_SETUID, "shutdown": unix.SYS_SHUTDOWN, "sigaltstack": unix.SYS_SIGALTSTACK,
		"splice": unix.SYS_SPLICE, "statx": unix.SYS_STATX, "swapoff": unix.SYS_SWAPOFF, "swapon": unix.SYS_SWAPON,
		"sysinfo": unix.SYS_SYSINFO, "tee": unix.SYS_TEE, "tgkill": unix.SYS_TGKILL, "timer_create": unix.SYS_TIMER_CREATE,
		"timer_delete": unix.SYS_TIMER_DELETE, "timer_settime": unix.SYS_TIMER_SETTIME, "umount2": unix.SYS_UMOUNT2,
		"uname": unix.SYS_UNAME, "unlinkat": unix.SYS_UNLINKAT, "unshare": unix.SYS_UNSHARE,
		"userfaultfd": unix.SYS_USERFAULTFD, "write": unix.SYS_WRITE, "writev": unix.SYS_WRITEV,
	}
}
