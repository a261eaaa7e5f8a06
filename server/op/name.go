package op

import (
	"reflect"
	"regexp"
	"strings"
)

var (
	qualifier = regexp.MustCompile(`[\w./-]*\.`)
	generic   = regexp.MustCompile(`^(\w+)\[(.*)\]$`)
)

// nameOf is how a struct is called in a document: Tool, ToolPage, TablesOut. A type that is not exported starts with a capital
// there too, because documents and generated clients have no such thing.
func nameOf(t reflect.Type) string {
	name := t.Name()
	if m := generic.FindStringSubmatch(name); m != nil {
		return plain(m[2]) + plain(m[1])
	}
	return plain(name)
}

func plain(name string) string {
	name = strings.TrimLeft(qualifier.ReplaceAllString(name, ""), "*")
	return strings.ToUpper(name[:1]) + name[1:]
}
