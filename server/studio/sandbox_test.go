package studio

import (
	"testing"
	"time"
)

// TestKillLimit: a client that can have a child killed again and again does not fill the history; what was left out is told.
func TestKillLimit(t *testing.T) {
	var k kills
	now := time.Unix(1000, 0)
	for i := range maxKills {
		if left, ok := k.take("memory revision 1", now); !ok || left != 0 {
			t.Fatalf("event %d: %d, %v", i+1, left, ok)
		}
	}
	for range 500 {
		now = now.Add(time.Second)
		if _, ok := k.take("memory revision 1", now); ok {
			t.Fatal("too many events are written")
		}
	}
	if _, ok := k.take("sigsys revision 1", now); !ok {
		t.Error("an event of another kind is left out")
	}
	now = now.Add(killWindow)
	if left, ok := k.take("memory revision 1", now); !ok || left != 500 {
		t.Errorf("the next hour: %d, %v, want 500 left out", left, ok)
	}
	if left, ok := k.take("memory revision 1", now); !ok || left != 0 {
		t.Errorf("the one after it: %d, %v", left, ok)
	}
}
