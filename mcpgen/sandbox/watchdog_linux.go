package sandbox

import (
	"fmt"
	"time"
)

// watchInterval is how often the watchdog looks: what a child can take in between is bounded by RLIMIT_DATA.
const watchInterval = 100 * time.Millisecond

// watch kills the child when its resident memory exceeds limit bytes. It returns when stop closes.
func (p *Process) watch(limit uint64, stop <-chan struct{}) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if used := p.RSS(); used > limit {
				p.kill(fmt.Sprintf("memory watchdog: %d MiB of %d MiB in use", used>>20, limit>>20), true)
				return
			}
		}
	}
}
