package transform

import (
	"context"
	"runtime/metrics"
	"time"
)

// MaxMemory is how much the heap may grow while one program runs. It is far below the memory limit of a child, whose watchdog would
// end every other call along with the one that asked for too much.
const MaxMemory = 64 << 20 // bytes

// watchEvery is how often the heap is looked at while a program runs. A program makes some hundred MiB a second at most.
const watchEvery = 10 * time.Millisecond

// guard calls stop when the heap has grown by MaxMemory since it was called, until done is called. The heap is the whole process's:
// a call beside this one that grows it by as much is no better off.
func guard(stop func(error)) (done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	before := heap()
	go func() {
		defer close(ended)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if now := heap(); now > before && now-before > MaxMemory {
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
