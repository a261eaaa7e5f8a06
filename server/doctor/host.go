package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cgroupLayer is the layer that is usually missing, because a studio that was started by hand has no cgroup to give away. The level does
// not count it: others stand in.
const cgroupLayer = "cgroup"

const sandboxTitle = "Sandbox of the generated server"

func sandboxLevel(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "sandbox", Title: sandboxTitle, Doc: securityDoc, Link: "/security?tab=sandbox",
		Why: "Drivers, rows and transforms meet foreign bytes in a child process. What keeps a bug there from reaching the machine are the layers around it.",
	}
	s := f.Sandbox
	if s == nil || s.Level == "" && s.Problem == "" {
		i.Status, i.Found, i.Mend = Unknown, "No child process has run yet.", "Deploy, or run studio doctor on this machine: it starts one to see."
		if s != nil && !s.Enforce {
			i.Status, i.Found = Warn, "No child process has run yet, and STUDIO_SANDBOX=degraded lets one start below the minimum."
		}
		return i
	}
	if s.Problem != "" {
		i.Status, i.Found, i.Mend = Fail, "No child can be started: "+s.Problem+".", "The message says what is missing; without a child no tool answers."
		return i
	}
	var missing, mend []string
	for _, l := range s.Missing {
		missing = append(missing, l.said())
		if l.Mend != "" {
			mend = append(mend, sentence(l.Mend))
		}
	}
	i.Found = "Level " + s.Level + "."
	if len(missing) > 0 {
		i.Found += " Not fully in force: " + listed(missing) + "."
	}
	i.Mend = strings.Join(mend, " ")
	switch s.Level {
	case "full":
		if i.Status = OK; len(missing) > 0 { // what the level does not count
			i.Status = Warn
		}
		if len(s.Missing) == 1 && s.Missing[0].Name == cgroupLayer {
			i.Status = OK
			i.Found += " In its place the watchdog bounds memory, and resource limits bound each process."
		}
	case "strong":
		i.Status = Warn
	default:
		i.Status = Fail
	}
	if !s.Enforce {
		i.Status = worse(i.Status, Warn)
		i.Found += " STUDIO_SANDBOX=degraded lets a child start below the minimum."
		i.Mend = strings.TrimSpace("Set STUDIO_SANDBOX=enforce. " + i.Mend)
	}
	if f.Observer != nil { // what root gets says little about what an ordinary user gets
		i.Status = worse(i.Status, Unknown)
		i.Found += fmt.Sprintf(" That is what a child of uid %d gets, who asks; the studio is another user's.", *f.Observer)
		i.Mend = strings.TrimSpace("Run studio doctor as the studio's user, or look at the checklist in the UI. " + i.Mend)
	}
	if i.Mend == "" {
		i.Mend = "See the sandbox page of the UI for what each layer needs."
	}
	return i
}

func ownConfinement(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "studio_confinement", Title: "Confinement of the studio itself", Doc: securityDoc, Link: "/security?tab=sandbox",
		Why: "The studio holds the keys and reads requests. What it took from itself at its start (files, rights, core files) is out of reach of a mistake in its code.",
	}
	p := f.Parent
	switch {
	case p == nil:
		i.Status, i.Found, i.Mend = Unknown, "Only a running studio knows.", "Look at the checklist in the UI."
		return i
	case p.Layers == 0:
		i.Status, i.Found, i.Mend = Warn, "It did not confine itself.", "Run the studio on Linux, or in a Linux container."
		return i
	case len(p.Missing) == 0:
		i.Status, i.Found = OK, "Every layer is in force."
		return i
	}
	var missing, mend []string
	for _, l := range p.Missing {
		missing = append(missing, l.said())
		if m := sentence(l.Mend); m != "" && !slices.Contains(mend, m) {
			mend = append(mend, m)
		}
	}
	i.Status, i.Found, i.Mend = Warn, "Not fully in force: "+listed(missing)+".", cmp.Or(strings.Join(mend, " "), "See the sandbox page of the UI for what each layer needs.")
	return i
}

func notRoot(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "not_root", Title: "Not running as root", Doc: operationsDoc,
		Why:  "A hole in the studio itself would be a hole in the whole machine.",
		Mend: "Run the studio as a user of its own, as the container image and the systemd unit do.",
	}
	if f.Root {
		i.Status, i.Found = Warn, "The studio runs as root."
		return i
	}
	i.Status, i.Found = OK, "The studio runs as an ordinary user."
	return i
}

func databaseRoles(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "database_roles", Title: "Users of the databases", Doc: securityDoc, Link: "/connections",
		Why: "The sandbox confines the child, not the database: what the database does for its user, it still does. A superuser reads the server's files even in a read-only transaction.",
	}
	switch r := f.Roles; {
	case r == nil:
		i.Status, i.Found, i.Mend = Unknown, "Only a running studio knows what connection tests found.", "Look at the checklist in the UI."
	case len(r.Warnings) > 0:
		i.Status, i.Found, i.Mend = Warn, listed(r.Warnings), "Use a role that may only read the tables its tools need."
	case len(r.Untested) > 0:
		i.Status, i.Found, i.Mend = Unknown, "Not tested since the studio started: "+listed(r.Untested)+".", "Test these connections."
	case r.Active == 0:
		i.Status, i.Found = OK, "There are no active connections."
	default:
		i.Status, i.Found = OK, "The connection tests had nothing against them."
	}
	return i
}

// How old the last backup may be.
const (
	recentBackup = 7 * 24 * time.Hour
	oldBackup    = 30 * 24 * time.Hour
)

func backups(f Facts) ChecklistItem {
	i := ChecklistItem{
		ID: "backups", Title: "Backups", Doc: operationsDoc,
		Why:  "A disk that fails takes tools, tokens and history with it.",
		Mend: "Run studio backup FILE, every day if you can, and keep the encryption key in another place.",
	}
	if f.Backup == nil {
		return i.unopened()
	}
	if f.Backup.At == nil {
		i.Status, i.Found = Warn, "studio backup was never run. Copies made by other means are not seen here."
		return i
	}
	age := f.Now.Sub(*f.Backup.At)
	i.Found = "The last one is of " + f.Backup.At.UTC().Format(time.DateOnly) + "."
	switch {
	case age > oldBackup:
		i.Status = Fail
	case age > recentBackup:
		i.Status = Warn
	default:
		i.Status = OK
	}
	return i
}

// said is the layer as part of a sentence.
func (l Layer) said() string {
	if l.Reason == "" {
		return l.Name + " is " + l.State
	}
	return fmt.Sprintf("%s is %s (%s)", l.Name, l.State, l.Reason)
}

// sentence makes a clause of another package one.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	return strings.ToUpper(clause[:1]) + strings.TrimSuffix(clause[1:], ".") + "."
}
