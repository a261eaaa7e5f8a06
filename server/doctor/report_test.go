package doctor

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLook changes one thing at a time of sound surroundings.
func TestLook(t *testing.T) {
	for _, x := range []struct {
		id     string
		status ChecklistStatus
		says   string
		change func(*Surroundings)
	}{
		{"system", OK, "linux/amd64", func(*Surroundings) {}},
		{"system", Fail, "on Linux", func(s *Surroundings) { s.Linux = false }},
		{"configuration", OK, "understood", func(*Surroundings) {}},
		{"configuration", Warn, "STUDIO_AGENT_ADDR", func(s *Surroundings) { s.Ignored = []string{"STUDIO_AGENT_ADDR"} }},
		{"configuration", Fail, "first line\nsecond line", func(s *Surroundings) { s.Mistakes = []string{"first line", "second line"} }},
		{"data_dir_usable", OK, "/d", func(*Surroundings) {}},
		{"data_dir_usable", Fail, "STUDIO_DATA_DIR: /d cannot be written", func(s *Surroundings) { s.DataDirError = "/d cannot be written" }},
		{"store", OK, "key fits", func(*Surroundings) {}},
		{"store", OK, "no store yet", func(s *Surroundings) { s.Store = false }},
		{"store", Fail, "another key", func(s *Surroundings) { s.StoreError = "another key" }},
		{"store", Fail, "Bring the store", func(s *Surroundings) { s.StoreError = "another key" }},
		{"store", Fail, "chmod 600 /d/encryption.key", func(s *Surroundings) {
			s.StoreError, s.StoreMend = "can be read by others", "chmod 600 /d/encryption.key"
		}},
		{"running", OK, "Process 17 answers: front on 127.0.0.1:3000", func(*Surroundings) {}},
		{"running", OK, "None runs", func(s *Surroundings) { s.Running, s.Answers = new(false), nil }},
		{"running", OK, "(unknown) answers", func(s *Surroundings) { s.Running, s.PID = nil, "" }},
		{"running", Fail, "STUDIO_ADDR", func(s *Surroundings) { s.Answers[0].Error = "refused" }},
		{"running", Unknown, "could not be found out", func(s *Surroundings) { s.Running = nil; s.Answers[0].Error = "refused" }},
		{"child", OK, "One was started", func(*Surroundings) {}},
		{"child", Fail, "seccomp", func(s *Surroundings) { s.ProbeError = "seccomp is missing" }},
		{"child", Fail, "would refuse it", func(s *Surroundings) { s.Refused = true }},
	} {
		s := Surroundings{
			Now: now(), System: "linux/amd64, kernel 6.1", Linux: true, DataDir: "/d", Store: true, Running: new(true), PID: "17",
			Answers: []Answer{{Name: "front", Variable: "STUDIO_ADDR", Address: "127.0.0.1:3000"}},
		}
		x.change(&s)
		checked := false
		for _, i := range Look(s).Items {
			if i.ID != x.id {
				continue
			}
			checked = true
			if i.Status != x.status || !strings.Contains(i.Found+" "+i.Mend, x.says) || i.Why == "" || i.Group != Environment || (i.Mend == "") != (i.Status == OK) {
				t.Errorf("got %+v, want %s and %q", i, x.status, x.says)
			}
		}
		if !checked {
			t.Errorf("there is no item %s", x.id)
		}
	}
	if got := len(Look(Surroundings{Now: now(), Mistakes: []string{"x"}}).Items); got != 2 {
		t.Errorf("after mistakes in the configuration %d items were looked at, want 2", got)
	}
}

func sample() Report {
	item := func(status ChecklistStatus, group ChecklistGroup, title, found, mend string) ChecklistItem {
		return ChecklistItem{Title: title, Group: group, Status: status, Found: found, Why: "Because.", Mend: mend}
	}
	return Report{
		Version: "1.2.3",
		Environment: Checklist{Counts: ChecklistCounts{Fail: 1}, Items: []ChecklistItem{
			item(Fail, Environment, "Configuration", "one\ntwo", "Correct each line."),
		}},
		Checklist: &Checklist{Counts: ChecklistCounts{OK: 1, Warn: 1}, Items: []ChecklistItem{
			item(OK, Secrets, "Key", "Set.", ""),
			item(Warn, Access, "Two-factor sign-in", strings.Repeat("word ", 30)+"end.", "Turn it on."),
		}},
		Settings: []Setting{{"STUDIO_ADDR", `"127.0.0.1:1"`}, {"STUDIO_JWT_SECRET", "••••••"}},
	}
}

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	long := strings.TrimSpace(strings.Repeat("word ", 17))
	want := `MCP Studio 1.2.3

Environment
  fail     Configuration  one
                          two
                          why:  Because.
                          mend: Correct each line.

Secrets
  ok       Key                 Set.

Access
  warn     Two-factor sign-in  ` + long + `
                               ` + strings.TrimSpace(strings.Repeat("word ", 13)) + ` end.
                               why:  Because.
                               mend: Turn it on.

Settings
  STUDIO_ADDR        "127.0.0.1:1"
  STUDIO_JWT_SECRET  ••••••

1 ok, 1 warn, 1 fail, 0 unknown
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	var coloured bytes.Buffer
	if err := sample().WriteText(&coloured, true); err != nil {
		t.Fatal(err)
	}
	bare := coloured.String()
	for _, c := range []string{plain, bold, red, green, yellow, grey} {
		bare = strings.ReplaceAll(bare, c, "")
	}
	if bare != b.String() || coloured.Len() == b.Len() {
		t.Errorf("the colours change more than the colours:\n%q", coloured.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestWriteTextFails(t *testing.T) {
	if err := sample().WriteText(broken{}, false); err == nil {
		t.Error("a report that could not be written was written")
	}
}
