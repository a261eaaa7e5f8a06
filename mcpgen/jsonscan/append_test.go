package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// The text block of a result is the bytes before it, escaped: the source may lie in the destination.
func TestAppendEscapedOfItself(t *testing.T) {
	b := append(make([]byte, 0, 8), `{"a":"é"}`...)
	b = AppendEscaped(b, b)
	if got, want := string(b), `{"a":"é"}{\"a\":\"é\"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "é😀\u2028<>&", "\xff\xc0\x80\xed\xa0\x80", "\ufffd", "a\xc3", "\xf4\x90\x80\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := AppendString(nil, s)
		var got string
		if err := json.Unmarshal(text, &got); err != nil || !utf8.Valid(text) {
			t.Fatalf("%q becomes %q: %v", s, text, err)
		}
		if want := string([]rune(s)); got != want { // []rune puts U+FFFD for each byte that is not UTF-8
			t.Errorf("got %q, want %q", got, want)
		}
		if other := AppendString(nil, []byte(s)); string(other) != string(text) {
			t.Errorf("as bytes %q, as a string %q", other, text)
		}
	})
}

func BenchmarkAppendString(b *testing.B) {
	src := []byte(strings.Repeat(`{"id":4711,"name":"Müller & Söhne","open":true},`, 100))
	b.SetBytes(int64(len(src)))
	var dst []byte
	for b.Loop() {
		dst = AppendString(dst[:0], src)
	}
}
