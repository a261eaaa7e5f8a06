package sandbox

import (
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
	LayerRlimits      = "rlimits"
	LayerNoNewPrivs   = "no_new_privs"
	LayerCapabilities = "capabilities"
	LayerUser         = "user"   // not root, own uid or the parent's
	LayerGroups       = "groups" // supplementary groups kept
	LayerLandlock     = "landlock"
	LayerCPUs         = "cpus" // affinity
	LayerSeccomp      = "seccomp"
	LayerSelfTest     = "self_test" // the child tried what it must not be able to do
	LayerVerified     = "verified"  // the parent read every thread's status
)

// Layer is one part of the confinement as it came out.
type Layer struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
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
	UID            int    `json:"uid"`
	GID            int    `json:"gid"`
	Groups         []int  `json:"groups,omitempty"` // supplementary groups without the primary one
	Seccomp        int    `json:"seccomp"`          // 2 is filter mode
	SeccompFilters int    `json:"seccomp_filters"`  // number of filters; a container's own comes on top
	NoNewPrivs     bool   `json:"no_new_privs"`
	CapEffective   uint64 `json:"cap_effective"`
	CapPermitted   uint64 `json:"cap_permitted"`
	CapInheritable uint64 `json:"cap_inheritable"`
	CapAmbient     uint64 `json:"cap_ambient"`
	CapBounding    uint64 `json:"cap_bounding"` // cannot be emptied without CAP_SETPCAP; harmless under no_new_privs
	Threads        int    `json:"threads"`
	Problem        string `json:"problem,omitempty"` // why the status could not be read
}

// capabilities is the union of every set a process can act with or hand on.
func (v Verified) capabilities() uint64 {
	return v.CapEffective | v.CapPermitted | v.CapInheritable | v.CapAmbient
}

// String is one line for logs and the layer list.
func (v Verified) String() string {
	if v.Problem != "" {
		return v.Problem
	}
	return fmt.Sprintf("%d threads: seccomp %d, no_new_privs %t, capabilities %#x, uid %d gid %d groups %s",
		v.Threads, v.Seccomp, v.NoNewPrivs, v.capabilities(), v.UID, v.GID, strings.Trim(fmt.Sprint(v.Groups), "[]"))
}

// Exit is how a child ended.
type Exit struct {
	// Code is the exit code, -1 when a signal ended it.
	Code int `json:"code"`
	// Signal is the name of the ending signal, "" when there was none.
	Signal string `json:"signal,omitempty"`
	// SIGSYS is set when seccomp killed the child for a call no honest child makes: a security event.
	SIGSYS bool `json:"sigsys,omitempty"`
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
