package hop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// Handler answers requests in the child. It must not panic: what a driver may do is the handler's to contain.
type Handler interface {
	// Inline reports whether Serve answers this request without waiting for anything, so that the goroutine that reads
	// the link may do it. Lists are like that; what touches a database is not.
	Inline(q *Request) bool
	// Serve fills r, which comes with a status of 200, the code "ok" and an empty body with memory to use. ctx ends when
	// the caller has gone or the link has ended; the answer then goes nowhere.
	Serve(ctx context.Context, q *Request, r *Reply)
}

// What a child holds of calls that wait or run; calls beyond it are answered with status 503. The child's memory is
// limited, and a call may have 8 MiB. One principal may hold as many bytes as are left for the others.
const (
	maxWaiting = 1024     // calls that wait for a worker
	maxHeld    = 64 << 20 // bytes of the frames of all calls
)

// Sizes of buffers that are kept for the next call. Those of frames are in a pool that the garbage collector empties. A body stays
// with its worker, of which there may be a thousand: a burst of large answers must not fill the memory for good.
const (
	maxKept     = 1 << 20
	maxBodyKept = 16 << 10
)

// Serve is the child's end of a link: it reads calls from conn, which it owns from then on, and answers them with h, at
// most workers at a time besides those that are inline. It returns when the link has ended and all its goroutines with
// it: nil when the parent closed the link, else the reason ([ErrFrame] for a broken frame).
//
// When ctx ends, calls that come are answered with status 503, those that were accepted are finished, and then Serve
// closes the link and returns nil.
func Serve(ctx context.Context, conn net.Conn, h Handler, workers int) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &server{
		h: h, base: base,
		out:     sender{conn: conn},
		crew:    crew{most: max(workers, 1)},
		running: map[uint64]*job{},
		holders: map[string]int{},
		seen:    newInterned(),
	}
	s.free.New = func() any { return new(job) }
	s.crew.work = s.work
	var all sync.WaitGroup
	gone := make(chan struct{})
	all.Go(func() {
		select {
		case <-ctx.Done():
			s.drain()
		case <-gone:
		}
	})
	err := readFrames(conn, maxCallFrame, s.frame)
	if cause := s.out.failure(); errors.Is(err, net.ErrClosed) && cause != nil {
		err = cause // a writer closed the connection, and knows why
	}
	stop()
	s.cancelAll()
	s.out.stop(err)
	close(gone)
	s.crew.dismiss()
	all.Wait()
	if s.drained() || parentClosed(err) {
		return nil
	}
	return fmt.Errorf("serve the hop: %w", err)
}

// parentClosed reports whether err is how the end of a link shows whose parent has closed it or has gone: reading, as
// its end, or as a reset if replies were left unread; writing, as a broken pipe.
func parentClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

type server struct {
	h    Handler
	base context.Context // ends with the link, as those of the calls do
	out  sender
	crew crew
	free sync.Pool // of *job
	seen *interned // the reader's

	inline Reply // the reader's

	mu       sync.Mutex
	running  map[uint64]*job // accepted and not answered
	held     int             // bytes of their frames
	holders  map[string]int  // the same by principal
	draining bool
}

// job is one call that a worker answers.
type job struct {
	id    uint64
	frame []byte // owns the memory of req
	req   Request
	ctx   *callContext // not used again: somebody may hold it longer than the call
}

// frame handles one frame of the parent.
func (s *server) frame(f []byte) error {
	id, kind, payload, err := splitFrame(f)
	switch {
	case err != nil:
		return err
	case kind == kindCancel && len(payload) == 0:
		s.cancel(id)
		return nil
	case kind != kindCall:
		return brokenFrame(id, fmt.Sprintf("kind %d is not a parent's", kind))
	}
	j := s.free.Get().(*job)
	j.id, j.frame = id, append(j.frame[:0], payload...)
	if err := parseCall(id, j.frame, &j.req, s.seen); err != nil {
		return err
	}
	refused, err := s.accept(j)
	switch {
	case err != nil:
		return err
	case refused != "":
		s.inline = Reply{
			Status: http.StatusServiceUnavailable, Code: refused,
			Body: ErrorBody(s.inline.Body[:0], j.req.ID, CodeUnavailable, "The server is busy. Try again in a moment.", nil),
		}
		s.reply(j, &s.inline)
		s.release(j)
	case s.h.Inline(&j.req):
		s.answer(j, &s.inline)
	default:
		s.crew.give(j) // has room: accept saw to it
	}
	return nil
}

// accept notes a call as running, or says with a code why not.
func (s *server) accept(j *job) (refused string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.running[j.id] != nil:
		return "", brokenFrame(j.id, "the call is running already")
	case s.draining:
		return "draining", nil
	case s.crew.waiting() >= maxWaiting, s.holders[j.req.Principal.ID]+len(j.frame) > maxHeld-s.held:
		return "overloaded", nil
	}
	s.hold(j, len(j.frame))
	j.ctx = &callContext{Context: s.base}
	s.running[j.id] = j
	return "", nil
}

// hold counts the bytes of a job's frame in, or out if they are negative; the caller holds s.mu.
func (s *server) hold(j *job, bytes int) {
	s.held += bytes
	who := j.req.Principal.ID
	if s.holders[who] += bytes; s.holders[who] == 0 {
		delete(s.holders, who)
	}
}

func (s *server) cancel(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.running[id]; j != nil {
		j.ctx.cancel()
	}
}

// cancelAll ends the contexts of all calls, of which no more come.
func (s *server) cancelAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.running {
		j.ctx.cancel()
	}
}

// work is one worker's life.
func (s *server) work(w *worker) {
	var r Reply
	for j := w.job(); j != nil; j = s.crew.take(w) {
		s.answer(j, &r)
	}
}

// answer runs one call and sends its reply, unless nobody waits for it.
func (s *server) answer(j *job, r *Reply) {
	*r = Reply{Status: http.StatusOK, Code: "ok", Body: r.Body[:0]}
	if j.ctx.Err() == nil {
		s.h.Serve(j.ctx, &j.req, r)
	}
	if j.ctx.Err() == nil {
		s.reply(j, r)
	}
	if cap(r.Body) > maxBodyKept {
		r.Body = nil
	}
	s.finish(j)
}

// finish takes a call off the list. The last one of a server that is draining closes the link.
func (s *server) finish(j *job) {
	s.mu.Lock()
	delete(s.running, j.id)
	s.hold(j, -len(j.frame))
	last := s.draining && len(s.running) == 0
	s.mu.Unlock()
	j.ctx.cancel()
	s.release(j)
	if last {
		s.close()
	}
}

// release keeps the memory of a job for another.
func (s *server) release(j *job) {
	frame := j.frame
	if cap(frame) > maxKept {
		frame = nil
	}
	*j = job{frame: frame}
	s.free.Put(j)
}

// reply sends r, in several frames if it is large; each of those goes only when the one before has left and the caller
// still waits. An error of the link ends the reply as well; its reader reports it.
func (s *server) reply(j *job, r *Reply) {
	r.settle(j.req.ID)
	end, err := s.out.send(s.base, func(b []byte) []byte { return appendReplyHead(b, j.id, r) })
	for rest := r.Body[min(len(r.Body), maxChunk):]; len(rest) > 0 && err == nil; {
		if err := s.out.flushed(s.base, end); err != nil || j.ctx.Err() != nil {
			return
		}
		kind, part := byte(kindChunk), rest[:min(len(rest), maxChunk)]
		if rest = rest[len(part):]; len(rest) == 0 {
			kind = kindEnd
		}
		end, err = s.out.send(s.base, func(b []byte) []byte { return appendPart(b, j.id, kind, part) })
	}
}

// settle keeps a flaw of one answer from ending the link for all.
func (r *Reply) settle(id []byte) {
	switch {
	case len(r.Body) > MaxReply:
		r.Status, r.Code = http.StatusOK, "too_large"
		r.Body = ErrorBody(nil, id, CodeInternal, "the answer is too large", nil)
	case !validStatus(r.Status):
		r.Status = http.StatusInternalServerError
	}
	if !validCode(r.Code) {
		r.Code = "invalid_code"
	}
}

// drain refuses new calls from now on and closes the link when the accepted ones are finished.
func (s *server) drain() {
	s.mu.Lock()
	s.draining = true
	idle := len(s.running) == 0
	s.mu.Unlock()
	if idle {
		s.close()
	}
}

func (s *server) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining && len(s.running) == 0
}

// close ends the link after everything that was answered has left.
func (s *server) close() {
	// If the link has ended meanwhile there is nobody left to read.
	_ = s.out.flushed(s.base, s.out.position())
	s.out.conn.Close()
}
