package hop

import (
	"bytes"
	"fmt"
	"strconv"

	"mcpstudio/mcpgen/jsonscan"
)

// Limits of one JSON-RPC message, beside those of package jsonscan. The size of the body is limited by whoever reads it.
const (
	maxID     = 256 // bytes of an id or a progress token, as it stands in the body
	maxMethod = 256 // bytes
)

// Names of the _meta members that the parent reads (MCP 2026-07-28, basic protocol, "_meta").
const (
	metaVersion       = "io.modelcontextprotocol/protocolVersion"
	metaCapabilities  = "io.modelcontextprotocol/clientCapabilities"
	metaClient        = "io.modelcontextprotocol/clientInfo"
	metaProgressToken = "progressToken"
)

// Message says where the parts of one JSON-RPC message lie in its body. The fields are slices of the body, valid as long
// as it is; only a string with escapes is decoded into memory of its own. A member that is absent, or null where
// MCP lets it be absent, is nil.
type Message struct {
	ID            []byte // as it stands in the body: a string with its quotes or an integer; nil for a notification
	Method        []byte // decoded; nil for a response
	Name          []byte // params.name or params.uri, decoded
	Args          []byte // params.arguments, the raw object
	Params        []byte // params, the raw object
	Version       []byte // params._meta["io.modelcontextprotocol/protocolVersion"], decoded
	Proposed      []byte // params.protocolVersion, decoded: what an initialize proposes
	ProgressToken []byte // params._meta.progressToken as it stands in the body: a string with its quotes or an integer
	Client        []byte // params._meta["io.modelcontextprotocol/clientInfo"], the raw value
	Capabilities  bool   // params._meta carries the client's capabilities
	IsResponse    bool   // a result or an error: the client answers, it does not ask

	keys [][]byte // the scanner's memory, empty and kept for the next Scan into this message
}

// ScanError says why a body was refused. Code is what the answer carries: [CodeParseError], [CodeInvalidRequest] or
// [CodeInvalidParams].
type ScanError struct {
	Code   int
	Reason string // a clause without capital and period, safe to show: it quotes nothing of the body
	Offset int    // byte of the body where it showed
}

func (e *ScanError) Error() string {
	return e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// ErrBatch is the refusal of a JSON-RPC batch, compared with errors.Is. MCP had batches in revision 2025-03-26 only.
var ErrBatch error = &ScanError{Code: CodeInvalidRequest, Reason: "a batch of messages is not accepted, send them one by one"}

// Scan reads one JSON-RPC message in one strict pass and without decoding it.
//
// Refused are: what is not UTF-8 or not JSON, escapes of unpaired surrogates, bytes after the message, more than 64
// levels, more than 4,096 members in one object, an object with the same key twice (after decoding, at every level),
// a key that differs from one MCP defines only by the case of its letters (at the top, in params and in _meta: readers
// that ignore case would see another message), an id that is neither a string of at most 256 bytes nor an integer of
// 64 bits, and known members of another type than MCP gives them.
//
// The error is always a *[ScanError]. After [CodeParseError] and after [ErrBatch] *m is zero. Otherwise the body was read
// to its end and m.ID, alone, is set if the message has a valid one, so that the answer can carry it.
func Scan(body []byte, m *Message) error {
	s := scanner{Scanner: jsonscan.New(body, m.keys), m: m}
	m.Reset()
	if s.message() {
		m.keys = s.Memory()
		if s.complaint == nil {
			return nil
		}
		*m = Message{ID: m.ID}
		return s.complaint
	}
	*m = Message{}
	if s.batch {
		return ErrBatch
	}
	return &ScanError{Code: CodeParseError, Reason: s.Reason(), Offset: s.Offset()}
}

// Reset empties the message and keeps its memory for the next Scan.
func (m *Message) Reset() { *m = Message{keys: m.keys} }

// Modern reports whether the message says, in its _meta, that it follows the stateless revision.
func (m *Message) Modern() bool { return string(m.Version) == Version20260728 }

// place is where an object stands in a message.
type place int

const (
	atTop place = iota
	atParams
	atMeta
	elsewhere
)

// scanner walks over a body. Its methods return false after a failure, which Reason (or batch) then explains; a
// complaint is a flaw that does not stop the walk, because the answer to it should carry the message's id.
type scanner struct {
	jsonscan.Scanner
	m *Message

	complaint *ScanError // the first one
	batch     bool
	version   bool // "jsonrpc": "2.0" was there
	result    bool // so was "result"
	fault     bool // so was "error"
	uri       bool // Name is params.uri
}

func (s *scanner) complain(code int, reason string) { s.complaintAt(s.Offset(), code, reason) }

func (s *scanner) complaintAt(offset, code int, reason string) {
	if s.complaint == nil {
		s.complaint = &ScanError{Code: code, Reason: reason, Offset: offset}
	}
}

// message reads the whole body.
func (s *scanner) message() bool {
	if !s.UTF8() {
		return false
	}
	s.Skip()
	switch s.Peek() {
	case '{':
	case '[':
		s.batch = true
		return false
	case 0:
		return s.Fail("the body holds no message")
	default:
		if s.Value() && s.End() {
			s.complain(CodeInvalidRequest, "the message is not a JSON object")
			return true
		}
		return s.Fail("the body is not a JSON object")
	}
	if !s.object(atTop) {
		return false
	}
	if !s.End() {
		return s.Fail("there is something after the message")
	}
	s.judge()
	return true
}

// judge checks what only the complete message shows (JSON-RPC 2.0, sections 4 and 5).
func (s *scanner) judge() {
	switch m := s.m; {
	case !s.version:
		s.complain(CodeInvalidRequest, `the message lacks "jsonrpc": "2.0"`)
	case s.result && s.fault:
		s.complain(CodeInvalidRequest, "the message is a result and an error at once")
	case m.Method != nil && (s.result || s.fault):
		s.complain(CodeInvalidRequest, "the message is a request and a response at once")
	case m.Method == nil && !s.result && !s.fault:
		s.complain(CodeInvalidRequest, "the message has no method")
	case len(m.Method) > maxMethod:
		s.complain(CodeInvalidRequest, "the method is too long")
	case m.Name != nil && s.other(m.Method):
		s.complain(CodeInvalidParams, "params has a uri where the method takes a name, or a name where it takes a uri")
	default:
		m.IsResponse = m.Method == nil
	}
}

// other reports whether params has a uri where the method takes a name, or the other way round: readers that ask for the right
// one would see a message without any.
func (s *scanner) other(method []byte) bool {
	switch string(method) {
	case "tools/call", "prompts/get":
		return s.uri
	case "resources/read":
		return !s.uri
	}
	return false
}

// object reads an object; the scanner stands at its brace.
func (s *scanner) object(at place) bool {
	o := s.Object()
	for {
		key, ok := s.Member(&o)
		if !ok {
			return s.Reason() == ""
		}
		if !s.member(at, key) {
			return false
		}
	}
}

// member reads the value of one member; the scanner stands at its first byte.
func (s *scanner) member(at place, key []byte) bool {
	switch at {
	case atTop:
		return s.topMember(key)
	case atParams:
		return s.paramsMember(key)
	case atMeta:
		return s.metaMember(key)
	}
	return s.Value()
}

func (s *scanner) topMember(key []byte) bool {
	switch string(key) {
	case "jsonrpc":
		var v []byte
		ok := s.text(&v, CodeInvalidRequest, "jsonrpc must be a string")
		s.version = ok && string(v) == "2.0"
		return ok
	case "id":
		return s.token(&s.m.ID, CodeInvalidRequest, "the id must be a string of at most 256 bytes or an integer of 64 bits")
	case "method":
		return s.text(&s.m.Method, CodeInvalidRequest, "the method must be a string")
	case "params":
		return s.members(atParams, &s.m.Params, "params must be an object")
	case "result":
		s.result = true
		return s.Value()
	case "error":
		s.fault = true
		return s.Value()
	}
	return s.unlike(key, "jsonrpc", "id", "method", "params", "result", "error") && s.Value()
}

func (s *scanner) paramsMember(key []byte) bool {
	switch string(key) {
	case "name", "uri":
		if s.m.Name != nil {
			s.complain(CodeInvalidParams, "params has a name and a uri")
		}
		s.uri = key[0] == 'u'
		return s.text(&s.m.Name, CodeInvalidParams, "the name or uri must be a string")
	case "arguments":
		return s.members(elsewhere, &s.m.Args, "arguments must be an object")
	case "_meta":
		var meta []byte
		return s.members(atMeta, &meta, "_meta must be an object")
	case "protocolVersion":
		return s.text(&s.m.Proposed, CodeInvalidParams, "the protocol version must be a string")
	}
	return s.unlike(key, "name", "uri", "arguments", "_meta", "protocolVersion", "argument", "capabilities", "clientInfo",
		"context", "cursor", "inputResponses", "level", "notifications", "progressToken", "ref", "requestId", "requestState") && s.Value()
}

func (s *scanner) metaMember(key []byte) bool {
	switch string(key) {
	case metaVersion:
		return s.text(&s.m.Version, CodeInvalidParams, "the protocol version in _meta must be a string")
	case metaCapabilities:
		var raw []byte
		ok := s.members(elsewhere, &raw, "the client capabilities in _meta must be an object")
		s.m.Capabilities = raw != nil
		return ok
	case metaClient:
		from := s.Offset()
		ok := s.Value()
		s.m.Client = s.From(from)
		return ok
	case metaProgressToken:
		return s.token(&s.m.ProgressToken, CodeInvalidParams, "the progress token must be a string of at most 256 bytes or an integer of 64 bits")
	}
	return s.unlike(key, metaVersion, metaCapabilities, metaProgressToken, metaClient,
		"io.modelcontextprotocol/logLevel", "io.modelcontextprotocol/subscriptionId") && s.Value()
}

// unlike refuses a key that encoding/json would take for one of known although it is not.
func (s *scanner) unlike(key []byte, known ...string) bool {
	for _, k := range known {
		if len(key) <= 3*len(k) && bytes.EqualFold(key, []byte(k)) && string(key) != k {
			return s.Fail(fmt.Sprintf("a key differs from %q only by the case of its letters", k))
		}
	}
	return true
}

// members reads an object into dst; null counts as absent, anything else is a complaint.
func (s *scanner) members(at place, dst *[]byte, complaint string) bool {
	from := s.Offset()
	switch s.Peek() {
	case '{':
		if !s.object(at) {
			return false
		}
		*dst = s.From(from)
		return true
	case 'n':
	default:
		s.complain(CodeInvalidParams, complaint)
	}
	return s.Value()
}

// text reads a string into dst, decoded; anything else is a complaint.
func (s *scanner) text(dst *[]byte, code int, complaint string) bool {
	if s.Peek() != '"' {
		s.complain(code, complaint)
		return s.Value()
	}
	v, ok := s.Text()
	if ok {
		*dst = v
	}
	return ok
}

// token reads a string or an integer into dst as it stands; anything else is a complaint.
func (s *scanner) token(dst *[]byte, code int, complaint string) bool {
	from := s.Offset()
	if !s.Value() {
		return false
	}
	v := s.From(from)
	if len(v) <= maxID && (v[0] == '"' || isInteger(v)) {
		*dst = v
		return true
	}
	s.complaintAt(from, code, complaint)
	return true
}

// isInteger reports whether a JSON number is an integer of 64 bits, written without fraction and exponent.
func isInteger(v []byte) bool {
	_, err := strconv.ParseInt(string(v), 10, 64)
	return err == nil
}
