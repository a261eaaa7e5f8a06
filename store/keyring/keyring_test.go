package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcpstudio/store"
)

var place = store.Place{Table: "connections", Column: "password", Row: "0190-1"}

func mustOpen(t testing.TB, env string) *Keyring {
	t.Helper()
	k, err := Open(Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func key32(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)) }

func mustSeal(t testing.TB, k *Keyring, plain string) string {
	t.Helper()
	s, err := k.Seal(plain, place)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealAndOpen(t *testing.T) {
	k := mustOpen(t, key32(1))
	for _, plain := range []string{"", "p", "pässwörd \x00 \n", strings.Repeat("long", 10_000)} {
		sealed := mustSeal(t, k, plain)
		if !strings.HasPrefix(sealed, "v1:"+k.Primary()+":") {
			t.Errorf("sealed is %.30s", sealed)
		}
		if sealed == mustSeal(t, k, plain) {
			t.Error("sealing twice gives the same: the nonce is not random")
		}
		s, err := k.Open(sealed, place)
		if got, ok := s.Reveal(); err != nil || !ok || got != plain {
			t.Errorf("got %q %v", got, err)
		}
	}
}

// pinnedPassphraseID is what the derivation gave when it was written.
const pinnedPassphraseID = "f7fa5914"

// TestKnownKeyID pins the format: ids and sealed values of old stores must keep their meaning.
func TestKnownKeyID(t *testing.T) {
	if got := mustOpen(t, key32(1)).Primary(); got != "72cd6e84" { // sha256 of 32 bytes 0x01 starts 72cd6e84
		t.Errorf("id %s", got)
	}
	if got := mustOpen(t, "a passphrase for the pinned test").Primary(); got != pinnedPassphraseID {
		t.Errorf("the passphrase derives the key %s, want %s: its parameters must never change", got, pinnedPassphraseID)
	}
}

// TestPlaceBinds is case 96.
func TestPlaceBinds(t *testing.T) {
	k := mustOpen(t, key32(1))
	sealed := mustSeal(t, k, "secret")
	for _, other := range []store.Place{
		{Table: "revisions", Column: place.Column, Row: place.Row},
		{Table: place.Table, Column: "other", Row: place.Row},
		{Table: place.Table, Column: place.Column, Row: "0190-2"},
		{Table: "connection", Column: "spassword", Row: place.Row},
	} {
		var damaged *DamagedError
		if _, err := k.Open(sealed, other); !errors.As(err, &damaged) || damaged.Place != other {
			t.Errorf("at %v: %v", other, err)
		}
	}
	for _, bad := range []store.Place{{}, {Table: "a", Column: "b"}, {Table: "a\x00b", Column: "c", Row: "d"}} {
		if _, err := k.Seal("x", bad); err == nil {
			t.Errorf("sealed at %q", bad)
		}
		if _, err := k.Open(sealed, bad); err == nil {
			t.Errorf("opened at %q", bad)
		}
	}
}

// TestEveryByte is case 97: whichever byte is changed or cut, the value does not open.
func TestEveryByte(t *testing.T) {
	k := mustOpen(t, key32(1))
	sealed := mustSeal(t, k, "a secret of some length")
	for i := range len(sealed) {
		for _, flip := range []byte{1, 0x20, 0x80} {
			b := []byte(sealed)
			b[i] ^= flip
			if s, err := k.Open(string(b), place); err == nil {
				t.Fatalf("byte %d flipped by %x opens to %q", i, flip, s)
			}
		}
		if _, err := k.Open(sealed[:i], place); err == nil {
			t.Fatalf("the first %d bytes open", i)
		}
	}
	for _, more := range []string{sealed + "A", sealed + "=", sealed + "\n", " " + sealed} {
		if _, err := k.Open(more, place); err == nil {
			t.Errorf("%q opens", more)
		}
	}
}

// TestRing is cases 99 and 101.
func TestRing(t *testing.T) {
	old, both, next := mustOpen(t, key32(1)), mustOpen(t, key32(2)+", "+key32(1)), mustOpen(t, key32(2))
	sealed := mustSeal(t, old, "secret")
	if s, err := both.Open(sealed, place); err != nil {
		t.Error(err)
	} else if v, _ := s.Reveal(); v != "secret" {
		t.Errorf("got %q", v)
	}
	if id, _ := KeyID(mustSeal(t, both, "x")); id != next.Primary() {
		t.Errorf("the first key does not seal: %s", id)
	}
	_, err := next.Open(sealed, place)
	var wrong *WrongKeyError
	if !errors.As(err, &wrong) || wrong.Want != old.Primary() || len(wrong.Have) != 1 || wrong.Have[0] != next.Primary() {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), old.Primary()) || !strings.Contains(err.Error(), next.Primary()) {
		t.Errorf("the message names no ids: %v", err)
	}
}

// TestKeyForms is case 104.
func TestKeyForms(t *testing.T) {
	raw := bytes.Repeat([]byte{0xfb}, 32) // has + and / in base64
	std := base64.StdEncoding.EncodeToString(raw)
	want := mustOpen(t, std).Primary()
	for _, same := range []string{
		base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
		hex.EncodeToString(raw), "  " + std + "\t",
	} {
		if got := mustOpen(t, same).Primary(); got != want {
			t.Errorf("%q is key %s, want %s", same, got, want)
		}
	}
	phrase := "five unrelated words are a key"
	if mustOpen(t, phrase).Primary() == mustOpen(t, phrase+"s").Primary() {
		t.Error("two passphrases are one key")
	}
	for name, tc := range map[string]struct{ env, says string }{
		"short":          {"too short", "9 characters"},
		"19 characters":  {strings.Repeat("é", 19), "19 characters"},
		"empty part":     {key32(1) + ",," + key32(2), "key 2 of 3 is empty"},
		"trailing comma": {key32(1) + ",", "key 2 of 2 is empty"},
		"only a comma":   {",", "is empty"},
		"twice":          {key32(1) + "," + hex.EncodeToString(bytes.Repeat([]byte{1}, 32)), "key 2 of 2 is there twice"},
		"four":           {strings.Join([]string{key32(1), key32(2), key32(3), key32(4)}, ","), "at most 3"},
		"not text":       {"\xff\xfe long enough to be a passphrase", "UTF-8"},
	} {
		_, err := Open(Options{Env: tc.env})
		if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), "STUDIO_ENCRYPTION_KEY") {
			t.Errorf("%s: got %v, want it to say %q", name, err, tc.says)
		}
		if err != nil && len(tc.env) > 5 && strings.Contains(err.Error(), tc.env) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if k := mustOpen(t, key32(1)); k.Source() != SourceEnvironment || k.Path() != "" {
		t.Errorf("%s %q", k.Source(), k.Path())
	}
}

// TestKeyFile is case 98: made once, 0600, random, and read again after.
func TestKeyFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	if first.Source() != SourceFile || first.Path() != path {
		t.Errorf("%s %q", first.Source(), first.Path())
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	again, err := Open(Options{Dir: dir, Env: "  "})
	if err != nil || again.Primary() != first.Primary() {
		t.Errorf("the second start has another key: %v", err)
	}
	other, err := Open(Options{Dir: t.TempDir()})
	if err != nil || other.Primary() == first.Primary() {
		t.Error("two studios made the same key")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	if k, err := Open(Options{Dir: dir, Env: key32(9)}); err != nil || k.Primary() == first.Primary() {
		t.Error("the environment does not win over the file")
	}

	// Two keys in the file, one a line: what an interrupted rotation leaves.
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%s\n%s", key32(5), old), 0o600); err != nil {
		t.Fatal(err)
	}
	two, err := Open(Options{Dir: dir})
	if err != nil || len(two.IDs()) != 2 || two.IDs()[1] != first.Primary() {
		t.Errorf("two lines: %v %v", two, err)
	}
}

func TestKeyFileRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(path string) error
		says string
	}{
		"open to others": {func(p string) error { return os.WriteFile(p, []byte(key32(1)), 0o644) }, "chmod 600"},
		"empty":          {func(p string) error { return os.WriteFile(p, nil, 0o600) }, "is empty, so the key in it was lost: bring a copy of it back, or remove the file"},
		"blank":          {func(p string) error { return os.WriteFile(p, []byte("\n\n"), 0o600) }, "is empty, so the key"},
		"half a key":     {func(p string) error { return os.WriteFile(p, []byte(key32(1)[:10]), 0o600) }, "10 characters"},
		"a directory":    {func(p string) error { return os.Mkdir(p, 0o700) }, "regular file"},
		"huge":           {func(p string) error { return os.WriteFile(p, make([]byte, 5000), 0o600) }, "at most 4096"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := tc.make(path); err != nil {
				t.Fatal(err)
			}
			_, err := Open(Options{Dir: dir})
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want it to say %q and name the file", err, tc.says)
			}
		})
	}
	dir := t.TempDir()
	if _, err := Open(Options{Dir: dir, MustExist: true}); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("a refused start made a key")
	}
}

// TestFirstStartTwice is part of case 103: of two starts at once both end with the same key.
func TestFirstStartTwice(t *testing.T) {
	dir := t.TempDir()
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			k, err := Open(Options{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = k.Primary()
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("keys %v", ids)
		}
	}
}

// FuzzOpen feeds Open what a doctored store may hold: it never panics and opens nothing that was not sealed.
func FuzzOpen(f *testing.F) {
	k := mustOpen(f, key32(1))
	good := mustSeal(f, k, "secret")
	for _, s := range []string{good, "", "v1:", "v1::", "v2:72cd6e84:AAAA", "v1:72cd6e84:", "v1:72cd6e84:AAAA", "v1:72cd6e84:" + strings.Repeat("A", 100), "v1:00000000:AAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		s, err := k.Open(sealed, place)
		if v, _ := s.Reveal(); err == nil && v != "secret" { // other fuzzing processes sealed it with other nonces
			t.Fatalf("%q opens to %q", sealed, v)
		}
		if err != nil && s.IsSet() {
			t.Fatal("an error came with a secret")
		}
	})
}
