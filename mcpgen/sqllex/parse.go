package sqllex

import "strings"

// Parse reads sql once. It never panics and takes time linear in len(sql). A
// statement with an error-level problem must be refused; what the Statement then
// says is the best guess, for the editor.
func Parse(d Dialect, sql string) (Statement, []Problem) {
	l := lex(d, sql)
	l.checkBytes()
	a := &analysis{d: d, sql: sql, upper: upperASCII(sql), problems: &l.problems}
	a.cut(l.tokens)
	s := Statement{sql: sql, Class: Other, Params: []Param{}}
	if len(a.sig) == 0 {
		if !HasErrors(a.problems.list) {
			a.problems.err(Empty, 0, len(sql), "There is no SQL here. Write one statement, such as SELECT 1.")
		}
		return s, a.problems.place(sql)
	}
	a.frame()
	a.classify(&s)
	a.collect(&s)
	if len(a.sig) == 1 && a.sig[0].Kind == Placeholder {
		a.err(Passthrough, 0, "The whole SQL is one parameter, so whoever calls the tool writes the SQL. Write the statement here and use parameters for its values.")
	} else {
		a.checkFunctions()
		a.checkClauses(&s)
		a.checkPlaces(&s)
		if d == MSSQL {
			a.checkBatch(&s)
		}
	}
	return s, a.problems.place(sql)
}

// analysis is the second step: it looks at the tokens that are neither space nor
// comment. Each of its passes is one loop over them.
type analysis struct {
	d        Dialect
	sql      string
	upper    string // sql with ASCII letters in upper case: keywords without allocation
	sig      []Token
	frames   []frame
	in       []int // for each token the frame that it stands in
	problems *problems
}

// frame is the inside of one pair of parentheses; frames[0] is the statement.
type frame struct {
	open     int    // index of the "(" in sig, -1 for the statement
	parent   int    // index in frames
	callee   string // the name before the "(", in upper case
	verb     string // first word; after WITH the main verb
	verbAt   int
	with     bool
	resolved bool // the WITH has met its main verb
}

// cut keeps the significant tokens of the first statement and reports the second.
func (a *analysis) cut(tokens []Token) {
	a.sig = make([]Token, 0, len(tokens)/2+1)
	ended := false
	for _, t := range tokens {
		if t.Kind == Space || t.Kind == Comment {
			continue
		}
		if ended {
			a.problems.err(SecondStatement, t.Start, t.End, "A second statement begins here, and a tool runs exactly one. Keep one, or make two tools.")
			return
		}
		if t.Kind == Punctuation && a.sql[t.Start] == ';' {
			ended = true
			continue
		}
		a.sig = append(a.sig, t)
	}
}

// frame finds which parentheses each token stands in, and each frame's verb.
func (a *analysis) frame() {
	a.frames = append(a.frames, frame{open: -1})
	a.in = make([]int, len(a.sig))
	cur := 0
	for i := range a.sig {
		switch a.punct(i) {
		case "(":
			a.in[i] = cur
			a.frames = append(a.frames, frame{open: i, parent: cur, callee: a.name(i - 1)})
			cur = len(a.frames) - 1
			continue
		case ")":
			cur = a.frames[cur].parent
		}
		a.in[i] = cur
		a.noteVerb(i)
	}
}

// noteVerb keeps the word that says what frame i's token stands in does.
func (a *analysis) noteVerb(i int) {
	f, kw := &a.frames[a.in[i]], a.kw(i)
	switch {
	case kw == "":
	case i == f.open+1:
		f.verb, f.verbAt, f.with = kw, i, kw == "WITH"
	case f.with && !f.resolved && isMainVerb(kw) && a.punct(i-1) != ".":
		f.verb, f.verbAt, f.resolved = kw, i, true
	}
}

// main returns the frame that holds the statement's own verb: parentheses around
// the statement, or around what follows WITH, do not change what it does.
func (a *analysis) main() *frame {
	f := &a.frames[0]
	for i := 0; f.verb == "" && a.punct(i) == "("; i++ {
		f = a.frameAt(i)
	}
	return f
}

// frameAt returns the frame that the "(" at i opens. Frames are in the order of
// their parentheses.
func (a *analysis) frameAt(i int) *frame {
	lo, hi := 0, len(a.frames)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; a.frames[mid].open <= i {
			lo = mid
		} else {
			hi = mid
		}
	}
	return &a.frames[lo]
}

// kw returns the word at i in upper case, or "" if there is no unquoted word.
func (a *analysis) kw(i int) string {
	if i < 0 || i >= len(a.sig) || a.sig[i].Kind != Word {
		return ""
	}
	return a.upper[a.sig[i].Start:a.sig[i].End]
}

// punct returns the operator at i, or "".
func (a *analysis) punct(i int) string {
	if i < 0 || i >= len(a.sig) || a.sig[i].Kind != Punctuation {
		return ""
	}
	return a.sql[a.sig[i].Start:a.sig[i].End]
}

// name returns the identifier at i, quoted or not, in upper case and without its
// quotes, or "".
func (a *analysis) name(i int) string {
	switch a.kind(i) {
	case Word:
		return a.kw(i)
	case QuotedIdent:
		text := a.upper[a.sig[i].Start:a.sig[i].End]
		if strings.HasSuffix(text, "]") || len(text) > 1 && text[0] == text[len(text)-1] {
			return text[1 : len(text)-1]
		}
	}
	return ""
}

func (a *analysis) kind(i int) Kind {
	if i < 0 || i >= len(a.sig) {
		return 0
	}
	return a.sig[i].Kind
}

// joined reports whether no byte stands between the tokens i and i+1.
func (a *analysis) joined(i int) bool {
	return i >= 0 && i+1 < len(a.sig) && a.sig[i].End == a.sig[i+1].Start
}

func (a *analysis) err(code Code, i int, message string) {
	a.problems.err(code, a.sig[i].Start, a.sig[i].End, message)
}

// upperASCII is strings.ToUpper without changing the length of anything.
func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
