// Package server puts MCP Studio together: configuration from the environment,
// every part with what it needs, the listeners, and an orderly end.
//
// It promises that nothing else reads the environment, that secrets are not in
// the log, that every listener checks the Host header and bounds what a slow
// client may hold, and that the order of the end is the reverse of the start:
// streams end, running requests finish, the child is drained, last uses are
// written, the store is closed.
//
// Its hole: what runs on other hosts behind the same public name is not known to
// it. TLS is the business of a proxy in front (STUDIO_TRUSTED_PROXIES).
package server
