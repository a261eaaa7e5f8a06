package sandbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// FSMode says which file calls the child keeps.
type FSMode string

const (
	// FSNone denies every open: the child has no SQLite connection. It is the mode of the zero value too.
	FSNone FSMode = "none"
	// FSRO allows reading below Policy.Dirs: SQLite databases in rollback-journal mode.
	FSRO FSMode = "ro"
	// FSROShm is FSRO plus writing to Policy.RWFiles, the existing -shm files of databases in WAL mode
	// (https://sqlite.org/wal.html#readonly: a reader needs to write the wal-index, and nothing else).
	FSROShm FSMode = "roshm"
)

const (
	// DefaultMemoryLimit is used when Policy.MemoryLimit is 0.
	DefaultMemoryLimit = 256 << 20
	// MinMemoryLimit is the least a Go program with database drivers starts in.
	MinMemoryLimit = 48 << 20

	// FirstUID starts the range of user ids reserved for children when the parent is root. It lies above the ranges
	// distributions hand to system and ordinary users and below 65534 (nobody).
	FirstUID = 64123
	// GID is the group of every child then, whatever its uid, and nobody else's: what SQLite files are made readable for.
	// What a group shares are files with group rights and nothing else: signals and ptrace ask for the uid (kill(2),
	// ptrace(2)).
	GID = FirstUID
	// UIDs is the length of that range.
	UIDs = 64

	maxThreads   = 100 // the Go runtime ends the program above it (debug.SetMaxThreads)
	maxProcesses = 128 // RLIMIT_NPROC, pids.max: threads of the child's own uid
	// reservedProcesses are what a child of the studio's own user leaves to the studio of that user's RLIMIT_NPROC.
	reservedProcesses = 64
	maxFiles          = 512      // RLIMIT_NOFILE
	maxSignals        = 512      // RLIMIT_SIGPENDING: of the user, who may be the studio's
	maxShmFile        = 64 << 20 // RLIMIT_FSIZE, growth of a wal-index; it takes 32 KiB for 4,096 pages of the log
)

// Policy is what the child is confined to. The parent sends it to the child once, as JSON, before anything else.
// The zero value denies all files and limits memory to DefaultMemoryLimit.
type Policy struct {
	// FS is the file mode; "" means FSNone.
	FS FSMode `json:"fs"`
	// Dirs are absolute directories readable in FSRO and FSROShm; ignored in FSNone.
	Dirs []string `json:"dirs,omitempty"`
	// RWFiles are absolute, existing files inside Dirs, writable in FSROShm; ignored otherwise.
	RWFiles []string `json:"rw_files,omitempty"`
	// MemoryLimit is the resident size in bytes at which the watchdog kills the child; 0 means DefaultMemoryLimit.
	MemoryLimit uint64 `json:"memory_limit,omitempty"`
	// CPUs is how many processors the child may use; 0 means all the parent has.
	CPUs int `json:"cpus,omitempty"`
	// SystemRoots loads the certificate pool of the system before files go away; needed when a connection verifies
	// TLS against it. It costs about 20 ms.
	SystemRoots bool `json:"system_roots,omitempty"`

	// The fields below are facts Start fills in; what a caller puts there is overwritten.

	// Namespaces are those the child was started in, of user, mnt, pid, net, ipc, uts, cgroup.
	Namespaces []string `json:"namespaces,omitempty"`
	// NamespacesWhy says why there are none, or fewer than asked for.
	NamespacesWhy string `json:"namespaces_why,omitempty"`
	// OwnUID is set when the child's uid is not the parent's.
	OwnUID bool `json:"own_uid,omitempty"`
	// Files is the number of descriptors the child inherits from 3 up; any further one is a leak.
	Files int `json:"files,omitempty"`
	// Held are the descriptors among them of Dirs and then of RWFiles; -1 for one that could not be opened. Enter closes
	// them.
	Held []int `json:"held,omitempty"`
	// FirstCPU rotates the choice of CPUs, so that children do not share the first one.
	FirstCPU int `json:"first_cpu,omitempty"`
}

// userNS reports whether the child was started in a user namespace of its own.
func (p Policy) userNS() bool { return slices.Contains(p.Namespaces, "user") }

// memoryLimit is MemoryLimit with its default.
func (p Policy) memoryLimit() uint64 {
	if p.MemoryLimit == 0 {
		return DefaultMemoryLimit
	}
	return p.MemoryLimit
}

// dataLimit is RLIMIT_DATA: a second bound behind the watchdog, for what is mapped faster than it looks. It counts
// reservations too, hence the room above the limit.
func dataLimit(p Policy) uint64 { return p.memoryLimit() + p.memoryLimit()/4 + 96<<20 }

// addressLimit is RLIMIT_AS: room for what the Go runtime reserves, which is somewhat over 1 GiB, and no more than that. Addresses cost
// memory too: the kernel's tables for them, 4 KiB for every 2 MiB that a page was ever read in, are in no other limit and in no resident
// size.
func addressLimit(p Policy) uint64 { return dataLimit(p) + 4<<30 }

// normalize checks what the caller chose and returns the policy with defaults filled, paths cleaned and parents
// before their children.
func (p Policy) normalize() (Policy, error) {
	p.MemoryLimit = p.memoryLimit()
	if p.MemoryLimit < MinMemoryLimit {
		return p, fmt.Errorf("sandbox policy: memory limit %d is below %d bytes", p.MemoryLimit, uint64(MinMemoryLimit))
	}
	if p.CPUs < 0 {
		return p, errors.New("sandbox policy: negative number of CPUs")
	}
	switch p.FS {
	case "", FSNone:
		p.FS, p.Dirs, p.RWFiles = FSNone, nil, nil
		return p, nil
	case FSRO:
		p.RWFiles = nil
	case FSROShm:
	default:
		return p, fmt.Errorf("sandbox policy: unknown file mode %q", p.FS)
	}
	if len(p.Dirs) == 0 {
		return p, fmt.Errorf("sandbox policy: file mode %q needs a directory", p.FS)
	}
	p.Dirs, p.RWFiles = slices.Clone(p.Dirs), slices.Clone(p.RWFiles)
	for i, d := range p.Dirs {
		if p.Dirs[i] = filepath.Clean(d); !filepath.IsAbs(d) || p.Dirs[i] == "/" {
			return p, fmt.Errorf("sandbox policy: directory %q is not an absolute path below /", d)
		}
	}
	slices.Sort(p.Dirs)
	p.Dirs = slices.Compact(p.Dirs)
	for i, f := range p.RWFiles {
		p.RWFiles[i] = filepath.Clean(f)
		inside := func(d string) bool { return strings.HasPrefix(p.RWFiles[i], d+"/") }
		if !filepath.IsAbs(f) || !slices.ContainsFunc(p.Dirs, inside) {
			return p, fmt.Errorf("sandbox policy: file %q is in none of the directories", f)
		}
	}
	return p, nil
}
