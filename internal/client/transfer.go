package client

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"sotto/internal/archive"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
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
			for _, d := range c.chain.ActiveDevices() {
				s, err := loadFact[sending](tx, factSending+string(d.Name[:]))
				if err != nil {
					return err
				}
				if s != nil {
					out[d.Name] = History{Got: int64(s.Place.Messages), Total: int64(max(s.Place.Total, s.Place.Messages))}
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

var errNotYet = errors.New("the new device is not in every room yet, or this one has not everything")

// sendPart sends the next chunk.
func (c *Client) sendPart(s sending) {
	c.lookup(c.self.String(), func(f *found, err error) {
		if err != nil {
			c.movedOn(err)
			return
		}
		device, active := c.chain.Device(s.Device)
		if !active { // it was unlinked meanwhile, and what was for it is forgotten
			c.movedOn(nil)
			return
		}
		in, published := f.inboxes[s.Device]
		if !published {
			c.movedOn(errNotYet)
			return
		}
		to := room.Joined{Host: f.host, Inbox: in.Inbox, Capability: in.Capability}
		if n, _ := c.arrived(s.Device); n != nil {
			to = n.address
		}
		chunk, next, err := c.nextChunk(s)
		var sealed []byte
		if err == nil {
			sealed, err = archive.Seal(s.Key, chunk)
		}
		if err != nil {
			c.movedOn(err)
			return
		}
		part := room.HistoryPart{Index: chunk.Index, Last: chunk.Last, Total: chunk.Total, Host: c.self.Host, Hash: hashOf(sealed), Erase: c.newSecret(), Key: s.Key}
		c.putBlob(sealed, chunkTime, part.Erase, func(blob [16]byte, err error) {
			if err == nil {
				part.Blob, s.Place = blob, next
				err = c.sentPart(s, device, to, part)
			}
			c.movedOn(err)
		})
	})
}

// nextChunk reads the next chunk. The last one comes when the new device is in every room, and
// everything has gone that was read here before that, or that this device still had to be given by
// the one that linked it: what comes later the new one reads by itself.
func (c *Client) nextChunk(s sending) (chunk archive.Chunk, next archive.Place, err error) {
	halfway := c.halfway()
	err = c.read(func(tx store.Tx) error {
		self, err := c.pastSelf(tx)
		if err != nil {
			return err
		}
		if s.Place.Index == 0 {
			if in, err := c.inSelfRoom(tx, s.Device); err != nil || !in {
				return cmp.Or(err, errNotYet)
			}
		}
		if s.Place.Done() {
			waits, err := c.bringing(tx, s.Device)
			if err != nil {
				return err
			}
			if waits || halfway {
				return errNotYet
			}
			last, err := tx.LastMessage()
			if err != nil {
				return err
			}
			place, late, err := s.Place.AfterLate(tx)
			switch {
			case err != nil:
				return err
			case late:
				s.Place = place
			case last <= s.Place.Row:
				chunk, next = archive.Chunk{Index: s.Place.Index, Last: true, Total: s.Place.Messages}, s.Place
				return nil
			default:
				s.Place = s.Place.Again()
			}
		}
		chunk, next, err = archive.Read(tx, s.Place, self)
		return err
	})
	return chunk, next, err
}

// sentPart writes the letter that names a chunk, in one transaction with the place after it.
func (c *Client) sentPart(s sending, device identity.Device, to room.Joined, part room.HistoryPart) error {
	err := c.write(func(tx store.Tx) error {
		if err := c.letter(tx, device.Name, device.Inbox, to, room.EnvelopeHistory, wire.Marshal(part)); err != nil {
			return err
		}
		if part.Last {
			return tx.DropFacts(factSending+string(s.Device[:]), factArrival+string(s.Device[:]))
		}
		return tx.SetFact(factSending+string(s.Device[:]), wire.Marshal(s))
	})
	c.mail()
	return err
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
