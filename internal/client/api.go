package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Self is this device's account.
type Self struct {
	Handle  string
	Account identity.ID
	Device  wire.DeviceName
}

// Self answers who this device is; ErrNoAccount without an account.
func (c *Client) Self() (s Self, err error) {
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		s = Self{Handle: c.self.String(), Account: c.chain.ID(), Device: c.keys.Name}
	})
	return s, err
}

// Compose makes content; rand is the client's source of salts.
type Compose func(c *Client) (*mimi.Content, error)

// Text is a text in Markdown.
func Text(markdown string) Compose {
	return func(c *Client) (*mimi.Content, error) { return mimi.NewText(c.o.Rand, markdown) }
}

// Reply answers a message.
func Reply(to mimi.MessageID, markdown string) Compose {
	return func(c *Client) (*mimi.Content, error) { return mimi.NewReply(c.o.Rand, to, markdown) }
}

// Edit gives a message of one's own another text.
func Edit(original mimi.MessageID, markdown string) Compose {
	return func(c *Client) (*mimi.Content, error) { return mimi.NewEdit(c.o.Rand, original, markdown) }
}

// React answers a message with an emoji.
func React(to mimi.MessageID, emoji string) Compose {
	return func(c *Client) (*mimi.Content, error) { return mimi.NewReaction(c.o.Rand, to, emoji) }
}

// Delete takes a message of one's own back.
func Delete(original mimi.MessageID) Compose {
	return func(c *Client) (*mimi.Content, error) { return mimi.NewDelete(c.o.Rand, original) }
}

// Expiring lets what is composed expire at a time.
func Expiring(compose Compose, at time.Time) Compose {
	return func(c *Client) (*mimi.Content, error) {
		content, err := compose(c)
		if err == nil {
			err = content.ExpireAt(at)
		}
		return content, err
	}
}

// Send writes a message to a person (a handle) or a room (an id, its beginning, or a
// title) and answers when it is durable on this device, queued. A handle that was never
// written to is looked up first, which needs its server.
func (c *Client) Send(ctx context.Context, to string, compose Compose) (*store.Message, error) {
	var m *store.Message
	err := c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		content, err := compose(c)
		if err != nil {
			done(err)
			return
		}
		c.reach(to, content, func(id room.ID, err error) {
			if err == nil {
				m, err = c.enqueue(id, content)
			}
			done(err)
		})
	})
	return m, err
}

// reach finds the room behind what a person typed, and makes a pair's room when there is
// none yet.
func (c *Client) reach(to string, first *mimi.Content, done func(room.ID, error)) {
	id, err := c.resolve(to)
	if !errors.Is(err, ErrNoRoom) || !strings.Contains(to, "@") {
		done(id, err)
		return
	}
	h, err := wire.ParseHandle(to)
	if err != nil {
		done(id, err)
		return
	}
	if h == c.self {
		done(id, wire.Refuse(wire.CodeMalformed, "that is yourself"))
		return
	}
	if again := c.making[h.String()]; again != nil {
		c.making[h.String()] = append(again, done)
		return
	}
	c.making[h.String()] = []func(room.ID, error){done}
	c.openPair(h, first, func(id room.ID, err error) {
		waiting := c.making[h.String()]
		delete(c.making, h.String())
		for _, f := range waiting {
			f(id, err)
		}
	})
}

// openPair makes a room with one person, unless that person has invited us already.
func (c *Client) openPair(h wire.Handle, first *mimi.Content, done func(room.ID, error)) {
	c.lookup(h.String(), func(f *found, err error) {
		if err != nil {
			done(room.ID{}, err)
			return
		}
		h, err := wire.ParseHandle(f.chain.Handle()) // they may have moved
		if err == nil {
			_, err = c.acceptFrom(h.String(), f.chain.ID())
		}
		if err != nil {
			done(room.ID{}, err)
			return
		}
		c.entered(h, f.chain.ID(), func(id room.ID, err error) {
			if errors.Is(err, ErrNoRoom) {
				c.openNew(h, first, done)
				return
			}
			done(id, err)
		})
	})
}

// entered waits until the room of two is entered to which an account has invited us and
// we have accepted it. ErrNoRoom says that it has not, or that the room could not be
// entered.
func (c *Client) entered(h wire.Handle, account identity.ID, done func(room.ID, error)) {
	var id room.ID
	c.until(func() (over bool, err error) {
		if id, err = c.resolve(h.String()); !errors.Is(err, ErrNoRoom) {
			return true, err
		}
		waits := false
		read := c.read(func(tx store.Tx) error {
			list, err := tx.Invitations(store.Accepted)
			for _, i := range list {
				waits = waits || i.Account == account && pairs(i)
			}
			return err
		})
		if read != nil || waits {
			return false, read
		}
		return true, err
	}, func(err error) { done(id, err) })
	c.pump()
}

// pairs says whether an invitation is to a room of two.
func pairs(i store.Invitation) bool {
	v, err := room.ParseInvitation(i.Body)
	return err == nil && v.Kind == room.Pair
}

// openNew makes a room with one person and invites them.
func (c *Client) openNew(h wire.Handle, first *mimi.Content, done func(room.ID, error)) {
	c.invitee(h.String(), nil, func(some []newcomer, err error) {
		if err != nil {
			done(room.ID{}, err)
			return
		}
		if id, err := c.resolve(h.String()); err == nil { // they wrote to us meanwhile
			done(id, nil)
			return
		}
		var body []byte // none: what the message holds is not at the server yet
		if first != nil {
			if body, err = first.Marshal(); err != nil {
				done(room.ID{}, err)
				return
			}
		}
		if len(body) > 4096 {
			body = nil
		}
		for i := range some {
			some[i].first = body
		}
		peer := some[0].chain
		if err := c.read(func(tx store.Tx) error {
			if wait, err := tx.Paused(peer.ID()); err != nil || !wait {
				return err
			}
			return ErrPaused
		}); err != nil {
			done(room.ID{}, err)
			return
		}
		id, err := c.makeRoom(room.Pair, "", some)
		if err == nil {
			err = c.update(func(tx store.Tx, after *[]func()) error {
				return c.setStanding(tx, after, peer.ID(), store.Contact)
			})
		}
		if err == nil { // what they wrote meanwhile is from no stranger any more
			_, err = c.acceptFrom(h.String(), peer.ID())
		}
		done(id, err)
		c.pump()
	})
}

// makeRoom makes a room of ours with these devices.
func (c *Client) makeRoom(kind room.Kind, title string, guests []newcomer) (room.ID, error) {
	ctx := room.Context{Rules: room.Rules, Generation: 1, Key: c.newSecret(), Host: c.self.Host, Kind: kind, TTL: uint64(c.o.TTL.Seconds()), Title: title, Disappear: uint64(c.settings.Disappear)}
	c.random(ctx.Room[:])
	c.random(ctx.Log[:])
	ctx = ctx.WithAdmin(c.chain.ID(), true)
	if kind == room.Pair {
		ctx = ctx.WithAdmin(guests[0].chain.ID(), true)
	}
	m, err := c.makeGroup(ctx, guests)
	if err != nil {
		return ctx.Room, err
	}
	return ctx.Room, c.establish(m, nil, func(tx store.Tx, _ *[]func()) error { return c.bringOthers(tx, ctx.Room) })
}

// enqueue keeps a message and puts it into the outbox. Where the room can be written to
// now, it is sealed in the same transaction.
func (c *Client) enqueue(id room.ID, content *mimi.Content) (*store.Message, error) {
	m, err := c.compose(id, content)
	if err != nil {
		return nil, err
	}
	var g *gen
	var out []store.Outgoing
	err = c.update(func(tx store.Tx, after *[]func()) error {
		if err := c.keepOwn(tx, id, m, content); err != nil {
			return err
		}
		queued := *m
		*after = append(*after, func() { c.emit(Event{Kind: EventQueued, Room: queued.Room, Message: &queued}) })
		if err := c.tellChange(tx, after, *m); err != nil {
			return err
		}
		if g, err = c.current(tx, m.Room); err != nil || g == nil || !g.canSend() {
			return err
		}
		out, err = g.sealWaiting(tx)
		return err
	})
	if err != nil {
		if g != nil {
			g.trip(err)
		}
		return nil, err
	}
	if g != nil {
		g.appendAll(out)
	}
	return m, nil
}

// compose makes a message of ours of its content.
func (c *Client) compose(id room.ID, content *mimi.Content) (*store.Message, error) {
	if err := c.disappear(id, content); err != nil {
		return nil, err
	}
	body, err := content.Marshal()
	if err != nil {
		return nil, err
	}
	if len(body) > mimi.MaxMessage {
		return nil, ErrTooLong
	}
	m := store.Message{Account: c.chain.ID(), Device: c.keys.Name, Content: body, Sent: c.nowMS(), State: store.Queued, Flags: store.FlagSeen}
	c.describe(&m, content)
	expiry(&m, content) // what is ours we have read when the host has it: see placed
	if store.Shown(m.Kind) {
		m.At = c.said(m)
	}
	return &m, nil
}

// disappear gives content the room's disappearing time, unless it has one of its own.
func (c *Client) disappear(id room.ID, content *mimi.Content) error {
	if content.Expires != nil {
		return nil
	}
	var g *gen
	if err := c.read(func(tx store.Tx) (err error) { g, err = c.current(tx, id); return err }); err != nil {
		return err
	}
	if g == nil || g.group == nil || g.ctx.Disappear == 0 {
		return nil
	}
	return content.ExpireAfterRead(time.Duration(g.ctx.Disappear) * time.Second)
}

// keepOwn keeps a message of ours and its outgoing payload.
func (c *Client) keepOwn(tx store.Tx, id room.ID, m *store.Message, content *mimi.Content) error {
	if err := c.keepMine(tx, id, m, content); err != nil {
		return err
	}
	_, err := tx.Enqueue(store.Outgoing{Room: m.Room, Kind: room.PayloadContent, Body: m.Content, Message: &m.ID})
	return err
}

// keepMine keeps a message of ours.
func (c *Client) keepMine(tx store.Tx, id room.ID, m *store.Message, content *mimi.Content) error {
	home, err := c.shownIn(tx, id)
	if err != nil {
		return err
	}
	r, err := tx.Room(home)
	if err != nil {
		return err
	}
	if r == nil {
		return ErrNoRoom
	}
	if r.State != store.RoomActive {
		return ErrNotMember
	}
	m.Room = home
	if m.ID, err = content.MessageID(accountURI(c.chain.ID()), c.uri(r)); err != nil {
		return err
	}
	if gone, err := isGone(tx, *m); err != nil {
		return err
	} else if gone {
		return ErrGone
	}
	if _, err := keep(tx, *m); err != nil {
		return err
	}
	return c.profileAlong(tx, home)
}
