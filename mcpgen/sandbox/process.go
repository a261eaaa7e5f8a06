package sandbox

import (
	"errors"
	"os"
)

// ErrUnsupported is returned where there is no sandbox: everywhere but on Linux.
var ErrUnsupported = errors.New("no sandbox on this operating system: run the studio on Linux, or in a Linux container")

// Options say what Start starts. Args and Handshake are required.
type Options struct {
	// Args is the child's argv, such as {"studio", "child"}. Never put a secret here: any user can read it.
	Args []string
	// Exe is the program; "" means the running one. It must be executable by the child's uid.
	Exe string
	// Starter starts the child; nil means that this process does. With a Starter, Args and Exe are the Starter's, and
	// Args here only names the child.
	Starter *Starter
	// Files become descriptors 3, 4, … of the child. Start owns them: they are closed in the parent when it returns,
	// so that the other ends see the child's death; if ctx ended before there was a child, as soon as it is known that there
	// will be none.
	Files []*os.File
	// Held are directories and files of the policy that the caller has opened and looked at, by their path there (see Hold).
	// The child is given these very ones, whatever the path leads to by then. Start opens the others itself, and owns all.
	Held map[string]*os.File
	// Policy is what to confine to.
	Policy Policy
	// Slot chooses the uid of the child when the parent is root: FirstUID + Slot mod UIDs. Children of different slots
	// cannot starve each other of processes; SQLite files must be readable for the uid of their child.
	Slot int
	// Log receives what the child prints, line by line, shortened and limited in rate. nil discards. It is called from
	// one goroutine and must not block for long.
	Log func(line string)
	// Enforce refuses a child below the minimum with a RefusedError.
	Enforce bool
	// Handshake sends the policy to the child and returns its report. It runs on a goroutine of Start and must return
	// when the child's end of its channel closes. It must not send any secret: that is for after Start.
	Handshake func(p Policy) (Report, error)
}
