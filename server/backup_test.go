package server

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpstudio/store"
	"mcpstudio/store/db"
)

// TestAccessAfterRestore: what a restore prints names everybody who gets in, and nothing in a doctored backup steers the terminal.
func TestAccessAfterRestore(t *testing.T) {
	end := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	token := func(id string, until *time.Time) *store.MCPToken {
		return &store.MCPToken{Meta: store.Meta{ID: id}, Name: id + "\x1b[2J", Prefix: "mcps_\r\n- all is well", ExpiresAt: until}
	}
	text := access(db.Restored{
		Admin: &store.Admin{Username: "ada\x1b]0;x", TwoFactorAt: &end, RecoveryCodesLeft: 7}, Auth: store.AuthNone,
		Tokens: []*store.MCPToken{token("old", nil), token("new", &end)}, Compared: true, Returned: map[string]bool{"old": true},
	})
	for _, want := range []string{"two-factor sign-in; 7 recovery codes", "need no token", "is valid AGAIN: the store", "is valid until 2027-01-15."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\r") || strings.Contains(text, "\n- all") || strings.Contains(text, "not known") {
		t.Errorf("got %q", text)
	}
	if text := access(db.Restored{}); !strings.Contains(text, "no admin") || strings.Contains(text, "not known") {
		t.Errorf("an empty store: %q", text)
	}
}

// TestRestoreNamesTheKey: a store that was restored with a key of the environment needs it at the next start, whatever key file is there.
func TestRestoreNamesTheKey(t *testing.T) {
	dir, file := dataDir(t), filepath.Join(t.TempDir(), "b.db")
	for _, env := range [][]string{nil, {"STUDIO_ENCRYPTION_KEY=" + strings.Repeat("0d", 32)}} {
		start(t, dir, env...).stop()
		c, err := ConfigFromEnv(append([]string{"STUDIO_DATA_DIR=" + dir}, env...))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Backup(t.Context(), c, &out, file); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		if err := Restore(t.Context(), c, &out, file); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "start the studio with it") != (env != nil) {
			t.Errorf("with %d keys in the environment: %s", len(env), out.String())
		}
		dir, file = dataDir(t), file+"2"
	}
}
