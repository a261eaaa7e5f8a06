package studio

import (
	"context"
	"sync"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// HealthStatus is the last known state of a connection.
type HealthStatus string

const (
	healthOK       HealthStatus = "ok"
	healthFailing  HealthStatus = "failing"
	healthUnknown  HealthStatus = "unknown"
	healthDisabled HealthStatus = "disabled"
)

// Health is what the last test of one connection found.
type Health struct {
	ConnectionID  string       `json:"connection_id"`
	Status        HealthStatus `json:"status"`
	LatencyMS     float64      `json:"latency_ms"`
	ServerVersion string       `json:"server_version"`
	Message       string       `json:"message"`
	CheckedAt     *time.Time   `json:"checked_at"`

	warnings []string // of the test, for the checklist
}

// Healths lists them.
type Healths struct {
	Items []Health `json:"items"`
}

// healthBook keeps the last test of each connection, in memory: after a restart a test is as old as it is unknown.
type healthBook struct {
	mu    sync.Mutex // guards notes
	notes map[string]healthNote
}

type healthNote struct {
	Health
	version int // of the connection that was tested
}

func newHealthBook() *healthBook { return &healthBook{notes: map[string]healthNote{}} }

func (b *healthBook) note(c *store.Connection, r mcpgen.TestResult, at time.Time) {
	h := Health{ConnectionID: c.ID, Status: healthOK, LatencyMS: r.LatencyMS, ServerVersion: r.ServerVersion, CheckedAt: &at, warnings: r.Warnings}
	if !r.Success {
		h.Status, h.Message = healthFailing, "the test failed"
		for _, step := range r.Steps {
			if !step.OK {
				h.Message = step.Name + ": " + step.Message
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[c.ID] = healthNote{h, c.Version}
}

// forget drops what is known of a connection that was changed or deleted.
func (b *healthBook) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.notes, id)
}

func (b *healthBook) of(c *store.Connection) Health {
	b.mu.Lock()
	note, known := b.notes[c.ID]
	b.mu.Unlock()
	switch {
	case !c.IsActive:
		return Health{ConnectionID: c.ID, Status: healthDisabled}
	case !known || note.version != c.Version: // a test that ended after a change says nothing about what is stored
		return Health{ConnectionID: c.ID, Status: healthUnknown}
	}
	return note.Health
}

func (s *Service) connectionHealth(ctx context.Context, _ none) (Healths, error) {
	return view(ctx, s, func(tx *db.Tx) (Healths, error) {
		out := Healths{Items: []Health{}}
		all, err := db.All[*store.Connection](tx)
		for _, c := range all {
			out.Items = append(out.Items, s.health.of(c))
		}
		return out, err
	})
}
