package front

import (
	"net/netip"
	"sync"
	"time"

	"mcpstudio/auth"
)

const window = time.Minute

// maxKeys bounds the memory of the limits. When more callers than that are active
// within a minute, the idle ones are forgotten, and if none is, the rest share one count.
const maxKeys = 10_000

// limits counts calls per minute and key in a sliding window: what is left of the
// minute before counts in proportion.
type limits struct {
	mu    sync.Mutex
	byKey map[string]*count
	swept time.Time // when idle keys were last forgotten: looking costs too much to do it for each call
}

type count struct {
	start     time.Time // of the current minute
	now, last int
}

// take counts one call. It returns 0, or how long until a call may pass.
func (l *limits) take(key string, limit int, now time.Time) time.Duration {
	if limit <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.count(key, now)
	switch age := now.Sub(c.start); {
	case age < 0 || age >= 2*window: // a new minute after a pause, or the clock was set back
		*c = count{start: now}
	case age >= window:
		*c = count{start: c.start.Add(window), last: c.now}
	}
	into := now.Sub(c.start)
	used := float64(c.now) + float64(c.last)*float64(window-into)/float64(window)
	if used+1 <= float64(limit) {
		c.now++
		return 0
	}
	// Either enough of the last minute slides out, or this one has to end first.
	if over := used + 1 - float64(limit); c.last > 0 && float64(c.now)+1 <= float64(limit) {
		return time.Duration(over/float64(c.last)*float64(window)) + time.Millisecond
	}
	return window - into + window/time.Duration(limit)
}

func (l *limits) count(key string, now time.Time) *count {
	if c := l.byKey[key]; c != nil {
		return c
	}
	if len(l.byKey) >= maxKeys {
		if age := now.Sub(l.swept); age < 0 || age >= window/4 {
			l.swept = now
			for k, c := range l.byKey {
				if now.Sub(c.start) >= 2*window {
					delete(l.byKey, k)
				}
			}
		}
		if len(l.byKey) >= maxKeys {
			key = ""
			if c := l.byKey[key]; c != nil {
				return c
			}
		}
	}
	if l.byKey == nil {
		l.byKey = map[string]*count{}
	}
	c := &count{start: now}
	l.byKey[key] = c
	return c
}

// limitKey is the token, or with mode none the address: of IPv6 the /64, which is
// what one customer gets.
func limitKey(c caller) string {
	if c.who.Kind != string(auth.KindNone) {
		return c.who.ID
	}
	bits := 32
	if c.addr.Is6() {
		bits = 64
	}
	p, err := c.addr.Prefix(bits)
	if err != nil {
		p = netip.Prefix{} // a Unix socket: one caller
	}
	return "address " + p.String()
}
