//go:build !linux

package sandbox

import (
	"context"
	"os"
)

// Process does not exist here: Start always refuses.
type Process struct{}

// Enter confines nothing and says so.
func Enter(Policy) Report {
	var r Report
	r.result(LayerSeccomp, ErrUnsupported, "")
	r.result(LayerSelfTest, ErrUnsupported, "")
	return r
}

// Starter does not exist here: NewStarter always refuses.
type Starter struct{}

// StarterOptions say how the starter and its children are started.
type StarterOptions struct {
	// Args is the starter's argv, ChildArgs that of every child, Exe the program of both.
	Args, ChildArgs []string
	Exe             string
}

// NewStarter refuses with ErrUnsupported.
func NewStarter(StarterOptions) (*Starter, error) { return nil, ErrUnsupported }

// ServeStarter is never called.
func ServeStarter() int { return 2 }

// PID is 0.
func (s *Starter) PID() int { return 0 }

// Done is nil and never ready.
func (s *Starter) Done() <-chan struct{} { return nil }

// Err is ErrUnsupported.
func (s *Starter) Err() error { return ErrUnsupported }

// Hold refuses with ErrUnsupported.
func Hold(*os.Root, string) (*os.File, error) { return nil, ErrUnsupported }

// Close does nothing.
func (s *Starter) Close() error { return nil }

// ConfineParent has nothing to confine with.
func ConfineParent(ParentOptions) ParentStatus { return ParentStatus{} }

// HardenParent has nothing to harden with.
func HardenParent() error { return ErrUnsupported }

// Start refuses with ErrUnsupported.
func Start(_ context.Context, o Options) (*Process, error) {
	for _, f := range o.Files {
		_ = f.Close()
	}
	for _, f := range o.Held {
		_ = f.Close()
	}
	return nil, ErrUnsupported
}

// PID is 0.
func (p *Process) PID() int { return 0 }

// Level is LevelNone.
func (p *Process) Level() Level { return LevelNone }

// Layers is empty.
func (p *Process) Layers() []Layer { return nil }

// Verified is empty.
func (p *Process) Verified() Verified { return Verified{Problem: ErrUnsupported.Error()} }

// Status is empty.
func (p *Process) Status() Status { return Status{Level: LevelNone} }

// RSS is 0.
func (p *Process) RSS() uint64 { return 0 }

// Kill does nothing.
func (p *Process) Kill(string) {}

// Done is nil and never ready.
func (p *Process) Done() <-chan struct{} { return nil }

// Exit is empty.
func (p *Process) Exit() Exit { return Exit{Code: -1} }
