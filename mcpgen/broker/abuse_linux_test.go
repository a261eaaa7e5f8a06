package broker

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTenthAbuse: nine broken messages may be an accident of a version; the tenth is told.
func TestTenthAbuse(t *testing.T) {
	told := make(chan string, 1)
	s, fd := raw(t, Options{OnAbuse: func(reason string) { told <- reason }})
	for n := int64(1); n <= 10; n++ {
		if err := unix.Sendmsg(fd, []byte("{}"), nil, nil, 0); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); s.Stats().Abuse < n && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if n < 10 && len(told) != 0 {
			t.Fatalf("told after %d", n)
		}
	}
	select {
	case <-told:
	case <-time.After(10 * time.Second):
		t.Error("nobody was told of the tenth")
	}
}
