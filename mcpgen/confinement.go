package mcpgen

import "time"

// SandboxMode is what STUDIO_SANDBOX asks for.
type SandboxMode string

// The modes, as STUDIO_SANDBOX names them.
const (
	SandboxEnforce  SandboxMode = "enforce"  // a child below the minimum is refused
	SandboxDegraded SandboxMode = "degraded" // it is started, with a warning everywhere
)

// SandboxLevel sums the layers of a child up.
type SandboxLevel string

// The levels, by what holds.
const (
	LevelFull     SandboxLevel = "full"     // every layer
	LevelStrong   SandboxLevel = "strong"   // no namespaces: what a default container gives
	LevelDegraded SandboxLevel = "degraded" // something of strong is missing
	LevelNone     SandboxLevel = "none"     // no system call filter
)

// LayerState is how a layer of the sandbox stands.
type LayerState string

// The states of a layer.
const (
	LayerEnforced    LayerState = "enforced"
	LayerPartial     LayerState = "partial"     // in force with a part missing, named in the reason
	LayerUnavailable LayerState = "unavailable" // not in force, for the reason given
)

// Layer is one layer of the sandbox and how it stands.
type Layer struct {
	Name   string     `json:"name"`
	State  LayerState `json:"state"`
	Reason string     `json:"reason" jsonschema:"what is in force, or why it is not"`
	Mend   string     `json:"mend" jsonschema:"what brings the layer into force; empty when nothing has to be done"`
}

// ChildRole is what a child is for at this moment.
type ChildRole string

// The roles.
const (
	RoleCandidate ChildRole = "candidate" // of a deploy under way, not answering clients yet
	RoleLive      ChildRole = "live"      // answers clients
	RoleDraining  ChildRole = "draining"  // finishes its calls after another took its place
	RoleWorkbench ChildRole = "workbench" // tests, schema browsing and previews of one connection
	RoleProbe     ChildRole = "probe"     // shows what the wall is like on this machine and ends
)

// ConnectionRef names a connection; the id is empty for one that is not saved yet.
type ConnectionRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ChildState is what is known of one child. It holds no secret and nothing of what the child is asked.
type ChildState struct {
	Role       ChildRole      `json:"role"`
	Revision   int            `json:"revision" jsonschema:"0 for a workbench"`
	Connection *ConnectionRef `json:"connection" jsonschema:"of a workbench; null for a server"`
	PID        int            `json:"pid"`
	UID        int            `json:"uid"`
	UIDShared  bool           `json:"uid_shared" jsonschema:"the child has the studio's own uid"`
	Groups     []int          `json:"groups" jsonschema:"supplementary groups it could not give up"`
	StartedAt  time.Time      `json:"started_at"`
	Level      SandboxLevel   `json:"level"`
	MinimumMet bool           `json:"minimum_met" jsonschema:"the mandatory layers hold, as the kernel says"`
	Layers     []Layer        `json:"layers"`
	Verified   Verified       `json:"verified"`
	SQLiteMode string         `json:"sqlite_mode" jsonschema:"none, ro (reads the directory) or roshm (writes the -shm files too)"`
	Memory     MemoryUse      `json:"memory"`
	CPU        Limit          `json:"cpu" jsonschema:"whole processors; 0: all"`
	Processes  Limit          `json:"processes" jsonschema:"threads count"`
	Files      Limit          `json:"files" jsonschema:"open descriptors"`
	FileBytes  Limit          `json:"file_bytes" jsonschema:"size of a file it writes; 0: it writes none"`
	Broker     BrokerUse      `json:"broker"`
	Allowlist  []Target       `json:"allowlist" jsonschema:"the only addresses the broker dials for it"`
}

// Verified is what the kernel says of every thread of a child: per field the weakest value.
type Verified struct {
	Threads        int               `json:"threads"`
	Seccomp        int               `json:"seccomp" jsonschema:"2: filter mode"`
	SeccompFilters int               `json:"seccomp_filters"`
	NoNewPrivs     bool              `json:"no_new_privs"`
	UID            int               `json:"uid"`
	GID            int               `json:"gid"`
	CapEff         string            `json:"cap_eff" jsonschema:"hexadecimal, as in /proc; 0000000000000000: none"`
	CapPrm         string            `json:"cap_prm"`
	CapInh         string            `json:"cap_inh"`
	CapAmb         string            `json:"cap_amb"`
	CapBnd         string            `json:"cap_bnd" jsonschema:"harmless under no_new_privs"`
	Rlimits        map[string]uint64 `json:"rlimits" jsonschema:"hard limits as, core, data, fsize, nofile, nproc and memlock; one without a limit is left out"`
	Problem        string            `json:"problem" jsonschema:"why the kernel's word could not be read; empty: it was"`
}

// MemoryUse is a child's memory against its limit.
type MemoryUse struct {
	RSSBytes   uint64   `json:"rss_bytes"`
	LimitBytes uint64   `json:"limit_bytes"`
	EnforcedBy []string `json:"enforced_by" jsonschema:"of cgroup, rlimit, watchdog, gomemlimit, the strongest first"`
}

// Limit is one more bound on a child and what holds it.
type Limit struct {
	Limit      uint64   `json:"limit"`
	EnforcedBy []string `json:"enforced_by" jsonschema:"of cgroup, rlimit, affinity, runtime, the strongest first; empty: nothing bounds it"`
}

// BrokerUse counts what the broker did for a child.
type BrokerUse struct {
	Allowed      int64     `json:"allowed" jsonschema:"sockets dialled and handed over"`
	Denied       int64     `json:"denied" jsonschema:"refused by policy or limit"`
	Failed       int64     `json:"failed" jsonschema:"allowed, but not resolved or not connected"`
	Abuse        int64     `json:"abuse" jsonschema:"messages no honest child sends; ten end the child"`
	LastRefusals []Refusal `json:"last_refusals" jsonschema:"newest first, at most 20"`
}

// Refusal is a dial that the broker refused, or a message that was abuse. Connection, host and port are what the child asked for;
// they are empty for abuse.
type Refusal struct {
	At         time.Time `json:"at"`
	Connection string    `json:"connection" jsonschema:"id"`
	Host       string    `json:"host"`
	Port       int       `json:"port"`
	Reason     string    `json:"reason"`
	Abuse      bool      `json:"abuse"`
}

// Target is one address that the broker dials for a child.
type Target struct {
	ConnectionID string `json:"connection_id"`
	Connection   string `json:"connection" jsonschema:"its name"`
	Host         string `json:"host"`
	Port         int    `json:"port"`
}

// ParentState is what the studio itself is confined to. It speaks to the network and holds the keys, so this limits a mistake in its
// own code; the wall around foreign code is the children's.
type ParentState struct {
	PID      int       `json:"pid"`
	Layers   []Layer   `json:"layers"`
	Verified Verified  `json:"verified"`
	Starter  *Verified `json:"starter" jsonschema:"the process that starts children; null when the studio does that itself"`
}

// ChildExit is how a child ended that was not meant to.
type ChildExit struct {
	At         time.Time      `json:"at"`
	Role       ChildRole      `json:"role"`
	Revision   int            `json:"revision"`
	Connection *ConnectionRef `json:"connection"`
	PID        int            `json:"pid"`
	Code       int            `json:"code" jsonschema:"-1 when a signal ended it"`
	Signal     string         `json:"signal"`
	Reason     string         `json:"reason" jsonschema:"why the studio ended it; empty when it did not"`
	SIGSYS     bool           `json:"sigsys" jsonschema:"it made a system call that no honest child makes"`
}

// SecurityKind is why a child was killed.
type SecurityKind string

// The kinds of security event.
const (
	SecuritySIGSYS      SecurityKind = "sigsys"       // a system call that the filter kills for
	SecurityBrokerAbuse SecurityKind = "broker_abuse" // ten broken messages to the broker
	SecurityMemory      SecurityKind = "memory"       // more memory than its limit
)

// SecurityEvent is a child that was killed for what it did.
type SecurityEvent struct {
	Kind SecurityKind `json:"kind"`
	ChildExit
}

// SandboxState is what the wall is like now.
type SandboxState struct {
	Mode       SandboxMode     `json:"mode"`
	Level      SandboxLevel    `json:"level" jsonschema:"of the weakest child that runs, else of the probe"`
	MinimumMet bool            `json:"minimum_met"`
	Problem    string          `json:"problem" jsonschema:"why no child can be started; empty: one can"`
	Parent     *ParentState    `json:"parent" jsonschema:"the studio's own confinement; null: it did not confine itself"`
	Children   []ChildState    `json:"children"`
	Probe      *ChildState     `json:"probe" jsonschema:"what a short-lived child found, when none runs; else null"`
	Restarts   int             `json:"restarts" jsonschema:"since the live revision went live"`
	LastExit   *ChildExit      `json:"last_exit" jsonschema:"the last child that ended without being asked to; null: none since the start"`
	Events     []SecurityEvent `json:"events" jsonschema:"newest first, since the start; older ones are in the history"`
}
