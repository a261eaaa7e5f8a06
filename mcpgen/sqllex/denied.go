package sqllex

import "strings"

// deniedFunction says whether a function, in upper case and without its schema,
// reaches files, the network, other sessions or the server itself from inside a
// SELECT, where neither a read-only transaction nor the broker stops it. Functions
// that only take time are left to the time limits, except MySQL's, which do not
// notice a cancelled client.
func deniedFunction(d Dialect, name string) bool {
	switch d {
	case PostgreSQL:
		return deniedPostgreSQL(name)
	case MySQL:
		switch name {
		case "LOAD_FILE", "SLEEP", "BENCHMARK", "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS",
			"MASTER_POS_WAIT", "SOURCE_POS_WAIT", "MASTER_GTID_WAIT", "WAIT_FOR_EXECUTED_GTID_SET",
			"WAIT_UNTIL_SQL_THREAD_AFTER_GTIDS", "SYS_EXEC", "SYS_EVAL", "SYS_GET", "SYS_SET", "LIB_MYSQLUDF_SYS_INFO":
			return true
		}
	case MSSQL:
		switch name {
		case "OPENROWSET", "OPENQUERY", "OPENDATASOURCE", "FN_DBLOG", "FN_DUMP_DBLOG", "FN_TRACE_GETTABLE",
			"FN_XE_FILE_TARGET_READ_FILE", "FN_GET_AUDIT_FILE", "FN_TRACE_GETINFO", "DM_OS_FILE_EXISTS", "DM_OS_ENUMERATE_FILESYSTEM":
			return true
		}
		return strings.HasPrefix(name, "XP_")
	case ClickHouse:
		return deniedClickHouse(name)
	case SQLite:
		switch name {
		case "LOAD_EXTENSION", "READFILE", "WRITEFILE", "EDIT", "FTS3_TOKENIZER", "FSDIR", "LSMODE", "ZIPFILE", "EVAL",
			"SQLITE_DBDATA", "SQLITE_DBPAGE":
			return true
		}
	case Snowflake:
		return strings.HasPrefix(name, "SYSTEM$")
	case BigQuery:
		return name == "EXTERNAL_QUERY"
	}
	return false
}

func deniedPostgreSQL(name string) bool {
	for _, prefix := range []string{
		"DBLINK", "PG_READ_", "PG_LS_", "PG_FILE_", // files and other servers
		"PG_ADVISORY_LOCK", "PG_TRY_ADVISORY_LOCK", "PG_ADVISORY_UNLOCK", // outlive the transaction
		"CURSOR_TO_XML", // runs what a cursor holds
		"PG_REPLICATION_ORIGIN_", "PG_LOGICAL_", "PG_STAT_RESET", "PG_STAT_STATEMENTS_RESET", "PG_WAL_REPLAY_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "PG_STAT_FILE", "LO_IMPORT", "LO_EXPORT", "LO_CREATE", "LO_CREAT", "LO_UNLINK", "LO_PUT", "LO_FROM_BYTEA",
		"LO_TRUNCATE", "LO_TRUNCATE64", "LOWRITE",
		"PG_TERMINATE_BACKEND", "PG_CANCEL_BACKEND", "PG_RELOAD_CONF", "PG_ROTATE_LOGFILE", "PG_ROTATE_LOGFILE_OLD",
		"PG_LOGFILE_ROTATE", "PG_LOG_BACKEND_MEMORY_CONTEXTS", "SET_CONFIG",
		"PG_SWITCH_WAL", "PG_CREATE_RESTORE_POINT", "PG_PROMOTE", "PG_BACKUP_START", "PG_BACKUP_STOP", "PG_START_BACKUP",
		"PG_STOP_BACKUP", "PG_EXPORT_SNAPSHOT", "PG_CREATE_PHYSICAL_REPLICATION_SLOT", "PG_CREATE_LOGICAL_REPLICATION_SLOT",
		"PG_COPY_PHYSICAL_REPLICATION_SLOT", "PG_COPY_LOGICAL_REPLICATION_SLOT", "PG_DROP_REPLICATION_SLOT",
		"PG_REPLICATION_SLOT_ADVANCE",
		// Extensions: pgsql-http, pg_net, aws_s3, aws_lambda, pg_background.
		"HTTP", "HTTP_GET", "HTTP_POST", "HTTP_PUT", "HTTP_PATCH", "HTTP_DELETE", "HTTP_HEAD",
		"QUERY_EXPORT_TO_S3", "TABLE_IMPORT_FROM_S3", "PG_BACKGROUND_LAUNCH":
		return true
	}
	return false
}

// runsText says whether a function, in upper case and without its schema, runs SQL that it is given as text. No lexer
// sees what such a text will be, so whatever deniedFunction knows could hide in it. The first three come with PostgreSQL, the
// others with its modules tablefunc and xml2.
func runsText(d Dialect, name string) bool {
	if d != PostgreSQL {
		return false
	}
	for _, prefix := range []string{"QUERY_TO_XML", "TS_STAT", "TS_REWRITE", "CROSSTAB", "CONNECTBY", "XPATH_TABLE"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// deniedClickHouse: the table functions that leave the server or read its disk,
// with their Cluster variants.
func deniedClickHouse(name string) bool {
	switch strings.TrimSuffix(name, "CLUSTER") {
	case "URL", "FILE", "FILESYSTEM", "S3", "GCS", "OSS", "COSN", "HDFS", "HIVE", "AZUREBLOBSTORAGE", "ICEBERG", "ICEBERGS3",
		"ICEBERGAZURE", "ICEBERGHDFS", "ICEBERGLOCAL", "DELTALAKE", "DELTALAKES3", "DELTALAKEAZURE", "DELTALAKELOCAL", "HUDI",
		"PAIMON", "PAIMONS3", "PAIMONAZURE", "PAIMONHDFS", "PAIMONLOCAL",
		"REMOTE", "REMOTESECURE", "", "MYSQL", "POSTGRESQL", "SQLITE", "MONGODB", "REDIS", "JDBC", "ODBC", "ARROWFLIGHT", "YTSAURUS",
		"EXECUTABLE", "INPUT", "CATBOOSTEVALUATE":
		return true
	}
	return name == "CLUSTERALLREPLICAS"
}

// checkFunctions refuses calls of denied functions: a name, quoted or not and with
// any schema before it, that is followed by a parenthesis or, in PostgreSQL, stands
// as a field of the one argument: ('/etc/passwd').pg_read_file.
func (a *analysis) checkFunctions() {
	for i := range a.sig {
		field := a.isField(i)
		if a.punct(i+1) != "(" && !field {
			continue
		}
		name, hint := a.name(i), ""
		if field && name != "" {
			hint = " If it is a column, write it without what stands before the point."
		}
		switch shown := strings.ToLower(name); {
		case name == "":
		case deniedFunction(a.d, name):
			a.err(DeniedFunction, i, "The function "+shown+
				" reaches beyond the database's own tables: files, other servers, sessions or settings. Remove the call; grant what it gave as a table or a view instead."+hint)
		case runsText(a.d, name):
			a.err(DeniedFunction, i, "The function "+shown+
				" runs SQL that it is given as text, in which nothing can be checked. Write that SQL as a part of the statement, or as a view."+hint)
		}
	}
}

// isField reports whether the token i may be read as a field of a value. What has no such field, PostgreSQL takes for a
// call of the function of that name (manual 8.16.5, 38.5.3), and it does so for values that are no rows too, also for a
// table's name where the table is a function that gives one value a row: SELECT f.pg_read_file FROM unnest(:names) f.
func (a *analysis) isField(i int) bool {
	if a.d != PostgreSQL || a.punct(i-1) != "." || a.punct(i+1) == "." {
		return false
	}
	switch a.kind(i - 2) {
	case Word, QuotedIdent:
		switch a.kw(i - 3) {
		case "JOIN", "ONLY", "INTO", "UPDATE", "TABLE": // a table's name
			return false
		case "FROM":
			if a.tableFrom(i - 3) {
				return false
			}
		}
		return a.punct(i-3) != "." // no function has a schema's name before its table's
	case Placeholder, Native:
		return true
	}
	return a.punct(i-2) == ")" || a.punct(i-2) == "]"
}

// checkClauses refuses what takes rows elsewhere or undoes the session's limits.
func (a *analysis) checkClauses(s *Statement) {
	if s.Class == Control {
		a.err(ControlStatement, s.verbAt, s.Verb+" changes the session or the transaction, which the studio itself controls. Write a statement that reads or changes rows.")
	}
	switch s.Verb {
	case "COPY", "LOAD", "EXPORT", "BULK", "BACKUP", "RESTORE", "DUMP", "PUT", "GET":
		a.err(DeniedClause, s.verbAt, s.Verb+" moves data through files or streams that a tool does not have. Use SELECT or INSERT.")
	}
	for i := range a.sig {
		switch kw := a.kw(i); kw {
		case "OUTFILE", "DUMPFILE":
			if a.kw(i-1) == "INTO" {
				a.err(DeniedClause, i, "INTO "+kw+" writes a file on the server. Remove it: the rows are the tool's result.")
			}
		case "INTO":
			if s.Verb == "VACUUM" {
				a.err(DeniedClause, i, "VACUUM INTO writes a file. Remove it.")
			}
		case "SETTINGS", "FORMAT":
			a.checkClickHouseTail(i, kw)
		}
		if a.d == Snowflake && a.punct(i) == "->" && a.punct(i+1) == ">" && a.joined(i) {
			a.err(SecondStatement, i, "The flow operator ->> begins a second statement, and a tool runs exactly one. Keep one, or make two tools.")
		}
		if a.d == ClickHouse && a.punct(i) == "{" && a.kind(i+1) == Word {
			a.err(NativePlaceholder, i, "Parameters are written :name. ClickHouse's own {name:Type} would be confused with them; write :name instead.")
		}
	}
}

// checkClickHouseTail refuses SETTINGS x = …, which can lift limits that a
// readonly=2 session leaves open, and FORMAT x, which the native protocol breaks on.
func (a *analysis) checkClickHouseTail(i int, kw string) {
	if a.d != ClickHouse || a.punct(i-1) == "." {
		return
	}
	next := a.kind(i + 1)
	if next != Word && next != QuotedIdent {
		return
	}
	switch {
	case kw == "SETTINGS" && (a.punct(i+2) == "=" || a.punct(i+2) == ""):
		a.err(DeniedClause, i, "SETTINGS can lift the limits that the studio sets for the session. Set them on the connection.")
	case kw == "FORMAT" && (i+2 == len(a.sig) || a.kw(i+2) == "SETTINGS"):
		a.err(DeniedClause, i, "FORMAT changes the wire format, which the driver chooses. Remove it; use a transform to shape the result.")
	}
}
