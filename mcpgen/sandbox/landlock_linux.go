package sandbox

import (
	"fmt"

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

// restrictLandlock forbids every file access the installed kernel knows but reading below the directories and writing to
// the files among places, and binding and connecting. private says that the private root is in place.
func restrictLandlock(r *Report, places []*place, private bool) {
	abi, err := llsyscall.LandlockGetABIVersion()
	if err != nil || abi < 1 {
		r.add(LayerLandlock, StateUnavailable, "not in this kernel or not allowed here")
		return
	}
	// Not RODirs: that would grant execution as well. Files only, as the child makes nothing.
	const read = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSReadDir)
	const write = landlock.AccessFSSet(llsyscall.AccessFSReadFile | llsyscall.AccessFSWriteFile | llsyscall.AccessFSTruncate)
	var rules []landlock.Rule
	for _, at := range places {
		access := read
		if at.file {
			access = write
		}
		if path := at.rulePath(private); at.withinReach(path) {
			rules = append(rules, landlock.PathAccess(access, path))
		}
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

// withinReach reports whether a rule can be made for the place by that path. One that is missing or closed to this uid
// would fail the whole ruleset; without a rule it is forbidden, which it is anyway, and reportFiles says so.
func (at *place) withinReach(path string) bool {
	fd, err := at.find(path)
	if err == nil {
		_ = unix.Close(fd)
	}
	return !outOfReach(err)
}
