package child

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// cell is one value of a row: one JSON value as the engine wrote it.
type cell struct {
	column string
	value  json.RawMessage
}

// parseRows reads an array of objects and keeps the order of their keys and the
// digits of their numbers.
func parseRows(raw []byte) ([][]cell, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := expect(d, '['); err != nil {
		return nil, err
	}
	rows := [][]cell{}
	for d.More() {
		if err := expect(d, '{'); err != nil {
			return nil, err
		}
		var row []cell
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, fmt.Errorf("read rows: %w", err)
			}
			name, ok := key.(string)
			if !ok {
				return nil, errors.New("read rows: a key is no string")
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return nil, fmt.Errorf("read rows: %w", err)
			}
			row = append(row, cell{name, value})
		}
		if err := expect(d, '}'); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	if t != want {
		return fmt.Errorf("read rows: %v instead of %v", t, want)
	}
	return nil
}

func (c cell) null() bool { return string(c.value) == "null" }

// number reports whether the value is a number: a JSON one, or digits that are a
// string only to keep them exact.
func (c cell) number() bool {
	if len(c.value) > 0 && c.value[0] != '"' {
		return c.value[0] == '-' || c.value[0] >= '0' && c.value[0] <= '9'
	}
	_, err := strconv.ParseFloat(c.text(), 64)
	return err == nil
}

// text is the value as people write it: a string without its quotes, nothing for
// null, anything else as JSON.
func (c cell) text() string {
	if len(c.value) > 0 && c.value[0] == '"' {
		var s string
		if json.Unmarshal(c.value, &s) == nil {
			return s
		}
	}
	if c.null() {
		return ""
	}
	return string(c.value)
}
