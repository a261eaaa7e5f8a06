package hop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	// maxBacklog is how much may wait for the writer before others wait too. One frame may go beyond it.
	maxBacklog = 1 << 20
	// maxRounds is how many writes a caller makes for others before it goes its own way.
	maxRounds = 16
	// stallTime is at least how long a peer may take for one write before its link ends; at most twice as long.
	stallTime = 10 * time.Second
)

// errStalled is why a link ended whose peer no longer reads.
var errStalled = errors.New("the peer takes no bytes")

// sender writes frames to one socket on behalf of many goroutines. Whoever finds nobody writing becomes the writer and
// takes along what the others append meanwhile. The writer first lets every goroutine that is ready to run go ahead
// (one Gosched), so that what became ready together leaves together.
type sender struct {
	conn  net.Conn
	stall time.Duration // 0: the peer may take its time

	mu         sync.Mutex
	out, spare []byte
	writing    bool
	err        error         // the first failed write; nothing is sent afterwards
	appended   int64         // bytes ever appended
	written    int64         // bytes of them that the socket has taken
	moved      chan struct{} // closed when written, err or writing changes; nil while nobody waits

	deadline time.Time // of conn; only the writer touches it

	successor sync.WaitGroup // a goroutine that goes on as the writer; none starts once err is set
}

// send appends one frame and sees to it that somebody writes it. It waits only for room in the backlog and, as the
// writer, for the socket. It returns the position in the stream after the frame; no error means that the frame was
// appended, not that it was written.
func (s *sender) send(ctx context.Context, frame func(b []byte) []byte) (end int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && len(s.out) >= maxBacklog {
		if err := s.wait(ctx); err != nil {
			return 0, err
		}
	}
	return s.add(ctx, frame)
}

// urge is send without regard to the backlog, for the few frames that make it shorter.
func (s *sender) urge(ctx context.Context, frame func(b []byte) []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.add(ctx, frame)
	return err
}

// add does what send says; the caller holds s.mu.
func (s *sender) add(ctx context.Context, frame func(b []byte) []byte) (end int64, err error) {
	if s.err != nil {
		return 0, s.err
	}
	before := len(s.out)
	s.out = frame(s.out)
	s.appended += int64(len(s.out) - before)
	end = s.appended
	if !s.writing {
		s.write(ctx)
	}
	return end, nil
}

// flushed waits until the stream has been written up to a position.
func (s *sender) flushed(ctx context.Context, end int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && s.written < end {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	if s.written >= end {
		return nil
	}
	return s.err
}

// took reports whether the socket took the stream up to a position. The connection is closed already, so the writer,
// if there is one, comes back at once; until then it cannot be known.
func (s *sender) took(end int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing && s.written < end {
		if err := s.wait(context.Background()); err != nil {
			break
		}
	}
	return s.written >= end
}

// failure returns why nothing can be sent any more, or nil.
func (s *sender) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// position returns the end of what was appended.
func (s *sender) position() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.appended
}

// wait gives s.mu up until something moves or ctx ends.
func (s *sender) wait(ctx context.Context) error {
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	moved := s.moved
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write makes the caller, who holds s.mu, the writer. It stays that until nothing is left, but not when its own ctx has
// ended or others keep it busy: then a goroutine of the sender takes over, which stop waits for.
func (s *sender) write(ctx context.Context) {
	s.writing = true
	s.mu.Unlock()
	runtime.Gosched()
	s.mu.Lock()
	for n := 0; len(s.out) > 0 && s.err == nil; n++ {
		if n == maxRounds || n > 0 && ctx.Err() != nil {
			s.successor.Go(func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				for len(s.out) > 0 && s.err == nil {
					s.round()
				}
				s.rest()
			})
			return
		}
		s.round()
	}
	s.rest()
}

// rest ends the work of the writer, who holds s.mu. It may have written nothing: the link can end before its first round, and whoever
// waits to learn what was taken must learn that too.
func (s *sender) rest() {
	s.writing = false
	s.wake()
}

// wake lets everybody look again who waits; the caller holds s.mu.
func (s *sender) wake() {
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// round writes what has been appended; the caller is the writer and holds s.mu except while it writes.
func (s *sender) round() {
	b := s.out
	s.out, s.spare = s.spare[:0], nil
	s.mu.Unlock()
	n, err := s.push(b)
	s.mu.Lock()
	s.written += int64(n)
	if err != nil {
		s.err = err
		s.conn.Close() // after err was set: the reader of this connection, which notices, asks for it
	}
	if cap(b) <= 2*maxBacklog { // one large frame must not stay as a large buffer
		s.spare = b
	}
	s.wake()
}

// stop closes the connection, after which send returns err, and waits until a successor has ended.
func (s *sender) stop(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
		s.wake()
	}
	s.mu.Unlock()
	s.conn.Close() // a second close says nothing of use
	s.successor.Wait()
}

// push writes b, which the peer has to take in time.
func (s *sender) push(b []byte) (n int, err error) {
	if err = s.extend(); err == nil {
		n, err = s.conn.Write(b)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errStalled
	}
	if err != nil {
		err = fmt.Errorf("write to the hop: %w", err)
	}
	return n, err
}

// extend keeps the write deadline between one and two stall times ahead, so that most writes need not set it.
func (s *sender) extend() error {
	if s.stall == 0 {
		return nil
	}
	now := time.Now()
	if s.deadline.Sub(now) >= s.stall {
		return nil
	}
	s.deadline = now.Add(2 * s.stall)
	return s.conn.SetWriteDeadline(s.deadline)
}
