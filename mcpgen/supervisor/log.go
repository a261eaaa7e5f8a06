package supervisor

import (
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen"
)

// The bounds of the log: lines kept, bytes of a message and of all attributes of a
// line, lines a slow subscriber may lag behind. A child chooses what it says, not
// how much of it is kept.
const (
	maxLines  = 2000
	maxLine   = 4096
	maxAttrs  = 8192
	maxBehind = 512
)

// The sources of a line.
const (
	sourceDeploy     = "deploy"
	sourceChild      = "child"
	sourceSupervisor = "supervisor"
)

// Log is a bounded ring of the last 2,000 lines of deploys and children.
type Log struct {
	now func() time.Time

	mu          sync.Mutex
	lines       []mcpgen.LogLine // oldest first, from head round
	head        int
	last        uint64
	subscribers map[chan mcpgen.LogLine]struct{}
}

func newLog(now func() time.Time) *Log {
	return &Log{now: now, subscribers: map[chan mcpgen.LogLine]struct{}{}}
}

func (l *Log) add(level slog.Level, source string, revision int, message string, attrs map[string]string) {
	if len(message) > maxLine {
		message = strings.ToValidUTF8(message[:maxLine], "") + " …"
	}
	if !utf8.ValidString(message) {
		message = strings.ToValidUTF8(message, "\uFFFD")
	}
	attrs = bounded(attrs)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	line := mcpgen.LogLine{
		ID: l.last, At: l.now().UTC(), Level: strings.ToLower(level.String()), Source: source,
		Revision: revision, Message: message, Attrs: attrs,
	}
	if len(l.lines) < maxLines {
		l.lines = append(l.lines, line)
	} else {
		l.lines[l.head] = line
		l.head = (l.head + 1) % maxLines
	}
	for c := range l.subscribers {
		select {
		case c <- line:
		default: // a subscriber that lags is ended; it can come back with the last id it has seen
			delete(l.subscribers, c)
			close(c)
		}
	}
}

// bounded cuts attributes that are too long together: each keeps an equal share.
func bounded(attrs map[string]string) map[string]string {
	size := 0
	for k, v := range attrs {
		size += len(k) + len(v)
	}
	if size <= maxAttrs {
		return attrs
	}
	out := make(map[string]string, len(attrs))
	for k, v := range attrs {
		if each := maxAttrs / len(attrs); len(v) > each {
			v = strings.ToValidUTF8(v[:each], "") + " …"
		}
		out[k] = v
	}
	return out
}

// Since returns the lines after an id, oldest first, at most limit of the newest;
// 0 for both means all that are kept.
func (l *Log) Since(after uint64, limit int) []mcpgen.LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since(after, limit)
}

func (l *Log) since(after uint64, limit int) []mcpgen.LogLine {
	n := len(l.lines)
	if after > l.last { // an id of an earlier run of the studio: everything is new
		after = 0
	}
	if fresh := l.last - after; fresh < uint64(n) {
		n = int(fresh)
	}
	if limit > 0 && n > limit {
		n = limit
	}
	out := make([]mcpgen.LogLine, 0, n)
	for i := len(l.lines) - n; i < len(l.lines); i++ {
		out = append(out, l.lines[(l.head+i)%len(l.lines)])
	}
	return out
}

// Subscribe returns the kept lines after an id and a channel of the lines that
// follow them without a gap. The channel is closed by stop, which may be called
// more than once, and when the reader lags behind too far.
func (l *Log) Subscribe(after uint64) (backlog []mcpgen.LogLine, next <-chan mcpgen.LogLine, stop func()) {
	c := make(chan mcpgen.LogLine, maxBehind)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscribers[c] = struct{}{}
	return l.since(after, 0), c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, ok := l.subscribers[c]; ok {
			delete(l.subscribers, c)
			close(c)
		}
	}
}

// tail is the last n messages of one revision's child, for the sentence about a crash.
func (l *Log) tail(revision, n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for i := len(l.lines) - 1; i >= 0 && len(out) < n; i-- {
		if x := l.lines[(l.head+i)%len(l.lines)]; x.Revision == revision && x.Source == sourceChild {
			out = append([]string{x.Message}, out...)
		}
	}
	return out
}
