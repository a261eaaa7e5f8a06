package query

import (
	"container/list"
	"sync"
	"time"

	"mcpstudio/mcpgen/driver"
)

// entry is one cached answer.
type entry struct {
	json      []byte
	rows      int
	truncated bool
	columns   []driver.Column
}

// cache keeps answers until they are too old or the bytes run out; then the ones not asked for longest go first.
type cache struct {
	limit int
	now   func() time.Time

	mu    sync.Mutex
	bytes int
	byKey map[string]*list.Element
	order *list.List // of *slot, the latest in front
}

type slot struct {
	key   string
	entry entry
	until time.Time
}

// entryCost is what an entry takes beside its key and JSON: the map's and the list's own.
const entryCost = 256

func (s *slot) cost() int { return len(s.key) + len(s.entry.json) + entryCost }

func newCache(limit int, now func() time.Time) *cache {
	return &cache{limit: limit, now: now, byKey: map[string]*list.Element{}, order: list.New()}
}

func (c *cache) get(key []byte) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byKey[string(key)]
	if !ok {
		return entry{}, false
	}
	s := el.Value.(*slot)
	if !c.now().Before(s.until) {
		c.drop(el)
		return entry{}, false
	}
	c.order.MoveToFront(el)
	return s.entry, true
}

// put keeps e for ttl. An answer that would take more than a quarter of the room is not kept: it would push out all others.
func (c *cache) put(key []byte, e entry, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byKey[string(key)]; ok {
		c.drop(el)
	}
	s := &slot{key: string(key), entry: e, until: c.now().Add(ttl)}
	if s.cost() > c.limit/4 {
		return
	}
	c.byKey[s.key] = c.order.PushFront(s)
	for c.bytes += s.cost(); c.bytes > c.limit; {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(el *list.Element) {
	s := c.order.Remove(el).(*slot)
	delete(c.byKey, s.key)
	c.bytes -= s.cost()
}
