package hop

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// case 139: frames of a child that breaks the rules end the link with an error that names the flaw, and nothing else.
func TestGarbageFromTheChild(t *testing.T) {
	frame := func(b []byte) []byte { return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...) }
	head := func(id uint64, change func(f []byte), body int) []byte {
		f := appendReplyHead(nil, id, &Reply{Status: 200, Code: "ok", Body: make([]byte, body)})
		change(f)
		return f
	}
	keep := func([]byte) {}
	const at = lengthSize + frameHead // of the status
	for what, c := range map[string]struct {
		bytes []byte
		want  string
	}{
		"HTTP":                  {[]byte("HTTP/1.1 200 OK\r\n\r\n"), "too many"},
		"huge frame":            {[]byte{0xff, 0xff, 0xff, 0xff}, "too many"},
		"empty frame":           {frame(nil), "too few"},
		"short frame":           {frame([]byte("12345678")), "too few"},
		"call 0":                {head(0, keep, 1), "call 0"},
		"call that is not":      {head(2, keep, 1), "no such call"},
		"kind of the parent":    {appendCancel(nil, 1), "kind 2"},
		"unknown kind":          {appendPart(nil, 1, 9, nil), "kind 9"},
		"chunk without a head":  {appendPart(nil, 1, kindChunk, make([]byte, maxChunk)), "no head"},
		"end without a head":    {appendPart(nil, 1, kindEnd, []byte("x")), "no head"},
		"short head":            {appendPart(nil, 1, kindHead, make([]byte, replyHead-frameHead-1)), "too short"},
		"status":                {head(1, func(f []byte) { f[at], f[at+1] = 7, 0 }, 1), "status 7"},
		"status without a body": {head(1, func(f []byte) { f[at] = 204 }, 1), "status 204"},
		"status of a proxy":     {head(1, func(f []byte) { f[at], f[at+1] = 407&0xff, 407>>8 }, 1), "status 407"},
		"negative time":         {head(1, func(f []byte) { f[at+21] = 0x80 }, 1), "impossible"},
		"code too long":         {head(1, func(f []byte) { f[at+34] = 65 }, 100), "code"},
		"code beyond the frame": {head(1, func(f []byte) { f[at+34] = 60 }, 1), "code"},
		"code with a newline":   {head(1, func(f []byte) { f[at+36] = '\n' }, 1), "code"},
		"body too large":        {head(1, func(f []byte) { f[at+33] = 0xff }, 1), "claims"},
		"body too short":        {head(1, func(f []byte) { f[at+30] = 9 }, 1), "first part"},
		"two heads":             {append(head(1, keep, maxChunk+1)[:lengthSize+replyHead+2+maxChunk], head(1, keep, 1)...), "two heads"},
		"chunk for the end":     {append(head(1, keep, maxChunk+1), appendPart(nil, 1, kindChunk, []byte("x"))...), "wrong size or kind"},
		"end too short":         {append(head(1, keep, maxChunk+2), appendPart(nil, 1, kindEnd, []byte("x"))...), "wrong size or kind"},
		"end too long":          {append(head(1, keep, maxChunk+2), appendPart(nil, 1, kindEnd, []byte("xyz"))...), "wrong size or kind"},
		"short chunk":           {append(head(1, keep, 3*maxChunk), appendPart(nil, 1, kindChunk, []byte("x"))...), "wrong size or kind"},
		"frame cut off":         {head(1, keep, 100)[:50], "unexpected EOF"},
	} {
		parent, child := sockets(t)
		l := NewLink(parent)
		done := make(chan error, 1)
		go func() { done <- l.Call(context.Background(), &Request{Method: []byte("x")}, new(Reply)) }()
		readCall(t, child)
		if _, err := child.Write(c.bytes); err != nil {
			t.Fatal(err)
		}
		child.Close()
		err := <-done
		if !errors.Is(err, ErrClosed) || errors.Is(err, ErrNotSent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", what, err)
		}
		if broken := errors.Is(err, ErrFrame); broken != (what != "frame cut off") {
			t.Errorf("%s: %v is a broken frame: %v", what, err, broken)
		}
		<-l.Done()
		if n := l.InFlight(); n != 0 || l.Err() == nil {
			t.Errorf("%s: %d calls are left, %v", what, n, l.Err())
		}
	}
}
