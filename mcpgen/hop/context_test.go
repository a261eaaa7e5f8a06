package hop

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type contextKey struct{}

// A call's context keeps the promises of package context, also to that package's own functions.
func TestCallContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		newCall := func() *callContext {
			return &callContext{Context: context.WithValue(t.Context(), contextKey{}, "value")}
		}
		c := newCall()
		child, cancel := context.WithTimeout(c, time.Hour)
		defer cancel()
		ran := make(chan string, 8)
		context.AfterFunc(c, func() { ran <- "package" })
		c.AfterFunc(func() { ran <- "own" })
		stopped := c.AfterFunc(func() { ran <- "stopped" })
		if !stopped() || stopped() {
			t.Error("a function that waits is stopped once")
		}
		if !context.AfterFunc(c, func() { ran <- "stopped too" })() {
			t.Error("a function of package context was not stopped")
		}
		select {
		case <-c.Done():
			t.Error("it ended by itself")
		default:
		}
		if c.Err() != nil || c.Value(contextKey{}) != "value" {
			t.Errorf("err %v, value %v", c.Err(), c.Value(contextKey{}))
		}
		late := c.AfterFunc(func() { ran <- "third" })
		c.cancel()
		c.cancel()
		synctest.Wait()
		<-c.Done()
		<-child.Done()
		if !errors.Is(c.Err(), context.Canceled) || !errors.Is(child.Err(), context.Canceled) || late() {
			t.Errorf("err %v, child's %v", c.Err(), child.Err())
		}
		got := map[string]int{}
		for len(ran) > 0 {
			got[<-ran]++
		}
		if len(got) != 3 || got["package"] != 1 || got["own"] != 1 || got["third"] != 1 {
			t.Errorf("ran %v", got)
		}
		if c.AfterFunc(func() { ran <- "after the end" })() {
			t.Error("a function after the end was stopped")
		}
		if who := <-ran; who != "after the end" {
			t.Errorf("ran %s", who)
		}
		ended := newCall()
		ended.cancel()
		<-ended.Done()
	})
}
