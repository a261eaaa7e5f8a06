package sqllex

import "strings"

// compared names the column that the placeholder at i is compared with, as
// "column" or "table.column", or returns "" where that is not obvious.
func (a *analysis) compared(i int) string {
	if end, ok := a.comparedBefore(i); ok {
		return a.columnEnding(end)
	}
	after := i + 1
	if a.punct(after) == "::" && a.kind(i+2) == Word {
		after = i + 3
	}
	if isComparison(a.punct(after)) {
		return a.columnAt(after + 1)
	}
	return ""
}

// comparedBefore returns the last token of what stands left of the comparison.
func (a *analysis) comparedBefore(i int) (int, bool) {
	if isComparison(a.punct(i - 1)) {
		return i - 2, true
	}
	switch a.kw(i - 1) {
	case "LIKE", "ILIKE", "RLIKE", "REGEXP", "GLOB", "BETWEEN", "IN":
		return a.skipNot(i - 2), true
	case "AND":
		if k := a.between(i); k >= 0 {
			return a.skipNot(k - 1), true
		}
	case "FROM":
		if a.kw(i-2) == "DISTINCT" {
			if k := a.skipNot(i - 3); a.kw(k) == "IS" {
				return k - 1, true
			}
		}
	}
	f := a.frames[a.in[i]]
	switch {
	case f.callee == "IN":
		return a.skipNot(f.open - 2), true
	case (f.callee == "ANY" || f.callee == "SOME" || f.callee == "ALL") && f.open == i-1 && isComparison(a.punct(f.open-2)):
		return f.open - 3, true
	}
	return 0, false
}

// between returns the BETWEEN whose upper bound is the placeholder at i, or -1.
func (a *analysis) between(i int) int {
	switch {
	case a.kw(i-1) != "AND":
	case a.kw(i-3) == "BETWEEN": // BETWEEN :a AND
		return i - 3
	case a.kw(i-4) == "BETWEEN" && a.kind(i-2) == String: // BETWEEN date '…' AND
		return i - 4
	case a.kw(i-5) == "BETWEEN" && a.punct(i-3) == "::": // BETWEEN :a::date AND
		return i - 5
	}
	return -1
}

func (a *analysis) skipNot(i int) int {
	if a.kw(i) == "NOT" {
		return i - 1
	}
	return i
}

// columnEnding reads the column whose last token is at i. What follows an operator
// is a part of an expression, not a column.
func (a *analysis) columnEnding(i int) string {
	if a.punct(i-1) == "::" { // name::text = :x
		i -= 2
	}
	if !a.isColumn(i) {
		return ""
	}
	name, first := a.plain(i), i
	for n := 0; n < maxParts && a.punct(first-1) == "."; n++ {
		first -= 2
		if first == i-2 {
			name = a.plain(first) + "." + name
		}
	}
	if p := a.punct(first - 1); p != "" && p != "(" && p != "," {
		return ""
	}
	return name
}

// columnAt reads the column that begins at i.
func (a *analysis) columnAt(i int) string {
	if !a.isColumn(i) {
		return ""
	}
	last := i
	for n := 0; n < maxParts && a.punct(last+1) == "." && a.isColumn(last+2); n++ {
		last += 2
	}
	if p := a.punct(last + 1); p != "" && p != ")" && p != "," || a.kind(last+1) == String {
		return "" // an expression, or a literal such as date '2026-01-31'
	}
	if last > i {
		return a.plain(last-2) + "." + a.plain(last)
	}
	return a.plain(last)
}

func (a *analysis) isColumn(i int) bool {
	switch a.kw(i) {
	case "NULL", "TRUE", "FALSE", "END", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "LOCALTIME",
		"ANY", "ALL", "SOME", "CASE", "SELECT", "NOT", "EXISTS", "ARRAY", "ROW", "CAST", "INTERVAL":
		return false
	}
	return a.kind(i) == Word || a.kind(i) == QuotedIdent
}

// plain returns the identifier at i without its quotes, as the schema spells it.
func (a *analysis) plain(i int) string {
	text := ""
	if a.kind(i) == Word || a.kind(i) == QuotedIdent {
		text = a.sql[a.sig[i].Start:a.sig[i].End]
	}
	if a.kind(i) != QuotedIdent || len(text) < 2 {
		return text
	}
	open, body := text[:1], text[1:len(text)-1]
	if open == "[" {
		open = "]"
	}
	return strings.ReplaceAll(body, open+open, open)
}
