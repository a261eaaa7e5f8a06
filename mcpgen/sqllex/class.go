package sqllex

// isMainVerb reports whether kw can be what a WITH is for. UPDATE and the like are
// not reserved everywhere, so a CTE may be called update: such a statement is
// taken for a write, which errs on the safe side.
func isMainVerb(kw string) bool {
	switch kw {
	case "SELECT", "VALUES", "TABLE", "FROM":
		return true
	}
	return changesRows(kw)
}

func changesRows(kw string) bool {
	switch kw {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT":
		return true
	}
	return false
}

// verbClass is the class by the first word alone.
func verbClass(d Dialect, verb string) Class {
	switch verb {
	case "SELECT", "VALUES":
		return Read
	case "TABLE":
		return readIn(d, PostgreSQL, MySQL)
	case "FROM":
		return readIn(d, ClickHouse, BigQuery)
	case "SHOW":
		return readIn(d, PostgreSQL, MySQL, ClickHouse, Snowflake)
	case "DESCRIBE", "DESC":
		return readIn(d, MySQL, ClickHouse, Snowflake, Cassandra)
	case "EXPLAIN":
		return readIn(d, PostgreSQL, MySQL, ClickHouse, Snowflake, SQLite)
	case "EXISTS":
		return readIn(d, ClickHouse)
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT":
		return Write
	case "CREATE", "ALTER", "DROP", "UNDROP", "TRUNCATE", "RENAME", "EXCHANGE", "COMMENT", "GRANT", "REVOKE", "DENY",
		"REINDEX", "CLUSTER", "VACUUM", "OPTIMIZE", "REFRESH", "SECURITY", "REASSIGN", "IMPORT":
		return DDL
	case "BEGIN", "START", "COMMIT", "ROLLBACK", "ABORT", "END", "SAVEPOINT", "RELEASE", "SAVE", "APPLY", "XA",
		"SET", "UNSET", "RESET", "DISCARD", "USE", "PREPARE", "EXECUTE", "DEALLOCATE", "DECLARE", "FETCH", "MOVE", "CLOSE",
		"OPEN", "HANDLER", "LISTEN", "UNLISTEN", "NOTIFY", "LOCK", "UNLOCK", "KILL", "SHUTDOWN", "SYSTEM", "FLUSH",
		"RECONFIGURE", "CHECKPOINT", "ATTACH", "DETACH", "WAITFOR", "REVERT", "SETUSER":
		if verb == "EXECUTE" && (d == MSSQL || d == BigQuery) {
			return Other // of a procedure, not of a prepared statement
		}
		return Control
	}
	return Other
}

func readIn(d Dialect, dialects ...Dialect) Class {
	for _, x := range dialects {
		if d == x {
			return Read
		}
	}
	return Other
}

// classify sets Class and Verb, and remembers the word that decided.
func (a *analysis) classify(s *Statement) {
	f := a.main()
	verb, at := f.verb, f.verbAt
	if f.with && !f.resolved {
		// WITH … (SELECT …): the main verb is in the parentheses after the last ")".
		verb, at = a.parenthesisedMain(f)
	}
	s.Verb, s.Class = verb, verbClass(a.d, verb)
	s.verbAt, s.offender = at, a.span(at)
	if verb == "" {
		return
	}
	if s.Class == Read && (verb == "EXPLAIN" || verb == "DESCRIBE" || verb == "DESC") {
		a.classifyExplain(s, at)
		return
	}
	if s.Class == Read {
		if i, ok := a.findWrite(); ok {
			s.Class, s.offender = Write, a.span(i)
			switch kw := a.kw(i); {
			case changesRows(kw):
				s.Verb = kw
			case kw == "FOR", kw == "LOCK": // with what it is for
				s.offender.end = a.span(i + 1).end
			}
		}
	}
}

// parenthesisedMain follows WITH … ( to the verb inside, through any number of
// parentheses and further WITHs. It returns WITH itself, whose class is Other, if
// there is none.
func (a *analysis) parenthesisedMain(f *frame) (string, int) {
	start := f.verbAt
	for i := start + 1; i < len(a.sig); i++ {
		if a.in[i] != a.in[start] || a.punct(i) != "(" || a.punct(i-1) != ")" {
			continue
		}
		for a.punct(i) == "(" {
			i++
		}
		inner := a.frameAt(i - 1)
		if inner.with && !inner.resolved {
			start = inner.verbAt
			continue
		}
		return inner.verb, inner.verbAt
	}
	return "WITH", f.verbAt
}

// findWrite looks for what makes a statement that begins like a SELECT a write.
func (a *analysis) findWrite() (int, bool) {
	for k := range a.frames {
		f := &a.frames[k]
		if !changesRows(f.verb) {
			continue
		}
		// A column may be called delete: as a statement it is followed by a name.
		if next := a.kind(f.verbAt + 1); next == Word || next == QuotedIdent || next == Native {
			return f.verbAt, true
		}
	}
	for i := range a.sig {
		kw := a.kw(i)
		if kw == "" || a.punct(i-1) == "." {
			continue
		}
		next := a.kw(i + 1)
		switch kw {
		case "INTO": // reserved in every dialect
			return i, true
		case "FOR":
			if next == "UPDATE" || next == "SHARE" || next == "NO" || next == "KEY" {
				return i, true
			}
		case "LOCK":
			if next == "IN" { // MySQL: LOCK IN SHARE MODE
				return i, true
			}
		case "UPDLOCK", "XLOCK", "TABLOCKX":
			if a.d == MSSQL {
				return i, true
			}
		case "INSERT", "UPDATE", "DELETE", "MERGE", "EXPORT", "CREATE", "DROP", "CALL":
			if a.d == BigQuery && a.punct(i-1) == "|>" { // pipe syntax ends in such an operator
				return i, true
			}
		}
	}
	return 0, false
}

// classifyExplain: EXPLAIN plans and does not run, unless it is told to ANALYZE.
func (a *analysis) classifyExplain(s *Statement, at int) {
	analyze, into := false, false
	for i := at + 1; i < len(a.sig); i++ {
		kw := a.kw(i)
		switch {
		case kw == "ANALYZE" || kw == "ANALYSE":
			analyze = true
		case kw == "INTO":
			into = true
		case kw == "WITH" || isMainVerb(kw) && kw != "FROM":
			if _, writes := a.findWrite(); analyze && (writes || changesRows(kw)) || into {
				s.Class = Write
			} else if analyze {
				s.Class = Other
			}
			return
		}
	}
	// DESCRIBE table, EXPLAIN FOR CONNECTION; PostgreSQL's EXPLAIN EXECUTE and the like.
	if analyze || into || a.d == PostgreSQL {
		s.Class = Other
	}
}

func (a *analysis) span(i int) span {
	if i >= len(a.sig) {
		return span{}
	}
	return span{a.sig[i].Start, a.sig[i].End}
}
