// Package rest is the operations over HTTP, and the endpoints that are about
// HTTP itself: sign-in, streams, health, the OpenAPI document.
//
// It promises, for every route of its router:
//
//	who           all but the public list needs an admin session; nothing else is a credential here
//	where from    a write, and any read a script makes, comes from our own origin (Sec-Fetch-Site, Origin) or from no browser
//	what          a write is application/json of at most 4 MiB, 64 KiB without a session; the input is one object, no key twice, none unknown
//	answers       JSON, no-store, with the security headers and a request id; errors by one map from store.Code
//
// Checks run in this order: method and path form, origin, session, content type, body. A request that fails one says nothing of
// the later ones.
//
// Its hole: a browser that sends neither Sec-Fetch-Site nor Origin with a cross-site write would be taken for a command-line
// client. None does (Fetch standard, "append a request `Origin` header"); SameSite=Lax is the second fence.
package rest
