package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	values, err := godotenv.Parse(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, nil, fmt.Errorf("the .env file %s is not well formed: each line is NAME=value", path) // the cause could quote a secret
	}
	var out []string
	for k, v := range values {
		out = append(out, k+"="+v)
	}
	return &DotEnv{Path: path, Mode: info.Mode().Perm()}, out, nil
}

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
