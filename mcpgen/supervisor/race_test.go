//go:build race

package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// childExe builds the child without the race detector, which needs more memory and
// other system calls than a child may have. What is checked for races is the parent.
func childExe() (exe string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "supervisor")
	if err != nil {
		return "", nil, err
	}
	exe = filepath.Join(dir, "child.test")
	build := exec.Command("go", "test", "-c", "-o", exe, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", nil, err
	}
	return exe, func() { os.RemoveAll(dir) }, os.Chmod(exe, 0o755)
}
