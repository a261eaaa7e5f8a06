package transform

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// writer encodes a result and stops at its limit, before an enormous value has
// been copied into an enormous text.
type writer struct {
	buf []byte
	max int
}

func (w *writer) room(n int) error {
	if n > w.max-len(w.buf) {
		return ErrTooLarge
	}
	return nil
}

func (w *writer) value(v any, depth int) error {
	if depth > MaxDepth {
		return ErrTooDeep
	}
	switch v := v.(type) {
	case nil:
		w.buf = append(w.buf, "null"...)
	case bool:
		w.buf = strconv.AppendBool(w.buf, v)
	case int:
		w.buf = strconv.AppendInt(w.buf, int64(v), 10)
	case float64:
		w.float(v)
	case *big.Int:
		// An estimate from below (log10 2 > 0.3) avoids a long conversion in vain.
		if err := w.room(v.BitLen() * 3 / 10); err != nil {
			return err
		}
		w.buf = v.Append(w.buf, 10)
	case json.Number:
		w.buf = append(w.buf, v...)
	case string:
		if err := w.text(v); err != nil {
			return err
		}
	case []any:
		return w.array(v, depth)
	case map[string]any:
		return w.object(v, depth)
	default:
		return fmt.Errorf("write result: unexpected type %T", v)
	}
	return w.room(0)
}

// float writes the shortest text that reads back as the same number. JSON has no
// NaN and no infinity: they are null, as everywhere in a result.
func (w *writer) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.buf = append(w.buf, "null"...)
		return
	}
	format := byte('f')
	if x := math.Abs(f); x != 0 && (x < 1e-6 || x >= 1e21) {
		format = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, f, format, -1, 64)
}

func (w *writer) text(s string) error {
	if err := w.room(len(s) + 2); err != nil {
		return err
	}
	// Marshal escapes <, > and & too: the text may end up in a page.
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	w.buf = append(w.buf, b...)
	return nil
}

func (w *writer) array(v []any, depth int) error {
	w.buf = append(w.buf, '[')
	for i, x := range v {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.value(x, depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, ']')
	return w.room(0)
}

func (w *writer) object(v map[string]any, depth int) error {
	w.buf = append(w.buf, '{')
	for i, key := range slices.Sorted(maps.Keys(v)) {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if err := w.text(key); err != nil {
			return err
		}
		w.buf = append(w.buf, ':')
		if err := w.value(v[key], depth+1); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '}')
	return w.room(0)
}
