package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigDefaults(t *testing.T) {
	c, err := ConfigFromEnv([]string{"HOME=/x", "STUDIO_ENCRYPTION_KEY="})
	if err != nil {
		t.Fatal(err)
	}
	if c.Front.TCP != "127.0.0.1:3000" || c.API.TCP != "127.0.0.1:8000" || c.MCP.TCP != "127.0.0.1:8080" || c.Front.Inner || !c.API.Inner || c.API.Set {
		t.Errorf("addresses %+v %+v %+v", c.Front, c.API, c.MCP)
	}
	if !c.Enforce || !c.AllowPrivate || c.EncryptionKey.IsSet() || c.LogLevel != slog.LevelInfo || !filepath.IsAbs(c.DataDir) || c.SQLiteDir != filepath.Join(c.DataDir, "databases") {
		t.Errorf("got %+v", c)
	}
}

func TestConfigValues(t *testing.T) {
	c, err := ConfigFromEnv([]string{
		"STUDIO_ADDR=:3000", "STUDIO_API_ADDR=off", "STUDIO_MCP_ADDR=unix:/run/mcp.sock", "STUDIO_TRUSTED_PROXIES=10.0.0.7, 192.168.3.4/16,unix,::1",
		"STUDIO_PUBLIC_URL=https://studio.example:8443/", "STUDIO_ALLOWED_HOSTS=A.example, b.example", "STUDIO_SANDBOX=degraded", "STUDIO_LOG_LEVEL=debug",
		"STUDIO_ADMIN_USERNAME=ada", "STUDIO_ADMIN_PASSWORD=s3cret-canary", "STUDIO_AGENT_ADDR=127.0.0.1:1", "STUDIO_ADDR=127.0.0.1:4000",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Front.TCP != "127.0.0.1:4000" || !c.Front.Set || !c.API.Off || c.MCP.Unix != "/run/mcp.sock" {
		t.Errorf("addresses %+v %+v %+v", c.Front, c.API, c.MCP)
	}
	if got := fmt.Sprint(c.Proxies); got != "[10.0.0.7/32 192.168.0.0/16 ::1/128]" || !c.TrustUnix {
		t.Errorf("proxies %s", got)
	}
	if c.PublicURL.String() != "https://studio.example:8443" || c.AllowedHosts[0] != "a.example" || c.Enforce || c.LogLevel != slog.LevelDebug {
		t.Errorf("got %+v", c)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), "s3cret-canary") {
		t.Error("printing the configuration shows the password")
	}
	for name, want := range map[string]bool{"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, ":1": false, "0.0.0.0:1": false, "10.0.0.1:1": false} {
		if c, err := ConfigFromEnv([]string{"STUDIO_MCP_ADDR=" + name}); err != nil || c.MCP.loopback() != want {
			t.Errorf("%s: on loopback %t %v", name, c.MCP.loopback(), err)
		}
	}
	if fmt.Sprint(c.Warnings) != "[STUDIO_AGENT_ADDR]" {
		t.Errorf("warnings %v", c.Warnings)
	}
}

func TestConfigMistakes(t *testing.T) {
	for _, x := range []struct{ set, says string }{
		{"STUDIO_ADRR=x", `STUDIO_ADRR: there is no such variable; the nearest is STUDIO_ADDR`},
		{"STUDIO_ENCRYPTON_KEY=canary", `the nearest is STUDIO_ENCRYPTION_KEY`},
		{"STUDIO_ADDR=3000", `STUDIO_ADDR: found "3000"; accepted: address:port`},
		{"STUDIO_ADDR=off", `STUDIO_ADDR: found "off"`},
		{"STUDIO_API_ADDR=127.0.0.1:99999", `STUDIO_API_ADDR`},
		{"STUDIO_MCP_ADDR=example.org:80", `STUDIO_MCP_ADDR`},
		{"STUDIO_MCP_ADDR=unix:run", `found "unix:run"; accepted: address:port`},
		{"STUDIO_ALLOW_PASSTHROUGH_SQL=true", `STUDIO_ALLOW_PASSTHROUGH_SQL: found "true"; accepted: false: in this version no argument is ever run as SQL`},
		{"STUDIO_SANDBOX=off", `STUDIO_SANDBOX: found "off"; accepted: enforce or degraded`},
		{"STUDIO_ALLOW_PRIVATE_NETWORKS=maybe", `accepted: true or false`},
		{"STUDIO_LOG_LEVEL=loud", `accepted: debug, info, warn or error`},
		{"STUDIO_LOG_FORMAT=xml", `accepted: text or json`},
		{"STUDIO_PUBLIC_URL=javascript:alert(1)", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=https://user:canary@h", `STUDIO_PUBLIC_URL`},
		{"STUDIO_ALLOWED_HOSTS=https://h", `STUDIO_ALLOWED_HOSTS`},
		{"STUDIO_TRUSTED_PROXIES=10.0.0.0/99", `STUDIO_TRUSTED_PROXIES`},
		{"STUDIO_DATABASE_URL=postgres://u:canary@h/d", `STUDIO_DATABASE_URL: not part of this version; remove it (found "postgres://…"); this version keeps its store in STUDIO_DATA_DIR`},
		{"STUDIO_SSL_DOMAIN=x", `STUDIO_SSL_DOMAIN: not part of this version`},
		{"STUDIO_ADMIN_USERNAME=x", `accepted: both or none`},
		{"STUDIO_ENCRYPTION_KEY=canary", `STUDIO_ENCRYPTION_KEY: key 1 of 1 has 6 characters; accepted are`},
		{"STUDIO_ENCRYPTION_KEY=the first passphrase of twenty,canary", `STUDIO_ENCRYPTION_KEY: key 2 of 2`},
		{"STUDIO_JWT_SECRET=canary", `STUDIO_JWT_SECRET has 6 characters; at least 32`},
		{"STUDIO_DATA_DIR=~", `STUDIO_DATA_DIR: found "~"; accepted: a directory, or a path where one can be made; ~ is not expanded`},
		{"STUDIO_SQLITE_DIR=~/databases", `STUDIO_SQLITE_DIR: found "~/databases"`},
		{"STUDIO_DATA_DIR=/dev/null", `STUDIO_DATA_DIR: found "/dev/null"; accepted: a directory`},
		{"STUDIO_MCP_ADDR=unix:/" + strings.Repeat("x", 107), `STUDIO_MCP_ADDR`},
		// case 78
		{"STUDIO_PUBLIC_URL=https://h:99999", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=https://h:0", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=https://h:", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=https://a b", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=file:///etc", `STUDIO_PUBLIC_URL`},
		{"STUDIO_PUBLIC_URL=https://h\x00", `STUDIO_PUBLIC_URL`},
		{"STUDIO_ALLOWED_HOSTS=*.example", `STUDIO_ALLOWED_HOSTS`},
		{"STUDIO_ALLOWED_HOSTS=a\r\nb", `STUDIO_ALLOWED_HOSTS`},
		{"STUDIO_ALLOWED_HOSTS=-a", `STUDIO_ALLOWED_HOSTS`},
		{"STUDIO_ADDR=127.0.0.1:-1", `STUDIO_ADDR`},
		{"STUDIO_ADDR=:http", `STUDIO_ADDR`},
	} {
		_, err := ConfigFromEnv([]string{x.set})
		var e *ConfigError
		if !errors.As(err, &e) || len(e.Lines) != 1 || !strings.Contains(e.Lines[0], x.says) {
			t.Errorf("%s: got %v, want %q", x.set, err, x.says)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the message shows a secret: %v", x.set, err)
		}
	}
	_, err := ConfigFromEnv([]string{"STUDIO_X=1", "STUDIO_SANDBOX=2", "STUDIO_LOG_LEVEL=3"})
	var e *ConfigError
	if !errors.As(err, &e) || len(e.Lines) != 3 {
		t.Errorf("not one line for each mistake: %v", err)
	}
}

// The studio's own store is never below the directory of the SQLite databases, by whatever name: a connection could open it.
func TestSQLiteDirHoldsNoStore(t *testing.T) {
	root := t.TempDir()
	data, link := filepath.Join(root, "data"), filepath.Join(root, "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	for dir, good := range map[string]bool{
		"/": false, root: false, data: false, data + "/.": false, link: false, filepath.Join(link, "data"): false,
		filepath.Join(data, "databases"): true, filepath.Join(root, "data2"): true, filepath.Join(link, "other"): true,
	} {
		for _, made := range []bool{false, true} {
			if err := os.RemoveAll(data); err != nil {
				t.Fatal(err)
			}
			if made {
				if err := os.Mkdir(data, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			_, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + data, "STUDIO_SQLITE_DIR=" + dir})
			if (err == nil) != good || err != nil && !strings.HasPrefix(err.Error(), "STUDIO_SQLITE_DIR: ") {
				t.Errorf("%s, data directory made: %t: %v", dir, made, err)
			}
		}
	}
}

// A file that others could have written decides nothing; one that others can read is told about.
func TestDotEnv(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	if c, err := LoadConfig(path, []string{"STUDIO_SANDBOX=degraded"}, nil); err != nil || c.Enforce || c.DotEnv != nil {
		t.Fatalf("without a file: %+v %v", c, err)
	}
	if err := os.WriteFile(path, []byte("STUDIO_LOG_LEVEL=debug\nSTUDIO_SANDBOX=degraded # why\nSTUDIO_ADDR=127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(path, []string{"STUDIO_LOG_LEVEL=warn", "STUDIO_ADDR=127.0.0.1:2"}, []string{"STUDIO_ADDR=127.0.0.1:3"})
	if err != nil || c.Enforce || c.LogLevel != slog.LevelWarn || c.Front.TCP != "127.0.0.1:3" || *c.DotEnv != (DotEnv{path, 0o600}) {
		t.Errorf("got %+v %v", c, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadConfig(path, nil, nil); err != nil || c.DotEnv.Mode != 0o640 {
		t.Errorf("readable by the group: %+v %v", c.DotEnv, err)
	}
	for _, mode := range []os.FileMode{0o620, 0o602, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(path, nil, nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(path, nil, nil); err == nil || !strings.Contains(err.Error(), "another user") {
			t.Errorf("of another user: %v", err)
		}
	}
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte("STUDIO_LOG_LEVEL=\"canary"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(path, nil, nil); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("not well formed: %v", err)
	}
}

// What the .env file says is taken as it stands or refused; nothing of it is left out or changed in silence.
func TestDotEnvLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	for name, x := range map[string]struct{ text, says string }{
		"a last line without =":        {"STUDIO_LOG_LEVEL=debug\nSTUDIO_ADMIN_PASSWORD", "each line is NAME=value"},
		"a first line without =":       {"STUDIO_LOG_LEVEL\nSTUDIO_SANDBOX=degraded\n", "each line is NAME=value"},
		"a line without a name":        {"=debug\n", "each line is NAME=value"},
		"text after a quoted value":    {"STUDIO_LOG_LEVEL=\"debug\" canary", "each line is NAME=value"},
		"a variable that is not there": {"STUDIO_DATA_DIR=$HOME/studio\n", "STUDIO_DATA_DIR refers to another variable"},
		"a variable from further down": {"STUDIO_DATA_DIR=/$X\nX=studio\n", "STUDIO_DATA_DIR refers to another variable"},
		"a password with a dollar":     {"STUDIO_ADMIN_USERNAME=ada\nSTUDIO_ADMIN_PASSWORD=canary horse$9 battery\n", "STUDIO_ADMIN_PASSWORD refers to another variable"},
		"too long":                     {"STUDIO_LOG_LEVEL=debug\n#" + strings.Repeat("x", 1<<20) + "\nSTUDIO_SANDBOX=degraded\n", "longer than 1 MiB"},
	} {
		if err := os.WriteFile(path, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadConfig(path, nil, nil); err == nil || !strings.Contains(err.Error(), x.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for text, want := range map[string]string{
		"STUDIO_ADMIN_PASSWORD='a$9 #b'":                        "a$9 #b",
		"STUDIO_ADMIN_PASSWORD=a\\$9b":                          "a$9b",
		"STUDIO_ADMIN_PASSWORD=a$b$\n":                          "a$b$",
		"X=1\nSTUDIO_ADMIN_PASSWORD=a${X}b\n":                   "a1b",
		"export STUDIO_ADMIN_PASSWORD=\"a b\" # why\r\nA=1\r\n": "a b",
		"\n# nothing\n\nSTUDIO_ADMIN_PASSWORD=x\n#":             "x",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(path, nil, []string{"STUDIO_ADMIN_USERNAME=ada"})
		if got, _ := c.AdminPassword.Reveal(); err != nil || got != want {
			t.Errorf("%q: got %q %v, want %q", text, got, err, want)
		}
	}
}

func TestListen(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	a := Address{Variable: "STUDIO_API_ADDR", TCP: taken.Addr().String(), Inner: true}
	moved, err := a.listen(t.Context(), log)
	if err != nil || moved.Addr().String() == a.TCP || !loopback(moved) {
		t.Fatalf("a taken default: %v %v", moved, err)
	}
	defer moved.Close()
	a.Set = true
	if _, err := a.listen(t.Context(), log); err == nil || !strings.HasPrefix(err.Error(), "STUDIO_API_ADDR: ") {
		t.Errorf("a taken address that was set: %v", err)
	}
	path := filepath.Join(t.TempDir(), "s.sock")
	u := Address{Variable: "STUDIO_MCP_ADDR", Unix: path, Set: true}
	first, err := u.listen(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v %v", info.Mode(), err)
	}
	if _, err := u.listen(t.Context(), log); err == nil || !strings.Contains(err.Error(), "somebody listens") {
		t.Errorf("a socket in use: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	again, err := u.listen(t.Context(), log)
	if err != nil {
		t.Fatalf("a socket left behind: %v", err)
	}
	again.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := u.listen(t.Context(), log); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a plain file: %v", err)
	}
}
