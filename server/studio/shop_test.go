package studio

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mcpstudio/mcpgen"
	"mcpstudio/mcpgen/driver/all"
	"mcpstudio/store"
)

// TestDriversAgree keeps the list the parent shows equal to what a child really has.
func TestDriversAgree(t *testing.T) {
	real := all.Drivers()
	for _, d := range drivers() {
		if _, has := real[d.DBType]; has != d.Available {
			t.Errorf("%s: shown as available %v, built in %v", d.DBType, d.Available, has)
		}
	}
	if len(drivers()) != len(store.DBTypes()) {
		t.Errorf("%d kinds are shown, %d exist", len(drivers()), len(store.DBTypes()))
	}
}

func TestShopIsTheSameEveryTime(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	var sums []string
	for range 2 {
		dir := t.TempDir()
		if err := buildShop(t.Context(), dir, now); err != nil {
			t.Fatal(err)
		}
		d, err := sql.Open("sqlite", filepath.Join(dir, shopFile))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var rows int
		var last, sum string
		err = d.QueryRow(`SELECT (SELECT count(*) FROM customers) + (SELECT count(*) FROM products) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM order_items),
			(SELECT max(ordered_on) FROM orders), (SELECT sum(quantity * unit_price) || '/' || count(*) FROM order_items)`).Scan(&rows, &last, &sum)
		if err != nil {
			t.Fatal(err)
		}
		if rows < 1800 || rows > 2200 || last != "2026-11-22" {
			t.Errorf("%d rows, last order %s", rows, last)
		}
		sums = append(sums, sum)
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("files are left: %v %v", entries, err)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two shops differ: %v", sums)
	}
}

// TestShopEntities judges what the sample makes by the product's own rules, warnings included.
func TestShopEntities(t *testing.T) {
	c := shopConnection().New()
	c.ID = "c"
	s := store.Snapshot{Connections: []*store.Connection{c}, Config: store.NewServerConfig()}
	for i, d := range shopTools("c") {
		x := d.New()
		x.ID = string(rune('a' + i))
		s.Tools = append(s.Tools, x)
	}
	s.Resources, s.Prompts = []*store.Resource{shopResource("c").New()}, []*store.Prompt{shopPrompt().New()}
	m, problems := mcpgen.Compile(s, mcpgen.Options{HasDriver: hasDriver})
	if len(problems) != 0 {
		t.Errorf("problems %+v", problems)
	}
	if len(m.Tools) != 3 || len(m.Resources) != 1 || len(m.Prompts) != 1 {
		t.Errorf("manifest %+v", m)
	}
}

// TestHubEndsSlowReaders: an event is never left out silently.
func TestHubEndsSlowReaders(t *testing.T) {
	h := newHub()
	slow, quick := h.join(), h.join()
	for range backlog + 1 {
		h.send(Event{Name: "change"})
		<-quick
	}
	got := 0
	for range slow {
		got++
	}
	if got != backlog {
		t.Errorf("the slow reader got %d events before its end, want %d", got, backlog)
	}
	select {
	case _, open := <-quick:
		t.Errorf("the quick reader was ended too, or has an event too many (%v)", open)
	default:
	}
	h.close()
	if _, open := <-h.join(); open {
		t.Error("a hub that ended takes readers")
	}
	h.leave(slow) // ended already: must not panic
}
