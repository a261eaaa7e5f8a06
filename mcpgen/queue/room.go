package queue

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrFull matches, with errors.Is, the error of a call that found no place to wait in.
var ErrFull = errors.New("no place to wait")

// FullError is the error of a call that found no place to wait in.
type FullError struct {
	Held int // calls that this connection holds
}

func (e *FullError) Error() string {
	return fmt.Sprintf("%d calls for this connection run or wait already; try again in a moment", e.Held)
}

// Is reports whether target is [ErrFull].
func (e *FullError) Is(target error) bool { return target == ErrFull }

// Room bounds how many calls all queues of a process hold together, running or waiting. A queue may hold as many as the
// others could still get (A. K. Choudhury, E. L. Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet
// Switches", 1998): the first one that hangs gets half of the room, the second half of what is left, and a connection
// that works finds a place however many calls hang on others.
type Room struct {
	size int64
	held atomic.Int64
}

// NewRoom makes a room for so many calls.
func NewRoom(size int) *Room { return &Room{size: int64(size)} }

// enter takes a place for a queue that holds so many already. Queues that ask at once may together get a few too many.
func (r *Room) enter(held int) bool {
	if r == nil {
		return true
	}
	if int64(held) >= r.size-r.held.Load() {
		return false
	}
	r.held.Add(1)
	return true
}

func (r *Room) leave() {
	if r != nil {
		r.held.Add(-1)
	}
}
