package handover

import "sync"

// input is the standard input of a guest's command. It asks for more only when the
// command reads, so that the guest keeps what nobody wanted.
type input struct {
	w *wire

	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	wanted bool
	err    error
}

func newInput(w *wire) *input {
	in := &input{w: w}
	in.cond = sync.NewCond(&in.mu)
	return in
}

func (in *input) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.buf) == 0 && in.err == nil && !in.wanted {
		in.wanted = true
		if err := in.w.send(kindWant, nil); err != nil {
			return 0, err
		}
	}
	for len(in.buf) == 0 && in.err == nil {
		in.cond.Wait()
	}
	if len(in.buf) == 0 {
		return 0, in.err
	}
	n := copy(p, in.buf)
	in.buf = in.buf[n:]
	return n, nil
}

// give takes what the guest read; false when nobody asked for it.
func (in *input) give(b []byte) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.wanted {
		return false
	}
	in.wanted = false
	in.buf = append(in.buf, b...)
	in.cond.Broadcast()
	return true
}

// end says that nothing more comes.
func (in *input) end(why error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.err == nil {
		in.err = why
	}
	in.cond.Broadcast()
}
