package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// RecoveryCodes is how many recovery codes a set has.
const RecoveryCodes = 10

const (
	recoveryBytes = 10 // 80 bits: beyond guessing also without a limit
	recoveryKey   = 32
)

// ErrRecoveryForm says that a text cannot be a recovery code.
var ErrRecoveryForm = errors.New("a recovery code is sixteen letters and digits, as in abcd-efgh-2345-6789")

// Set is a set of recovery codes: what people get, and what is kept.
type Set struct {
	Codes  []string // to be shown once
	Key    []byte   // keys the hashes; to be sealed
	Hashes [][]byte
}

// NewSet draws a set. The error is of the random source.
func NewSet() (Set, error) {
	raw := make([]byte, recoveryKey+RecoveryCodes*recoveryBytes)
	if _, err := rand.Read(raw); err != nil {
		return Set{}, fmt.Errorf("draw recovery codes: %w", err)
	}
	s := Set{Key: raw[:recoveryKey]}
	for i := range RecoveryCodes {
		at := recoveryKey + i*recoveryBytes
		code := strings.ToLower(base32.StdEncoding.EncodeToString(raw[at : at+recoveryBytes]))
		s.Codes = append(s.Codes, strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-"))
		s.Hashes = append(s.Hashes, hash(s.Key, code))
	}
	return s, nil
}

// FindRecovery returns the place of a code among the hashes that are left. Case, dashes and spaces do not count. It takes the same
// time wherever the code is, and whether it is. The error is ErrRecoveryForm or ErrWrong, which a used code gets too.
func FindRecovery(key []byte, hashes [][]byte, code string) (int, error) {
	code, err := recovery(code)
	if err != nil {
		return 0, err
	}
	found, sum := -1, hash(key, code)
	for i, h := range hashes {
		if hmac.Equal(h, sum) {
			found = i
		}
	}
	if found < 0 {
		return 0, ErrWrong
	}
	return found, nil
}

// CheckRecovery returns nil when a text may be a recovery code, and ErrRecoveryForm otherwise.
func CheckRecovery(code string) error {
	_, err := recovery(code)
	return err
}

// recovery is the code in the one form that is hashed.
func recovery(code string) (string, error) {
	if len(code) > 64 || strings.ContainsAny(code, "\r\n") {
		return "", ErrRecoveryForm
	}
	code = strings.NewReplacer("-", "", " ", "").Replace(code)
	if raw, err := base32.StdEncoding.DecodeString(strings.ToUpper(code)); err != nil || len(raw) != recoveryBytes {
		return "", ErrRecoveryForm
	}
	return strings.ToLower(code), nil
}

func hash(key []byte, code string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(code))
	return m.Sum(nil)
}
