// Package studio is what an admin or agent can do: every operation of MCP
// Studio, once, under all skins.
//
// It promises that a write is one transaction (version, rules, row, secrets and
// history together), that a rule holds whatever the caller is, that a stored
// secret never follows a connection to another endpoint unless it is typed
// again, and that a deploy which fails leaves the running revision as it was.
//
// A deploy moves like this; each arrow is a committed state:
//
//	saved ──compile──▶ starting ──switch──▶ live ──next deploy, stop──▶ retired
//	                      └──────any failure──────▶ failed (the live one stays)
//
// Its hole: what a database says is as old as the last test; nothing polls.
package studio
