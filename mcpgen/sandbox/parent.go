package sandbox

// ParentOptions is what the studio itself needs from the file system for the rest of its life, beside what every
// program of its kind reads: /proc, the resolver's files, certificates, time zones, /dev/null.
type ParentOptions struct {
	// ReadWrite are existing directories in which it reads, writes, makes and removes files: the data directory, that of
	// the SQLite databases.
	ReadWrite []string
	// Sockets are the paths of its Unix listeners. They are open by now, and it gets no right to their directories, which
	// are often those of other programs too (/run); the Starter removes the sockets at the end.
	Sockets []string
	// Read are further files and directories it only reads; missing ones are left out.
	Read []string
	// Starter starts the children. Without one Landlock is not put on, since it would cost them their private root.
	Starter *Starter
}

// ParentStatus is everything there is to show about the studio's own confinement.
type ParentStatus struct {
	PID int `json:"pid"`
	// Layers are no_new_privs, dumpable, rlimits, landlock, capabilities and user.
	Layers []Layer `json:"layers"`
	// Verified is what the kernel says about the studio, Starter what it says about the process that starts children; nil
	// without one.
	Verified Verified  `json:"verified"`
	Starter  *Verified `json:"starter,omitempty"`
}
