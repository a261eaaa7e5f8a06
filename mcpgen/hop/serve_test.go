package hop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A small answer overtakes a large one: at most what the socket held already and one chunk come before it.
func TestSmallAnswersOvertakeLargeOnes(t *testing.T) {
	parent, child := sockets(t)
	served := make(chan error, 1)
	go func() {
		served <- Serve(context.Background(), child, serveFunc(func(_ context.Context, q *Request, r *Reply) {
			if string(q.Method) == "large" {
				r.Body = append(r.Body, make([]byte, 32<<20)...)
			}
		}), 2)
	}()
	if _, err := parent.Write(appendCall(nil, 1, &Request{Method: []byte("large")})); err != nil {
		t.Fatal(err)
	}
	readFrame(t, parent) // its head
	if _, err := parent.Write(appendCall(nil, 2, &Request{Method: []byte("small")})); err != nil {
		t.Fatal(err)
	}
	before := 0
	for {
		id, kind := readFrame(t, parent)
		if id == 2 {
			break
		}
		if before++; kind == kindEnd {
			t.Fatal("the small answer came after the large one")
		}
	}
	if before > 64 {
		t.Errorf("%d of 512 chunks came before the small answer", before)
	}
	parent.Close()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestInlineWhenAllWorkersAreBusyAndOverload(t *testing.T) {
	release := make(chan struct{})
	l := serving(t, func(ctx context.Context, q *Request, r *Reply) {
		if string(q.Method) == "sleep" {
			select {
			case <-release:
			case <-ctx.Done():
			}
		}
	}, 1)
	var all sync.WaitGroup
	var ok, refused atomic.Int32
	const extra = 5
	for range maxWaiting + 1 + extra {
		all.Go(func() {
			var r Reply
			err := l.Call(context.Background(), &Request{Method: []byte("sleep"), ID: []byte("9")}, &r)
			switch {
			case err != nil:
				t.Error(err)
			case r.Status == 503 && r.Code == "overloaded" && strings.Contains(string(r.Body), `"id":9,"error":{"code":-31000`):
				refused.Add(1)
			case r.Status == 200 && r.Code == "ok":
				ok.Add(1)
			default:
				t.Errorf("%+v", r)
			}
		})
	}
	for refused.Load() < extra {
		time.Sleep(time.Millisecond)
	}
	call(t, l, "tools/list", "")
	close(release)
	all.Wait()
	if ok.Load() != maxWaiting+1 || refused.Load() != extra {
		t.Errorf("%d answered, %d refused", ok.Load(), refused.Load())
	}
}

// What a burst of large answers took is given back, however many workers made them.
func TestLargeAnswersLeaveNoMemory(t *testing.T) {
	const calls, size = 64, 900 << 10
	var together sync.WaitGroup
	together.Add(calls)
	l := serving(t, func(_ context.Context, _ *Request, r *Reply) {
		together.Done()
		together.Wait() // so that every call has a worker of its own
		r.Body = append(r.Body, make([]byte, size)...)
	}, calls)
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			var r Reply
			if err := l.Call(context.Background(), &Request{Method: []byte("x")}, &r); err != nil || len(r.Body) != size {
				t.Errorf("%d bytes, %v", len(r.Body), err)
			}
		})
	}
	all.Wait()
	for range 3 { // pools give up what they hold at the second one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > calls*size/2 {
		t.Errorf("%d KiB are still held after answers of %d KiB", m.HeapAlloc>>10, calls*size>>10)
	}
}

func TestDrain(t *testing.T) {
	parent, child := sockets(t)
	started, release := make(chan struct{}), make(chan struct{})
	ctx, drain := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, child, serveFunc(func(ctx context.Context, q *Request, r *Reply) {
			if string(q.Method) == "sleep" {
				close(started)
				<-release
			}
			if ctx.Err() != nil {
				r.Code = "cut_short"
			}
			r.Body = append(r.Body, make([]byte, 3*maxChunk)...)
		}), 2)
	}()
	l := NewLink(parent)
	defer l.Close()
	var slow Reply
	done := make(chan error, 1)
	go func() { done <- l.Call(context.Background(), &Request{Method: []byte("sleep")}, &slow) }()
	<-started
	drain()
	for { // until the server has noticed
		if r := call(t, l, "x", ""); r.Status == 503 && r.Code == "draining" {
			break
		}
	}
	close(release)
	if err := <-done; err != nil || slow.Code != "ok" || len(slow.Body) != 3*maxChunk {
		t.Errorf("the call in flight: %q, %d bytes, %v", slow.Code, len(slow.Body), err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	<-l.Done()
	if err := l.Call(context.Background(), &Request{}, new(Reply)); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrNotSent) {
		t.Errorf("after the end: %v", err)
	}
}

func TestDrainIdle(t *testing.T) {
	parent, child := sockets(t)
	l := NewLink(parent)
	defer l.Close()
	ctx, drain := context.WithCancel(context.Background())
	drain()
	if err := Serve(ctx, child, serveFunc(echo), 4); err != nil {
		t.Error(err)
	}
	<-l.Done()
	if err := l.Err(); !errors.Is(err, ErrClosed) || errors.Is(err, ErrFrame) {
		t.Error(err)
	}
}

// case 139: what waits in the child is bounded in bytes as well, so that large calls cannot use its memory up.
func TestHeldBytesAreBounded(t *testing.T) {
	release := make(chan struct{})
	l := serving(t, func(ctx context.Context, q *Request, r *Reply) { <-release }, 1)
	args := make([]byte, 7<<20)
	const fit = maxHeld / (7 << 20)
	replies := make(chan Reply, fit+3)
	for i := range fit + 3 {
		go func() {
			var r Reply
			if err := l.Call(context.Background(), &Request{Method: []byte("x"), Args: args, Principal: Principal{ID: fmt.Sprint(i)}}, &r); err != nil {
				t.Error(err)
			}
			replies <- r
		}()
	}
	for range 3 {
		if r := <-replies; r.Status != 503 || r.Code != "overloaded" {
			t.Errorf("%+v", r)
		}
	}
	close(release)
	for range fit {
		if r := <-replies; r.Code != "ok" {
			t.Errorf("%+v", r)
		}
	}
	if r := call(t, l, "x", "again"); r.Code != "ok" {
		t.Errorf("%+v", r)
	}
}

// One principal whose large calls hang leaves room for those of others.
func TestHeldBytesAreShared(t *testing.T) {
	release := make(chan struct{})
	l := serving(t, func(ctx context.Context, q *Request, r *Reply) {
		if q.Principal.ID == "many" {
			<-release
		}
	}, 100)
	args := make([]byte, 4<<20)
	const calls = 40
	replies := make(chan Reply, calls)
	for range calls {
		go func() {
			var r Reply
			if err := l.Call(context.Background(), &Request{Method: []byte("x"), Args: args, Principal: Principal{ID: "many"}}, &r); err != nil {
				t.Error(err)
			}
			replies <- r
		}()
	}
	const fit = maxHeld / 2 / (4 << 20)
	for range calls - fit {
		if r := <-replies; r.Status != 503 || r.Code != "overloaded" {
			t.Errorf("%+v", r)
		}
	}
	var r Reply
	if err := l.Call(context.Background(), &Request{Method: []byte("x"), Args: args, Principal: Principal{ID: "one"}}, &r); err != nil || r.Code != "ok" {
		t.Errorf("somebody else: %+v %v", r, err)
	}
	close(release)
	for range fit {
		if r := <-replies; r.Code != "ok" {
			t.Errorf("%+v", r)
		}
	}
}

// A burst leaves few workers behind.
func TestWorkersGo(t *testing.T) {
	const calls = 4 * maxIdle
	before := runtime.NumGoroutine()
	var together sync.WaitGroup
	together.Add(calls)
	l := serving(t, func(context.Context, *Request, *Reply) { together.Done(); together.Wait() }, calls)
	var all sync.WaitGroup
	for range calls {
		all.Go(func() { call(t, l, "x", "") })
	}
	all.Wait()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before+maxIdle+16; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left of %d workers", runtime.NumGoroutine()-before, calls)
		}
	}
	together.Add(calls)
	for range calls { // as many again
		all.Go(func() { call(t, l, "x", "") })
	}
	all.Wait()
}

// The rest of a large answer is not sent once its caller has gone.
func TestCancelledReplyIsBrokenOff(t *testing.T) {
	parent, child := sockets(t)
	served := make(chan error, 1)
	go func() {
		served <- Serve(context.Background(), child, serveFunc(func(_ context.Context, q *Request, r *Reply) {
			if string(q.Method) == "large" {
				r.Body = append(r.Body, make([]byte, 32<<20)...)
			}
		}), 1)
	}()
	frames := appendCall(nil, 1, &Request{Method: []byte("large")})
	if _, err := parent.Write(frames); err != nil {
		t.Fatal(err)
	}
	readFrame(t, parent) // its head
	frames = appendCall(appendCancel(nil, 1), 2, &Request{Method: []byte("next")})
	if _, err := parent.Write(frames); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		id, kind := readFrame(t, parent)
		if id == 2 { // from the only worker, which the large reply has left
			break
		}
		if kind == kindEnd || n > 64 {
			t.Fatalf("%d chunks after the cancel, kind %d", n, kind)
		}
	}
	parent.Close()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// case 139: the child's end refuses what no parent of this build sends.
func TestGarbageFromTheParent(t *testing.T) {
	good := appendCall(nil, 1, &Request{Method: []byte("sleep"), Args: []byte("x")})
	change := func(at int, v byte) []byte {
		f := bytes.Clone(good)
		f[at] = v
		return f
	}
	const era = lengthSize + frameHead
	for what, c := range map[string]struct {
		bytes []byte
		want  string
	}{
		"huge":          {[]byte{0, 0, 0x81, 0}, "too many"},
		"kind":          {change(era-1, kindHead), "kind 3"},
		"era":           {change(era, 2), "head of the call"},
		"part too long": {change(era+1, 200), "longer than its frame"},
		"part missing":  {change(era+1+4*4, 0), "shorter than its frame"},
		"same id twice": {append(bytes.Clone(good), good...), "running already"},
		"long cancel":   {appendPart(nil, 1, kindCancel, []byte("x")), "kind 2"},
		"cut off":       {good[:20], "unexpected EOF"},
	} {
		parent, child := sockets(t)
		if _, err := parent.Write(c.bytes); err != nil {
			t.Fatal(err)
		}
		parent.Close()
		err := Serve(context.Background(), child, serveFunc(func(ctx context.Context, _ *Request, _ *Reply) { <-ctx.Done() }), 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

// A parent that goes away while calls run: their contexts end and so does Serve.
func TestServeEndsWithTheLink(t *testing.T) {
	parent, child := sockets(t)
	started, ended := make(chan struct{}, 4), make(chan struct{}, 4)
	served := make(chan error, 1)
	go func() {
		served <- Serve(context.Background(), child, serveFunc(func(ctx context.Context, _ *Request, r *Reply) {
			started <- struct{}{}
			<-ctx.Done()
			ended <- struct{}{}
		}), 2)
	}()
	l := NewLink(parent)
	errs := make(chan error, 4)
	for range 4 {
		go func() { errs <- l.Call(context.Background(), &Request{Method: []byte("x")}, new(Reply)) }()
	}
	<-started
	<-started
	l.Close()
	l.Close() // twice does no harm
	for range 4 {
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if len(ended) != 2 {
		t.Errorf("%d of 2 running calls ended", len(ended))
	}
}
