package child

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"mcpstudio/mcpgen/jsonscan"
	"mcpstudio/store"
)

// contentResult appends an open result whose content comes from mapped columns:
// one block for each value that is not NULL, in the order of rows and columns.
// What is not mapped goes in front of them as JSON, structured and as text.
//
// An error is a sentence for the client.
func contentResult(b, structured []byte, t *tool) ([]byte, error) {
	var in struct {
		Rows      json.RawMessage `json:"rows"`
		Count     int             `json:"row_count"`
		Truncated bool            `json:"truncated"`
	}
	if json.Unmarshal(structured, &in) != nil || in.Rows == nil {
		return nil, fmt.Errorf("the tool maps columns to content, but its transform returned no rows; the tool's author must mend it")
	}
	rows, err := parseRows(in.Rows)
	if err != nil {
		return nil, fmt.Errorf("the tool maps columns to content, but its transform returned no rows of columns; the tool's author must mend it")
	}
	b = append(b, '{')
	blocks := 0
	if rest, left := unmapped(rows, t.content); left {
		b = append(b, `"structuredContent":`...)
		from := len(b)
		b = append(append(b, `{"rows":`...), rest...)
		b = strconv.AppendInt(append(b, `,"row_count":`...), int64(len(rows)), 10)
		b = append(strconv.AppendBool(append(b, `,"truncated":`...), in.Truncated), '}')
		text := string(b[from:])
		b = append(jsonscan.AppendString(append(b, `,"content":[{"type":"text","text":`...), text), '}')
		blocks++
	} else {
		b = append(b, `"content":[`...)
	}
	for i, row := range rows {
		for _, c := range row {
			kind, ok := t.content[c.column]
			if !ok || c.null() {
				continue
			}
			if blocks > 0 {
				b = append(b, ',')
			}
			if b, err = appendBlock(b, kind, c, t.name, i); err != nil {
				return nil, err
			}
			blocks++
		}
	}
	return append(b, ']'), nil
}

// unmapped is the rows without the mapped columns, and whether any column is left.
func unmapped(rows [][]cell, content map[string]store.Content) (out []byte, left bool) {
	out = append(out, '[')
	for i, row := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '{')
		first := true
		for _, c := range row {
			if _, mapped := content[c.column]; mapped {
				continue
			}
			if !first {
				out = append(out, ',')
			}
			first, left = false, true
			out = append(append(jsonscan.AppendString(out, c.column), ':'), c.value...)
		}
		out = append(out, '}')
	}
	return append(out, ']'), left
}

// link is what a column for a resource or a link may hold instead of plain text:
// a JSON object of this form.
type link struct {
	URI         string  `json:"uri"`
	Name        string  `json:"name"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	MIMEType    string  `json:"mimeType"`
	Text        *string `json:"text"`
	Blob        *string `json:"blob"` // base64
}

// linkOf reads a link from a JSON column or from text that is a JSON object.
func linkOf(c cell) (link, bool) {
	var l link
	raw := []byte(c.value)
	if len(raw) > 0 && raw[0] == '"' {
		raw = []byte(c.text())
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &l) != nil {
		return link{}, false
	}
	return l, l.URI != ""
}

// appendBlock appends one content block (MCP, tools, "Tool Result").
func appendBlock(b []byte, kind store.Content, c cell, toolName string, row int) ([]byte, error) {
	switch kind.Type {
	case "image", "audio":
		mime := kind.MIMEType
		if mime == "" {
			mime = map[string]string{"image": "image/png", "audio": "audio/wav"}[kind.Type]
		}
		data, ok := base64Text(c.text())
		if !ok || data == "" {
			return nil, fmt.Errorf("the column %s does not hold %s data: it must be bytes, or text in base64; the tool's author must mend it", c.column, kind.Type)
		}
		return block(b, kind.Type, pair{"data", data}, pair{"mimeType", mime}), nil
	case "resource":
		b, err := appendResource(append(b, `{"type":"resource","resource":`...), kind, c, toolName, row)
		return append(b, '}'), err
	case "resource_link":
		l, ok := linkOf(c)
		if !ok {
			l.URI = c.text()
		}
		if u, err := url.Parse(l.URI); err != nil || u.Scheme == "" {
			return nil, fmt.Errorf("the column %s does not hold a URI with its scheme; the tool's author must mend it", c.column)
		}
		if l.Name == "" {
			l.Name = l.URI
		}
		if l.MIMEType == "" {
			l.MIMEType = kind.MIMEType
		}
		return block(b, kind.Type, pair{"uri", l.URI}, pair{"name", l.Name}, pair{"title", l.Title}, pair{"description", l.Description}, pair{"mimeType", l.MIMEType}), nil
	}
	return block(b, "text", pair{"text", c.text()}), nil
}

// base64Text returns text without line breaks, which encoders such as PostgreSQL's put in and MCP has no place for, and whether
// it is base64.
func base64Text(text string) (string, bool) {
	text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
	_, err := base64.StdEncoding.DecodeString(text)
	return text, err == nil
}

// appendResource appends the contents of an embedded resource: the column's own
// object, or its text under a URI that says where it comes from.
func appendResource(b []byte, kind store.Content, c cell, toolName string, row int) ([]byte, error) {
	l, ok := linkOf(c)
	if !ok {
		text := c.text()
		l = link{URI: fmt.Sprintf("tool://%s/%s/%d", toolName, url.PathEscape(c.column), row+1), Text: &text}
	}
	mime := l.MIMEType
	if mime == "" {
		mime = kind.MIMEType
	}
	b = append(jsonscan.AppendString(append(b, `{"uri":`...), l.URI), `,"mimeType":`...)
	switch {
	case l.Blob != nil && l.Text == nil:
		if mime == "" {
			mime = "application/octet-stream"
		}
		blob, ok := base64Text(*l.Blob)
		if !ok {
			return nil, fmt.Errorf("the column %s holds a resource whose blob is not base64; the tool's author must mend it", c.column)
		}
		b = append(jsonscan.AppendString(b, mime), `,"blob":`...)
		b = jsonscan.AppendString(b, blob)
	default:
		if mime == "" {
			mime = "text/plain"
		}
		if l.Text == nil {
			l.Text = new(string)
		}
		b = append(jsonscan.AppendString(b, mime), `,"text":`...)
		b = jsonscan.AppendString(b, *l.Text)
	}
	return append(b, '}'), nil
}

type pair struct{ key, value string }

// block appends an object of strings and leaves empty ones out, but for text.
func block(b []byte, kind string, members ...pair) []byte {
	b = jsonscan.AppendString(append(b, `{"type":`...), kind)
	for _, m := range members {
		if m.value == "" && m.key != "text" {
			continue
		}
		b = append(jsonscan.AppendString(append(b, ','), m.key), ':')
		b = jsonscan.AppendString(b, m.value)
	}
	return append(b, '}')
}
