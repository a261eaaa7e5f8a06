package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// order is what a launcher is to start. The policy is normalized.
type order struct {
	Args    []string `json:"args,omitempty"`
	Exe     string   `json:"exe,omitempty"`
	Enforce bool     `json:"enforce"`
	Slot    int      `json:"slot"`
	Policy  Policy   `json:"policy"`
}

// birth is what is known of a child that runs and has not confined itself yet.
type birth struct {
	PID           int      `json:"pid"`
	Namespaces    []string `json:"namespaces,omitempty"`
	NamespacesWhy string   `json:"namespaces_why,omitempty"`
	OwnUID        bool     `json:"own_uid,omitempty"`
	Cgroup        Layer    `json:"cgroup"`
	Controls      []string `json:"controls,omitempty"`
}

// tell fills the facts into the policy the child is sent.
func (b birth) tell(p Policy, files int) Policy {
	p.Namespaces, p.NamespacesWhy, p.OwnUID, p.FirstCPU, p.Files = b.Namespaces, b.NamespacesWhy, b.OwnUID, b.PID, files
	return p
}

// launcher starts a child and returns when it has ended. output becomes its standard output and error, files its
// descriptors from 3 up; the caller closes its copies of them once born was called or launch has returned. born is
// called once, unless launch returns an error. kill ends the child, and does nothing once it has ended.
type launcher interface {
	launch(o order, output *os.File, files []*os.File, born func(b birth, kill func())) (Exit, error)
}

// direct launches children of this process.
type direct struct{ cgroups cgroupHost }

// launch stays on one thread from the fork to the end of the child, since the parent-death signal is sent when the
// forking thread ends, not when the process does (prctl(2)). The thread is never unlocked and ends with the goroutine,
// which must be the caller's own.
func (d direct) launch(o order, output *os.File, files []*os.File, born func(birth, func())) (Exit, error) {
	runtime.LockOSThread()
	process, b, err := spawn(o, output, files)
	if err != nil {
		return Exit{}, err
	}
	place := d.cgroups.confine(process.Pid, o.Policy)
	b.Cgroup, b.Controls = place.layer, place.controls
	born(b, func() { _ = process.Kill() }) // os.ErrProcessDone is what was wanted
	state, err := process.Wait()
	exit := exitOf(state, err)
	if exit.Memory = place.oom(); exit.Memory {
		exit.Reason = fmt.Sprintf("memory limit of its cgroup: %d MiB", o.Policy.memoryLimit()>>20)
	}
	place.remove()
	return exit, nil
}

// exitOf reads how the child ended.
func exitOf(state *os.ProcessState, err error) Exit {
	if err != nil {
		return Exit{Code: -1, Signal: "an unknown cause: " + err.Error()}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Exit{Code: -1, Signal: unix.SignalName(status.Signal()), SIGSYS: status.Signal() == syscall.SIGSYS}
	}
	return Exit{Code: state.ExitCode()}
}
