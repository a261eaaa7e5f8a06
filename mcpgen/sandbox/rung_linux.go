package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownProgram is the very file we run, even if its path holds another one by now.
const ownProgram = "/proc/self/exe"

// rung is one way to start the child. They are tried from the most confined down; the first the system allows wins.
type rung struct {
	name       string
	namespaces []string
	ownUID     bool      // drop to a reserved uid, possible for root only
	ambient    []uintptr // capabilities the child needs to lock itself in, and drops when it has
}

// rungs is the ladder of a parent that is root or not. Without enforce it ends in a rung that changes nothing.
//
// With directories to bind, root begins without a user namespace: only there does CAP_DAC_READ_SEARCH count for the host's files, and
// with it a child that has an own uid can bind a directory below one that lets nobody else through, such as a data directory of mode
// 0700. It is gone, with the others, before anything foreign is read.
func rungs(root, enforce, directories bool) []rung {
	all := []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}
	setup := []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP}
	ladder := []rung{{name: "user namespace", namespaces: all, ownUID: root, ambient: setup}}
	if root && directories {
		through := rung{name: "namespaces, any directory", namespaces: all[1:], ownUID: true, ambient: append(setup[:len(setup):len(setup)], unix.CAP_DAC_READ_SEARCH)}
		ladder = append([]rung{through}, ladder...)
	}
	if root {
		ladder = append(ladder,
			rung{name: "namespaces", namespaces: all[1:], ownUID: true, ambient: setup},
			rung{name: "own uid", ownUID: true, ambient: setup[1:]},
			rung{name: "own uid without CAP_SETPCAP", ownUID: true})
	}
	if !root || !enforce {
		ladder = append(ladder, rung{name: "same uid"})
	}
	return ladder
}

// cloneFlag is the flag of clone(2) for a namespace.
func cloneFlag(namespace string) uintptr {
	switch namespace {
	case "user":
		return unix.CLONE_NEWUSER
	case "mnt":
		return unix.CLONE_NEWNS
	case "pid":
		return unix.CLONE_NEWPID
	case "net":
		return unix.CLONE_NEWNET
	case "ipc":
		return unix.CLONE_NEWIPC
	case "uts":
		return unix.CLONE_NEWUTS
	case "cgroup":
		return unix.CLONE_NEWCGROUP
	default:
		return 0
	}
}

// attributes are what the rung means to fork and exec, for the given ids of the child. A process group of its own keeps
// the terminal's interrupt from it. A session of its own would as well, but each session is scheduled as a group of its
// own (sched(7), autogroup): parent and child, who answer each call together, would compete, which costs a third of the CPU
// of a call.
func (r rung) attributes(uid, gid int, root bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, AmbientCaps: r.ambient}
	for _, n := range r.namespaces {
		a.Cloneflags |= cloneFlag(n)
	}
	if a.Cloneflags&unix.CLONE_NEWUSER != 0 {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		a.GidMappingsEnableSetgroups = root // user_namespaces(7): an ordinary user must give setgroups up
	}
	if r.ownUID || a.Cloneflags != 0 {
		// As root this also empties the supplementary groups.
		a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: !root}
	}
	return a
}

// spawn starts the child on the first rung that holds.
func spawn(o order, output *os.File, files []*os.File) (*os.Process, birth, error) {
	if err := closeOnExec(); err != nil {
		return nil, birth{}, fmt.Errorf("start child: %w", err)
	}
	input, err := os.Open(os.DevNull)
	if err != nil {
		return nil, birth{}, fmt.Errorf("start child: %w", err)
	}
	defer input.Close()
	exe := cmp.Or(o.Exe, ownProgram)
	root := os.Geteuid() == 0
	var why []string
	var last error
	for _, r := range rungs(root, o.Enforce, len(o.Policy.Dirs) > 0) {
		uid, gid := os.Getuid(), os.Getgid()
		if r.ownUID {
			uid, gid = FirstUID+(o.Slot%UIDs+UIDs)%UIDs, GID
		}
		attr := &os.ProcAttr{Dir: "/", Env: childEnv(), Files: append([]*os.File{input, output, output}, files...), Sys: r.attributes(uid, gid, root)}
		process, err := startDumpable(exe, o.Args, attr)
		if err != nil {
			why = append(why, fmt.Sprintf("%s: %v", r.name, bareError(err)))
			last = bareError(err)
			continue
		}
		return process, birth{PID: process.Pid, Namespaces: r.namespaces, NamespacesWhy: strings.Join(why, "; "), OwnUID: r.ownUID}, nil
	}
	return nil, birth{}, startError(exe, strings.Join(why, "; "), last, root)
}

// startDumpable forks and executes. While a process is not dumpable its /proc files belong to root, and an ordinary
// user cannot write the uid_map of the child, which shares the attribute until it executes. So it is raised for that
// moment, in which the parent has no new secret to lose, and put back as it was.
func startDumpable(exe string, args []string, attr *os.ProcAttr) (*os.Process, error) {
	dumpable.Lock()
	defer dumpable.Unlock()
	if attr.Sys.Cloneflags&unix.CLONE_NEWUSER != 0 && os.Geteuid() != 0 {
		was, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			return nil, fmt.Errorf("get dumpable: %w", err)
		}
		if was != 1 {
			if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
				return nil, fmt.Errorf("set dumpable: %w", err)
			}
			defer func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }() // setting 0 cannot fail
		}
	}
	return os.StartProcess(exe, args, attr)
}

// bareError is the errno of a failed start without the path.
func bareError(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// startError explains that no rung held: the cause, and the mend where one is known.
func startError(exe, why string, err error, root bool) error {
	info, statErr := os.Stat(exe)
	switch {
	case errors.Is(err, unix.EACCES) && statErr == nil && info.Mode()&0o111 == 0:
		return fmt.Errorf("start child: the program file (mode %04o) is not executable: chmod 0755 it: %w", info.Mode().Perm(), err)
	case errors.Is(err, unix.EACCES) && statErr == nil && root && info.Mode()&0o001 == 0:
		return fmt.Errorf("start child: the program file (mode %04o) cannot be executed by the child's own uid: chmod 0755 it: %w", info.Mode().Perm(), err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("start child: the program file cannot be executed (%s): mount its file system without noexec, and let everybody pass the directories above it: %w", why, err)
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("start child: no further process is allowed: raise the limit of processes (TasksMax of the unit, pids_limit of the container, ulimit -u): %w", err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("start child: no memory for a further process: raise the memory limit of the unit or container: %w", err)
	case root && errors.Is(err, unix.EPERM):
		return fmt.Errorf("start child: every way refused (%s); %s: %w", why, mend(LayerUser), err)
	default:
		return fmt.Errorf("start child: every way refused (%s): %w", why, err)
	}
}
