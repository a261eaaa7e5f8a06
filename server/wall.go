package server

import (
	"errors"
	"fmt"

	"mcpstudio/mcpgen/sandbox"
)

// harden protects this process and makes the one that will start its children, while that is still possible. Off Linux there
// is neither.
func harden() (*sandbox.Starter, error) {
	if err := sandbox.HardenParent(); err != nil && !errors.Is(err, sandbox.ErrUnsupported) {
		return nil, fmt.Errorf("protect this process: %w", err)
	}
	starter, err := sandbox.NewStarter(sandbox.StarterOptions{Args: []string{"studio", "child", "starter"}, ChildArgs: []string{"studio", "child"}})
	if errors.Is(err, sandbox.ErrUnsupported) {
		return nil, nil
	}
	return starter, err
}

// confine takes from this process what it does not need to serve. Everything is open by now, and nothing from outside was read.
func (s *Server) confine() {
	c := s.config
	if !c.Enforce {
		s.log.Warn("STUDIO_SANDBOX=degraded: children start also when the sandbox's mandatory layers are missing; do not expose this studio")
	}
	if c.starter == nil {
		return // off Linux
	}
	var sockets []string
	for _, l := range s.listeners {
		if l.at.Unix != "" {
			sockets = append(sockets, l.at.Unix)
		}
	}
	status := sandbox.ConfineParent(sandbox.ParentOptions{ReadWrite: []string{c.DataDir, c.SQLiteDir}, Sockets: sockets, Starter: c.starter})
	for _, l := range status.Layers {
		if l.State == sandbox.StateUnavailable {
			s.log.Warn("a layer of the studio's own confinement is missing", "layer", l.Name, "reason", l.Detail, "mend", l.Mend)
		} else {
			s.log.Debug("the studio confined itself", "layer", l.Name, "state", l.State, "detail", l.Detail)
		}
	}
	s.supervisor.Confined(status)
}

// starterDone is closed when the process that starts children has ended; nil, and never ready, without one.
func (s *Server) starterDone() <-chan struct{} {
	if s.config.starter == nil {
		return nil
	}
	return s.config.starter.Done()
}

// starterEnded is why the studio ends with it: its children ended with the process that started them, and a confined studio cannot
// make another one.
func (s *Server) starterEnded() error {
	return fmt.Errorf("%w; start the studio again", s.config.starter.Err())
}
