package hop

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/mcpgen/pipe"
)

// serveFunc is a handler that answers lists inline.
type serveFunc func(ctx context.Context, q *Request, r *Reply)

func (f serveFunc) Inline(q *Request) bool                          { return bytes.HasSuffix(q.Method, []byte("/list")) }
func (f serveFunc) Serve(ctx context.Context, q *Request, r *Reply) { f(ctx, q, r) }

// echo answers with its arguments.
func echo(_ context.Context, q *Request, r *Reply) { r.Body = append(r.Body, q.Args...) }

// sockets makes both ends of a link.
func sockets(t testing.TB) (parent, child net.Conn) {
	t.Helper()
	parent, f, err := pipe.New("calls")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if child, err = net.FileConn(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { parent.Close(); child.Close() })
	return parent, child
}

// serving runs both ends over a real socket. The child's end must end without an error when the link is closed.
func serving(t testing.TB, h serveFunc, workers int) *Link {
	t.Helper()
	parent, child := sockets(t)
	served := make(chan error, 1)
	go func() { served <- Serve(context.Background(), child, h, workers) }()
	l := NewLink(parent)
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l
}

func call(t testing.TB, l *Link, method, args string) *Reply {
	t.Helper()
	var r Reply
	if err := l.Call(context.Background(), &Request{Method: []byte(method), ID: []byte("1"), Args: []byte(args)}, &r); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return &r
}

func TestEverythingArrives(t *testing.T) {
	want := Reply{
		Status: 404, Rows: 1 << 31, Bytes: 1 << 40, Took: 1234567 * time.Microsecond, Wait: time.Hour, Code: "invalid_params",
		Body: []byte(`{"x":1}`),
	}
	var got Request
	l := serving(t, func(_ context.Context, q *Request, r *Reply) {
		got = *q
		for _, part := range []*[]byte{&got.Version, &got.Method, &got.ID, &got.Name, &got.Args, &got.Params} {
			*part = bytes.Clone(*part)
		}
		body := append(r.Body, want.Body...)
		*r = want
		r.Body = body
	}, 1)
	all := Request{
		Modern: true, Version: []byte(Version20260728), Method: []byte("tools/call"), ID: []byte(`"a"`), Name: []byte("orders"),
		Args: []byte(`{"a":1}`), Params: []byte(`{"b":2}`), Principal: Principal{ID: "t1", Name: "Zoë", Kind: "token"},
		Allowed: NewAllowed([]string{"orders"}, nil, []string{}),
	}
	for _, q := range []Request{all, {Method: []byte("ping")}, {}, all} {
		var r Reply
		if err := l.Call(context.Background(), &q, &r); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(q, got, cmp.AllowUnexported(Allowed{})); diff != "" {
			t.Errorf("request: %s", diff)
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("reply: %s", diff)
		}
	}
}

// The child has no place of its own to put an answer's flaws: none of them may end the link.
func TestFlawedAnswers(t *testing.T) {
	for what, flaw := range map[string]func(r *Reply){
		"status":   func(r *Reply) { r.Status = 99 },
		"no body":  func(r *Reply) { r.Status = 204 },
		"negative": func(r *Reply) { r.Rows, r.Bytes, r.Took, r.Wait = -1, -1, -1, -1 },
		"code":     func(r *Reply) { r.Code = "Not valid\n" },
		"long":     func(r *Reply) { r.Code = strings.Repeat("x", 65) },
		"body":     func(r *Reply) { r.Body = make([]byte, MaxReply+1) },
	} {
		l := serving(t, func(_ context.Context, q *Request, r *Reply) { flaw(r) }, 1)
		if r := call(t, l, "x", ""); r.Status < 200 || r.Rows < 0 || r.Took < 0 || !validCode(r.Code) || len(r.Body) > 200 {
			t.Errorf("%s: %+v", what, r)
		}
		call(t, l, "x", "")
	}
}

// Bodies around the size of a chunk, and one of the largest.
func TestReplySizes(t *testing.T) {
	l := serving(t, func(_ context.Context, q *Request, r *Reply) {
		var n int
		fmt.Sscan(string(q.Args), &n)
		for i := range n {
			r.Body = append(r.Body, byte(i>>8^i))
		}
	}, 2)
	for _, n := range []int{0, 1, maxChunk - 1, maxChunk, maxChunk + 1, 2 * maxChunk, 2*maxChunk + 1, 5_000_001, MaxReply} {
		body := call(t, l, "x", fmt.Sprint(n)).Body
		if len(body) != n {
			t.Fatalf("%d: got %d bytes", n, len(body))
		}
		for i, c := range body {
			if c != byte(i>>8^i) {
				t.Fatalf("%d: byte %d is wrong", n, i)
			}
		}
	}
}

func TestAnswersGoToThoseWhoAsked(t *testing.T) {
	l := serving(t, func(_ context.Context, q *Request, r *Reply) {
		if n := len(q.Args); n%7 == 0 {
			runtime.Gosched()
		}
		r.Body = append(r.Body, q.Args...)
		r.Rows = len(q.Args)
	}, 4)
	calls := 200
	if testing.Short() {
		calls = 40
	}
	var all sync.WaitGroup
	for g := range 32 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(g)))
			var r Reply
			for i := range calls {
				size := random.IntN(300)
				if i%50 == 0 {
					size = 3*maxChunk + random.IntN(maxChunk)
				}
				args := bytes.Repeat(fmt.Appendf(nil, "%d/%d ", g, i), 1+size/8)
				method := "tools/call"
				if i%5 == 0 {
					method = "tools/list"
				}
				err := l.Call(context.Background(), &Request{Method: []byte(method), Args: args}, &r)
				if err != nil || !bytes.Equal(r.Body, args) || r.Rows != len(args) {
					t.Errorf("%d/%d: %d bytes, %v", g, i, len(r.Body), err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := l.InFlight(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

func TestCancelReachesTheHandler(t *testing.T) {
	started, ended := make(chan struct{}, 8), make(chan struct{}, 8)
	l := serving(t, func(ctx context.Context, q *Request, r *Reply) {
		if string(q.Method) == "sleep" {
			started <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
		}
	}, 4)
	sleep := func(all *sync.WaitGroup) context.CancelFunc {
		ctx, cancel := context.WithCancel(context.Background())
		for range 4 {
			all.Go(func() {
				err := l.Call(ctx, &Request{Method: []byte("sleep")}, new(Reply))
				if !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotSent) {
					t.Errorf("got %v", err)
				}
			})
		}
		return cancel
	}
	var running, waiting sync.WaitGroup
	cancelRunning := sleep(&running)
	for range 4 {
		<-started
	}
	cancelWaiting := sleep(&waiting)
	for l.InFlight() < 8 {
		time.Sleep(time.Millisecond)
	}
	call(t, l, "tools/list", "") // answered after the child has read the calls that wait
	cancelWaiting()
	waiting.Wait()
	cancelRunning()
	running.Wait()
	for range 4 {
		<-ended
	}
	call(t, l, "ping", "")
	if n := len(started); n != 0 {
		t.Errorf("%d of the calls ran that were cancelled while they waited", n)
	}
	if n := l.InFlight(); n != 0 {
		t.Errorf("%d calls are left", n)
	}
}

// A reply must not be touched after Call has returned, however answer and cancellation race.
func TestCancelRaces(t *testing.T) {
	l := serving(t, func(_ context.Context, q *Request, r *Reply) {
		r.Body = append(r.Body, make([]byte, 2*maxChunk+len(q.Args))...)
	}, 4)
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	var all sync.WaitGroup
	var cancelled, answered atomic.Int32
	for g := range 8 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(g)))
			var r Reply
			for range rounds {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(1_000_000)))
				err := l.Call(ctx, &Request{Method: []byte("x")}, &r)
				cancel()
				if err == nil {
					answered.Add(1)
				} else {
					cancelled.Add(1)
				}
				r = Reply{Status: 1, Body: append(r.Body[:0], "mine"...)}
				runtime.Gosched()
				if r.Status != 1 || string(r.Body) != "mine" {
					t.Error("the reply was written to after the call")
				}
			}
		})
	}
	all.Wait()
	if l.Err() != nil || l.InFlight() != 0 {
		t.Errorf("link %v, %d calls left", l.Err(), l.InFlight())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.assembled != 0 {
		t.Errorf("%d bytes of %d cancelled and %d answered calls are still counted", l.assembled, cancelled.Load(), answered.Load())
	}
}

// readFrame reads the next frame from the child.
func readFrame(t *testing.T, c net.Conn) (id uint64, kind byte) {
	t.Helper()
	head := make([]byte, lengthSize)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	f := make([]byte, binary.LittleEndian.Uint32(head))
	if _, err := io.ReadFull(c, f); err != nil {
		t.Fatal(err)
	}
	id, kind, _, err := splitFrame(f)
	if err != nil {
		t.Fatal(err)
	}
	return id, kind
}

// What was sent, what was not: calls to a child that reads nothing, whose link then ends.
func TestNotSent(t *testing.T) {
	parent, child := sockets(t)
	l := NewLink(parent)
	if err := l.Call(context.Background(), &Request{Args: make([]byte, MaxRequest)}, new(Reply)); !errors.Is(err, ErrTooLarge) || !errors.Is(err, ErrNotSent) {
		t.Errorf("too large: %v", err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Call(ended, &Request{}, new(Reply)); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrNotSent) {
		t.Errorf("context ended: %v", err)
	}
	const calls = 40
	errs := make([]error, calls)
	var all sync.WaitGroup
	begin := func(i int) {
		all.Go(func() {
			q := Request{Method: []byte("x"), Args: bytes.Repeat([]byte{byte(i)}, 100_000)}
			errs[i] = l.Call(context.Background(), &q, new(Reply))
		})
	}
	begin(0)
	taken := func() int64 { l.out.mu.Lock(); defer l.out.mu.Unlock(); return l.out.written }
	for deadline := time.Now().Add(time.Minute); taken() == 0 && time.Now().Before(deadline); { // what is written together counts when all of it has gone
		time.Sleep(time.Millisecond)
	}
	for i := 1; i < calls; i++ {
		begin(i)
	}
	for l.InFlight() < calls {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // the socket gets full, and the backlog as well
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	sent := map[byte]bool{} // the calls that the child could read
	err := readFrames(child, maxCallFrame, func(f []byte) error {
		var q Request
		id, _, payload, err := splitFrame(f)
		if err == nil {
			err = parseCall(id, payload, &q, newInterned())
		}
		if err == nil {
			sent[q.Args[0]] = true
		}
		return err
	})
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the child's end: %v", err)
	}
	if len(sent) == 0 || len(sent) == calls {
		t.Errorf("%d of %d calls were sent", len(sent), calls)
	}
	for i, err := range errs {
		if !errors.Is(err, ErrClosed) || errors.Is(err, ErrNotSent) == sent[byte(i)] {
			t.Errorf("call %d, which the child saw: %v, got %v", i, sent[byte(i)], err)
		}
	}
}

// A child that stops reading cannot hold its callers for ever, nor beyond their contexts while they wait for others.
func TestStalledChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, child := net.Pipe() // takes nothing that is not read
		defer child.Close()
		l := NewLink(parent)
		defer l.Close()
		start := time.Now()
		writer := make(chan error, 1)
		go func() {
			writer <- l.Call(context.Background(), &Request{Args: make([]byte, 2*maxBacklog)}, new(Reply))
		}()
		synctest.Wait()
		queued := make(chan error, 1)
		go func() { queued <- l.Call(context.Background(), &Request{Args: make([]byte, 2*maxBacklog)}, new(Reply)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := l.Call(ctx, &Request{}, new(Reply))
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNotSent) {
			t.Errorf("waiting for room: %v after %v", err, took)
		}
		for what, done := range map[string]chan error{"writer": writer, "queued": queued} {
			if err := <-done; !errors.Is(err, errStalled) || !errors.Is(err, ErrNotSent) || !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if took := time.Since(start); took < stallTime || took > 2*stallTime {
			t.Errorf("the link ended after %v", took)
		}
	})
}

// A caller whose context has ended does not go on writing for others; its link does.
func TestWriterIsRelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, child := net.Pipe()
		l := NewLink(parent)
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.Call(ctx, &Request{Args: make([]byte, 1000)}, new(Reply)) }()
		synctest.Wait()
		go func() { second <- l.Call(context.Background(), &Request{Args: make([]byte, 2000)}, new(Reply)) }()
		time.Sleep(2 * time.Second)
		readCall(t, child)
		if err := <-first; !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotSent) {
			t.Errorf("the writer: %v", err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the writer came back after %v", took)
		}
		readCall(t, child)
		if id, kind := readFrame(t, child); id != 1 || kind != kindCancel {
			t.Errorf("call %d, kind %d", id, kind)
		}
		l.Close()
		if err := <-second; !errors.Is(err, ErrClosed) || errors.Is(err, ErrNotSent) {
			t.Errorf("the other: %v", err)
		}
	})
}

// readCall takes one call off the child's end.
func readCall(t *testing.T, child net.Conn) {
	t.Helper()
	if id, kind := readFrame(t, child); kind != kindCall || id == 0 {
		t.Fatalf("call %d, kind %d", id, kind)
	}
}

// A call that the child does not answer ends when it is given up, and the child is told; later calls go on.
func TestExpire(t *testing.T) {
	parent, child := sockets(t)
	l := NewLink(parent)
	defer l.Close()
	done := make(chan error, 2)
	ask := func() { done <- l.Call(context.Background(), &Request{Method: []byte("x")}, new(Reply)) }
	go ask()
	readCall(t, child)
	upTo := l.Last()
	go ask()
	readCall(t, child)
	l.Expire(upTo)
	if err := <-done; !errors.Is(err, ErrNoAnswer) || errors.Is(err, ErrNotSent) || errors.Is(err, ErrClosed) {
		t.Errorf("the first: %v", err)
	}
	if id, kind := readFrame(t, child); id != 1 || kind != kindCancel {
		t.Fatalf("call %d, kind %d", id, kind)
	}
	l.Expire(upTo)
	for id := range uint64(2) { // the first is too late
		if _, err := child.Write(appendReplyHead(nil, id+1, &Reply{Status: 200})); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil || l.InFlight() != 0 {
		t.Errorf("the second: %v, %d left", err, l.InFlight())
	}
}

// Frames for a call whose caller has gone are of no interest, in whatever state they are.
func TestLateFramesAreIgnored(t *testing.T) {
	parent, child := sockets(t)
	l := NewLink(parent)
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Call(ctx, &Request{Method: []byte("x")}, new(Reply)) }()
	readCall(t, child)
	cancel()
	<-done
	if id, kind := readFrame(t, child); id != 1 || kind != kindCancel {
		t.Fatalf("call %d, kind %d", id, kind)
	}
	late := appendPart(appendReplyHead(nil, 1, &Reply{Status: 200, Body: []byte("x")}), 1, kindChunk, []byte("y"))
	if _, err := child.Write(late); err != nil {
		t.Fatal(err)
	}
	go func() { done <- l.Call(context.Background(), &Request{Method: []byte("x")}, new(Reply)) }()
	readCall(t, child)
	if _, err := child.Write(appendReplyHead(nil, 2, &Reply{Status: 200})); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// One call whose answer would go beyond what a link holds is refused; the link goes on.
func TestAssemblyIsBounded(t *testing.T) {
	parent, _ := sockets(t)
	l := NewLink(parent)
	defer l.Close()
	w := &waiter{reply: new(Reply), total: -1, done: make(chan error, 1)}
	l.mu.Lock()
	l.last, l.pending[1], l.assembled = 1, w, maxAssembly-maxChunk-10
	l.mu.Unlock()
	body := make([]byte, 3*maxChunk)
	frames := appendReplyHead(nil, 1, &Reply{Status: 200, Body: body})
	for _, kind := range []byte{kindChunk, kindEnd} {
		frames = appendPart(frames, 1, kind, body[:maxChunk])
	}
	if err := readFrames(bytes.NewReader(frames), maxReplyFrame, l.frame); err != io.EOF {
		t.Fatal(err)
	}
	if err := <-w.done; !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if l.InFlight() != 0 || l.assembled != maxAssembly-maxChunk-10 {
		t.Errorf("%d calls and %d bytes are left", l.InFlight(), l.assembled)
	}
}
