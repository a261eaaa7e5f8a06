package hop

import "testing"

func TestAllowed(t *testing.T) {
	var all *Allowed
	if NewAllowed(nil, nil, nil) != nil || !all.Tool([]byte("t")) || !all.Resource([]byte("r")) || !all.Prompt([]byte("p")) || all.Key() != "" {
		t.Error("nil does not allow everything")
	}
	source := []string{"b", "a", "b", `"<`}
	a := NewAllowed(source, nil, []string{})
	source[0] = "c"
	decoded, err := decodeAllowed([]byte(a.Key()))
	if err != nil {
		t.Fatal(err)
	}
	for what, a := range map[string]*Allowed{"made": a, "decoded": decoded} {
		for name, want := range map[string]bool{"a": true, "b": true, `"<`: true, "c": false, "A": false, "": false} {
			if got := a.Tool([]byte(name)); got != want {
				t.Errorf("%s: tool %q: got %v", what, name, got)
			}
		}
		if !a.Resource([]byte("any")) || a.Prompt([]byte("a")) {
			t.Errorf("%s: resource %v, prompt %v", what, a.Resource([]byte("any")), a.Prompt([]byte("a")))
		}
	}
	if other := NewAllowed([]string{`"<`, "a", "b"}, nil, []string{}); other.Key() != a.Key() || decoded.Key() != a.Key() {
		t.Errorf("equal sets have the keys %s, %s, %s", a.Key(), other.Key(), decoded.Key())
	}
}

func TestDecodeAllowedRefuses(t *testing.T) {
	for _, bad := range []string{`{}`, `null`, `[]`, `{"tools":null}`, `{"tools":["a"],"x":1}`, `{"tools":["a"]}{}`, `{"tools":[1]}`, `{"tools":["a"]`} {
		if a, err := decodeAllowed([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v", bad, a)
		}
	}
}
