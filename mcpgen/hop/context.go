package hop

import (
	"context"
	"sync"
)

// callContext is the context of one call in the child. It does what one of context.WithCancel does, but has no place in a
// list of its parent's, whose lock all calls would share: the server knows its calls and ends their contexts itself. Its
// channel is made only for those who ask for it; a driver, which every call has, registers a function instead
// (context.AfterFunc uses the method, and so may the driver).
type callContext struct {
	context.Context // of the link, for its values

	mu    sync.Mutex
	err   error
	done  chan struct{}
	hooks []*hook
}

type hook struct{ run func() }

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err implements context.Context.
func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// AfterFunc has f run in a goroutine of its own when the context ends. stop does what that of context.AfterFunc does.
func (c *callContext) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	h := &hook{run: f}
	c.hooks = append(c.hooks, h)
	return func() bool { return c.forget(h) }
}

// forget takes a hook off and reports whether it was there still.
func (c *callContext) forget(h *hook) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, other := range c.hooks {
		if other == h {
			last := len(c.hooks) - 1
			c.hooks[i], c.hooks[last] = c.hooks[last], nil
			c.hooks = c.hooks[:last]
			return true
		}
	}
	return false
}

// cancel ends the context; a second time it does nothing.
func (c *callContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = context.Canceled
	if c.done != nil {
		close(c.done)
	}
	for _, h := range c.hooks {
		go h.run()
	}
	c.hooks = nil
}
