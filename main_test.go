package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const module = "mcpstudio"

// deps is the architecture: the packages of this module that each package may import (docs/architecture.md). It is policy: change
// the design first, then this table, in a commit of its own.
var deps = map[string]string{
	"store":                    "",
	"store/keyring":            "store",
	"store/db":                 "store store/keyring",
	"auth":                     "store",
	"auth/password":            "",
	"auth/limit":               "",
	"auth/totp":                "",
	"auth/session":             "auth auth/limit auth/password auth/totp store store/db",
	"auth/token":               "auth store store/db",
	"mcpgen":                   "mcpgen/sqllex mcpgen/transform store",
	"mcpgen/sqllex":            "",
	"mcpgen/transform":         "",
	"mcpgen/queue":             "",
	"mcpgen/jsonscan":          "",
	"mcpgen/pipe":              "",
	"mcpgen/driver":            "mcpgen/jsonscan mcpgen/sqllex store",
	"mcpgen/driver/postgres":   "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/driver/sqlite":     "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/driver/all":        "mcpgen/driver mcpgen/driver/postgres mcpgen/driver/sqlite store",
	"mcpgen/driver/drivertest": "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/query":             "mcpgen/driver mcpgen/jsonscan mcpgen/queue mcpgen/sqllex mcpgen/transform store",
	"mcpgen/broker":            "",
	"mcpgen/hop":               "mcpgen/jsonscan",
	"mcpgen/sandbox":           "",
	"mcpgen/control":           "mcpgen store",
	"mcpgen/child":             "mcpgen mcpgen/broker mcpgen/control mcpgen/hop mcpgen/jsonscan mcpgen/driver mcpgen/driver/all mcpgen/query mcpgen/queue mcpgen/sandbox mcpgen/sqllex store",
	"mcpgen/child/childtest":   "mcpgen/child",
	"mcpgen/supervisor":        "mcpgen mcpgen/broker mcpgen/control mcpgen/hop mcpgen/pipe mcpgen/sandbox store",
	"server/op":                "auth store",
	"server/doctor":            "store",
	"server/studio":            "auth auth/session auth/token mcpgen mcpgen/sqllex mcpgen/transform server/connect server/doctor server/op store store/db",
	"server/rest":              "auth auth/session server/clientip server/op store",
	"server/front":             "auth server/clientip mcpgen/hop mcpgen/jsonscan store",
	"server/clientip":          "",
	"server/connect":           "",
	"server":                   "auth auth/limit auth/password auth/session auth/token mcpgen mcpgen/broker mcpgen/hop mcpgen/sandbox mcpgen/supervisor server/clientip server/connect server/doctor server/front server/op server/rest server/studio store store/db store/keyring",
	".":                        "server mcpgen/child",
	"bench":                    "",
}

// homes names the only packages that may import an outside library.
var homes = map[string]string{
	"github.com/labstack/echo/v4":           "server/rest",
	"github.com/mark3labs/mcp-go":           "mcpgen/child",
	"modernc.org/sqlite":                    "store/db mcpgen/driver/sqlite server/studio",
	"modernc.org/libc":                      "mcpgen/driver/sqlite",
	"github.com/jackc/pgx/v5":               "mcpgen/driver/postgres bench",
	"github.com/pressly/goose/v3":           "store/db",
	"github.com/itchyny/gojq":               "mcpgen/transform",
	"github.com/landlock-lsm/go-landlock":   "mcpgen/sandbox",
	"github.com/google/jsonschema-go":       "server/op",
	"github.com/santhosh-tekuri/jsonschema": "mcpgen/query",
	"golang.org/x/text":                     "auth/password auth/session mcpgen/query",
	"golang.org/x/term":                     "server",
	"golang.org/x/crypto":                   "auth/password store/keyring",
	"golang.org/x/sys":                      "mcpgen/sandbox mcpgen/broker mcpgen/child/childtest server",
	"github.com/google/go-cmp":              "mcpgen/driver/drivertest",
	"github.com/pquerna/otp":                "auth/totp",
	"github.com/boombuler/barcode":          "auth/totp",
	"github.com/alecthomas/kong":            ".",
	"github.com/joho/godotenv":              "server",
}

// sources calls each for every Go file that is not a test, with its package folder.
func sources(t *testing.T, each func(file, pkg string, f *ast.File, fset *token.FileSet)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		each(filepath.ToSlash(p), path.Dir(filepath.ToSlash(p)), f, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDependencies(t *testing.T) {
	sources(t, func(file, pkg string, f *ast.File, _ *token.FileSet) {
		allowed, ok := deps[pkg]
		if !ok {
			t.Errorf("%s: package %s is not in the architecture", file, pkg)
		}
		for _, i := range f.Imports {
			imp, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if in, ours := strings.CutPrefix(imp, module+"/"); ours && !slices.Contains(strings.Fields(allowed), in) {
				t.Errorf("%s imports %s", file, in)
			}
			known := false
			for lib, home := range homes {
				if imp != lib && !strings.HasPrefix(imp, lib+"/") {
					continue
				}
				known = true
				if !slices.Contains(strings.Fields(home), pkg) {
					t.Errorf("%s imports %s, whose home is %s", file, lib, home)
				}
			}
			if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !known {
				t.Errorf("%s imports %s, which has no home", file, imp)
			}
		}
	})
}

// The wall as the linker sees it: nothing the parent runs can reach a driver, and nothing the child runs can reach a key, a
// session or the store.
func TestWall(t *testing.T) {
	reach := func(pkg string) []string {
		t.Helper()
		out, err := exec.Command("go", "list", "-deps", module+"/"+pkg).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", pkg, err)
		}
		return strings.Fields(string(out))
	}
	for _, p := range reach("server") {
		if in, ours := strings.CutPrefix(p, module+"/"); ours && (strings.HasPrefix(in, "mcpgen/driver/") || in == "mcpgen/query" || in == "mcpgen/child") {
			t.Errorf("the parent reaches %s", in)
		}
		if strings.HasPrefix(p, "github.com/jackc/pgx") {
			t.Errorf("the parent reaches %s", p)
		}
	}
	for _, p := range reach("mcpgen/child") {
		in, ours := strings.CutPrefix(p, module+"/")
		if ours && (strings.HasPrefix(in, "server") || strings.HasPrefix(in, "auth") || in == "store/db" || in == "store/keyring") {
			t.Errorf("the child reaches %s", in)
		}
	}
}

// House rules that a person should not have to look for.
func TestHygiene(t *testing.T) {
	const maxFile, maxFunc, maxMethods = 600, 100, 8
	documented := map[string]bool{}
	sources(t, func(file, pkg string, f *ast.File, fset *token.FileSet) {
		documented[pkg] = documented[pkg] || f.Doc != nil
		switch f.Name.Name {
		case "util", "utils", "common", "helper", "helpers", "misc", "base", "model", "types":
			t.Errorf("%s: package %s has no concept", file, f.Name.Name)
		}
		if n := fset.File(f.Pos()).LineCount(); n > maxFile {
			t.Errorf("%s has %d lines, more than %d", file, n, maxFile)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: func init", fset.Position(n.Pos()))
				}
				if lines := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line; lines > maxFunc {
					t.Errorf("%s: %s has %d lines, more than %d", fset.Position(n.Pos()), n.Name.Name, lines, maxFunc)
				}
			case *ast.InterfaceType:
				if len(n.Methods.List) > maxMethods {
					t.Errorf("%s: an interface of %d methods, more than %d", fset.Position(n.Pos()), len(n.Methods.List), maxMethods)
				}
			}
			return true
		})
		packageVariables(t, file, f, fset)
	})
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

// packageVariables allows error values, compiled expressions, embedded files and interface checks at package level.
func packageVariables(t *testing.T, file string, f *ast.File, fset *token.FileSet) {
	t.Helper()
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			doc := ""
			for _, c := range []*ast.CommentGroup{g.Doc, v.Doc} {
				if c != nil {
					for _, l := range c.List {
						doc += l.Text + "\n"
					}
				}
			}
			if strings.Contains(doc, "//go:embed") || allFine(file, v) {
				continue
			}
			t.Errorf("%s: package variable %s", fset.Position(v.Pos()), v.Names[0].Name)
		}
	}
}

var fineCall = regexp.MustCompile(`^(errors\.New|fmt\.Errorf|regexp\.MustCompile|netip\.MustParsePrefix|netip\.MustParseAddr|\w+\.Strict)$`)

// exceptions are package variables that are state of the process itself. The list may only shrink.
var exceptions = map[string]bool{"mcpgen/sandbox/spawn_linux.go dumpable": true}

// allFine reports whether every value is an error, a compiled expression, or a struct of constants, which Go cannot write as a constant.
func allFine(file string, v *ast.ValueSpec) bool {
	for i, n := range v.Names {
		if n.Name == "_" || exceptions[file+" "+n.Name] {
			continue
		}
		if u, ok := valueAt(v, i).(*ast.UnaryExpr); ok && u.Op == token.AND && strings.HasPrefix(strings.ToLower(n.Name), "err") {
			continue // an error value
		}
		if !fine(valueAt(v, i)) {
			return false
		}
	}
	return true
}

func valueAt(v *ast.ValueSpec, i int) ast.Expr {
	if i < len(v.Values) {
		return v.Values[i]
	}
	return nil
}

func fine(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		sel, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if x, ok := sel.X.(*ast.Ident); ok {
			return fineCall.MatchString(x.Name + "." + sel.Sel.Name)
		}
		return sel.Sel.Name == "Strict"
	case *ast.CompositeLit:
		switch e.Type.(type) {
		case *ast.Ident, *ast.SelectorExpr: // a named type; maps, slices and arrays are spelled out
		default:
			return false
		}
		for _, el := range e.Elts {
			if kv, ok := el.(*ast.KeyValueExpr); ok {
				el = kv.Value
			}
			if _, ok := el.(*ast.BasicLit); !ok {
				return false
			}
		}
		return true
	}
	return false
}

// docs/architecture.md says where behaviours live; the files must exist.
func TestArchitectureTable(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := bytes.Cut(text, []byte("## Where is"))
	if !ok {
		t.Fatal("docs/architecture.md has no table \"Where is\"")
	}
	rows := 0
	for _, line := range strings.Split(string(table), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| behaviour") {
			continue
		}
		rows++
		found := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("no file in the row %s", line)
		}
		for _, f := range found {
			if _, err := os.Stat(f[1]); err != nil {
				t.Errorf("%s does not exist", f[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("the table has %d rows, want at least 20", rows)
	}
}

// TestReferences: a document that a comment or another document sends its reader to is in the tree.
func TestReferences(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go", "*.mjs", "*.ts", "*.tsx", "*.css", "*.sql", "*.md", "Makefile").Output()
	if err != nil {
		t.Fatal(err)
	}
	document := regexp.MustCompile(`[\w./-]*\b\w+\.md\b`)
	for _, file := range strings.Fields(string(out)) {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) { // removed and not yet committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(b), "\n") {
			if _, comment, ok := strings.Cut(line, "//"); ok && !strings.HasSuffix(file, ".md") {
				line = comment // in code a name may be of a file that it makes
			} else if !strings.HasSuffix(file, ".md") && !strings.HasPrefix(strings.TrimSpace(line), "*") {
				continue
			}
			for _, name := range document.FindAllString(line, -1) {
				beside := filepath.Join(filepath.Dir(file), name)
				if !slices.ContainsFunc([]string{name, beside}, func(p string) bool { _, err := os.Stat(p); return err == nil }) {
					t.Errorf("%s:%d: there is no %s", file, n+1, name)
				}
			}
		}
	}
}

// The tree's top level is the architecture's.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields("main.go embed.go go.mod go.sum server store auth mcpgen ui docs Dockerfile compose.yaml main_test.go Makefile README.md LICENSE CHANGELOG.md SECURITY.md bench e2e")
	for _, f := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		top, _, _ := strings.Cut(f, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(known, top) {
			t.Errorf("%s is not a top-level entry of the architecture", top)
		}
	}
}

// TestMain lets the test binary be the program, in scripts and as the child it starts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"studio": main})
}

// TestScripts drives the real program. Beside testscript's own commands there are
//
//	serve [flag...]                starts studio serve and waits for its address; sets URL, CODE (of the setup link) and PID
//	end [signal]                   ends it and waits; its log is then in serve.log. TWICE sends a second SIGTERM, which must end it at once
//	hang METHOD path               sends a request that is not whole and keeps the connection until the script ends
//	http status METHOD path [body] calls it with the session of the last answer that set one; the body goes to stdout
func TestScripts(t *testing.T) {
	if build, ok := debug.ReadBuildInfo(); ok && slices.Contains(build.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"}) {
		t.Skip("built with cgo, where a child cannot confine all its threads: run with CGO_ENABLED=0")
	}
	scripts, err := filepath.Glob("server/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range scripts { // testscript's own stop passes a script over and leaves the rest of it out
		if b, err := os.ReadFile(file); err != nil || regexp.MustCompile(`(?m)^\s*(\[.*\]\s*)?stop\b`).Match(b) {
			t.Errorf("%s stops before its end (%v)", file, err)
		}
	}
	t.Setenv("GOTMPDIR", t.TempDir()) // testscript's own directory stays when only some of the scripts run
	testscript.Run(t, testscript.Params{
		Dir: "server/testdata/script",
		Setup: func(e *testscript.Env) error {
			// Children have a user id of their own when the studio runs as root: they must get to the databases.
			for dir := e.WorkDir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			e.Setenv("STUDIO_DATA_DIR", filepath.Join(e.WorkDir, "data"))
			for _, name := range []string{"STUDIO_ADDR", "STUDIO_API_ADDR", "STUDIO_MCP_ADDR"} {
				e.Setenv(name, "127.0.0.1:0")
			}
			e.Setenv("STUDIO_SANDBOX", "degraded") // what this machine allows is what mcpgen/sandbox tests
			e.Values[key{}] = &served{}
			e.Defer(e.Values[key{}].(*served).kill)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return os.Getuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serveCmd, "end": endCmd, "http": httpCmd, "hang": hangCmd},
	})
}

type key struct{}

// served is the studio of one script.
type served struct {
	cmd    *exec.Cmd
	log    *os.File
	cookie string
}

func (s *served) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // gone already is as good
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func state(ts *testscript.TestScript) *served { return ts.Value(key{}).(*served) }

func serveCmd(ts *testscript.TestScript, neg bool, args []string) {
	s := state(ts)
	s.kill()
	program, err := exec.LookPath("studio")
	ts.Check(err)
	s.log, err = os.Create(ts.MkAbs("serve.log"))
	ts.Check(err)
	s.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
	s.cmd.Stderr = s.log
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "STUDIO_DATA_DIR", "STUDIO_ADDR", "STUDIO_API_ADDR", "STUDIO_MCP_ADDR", "STUDIO_SANDBOX", "STUDIO_ADMIN_USERNAME", "STUDIO_ADMIN_PASSWORD", "STUDIO_ENCRYPTION_KEY"} {
		if v := ts.Getenv(name); v != "" {
			s.cmd.Env = append(s.cmd.Env, name+"="+v)
		}
	}
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil { // it ended
		_ = s.cmd.Wait()
		s.cmd = nil
		ts.Check(s.log.Close())
		log, err := os.ReadFile(ts.MkAbs("serve.log"))
		ts.Check(err)
		if !neg {
			ts.Fatalf("studio serve ended:\n%s", log)
		}
		return
	}
	if neg {
		ts.Fatalf("studio serve runs, against expectation: %s", first)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(first), " is at ")
	ts.Setenv("URL", url)
	ts.Setenv("PID", strconv.Itoa(s.cmd.Process.Pid))
	ts.Setenv("CODE", "")
	if lines.Buffered() > 0 { // the link is written together with the address
		second, err := lines.ReadString('\n')
		ts.Check(err)
		_, code, _ := strings.Cut(strings.TrimSpace(second), "#code=")
		ts.Setenv("CODE", code)
	}
}

func endCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := state(ts)
	if s.cmd == nil {
		ts.Fatalf("nothing is served")
	}
	signal := syscall.SIGTERM
	if len(args) == 1 && args[0] == "KILL" {
		signal = syscall.SIGKILL
	}
	ts.Check(s.cmd.Process.Signal(signal))
	began := time.Now()
	if len(args) == 1 && args[0] == "TWICE" {
		for deadline := time.Now().Add(time.Minute); !strings.Contains(ts.ReadFile("serve.log"), "the studio ends"); time.Sleep(10 * time.Millisecond) { // or the kernel makes one of the two
			if time.Now().After(deadline) {
				ts.Fatalf("the first signal was not heard")
			}
		}
		began = time.Now()
		ended := make(chan struct{})
		defer close(ended)
		go func(p *os.Process) { // the next signal ends it, once the first one's handler is gone
			for p.Signal(signal) == nil {
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ended:
					return
				}
			}
		}(s.cmd.Process)
	}
	timer := time.AfterFunc(2*time.Minute, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	if !timer.Stop() {
		ts.Fatalf("studio serve did not end")
	}
	switch {
	case len(args) == 1 && args[0] == "TWICE":
		if err == nil || time.Since(began) > 7*time.Second { // a request that is not whole has ten seconds
			ts.Fatalf("the second signal did not end it at once: %v after %s", err, time.Since(began))
		}
	case signal == syscall.SIGTERM:
		ts.Check(err)
	}
	s.cmd = nil
	ts.Check(s.log.Close())
}

func hangCmd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: hang METHOD path")
	}
	c, err := net.Dial("tcp", strings.TrimPrefix(ts.Getenv("URL"), "http://"))
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	_, err = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", args[0], args[1])
	ts.Check(err)
	line, err := bufio.NewReader(c).ReadString('\n') // it reads the body now
	ts.Check(err)
	if !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		ts.Fatalf("hang: got %s", line)
	}
	_, err = io.WriteString(c, "{")
	ts.Check(err)
}

func httpCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || len(args) > 4 || neg {
		ts.Fatalf("usage: http status METHOD path [body]")
	}
	s := state(ts)
	var body io.Reader
	if len(args) == 4 {
		body = strings.NewReader(args[3])
	}
	q, err := http.NewRequest(args[1], ts.Getenv("URL")+args[2], body)
	ts.Check(err)
	q.Header.Set("Content-Type", "application/json")
	if s.cookie != "" {
		q.Header.Set("Cookie", s.cookie)
	}
	client := http.Client{Timeout: 2 * time.Minute}
	res, err := client.Do(q)
	ts.Check(err)
	defer res.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(res.Body)
	ts.Check(err)
	for _, c := range res.Cookies() {
		s.cookie = c.Name + "=" + c.Value
	}
	fmt.Fprint(ts.Stdout(), out.String())
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("%s %s: got %d, want %s: %s", args[1], args[2], res.StatusCode, args[0], out.String())
	}
}
