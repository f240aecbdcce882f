package sim

import "iter"

// task is somebody's doing that waits now and then: it runs in turns with the world.
type task struct {
	next   func() (struct{}, bool)
	yield  func(struct{}) bool
	parked bool
	ended  bool
	killed bool
}

// Go begins f at the next turn. It may call what waits on a client.
func (w *World) Go(f func()) *task {
	t := &task{}
	t.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		f()
		t.ended = true
	})
	w.Turn(func() { w.resume(t) })
	return t
}

// resume gives a task its turn.
func (w *World) resume(t *task) {
	if t.ended {
		return
	}
	before := w.task
	w.task = t
	t.next()
	w.task = before
}

// kill ends a task's waiting: what it waits for will not come.
func (w *World) kill(t *task) {
	t.killed = true
	if t.parked {
		t.parked = false
		w.resume(t)
	}
}

// await implements client.Options.Await. A task gives its turn back until done is called;
// the world itself runs on.
func (w *World) await(start func(done func())) {
	t, finished := w.task, false
	start(func() {
		finished = true
		if t != nil && t.parked {
			t.parked = false
			w.Turn(func() { w.resume(t) })
		}
	})
	if t == nil {
		w.Until(patience, func() bool { return finished })
		return
	}
	for !finished && !t.killed {
		t.parked = true
		t.yield(struct{}{})
	}
}
