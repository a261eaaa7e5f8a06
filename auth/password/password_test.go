package password

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

func newHasher(t testing.TB) *Hasher {
	t.Helper()
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustHash(t *testing.T, h *Hasher, p string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func verify(t *testing.T, h *Hasher, p, hash string) bool {
	t.Helper()
	ok, err := h.Verify(t.Context(), p, hash)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestEveryCharacterCounts is case 7: no length is cut, no character ignored.
func TestEveryCharacterCounts(t *testing.T) {
	h := newHasher(t)
	for _, n := range []int{8, 64, 72, 73, 128, 256} {
		p := strings.Repeat("aB3$xyzw", 40)[:n]
		hash := mustHash(t, h, p)
		if !verify(t, h, p, hash) {
			t.Errorf("%d characters do not verify", n)
		}
		for _, at := range []int{0, n / 2, n - 1} {
			other := []byte(p)
			other[at] ^= 1
			if verify(t, h, string(other), hash) {
				t.Errorf("of %d characters, character %d does not count", n, at+1)
			}
		}
		if verify(t, h, p[:n-1], hash) || verify(t, h, p+"x", hash) {
			t.Errorf("%d characters: one fewer or more verifies", n)
		}
	}
	// NUL and newline are characters too, to Verify.
	if verify(t, h, "correct-horse\x00a", mustHash(t, h, "correct-horse\x00b")) {
		t.Error("the text behind a NUL does not count")
	}
	// Composed and decomposed spell the same word; an emoji is as good as a letter.
	hash := mustHash(t, h, "caf\u00e9 und mehr 😀")
	if !verify(t, h, "cafe\u0301 und mehr 😀", hash) {
		t.Error("NFC and NFD differ")
	}
	if verify(t, h, "cafe und mehr 😀", hash) {
		t.Error("the accent does not count")
	}
}

func TestHashForm(t *testing.T) {
	h := newHasher(t)
	a, b := mustHash(t, h, "correct horse"), mustHash(t, h, "correct horse")
	if a == b {
		t.Error("two hashes are equal: no salt")
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", a)
	}
	// A hash made by another program (phc-winner-argon2: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1).
	const other = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if !verify(t, h, "password", other) {
		t.Error("a hash of the reference program does not verify")
	}
	for _, bad := range []string{
		"", "plain", "$2a$10$abcdefghijklmnopqrstuv", strings.Replace(a, "argon2id", "argon2i", 1), strings.Replace(a, "v=19", "v=16", 1),
		strings.Replace(a, "m=19456", "m=4194304", 1), strings.Replace(a, "m=19456", "m=1", 1), strings.Replace(a, "t=2", "t=0", 1),
		strings.Replace(a, "t=2", "t=999", 1), strings.Replace(a, "p=1", "p=0", 1), strings.Replace(a, "p=1$", "p=1,x=1$", 1), a + "$", a[:len(a)-30], a + "=",
		strings.Replace(a, "m=19456", "m=+19456", 1),
	} {
		if ok, err := h.Verify(t.Context(), "correct horse", bad); ok || err == nil {
			t.Errorf("%q: %v %v", bad, ok, err)
		}
	}
}

// TestParallel is case 24: more than two never hash at once, and a waiter that gives up is let go.
func TestParallel(t *testing.T) {
	h := newHasher(t)
	for range Parallel {
		h.slots <- struct{}{} // all places are taken
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := h.Hash(ctx, "correct horse"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	<-h.slots
	if _, err := h.Hash(t.Context(), "correct horse"); err != nil {
		t.Error(err)
	}
	<-h.slots
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := h.Hash(t.Context(), "correct horse"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(h.slots) != 0 {
		t.Errorf("%d places were not given back", len(h.slots))
	}
}

// TestCost keeps one hash within what the package comment says, with room for a busy machine.
func TestCost(t *testing.T) {
	h := newHasher(t)
	best := time.Hour
	for n := 0; n < 5 || n < 100 && best > 600*time.Millisecond; n++ { // longer on a busy machine
		start := time.Now()
		if err := h.VerifyNobody(t.Context(), "correct horse"); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("one hash: %s", best)
	if best > 600*time.Millisecond || best < 3*time.Millisecond {
		t.Errorf("one hash takes %s", best)
	}
}

// TestNobodyCostsTheSame is case 22: the same parameters, so the same work. Times on a shared machine are looked at with a wide margin.
func TestNobodyCostsTheSame(t *testing.T) {
	h := newHasher(t)
	real := mustHash(t, h, "correct horse")
	p, salt, key, err := decode(h.dummy)
	q, salt2, key2, err2 := decode(real)
	if err != nil || err2 != nil || p != q || len(salt) != len(salt2) || len(key) != len(key2) {
		t.Fatalf("the stand-in costs %+v, a real hash %+v", p, q)
	}
	a, b := time.Hour, time.Hour
	for n := 0; n < 15 || n < 200 && (a > 2*b || b > 2*a); n++ { // longer on a busy machine: the best of each counts
		start := time.Now()
		verify(t, h, "wrong horse", real)
		a = min(a, time.Since(start))
		start = time.Now()
		if err := h.VerifyNobody(t.Context(), "wrong horse"); err != nil {
			t.Fatal(err)
		}
		b = min(b, time.Since(start))
	}
	if a > 2*b || b > 2*a {
		t.Errorf("known %s, nobody %s", a, b)
	}
}

// TestCheck is cases 6 and 7.
func TestCheck(t *testing.T) {
	for _, tc := range []struct{ name, password, user, says string }{
		{"empty", "", "ada", "at least 8"},
		{"one", "x", "ada", "at least 8"},
		{"seven", "kX9#q2z", "ada", "at least 8"},
		{"seven characters of more bytes", "ñandúes", "ada", "at least 8"},
		{"eight", "kX9#q2zR", "ada", ""},
		{"eight emoji", "🐎🔋📎🌂🎈🧲🪁🧭", "ada", ""},
		{"common", "password123456", "ada", "guessing"},
		{"common in other case", "PassWord123", "ada", "guessing"},
		{"common with a tail", "sunshine!!99", "ada", "guessing"},
		{"a season", "Summer2026!", "ada", "guessing"},
		{"walk", "1234567890", "ada", "guessing"},
		{"one character", "zzzzzzzzzzzz", "ada", "guessing"},
		{"short run", "ab1ab1ab1ab1", "ada", "guessing"},
		{"a phrase is no run", "abcdefgh ijklmno", "ada", ""},
		{"word list", "correct horse battery staple", "ada", "guessing"},
		{"a phrase", "violet tractor under nine clouds", "ada", ""},
		{"spaces", strings.Repeat(" ", 12), "ada", "spaces"},
		{"wide spaces", strings.Repeat("\u3000", 12), "ada", "spaces"},
		{"the user name", "Lovelace-Ada", "lovelace-ada ", "user name"},
		{"the user name composed otherwise", "rene\u0301-descartes", "ren\u00e9-descartes", "user name"},
		{"256", strings.Repeat("kX9#q2zRw", 29)[:256], "ada", ""},
		{"257", strings.Repeat("kX9#q2zRw", 29)[:257], "ada", "at most 256"},
		{"a mebibyte", strings.Repeat("k", 1<<20), "ada", "at most 256"},
		{"NUL", "kX9#q2zR\x00more", "ada", "NUL"},
		{"newline", "kX9#q2zR\nmore", "ada", ""},
		{"two lines of the list", "password\npassword1", "ada", ""},
		{"not text", "kX9#q2zR\xff\xfe", "ada", "text"},
		{"no composition rules", "onlysmalllettershere", "", ""},
	} {
		err := Check(tc.password, tc.user)
		var weak *WeakError
		switch {
		case tc.says == "" && err != nil:
			t.Errorf("%s: refused: %v", tc.name, err)
		case tc.says != "" && (!errors.As(err, &weak) || !strings.Contains(err.Error(), tc.says)):
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.says)
		case err != nil && tc.password != "" && len(tc.password) > 3 && strings.Contains(err.Error(), tc.password):
			t.Errorf("%s: the message shows the password", tc.name)
		}
	}
}

func TestCommonList(t *testing.T) {
	list := strings.Split(strings.TrimSuffix(common, "\n"), "\n")
	if len(list) < 1000 {
		t.Errorf("%d common passwords, want at least 1000", len(list))
	}
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("the list is not sorted or has doubles")
	}
	for _, p := range list {
		if p != fold(p) || !utf8.ValidString(p) {
			t.Errorf("%q can never match: it is not folded", p)
		}
		if utf8.RuneCountInString(p) >= MinLength && Check(p, "") == nil {
			t.Errorf("%q is in the list and accepted", p)
		}
	}
}

// FuzzVerify feeds decode what a doctored store may hold: no panic, no success, no cost beyond the bounds.
func FuzzVerify(f *testing.F) {
	h := newHasher(f)
	for _, s := range []string{h.dummy, "", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "$$$$$", "$argon2id$v=19$m=,t=,p=$$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		p, salt, key, err := decode(hash)
		if err != nil {
			return
		}
		if p.memory > maxMemoryKiB || p.passes > maxPasses || p.lanes > maxLanes || p.lanes == 0 || p.passes == 0 || len(key) < 16 || len(salt) < 8 {
			t.Fatalf("%q decodes to %+v", hash, p)
		}
		if encode(p, salt, key) != hash {
			t.Fatalf("%q has another spelling", hash)
		}
	})
}
