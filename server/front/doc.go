// Package front is the public door of the generated MCP server: one HTTP handler
// for its endpoint that lets in only what may reach the child.
//
// Every request passes, in this order: Host (421), Origin (403), method (405),
// authentication (401), rate limit (429), content type and size (415, 413), one
// strict reading of the body and its comparison with the MCP headers (400, 404).
// Then the parts of the message, never the body, go to the live child.
//
// It promises that a call reaches the child only with the principal and the
// allowed names that authentication gave it, that a missing or broken setting
// closes the door instead of opening it, that a client that goes away ends its
// call, that clients that read or send slowly hold no more than 256 MiB of memory
// each way beside what is small, and that what the call log gets costs the call
// one append.
//
// The Host and Origin checks are exported for the studio's other listeners.
//
// Its hole: with auth mode none everybody is the same principal, told apart for
// the rate limit by address only. A legacy client's notifications/cancelled is
// accepted and does nothing, because without sessions it could hit another
// client's call of the same id; closing the request is what cancels.
package front
