package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mcpstudio/store"
)

// ErrEnvironment says that the keys come from STUDIO_ENCRYPTION_KEY, which a program cannot change for its operator.
var ErrEnvironment = errors.New("the encryption keys come from STUDIO_ENCRYPTION_KEY, so only you can add one: put a new key in front of it (STUDIO_ENCRYPTION_KEY=new,old; openssl rand -base64 32 makes one)")

// Generate draws a new key and puts it first, in the key file and then on the ring, so that nothing is sealed with a key that is not
// safely kept. The keys there were stay behind it until Retire. Errors: ErrEnvironment; the key file changed since it was read, or
// cannot be written, and then nothing has changed.
func (k *Keyring) Generate() error {
	g, err := draw()
	if err != nil {
		return err
	}
	return k.change(func(keys []given) []given { return append([]given{g}, keys...) })
}

// Retire takes every key but the first out of the key file and off the ring. The caller has made sure that nothing needs them. Errors
// as Generate's.
func (k *Keyring) Retire() error {
	return k.change(func(keys []given) []given { return keys[:1:1] })
}

// change replaces the keys: in the file, and only then here.
func (k *Keyring) change(to func([]given) []given) error {
	if k.source != SourceFile {
		return ErrEnvironment
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := readKeyFile(k.path)
	if err != nil {
		return err
	}
	inFile, err := parseFile(text, k.path)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(inFile, k.given, given.same) {
		return fmt.Errorf("the key file %s was changed since it was read, so it was left alone: start the studio again", k.path)
	}
	keys := to(k.given)
	if len(keys) > maxKeys {
		return fmt.Errorf("the key file %s holds %d keys already: finish that rotation first", k.path, len(k.given))
	}
	if err := replace(k.path, keys); err != nil {
		return err
	}
	k.given, k.keys = keys, nil
	return nil
}

// replace writes a key file whole or not at all: beside the old one, synced, renamed over it, and the directory synced.
func replace(path string, keys []given) error {
	var text strings.Builder
	for _, g := range keys {
		text.WriteString(g.text + "\n")
	}
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, os.ErrNotExist) { // of an interrupted rotation
		return fmt.Errorf("write the key file: %w", err)
	}
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	_, err = f.WriteString(text.String())
	if err = errors.Join(err, store.OwnAs(f), f.Sync(), f.Close()); err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		return fmt.Errorf("write the key file: %w", errors.Join(err, os.Remove(draft)))
	}
	return syncDir(filepath.Dir(path))
}
