package hop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// However the stream is cut into reads, the frames are the same, and a large one does not stay as a large buffer.
func TestReadFrames(t *testing.T) {
	var stream []byte
	var want [][]byte
	for _, size := range []int{frameHead, 100, 64 << 10, 1 << 20, frameHead, 3 << 20, 10, 64<<10 - 4, 64<<10 - 3, 17} {
		f := bytes.Repeat([]byte{byte(size), byte(size >> 8)}, size/2+1)[:size]
		want = append(want, f)
		stream = append(binary.LittleEndian.AppendUint32(stream, uint32(size)), f...)
	}
	for what, r := range map[string]io.Reader{
		"whole":          bytes.NewReader(stream),
		"halves":         iotest.HalfReader(bytes.NewReader(stream)),
		"bytes":          iotest.OneByteReader(bytes.NewReader(stream)),
		"error with end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		n := 0
		err := readFrames(r, maxCallFrame, func(f []byte) error {
			if n >= len(want) || !bytes.Equal(f, want[n]) {
				t.Errorf("%s: frame %d is wrong", what, n)
			}
			n++
			return nil
		})
		if err != io.EOF || n != len(want) {
			t.Errorf("%s: %d frames, %v", what, n, err)
		}
	}
	stop := errors.New("stop")
	if err := readFrames(bytes.NewReader(stream), maxCallFrame, func([]byte) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

// What the child reads as a call is what was written, and nothing else is read as one.
func FuzzCalls(f *testing.F) {
	f.Add(appendCall(nil, 1, &Request{})[lengthSize:])
	f.Add(appendCall(nil, 1<<63, &Request{
		Modern: true, Version: []byte("v"), Method: []byte("tools/call"), ID: []byte("1"), Name: []byte("n"), Args: []byte("{}"), Params: []byte("{}"), Mirror: []byte("{}"),
		Principal: Principal{"a", "b", "c"}, Allowed: NewAllowed([]string{"t"}, nil, []string{}),
	})[lengthSize:])
	f.Add(appendCancel(nil, 7)[lengthSize:])
	f.Fuzz(func(t *testing.T, b []byte) {
		id, kind, payload, err := splitFrame(b)
		if err != nil || kind != kindCall {
			return
		}
		var q Request
		if err := parseCall(id, payload, &q, newInterned()); err != nil {
			if !errors.Is(err, ErrFrame) {
				t.Errorf("got %v", err)
			}
			return
		}
		again := appendCall(nil, id, &q)
		if size := binary.LittleEndian.Uint32(again); int(size) != len(again)-lengthSize || int(size) != callSize(&q) {
			t.Errorf("a frame of %d bytes says %d", len(again)-lengthSize, size)
		}
		if !bytes.Equal(again[lengthSize:], b) {
			t.Errorf("%q was read as %q", b, again[lengthSize:])
		}
	})
}

// Whatever the child sends, two calls in flight stay whole: no panic, no body beyond what was claimed, no wrong count.
func FuzzReplies(f *testing.F) {
	small := appendReplyHead(nil, 1, &Reply{Status: 200, Rows: 1, Code: "ok", Body: []byte("{}")})
	f.Add(small)
	f.Add(append(bytes.Clone(small), small...))
	large := appendReplyHead(nil, 2, &Reply{Status: 200, Body: make([]byte, maxChunk+3)})
	f.Add(append(append(bytes.Clone(large), small...), appendPart(nil, 2, kindEnd, []byte("abc"))...))
	f.Add(appendPart(nil, 2, kindChunk, []byte("abc")))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &Link{pending: map[uint64]*waiter{}, seen: newInterned()}
		waiters := map[uint64]*waiter{}
		replies := [3]Reply{}
		for id := uint64(1); id <= 2; id++ {
			waiters[id] = &waiter{reply: &replies[id], total: -1, done: make(chan error, 1)}
			l.pending[id], l.last = waiters[id], id
		}
		err := readFrames(bytes.NewReader(b), maxReplyFrame, l.frame)
		if !errors.Is(err, ErrFrame) && err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Errorf("got %v", err)
		}
		inTransit := 0
		for id, w := range waiters {
			r := &replies[id]
			if l.pending[id] != nil {
				if w.total >= 0 {
					inTransit += len(r.Body)
				}
				if w.total >= 0 && len(r.Body) >= w.total {
					t.Errorf("call %d has %d bytes of %d and is not finished", id, len(r.Body), w.total)
				}
				continue
			}
			if err := <-w.done; err != nil || len(r.Body) != w.total || !validStatus(r.Status) || r.Rows < 0 || r.Bytes < 0 ||
				r.Took < 0 || r.Wait < 0 || !validCode(r.Code) {
				t.Errorf("call %d: %v, %d bytes of %d, %+v", id, err, len(r.Body), w.total, r)
			}
		}
		if l.assembled != inTransit {
			t.Errorf("%d bytes are counted, %d are there", l.assembled, inTransit)
		}
	})
}
