package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
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
	"auth/session":             "auth auth/limit auth/password store store/db",
	"auth/token":               "auth store store/db",
	"mcpgen":                   "mcpgen/sqllex mcpgen/transform store",
	"mcpgen/sqllex":            "",
	"mcpgen/transform":         "",
	"mcpgen/queue":             "",
	"mcpgen/driver":            "mcpgen/sqllex store",
	"mcpgen/driver/postgres":   "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/driver/sqlite":     "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/driver/all":        "mcpgen/driver mcpgen/driver/postgres mcpgen/driver/sqlite store",
	"mcpgen/driver/drivertest": "mcpgen/driver mcpgen/sqllex store",
	"mcpgen/query":             "mcpgen/driver mcpgen/queue mcpgen/sqllex mcpgen/transform store",
	"mcpgen/broker":            "",
	"mcpgen/hop":               "",
	"mcpgen/sandbox":           "",
	"mcpgen/control":           "mcpgen store",
	"mcpgen/child":             "mcpgen mcpgen/broker mcpgen/control mcpgen/hop mcpgen/driver mcpgen/driver/all mcpgen/query mcpgen/queue mcpgen/sandbox mcpgen/sqllex store",
	"mcpgen/supervisor":        "mcpgen mcpgen/broker mcpgen/control mcpgen/hop mcpgen/sandbox store",
	"server/op":                "auth store",
	"server/studio":            "auth auth/session auth/token mcpgen mcpgen/sqllex mcpgen/transform server/connect server/op store store/db",
	"server/rest":              "auth auth/session server/clientip server/op store",
	"server/front":             "auth server/clientip mcpgen/hop store",
	"server/clientip":          "",
	"server/connect":           "",
	"server":                   "auth auth/limit auth/password auth/session auth/token mcpgen mcpgen/broker mcpgen/hop mcpgen/sandbox mcpgen/supervisor server/clientip server/connect server/front server/op server/rest server/studio store store/db store/keyring",
	".":                        "server mcpgen/child",
	"bench":                    "",
}

// homes names the only packages that may import an outside library.
var homes = map[string]string{
	"github.com/labstack/echo/v4":           "server/rest",
	"github.com/mark3labs/mcp-go":           "mcpgen/child",
	"modernc.org/sqlite":                    "store/db mcpgen/driver/sqlite server/studio",
	"github.com/jackc/pgx/v5":               "mcpgen/driver/postgres",
	"github.com/pressly/goose/v3":           "store/db",
	"github.com/itchyny/gojq":               "mcpgen/transform",
	"github.com/landlock-lsm/go-landlock":   "mcpgen/sandbox",
	"github.com/google/jsonschema-go":       "server/op",
	"github.com/santhosh-tekuri/jsonschema": "mcpgen/query",
	"golang.org/x/crypto":                   "auth/password store/keyring",
	"github.com/alecthomas/kong":            ".",
	"github.com/caarlos0/env/v11":           "server",
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
			for lib, home := range homes {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(strings.Fields(home), pkg) {
					t.Errorf("%s imports %s, whose home is %s", file, lib, home)
				}
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

// The tree's top level is the architecture's.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields("main.go embed.go go.mod go.sum server store auth mcpgen ui docs Dockerfile main_test.go Makefile README.md LICENSE CHANGELOG.md SECURITY.md bench e2e")
	for _, f := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		top, _, _ := strings.Cut(f, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(known, top) {
			t.Errorf("%s is not a top-level entry of the architecture", top)
		}
	}
}
