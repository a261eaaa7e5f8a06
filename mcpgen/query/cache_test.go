package query_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpstudio/mcpgen/query"
	"mcpstudio/store"
)

// clock is a time that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// random gives another value each time it really runs.
const random = "SELECT hex(randomblob(16)) AS r"

func TestCache(t *testing.T) {
	now := &clock{now: time.Unix(1_800_000_000, 0)}
	b := newBench(t, func(o *query.Options, _ *query.Connection) { o.Now = now.Now })
	p := b.tool(query.Spec{SQL: random, ReadOnly: true, CacheTTL: time.Minute})
	first := b.ask(query.Request{Tool: p})
	now.advance(59 * time.Second)
	out, res, err := b.Run(t.Context(), &query.Request{Tool: p, Principal: "other"}, []byte("x"))
	if err != nil || string(out) != "x"+first || !res.Cached || res.RowCount != 1 || len(res.Columns) != 1 {
		t.Errorf("within the time: got %s, %+v, %v", out, res, err)
	}
	if b.ask(query.Request{Tool: p, NoCache: true}) == first {
		t.Error("NoCache read the cache")
	}
	if b.ask(query.Request{Tool: p}) != first {
		t.Error("NoCache filled the cache")
	}
	now.advance(time.Second)
	if b.ask(query.Request{Tool: p}) == first {
		t.Error("an answer outlived its time")
	}
	if b.ask(query.Request{Tool: b.tool(query.Spec{SQL: random, ReadOnly: true})}) == b.ask(query.Request{Tool: b.tool(query.Spec{SQL: random, ReadOnly: true})}) {
		t.Error("a tool without cache_ttl is cached")
	}
	again := b.tool(query.Spec{SQL: random, ReadOnly: true, CacheTTL: time.Minute}) // case 183: the same tool after a deploy
	if b.ask(query.Request{Tool: again}) == b.ask(query.Request{Tool: p}) {
		t.Error("a tool compiled anew reads the old one's answers")
	}
}

func TestCacheKeys(t *testing.T) { // case 182
	b := newBench(t, nil)
	str := func(name string) store.Parameter { return store.Parameter{Name: name, ParamType: store.TypeString} }
	typed := func(typ store.ParamType) *query.Prepared {
		return b.tool(query.Spec{SQL: random + ", :a AS a", ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{{Name: "a", ParamType: typ}}})
	}
	two := b.tool(query.Spec{SQL: random + ", :a AS a, :b AS b", ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{str("a"), str("b")}})
	list := b.tool(query.Spec{SQL: random + ", :a AS a", ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{{Name: "a", ParamType: store.TypeArray}}})
	caller := b.tool(query.Spec{SQL: random + ", :caller.id AS a", ReadOnly: true, CacheTTL: time.Hour})
	unused := b.tool(query.Spec{SQL: random, ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{str("a")}, Transform: "$params"})
	number, text := typed(store.TypeNumber), typed(store.TypeString)
	ask := func(p *query.Prepared, args string) string {
		t.Helper()
		return b.ask(query.Request{Tool: p, Args: []byte(args)})
	}
	for _, same := range [][2]string{{ask(number, `{"a":1}`), ask(number, `{"a":1.0}`)}, {ask(number, `{"a":10}`), ask(number, `{"a":1e1}`)},
		{ask(two, `{"a":"x","b":"y"}`), ask(two, `{"b":"y","a":"x"}`)}, {ask(text, `{}`), ask(text, `{"a":null}`)}, {ask(text, `{"a":"A"}`), ask(text, `{"a":"\u0041"}`)}} {
		if same[0] != same[1] {
			t.Errorf("equal calls got %s and %s", same[0], same[1])
		}
	}
	seen := map[string]string{}
	for name, got := range map[string]string{
		"number 1": ask(number, `{"a":1}`), "text 1": ask(text, `{"a":"1"}`), "text empty": ask(text, `{"a":""}`), "text null": ask(text, `{}`), "text n": ask(text, `{"a":"n"}`), "boolean": ask(typed(store.TypeBoolean), `{"a":true}`),
		"xy, z": ask(two, `{"a":"xy","b":"z"}`), "x, yz": ask(two, `{"a":"x","b":"yz"}`), "x and nothing": ask(two, `{"a":"x"}`), "nothing and x": ask(two, `{"b":"x"}`), "v1:x": ask(two, `{"a":"v1:x"}`), "1:": ask(two, `{"a":"1:","b":"v0:"}`),
		"list a,b": ask(list, `{"a":["a","b"]}`), "list ab": ask(list, `{"a":["ab"]}`), "list of nothing": ask(list, `{"a":[]}`), "list empty": ask(list, `{"a":[""]}`), "no list": ask(list, `{}`),
		"caller 1": b.ask(query.Request{Tool: caller, Caller: map[string]string{"id": "1"}}), "caller 2": b.ask(query.Request{Tool: caller, Caller: map[string]string{"id": "2"}}), "no caller": ask(caller, ``),
		"transform a": ask(unused, `{"a":"1"}`), "transform b": ask(unused, `{"a":"2"}`),
		"one row": b.ask(query.Request{Tool: number, Args: []byte(`{"a":1}`), Limits: query.Limits{Rows: 1}}),
	} {
		if was, ok := seen[got]; ok {
			t.Errorf("%s and %s share the answer %s", was, name, got)
		}
		seen[got] = name
	}
}

func TestCacheBounds(t *testing.T) {
	b := newBench(t, func(o *query.Options, c *query.Connection) { o.CacheBytes = 64 << 10; c.Config.ReadOnly = false })
	p := b.tool(query.Spec{SQL: random + ", :a AS a", ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{{Name: "a", ParamType: store.TypeString}}})
	ask := func(a string) (string, bool) {
		t.Helper()
		args, err := json.Marshal(map[string]string{"a": a})
		if err != nil {
			t.Fatal(err)
		}
		out, res, err := b.Run(t.Context(), &query.Request{Tool: p, Args: args}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(out), res.Cached
	}
	ask("first")
	for i := range 1000 { // keeps being asked for, so it stays
		ask(strings.Repeat("x", i))
		if _, cached := ask("first"); !cached {
			t.Fatalf("after %d others the one asked for last is gone", i)
		}
	}
	if _, cached := ask("xxxxx"); cached {
		t.Error("nothing was pushed out")
	}
	big := strings.Repeat("y", 20<<10)
	ask(big)
	if _, cached := ask(big); cached {
		t.Error("an answer of a third of the cache was kept")
	}
	writes := b.tool(query.Spec{SQL: "INSERT INTO item (name) VALUES (hex(randomblob(8))) RETURNING name", CacheTTL: time.Hour})
	if a, c := b.ask(query.Request{Tool: writes}), b.ask(query.Request{Tool: writes}); a == c {
		t.Error("a tool that writes was cached")
	}
	failing := b.tool(query.Spec{SQL: "SELECT json(:a) AS j", ReadOnly: true, CacheTTL: time.Hour, Parameters: []store.Parameter{{Name: "a", ParamType: store.TypeString}}})
	for range 2 {
		b.refusal(query.Request{Tool: failing, Args: []byte(`{"a":"{"}`)})
	}
}
