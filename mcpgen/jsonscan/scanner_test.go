package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// whole reports whether b is one text that the scanner accepts, and why not.
func whole(b []byte) (bool, string) {
	s := New(b, nil)
	if !s.UTF8() {
		return false, s.Reason()
	}
	_, ok := s.Raw()
	return ok && s.End(), s.Reason()
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	return b.String()
}

func TestScannerAccepts(t *testing.T) {
	for _, text := range []string{
		` null `, `true`, `false`, `0`, `-0`, `-1.5e+3`, `1E-2`, `""`, `"\ud83d\ude00\"\\\/\b\f\n\r\t\u0041"`, `[]`, "[ ]", `[1 , [ ] ,{}]`, `{}`, "{\n}",
		`{"a":1,"A":2,"b":{"a":[{"a":0}]}}`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), `{` + members(MaxMembers-1) + `"z":0}`,
		`{"":0}`, `["` + "\u2028é😀" + `"]`,
	} {
		if ok, why := whole([]byte(text)); !ok {
			t.Errorf("%.80s: refused: %s", text, why)
		}
	}
}

// case 74: what two readers could read differently, or what costs too much.
func TestScannerRefuses(t *testing.T) {
	trailing := map[string]bool{`1 2`: true, `01`: true, `0x1`: true} // a value, and then something after it
	for _, text := range []string{
		``, ` `, `nul`, `True`, `01`, `1.`, `.5`, `-`, `+1`, `1e`, `NaN`, `0x1`, `"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\xff\"", `'a'`, `1 2`,
		`"\ud800"`, `"\udc00"`, `"\ud800\u0041"`, `"\ud800\ud800"`, "\"\xed\xa0\x80\"",
		`[1,]`, `[,1]`, `[1 2]`, `[1`, `[`, `]`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `{"a":1]`, `[1}`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `[{"b":{"a":1,"a":2}}]`, `{` + members(1000) + `"k500":0}`, `{` + members(17) + `"k0":0}`, `{` + members(16) + `"k15":0}`,
		`{` + members(MaxMembers) + `"z":0}`, strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), strings.Repeat(`{"a":`, 10_000),
	} {
		if ok, why := whole([]byte(text)); ok {
			t.Errorf("%.80s: accepted", text)
		} else if why == "" && !trailing[text] {
			t.Errorf("%.80s: refused without a reason", text)
		}
	}
}

// After a failure nothing more is handed out, whatever the caller asks for next.
func TestScannerEndsAtAFailure(t *testing.T) {
	s := New([]byte(`{"a":nope,"b":1}`), nil)
	o := s.Object()
	if key, ok := s.Member(&o); !ok || string(key) != "a" {
		t.Fatalf("got %q, %v", key, ok)
	}
	if s.Value() {
		t.Fatal("nope is a value")
	}
	if key, ok := s.Member(&o); ok {
		t.Errorf("went on to %q", key)
	}
	if at := s.Offset(); at != 5 {
		t.Errorf("the failure is at %d, want 5", at)
	}
	if s = New([]byte("[1]"), nil); s.Object().opened || s.Reason() == "" {
		t.Error("an array was taken for an object")
	}
	if s = New([]byte("{}"), nil); s.Array().opened || s.Reason() == "" {
		t.Error("an object was taken for an array")
	}
}

func TestScannerForgetsWhatItRead(t *testing.T) {
	s := New([]byte(`{"a":{"b":0},"c":0}`), nil)
	if !s.Value() {
		t.Fatal(s.Reason())
	}
	m := s.Memory()
	if len(m) != 0 || cap(m) == 0 {
		t.Fatalf("got room for %d keys with %d in use", cap(m), len(m))
	}
	for _, key := range m[:cap(m)] {
		if key != nil {
			t.Errorf("%q is kept alive", key)
		}
	}
	s = New([]byte(`{`+members(1000)+`"z":0}`), m)
	if !s.Value() {
		t.Fatal(s.Reason())
	}
	if m := s.Memory(); m != nil {
		t.Errorf("room for %d keys is kept", cap(m))
	}
}

// FuzzScanner holds that what is accepted is JSON to encoding/json, with the same strings and without a key twice.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,null,"\ud83d\ude00"]}`, `{"a":1,"\u0061":2}`, `[[],{},""]`, ` "a\u0062\n" `, `{"x":{"y":[{}]}}`, `[1,]`, "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ok, _ := whole(b)
		if !ok {
			return
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Fatalf("accepted %q", b)
		}
		s := New(b, nil)
		s.Skip()
		from := s.Offset()
		switch s.Peek() {
		case '"':
			got, _ := s.Text()
			var want string
			if err := json.Unmarshal(b, &want); err != nil || string(got) != want || !bytes.Equal(Text(s.From(from)), got) {
				t.Errorf("%q: got %q, want %q (%v)", b, got, want, err)
			}
		case '{':
			var want map[string]json.RawMessage
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			n := 0
			for o := s.Object(); ; n++ {
				key, ok := s.Member(&o)
				if !ok {
					break
				}
				raw, _ := s.Raw()
				if !bytes.Equal(raw, want[string(key)]) {
					t.Errorf("%q: member %q is %q, want %q", b, key, raw, want[string(key)])
				}
			}
			if n != len(want) {
				t.Errorf("%q: %d members, want %d", b, n, len(want))
			}
		case '[':
			var want []json.RawMessage
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			n := 0
			for a := s.Array(); s.Item(&a); n++ {
				if raw, _ := s.Raw(); !bytes.Equal(raw, want[n]) {
					t.Errorf("%q: item %d is %q, want %q", b, n, raw, want[n])
				}
			}
			if n != len(want) {
				t.Errorf("%q: %d items, want %d", b, n, len(want))
			}
		}
	})
}
