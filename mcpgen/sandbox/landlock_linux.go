package sandbox

import (
	"fmt"
	"slices"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Landlock versions that matter here (https://docs.kernel.org/userspace-api/landlock.html).
const (
	abiRefer    = 2 // Linux 5.19: renaming from one directory to another
	abiTruncate = 3 // Linux 6.2
	abiNet      = 4 // Linux 6.7: TCP bind and connect
	abiScoped   = 6 // Linux 6.12: abstract unix sockets, signals
)

// restrictLandlock forbids every file access the installed kernel knows but reading below Policy.Dirs and writing to
// Policy.RWFiles, and binding and connecting.
func restrictLandlock(r *Report, p Policy) {
	abi, err := llsyscall.LandlockGetABIVersion()
	if err != nil || abi < 1 {
		r.add(LayerLandlock, StateUnavailable, "not in this kernel or not allowed here")
		return
	}
	// Not RODirs: that would grant execution as well. Files only, as the child makes nothing.
	const read = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSReadDir)
	const write = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSWriteFile | llsyscall.AccessFSTruncate)
	var rules []landlock.Rule
	if dirs := withinReach(p.Dirs); len(dirs) > 0 {
		rules = append(rules, landlock.PathAccess(read, dirs...))
	}
	if files := withinReach(p.RWFiles); len(files) > 0 {
		rules = append(rules, landlock.PathAccess(write, files...))
	}
	// BestEffort is silent about what it leaves out, so the version is reported.
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		r.add(LayerLandlock, StateUnavailable, err.Error())
		return
	}
	detail := fmt.Sprintf("version %d guards files", abi)
	for _, f := range []struct {
		since int
		what  string
	}{{abiTruncate, "truncation"}, {abiNet, "TCP"}, {abiScoped, "abstract sockets and signals"}} {
		if abi < f.since {
			r.add(LayerLandlock, StatePartial, detail+"; not "+f.what+", which seccomp refuses")
			return
		}
		detail += ", " + f.what
	}
	r.add(LayerLandlock, StateEnforced, detail)
}

// withinReach are the paths a rule can be made for. One that is missing or closed to this uid would fail the whole
// ruleset; without a rule it is forbidden, which it is anyway, and reportFiles says so.
func withinReach(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err == nil {
			_ = unix.Close(fd)
		}
		return outOfReach(err)
	})
}
