package client

import (
	"context"
	"errors"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Errors about single messages.
var (
	ErrNotFailed = errors.New("this message is on its way, or has arrived")
	ErrInside    = errors.New("leave this conversation first")
)

// eraseBatch is how many messages are erased in one transaction: the steps between them get
// their turn.
const eraseBatch = 25

// indexBatch is how many messages are put into the index of words in one transaction.
const indexBatch = 500

// sweepBatch is how many pages of the index of words are looked at in one transaction.
const sweepBatch = 1000

// Star marks a message to be found again, or not any more.
func (c *Client) Star(id mimi.MessageID, on bool) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			s, err := c.shown(tx, id)
			if err != nil {
				return err
			}
			if s == nil {
				return ErrGone
			}
			if on != s.Starred {
				if err := c.keep(tx, after, room.KeptStar, s.ID[:], valued(on)); err != nil {
					return err
				}
			}
			return c.star(tx, after, s.Message, on)
		})
	})
	return err
}

// ReactTo sets this person's reaction to a message, in the place of an earlier one; "" takes
// it back. m is nil when there was nothing to take back.
func (c *Client) ReactTo(ctx context.Context, id mimi.MessageID, emoji string) (m *store.Message, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		var target *Shown
		var mine *store.Message
		err := c.read(func(tx store.Tx) (err error) {
			if target, err = c.shown(tx, id); err != nil || target == nil {
				return err
			}
			all, err := tx.ReactionsTo([]mimi.MessageID{target.ID})
			for _, r := range all {
				if r.Account == c.chain.ID() {
					mine = &r
				}
			}
			return err
		})
		if err == nil && (target == nil || target.Flags&store.FlagDeleted != 0) {
			err = ErrGone
		}
		var content *mimi.Content
		switch {
		case err != nil:
		case emoji != "":
			content, err = mimi.NewReaction(c.o.Rand, target.ID, emoji)
			if err == nil && mine != nil {
				content.Replaces = &mine.ID
			}
		case mine != nil:
			content, err = mimi.NewUnreact(c.o.Rand, mine.ID, target.ID)
		}
		if err == nil && content != nil {
			m, err = c.enqueue(target.Room, content)
		}
		done(err)
	})
	return m, err
}

// tellGone tells of messages that were erased.
func (c *Client) tellGone(after *[]func(), gone []store.Erased) {
	*after = append(*after, func() {
		for _, m := range gone {
			delete(c.held, m.ID)
			c.emit(Event{Kind: EventGone, Room: m.Room, ID: m.ID})
		}
	})
}

// DeleteHere erases a message on this device only. One of ours that still waits here is not
// sent.
func (c *Client) DeleteHere(id mimi.MessageID) error {
	err := ErrClosed
	c.on(func() {
		err = c.update(func(tx store.Tx, after *[]func()) error {
			m, err := tx.FindMessage(id)
			if err != nil {
				return err
			}
			if m == nil {
				return ErrGone
			}
			gone := store.Erased{Room: m.Room, ID: m.ID}
			c.tellGone(after, []store.Erased{gone})
			return tx.Erase(gone, c.nowMS())
		})
	})
	return err
}

// ClearRoom erases everything that a room holds now on this device, also what waits to be
// sent, and answers when it is gone. It goes on after a restart.
func (c *Client) ClearRoom(id room.ID) error { return c.clear(id, false) }

// ForgetRoom erases a room of which this person is no part any more, with all that it held.
func (c *Client) ForgetRoom(id room.ID) error { return c.clear(id, true) }

func (c *Client) clear(id room.ID, forget bool) error {
	return c.wait(context.Background(), func(done func(error)) {
		err := c.update(func(tx store.Tx, after *[]func()) error {
			r, err := tx.Room(id)
			switch {
			case err != nil:
				return err
			case r == nil || r.Kind == room.Alike:
				return ErrNoRoom
			case forget && r.Live():
				return ErrInside
			}
			if forget { // nobody writes there any more, on any device
				if err := c.setMark(tx, after, id, MarkChange{Draft: new(string)}); err != nil {
					return err
				}
			}
			n, all, err := tx.CountShown(id)
			if err != nil {
				return err
			}
			if err := dropIndexFor(tx, n, all); err != nil {
				return err
			}
			return tx.BeginClearing(id, forget)
		})
		if err != nil {
			done(err)
			return
		}
		c.goOnClearing(done)
	})
}

// dropIndexFor drops the index of words where so much is to be erased that it is made anew in
// less time than it takes to take out every message: some 50 go in while one comes out.
func dropIndexFor(tx store.Tx, n, all int64) error {
	if n < 500 || n*50 < all-n {
		return nil
	}
	return tx.DropIndex()
}

// indexMore goes on with putting messages into the index of words, unless much is being
// erased.
func (c *Client) indexMore() {
	more := false
	err := c.update(func(tx store.Tx, _ *[]func()) error {
		if busy, err := tx.Clearings(); err != nil || len(busy) > 0 {
			return err
		}
		done, err := tx.Indexed()
		if err == nil && !done {
			more, err = tx.IndexMore(indexBatch)
		}
		return err
	})
	switch {
	case err != nil:
		c.fail("making the index of words", err)
	case more:
		c.post(c.indexMore)
	}
}

// sweepIndex takes out of the index of words what its secure deletion leaves there, a part at
// a time, if something was deleted since it was last done.
func (c *Client) sweepIndex() {
	if c.sweeping != nil {
		return
	}
	var dirty bool
	var s store.Sweep
	if err := c.read(func(tx store.Tx) (err error) { s, dirty, err = tx.BeginSweep(); return err }); err != nil || !dirty {
		return
	}
	c.sweeping = &s
	c.sweepMore()
}

func (c *Client) sweepMore() {
	more := false
	err := c.update(func(tx store.Tx, _ *[]func()) (err error) { more, err = tx.Sweep(c.sweeping, sweepBatch); return err })
	switch {
	case err != nil:
		c.sweeping = nil // the next minute
	case more:
		c.post(c.sweepMore)
	default:
		c.sweeping = nil
	}
}

// resumeClearing goes on with what a restart or a failure has interrupted.
func (c *Client) resumeClearing() {
	var all []store.Clearing
	if err := c.read(func(tx store.Tx) (err error) { all, err = tx.Clearings(); return err }); err == nil && len(all) > 0 {
		c.goOnClearing(nil)
	}
}

// goOnClearing erases a part of what is being cleared, and posts a step to go on. done, if
// there is one, hears of the end of it all.
func (c *Client) goOnClearing(done func(error)) {
	more := false
	err := c.update(func(tx store.Tx, after *[]func()) error {
		all, err := tx.Clearings()
		if err != nil || len(all) == 0 {
			return err
		}
		one := all[0]
		gone, err := tx.Clear(one, c.nowMS(), eraseBatch)
		if err != nil {
			return err
		}
		c.tellGone(after, gone)
		if more = len(all) > 1 || len(gone) == eraseBatch; len(gone) < eraseBatch {
			*after = append(*after, func() { c.forgotten(one) })
		}
		return nil
	})
	if more && err == nil {
		c.post(func() { c.goOnClearing(done) })
		return
	}
	if err == nil {
		err = c.st.Tidy() // what was erased is in the log of the database until then
		c.post(c.indexMore)
	}
	if done != nil {
		done(err)
	} else if err != nil {
		c.fail("clearing a conversation", err)
	}
}

// forgotten puts away what memory holds of a room that was cleared.
func (c *Client) forgotten(one store.Clearing) {
	if one.Forget {
		for _, g := range c.sortedGens() {
			if g.Room == one.Room {
				g.forget()
				c.dropGen(g)
			}
		}
	}
	c.emit(Event{Kind: EventRoom, Room: one.Room})
}

// dropOld erases what is older than this device is to keep, a part at a time.
func (c *Client) dropOld() {
	if c.settings.Retention == 0 {
		return
	}
	before := c.nowMS() - c.settings.Retention*24*3_600_000
	more := false
	err := c.update(func(tx store.Tx, after *[]func()) error {
		if err := tx.DropOldCalls(before, eraseBatch); err != nil {
			return err
		}
		n, all, err := tx.CountOld(before)
		if err != nil || n == 0 {
			return err
		}
		if done, err := tx.Indexed(); err != nil {
			return err
		} else if done {
			if err := dropIndexFor(tx, n, all); err != nil {
				return err
			}
		}
		gone, err := tx.DropOld(before, c.nowMS(), eraseBatch)
		c.tellGone(after, gone)
		more = len(gone) == eraseBatch
		return err
	})
	switch {
	case err != nil:
		c.fail("erasing old messages", err)
	case more:
		c.post(c.dropOld)
	default:
		c.indexMore()
	}
}

// Retry sends a message again that failed or expired. Where it is whole it keeps its name,
// so that who has it already does not get it twice; one whose first version is gone is
// written anew, and the old one erased.
func (c *Client) Retry(ctx context.Context, id mimi.MessageID) (m *store.Message, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		m, err = c.retry(id)
		done(err)
		c.pump()
	})
	return m, err
}

func (c *Client) retry(id mimi.MessageID) (again *store.Message, err error) {
	var old *store.Message
	whole := false
	err = c.update(func(tx store.Tx, after *[]func()) error {
		if old, err = tx.FindMessage(id); err != nil {
			return err
		}
		switch {
		case old == nil || old.Flags&store.FlagDeleted != 0:
			return ErrGone
		case old.State != store.Failed && old.State != store.Expired:
			return ErrNotFailed
		}
		r, err := tx.Room(old.Room)
		if err != nil {
			return err
		}
		if r == nil || r.State != store.RoomActive {
			return ErrNotMember
		}
		unsent, err := c.sendFilesAgain(tx, after, old.ID)
		if err != nil {
			return err
		}
		if whole = unsent || c.whole(r, *old); !whole {
			return nil
		}
		if err := tx.SetMessageState(old.Room, old.ID, store.Queued); err != nil {
			return err
		}
		old.State, old.Why, old.Code, again = store.Queued, "", "", old
		*after = append(*after, func() { c.emit(Event{Kind: EventState, Room: old.Room, Message: old}) })
		if unsent {
			return nil
		}
		_, err = tx.Enqueue(store.Outgoing{Room: old.Room, Kind: room.PayloadContent, Body: old.Content, Message: &old.ID})
		return err
	})
	if err != nil || whole {
		return again, err
	}
	content, err := c.anew(*old)
	if err != nil {
		return nil, err
	}
	if again, err = c.enqueue(old.Room, content); err != nil {
		return nil, err
	}
	return again, c.update(func(tx store.Tx, after *[]func()) error {
		gone := store.Erased{Room: old.Room, ID: old.ID}
		c.tellGone(after, []store.Erased{gone})
		return tx.Erase(gone, c.nowMS())
	})
}

// anew makes new content of what a message shows.
func (c *Client) anew(m store.Message) (*mimi.Content, error) {
	switch {
	case m.Kind == mimi.KindText:
		return mimi.NewText(c.o.Rand, m.Text)
	case m.Kind == mimi.KindReply && m.Target != nil:
		return mimi.NewReply(c.o.Rand, *m.Target, m.Text)
	}
	return nil, wire.Refuse(wire.CodeMalformed, "this message cannot be sent again: write it anew")
}
