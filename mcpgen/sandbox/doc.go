// Package sandbox is the wall around the child process: the parent starts the child through Start, the child locks
// itself in with Enter before it has read a secret, and the parent looks from outside whether the kernel agrees.
//
// What it promises at level strong or better: the confined process opens no socket, no file but the listed SQLite ones
// and never one for writing but the listed wal-indexes, starts no other process, signals and inspects no other process,
// gains no privilege, and dies with its parent. What is already connected (pipes, sockets passed by the broker) stays
// usable; that is the point.
//
// A layer the kernel does not offer is reported, never silently left out; Start with Options.Enforce refuses a child
// below the minimum (see Level).
//
// Its hole: a bug of the kernel inside a system call that is allowed. There is no second kernel in between. And it
// confines the child, not the database: what the database does for its user it still does.
//
// Linux only (amd64, arm64), and only without cgo: the all-threads system calls of the standard library refuse to work
// in a cgo program. Order, reasons and traps are in DESIGN.md.
package sandbox
