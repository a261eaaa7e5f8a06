package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uncounted takes memory that neither RLIMIT_DATA nor the resident size knows of. Each says how far it came.
func uncounted(job) (string, error) {
	return "stack: " + stackMemory() + "; page tables: " + pageTables() + "; locks: " + recordLocks() + "; timers: " + timers(), nil
}

// stackMemory is a mapping that the kernel takes for a stack (proc_pid_limits(5) counts those nowhere once they are mapped).
func stackMemory() string {
	_, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_GROWSDOWN|unix.MAP_NORESERVE)
	return verdict(err, "1 GiB mapped")
}

// pageTables maps addresses without memory and reads one byte of every 2 MiB: each takes the kernel a page of 4 KiB for its tables, and
// none of the process's own.
func pageTables() string {
	const piece, step, pieces = 1 << 30, 2 << 20, 64
	sum := byte(0)
	for n := range pieces {
		b, err := unix.Mmap(-1, 0, piece, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err != nil {
			if n < 16 {
				return "bounded"
			}
			return fmt.Sprintf("ESCAPE %d GiB of addresses: %v", n, err)
		}
		for at := 0; at < piece; at += step {
			sum += b[at]
		}
	}
	return fmt.Sprintf("ESCAPE %d GiB of addresses, %d", pieces, sum)
}

// recordLocks puts one on standard input. The kernel keeps an object for each, and has no limit for them (RLIMIT_LOCKS has had no effect
// since Linux 2.4.25, getrlimit(2)).
func recordLocks() string {
	return verdict(unix.FcntlFlock(0, unix.F_SETLK, &unix.Flock_t{Type: unix.F_RDLCK, Start: 0, Len: 1}), "locked")
}

// timers makes as many as it gets. Each is an object of the kernel, with a signal set aside.
func timers() string {
	for n := range 100_000 {
		var id int32
		if _, err := sys(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&id))); err != nil {
			if n < 1000 {
				return "bounded"
			}
			return fmt.Sprintf("ESCAPE %d: %v", n, err)
		}
	}
	return "ESCAPE 100,000"
}

// A child cannot take memory past what bounds it. // case 237
func TestUncountedMemory(t *testing.T) {
	c, l := startTest(t, nil, Policy{MemoryLimit: 64 << 20})
	text, err := l.do(job{Name: "uncounted"})
	if want := "stack: blocked EPERM; page tables: bounded; locks: blocked EPERM; timers: bounded"; err != nil || text != want {
		t.Errorf("got  %s %v\nwant %s", text, err, want)
	}
	if have, ok := c.Verified().Rlimits["as"]; !ok || have > 16<<30 {
		t.Errorf("address space: %d %t", have, ok)
	}
}

// spoil goes for what can be done to a file that one may only read, and to the file system, in the mode that may write the wal-index.
func spoil(j job) (string, error) {
	base, err := unix.Open(j.Targets.Database, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	dir, err := unix.Open(j.Targets.Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	shm, err := unix.Open(j.Targets.Database+"-shm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	const keepSize, much = 1, 256 << 20 // FALLOC_FL_KEEP_SIZE: RLIMIT_FSIZE does not count
	return "mode: " + verdict(unix.Fchmod(base, 0o600), "changed") + "; owner: " + verdict(unix.Fchown(base, os.Getuid(), os.Getgid()), "changed") +
		"; directory: " + verdict(unix.Fchmod(dir, 0o700), "changed") + "; blocks: " + verdict(unix.Fallocate(shm, keepSize, 0, much), "256 MiB of the disk taken"), nil
}

// oneMain is a studio on a machine that refuses what is named in the arguments; its child, which may read a directory and write one
// file in it, does one job.
func oneMain() {
	text, err := one(os.Args[2], os.Args[3:])
	if err != nil {
		text = "error: " + err.Error()
	}
	fmt.Println(text)
}

func one(name string, refused []string) (string, error) {
	top, err := os.MkdirTemp("/tmp", "sandbox-one-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(top)
	base := filepath.Join(top, "base")
	for _, f := range []string{base, base + "-shm"} {
		if err := os.WriteFile(f, []byte("content"), 0o600); err != nil {
			return "", err
		}
	}
	for _, what := range refused {
		if err := refuse(refusals()[what]...); err != nil {
			return "", err
		}
	}
	o, l, err := testOptions(Policy{FS: FSROShm, Dirs: []string{top}, RWFiles: []string{base + "-shm"}})
	if err != nil {
		return "", err
	}
	defer l.conn.Close()
	c, err := Start(context.Background(), o)
	if err != nil {
		return "", err
	}
	defer c.Exit()
	defer c.Kill("over")
	return l.do(job{Name: name, Targets: targets{Dir: top, Database: base}})
}

// A child with an SQLite database in WAL mode may write the wal-index and nothing else: no mode, no owner, no block of the disk beyond
// RLIMIT_FSIZE. Where there is no private root, which is read-only, nothing but the filter stands before that: Landlock does not know
// these calls. // case 228
func TestSpoil(t *testing.T) {
	needThreads(t)
	for _, refused := range [][]string{nil, {"namespaces"}} {
		out, err := asUser(t.Context(), append([]string{"sandbox-one", "spoil"}, refused...)...).CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, out)
		}
		want := "mode: blocked EPERM; owner: blocked EPERM; directory: blocked EPERM; blocks: blocked EPERM"
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("refused %v\ngot  %s\nwant %s", refused, got, want)
		}
	}
}
