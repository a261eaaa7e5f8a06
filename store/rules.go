package store

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits shared by tools, resources and prompts.
const (
	MaxDescription = 4_096
	MaxTitle       = 200
	MaxSQL         = 100_000
	MaxTransform   = 100_000
	MaxStatic      = 1 << 20
	MaxParameters  = 100
	MaxTags        = 20
	MaxVariables   = 100
)

var (
	mcpName       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
	parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	variableName  = regexp.MustCompile(`^[a-zA-Z_]\w{0,63}$`)
	tagName       = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} _.:-]{0,49}$`)
)

// NormalName is what two names are compared by: MCP clients fold case and turn separators into one another, so names that
// differ only so are one name to them.
func NormalName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(name))
}

func checkName(f *Fields, name string) {
	if !mcpName.MatchString(name) {
		f.Add("name", "a name is 1 to 64 characters of A-Z a-z 0-9 _ - . and starts with a letter%s", Got(name))
	}
}

func checkTexts(f *Fields, title, description string) {
	if utf8.RuneCountInString(title) > MaxTitle || !printable(title) {
		f.Add("title", "a title is at most %d printable characters", MaxTitle)
	}
	switch n := utf8.RuneCountInString(description); {
	case strings.TrimSpace(description) == "":
		f.Add("description", "a description is needed: it is what a model reads to decide when to use this")
	case n > MaxDescription:
		f.Add("description", "a description is at most %d characters, got %d", MaxDescription, n)
	}
}

func checkTags(f *Fields, tags []string) {
	if len(tags) > MaxTags {
		f.Add("tags", "at most %d tags", MaxTags)
	}
	for _, t := range tags {
		if !tagName.MatchString(t) {
			f.Add("tags", "a tag is 1 to 50 letters, digits, spaces, _ . : or -%s", Got(t))
		}
	}
}

func between(f *Fields, field string, v, low, high int) {
	if v < low || v > high {
		f.Add(field, "%s is %d to %d, got %d", field, low, high, v)
	}
}

// printable refuses control characters and the ones that reorder or hide text.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}
