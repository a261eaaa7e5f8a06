// Package transform runs jq programs over the rows of a result, within limits.
//
// The language is jq as gojq implements it, with two variables: $vars, the global
// variables, and $params, the arguments of the call. There is no other input and
// no way out: input, inputs, debug, stderr, env, $ENV, halt, modules and the like
// are refused by [Parse], and no loader for them is compiled in.
//
// Numbers. A number that is only passed on keeps every digit, however many.
// Integers stay exact through + - * % and through / when it divides evenly,
// without a bound. Any other arithmetic, and any function of mathematics, is
// float64, so a decimal that was calculated with has 15 to 17 significant digits.
// NaN and infinity become null. The keys of an object come out in sorted order.
//
// Its hole: the limits of time and memory are looked at between the steps of the
// program, not inside one. A single step on enormous values (the product of two
// integers of a million digits, "x" * 1e9) or a very deep value can use more than
// the limits say before it is noticed. The fence for that is the memory
// and CPU limit of the child process; Run is therefore only called in a child.
// Parse is safe anywhere.
package transform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// The limits of a transform. All are far above what reshaping rows needs.
const (
	MaxTime   = 5 * time.Second
	MaxOutput = 10 << 20 // bytes of JSON
	MaxSource = 64 << 10 // bytes of program text
	MaxDepth  = 1000     // nesting of the result, and of brackets in the program
	maxDigits = 1000     // characters of one number in the input
)

// The errors of [Program.Run] that mean a limit was met. The texts may be shown to
// a caller.
var (
	ErrTimeout   = errors.New("the transform took longer than 5 seconds; reduce the rows in SQL first")
	ErrTooLarge  = errors.New("the result of the transform is larger than 10 MiB; reduce the rows in SQL first")
	ErrMemory    = errors.New("the transform needs more memory than it may use, 64 MiB at most; reduce the rows in SQL first")
	ErrTooDeep   = errors.New("the result of the transform is nested more than 1000 levels deep; flatten it")
	ErrBigNumber = errors.New("the rows hold a number of more than 1000 digits, which a transform cannot calculate with; cast it to text in SQL")
)

// Error is a mistake in a program, or an error that it raised while it ran. The
// message of the latter may quote a shortened value from the rows.
type Error struct {
	Message string `json:"message"`
	Offset  int    `json:"offset"` // in bytes from 0; -1 if the place is not known
	Line    int    `json:"line"`   // from 1; 0 if the place is not known
	Column  int    `json:"column"` // from 1, in UTF-16 code units; 0 if the place is not known
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Program is a compiled transform. It may be run by several goroutines at once.
type Program struct {
	code *gojq.Code
}

// Parse compiles a jq program. The error is always an [*Error].
func Parse(src string) (*Program, error) {
	switch {
	case len(src) > MaxSource:
		return nil, errorAt(src, MaxSource, "the program is longer than 64 KiB; shorten it")
	case strings.TrimSpace(src) == "":
		return nil, errorAt(src, 0, "the program is empty; write . to pass the rows on as they are")
	}
	if at := tooDeep(src); at >= 0 {
		return nil, errorAt(src, at, "the program is nested more than 1000 levels deep; flatten it")
	}
	query, err := gojq.Parse(src)
	if err != nil {
		return nil, parseError(src, err)
	}
	if err := checkQuery(src, query); err != nil {
		return nil, err
	}
	if err := withMatching(query); err != nil {
		return nil, errorAt(src, 0, err.Error())
	}
	ps := &patterns{}
	code, err := gojq.Compile(query, gojq.WithVariables([]string{"$vars", "$params"}),
		gojq.WithFunction("_test", 2, 2, ps.test), gojq.WithIterFunction("_find", 2, 2, ps.find))
	if err != nil {
		return nil, compileError(src, err)
	}
	return &Program{code: code}, nil
}

// Input is what a program sees.
type Input struct {
	Rows   json.RawMessage            // a JSON array, as the program's "."; empty means no rows
	Params map[string]json.RawMessage // $params
	Vars   map[string]json.RawMessage // $vars
}

// Run runs the program once. One result is returned as it is, several become an
// array, none becomes null. Errors are an [*Error] that the program raised, one of
// the limits above, or the context's own.
func (p *Program) Run(ctx context.Context, in Input) (json.RawMessage, error) {
	rows, err := decode(in.Rows, "[]")
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	params, err := decodeAll(in.Params)
	if err != nil {
		return nil, fmt.Errorf("read params: %w", err)
	}
	vars, err := decodeAll(in.Vars)
	if err != nil {
		return nil, fmt.Errorf("read vars: %w", err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, MaxTime, ErrTimeout)
	defer cancel()
	limited, stop := context.WithCancelCause(limited)
	defer guard(stop)()

	// Several results are an array: each is written as it comes, behind a "[" that
	// is cut off again if there was only one.
	w := writer{buf: []byte{'['}, max: MaxOutput + 1}
	results := 0
	iter := p.code.RunWithContext(limited, rows, vars, params)
	for {
		v, ok := iter.Next()
		if !ok {
			break
		}
		if err, ok := v.(error); ok {
			return nil, runError(limited, err)
		}
		if results > 0 {
			w.buf = append(w.buf, ',')
		}
		results++
		if err := w.value(v, 0); err != nil {
			return nil, err
		}
		if limited.Err() != nil {
			return nil, context.Cause(limited)
		}
	}
	switch results {
	case 0:
		return json.RawMessage("null"), nil
	case 1:
		return w.buf[1:], nil
	}
	if len(w.buf)+1 > MaxOutput {
		return nil, ErrTooLarge
	}
	return append(w.buf, ']'), nil
}

// runError keeps the limits and the context's own errors apart from the program's.
func runError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return &Error{Message: err.Error(), Offset: -1}
}

func decodeAll(in map[string]json.RawMessage) (map[string]any, error) {
	out := make(map[string]any, len(in))
	for name, raw := range in {
		v, err := decode(raw, "null")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

// decode reads one JSON value and keeps its numbers as they are written.
func decode(raw json.RawMessage, empty string) (any, error) {
	if len(raw) == 0 {
		raw = json.RawMessage(empty)
	}
	if longNumber(raw) {
		return nil, ErrBigNumber
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err == nil {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// longNumber reports whether a number in raw is longer than maxDigits. Parsing
// such a number takes time that grows with the square of its length, inside one
// step of a program.
func longNumber(raw []byte) bool {
	run, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted, run = !quoted, 0
		case !quoted && b >= '0' && b <= '9':
			if run++; run > maxDigits {
				return true
			}
		case !quoted:
			run = 0
		}
	}
	return false
}
