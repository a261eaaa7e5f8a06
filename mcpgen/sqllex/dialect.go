package sqllex

// Dialect names the lexical rules of one family of databases.
type Dialect string

// The dialects. Each is named like the db_type that owns it.
const (
	PostgreSQL Dialect = "postgresql"
	MySQL      Dialect = "mysql"
	MSSQL      Dialect = "mssql"
	ClickHouse Dialect = "clickhouse"
	SQLite     Dialect = "sqlite"
	Cassandra  Dialect = "cassandra"
	Snowflake  Dialect = "snowflake"
	BigQuery   Dialect = "bigquery"
)

// Dialects returns every dialect.
func Dialects() []Dialect {
	return []Dialect{PostgreSQL, MySQL, MSSQL, ClickHouse, SQLite, Cassandra, Snowflake, BigQuery}
}

// DialectOf returns the dialect of a connection's db_type. Greenplum and Supabase
// are PostgreSQL. It reports false for a type it does not know.
func DialectOf(dbType string) (Dialect, bool) {
	switch dbType {
	case "greenplum", "supabase":
		return PostgreSQL, true
	}
	for _, d := range Dialects() {
		if dbType == string(d) {
			return d, true
		}
	}
	return "", false
}

// dollarRule says which dollar quotes a dialect has.
type dollarRule uint8

const (
	dollarNone   dollarRule = iota
	dollarPlain             // $$ … $$ only
	dollarTagged            // $tag$ … $tag$
)

// hashRule says when # starts a comment.
type hashRule uint8

const (
	hashNone   hashRule = iota
	hashAlways          // MySQL, BigQuery
	hashSpaced          // ClickHouse: only "# " and "#!", so that #-operators stay possible
)

// rules is what differs between lexers. Sources: PostgreSQL scan.l; MySQL manual
// 9.1, 9.2, 9.7; Transact-SQL reference "Identifiers", "Comments"; ClickHouse
// Lexer.cpp; SQLite tokenize.c; Cassandra Lexer.g; Snowflake "String constants",
// "Comments"; GoogleSQL "Lexical structure and syntax".
type rules struct {
	backslash      bool       // \ escapes in '…'
	doubleString   bool       // "…" is a string, not an identifier
	doubleEscape   bool       // \ escapes in "…"
	backtick       bool       // `…` is an identifier
	backtickEscape bool       // \ escapes in `…`
	bracket        bool       // […] is an identifier
	bracketDouble  bool       // ]] is a ] inside […]
	prefixes       bool       // PostgreSQL: E'…' escapes, U&'…', U&"…"
	triple         bool       // BigQuery: '''…''' and """…"""
	dollar         dollarRule // dollar quotes
	nested         bool       // block comments nest
	hash           hashRule   // # comments
	slashes        bool       // "//" comments
	dashSpace      bool       // "--" needs a space or control character after it
	executable     bool       // "/*!" and "/*M!" are executed
	lineCR         bool       // a line comment ends at a carriage return too

	identDollar bool // $ inside an identifier
	identExtra  bool // Transact-SQL: @ and # start and continue an identifier

	nativeQuestion bool // ? and ?1 are placeholders
	nativeDollar   bool // $1 is a placeholder
	nativeName     bool // SQLite: $name is a placeholder
	nativeAt       bool // @name is a placeholder or an undeclared variable
	nativeBrace    bool // ClickHouse: {name:Type}
	nativeColon    bool // :1 is a placeholder
}

// rulesOf returns the rules of d. An unknown dialect gets PostgreSQL's.
func rulesOf(d Dialect) rules {
	switch d {
	case MySQL:
		return rules{backslash: true, doubleString: true, doubleEscape: true, backtick: true,
			hash: hashAlways, dashSpace: true, executable: true, identDollar: true, nativeQuestion: true}
	case MSSQL:
		return rules{bracket: true, bracketDouble: true, nested: true, identDollar: true, identExtra: true,
			nativeQuestion: true, nativeAt: true}
	case ClickHouse:
		return rules{backslash: true, doubleEscape: true, backtick: true, backtickEscape: true,
			dollar: dollarTagged, nested: true, hash: hashSpaced, slashes: true, identDollar: true, nativeBrace: true}
	case SQLite:
		return rules{backtick: true, bracket: true, identDollar: true, nativeQuestion: true,
			nativeDollar: true, nativeName: true, nativeAt: true, nativeColon: true}
	case Cassandra:
		return rules{dollar: dollarPlain, slashes: true, lineCR: true, nativeQuestion: true}
	case Snowflake:
		return rules{backslash: true, dollar: dollarPlain, slashes: true, identDollar: true,
			nativeQuestion: true, nativeColon: true}
	case BigQuery:
		return rules{backslash: true, doubleString: true, doubleEscape: true, backtick: true,
			backtickEscape: true, triple: true, hash: hashAlways, nativeQuestion: true, nativeAt: true}
	default:
		return rules{prefixes: true, dollar: dollarTagged, nested: true, lineCR: true, identDollar: true,
			nativeDollar: true}
	}
}
