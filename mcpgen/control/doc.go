// Package control is what the studio (the parent) and a sandboxed process (the child) say to each other beside the
// calls: one JSON object a line over a Unix stream socket, both ends of it.
//
//	parent                         child
//	  policy      ───────────▶             what to confine itself to; nothing secret
//	              ◀───────────  report     which layers hold
//	  (the parent verifies from outside)
//	  start       ───────────▶             manifest and opened credentials
//	              ◀───────────  ready      or failed, with the reason
//	  drain       ───────────▶             finish what runs
//	              ◀───────────  drained
//	              ◀───────────  log        any time
//
// The order is the business of the two ends; this package sees to the form. The child is not trusted: a line of more
// than 1 MiB, malformed JSON, an unknown type or field, a payload of another type or one beyond its limits is an error
// that wraps [ErrProtocol] and names the flaw without quoting the line. A parent's line may have 32 MiB. What a child says
// beyond 1 MiB a second, after a burst, waits in its pipe.
//
// Credentials go through this pipe and nothing else: never through arguments, environment or disk. Their type prints,
// logs and marshals as a mask.
package control
