//go:build !race

package supervisor

// childExe is this test binary.
func childExe() (exe string, remove func(), err error) { return "", func() {}, nil }
