//go:build !linux

package server

// CoarseTimers does nothing: only Linux has the attribute.
func CoarseTimers() {}
