package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// swaps are what somebody who may write to a directory of databases puts where a file was that the studio has looked at. Each makes
// path lead to victim, a file that everybody may write.
func swaps() map[string]func(path, victim string) error {
	return map[string]func(path, victim string) error{
		"symbolic link": func(path, victim string) error { return errors.Join(os.Remove(path), os.Symlink(victim, path)) },
		"hard link":     func(path, victim string) error { return errors.Join(os.Remove(path), os.Link(victim, path)) },
		"file":          func(path, victim string) error { return os.Rename(victim, path) },
		"directory": func(path, victim string) error { // the one around it
			dir := filepath.Dir(path)
			return errors.Join(os.Rename(dir, dir+"-before"), os.Symlink(filepath.Dir(victim), dir), os.Symlink("victim", filepath.Dir(victim)+"/base-shm"))
		},
	}
}

// swapReport is what came of a swap.
type swapReport struct {
	Level   Level  `json:"level"`
	Files   Layer  `json:"files"`
	Did     string `json:"did"`    // by the child: what it could open
	Victim  string `json:"victim"` // what is in the victim afterwards
	Error   string `json:"error,omitempty"`
	Missing string `json:"missing"` // layers that are unavailable
}

// swapMain is a studio on a machine that refuses what is named in the arguments; between its look at a file and the moment at which its
// child confines itself, the file is swapped.
func swapMain() {
	var r swapReport
	if err := r.run(os.Args[2], os.Args[3:]); err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}

func (r *swapReport) run(how string, refused []string) error {
	top, err := os.MkdirTemp("/tmp", "sandbox-swap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(top)
	dir, elsewhere := filepath.Join(top, "db"), filepath.Join(top, "elsewhere")
	shm, victim := filepath.Join(dir, "base-shm"), filepath.Join(elsewhere, "victim")
	if err := errors.Join(os.Chmod(top, 0o755), os.Mkdir(dir, 0o755), os.Mkdir(elsewhere, 0o755)); err != nil {
		return err
	}
	for _, f := range []string{shm, victim} {
		if err := errors.Join(os.WriteFile(f, []byte("untouched"), 0o600), os.Chmod(f, 0o666)); err != nil {
			return err
		}
	}
	kept, err := os.Open(victim) // wherever it is moved to
	if err != nil {
		return err
	}
	defer kept.Close()
	for _, name := range refused {
		if err := refuse(refusals()[name]...); err != nil {
			return err
		}
	}
	o, l, err := testOptions(Policy{FS: FSROShm, Dirs: []string{dir}, RWFiles: []string{shm}})
	if err != nil {
		return err
	}
	defer l.conn.Close()
	send := o.Handshake
	o.Handshake = func(p Policy) (Report, error) {
		if err := swaps()[how](shm, victim); err != nil {
			return Report{}, err
		}
		return send(p)
	}
	c, err := Start(context.Background(), o)
	if err != nil {
		return err
	}
	defer c.Exit()
	defer c.Kill("over")
	r.Level = c.Level()
	for _, layer := range c.Layers() {
		if layer.Name == LayerFiles {
			r.Files = layer
		}
		if layer.State == StateUnavailable {
			r.Missing += layer.Name + " "
		}
	}
	r.Did, err = l.do(job{Name: "scribble", Targets: targets{Dir: dir, Database: shm}})
	b := make([]byte, 100)
	n, rerr := kept.ReadAt(b, 0)
	if r.Victim = string(b[:n]); n == 0 {
		err = errors.Join(err, rerr)
	}
	return err
}

// Between the studio's look at a file and the child's mount or rule somebody else may put another one there. The child gets what was
// looked at, or nothing; it loses no layer by that, and the layer files names the path.
func TestSwappedFiles(t *testing.T) {
	needThreads(t)
	for name, command := range map[string]func(args ...string) *exec.Cmd{
		"same user":     func(args ...string) *exec.Cmd { return exec.CommandContext(t.Context(), "/proc/self/exe", args...) },
		"ordinary user": func(args ...string) *exec.Cmd { return asUser(t.Context(), args...) },
	} {
		for _, refused := range [][]string{nil, {"namespaces"}, {"landlock"}} {
			for how := range swaps() {
				t.Run(fmt.Sprint(name, "/", how, refused), func(t *testing.T) {
					cmd := command(append([]string{"sandbox-swap", how}, refused...)...)
					cmd.Stderr = os.Stderr
					out, err := cmd.Output()
					var r swapReport
					if err == nil {
						err = json.Unmarshal(out, &r)
					}
					if err != nil || r.Error != "" {
						t.Fatalf("%v %s: %s", err, r.Error, out)
					}
					if r.Victim != "untouched" || strings.Contains(r.Did, "wrote") {
						t.Errorf("the child %s, and the victim holds %q", r.Did, r.Victim)
					}
					if r.Files.State != StateUnavailable || !strings.Contains(r.Files.Detail, "is another one than the studio looked at") {
						t.Errorf("files: %+v", r.Files)
					}
					if slices.Contains(strings.Fields(r.Missing), LayerPrivateRoot) != slices.Contains(refused, "namespaces") {
						t.Errorf("level %s, missing: %s", r.Level, r.Missing)
					}
				})
			}
		}
	}
}
