package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Profile is what this person shows of themselves.
type Profile struct {
	Name    string
	Status  string
	Picture string // its version, "" without one
}

// ProfileChange changes some of it; nil changes nothing.
type ProfileChange struct {
	Name    *string
	Status  *string
	Picture *[]byte // PNG, JPEG or WebP of at most room.MaxPicture bytes; empty takes it away
}

// pictureVersion names a picture by its hash; "" for none.
func pictureVersion(h *wire.Hash) string {
	if h == nil {
		return ""
	}
	return hex.EncodeToString(h[:8])
}

// Profile answers what this person shows.
func (c *Client) Profile() (p Profile, err error) {
	c.on(func() {
		if c.chain == nil {
			err = ErrNoAccount
			return
		}
		err = c.read(func(tx store.Tx) error {
			have, err := tx.Profile(c.chain.ID())
			if have != nil {
				p = Profile{have.Name, have.Status, pictureVersion(have.Hash)}
			}
			return err
		})
	})
	return p, err
}

// SetProfile changes what this person shows. It is durable here when this answers, and goes
// to the rooms by and by.
func (c *Client) SetProfile(ctx context.Context, change ProfileChange) error {
	return c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		if err := change.check(); err != nil {
			done(err)
			return
		}
		err := c.update(func(tx store.Tx, after *[]func()) error { return c.putProfile(tx, after, change) })
		if err == nil {
			c.payProfiles()
			c.pump()
		}
		done(err)
	})
}

func (change ProfileChange) check() error {
	switch {
	case change.Name != nil && room.CheckName(strings.TrimSpace(*change.Name)) != nil:
		return wire.Refuse(wire.CodeMalformed, "a name has at most %d characters, none of them invisible", room.MaxName)
	case change.Status != nil && room.CheckStatus(strings.TrimSpace(*change.Status)) != nil:
		return wire.Refuse(wire.CodeMalformed, "a status has at most %d characters on one line, none of them invisible", room.MaxStatus)
	case change.Picture != nil && len(*change.Picture) > 0:
		return checkPicture(*change.Picture)
	}
	return nil
}

func checkPicture(b []byte) error {
	if room.CheckPicture(b) != nil {
		return wire.Refuse(wire.CodeMalformed, "a picture is a PNG, JPEG or WebP of at most 32 KiB and 1024 by 1024 pixels")
	}
	return nil
}

func (c *Client) putProfile(tx store.Tx, after *[]func(), change ProfileChange) error {
	p := store.Profile{Account: c.chain.ID()}
	if have, err := tx.Profile(p.Account); err != nil {
		return err
	} else if have != nil {
		p = *have
	}
	before := p
	if change.Name != nil {
		p.Name = strings.TrimSpace(*change.Name)
	}
	if change.Status != nil {
		p.Status = strings.TrimSpace(*change.Status)
	}
	var picture []byte
	if change.Picture != nil {
		p.Hash = nil
		if picture = *change.Picture; len(picture) == 0 {
			picture = nil
		} else {
			h := wire.Hash(sha256.Sum256(picture))
			p.Hash = &h
		}
	}
	if p.Name == before.Name && p.Status == before.Status && pictureVersion(p.Hash) == pictureVersion(before.Hash) {
		return nil
	}
	p.Version = max(before.Version+1, uint64(c.nowMS()))
	if err := tx.PutProfile(p, picture); err != nil {
		return err
	}
	rooms, err := tx.Rooms()
	if err != nil {
		return err
	}
	for _, r := range rooms {
		if r.State == store.RoomActive && !r.Kind.OfOne() {
			if err := tx.OweProfile(r.ID, c.nowMS()); err != nil {
				return err
			}
		}
	}
	*after = append(*after, func() { c.emit(Event{Kind: EventPerson, Account: p.Account}) })
	return nil
}

// oweProfile lets a room have this person's profile a while from now, if there is one.
func (c *Client) oweProfile(tx store.Tx, after *[]func(), id room.ID, in int64) error {
	p, err := tx.Profile(c.chain.ID())
	if err != nil || p == nil {
		return err
	}
	*after = append(*after, c.profilesSoon)
	return tx.OweProfile(id, c.nowMS()+in)
}

// profilesSoon looks at what is owed when the next of it may be due.
func (c *Client) profilesSoon() {
	c.timer("profiles", profileDelay, func() { c.payProfiles(); c.pump() })
}

// payProfiles sends this person's profile to rooms that have not got it. In large rooms it
// goes along with the next message instead: there, few speak.
func (c *Client) payProfiles() {
	next := int64(0) // milliseconds from now; 0: nothing is due later
	err := c.update(func(tx store.Tx, _ *[]func()) error {
		next = 0
		owed, err := tx.ProfilesOwed()
		if err != nil {
			return err
		}
		sent := 0
		for _, o := range owed {
			if sent == profileBurst { // in order of their times
				next = profileAgain.Milliseconds()
				break
			}
			if o.Due > c.nowMS() {
				next = o.Due - c.nowMS()
				break
			}
			paid, err := c.payProfile(tx, o.Room, false)
			if err != nil {
				return err
			}
			if paid {
				sent++
			}
		}
		return nil
	})
	if err != nil {
		c.fail("telling others what you show", err)
	}
	if next > 0 {
		c.timer("profiles", msDuration(next), func() { c.payProfiles(); c.pump() })
	}
}

// payProfile puts the profile into a room's outbox, if it may go there now.
func (c *Client) payProfile(tx store.Tx, id room.ID, along bool) (bool, error) {
	r, err := tx.Room(id)
	if err != nil {
		return false, err
	}
	mine, err := tx.Profile(c.chain.ID())
	if err != nil {
		return false, err
	}
	if r == nil || r.State != store.RoomActive || r.Kind.OfOne() || mine == nil {
		return false, tx.PaidProfile(id)
	}
	if r.Kind == room.Pair && r.Peer != nil { // never to somebody who was not accepted
		if s, err := tx.Standing(*r.Peer); err != nil || s != store.Contact {
			return false, errors.Join(err, tx.PaidProfile(id))
		}
	}
	g := c.gens[genKey{id, r.Generation}]
	if g == nil || g.group == nil {
		return false, nil // until it can be written to
	}
	large := g.group.MemberCount() > signalsRoom
	if large && !along {
		return false, nil
	}
	body := room.Profile{Version: mine.Version, Name: mine.Name, Status: mine.Status, Hash: mine.Hash}
	if !large && mine.Hash != nil {
		if body.Picture, err = tx.ProfilePicture(mine.Account); err != nil {
			return false, err
		}
	}
	if err := tx.DropUnsealed(id, room.PayloadProfile); err != nil {
		return false, err
	}
	if _, err := tx.Enqueue(store.Outgoing{Room: id, Kind: room.PayloadProfile, Body: wire.Marshal(body)}); err != nil {
		return false, err
	}
	return true, tx.PaidProfile(id)
}

// profileAlong sends the profile before a message, where it is owed.
func (c *Client) profileAlong(tx store.Tx, id room.ID) error {
	owed, err := tx.ProfileOwed(id)
	if err != nil || !owed {
		return err
	}
	_, err = c.payProfile(tx, id, true)
	return err
}

// shows takes what a member's account shows of itself. An older one never replaces a newer.
// A blocked person's is kept, so that it is right when they are unblocked, and not told.
func (g *gen) shows(tx store.Tx, after *[]func(), leaf room.Leaf, p room.Payload) error {
	v, err := room.ParseProfile(p.Body)
	if err != nil {
		return nil // says nothing
	}
	have, err := tx.Profile(leaf.Account)
	if err != nil {
		return err
	}
	var old store.Profile
	if have != nil {
		old = *have
	}
	filled := v.Version == old.Version && !old.Have && v.Picture != nil && pictureVersion(v.Hash) == pictureVersion(old.Hash)
	if v.Version <= old.Version && !filled {
		return nil
	}
	next := store.Profile{Account: leaf.Account, Version: v.Version, Name: v.Name, Status: v.Status, Hash: v.Hash}
	if err := tx.PutProfile(next, v.Picture); err != nil {
		return err
	}
	if leaf.Account != g.c.chain.ID() {
		standing, err := tx.Standing(leaf.Account)
		if err != nil || standing == store.Blocked {
			return err
		}
		if err := g.c.profileChanged(tx, have, next); err != nil {
			return err
		}
	}
	*after = append(*after, func() { g.c.emit(Event{Kind: EventPerson, Account: leaf.Account}) })
	return nil
}

// profileChanged notes what differs in what a person shows. The first that came is none.
func (c *Client) profileChanged(tx store.Tx, before *store.Profile, p store.Profile) error {
	if before == nil {
		return nil
	}
	for _, x := range []struct {
		what, text string
		same       bool
	}{
		{ChangedName, p.Name, p.Name == before.Name},
		{ChangedStatus, p.Status, p.Status == before.Status},
		{ChangedPicture, "", pictureVersion(p.Hash) == pictureVersion(before.Hash)},
	} {
		if x.same {
			continue
		}
		if err := tx.AddPersonChange(p.Account, store.PersonChange{Time: c.nowMS(), What: x.what, Text: x.text}); err != nil {
			return err
		}
	}
	return nil
}

// welcomed gives devices that came into a room what they have not read: this person's profile,
// and the room's picture.
func (g *gen) welcomed(tx store.Tx, after *[]func(), change *room.Change) error {
	came := slices.ContainsFunc(change.Added, func(l room.Leaf) bool {
		return !slices.ContainsFunc(change.Removed, func(r room.Leaf) bool { return r.Owner() == l.Owner() })
	})
	if !came {
		return nil
	}
	if err := g.owePicture(tx, after, change); err != nil {
		return err
	}
	return g.c.oweProfile(tx, after, g.Room, profileDelay.Milliseconds())
}

// Picture is an account's picture, also one's own; nil when there is none here.
func (c *Client) Picture(account identity.ID) (b []byte, err error) {
	c.on(func() {
		err = c.read(func(tx store.Tx) (err error) { b, err = tx.ProfilePicture(account); return err })
	})
	return b, err
}
