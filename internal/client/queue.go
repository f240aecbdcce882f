package client

import (
	"crypto/rand"
	"io"
	"sync"
	"time"
)

// Clock is the client's time.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once after d, from any goroutine, unless stop is called first.
	AfterFunc(d time.Duration, f func()) (stop func())
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

var systemRand io.Reader = rand.Reader

// queue runs steps one after the other on a goroutine of its own.
type queue struct {
	mu    sync.Mutex
	cond  sync.Cond
	steps []func()
	ended bool
	done  chan struct{}
}

func newQueue() *queue {
	q := &queue{done: make(chan struct{})}
	q.cond.L = &q.mu
	go q.run()
	return q
}

func (q *queue) run() {
	defer close(q.done)
	for {
		q.mu.Lock()
		for len(q.steps) == 0 && !q.ended {
			q.cond.Wait()
		}
		steps := q.steps
		q.steps = nil
		if len(steps) == 0 {
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for _, f := range steps {
			f()
		}
	}
}

func (q *queue) post(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ended {
		q.steps = append(q.steps, f)
		q.cond.Signal()
	}
}

// wait posts a step and waits until it has run; after stop it does nothing.
func (q *queue) wait(f func()) {
	ran := make(chan struct{})
	q.post(func() {
		defer close(ran)
		f()
	})
	select {
	case <-ran:
	case <-q.done:
	}
}

// stop lets the steps that are queued run, and ends.
func (q *queue) stop() {
	q.mu.Lock()
	q.ended = true
	q.cond.Signal()
	q.mu.Unlock()
	<-q.done
}
