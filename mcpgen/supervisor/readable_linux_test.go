package supervisor

import (
	"io/fs"
	"os"
	"testing"

	"mcpstudio/mcpgen/sandbox"
)

// TestReadable: whose rights on the directory of databases count for children: the group's when it is theirs, else everybody's.
func TestReadable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("children have a group of their own only when the studio runs as root")
	}
	for _, c := range []struct {
		gid  int
		mode fs.FileMode
		ok   bool
	}{
		{sandbox.GID, 0o750, true}, {sandbox.GID, 0o770, true}, {sandbox.GID, 0o755, true},
		{sandbox.GID, 0o700, false}, {sandbox.GID, 0o740, false}, {sandbox.GID, 0o710, false}, {sandbox.GID, 0o705, false}, // what everybody may, the group may not
		{0, 0o755, true}, {0, 0o705, true}, {0, 0o750, false}, {0, 0o704, false}, {0, 0o701, false},
	} {
		dir := t.TempDir()
		if err := os.Chown(dir, 0, c.gid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := readable(root, dir); (err == nil) != c.ok {
			t.Errorf("group %d, mode %04o: %v", c.gid, c.mode, err)
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	}
}
