package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/joho/godotenv"
)

// DotEnv is the .env file that was read.
type DotEnv struct {
	Path string
	Mode fs.FileMode // permission bits
}

// readDotEnv reads the .env file at path, when there is one, as KEY=VALUE pairs. A file that others could have written is refused: it
// decides where secrets come from.
func readDotEnv(path string) (*DotEnv, []string, error) {
	f, err := os.Open(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the .env file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat() // of the file that is open, so that nothing is swapped in between
	if err != nil {
		return nil, nil, fmt.Errorf("inspect the .env file: %w", err)
	}
	if err := trustworthy(path, info); err != nil {
		return nil, nil, err
	}
	if info.Size() > maxDotEnv {
		return nil, nil, fmt.Errorf("the .env file %s is longer than 1 MiB", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxDotEnv))
	if err != nil {
		return nil, nil, fmt.Errorf("read the .env file: %w", err)
	}
	out, err := parseDotEnv(string(text))
	if err != nil {
		return nil, nil, fmt.Errorf("the .env file %s is not well formed: %w", path, err)
	}
	return &DotEnv{Path: path, Mode: info.Mode().Perm()}, out, nil
}

// maxDotEnv bounds what is read of a .env file, in bytes.
const maxDotEnv = 1 << 20

// parseDotEnv reads lines of NAME=value. Nothing is left out in silence: the parser would pass over a last line without =, and put
// nothing in the place of a $NAME that the file does not define. Errors never quote a value.
func parseDotEnv(text string) ([]string, error) {
	values, err := godotenv.Unmarshal(text)
	if _, nameless := values[""]; err != nil || nameless {
		return nil, errors.New("each line is NAME=value")
	}
	const dollar = "\x01" // stands for the signs that are not to be touched
	plain, err := godotenv.Unmarshal(strings.ReplaceAll(text, "$", dollar))
	if err != nil {
		return nil, errors.New("each line is NAME=value")
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if written := strings.ReplaceAll(plain[name], dollar, "$"); written != values[name] {
			for _, m := range reference.FindAllStringSubmatch(written, -1) {
				other, defined := values[m[2]]
				if m[1] == "" && (!defined || !strings.Contains(values[name], other)) { // or it is defined only further down
					return nil, fmt.Errorf("%s refers to another variable with $, which this file does not define before it; put the value into single quotes to keep the $", name)
				}
			}
		}
		out = append(out, name+"="+values[name])
	}
	return out, nil
}

// reference is how a value names another variable of the file; a backslash before it keeps the sign.
var reference = regexp.MustCompile(`(\\?)\$\{?([A-Z0-9_]+)\}?`)

func trustworthy(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the .env file %s is not a plain file", path)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("the .env file %s can be changed by others (mode %04o); chmod 600 %s", path, info.Mode().Perm(), path)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the owner of the .env file %s cannot be found out", path)
	}
	if owner.Uid != 0 && int(owner.Uid) != os.Getuid() {
		return fmt.Errorf("the .env file %s belongs to another user (id %d); it must be yours or root's", path, owner.Uid)
	}
	return nil
}
