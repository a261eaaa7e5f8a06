package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
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

// launcher starts a child and returns when it has ended. The first of files becomes its standard output and error, the others
// its descriptors from 3 up; launch owns them, and has closed them when it calls born or returns. born is called once, unless
// launch returns an error. kill ends the child, and does nothing once it has ended.
//
// launch cannot be told to stop, since nothing can take back a fork that the kernel does not finish. Whoever does not want to
// wait any more leaves it alone, and kills what may be born after all.
type launcher interface {
	launch(o order, files []*os.File, born func(b birth, kill func())) (Exit, error)
	// late is what the admin is told when launch took too long.
	late() string
}

// direct launches children of this process.
type direct struct{ cgroups cgroupHost }

// launch stays on one thread from the fork to the end of the child, since the parent-death signal is sent when the
// forking thread ends, not when the process does (prctl(2)). The thread is never unlocked and ends with the goroutine,
// which must be the caller's own.
func (d direct) launch(o order, files []*os.File, born func(birth, func())) (Exit, error) {
	runtime.LockOSThread()
	may := mayCalm()
	if !may { // of this thread, and inherited (setpriority(2))
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, calmNice) // lowering one's own is always allowed
	}
	process, b, err := spawn(o, files[0], files[1:])
	closeFiles(files) // the child has its copies; ours would keep the other ends from seeing it die
	if err != nil {
		return Exit{}, err
	}
	place := d.cgroups.confine(process.Pid, o.Policy)
	b.Cgroup, b.Controls = place.layer, place.controls
	born(b, func() { _ = process.Kill() }) // os.ErrProcessDone is what was wanted
	watch := newThreadWatch(b, runtime.NumCPU(), may, func() { _ = process.Kill() })
	stop := make(chan struct{})
	var beside sync.WaitGroup
	var reason string
	beside.Go(func() { reason = watch.run(stop) })
	awaitEnd(process.Pid)
	close(stop)
	beside.Wait()
	state, err := process.Wait()
	exit := exitOf(state, err)
	exit.Reason = reason
	if exit.Memory = place.oom(); exit.Memory {
		exit.Reason = fmt.Sprintf("memory limit of its cgroup: %d MiB", o.Policy.memoryLimit()>>20)
	}
	place.remove()
	return exit, nil
}

// awaitEnd returns when the child has ended. It does not reap it, so its number is not another process's yet.
func awaitEnd(pid int) {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); !errors.Is(err, unix.EINTR) {
			return // an error is process.Wait's to tell
		}
	}
}

func (direct) late() string { return "the system did not start a process in time" }

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
