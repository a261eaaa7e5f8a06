// Package store is the domain: what the studio keeps. It holds the entities
// with their rules, the drafts and patches that make and change them, and the
// errors a caller may be told about. It does no I/O and imports nothing of this
// module, so both sides of the wall (parent and child) share it.
//
// Its hole: validation here is per entity. Rules that need other rows (unique
// names, a connection that exists) are enforced where the rows are, in
// server/studio inside the write's transaction.
package store
