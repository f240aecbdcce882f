package client

import (
	"encoding/hex"
	"errors"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

const (
	inlineBundle = 24 << 10 // a larger bundle travels as a blob
	letterTime   = 14 * 24 * 3_600_000
)

// invite writes the invitations of a commit that is merged, or of a log that is made.
func (c *Client) invite(w store.Want) {
	var body wantInvite
	if err := wire.Unmarshal(w.Body, &body); err != nil {
		c.finish(w, err)
		return
	}
	g := c.gens[genKey{w.Room, body.Generation}]
	if g == nil || g.group == nil {
		c.finish(w, nil) // the generation is over: whoever it invited is invited to the next
		return
	}
	if g.State == store.GenCreating {
		return
	}
	if len(body.Bundle) <= inlineBundle {
		c.writeLetters(w, body, nil)
		return
	}
	c.uploadBundle(w, body)
}

// writeLetters turns invitations into letters, in one step with the end of the want.
func (c *Client) writeLetters(w store.Want, body wantInvite, blob *room.BundleBlob) {
	g := c.gens[genKey{w.Room, body.Generation}]
	err := c.update(func(tx store.Tx, _ *[]func()) error {
		name, err := c.ownName(tx)
		if err != nil {
			return err
		}
		for _, x := range body.Guests {
			i := room.Invitation{
				Room: w.Room, Generation: body.Generation, Kind: g.ctx.Kind, Host: g.Host, At: body.At,
				Cursor: x.Cursor, Welcome: x.Welcome, Blob: blob, Title: g.ctx.Title, First: x.First, Move: body.Move, Name: name, Link: x.Link,
			}
			if blob == nil {
				i.Bundle = body.Bundle
			}
			if err := c.letter(tx, x.Device, x.Seal, x.Address, room.EnvelopeInvitation, wire.Marshal(i)); err != nil {
				return err
			}
		}
		return tx.DropWant(w.ID)
	})
	if err != nil {
		c.fail("writing invitations", err)
		return
	}
	delete(c.prepared, w.ID)
	c.mail()
}

// letter seals a body for a device and posts it.
func (c *Client) letter(tx store.Tx, device wire.DeviceName, inboxKey []byte, to room.Joined, kind room.EnvelopeKind, body []byte) error {
	sealed, err := room.SealEnvelope(c.keys, c.chain, identity.Device{Name: device, Inbox: inboxKey}, kind, body, uint64(c.nowMS()))
	if err != nil {
		return err
	}
	if len(sealed) > wire.MaxInboxEntry {
		return wire.Refuse(wire.CodeTooLarge, "an invitation of %d bytes is too large", len(sealed))
	}
	return tx.AddLetter(store.Letter{Host: to.Host, Inbox: to.Inbox, Capability: to.Capability, Entry: sealed, Due: c.nowMS(), Until: c.nowMS() + letterTime})
}

// uploadBundle puts a large bundle where the guests can fetch it: at our home server,
// encrypted, for as long as the invitations live.
func (c *Client) uploadBundle(w store.Want, body wantInvite) {
	if c.account == nil || !c.account.link.up {
		return
	}
	p := &preparation{busy: true}
	c.prepared[w.ID] = p
	var key [16]byte
	c.random(key[:])
	sealed := room.SealBundle(key, room.MustBundle(body.Bundle))
	again := func(err error) {
		c.fail("uploading the members of a room", err)
		delete(c.prepared, w.ID)
		c.putOff(w)
	}
	c.putBlob(sealed, letterTime/1000, c.newSecret(), func(blob [16]byte, err error) {
		if err != nil {
			again(err)
			return
		}
		c.writeLetters(w, body, &room.BundleBlob{Host: c.self.Host, Blob: blob, Key: key, Hash: hashOf(sealed)})
	})
}

// putBlob puts bytes at our home server for so many seconds, or until somebody shows erase.
func (c *Client) putBlob(b []byte, seconds uint64, erase wire.Secret, done func(blob [16]byte, err error)) {
	ask(c.account.link, wire.OpTicket, wire.TicketRequest{Size: uint64(len(b)), TTL: seconds, Erase: erase.Hash()}, func(t wire.Ticket, err error) {
		if err != nil {
			done(t.Blob, err)
			return
		}
		header := map[string]string{wire.HeaderTicket: hex.EncodeToString(t.Ticket[:])}
		c.fetch(Request{Host: c.self.Host, Method: "PUT", Path: "/v1/blobs/" + hex.EncodeToString(t.Blob[:]), Header: header, Body: b}, func(_ []byte, err error) { done(t.Blob, err) })
	})
}

// mail delivers letters that are due.
func (c *Client) mail() {
	var letters []store.Letter
	if err := c.read(func(tx store.Tx) (err error) { letters, err = tx.Letters(); return err }); err != nil {
		c.fail("reading letters", err)
		return
	}
	now := c.nowMS()
	next := int64(0)
	for _, m := range letters {
		if c.mailing[m.ID] {
			continue
		}
		if m.Due > now {
			if next == 0 || m.Due < next {
				next = m.Due
			}
			continue
		}
		if l := c.hostLink(m.Host); l.up {
			c.deliver(l, m)
		}
	}
	if next != 0 {
		c.timer("mail", msDuration(next-now), c.mail)
	}
}

func (c *Client) deliver(l *link, m store.Letter) {
	c.mailing[m.ID] = true
	ask(l, wire.OpPut, wire.Put{Inbox: m.Inbox, Capability: m.Capability, Entry: m.Entry}, func(_ wire.Done, err error) {
		delete(c.mailing, m.ID)
		over := c.nowMS() > m.Until
		switch {
		case err == nil, over, errors.Is(err, wire.Refuse(wire.CodeCapability, "")), errors.Is(err, wire.Refuse(wire.CodeTooLarge, "")):
			e := c.update(func(tx store.Tx, after *[]func()) error {
				if err != nil {
					if err := c.notice(tx, after, nil, NoticeFailed, said.Of("failed.letter", "host", m.Host, "why", err.Error()).Because(codeOf(err))); err != nil {
						return err
					}
				}
				return tx.DropLetter(m.ID)
			})
			if e != nil {
				c.fail("forgetting a letter", e)
			}
		case refused(err):
			m.Tries++
			m.Due = c.nowMS() + max(retryAfter(err).Milliseconds(), min(int64(1000)<<min(m.Tries, 12), 3_600_000))
			if e := c.write(func(tx store.Tx) error { return tx.PutOff(m) }); e != nil {
				c.fail("putting off a letter", e)
			}
		}
		c.mail()
	})
}
