package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// FileName is the key file in the data directory.
const FileName = "encryption.key"

const (
	keySize = 32
	// maxKeys bounds the ring: the new key, the old one, and one left over from an interrupted rotation.
	maxKeys = 3
	// maxFile bounds what is read as a key file, in bytes.
	maxFile = 4096
	// minPassphrase is the shortest passphrase taken, in characters.
	minPassphrase = 20
)

// A passphrase becomes a key with argon2id (RFC 9106) at 64 MiB, 3 passes, 4 lanes: its second recommended option. The salt
// is fixed, because the key must come out the same on every host that has only the passphrase; the price is that one guessing run
// works against every studio, which is why 20 characters are asked for. None of these may ever change: they are part of the key.
const (
	passphraseSalt   = "mcp-studio/store/keyring/v1"
	passphraseTime   = 3
	passphraseMemory = 64 << 10 // KiB
	passphraseLanes  = 4
)

// Options says where the keys are.
type Options struct {
	// Dir is the data directory; the key file in it is used when Env is empty.
	Dir string
	// Env is the value of STUDIO_ENCRYPTION_KEY: one to three keys, separated by commas, the one that seals first. Spaces
	// around a key do not count.
	Env string
	// MustExist refuses to make a key file. Set it when there is a store already: a new key could not open it.
	MustExist bool
}

// Open reads the keys, or makes the key file (0600) when there is none. A key is 32 bytes as base64 or 64 hexadecimal digits,
// or else a passphrase of at least 20 characters without a comma. Errors name what was found and what is accepted, never the key.
func Open(o Options) (*Keyring, error) {
	if strings.TrimSpace(o.Env) != "" {
		keys, err := parse(strings.Split(o.Env, ","), "STUDIO_ENCRYPTION_KEY")
		if err != nil {
			return nil, err
		}
		return &Keyring{keys: keys, source: SourceEnvironment}, nil
	}
	path := filepath.Join(o.Dir, FileName)
	text, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if o.MustExist {
			return nil, fmt.Errorf("the key file %s is missing, but the store beside it has sealed secrets: bring the file back, or set STUDIO_ENCRYPTION_KEY", path)
		}
		text, err = create(path)
	}
	if err != nil {
		return nil, err
	}
	keys, err := parse(strings.Split(strings.TrimSpace(text), "\n"), path)
	if err != nil {
		return nil, err
	}
	return &Keyring{keys: keys, source: SourceFile, path: path}, nil
}

// parse reads the keys in parts; origin names them in errors.
func parse(parts []string, origin string) ([]key, error) {
	if len(parts) > maxKeys {
		return nil, fmt.Errorf("%s holds %d keys; at most %d are accepted, the one that seals first (a passphrase has no comma)", origin, len(parts), maxKeys)
	}
	var keys []key
	for i, p := range parts {
		raw, err := decode(strings.TrimSpace(p))
		if err != nil {
			return nil, fmt.Errorf("%s: key %d of %d %w", origin, i+1, len(parts), err)
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: key %d: %w", origin, i+1, err)
		}
		if slices.ContainsFunc(keys, func(o key) bool { return o.id == k.id }) {
			return nil, fmt.Errorf("%s: key %d of %d is there twice", origin, i+1, len(parts))
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func decode(s string) ([]byte, error) {
	if s == "" {
		return nil, errors.New("is empty; remove the stray separator")
	}
	if !utf8.ValidString(s) {
		return nil, errors.New("is not valid UTF-8")
	}
	for _, dec := range []func(string) ([]byte, error){
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString,
	} {
		if b, err := dec(s); err == nil && len(b) == keySize {
			return b, nil
		}
	}
	if n := utf8.RuneCountInString(s); n < minPassphrase {
		return nil, fmt.Errorf("has %d characters; accepted are 32 bytes as base64 (for example from: openssl rand -base64 32) or a passphrase of at least %d characters", n, minPassphrase)
	}
	return argon2.IDKey([]byte(s), []byte(passphraseSalt), passphraseTime, passphraseMemory, passphraseLanes, keySize), nil
}

func readKeyFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("inspect the key file %s: %w", path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return "", fmt.Errorf("the key file %s is not a regular file of at most %d bytes", path, maxFile)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the key file %s can be read by others (mode %04o); make it yours alone: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", fmt.Errorf("read the key file %s: %w", path, err)
	}
	return string(b), nil
}

// create makes the key file so that it is either whole or not there: a crash while writing must not leave half a key.
func create(path string) (string, error) {
	raw := make([]byte, keySize)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("draw a key: %w", err)
	}
	text := base64.StdEncoding.EncodeToString(raw) + "\n"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("write the key file: %w", err)
	}
	// Link, not rename: when two processes start at once, the second must not replace the key of the first.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return readKeyFile(path)
	} else if err != nil {
		return "", fmt.Errorf("name the key file: %w", err)
	}
	return text, syncDir(filepath.Dir(path))
}

// syncDir makes a new directory entry survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	return nil
}
