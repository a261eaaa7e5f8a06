package server

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write docs/configuration.md")

// configurationDoc is docs/configuration.md.
func configurationDoc() string {
	var b strings.Builder
	b.WriteString(`# Configuration

Written from the table in ` + "`server/variable.go`" + `, which is also what the start checks by; do not edit it by hand.

Settings come from the environment. A ` + "`.env`" + ` beside the program is read first and the environment wins over it; the flags of
` + "`studio serve`" + ` win over both. The ` + "`.env`" + ` is refused unless it belongs to the running user or root and neither group nor others can
write it; a mode other than 0600 is warned about. Each line is ` + "`NAME=value`" + `; a value that holds a ` + "`$`" + `, a ` + "`#`" + ` or a quote stands in single quotes.

An unknown ` + "`STUDIO_…`" + ` variable and a malformed value stop the start with one line each, which names the variable, what was found and
what is accepted. An empty value counts as not set. ` + "`studio doctor`" + ` lists what is set.
`)
	for _, g := range VariableGroups() {
		fmt.Fprintf(&b, "\n## %s\n\n| variable | default | meaning | accepted | takes effect |\n|---|---|---|---|---|\n", g.Title)
		for _, v := range g.Variables {
			meaning, effect := v.Meaning, string(v.Effect)
			if v.Secret {
				meaning += " Secret: never shown."
			}
			if v.Later != InThisVersion {
				effect = string(v.Later)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", v.Name, v.Default, meaning, v.Accepted, effect)
		}
	}
	return b.String()
}

// TestConfigurationDoc keeps docs/configuration.md equal to the table.
func TestConfigurationDoc(t *testing.T) {
	golden := filepath.Join("..", "docs", "configuration.md")
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(configurationDoc()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != configurationDoc() {
		t.Error("docs/configuration.md is stale: run go test ./server -run ConfigurationDoc -update")
	}
}

// TestVariables holds the table against itself: each row says everything, none is there twice, and each does what it says.
func TestVariables(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Variables() {
		if seen[v.Name] {
			t.Errorf("%s is there twice", v.Name)
		}
		seen[v.Name] = true
		if v.Default == "" || v.Meaning == "" || v.Accepted == "" || v.Effect == "" || strings.Contains(v.Meaning+v.Accepted, "|") {
			t.Errorf("%s: the row is not complete: %+v", v.Name, v)
		}
		if (v.read == nil) != (v.Later != InThisVersion) {
			t.Errorf("%s: a variable is read exactly when it is in this version", v.Name)
		}
		const value = "canary-3f81"
		c, err := ConfigFromEnv([]string{v.Name + "=" + value})
		var mistakes *ConfigError
		switch {
		case v.Later == LaterStops:
			if !errors.As(err, &mistakes) || !strings.HasPrefix(mistakes.Lines[0], v.Name+": not part of this version") {
				t.Errorf("%s: got %v, want a stop", v.Name, err)
			}
		case v.Later == LaterIgnored:
			if err != nil || fmt.Sprint(c.Warnings) != "["+v.Name+"]" {
				t.Errorf("%s: got %v and the warnings %v, want one warning", v.Name, err, c.Warnings)
			}
		case err != nil:
			if !errors.As(err, &mistakes) || len(mistakes.Lines) != 1 || !strings.Contains(mistakes.Lines[0], v.Name) || !strings.Contains(mistakes.Lines[0], "ccepted") {
				t.Errorf("%s: got %v, want one line that names it and says what is accepted", v.Name, err)
			}
		}
		if v.Secret && err != nil && strings.Contains(err.Error(), value) {
			t.Errorf("%s: the value is in the message %v", v.Name, err)
		}
		if v.Secret && strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), value) {
			t.Errorf("%s: printing the configuration shows the value", v.Name)
		}
	}
}

// A variable that the documents, the container files or the unit name is in the table.
func TestDocumentedVariablesExist(t *testing.T) {
	name := regexp.MustCompile(`\bSTUDIO_[A-Z0-9_]*[A-Z0-9]\b`)
	known := map[string]bool{"STUDIO_TEST_POSTGRES": true, "STUDIO_VERIFY": true} // of the tests
	for _, v := range Variables() {
		known[v.Name] = true
	}
	docs, err := filepath.Glob("../docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range append(docs, "../README.md", "../SECURITY.md", "../Dockerfile", "../compose.yaml", "../docs/systemd/studio.service") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(b), -1) {
			if !known[n] {
				t.Errorf("%s names %s, which does not exist", path, n)
			}
		}
	}
}
