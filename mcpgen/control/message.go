package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Type says what a message is.
type Type string

// The messages, in the order in which a child's life has them.
const (
	TypePolicy  Type = "policy"  // parent → child: what to confine itself to
	TypeReport  Type = "report"  // child → parent: which layers hold
	TypeStart   Type = "start"   // parent → child, only after the confinement was verified: what to run
	TypeReady   Type = "ready"   // child → parent: it serves
	TypeFailed  Type = "failed"  // child → parent: it cannot, and ends
	TypeLog     Type = "log"     // child → parent, any time: a line for the log
	TypeDrain   Type = "drain"   // parent → child: finish what runs, then end
	TypeDrained Type = "drained" // child → parent: finished
)

// Message is one line of the protocol. Exactly the payload that Type names is set; ready and drained have none.
type Message struct {
	Type   Type            `json:"type"`
	Policy json.RawMessage `json:"policy,omitempty"` // the sandbox's, an object
	Report json.RawMessage `json:"report,omitempty"` // the sandbox's, an object
	Start  *Start          `json:"start,omitempty"`
	Failed *Failed         `json:"failed,omitempty"`
	Log    *Log            `json:"log,omitempty"`
	Drain  *Drain          `json:"drain,omitempty"`
}

// Role is what a child is for.
type Role string

// The roles.
const (
	RoleServer Role = "server" // serves the generated MCP server
	RoleBench  Role = "bench"  // workbench: tests, schema browsing and previews for one connection
)

// Start gives a verified child what it runs.
type Start struct {
	Role     Role            `json:"role"`
	Manifest json.RawMessage `json:"manifest"` // an object; compact JSON arrives byte for byte
	Secrets  Secrets         `json:"secrets,omitzero"`
}

// Failed says why a child cannot do what it was started for.
type Failed struct {
	Reason string `json:"reason"` // one sentence for the admin; at most 8 KiB, longer ones are cut by Send
}

// Log is one line of the child for the parent's log.
type Log struct {
	Level   Level             `json:"level"`
	Message string            `json:"message"`         // at most 8 KiB, longer ones are cut by Send
	Attrs   map[string]string `json:"attrs,omitempty"` // at most 32; keys of at most 64 bytes, values like Message
}

// Level is the level of a log line, by the names of log/slog in lower case.
type Level string

// The levels.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// Drain asks a child to finish.
type Drain struct {
	DeadlineMS int64 `json:"deadline_ms"` // milliseconds from now after which the parent ends it; more than 0
}

// Limits on what a child may say.
const (
	maxText     = 8 << 10 // bytes of a reason, a log message or the value of an attribute
	maxAttrs    = 32
	maxAttrName = 64 // bytes
)

// side is one end of the pipe.
type side int

const (
	parent side = iota
	child
)

// sender returns which side sends messages of a type.
func sender(t Type) (side, bool) {
	switch t {
	case TypePolicy, TypeStart, TypeDrain:
		return parent, true
	case TypeReport, TypeReady, TypeFailed, TypeLog, TypeDrained:
		return child, true
	}
	return 0, false
}

// check says what is wrong with a message that from sends.
func (m *Message) check(from side) error {
	switch s, ok := sender(m.Type); {
	case !ok:
		return errors.New("unknown type")
	case s != from:
		return fmt.Errorf("%s goes the other way", m.Type)
	}
	payloads := [...]struct {
		t   Type
		set bool
	}{
		{TypePolicy, m.Policy != nil}, {TypeReport, m.Report != nil}, {TypeStart, m.Start != nil},
		{TypeFailed, m.Failed != nil}, {TypeLog, m.Log != nil}, {TypeDrain, m.Drain != nil},
	}
	for _, p := range payloads {
		switch {
		case p.set && p.t != m.Type:
			return fmt.Errorf("%s with the payload of %s", m.Type, p.t)
		case !p.set && p.t == m.Type:
			return fmt.Errorf("%s without its payload", m.Type)
		}
	}
	return m.checkPayload()
}

func (m *Message) checkPayload() error {
	switch m.Type {
	case TypePolicy:
		return checkObject("policy", m.Policy)
	case TypeReport:
		return checkObject("report", m.Report)
	case TypeStart:
		if m.Start.Role != RoleServer && m.Start.Role != RoleBench {
			return errors.New("start with an unknown role")
		}
		if !m.Start.Secrets.valid() {
			return errors.New("start with a secret that is not UTF-8")
		}
		return checkObject("manifest", m.Start.Manifest)
	case TypeFailed:
		return checkText("reason", m.Failed.Reason)
	case TypeLog:
		return m.Log.check()
	case TypeDrain:
		if m.Drain.DeadlineMS <= 0 {
			return errors.New("drain without a deadline")
		}
	}
	return nil
}

func (l *Log) check() error {
	switch l.Level {
	case LevelDebug, LevelInfo, LevelWarn, LevelError:
	default:
		return errors.New("log with an unknown level")
	}
	if len(l.Attrs) > maxAttrs {
		return errors.New("log with too many attributes")
	}
	for k, v := range l.Attrs {
		if !validName(k) {
			return errors.New("log with a malformed attribute name")
		}
		if err := checkText("attribute", v); err != nil {
			return err
		}
	}
	return checkText("log message", l.Message)
}

// validName holds attribute names to the snake_case of the parent's log.
func validName(k string) bool {
	for i := range len(k) {
		if c := k[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return k != "" && len(k) <= maxAttrName
}

func checkText(what, v string) error {
	if len(v) > maxText {
		return fmt.Errorf("%s of %d bytes", what, len(v))
	}
	return nil
}

func checkObject(what string, v json.RawMessage) error {
	if b := bytes.TrimLeft(v, " \t\r\n"); len(b) == 0 || b[0] != '{' {
		return fmt.Errorf("%s is not an object", what)
	}
	return nil
}

// cut returns a copy of m whose texts keep the limits: a long reason must not cost the message.
func (m Message) cut() Message {
	if m.Failed != nil {
		m.Failed = &Failed{Reason: cutText(m.Failed.Reason)}
	}
	if m.Log != nil {
		l := Log{Level: m.Log.Level, Message: cutText(m.Log.Message)}
		for k, v := range m.Log.Attrs {
			if l.Attrs == nil {
				l.Attrs = make(map[string]string, len(m.Log.Attrs))
			}
			l.Attrs[k] = cutText(v)
		}
		m.Log = &l
	}
	return m
}

// cutText keeps at most maxText bytes and no half a character.
func cutText(v string) string {
	if len(v) <= maxText {
		return v
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(v[n]) {
		n--
	}
	return v[:n]
}

// onWire is a message as the pipe has it: with the secrets in the clear, which no other encoding of a message shows.
type onWire struct {
	Message
	Start *startOnWire `json:"start,omitempty"`
}

type startOnWire struct {
	Role     Role                         `json:"role"`
	Manifest json.RawMessage              `json:"manifest"`
	Secrets  map[string]map[string]string `json:"secrets,omitempty"`
}

// encode returns the line of m with its newline.
func (m *Message) encode() ([]byte, error) {
	w := onWire{Message: *m}
	if s := m.Start; s != nil {
		w.Start = &startOnWire{Role: s.Role, Manifest: s.Manifest, Secrets: s.Secrets.all()}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // would change the bytes of the manifest
	if err := e.Encode(w); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decode reads a line. What it does not know is refused: both ends are of one build.
func decode(line []byte) (Message, error) {
	var w onWire
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return Message{}, errors.New("malformed JSON") // the detail would quote the line
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Message{}, errors.New("something after the message")
	}
	m := w.Message
	if s := w.Start; s != nil {
		m.Start = &Start{Role: s.Role, Manifest: s.Manifest, Secrets: NewSecrets(s.Secrets)}
	}
	return m, nil
}
