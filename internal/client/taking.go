package client

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"

	"sotto/internal/archive"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// historyPart takes a letter that names a chunk.
func (c *Client) historyPart(tx store.Tx, after *[]func(), device wire.DeviceName, body []byte) error {
	p, err := room.ParseHistoryPart(body)
	if err != nil {
		return err
	}
	t, err := loadFact[taking](tx, factTaking)
	if err != nil || t == nil || t.Done || t.From != device || p.Index < t.Next {
		return err // nobody waits for it
	}
	t.Total = max(t.Total, p.Total)
	if err := tx.SetFact(factTaking, wire.Marshal(*t)); err != nil {
		return err
	}
	*after = append(*after, func() { c.post(c.pumpHistory) })
	return tx.SetFact(partFact(p.Index), wire.Marshal(p))
}

// takePart fetches a chunk and takes what is in it, in one transaction with the place.
func (c *Client) takePart(t taking, p room.HistoryPart) {
	c.fetch(Request{Host: p.Host, Method: "GET", Path: "/v1/blobs/" + hex.EncodeToString(p.Blob[:]), Limit: archive.MaxChunk}, func(b []byte, err error) {
		var chunk archive.Chunk
		if err == nil && hashOf(b) != p.Hash {
			err = archive.ErrSealed
		}
		if err == nil {
			chunk, err = archive.Open(p.Key, p.Index, p.Last, b)
		}
		if err == nil {
			err = c.keepPart(t, p, chunk)
		}
		if errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) || errors.Is(err, archive.ErrSealed) || errors.Is(err, archive.ErrInvalid) {
			c.log.Warn("a part of the history is lost", "index", p.Index, "why", err)
			c.tellLost()
			err = c.keepPart(t, p, archive.Chunk{})
		}
		if err == nil {
			header := map[string]string{wire.HeaderErase: hex.EncodeToString(p.Erase[:])}
			c.fetch(Request{Host: p.Host, Method: "DELETE", Path: "/v1/blobs/" + hex.EncodeToString(p.Blob[:]), Header: header}, func([]byte, error) {})
			c.emit(Event{Kind: EventHistory})
		}
		c.movedOn(err)
	})
}

// keepPart takes a chunk and goes on to the next one, in one transaction.
func (c *Client) keepPart(t taking, p room.HistoryPart, chunk archive.Chunk) error {
	return c.update(func(tx store.Tx, after *[]func()) error {
		if err := c.takeChunk(tx, after, chunk); err != nil {
			return err
		}
		if err := tx.DropFacts(partFact(p.Index)); err != nil {
			return err
		}
		now, err := loadFact[taking](tx, factTaking) // more parts may have been named meanwhile
		if err != nil || now == nil {
			return err
		}
		t.Next, t.Done, t.Got, t.Total = p.Index+1, p.Last, t.Got+uint64(len(chunk.Messages)), now.Total
		if err := tx.SetFact(factTaking, wire.Marshal(t)); err != nil || !t.Done {
			return err
		}
		return c.applyKeptAll(tx, after) // all is here of which other devices have said something meanwhile
	})
}

func (c *Client) tellLost() {
	if err := c.update(func(tx store.Tx, after *[]func()) error {
		return c.notice(tx, after, nil, NoticeFailed, said.Of("history.lost"))
	}); err != nil {
		c.fail("keeping a notice", err)
	}
}

// takeChunk takes what another device of this person handed over. What is known here already
// stays as it is.
func (c *Client) takeChunk(tx store.Tx, after *[]func(), chunk archive.Chunk) error {
	if len(chunk.Settings) > 0 {
		if err := c.takeSettings(tx, after, chunk.Settings); err != nil {
			return err
		}
	}
	for _, l := range chunk.Labels {
		if _, ok := c.chain.Device(l.Device); ok && l.Name != "" && room.CheckName(l.Name) == nil {
			if err := setLabel(tx, l.Device, l.Name); err != nil {
				return err
			}
			if err := c.applyAgain(tx, after, room.KeptLabel, l.Device[:]); err != nil {
				return err
			}
		}
	}
	if err := c.takePeople(tx, after, chunk); err != nil {
		return err
	}
	for _, r := range chunk.Rooms {
		have, err := tx.Room(r.ID)
		if err != nil {
			return err
		}
		if s := store.RoomState(r.State); have == nil && (s == store.RoomLeft || s == store.RoomRemoved) {
			if err := tx.PutRoom(store.Room{ID: r.ID, Kind: r.Kind, Title: r.Title, Peer: r.Peer, State: s, Generation: r.Generation, Created: r.Created}); err != nil {
				return err
			}
			*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: r.ID}) })
		}
	}
	for _, m := range chunk.Marks {
		if !slices.Contains([]string{"pinned", "archived", "unread", "muted", "draft"}, m.Field) || len(m.Text) > store.MaxDraft {
			return archive.ErrInvalid
		}
		field := store.MarkField{Room: m.Room, Field: m.Field, Number: m.Number, Text: m.Text, Changed: m.Changed}
		what, _ := keptField(field)
		if x, err := c.word(tx, what, m.Room[:]); err != nil {
			return err
		} else if x != nil {
			continue // that is newer
		}
		if err := tx.TakeMark(field); err != nil {
			return err
		}
		if err := c.tellOfRoom(tx, after, EventMark, m.Room); err != nil {
			return err
		}
	}
	for _, p := range chunk.Pins {
		if err := tx.Pin(p.Room, store.Pinned{Message: p.Message, Account: p.Account, Time: p.Time}); err != nil {
			return err
		}
	}
	return cmp.Or(c.takeMessages(tx, after, chunk.Messages), c.takeHappened(tx, chunk.Happened))
}

// takeSettings takes the settings of another device, where this one's are as they came.
func (c *Client) takeSettings(tx store.Tx, after *[]func(), b []byte) error {
	if _, have, err := tx.Fact(factSettings); err != nil || have {
		return err
	}
	s := DefaultSettings()
	if json.Unmarshal(b, &s) != nil || s.check() != nil {
		return archive.ErrInvalid
	}
	said, err := tx.RegistersOf(room.KeptSetting)
	if err != nil {
		return err
	}
	for _, x := range said {
		if next, ok := overlay(s, x); ok {
			s = next
		}
	}
	return c.putSettings(tx, after, s)
}

func (c *Client) takePeople(tx store.Tx, after *[]func(), chunk archive.Chunk) error {
	for _, p := range chunk.People {
		chain, err := verifyChain(p.Chain)
		if err != nil || p.Standing > uint8(store.Blocked) || room.CheckName(p.Nickname) != nil {
			return cmp.Or(err, archive.ErrInvalid)
		}
		if chain.ID() == c.chain.ID() {
			continue
		}
		if have, err := tx.Person(chain.ID()); err != nil {
			return err
		} else if have != nil && have.Chain.Len() > chain.Len() {
			chain = have.Chain
		}
		if err := tx.KnowPerson(store.Person{
			Account: chain.ID(), Handle: chain.Handle(), Chain: chain, Standing: store.Standing(p.Standing), Nickname: p.Nickname, Since: p.Since, Compared: p.Compared, Changed: p.Changed,
		}); err != nil {
			return err
		}
		if err := c.keptPerson(tx, after, chain.ID()); err != nil {
			return err
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: chain.ID()}) })
	}
	for _, p := range chunk.Profiles {
		if room.CheckName(p.Name) != nil || room.CheckStatus(p.Status) != nil || p.Picture != nil && room.CheckPicture(p.Picture) != nil {
			return archive.ErrInvalid
		}
		have, err := tx.Profile(p.Account)
		if err != nil {
			return err
		}
		if have == nil || have.Version < p.Version {
			if err := tx.PutProfile(store.Profile{Account: p.Account, Version: p.Version, Name: p.Name, Status: p.Status, Hash: p.Hash}, p.Picture); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Client) takeMessages(tx store.Tx, after *[]func(), list []archive.Message) error {
	touched := map[room.ID]bool{}
	for _, x := range list {
		if x.State > uint8(store.Expired) || x.State == uint8(store.Queued) || x.Pos <= 0 {
			return archive.ErrInvalid
		}
		if x.Expires != 0 && x.Expires <= c.nowMS() {
			continue
		}
		m := store.Message{
			Room: x.Room, ID: x.ID, Pos: x.Pos, Generation: x.Generation, Seq: x.Seq, Account: x.Account, Device: x.Device, Kind: mimi.Kind(x.Kind), Target: x.Target,
			Text: x.Text, Content: x.Content, Arrived: x.Arrived, Sent: x.Sent, State: store.MessageState(x.State), Expires: x.Expires, Flags: x.Flags, Vanish: x.Vanish, At: x.At,
		}
		if have, err := tx.Message(m.Room, m.ID); err != nil {
			return err
		} else if have != nil {
			continue
		}
		if taken, err := tx.PosTaken(m.Pos); err != nil {
			return err
		} else if taken { // of a device whose clock was behind: it stands at the end rather than nowhere
			if m.Pos, err = tx.NextPos(); err != nil {
				return err
			}
		}
		if _, err := keep(tx, m); err != nil {
			return err
		}
		for _, r := range x.Receipts {
			if s := store.MessageState(r.State); s == store.Delivered || s == store.Read {
				if err := tx.PutReceipt(m.Room, m.ID, r.Account, s); err != nil {
					return err
				}
			}
		}
		touched[m.Room] = true
	}
	for _, id := range sortedRooms(touched) {
		if err := c.tellOfRoom(tx, after, EventRoom, id); err != nil {
			return err
		}
	}
	return nil
}

// tellOfRoom tells of a room, if this device is or was in it: of one that it is still to be
// brought into people hear when it is.
func (c *Client) tellOfRoom(tx store.Tx, after *[]func(), kind EventKind, id room.ID) error {
	r, err := tx.Room(id)
	if err == nil && r != nil {
		*after = append(*after, func() { c.emit(Event{Kind: kind, Room: id}) })
	}
	return err
}

func sortedRooms(m map[room.ID]bool) []room.ID {
	out := make([]room.ID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b room.ID) int { return slices.Compare(a[:], b[:]) })
	return out
}

func (c *Client) takeHappened(tx store.Tx, list []archive.Event) error {
	for _, x := range list {
		if taken, err := tx.PosTaken(x.Pos); err != nil {
			return err
		} else if taken || !slices.Contains(happenings, x.Kind) {
			continue
		}
		n := store.Notice{Room: &x.Room, Time: x.Time, Kind: x.Kind, Text: x.Text, Said: x.Said, Pos: x.Pos}
		if x.Call != nil {
			if here, err := takePastCall(tx, x); err != nil {
				return err
			} else if here {
				continue
			}
			n.Call = &x.Call.ID
		}
		if err := tx.AddNotice(n); err != nil {
			return err
		}
	}
	return nil
}

// takePastCall takes the call of which an event tells, unless it is here.
func takePastCall(tx store.Tx, x archive.Event) (here bool, err error) {
	k := x.Call
	if k.End < uint8(store.CallHungUp) || k.End > uint8(store.CallFailed) || k.Began <= 0 || k.Ended < k.Began {
		return false, archive.ErrInvalid
	}
	have, err := tx.Call(k.ID)
	if err != nil || have != nil {
		return have != nil, err
	}
	return false, tx.PutCall(store.Call{
		ID: k.ID, Room: x.Room, Peer: k.Peer, Outgoing: k.Outgoing, Video: k.Video, Matched: k.Matched, Stage: store.CallOver, End: store.CallEnd(k.End),
		Began: k.Began, Answered: k.Answered, Ended: k.Ended, Pos: x.Pos,
	})
}
