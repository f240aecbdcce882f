package client

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sotto/internal/archive"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// The history goes from the device that links to the one that is linked as chunks of an
// archive: each a blob at the home server, named by a letter. What was sent and what was
// taken is durable, so that either side goes on where it was cut.
const (
	factSending = "sending " // and a device's name: sending
	factParts   = "part "    // and a number: room.HistoryPart, that waits to be taken
	factTaking  = "taking"   // taking
	chunkTime   = 14 * 24 * 3_600
	transferTry = 5 * time.Second
)

// sending is how far the history went to a device.
type sending struct {
	Device wire.DeviceName `cbor:"1,keyasint"`
	Key    archive.Key     `cbor:"2,keyasint"`
	Place  archive.Place   `cbor:"3,keyasint"`
}

// taking is how far this device, which was linked, has the history.
type taking struct {
	From  wire.DeviceName `cbor:"1,keyasint"`
	Next  uint64          `cbor:"2,keyasint,omitempty"` // chunk
	Got   uint64          `cbor:"3,keyasint,omitempty"` // messages
	Total uint64          `cbor:"4,keyasint,omitempty"`
	Done  bool            `cbor:"5,keyasint,omitempty"`
}

// History is how far the history of another device has come here.
type History struct {
	Got, Total int64 // messages
	Done       bool
}

// History is how far the history has come to this device, which was linked; nil for one that
// was not.
func (c *Client) History() (h *History, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			t, err := loadFact[taking](tx, factTaking)
			if t != nil {
				h = &History{Got: int64(t.Got), Total: int64(max(t.Total, t.Got)), Done: t.Done}
			}
			return err
		})
	})
	return h, err
}

// Histories are the devices to which the history is still coming, as far as this one has a part
// in it: itself, and those that it has linked.
func (c *Client) Histories() (out map[wire.DeviceName]History, err error) {
	out = map[wire.DeviceName]History{}
	own, err := c.History()
	if err != nil {
		return nil, err
	}
	c.on(func() {
		if c.chain == nil {
			return
		}
		if own != nil && !own.Done {
			out[c.keys.Name] = *own
		}
		err = c.read(func(tx store.Tx) error {
			total, err := tx.CountMessages()
			if err != nil {
				return err
			}
			for _, d := range c.chain.ActiveDevices() {
				s, err := loadFact[sending](tx, factSending+string(d.Name[:]))
				if err != nil {
					return err
				}
				if s != nil {
					out[d.Name] = History{Got: int64(s.Place.Messages), Total: max(total, int64(s.Place.Messages))}
				}
			}
			return nil
		})
	})
	return out, err
}

func loadFact[T any](tx store.Tx, name string) (*T, error) {
	b, ok, err := tx.Fact(name)
	if err != nil || !ok {
		return nil, err
	}
	v := new(T)
	return v, wire.Unmarshal(b, v)
}

// sendHistory begins to send the history to a device that this one has linked.
func (c *Client) sendHistory(tx store.Tx, device wire.DeviceName) error {
	s := sending{Device: device}
	c.random(s.Key[:])
	return tx.SetFact(factSending+string(device[:]), wire.Marshal(s))
}

// pumpHistory goes on with what is to be sent and taken.
func (c *Client) pumpHistory() {
	if c.moving || c.unlinked() || c.account == nil || !c.account.link.up {
		return
	}
	var out *sending
	var in *taking
	var part *room.HistoryPart
	if err := c.read(func(tx store.Tx) (err error) {
		if in, err = loadFact[taking](tx, factTaking); err != nil {
			return err
		}
		if in != nil && !in.Done {
			if part, err = loadFact[room.HistoryPart](tx, partFact(in.Next)); err != nil || part != nil {
				return err
			}
		}
		for _, d := range c.chain.ActiveDevices() {
			if out, err = loadFact[sending](tx, factSending+string(d.Name[:])); err != nil || out != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		c.fail("reading how far the history is", err)
		return
	}
	switch {
	case part != nil:
		c.moving = true
		c.takePart(*in, *part)
	case out != nil:
		c.moving = true
		c.sendPart(*out)
	}
}

func partFact(n uint64) string { return fmt.Sprintf("%s%020d", factParts, n) }

// movedOn ends one step of a transfer.
func (c *Client) movedOn(err error) {
	c.moving = false
	if err == nil {
		c.post(c.pumpHistory)
		return
	}
	c.log.Info("the history waits", "why", err)
	c.timer("history", transferTry, c.pumpHistory)
}

var errNotYet = errors.New("the new device is not in every room yet")

// sendPart sends the next chunk. The last one goes when the new device is in every room, and
// everything has gone that was read here before that: what comes later it reads by itself.
func (c *Client) sendPart(s sending) {
	var chunk archive.Chunk
	var next archive.Place
	err := c.read(func(tx store.Tx) error {
		settings, _, err := tx.Fact(factSettings)
		if err != nil {
			return err
		}
		labels, err := c.labels(tx)
		if err != nil {
			return err
		}
		if s.Place.Done() {
			waits, err := c.bringing(tx, s.Device)
			if err != nil {
				return err
			}
			if waits {
				return errNotYet
			}
			last, err := tx.LastMessage()
			if err != nil {
				return err
			}
			if last <= s.Place.Row {
				chunk, next = archive.Chunk{Index: s.Place.Index, Last: true, Total: s.Place.Messages}, s.Place
				return nil
			}
			s.Place = s.Place.Again()
		}
		chunk, next, err = archive.Read(tx, s.Place, settings, labels)
		return err
	})
	var sealed []byte
	if err == nil {
		sealed, err = archive.Seal(s.Key, chunk)
	}
	if err != nil {
		c.movedOn(err)
		return
	}
	c.lookup(c.self.String(), func(f *found, err error) {
		device, active := c.chain.Device(s.Device)
		if err == nil && !active { // it was unlinked meanwhile
			c.movedOn(c.write(func(tx store.Tx) error { return tx.DropFacts(factSending + string(s.Device[:])) }))
			return
		}
		if _, ok := f.inboxOf(s.Device); err == nil && !ok {
			err = errNotYet
		}
		if err != nil {
			c.movedOn(err)
			return
		}
		in, _ := f.inboxOf(s.Device)
		erase := c.newSecret()
		ask(c.account.link, wire.OpTicket, wire.TicketRequest{Size: uint64(len(sealed)), TTL: chunkTime, Erase: erase.Hash()}, func(t wire.Ticket, err error) {
			if err != nil {
				c.movedOn(err)
				return
			}
			header := map[string]string{wire.HeaderTicket: hex.EncodeToString(t.Ticket[:])}
			c.fetch(Request{Host: c.self.Host, Method: "PUT", Path: "/v1/blobs/" + hex.EncodeToString(t.Blob[:]), Header: header, Body: sealed}, func(_ []byte, err error) {
				if err == nil {
					part := room.HistoryPart{Index: chunk.Index, Last: chunk.Last, Total: chunk.Total, Host: c.self.Host, Blob: t.Blob, Hash: hashOf(sealed), Erase: erase, Key: s.Key}
					to := room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}
					err = c.write(func(tx store.Tx) error {
						if err := c.letter(tx, device.Name, device.Inbox, to, room.EnvelopeHistory, wire.Marshal(part)); err != nil {
							return err
						}
						if chunk.Last {
							return tx.DropFacts(factSending+string(s.Device[:]), factArrival+string(s.Device[:]))
						}
						s.Place = next
						return tx.SetFact(factSending+string(s.Device[:]), wire.Marshal(s))
					})
					c.mail()
				}
				c.movedOn(err)
			})
		})
	})
}

func (f *found) inboxOf(d wire.DeviceName) (wire.Inbox, bool) {
	if f == nil {
		return wire.Inbox{}, false
	}
	in, ok := f.inboxes[d]
	return in, ok
}

// bringing says whether a device is still to come into a room that this one is in.
func (c *Client) bringing(tx store.Tx, device wire.DeviceName) (bool, error) {
	wants, err := tx.AllWants()
	for _, w := range wants {
		var body wantBring
		if w.Kind == wantBringKind && wire.Unmarshal(w.Body, &body) == nil && body.Device == device {
			return true, err
		}
	}
	return false, err
}

func (c *Client) labels(tx store.Tx) (out []archive.Label, err error) {
	for _, d := range c.chain.ActiveDevices() {
		b, ok, err := tx.Fact(factLabel + string(d.Name[:]))
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, archive.Label{Device: d.Name, Name: string(b)})
		}
	}
	return out, nil
}

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
		return tx.SetFact(factTaking, wire.Marshal(t))
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
			if err := tx.SetFact(factLabel+string(l.Device[:]), []byte(l.Name)); err != nil {
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
		if err := tx.TakeMark(store.MarkField{Room: m.Room, Field: m.Field, Number: m.Number, Text: m.Text, Changed: m.Changed}); err != nil {
			return err
		}
		*after = append(*after, func() { c.emit(Event{Kind: EventMark, Room: m.Room}) })
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
	*after = append(*after, func() { c.settings = s; c.emit(Event{Kind: EventSetting}) })
	return tx.SetFact(factSettings, b)
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
	*after = append(*after, func() {
		for _, id := range sortedRooms(touched) {
			c.emit(Event{Kind: EventRoom, Room: id})
		}
	})
	return nil
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
		if err := tx.AddNotice(store.Notice{Room: &x.Room, Time: x.Time, Kind: x.Kind, Text: x.Text, Said: x.Said, Pos: x.Pos}); err != nil {
			return err
		}
	}
	return nil
}
