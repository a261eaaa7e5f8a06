package postgres

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// TestExpired moves the clock and looks at which idle sessions are to be closed.
func TestExpired(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := &pool{cfg: driver.Config{MinSessions: 1, Now: func() time.Time { return now }}}
	for age := range 4 {
		p.idle = append(p.idle, &session{idleSince: now.Add(-time.Duration(3-age) * 2 * time.Minute)})
	}
	newest := p.idle[3]
	if old := p.expired(); len(old) != 1 || len(p.idle) != 3 { // the one of six minutes
		t.Fatalf("%d are closed, %d stay", len(old), len(p.idle))
	}
	now = now.Add(time.Hour)
	if old := p.expired(); len(old) != 2 || len(p.idle) != 1 || p.idle[0] != newest {
		t.Errorf("an hour later %d are closed, %d stay", len(old), len(p.idle))
	}
}

func TestOptions(t *testing.T) {
	dial := driver.Dial(nil)
	for _, c := range []struct {
		typ    store.DBType
		port   int
		pooler string
		pooled bool
		fails  bool
	}{
		{typ: store.PostgreSQL, port: 5432}, {typ: store.PostgreSQL, port: 6543}, {typ: store.Supabase, port: 5432}, {typ: store.Supabase, port: 6543, pooled: true},
		{typ: store.Supabase, port: 6543, pooler: `"session"`}, {typ: store.PostgreSQL, port: 5432, pooler: `"transaction"`, pooled: true}, {typ: store.PostgreSQL, port: 5432, pooler: `"evil"`, fails: true}, {typ: store.PostgreSQL, port: 5432, pooler: `1`, fails: true},
	} {
		cfg := driver.Config{DBType: c.typ, Port: c.port, Dial: dial}
		if c.pooler != "" {
			cfg.Extra = map[string]json.RawMessage{"pooler": json.RawMessage(c.pooler)}
		}
		o, err := readOptions(cfg)
		if (err != nil) != c.fails || err == nil && (o.Pooler == "transaction") != c.pooled {
			t.Errorf("%+v: got %+v, %v", c, o, err)
		}
	}
}

// FuzzArray reads arrays as a server, true or false, may write them: no panic, and always one valid JSON value.
func FuzzArray(f *testing.F) {
	for _, s := range []string{"{}", "{1,NULL}", `{"a\"b",{}}`, "{{1,2},{3,4}}", "[0:1]={1,2}", "{", "{,}", `{"`, "{1}}", "[=", "{{{{{{{1}}}}}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, elem := range []uint32{oidInt8, oidText, oidJSON, oidNumeric, oidFloat8, oidTimestamptz, oidDate, oidBytea, oidBool} {
			_, enc := encoder(oidTextArray, typeInfo{elem: elem, delim: ','})
			if b := enc(nil, []byte(s)); !json.Valid(b) {
				t.Fatalf("%q of %d: %s", s, elem, b)
			}
			_, enc = encoder(elem, typeInfo{})
			if b := enc(nil, []byte(s)); !json.Valid(b) {
				t.Fatalf("%q as %d: %s", s, elem, b)
			}
		}
	})
}

// FuzzArrayText holds that an array of strings comes back as it was.
func FuzzArrayText(f *testing.F) {
	f.Add("a", `b"\`)
	f.Add("NULL", "{},")
	f.Add("", "\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		out := appendArray(nil, arrayText([]driver.Arg{{Text: []byte(a)}, {Null: true}, {Text: []byte(b)}}), ',', driver.AppendString[[]byte])
		var got []*string
		if err := json.Unmarshal(out, &got); err != nil || len(got) != 3 || *got[0] != a || got[1] != nil || *got[2] != b {
			t.Fatalf("%q, %q came back as %s", a, b, out)
		}
	})
}
