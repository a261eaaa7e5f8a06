package postgres

import (
	"bytes"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"mcpstudio/mcpgen/driver"
)

// add queues one of our own statements. One without a name is parsed anew: it is what it says, whatever was prepared meanwhile.
func (s *session) add(c control) {
	name := c.name
	if s.pooled || name == "" {
		s.fe.SendParse(&pgproto3.Parse{Query: c.sql})
		name = ""
	}
	s.fe.SendBind(&pgproto3.Bind{PreparedStatement: name})
	s.fe.SendExecute(&pgproto3.Execute{})
}

// addLocal queues the settings of a transaction behind a pooler and reports how many statements that are. They are also
// the first query of the transaction, after which it cannot be made writable.
func (s *session) addLocal() int {
	if !s.pooled {
		return 0
	}
	s.add(control{sql: s.local})
	return 1
}

// everyRow lets a statement run to its end.
const everyRow = 0

// addStatement queues the tool's statement, which stops after so many rows.
func (s *session) addStatement(st *prepared, values [][]byte, rows uint32) {
	if s.pooled {
		s.fe.SendParse(&pgproto3.Parse{Query: st.sql, ParameterOIDs: st.oids})
	}
	s.fe.SendBind(&pgproto3.Bind{PreparedStatement: st.name, Parameters: values, ResultFormatCodes: st.formats})
	if s.pooled { // parsed anew: the columns may be others than those it was prepared with
		s.fe.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	}
	s.fe.SendExecute(&pgproto3.Execute{MaxRows: rows})
}

// flight is one write with everything up to a Sync, and what came back.
type flight struct {
	rows     *driver.RowWriter // of a tool's statement
	st       *prepared
	each     func(values [][]byte) // of a statement of ours; the values are valid during the call only
	parsed   *description          // of a statement that is only parsed
	turn     int                   // how many statements end before the one whose rows count
	drain    bool
	heard    bool // the server has answered something
	ended    int
	affected int64
	surplus  int  // bytes of rows read after the limit
	changed  bool // the rows are not of the columns that st knows, and were not read
	cut      bool // reading stopped before the end: the session is of no more use
	status   byte // transaction status at ReadyForQuery
	err      error
}

const (
	maxSurplus  = 4 << 20 // how many bytes of unwanted rows are read before it is cheaper to cancel
	messageHead = 7       // bytes of a DataRow before its values
)

// fly sends what was queued and reads to the server's ReadyForQuery. A lost connection makes the session unfit.
func (s *session) fly(f *flight) {
	s.fe.SendSync(&pgproto3.Sync{})
	s.roundTrip(f)
}

func (s *session) roundTrip(f *flight) {
	if err := s.fe.Flush(); err != nil {
		s.unfit = true
		f.err = err
		return
	}
	for {
		msg, err := s.fe.Receive()
		if err != nil {
			s.unfit = true
			if f.err == nil {
				f.err = err
			}
			return
		}
		f.heard = f.heard || answers(msg)
		if s.handle(f, msg) {
			return
		}
	}
}

// exec runs statements of ours that give no rows and take no arguments.
func (s *session) exec(sql string) error {
	s.fe.SendQuery(&pgproto3.Query{String: sql})
	f := flight{turn: -1}
	s.roundTrip(&f)
	return f.err
}

// rowsOf runs one query of ours and hands each row to each.
func (s *session) rowsOf(sql string, oids []uint32, args [][]byte, each func(values [][]byte)) error {
	s.fe.SendParse(&pgproto3.Parse{Query: sql, ParameterOIDs: oids})
	s.fe.SendBind(&pgproto3.Bind{Parameters: args})
	s.fe.SendExecute(&pgproto3.Execute{})
	f := flight{each: each}
	s.fly(&f)
	return f.err
}

// description is what the server says of a statement it has parsed.
type description struct {
	params []uint32 // types of the parameters
	fields []field
}

type field struct {
	name string
	oid  uint32
}

func fieldsOf(m *pgproto3.RowDescription) []field {
	fields := make([]field, len(m.Fields))
	for i, f := range m.Fields {
		fields[i] = field{name: string(f.Name), oid: f.DataTypeOID}
	}
	return fields
}

// describe has the server parse one text under a name; the empty name is for once.
func (s *session) describe(name, sql string, oids []uint32) (description, error) {
	s.fe.SendParse(&pgproto3.Parse{Name: name, Query: sql, ParameterOIDs: oids})
	s.fe.SendDescribe(&pgproto3.Describe{ObjectType: 'S', Name: name})
	var d description
	f := flight{turn: -1, parsed: &d}
	s.fly(&f)
	if f.err != nil && f.retryable() {
		return d, errAgain{f.err}
	}
	return d, f.err
}

// answers reports whether a message is about what was sent, and not about the server itself: when it shuts down, it says
// so in a notice or a fatal error to sessions that are idle too.
func answers(msg pgproto3.BackendMessage) bool {
	switch msg.(type) {
	case *pgproto3.NoticeResponse, *pgproto3.NotificationResponse, *pgproto3.ParameterStatus:
		return false
	}
	return !isFatal(msg)
}

func isFatal(msg pgproto3.BackendMessage) bool {
	e, ok := msg.(*pgproto3.ErrorResponse)
	return ok && (e.SeverityUnlocalized == "FATAL" || e.Severity == "FATAL")
}

// handle deals with one message and reports whether the flight is over.
func (s *session) handle(f *flight, msg pgproto3.BackendMessage) bool {
	switch m := msg.(type) {
	case *pgproto3.DataRow:
		switch {
		case f.ended != f.turn:
		case f.rows != nil:
			return s.row(f, m.Values)
		case f.each != nil:
			f.each(m.Values)
		}
	case *pgproto3.ParameterDescription:
		if f.parsed != nil {
			f.parsed.params = slices.Clone(m.ParameterOIDs)
		}
	case *pgproto3.RowDescription:
		switch {
		case f.parsed != nil:
			f.parsed.fields = fieldsOf(m)
		case f.rows != nil && f.ended == f.turn:
			f.changed = !slices.Equal(f.st.fields, fieldsOf(m))
		}
	case *pgproto3.CommandComplete:
		if f.ended == f.turn && !bytes.HasPrefix(m.CommandTag, []byte("SELECT ")) {
			f.affected = pgconn.NewCommandTag(string(m.CommandTag)).RowsAffected()
		}
		f.ended++
	case *pgproto3.PortalSuspended, *pgproto3.EmptyQueryResponse:
		f.ended++
	case *pgproto3.ErrorResponse:
		if f.err == nil {
			f.err = pgconn.ErrorResponseToPgError(m)
		}
		if isFatal(m) {
			s.unfit = true
		}
	case *pgproto3.CopyInResponse, *pgproto3.CopyOutResponse, *pgproto3.CopyBothResponse:
		// Nobody here speaks that protocol: the session is given up. Nothing was committed, the COMMIT is behind it.
		s.unfit = true
		f.err = driver.NewError(driver.KindSyntax, "COPY to or from the client is not a statement a tool can run", nil)
		return true
	case *pgproto3.ParameterStatus:
		// The server itself reports this one (PostgreSQL 14) when a statement changed it for the session.
		if m.Name == "default_transaction_read_only" && m.Value != "on" {
			s.unfit = true
		}
	case *pgproto3.ReadyForQuery:
		f.status = m.TxStatus
		return true
	}
	return false
}

// row writes one row, or throws it away when the limits are reached. It reports whether to stop reading.
func (s *session) row(f *flight, values [][]byte) bool {
	w := f.rows
	size := messageHead // rows without a value must not go on for ever either
	for _, v := range values {
		size += len(v)
	}
	w.Truncated = w.Truncated || f.changed
	if w.Truncated {
		if f.surplus += size; f.surplus > maxSurplus && !f.drain {
			f.cut, s.unfit = true, true
			return true
		}
		return false
	}
	if len(values) != len(f.st.encode) {
		s.unfit, f.err = true, errors.New("a row does not have the columns that were announced")
		return true
	}
	if !w.Begin() {
		return false
	}
	if w.Hopeless(size) {
		w.Drop()
		return false
	}
	for i, v := range values {
		w.Key(i)
		if v == nil {
			w.Buf = append(w.Buf, "null"...)
		} else {
			w.Buf = f.st.encode[i](w.Buf, v)
		}
		if w.Over() {
			break
		}
	}
	w.End()
	return false
}

// retryable reports whether a flight surely changed nothing and may be sent again on a new session: the connection was
// dead, or the server said it was going away before it answered anything.
func (f *flight) retryable() bool {
	var pg *pgconn.PgError
	if errors.As(f.err, &pg) {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "57P05": // shutdown, crash, starting up, idle timeout
			return !f.heard
		}
		return false
	}
	var own *driver.Error
	return f.err != nil && !f.heard && !errors.As(f.err, &own) && !isTimeout(f.err)
}
