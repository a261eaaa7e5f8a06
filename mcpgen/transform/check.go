package transform

import (
	"errors"
	"reflect"
	"strings"
	"unicode/utf16"

	"github.com/itchyny/gojq"
)

// refused says why a function is not available, or returns "".
func refused(name string) string {
	switch name {
	case "input", "inputs", "input_filename", "input_line_number":
		return "there is no further input; the rows are ."
	case "env", "$ENV":
		return "there is no environment; use $vars for values of your own"
	case "debug", "stderr":
		return "there is no log to write to; return the value instead"
	case "halt", "halt_error":
		return "a transform does not end the process; use error(\"…\") to fail"
	case "modulemeta", "get_search_list":
		return "there are no modules; write the definition here"
	}
	return ""
}

// checkQuery refuses what reaches beyond the rows. It walks the whole syntax tree,
// also kinds of nodes that a later gojq may add.
func checkQuery(src string, q *gojq.Query) error {
	if q.Meta != nil || len(q.Imports) > 0 {
		at := 0
		for _, word := range []string{"module", "import", "include"} {
			if i := find(src, word); i >= 0 {
				at = i
				break
			}
		}
		return errorAt(src, at, "there are no modules; write the definition here")
	}
	var bad *Error
	walk(reflect.ValueOf(q), func(name string) bool {
		if why := refused(name); why != "" {
			bad = errorAt(src, max(find(src, name), 0), name+" cannot be used: "+why)
		}
		return bad == nil
	})
	if bad != nil {
		return bad
	}
	return nil
}

// walk calls f with the name of every function and variable in the tree v until f
// returns false.
func walk(v reflect.Value, f func(name string) bool) bool {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return true
		}
		name := ""
		switch n := v.Interface().(type) {
		case *gojq.Func:
			name = n.Name
		case *gojq.ObjectKeyVal:
			if strings.HasPrefix(n.Key, "$") { // {$x} is {x: $x}
				name = n.Key
			}
		}
		if name != "" && !f(name) {
			return false
		}
		return walk(v.Elem(), f)
	case reflect.Struct:
		for i := range v.NumField() {
			if !walk(v.Field(i), f) {
				return false
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if !walk(v.Index(i), f) {
				return false
			}
		}
	}
	return true
}

// tooDeep returns where brackets nest deeper than MaxDepth, or -1. It counts
// brackets in strings too, which errs on the safe side.
func tooDeep(src string) int {
	depth := 0
	for i := range len(src) {
		switch src[i] {
		case '(', '[', '{':
			if depth++; depth > MaxDepth {
				return i
			}
		case ')', ']', '}':
			depth--
		}
	}
	return -1
}

func parseError(src string, err error) error {
	var pe *gojq.ParseError
	if !errors.As(err, &pe) {
		return errorAt(src, 0, err.Error())
	}
	return errorAt(src, max(min(pe.Offset, len(src))-len(pe.Token), 0), err.Error())
}

// compileError finds the place of an unknown name: gojq's errors of this kind have
// none, but they end in the name.
func compileError(src string, err error) error {
	message := err.Error()
	_, name, _ := strings.Cut(message, ": ")
	name, _, _ = strings.Cut(name, "/")
	return errorAt(src, max(find(src, name), 0), message)
}

// find returns the first place of name as a word of its own outside strings,
// comments and field names, or -1. Words in "\(…)" inside a string are found too.
func find(src, name string) int {
	if name == "" {
		return -1
	}
	// levels holds, for each open string interpolation, the parentheses open in it.
	var levels []int
	quoted := false
	for i := 0; i < len(src); i++ {
		switch b := src[i]; {
		case quoted && b == '\\' && i+1 < len(src):
			i++
			if src[i] == '(' {
				levels, quoted = append(levels, 0), false
			}
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '#':
			n := strings.IndexByte(src[i:], '\n')
			if n < 0 {
				return -1
			}
			i += n
		case b == '(' && len(levels) > 0:
			levels[len(levels)-1]++
		case b == ')' && len(levels) > 0:
			if levels[len(levels)-1]--; levels[len(levels)-1] < 0 {
				levels, quoted = levels[:len(levels)-1], true
			}
		case strings.HasPrefix(src[i:], name) && wordAt(src, i, len(name)):
			return i
		}
	}
	return -1
}

func wordAt(src string, i, n int) bool {
	isWord := func(b byte) bool {
		return b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
	}
	if i > 0 && (isWord(src[i-1]) || src[i-1] == '.' || src[i-1] == '$' || src[i-1] == '@') {
		return false
	}
	return i+n >= len(src) || !isWord(src[i+n])
}

// errorAt makes an Error with the line and column of a byte offset.
func errorAt(src string, offset int, message string) *Error {
	offset = min(offset, len(src))
	start := strings.LastIndexByte(src[:offset], '\n') + 1
	return &Error{
		Message: message,
		Offset:  offset,
		Line:    strings.Count(src[:offset], "\n") + 1,
		Column:  len(utf16.Encode([]rune(src[start:offset]))) + 1,
	}
}
