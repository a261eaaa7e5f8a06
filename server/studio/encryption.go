package studio

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store/db"
)

// Passwords checks the admin's password again before what must not happen from a screen left unlocked.
type Passwords interface {
	ConfirmPassword(ctx context.Context, password string) error
}

// rotationTime bounds a rotation that its caller may not wait for: far more than a full store needs.
const rotationTime = 10 * time.Minute

func (s *Service) encryptionOps() []op.Op {
	const tag = "server"
	return []op.Op{
		declare(op.Op{Name: "get_encryption", Route: "GET /server/encryption", Tag: tag, Scope: auth.ScopeRead,
			Doc: "Where the encryption key is, and how many secrets each key seals; never a key."}, s.encryption),
		declare(op.Op{Name: "rotate_encryption", Route: "POST /server/encryption/rotate", Tag: tag, Scope: auth.ScopeAdmin, Effect: op.Write,
			Doc: "Seal every secret anew: with a new key when the key is in a file, with the first of STUDIO_ENCRYPTION_KEY otherwise. Backups made before open only with the old key."}, s.rotateEncryption),
	}
}

// KeySource says where the encryption keys come from.
type KeySource string

// The sources, as the keyring names them.
const (
	KeyFromFile        KeySource = "file"
	KeyFromEnvironment KeySource = "environment"
)

// EncryptionKey is one key of the ring, or one that secrets still need although it is not there.
type EncryptionKey struct {
	ID      string `json:"id" jsonschema:"the first 8 hexadecimal digits of the key's SHA-256; empty for damaged secrets"`
	Current bool   `json:"current" jsonschema:"it seals; the others only open"`
	Present bool   `json:"present" jsonschema:"false: secrets need it and it is not among the keys given"`
	Secrets int    `json:"secrets" jsonschema:"how many it seals, of connections, the account and old revisions"`
}

// Encryption is how the studio's secrets are sealed.
type Encryption struct {
	Source        KeySource       `json:"source" jsonschema:"file, or environment: STUDIO_ENCRYPTION_KEY"`
	Path          string          `json:"path,omitempty" jsonschema:"of the key file on the studio's host; only with source file"`
	Keys          []EncryptionKey `json:"keys" jsonschema:"the one that seals first"`
	Total         int             `json:"total" jsonschema:"sealed secrets"`
	LastRotatedAt *time.Time      `json:"last_rotated_at"`
}

func (s *Service) encryption(ctx context.Context, _ none) (Encryption, error) {
	keys := s.DB.Keys()
	out := Encryption{Source: KeySource(keys.Source()), Path: keys.Path(), Keys: []EncryptionKey{}}
	known, err := view(ctx, s, (*db.Tx).Encryption)
	if err != nil {
		return Encryption{}, err
	}
	out.LastRotatedAt = known.RotatedAt
	for i, id := range keys.IDs() {
		out.Keys = append(out.Keys, EncryptionKey{ID: id, Current: i == 0, Present: true, Secrets: known.Secrets[id]})
		out.Total += known.Secrets[id]
		delete(known.Secrets, id)
	}
	present := len(out.Keys)
	for id, n := range known.Secrets {
		out.Keys = append(out.Keys, EncryptionKey{ID: id, Secrets: n})
		out.Total += n
	}
	slices.SortFunc(out.Keys[present:], func(a, b EncryptionKey) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

type rotateEncryption struct {
	Password string `json:"password" jsonschema:"the current password"`
}

func (s *Service) rotateEncryption(ctx context.Context, in rotateEncryption) (Encryption, error) {
	if err := s.Passwords.ConfirmPassword(ctx, in.Password); err != nil {
		return Encryption{}, err
	}
	// A caller that leaves does not leave a rotation half done.
	run, cancel := context.WithTimeout(context.WithoutCancel(ctx), rotationTime)
	defer cancel()
	done, err := s.DB.Rotate(run, act(ctx, "rotate_encryption"), KeySource(s.DB.Keys().Source()) == KeyFromFile)
	if err != nil {
		return Encryption{}, err
	}
	s.Log.Info("every secret was sealed anew", "key", done.Key, "sealed", done.Sealed)
	return s.encryption(ctx, none{})
}
