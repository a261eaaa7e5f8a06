package query

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/store"
)

// Bounds of single arguments.
const (
	maxItems    = 10_000  // of an array
	maxDigits   = 1_000   // of a number, as written
	maxExponent = 1_000   // of a number; further out no database follows
	maxValues   = 100_000 // in the arguments of one call that are checked against an author's schema
)

// convert turns one JSON value that the scanner accepted into a driver's argument. It reports false when the value is
// not of the type.
func convert(typ, item store.ParamType, raw []byte) (driver.Arg, bool) {
	switch typ {
	case store.TypeString:
		if raw[0] != '"' {
			return driver.Arg{}, false
		}
		v := jsonscan.Text(raw)
		return driver.Arg{Text: v}, bytes.IndexByte(v, 0) < 0
	case store.TypeInteger:
		v, ok := wholeNumber(raw)
		return driver.Arg{Text: v}, ok
	case store.TypeNumber:
		_, ok := rational(raw)
		return driver.Arg{Text: raw}, ok
	case store.TypeBoolean:
		return driver.Arg{Text: raw}, raw[0] == 't' || raw[0] == 'f'
	case store.TypeDate:
		v, ok := date(raw)
		return driver.Arg{Text: v}, ok
	case store.TypeDatetime:
		v, ok := datetime(raw)
		return driver.Arg{Text: v}, ok
	case store.TypeArray:
		return array(item, raw)
	}
	return driver.Arg{}, false
}

// wholeNumber returns the digits of an integer of at most 64 bits. To JSON Schema 5.0 and 5e0 are integers too
// (draft 2020-12, section 6.1.1).
func wholeNumber(raw []byte) ([]byte, bool) {
	if plainInteger(raw) {
		return raw, true
	}
	r, ok := rational(raw)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return nil, false
	}
	return strconv.AppendInt(nil, r.Num().Int64(), 10), true
}

// plainInteger is the path nearly every integer takes: up to 18 digits, which always fit.
func plainInteger(raw []byte) bool {
	digits := raw
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// rational returns the exact value of a JSON number. The exponent is bounded before big.Rat sees it: 1e999999999 is
// twelve bytes that would fill the memory.
func rational(raw []byte) (*big.Rat, bool) {
	if c := raw[0]; c != '-' && (c < '0' || c > '9') || !bounded(raw) {
		return nil, false
	}
	return new(big.Rat).SetString(string(raw))
}

// bounded reports whether a number is within maxDigits and maxExponent.
func bounded(raw []byte) bool {
	if len(raw) > maxDigits {
		return false
	}
	i := bytes.IndexAny(raw, "eE")
	if i < 0 {
		return true
	}
	n, err := strconv.Atoi(string(raw[i+1:]))
	return err == nil && n <= maxExponent && n >= -maxExponent
}

// excess says what in the arguments is too much for a schema's validator, or returns "". Of each number it makes the exact
// value, and of each value an object of its own: a few kilobytes such as [1e999999, …] would keep it busy for minutes, during
// which it looks at no context, and from a number that big.Rat refuses it goes on with a nil.
func excess(args []byte) string {
	values, quoted := 1, false
	for i := 0; i < len(args); i++ {
		switch c := args[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',' || c == '[' || c == '{':
			if values++; values > maxValues {
				return fmt.Sprintf("hold more than %d values", maxValues)
			}
		case c == '-' || c >= '0' && c <= '9':
			from := i
			for i+1 < len(args) && numeral(args[i+1]) {
				i++
			}
			if !bounded(args[from : i+1]) {
				return fmt.Sprintf("hold a number of more than %d digits or with an exponent beyond %d", maxDigits, maxExponent)
			}
		}
	}
	return ""
}

// numeral reports whether c may stand inside a number.
func numeral(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

func date(raw []byte) ([]byte, bool) {
	if raw[0] != '"' {
		return nil, false
	}
	v := jsonscan.Text(raw)
	if len(v) != len(time.DateOnly) {
		return nil, false
	}
	t, err := time.Parse(time.DateOnly, string(v))
	return v, err == nil && t.Year() > 0 // there is no year 0000 in a database's calendar
}

// datetime accepts any RFC 3339 timestamp, also with the lower-case t and z that section 5.6 allows, and returns it in UTC.
func datetime(raw []byte) ([]byte, bool) {
	if raw[0] != '"' {
		return nil, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(bytes.ToUpper(jsonscan.Text(raw))))
	if err != nil {
		return nil, false
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, false
	}
	return t.AppendFormat(nil, time.RFC3339Nano), true
}

func array(item store.ParamType, raw []byte) (driver.Arg, bool) {
	if raw[0] != '[' {
		return driver.Arg{}, false
	}
	a := driver.Arg{Items: []driver.Arg{}}
	s := jsonscan.New(raw, nil)
	for items := s.Array(); s.Item(&items); {
		v, ok := s.Raw()
		if !ok || len(a.Items) == maxItems {
			return driver.Arg{}, false
		}
		value, ok := convert(item, "", v)
		if !ok {
			return driver.Arg{}, false
		}
		a.Items = append(a.Items, value)
	}
	return a, true
}

// appendKey appends a form of the value that is the same for equal values of the type and different for others: what
// enum values are compared by and cached results are found by. Lengths come first, so no value can run into the next.
func appendKey(b []byte, typ, item store.ParamType, a driver.Arg) []byte {
	switch {
	case a.Null:
		return append(b, 'n')
	case typ == store.TypeArray:
		b = append(strconv.AppendInt(append(b, 'a'), int64(len(a.Items)), 10), ':')
		for _, i := range a.Items {
			b = appendKey(b, item, "", i)
		}
		return b
	case typ == store.TypeNumber:
		if r, ok := rational(a.Text); ok {
			a.Text = []byte(r.RatString())
		}
	}
	b = append(strconv.AppendInt(append(b, 'v'), int64(len(a.Text)), 10), ':')
	return append(b, a.Text...)
}
