//go:build cgo

package sandbox

const builtWithCgo = true
