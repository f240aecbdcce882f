package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// A room's context names its picture by hash; the bytes travel beside it, in a payload by who
// set it, and again for newcomers by who added them. Whoever sends them, the hash says whether
// they are the right ones.

// RoomPicture is a room's picture, nil when it has none or it has not come yet.
func (c *Client) RoomPicture(id room.ID) (b []byte, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) error {
			g, err := c.current(tx, id)
			if err != nil || g == nil {
				return err
			}
			if p := g.ctx.PictureOf(); p != nil {
				b, err = tx.RoomPicture(id, p.Hash)
			}
			return err
		})
	})
	return b, err
}

// RoomPictureVersion names a room's picture, "" when it has none here.
func (c *Client) RoomPictureVersion(id room.ID) (v string) {
	c.on(func() {
		_ = c.read(func(tx store.Tx) error {
			g, err := c.current(tx, id)
			if err != nil || g == nil {
				return err
			}
			if p := g.ctx.PictureOf(); p != nil {
				have, err := tx.HasRoomPicture(id, p.Hash)
				if have {
					v = pictureVersion(&p.Hash)
				}
				return err
			}
			return nil
		})
	})
	return v
}

// SetRoomPicture gives a room a picture, or takes it away when there is none, and waits until
// the room has taken it.
func (c *Client) SetRoomPicture(ctx context.Context, id room.ID, picture []byte) error {
	if len(picture) > 0 {
		if err := checkPicture(picture); err != nil {
			return err
		}
	}
	return c.want(ctx, hex.EncodeToString(id[:]), wantContext, func(store.Tx) (any, error) {
		if len(picture) == 0 {
			return wantChange{Picture: &[]byte{}}, nil
		}
		hash := wire.Hash(sha256.Sum256(picture))
		ref := wire.Marshal(room.PictureRef{Hash: hash, Version: uint64(c.nowMS())})
		return wantChange{Picture: &ref, Bytes: picture}, nil
	})
}

// pictureSet lets a change of the picture take effect: the one of before is erased, and who
// set the new one sends it.
func (g *gen) pictureSet(tx store.Tx, change *room.Change) error {
	p := change.After.PictureOf()
	if p == nil {
		return tx.KeepRoomPicture(g.Room, nil)
	}
	if change.Committer.Index == g.group.OwnLeaf() {
		if err := g.wantedPicture(tx, p.Hash); err != nil {
			return err
		}
		if err := g.sendPicture(tx, p.Hash); err != nil {
			return err
		}
	}
	return tx.KeepRoomPicture(g.Room, &p.Hash)
}

// wantedPicture keeps the picture of a change of ours that the room has taken: until then it
// stands with what is wanted.
func (g *gen) wantedPicture(tx store.Tx, hash wire.Hash) error {
	wants, err := tx.Wants(g.Room)
	if err != nil {
		return err
	}
	for _, w := range wants {
		var body wantChange
		if w.Kind == wantContext && wire.Unmarshal(w.Body, &body) == nil && len(body.Bytes) > 0 && wire.Hash(sha256.Sum256(body.Bytes)) == hash {
			return tx.PutRoomPicture(g.Room, hash, body.Bytes)
		}
	}
	return nil
}

// sendPicture puts the room's picture into its outbox, if it is here.
func (g *gen) sendPicture(tx store.Tx, hash wire.Hash) error {
	b, err := tx.RoomPicture(g.Room, hash)
	if err != nil || b == nil {
		return err
	}
	if err := tx.DropUnsealed(g.Room, room.PayloadPicture); err != nil {
		return err
	}
	_, err = tx.Enqueue(store.Outgoing{Room: g.Room, Kind: room.PayloadPicture, Body: b})
	return err
}

// owePicture gives newcomers the room's picture: who added them at once, every other admin
// later and in order of rank, unless it was sent by then.
func (g *gen) owePicture(tx store.Tx, after *[]func(), change *room.Change) error {
	p := change.After.PictureOf()
	switch {
	case p == nil:
		return nil
	case change.Committer.Account == g.c.chain.ID() && change.Committer.Device == g.c.keys.Name:
		return g.sendPicture(tx, p.Hash)
	case !change.After.IsAdmin(g.c.chain.ID()):
		return nil
	}
	due := g.c.nowMS() + pictureLate.Milliseconds() + g.rank([]byte("picture"))
	*after = append(*after, g.c.picturesSoon)
	return tx.OwePicture(g.Room, due)
}

// picture takes a room's picture from whoever sent it.
func (g *gen) picture(tx store.Tx, after *[]func(), p room.Payload) error {
	ref := g.ctx.PictureOf()
	hash, err := room.ParsePicture(p.Body)
	if err != nil || ref == nil || hash != ref.Hash {
		return nil // another one than the room's, perhaps that of before
	}
	if err := tx.PaidPicture(g.Room); err != nil {
		return err
	}
	*after = append(*after, func() { g.c.emit(Event{Kind: EventRoom, Room: g.Room}) })
	return tx.PutRoomPicture(g.Room, hash, p.Body)
}

// picturesSoon looks at what is owed to newcomers when the next of it is due.
func (c *Client) picturesSoon() {
	var owed []store.Due
	if err := c.read(func(tx store.Tx) (err error) { owed, err = tx.PicturesOwed(); return err }); err != nil || len(owed) == 0 {
		return // looked at again every minute
	}
	c.timer("pictures", msDuration(max(owed[0].Due-c.nowMS(), 1)), c.payPictures)
}

// payPictures gives newcomers the pictures that nobody has given them.
func (c *Client) payPictures() {
	err := c.update(func(tx store.Tx, after *[]func()) error {
		owed, err := tx.PicturesOwed()
		if err != nil {
			return err
		}
		for _, o := range owed {
			if o.Due > c.nowMS() {
				*after = append(*after, c.picturesSoon)
				break
			}
			if err := tx.PaidPicture(o.Room); err != nil {
				return err
			}
			g, err := c.current(tx, o.Room)
			if err != nil {
				return err
			}
			if g == nil || g.group == nil {
				continue
			}
			if p := g.ctx.PictureOf(); p != nil {
				if err := g.sendPicture(tx, p.Hash); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		c.fail("sending a room's picture", err)
	}
	c.pump()
}
