package postgres

import (
	"bytes"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// maxDimensions is PostgreSQL's own limit (MAXDIM).
const maxDimensions = 6

// appendArray turns an array's text ("{1,NULL,{…}}"; PostgreSQL manual 8.15.6) into a JSON array. Text that does not
// have the form stays text.
func appendArray(b, v []byte, delim byte, element func(b, v []byte) []byte) []byte {
	body := v
	if len(body) > 0 && body[0] == '[' { // lower bounds other than 1: [0:2]={…}
		if i := bytes.IndexByte(body, '='); i >= 0 {
			body = body[i+1:]
		}
	}
	p := arrayParser{v: body, delim: delim, element: element}
	out, ok := p.array(b, 1)
	if !ok || p.i != len(body) {
		return driver.AppendString(b, v)
	}
	return out
}

type arrayParser struct {
	v       []byte
	i       int
	delim   byte
	element func(b, v []byte) []byte
}

func (p *arrayParser) array(b []byte, depth int) ([]byte, bool) {
	if p.i >= len(p.v) || p.v[p.i] != '{' || depth > maxDimensions {
		return b, false
	}
	p.i++
	b = append(b, '[')
	if p.i < len(p.v) && p.v[p.i] == '}' {
		p.i++
		return append(b, ']'), true
	}
	for {
		var ok bool
		if b, ok = p.item(b, depth); !ok || p.i >= len(p.v) {
			return b, false
		}
		c := p.v[p.i]
		p.i++
		switch c {
		case '}':
			return append(b, ']'), true
		case p.delim:
			b = append(b, ',')
		default:
			return b, false
		}
	}
}

func (p *arrayParser) item(b []byte, depth int) ([]byte, bool) {
	if p.i >= len(p.v) {
		return b, false
	}
	switch p.v[p.i] {
	case '{':
		return p.array(b, depth+1)
	case '"':
		v, ok := p.quoted()
		if !ok {
			return b, false
		}
		return p.element(b, v), true
	}
	from := p.i
	for p.i < len(p.v) && p.v[p.i] != p.delim && p.v[p.i] != '}' {
		p.i++
	}
	v := p.v[from:p.i]
	switch {
	case len(v) == 0:
		return b, false
	case string(v) == "NULL":
		return append(b, "null"...), true
	}
	return p.element(b, v), true
}

// quoted reads "…" with backslash escapes.
func (p *arrayParser) quoted() ([]byte, bool) {
	var out []byte
	for p.i++; p.i < len(p.v); p.i++ {
		switch c := p.v[p.i]; c {
		case '"':
			p.i++
			return out, true
		case '\\':
			if p.i++; p.i >= len(p.v) {
				return nil, false
			}
			out = append(out, p.v[p.i])
		default:
			out = append(out, c)
		}
	}
	return nil, false
}

// values returns the arguments in text format, in the order of the placeholders.
func (pr *prepared) values(args []driver.Arg) ([][]byte, error) {
	if len(args) != len(pr.params) {
		return nil, driver.NewError(driver.KindData, "the number of arguments is not that of the placeholders", nil)
	}
	values := make([][]byte, len(args))
	for i, a := range args {
		switch {
		case a.Null:
		case pr.params[i].Type == store.TypeArray:
			values[i] = arrayText(a.Items)
		case a.Text == nil:
			values[i] = []byte{} // nil would be NULL on the wire
		default:
			values[i] = a.Text
		}
	}
	return values, nil
}

// arrayText writes items as an array in text format, each quoted: no item can end the array or become another.
func arrayText(items []driver.Arg) []byte {
	b := []byte{'{'}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		if item.Null {
			b = append(b, "NULL"...)
			continue
		}
		b = append(b, '"')
		for _, c := range item.Text {
			if c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, c)
		}
		b = append(b, '"')
	}
	return append(b, '}')
}
