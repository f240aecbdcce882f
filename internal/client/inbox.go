package client

import (
	"errors"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// watchInbox reads the inbox from where this device has read it, or, where the home server
// knows less, from where that says it was read: what was acted on once is known.
func (c *Client) watchInbox(a *accountLink) {
	ask(a.link, wire.OpInbox, wire.InboxWatch{After: a.after}, func(s wire.InboxState, err error) {
		switch {
		case errors.Is(err, wire.Refuse(wire.CodeCapability, "")) && a != c.account: // an old home server at which this device has no inbox
			a.read = true
		case err != nil:
		case s.Head < a.after:
			c.inboxWentBack(a, min(s.Acked, s.Head), true)
		case s.Acked < a.after: // an acknowledgement was lost; or it went back and has new entries since
			c.inboxWentBack(a, s.Acked, false)
		default:
			a.head, a.top, a.watched = s.Head, s.Head, true
			a.read = a.after >= a.head
			c.pump()
		}
	})
}

func (c *Client) inboxWentBack(a *accountLink, to uint64, told bool) {
	err := c.update(func(tx store.Tx, after *[]func()) error {
		if !told {
			return keepPlace(tx, a, to)
		}
		if err := c.notice(tx, after, nil, NoticeFork, said.Of("fault.inbox")); err != nil {
			return err
		}
		return keepPlace(tx, a, to)
	})
	if err != nil {
		c.fail("keeping the place in the inbox", err)
		a.link.fall(err)
		return
	}
	a.after = to
	c.watchInbox(a)
}

// follows says whether an entry can stand where the home server says. Through the head that it
// named entries may have expired; after that each is the next one.
func (a *accountLink) follows(seq uint64) bool {
	if !a.watched || seq > a.top+1 {
		return false
	}
	a.top = max(a.top, seq)
	return true
}

// homeEvent takes an event of /v1/account.
func (c *Client) homeEvent(a *accountLink, f wire.Frame) {
	if wire.Op(f.Number) == wire.EventRetiring {
		c.retiringEvent(a.link, f)
		return
	}
	if wire.Op(f.Number) == wire.EventMet {
		if t := c.talk; t != nil && t.link == a.link { // else of a meeting that was cancelled
			c.met(t, f)
		}
		return
	}
	var e wire.InboxEvent
	if wire.Op(f.Number) != wire.EventInbox {
		a.link.fall(wire.Refuse(wire.CodeUnknownOp, "the home server sent an event that this program does not know"))
		return
	}
	if err := wire.Unmarshal(f.Body, &e); err != nil {
		a.link.fall(err)
		return
	}
	c.receive(a, e)
}

// receive takes an inbox entry. What cannot be read is dropped: anybody may put anything
// there.
func (c *Client) receive(a *accountLink, e wire.InboxEvent) {
	if !a.follows(e.Seq) {
		a.link.fall(wire.Refuse(wire.CodeOrder, "the home server leaves entries of the inbox out"))
		return
	}
	if e.Seq <= a.after {
		return
	}
	env, chain, err := room.OpenEnvelope(c.keys, e.Bytes)
	err2 := c.update(func(tx store.Tx, after *[]func()) error {
		if err != nil {
			c.log.Info("an inbox entry that says nothing", "error", err)
		} else if err := c.envelope(tx, after, env, chain, int64(e.TimeMS)); err != nil {
			if !errors.Is(err, room.ErrJunk) && !errors.Is(err, identity.ErrChain) && !errors.Is(err, identity.ErrFork) {
				return err
			}
			c.log.Info("an inbox entry that is not valid", "error", err)
		}
		return keepPlace(tx, a, e.Seq)
	})
	if err2 != nil {
		c.fail("keeping an invitation", err2)
		a.link.fall(err2)
		return
	}
	a.after = e.Seq
	if a.after >= a.head {
		a.read = true
	}
	ask(a.link, wire.OpInboxAck, wire.InboxAck{Through: e.Seq}, func(_ wire.Done, err error) {
		if errors.Is(err, wire.Refuse(wire.CodePastHead, "")) { // it does not hold what it gave out
			a.link.fall(err)
		}
	})
	c.pump()
}

func (c *Client) envelope(tx store.Tx, after *[]func(), env room.Envelope, chain *identity.Chain, arrived int64) error {
	// A server could put an old letter in again; its Welcome may be for a key package of
	// last resort, which still opens it.
	id := chain.ID()
	if first, err := tx.FirstTime(hashOf(append(id[:], env.Body...)), c.nowMS()); err != nil || !first {
		return err
	}
	switch env.Kind {
	case room.EnvelopeInvitation:
		i, err := room.ParseInvitation(env.Body)
		if err != nil {
			return err
		}
		return c.invited(tx, after, env, chain, i, arrived)
	case room.EnvelopeRejoin:
		r, err := room.ParseRejoin(env.Body)
		if err != nil {
			return err
		}
		return c.askedBack(tx, chain, env.Device, r)
	case room.EnvelopeKnock:
		k, err := room.ParseKnock(env.Body)
		if err != nil {
			return err
		}
		return c.knocked(tx, after, chain, k)
	}
	if env.Kind == room.EnvelopeReturn {
		r, err := room.ParseReturn(env.Body)
		if err != nil {
			return err
		}
		return c.returned(tx, after, chain, env.Device, r)
	}
	if env.Kind == room.EnvelopeDevices && chain.ID() == c.chain.ID() {
		return c.growOwn(tx, after, chain)
	}
	if env.Kind == room.EnvelopeHistory && chain.ID() == c.chain.ID() {
		return c.historyPart(tx, after, env.Device, env.Body)
	}
	return nil // of a later version
}

// invited decides what an invitation is: the next generation of a room, the return to one,
// a contact's, a stranger's, or a blocked person's.
func (c *Client) invited(tx store.Tx, after *[]func(), env room.Envelope, chain *identity.Chain, i room.Invitation, arrived int64) error {
	standing, err := tx.Standing(chain.ID())
	if err != nil {
		return err
	}
	row := store.Invitation{
		Room: i.Room, Account: chain.ID(), Handle: chain.Handle(), Body: env.Body, Chain: chain, Device: env.Device, Arrived: arrived, State: store.Request, Name: i.Name,
	}
	r, err := tx.Room(i.Room)
	if err != nil {
		return err
	}
	if chain.ID() != c.chain.ID() && (i.Kind == room.Alike || r != nil && r.Kind == room.Alike) {
		return fmt.Errorf("%w: somebody else's invitation to a self room", room.ErrJunk)
	}
	switch {
	case r != nil && r.Live():
		row.State = store.Held // entered when its sender is entitled to it
	case standing == store.Blocked:
		return nil
	case standing == store.Contact, chain.ID() == c.chain.ID():
		row.State = store.Accepted
	}
	if answers, err := c.asked(tx, chain.ID(), i); err != nil {
		return err
	} else if answers && row.State == store.Request {
		row.State = store.Accepted
	}
	if back, err := c.mayReturn(tx, chain.ID(), i); err != nil {
		return err
	} else if back && row.State == store.Request {
		row.State = store.Accepted
	}
	if row.State != store.Request {
		return tx.AddInvitation(row)
	}
	if err := c.keepPerson(tx, after, chain); err != nil {
		return err
	}
	row.Text = firstText(i)
	*after = append(*after, func() {
		c.emit(Event{Kind: EventRequest, Room: i.Room, Text: fmt.Sprintf("%s: %s", row.Handle, row.Text)})
	})
	return tx.AddInvitation(row)
}

// firstText is the text of the message that came with an invitation.
func firstText(i room.Invitation) string {
	if i.Kind == room.Group {
		return fmt.Sprintf("an invitation to the room %q", i.Title)
	}
	if i.First == nil {
		return ""
	}
	content, err := mimi.Parse(i.First)
	if err != nil {
		return ""
	}
	t, _ := content.Text()
	return t.Content
}
