package supervisor

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen"
)

// The bounds of the log: lines and bytes kept of each revision, revisions kept, bytes of a message and of all attributes of a line,
// lines a slow subscriber may lag behind. A child chooses what it says, not how much of it is kept.
const (
	maxLines  = 1000
	maxBytes  = 1 << 20
	maxRings  = 8
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

// Log keeps the last lines of deploys and children: up to 1,000 lines or 1 MiB of each of eight revisions, workbenches (revision 0)
// among them. A revision that says much pushes out its own lines only; a ninth pushes out the one that has been silent longest, but
// never the live one. IDs grow by one over all of them, from the milliseconds of the clock at the start: so those of an earlier run of
// the studio, which a page may still have, are smaller than all of this one.
type Log struct {
	now func() time.Time

	mu          sync.Mutex // guards the rest
	rings       map[int]*ring
	live        int // the revision whose lines stay
	last        uint64
	subscribers map[chan mcpgen.LogLine]struct{}
}

// ring is the lines of one revision, oldest first.
type ring struct {
	lines []mcpgen.LogLine
	bytes int
}

func newLog(now func() time.Time) *Log {
	return &Log{now: now, rings: map[int]*ring{}, last: uint64(max(now().UnixMilli(), 0)), subscribers: map[chan mcpgen.LogLine]struct{}{}}
}

// keep protects the lines of the live revision.
func (l *Log) keep(revision int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live = revision
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
	l.ring(revision).push(line)
	for c := range l.subscribers {
		select {
		case c <- line:
		default: // a subscriber that lags is ended; it can come back with the last id it has seen
			delete(l.subscribers, c)
			close(c)
		}
	}
}

// ring returns the lines of a revision, making room for them. The caller holds l.mu.
func (l *Log) ring(revision int) *ring {
	if r := l.rings[revision]; r != nil {
		return r
	}
	if len(l.rings) >= maxRings {
		silent := -1
		for n, r := range l.rings {
			if n != l.live && (silent < 0 || r.newest() < l.rings[silent].newest()) {
				silent = n
			}
		}
		delete(l.rings, silent)
	}
	l.rings[revision] = &ring{}
	return l.rings[revision]
}

func (r *ring) newest() uint64 { return r.lines[len(r.lines)-1].ID }

func (r *ring) push(line mcpgen.LogLine) {
	r.lines = append(r.lines, line)
	r.bytes += size(line)
	drop := 0
	for ; len(r.lines)-drop > maxLines || r.bytes > maxBytes; drop++ {
		r.bytes -= size(r.lines[drop])
	}
	if drop > 0 {
		clear(r.lines[:drop]) // what they hold on to must not wait until the array is replaced
		r.lines = r.lines[drop:]
	}
}

// size is what a line costs, roughly.
func size(l mcpgen.LogLine) int {
	n := len(l.Message)
	for k, v := range l.Attrs {
		n += len(k) + len(v)
	}
	return n
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
	return l.since(after, limit, l.rings)
}

// Of is Since for the lines of one revision.
func (l *Log) Of(revision int, after uint64, limit int) []mcpgen.LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := map[int]*ring{}
	if r := l.rings[revision]; r != nil {
		one[revision] = r
	}
	return l.since(after, limit, one)
}

func (l *Log) since(after uint64, limit int, rings map[int]*ring) []mcpgen.LogLine {
	if after > l.last { // of an earlier run, before the clock was set back: everything is new
		after = 0
	}
	out := []mcpgen.LogLine{}
	for _, r := range rings {
		from, _ := slices.BinarySearchFunc(r.lines, after+1, func(x mcpgen.LogLine, id uint64) int { return cmp.Compare(x.ID, id) })
		out = append(out, r.lines[from:]...)
	}
	slices.SortFunc(out, func(a, b mcpgen.LogLine) int { return cmp.Compare(a.ID, b.ID) })
	if limit > 0 && len(out) > limit {
		out = out[len(out)-limit:]
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
	return l.since(after, 0, l.rings), c, func() {
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
	r := l.rings[revision]
	for i := 0; r != nil && i < len(r.lines) && len(out) < n; i++ {
		if x := r.lines[len(r.lines)-1-i]; x.Source == sourceChild {
			out = append(out, x.Message)
		}
	}
	slices.Reverse(out)
	return out
}
