// Package drivertest is the suite that every database driver passes. A driver's
// test gives it a real database and, as data, what differs between databases: the
// SQL of each capability and the answers expected.
//
// It promises that a driver which passes keeps the value rule, the limits, the
// read-only promise and the isolation of sessions. Its hole: it knows only the
// attacks it is given; each driver's list starts from those others had.
package drivertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/sqllex"
	"mcpstudio/store"
)

// Suite is one database under test.
type Suite struct {
	Driver driver.Driver
	Config driver.Config // read-only; a user that may write, so that read-only is the driver's doing

	Values []Value   // what a statement must give
	Params []Call    // parameters of every type, also NULL
	Echo   string    // a statement that gives its one string parameter back as v
	Find   string    // a statement that counts, as n, the rows whose text is its one string parameter
	Series string    // a statement that gives the integers i from 1 to its one integer parameter
	Sleep  string    // a statement that runs for more than 30 s, unless it is stopped
	Errors []Failure // what the database must refuse, and how
	Writes []string  // ways to write through a read-only statement
	Lexed  []string  // ways that only the lexer stops; each is named in the driver's package comment
	Leaks  []Leak    // ways to leave something in a session

	Checksum func(t *testing.T) string // of everything that Writes could change
	Running  func(t *testing.T) int    // how many statements with the text of Sleep the server runs; nil: it cannot say
	Restart  func(t *testing.T)        // ends every session from the server's side; nil: there is no server

	Tables  []string          // "schema.name kind" of every table
	Columns driver.TableInfo  // of the table Columns.Name
	Write   []WriteCheck      // statements that a connection which may write carries out
	Skip    map[string]string // names of subtests that this database cannot have, and why
}

// Value is a statement without parameters and the JSON it must give.
type Value struct{ SQL, Want string }

// Call is a statement with parameters, written as :name in the order of Params.
type Call struct {
	Name   string
	SQL    string // with the driver's own placeholders
	Params []driver.Param
	Args   []driver.Arg
	Want   string
}

// Failure is a statement and the kind of its refusal. Position is checked unless it is -2.
type Failure struct {
	SQL      string
	Kind     driver.Kind
	Position int
}

// Leak leaves something in a session; Probe shows it.
type Leak struct{ SQL, Probe string }

// WriteCheck is a statement that writes, and what Check then gives.
type WriteCheck struct {
	SQL      string
	Affected int64
	Check    string
	Want     string
}

// Text returns an argument.
func Text(s string) driver.Arg { return driver.Arg{Text: []byte(s)} }

// Null is the argument NULL.
func Null() driver.Arg { return driver.Arg{Null: true} }

// List returns an array argument.
func List(items ...driver.Arg) driver.Arg { return driver.Arg{Items: append([]driver.Arg{}, items...)} }

// Of returns a parameter's type.
func Of(t store.ParamType) driver.Param { return driver.Param{Type: t} }

// ListOf returns an array's type.
func ListOf(item store.ParamType) driver.Param {
	return driver.Param{Type: store.TypeArray, Item: item}
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Suite)
	}{
		{"values", values}, {"params", params}, {"injection", injection}, {"truncation", truncation}, {"errors", failures},
		{"timeout", timeout}, {"cancel", cancel}, {"wait for a session", waiting}, {"close", closing},
		{"read only", readOnly}, {"leaks", leaks}, {"concurrent", concurrent}, {"restart", restart},
		{"schema", schema}, {"describe", describe}, {"write", write}, {"connection test", connectionTest},
	} {
		t.Run(test.name, func(t *testing.T) {
			if why, skip := s.Skip[test.name]; skip {
				t.Skip(why)
			}
			test.run(t, s)
		})
	}
}

// open returns a pool of the suite's database, with the configuration changed.
func (s Suite) open(t *testing.T, change func(*driver.Config)) driver.Pool {
	t.Helper()
	cfg := s.Config
	if change != nil {
		change(&cfg)
	}
	p, err := s.Driver.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// ask runs a read-only statement and returns its JSON.
func ask(t *testing.T, p driver.Pool, sql string, params []driver.Param, args ...driver.Arg) string {
	t.Helper()
	b, _, err := p.Query(t.Context(), &driver.Statement{SQL: sql, Params: params, ReadOnly: true}, args, driver.Limits{}, nil)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if !json.Valid(b) {
		t.Fatalf("%s: not valid JSON: %s", sql, b)
	}
	return string(b)
}

func values(t *testing.T, s Suite) { // case 168
	p := s.open(t, nil)
	for _, v := range s.Values {
		if got := ask(t, p, v.SQL, nil); got != v.Want {
			t.Errorf("%s\n got %s\nwant %s", v.SQL, got, v.Want)
		}
	}
}

func params(t *testing.T, s Suite) { // case 166
	p := s.open(t, nil)
	for _, c := range s.Params {
		t.Run(c.Name, func(t *testing.T) {
			for range 2 { // the second time it is prepared already
				if got := ask(t, p, c.SQL, c.Params, c.Args...); got != c.Want {
					t.Errorf("%s\n got %s\nwant %s", c.SQL, got, c.Want)
				}
			}
		})
	}
}

// hostile are values that end a string, start a comment, or look like what they are not.
func hostile() []string {
	return []string{"' OR 1=1 --", "'; DROP TABLE victim; --", "$$", "$1", ":x", `\'`, `\`, `a\`, `"`, "`", "ʼ OR 1=1", "＇ OR 1=1", "%", "_", "/*", "{}", `{"a"}`,
		"NULL", "null", "", " ", "\n\t\r", "\u2028", "\U0001F600", "é", "\x01", strings.Repeat("x", 100_000)}
}

func injection(t *testing.T, s Suite) { // case 162
	p := s.open(t, nil)
	text := []driver.Param{Of(store.TypeString)}
	for _, v := range hostile() {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ V string }
		got := ask(t, p, s.Echo, text, Text(v))
		if err := json.Unmarshal([]byte(got), &rows); err != nil || len(rows) != 1 || rows[0].V != v {
			t.Errorf("%.40s came back as %.80s", want, got)
		}
		if got := ask(t, p, s.Find, text, Text(v)); got != `[{"n":0}]` {
			t.Errorf("%.40s found %s rows", want, got)
		}
	}
}

func truncation(t *testing.T, s Suite) {
	p := s.open(t, nil)
	st := &driver.Statement{SQL: s.Series, Params: []driver.Param{Of(store.TypeInteger)}, ReadOnly: true}
	run := func(n int, lim driver.Limits) ([]byte, driver.Outcome) {
		t.Helper()
		b, o, err := p.Query(t.Context(), st, []driver.Arg{Text(fmt.Sprint(n))}, lim, []byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		b, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok || !json.Valid(b) {
			t.Fatalf("%d rows within %+v: %s", n, lim, b)
		}
		return b, o
	}
	const limit = 50
	for _, c := range []struct {
		n, rows   int
		truncated bool
	}{{0, 0, false}, {limit - 1, limit - 1, false}, {limit, limit, false}, {limit + 1, limit, true}, {100_000, limit, true}} {
		if _, o := run(c.n, driver.Limits{Rows: limit}); o.Rows != c.rows || o.Truncated != c.truncated {
			t.Errorf("%d rows with the limit %d: got %d, truncated %v", c.n, limit, o.Rows, o.Truncated)
		}
	}
	whole, _ := run(limit, driver.Limits{})
	for _, c := range []struct {
		bytes, rows int
		truncated   bool
	}{{len(whole) - 1, limit - 1, true}, {len(whole), limit, false}, {len(whole) + 1, limit, false}, {2, 0, true}} {
		b, o := run(limit, driver.Limits{Bytes: c.bytes})
		if o.Rows != c.rows || o.Truncated != c.truncated || len(b) > c.bytes {
			t.Errorf("%d bytes with the limit %d: got %d rows in %d bytes, truncated %v", len(whole), c.bytes, o.Rows, len(b), o.Truncated)
		}
	}
	if b, o := run(0, driver.Limits{Rows: 1, Bytes: 2}); string(b) != "[]" || o.Truncated {
		t.Errorf("no rows: got %s, truncated %v", b, o.Truncated)
	}
	for i := range 3 { // the session is in order, or was replaced
		if _, o := run(100_000, driver.Limits{Rows: 90_000, Bytes: 1000}); !o.Truncated {
			t.Errorf("round %d: not truncated", i)
		}
		if b, _ := run(1, driver.Limits{}); string(b) != `[{"i":1}]` {
			t.Errorf("round %d: after a truncated result: %s", i, b)
		}
	}
}

func failures(t *testing.T, s Suite) {
	p := s.open(t, nil)
	for _, f := range s.Errors {
		b, _, err := p.Query(t.Context(), &driver.Statement{SQL: f.SQL, ReadOnly: true}, nil, driver.Limits{}, []byte("kept"))
		e, ok := err.(*driver.Error)
		switch {
		case !ok:
			t.Errorf("%s: got %v", f.SQL, err)
		case e.Kind != f.Kind || f.Position != -2 && e.Position != f.Position || e.Message == "":
			t.Errorf("%s: got %s at %d: %s; want %s at %d", f.SQL, e.Kind, e.Position, e.Message, f.Kind, f.Position)
		}
		if string(b) != "kept" {
			t.Errorf("%s: the buffer came back as %q", f.SQL, b)
		}
	}
}

// stopped waits until the server runs no statement of Sleep any more.
func (s Suite) stopped(t *testing.T) {
	t.Helper()
	if s.Running == nil {
		return
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // it would end by itself after 30 s
		n := s.Running(t)
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d statements still run on the server", n)
		}
	}
}

// started waits until the server runs n statements of Sleep.
func (s Suite) started(t *testing.T, n int) {
	t.Helper()
	if s.Running == nil {
		time.Sleep(300 * time.Millisecond)
		return
	}
	for deadline := time.Now().Add(time.Minute); s.Running(t) != n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d statements run on the server, want %d", s.Running(t), n)
		}
	}
}

func (s Suite) sleep(ctx context.Context, p driver.Pool, limit time.Duration) error {
	_, _, err := p.Query(ctx, &driver.Statement{SQL: s.Sleep, ReadOnly: true}, nil, driver.Limits{Timeout: limit}, nil)
	return err
}

func timeout(t *testing.T, s Suite) { // case 170
	p := s.open(t, func(c *driver.Config) { c.MaxSessions = 1 })
	start := time.Now()
	ask(t, p, "SELECT 1 AS a", nil) // there is a session: making one can take longer than 0.3 s, which is another error
	if err := s.sleep(t.Context(), p, 300*time.Millisecond); driver.KindOf(err) != driver.KindTimeout {
		t.Errorf("limit of the call: got %v", err)
	}
	s.stopped(t)
	ask(t, p, "SELECT 1 AS a", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.sleep(ctx, p, 0); driver.KindOf(err) != driver.KindTimeout {
		t.Errorf("deadline of the context: got %v", err)
	}
	s.stopped(t)
	p2 := s.open(t, func(c *driver.Config) { c.StatementTimeout = 300 * time.Millisecond })
	for range 20 { // one makes a session; its limit holds for that, too
		_, _, _ = p2.Query(t.Context(), &driver.Statement{SQL: "SELECT 1", ReadOnly: true}, nil, driver.Limits{}, nil)
	}
	if err := s.sleep(t.Context(), p2, 0); driver.KindOf(err) != driver.KindTimeout {
		t.Errorf("limit of the connection: got %v", err)
	}
	s.stopped(t)
	if took := time.Since(start); took > 25*time.Second { // none of the three ran to its end
		t.Errorf("three timeouts of 0.3 s took %s", took)
	}
	if got := ask(t, p, "SELECT 1 AS a", nil); got != `[{"a":1}]` {
		t.Errorf("afterwards: %s", got)
	}
}

func cancel(t *testing.T, s Suite) { // cases 170, 180
	p := s.open(t, func(c *driver.Config) { c.MaxSessions = 1 })
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.sleep(ctx, p, 0) }()
		s.started(t, 1)
		cancel()
		if err := <-done; driver.KindOf(err) != driver.KindCancelled {
			t.Errorf("got %v", err)
		}
		s.stopped(t)
		for range 20 { // a late cancel must not hit the next statements
			if got := ask(t, p, "SELECT 1 AS a", nil); got != `[{"a":1}]` {
				t.Errorf("afterwards: %s", got)
			}
		}
	}
}

func waiting(t *testing.T, s Suite) {
	p := s.open(t, func(c *driver.Config) { c.MaxSessions = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.sleep(ctx, p, 0) }()
	s.started(t, 1)
	start, err := time.Now(), error(nil)
	for err == nil && time.Since(start) < 10*time.Second { // again until the statement has the session
		short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, _, err = p.Query(short, &driver.Statement{SQL: "SELECT 1", ReadOnly: true}, nil, driver.Limits{}, nil)
		stop()
	}
	if took := time.Since(start); err == nil || took > 20*time.Second {
		t.Errorf("with every session in use: got %v after %s", err, took)
	}
	cancel()
	<-done
}

func closing(t *testing.T, s Suite) {
	p := s.open(t, nil)
	ask(t, p, "SELECT 1", nil)
	done := make(chan error, 1)
	go func() { done <- s.sleep(t.Context(), p, 0) }()
	s.started(t, 1)
	start := time.Now()
	p.Close()
	if err, took := <-done, time.Since(start); err == nil || took > 20*time.Second { // not as long as the statement
		t.Errorf("the statement that ran got %v; closing took %s", err, took)
	}
	s.stopped(t)
	if _, _, err := p.Query(t.Context(), &driver.Statement{SQL: "SELECT 1", ReadOnly: true}, nil, driver.Limits{}, nil); driver.KindOf(err) != driver.KindUnavailable {
		t.Errorf("after closing: got %v", err)
	}
	p.Close() // twice is fine
}

// readOnly runs every way to write, first as the studio does, then without the lexer in front: the database alone must hold.
func readOnly(t *testing.T, s Suite) { // cases 147-151, 156
	if len(s.Writes) < 30 {
		t.Errorf("%d ways to write are too few", len(s.Writes))
	}
	for _, sql := range s.Lexed {
		if !s.refused(sql) {
			t.Errorf("the lexer lets through: %s", sql)
		}
	}
	for _, fence := range []bool{true, false} {
		t.Run(map[bool]string{true: "with the lexer", false: "the database alone"}[fence], func(t *testing.T) {
			before := s.Checksum(t)
			for _, mayWrite := range []bool{false, true} { // a read-only connection; a read-only tool of a connection that may write
				p := s.open(t, func(c *driver.Config) { c.ReadOnly, c.MaxSessions, c.StatementTimeout = !mayWrite, 1, 5*time.Second })
				for _, sql := range s.Writes {
					if fence && s.refused(sql) {
						continue
					}
					b, _, err := p.Query(t.Context(), &driver.Statement{SQL: sql, ReadOnly: true}, nil, driver.Limits{}, nil)
					if after := s.Checksum(t); after != before {
						t.Errorf("WROTE: %s (%v)\nbefore %s\nafter  %s", sql, err, before, after)
						before = after
					}
					t.Logf("%-60.60s %.60s %.80v", sql, b, err)
				}
			}
		})
	}
}

// refused reports whether the lexer lets a statement nowhere near a read-only connection.
func (s Suite) refused(sql string) bool {
	st, problems := sqllex.Parse(s.Driver.Dialect(), sql)
	_, writes := st.NotRead()
	return writes || sqllex.HasErrors(problems)
}

func leaks(t *testing.T, s Suite) { // case 169
	for _, mayWrite := range []bool{false, true} {
		p := s.open(t, func(c *driver.Config) { c.ReadOnly, c.MaxSessions = !mayWrite, 1 })
		for _, l := range s.Leaks {
			before := ask(t, p, l.Probe, nil)
			_, _, err := p.Query(t.Context(), &driver.Statement{SQL: l.SQL, ReadOnly: !mayWrite}, nil, driver.Limits{}, nil)
			if after := ask(t, p, l.Probe, nil); after != before {
				t.Errorf("%s (%v), may write %v: %s gave %s, now %s", l.SQL, err, mayWrite, l.Probe, before, after)
			}
		}
	}
}

func concurrent(t *testing.T, s Suite) {
	p := s.open(t, func(c *driver.Config) { c.MaxSessions = 3 })
	st := &driver.Statement{SQL: s.Echo, Params: []driver.Param{Of(store.TypeString)}, ReadOnly: true}
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			var b []byte
			for i := range 50 {
				v := fmt.Sprintf("%d/%d", g, i)
				out, o, err := p.Query(t.Context(), st, []driver.Arg{Text(v)}, driver.Limits{}, b[:0])
				if want := fmt.Sprintf(`[{"v":%q}]`, v); err != nil || string(out) != want || o.Rows != 1 {
					t.Errorf("got %s, %v; want %s", out, err, want)
					return
				}
				b = out
			}
		})
	}
	all.Wait()
}

func restart(t *testing.T, s Suite) {
	if s.Restart == nil {
		t.Skip("this database has no server to restart")
	}
	p := s.open(t, func(c *driver.Config) { c.MaxSessions, c.ReadOnly = 3, false })
	st := &driver.Statement{SQL: s.Sleep, ReadOnly: true}
	for range 2 {
		var all sync.WaitGroup
		for range 3 { // three sessions are open and idle
			all.Go(func() { p.Query(t.Context(), st, nil, driver.Limits{Timeout: 200 * time.Millisecond}, nil) })
		}
		all.Wait()
		for range 3 {
			ask(t, p, "SELECT 1 AS a", nil)
		}
		s.Restart(t)
		for i := range 4 {
			if got := ask(t, p, "SELECT 1 AS a", nil); got != `[{"a":1}]` {
				t.Errorf("statement %d after the restart: %s", i, got)
			}
		}
		s.Restart(t)
		for _, w := range s.Write { // what writes survives too, as long as it was not under way
			if _, _, err := p.Query(t.Context(), &driver.Statement{SQL: w.SQL}, nil, driver.Limits{}, nil); err != nil {
				t.Errorf("%s after the restart: %v", w.SQL, err)
			}
			break
		}
	}
}

func schema(t *testing.T, s Suite) {
	p, ok := s.open(t, nil).(driver.Schema)
	if !ok {
		t.Fatal("the pool lists nothing")
	}
	list := func(q driver.TableQuery) (names []string, out driver.Tables) {
		t.Helper()
		out, err := p.Tables(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Items {
			names = append(names, i.Schema+"."+i.Name+" "+i.Kind)
			if q.Columns && len(i.Columns) == 0 {
				t.Errorf("%s.%s has no columns", i.Schema, i.Name)
			}
		}
		return names, out
	}
	got, out := list(driver.TableQuery{Columns: true})
	if d := cmp.Diff(s.Tables, got); d != "" || out.Truncated || out.Total != len(got) {
		t.Errorf("tables (-want +got):\n%s%d, truncated %v", d, out.Total, out.Truncated)
	}
	if got, out := list(driver.TableQuery{Limit: 1}); len(got) != 1 || !out.Truncated || out.Total != len(s.Tables) {
		t.Errorf("one table: got %v of %d, truncated %v", got, out.Total, out.Truncated)
	}
	name := s.Columns.Name
	if got, _ := list(driver.TableQuery{Search: strings.ToUpper(name)}); len(got) == 0 {
		t.Errorf("searching %s found nothing", name)
	}
	for _, nothing := range []string{"%", "_", "no such table", "'"} {
		if got, _ := list(driver.TableQuery{Search: nothing}); slices.ContainsFunc(got, func(g string) bool { return !strings.Contains(g, nothing) }) {
			t.Errorf("searching %q found %v", nothing, got)
		}
	}
	info, err := p.Columns(t.Context(), "", name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s.Columns, info); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
	for _, missing := range []string{"no such table", "'; DROP TABLE victim; --", ""} {
		if _, err := p.Columns(t.Context(), "", missing); driver.KindOf(err) != driver.KindMissing {
			t.Errorf("columns of %q: got %v", missing, err)
		}
	}
}

func describe(t *testing.T, s Suite) {
	p := s.open(t, nil)
	before := s.Checksum(t)
	d, err := p.Describe(t.Context(), &driver.Statement{SQL: s.Series, Params: []driver.Param{Of(store.TypeInteger)}, ReadOnly: true})
	if err != nil || len(d.Columns) != 1 || d.Columns[0].Name != "i" || len(d.Params) != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
	for _, sql := range s.Writes { // asked about, never run
		_, _ = p.Describe(t.Context(), &driver.Statement{SQL: sql, ReadOnly: true})
	}
	if after := s.Checksum(t); after != before {
		t.Errorf("describing wrote: before %s, after %s", before, after)
	}
}

func write(t *testing.T, s Suite) {
	p := s.open(t, func(c *driver.Config) { c.ReadOnly = false })
	for _, w := range s.Write {
		_, o, err := p.Query(t.Context(), &driver.Statement{SQL: w.SQL}, nil, driver.Limits{}, nil)
		if err != nil || o.Affected != w.Affected {
			t.Errorf("%s: got %d rows affected, %v; want %d", w.SQL, o.Affected, err, w.Affected)
		}
		if got := ask(t, p, w.Check, nil); got != w.Want {
			t.Errorf("%s: then %s gives %s, want %s", w.SQL, w.Check, got, w.Want)
		}
	}
	closed := s.open(t, nil) // a connection that is read-only stays so whatever the statement says of itself
	before := s.Checksum(t)
	for i, w := range s.Write {
		_, _, err := closed.Query(t.Context(), &driver.Statement{SQL: w.SQL}, nil, driver.Limits{}, nil)
		if err == nil || i == 0 && driver.KindOf(err) != driver.KindReadOnly {
			t.Errorf("%s on a read-only connection: got %v", w.SQL, err)
		}
	}
	if after := s.Checksum(t); after != before {
		t.Errorf("a read-only connection wrote: before %s, after %s", before, after)
	}
}

func connectionTest(t *testing.T, s Suite) {
	var steps []driver.Step
	info, err := s.Driver.Test(t.Context(), s.Config, func(step driver.Step) { steps = append(steps, step) })
	if err != nil || info.Version == "" || info.Latency <= 0 {
		t.Errorf("got %+v, %v", info, err)
	}
	for _, step := range steps {
		if !step.OK {
			t.Errorf("step %+v", step)
		}
	}
	broken := s.Config
	broken.Database = "no-such-database"
	steps = nil
	if _, err := s.Driver.Test(t.Context(), broken, func(step driver.Step) { steps = append(steps, step) }); err == nil {
		t.Error("a database that does not exist passed")
	}
	if n := len(steps); n == 0 || steps[n-1].OK || steps[n-1].Message == "" {
		t.Errorf("the last step of a failed test is %+v", steps)
	}
	if _, err := s.Driver.Test(t.Context(), broken, nil); err == nil {
		t.Error("without a report: a database that does not exist passed")
	}
}
