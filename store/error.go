package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Code says what kind of mistake an Error is. Each skin maps every code once.
type Code string

// The codes, with the HTTP status the REST skin gives them.
const (
	Malformed     Code = "malformed"      // 400: not the expected form at all
	Unauthorized  Code = "unauthorized"   // 401: nobody is signed in
	Forbidden     Code = "forbidden"      // 403: signed in, not allowed
	WrongPassword Code = "wrong_password" // 403: the password that confirms a step is wrong; who is signed in stays so
	WrongCode     Code = "wrong_code"     // 403: the same for a code of the second factor
	NotFound      Code = "not_found"      // 404
	Conflict      Code = "conflict"       // 409: a name is taken, or something still uses it
	Stale         Code = "stale"          // 409: the version sent is not the current one
	TooLarge      Code = "too_large"      // 413
	Unsupported   Code = "unsupported"    // 415: wrong content type
	Invalid       Code = "invalid"        // 422: a field breaks a rule
	NotAvailable  Code = "not_available"  // 422: this build has no such part, for instance a driver
	TooMany       Code = "too_many"       // 429
	Unavailable   Code = "unavailable"    // 503: try again
	Internal      Code = "internal"       // 500: ours; the caller gets a fixed sentence
)

// Codes lists every code, for the tests that walk each skin's map.
func Codes() []Code {
	return []Code{Malformed, Unauthorized, Forbidden, WrongPassword, WrongCode, NotFound, Conflict, Stale, TooLarge, Unsupported, Invalid, NotAvailable, TooMany, Unavailable, Internal}
}

// Error is an error the caller may be told about.
type Error struct {
	Code    Code
	Message string            // one sentence for a person: what happened and what to do
	Field   string            // the offending input field, if there is one
	Fields  map[string]string // further fields, when several are wrong
	Current any               // the current state, with Stale
	Retry   int               // seconds after which trying again makes sense; 0: unknown
	Err     error             // detail for the log, never for the caller
}

// Error implements error with the sentence a person may read.
func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Unwrap returns the detail meant for the log.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err; everything foreign is Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Invalidf returns an Invalid error for one field.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Got ends a sentence about a value that is not accepted: it says what was found, cut to what can be read. Of an empty value there is
// nothing to say.
func Got(v string) string {
	if v == "" {
		return ""
	}
	return "; got " + strconv.Quote(Clip(v))
}

// Clip keeps a hostile value from filling an answer.
func Clip(v string) string {
	const readable = 40
	if r := []rune(v[:min(len(v), (readable+1)*utf8.UTFMax)]); len(r) > readable {
		return string(r[:readable]) + "…"
	}
	return v
}

// Fields collects what is wrong with an input, so that a person sees every
// mistake at once. The zero value is ready.
type Fields struct {
	first string
	all   map[string]string
}

// Add notes a mistake; the first one per field wins.
func (f *Fields) Add(field, format string, args ...any) {
	if f.all == nil {
		f.all, f.first = map[string]string{}, field
	}
	if _, ok := f.all[field]; !ok {
		f.all[field] = fmt.Sprintf(format, args...)
	}
}

// Merge adds what err says about fields below prefix; other errors are noted under prefix itself.
func (f *Fields) Merge(prefix string, err error) {
	var e *Error
	switch {
	case err == nil:
	case errors.As(err, &e) && len(e.Fields) > 0:
		for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
			f.Add(prefix+k, "%s", e.Fields[k])
		}
	case errors.As(err, &e) && e.Field != "":
		f.Add(prefix+e.Field, "%s", e.Message)
	default:
		f.Add(prefix, "%s", err.Error())
	}
}

// All returns the mistakes by field.
func (f *Fields) All() map[string]string { return f.all }

// Err returns nil, or one Invalid error that names every field.
func (f *Fields) Err() error {
	if len(f.all) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Field: f.first, Message: f.all[f.first], Fields: f.all}
}
