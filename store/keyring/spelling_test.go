package keyring

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneSpelling: a sealed value whose last character has bits that count for nothing opens in one spelling of them only (case 97).
func TestOneSpelling(t *testing.T) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	k := mustOpen(t, key32(1))
	for _, plain := range []string{"", "p", "pp"} { // base64 ends in "=", in "==" and in neither
		sealed := mustSeal(t, k, plain)
		text := strings.TrimRight(sealed, "=")
		last, padding := len(text)-1, sealed[len(text):]
		opened := 0
		for _, digit := range digits {
			if _, err := k.Open(text[:last]+string(digit)+padding, place); err == nil {
				opened++
			}
		}
		if opened != 1 {
			t.Errorf("%q opens in %d spellings", sealed, opened)
		}
	}
}

// TestDamagedID: what cannot be the id of a key is damage, and no key is asked for that there never was.
func TestDamagedID(t *testing.T) {
	k := mustOpen(t, key32(1))
	_, text, _ := strings.Cut(strings.TrimPrefix(mustSeal(t, k, "p"), "v1:"), ":")
	for _, id := range []string{"", "1234567", "123456789"} {
		_, err := k.Open("v1:"+id+":"+text, place)
		if damaged := (*DamagedError)(nil); !errors.As(err, &damaged) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

// TestKeyFileOfAGroup: a key file is its owner's alone, not its group's either.
func TestKeyFileOfAGroup(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o620, 0o610, 0o604, 0o602, 0o601} {
		dir := t.TempDir()
		path := filepath.Join(dir, FileName)
		if err := errors.Join(os.WriteFile(path, []byte(key32(1)), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(Options{Dir: dir})
		if exposed := (*ExposedError)(nil); !errors.As(err, &exposed) || exposed.Mode != mode {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
