package logs

import "sync"

// queue runs what waits for an fsync, in order, on one goroutine. The appends ahead
// were committed before, so nobody waits for more than the fsync that covers him.
type queue struct {
	mu      sync.Mutex
	cond    sync.Cond
	jobs    []func()
	stopped bool
	done    sync.WaitGroup
}

func (q *queue) start() {
	q.cond.L = &q.mu
	q.done.Go(q.run)
}

func (q *queue) put(job func()) {
	q.mu.Lock()
	q.jobs = append(q.jobs, job)
	q.mu.Unlock()
	q.cond.Signal()
}

// stop returns when all jobs are done.
func (q *queue) stop() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.cond.Signal()
	q.done.Wait()
}

func (q *queue) run() {
	for {
		q.mu.Lock()
		for len(q.jobs) == 0 && !q.stopped {
			q.cond.Wait()
		}
		jobs := q.jobs
		q.jobs = nil
		q.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		for _, job := range jobs {
			job()
		}
	}
}
