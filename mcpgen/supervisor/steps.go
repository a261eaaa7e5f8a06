package supervisor

import (
	"log/slog"
	"time"

	"mcpstudio/mcpgen"
)

// steps reports the steps of one deploy as people follow it.
type steps struct {
	now      func() time.Time
	report   func(mcpgen.Step)
	log      *Log
	revision int
}

func (s *steps) run(name string, do func() (detail string, err error)) error {
	s.tell(mcpgen.Step{Name: name, State: mcpgen.StepRunning})
	start := s.now()
	detail, err := do()
	step := mcpgen.Step{Name: name, State: mcpgen.StepDone, MS: float64(s.now().Sub(start).Microseconds()) / 1000, Detail: detail}
	level := slog.LevelInfo
	if err != nil {
		step.State, step.Detail, level = mcpgen.StepFailed, err.Error(), slog.LevelError
	}
	s.log.add(level, sourceDeploy, s.revision, name+": "+string(step.State), map[string]string{"detail": step.Detail})
	s.tell(step)
	return err
}

func (s *steps) tell(step mcpgen.Step) {
	if s.report != nil {
		s.report(step)
	}
}
