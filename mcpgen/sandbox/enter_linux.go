package sandbox

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	oomScore  = 900 // of 1000
	firstFile = 3   // first inherited descriptor after standard input, output and error
)

// Enter confines the calling process. It must be the first thing the child does after reading the policy: before any
// secret is read, and before goroutines that expect files or sockets. It returns what came of each layer and goes on
// after a missing one; whether that is enough is for the parent to say, which holds the secrets back until then.
//
// The order matters and is argued in DESIGN.md section 2; seccomp must be last, since it takes away the means of all
// the others.
func Enter(p Policy) Report {
	start := time.Now()
	var r Report
	leaveTerminal()
	preload(p)
	auditDescriptors(&r, p)
	// Before the process becomes undumpable: /proc/self belongs to root then.
	r.result(LayerOOMScore, os.WriteFile("/proc/self/oom_score_adj", fmt.Appendf(nil, "%d", oomScore), 0), fmt.Sprintf("killed first when memory runs out (oom_score_adj %d)", oomScore))
	places := p.places()
	private := enterNamespaces(&r, p, places)
	r.result(LayerDumpable, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0), "no core file is written, and nothing of the same user can trace it")
	setRlimits(&r, p)
	debug.SetMaxThreads(maxThreads)
	debug.SetMemoryLimit(int64(p.memoryLimit() / 100 * 85)) // collect harder before the watchdog strikes
	r.result(LayerNoNewPrivs, onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1), noNewPrivs)
	r.result(LayerCapabilities, dropCapabilities(), noCapabilities)
	reportUser(&r, p)
	restrictLandlock(&r, places, private)
	letGo(places)
	reportFiles(&r, p, places)
	limitCPUs(&r, p)
	filterCalls(&r, p)
	selfTest(&r, p)
	r.Micros = time.Since(start).Microseconds()
	return r
}

// leaveTerminal gives up the terminal the studio may have been started from, so that /dev/tty leads nowhere. There is
// none in most cases, which is no failure.
func leaveTerminal() {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	_ = unix.IoctlSetInt(fd, unix.TIOCNOTTY, 0) // it was this process's terminal, so there is nothing to refuse
	_ = unix.Close(fd)
}

// errCgo is the reason when the standard library refuses all-threads calls: it does not know the threads C code makes.
var errCgo = errors.New("the program was built with cgo: build it with CGO_ENABLED=0")

// onAllThreads makes a system call without pointer arguments on every thread of the process.
func onAllThreads(nr, a1, a2 uintptr) error {
	_, _, e := syscall.AllThreadsSyscall6(nr, a1, a2, 0, 0, 0, 0)
	return threadsError(e)
}

// threadsError is the error of an all-threads call.
func threadsError(e syscall.Errno) error {
	switch e {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return errCgo
	default:
		return e
	}
}

// preload reads what later code would look for in files that are gone by then.
func preload(p Policy) {
	_ = time.Now().Local().Location().String() // /etc/localtime, once per process
	_, _ = time.LoadLocation("UTC")
	if p.SystemRoots {
		// Cached by crypto/x509. An error shows again, with its reason, at the first verification.
		_, _ = x509.SystemCertPool()
	}
}

// auditDescriptors lists what was inherited beside the listed files. It cannot close what it finds: a descriptor it
// does not know may be the runtime's own. Keeping them out is the parent's work (CLOEXEC), this is the check.
func auditDescriptors(r *Report, p Policy) {
	var odd []string
	for fd := firstFile; fd < 1024; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			continue
		}
		if fd < firstFile+p.Files {
			unix.CloseOnExec(fd)
			continue
		}
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if errors.Is(err, os.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			target = err.Error()
		}
		// The network poller of the runtime: one epoll and one eventfd.
		if target != "anon_inode:[eventpoll]" && target != "anon_inode:[eventfd]" {
			odd = append(odd, fmt.Sprintf("%d=%s", fd, target))
		}
	}
	if len(odd) > 0 {
		r.add(LayerDescriptors, StatePartial, "inherited beside the listed ones: "+strings.Join(odd, " "))
		return
	}
	r.add(LayerDescriptors, StateEnforced, fmt.Sprintf("%s given on purpose, nothing else", counted(p.Files, "descriptor", "descriptors")))
}

// enterNamespaces finishes what the parent began with the clone flags. private is whether there is a private root.
func enterNamespaces(r *Report, p Policy, places []*place) (private bool) {
	if len(p.Namespaces) == 0 {
		r.add(LayerNamespaces, StateUnavailable, p.NamespacesWhy)
		r.add(LayerPrivateRoot, StateUnavailable, "no mount namespace")
		return false
	}
	detail := "its own " + strings.Join(p.Namespaces, ", ")
	if !p.userNS() {
		detail += "; no user namespace: " + cmp.Or(p.NamespacesWhy, "the directories were bound with the rights of root, which are gone since")
	}
	r.add(LayerNamespaces, StateEnforced, detail)
	if slices.Contains(p.Namespaces, "uts") {
		_ = unix.Sethostname([]byte("mcp")) // so that the name of the machine does not show; without effect on the wall
	}
	err := privateRoot(places)
	r.result(LayerPrivateRoot, err, rootText(p))
	return err == nil
}

// reportUser says as whom the child runs and which groups it could not drop.
func reportUser(r *Report, p Policy) {
	uid, gid := os.Getuid(), os.Getgid()
	switch {
	case uid == 0:
		r.add(LayerUser, StateUnavailable, "it still runs as uid 0")
	case p.OwnUID:
		r.add(LayerUser, StateEnforced, fmt.Sprintf("runs as uid %d, gid %d, of nobody else", uid, gid))
	default:
		r.add(LayerUser, StateEnforced, fmt.Sprintf("runs as uid %d, gid %d, as the studio does", uid, gid))
	}
	groups, err := os.Getgroups()
	groups = slices.DeleteFunc(groups, func(g int) bool { return g == gid })
	switch {
	case err != nil:
		r.add(LayerGroups, StateUnavailable, err.Error())
	case len(groups) > 0: // a user namespace of an ordinary user may not call setgroups (user_namespaces(7))
		r.add(LayerGroups, StatePartial, "kept "+strings.Trim(fmt.Sprint(groups), "[]")+"; seccomp and Landlock stand before what they allow")
	default:
		r.add(LayerGroups, StateEnforced, "none is kept")
	}
}

// reportFiles says which files the child keeps, and whether it can get at them as who it is now: every layer that could
// stand before them is on.
func reportFiles(r *Report, p Policy, places []*place) {
	var out []string
	for _, at := range places {
		flags, use := unix.O_RDONLY|unix.O_DIRECTORY, "read"
		if at.file {
			flags, use = unix.O_RDWR, "written"
		}
		fd, err := unix.Open(at.path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err == nil {
			_ = unix.Close(fd)
		}
		if at.elsewhere() {
			err = errSwapped
		}
		if err != nil {
			out = append(out, fmt.Sprintf("%s cannot be %s by uid %d: %v", at.path, use, os.Getuid(), err))
		}
	}
	switch {
	case len(out) > 0:
		r.add(LayerFiles, StateUnavailable, strings.Join(out, "; "))
	case len(p.Dirs) == 0:
		r.add(LayerFiles, StateEnforced, "no file is open to it")
	default:
		r.add(LayerFiles, StateEnforced, filesText(p))
	}
}

// filterCalls installs the seccomp program.
func filterCalls(r *Report, p Policy) {
	prog, err := assemble(childRules(p.FS, os.Getpid()), actErrno(unix.EPERM), arch{audit: auditArch, x32: x32Calls, numbers: systemCalls()})
	if err == nil {
		err = installFilter(prog)
	}
	r.result(LayerSeccomp, err, fmt.Sprintf("%d instructions on every thread; %s", len(prog), openText(p.FS)))
}

// selfTest tries, from a thread like any other, what must fail now.
func selfTest(r *Report, p Policy) {
	var holes []string
	try := func(what string, call func() (int, error)) {
		if fd, err := call(); err == nil {
			_ = unix.Close(fd)
			holes = append(holes, what)
		}
	}
	open := func(path string, flags int) func() (int, error) {
		return func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o600) }
	}
	try("socket", func() (int, error) { return unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) })
	try("unix socket", func() (int, error) { return unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) })
	try("read /etc/passwd", open("/etc/passwd", unix.O_RDONLY))
	try("read /proc/self/environ", open("/proc/self/environ", unix.O_RDONLY))
	// Tried on each directory that every user may write to or that the child reads: O_EXCL, so nothing is harmed.
	for _, dir := range append([]string{"/tmp", "/dev/shm", "/var/tmp"}, p.Dirs...) {
		path := filepath.Join(dir, ".sandbox-self-test")
		try("create in "+dir, open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY))
	}
	if len(holes) > 0 {
		r.add(LayerSelfTest, StateUnavailable, "these still work: "+strings.Join(holes, ", "))
		return
	}
	r.add(LayerSelfTest, StateEnforced, "tried and refused: a socket, a foreign file, a new file")
}

// limitCPUs pins every thread to Policy.CPUs processors and tells the scheduler of the runtime.
func limitCPUs(r *Report, p Policy) {
	var have unix.CPUSet
	if err := unix.SchedGetaffinity(0, &have); err != nil {
		r.add(LayerCPUs, StateUnavailable, err.Error())
		return
	}
	cpus := have.Count()
	if p.CPUs <= 0 || p.CPUs >= cpus {
		r.add(LayerCPUs, StateEnforced, fmt.Sprintf("all %d that the studio has", cpus))
		return
	}
	want := pickCPUs(have, p.CPUs, p.FirstCPU)
	runtime.GOMAXPROCS(p.CPUs)
	r.result(LayerCPUs, setAffinity(&want), fmt.Sprintf("%d of the %d that the studio has", p.CPUs, cpus))
}

// pickCPUs chooses n of the processors in have, beginning with the first-th and wrapping round.
func pickCPUs(have unix.CPUSet, n, first int) unix.CPUSet {
	var list []int
	for i := range len(have) * 64 {
		if have.IsSet(i) {
			list = append(list, i)
		}
	}
	var want unix.CPUSet
	for i := range n {
		want.Set(list[(max(first, 0)+i)%len(list)])
	}
	return want
}
