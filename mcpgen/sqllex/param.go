package sqllex

// collect gathers the placeholders by name, in order of first use.
func (a *analysis) collect(s *Statement) {
	byName := map[string]int{}
	c := cursor{sql: a.sql, line: 1}
	for i, t := range a.sig {
		if t.Kind != Placeholder {
			continue
		}
		name := a.sql[t.Start+1 : t.End]
		k, ok := byName[name]
		if !ok {
			k = len(s.Params)
			byName[name] = k
			s.Params = append(s.Params, Param{Name: name})
		}
		p := &s.Params[k]
		p.Positions = append(p.Positions, c.at(t.Start))
		s.uses = append(s.uses, use{t.Start, t.End, k})
		if p.Hint == HintNone {
			p.Hint = a.hint(i)
		}
		if p.Compared == "" {
			p.Compared = a.compared(i)
		}
		p.Optional = p.Optional || a.mindsNull(i)
	}
}

// checkPlaces refuses parameters where only a name or a keyword can stand. A bound
// value is never a name, so these either fail on the server or, like ORDER BY
// :column, quietly do nothing.
func (a *analysis) checkPlaces(s *Statement) {
	clause := make([]string, len(a.frames))
	for i := range a.sig {
		k := a.in[i]
		if a.kind(i) != Placeholder {
			clause[k] = nextClause(clause[k], a.kw(i), a.kw(i-1))
			continue
		}
		why := a.nameAround(i)
		if why == "" {
			why = a.nameAfter(i, s.Verb)
		}
		if why == "" && (clause[k] == "ORDER" || clause[k] == "GROUP") {
			why = a.sortTerm(i, clause[k])
		}
		if why != "" {
			a.err(PlaceholderPosition, i, why)
		}
	}
}

// nextClause follows which clause a frame is in.
func nextClause(clause, kw, before string) string {
	switch kw {
	case "BY":
		return before
	case "SELECT", "FROM", "WHERE", "HAVING", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT", "WINDOW",
		"ROWS", "RANGE", "GROUPS", "FOR", "VALUES", "SET", "QUALIFY", "SEPARATOR", "OPTION":
		return kw
	}
	return clause
}

const asValue = " A parameter is bound as a value. "

func (a *analysis) nameAround(i int) string {
	switch {
	case a.punct(i-1) == "." && a.joined(i-1), a.punct(i+1) == "." && a.joined(i):
		return "A parameter cannot be a part of a name." + asValue + "Write the name out."
	case a.punct(i+1) == "(":
		return "A parameter cannot be the name of a function." + asValue + "Write the function out."
	}
	return ""
}

// nameAfter looks at the word before the parameter.
func (a *analysis) nameAfter(i int, verb string) string {
	const writeOut = "Write the name out, or make one tool per name."
	switch kw := a.kw(i - 1); kw {
	case "FROM":
		if a.tableFrom(i - 1) {
			return "A table cannot be a parameter." + asValue + writeOut
		}
	case "JOIN", "INTO", "UPDATE", "TABLE":
		return "A table cannot be a parameter." + asValue + writeOut
	case "AS", "COLLATE":
		return "A name after " + kw + " cannot be a parameter." + asValue + writeOut
	case "SET":
		if verb == "UPDATE" {
			return "A column cannot be a parameter." + asValue + writeOut
		}
	case "IN":
		return inHelp(a.d)
	case "TOP":
		return "TOP takes a parameter in parentheses only. Write TOP (:" + a.sql[a.sig[i].Start+1:a.sig[i].End] + ")."
	case "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL":
		if a.d == PostgreSQL && a.punct(i-2) != "." {
			return kw + " before a value takes literal text only. Write " + a.sql[a.sig[i].Start:a.sig[i].End] + "::" + lowerType(kw) + "."
		}
		if a.d == BigQuery && kw != "INTERVAL" && a.punct(i-2) != "." {
			return kw + " before a value takes literal text only. Write CAST(" + a.sql[a.sig[i].Start:a.sig[i].End] + " AS " + kw + ")."
		}
	}
	return ""
}

func lowerType(kw string) string {
	b := []byte(kw)
	for i := range b {
		b[i] |= 0x20
	}
	return string(b)
}

func inHelp(d Dialect) string {
	const what = "IN takes a list in parentheses, not one parameter. "
	switch d {
	case Cassandra, ClickHouse:
		return "" // IN ? and IN {x:Array(…)} are right there
	case PostgreSQL:
		return what + "For an array write = ANY(:name); for single values write IN (:first, :second)."
	case BigQuery:
		return what + "For an array write IN UNNEST(:name); for single values write IN (:first, :second)."
	}
	return what + "Write one parameter per value: IN (:first, :second)."
}

// tableFrom tells FROM before a table from IS DISTINCT FROM :x and from the FROM
// in extract(year FROM :x), whose parenthesis does not begin with a statement word.
func (a *analysis) tableFrom(i int) bool {
	if a.kw(i-1) == "DISTINCT" && (a.kw(i-2) == "IS" || a.kw(i-2) == "NOT") {
		return false
	}
	switch a.frames[a.in[i]].verb {
	case "SELECT", "WITH", "DELETE", "UPDATE", "FROM", "SHOW", "DESCRIBE", "EXPLAIN", "COPY":
		return true
	}
	return false
}

// sortTerm refuses ORDER BY :column, GROUP BY :column and ORDER BY x :direction.
// A parameter inside an expression, such as CASE WHEN :sort = 'a', is fine.
func (a *analysis) sortTerm(i int, clause string) string {
	if !a.endsTerm(i + 1) {
		return ""
	}
	before := a.kw(i - 1)
	switch {
	case before == "BY" || a.punct(i-1) == ",":
		return clause + " BY a parameter uses one constant for every row, so it does nothing. " +
			"Name the column, or choose with CASE :name WHEN 'a' THEN a WHEN 'b' THEN b END."
	case clause == "ORDER" && (a.kind(i-1) == QuotedIdent || a.punct(i-1) == ")" || before != "" && !takesValue(before)):
		return "The direction of a sort cannot be a parameter." + asValue + "Write ASC or DESC, or make two tools."
	}
	return ""
}

func (a *analysis) endsTerm(i int) bool {
	switch a.punct(i) {
	case ",", ")":
		return true
	}
	switch a.kw(i) {
	case "ASC", "DESC", "NULLS", "LIMIT", "OFFSET", "FETCH", "HAVING", "ORDER", "UNION", "INTERSECT", "EXCEPT", "FOR",
		"WITH", "WINDOW", "ROWS", "RANGE", "OPTION":
		return true
	}
	return i >= len(a.sig)
}

// takesValue reports whether a value may follow the word kw directly.
func takesValue(kw string) bool {
	switch kw {
	case "AND", "OR", "NOT", "XOR", "IN", "IS", "LIKE", "ILIKE", "RLIKE", "REGEXP", "GLOB", "BETWEEN", "TO", "FROM", "FOR",
		"WHEN", "THEN", "ELSE", "CASE", "BY", "ESCAPE", "DIV", "MOD", "DISTINCT", "ALL", "ANY", "INTERVAL", "SELECT":
		return true
	}
	return false
}
