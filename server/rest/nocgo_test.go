//go:build !cgo

package rest_test

const builtWithCgo = false
