package logs

import "sotto/internal/wire"

// Ack notes that a cursor's device has everything through a.Through, and erases what
// every cursor has passed. A place before the cursor's own changes nothing. A cursor
// that ended and acknowledges its end is gone. Durable when it returns.
// Refusals: CodeNoCursor, CodePastHead, CodeStorageFull.
func (l *Logs) Ack(a wire.Ack) error {
	return l.change(a.Secret, func(e *edit, c *cursor) error {
		if a.Through > e.lg.readable(c) {
			return wire.Refuse(wire.CodePastHead, "nothing stands there yet that could be acknowledged")
		}
		e.b.Shrinks()
		n := c.change()
		n.Acked, n.Used = max(c.Acked, a.Through), max(c.Used, week(millis(l.now())))
		if c.End != nil && n.Acked >= c.End.Seq {
			e.vanish(c)
		} else {
			e.put(n)
		}
		return e.shrink(millis(l.now()))
	})
}

// Drop gives a cursor up: its device has read all that it wants. The cursor vanishes,
// what all others have passed is erased, and the last cursor ends the log. A watch of
// the cursor ends. Durable when it returns. Refusals: CodeNoCursor, CodeStorageFull.
func (l *Logs) Drop(secret wire.Secret) error {
	return l.change(secret, func(e *edit, c *cursor) error {
		e.b.Shrinks()
		e.vanish(c)
		return e.shrink(millis(l.now()))
	})
}

// Claim replaces a cursor's secret. Durable when it returns. Refusals: CodeNoCursor,
// CodeCursors when another cursor has the next secret, CodeStorageFull.
func (l *Logs) Claim(c wire.Claim) error {
	return l.change(c.Secret, func(e *edit, old *cursor) error {
		n := old.change()
		n.Claimed, n.Hash, n.Used = true, c.Next, max(old.Used, week(millis(l.now())))
		if n.Hash != old.Hash {
			l.secrets.Lock()
			e.unlock = l.secrets.Unlock
			taken, err := l.taken(c.Next)
			if err != nil {
				return err
			}
			if taken {
				return wire.Refuse(wire.CodeCursors, "two places in logs cannot share a secret")
			}
			e.b.Delete(secretKey(old.Hash))
			e.open(n)
		}
		e.put(n)
		e.due(n.abandoned())
		return nil
	})
}

// used notes that a cursor was used this week, if that is not noted yet, and does not
// wait: a crash that forgets it costs nothing, since the next use notes it again. It
// returns the cursor as it stands now. Called with the log locked.
func (l *Logs) used(lg *log, c *cursor) *cursor {
	now := week(millis(l.now()))
	if c.Used >= now || l.db.Failing() {
		return c
	}
	e, err := l.edit(lg)
	if err != nil {
		return c
	}
	if c = lg.byID(c.id); c == nil { // the edit read the state anew
		e.drop()
		return nil
	}
	n := c.change()
	n.Used = now
	e.put(n)
	wait, err := e.commit()
	if err != nil {
		return c
	}
	l.queue.put(func() { _ = wait() })
	return n
}

// change commits what edit does to the cursor that the secret opens, and waits.
func (l *Logs) change(secret wire.Secret, edit func(*edit, *cursor) error) error {
	lg, _, err := l.open(secret)
	if err != nil {
		return err
	}
	defer l.release(lg)
	wait, err := l.changeLocked(lg, secret, edit)
	lg.unlock()
	if err != nil {
		return err
	}
	return wait()
}

func (l *Logs) changeLocked(lg *log, secret wire.Secret, edit func(*edit, *cursor) error) (func() error, error) {
	e, err := l.edit(lg)
	if err != nil {
		return nil, err
	}
	var c *cursor
	if _, id, ok, findErr := l.find(secret); findErr != nil {
		err = findErr
	} else if ok {
		c = lg.cursor(id, secret) // again: the edit may have read the state anew
	}
	if c == nil && err == nil {
		err = errNoCursor()
	}
	if err == nil {
		err = edit(e, c)
	}
	if err != nil {
		e.drop()
		return nil, err
	}
	return e.commit()
}
