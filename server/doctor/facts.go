package doctor

import (
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"mcpstudio/store"
)

// Facts is what is known of one studio. A nil pointer means that it is not known.
type Facts struct {
	Now time.Time

	Key           Secret // the encryption key
	SessionSecret Secret // what signs admin sessions
	EnvFile       *File  // .env; nil: there is none, which is known
	DataDir       *File  // nil: there is none yet
	Private       []File // what in the data directory is for the studio alone
	User          *int   // uid that the studio runs as, and that what is in the data directory should be of

	Listeners    []Listener
	PublicURL    string // STUDIO_PUBLIC_URL; empty: none
	Proxies      []netip.Prefix
	TrustUnix    bool // peers on Unix sockets are trusted proxies
	AllowPrivate bool
	Root         bool // the studio runs as root
	Observer     *int // uid of whoever looks, when the studio is another user's; nil: they are the same

	Sandbox *Sandbox
	Parent  *Confinement
	Account *Account
	Access  *MCPAccess
	Roles   *Roles
	Backup  *Backup
}

// Secret is a secret of the studio itself, without its value.
type Secret struct {
	Source   SecretSource
	Variable string // that sets it
	Path     string // with FromFile
	Keys     int    // how many are given; 1 is usual
	Weak     string // what makes the given one weak, as a clause; empty: nothing is known against it
}

// SecretSource is where a secret comes from.
type SecretSource string

// The sources.
const (
	FromEnvironment SecretSource = "environment"
	FromFile        SecretSource = "file" // made by the studio, in the data directory
	NotMade         SecretSource = ""     // the first start makes it
)

// File is a file or directory with its permission bits.
type File struct {
	Path  string
	Mode  fs.FileMode
	Owner *int // uid; nil: not known
}

// foreign reports whether the file is known to be of another user than the one given.
func (f File) foreign(user *int) bool { return user != nil && f.Owner != nil && *f.Owner != *user }

// open reports whether others than the owner have any right.
func (f File) open() bool { return f.Mode.Perm()&0o077 != 0 }

// Listener is one address the studio listens on.
type Listener struct {
	Name      string // front, api or mcp
	Variable  string // that sets its address
	Address   string
	Reachable bool   // from other machines
	Taken     string // the default address, when another program had it
}

// Sandbox is how the last child was confined.
type Sandbox struct {
	Enforce bool   // STUDIO_SANDBOX=enforce
	Level   string // full, strong, degraded or none; empty: no child has run
	Missing []Layer
	Problem string // why no child can be started; empty: one can
}

// Confinement is what the studio's own process was confined to when it started.
type Confinement struct {
	Layers  int     // looked at; 0: it did not confine itself
	Missing []Layer // those not fully in force, but the one about its user, which is an item of its own
}

// Layer is a layer of the sandbox that is not fully in force.
type Layer struct {
	Name, State, Reason, Mend string
}

// Account is the admin's.
type Account struct {
	Exists            bool
	PasswordChangedAt time.Time
	ShortPassword     *bool // fewer than 15 characters; nil: not recorded
	TwoFactor         *bool
	RecoveryCodes     int // left; with TwoFactor
}

// MCPAccess is who may call the generated server.
type MCPAccess struct {
	AuthType    store.AuthType
	CORSOrigins []string
	Tokens      []Token
}

// Token is one MCP token.
type Token struct {
	Name       string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	ExpiresAt  *time.Time
}

// Roles is what connection tests said of the databases' users.
type Roles struct {
	Warnings []string // each names its connection
	Untested []string // active connections that were not tested since the studio started
	Active   int
}

// Backup is the last one that studio backup made.
type Backup struct {
	At *time.Time // nil: none was ever made
}

// exposed reports whether others than this machine reach the pages or the MCP endpoint, as far as the settings tell.
func (f Facts) exposed() bool {
	if f.PublicURL != "" || len(f.Proxies) > 0 || f.TrustUnix {
		return true
	}
	for _, l := range f.Listeners {
		if l.Reachable {
			return true
		}
	}
	return false
}

// frontOnSocket reports whether the front listens on a Unix socket, where only a proxy can bring people to it.
func (f Facts) frontOnSocket() bool {
	front, ok := f.listener("front")
	return ok && strings.HasPrefix(front.Address, "unix:")
}

func (f Facts) listener(name string) (Listener, bool) {
	for _, l := range f.Listeners {
		if l.Name == name {
			return l, true
		}
	}
	return Listener{}, false
}
