package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/store"
)

// maxPrepared is how many statements a session keeps prepared; the one not used for longest goes first.
const maxPrepared = 256

// prepared is one statement on one session.
type prepared struct {
	name    string // empty behind a pooler: parsed anew in each flight
	sql     string
	oids    []uint32 // of the parameters, as the server settled them
	params  []driver.Param
	fields  []field // of the result, as the server described them
	formats []int16 // of the result columns
	encode  []func(b, v []byte) []byte
	columns []driver.Column
	heads   [][]byte
	used    uint64
}

// prepare returns st prepared on this session.
func (s *session) prepare(st *driver.Statement) (*prepared, error) {
	s.serial++
	if pr := s.prepared[st]; pr != nil {
		pr.used = s.serial
		return pr, nil
	}
	if len(s.prepared) >= maxPrepared {
		s.forgetOldest()
	}
	name := ""
	if !s.pooled {
		name = "t" + strconv.FormatUint(s.serial, 36)
	}
	d, err := s.parse(name, st)
	if err != nil {
		return nil, err
	}
	pr := &prepared{name: name, sql: st.SQL, oids: d.params, params: st.Params, fields: d.fields, used: s.serial}
	oids, names := make([]uint32, len(d.fields)), make([]string, len(d.fields))
	for i, f := range d.fields {
		oids[i], names[i] = f.oid, f.name
	}
	types, err := s.types(oids)
	if err != nil {
		return nil, err
	}
	for i, name := range driver.UniqueNames(names) {
		oid := oids[i]
		format, enc := encoder(oid, types[oid])
		pr.formats, pr.encode = append(pr.formats, format), append(pr.encode, enc)
		pr.columns = append(pr.columns, driver.Column{Name: name, Type: types[oid].name, ParamType: paramType(oid, types[oid])})
	}
	pr.heads = driver.Heads(pr.columns)
	s.prepared[st] = pr
	return pr, nil
}

func (s *session) forgetOldest() {
	var oldest *driver.Statement
	for st, pr := range s.prepared {
		if oldest == nil || pr.used < s.prepared[oldest].used {
			oldest = st
		}
	}
	s.forget(oldest)
}

// forget drops a prepared statement, on the server too.
func (s *session) forget(st *driver.Statement) {
	pr := s.prepared[st]
	delete(s.prepared, st)
	if pr == nil || pr.name == "" {
		return
	}
	s.fe.SendClose(&pgproto3.Close{ObjectType: 'S', Name: pr.name})
	f := flight{turn: -1}
	s.fly(&f)
	if f.err != nil {
		s.unfit = true
	}
}

// parse has the server parse st and settle its parameters' types. Five ways are tried, because none suits all statements:
//
//  1. every parameter with its declared type, but strings left for the server to infer: a uuid or enum column does not
//     compare with text;
//  2. all declared, strings as text: for calls such as unnest(:names), where an unknown type fits several functions;
//  3. like the first, some integers as int4: for what refuses bigint, such as make_date(:year, :month, :day) or :day + :count;
//  4. strings and numbers left to the server: for what wants another type yet, such as a smallint or real argument;
//  5. all left to the server.
//
// The first error is the one reported: it speaks of the statement as the author meant it.
func (s *session) parse(name string, st *driver.Statement) (description, error) {
	declared := make([]uint32, len(st.Params))
	for i, p := range st.Params {
		declared[i] = declaredOID(p.Type, p.Item)
	}
	open := func(leave func(driver.Param) bool) []uint32 {
		oids := append([]uint32(nil), declared...)
		for i, p := range st.Params {
			if leave(p) {
				oids[i] = 0
			}
		}
		return oids
	}
	var first error
	var tried [][]uint32
	for n, oids := range [][]uint32{
		open(textual),
		declared,
		small(open(textual)),
		open(func(p driver.Param) bool { return textual(p) || numeric(p) }),
		open(func(driver.Param) bool { return true }),
	} {
		if slices.ContainsFunc(tried, func(t []uint32) bool { return slices.Equal(t, oids) }) {
			continue
		}
		tried = append(tried, oids)
		if n == someSmall {
			oids = s.fewestSmall(st, oids, declared)
		}
		d, err := s.settle(name, st, slices.Clone(oids), declared)
		if err == nil || !undecided(err) {
			return d, err
		}
		if first == nil {
			first = err
		}
	}
	return description{}, first
}

// someSmall is the way above in which integers are int4.
const someSmall = 2

// fewestSmall turns the integers back into bigint that the statement takes as such. Otherwise an id beyond 2^31 would be refused
// because of the number of letters that is asked for beside it. It costs a round trip for each, once for each session.
func (s *session) fewestSmall(st *driver.Statement, oids, declared []uint32) []uint32 {
	best := oids
	for i, p := range st.Params {
		if !numeric(p) || best[i] == declared[i] || s.unfit {
			continue
		}
		try := slices.Clone(best)
		try[i] = declared[i]
		if _, err := s.settle("", st, slices.Clone(try), declared); err == nil {
			best = try
		}
	}
	return best
}

// undecided reports whether other parameter types could help: undefined function, ambiguous function, wrong object type
// for an operator, inconsistent or indeterminate parameter.
func undecided(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "42883", "42725", "42804", "42P08", "42P18", "42846":
		return true
	}
	return false
}

var (
	parameterNumber = regexp.MustCompile(`\$(\d+)`)
	nullTest        = regexp.MustCompile(`(?i)\$\d+\s+IS\s+(NOT\s+)?NULL\b`)
)

// settle prepares st with the types given, where 0 is left for the server to infer. It changes oids.
//
// The server infers a parameter's type from its first use, and ":q IS NULL" says nothing: with ":q IS NULL OR id = :q" it
// gives up. Then the types are inferred from the statement without its null tests. What it cannot infer even so gets its
// declared type.
func (s *session) settle(name string, st *driver.Statement, oids, declared []uint32) (description, error) {
	inferred := false
	for {
		d, err := s.describe(name, st.SQL, oids)
		if err == nil {
			if len(d.params) != len(st.Params) {
				return d, driver.NewError(driver.KindSyntax, fmt.Sprintf("the database sees %d parameters in the statement, the studio %d", len(d.params), len(st.Params)), nil)
			}
			return d, nil
		}
		n := undetermined(err)
		switch {
		case n < 1 || n > len(oids) || oids[n-1] != 0:
			return d, err
		case !inferred:
			inferred = true
			if err := s.infer(st.SQL, oids); err != nil {
				return d, err
			}
			if oids[n-1] != 0 {
				continue
			}
		}
		oids[n-1] = declared[n-1]
	}
}

// undetermined returns the number of the parameter whose type the server could not determine, or 0. Messages are in the
// server's language, the number is not.
func undetermined(err error) int {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "42P18" && pg.Code != "42P08" {
		return 0
	}
	m := parameterNumber.FindStringSubmatch(pg.Message)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// infer fills in the open types as the server sees them without null tests. The changed text is parsed and never run.
func (s *session) infer(sql string, oids []uint32) error {
	d, err := s.describe("", nullTest.ReplaceAllString(sql, "true"), oids)
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && !s.unfit:
		return nil // nothing learned
	case err != nil:
		return err
	}
	for i, oid := range d.params {
		if i < len(oids) && oids[i] == 0 {
			oids[i] = oid
		}
	}
	return nil
}

// types returns what is known of the types, asking the catalog for those not met before.
func (s *session) types(oids []uint32) (map[uint32]typeInfo, error) {
	known := map[uint32]typeInfo{}
	var ask []byte
	s.pool.typesMu.RLock()
	for _, oid := range oids {
		t, ok := builtin(oid)
		if !ok {
			t, ok = s.pool.types[oid]
		}
		if ok {
			known[oid] = t
			continue
		}
		if len(ask) > 0 {
			ask = append(ask, ',')
		}
		ask = strconv.AppendUint(ask, uint64(oid), 10)
	}
	s.pool.typesMu.RUnlock()
	if len(ask) == 0 {
		return known, nil
	}
	ask = append(append([]byte{'{'}, ask...), '}')
	var failed error
	met := map[uint32]typeInfo{}
	err := s.rowsOf(typeQuery, []uint32{oidOIDArray}, [][]byte{ask}, func(row [][]byte) {
		oid, t, err := readType(row)
		met[oid], failed = t, errors.Join(failed, err)
	})
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	s.pool.typesMu.Lock()
	defer s.pool.typesMu.Unlock()
	maps.Copy(s.pool.types, met)
	maps.Copy(known, met)
	return known, nil
}

// readType reads one row of typeQuery.
func readType(row [][]byte) (uint32, typeInfo, error) {
	if len(row) != 4 || len(row[3]) != 1 {
		return 0, typeInfo{}, errors.New("the catalog's description of a type does not have the expected form")
	}
	oid, err := strconv.ParseUint(string(row[0]), 10, 32)
	elem, err2 := strconv.ParseUint(string(row[2]), 10, 32)
	return uint32(oid), typeInfo{name: string(row[1]), elem: uint32(elem), delim: row[3][0]}, errors.Join(err, err2)
}

// typeQuery describes types. A true array has typlen -1; int2vector (22) and oidvector (30) look alike but are written
// otherwise.
// A domain's elements are written as those of the type below it, or below the domain that is below it.
const typeQuery = `SELECT t.oid, pg_catalog.format_type(t.oid, NULL),
	CASE WHEN a.oid IS NULL THEN 0 ELSE coalesce(nullif(below.typbasetype, 0), nullif(e.typbasetype, 0), e.oid) END, coalesce(e.typdelim, ',')
FROM pg_catalog.pg_type t
LEFT JOIN pg_catalog.pg_type a ON a.oid = t.oid AND t.typlen = -1 AND t.typelem <> 0 AND t.oid NOT IN (22, 30)
LEFT JOIN pg_catalog.pg_type e ON e.oid = a.typelem
LEFT JOIN pg_catalog.pg_type below ON below.oid = e.typbasetype
WHERE t.oid = ANY ($1)`

// Describe implements driver.Pool.
func (p *pool) Describe(ctx context.Context, st *driver.Statement) (driver.Description, error) {
	var out driver.Description
	err := p.with(ctx, p.cfg.StatementTimeout, func(s *session) error {
		pr, err := s.prepare(st)
		if err != nil {
			return err
		}
		types, err := s.types(pr.oids)
		if err != nil {
			return err
		}
		out = driver.Description{Columns: pr.columns, Params: make([]store.ParamType, len(pr.oids))}
		for i, oid := range pr.oids {
			out.Params[i] = paramType(oid, types[oid])
		}
		return nil
	})
	return out, err
}
