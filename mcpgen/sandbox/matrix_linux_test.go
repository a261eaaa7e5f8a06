package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// matrixFile is the committed result of the last `make sandbox`.
const matrixFile = "../../docs/sandbox-matrix.md"

// matrixMode is one way in which the studio is run.
type matrixMode struct {
	name     string
	c        container
	landlock bool
	level    Level
}

// highest is the level of a studio that loses nothing: an older Landlock is partial, and costs the last step.
func highest() Level {
	if abi, err := llsyscall.LandlockGetABIVersion(); err != nil || abi < abiScoped {
		return LevelStrong
	}
	return LevelFull
}

func matrixModes() []matrixMode {
	return []matrixMode{
		{"root", container{Root: true, Bare: true}, true, highest()},
		{"user", container{Bare: true}, true, highest()},
		{"docker root", container{Root: true}, true, LevelStrong},
		{"docker user", container{}, true, LevelStrong},
		{"root, no Landlock", container{Root: true, Bare: true}, false, LevelDegraded},
		{"user, no Landlock", container{Bare: true}, false, LevelDegraded},
		{"docker root, no Landlock", container{Root: true}, false, LevelDegraded},
		{"docker user, no Landlock", container{}, false, LevelDegraded},
	}
}

// run tries the catalogue in file mode fs with a studio as the product starts it. refused is why no child was let in.
func (m matrixMode) run(t *testing.T, fs FSMode) (r harnessReport, refused string) {
	t.Helper()
	c := m.c
	c.Harness = harnessConfig{FS: fs, Studio: true}
	switch {
	case !c.Bare:
		c.Program = dockerProgram(t, m.landlock)
	case !m.landlock:
		var err error
		a := arch{audit: auditArch, x32: x32Calls, numbers: systemCalls()}
		if c.Program, err = assemble(refusals()["landlock"], actAllow, a); err != nil {
			t.Fatal(err)
		}
	}
	r = runContainer(t, c)
	if r.Error != "" && strings.Contains(r.Error, "below the minimum") {
		return r, r.Error
	}
	if r.Error != "" {
		t.Fatalf("%s %s: %s", m.name, fs, r.Error)
	}
	return r, ""
}

// runContainer runs the harness as c says.
func runContainer(t *testing.T, c container) (r harnessReport) {
	t.Helper()
	in, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "sandbox-docker")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return r
}

// tally counts outcomes.
type tally struct{ tried, refused, killed, bounded, escaped int }

func count(fs FSMode, r harnessReport) (n tally) {
	for _, a := range attacks() {
		switch outcome(a, fs, r.Results[a.name]) {
		case outcomeSkipped:
			continue
		case outcomeEscaped, outcomeLet:
			n.escaped++
		case outcomeKilled:
			n.killed++
		case outcomeBounded:
			n.bounded++
		default:
			n.refused++
		}
		n.tried++
	}
	return n
}

// TestMatrix tries every attack in every way of running and every file mode, with the studio as the product starts it, and
// without a sandbox for comparison. STUDIO_SANDBOX_MATRIX names the file to write the result to. // case 227, 228, 229, 230, 237
func TestMatrix(t *testing.T) {
	needThreads(t)
	to := os.Getenv("STUDIO_SANDBOX_MATRIX")
	if to == "" {
		t.Skip("STUDIO_SANDBOX_MATRIX is not set: run through make sandbox")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can run the studio in every way: as root, as an ordinary user, and the way a container runtime does")
	}
	control := harness(t, asUser(t.Context(), harnessArgs(t, harnessConfig{FS: FSNone, Naked: true})...))
	cells := map[string][]string{}
	for _, a := range attacks() {
		switch got := outcome(a, FSNone, control.Results[a.name]); got {
		case outcomeEscaped:
			cells[a.name] = []string{"works"}
		case outcomeSkipped:
			cells[a.name] = []string{"not tried"}
		default:
			cells[a.name] = []string{"fails here too"}
		}
	}
	var sums []string
	for _, m := range matrixModes() {
		for _, fs := range []FSMode{FSNone, FSRO, FSROShm} {
			r, refused := m.run(t, fs)
			if refused != "" {
				if m.landlock || fs == FSNone || m.c.Bare {
					t.Errorf("%s %s: %s", m.name, fs, refused)
				}
				sums = append(sums, fmt.Sprintf("| %s | %s | the studio refuses to start a child: nothing would tell one file from another | | | | | |", m.name, fs))
				continue
			}
			checkBlocked(t, harnessConfig{FS: fs}, r)
			if r.Level != m.level {
				t.Errorf("%s %s: level %s, want %s", m.name, fs, r.Level, m.level)
			}
			n := count(fs, r)
			sums = append(sums, fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d | %d |", m.name, fs, r.Level, n.tried, n.refused, n.killed, n.bounded, n.escaped))
			if fs == FSNone {
				for _, a := range attacks() {
					cells[a.name] = append(cells[a.name], outcome(a, fs, r.Results[a.name]))
				}
			}
			t.Logf("%-26s %-6s %-9s %d tried, %d escaped", m.name, fs, r.Level, n.tried, n.escaped)
		}
	}
	if err := os.WriteFile(to, matrixText(sums, cells, count(FSNone, control)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func matrixText(sums []string, cells map[string][]string, control tally) []byte {
	var b bytes.Buffer
	var u unix.Utsname
	_ = unix.Uname(&u) // cannot fail
	release := regexp.MustCompile(`^[0-9]+\.[0-9]+`).FindString(unix.ByteSliceToString(u.Release[:]))
	fmt.Fprintf(&b, `# The sandbox under attack

Written by `+"`make sandbox`"+`; not edited by hand. Linux %s, %s.

Each attack is tried by a child that the test program confines with the real policy, started as the product starts it: by a starter, below a studio that has confined itself. "docker" is
Docker's default system call profile (github.com/moby/profiles) with its default capabilities, put on the way its runtime does; no container engine was running. "No Landlock" is a kernel
that answers ENOSYS to its calls. File modes: none (no SQLite connection), ro (SQLite files readable), roshm (the -shm files writable too).

* An error name: the call was refused with it. *killed*: the system call filter ended the child (SIGSYS). *bounded*: a resource came to an end that was the child's own.
* Without a sandbox, as an ordinary user: %d of the %d attacks tried work, which shows that they have teeth. "not tried" would harm the machine or needs root; "fails here too" needs
  something this user or this kernel does not have.

## Sums

| studio runs as | files | level | tried | refused | killed | bounded | escaped |
|---|---|---|---|---|---|---|---|
%s
`, release, runtime.GOARCH, control.escaped-letIn(cells), control.tried, strings.Join(sums, "\n"))
	var names []string
	for _, m := range matrixModes() {
		names = append(names, m.name)
	}
	for _, g := range attackGroups() {
		fmt.Fprintf(&b, "\n## %s\n\n| attack | no sandbox | %s |\n|---|---|%s\n", g.name, strings.Join(names, " | "), strings.Repeat("---|", len(names)))
		for _, a := range g.attacks {
			fmt.Fprintf(&b, "| %s | %s |\n", a.name, strings.Join(cells[a.name], " | "))
		}
	}
	return b.Bytes()
}

// letIn counts what count takes for an escape and is none in the control run: a call that was let in and failed for its arguments.
func letIn(cells map[string][]string) (n int) {
	for _, c := range cells {
		if c[0] == "fails here too" {
			n++
		}
	}
	return n
}

// The committed matrix names exactly the attacks there are, in every mode, and no escape.
func TestMatrixIsCurrent(t *testing.T) {
	text, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(f) != len(matrixModes())+2 || f[0] == " attack" {
			continue
		}
		got = append(got, strings.TrimSpace(f[0]))
		for i, cell := range f[2:] {
			if cell = strings.TrimSpace(cell); cell == outcomeEscaped || cell == outcomeLet || cell == outcomeSkipped || cell == "" {
				t.Errorf("%s, %s: %q", f[0], matrixModes()[i].name, cell)
			}
		}
	}
	for _, a := range attacks() {
		want = append(want, a.name)
	}
	if runtime.GOARCH != "amd64" { // the committed one was made there, where there are more system call tables
		want = slices.DeleteFunc(want, func(n string) bool { return !slices.Contains(got, n) })
		got = slices.DeleteFunc(got, func(n string) bool { return !slices.Contains(want, n) })
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s does not name the attacks there are: run make sandbox\nin the file: %q\nin the code: %q", matrixFile, got, want)
	}
}
