//go:build linux

package sandbox

// archAttacks: the only other table is that of 32-bit ARM, which a 64-bit process cannot enter without exec.
func archAttacks() []attack { return nil }
