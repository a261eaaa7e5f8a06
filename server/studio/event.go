package studio

import (
	"context"
	"sync"
	"time"

	"mcpstudio/store"
)

// Event is one message of the event stream.
type Event struct {
	Name string // change, deploy, step or token
	Data any    // JSON
}

// ChangeEvent says that something was changed, without its content: a page that cares asks for it.
type ChangeEvent struct {
	EntityType store.Kind  `json:"entity_type"`
	EntityID   string      `json:"entity_id"`
	Operation  string      `json:"operation"`
	Actor      store.Actor `json:"actor"`
	At         time.Time   `json:"at"`
}

// TokenEvent says that a client used a token; the page that waits for a first connection shows it.
type TokenEvent struct {
	ID         string    `json:"id"`
	LastUsedAt time.Time `json:"last_used_at"`
	LastClient string    `json:"last_client"`
	LastMethod string    `json:"last_method"`
	LastListed int       `json:"last_listed"`
	Tools      int       `json:"tools" jsonschema:"the same as last_listed"`
}

// backlog is how many events a reader may be behind before its stream is ended; the browser then connects again and loads fresh state.
const backlog = 256

// hub hands events to every reader.
type hub struct {
	mu      sync.Mutex // guards readers and closed
	readers map[chan Event]bool
	closed  bool
}

func newHub() *hub { return &hub{readers: map[chan Event]bool{}} }

func (h *hub) send(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.readers {
		select {
		case r <- e:
		default: // too slow: an event left out would be a lie, so the stream ends
			delete(h.readers, r)
			close(r)
		}
	}
}

// join returns a reader's channel, closed when the stream is over.
func (h *hub) join() chan Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := make(chan Event, backlog)
	if h.closed {
		close(r)
		return r
	}
	h.readers[r] = true
	return r
}

func (h *hub) leave(r chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers[r] {
		delete(h.readers, r)
		close(r)
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for r := range h.readers {
		delete(h.readers, r)
		close(r)
	}
}

// Events follows what happens until stop or Close. The channel is closed when the reader is too slow or the service ends.
func (s *Service) Events() (next <-chan Event, stop func()) {
	r := s.events.join()
	return r, func() { s.events.leave(r) }
}

// EndStreams ends every event stream, so that a server that waits for its requests can end.
func (s *Service) EndStreams() { s.events.close() }

// TokensUsed tells readers of clients that called. It is the observer of auth/token's batches.
func (s *Service) TokensUsed(uses []store.TokenUse) {
	for _, u := range uses {
		s.events.send(Event{Name: "token", Data: TokenEvent{u.ID, u.At, u.Client, u.Method, u.Listed, u.Listed}})
	}
}

// ServerChanged tells readers that the generated server's state changed. It is the observer of the supervisor.
func (s *Service) ServerChanged() {
	s.sendStatus(s.ctx)
}

func (s *Service) sendStatus(ctx context.Context) {
	status, err := s.deployStatus(ctx, none{})
	if err != nil {
		s.Log.Debug("the deploy status could not be sent", "error", err)
		return
	}
	s.events.send(Event{Name: "deploy", Data: status})
}
