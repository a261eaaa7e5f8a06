package sandbox

import (
	"fmt"
	"strings"
)

// Words for Layer.Detail that two layers share.
const (
	noNewPrivs     = "no program that it starts can gain rights"
	noCapabilities = "it has none and can gain none"
)

// counted is "1 file", "2 files".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sized is a number of bytes, in whole MiB where that loses nothing.
func sized(bytes uint64) string {
	if bytes>>20 > 0 && bytes%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// rootText says what can be found in the private root.
func rootText(p Policy) string {
	var in []string
	if n := len(p.Dirs); n > 0 {
		in = append(in, counted(n, "directory to read", "directories to read"))
	}
	if n := len(p.RWFiles); n > 0 {
		in = append(in, counted(n, "file to write", "files to write"))
	}
	if len(in) == 0 {
		return "a read-only root with nothing in it"
	}
	return "a read-only root with nothing in it but " + strings.Join(in, " and ")
}

// filesText says which files the child can get at.
func filesText(p Policy) string {
	text := "reads below " + strings.Join(p.Dirs, ", ")
	if n := len(p.RWFiles); n > 0 {
		text += "; writes to " + counted(n, "file", "files")
	}
	return text
}

// openText says what the filter lets through of open(2).
func openText(fs FSMode) string {
	switch fs {
	case FSRO:
		return "files can be opened to read only"
	case FSROShm:
		return "existing files can be opened, none can be made"
	default:
		return "no file can be opened"
	}
}
