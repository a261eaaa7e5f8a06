package broker

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParseRequest: whatever a child sends is refused or within bounds, and what an honest child sends is taken.
func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"conn":"c7","host":"db.example.com","port":5432}`, `{"id":1,"conn":"c7","host":"::1","port":1}`, `{}`, `null`, `[]`, `{"id":4294967296,"conn":"a","host":"b","port":1}`,
		`{"ID":1,"CONN":"c","Host":"h","pOrt":1}`, `{"id":1,"conn":"a","host":"b\u0000","port":1}`, `{"id":1,"conn":"a","host":"b","port":1e3}`,
		`{"id":1,"conn":"a","host":"b","port":1}x`, "\xff", strings.Repeat("[", 1000), `{"id":1,"conn":"a","host":"\ud800","port":1}`, `{"id":1,"host":"a","host":"b","conn":"c","port":1}`,
		`{"id":1,"conn":"c","host":"db\u202eslq","port":1}`, `{"id":1,"conn":"c","host":"b\u00fccher.example","port":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			if r != (request{}) {
				t.Fatalf("error %v with a request %+v", err, r)
			}
			return
		}
		if len(b) > maxMessage || r.Conn == "" || len(r.Conn) > maxConn || r.Host == "" || len(r.Host) > maxHost || r.Port < 1 || r.Port > 65535 {
			t.Fatalf("out of bounds: %+v", r)
		}
		if strings.ContainsAny(r.Host+r.Conn, "\x00\r\n\t \u202e\u200f\u0085") || !utf8.ValidString(r.Host) {
			t.Fatalf("control character: %+v", r)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) <= maxMessage {
			if back, err := parseRequest(again); err != nil || back != r {
				t.Fatalf("%+v became %+v, %v", r, back, err)
			}
		}
	})
}

func TestReplyFits(t *testing.T) {
	b := encodeReply(reply{ID: 1<<32 - 1, Stage: StageResolve, Error: strings.Repeat("é\x00", 5000)})
	if len(b) > 2*maxMessage {
		t.Errorf("%d bytes", len(b))
	}
	var r reply
	if err := json.Unmarshal(b, &r); err != nil || !strings.HasSuffix(r.Error, "…") {
		t.Errorf("%+v %v", r, err)
	}
}
