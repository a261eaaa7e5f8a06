package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a message in bytes. A host name has at most 253 characters (RFC 1035 section 2.3.4).
const (
	maxMessage = 1024
	maxHost    = 255
	maxConn    = 64
	maxReason  = 400
)

// request is what the child sends.
type request struct {
	ID   uint32 `json:"id"`
	Conn string `json:"conn"`
	Host string `json:"host"`
	Port int    `json:"port"`
}

// reply is what the parent answers: an address with a descriptor, or a stage with an error.
type reply struct {
	ID    uint32 `json:"id"`
	Addr  string `json:"addr,omitempty"`
	Stage Stage  `json:"stage,omitempty"`
	Error string `json:"error,omitempty"`
}

// parseRequest reads a datagram. An error means that no honest child sent it.
func parseRequest(b []byte) (request, error) {
	var r request
	if len(b) > maxMessage {
		return r, errors.New("longer than 1,024 bytes")
	}
	if !utf8.Valid(b) {
		return r, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return request{}, errors.New("not a request")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return request{}, errors.New("more than one value")
	}
	switch {
	case r.Conn == "" || len(r.Conn) > maxConn:
		return request{}, errors.New("connection id out of bounds")
	case r.Host == "" || len(r.Host) > maxHost:
		return request{}, errors.New("host out of bounds")
	// Nor marks that turn the direction of writing: what is refused is shown to the admin.
	case strings.ContainsFunc(r.Host+r.Conn, func(c rune) bool { return c == ' ' || c == utf8.RuneError || !unicode.IsPrint(c) }):
		return request{}, errors.New("control character or space in a name")
	case r.Port < 1 || r.Port > 65535:
		return request{}, errors.New("port out of bounds")
	}
	return r, nil
}

// encodeReply makes a datagram that fits.
func encodeReply(r reply) []byte {
	if len(r.Error) > maxReason {
		r.Error = strings.ToValidUTF8(r.Error[:maxReason], "") + "…"
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic("broker: numbers and strings always encode: " + err.Error())
	}
	return b
}
