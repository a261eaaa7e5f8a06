package sandbox

import "testing"

func TestWords(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"whole MiB", sized(512 << 20), "512 MiB"},
		{"not whole", sized(1<<20 + 1), "1048577 bytes"},
		{"nothing", sized(0), "0 bytes"},
		{"one", counted(1, "file", "files"), "1 file"},
		{"none", counted(0, "file", "files"), "0 files"},
		{"an empty root", rootText(Policy{}), "a read-only root with nothing in it"},
		{"a root to read", rootText(Policy{Dirs: []string{"/a"}}), "a read-only root with nothing in it but 1 directory to read"},
		{"a root to write", rootText(Policy{Dirs: []string{"/a", "/b"}, RWFiles: []string{"/a/x-wal", "/a/x-shm"}}),
			"a read-only root with nothing in it but 2 directories to read and 2 files to write"},
		{"files to read", filesText(Policy{Dirs: []string{"/a", "/b"}}), "reads below /a, /b"},
		{"files to write", filesText(Policy{Dirs: []string{"/a"}, RWFiles: []string{"/a/x-wal"}}), "reads below /a; writes to 1 file"},
		{"no mode is none", openText(""), openText(FSNone)},
		{"verified", Verified{Threads: 1, Seccomp: 2, SeccompFilters: 1, NoNewPrivs: true, UID: 7, GID: 8}.String(),
			"read from 1 thread: filtered, no new privileges, no capabilities; uid 7, gid 8, further groups none"},
		{"a capability left", Verified{Threads: 2, Seccomp: 2, SeccompFilters: 1, NoNewPrivs: true, CapPermitted: 1, Groups: []int{4, 5}}.String(),
			"read from 2 threads: seccomp mode 2, no_new_privs true, capabilities 0x1; uid 0, gid 0, further groups 4 5"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}
