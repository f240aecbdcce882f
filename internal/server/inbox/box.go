package inbox

import (
	"log/slog"
	"sync"
	"time"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// Options of a set of inboxes.
type Options struct {
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discards
}

// Inboxes is the set of all inboxes of one server. Safe for concurrent use.
type Inboxes struct {
	db   *engine.DB
	now  func() time.Time
	slog *slog.Logger

	owners sync.Mutex // held while an inbox is made or dropped; taken before a box's lock
	mu     sync.Mutex
	boxes  map[wire.InboxName]*box // those that somebody uses
}

// Open readies the inboxes that db holds.
func Open(db *engine.DB, o Options) (*Inboxes, error) {
	in := &Inboxes{db: db, now: o.Now, slog: o.Log, boxes: map[wire.InboxName]*box{}}
	if in.now == nil {
		in.now = time.Now
	}
	if in.slog == nil {
		in.slog = slog.New(slog.DiscardHandler)
	}
	return in, nil
}

// box is the state of one inbox in memory.
type box struct {
	name wire.InboxName
	pins int // guarded by Inboxes.mu

	mu      sync.Mutex
	gen     uint64 // the engine's generation the state was read in; 0: never
	exists  bool
	rec     record
	durable uint64 // trails rec.Head while a commit waits for its fsync
	watches map[*Watch]bool
}

// acquire pins the inbox's state in memory and locks it.
func (in *Inboxes) acquire(name wire.InboxName) *box {
	in.mu.Lock()
	x := in.boxes[name]
	if x == nil {
		x = &box{name: name}
		in.boxes[name] = x
	}
	x.pins++
	in.mu.Unlock()
	x.mu.Lock()
	return x
}

// release gives up a pin. The inbox leaves the memory with the last one, unless it
// remembers a write that failed.
func (in *Inboxes) release(x *box) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if x.pins--; x.pins == 0 && (x.durable == x.rec.Head || x.gen != in.db.Generation()) {
		delete(in.boxes, x.name)
	}
}

// forget drops inboxes that remember a write that failed, once the engine knows better.
func (in *Inboxes) forget() {
	gen := in.db.Generation()
	in.mu.Lock()
	defer in.mu.Unlock()
	for name, x := range in.boxes {
		if x.pins == 0 && x.gen != gen {
			delete(in.boxes, name)
		}
	}
}

// fresh reads the state from the engine unless it is that of generation gen already.
func (in *Inboxes) fresh(x *box, gen uint64) error {
	for x.gen != gen {
		x.gen, x.exists, x.rec, x.durable = 0, false, record{}, 0
		found, err := in.db.View(boxKey(x.name, kindRecord), func(v []byte) error {
			return wire.Unmarshal(v, &x.rec)
		})
		if err != nil {
			return err
		}
		x.exists, x.durable, x.gen = found, x.rec.Head, gen
		gen = in.db.Generation()
	}
	return nil
}

// edit is one change of an inbox. It is made and used under the inbox's lock.
type edit struct {
	in  *Inboxes
	x   *box
	b   *engine.Batch
	rec record

	begins, over bool // the inbox begins, or ends, with this edit
}

// edit begins a change. CodeStorageFull when the engine takes nothing now.
func (in *Inboxes) edit(x *box) (*edit, error) {
	for {
		b := in.db.NewBatch()
		if in.db.Failing() {
			b.Drop()
			return nil, engine.ErrStorage()
		}
		if err := in.fresh(x, b.Generation()); err != nil {
			b.Drop()
			return nil, err
		}
		if x.gen == b.Generation() {
			return &edit{in: in, x: x, b: b, rec: x.rec}, nil
		}
		b.Drop()
	}
}

// commit applies the edit to the engine and then to the state.
func (e *edit) commit() (func() error, error) {
	if !e.over {
		e.b.Set(boxKey(e.x.name, kindRecord), wire.Marshal(e.rec))
	}
	wait, err := e.in.db.Commit(e.b)
	if err != nil {
		return nil, err
	}
	e.x.rec = e.rec
	if e.begins {
		e.x.exists = true
	}
	if e.over {
		e.x.exists, e.x.rec, e.x.durable = false, record{}, 0
	}
	return wait, nil
}

// change runs edit on an existing inbox and returns when the change is durable.
func (in *Inboxes) change(name wire.InboxName, edit func(*edit) error) error {
	x := in.acquire(name)
	defer in.release(x)
	wait, err := in.changeLocked(x, edit)
	x.mu.Unlock()
	if err != nil {
		return err
	}
	return wait()
}

func (in *Inboxes) changeLocked(x *box, edit func(*edit) error) (func() error, error) {
	e, err := in.edit(x)
	if err != nil {
		return nil, err
	}
	if !x.exists {
		err = errCapability()
	} else {
		err = edit(e)
	}
	if err != nil {
		e.b.Drop()
		return nil, err
	}
	return e.commit()
}

// redue sets when Tick looks after the inbox; 0 is never.
func (e *edit) redue(ms uint64) {
	if ms == e.rec.Due {
		return
	}
	if e.rec.Due != 0 {
		e.b.Delete(dueKey(e.rec.Due, e.x.name))
	}
	if ms != 0 {
		e.b.Set(dueKey(ms, e.x.name), nil)
	}
	e.rec.Due = ms
}

// errCapability is the one answer to everybody who shows nothing that fits.
func errCapability() error {
	return wire.Refuse(wire.CodeCapability, "this inbox takes nothing from you: ask the person for a new invitation address")
}

func millis(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }
