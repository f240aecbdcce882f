package client

import (
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// applyKept lets a register act on what this device shows. One that makes no sense, or is about
// what is not here, changes nothing: it is kept all the same.
func (c *Client) applyKept(tx store.Tx, after *[]func(), x store.Register) error {
	if apply := c.applier(x.What); apply != nil {
		return apply(tx, after, x)
	}
	return nil // of a later version
}

type applier func(tx store.Tx, after *[]func(), x store.Register) error

func (c *Client) applier(what room.What) applier {
	switch what {
	case room.KeptPinned:
		return markOf(c, func(on bool) MarkChange { return MarkChange{Pinned: &on} })
	case room.KeptArchived:
		return markOf(c, func(on bool) MarkChange { return MarkChange{Archived: &on} })
	case room.KeptUnread:
		return markOf(c, func(on bool) MarkChange { return MarkChange{MarkUnread: &on} })
	case room.KeptMuted:
		return markOf(c, func(until int64) MarkChange { return MarkChange{MutedUntil: &until} })
	case room.KeptDraft:
		return markOf(c, func(text string) MarkChange { return MarkChange{Draft: &text} })
	case room.KeptRead:
		return c.applyRead
	case room.KeptStar:
		return c.applyStar
	case room.KeptStanding:
		return c.applyStanding
	case room.KeptNickname:
		return c.applyNickname
	case room.KeptCompared:
		return c.applyCompared
	case room.KeptLater:
		return c.applyLater
	case room.KeptLabel:
		return c.applyLabel
	case room.KeptSetting:
		return c.applySetting
	}
	return nil
}

// valueOf reads a register's value; an empty one is the zero value.
func valueOf[T any](x store.Register) (v T, ok bool) {
	return v, len(x.Value) == 0 || wire.Unmarshal(x.Value, &v) == nil
}

// valued is the value of a register; the zero value is an empty one.
func valued[T comparable](v T) []byte {
	var zero T
	if v == zero {
		return nil
	}
	return wire.Marshal(v)
}

// markOf applies a register that is about what a room is to the person.
func markOf[T any](c *Client, change func(T) MarkChange) applier {
	return func(tx store.Tx, after *[]func(), x store.Register) error {
		v, ok := valueOf[T](x)
		if !ok || len(x.Of) != len(room.ID{}) {
			return nil
		}
		m := change(v)
		if m.MutedUntil != nil && *m.MutedUntil < -1 || m.Draft != nil && len(*m.Draft) > store.MaxDraft {
			return nil
		}
		home, err := c.shownIn(tx, room.ID(x.Of))
		if err != nil {
			return err
		}
		if home != room.ID(x.Of) { // of a pair's second room: what is said of the one that counts comes first
			if said, err := c.word(tx, x.What, home[:]); err != nil || said != nil {
				return err
			}
		}
		if err := c.tellOfRoom(tx, after, EventMark, home); err != nil {
			return err
		}
		return tx.SetMark(home, m, int64(x.Time))
	}
}

// setMark changes what a room is to this person, here and on the other devices.
func (c *Client) setMark(tx store.Tx, after *[]func(), id room.ID, m MarkChange) error {
	had, err := tx.Mark(id)
	if err != nil {
		return err
	}
	say := func(what room.What, changed bool, value []byte) error {
		if !changed {
			return nil
		}
		return c.keep(tx, after, what, id[:], value)
	}
	for _, f := range []struct {
		what    room.What
		on, was *bool
	}{{room.KeptPinned, m.Pinned, &had.Pinned}, {room.KeptArchived, m.Archived, &had.Archived}, {room.KeptUnread, m.MarkUnread, &had.MarkUnread}} {
		if f.on != nil {
			if err := say(f.what, *f.on != *f.was, valued(*f.on)); err != nil {
				return err
			}
		}
	}
	if m.MutedUntil != nil {
		if err := say(room.KeptMuted, *m.MutedUntil != had.MutedUntil, valued(*m.MutedUntil)); err != nil {
			return err
		}
	}
	if m.Draft != nil {
		if err := say(room.KeptDraft, *m.Draft != had.Draft, valued(*m.Draft)); err != nil {
			return err
		}
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventMark, Room: id}) })
	return tx.SetMark(id, m, c.nowMS())
}

// keepRead tells the other devices how far this person has read in a room.
func (c *Client) keepRead(tx store.Tx, after *[]func(), id room.ID) error {
	if !c.several() {
		return nil
	}
	m, err := tx.SeenBefore(id)
	if err != nil || m == nil || m.Arrived <= 0 {
		return err
	}
	return c.keepAt(tx, after, room.KeptRead, id[:], wire.Marshal(m.ID), m.Arrived)
}

// applyRead notes as seen what was read on another device, which has told the senders.
func (c *Client) applyRead(tx store.Tx, after *[]func(), x store.Register) error {
	id, ok := valueOf[mimi.MessageID](x)
	if !ok || len(x.Of) != len(room.ID{}) {
		return nil
	}
	home, err := c.shownIn(tx, room.ID(x.Of))
	if err != nil {
		return err
	}
	m, err := tx.Message(home, id)
	if err != nil || m == nil || m.Pos == 0 {
		return err // when it comes
	}
	if _, err := tx.SeeNotices(home, m.Pos); err != nil {
		return err
	}
	const batch = 256
	for more := true; more; {
		some, err := tx.UnseenThrough(home, m.Pos, batch)
		if err != nil {
			return err
		}
		for _, s := range some {
			if err := noteSeen(tx, s, c.nowMS()); err != nil {
				return err
			}
		}
		if more = len(some) == batch; len(some) > 0 && !more {
			*after = append(*after, func() { c.emit(Event{Kind: EventMark, Room: home}) })
		}
	}
	return nil
}

// applyStar marks a message to be found again, or not any more.
func (c *Client) applyStar(tx store.Tx, after *[]func(), x store.Register) error {
	on, ok := valueOf[bool](x)
	if !ok || len(x.Of) != len(mimi.MessageID{}) {
		return nil
	}
	m, err := tx.FindMessage(mimi.MessageID(x.Of))
	if err != nil || m == nil || on == (m.Flags&store.FlagStarred != 0) {
		return err
	}
	return c.star(tx, after, *m, on)
}

func (c *Client) star(tx store.Tx, after *[]func(), m store.Message, on bool) error {
	*after = append(*after, func() { c.emit(Event{Kind: EventChanged, Room: m.Room, Message: &m}) })
	if on {
		m.Flags |= store.FlagStarred
		return tx.SetFlags(m.Room, m.ID, store.FlagStarred)
	}
	m.Flags &^= store.FlagStarred
	return tx.DropFlags(m.Room, m.ID, store.FlagStarred)
}

// keptMessage lets count what other devices have said of a message before it came here.
func (c *Client) keptMessage(tx store.Tx, after *[]func(), m store.Message) error {
	if len(c.selfRooms) == 0 || m.At == 0 {
		return nil
	}
	if err := c.applyAgain(tx, after, room.KeptStar, m.ID[:]); err != nil {
		return err
	}
	x, err := c.word(tx, room.KeptRead, m.Room[:])
	if err != nil || x == nil {
		return err
	}
	if through, ok := valueOf[mimi.MessageID](*x); !ok || through != m.ID {
		return nil
	}
	return c.applyRead(tx, after, *x)
}

// personOf is whom a register is about; nil when nobody here knows them.
func (c *Client) personOf(tx store.Tx, x store.Register) (*store.Person, error) {
	if len(x.Of) != len(identity.ID{}) {
		return nil, nil
	}
	return tx.Person(identity.ID(x.Of))
}

// tellPerson tells of a person who is something else here now.
func (c *Client) tellPerson(after *[]func(), account identity.ID) {
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: account}) })
}
