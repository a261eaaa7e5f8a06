package doctor

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Environment is the group of items about what the studio runs in. Only studio doctor shows them: a studio that answers has them
// behind it.
const Environment ChecklistGroup = "environment"

// Surroundings is what studio doctor found around the studio.
type Surroundings struct {
	Now      time.Time
	System   string   // operating system and kernel
	Linux    bool     // where the sandbox exists
	Mistakes []string // lines of a configuration that does not start
	Ignored  []string // variables that have no effect in this version

	DataDir      string
	DataDirError string // why it cannot be used; empty: it can, or can be made
	Store        bool   // there is a store
	StoreError   string // why it does not open
	StoreMend    string // what to do about that; empty: not known in particular
	Running      *bool  // nil: it could not be found out
	PID          string // of the one that runs
	Answers      []Answer
	ProbeError   string // why no child starts
	Refused      bool   // one starts, and is below the minimum that STUDIO_SANDBOX=enforce asks for
}

// Answer is what a listener of a running studio said to a health check.
type Answer struct {
	Name, Variable, Address string
	Error                   string // empty: it is well
}

// Look evaluates the surroundings. After mistakes in the configuration there is nothing else to look at.
func Look(s Surroundings) Checklist {
	out := Checklist{EvaluatedAt: s.Now.UTC()}
	items := []func(Surroundings) ChecklistItem{system, configuration}
	if len(s.Mistakes) == 0 {
		items = append(items, dataPlace, storeOpens, answers, childStarts)
	}
	for _, check := range items {
		item := check(s)
		item.Group = Environment
		out.Items = append(out.Items, item)
		out.Counts.add(item.Status)
	}
	return out
}

func system(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "system", Title: "System", Status: OK, Found: s.System + ".", Why: "The sandbox is made of what the Linux kernel offers."}
	if !s.Linux {
		i.Status, i.Mend = Fail, "Run the studio on Linux, or in a Linux container: elsewhere there is no sandbox."
	}
	return i
}

func configuration(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "configuration", Title: "Configuration", Doc: configurationDoc, Why: "A setting that is not understood is one that does not protect."}
	switch {
	case len(s.Mistakes) > 0:
		i.Status, i.Found, i.Mend = Fail, strings.Join(s.Mistakes, "\n"), "Correct each line; the studio does not start before."
	case len(s.Ignored) > 0:
		i.Status, i.Found, i.Mend = Warn, "Set, and without effect in this version: "+listed(s.Ignored)+".", "Remove them."
	default:
		i.Status, i.Found = OK, "Every setting is understood."
	}
	return i
}

func dataPlace(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "data_dir_usable", Title: "Data directory", Status: OK, Found: s.DataDir + ".", Doc: operationsDoc, Why: "Everything the studio keeps is in it."}
	if s.DataDirError != "" {
		i.Status, i.Found, i.Mend = Fail, "STUDIO_DATA_DIR: "+s.DataDirError+".", "Name a directory that the studio's user may write, or make this one so."
	}
	return i
}

func storeOpens(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "store", Title: "Store and key", Doc: operationsDoc, Why: "Without the right key nothing that is sealed can be opened."}
	switch {
	case s.StoreError != "":
		i.Status, i.Found, i.Mend = Fail, s.StoreError+".", cmp.Or(s.StoreMend, "Bring the store or the key back; until then the studio does not start.")
	case !s.Store:
		i.Status, i.Found = OK, "There is no store yet; the first start makes it."
	default:
		i.Status, i.Found = OK, "The store opens, and the key fits."
	}
	return i
}

func answers(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "running", Title: "Running studio", Why: "One studio at a time uses a data directory."}
	var well, silent, mend []string
	for _, a := range s.Answers {
		if a.Error == "" {
			well = append(well, a.Name+" on "+a.Address)
		} else {
			silent = append(silent, fmt.Sprintf("%s on %s (%s)", a.Name, a.Address, a.Error))
			mend = append(mend, a.Variable)
		}
	}
	switch {
	case s.Running != nil && !*s.Running:
		i.Status, i.Found = OK, "None runs on this data directory."
	case len(well) == 0 && s.Running == nil:
		i.Status, i.Found, i.Mend = Unknown, "Whether one runs could not be found out.", "Run studio doctor on the machine, or in the container, where the studio runs."
	case len(silent) > 0:
		i.Status = Fail
		i.Found = "Process " + orUnknown(s.PID) + " runs and does not answer: " + strings.Join(silent, "; ") + "."
		i.Mend = "If it was started with other settings, run studio doctor with the same ones (" + strings.Join(mend, ", ") + "). Otherwise look at its log."
	default:
		i.Status, i.Found = OK, "Process "+orUnknown(s.PID)+" answers: "+strings.Join(well, "; ")+"."
	}
	return i
}

func orUnknown(pid string) string {
	if pid == "" {
		return "(unknown)"
	}
	return pid
}

func childStarts(s Surroundings) ChecklistItem {
	i := ChecklistItem{ID: "child", Title: "Child process", Doc: securityDoc, Why: "Every statement runs in one; without it no tool answers."}
	if s.ProbeError != "" {
		i.Status, i.Found, i.Mend = Fail, "None starts: "+s.ProbeError+".", "The message says what is missing; the sandbox page of the documents says how to get it."
		return i
	}
	if s.Refused {
		i.Status, i.Found = Fail, "One was started to see. It is below the minimum, so the studio would refuse it and no tool would answer."
		i.Mend = `The item "` + sandboxTitle + `" says what is missing and how to get it.`
		return i
	}
	i.Status, i.Found = OK, "One was started, confined, looked at and ended."
	return i
}
