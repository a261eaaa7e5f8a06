package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const unitFile = "../../docs/systemd/studio.service"

// directives reads the settings of the unit, the last of each name.
func directives(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Za-z]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		found[m[1]] = m[2]
	}
	return found
}

// systemCallSet spells out a group of systemd's, as systemd itself tells it.
func systemCallSet(t *testing.T, group string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "--no-pager", "syscall-filter", group).Output()
	if err != nil {
		t.Fatalf("systemd-analyze syscall-filter %s: %v", group, err)
	}
	var names []string
	for _, line := range strings.Split(string(out), "\n")[1:] {
		switch name := strings.TrimSpace(line); {
		case name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(name, "@"):
			names = append(names, systemCallSet(t, name)...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// TestSystemdUnit: systemd accepts the unit, and below its system call filter a child of an ordinary user loses no layer.
func TestSystemdUnit(t *testing.T) {
	needThreads(t)
	unit := directives(t)
	for _, off := range []string{"RestrictNamespaces", "ProtectProc", "ProtectControlGroups", "PrivateUsers"} {
		if v, set := unit[off]; set {
			t.Errorf("%s=%s takes something from the children", off, v)
		}
	}
	for name, want := range map[string]string{"OOMPolicy": "continue", "KillMode": "mixed", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "LimitCORE": "0"} {
		if got, set := unit[name]; !set || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(unit["Delegate"], "memory") || !strings.Contains(unit["RestrictAddressFamilies"], "AF_NETLINK") {
		t.Errorf("Delegate=%s, RestrictAddressFamilies=%s", unit["Delegate"], unit["RestrictAddressFamilies"])
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed: the unit is not checked by systemd")
	}
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "studio.service") // with a program that exists
	if err := os.WriteFile(copied, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/studio", "/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", copied).CombinedOutput(); err != nil || strings.Contains(string(out), "studio.service:") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can put the unit's filter on and become another user")
	}
	var rules []rule
	for _, word := range strings.Fields(unit["SystemCallFilter"]) {
		names := []string{word}
		if strings.HasPrefix(word, "@") {
			names = systemCallSet(t, word)
		}
		for _, n := range names {
			if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == n }) {
				rules = append(rules, rule{name: n, act: actAllow})
			}
		}
	}
	var numbers = xsysNumbers(t, runtime.GOARCH)
	prog, err := assemble(rules, actErrno(1), arch{audit: auditArch, x32: x32Calls, numbers: numbers})
	if err != nil {
		t.Fatal(err)
	}
	r := runContainer(t, container{Bare: true, Program: prog, Harness: harnessConfig{FS: FSRO, Studio: true}})
	if r.Error != "" {
		t.Fatal(r.Error)
	}
	checkBlocked(t, harnessConfig{FS: FSRO}, r)
	if r.Level == LevelFull {
		return
	}
	if plain := runContainer(t, container{Bare: true, Harness: harnessConfig{FS: FSRO, Studio: true}}); plain.Level != r.Level {
		logLayers(t, r)
		t.Errorf("level %s below the unit's filter, %s without", r.Level, plain.Level)
	}
}
