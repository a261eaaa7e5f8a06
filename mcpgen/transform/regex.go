package transform

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// matching is what jq's manual says of regular expressions, over find and test instead of gojq's own. Those make all matches of a
// text in one step of the program, in time that grows with the square of their number, and keep every pattern they ever met. A
// definition sees only those above it: below, it would mean gojq's.
const matching = `
def _match($re; $flags; $testing): if $testing then _test($re; $flags) else [_find($re; $flags)] end;
def match($re; $flags): _find($re; $flags);
def match($re): if $re | type == "array" then match($re[0]; $re[1]) else match($re; null) end;
def test($re; $flags): _test($re; $flags);
def test($re): if $re | type == "array" then test($re[0]; $re[1]) else test($re; null) end;
def capture($re; $flags): match($re; $flags) | .captures | _captures;
def capture($re): if $re | type == "array" then capture($re[0]; $re[1]) else capture($re; null) end;
def scan($re; $flags): match($re; $flags + "g") | if .captures == [] then .string else [.captures[].string] end;
def scan($re): scan($re; null);
def splits($re; $flags): .[foreach (match($re; $flags + "g"), null) as {$offset, $length} (null; {start: .next, end: $offset, next: $offset + $length})];
def splits($re): splits($re; null);
def split($re; $flags): [splits($re; $flags)];
def sub($re; str; $flags):
  reduce match($re; $flags) as {$offset, $length, $captures}
    ({s: ., r: []};
      reduce ($captures | _captures | str) as $s (.i = 0; .r[.i] += .s[.next:$offset] + $s | .i += 1) |
      .next = $offset + $length) | .r[] + .s[.next:] // .s;
def sub($re; str): sub($re; str; null);
def gsub($re; str; $flags): sub($re; str; $flags + "g");
def gsub($re; str): sub($re; str; "g");
.`

// pattern is a regular expression in the two forms that a text is searched with.
type pattern struct {
	first *regexp.Regexp // from the start of the text
	next  *regexp.Regexp // from behind its first character, so that ^ and \b see it; what is wanted is its first group
}

// patterns keeps those a program uses, so that they are not compiled again for each row.
type patterns struct {
	mu   sync.Mutex
	kept map[string]*pattern
}

// The bounds of what is kept: a pattern may be an argument of the call.
const (
	keptPatterns = 32
	keptLength   = 1000 // bytes of a pattern
)

// compile returns the pattern for jq's flags, of which g is left to the caller.
func (ps *patterns) compile(re, flags string) (*pattern, error) {
	if strings.Trim(flags, "gim") != "" {
		return nil, fmt.Errorf("unsupported regular expression flag: %q", flags)
	}
	if strings.ContainsRune(flags, 'i') {
		re = "(?i)" + re
	}
	if strings.ContainsRune(flags, 'm') {
		re = "(?s)" + re
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.kept[re]; p != nil {
		return p, nil
	}
	first, err := regexp.Compile(re)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %s", re, err)
	}
	next, err := regexp.Compile(`\A(?s:.)(?s:.*?)(` + re + `)`)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is too large: %s", re, err)
	}
	p := &pattern{first, next}
	if len(ps.kept) >= keptPatterns || ps.kept == nil {
		ps.kept = map[string]*pattern{}
	}
	if len(re) <= keptLength {
		ps.kept[re] = p
	}
	return p, nil
}

// arguments checks what find and test are given.
func (ps *patterns) arguments(name string, v any, args []any) (text, flags string, p *pattern, err error) {
	text, ok := v.(string)
	re, valid := args[0].(string)
	if args[1] != nil {
		flags, _ = args[1].(string)
		valid = valid && gojq.TypeOf(args[1]) == "string"
	}
	if !ok || !valid {
		return "", "", nil, fmt.Errorf("%s(%s; %s) cannot be applied to: %s (%s)", name, gojq.Preview(args[0]), gojq.Preview(args[1]), gojq.TypeOf(v), gojq.Preview(v))
	}
	p, err = ps.compile(re, flags)
	return text, flags, p, err
}

func (ps *patterns) test(v any, args []any) any {
	text, _, p, err := ps.arguments("test", v, args)
	if err != nil {
		return err
	}
	return p.first.MatchString(text)
}

func (ps *patterns) find(v any, args []any) gojq.Iter {
	text, flags, p, err := ps.arguments("match", v, args)
	if err != nil {
		return gojq.NewIter(err)
	}
	return &finder{pattern: p, text: text, all: strings.ContainsRune(flags, 'g')}
}

// finder gives one match a step, so that the program's limits are looked at in between.
type finder struct {
	*pattern
	text string
	all  bool

	done    bool
	from    int // where the next match may begin
	counted int // how far characters were counted
	runes   int // and how many there are
}

// Next implements gojq.Iter. As in jq, and not as in package regexp, a match of nothing right behind another one counts.
func (f *finder) Next() (any, bool) {
	if f.done {
		return nil, false
	}
	x, names := f.search()
	if x == nil {
		f.done = true
		return nil, false
	}
	f.done, f.from = !f.all || x[0] == len(f.text), x[1]
	if x[0] == x[1] {
		_, width := utf8.DecodeRuneInString(f.text[x[1]:])
		f.from += width
	}
	return f.match(x, names), true
}

// search returns the places of the next match and its groups, in bytes of the text, and the groups' names.
func (f *finder) search() ([]int, []string) {
	if f.from == 0 {
		return f.first.FindStringSubmatchIndex(f.text), f.first.SubexpNames()
	}
	_, width := utf8.DecodeLastRuneInString(f.text[:f.from])
	base := f.from - width
	x := f.next.FindStringSubmatchIndex(f.text[base:])
	if x == nil {
		return nil, nil
	}
	for i := range x {
		if x[i] >= 0 {
			x[i] += base
		}
	}
	return x[2:], f.next.SubexpNames()[1:]
}

// match is the object that jq's match gives.
func (f *finder) match(x []int, names []string) any {
	at := f.characters(x)
	object := func(i int) map[string]any {
		if x[2*i] < 0 {
			return map[string]any{"offset": -1, "length": 0, "string": nil}
		}
		return map[string]any{"offset": at[x[2*i]], "length": at[x[2*i+1]] - at[x[2*i]], "string": f.text[x[2*i]:x[2*i+1]]}
	}
	captures := make([]any, len(x)/2-1)
	for i := range captures {
		c := object(i + 1)
		c["name"] = nil
		if names[i+1] != "" {
			c["name"] = names[i+1]
		}
		captures[i] = c
	}
	m := object(0)
	m["captures"] = captures
	return m
}

// characters turns places in bytes into places in characters, going over the text once for all matches.
func (f *finder) characters(x []int) map[int]int {
	at := make(map[int]int, len(x))
	sorted := slices.Clone(x)
	slices.SortFunc(sorted, cmp.Compare[int])
	bytes, runes := f.counted, f.runes
	for _, place := range slices.Compact(sorted) {
		if place < 0 {
			continue
		}
		runes += utf8.RuneCountInString(f.text[bytes:place])
		bytes, at[place] = place, runes
	}
	f.counted, f.runes = x[0], at[x[0]]
	return at
}

// withMatching puts the definitions of matching in front of a program's own, which may replace them, if it uses one of their names:
// compiling them takes longer than most programs do.
func withMatching(q *gojq.Query) error {
	none := walk(reflect.ValueOf(q), func(name string) bool {
		switch name {
		case "match", "test", "capture", "scan", "splits", "split", "sub", "gsub", "_match":
			return false
		}
		return true
	})
	if none {
		return nil
	}
	defs, err := gojq.Parse(matching)
	if err != nil {
		return errors.New("the definitions of regular expressions are malformed") // a test parses them
	}
	q.FuncDefs = slices.Concat(defs.FuncDefs, q.FuncDefs)
	return nil
}
