package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// HardenParent protects the parent from processes of the same user and keeps what it inherited from reaching children:
// no ptrace, no core file, and every descriptor above 2 close-on-exec. Call it once, first thing in the studio;
// ConfineParent follows when everything is open.
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

// ConfineParent takes from the studio what it does not need to serve: new privileges, capabilities, and every file but
// those of o. Call it once, before anything from outside is read; it cannot be undone. What cannot be had is reported,
// never silently left out.
//
// It limits what a mistake in the studio's own code can reach. It is not the wall around foreign code: the parent has no
// system call filter, and speaks to the network.
func ConfineParent(o ParentOptions) ParentStatus {
	var r Report
	r.result(LayerNoNewPrivs, onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1), noNewPrivs)
	reportHardening(&r)
	confineFiles(&r, o)
	dropParentCapabilities(&r, o)
	if uid := os.Geteuid(); uid == 0 {
		r.add(LayerUser, StatePartial, "runs as uid 0, so it owns the files of root; Landlock keeps it from them")
	} else {
		r.add(LayerUser, StateEnforced, fmt.Sprintf("runs as uid %d", uid))
	}
	advise(r.Layers)
	for i, l := range r.Layers {
		if l.Name == LayerUser && l.State != StateEnforced {
			r.Layers[i].Mend = "run the studio as an ordinary user"
		}
	}
	s := ParentStatus{PID: os.Getpid(), Layers: r.Layers, Verified: verify(os.Getpid())}
	if o.Starter != nil {
		_ = o.Starter.send(starterMessage{Type: starterSocks, Sockets: o.Sockets}, nil) // else they stay, and the next start replaces them
		v := verify(o.Starter.PID())
		s.Starter = &v
	}
	return s
}

// reportHardening reads back what HardenParent did.
func reportHardening(r *Report) {
	switch dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); {
	case err != nil:
		r.add(LayerDumpable, StateUnavailable, err.Error())
	case dumpable != 0:
		r.add(LayerDumpable, StateUnavailable, fmt.Sprintf("the kernel says %d", dumpable))
	default:
		r.add(LayerDumpable, StateEnforced, "nothing of the same user can trace it")
	}
	var core unix.Rlimit
	switch err := unix.Getrlimit(unix.RLIMIT_CORE, &core); {
	case err != nil:
		r.add(LayerRlimits, StateUnavailable, err.Error())
	case core.Max != 0:
		r.add(LayerRlimits, StateUnavailable, "core files are allowed")
	default:
		r.add(LayerRlimits, StateEnforced, "no core file is written")
	}
}

// parentCapabilities are what root keeps in the parent: giving the -wal and -shm files it makes to the owner of their
// database, and ports below 1024 for listeners that are opened later. What starting children takes is the starter's.
// A directory of another user needs more, or root could not write to it; Landlock holds that to o.ReadWrite.
func parentCapabilities(o ParentOptions) uint64 {
	keep := uint64(1<<unix.CAP_CHOWN | 1<<unix.CAP_NET_BIND_SERVICE)
	if o.Starter == nil {
		keep |= starterCapabilities()
	}
	foreign := func(dir string) bool {
		var st unix.Stat_t
		return unix.Stat(dir, &st) == nil && int(st.Uid) != os.Geteuid()
	}
	if slices.ContainsFunc(o.ReadWrite, foreign) {
		keep |= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER
	}
	return keep
}

func dropParentCapabilities(r *Report, o ParentOptions) {
	if err := keepCapabilities(parentCapabilities(o)); err != nil {
		r.add(LayerCapabilities, StateUnavailable, err.Error())
		return
	}
	switch left := verify(os.Getpid()).CapPermitted; {
	case left == 0:
		r.add(LayerCapabilities, StateEnforced, noCapabilities)
	case o.Starter == nil:
		r.add(LayerCapabilities, StatePartial, "kept to start children: "+capabilityNames(left))
	default:
		r.add(LayerCapabilities, StateEnforced, "only "+capabilityNames(left))
	}
}

// capabilityNames spells out those that the studio may keep.
func capabilityNames(set uint64) string {
	var out []string
	for c, name := range map[int]string{
		unix.CAP_CHOWN: "CAP_CHOWN", unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE", unix.CAP_DAC_READ_SEARCH: "CAP_DAC_READ_SEARCH", unix.CAP_FOWNER: "CAP_FOWNER",
		unix.CAP_KILL: "CAP_KILL", unix.CAP_SETGID: "CAP_SETGID", unix.CAP_SETUID: "CAP_SETUID", unix.CAP_SETPCAP: "CAP_SETPCAP",
		unix.CAP_NET_BIND_SERVICE: "CAP_NET_BIND_SERVICE", unix.CAP_SYS_ADMIN: "CAP_SYS_ADMIN", unix.CAP_SYS_NICE: "CAP_SYS_NICE",
	} {
		if set&(1<<c) != 0 {
			out = append(out, name)
			set &^= 1 << c
		}
	}
	if set != 0 {
		out = append(out, fmt.Sprintf("%#x", set))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// confineFiles limits the parent's files by Landlock.
func confineFiles(r *Report, o ParentOptions) {
	if o.Starter == nil {
		r.add(LayerLandlock, StateUnavailable, "this process starts the children itself, and a process under Landlock cannot mount their private root")
		return
	}
	abi, err := llsyscall.LandlockGetABIVersion()
	if err != nil || abi < abiRefer {
		r.add(LayerLandlock, StateUnavailable, "not in this kernel or not allowed here")
		return
	}
	const read = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSReadDir)
	const write = read | landlock.AccessFSSet(llsyscall.AccessFSWriteFile|llsyscall.AccessFSTruncate|llsyscall.AccessFSMakeReg|llsyscall.AccessFSMakeDir|
		llsyscall.AccessFSRemoveFile|llsyscall.AccessFSRemoveDir|llsyscall.AccessFSRefer|llsyscall.AccessFSResolveUnix)
	const device = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSWriteFile)
	files, folders, wide := parentReads(o.Read)
	rules := []landlock.Rule{
		landlock.PathAccess(write, o.ReadWrite...), landlock.PathAccess(device, os.DevNull),
		landlock.PathAccess(read, folders...).IgnoreIfMissing(), landlock.PathAccess(llsyscall.AccessFSReadFile, files...).IgnoreIfMissing(),
	}
	if err := landlock.V11.BestEffort().RestrictPaths(rules...); err != nil {
		r.add(LayerLandlock, StateUnavailable, err.Error())
		return
	}
	detail := fmt.Sprintf("version %d: writes below %s, reads what it needs of the system, executes nothing", abi, strings.Join(o.ReadWrite, ", "))
	if wide != "" {
		r.Layers = append(r.Layers, Layer{Name: LayerLandlock, State: StatePartial, Detail: detail + "; " + wide, Mend: "run the studio as an ordinary user"})
		return
	}
	r.add(LayerLandlock, StateEnforced, detail)
}

// parentReads are the files and the directories that a program of this kind reads. wide says what is opened beyond the
// need, and why.
func parentReads(more []string) (files, folders []string, wide string) {
	files = []string{
		"/dev/urandom", "/dev/random", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols", "/etc/localtime", "/etc/timezone", "/etc/mime.types",
		"/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem",
	}
	folders = []string{
		"/proc", "/sys/fs/cgroup", "/sys/kernel/mm", "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/mime", "/usr/local/share/mime",
		"/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/var/lib/ca-certificates", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	}
	for _, p := range append([]string{os.Getenv("SSL_CERT_FILE"), os.Getenv("ZONEINFO")}, append(filepath.SplitList(os.Getenv("SSL_CERT_DIR")), more...)...) {
		switch info, err := os.Stat(p); {
		case p == "" || err != nil:
		case info.IsDir():
			folders = append(folders, p)
		default:
			files = append(files, p)
		}
	}
	folder, wide := resolverFolder("/etc/resolv.conf")
	if folder == "" {
		return append(files, "/etc/resolv.conf"), folders, wide
	}
	return files, append(folders, folder), wide
}

// resolverFolder is the directory that must be readable for conf to be, also after it was replaced: a rule is about the
// file that is there now, and what manages a network makes a new one and renames it. A mount, as in a container, is
// rewritten in place; then the file alone will do, and the answer is "".
func resolverFolder(conf string) (folder, wide string) {
	real, err := filepath.EvalSymlinks(conf)
	if err != nil {
		return "", ""
	}
	var file, dir unix.Stat_t
	folder = filepath.Dir(real)
	if unix.Stat(real, &file) != nil || unix.Stat(folder, &dir) != nil || file.Dev != dir.Dev {
		return "", ""
	}
	if folder == "/etc" && os.Geteuid() == 0 {
		wide = "reading all of /etc, where the resolver's configuration may be replaced"
	}
	return folder, wide
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
