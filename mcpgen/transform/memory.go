package transform

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// MaxMemory is how much the heap may grow while one program runs. It is far below the memory limit of a child, whose watchdog would
// end every other call along with the one that asked for too much.
const MaxMemory = 64 << 20 // bytes

// watchEvery is how often the heap is looked at while a program runs. A program makes some hundred MiB a second at most.
const watchEvery = 10 * time.Millisecond

// idle is what a process that runs transforms takes without them, generously.
const idle = 32 << 20 // bytes

// allowance is how much the heap may grow in this process: less than MaxMemory where the runtime itself was given little, as in a child
// with a small memory limit. A third, because garbage is found and the growth is noticed only after a moment.
func allowance() uint64 {
	limit := uint64(debug.SetMemoryLimit(-1))
	return min(MaxMemory, (max(limit, idle+12<<20)-idle)/3)
}

// guard calls stop when the heap has grown by the allowance since it was called, until done is called. The heap is the whole process's:
// a call beside this one that grows it by as much is no better off.
func guard(stop func(error)) (done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	before, most := heap(), allowance()
	over := func() bool { now := heap(); return now > before && now-before > most }
	go func() {
		defer close(ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if !over() {
					continue
				}
				runtime.GC() // what other calls left behind is not this program's
				if over() {
					stop(ErrMemory)
					return
				}
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// heap is the size of the objects on the heap, garbage that is not swept included.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
