package child

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"html"
	"strings"

	"mcpstudio/mcpgen/driver"
)

// render writes rows as a resource's MIME type says.
//
//   - application/json: the array as it is
//   - text/csv: RFC 4180 with a header line. A text that a spreadsheet would take
//     for a formula gets an apostrophe in front; numbers do not
//   - text/plain: a single value as it is; one column a value a line; else lines of
//     "column: value", rows apart by an empty line
//   - text/markdown: a table
//   - text/html: a table, everything escaped
//   - application/xml: rows of columns by name, since a column's name need not be
//     one that XML allows for an element
func render(mime string, columns []driver.Column, raw []byte) (string, error) {
	if mime == "application/json" || mime == "" {
		return string(raw), nil
	}
	rows, err := parseRows(raw)
	if err != nil {
		return "", err
	}
	t := table{rows: rows}
	for _, c := range columns {
		t.columns = append(t.columns, c.Name)
	}
	if len(t.columns) == 0 && len(rows) > 0 {
		for _, c := range rows[0] {
			t.columns = append(t.columns, c.column)
		}
	}
	switch mime {
	case "text/csv":
		return t.csv()
	case "text/markdown":
		return t.markdown(), nil
	case "text/html":
		return t.html(), nil
	case "application/xml":
		return t.xml()
	}
	return t.plain(), nil
}

type table struct {
	columns []string
	rows    [][]cell
}

func (t table) csv() (string, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	record := make([]string, 0, len(t.columns))
	for _, name := range t.columns {
		record = append(record, harmless(name))
	}
	if err := w.Write(record); err != nil {
		return "", err
	}
	for _, row := range t.rows {
		record = record[:0]
		for _, c := range row {
			text := c.text()
			if !c.number() {
				text = harmless(text)
			}
			record = append(record, text)
		}
		if err := w.Write(record); err != nil {
			return "", err
		}
	}
	w.Flush()
	return b.String(), w.Error()
}

// harmless keeps a text from being run as a formula by the program that opens the
// file (case 225; OWASP, "CSV Injection").
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (t table) plain() string {
	var b strings.Builder
	for i, row := range t.rows {
		if len(t.columns) > 1 && i > 0 {
			b.WriteByte('\n')
		}
		for _, c := range row {
			switch {
			case len(t.columns) > 1:
				b.WriteString(c.column + ": " + c.text() + "\n")
			case len(t.rows) > 1:
				b.WriteString(c.text() + "\n")
			default:
				b.WriteString(c.text())
			}
		}
	}
	return b.String()
}

// markdownCell keeps a value inside its cell (GitHub Flavored Markdown, "Tables")
// and keeps markup in it from counting.
func markdownCell(text string) string {
	return strings.NewReplacer("\\", `\\`, "|", `\|`, "<", "&lt;", "&", "&amp;", "\r\n", "<br>", "\n", "<br>", "\r", "<br>").Replace(text)
}

func (t table) markdown() string {
	var b strings.Builder
	b.WriteByte('|')
	for _, name := range t.columns {
		b.WriteString(" " + markdownCell(name) + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(t.columns)) + "\n")
	for _, row := range t.rows {
		b.WriteByte('|')
		for _, c := range row {
			b.WriteString(" " + markdownCell(c.text()) + " |")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (t table) html() string {
	var b strings.Builder
	b.WriteString("<table>\n<thead><tr>")
	for _, name := range t.columns {
		b.WriteString("<th>" + html.EscapeString(name) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range t.rows {
		b.WriteString("<tr>")
		for _, c := range row {
			b.WriteString("<td>" + html.EscapeString(c.text()) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
	return b.String()
}

// xmlColumn is one value; null tells NULL from an empty text.
type xmlColumn struct {
	Name string `xml:"name,attr"`
	Null bool   `xml:"null,attr,omitempty"`
	Text string `xml:",chardata"`
}

type xmlRow struct {
	Columns []xmlColumn `xml:"column"`
}

func (t table) xml() (string, error) {
	doc := struct {
		XMLName xml.Name `xml:"rows"`
		Rows    []xmlRow `xml:"row"`
	}{}
	for _, row := range t.rows {
		var out xmlRow
		for _, c := range row {
			out.Columns = append(out.Columns, xmlColumn{Name: c.column, Null: c.null(), Text: c.text()})
		}
		doc.Rows = append(doc.Rows, out)
	}
	b, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return "", err
	}
	return xml.Header + string(b) + "\n", nil
}
