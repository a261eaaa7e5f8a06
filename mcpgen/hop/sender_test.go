package hop

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
)

// TestLinkEndsBeforeTheWriter: the link ends while the writer has not written yet. Whoever waits for room, for its bytes to be written,
// or to learn whether they were, learns that nothing was; nobody waits for ever.
func TestLinkEndsBeforeTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		gone := errors.New("gone")
		s := &sender{conn: here, writing: true, appended: 8, out: make([]byte, maxBacklog)}
		took, flushed, sent := make(chan bool, 1), make(chan error, 1), make(chan error, 1)
		go func() { took <- s.took(8) }()
		go func() { flushed <- s.flushed(t.Context(), 8) }()
		go func() {
			_, err := s.send(t.Context(), func(b []byte) []byte { return b })
			sent <- err
		}()
		synctest.Wait()
		s.stop(gone)
		synctest.Wait()
		s.mu.Lock()
		s.rest() // what the writer does when it comes back and finds the error
		s.mu.Unlock()
		synctest.Wait()
		if len(took) != 1 || <-took {
			t.Error("took still waits, or says that the bytes were taken")
		}
		if len(flushed) != 1 || !errors.Is(<-flushed, gone) {
			t.Error("flushed still waits")
		}
		if len(sent) != 1 || !errors.Is(<-sent, gone) {
			t.Error("send still waits")
		}
	})
}
