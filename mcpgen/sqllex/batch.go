package sqllex

// checkBatch finds a second statement in Transact-SQL, where statements follow
// each other without any separator. Its statement words are reserved ("Reserved
// keywords", Transact-SQL reference), so an unquoted one is never a name. The
// bodies of CREATE and ALTER are not looked into: they are DDL, which no read-only
// connection takes.
func (a *analysis) checkBatch(s *Statement) {
	if s.Class == DDL || s.Class == Control {
		return
	}
	main := a.main()
	selects := make([]bool, len(a.frames))
	set := false
	for i := range a.sig {
		kw := a.kw(i)
		if kw == "" || i == main.verbAt || a.punct(i-1) == "." {
			continue
		}
		ok := true
		switch kw {
		case "SELECT":
			ok = a.selectContinues(i, selects)
		case "SET":
			ok = s.Verb == "UPDATE" && !set || s.Verb == "MERGE" && a.kw(i-1) == "UPDATE"
			set = true
		case "UPDATE":
			ok = s.Verb == "MERGE" && a.kw(i-1) == "THEN" || a.kw(i-1) == "FOR"
		case "INSERT", "DELETE":
			ok = s.Verb == "MERGE" && a.kw(i-1) == "THEN" || a.kw(i-1) == "BULK" || a.verbOf(i)
		case "MERGE":
			ok = a.kw(i+1) == "JOIN" || a.frames[a.in[i]].callee == "OPTION"
		case "FETCH":
			ok = (a.kw(i-1) == "ROWS" || a.kw(i-1) == "ROW") && a.kw(i+2) != "FROM"
		case "USE":
			ok = a.frames[a.in[i]].callee == "OPTION"
		case "END":
			ok = a.kw(i+1) != "CONVERSATION"
		default:
			ok = !beginsTSQL(kw)
		}
		if !ok {
			a.err(SecondStatement, i, kw+" begins a second statement, even without a semicolon, and a tool runs exactly one. Keep one, or make two tools.")
			return
		}
	}
}

// verbOf reports whether the token i is the verb of a parenthesis that stands in
// another statement, such as INSERT … SELECT FROM (DELETE … OUTPUT …).
func (a *analysis) verbOf(i int) bool {
	f := a.frames[a.in[i]]
	return f.verbAt == i && f.open >= 0
}

// selectContinues reports whether the SELECT at i belongs to the statement so far.
func (a *analysis) selectContinues(i int, seen []bool) bool {
	k := a.in[i]
	f := &a.frames[k]
	if f.verbAt == i {
		return true
	}
	switch a.kw(i - 1) {
	case "UNION", "ALL", "EXCEPT", "INTERSECT":
		return true
	}
	if f.verb == "INSERT" && !seen[k] {
		seen[k] = true
		return true
	}
	return false
}

func beginsTSQL(kw string) bool {
	switch kw {
	case "ALTER", "BACKUP", "BEGIN", "BREAK", "BULK", "CHECKPOINT", "CLOSE", "COMMIT", "CONTINUE", "CREATE", "DBCC",
		"DEALLOCATE", "DECLARE", "DENY", "DROP", "DUMP", "EXEC", "EXECUTE", "GOTO", "GRANT", "IF", "KILL", "LOAD", "OPEN",
		"PRINT", "RAISERROR", "READTEXT", "RECONFIGURE", "RESTORE", "RETURN", "REVERT", "REVOKE", "ROLLBACK", "SAVE",
		"SETUSER", "SHUTDOWN", "TRUNCATE", "UPDATETEXT", "WAITFOR", "WHILE", "WRITETEXT":
		return true
	}
	return false
}
