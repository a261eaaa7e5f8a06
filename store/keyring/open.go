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

	"mcpstudio/store"
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
		given, err := parse(strings.Split(o.Env, ","), "STUDIO_ENCRYPTION_KEY")
		if err != nil {
			return nil, err
		}
		return &Keyring{given: given, source: SourceEnvironment, derivation: unsalted()}, nil
	}
	path := filepath.Join(o.Dir, FileName)
	text, err := readKeyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if o.MustExist {
			return nil, &MissingError{Path: path}
		}
		text, err = create(path)
	}
	if err != nil {
		return nil, err
	}
	given, err := parseFile(text, path)
	if err != nil {
		return nil, err
	}
	return &Keyring{given: given, source: SourceFile, path: path, derivation: unsalted()}, nil
}

// parseFile reads a key file: one key a line, the one that seals first.
func parseFile(text, path string) ([]given, error) {
	return parse(strings.Split(strings.TrimSpace(text), "\n"), path)
}

// given is one key as it was given: 32 bytes, or a passphrase they are derived from.
type given struct {
	text   string // without spaces around it, as the key file keeps it
	raw    [keySize]byte
	phrase bool
}

func (g given) key(d derivation) key {
	if g.phrase {
		return newKey(d.derive(g.text))
	}
	return newKey(g.raw)
}

func (g given) same(o given) bool {
	if g.phrase || o.phrase {
		return g.phrase == o.phrase && g.text == o.text
	}
	return g.raw == o.raw
}

// parse reads the keys in parts; origin names them in errors.
func parse(parts []string, origin string) ([]given, error) {
	if len(parts) > maxKeys {
		return nil, fmt.Errorf("%s holds %d keys; at most %d are accepted, the one that seals first (a passphrase has no comma)", origin, len(parts), maxKeys)
	}
	var keys []given
	for i, p := range parts {
		g, err := decode(strings.TrimSpace(p))
		if err != nil {
			return nil, fmt.Errorf("%s: key %d of %d %w", origin, i+1, len(parts), err)
		}
		if slices.ContainsFunc(keys, g.same) {
			return nil, fmt.Errorf("%s: key %d of %d is there twice", origin, i+1, len(parts))
		}
		keys = append(keys, g)
	}
	return keys, nil
}

func decode(s string) (given, error) {
	if s == "" {
		return given{}, errors.New("is empty; remove the stray separator")
	}
	if !utf8.ValidString(s) {
		return given{}, errors.New("is not valid UTF-8")
	}
	for _, dec := range []func(string) ([]byte, error){
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString,
	} {
		if b, err := dec(s); err == nil && len(b) == keySize {
			return given{text: s, raw: [keySize]byte(b)}, nil
		}
	}
	if n := utf8.RuneCountInString(s); n < minPassphrase {
		return given{}, fmt.Errorf("has %d characters; accepted are 32 bytes as base64 (for example from: openssl rand -base64 32) or a passphrase of at least %d characters", n, minPassphrase)
	}
	return given{text: s, phrase: true}, nil
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
		return "", &ExposedError{Path: path, Mode: info.Mode().Perm()}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", fmt.Errorf("read the key file %s: %w", path, err)
	}
	if strings.TrimSpace(string(b)) == "" {
		return "", fmt.Errorf("the key file %s is empty, so the key in it was lost: bring a copy of it back, or remove the file if there is none", path)
	}
	return string(b), nil
}

// draw makes a new random key.
func draw() (given, error) {
	g := given{}
	if _, err := rand.Read(g.raw[:]); err != nil {
		return given{}, fmt.Errorf("draw a key: %w", err)
	}
	g.text = base64.StdEncoding.EncodeToString(g.raw[:])
	return g, nil
}

// create makes the key file so that it is either whole or not there: a crash while writing must not leave half a key.
func create(path string) (string, error) {
	drawn, err := draw()
	if err != nil {
		return "", err
	}
	text := drawn.text + "\n"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make the key file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, store.OwnAs(f), f.Sync(), f.Close()); err != nil {
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
