package sandbox

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// rouse tells attend that something is waited for. The caller holds s.mu.
func (s *Starter) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it knows
	}
}

// attend looks after a starter that owes an answer; while it owes none nothing runs. A starter that is stopped, or hangs with every
// thread, cannot be replaced (a confined parent cannot make another), so as long as a child of it serves it is left as it is. When none
// does, and it has not said a word for s.silence, there is nothing left to lose: it is ended, and the studio learns it from Done.
func (s *Starter) attend() {
	for {
		select {
		case <-s.wake:
			s.press(time.Now())
		case <-s.done:
			return
		}
	}
}

// press asks until nothing is owed any more, or the starter is given up.
func (s *Starter) press(since time.Time) {
	tick := time.NewTicker(s.silence / 6)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.done:
			return
		}
		owes, serves, quiet := s.look(since)
		if !owes {
			return
		}
		if quiet >= s.silence && !serves {
			s.mu.Lock()
			s.err = fmt.Errorf("the process that starts children did not answer for %s and was ended", s.silence)
			s.mu.Unlock()
			_ = s.process.Kill() // os.ErrProcessDone is what was wanted
			return
		}
		_ = s.send(starterMessage{Type: starterAsk}, nil) // one that takes no more messages does not answer either
	}
}

// look says whether an order has no answer or a killed child no end, whether any other child lives, and how long nothing was heard
// of the starter, which began to owe something at since.
func (s *Starter) look(since time.Time) (owes, serves bool, quiet time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.orders {
		switch {
		case c.pid == 0 || c.killed:
			owes = true
		case lives(c.pid):
			serves = true
		}
	}
	if s.heard.After(since) {
		since = s.heard
	}
	return owes, serves, time.Since(since)
}

// lives reports whether a process is there and has not ended. While the starter has not reported an end nobody else can have the number.
func lives(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, ok := strings.Cut(string(b), ") ") // pid (name) state …: proc_pid_stat(5)
	return err == nil && ok && !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}
