// Package child is the sandboxed process: the generated MCP server, and the
// workbench that tests connections, lists schemas and runs previews.
//
// Main reads the sandbox's policy, locks itself in, reports, and only then is
// given what to run. From there it has no network but sockets the parent dialled,
// no files but SQLite databases, and no secrets but those of its own connections.
// It serves the calls that come over the hop and dispatches on what the parent
// authorised: method, name, principal and allowed names in the frame, never on a
// second reading of the client's message.
//
// tools/call and tools/list have a narrow core of their own: rows go straight from
// the database's wire into the answer, and lists are marshalled once per deploy.
// Everything else in MCP is answered by mcp-go, whose requests are written here
// from the authorised parts, and whose errors are given the codes that MCP asks
// for. What a principal may not see does not exist for it: each set of allowed
// names has a view of its own.
//
// It promises that a panic in a driver or library ends one call with a fixed
// sentence and not the process, and that what a client reads in an error holds no
// SQL, no data of other calls and no secret.
//
// Its hole: it trusts the manifest. Whoever can write that is the admin.
package child
