package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// A passphrase becomes a key with argon2id (RFC 9106): its second recommended option, 64 MiB, 3 passes, 4 lanes, and a random salt
// of 16 bytes that the store keeps. The store's word of it reads as in the PHC string format:
//
//	$argon2id$v=19$m=65536,t=3,p=4$<salt, base64 without padding>
const (
	deriveMemory = 64 << 10 // KiB
	derivePasses = 3
	deriveLanes  = 4
	saltSize     = 16
	derivePrefix = "$argon2id$v=19$m=65536,t=3,p=4$"
)

// fixedSalt is that of a keyring that was not told of a store's, and of stores made before they kept one. It must never change: it
// is part of the keys it makes.
const fixedSalt = "mcp-studio/store/keyring/v1"

// derivation makes keys of passphrases.
type derivation struct{ salt []byte }

func unsalted() derivation { return derivation{[]byte(fixedSalt)} }

func (d derivation) derive(phrase string) [keySize]byte {
	return [keySize]byte(argon2.IDKey([]byte(phrase), d.salt, derivePasses, deriveMemory, deriveLanes, keySize))
}

// NewDerivation draws a salt and returns the text a new store keeps and later gives to Derived.
func NewDerivation() (string, error) {
	var salt [saltSize]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	return derivePrefix + base64.RawStdEncoding.EncodeToString(salt[:]), nil
}

// Derived returns a ring of the same keys whose passphrases are derived as a store's text says, which NewDerivation made. The error
// says that the text is not one this program knows: it was altered, or a newer program made the store.
func (k *Keyring) Derived(text string) (*Keyring, error) {
	if len(text) <= len(derivePrefix) || text[:len(derivePrefix)] != derivePrefix {
		return nil, fmt.Errorf("the store says its passphrase keys are derived by %.60q, which this program does not know", text)
	}
	salt, err := base64.RawStdEncoding.Strict().DecodeString(text[len(derivePrefix):])
	if err != nil || len(salt) != saltSize {
		return nil, fmt.Errorf("the store's salt for passphrase keys is not %d bytes of base64: it was altered; restore a backup", saltSize)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return &Keyring{source: k.source, path: k.path, given: k.given, derivation: derivation{salt}}, nil
}
