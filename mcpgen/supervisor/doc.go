// Package supervisor keeps one live revision of the generated MCP server running
// as a sandboxed child process, and starts short-lived workbenches of the same
// kind for connection tests, schema browsing and previews.
//
// It promises:
//
//   - a deploy that fails at any step leaves the running revision untouched;
//   - the switch to a new revision is one atomic pointer, and no call fails
//     because of it: calls that reached the old child finish there, others go to
//     the new one;
//   - a call that may have run is never sent a second time;
//   - a child that ends is started again from the same revision: at once when it
//     had been ready for a second, else after a delay that doubles from 100 ms to
//     30 s;
//   - a child gets its secrets only after the sandbox has been verified from
//     outside, and its broker dials only what its own manifest names;
//   - nothing a child sends can stop the parent: broken protocol ends the child.
//
// Its hole: what a killed child did to a database before it died is the
// database's to undo, and the SQLite directory is shared: a child with one
// SQLite connection could read the other files in it.
package supervisor
