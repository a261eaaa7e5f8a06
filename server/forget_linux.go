package server

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// maxEnviron bounds what is looked at of this process's environment: the kernel's own bound is a quarter of the stack (execve(2)).
const maxEnviron = 8 << 20

// forgetSecrets overwrites the values of secret variables in the memory the kernel shows as /proc/PID/environ. The program has its
// own copy of them; the block is only what whoever may look at this process would read there for as long as it runs. It must come
// before the process is made undumpable, which takes its own memory file away. A child never had them.
func forgetSecrets() error {
	start, end, err := environBlock()
	if err != nil {
		return fmt.Errorf("find this process's environment: %w", err)
	}
	mem, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open this process's memory: %w", err)
	}
	err = wipe(mem, start, end)
	if err = errors.Join(err, mem.Close()); err != nil {
		return fmt.Errorf("overwrite secrets in this process's environment: %w", err)
	}
	return nil
}

// memory is what wipe works on.
type memory interface {
	ReadAt(b []byte, off int64) (int, error)
	WriteAt(b []byte, off int64) (int, error)
}

// wipe overwrites the values of secret variables between start and end, a block of NAME=value texts that each end with a NUL.
func wipe(mem memory, start, end int64) error {
	block := make([]byte, end-start)
	if _, err := mem.ReadAt(block, start); err != nil {
		return err
	}
	at := start
	for entry := range bytes.SplitSeq(block, []byte{0}) {
		if name, value, ok := bytes.Cut(entry, []byte("=")); ok && secretName(string(name)) {
			if _, err := mem.WriteAt(make([]byte, len(value)), at+int64(len(name))+1); err != nil {
				return err
			}
		}
		at += int64(len(entry)) + 1
	}
	return nil
}

// secretName reports whether a variable holds a secret, of this studio or of the parts it does not have yet.
func secretName(name string) bool {
	if name == "REDIS_PASSWORD" {
		return true
	}
	for _, v := range Variables() {
		if v.Secret && v.Name == name {
			return true
		}
	}
	return false
}

// environBlock reads where the environment is: the fields env_start and env_end of /proc/self/stat (proc_pid_stat(5)).
func environBlock() (start, end int64, err error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, err
	}
	const envStart, afterName = 50, 3 // the second field is the program's name in brackets and may hold anything
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= envStart-afterName+1 {
		return 0, 0, errors.New("the kernel does not say where it is")
	}
	if start, err = strconv.ParseInt(fields[envStart-afterName], 10, 64); err != nil {
		return 0, 0, err
	}
	if end, err = strconv.ParseInt(fields[envStart-afterName+1], 10, 64); err != nil {
		return 0, 0, err
	}
	if start <= 0 || end < start || end-start > maxEnviron {
		return 0, 0, fmt.Errorf("the kernel says it is at %d to %d", start, end)
	}
	return start, end, nil
}
