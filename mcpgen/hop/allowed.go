package hop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Principal is on whose behalf a call runs. It is comparable.
type Principal struct {
	ID   string
	Name string // for people
	Kind string // "token", "oauth", … as the parent's auth package says
}

// Allowed says which names a principal may see and use. A nil *Allowed allows everything. It is immutable and may be
// shared: make it once per principal, not per call.
type Allowed struct {
	tools, resources, prompts names
	encoded                   string
}

// names is a set of names; nil allows every name.
type names map[string]struct{}

// list is the set's text in a frame: absent for everything, sorted.
type list struct {
	Tools     []string `json:"tools,omitzero"`
	Resources []string `json:"resources,omitzero"`
	Prompts   []string `json:"prompts,omitzero"`
}

// NewAllowed restricts a principal to the given names of each kind. A nil slice allows every name of its kind, an empty
// one none. If nothing is restricted the result is nil.
func NewAllowed(tools, resources, prompts []string) *Allowed {
	if tools == nil && resources == nil && prompts == nil {
		return nil
	}
	l := list{Tools: sorted(tools), Resources: sorted(resources), Prompts: sorted(prompts)}
	text, err := json.Marshal(l)
	if err != nil { // strings always marshal
		panic(fmt.Sprintf("hop: encode allowed names: %v", err))
	}
	return l.allowed(string(text))
}

// decodeAllowed reads what NewAllowed has written.
func decodeAllowed(text []byte) (*Allowed, error) {
	var l list
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return nil, err
	}
	if d.More() || l.Tools == nil && l.Resources == nil && l.Prompts == nil {
		return nil, fmt.Errorf("names nothing")
	}
	return l.allowed(string(text)), nil
}

func (l list) allowed(text string) *Allowed {
	return &Allowed{tools: set(l.Tools), resources: set(l.Resources), prompts: set(l.Prompts), encoded: text}
}

// Tool reports whether the tool of this name may be seen and called.
func (a *Allowed) Tool(name []byte) bool { return a == nil || a.tools.has(name) }

// Resource reports whether the resource or template of this name may be seen and read.
func (a *Allowed) Resource(name []byte) bool { return a == nil || a.resources.has(name) }

// Prompt reports whether the prompt of this name may be seen and used.
func (a *Allowed) Prompt(name []byte) bool { return a == nil || a.prompts.has(name) }

// Key is equal for equal sets and empty for a nil *Allowed: what was computed for one may be used for the other.
func (a *Allowed) Key() string {
	if a == nil {
		return ""
	}
	return a.encoded
}

func (n names) has(name []byte) bool {
	if n == nil {
		return true
	}
	_, ok := n[string(name)]
	return ok
}

func sorted(v []string) []string {
	if v == nil {
		return nil
	}
	v = append(make([]string, 0, len(v)), v...)
	slices.Sort(v)
	return slices.Compact(v)
}

func set(v []string) names {
	if v == nil {
		return nil
	}
	n := make(names, len(v))
	for _, s := range v {
		n[s] = struct{}{}
	}
	return n
}
