package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"unicode/utf8"
)

// mask is what secrets print as.
const mask = "[secrets]"

// Secrets are the opened credentials of a manifest's connections. They print, log and marshal as a mask; only the pipe of
// this package carries them in the clear, and only [Secrets.Open] gives them out. The zero value holds none.
type Secrets struct {
	// A pointer, because fmt prints what lies in a value it has complained about (%!s(…)) without asking its methods,
	// but does not follow a pointer there.
	values *map[string]map[string]string
}

// NewSecrets holds values by connection id and field. The caller does not change them afterwards.
func NewSecrets(values map[string]map[string]string) Secrets {
	if len(values) == 0 {
		return Secrets{}
	}
	return Secrets{values: &values}
}

// Open returns the credentials of one connection by field; nil if it has none. The caller does not change them.
func (s Secrets) Open(connection string) map[string]string { return s.all()[connection] }

func (s Secrets) all() map[string]map[string]string {
	if s.values == nil {
		return nil
	}
	return *s.values
}

// valid reports whether JSON can carry the values unchanged.
func (s Secrets) valid() bool {
	for id, fields := range s.all() {
		if !utf8.ValidString(id) {
			return false
		}
		for name, v := range fields {
			if !utf8.ValidString(name) || !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
}

// Format keeps every verb of fmt from showing the values.
func (s Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, mask) }

// String returns the mask.
func (s Secrets) String() string { return mask }

// GoString returns the mask.
func (s Secrets) GoString() string { return mask }

// LogValue returns the mask.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalJSON returns the mask.
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(mask) }

// MarshalText returns the mask.
func (s Secrets) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalJSON refuses: a mask is no secret, and the pipe reads them in its own way.
func (s *Secrets) UnmarshalJSON([]byte) error {
	return errors.New("secrets are read from the control pipe only")
}
