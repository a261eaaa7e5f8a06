package sandbox

import (
	"encoding/binary"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// seccompData is one system call as the kernel shows it to a filter.
type seccompData struct {
	nr, arch uint32
	args     [6]uint64
}

// interpret runs a program the way the kernel does, for the instructions the assembler emits.
func interpret(t *testing.T, prog []unix.SockFilter, d seccompData) uint32 {
	t.Helper()
	mem := make([]byte, 64)
	binary.LittleEndian.PutUint32(mem[0:], d.nr)
	binary.LittleEndian.PutUint32(mem[4:], d.arch)
	for i, a := range d.args {
		binary.LittleEndian.PutUint64(mem[16+8*i:], a)
	}
	var acc uint32
	for pc := 0; ; pc++ {
		if pc >= len(prog) {
			t.Fatal("the program runs off its end")
		}
		in := prog[pc]
		choose := func(b bool) {
			if b {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
		switch in.Code {
		case codeLoad:
			acc = binary.LittleEndian.Uint32(mem[in.K:])
		case codeAnd:
			acc &= in.K
		case codeJumpEq:
			choose(acc == in.K)
		case codeJumpGe:
			choose(acc >= in.K)
		case codeReturn:
			return in.K
		default:
			t.Fatalf("instruction %#x", in.Code)
		}
	}
}

// machine is a filter for one architecture.
type machine struct {
	arch
	foreign []uint32 // other architectures
}

// xsysNumbers reads the table golang.org/x/sys generated from the kernel headers for an architecture.
func xsysNumbers(t *testing.T, goarch string) map[string]uint32 {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), filepath.Join(runtime.GOROOT(), "bin", "go"), "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatalf("find golang.org/x/sys: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_"+goarch+".go"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint32{}
	for _, m := range regexp.MustCompile(`SYS_([A-Z0-9_]+)\s*=\s*(\d+)`).FindAllStringSubmatch(string(b), -1) {
		n, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		numbers[strings.ToLower(m[1])] = uint32(n)
	}
	return numbers
}

// ourNames reads the calls of a table in this package, checking that each name stands for the constant of that name.
func ourNames(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		kv, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		name, err := strconv.Unquote(kv.Key.(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if c := kv.Value.(*ast.SelectorExpr).Sel.Name; c != "SYS_"+strings.ToUpper(name) {
			t.Errorf("%s: %s stands for %s", file, name, c)
		}
		names = append(names, name)
		return true
	})
	return names
}

func machines(t *testing.T) map[string]machine {
	t.Helper()
	all := map[string]machine{}
	for goarch, m := range map[string]machine{
		"amd64": {arch{audit: unix.AUDIT_ARCH_X86_64, x32: true}, []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64}},
		"arm64": {arch{audit: unix.AUDIT_ARCH_AARCH64}, []uint32{unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_X86_64}},
	} {
		header := xsysNumbers(t, goarch)
		m.numbers = map[string]uint32{}
		for _, name := range append(ourNames(t, "sysnr_linux.go"), ourNames(t, "sysnr_"+goarch+".go")...) {
			nr, ok := header[name]
			if !ok {
				t.Fatalf("%s: no call %s", goarch, name)
			}
			m.numbers[name] = nr
		}
		all[goarch] = m
	}
	return all
}

// Every call a rule names exists on amd64, so a misspelt one is caught; on arm64 only old forms are missing.
func TestEveryRuleHasANumber(t *testing.T) {
	all := machines(t)
	old := map[string]bool{}
	for _, n := range ourNames(t, "sysnr_amd64.go") {
		old[n] = true
	}
	used := map[string]bool{}
	for _, fs := range []FSMode{FSNone, FSRO, FSROShm} {
		for _, r := range childRules(fs, 1) {
			used[r.name] = true
			if _, ok := all["amd64"].numbers[r.name]; !ok {
				t.Errorf("no number for %s", r.name)
			}
			if _, ok := all["arm64"].numbers[r.name]; !ok && !old[r.name] {
				t.Errorf("arm64: no number for %s", r.name)
			}
		}
	}
	for name := range all["amd64"].numbers {
		if !used[name] {
			t.Errorf("no rule uses %s", name)
		}
	}
	if m := all[runtime.GOARCH]; m.audit != auditArch || m.x32 != x32Calls {
		t.Errorf("constants of %s are wrong", runtime.GOARCH)
	}
	for name, nr := range systemCalls() {
		if all[runtime.GOARCH].numbers[name] != nr {
			t.Errorf("%s is %d, not %d", name, all[runtime.GOARCH].numbers[name], nr)
		}
	}
}

// filterCheck is a call and what the filter must say to it.
type filterCheck struct {
	name string
	args [6]uint64
	want uint32
}

const (
	filterPID = 42      // the process the filter is made for
	high      = 1 << 32 // rubbish in the half of a register the kernel ignores for an int
)

// commonChecks hold in every file mode.
func commonChecks() []filterCheck {
	eperm, eacces := actErrno(unix.EPERM), actErrno(unix.EACCES)
	return []filterCheck{
		{"read", [6]uint64{}, actAllow},
		{"execve", [6]uint64{}, actKill},
		{"io_uring_setup", [6]uint64{}, actKill},
		{"clone3", [6]uint64{}, actErrno(unix.ENOSYS)},
		{"sendfile", [6]uint64{}, actErrno(unix.EINVAL)},
		{"ioctl", [6]uint64{}, actErrno(unix.ENOTTY)},
		{"sendto", [6]uint64{3, 1, 1, 0, 0, 0}, actAllow},
		{"sendto", [6]uint64{3, 1, 1, unix.MSG_NOSIGNAL, 0, 0}, actAllow},
		{"sendto", [6]uint64{3, 1, 1, 0, 0x1000, 16}, eperm},
		{"sendto", [6]uint64{3, 1, 1, 0, high, 16}, eperm}, // a pointer counts whole
		{"sendto", [6]uint64{3, 1, 1, unix.MSG_FASTOPEN, 0, 0}, eperm},
		{"sendto", [6]uint64{3, 1, 1, unix.MSG_FASTOPEN | high, 0, 0}, eperm},
		{"sendmsg", [6]uint64{3, 1, unix.MSG_FASTOPEN | unix.MSG_NOSIGNAL}, eperm},
		{"sendmsg", [6]uint64{3, 1, high}, actAllow},
		{"tgkill", [6]uint64{filterPID, 1, 23}, actAllow},
		{"tgkill", [6]uint64{filterPID | high, 1, 23}, actAllow},
		{"tgkill", [6]uint64{1, 1, 9}, eperm},
		{"mmap", [6]uint64{0, 4096, unix.PROT_READ, unix.MAP_PRIVATE | unix.MAP_ANON}, actAllow},
		{"mmap", [6]uint64{0, 4096, unix.PROT_READ, unix.MAP_SHARED}, actAllow},
		{"mmap", [6]uint64{0, 4096, unix.PROT_READ, unix.MAP_SHARED | unix.MAP_ANON}, eperm},
		{"mmap", [6]uint64{0, 4096, unix.PROT_READ, unix.MAP_SHARED_VALIDATE | unix.MAP_ANON}, eperm},
		{"mmap", [6]uint64{0, 4096, unix.PROT_READ, unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_GROWSDOWN}, eperm},
		{"mmap", [6]uint64{0, 2 << 20, unix.PROT_READ, unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_HUGETLB}, eperm},
		{"mmap", [6]uint64{0, 4096, unix.PROT_EXEC, unix.MAP_PRIVATE | unix.MAP_ANON}, eperm},
		{"mmap", [6]uint64{0, 4096, unix.PROT_EXEC | high, unix.MAP_PRIVATE}, eperm},
		{"mprotect", [6]uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}, actAllow},
		{"mprotect", [6]uint64{0, 4096, unix.PROT_EXEC}, eperm},
		{"clone", [6]uint64{0x50f00}, actAllow},
		{"clone", [6]uint64{0xd0f00}, actAllow},
		{"clone", [6]uint64{uint64(unix.SIGCHLD)}, eperm},
		{"clone", [6]uint64{0x50f00 | unix.CLONE_NEWUSER}, eperm},
		{"clone", [6]uint64{0x50f00 | high}, eperm},
		{"fcntl", [6]uint64{3, unix.F_DUPFD_CLOEXEC}, actAllow},
		{"fcntl", [6]uint64{3, unix.F_SETOWN}, eperm},
		{"fcntl", [6]uint64{3, unix.F_SETPIPE_SZ}, eperm},
		{"prctl", [6]uint64{unix.PR_SET_VMA}, actAllow},
		{"prctl", [6]uint64{unix.PR_SET_DUMPABLE, 1}, eperm},
		{"prctl", [6]uint64{unix.PR_SET_PDEATHSIG}, eperm},
		{"prlimit64", [6]uint64{0, unix.RLIMIT_NOFILE, 0, 1}, actAllow},
		{"prlimit64", [6]uint64{0, unix.RLIMIT_NOFILE, 1, 0}, eperm},
		{"prlimit64", [6]uint64{7, unix.RLIMIT_NOFILE, 0, 1}, eperm},
		{"setsockopt", [6]uint64{3, unix.IPPROTO_TCP, unix.TCP_NODELAY}, actAllow},
		{"setsockopt", [6]uint64{3, unix.SOL_SOCKET, unix.SO_KEEPALIVE}, actAllow},
		{"setsockopt", [6]uint64{3, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER}, eperm},
		{"setsockopt", [6]uint64{3, unix.IPPROTO_TCP, unix.TCP_ULP}, eperm},
		{"setsockopt", [6]uint64{3, unix.IPPROTO_IP, unix.TCP_NODELAY}, eperm},
		{"shutdown", [6]uint64{3, unix.SHUT_WR}, actAllow},
		{"shutdown", [6]uint64{3, unix.SHUT_RDWR}, eperm},
		{"mkdirat", [6]uint64{}, eacces},
		{"openat2", [6]uint64{}, eacces},
	}
}

// modeChecks are those of one file mode.
func modeChecks() map[FSMode][]filterCheck {
	eacces, eperm := actErrno(unix.EACCES), actErrno(unix.EPERM)
	const rdonly, write, create = unix.O_RDONLY | unix.O_CLOEXEC, unix.O_RDWR, unix.O_CREAT | unix.O_WRONLY
	return map[FSMode][]filterCheck{
		FSNone: {{"openat", [6]uint64{0, 1, rdonly}, eacces}, {"newfstatat", [6]uint64{}, eacces}, {"fcntl", [6]uint64{3, unix.F_SETLK}, eperm}},
		FSRO: {{"openat", [6]uint64{0, 1, rdonly}, actAllow}, {"openat", [6]uint64{0, 1, write}, eacces}, {"openat", [6]uint64{0, 1, create}, eacces},
			{"openat", [6]uint64{0, 1, unix.O_TMPFILE | unix.O_DIRECTORY}, eacces}, {"openat", [6]uint64{0, 1, unix.O_DIRECTORY}, actAllow},
			{"openat", [6]uint64{0, 1, unix.O_TRUNC | high}, eacces}, {"open", [6]uint64{1, rdonly}, actAllow}, {"open", [6]uint64{1, write}, eacces}, {"fcntl", [6]uint64{3, unix.F_SETLK}, actAllow}},
		FSROShm: {{"openat", [6]uint64{0, 1, write}, actAllow}, {"ftruncate", [6]uint64{}, actAllow}, {"unlinkat", [6]uint64{}, eacces}, {"renameat2", [6]uint64{}, eacces},
			{"fcntl", [6]uint64{3, unix.F_SETLK}, actAllow}},
	}
}

func TestFilter(t *testing.T) {
	eperm := actErrno(unix.EPERM)
	for goarch, m := range machines(t) {
		header := xsysNumbers(t, goarch)
		for fs, own := range modeChecks() {
			prog, err := assemble(childRules(fs, filterPID), eperm, m.arch)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range append(commonChecks(), own...) {
				nr, ok := m.numbers[c.name]
				if !ok {
					continue // an old form arm64 does not have
				}
				if got := interpret(t, prog, seccompData{nr, m.audit, c.args}); got != c.want {
					t.Errorf("%s %s %s%x: %#x, want %#x", goarch, fs, c.name, c.args, got, c.want)
				}
				for _, foreign := range m.foreign {
					if got := interpret(t, prog, seccompData{nr, foreign, c.args}); got != actKill {
						t.Errorf("%s %s %s by architecture %#x: %#x", goarch, fs, c.name, foreign, got)
					}
				}
				if got := interpret(t, prog, seccompData{nr | x32Bit, m.audit, c.args}); m.x32 && got != actKill || !m.x32 && got != eperm {
					t.Errorf("%s %s %s with the x32 bit: %#x", goarch, fs, c.name, got)
				}
			}
			// What must not be there at all, and every number nobody has named.
			for _, name := range []string{"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "kill", "tkill", "dup3", "sendmmsg", "truncate", "vmsplice", "shmget", "fchmod", "fchown", "fallocate"} {
				if got := interpret(t, prog, seccompData{nr: header[name], arch: m.audit}); header[name] == 0 || got != eperm {
					t.Errorf("%s %s %s (%d): %#x", goarch, fs, name, header[name], got)
				}
			}
			named := map[uint32]bool{}
			for _, nr := range m.numbers {
				named[nr] = true
			}
			for nr := range uint32(1000) {
				if got := interpret(t, prog, seccompData{nr: nr, arch: m.audit}); !named[nr] && got != eperm {
					t.Errorf("%s %s call %d: %#x", goarch, fs, nr, got)
				}
			}
		}
	}
}

func TestAssembleRefuses(t *testing.T) {
	a := arch{audit: auditArch, numbers: map[string]uint32{"read": 0}}
	long := rule{name: "read", act: actAllow, alts: make([][]cond, 100)}
	for i := range long.alts {
		long.alts[i] = []cond{equal(0, uint64(i))}
	}
	if _, err := assemble([]rule{{name: "read"}, {name: "read"}}, 0, a); err == nil {
		t.Error("two rules for one call")
	}
	if _, err := assemble([]rule{long}, 0, a); err == nil {
		t.Error("a rule longer than a jump")
	}
}
