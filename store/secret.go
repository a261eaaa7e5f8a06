package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// Mask stands for a secret in every response, log line and history entry.
const Mask = "••••••"

const maskLike = "•••"

type secretState uint8

const (
	secretAbsent  secretState = iota // not given: leave what is stored
	secretStored                     // there is one in the store; its value is not here
	secretCleared                    // null was given: remove it
	secretGiven                      // a new value
)

// Secret is a value that no printer, logger or encoder shows. An entity read
// from the store only says whether a secret is there; a value is present only
// in an input that brought one, or after the keyring opened it.
//
// As JSON input: absent or the mask leaves the stored secret as it is, null
// clears it, an empty string is an error. So is any text with three mask dots in a row: it is an edited
// mask, not a secret (docs/attacks.md, case 82).
type Secret struct {
	state secretState
	// value is a pointer because fmt cannot call the methods of a secret in an unexported field: there it prints an address, not the text.
	value *string
}

// GivenSecret holds a value, as an input or as the keyring opened it.
func GivenSecret(v string) Secret { return Secret{secretGiven, &v} }

// StoredSecret says that the store holds a secret.
func StoredSecret() Secret { return Secret{state: secretStored} }

// ClearedSecret asks for the stored secret to be removed.
func ClearedSecret() Secret { return Secret{state: secretCleared} }

// IsSet reports whether there is a secret, stored or given.
func (s Secret) IsSet() bool { return s.state == secretStored || s.state == secretGiven }

// IsCleared reports whether the input asked for removal.
func (s Secret) IsCleared() bool { return s.state == secretCleared }

// IsGiven reports whether a new value is here.
func (s Secret) IsGiven() bool { return s.state == secretGiven }

// Reveal returns the value; ok is false when there is none here. Every use is meant to be found by its name.
func (s Secret) Reveal() (value string, ok bool) {
	if s.state != secretGiven {
		return "", false
	}
	return *s.value, true
}

// String implements fmt.Stringer with the mask.
func (s Secret) String() string {
	if s.IsSet() {
		return Mask
	}
	return ""
}

// GoString keeps %#v from showing the value.
func (s Secret) GoString() string { return "store.Secret(" + s.String() + ")" }

// Format keeps every other verb from showing it.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		fmt.Fprint(f, s.GoString())
		return
	}
	fmt.Fprint(f, s.String())
}

// LogValue implements slog.LogValuer with the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes the mask, or null when there is no secret.
func (s Secret) MarshalJSON() ([]byte, error) {
	if s.IsSet() {
		return json.Marshal(Mask)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads an input; an empty string is refused.
func (s *Secret) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*s = ClearedSecret()
		return nil
	}
	var v string
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("a secret is a string or null: %w", err)
	}
	switch v {
	case "":
		return &Error{Code: Invalid, Message: "an empty secret is not accepted; send null to remove it, or leave the field out to keep it"}
	case Mask:
		*s = Secret{}
		return nil
	}
	if strings.Contains(v, maskLike) {
		return &Error{Code: Invalid, Message: "this is the mask with a change in it, not a secret; enter the whole secret, or leave the field out to keep it"}
	}
	*s = GivenSecret(v)
	return nil
}

// Place says where a sealed value belongs. It is the additional data of the
// seal, so a value moved to another row does not open.
type Place struct {
	Table, Column, Row string
}
