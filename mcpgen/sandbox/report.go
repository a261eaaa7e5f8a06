package sandbox

import (
	"cmp"
	"fmt"
	"strings"
)

// States of a layer.
const (
	StateEnforced    = "enforced"    // in force as designed
	StatePartial     = "partial"     // in force with a part missing, named in the detail
	StateUnavailable = "unavailable" // not in force, for the reason in the detail
)

// Names of the layers, in the order in which they are put on.
const (
	LayerNamespaces   = "namespaces"   // user, mount, pid, net, ipc, uts, cgroup
	LayerCgroup       = "cgroup"       // memory, processes and CPU by the kernel
	LayerWatchdog     = "watchdog"     // memory by the parent, every 100 ms
	LayerDescriptors  = "descriptors"  // nothing inherited but what was listed
	LayerOOMScore     = "oom_score"    // the kernel kills the child before the parent
	LayerPrivateRoot  = "private_root" // a root with nothing in it but the SQLite directories
	LayerDumpable     = "dumpable"     // no core file, no ptrace by the same uid
	LayerRlimits      = "rlimits"      // memory, descriptors, file size, processes, by the kernel and per process
	LayerNoNewPrivs   = "no_new_privs"
	LayerCapabilities = "capabilities"
	LayerUser         = "user"   // not root, own uid or the parent's
	LayerGroups       = "groups" // supplementary groups kept
	LayerLandlock     = "landlock"
	LayerFiles        = "files" // the SQLite directories, and whether the child's uid can read them
	LayerCPUs         = "cpus"  // affinity
	LayerSeccomp      = "seccomp"
	LayerSelfTest     = "self_test" // the child tried what it must not be able to do
	LayerVerified     = "verified"  // the parent read every thread's status
)

// Layer is one part of the confinement as it came out.
type Layer struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Detail is what is in force, or the reason why it is not: a phrase for people, in lower case and without a stop, since
	// messages put it in brackets.
	Detail string `json:"detail,omitempty"`
	Mend   string `json:"mend,omitempty"` // what an admin can do about a layer that is not enforced
}

// Report is what the child says after Enter. The parent believes none of it that it can read from the kernel.
type Report struct {
	Layers []Layer `json:"layers"`
	// Micros is how long Enter took.
	Micros int64 `json:"micros"`
}

// add appends a layer.
func (r *Report) add(name, state, detail string) {
	r.Layers = append(r.Layers, Layer{Name: name, State: state, Detail: detail})
}

// result appends a layer that is enforced when err is nil and unavailable for err's reason otherwise.
func (r *Report) result(name string, err error, detail string) {
	if err != nil {
		r.add(name, StateUnavailable, err.Error())
		return
	}
	r.add(name, StateEnforced, detail)
}

// Verified is what the kernel says about a child in /proc/<pid>/task/*/status: per field the weakest value over all
// its threads.
type Verified struct {
	UID            int   `json:"uid"`
	GID            int   `json:"gid"`
	Groups         []int `json:"groups,omitempty"` // supplementary groups without the primary one
	Seccomp        int   `json:"seccomp"`          // 2 is filter mode
	SeccompFilters int   `json:"seccomp_filters"`  // number of filters, 0 before Linux 5.11, which does not say
	// SeccompInherited is how many of them the studio has as well: a container's, which are no child's own.
	SeccompInherited int    `json:"seccomp_inherited"`
	NoNewPrivs       bool   `json:"no_new_privs"`
	CapEffective     uint64 `json:"cap_effective"`
	CapPermitted     uint64 `json:"cap_permitted"`
	CapInheritable   uint64 `json:"cap_inheritable"`
	CapAmbient       uint64 `json:"cap_ambient"`
	CapBounding      uint64 `json:"cap_bounding"` // cannot be emptied without CAP_SETPCAP; harmless under no_new_privs
	Threads          int    `json:"threads"`
	// Rlimits are the hard limits as, core, data, fsize, nofile, nproc and memlock; one without a limit is not in it.
	Rlimits map[string]uint64 `json:"rlimits,omitempty"`
	Problem string            `json:"problem,omitempty"` // why the status could not be read
}

// filtered says that the child has a filter of its own on every thread.
func (v Verified) filtered() bool {
	return v.Seccomp == 2 && (v.SeccompFilters == 0 || v.SeccompFilters > v.SeccompInherited)
}

// capabilities is the union of every set a process can act with or hand on.
func (v Verified) capabilities() uint64 {
	return v.CapEffective | v.CapPermitted | v.CapInheritable | v.CapAmbient
}

// String is one phrase for logs and the layer list.
func (v Verified) String() string {
	if v.Problem != "" {
		return v.Problem
	}
	groups := cmp.Or(strings.Trim(fmt.Sprint(v.Groups), "[]"), "none")
	if v.filtered() && v.NoNewPrivs && v.capabilities() == 0 {
		return fmt.Sprintf("read from %s: filtered, no new privileges, no capabilities; uid %d, gid %d, further groups %s",
			counted(v.Threads, "thread", "threads"), v.UID, v.GID, groups)
	}
	return fmt.Sprintf("read from %s: seccomp mode %d, no_new_privs %t, capabilities %#x; uid %d, gid %d, further groups %s",
		counted(v.Threads, "thread", "threads"), v.Seccomp, v.NoNewPrivs, v.capabilities(), v.UID, v.GID, groups)
}

// Exit is how a child ended.
type Exit struct {
	// Code is the exit code, -1 when a signal ended it.
	Code int `json:"code"`
	// Signal is the name of the ending signal, "" when there was none.
	Signal string `json:"signal,omitempty"`
	// SIGSYS is set when seccomp killed the child for a call no honest child makes: a security event.
	SIGSYS bool `json:"sigsys,omitempty"`
	// Memory is set when the child was killed because it used more than its memory limit.
	Memory bool `json:"memory,omitempty"`
	// Reason is why the parent killed it (watchdog, abuse, shutdown …), "" when it did not.
	Reason string `json:"reason,omitempty"`
}

// String is a phrase for logs and the admin.
func (e Exit) String() string {
	s := fmt.Sprintf("exit code %d", e.Code)
	switch {
	case e.SIGSYS:
		s = "killed by the system call filter (SIGSYS)"
	case e.Signal != "":
		s = "ended by " + e.Signal
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}
