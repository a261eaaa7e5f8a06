package server

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"mcpstudio/mcpgen/sandbox"
)

// TestSQLiteDir: the SQLite databases in the data directory are for their owner, and as root for the group of the children; nobody else
// has a right, whoever put them there. What is not plainly a file of that directory is left alone.
func TestSQLiteDir(t *testing.T) {
	dir := dataDir(t)
	databases, elsewhere := filepath.Join(dir, "databases"), filepath.Join(t.TempDir(), "elsewhere")
	err := errors.Join(os.MkdirAll(filepath.Join(databases, "sub"), 0o755), os.Chmod(dir, 0o700), os.WriteFile(elsewhere, []byte("secret"), 0o600))
	for _, name := range []string{"base.db", "sub/base.db"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(databases, name), []byte("SQLite format 3\x00"), 0o644))
	}
	err = errors.Join(err, os.Symlink(elsewhere, filepath.Join(databases, "link.db")), os.Link(elsewhere, filepath.Join(databases, "hard.db")))
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, dir)
	root := os.Geteuid() == 0
	look := func(path string) (mode fs.FileMode, gid uint32) {
		t.Helper()
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			t.Fatal("no owner")
		}
		return info.Mode(), st.Gid
	}
	mustBe := func(name string, mode fs.FileMode) {
		t.Helper()
		got, gid := look(filepath.Join(databases, name))
		if root && (got != mode || gid != sandbox.GID) {
			t.Errorf("%s has mode %v and group %d, want %v and %d", name, got, gid, mode, sandbox.GID)
		}
	}
	if root {
		mustBe("", fs.ModeDir|fs.ModeSetgid|0o750)
		mustBe("sub", fs.ModeDir|fs.ModeSetgid|0o750)
	} else if got, _ := look(databases); got != fs.ModeDir|0o700 {
		t.Errorf("the directory has mode %v", got)
	}
	mustBe("base.db", 0o640)
	mustBe("sub/base.db", 0o640)
	if mode, gid := look(elsewhere); mode != 0o600 || gid == sandbox.GID {
		t.Errorf("what links lead to has mode %v and group %d now", mode, gid)
	}
	needChild(t)
	r.setUp()
	r.api(http.MethodPost, "/sample", map[string]any{}, http.StatusCreated) // the child of the deploy reads it
	r.waitFor("running")
	mustBe("sample-shop.db", 0o640)
}

// TestSQLiteDirElsewhere: a directory that the operator named is the operator's.
func TestSQLiteDirElsewhere(t *testing.T) {
	databases := filepath.Join(t.TempDir(), "databases")
	if err := errors.Join(os.Mkdir(databases, 0o755), os.Chmod(databases, 0o751), os.WriteFile(databases+"/base.db", nil, 0o604)); err != nil {
		t.Fatal(err)
	}
	start(t, dataDir(t), "STUDIO_SQLITE_DIR="+databases)
	for path, want := range map[string]fs.FileMode{databases: fs.ModeDir | 0o751, databases + "/base.db": 0o604} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
		}
	}
}
