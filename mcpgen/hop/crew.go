package hop

import "sync"

// maxIdle is how many workers stay for the next jobs.
const maxIdle = 128

// crew hands jobs to workers. The worker that was busy last gets the next job, so that a link that needs few workers
// keeps their stacks and the processor's caches warm and never starts the others. What a burst needed more goes after it.
type crew struct {
	most int           // workers
	work func(*worker) // a worker's life; it takes jobs until it is given nil

	mu      sync.Mutex
	idle    []*worker // the one that was busy last is at the end
	jobs    []*job    // that wait for a worker, in order
	started int
	ended   bool
	all     sync.WaitGroup
}

// worker is a goroutine of a crew.
type worker struct {
	next chan *job // of capacity one: who gives does not wait
}

// job waits for the next one; nil means that there is none any more.
func (w *worker) job() *job { return <-w.next }

// give has a worker do a job, now or when one is free. Nothing is given after dismiss.
func (c *crew) give(j *job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		w.next <- j
		return
	}
	if c.started == c.most {
		c.jobs = append(c.jobs, j)
		return
	}
	c.started++
	w := &worker{next: make(chan *job, 1)}
	w.next <- j
	c.all.Go(func() { c.work(w) })
}

// take returns the worker's next job, waiting for it, or nil when the crew is dismissed or enough others wait.
func (c *crew) take(w *worker) *job {
	c.mu.Lock()
	if len(c.jobs) > 0 {
		j := c.jobs[0]
		c.jobs[0] = nil
		if c.jobs = c.jobs[1:]; len(c.jobs) == 0 {
			c.jobs = nil
		}
		c.mu.Unlock()
		return j
	}
	if c.ended || len(c.idle) >= maxIdle {
		c.started--
		c.mu.Unlock()
		return nil
	}
	c.idle = append(c.idle, w)
	c.mu.Unlock()
	return w.job()
}

// waiting returns how many jobs no worker has taken yet.
func (c *crew) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.jobs)
}

// dismiss lets the workers go when the last job is done, and returns when they have.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.ended = true
	for _, w := range c.idle {
		close(w.next)
	}
	c.idle = nil
	c.mu.Unlock()
	c.all.Wait()
}
