package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mcpstudio/store"
)

const canary = "cAnary-7f3a-password"

// holder has a secret where fmt cannot reach its methods.
type holder struct {
	name   string
	secret store.Secret
}

// TestSecretNeverShows is case 86 for every printer there is.
func TestSecretNeverShows(t *testing.T) {
	s := store.GivenSecret(canary)
	c := &store.Connection{Name: "c", Password: s}
	var log bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&log, nil))
	l.Info("x", "secret", s, "connection", c, "group", slog.GroupValue(slog.Any("inner", s)), "holder", holder{"h", s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "connection", c, "holder", holder{"h", s})
	texts := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		for _, v := range []any{s, &s, c, *c, []store.Secret{s}, map[string]store.Secret{"a": s}, holder{"h", s}, &holder{"h", s}, fmt.Errorf("wrapped: %v", s)} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
	}
	for _, v := range []any{s, &s, c, map[string]any{"a": s}, []any{s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) || strings.Contains(text, fmt.Sprintf("%X", canary)) {
			t.Errorf("shown: %s", text)
		}
	}
	if v, ok := s.Reveal(); v != canary || !ok {
		t.Error("Reveal does not give it")
	}
	if !strings.Contains(texts[0], store.Mask) {
		t.Errorf("the log does not show that there is one: %s", texts[0])
	}
}

// TestSecretInput is case 82: what each form of input means.
func TestSecretInput(t *testing.T) {
	type state struct{ given, cleared, set bool }
	for _, tc := range []struct {
		in   string
		want state
		ok   bool
	}{
		{`{}`, state{}, true},
		{`{"password":null}`, state{cleared: true}, true},
		{`{"password":"` + store.Mask + `"}`, state{}, true},
		{`{"password":"new"}`, state{given: true, set: true}, true},
		{`{"password":" "}`, state{given: true, set: true}, true},
		{`{"password":"one dot • is a character"}`, state{given: true, set: true}, true},
		{`{"password":""}`, state{}, false},
		{`{"password":"•••••"}`, state{}, false},
		{`{"password":"•••••••"}`, state{}, false},
		{`{"password":"•••••x"}`, state{}, false},
		{`{"password":" •••••• "}`, state{}, false},
		{`{"password":7}`, state{}, false},
		{`{"password":["x"]}`, state{}, false},
		{`{"password":{"$ne":null}}`, state{}, false},
	} {
		var p store.ConnectionPatch
		err := json.Unmarshal([]byte(tc.in), &p)
		if (err == nil) != tc.ok {
			t.Errorf("%s: error %v", tc.in, err)
			continue
		}
		s := p.Password
		if got := (state{s.IsGiven(), s.IsCleared(), s.IsSet()}); err == nil && got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.in, got, tc.want)
		}
	}
	for _, s := range []store.Secret{{}, store.StoredSecret(), store.ClearedSecret()} {
		if v, ok := s.Reveal(); ok || v != "" {
			t.Errorf("%v reveals %q", s, v)
		}
	}
	if store.StoredSecret().String() != store.Mask || store.ClearedSecret().String() != "" {
		t.Error("the mask does not say whether there is one")
	}
}
