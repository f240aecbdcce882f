package logs

import (
	"encoding/binary"
	"time"

	"sotto/internal/wire"
)

// Tick does what time demands: it erases entries past their lifetime, cursors that
// nobody claimed, cursors that nobody used for wire.CursorAbandoned, cursors that
// ended and have nothing left to read, and logs that nobody can read any more; and it
// forgets idle state. The server calls it every
// minute. What fails is logged and tried again at the next tick.
//
// It does not look at every log: each log that time can change stands under a due
// key, at that time or before.
func (l *Logs) Tick(now time.Time) {
	from := []byte(duePrefix)
	for {
		due, err := l.due(from, now)
		if err != nil {
			l.warn("the logs that are due cannot be read", err)
			break
		}
		for _, d := range due {
			if err := l.look(d.name, d.ms, now); err != nil {
				l.warn("a log could not be looked after", err)
			}
		}
		if len(due) < dueBatch {
			break
		}
		last := due[len(due)-1]
		from = append(dueKey(last.ms, last.name), 0)
	}
	l.forgetIdle(now)
}

// dueBatch is how many due logs are in memory at a time.
const dueBatch = 1000

type due struct {
	ms   uint64
	name wire.LogName
}

// due lists logs that are due, from a key on.
func (l *Logs) due(from []byte, now time.Time) (out []due, err error) {
	err = l.db.Scan(from, dueKey(millis(now)+1, wire.LogName{}), func(k, _ []byte) (bool, error) {
		if len(k) == len(duePrefix)+8+16 {
			out = append(out, due{binary.BigEndian.Uint64(k[len(duePrefix):]), wire.LogName(k[len(duePrefix)+8:])})
		}
		return len(out) < dueBatch, nil
	})
	return out, err
}

// look does what is due for one log.
func (l *Logs) look(name wire.LogName, ms uint64, now time.Time) error {
	lg := l.acquire(name)
	defer l.release(lg)
	wait, err := l.lookLocked(lg, ms, now)
	lg.unlock()
	if err != nil {
		return err
	}
	return wait()
}

func (l *Logs) lookLocked(lg *log, ms uint64, now time.Time) (func() error, error) {
	e, err := l.edit(lg)
	if err != nil {
		return nil, err
	}
	e.b.Shrinks()
	if !lg.exists {
		err = e.rested(ms, now)
	} else {
		if ms != lg.rec.Due {
			e.b.Delete(dueKey(ms, lg.name)) // of no use any more
		}
		err = e.age(now)
	}
	if err != nil {
		e.drop()
		return nil, err
	}
	return e.commit()
}

// rested frees a name whose rest is over.
func (e *edit) rested(ms uint64, now time.Time) error {
	until, ok, err := e.l.rest(e.lg.name)
	if err != nil {
		return err
	}
	e.b.Delete(dueKey(ms, e.lg.name))
	if ok && until <= millis(now) {
		e.b.Delete(restKey(e.lg.name))
	}
	return nil
}

// age does what time demands of a log that exists, and sets when to look next.
func (e *edit) age(now time.Time) error {
	ms := millis(now)
	oldest, err := e.expire(ms)
	if err != nil {
		return err
	}
	next := uint64(0)
	sooner := func(t uint64) {
		if next == 0 || t < next {
			next = t
		}
	}
	unclaimed := uint64(wire.CursorUnclaimed.Milliseconds())
	for _, c := range e.lg.cursors {
		switch {
		case c.End != nil && max(c.Acked, e.rec.Floor) >= c.End.Seq:
			e.vanish(c)
		case !c.Claimed && c.Added+unclaimed <= ms:
			e.vanish(c)
		case !c.Claimed:
			sooner(c.Added + unclaimed)
		case c.watch != nil: // in use as long as it lasts
			n := c.change()
			if n.Used = max(c.Used, week(ms)); n.Used != c.Used {
				e.put(n)
			}
			sooner(n.abandoned())
		case c.abandoned() <= ms:
			e.vanish(c)
		default:
			sooner(c.abandoned())
		}
	}
	if len(e.cursors) == 0 {
		e.finish(ms)
		return nil
	}
	if err := e.erase(); err != nil {
		return err
	}
	if e.rec.count() > 0 {
		sooner(max(oldest+e.rec.TTL, ms+1))
	}
	e.redue(next)
	return nil
}

// expire moves the floor past the entries that outlived their lifetime, and says when
// the oldest of the others arrived. Entries arrived in the order of their numbers.
func (e *edit) expire(now uint64) (oldest uint64, err error) {
	oldest = now
	if e.rec.count() == 0 {
		return oldest, nil
	}
	err = e.l.db.Scan(entryKey(e.lg.name, e.rec.first()), entryKey(e.lg.name, e.lg.durable+1), func(k, v []byte) (bool, error) {
		s, err := decodeStored(v)
		if err != nil {
			return false, err
		}
		if s.time+e.rec.TTL > now {
			oldest = s.time
			return false, nil
		}
		e.rec.Floor, e.dirty = seqOf(k), true
		return true, nil
	})
	return oldest, err
}
