package server

import (
	"errors"
	"testing"
)

// block is a piece of memory at an address.
type block struct {
	at   int64
	data []byte
	full bool // refuses writes
}

func (b *block) ReadAt(p []byte, off int64) (int, error) { return copy(p, b.data[off-b.at:]), nil }

func (b *block) WriteAt(p []byte, off int64) (int, error) {
	if b.full {
		return 0, errors.New("not writable")
	}
	return copy(b.data[off-b.at:], p), nil
}

// TestWipe is case 107: the values of secret variables go, everything else stays as it is.
func TestWipe(t *testing.T) {
	in := "PATH=/bin\x00STUDIO_ENCRYPTION_KEY=new,old=x\x00noise\x00STUDIO_ADDR=a:1\x00REDIS_PASSWORD=p\x00STUDIO_JWT_SECRET=\x00STUDIO_ADMIN_PASSWORD=end\x00"
	want := "PATH=/bin\x00STUDIO_ENCRYPTION_KEY=\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00noise\x00STUDIO_ADDR=a:1\x00REDIS_PASSWORD=\x00\x00STUDIO_JWT_SECRET=\x00STUDIO_ADMIN_PASSWORD=\x00\x00\x00\x00"
	b := &block{at: 1000, data: []byte(in)}
	if err := wipe(b, 1000, 1000+int64(len(in))); err != nil {
		t.Fatal(err)
	}
	if string(b.data) != want {
		t.Errorf("got  %q\nwant %q", b.data, want)
	}
	if err := wipe(&block{at: 1000, data: []byte(in), full: true}, 1000, 1000+int64(len(in))); err == nil {
		t.Error("a write that fails is not reported")
	}
	if _, _, err := environBlock(); err != nil {
		t.Errorf("this process's own block: %v", err)
	}
}
