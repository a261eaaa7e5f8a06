package sandbox

import (
	"math/bits"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const statusText = "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\nGroups:\t1001 27 \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n" +
	"CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"

func TestParseStatus(t *testing.T) {
	got, err := parseStatus(statusText)
	want := Verified{UID: 1000, GID: 1001, Groups: []int{27}, Seccomp: 2, SeccompFilters: 3, NoNewPrivs: true, CapBounding: 0x1ffffffffff}
	if err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, got))
	}
	for _, field := range []string{"Uid:", "CapEff:", "CapAmb:", "NoNewPrivs:", "Seccomp:"} {
		if _, err := parseStatus(strings.Replace(statusText, field, "Other:", 1)); err == nil {
			t.Errorf("accepted without %s", field)
		}
		if _, err := parseStatus(strings.Replace(statusText, field+"\t", field+"\tz", 1)); err == nil {
			t.Errorf("accepted with a bad %s", field)
		}
	}
	// One of the four uids being root is root.
	if v, err := parseStatus(strings.Replace(statusText, "1000\t1000\t1000\t1000", "1000\t1000\t0\t1000", 1)); err != nil || v.UID != 0 {
		t.Errorf("saved uid 0: %+v %v", v, err)
	}
}

func TestWeakestThreadCounts(t *testing.T) {
	good, err := parseStatus(statusText)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(*Verified){
		"seccomp":      func(v *Verified) { v.Seccomp = 0 },
		"no_new_privs": func(v *Verified) { v.NoNewPrivs = false },
		"capability":   func(v *Verified) { v.CapEffective = 2 },
		"uid":          func(v *Verified) { v.UID = 0 },
	} {
		b := good
		bad(&b)
		for _, merged := range []Verified{weakest(good, b), weakest(b, good)} {
			if _, short := assess([]Layer{{Name: LayerSelfTest, State: StateEnforced}}, merged); len(short) != 1 {
				t.Errorf("%s: short of %v", name, short)
			}
		}
	}
}

// A thread whose status cannot be read, for whatever reason but its end, is not verified, and the others do not count without it.
func TestVerifyOfUnreadableThread(t *testing.T) {
	proc := t.TempDir()
	tasks := filepath.Join(proc, "7", "task")
	for _, thread := range []string{"7", "8", "9"} {
		if err := os.MkdirAll(filepath.Join(tasks, thread), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, thread := range []string{"7", "8"} { // 9 ended between the list and the look
		if err := os.WriteFile(filepath.Join(tasks, thread, "status"), []byte(statusText), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if v := verifyIn(proc, 7); v.Problem != "" || v.Threads != 2 || v.UID != 1000 {
		t.Errorf("got %+v", v)
	}
	if err := os.Mkdir(filepath.Join(tasks, "9", "status"), 0o755); err != nil { // the read fails with EISDIR
		t.Fatal(err)
	}
	if v := verifyIn(proc, 7); !strings.Contains(v.Problem, "task/9/status") {
		t.Errorf("got %+v", v)
	}
}

func TestVerifyOfNobody(t *testing.T) {
	if v := verify(1 << 30); v.Problem == "" {
		t.Errorf("verified a process that does not exist: %s", v)
	}
	if v := verify(os.Getpid()); v.Problem != "" || v.Threads < 1 || v.UID != os.Getuid() {
		t.Errorf("own status: %s", v)
	}
	if residentSize(os.Getpid()) < 1<<20 || residentSize(1<<30) != 0 {
		t.Error("resident size")
	}
}

func TestPickCPUs(t *testing.T) {
	var have unix.CPUSet
	for _, c := range []int{1, 3, 5, 900} {
		have.Set(c)
	}
	for first, want := range map[int][]int{0: {1, 3}, 3: {900, 1}, 7: {900, 1}, -5: {1, 3}} {
		got := pickCPUs(have, 2, first)
		if got.Count() != 2 || !got.IsSet(want[0]) || !got.IsSet(want[1]) {
			t.Errorf("from %d: not %v", first, want)
		}
	}
}

// The decision whether a cgroup may be used is made from files, here laid out as the kernel shows them.
func TestCgroupBase(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		files map[string]string
		self  string
		root  bool
		want  string // of the error; "" is the group itself
	}{
		"no v2":           {nil, "4:memory:/x\n", false, "no cgroup v2"},
		"v1 only for us":  {map[string]string{"cgroup.controllers": ""}, "4:memory:/x\n", false, "no cgroup v2 membership"},
		"no controllers":  {map[string]string{"cgroup.controllers": "", "a/cgroup.controllers": "cpu pids"}, "0::/a\n", false, "memory controller"},
		"not delegated":   {map[string]string{"cgroup.controllers": "memory", "a/cgroup.controllers": "memory"}, "0::/a\n", true, "not delegated"},
		"shared":          {map[string]string{"cgroup.controllers": "", "a/cgroup.controllers": "memory", "a/cgroup.subtree_control": "", "a/cgroup.procs": pid + "\n1\n"}, "0::/a\n", false, "share the group"},
		"prepared before": {map[string]string{"cgroup.controllers": "", "a/cgroup.controllers": "memory", "a/cgroup.subtree_control": "memory pids"}, "0::/a/studio\n", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for f, text := range c.files {
				p := filepath.Join(dir, f)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			self := filepath.Join(t.TempDir(), "cgroup")
			if err := os.WriteFile(self, []byte(c.self), 0o644); err != nil {
				t.Fatal(err)
			}
			h := cgroupHost{mounts: []string{dir}, self: self, rootUID: c.root, studio: []int{os.Getpid()}}
			base, err := h.base()
			if c.want == "" && (err != nil || base != filepath.Join(dir, "a")) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%q, %v", base, err)
			}
			if c.want == "" {
				return
			}
			place := h.confine(os.Getpid(), Policy{})
			if place.layer.State != StateUnavailable || len(place.controls) != 0 || !strings.Contains(place.layer.Detail, c.want) {
				t.Errorf("%+v", place.layer)
			}
			place.remove()
		})
	}
}

// Every capability that the studio or its starter may keep has a name for the admin.
func TestCapabilitiesHaveNames(t *testing.T) {
	for _, keep := range []uint64{starterCapabilities(), parentCapabilities(ParentOptions{}) | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER} {
		if got := capabilityNames(keep); strings.Contains(got, "0x") || strings.Count(got, "CAP_") != bits.OnesCount64(keep) {
			t.Errorf("%#x is told as %s", keep, got)
		}
	}
}
