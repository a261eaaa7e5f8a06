package driver

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/store"
)

// maxSafe is the largest integer that every JSON reader keeps exact (RFC 8259, section 6).
const maxSafe = 1<<53 - 1

// AppendString appends text as a JSON string. What is not UTF-8 becomes U+FFFD, one for each byte.
func AppendString[T string | []byte](b []byte, s T) []byte { return jsonscan.AppendString(b, s) }

// AppendInt appends an integer: a number where every reader keeps it exact, a string beyond.
func AppendInt(b []byte, v int64) []byte {
	if v >= -maxSafe && v <= maxSafe {
		return strconv.AppendInt(b, v, 10)
	}
	return append(strconv.AppendInt(append(b, '"'), v, 10), '"')
}

// AppendDigits appends an integer that a database wrote in decimal, by the rule of AppendInt.
func AppendDigits(b, digits []byte) []byte {
	if len(digits) <= 15 { // 2^53 has 16 digits
		return append(b, digits...)
	}
	if v, err := strconv.ParseInt(string(digits), 10, 64); err == nil && v >= -maxSafe && v <= maxSafe {
		return append(b, digits...)
	}
	return append(append(append(b, '"'), digits...), '"')
}

// AppendBase64 appends bytes as a JSON string in standard base64 (RFC 4648, section 4).
func AppendBase64(b, v []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), v), '"')
}

// AppendTime appends a timestamp as RFC 3339 in UTC with the fraction it has. RFC 3339 has four digits for the year; a
// year before 1 or after 9999 gets the sign and digits of ISO 8601's expanded form.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	b = appendDate(append(b, '"'), t)
	return append(t.AppendFormat(b, "T15:04:05.999999999Z"), '"')
}

// AppendDate appends a date as YYYY-MM-DD, with years beyond four digits as AppendTime has them.
func AppendDate(b []byte, t time.Time) []byte {
	return append(appendDate(append(b, '"'), t), '"')
}

func appendDate(b []byte, t time.Time) []byte {
	year := t.Year()
	if year >= 0 && year <= 9999 {
		return t.AppendFormat(b, time.DateOnly)
	}
	sign := byte('+')
	if year < 0 {
		sign, year = '-', -year
	}
	b = append(b, sign)
	for width := 100_000; width > year && width > 1; width /= 10 {
		b = append(b, '0')
	}
	return t.AppendFormat(strconv.AppendInt(b, int64(year), 10), "-01-02")
}

// UniqueNames returns the JSON keys for columns of these names. The first column of each name keeps it; a further one
// gets _2, _3 and so on, skipping what another column is called.
func UniqueNames(names []string) []string {
	taken := make(map[string]bool, len(names))
	for _, n := range names {
		taken[n] = true
	}
	seen := make(map[string]bool, len(names))
	out := make([]string, len(names))
	next := map[string]int{}
	for i, n := range names {
		if !seen[n] {
			seen[n], out[i] = true, n
			continue
		}
		for k := max(2, next[n]); ; k++ {
			if try := n + "_" + strconv.Itoa(k); !taken[try] {
				taken[try], out[i], next[n] = true, try, k+1
				break
			}
		}
	}
	return out
}

// RowWriter writes rows as a JSON array within limits. A driver calls Begin, writes the values in column order with
// Buf, and calls End, for each row until one of them returns false.
type RowWriter struct {
	Buf       []byte // what is written; a driver appends the value after Key
	Rows      int
	Truncated bool

	from  int // where the array begins
	row   int // where the row begins
	lim   Limits
	heads [][]byte
}

// Heads prepares what stands before each value of a row: its brace or comma, and its key.
func Heads(columns []Column) [][]byte {
	heads := make([][]byte, len(columns))
	for i, c := range columns {
		h := []byte{','}
		if i == 0 {
			h[0] = '{'
		}
		heads[i] = append(AppendString(h, c.Name), ':')
	}
	return heads
}

// NewRowWriter starts an array behind what b holds.
func NewRowWriter(b []byte, heads [][]byte, lim Limits) RowWriter {
	return RowWriter{Buf: append(b, '['), from: len(b), lim: lim, heads: heads}
}

// Begin starts a row. It returns false when the row limit is reached: there is one row more than may be written.
func (w *RowWriter) Begin() bool {
	if w.Truncated || w.Rows >= w.lim.Rows {
		w.Truncated = true
		return false
	}
	w.row = len(w.Buf)
	if w.Rows > 0 {
		w.Buf = append(w.Buf, ',')
	}
	if len(w.heads) == 0 {
		w.Buf = append(w.Buf, '{')
	}
	return true
}

// Key writes what stands before the value of column i.
func (w *RowWriter) Key(i int) { w.Buf = append(w.Buf, w.heads[i]...) }

// Over reports whether the row so far passes the byte limit, so that a driver may stop before it reads a value.
func (w *RowWriter) Over() bool { return len(w.Buf)+len("}]")-w.from > w.lim.Bytes }

// Hopeless reports whether a row cannot fit whose values take so many bytes in the database's text form, so that a driver
// need not write it at all. No value takes less than a third as many in JSON: the worst is an empty string in an array of JSON
// in PostgreSQL, for whose "\"\"", there is "", here.
func (w *RowWriter) Hopeless(size int) bool {
	const around = 1 << 10 // what an array's text has besides its elements
	return size > 3*w.lim.Bytes+around
}

// End finishes the row. It returns false when the row passes the byte limit and was taken back.
func (w *RowWriter) End() bool {
	w.Buf = append(w.Buf, '}')
	if len(w.Buf)+len("]")-w.from > w.lim.Bytes {
		w.Drop()
		return false
	}
	w.Rows++
	return true
}

// Drop takes back the row that was begun, as End does with one that passes the byte limit.
func (w *RowWriter) Drop() { w.Buf, w.Truncated = w.Buf[:w.row], true }

// Close ends the array and returns all bytes.
func (w *RowWriter) Close() []byte { return append(w.Buf, ']') }

// OrDefaults fills in the zero fields.
func (l Limits) OrDefaults(timeout time.Duration) Limits {
	if l.Rows <= 0 {
		l.Rows = store.DefaultRowLimit
	}
	if l.Bytes <= 0 {
		l.Bytes = store.DefaultResultBytes
	}
	if l.Timeout <= 0 {
		l.Timeout = timeout
	}
	if l.Timeout <= 0 {
		l.Timeout = store.DefaultStatement * time.Second
	}
	return l
}

// AppendFloat appends a floating point number with the fewest digits that read back as the same one; NaN and infinity
// are null.
func AppendFloat(b []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(b, "null"...)
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}
