package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Level sums the layers up for the admin.
type Level string

const (
	// LevelFull: every confining layer, namespaces and the private root included. The cgroup is not counted: the
	// watchdog and RLIMIT_DATA bound memory without it.
	LevelFull Level = "full"
	// LevelStrong: seccomp, Landlock, rlimits, no_new_privs, no capabilities, no leaked descriptor; namespaces, the
	// private root or the drop of supplementary groups are missing. A default container gives this.
	LevelStrong Level = "strong"
	// LevelDegraded: something above is missing. It may or may not meet the minimum.
	LevelDegraded Level = "degraded"
	// LevelNone: no system call filter, so nothing that deserves the name.
	LevelNone Level = "none"
)

// RefusedError says why a child below the minimum was not let in: the minimum is no_new_privs, seccomp, no
// capabilities, a uid other than root, and a passed self-test, on every thread and as the kernel tells it.
type RefusedError struct {
	// Missing are the layers short of the minimum.
	Missing []Layer
}

// Error names each missing layer, its reason and its mend.
func (e *RefusedError) Error() string {
	var parts []string
	for _, l := range e.Missing {
		parts = append(parts, fmt.Sprintf("%s is missing (%s); %s", l.Name, l.Detail, l.Mend))
	}
	return "sandbox below the minimum: " + strings.Join(parts, "; ")
}

// mend is the advice for a layer that is missing or partial.
func mend(layer string) string {
	switch layer {
	case LayerSeccomp:
		return "use a kernel with CONFIG_SECCOMP_FILTER (3.17 or later) and a container runtime that allows the seccomp system call"
	case LayerNoNewPrivs:
		return "allow prctl(PR_SET_NO_NEW_PRIVS)"
	case LayerCapabilities:
		return "start the studio as an ordinary user, or as root with CAP_SETUID, CAP_SETGID and CAP_SETPCAP"
	case LayerUser:
		return "start the studio as an ordinary user, or as root with CAP_SETUID and CAP_SETGID"
	case LayerSelfTest:
		return "use a kernel with Landlock enabled (5.13 or later, lsm=…,landlock) or allow user namespaces"
	case LayerVerified:
		return "mount /proc so that the studio sees its own children (hidepid below 2)"
	case LayerLandlock:
		return "use a kernel with Landlock enabled (5.13 or later, lsm=…,landlock) and a container runtime that allows the landlock system calls"
	case LayerNamespaces, LayerPrivateRoot:
		return "allow user namespaces (kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0); in a container they are refused by default, and the other layers stand in"
	case LayerCgroup:
		return "delegate a cgroup v2 to the studio (systemd: Delegate=memory cpu pids)"
	case LayerGroups:
		return "run the studio as a user without supplementary groups, the docker group above all"
	case LayerDescriptors:
		return "start the studio without descriptors that lack close-on-exec"
	case LayerRlimits:
		return "allow setrlimit, and give the studio hard limits no lower than the child's"
	case LayerOOMScore:
		return "mount /proc so that a process may write its own oom_score_adj"
	case LayerFiles:
		return fmt.Sprintf("make the directory and its files readable for the child: as root by its group (chgrp %d, chmod g+rx on the directory, g+r on the files), else by the studio's user", GID)
	default:
		return "see the sandbox page of the manual"
	}
}

// advise adds the mend to every layer that is not in force as designed.
func advise(layers []Layer) {
	for i, l := range layers {
		if l.State != StateEnforced && l.Mend == "" {
			layers[i].Mend = mend(l.Name)
		}
	}
}

// assess weighs what the child reported against what the kernel says. short are the layers below the minimum.
func assess(layers []Layer, v Verified) (level Level, short []Layer) {
	state := func(name string) string {
		if i := slices.IndexFunc(layers, func(l Layer) bool { return l.Name == name }); i >= 0 {
			return layers[i].State
		}
		return StateUnavailable
	}
	need := func(ok bool, name, kernel string) {
		if ok {
			return
		}
		l := Layer{Name: name, State: StateUnavailable, Detail: kernel, Mend: mend(name)}
		if i := slices.IndexFunc(layers, func(l Layer) bool { return l.Name == name }); i >= 0 && layers[i].State != StateEnforced {
			l.Detail = layers[i].Detail
		}
		short = append(short, l)
	}
	if v.Problem != "" {
		need(false, LayerVerified, v.Problem)
	} else {
		need(v.filtered(), LayerSeccomp, fmt.Sprintf("the kernel says mode %d with %d filters, %d of them inherited", v.Seccomp, v.SeccompFilters, v.SeccompInherited))
		need(v.NoNewPrivs, LayerNoNewPrivs, "the kernel says it is off")
		need(v.capabilities() == 0, LayerCapabilities, fmt.Sprintf("the kernel says %#x", v.capabilities()))
		need(v.UID != 0, LayerUser, "the kernel says uid 0")
	}
	need(state(LayerSelfTest) == StateEnforced, LayerSelfTest, "not reported")

	holds := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return state(n) != StateEnforced })
	}
	switch {
	case v.Problem != "" || !v.filtered():
		return LevelNone, short
	case len(short) > 0,
		!holds(LayerRlimits, LayerDumpable, LayerDescriptors, LayerSeccomp, LayerNoNewPrivs, LayerCapabilities, LayerUser),
		state(LayerLandlock) == StateUnavailable:
		return LevelDegraded, short
	case holds(LayerNamespaces, LayerPrivateRoot, LayerLandlock, LayerGroups):
		return LevelFull, nil
	default:
		return LevelStrong, nil
	}
}
