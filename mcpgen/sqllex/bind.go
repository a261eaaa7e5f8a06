package sqllex

import (
	"strconv"
	"strings"
)

// Style is how one driver writes placeholders.
type Style struct {
	// Mark returns the text that replaces a parameter. The number is 1-based and is
	// the place of the value in the order that Bind returns.
	Mark func(number int) string
	// Repeat is for drivers whose placeholders cannot be named: a parameter that is
	// used twice is sent twice.
	Repeat bool
}

// Dollar is PostgreSQL's $1; a parameter used twice is sent once.
func Dollar() Style { return Style{Mark: prefixed("$")} }

// Question is the plain ? of MySQL, Cassandra and Snowflake; order repeats.
func Question() Style { return Style{Mark: func(int) string { return "?" }, Repeat: true} }

// Numbered is SQLite's ?1; a parameter used twice is sent once.
func Numbered() Style { return Style{Mark: prefixed("?")} }

// At is @p1, for SQL Server and for BigQuery's named parameters.
func At() Style { return Style{Mark: prefixed("@p")} }

// Braces is ClickHouse's {p1:Type}. typeOf gives the ClickHouse type of value
// number n, such as "Nullable(String)".
func Braces(typeOf func(number int) string) Style {
	return Style{Mark: func(n int) string { return "{p" + strconv.Itoa(n) + ":" + typeOf(n) + "}" }}
}

// Style returns the style that the driver of d uses. ClickHouse needs types, which
// a dialect does not have: it gets Nullable(String), and a driver that knows better
// uses [Braces].
func (d Dialect) Style() Style {
	switch d {
	case MySQL, Cassandra, Snowflake:
		return Question()
	case SQLite:
		return Numbered()
	case MSSQL, BigQuery:
		return At()
	case ClickHouse:
		return Braces(func(int) string { return "Nullable(String)" })
	default:
		return Dollar()
	}
}

func prefixed(prefix string) func(int) string {
	return func(n int) string { return prefix + strconv.Itoa(n) }
}

// Bind rewrites each :name to the driver's placeholder and leaves every other byte
// as it is. order names the value of each placeholder: once per parameter, or once
// per use if the style repeats. Values are never part of the text.
//
// Bind is meant for a statement without error-level problems; for others the text
// may be refused by the server.
func (s Statement) Bind(style Style) (sql string, order []string) {
	var b strings.Builder
	b.Grow(len(s.sql) + 4*len(s.uses))
	numbers := make([]int, len(s.Params))
	done := 0
	for _, u := range s.uses {
		n := numbers[u.param]
		if n == 0 || style.Repeat {
			order = append(order, s.Params[u.param].Name)
			n = len(order)
			numbers[u.param] = n
		}
		b.WriteString(s.sql[done:u.start])
		b.WriteString(style.Mark(n))
		done = u.end
	}
	b.WriteString(s.sql[done:])
	return b.String(), order
}
