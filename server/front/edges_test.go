package front

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"mcpstudio/mcpgen/hop"
	"mcpstudio/store"
)

// TestEmptyOrigin: an Origin without a value is not the public one of a studio that has none.
func TestEmptyOrigin(t *testing.T) {
	r := &http.Request{Host: "127.0.0.1:3000", Header: http.Header{"Origin": {""}}}
	if OriginAllowed(r, false, "", nil) {
		t.Error("it is let in")
	}
}

// TestLimitClockBack: a clock that is set back neither locks a caller out nor lets more than the limit pass.
func TestLimitClockBack(t *testing.T) {
	var l limits
	now := time.Unix(1_000_000, 0)
	for _, at := range []time.Time{now, now.Add(-time.Hour), now.Add(-24 * time.Hour)} {
		for n := range 10 {
			if wait := l.take("k", 10, at); wait != 0 {
				t.Fatalf("call %d at %s waits %s", n, at.UTC(), wait)
			}
		}
		if wait := l.take("k", 10, at); wait <= 0 || wait > 2*time.Minute {
			t.Errorf("one more at %s waits %s", at.UTC(), wait)
		}
	}
}

// TestRecordsAreBounded: what nobody takes is counted, not kept.
func TestRecordsAreBounded(t *testing.T) {
	var dropped, taken int
	f := Front{o: Options{Recorder: recorderFunc(func(batch []Call, more int) { taken, dropped = len(batch), more })}}
	for range maxBatch + 3 {
		f.record(&Call{})
	}
	f.flush(t.Context(), nil)
	if taken != maxBatch || dropped != 3 {
		t.Errorf("%d kept and %d dropped, want %d and 3", taken, dropped, maxBatch)
	}
}

type recorderFunc func(batch []Call, dropped int)

// Record implements Recorder.
func (f recorderFunc) Record(_ context.Context, batch []Call, dropped int) { f(batch, dropped) }

// TestFailed: how an error of the live server reaches the client and the call log.
func TestFailed(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, c := range []struct {
		ctx     context.Context
		err     error
		status  int
		outcome string
		retry   string
	}{
		{t.Context(), fmt.Errorf("call: %w", hop.ErrTooLarge), http.StatusOK, "too_large", ""},
		{t.Context(), &store.Error{Code: store.Unavailable, Message: "m", Retry: 7}, http.StatusServiceUnavailable, "unavailable", "7"},
		{t.Context(), &store.Error{Code: store.Unavailable, Message: "m"}, http.StatusServiceUnavailable, "unavailable", "1"},
		{gone, hop.ErrTooLarge, statusGone, "cancelled", ""},
	} {
		var f Front
		if no := f.failed(c.ctx, c.err); no.status != c.status || no.outcome != c.outcome || no.header[1] != c.retry {
			t.Errorf("%v: %+v", c.err, no)
		}
	}
}
