package client

import (
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// seedKept makes registers of what this device knew before it came into the self room, as far
// as nobody has said anything else: with their times, where these are known, so that the later word
// counts.
func (c *Client) seedKept(tx store.Tx) error {
	left, err := keptLeft(tx)
	if err != nil {
		return err
	}
	for _, part := range []func(seeding) error{c.seedRooms, c.seedPeople, c.seedStars, c.seedLabels, c.seedSettings} {
		if err := part(seeding{c, tx, left}); err != nil {
			return err
		}
	}
	return nil
}

type seeding struct {
	c    *Client
	tx   store.Tx
	left *keptSpace
}

func (s seeding) put(what room.What, of, value []byte, time int64) error {
	if len(value) == 0 || len(value) > what.Longest() {
		return nil
	}
	have, err := s.c.word(s.tx, what, of)
	if err != nil || have != nil || !s.left.take(what) {
		return err
	}
	x := store.Register{What: what, Of: of, Value: value, Time: uint64(min(max(time, 1), s.c.nowMS())), Device: s.c.keys.Name}
	return s.tx.PutRegister(x, false)
}

func (c *Client) seedRooms(s seeding) error {
	rooms, err := shownRooms(s.tx)
	if err != nil {
		return err
	}
	for _, r := range rooms {
		marks, err := s.tx.MarkFields(r.ID)
		if err != nil {
			return err
		}
		for _, m := range marks {
			what, value := keptField(m)
			if err := s.put(what, r.ID[:], value, m.Changed); err != nil {
				return err
			}
		}
		seen, err := s.tx.SeenBefore(r.ID)
		if err != nil {
			return err
		}
		if seen != nil && seen.Arrived > 0 {
			if err := s.put(room.KeptRead, r.ID[:], wire.Marshal(seen.ID), seen.Arrived); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptField is a field of a room's mark as a register has it.
func keptField(m store.MarkField) (room.What, []byte) {
	switch m.Field {
	case "pinned":
		return room.KeptPinned, valued(m.Number != 0)
	case "archived":
		return room.KeptArchived, valued(m.Number != 0)
	case "unread":
		return room.KeptUnread, valued(m.Number != 0)
	case "muted":
		return room.KeptMuted, valued(m.Number)
	}
	return room.KeptDraft, valued(m.Text)
}

func (c *Client) seedPeople(s seeding) error {
	names, err := s.tx.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		p, err := s.tx.Person(n.Account)
		if err != nil || p == nil {
			return err
		}
		if err := s.put(room.KeptStanding, p.Account[:], valued(uint8(p.Standing)), p.Since); err != nil {
			return err
		}
		if err := s.put(room.KeptNickname, p.Account[:], valued(p.Nickname), p.Since); err != nil {
			return err
		}
		if p.Compared == 0 {
			continue
		}
		value := wire.Marshal(room.ComparedWith(p.Chain, p.Compared))
		if err := s.put(room.KeptCompared, p.Account[:], value, p.Compared); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) seedStars(s seeding) error {
	list, err := s.tx.Starred()
	for _, m := range list {
		if err := s.put(room.KeptStar, m.ID[:], valued(true), m.At); err != nil {
			return err
		}
	}
	return err
}

func (c *Client) seedLabels(s seeding) error {
	list, err := c.labels(s.tx)
	for _, l := range list {
		if err := s.put(room.KeptLabel, l.Device[:], valued(l.Name), 1); err != nil {
			return err
		}
	}
	return err
}

func (c *Client) seedSettings(s seeding) error {
	now, _, err := readSettings(s.tx)
	if err != nil {
		return err
	}
	plain, fields := settingsFields(DefaultSettings()), settingsFields(now)
	for _, name := range sharedSettings {
		if string(plain[name]) == string(fields[name]) {
			continue
		}
		if err := s.put(room.KeptSetting, []byte(name), wire.Marshal(string(fields[name])), 1); err != nil {
			return err
		}
	}
	return nil
}
