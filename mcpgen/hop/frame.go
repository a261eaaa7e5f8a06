package hop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
)

// Request is one MCP request as the child needs it. Whoever fills it for [Link.Call] keeps the slices unchanged until
// Call returns; in [Handler] they are valid until Serve returns.
type Request struct {
	Modern  bool   // the request follows MCP 2026-07-28
	Version []byte // the revision it follows, if it says so
	Method  []byte
	ID      []byte // as it stood in the body; goes into the answer unchanged
	Name    []byte // of the tool or prompt, or the resource's URI
	Args    []byte // the raw arguments object
	Params  []byte // the raw params object; only for methods that need more of it than Name and Args
	Mirror  []byte // the Mcp-Param-* headers of a modern tools/call, see [MirrorHeaders]; nil: none

	Principal Principal
	Allowed   *Allowed // nil: everything
}

// Reply is the answer to one request and what the call log wants to know about it.
type Reply struct {
	Status int           // HTTP: 200, 400, 404, 422, 500 or 503
	Rows   int           // rows of the result
	Bytes  int64         // size of the result before it was wrapped into the answer
	Took   time.Duration // running, in the precision of microseconds
	Wait   time.Duration // waiting to run, likewise
	Code   string        // outcome for the call log, "ok" or a reason: at most 64 of a-z, 0-9 and underscore
	Body   []byte        // JSON; its memory is used again when the reply is
}

// Limits of the wire.
const (
	MaxRequest = 8 << 20  // bytes of a call frame
	MaxReply   = 64 << 20 // bytes of a reply's body
	maxChunk   = 64 << 10 // bytes of body in one frame
	maxCode    = 64       // bytes of Reply.Code
)

const (
	kindCall   = 1
	kindCancel = 2
	kindHead   = 3
	kindChunk  = 4
	kindEnd    = 5

	lengthSize = 4
	frameHead  = 8 + 1                           // id, kind
	callParts  = 11                              // parts of a request
	callHead   = frameHead + 1 + 4*callParts     // era, sizes of the parts
	replyHead  = frameHead + 2 + 4 + 3*8 + 4 + 1 // status, rows, bytes, took, wait, size of the body, size of the code

	maxCallFrame  = MaxRequest
	maxReplyFrame = replyHead + maxCode + maxChunk
)

// ErrFrame is wrapped by the error of a link that ended because a frame broke the rules.
var ErrFrame = errors.New("broken frame")

// ErrTooLarge means that a request or an answer is beyond the limits of the wire.
var ErrTooLarge = errors.New("too large for the hop")

func brokenFrame(id uint64, what string) error {
	return fmt.Errorf("%w: call %d: %s", ErrFrame, id, what)
}

func appendFrameHead(b []byte, size int, id uint64, kind byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint64(b, id)
	return append(b, kind)
}

// splitFrame takes id and kind off a frame that comes without its length.
func splitFrame(f []byte) (id uint64, kind byte, payload []byte, err error) {
	if len(f) < frameHead {
		return 0, 0, nil, fmt.Errorf("%w: %d bytes are too few", ErrFrame, len(f))
	}
	if id = binary.LittleEndian.Uint64(f); id == 0 {
		return 0, 0, nil, fmt.Errorf("%w: call 0", ErrFrame)
	}
	return id, f[8], f[frameHead:], nil
}

func (q *Request) sizes() [callParts]int {
	p := &q.Principal
	return [...]int{
		len(q.Version), len(q.Method), len(q.ID), len(q.Name), len(q.Args), len(q.Params), len(q.Mirror),
		len(p.ID), len(p.Name), len(p.Kind), len(q.Allowed.Key()),
	}
}

// callSize is the length of the frame of q, without the four bytes that say it.
func callSize(q *Request) int {
	n := callHead
	for _, size := range q.sizes() {
		n += size
	}
	return n
}

func appendCall(b []byte, id uint64, q *Request) []byte {
	b = appendFrameHead(b, callSize(q), id, kindCall)
	era := byte(0)
	if q.Modern {
		era = 1
	}
	b = append(b, era)
	for _, size := range q.sizes() {
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
	}
	b = append(b, q.Version...)
	b = append(b, q.Method...)
	b = append(b, q.ID...)
	b = append(b, q.Name...)
	b = append(b, q.Args...)
	b = append(b, q.Params...)
	b = append(b, q.Mirror...)
	b = append(b, q.Principal.ID...)
	b = append(b, q.Principal.Name...)
	b = append(b, q.Principal.Kind...)
	return append(b, q.Allowed.Key()...)
}

func appendCancel(b []byte, id uint64) []byte { return appendFrameHead(b, frameHead, id, kindCancel) }

// parseCall reads the payload of a call into q, whose slices become slices of it. An absent part becomes nil.
func parseCall(id uint64, payload []byte, q *Request, seen *interned) error {
	if len(payload) < callHead-frameHead || payload[0] > 1 {
		return brokenFrame(id, "the head of the call is malformed")
	}
	*q = Request{Modern: payload[0] == 1}
	sizes, rest := payload[1:callHead-frameHead], payload[callHead-frameHead:]
	var who, name, kind, allowed []byte
	for i, dst := range [callParts]*[]byte{
		&q.Version, &q.Method, &q.ID, &q.Name, &q.Args, &q.Params, &q.Mirror, &who, &name, &kind, &allowed,
	} {
		size := binary.LittleEndian.Uint32(sizes[4*i:])
		if uint64(size) > uint64(len(rest)) {
			return brokenFrame(id, "a part of the call is longer than its frame")
		}
		if size > 0 {
			*dst, rest = rest[:size:size], rest[size:]
		}
	}
	if len(rest) > 0 {
		return brokenFrame(id, "the call is shorter than its frame")
	}
	q.Principal = Principal{ID: seen.text(who), Name: seen.text(name), Kind: seen.text(kind)}
	var err error
	if q.Allowed, err = seen.allow(allowed); err != nil {
		return brokenFrame(id, "the allowed names are malformed")
	}
	return nil
}

// appendReplyHead appends the head of r with the first chunk of its body.
func appendReplyHead(b []byte, id uint64, r *Reply) []byte {
	first := r.Body[:min(len(r.Body), maxChunk)]
	b = appendFrameHead(b, replyHead+len(r.Code)+len(first), id, kindHead)
	b = binary.LittleEndian.AppendUint16(b, uint16(r.Status))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(max(int64(r.Rows), 0), math.MaxUint32)))
	for _, n := range [...]int64{r.Bytes, r.Took.Microseconds(), r.Wait.Microseconds()} {
		b = binary.LittleEndian.AppendUint64(b, uint64(max(n, 0)))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Body)))
	b = append(b, byte(len(r.Code)))
	b = append(b, r.Code...)
	return append(b, first...)
}

func appendPart(b []byte, id uint64, kind byte, part []byte) []byte {
	return append(appendFrameHead(b, frameHead+len(part), id, kind), part...)
}

// parseReplyHead reads the payload of a head into r, whose body then holds the first part, copied, and returns the size
// of the whole body. It allows nothing that the child could not mean.
func parseReplyHead(id uint64, payload []byte, r *Reply, seen *interned) (total int, err error) {
	le := binary.LittleEndian
	if len(payload) < replyHead-frameHead {
		return 0, brokenFrame(id, "the head of the reply is too short")
	}
	status, size, codeSize := le.Uint16(payload), le.Uint32(payload[30:]), int(payload[34])
	var counts [3]int64
	for i := range counts {
		n := le.Uint64(payload[6+8*i:])
		if n > uint64(math.MaxInt64/time.Microsecond) {
			return 0, brokenFrame(id, "a count in the reply is impossible")
		}
		counts[i] = int64(n)
	}
	rest := payload[replyHead-frameHead:]
	switch {
	case !validStatus(int(status)):
		return 0, brokenFrame(id, fmt.Sprintf("the reply has status %d", status))
	case codeSize > maxCode || codeSize > len(rest) || !validCode(rest[:codeSize]):
		return 0, brokenFrame(id, "the reply has a malformed code")
	case size > MaxReply:
		return 0, brokenFrame(id, fmt.Sprintf("the reply claims %d bytes", size))
	case len(rest)-codeSize != min(int(size), maxChunk):
		return 0, brokenFrame(id, "the reply's first part has the wrong size")
	}
	body := r.Body[:0]
	*r = Reply{
		Status: int(status), Rows: int(le.Uint32(payload[2:])), Bytes: counts[0],
		Took: time.Duration(counts[1]) * time.Microsecond, Wait: time.Duration(counts[2]) * time.Microsecond,
		Code: seen.text(rest[:codeSize]), Body: append(body, rest[codeSize:]...),
	}
	return int(size), nil
}

// validStatus knows the statuses that a child has a meaning for. Others would mean something to whoever stands between the
// studio and the client: 204 and 304 end an answer before its body, 401 and 407 ask for credentials.
func validStatus(status int) bool {
	switch status {
	case http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError,
		http.StatusServiceUnavailable:
		return true
	}
	return false
}

// validCode keeps codes fit for metrics and logs.
func validCode[T string | []byte](code T) bool {
	for i := range len(code) {
		if c := code[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(code) <= maxCode
}

// readFrames reads from r with as few system calls as the sender's coalescing allows and calls each once per frame,
// which is valid during the call only. It returns the error of r or of each; io.EOF only between two frames.
func readFrames(r io.Reader, limit int, each func(frame []byte) error) error {
	const usual = 64 << 10
	buf := make([]byte, usual)
	from, to := 0, 0
	for {
		need := lengthSize
		for to-from >= lengthSize {
			size := binary.LittleEndian.Uint32(buf[from:])
			if uint64(size) > uint64(limit) {
				return fmt.Errorf("%w: %d bytes are too many", ErrFrame, size)
			}
			if need = lengthSize + int(size); to-from < need {
				break
			}
			if err := each(buf[from+lengthSize : from+need]); err != nil {
				return err
			}
			from, need = from+need, lengthSize
		}
		switch {
		case need > len(buf):
			buf = append(make([]byte, 0, need), buf[from:to]...)[:need]
			from, to = 0, to-from
		case from == to && len(buf) > 4*usual: // one large frame must not stay as a large buffer
			buf, from, to = make([]byte, usual), 0, 0
		case from > 0: // keep only the incomplete frame, usually nothing
			to, from = copy(buf, buf[from:to]), 0
		}
		n, err := r.Read(buf[to:])
		to += n
		if err != nil && n == 0 {
			if err == io.EOF && to > from {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
}
