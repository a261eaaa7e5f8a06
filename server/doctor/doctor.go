// Package doctor says what is not safe yet, and how to mend it: the security
// checklist, for the UI and for studio doctor.
//
// It promises that every item is computed from Facts, the same facts giving the
// same items, and that it asks nobody: whoever calls it gathers the facts. What
// is not known gives the status unknown, never ok.
//
// Its hole: it knows one process's view. A proxy, a firewall or a container in
// front can make things better or worse, and it does not see them.
package doctor

import "time"

// ChecklistStatus says how an item stands.
type ChecklistStatus string

// The statuses, from good to bad.
const (
	OK      ChecklistStatus = "ok"
	Unknown ChecklistStatus = "unknown" // it could not be found out
	Warn    ChecklistStatus = "warn"    // could be safer
	Fail    ChecklistStatus = "fail"    // not safe for what the studio is exposed to
)

// ChecklistGroup is the part of the studio an item is about.
type ChecklistGroup string

// The groups, in the order in which they are shown.
const (
	Secrets ChecklistGroup = "secrets"
	Network ChecklistGroup = "network"
	Access  ChecklistGroup = "access"
	Host    ChecklistGroup = "host"
	Data    ChecklistGroup = "data"
)

// Statuses lists every status.
func Statuses() []ChecklistStatus { return []ChecklistStatus{OK, Unknown, Warn, Fail} }

// Groups lists every group in the order in which they are shown.
func Groups() []ChecklistGroup { return []ChecklistGroup{Secrets, Network, Access, Host, Data} }

// ChecklistItem is one line of the checklist, in sentences for a person.
type ChecklistItem struct {
	ID     string          `json:"id" jsonschema:"stable, for instance two_factor"`
	Group  ChecklistGroup  `json:"group" jsonschema:"secrets, network, access, host or data"`
	Title  string          `json:"title"`
	Status ChecklistStatus `json:"status" jsonschema:"ok, warn, fail, or unknown when it could not be found out"`
	Found  string          `json:"found" jsonschema:"what was found"`
	Why    string          `json:"why" jsonschema:"why it matters"`
	Mend   string          `json:"mend" jsonschema:"what to do; empty when there is nothing to do"`
	Doc    string          `json:"doc,omitempty" jsonschema:"a document of the repository that says more"`
	Link   string          `json:"link,omitempty" jsonschema:"the page of the UI where it is mended"`
}

// ChecklistCounts is how many items have each status.
type ChecklistCounts struct {
	OK      int `json:"ok"`
	Warn    int `json:"warn"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// Checklist is every item as it stood at one time.
type Checklist struct {
	Items       []ChecklistItem `json:"items"`
	Counts      ChecklistCounts `json:"counts"`
	EvaluatedAt time.Time       `json:"evaluated_at"`
}

// Check evaluates every item. Items come by group, in the order of Groups.
func Check(f Facts) Checklist {
	out := Checklist{EvaluatedAt: f.Now.UTC()}
	for _, group := range []struct {
		of    ChecklistGroup
		items []func(Facts) ChecklistItem
	}{
		{Secrets, []func(Facts) ChecklistItem{encryptionKey, sessionSecret, envFile, dataDir}},
		{Network, []func(Facts) ChecklistItem{innerListeners, transport, trustedProxies, privateNetworks}},
		{Access, []func(Facts) ChecklistItem{adminPassword, twoFactor, mcpAuth, mcpTokens, corsOrigins}},
		{Host, []func(Facts) ChecklistItem{sandboxLevel, ownConfinement, notRoot}},
		{Data, []func(Facts) ChecklistItem{databaseRoles, backups}},
	} {
		for _, check := range group.items {
			item := check(f)
			item.Group = group.of
			if item.Status == OK {
				item.Mend = ""
			}
			out.Items = append(out.Items, item)
			out.Counts.add(item.Status)
		}
	}
	return out
}

func (c *ChecklistCounts) add(s ChecklistStatus) {
	switch s {
	case OK:
		c.OK++
	case Warn:
		c.Warn++
	case Fail:
		c.Fail++
	case Unknown:
		c.Unknown++
	}
}
