package doctor

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Setting is a variable of the environment that is set.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"` // quoted; the mask for a secret
}

// Report is what studio doctor says.
type Report struct {
	Version     string     `json:"version"`
	Environment Checklist  `json:"environment"`
	Checklist   *Checklist `json:"checklist"` // nil when the configuration has mistakes
	Settings    []Setting  `json:"settings"`
}

// Counts is the sum over both lists.
func (r Report) Counts() ChecklistCounts {
	c := r.Environment.Counts
	if r.Checklist != nil {
		c.OK += r.Checklist.Counts.OK
		c.Warn += r.Checklist.Counts.Warn
		c.Fail += r.Checklist.Counts.Fail
		c.Unknown += r.Checklist.Counts.Unknown
	}
	return c
}

// Colours of a terminal (ECMA-48, section 8.3.117).
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	grey   = "\x1b[90m"
)

func (s ChecklistStatus) colour() string {
	switch s {
	case OK:
		return green
	case Warn:
		return yellow
	case Fail:
		return bold + red
	case Unknown:
		return grey
	}
	return ""
}

// WriteText writes the report for a person: one line for what is well, and for the rest what was found, why it matters and how to mend
// it. Colours are for a terminal.
func (r Report) WriteText(w io.Writer, colours bool) error {
	t := text{w: w, colours: colours}
	t.line(bold, "MCP Studio "+r.Version)
	t.list(r.Environment)
	if r.Checklist != nil {
		t.list(*r.Checklist)
	}
	if len(r.Settings) > 0 {
		t.line("", "")
		t.line(bold, "Settings")
		width := 0
		for _, s := range r.Settings {
			width = max(width, len(s.Name))
		}
		for _, s := range r.Settings {
			t.line("", fmt.Sprintf("  %-*s  %s", width, s.Name, s.Value))
		}
	}
	c := r.Counts()
	t.line("", "")
	t.line("", fmt.Sprintf("%d ok, %d warn, %d fail, %d unknown", c.OK, c.Warn, c.Fail, c.Unknown))
	return errors.Join(t.errs...)
}

// text writes lines and keeps the first error.
type text struct {
	w       io.Writer
	colours bool
	errs    []error
}

func (t *text) line(colour, s string) {
	if len(t.errs) > 0 {
		return
	}
	if _, err := io.WriteString(t.w, t.painted(colour, s)+"\n"); err != nil {
		t.errs = append(t.errs, err)
	}
}

func (t *text) painted(colour, s string) string {
	if !t.colours || colour == "" {
		return s
	}
	return colour + s + plain
}

// list writes items under the headings of their groups. Titles are padded so that what was found lines up.
func (t *text) list(c Checklist) {
	width := 0
	for _, i := range c.Items {
		width = max(width, len(i.Title))
	}
	group := ChecklistGroup("")
	for _, i := range c.Items {
		if i.Group != group {
			group = i.Group
			t.line("", "")
			t.line(bold, strings.ToUpper(string(group[:1]))+string(group[1:]))
		}
		t.item(i, width)
	}
}

func (t *text) item(i ChecklistItem, width int) {
	const statusWidth = len(Unknown)
	indent := strings.Repeat(" ", 2+statusWidth+2+width+2)
	found := wrapped(i.Found)
	t.line("", fmt.Sprintf("  %s  %-*s  %s", t.painted(i.Status.colour(), fmt.Sprintf("%-*s", statusWidth, i.Status)), width, i.Title, found[0]))
	for _, more := range found[1:] {
		t.line("", indent+more)
	}
	if i.Status != OK {
		t.part(grey, indent, "why:  ", i.Why)
		t.part("", indent, "mend: ", i.Mend)
	}
}

// part writes a labelled sentence; further lines stand under the first word.
func (t *text) part(colour, indent, label, sentence string) {
	for n, s := range wrapped(sentence) {
		if n > 0 {
			label = strings.Repeat(" ", len(label))
		}
		if s != "" {
			t.line(colour, indent+label+s)
		}
	}
}

// lineWidth is how long a line of a sentence is, in characters, unless one word is longer.
const lineWidth = 84

// wrapped breaks sentences at spaces. Line breaks stay.
func wrapped(s string) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		now := ""
		for word := range strings.FieldsSeq(line) {
			switch {
			case now == "":
				now = word
			case utf8.RuneCountInString(now)+1+utf8.RuneCountInString(word) > lineWidth:
				out, now = append(out, now), word
			default:
				now += " " + word
			}
		}
		out = append(out, now)
	}
	return out
}
