package transform

import (
	"errors"
	"runtime"
	"sync"
	"testing"
)

// One program that collects without end must not take the memory of the whole process with it.
func TestMemoryIsBounded(t *testing.T) {
	for _, src := range []string{`[range(1e9)]|length`, `[range(1e9)|tostring]|length`, `reduce range(1e9) as $i ([]; . + [$i])`, `[limit(1e9; repeat("xxxxxxxxxxxxxxxx"))]`} {
		p, err := Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		before := heap()
		_, err = p.Run(t.Context(), Input{})
		if !errors.Is(err, ErrMemory) && !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: got %v", src, err)
		}
		if grown := int64(heap()) - int64(before); grown > 4*MaxMemory {
			t.Errorf("%s: the heap grew by %d MiB", src, grown>>20)
		}
		runtime.GC()
	}
}

// What ordinary transforms leave behind as garbage is no reason to stop them.
func TestManyTransformsAreNotStopped(t *testing.T) {
	p, err := Parse(`map({id, name, total: (.price * .quantity)}) | group_by(.name) | map({name: .[0].name, n: length})`)
	if err != nil {
		t.Fatal(err)
	}
	rows := []byte("[")
	for i := range 1000 {
		if i > 0 {
			rows = append(rows, ',')
		}
		rows = append(rows, `{"id":1,"name":"a product","price":2.5,"quantity":3}`...)
	}
	rows = append(rows, ']')
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := p.Run(t.Context(), Input{Rows: rows}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
