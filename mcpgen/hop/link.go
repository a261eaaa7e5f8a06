package hop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// ErrClosed means that the link has ended: the child is gone or the link was closed. The call may have run.
var ErrClosed = errors.New("the link to the generated server has ended")

// ErrNotSent means that the child has not seen the call, so that it may be made again elsewhere.
var ErrNotSent = errors.New("the call was not sent")

// ErrNoAnswer means that the child has not answered a call in the time there was. The call may have run.
var ErrNoAnswer = errors.New("the generated server did not answer in time")

// maxAssembly is how many bytes of incomplete replies a link holds at once.
const maxAssembly = 256 << 20

// Link is the parent's end. Its methods may be used from many goroutines at once.
type Link struct {
	out     sender
	ended   chan struct{} // closed when the reader has ended
	waiters sync.Pool     // of *waiter
	seen    *interned     // the reader's

	mu        sync.Mutex
	pending   map[uint64]*waiter
	last      uint64 // id given last
	assembled int    // bytes of the bodies of pending calls
	err       error  // why the link ended; nil while it lives
}

// waiter is one call in flight. Its reply belongs to whoever holds Link.mu as long as the call is pending.
type waiter struct {
	reply *Reply
	total int        // size of the body that is being put together; -1 before its head
	done  chan error // of capacity one: the receiver never waits for a caller
}

// NewLink makes the parent's end of a link of conn, which it owns from then on, and starts to read it. The other end is
// a child's [Serve]. Close ends it.
func NewLink(conn net.Conn) *Link {
	l := &Link{
		out:     sender{conn: conn, stall: stallTime},
		ended:   make(chan struct{}),
		pending: map[uint64]*waiter{},
		seen:    newInterned(),
	}
	l.waiters.New = func() any { return &waiter{done: make(chan error, 1)} }
	go l.receive()
	return l
}

// Call sends q and waits for the answer, which it puts into r; the memory of r.Body is used again. Nothing in q may
// change before Call returns. On an error the contents of r mean nothing.
//
// When ctx ends first the child is told to stop, and Call returns ctx's error. The other errors are [ErrClosed],
// [ErrTooLarge] and [ErrNoAnswer]. Each comes together with [ErrNotSent] if the child cannot have seen the call. A caller that is writing
// does not look at ctx: a child that takes nothing holds it for at most twenty seconds.
func (l *Link) Call(ctx context.Context, q *Request, r *Reply) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	if size := callSize(q); size > maxCallFrame {
		return fmt.Errorf("%w: %w: a request of %d bytes", ErrNotSent, ErrTooLarge, size)
	}
	id, w, err := l.register(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	defer l.waiters.Put(w)
	end, err := l.out.send(ctx, func(b []byte) []byte { return appendCall(b, id, q) })
	if err != nil {
		l.settle(id, w)
		if cause := ctx.Err(); cause == nil || !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", ErrClosed, err)
		}
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	select {
	case err = <-w.done:
	case <-ctx.Done():
		if l.settle(id, w) {
			// If the link has ended the child needs not be told.
			_ = l.out.urge(ctx, func(b []byte) []byte { return appendCancel(b, id) })
		}
		return ctx.Err()
	}
	if err != nil && errors.Is(err, ErrClosed) && !l.out.took(end) {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return err
}

func (l *Link) register(r *Reply) (id uint64, w *waiter, err error) {
	w = l.waiters.Get().(*waiter)
	w.reply, w.total = r, -1
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, nil, l.err
	}
	l.last++
	l.pending[l.last] = w
	return l.last, w, nil
}

// settle ends a call from the caller's side, after which the receiver does not touch its reply. It reports whether the
// call was still pending.
func (l *Link) settle(id uint64, w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[id] == nil {
		<-w.done // sent before the call was taken off the list: does not wait
		return false
	}
	l.remove(id, w)
	return true
}

// remove takes a call off the list; the caller holds l.mu.
func (l *Link) remove(id uint64, w *waiter) {
	delete(l.pending, id)
	if w.total >= 0 {
		l.assembled -= len(w.reply.Body)
	}
	w.reply = nil
}

// finish hands the outcome of a call to its caller; the caller of finish holds l.mu.
func (l *Link) finish(id uint64, w *waiter, err error) {
	l.remove(id, w)
	w.done <- err
}

// receive reads the replies until the link ends.
func (l *Link) receive() {
	err := readFrames(l.out.conn, maxReplyFrame, l.frame)
	if cause := l.out.failure(); cause != nil && !errors.Is(err, ErrFrame) {
		err = cause // the writer closed the connection, and knows why
	}
	if err == io.EOF {
		err = ErrClosed
	} else {
		err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	l.out.stop(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	for id, w := range l.pending {
		l.finish(id, w, l.err)
	}
	close(l.ended)
}

// frame handles one frame of the child.
func (l *Link) frame(f []byte) error {
	id, kind, payload, err := splitFrame(f)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.pending[id]
	switch {
	case id > l.last:
		return brokenFrame(id, "there is no such call")
	case kind != kindHead && kind != kindChunk && kind != kindEnd:
		return brokenFrame(id, fmt.Sprintf("kind %d is not a child's", kind))
	case w == nil: // the caller has gone
		return nil
	case kind == kindHead:
		return l.head(id, w, payload)
	}
	return l.part(id, w, kind, payload)
}

func (l *Link) head(id uint64, w *waiter, payload []byte) error {
	if w.total >= 0 {
		return brokenFrame(id, "the reply has two heads")
	}
	total, err := parseReplyHead(id, payload, w.reply, l.seen)
	if err != nil {
		return err
	}
	w.total = total
	l.assembled += len(w.reply.Body)
	if total == len(w.reply.Body) {
		l.finish(id, w, nil)
	}
	return nil
}

func (l *Link) part(id uint64, w *waiter, kind byte, payload []byte) error {
	if w.total < 0 {
		return brokenFrame(id, "the reply has no head")
	}
	rest := w.total - len(w.reply.Body)
	if want := min(rest, maxChunk); len(payload) != want || (kind == kindEnd) != (want == rest) {
		return brokenFrame(id, "a part of the reply has the wrong size or kind")
	}
	if l.assembled+len(payload) > maxAssembly {
		l.finish(id, w, fmt.Errorf("%w: the answers in transit", ErrTooLarge))
		return nil
	}
	w.reply.Body = append(w.reply.Body, payload...)
	l.assembled += len(payload)
	if kind == kindEnd {
		l.finish(id, w, nil)
	}
	return nil
}

// InFlight returns how many calls wait for their answer.
func (l *Link) InFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending)
}

// Last returns the id that was given last. Later calls have greater ones.
func (l *Link) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Expire ends the calls up to an id that still wait for their answer, with [ErrNoAnswer], and tells the child to stop them.
func (l *Link) Expire(upTo uint64) {
	l.mu.Lock()
	var late []uint64
	for id, w := range l.pending {
		if id <= upTo {
			late = append(late, id)
			l.finish(id, w, ErrNoAnswer)
		}
	}
	l.mu.Unlock()
	for _, id := range late {
		// If the link has ended the child needs not be told.
		_ = l.out.urge(context.Background(), func(b []byte) []byte { return appendCancel(b, id) })
	}
}

// Done is closed when the link has ended; Err then says why.
func (l *Link) Done() <-chan struct{} { return l.ended }

// Err returns nil while the link lives and then an error that is [ErrClosed], and [ErrFrame] if the child broke the
// rules.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close ends the link and waits until its reader has ended. Calls in flight return [ErrClosed]. The error is always nil.
func (l *Link) Close() error {
	l.mu.Lock()
	if l.err == nil {
		l.err = ErrClosed
	}
	l.mu.Unlock()
	l.out.conn.Close() // wakes the reader, which does the rest; a second close says nothing of use
	<-l.ended
	return nil
}
