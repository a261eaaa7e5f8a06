package sqlite

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// kind is what a declared type says beyond SQLite's storage classes.
type kind uint8

const (
	plain kind = iota
	boolean
	datetime
	decimal
	document // JSON
)

// kindOf reads a declared type as SQLite reads it for affinity: by what it contains, whatever its case.
func kindOf(declared string) kind {
	d := strings.ToUpper(declared)
	switch {
	case strings.Contains(d, "BOOL"):
		return boolean
	case strings.Contains(d, "DATETIME"), strings.Contains(d, "TIMESTAMP"):
		return datetime
	case strings.HasPrefix(d, "DECIMAL"), strings.HasPrefix(d, "NUMERIC"):
		return decimal
	case strings.Contains(d, "JSON"):
		return document
	}
	return plain
}

// paramType is the parameter type that fits a declared type (SQLite manual, "Determination Of Column Affinity").
func paramType(declared string) store.ParamType {
	d := strings.ToUpper(declared)
	contains := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(d, w) {
				return true
			}
		}
		return false
	}
	switch k := kindOf(declared); {
	case k == boolean:
		return store.TypeBoolean
	case k == datetime:
		return store.TypeDatetime
	case k == decimal, contains("REAL", "FLOA", "DOUB"):
		return store.TypeNumber
	case d == "DATE":
		return store.TypeDate
	case contains("INT"):
		return store.TypeInteger
	}
	return store.TypeString
}

func appendInteger(b []byte, v int64, k kind) []byte {
	switch {
	case k == boolean && (v == 0 || v == 1):
		return strconv.AppendBool(b, v == 1)
	case k == decimal:
		return append(strconv.AppendInt(append(b, '"'), v, 10), '"')
	}
	return driver.AppendInt(b, v)
}

func appendText(b, v []byte, k kind) []byte {
	switch k {
	case datetime:
		if t, ok := parseTime(string(v)); ok {
			return driver.AppendTime(b, t)
		}
	case document:
		if utf8.Valid(v) && json.Valid(v) {
			return append(b, v...)
		}
	}
	return driver.AppendString(b, v)
}

// parseTime reads the forms of a point in time that SQLite's own functions write and read (SQLite manual, "Time Values"),
// without zone in UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{
		"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
