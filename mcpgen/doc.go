// Package mcpgen turns configuration into a manifest: Compile takes what the
// studio stores and returns plain data that a child can run, or the problems
// that keep it from running. Check judges one statement the same way while it
// is being written, Define shows the exact tools/list entry, and Diff says in
// plain sentences what a deploy changes for clients.
//
// It promises determinism (same configuration, same bytes) and that no secret
// is in a manifest: opened secrets travel beside it in Secrets, which never
// prints. It does no I/O.
package mcpgen
