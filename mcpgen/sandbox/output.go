package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// What a child prints is for the log of the studio and must neither block the child nor flood or forge that log.
const (
	maxLine   = 4096 // bytes; the rest of a longer line is dropped
	lineBurst = 200  // lines at once
	lineRate  = 20   // lines per second on average

	// After so many bytes there is a pause: reading costs the studio as much as printing costs the child, and is in no limit of the
	// child's.
	pauseAfter = 64 << 10
	pause      = 2 * time.Millisecond
)

// copyLines reads r to its end and hands on its lines: shortened, without control characters, and at a bounded rate.
// Lines dropped are counted in a line of their own.
func copyLines(r io.Reader, now func() time.Time, emit func(string)) {
	in := bufio.NewReaderSize(r, maxLine)
	tokens, last, dropped, unpaused := float64(lineBurst), now(), 0, 0
	read := func() ([]byte, error) {
		part, err := in.ReadSlice('\n')
		if unpaused += len(part); unpaused > pauseAfter {
			unpaused = 0
			time.Sleep(pause)
		}
		return part, err
	}
	for {
		line, err := read()
		if text := cleanLine(line); text != "" {
			t := now()
			tokens = min(lineBurst, tokens+t.Sub(last).Seconds()*lineRate)
			last = t
			if tokens < 1 {
				dropped++
			} else {
				tokens--
				if dropped > 0 {
					emit(fmt.Sprintf("(%d lines dropped)", dropped))
					dropped = 0
				}
				emit(text)
			}
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long line
			_, err = read()
		}
		if err != nil {
			break
		}
	}
	if dropped > 0 {
		emit(fmt.Sprintf("(%d lines dropped)", dropped))
	}
}

// cleanLine is a line safe to show in a terminal.
func cleanLine(line []byte) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c == '\t' {
			return ' '
		}
		if unicode.IsPrint(c) {
			return c
		}
		return -1
	}, strings.ToValidUTF8(string(line), "?")))
}
