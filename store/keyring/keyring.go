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
// A rotation goes through Generate (the new key in front of the old one, in the
// key file first), sealing everything anew, and Retire (the old key out of the
// file). At every moment between, what is on the disk opens with what is in the
// key file.
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
	"io/fs"
	"slices"
	"strings"
	"sync"

	"mcpstudio/store"
)

// version is the format of a sealed value.
const version = "v1"

// Where the keys come from, as Source reports it.
const (
	SourceFile        = "file"
	SourceEnvironment = "environment"
)

// Keyring holds the keys, the one that seals first. It is safe for concurrent use; only Generate and Retire change it.
type Keyring struct {
	source     string
	path       string
	derivation derivation // how passphrases become keys

	mu    sync.Mutex // guards the rest
	given []given
	keys  []key // made of given at the first use, because a passphrase takes a moment; nil before
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

// MissingError says that there is a store and not its key file.
type MissingError struct{ Path string }

// Error implements error.
func (e *MissingError) Error() string {
	return fmt.Sprintf("the key file %s is missing, but the store beside it has sealed secrets: bring the file back, or set STUDIO_ENCRYPTION_KEY", e.Path)
}

// ExposedError says that others than its owner have rights on the key file.
type ExposedError struct {
	Path string
	Mode fs.FileMode // permission bits
}

// Error implements error.
func (e *ExposedError) Error() string {
	return fmt.Sprintf("the key file %s can be read by others (mode %04o); make it yours alone: chmod 600 %s", e.Path, e.Mode, e.Path)
}

// DamagedError says that a sealed value does not open although its key is here: it was altered, cut, or belongs to another row.
type DamagedError struct{ Place store.Place }

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the sealed value of %s.%s in row %s was altered or belongs to another row", e.Place.Table, e.Place.Column, e.Place.Row)
}

// newKey makes a key of its bytes. Neither step can fail: AES takes 32 bytes, and GCM its 16-byte blocks.
func newKey(raw [keySize]byte) key {
	block, err := aes.NewCipher(raw[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(raw[:])
	return key{id: hex.EncodeToString(sum[:4]), aead: aead}
}

// Seal encrypts plain for place with the first key.
func (k *Keyring) Seal(plain string, place store.Place) (string, error) {
	ad, err := additionalData(place)
	if err != nil {
		return "", err
	}
	first := k.ring()[0]
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
	ring := k.ring()
	i := slices.IndexFunc(ring, func(k key) bool { return k.id == id })
	if i < 0 {
		return store.Secret{}, &WrongKeyError{Want: id, Have: idsOf(ring)}
	}
	// One value has one spelling: the decoder would skip line breaks, and without Strict the last character has unused bits.
	text := sealed[len(version)+len(id)+2:]
	ct, err := base64.StdEncoding.Strict().DecodeString(text)
	aead := ring[i].aead
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
func (k *Keyring) IDs() []string { return idsOf(k.ring()) }

func idsOf(ring []key) []string {
	ids := make([]string, len(ring))
	for i, key := range ring {
		ids[i] = key.id
	}
	return ids
}

// Primary is the id of the key that seals.
func (k *Keyring) Primary() string { return k.ring()[0].id }

// ring returns the keys. The slice is never changed, only replaced.
func (k *Keyring) ring() []key {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		for _, g := range k.given {
			k.keys = append(k.keys, g.key(k.derivation))
		}
	}
	return k.keys
}

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
