package driver

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAppendInt(t *testing.T) {
	for v, want := range map[int64]string{
		0: "0", -1: "-1", 999999999999999: "999999999999999", 9007199254740991: "9007199254740991", 9007199254740992: `"9007199254740992"`,
		-9007199254740991: "-9007199254740991", -9007199254740992: `"-9007199254740992"`, math.MaxInt64: `"9223372036854775807"`, math.MinInt64: `"-9223372036854775808"`,
	} {
		if got := string(AppendInt(nil, v)); got != want {
			t.Errorf("%d: got %s", v, got)
		}
		if got := string(AppendDigits(nil, []byte(strings.Trim(want, `"`)))); got != want {
			t.Errorf("digits of %d: got %s", v, got)
		}
	}
	if got := string(AppendDigits(nil, []byte("123456789012345678901234567890"))); got != `"123456789012345678901234567890"` {
		t.Errorf("more than 64 bits: got %s", got)
	}
}

func TestAppendFloat(t *testing.T) {
	for want, v := range map[string]float64{"0": 0, "-0": math.Copysign(0, -1), "0.1": 0.1, "1": 1, "1000000": 1e6, "1e+21": 1e21, "1e-07": 1e-7, "-2.5": -2.5, "5e-324": math.SmallestNonzeroFloat64, "1.7976931348623157e+308": math.MaxFloat64} {
		if got := string(AppendFloat(nil, v)); got != want || !json.Valid([]byte(got)) {
			t.Errorf("%g: got %s, want %s", v, got, want)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := string(AppendFloat(nil, v)); got != "null" {
			t.Errorf("%g: got %s", v, got)
		}
	}
}

func TestAppendTime(t *testing.T) {
	for want, v := range map[string]time.Time{
		"2026-01-31T10:00:00Z":      time.Date(2026, 1, 31, 12, 0, 0, 0, time.FixedZone("", 7200)),
		"2026-01-31T10:00:00.1Z":    time.Date(2026, 1, 31, 10, 0, 0, 100e6, time.UTC),
		"0001-01-01T00:00:00Z":      time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"0000-12-31T00:00:00Z":      time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC),
		"-000043-03-15T00:00:00Z":   time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC),
		"+010000-01-01T00:00:00Z":   time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		"+294276-12-31T23:59:59.9Z": time.Date(294276, 12, 31, 23, 59, 59, 900e6, time.UTC),
	} {
		if got := string(AppendTime(nil, v)); got != `"`+want+`"` {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := string(AppendDate(nil, v.UTC())); got != `"`+want[:strings.Index(want, "T")]+`"` {
			t.Errorf("date: got %s, want that of %s", got, want)
		}
	}
}

func TestUniqueNames(t *testing.T) {
	for _, c := range [][2][]string{
		{nil, {}},
		{{"a", "b"}, {"a", "b"}},
		{{"a", "a", "a"}, {"a", "a_2", "a_3"}},
		{{"a", "a", "a_2", "a"}, {"a", "a_3", "a_2", "a_4"}},
		{{"a_2", "a", "a"}, {"a_2", "a", "a_3"}},
		{{"", ""}, {"", "_2"}},
		{{"A", "a"}, {"A", "a"}},
	} {
		if d := cmp.Diff(c[1], UniqueNames(c[0])); d != "" {
			t.Errorf("%q (-want +got):\n%s", c[0], d)
		}
	}
	many := make([]string, 20_000) // takes no time in the square of the number
	seen := map[string]bool{}
	for _, n := range UniqueNames(many) {
		if seen[n] {
			t.Fatalf("%q twice", n)
		}
		seen[n] = true
	}
}

func TestErrors(t *testing.T) {
	cause := json.Unmarshal([]byte("{"), new(int))
	e := NewError(KindData, "no", cause)
	if e.Position != -1 || e.Error() != "no" || e.Unwrap() != cause || KindOf(e) != KindData || KindOf(cause) != KindOther {
		t.Errorf("got %+v", e)
	}
	e.SQLState = "22P02"
	if e.Error() != "no (SQLSTATE 22P02)" {
		t.Errorf("got %s", e)
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	c := Config{ID: "c1", Host: "db.test", Password: "canary", Extra: map[string]json.RawMessage{"key": json.RawMessage(`"canary"`)}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", c, "pointer", &c)
	c.Dial = nil // a function has no JSON
	b, err := json.Marshal(struct {
		*Config
		Dial, Now string
	}{Config: &c})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %v", c, c, c, &c), fmt.Sprintf("%+v", struct{ C Config }{c}), log.String(), string(b)} {
		if strings.Contains(text, "canary") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}
