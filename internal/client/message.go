package client

import (
	"encoding/base32"
	"slices"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

var base32lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// accountURI is an account in message content.
func accountURI(id identity.ID) string { return "sotto:a/" + base32lower.EncodeToString(id[:]) }

// roomURI is a room in message content. The two rooms that a pair may have made at once
// are one conversation, so a pair is named by its people.
func roomURI(ctx room.Context, self, peer *identity.ID) string {
	if ctx.Kind == room.Pair && self != nil && peer != nil {
		ids := []string{base32lower.EncodeToString(self[:]), base32lower.EncodeToString(peer[:])}
		slices.Sort(ids)
		return "sotto:p/" + strings.Join(ids, "/")
	}
	return "sotto:r/" + base32lower.EncodeToString(ctx.Room[:])
}

// uri is the room's URI in message content.
func (c *Client) uri(r *store.Room) string {
	id := c.chain.ID()
	return roomURI(room.Context{Room: r.ID, Kind: r.Kind}, &id, r.Peer)
}

// shownIn is the room in which a room's messages are shown: itself, or the pair's room
// that counts.
func (c *Client) shownIn(tx store.Tx, id room.ID) (room.ID, error) {
	r, err := tx.Room(id)
	if err != nil || r == nil || r.Alias == nil {
		return id, err
	}
	return *r.Alias, nil
}

// message takes an application message.
func (g *gen) message(tx store.Tx, after *[]func(), e wire.Entry, msg *mls.Received) error {
	leaf, err := g.known.LeafOf(msg.Sender, g.group.Member(msg.Sender))
	if err != nil {
		return g.junk(tx, after, e, err)
	}
	p, err := room.ParsePayload(msg.Plaintext)
	clear(msg.Plaintext)
	if err != nil {
		return g.junk(tx, after, e, err)
	}
	if err := g.compare(tx, after, leaf, p); err != nil {
		return err
	}
	switch p.Kind {
	case room.PayloadContent, room.PayloadAgain:
		return g.content(tx, after, e, leaf, p)
	case room.PayloadStatus:
		return g.status(tx, after, leaf, p)
	case room.PayloadJoined:
		return g.joined(tx, after, leaf, p)
	case room.PayloadPicture:
		return g.picture(tx, after, p)
	case room.PayloadPin:
		return g.pins(tx, after, leaf.Account, p.Body)
	case room.PayloadProfile:
		return g.shows(tx, after, leaf, p)
	case room.PayloadKept:
		return g.takeKept(tx, after, leaf.Device, int64(e.TimeMS), p.Body)
	case room.PayloadOffer, room.PayloadAnswer, room.PayloadTaken, room.PayloadRenewal, room.PayloadRenewed, room.PayloadEnd:
		return g.takeCall(tx, after, p.Kind, callEntry{
			from: leaf.Owner(), own: leaf.Account == g.c.chain.ID(), arrived: int64(min(e.TimeMS, 1<<52)), sent: int64(min(p.TimeMS, 1<<52)), body: p.Body,
		})
	}
	return nil // of a later version: passed over
}

// compare holds what the sender saw against what this device saw at the same place.
func (g *gen) compare(tx store.Tx, after *[]func(), leaf room.Leaf, p room.Payload) error {
	if p.Seq > g.Seq {
		return g.c.notice(tx, after, &g.Room, NoticeFork, said.Of("fault.ahead", "name", g.c.nameOf(tx, g.known, leaf)))
	}
	mine, ok, err := tx.PlaceAt(g.Room, g.Number, p.Seq)
	if err != nil || !ok || mine == p.Chain {
		return err
	}
	return g.c.notice(tx, after, &g.Room, NoticeFork, said.Of("fault.split", "name", g.c.nameOf(tx, g.known, leaf)))
}

// content takes a message for people.
func (g *gen) content(tx store.Tx, after *[]func(), e wire.Entry, leaf room.Leaf, p room.Payload) error {
	content, err := mimi.Parse(p.Body)
	if err != nil {
		return g.junk(tx, after, e, err)
	}
	r, err := tx.Room(g.Room)
	if err != nil || r == nil {
		return err
	}
	id, err := content.MessageID(accountURI(leaf.Account), g.c.uri(r))
	if err != nil {
		return g.junk(tx, after, e, err)
	}
	home, err := g.c.shownIn(tx, g.Room)
	if err != nil {
		return err
	}
	m := store.Message{
		Room: home, ID: id, Generation: g.Number, Seq: e.Seq, Account: leaf.Account, Device: leaf.Device,
		Content: p.Body, Arrived: int64(e.TimeMS), Sent: int64(min(p.TimeMS, 1<<52)), State: store.Received,
	}
	g.c.describe(&m, content)
	if leaf.Account == g.c.chain.ID() { // another device of this person's
		m.State, m.Flags = store.Stored, store.FlagSeen
	}
	standing, err := tx.Standing(leaf.Account)
	if err != nil {
		return err
	}
	if standing == store.Blocked {
		m.Flags |= store.FlagHidden
	}
	if content.Expires != nil {
		if err := content.Expires.Check(g.c.now()); err != nil {
			return g.junk(tx, after, e, err)
		}
	}
	expiry(&m, content)
	if m.Vanish != 0 && m.Flags&store.FlagSeen != 0 {
		m.Expires = g.c.nowMS() + m.Vanish*1000
	}
	if m.Pos, err = tx.NextPos(); err != nil {
		return err
	}
	if store.Shown(m.Kind) && m.Flags&store.FlagHidden == 0 {
		m.At = g.c.said(m)
	}
	receipt := standing != store.Blocked && m.State == store.Received && g.receipts()
	added, err := keep(tx, m)
	if err != nil {
		return err
	}
	if !added {
		if p.Kind == room.PayloadAgain {
			if err := g.moveDown(tx, after, m); err != nil {
				return err
			}
		}
		if receipt {
			return g.again(tx, after, m)
		}
		return nil
	}
	if receipt {
		if err := tx.Owe(store.Owed{Room: g.Room, Message: id, State: store.Delivered}); err != nil {
			return err
		}
		*after = append(*after, func() { g.c.settleReceipts() })
	}
	if m.Flags&store.FlagHidden != 0 {
		return nil
	}
	if m.At != 0 {
		if err := g.c.wake(tx, after, home, m.Arrived); err != nil {
			return err
		}
	}
	if err := g.c.keptMessage(tx, after, m); err != nil {
		return err
	}
	*after = append(*after, func() {
		g.c.stopsWriting(writingKey{home, m.Account})
		g.c.emit(Event{Kind: EventMessage, Room: home, Message: &m})
	})
	return g.c.tellChange(tx, after, m)
}

// receipts says whether receipts are sent in this room: not in large ones, and not when the
// person does not want to.
func (g *gen) receipts() bool { return g.c.settings.Receipts && g.group.MemberCount() <= 32 }

// status takes somebody's receipts.
func (g *gen) status(tx store.Tx, after *[]func(), leaf room.Leaf, p room.Payload) error {
	report, err := mimi.ParseReport(p.Body)
	if err != nil {
		return nil // says nothing
	}
	home, err := g.c.shownIn(tx, g.Room)
	if err != nil {
		return err
	}
	if leaf.Account == g.c.chain.ID() {
		return g.readElsewhere(tx, after, home, report)
	}
	for _, receipt := range report {
		s := store.Delivered
		switch receipt.Status {
		case mimi.Delivered:
		case mimi.Read:
			s = store.Read
		default:
			continue
		}
		m, err := tx.Message(home, receipt.ID)
		if err != nil {
			return err
		}
		if m == nil || m.State == store.Received {
			continue // a receipt for what we did not write
		}
		if err := tx.PutReceipt(home, receipt.ID, leaf.Account, s); err != nil {
			return err
		}
		if err := g.settleState(tx, after, m); err != nil {
			return err
		}
	}
	return nil
}

// readElsewhere takes the receipts of another device of this person: what was read there has
// been seen here too.
func (g *gen) readElsewhere(tx store.Tx, after *[]func(), home room.ID, report mimi.Report) error {
	for _, receipt := range report {
		if receipt.Status != mimi.Read {
			continue
		}
		m, err := tx.Message(home, receipt.ID)
		if err != nil {
			return err
		}
		if m == nil || m.State != store.Received || m.Flags&(store.FlagSeen|store.FlagHidden) != 0 {
			continue
		}
		if err := noteSeen(tx, *m, g.c.nowMS()); err != nil {
			return err
		}
		*after = append(*after, func() { g.c.emit(Event{Kind: EventMark, Room: home}) })
	}
	return nil
}

// settleState moves a message's state on to what every other member has told.
func (g *gen) settleState(tx store.Tx, after *[]func(), m *store.Message) error {
	told, err := tx.Receipts(m.Room, m.ID)
	if err != nil {
		return err
	}
	lowest := store.Read
	for i, n := range g.group.Members() {
		l, err := g.known.LeafOf(i, n)
		if err != nil || l.Account == g.c.chain.ID() {
			continue
		}
		lowest = min(lowest, told[l.Account])
	}
	if lowest < store.Delivered || lowest <= m.State {
		return nil
	}
	m.State = lowest
	*after = append(*after, func() { g.c.emit(Event{Kind: EventState, Room: m.Room, Message: m}) })
	if err := tx.SetMessageState(m.Room, m.ID, lowest); err != nil {
		return err
	}
	return tx.ForgetFirst(m.First())
}

// joined notes that a newcomer is here, and where it takes private invitations.
func (g *gen) joined(tx store.Tx, after *[]func(), leaf room.Leaf, p room.Payload) error {
	j, err := room.ParseJoined(p.Body)
	if err != nil {
		return nil
	}
	if g.ctx.Kind == room.Alike {
		if err := g.c.sayAgain(tx, after, g.rankBeside(leaf)); err != nil {
			return err
		}
	}
	if err := tx.DropJoin(g.Room, g.Number, leaf.Device); err != nil {
		return err
	}
	return tx.PutAddress(g.Room, store.Address{Account: leaf.Account, Device: leaf.Device, Host: j.Host, Inbox: j.Inbox, Capability: j.Capability})
}

// settleReceipts turns owed receipts into entries, a moment later so that they come in
// batches.
func (c *Client) settleReceipts() {
	if c.timers["receipts"] != nil {
		return
	}
	c.timer("receipts", receiptDelay, func() {
		if err := c.sendReceipts(); err != nil {
			c.fail("sending receipts", err)
		}
		c.pump()
	})
}

func (c *Client) sendReceipts() error {
	return c.update(func(tx store.Tx, _ *[]func()) error {
		rooms, err := tx.RoomsOwing()
		if err != nil {
			return err
		}
		for _, id := range rooms {
			owed, err := tx.OwedIn(id, mimi.MaxReports)
			if err != nil {
				return err
			}
			var report mimi.Report
			for _, o := range owed {
				s := mimi.Delivered
				if o.State == store.Read {
					s = mimi.Read
				}
				report = append(report, mimi.Receipt{ID: o.Message, Status: s})
				if err := tx.Paid(o); err != nil {
					return err
				}
			}
			g, err := c.current(tx, id)
			if err != nil {
				return err
			}
			if g == nil || g.group == nil || !g.receipts() {
				continue
			}
			body, err := report.Marshal()
			if err != nil {
				return err
			}
			if _, err := tx.Enqueue(store.Outgoing{Room: id, Kind: room.PayloadStatus, Body: body}); err != nil {
				return err
			}
		}
		return nil
	})
}
