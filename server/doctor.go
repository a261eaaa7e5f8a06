package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"mcpstudio/mcpgen/supervisor"
	"mcpstudio/server/doctor"
	"mcpstudio/server/studio"
	"mcpstudio/store/db"
	"mcpstudio/store/keyring"
)

// Doctor is studio doctor: it evaluates the security checklist and the environment, beside a running studio or without one, writes what
// it found to out, and returns an error when an item fails. It changes nothing. mistakes is what LoadConfig returned; when the
// configuration has mistakes, they are the report.
func Doctor(ctx context.Context, c Config, mistakes error, asJSON bool, out io.Writer) error {
	var wrong *ConfigError
	if mistakes != nil && !errors.As(mistakes, &wrong) {
		return mistakes
	}
	version, _ := build()
	r := doctor.Report{Version: version, Settings: c.Given}
	if r.Settings == nil {
		r.Settings = []doctor.Setting{}
	}
	now := time.Now()
	around := doctor.Surroundings{Now: now, System: systemName(), Linux: runtime.GOOS == "linux"}
	if wrong != nil {
		around.Mistakes = wrong.Lines
	} else {
		facts := hostFacts(c)
		facts.Now = now
		examine(ctx, c, &around, &facts)
		r.Checklist = new(doctor.Check(facts))
	}
	r.Environment = doctor.Look(around)
	if err := writeReport(out, r, asJSON); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if n := r.Counts().Fail; n > 0 {
		return fmt.Errorf("items that fail: %d", n)
	}
	return nil
}

func writeReport(out io.Writer, r doctor.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	f, file := out.(*os.File)
	return r.WriteText(out, file && term.IsTerminal(int(f.Fd())))
}

// examine looks at the data directory, a running studio, the store and the wall.
func examine(ctx context.Context, c Config, s *doctor.Surroundings, f *doctor.Facts) {
	s.Ignored, s.DataDir = c.Warnings, c.DataDir
	if err := usable(c.DataDir); err != nil {
		s.DataDirError = err.Error()
	}
	s.Running, s.PID = lockHolder(filepath.Join(c.DataDir, db.LockName))
	if s.Running == nil || *s.Running {
		s.Answers = askHealth(ctx, c)
	}
	exists, err := db.Exists(c.DataDir)
	if s.Store = exists; exists {
		err = lookAtStore(ctx, c, f)
	}
	if err != nil {
		s.StoreError, s.StoreMend = err.Error(), storeMend(err, f.DataDir)
	}
	user := studioUser(s.PID, f.User)
	f.Root = user == 0
	if me := os.Geteuid(); me != user {
		f.Observer = &me
	}
	probe, err := supervisor.Probe(ctx, supervisor.Options{Enforce: c.Enforce, SQLiteDir: c.SQLiteDir})
	if err != nil {
		s.ProbeError = err.Error()
		return
	}
	s.Refused = c.Enforce && !probe.MinimumMet
	studio.SandboxFacts(probe, f)
}

// studioUser is the uid of the studio that runs as pid, else of the one that would run: what its files are of, as far as that is known.
// Root may look after the studio of another user.
func studioUser(pid string, ofFiles *int) int {
	// Not the owner of the directory in /proc: of a process that may not be traced that is root.
	if b, err := os.ReadFile("/proc/" + pid + "/status"); pid != "" && err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 2 && f[0] == "Uid:" {
				if uid, err := strconv.Atoi(f[2]); err == nil { // the effective one
					return uid
				}
			}
		}
	}
	if ofFiles != nil {
		return *ofFiles
	}
	return os.Geteuid()
}

// storeMend is what there is to do about a store that does not open; empty when the error does not tell.
func storeMend(err error, dir *doctor.File) string {
	var exposed *keyring.ExposedError
	switch {
	case lostKey(err):
		return "Bring the key back: its file, or the value of STUDIO_ENCRYPTION_KEY. If it is lost for good: studio rotate-key --forget-lost gives up the secrets that it sealed."
	case errors.As(err, &exposed):
		return "chmod 600 " + exposed.Path
	case errors.Is(err, fs.ErrPermission) && dir != nil && dir.Owner != nil:
		return fmt.Sprintf("Run studio doctor as the studio's user; the data directory is of uid %d, and everything in it must be too: chown -R %d %s", *dir.Owner, *dir.Owner, dir.Path)
	case errors.Is(err, fs.ErrPermission):
		return "Run studio doctor as the studio's user, and let the data directory and everything in it be of that user."
	}
	return ""
}

func lookAtStore(ctx context.Context, c Config, f *doctor.Facts) error {
	keys, err := openKeys(c)
	if err != nil {
		return err
	}
	return db.Look(ctx, db.Options{Dir: c.DataDir, Keyring: keys}, func(tx *db.Tx) error { return studio.StoredFacts(tx, f) })
}

// usable reports why a directory could not be used: it, or the nearest one above that is there, must be writable. Nothing is written
// to find out.
func usable(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is not a directory", at)
		}
		const writeAndPass = 2 | 1 // W_OK and X_OK of access(2)
		if err := syscall.Access(at, writeAndPass); err != nil {
			return fmt.Errorf("%s cannot be written: %w", at, err)
		}
		return nil
	}
}

// lockHolder finds out who holds the lock of a data directory, without trying to take it: a studio that starts at this moment would
// be refused. The kernel lists locks by device and inode (proc(5), /proc/locks), and their holders by the numbers that they have here;
// the number that a studio in a container writes into the file is another. running is nil when that cannot be read.
func lockHolder(path string) (running *bool, pid string) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(false), ""
	}
	if err != nil {
		return nil, ""
	}
	file, ok := info.Sys().(*syscall.Stat_t)
	locks, err := os.Open("/proc/locks")
	if err != nil || !ok {
		return nil, ""
	}
	defer locks.Close()
	inode := fmt.Sprintf(":%d", file.Ino)
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // 1: FLOCK ADVISORY WRITE 4711 08:01:131 0 EOF
		if len(fields) >= 6 && fields[1] == "FLOCK" && fields[3] == "WRITE" && strings.HasSuffix(fields[5], inode) {
			if n, err := strconv.Atoi(fields[4]); err != nil || n <= 0 {
				return new(true), ""
			}
			return new(true), fields[4]
		}
	}
	return new(false), ""
}

// askTime bounds one health check.
const askTime = 3 * time.Second

// askHealth asks the listeners that have a health check on the addresses of this configuration.
func askHealth(ctx context.Context, c Config) []doctor.Answer {
	var out []doctor.Answer
	for _, l := range surfaces(c) {
		moved := !l.at.Set && l.at.Inner || strings.HasSuffix(l.at.TCP, ":0") // perhaps, and nobody outside knows where
		if l.at.Off || l.name == mcpListener || moved {
			continue
		}
		a := doctor.Answer{Name: l.name, Variable: l.at.Variable, Address: l.at.String()}
		if err := askOne(ctx, l.at); err != nil {
			a.Error = err.Error()
		}
		out = append(out, a)
	}
	return out
}

func askOne(ctx context.Context, a Address) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	network, address := "tcp", a.TCP
	if a.Unix != "" {
		network, address = "unix", a.Unix
	} else if host, port, err := net.SplitHostPort(a.TCP); err == nil && host == "" {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/health", nil)
	if err != nil {
		return err
	}
	res, err := transport.RoundTrip(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var health struct {
		Status string `json:"status"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<10)).Decode(&health); err != nil || res.StatusCode != http.StatusOK || health.Status != "ok" {
		return fmt.Errorf("another program answers, with status %d", res.StatusCode)
	}
	return nil
}

// systemName is the operating system with its kernel.
func systemName() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		name += ", kernel " + strings.TrimSpace(string(b))
	}
	return name
}
