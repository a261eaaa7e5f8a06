package transform

import (
	"errors"
	"math"
	"runtime"
	"runtime/debug"
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

// In a process that was given little memory, a program gets less.
func TestAllowance(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	for limit, want := range map[int64]uint64{math.MaxInt64: MaxMemory, 512 << 20: MaxMemory, 128 << 20: 32 << 20, 80 << 20: 16 << 20, 44 << 20: 4 << 20, 1 << 20: 4 << 20} {
		debug.SetMemoryLimit(limit)
		if got := allowance(); got != want {
			t.Errorf("of %d MiB: %d MiB, want %d", limit>>20, got>>20, want>>20)
		}
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
