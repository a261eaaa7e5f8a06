// Package connect is how MCP clients get in: the configuration snippets of the
// clients people use, in one tested table, and the bridge of `studio connect` for
// clients that only speak stdio.
//
// The bridge promises that nothing but MCP messages, one a line, is written to its
// output, that a client gets an answer to every request, be it a JSON-RPC error
// that says what to do, and that the token leaves the process only in the
// Authorization header to the one URL it was given: redirects are not followed.
//
// Its hole: a request that the client cancels is given up here by closing it,
// which ends its work in our server; another server may go on with it.
package connect
