package sandbox

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAssess(t *testing.T) {
	good := Verified{UID: FirstUID, GID: FirstUID, Seccomp: 2, NoNewPrivs: true, CapBounding: 1, Threads: 5}
	var full []Layer
	for _, n := range []string{LayerNamespaces, LayerPrivateRoot, LayerDescriptors, LayerDumpable, LayerRlimits, LayerNoNewPrivs, LayerCapabilities,
		LayerUser, LayerGroups, LayerLandlock, LayerSeccomp, LayerSelfTest} {
		full = append(full, Layer{Name: n, State: StateEnforced})
	}
	with := func(state string, names ...string) []Layer {
		l := slices.Clone(full)
		for i := range l {
			if slices.Contains(names, l[i].Name) {
				l[i].State = state
			}
		}
		return l
	}
	change := func(f func(*Verified)) Verified { v := good; f(&v); return v }
	for name, c := range map[string]struct {
		layers []Layer
		v      Verified
		level  Level
		short  string
	}{
		"everything":            {full, good, LevelFull, ""},
		"container":             {with(StateUnavailable, LayerNamespaces, LayerPrivateRoot), good, LevelStrong, ""},
		"groups kept":           {with(StatePartial, LayerGroups), good, LevelStrong, ""},
		"old landlock":          {with(StatePartial, LayerLandlock), good, LevelStrong, ""},
		"no landlock":           {with(StateUnavailable, LayerLandlock), good, LevelDegraded, ""},
		"leaked descriptor":     {with(StatePartial, LayerDescriptors), good, LevelDegraded, ""},
		"self-test failed":      {with(StateUnavailable, LayerSelfTest), good, LevelDegraded, LayerSelfTest},
		"nothing reported":      {nil, good, LevelDegraded, LayerSelfTest},
		"seccomp off":           {full, change(func(v *Verified) { v.Seccomp = 0 }), LevelNone, LayerSeccomp},
		"a container's filter":  {full, change(func(v *Verified) { v.SeccompFilters, v.SeccompInherited = 1, 1 }), LevelNone, LayerSeccomp},
		"one in a container":    {full, change(func(v *Verified) { v.SeccompFilters, v.SeccompInherited = 2, 1 }), LevelFull, ""},
		"strict seccomp":        {full, change(func(v *Verified) { v.Seccomp = 1 }), LevelNone, LayerSeccomp},
		"no_new_privs off":      {full, change(func(v *Verified) { v.NoNewPrivs = false }), LevelDegraded, LayerNoNewPrivs},
		"capability":            {full, change(func(v *Verified) { v.CapPermitted = 1 }), LevelDegraded, LayerCapabilities},
		"ambient capability":    {full, change(func(v *Verified) { v.CapAmbient = 1 }), LevelDegraded, LayerCapabilities},
		"root":                  {full, change(func(v *Verified) { v.UID = 0 }), LevelDegraded, LayerUser},
		"status cannot be read": {full, Verified{Problem: "hidden"}, LevelNone, LayerVerified},
	} {
		level, short := assess(c.layers, c.v)
		var names []string
		for _, l := range short {
			names = append(names, l.Name)
			if mend(l.Name) == mend("") {
				t.Errorf("%s: no mend for %s", name, l.Name)
			}
		}
		if level != c.level || strings.Join(names, " ") != c.short {
			t.Errorf("%s: %s, short of %v; want %s, %q", name, level, names, c.level, c.short)
		}
	}
}

// cases 215, 237: what a child prints neither floods nor forges the log.
func TestCopyLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		emit := func(s string) { got = append(got, s) }
		copyLines(strings.NewReader("one\n\n\x1b[31mtwo\x07\r\n\xff three\tfour\n"+strings.Repeat("x", 3*maxLine)+"\nlast"), time.Now, emit)
		want := []string{"one", "[31mtwo", "? three four", strings.Repeat("x", maxLine), "last"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		got = nil
		copyLines(strings.NewReader(strings.Repeat("flood\n", 10*lineBurst)), time.Now, emit)
		if len(got) != lineBurst+1 || got[lineBurst] != "(1800 lines dropped)" {
			t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
		}
		got = nil
		copyLines(&slow{lines: 3 * lineBurst}, time.Now, emit)
		if len(got) != 3*lineBurst {
			t.Errorf("%d of a slow child's lines", len(got))
		}
		const much = 8 << 20
		for _, line := range []string{strings.Repeat("f", 80) + "\n", strings.Repeat("f", 1<<20) + "\n"} {
			start := time.Now()
			copyLines(strings.NewReader(strings.Repeat(line, much/len(line))), time.Now, emit)
			if took := time.Since(start); took < much/2/pauseAfter*pause || took > much/pauseAfter*pause {
				t.Errorf("%d MiB in lines of %d bytes were read in %v", much>>20, len(line), took)
			}
		}
	})
}

// slow prints a line in the time in which one is allowed.
type slow struct{ lines int }

func (s *slow) Read(b []byte) (int, error) {
	time.Sleep(time.Second / lineRate)
	if s.lines--; s.lines < 0 {
		return 0, io.EOF
	}
	return copy(b, "line\n"), nil
}
