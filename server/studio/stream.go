package studio

import (
	"context"
	"strconv"

	"mcpstudio/mcpgen"
)

// StreamEvents emits what happens, beginning with the deploy status, until ctx ends, emit fails or the reader falls behind.
func (s *Service) StreamEvents(ctx context.Context, emit func(id, name string, data any) error) error {
	next, stop := s.Events() // before the status is read, so that no change is between the two
	defer stop()
	status, err := s.deployStatus(ctx, none{})
	if err != nil {
		return err
	}
	if err := emit("", "deploy", status); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, open := <-next:
			if !open {
				return nil
			}
			if err := emit("", e.Name, e.Data); err != nil {
				return err
			}
		}
	}
}

// StreamLogs emits the deploy and child log: the lines after an id, or the last tail lines when after is 0, then what comes. Steps
// of a deploy come between.
func (s *Service) StreamLogs(ctx context.Context, after uint64, tail int, emit func(id, name string, data any) error) error {
	events, leave := s.Events()
	defer leave()
	backlog, next, stop := s.Logs.Subscribe(after)
	defer stop()
	if after == 0 && len(backlog) > tail {
		backlog = backlog[len(backlog)-tail:]
	}
	line := func(l mcpgen.LogLine) error { return emit(strconv.FormatUint(l.ID, 10), "log", l) }
	for _, l := range backlog {
		if err := line(l); err != nil {
			return err
		}
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l, open := <-next:
			if !open {
				return nil
			}
			err = line(l)
		case e, open := <-events:
			if !open {
				return nil
			}
			if e.Name == "step" {
				err = emit("", e.Name, e.Data)
			}
		}
		if err != nil {
			return err
		}
	}
}
