package program_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallDisk gives a hunt's data directory a file system of its own, of some kilobytes, in a mount namespace of its own. It returns the
// directory as this process reaches it, and a function that runs mount there. The program must be started through h.under.
func smallDisk(t *testing.T, h *hunt, kilobytes int) (data string, mount func(args ...string)) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("making a small disk needs root: run as root to cover cases 255 and 257 on a real file system")
	}
	for _, tool := range []string{"unshare", "nsenter", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed, so there is no small disk to be had", tool)
		}
	}
	dir := filepath.Join(h.dir, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	holder := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", `mount -t tmpfs -o size="$1"k,mode=700 tmpfs "$0" && echo ready && read end`, dir, fmt.Sprint(kilobytes))
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.stop()
		_ = in.Close()
		_ = holder.Wait()
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Skip("this machine allows no mount in a namespace, so there is no small disk to be had")
	}
	pid := fmt.Sprint(holder.Process.Pid)
	h.under = []string{"nsenter", "--target", pid, "--mount", "--"}
	return filepath.Join("/proc", pid, "root", dir), func(args ...string) {
		t.Helper()
		if b, err := exec.Command(h.under[0], append(h.under[1:], append([]string{"mount"}, args...)...)...).CombinedOutput(); err != nil {
			t.Fatalf("mount %s: %v %s", strings.Join(args, " "), err, b)
		}
	}
}

// TestFullDisk is cases 255 and 257 for the whole program on a real file system that is full: writes are refused with the reason,
// reads go on, what was acknowledged is there after a restart, and writes work again as soon as there is room.
func TestFullDisk(t *testing.T) {
	h := newHunt(t, 11)
	data, mount := smallDisk(t, h, 8<<10)
	code := h.start()
	h.call(201, "POST", "/api/v1/auth/setup", fields{"username": "ada", "password": "correct horse battery 9", "setup_code": code})
	ballast := filepath.Join(data, "ballast")
	fill(t, ballast)
	acknowledged := map[string]bool{}
	refused := 0
	text := strings.Repeat("a long template ", 2000)
	for i := 0; i < 300 && refused < 5; i++ {
		name := fmt.Sprintf("p%d", i)
		status, answer := h.send(t.Context(), "POST", "/api/v1/prompts", fields{"name": name, "description": "d", "template": text}, nil)
		switch {
		case status == 201:
			acknowledged[name] = true
		case status == 503 && strings.Contains(string(answer), "disk of the data directory is full") && strings.Contains(string(answer), `"unavailable"`):
			refused++
		default:
			t.Fatalf("prompt %d: %d %s", i, status, answer)
		}
	}
	if refused == 0 {
		t.Fatalf("the disk never became full, after %d prompts", len(acknowledged))
	}
	h.call(200, "GET", "/api/health", nil)
	h.call(200, "GET", "/api/v1/prompts", nil)
	h.call(503, "POST", "/api/v1/server/encryption/rotate", fields{"password": "correct horse battery 9"})
	if detail := h.call(503, "POST", "/api/v1/sample", nil).text("detail"); !strings.Contains(detail, "databases (") || !strings.Contains(detail, "full") {
		t.Errorf("the sample on a full disk: %s", detail)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	h.call(201, "POST", "/api/v1/prompts", fields{"name": "after", "description": "d", "template": text})
	acknowledged["after"] = true
	h.call(200, "POST", "/api/v1/server/encryption/rotate", fields{"password": "correct horse battery 9"})
	h.stop()
	if log := string(h.said["the log "+h.log]); strings.Contains(log, "panic") {
		t.Errorf("the log: %s", log)
	}
	h.start()
	found := map[string]bool{}
	for skip := 0; skip == 0 || skip < len(acknowledged); skip += 100 {
		items, _ := h.call(200, "GET", fmt.Sprintf("/api/v1/prompts?limit=100&skip=%d", skip), nil)["items"].([]any)
		for _, item := range items {
			p, _ := item.(map[string]any)
			found[fields(p).text("name")] = true
		}
	}
	for name := range acknowledged {
		if !found[name] {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	copied := filepath.Join(h.dir, "copy.db")
	h.run(nil, "", "backup", copied)
	if len(found) != len(acknowledged) {
		t.Errorf("%d prompts are there, %d were acknowledged", len(found), len(acknowledged))
	}
	stick := filepath.Join(h.dir, "stick") // a backup goes to another disk than the data directory's, and that is the one that is full
	if err := os.Mkdir(stick, 0o700); err != nil {
		t.Fatal(err)
	}
	mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", stick)
	for _, says := range []string{"there is no room for the backup in " + stick, "the directory " + stick + " cannot be written"} {
		cmd := h.studio(t.Context(), nil, "backup", filepath.Join(stick, "copy.db"))
		if b, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(b), says) || strings.Contains(string(b), "data directory") {
			t.Errorf("want %q: %v %s", says, err, b)
		}
		mount("-o", "remount,ro", stick)
	}
	h.stop()

	mount("-o", "remount,ro", filepath.Join(h.dir, "data"))
	for _, args := range [][]string{{"serve"}, {"rotate-key", "--generate"}, {"reset-password", "--stdin"}, {"backup", filepath.Join(h.dir, "second.db")}, {"restore", copied}} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		cmd := h.studio(ctx, nil, args...)
		cmd.Stdin = strings.NewReader("another fine staple 4\n")
		b, err := cmd.CombinedOutput()
		cancel()
		if err == nil || !strings.Contains(string(b), "read-only") && !strings.Contains(string(b), "cannot be written") {
			t.Errorf("studio %s on a read-only directory: %v %s", args[0], err, b)
		}
	}
	mount("-o", "remount,rw", filepath.Join(h.dir, "data"))
	h.start()
	h.call(200, "GET", "/api/v1/prompts", nil)
}

// fill takes all the room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return
		}
	}
}
