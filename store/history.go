package store

import (
	"encoding/json"
	"time"
)

// Actor is who made a change.
type Actor struct {
	Kind string `json:"kind" jsonschema:"admin, agent, system or cli"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SystemActor stands for what the studio does by itself.
func SystemActor() Actor { return Actor{Kind: "system", Name: "studio"} }

// Change is one history entry: append-only, ordered by Seq, without any secret.
type Change struct {
	ID         string          `json:"id"`
	Seq        int64           `json:"seq" jsonschema:"strictly growing, also when the clock jumps"`
	At         time.Time       `json:"at"`
	Actor      Actor           `json:"actor"`
	Operation  string          `json:"operation" jsonschema:"the operation's name, for instance update_tool"`
	EntityType Kind            `json:"entity_type"`
	EntityID   string          `json:"entity_id"`
	EntityName string          `json:"entity_name"`
	Before     json.RawMessage `json:"before" jsonschema:"null when it was made"`
	After      json.RawMessage `json:"after" jsonschema:"null when it was deleted"`
}

// RevisionState is where a deployed manifest stands.
type RevisionState string

// The states; package server/studio has their order.
const (
	RevisionStarting RevisionState = "starting"
	RevisionLive     RevisionState = "live"
	RevisionRetired  RevisionState = "retired"
	RevisionFailed   RevisionState = "failed"
)

// Revision is a manifest that was deployed, or tried to.
type Revision struct {
	Number    int             `json:"number"`
	Digest    string          `json:"digest" jsonschema:"SHA-256 of the manifest, hexadecimal"`
	State     RevisionState   `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
	LiveAt    *time.Time      `json:"live_at"`
	EndedAt   *time.Time      `json:"ended_at"`
	Author    Actor           `json:"author"`
	Note      string          `json:"note"`
	Error     string          `json:"error" jsonschema:"why it failed"`
	Size      int             `json:"size" jsonschema:"bytes of the manifest"`
	Kept      bool            `json:"kept" jsonschema:"what it ran is still stored, so that it can be shown and activated"`
	Tools     int             `json:"tools"`
	Resources int             `json:"resources"`
	Prompts   int             `json:"prompts"`
	Manifest  json.RawMessage `json:"-"`
}

// Snapshot is all configuration at one moment, as a deploy compiles it.
type Snapshot struct {
	Connections []*Connection
	Tools       []*Tool
	Resources   []*Resource
	Prompts     []*Prompt
	Config      *ServerConfig
}
