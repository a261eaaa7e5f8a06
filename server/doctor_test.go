package server

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"mcpstudio/server/doctor"
	"mcpstudio/store/db"
)

// The studio's user is that of the process that runs, else of its files; whoever asks is neither.
func TestStudioUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root looks after the studio of another user")
	}
	const other = 2000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait() // it was killed
	defer cancel()
	for name, c := range map[string]struct {
		pid     string
		ofFiles *int
		want    int
	}{
		"it runs":              {strconv.Itoa(cmd.Process.Pid), new(3000), other},
		"it runs as root":      {strconv.Itoa(os.Getpid()), new(3000), 0},
		"it does not run":      {"", new(3000), 3000},
		"it runs out of sight": {"4194399", new(3000), 3000}, // above the highest number of a process
		"there is nothing yet": {"", nil, 0},
	} {
		if got := studioUser(c.pid, c.ofFiles); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// Asked by root, the checklist is about the studio of the user that the data directory is of.
func TestDoctorOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root looks after the studio of another user")
	}
	dir := t.TempDir()
	for uid, root := range map[int]bool{0: true, 2000: false} {
		if err := os.Chown(dir, uid, uid); err != nil {
			t.Fatal(err)
		}
		c, err := ConfigFromEnv([]string{"STUDIO_DATA_DIR=" + dir})
		if err != nil {
			t.Fatal(err)
		}
		facts := hostFacts(c)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that no child is started: it is not what this is about
		examine(ctx, c, &doctor.Surroundings{}, &facts)
		if facts.Root != root || (facts.Observer == nil) != root || facts.Observer != nil && *facts.Observer != 0 {
			t.Errorf("of uid %d: root %t, observer %v", uid, facts.Root, facts.Observer)
		}
	}
}

// The holder of the lock is named by the kernel, not by what is in the file: in a container a process has another number.
func TestLockHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), db.LockName)
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if running, _ := lockHolder(path); running == nil || *running {
		t.Errorf("nobody holds it: %v", running)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if running, pid := lockHolder(path); running == nil || !*running || pid != strconv.Itoa(os.Getpid()) {
		t.Errorf("running %v, pid %q", running, pid)
	}
}
