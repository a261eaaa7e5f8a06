package sqllex

import "strings"

// hint guesses the type of the placeholder at i from what stands around it.
func (a *analysis) hint(i int) Hint {
	if h := a.hintCast(i); h != HintNone {
		return h
	}
	if h := a.hintBefore(i); h != HintNone {
		return h
	}
	return a.hintOperator(i)
}

// hintCast reads :x::type and CAST(:x AS type).
func (a *analysis) hintCast(i int) Hint {
	if a.punct(i+1) == "::" {
		return a.typeHint(i + 2)
	}
	if a.kw(i+1) == "AS" && a.punct(i-1) == "(" {
		switch a.kw(i - 2) {
		case "CAST", "TRY_CAST", "SAFE_CAST":
			return a.typeHint(i + 2)
		}
	}
	return HintNone
}

// hintBefore reads the word, or the function, before the parameter.
func (a *analysis) hintBefore(i int) Hint {
	switch a.kw(i - 1) {
	case "LIMIT", "OFFSET", "INTERVAL":
		return HintInteger
	case "NEXT", "FIRST":
		if a.kw(i-2) == "FETCH" {
			return HintInteger
		}
	case "LIKE", "ILIKE", "RLIKE", "REGEXP", "GLOB":
		return HintString
	case "IN":
		return HintArray
	case "WHERE", "OR", "NOT", "WHEN", "HAVING", "ON":
		if a.endsCondition(i + 1) {
			return HintBoolean
		}
	}
	if a.punct(i-1) != "(" {
		return HintNone
	}
	switch a.kw(i - 2) {
	case "TOP", "OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL":
		return HintInteger
	case "LOWER", "UPPER", "TRIM", "LTRIM", "RTRIM", "LENGTH", "CHAR_LENGTH":
		return HintString
	case "ANY", "SOME", "ALL", "UNNEST", "CARDINALITY":
		return HintArray
	}
	return HintNone
}

// mindsNull reports whether the placeholder at i is asked for NULL, or given a value
// in its place. Whoever writes that wants the parameter to be left out at times.
func (a *analysis) mindsNull(i int) bool {
	first, last := i, i
	if a.punct(i+1) == "::" && a.kind(i+2) == Word { // :x::date
		last = i + 2
		for n := 0; n < maxParts && a.punct(last+1) == "." && a.kind(last+2) == Word; n++ {
			last += 2
		}
		if a.punct(last+1) == "[" && a.punct(last+2) == "]" {
			last += 2
		}
	}
	if f := a.frames[a.in[i]]; f.open == i-1 && (f.callee == "CAST" || f.callee == "TRY_CAST" || f.callee == "SAFE_CAST") && a.kw(i+1) == "AS" {
		first = f.open - 1
		for last = i + 2; last < i+2+2*maxParts && a.punct(last) != ")"; last++ { // a type with parentheses of its own ends this early, and is not told
		}
	}
	if a.kw(last+1) == "IS" && (a.kw(last+2) == "NULL" || a.kw(last+2) == "NOT" && a.kw(last+3) == "NULL") {
		return true
	}
	switch a.name(first - 2) {
	case "COALESCE", "IFNULL", "NVL", "ISNULL":
		return a.punct(first-1) == "(" && a.punct(last+1) == ","
	}
	return false
}

func (a *analysis) endsCondition(i int) bool {
	switch a.kw(i) {
	case "AND", "OR", "THEN", "GROUP", "ORDER", "LIMIT", "HAVING", "UNION":
		return true
	}
	return i >= len(a.sig) || a.punct(i) == ")"
}

// hintOperator reads what the parameter is compared or joined with.
func (a *analysis) hintOperator(i int) Hint {
	before, after := a.punct(i-1), a.punct(i+1)
	switch {
	case before == "||" || after == "||":
		return HintString
	case before == "*" && a.kind(i-2) == String && a.kw(i-3) == "INTERVAL":
		return HintNumber
	case isComparison(before):
		if h := a.literalEnding(i - 2); h != HintNone {
			return h
		}
	}
	switch kw := a.kw(i + 1); {
	case isComparison(after):
		return a.literalAt(i + 2)
	case kw == "LIKE" || kw == "ILIKE", kw == "NOT" && (a.kw(i+2) == "LIKE" || a.kw(i+2) == "ILIKE"):
		return HintString
	case kw == "AND" && a.kw(i-1) == "BETWEEN":
		return a.literalAt(i + 2)
	case a.between(i) >= 0:
		return a.literalEnding(i - 2)
	}
	if f := a.frames[a.in[i]]; f.callee == "IN" && f.open+1 < i {
		return a.literalAt(f.open + 1)
	}
	return HintNone
}

func isComparison(op string) bool {
	switch op {
	case "=", "==", "<>", "!=", "<", ">", "<=", ">=":
		return true
	}
	return false
}

// literalEnding is literalAt for a literal of one token whose last word is at i.
func (a *analysis) literalEnding(i int) Hint {
	if kw := a.kw(i - 1); a.kind(i) == String && (kw == "DATE" || kw == "TIMESTAMP" || kw == "TIMESTAMPTZ" || kw == "DATETIME") {
		return wordType(kw)
	}
	return a.literalAt(i)
}

// literalAt returns the type of the literal that begins at i.
func (a *analysis) literalAt(i int) Hint {
	if p := a.punct(i); p == "-" || p == "+" {
		i++
	}
	if i < 0 || i >= len(a.sig) {
		return HintNone
	}
	text := a.upper[a.sig[i].Start:a.sig[i].End]
	switch a.kind(i) {
	case Number:
		if strings.ContainsAny(text, ".E") && !strings.HasPrefix(text, "0X") || a.punct(i+1) == "." {
			return HintNumber
		}
		return HintInteger
	case String:
		return stringHint(strings.Trim(text, "'\""))
	case Word:
		switch text {
		case "TRUE", "FALSE":
			return HintBoolean
		case "CURRENT_DATE":
			return HintDate
		case "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "NOW", "GETDATE", "SYSDATETIME":
			return HintDatetime
		case "DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME":
			if a.kind(i+1) == String {
				return wordType(text)
			}
		}
	}
	return HintNone
}

// stringHint tells 2026-01-31 and 2026-01-31 10:00 from other text.
func stringHint(text string) Hint {
	const shape = "0000-00-00"
	if len(text) < len(shape) {
		return HintString
	}
	for i := range len(shape) {
		if shape[i] == '0' && !isDigit(text[i]) || shape[i] == '-' && text[i] != '-' {
			return HintString
		}
	}
	switch {
	case len(text) == len(shape):
		return HintDate
	case (text[len(shape)] == ' ' || text[len(shape)] == 'T') && len(text) > len(shape)+1 && isDigit(text[len(shape)+1]):
		return HintDatetime
	}
	return HintString
}

// maxParts bounds the looks around one parameter, so that many parameters beside
// one endless name stay linear. No server takes more parts in a name.
const maxParts = 6

// typeHint reads the type name at i, with its schema before it.
func (a *analysis) typeHint(i int) Hint {
	for range maxParts {
		if a.punct(i+1) == "." {
			i += 2
		}
	}
	h := wordType(a.name(i))
	end := i + 1
	for a.kind(end) == Word && (a.kw(end) == "PRECISION" || a.kw(end) == "VARYING") {
		end++
	}
	if a.punct(end) == "(" {
		for n := 0; n < maxParts && a.punct(end) != ")"; n++ { // numeric(10, 2)
			end++
		}
		end++
	}
	if a.punct(end) == "[" || a.kw(end) == "ARRAY" {
		return HintArray
	}
	return h
}

func wordType(name string) Hint {
	switch name {
	case "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "INT2", "INT4", "INT8", "INT16", "INT32", "INT64",
		"INT128", "INT256", "UINT8", "UINT16", "UINT32", "UINT64", "SIGNED", "UNSIGNED", "VARINT", "OID", "BYTEINT":
		return HintInteger
	case "NUMERIC", "DECIMAL", "DEC", "REAL", "DOUBLE", "FLOAT", "FLOAT4", "FLOAT8", "FLOAT32", "FLOAT64", "NUMBER", "MONEY",
		"BIGNUMERIC", "BIGDECIMAL":
		return HintNumber
	case "TEXT", "VARCHAR", "CHAR", "CHARACTER", "NVARCHAR", "NCHAR", "NTEXT", "STRING", "CITEXT", "BPCHAR", "NAME", "ASCII",
		"UUID", "UNIQUEIDENTIFIER", "JSON", "JSONB", "XML", "INET", "CIDR", "INTERVAL", "TIME":
		return HintString
	case "BOOL", "BOOLEAN", "BIT":
		return HintBoolean
	case "DATE", "DATE32":
		return HintDate
	case "TIMESTAMP", "TIMESTAMPTZ", "DATETIME", "DATETIME2", "SMALLDATETIME", "DATETIMEOFFSET", "DATETIME64",
		"TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ":
		return HintDatetime
	case "ARRAY":
		return HintArray
	}
	return HintNone
}
