package client

import (
	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
)

// takeRestored takes a chunk of a backup. What this person was in then and is not in now
// becomes a conversation that can be read; what was said in a conversation of two that has begun
// anew stands in the new one.
func (c *Client) takeRestored(tx store.Tx, after *[]func(), chunk archive.Chunk) error {
	for _, r := range chunk.Rooms {
		if store.RoomState(r.State) == store.RoomActive {
			if err := c.restoreRoom(tx, after, r); err != nil {
				return err
			}
		}
	}
	if err := c.rehome(tx, &chunk); err != nil {
		return err
	}
	return c.takeChunk(tx, after, chunk)
}

// restoreRoom keeps a conversation that a backup knows and this device does not.
func (c *Client) restoreRoom(tx store.Tx, after *[]func(), r archive.Room) error {
	if have, err := tx.Room(r.ID); err != nil || have != nil {
		return err
	}
	if len(r.Title) > room.MaxTitle || r.Kind < room.Pair || r.Kind > room.Self || (r.Kind == room.Pair) != (r.Peer != nil) {
		return archive.ErrInvalid
	}
	x := store.Room{ID: r.ID, Kind: r.Kind, Title: r.Title, Peer: r.Peer, State: store.RoomLeft, Generation: r.Generation, Created: r.Created}
	now, err := c.successor(tx, x)
	if err != nil {
		return err
	}
	if now != nil {
		x.State, x.Alias = store.RoomMerged, now
	} else {
		*after = append(*after, func() { c.emit(Event{Kind: EventRoom, Room: r.ID}) })
	}
	return tx.PutRoom(x)
}

// successor is the room in which a conversation goes on that there can be only one of: with
// a person, or with oneself. nil: there is none.
func (c *Client) successor(tx store.Tx, x store.Room) (*room.ID, error) {
	switch x.Kind {
	case room.Pair:
		return activePair(tx, *x.Peer)
	case room.Self:
		return activeSelf(tx)
	}
	return nil, nil
}

// activeSelf is the room for notes to oneself; nil when there is none.
func activeSelf(tx store.Tx) (*room.ID, error) {
	rooms, err := tx.Rooms()
	for _, r := range rooms {
		if r.Kind == room.Self && r.State == store.RoomActive {
			return &r.ID, err
		}
	}
	return nil, err
}

// mergeNotes takes notes that were restored into the room for notes that is there now.
func (c *Client) mergeNotes(tx store.Tx, after *[]func(), r store.Room) error {
	rooms, err := tx.Rooms()
	if err != nil {
		return err
	}
	for _, x := range rooms {
		if x.Kind == room.Self && x.State == store.RoomLeft && x.ID != r.ID {
			if err := c.mergeInto(tx, after, x, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// rehome names, in a chunk, the rooms in which things are shown now.
func (c *Client) rehome(tx store.Tx, chunk *archive.Chunk) error {
	now := map[room.ID]room.ID{}
	home := func(id *room.ID) error {
		if at, ok := now[*id]; ok {
			*id = at
			return nil
		}
		at, err := c.shownIn(tx, *id)
		if err == nil {
			now[*id] = at
			*id = at
		}
		return err
	}
	for i := range chunk.Messages {
		if err := home(&chunk.Messages[i].Room); err != nil {
			return err
		}
	}
	for i := range chunk.Pins {
		if err := home(&chunk.Pins[i].Room); err != nil {
			return err
		}
	}
	for i := range chunk.Marks {
		if err := home(&chunk.Marks[i].Room); err != nil {
			return err
		}
	}
	for i := range chunk.Happened {
		if err := home(&chunk.Happened[i].Room); err != nil {
			return err
		}
	}
	return nil
}

// offered keeps where the backup at the home server is, for a device that came back by the words.
func (c *Client) offered(words *identity.RecoveryKeys, chain *identity.Chain, sealed []byte) *backup.Pointer {
	if sealed == nil {
		return nil
	}
	p, err := backup.OpenPointer(words, chain, sealed)
	if err != nil {
		c.log.Warn("where the backup is", "error", err)
		return nil
	}
	return &p
}

// dropOffer erases the backup that stood at the home server when this device came back, once this
// device has taken it and has one of its own there: nobody else can.
func (c *Client) dropOffer(done func()) {
	var p *backup.Pointer
	var r *restoring
	err := c.read(func(tx store.Tx) (err error) {
		if p, err = loadFact[backup.Pointer](tx, factOffer); err == nil {
			r, err = loadFact[restoring](tx, factRestore)
		}
		return err
	})
	if err != nil || p == nil || r == nil || !r.Done || r.From == nil || r.From.Index != p.Index {
		done()
		return
	}
	c.fetchPart(p.Index, func(b []byte, err error) {
		var x backup.Index
		if err == nil {
			x, err = backup.ParseIndex(b)
		}
		if err != nil && !lost(err) {
			done()
			return
		}
		list := []kept{{Part: p.Index}}
		for _, part := range x.Parts {
			list = append(list, kept{Part: part})
		}
		c.eraseKept(list, func() {
			if err := c.write(func(tx store.Tx) error { return tx.DropFacts(factOffer) }); err != nil {
				c.fail("forgetting an old backup", err)
			}
			done()
		})
	})
}
