// Package keyring is encryption at rest: it seals secrets before they reach the
// metadata store and opens them again.
//
// A sealed value reads v1:<key id>:<base64 of nonce and ciphertext>. The cipher
// is AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D). Its additional
// data is the place of the value (table, column, row), so a sealed value that is
// moved to another row does not open. The key id, the first 8 hexadecimal digits
// of the key's SHA-256, says which key a value needs without telling anything
// useful about the key.
//
// The first key seals; every key opens. With random nonces one key is good for
// 2^32 seals (SP 800-38D section 8.3), far beyond what an admin types.
//
// Its hole: the keys live in this process's memory for as long as it runs, and
// whoever can read the key file and the store can read the secrets.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"mcpstudio/store"
)

// version is the format of a sealed value.
const version = "v1"

// Where the keys come from, as Source reports it.
const (
	SourceFile        = "file"
	SourceEnvironment = "environment"
)

// Keyring holds the keys, the one that seals first. It is safe for concurrent use: it never changes after Open.
type Keyring struct {
	keys   []key
	source string
	path   string
}

type key struct {
	id   string
	aead cipher.AEAD
}

// WrongKeyError says that a value was sealed with a key that is not on the ring.
type WrongKeyError struct {
	Want string   // id of the key the value needs
	Have []string // ids on the ring
}

// Error implements error in a sentence an operator can act on.
func (e *WrongKeyError) Error() string {
	return fmt.Sprintf("the value is sealed with the encryption key %s, which is not among the keys given (%s); add that key to STUDIO_ENCRYPTION_KEY or bring its key file back",
		e.Want, strings.Join(e.Have, ", "))
}

// DamagedError says that a sealed value does not open although its key is here: it was altered, cut, or belongs to another row.
type DamagedError struct{ Place store.Place }

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the sealed value of %s.%s in row %s was altered or belongs to another row", e.Place.Table, e.Place.Column, e.Place.Row)
}

func newKey(raw []byte) (key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, fmt.Errorf("make cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return key{}, fmt.Errorf("make cipher mode: %w", err)
	}
	sum := sha256.Sum256(raw)
	return key{id: hex.EncodeToString(sum[:4]), aead: aead}, nil
}

// Seal encrypts plain for place with the first key.
func (k *Keyring) Seal(plain string, place store.Place) (string, error) {
	ad, err := additionalData(place)
	if err != nil {
		return "", err
	}
	first := k.keys[0]
	nonce := make([]byte, first.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("draw a nonce: %w", err)
	}
	ct := first.aead.Seal(nonce, nonce, []byte(plain), ad)
	return version + ":" + first.id + ":" + base64.StdEncoding.EncodeToString(ct), nil
}

// Open decrypts a sealed value at its place. The error is a *WrongKeyError when the key is not on the ring and a
// *DamagedError when the value is not what was sealed for this place.
func (k *Keyring) Open(sealed string, place store.Place) (store.Secret, error) {
	ad, err := additionalData(place)
	if err != nil {
		return store.Secret{}, err
	}
	id, err := KeyID(sealed)
	if err != nil {
		return store.Secret{}, &DamagedError{Place: place}
	}
	i := slices.IndexFunc(k.keys, func(k key) bool { return k.id == id })
	if i < 0 {
		return store.Secret{}, &WrongKeyError{Want: id, Have: k.IDs()}
	}
	// One value has one spelling: the decoder would skip line breaks, and without Strict the last character has unused bits.
	text := sealed[len(version)+len(id)+2:]
	ct, err := base64.StdEncoding.Strict().DecodeString(text)
	aead := k.keys[i].aead
	if err != nil || strings.ContainsAny(text, "\r\n") || len(ct) < aead.NonceSize() {
		return store.Secret{}, &DamagedError{Place: place}
	}
	plain, err := aead.Open(nil, ct[:aead.NonceSize()], ct[aead.NonceSize():], ad)
	if err != nil {
		return store.Secret{}, &DamagedError{Place: place}
	}
	return store.GivenSecret(string(plain)), nil
}

// KeyID returns the id of the key a sealed value needs.
func KeyID(sealed string) (string, error) {
	rest, ok := strings.CutPrefix(sealed, version+":")
	id, _, found := strings.Cut(rest, ":")
	if !ok || !found || len(id) != 8 {
		return "", fmt.Errorf("not a sealed value of format %s", version)
	}
	return id, nil
}

// IDs lists the ids of the keys, the one that seals first.
func (k *Keyring) IDs() []string {
	ids := make([]string, len(k.keys))
	for i, key := range k.keys {
		ids[i] = key.id
	}
	return ids
}

// Primary is the id of the key that seals.
func (k *Keyring) Primary() string { return k.keys[0].id }

// Source reports where the keys come from: SourceFile or SourceEnvironment.
func (k *Keyring) Source() string { return k.source }

// Path is the key file; empty when the keys come from the environment.
func (k *Keyring) Path() string { return k.path }

// additionalData binds a value to its place. A NUL inside a part would let two places look alike.
func additionalData(p store.Place) ([]byte, error) {
	s := p.Table + p.Column + p.Row
	if p.Table == "" || p.Column == "" || p.Row == "" || strings.ContainsRune(s, 0) {
		return nil, fmt.Errorf("a sealed value needs a table, a column and a row without NUL, got %q %q %q", p.Table, p.Column, p.Row)
	}
	return []byte(p.Table + "\x00" + p.Column + "\x00" + p.Row), nil
}
