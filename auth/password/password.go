// Package password hashes passwords, checks them, and judges new ones.
//
// Hashes are argon2id (RFC 9106) in PHC string format, so a stored hash says how
// it was made and stays good when the parameters here grow. The parameters are
// 19 MiB of memory, 2 passes and 1 lane, OWASP's minimum (Password Storage Cheat
// Sheet) and within 150 ms on a small machine. At most two hashes run at once;
// others wait, so a burst of logins costs at most 38 MiB.
//
// Every character counts: nothing is cut, and a password is compared in Unicode
// normalisation form C, so that it does not matter how a keyboard composes an
// accent (RFC 8265 section 4.2). There are no composition rules (NIST SP
// 800-63B-4 section 3.1.1.2).
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The cost of new hashes.
const (
	memoryKiB = 19 << 10
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// Bounds on a stored hash: above these it is not ours, and computing it could exhaust the machine.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 16
)

// Parallel is how many hashes run at once.
const Parallel = 2

// Hasher hashes and verifies. It is safe for concurrent use; a process needs one, because it bounds the memory of them all.
type Hasher struct {
	slots chan struct{}
	dummy string
	done  atomic.Int64
}

// Done is how many hashes were computed. It shows what a limit in front lets through.
func (h *Hasher) Done() int64 { return h.done.Load() }

// New returns a Hasher. The error is of the random source.
func New() (*Hasher, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	// No password has this hash: it is random bytes, not the outcome of argon2.
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("draw a hash: %w", err)
	}
	return &Hasher{slots: make(chan struct{}, Parallel), dummy: encode(params{memoryKiB, passes, lanes}, salt, key)}, nil
}

// Hash returns a new hash of the password. It waits for its turn and fails only when ctx ends before, or the random source fails.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	p := params{memoryKiB, passes, lanes}
	key, err := h.derive(ctx, password, p, salt, keyBytes)
	if err != nil {
		return "", err
	}
	return encode(p, salt, key), nil
}

// Verify reports whether the password has the hash, comparing in constant time. The error is about the hash or the wait, never about
// the password.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	p, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	got, err := h.derive(ctx, password, p, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// VerifyNobody does the work of Verify for an account that does not exist, so that the time of the answer does not tell.
func (h *Hasher) VerifyNobody(ctx context.Context, password string) error {
	_, err := h.Verify(ctx, password, h.dummy)
	return err
}

func (h *Hasher) derive(ctx context.Context, password string, p params, salt []byte, size uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	h.done.Add(1)
	key := argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.passes, p.memory, p.lanes, size)
	debug.FreeOSMemory() // 19 MiB that a studio with nothing to do would otherwise keep for minutes; hashes are rare
	return key, nil
}

type params struct {
	memory, passes uint32
	lanes          uint8
}

func encode(p params, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes, b64(salt), b64(key))
}

var errFormat = errors.New("a password hash is not an argon2id PHC string of a reasonable cost")

func decode(hash string) (p params, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errFormat
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, nil, nil, errFormat
	}
	salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return p, nil, nil, errFormat
	}
	key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err != nil || len(key) < 16 || len(key) > 128 {
		return p, nil, nil, errFormat
	}
	// The round trip refuses whatever Sscanf let pass behind the last number.
	if p.memory < 8*uint32(p.lanes) || p.memory > maxMemoryKiB || p.passes < 1 || p.passes > maxPasses || p.lanes < 1 || p.lanes > maxLanes || encode(p, salt, key) != hash {
		return p, nil, nil, errFormat
	}
	return p, salt, key, nil
}
