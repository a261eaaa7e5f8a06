package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen/driver"
)

const textFormat, binaryFormat = 0, 1

// encoder chooses the wire format and the JSON form of a column, once per prepared statement: text where PostgreSQL's own
// text is exact, binary where text depends on session settings.
func encoder(oid uint32, t typeInfo) (int16, func(b, v []byte) []byte) {
	switch oid {
	case oidBytea:
		return binaryFormat, driver.AppendBase64
	case oidTimestamp, oidTimestamptz:
		return binaryFormat, appendTimestamp
	case oidDate:
		return binaryFormat, appendDate
	}
	return textFormat, textEncoder(oid, t)
}

// textEncoder chooses the JSON form of a value in text format: a column's, or an array's element.
func textEncoder(oid uint32, t typeInfo) func(b, v []byte) []byte {
	if t.elem != 0 {
		element, _ := builtin(t.elem)
		enc := textEncoder(t.elem, element)
		return func(b, v []byte) []byte { return appendArray(b, v, t.delim, enc) }
	}
	switch oid {
	case oidInt2, oidInt4, oidInt8, oidOID:
		return appendInteger
	case oidFloat4, oidFloat8:
		return appendFloat
	case oidNumeric:
		return appendNumeric
	case oidBool:
		return appendBool
	case oidJSON, oidJSONB:
		return appendJSON
	case oidBytea:
		return appendHex
	case oidTimestamp, oidTimestamptz:
		return appendTimestampText
	case oidDate:
		return appendDateText
	}
	return driver.AppendString[[]byte]
}

// A server that is not what it seems could send anything as a number or as JSON. What does not have the form becomes a
// string, so that no value can end the document it stands in.

func appendInteger(b, v []byte) []byte {
	if !isNumber(v, false) {
		return driver.AppendString(b, v)
	}
	return driver.AppendDigits(b, v)
}

// isNumber reports whether v is a JSON number (RFC 8259, section 6), or only an integer without fraction and exponent.
func isNumber(v []byte, fraction bool) bool {
	rest := bytes.TrimPrefix(v, []byte("-"))
	digits := func() int {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		rest = rest[n:]
		return n
	}
	zero := len(rest) > 0 && rest[0] == '0'
	if n := digits(); n == 0 || zero && n > 1 {
		return false
	}
	if fraction && len(rest) > 0 && rest[0] == '.' {
		if rest = rest[1:]; digits() == 0 {
			return false
		}
	}
	if fraction && len(rest) > 0 && rest[0] == 'e' {
		if rest = rest[1:]; len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return len(rest) == 0
}

// isSpecial reports whether the text of a number is NaN, Infinity or -Infinity.
func isSpecial(v []byte) bool {
	switch string(v) {
	case "NaN", "Infinity", "-Infinity":
		return true
	}
	return false
}

func appendFloat(b, v []byte) []byte {
	switch {
	case isNumber(v, true):
		return append(b, v...)
	case isSpecial(v):
		return append(b, "null"...)
	}
	return driver.AppendString(b, v)
}

func appendNumeric(b, v []byte) []byte {
	if isSpecial(v) {
		return append(b, "null"...)
	}
	return driver.AppendString(b, v)
}

func appendBool(b, v []byte) []byte {
	if len(v) > 0 && v[0] == 't' {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// appendJSON appends the server's JSON as it is, with its numbers untouched.
func appendJSON(b, v []byte) []byte {
	if !json.Valid(v) || !utf8.Valid(v) {
		return driver.AppendString(b, v)
	}
	return append(b, v...)
}

func appendHex(b, v []byte) []byte {
	raw, ok := bytes.CutPrefix(v, []byte(`\x`))
	out := make([]byte, hex.DecodedLen(len(raw)))
	if _, err := hex.Decode(out, raw); !ok || err != nil {
		return driver.AppendString(b, v)
	}
	return driver.AppendBase64(b, out)
}

// epoch is 2000-01-01 in Unix seconds, where PostgreSQL counts from.
const epoch = 946684800

// appendTimestamp reads the binary form: microseconds since the epoch, with the ends of the range for infinity.
func appendTimestamp(b, v []byte) []byte {
	if len(v) != 8 {
		return append(b, "null"...)
	}
	us := int64(binary.BigEndian.Uint64(v))
	if us == 1<<63-1 || us == -1<<63 {
		return append(b, "null"...)
	}
	seconds, rest := us/1e6, us%1e6
	if rest < 0 {
		seconds, rest = seconds-1, rest+1e6
	}
	return driver.AppendTime(b, time.Unix(epoch+seconds, rest*1000))
}

// appendDate reads the binary form: days since the epoch.
func appendDate(b, v []byte) []byte {
	if len(v) != 4 {
		return append(b, "null"...)
	}
	days := int32(binary.BigEndian.Uint32(v))
	if days == 1<<31-1 || days == -1<<31 {
		return append(b, "null"...)
	}
	return driver.AppendDate(b, time.Unix(epoch+int64(days)*86400, 0).UTC())
}

// appendTimestampText reads "2024-01-31 12:00:00.5+00" with DateStyle ISO; what it cannot read stays the server's text.
func appendTimestampText(b, v []byte) []byte {
	if isInfinite(v) {
		return append(b, "null"...)
	}
	for _, layout := range []string{"-01-02 15:04:05.999999-07", "-01-02 15:04:05.999999"} {
		if t, ok := parseTime(layout, string(v)); ok {
			return driver.AppendTime(b, t)
		}
	}
	return driver.AppendString(b, v)
}

func appendDateText(b, v []byte) []byte {
	if isInfinite(v) {
		return append(b, "null"...)
	}
	if t, ok := parseTime("-01-02", string(v)); ok {
		return driver.AppendDate(b, t)
	}
	return driver.AppendString(b, v)
}

// parseTime reads what layout describes behind a year of any number of digits, perhaps before Christ: 1 BC is the year 0.
func parseTime(layout, text string) (time.Time, bool) {
	text, before := strings.CutSuffix(text, " BC")
	digits, rest, _ := strings.Cut(text, "-")
	year, err := strconv.Atoi(digits)
	if err != nil {
		return time.Time{}, false
	}
	if before {
		year = 1 - year
	}
	t, err := time.Parse("2006"+layout, "2000-"+rest) // a leap year, in which every day exists
	if err != nil {
		return time.Time{}, false
	}
	return time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()), true
}

func isInfinite(v []byte) bool { return bytes.HasSuffix(v, []byte("infinity")) }
