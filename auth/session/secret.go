package session

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mcpstudio/store"
)

// SecretFile is the session secret in the data directory.
const SecretFile = "session.key"

// secretSize is the least size of a session secret in bytes: that of the HMAC's hash (RFC 2104 section 3).
const secretSize = 32

// OpenSecret returns the secret that signs sessions: env, the value of STUDIO_JWT_SECRET, when it is not empty (at least 32 characters),
// else the content of the secret file in dir, which is made (0600) when it is not there.
func OpenSecret(dir, env string) ([]byte, error) {
	if env = strings.TrimSpace(env); env != "" {
		if len(env) < secretSize {
			return nil, fmt.Errorf("STUDIO_JWT_SECRET has %d characters; at least %d are accepted, for example from: openssl rand -base64 32", len(env), secretSize)
		}
		return []byte(env), nil
	}
	path := filepath.Join(dir, SecretFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createSecret(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the session secret: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("inspect the session secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the session secret %s can be read by others (mode %04o); make it yours alone: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return decodeSecret(path, b)
}

func decodeSecret(path string, b []byte) ([]byte, error) {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(secret) != secretSize {
		return nil, fmt.Errorf("the session secret %s is damaged; remove it to get a new one, which only signs everybody out", path)
	}
	return secret, nil
}

// createSecret makes the file whole or not at all; of two processes at once, both use the one that came first.
func createSecret(path string) ([]byte, error) {
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("draw a session secret: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), SecretFile+".*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("make the session secret: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, store.OwnAs(f), f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("write the session secret: %w", err)
	}
	err = os.Link(f.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the session secret: %w", err)
		}
		return decodeSecret(path, b)
	}
	if err != nil {
		return nil, fmt.Errorf("name the session secret: %w", err)
	}
	return secret, nil
}
