package inbox

import (
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"time"

	"sotto/internal/wire"
)

// Ack erases the entries through a place. Durable when it returns. Refusals:
// CodeCapability for an unknown inbox, CodePastHead, CodeStorageFull.
func (in *Inboxes) Ack(name wire.InboxName, through uint64) error {
	return in.change(name, func(e *edit) error {
		if through > e.x.durable {
			return wire.Refuse(wire.CodePastHead, "nothing stands there yet that could be acknowledged")
		}
		e.b.Shrinks()
		if through <= e.rec.Acked {
			return nil
		}
		e.rec.Acked = through
		_, err := e.erase(func(seq uint64, s stored) bool { return seq <= through })
		return err
	})
}

// erase deletes the entries that are over, and says when the next of the others is
// past its time; 0 when none stands.
func (e *edit) erase(over func(seq uint64, s stored) bool) (next uint64, err error) {
	gone := map[wire.Hash]uint64{} // by private capability
	err = e.in.db.Scan(entryKey(e.x.name, 0), boxKey(e.x.name, kindEntry+"\xff"), func(k, v []byte) (bool, error) {
		s, err := decodeStored(v)
		if err != nil {
			return false, err
		}
		if !over(seqOf(k), s) {
			if next == 0 || s.until < next {
				next = s.until
			}
			return true, nil
		}
		hash := sha256.Sum256(s.bytes)
		e.b.Delete(k)
		e.b.Delete(boxKey(e.x.name, kindHash, hash[:]...))
		if s.by == (wire.Hash{}) {
			e.rec.Strangers--
		} else {
			gone[s.by]++
		}
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	for h, n := range gone {
		var count uint64
		found, err := e.in.db.View(boxKey(e.x.name, kindCapability, h[:]...), func(v []byte) error {
			count = seqOf(v)
			return nil
		})
		if err != nil {
			return 0, err
		}
		if found { // a capability that was dropped and added again counts from 0
			e.setCount(h, count-min(count, n))
		}
	}
	return next, nil
}

// dueBatch is how many due inboxes are in memory at a time.
const dueBatch = 1000

// Tick erases entries past their time. The server calls it every minute. What fails
// is logged and tried again at the next tick.
func (in *Inboxes) Tick(now time.Time) {
	type due struct {
		ms   uint64
		name wire.InboxName
	}
	from := []byte(duePrefix)
	for more := true; more; {
		var list []due
		err := in.db.Scan(from, dueKey(millis(now)+1, wire.InboxName{}), func(k, _ []byte) (bool, error) {
			if len(k) == len(duePrefix)+8+16 {
				list = append(list, due{binary.BigEndian.Uint64(k[len(duePrefix):]), wire.InboxName(k[len(duePrefix)+8:])})
			}
			return len(list) < dueBatch, nil
		})
		if err != nil {
			in.slog.Warn("the inboxes that are due cannot be read", slog.Any("err", err))
			break
		}
		for _, d := range list {
			if err := in.look(d.name, d.ms, now); err != nil {
				in.slog.Warn("an inbox could not be looked after", slog.Any("err", err))
			}
		}
		if more = len(list) == dueBatch; more {
			from = append(dueKey(list[len(list)-1].ms, list[len(list)-1].name), 0)
		}
	}
	in.forget()
}

// look erases what is past its time in one inbox, and sets when to look next.
func (in *Inboxes) look(name wire.InboxName, ms uint64, now time.Time) error {
	return in.change(name, func(e *edit) error {
		e.b.Shrinks()
		next, err := e.erase(func(_ uint64, s stored) bool { return s.until <= millis(now) })
		if err != nil {
			return err
		}
		if ms != e.rec.Due {
			e.b.Delete(dueKey(ms, name)) // of no use any more
		}
		e.redue(next)
		return nil
	})
}
