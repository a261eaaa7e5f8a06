// Package program_test hunts for secrets, open doors and lost data in the program as people run it: a process of its own, with the
// arguments, files and environment of the real thing. It builds the program once and runs from the root of the repository.
package program_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run puts the built program first in the PATH, where the tests look it up.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "studio-program-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func prepare(dir string) error {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "studio"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, b)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // children have a user id of their own
		return err
	}
	return os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}
