package child

import (
	"context"
	"log/slog"
	"sync"

	"mcpstudio/mcpgen/control"
)

// maxPending is how many log lines may wait for the parent; more are dropped, since
// no call may wait for a log.
const maxPending = 256

// logger is a slog.Handler that hands lines to the parent. Debug lines stay here.
type logger struct {
	lines chan control.Message
	done  chan struct{}
	stop  context.CancelFunc
	once  sync.Once
}

func newLogger(c *control.Conn) *logger {
	ctx, cancel := context.WithCancel(context.Background())
	l := &logger{lines: make(chan control.Message, maxPending), done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(l.done)
		for {
			select {
			case m := <-l.lines:
				_ = c.Send(ctx, m) // a line that cannot be sent must not end those after it; that the parent is gone shows elsewhere
			case <-ctx.Done():
				return
			}
		}
	}()
	return l
}

// close ends the sender and waits for it.
func (l *logger) close() {
	l.once.Do(l.stop)
	<-l.done
}

func (l *logger) slog() *slog.Logger { return slog.New(&lineHandler{logger: l}) }

// lineHandler implements slog.Handler.
type lineHandler struct {
	logger *logger
	attrs  []slog.Attr
	group  string
}

var _ slog.Handler = (*lineHandler)(nil)

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle implements slog.Handler.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	attrs := map[string]string{}
	for _, a := range h.attrs {
		attrs[a.Key] = a.Value.Resolve().String()
	}
	r.Attrs(func(a slog.Attr) bool {
		attrs[h.group+a.Key] = a.Value.Resolve().String()
		return true
	})
	level := control.LevelInfo
	switch {
	case r.Level >= slog.LevelError:
		level = control.LevelError
	case r.Level >= slog.LevelWarn:
		level = control.LevelWarn
	}
	select {
	case h.logger.lines <- control.Message{Type: control.TypeLog, Log: &control.Log{Level: level, Message: r.Message, Attrs: attrs}}:
	default:
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, a := range attrs {
		a.Key = h.group + a.Key
		next.attrs = append(next.attrs, a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.group += name + "."
	return &next
}
