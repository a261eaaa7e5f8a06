package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	moby "github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// container is what the container runtime does before it runs the studio.
type container struct {
	Program []unix.SockFilter `json:"program"`
	Root    bool              `json:"root"`    // the image's user is root
	DropAll bool              `json:"dropall"` // --cap-drop=ALL
	Bare    bool              `json:"bare"`    // no container: the program alone, capabilities as they are
	Harness harnessConfig     `json:"harness"`
}

// dockerCaps are the capabilities of a default container (moby, oci/caps/defaults.go).
func dockerCaps() map[string]uint {
	return map[string]uint{
		"CAP_CHOWN": unix.CAP_CHOWN, "CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE, "CAP_FSETID": unix.CAP_FSETID, "CAP_FOWNER": unix.CAP_FOWNER,
		"CAP_MKNOD": unix.CAP_MKNOD, "CAP_NET_RAW": unix.CAP_NET_RAW, "CAP_SETGID": unix.CAP_SETGID, "CAP_SETUID": unix.CAP_SETUID,
		"CAP_SETFCAP": unix.CAP_SETFCAP, "CAP_SETPCAP": unix.CAP_SETPCAP, "CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE,
		"CAP_SYS_CHROOT": unix.CAP_SYS_CHROOT, "CAP_KILL": unix.CAP_KILL, "CAP_AUDIT_WRITE": unix.CAP_AUDIT_WRITE,
	}
}

// containerMain confines itself as a container is, and becomes the harness.
func containerMain() {
	var c container
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		panic(err)
	}
	config, err := json.Marshal(c.Harness)
	if err != nil {
		panic(err)
	}
	runtime.LockOSThread() // everything below is for the thread that executes
	var mask uint64
	if !c.DropAll {
		for _, n := range dockerCaps() {
			mask |= 1 << n
		}
	}
	for n := range uint(41) {
		if mask&(1<<n) == 0 && !c.Bare {
			check(unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(n), 0, 0, 0))
		}
	}
	if len(c.Program) > 0 {
		check(installFilter(c.Program)) // before the capabilities go, as runc does
	}
	if c.Root && c.Bare {
		check(syscall.Exec("/proc/self/exe", []string{"sandbox.test", "sandbox-harness", string(config)}, []string{"PATH=/usr/bin:/bin"}))
	}
	if c.Root {
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		d := [2]unix.CapUserData{{Effective: uint32(mask), Permitted: uint32(mask)}, {Effective: uint32(mask >> 32), Permitted: uint32(mask >> 32)}}
		check(unix.Capset(&h, &d[0]))
	} else {
		for _, s := range [][4]uintptr{{unix.SYS_SETGROUPS}, {unix.SYS_SETRESGID, ordinaryUID, ordinaryUID, ordinaryUID}, {unix.SYS_SETRESUID, ordinaryUID, ordinaryUID, ordinaryUID}} {
			if _, _, e := syscall.RawSyscall(s[0], s[1], s[2], s[3]); e != 0 {
				panic(e)
			}
		}
	}
	check(syscall.Exec("/proc/self/exe", []string{"sandbox.test", "sandbox-harness", string(config)}, []string{"PATH=/usr/bin:/bin"}))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// dockerProgram assembles Docker's default profile. Landlock is left out on request, as on an older kernel.
func dockerProgram(t *testing.T, landlock bool) []unix.SockFilter {
	t.Helper()
	caps := dockerCaps()
	hasCap := func(c string) bool { _, ok := caps[c]; return ok }
	byName := map[string]*rule{}
	var order []string
	for _, sc := range moby.DefaultProfile().Syscalls {
		if x := sc.Excludes; x != nil && (slices.ContainsFunc(x.Caps, hasCap) || slices.Contains(x.Arches, runtime.GOARCH)) {
			continue
		}
		if in := sc.Includes; in != nil && (slices.ContainsFunc(in.Caps, func(c string) bool { return !hasCap(c) }) || len(in.Arches) > 0 && !slices.Contains(in.Arches, runtime.GOARCH)) {
			continue
		}
		act := actErrno(unix.EPERM)
		if sc.ErrnoRet != nil {
			act = actErrno(unix.Errno(*sc.ErrnoRet))
		}
		if sc.Action == specs.ActAllow {
			act = actAllow
		}
		for _, name := range sc.Names {
			own := act
			if !landlock && strings.HasPrefix(name, "landlock_") {
				own = actErrno(unix.ENOSYS)
			}
			r := byName[name]
			if r == nil {
				byName[name] = &rule{name: name, act: own, other: actErrno(unix.EPERM), alts: dockerAlternatives(t, sc.Args)}
				order = append(order, name)
				continue
			}
			if len(sc.Args) == 0 || len(r.alts) == 0 {
				r.act, r.alts = own, nil
				continue
			}
			r.alts = append(r.alts, dockerAlternatives(t, sc.Args)...)
		}
	}
	rules := make([]rule, len(order))
	for i, name := range order {
		rules[i] = *byName[name]
	}
	prog, err := assemble(rules, actErrno(unix.EPERM), arch{audit: auditArch, x32: x32Calls, numbers: xsysNumbers(t, runtime.GOARCH)})
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// dockerAlternatives are the conditions of one entry; comparisons of a socket's domain are written out.
func dockerAlternatives(t *testing.T, args []specs.LinuxSeccompArg) [][]cond {
	t.Helper()
	var alt []cond
	for _, a := range args {
		arg := int(a.Index)
		switch a.Op {
		case specs.OpEqualTo:
			alt = append(alt, equalInt(arg, a.Value))
		case specs.OpMaskedEqual:
			alt = append(alt, cond{arg: arg, op: opMasked, mask: a.Value, value: a.ValueTwo})
		case specs.OpLessThan, specs.OpGreaterThan:
			var domains []uint64
			for d := range uint64(unix.AF_MAX) {
				if a.Op == specs.OpLessThan && d < a.Value || a.Op == specs.OpGreaterThan && d > a.Value {
					domains = append(domains, d)
				}
			}
			return anyInt(arg, domains...)
		default:
			t.Fatalf("comparison %s", a.Op)
		}
	}
	if alt == nil {
		return nil
	}
	return [][]cond{alt}
}

// TestContainer runs the catalogue below Docker's real default profile, where user namespaces are refused. // case 230
func TestContainer(t *testing.T) {
	needThreads(t)
	if os.Getuid() != 0 {
		t.Skip("only root can confine itself the way a container runtime does")
	}
	for _, c := range []struct {
		name     string
		c        container
		landlock bool
		level    Level
		refused  string
	}{
		{"root", container{Root: true}, true, LevelStrong, ""},
		{"ordinary user", container{}, true, LevelStrong, ""},
		{"ordinary user, no capability", container{DropAll: true}, true, LevelStrong, ""},
		{"ordinary user, reading files", container{Harness: harnessConfig{FS: FSRO}}, true, LevelStrong, ""},
		{"root, writing the wal-index", container{Root: true, Harness: harnessConfig{FS: FSROShm}}, true, LevelStrong, ""},
		{"without Landlock", container{}, false, LevelDegraded, ""},
		// Without Landlock and namespaces nothing tells one file from another.
		{"without Landlock, reading files", container{Harness: harnessConfig{FS: FSRO}}, false, "", "self_test is missing"},
		{"root without capabilities", container{Root: true, DropAll: true}, true, "", "CAP_SETUID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.c.Program = dockerProgram(t, c.landlock)
			if c.c.Harness.FS == "" {
				c.c.Harness.FS = FSNone
			}
			r := runContainer(t, c.c)
			if c.refused != "" {
				if !strings.Contains(r.Error, c.refused) {
					t.Errorf("not refused: %q", r.Error)
				}
				return
			}
			if r.Error != "" {
				t.Fatal(r.Error)
			}
			logLayers(t, r)
			checkBlocked(t, c.c.Harness, r)
			if r.Level != c.level || r.Verified.SeccompFilters < 2 {
				t.Errorf("level %s, want %s, below %d filters", r.Level, c.level, r.Verified.SeccompFilters)
			}
			for _, l := range r.Layers {
				if l.Name == LayerNamespaces && (l.State != StateUnavailable || !strings.Contains(l.Detail, "operation not permitted")) {
					t.Errorf("namespaces in a container: %+v", l)
				}
			}
			if got, want := r.UID, ordinaryUID; !c.c.Root && got != want {
				t.Errorf("harness ran as %d", got)
			}
			if c.c.Root && (r.Verified.UID < FirstUID || fmt.Sprint(r.Verified.Groups) != "[]") {
				t.Errorf("child of root: %s", r.Verified)
			}
		})
	}
}
