package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"sotto/internal/identity"
	"sotto/internal/linking"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Errors about the linking of a device.
var (
	ErrNoLinking        = errors.New("no device is being linked")
	ErrLinkingCancelled = errors.New("the linking was cancelled")
	ErrLinkingOver      = errors.New("the two minutes are over, or the other device went away: begin again on the device that has the account")
)

// LinkStage is how far the linking of a device is.
type LinkStage string

// The stages.
const (
	LinkWaiting LinkStage = "waiting" // for the other device
	LinkCompare LinkStage = "compare" // both show two words
	LinkAdding  LinkStage = "adding"  // the person has said that they match
	LinkDone    LinkStage = "done"
	LinkFailed  LinkStage = "failed"
)

// Linking is the linking of a device, as a person sees it.
type Linking struct {
	Stage LinkStage
	Old   bool         // this device has the account, and shows the code
	Code  linking.Code // of the old device
	Until time.Time    // when the code is over
	Words [2]string    // from LinkCompare on
	Label string       // what the other device would like to be called
	Err   error        // of LinkFailed
}

// linkTalk is a linking under way, on either side.
type linkTalk struct {
	Linking
	old             *linking.Old
	fresh           *linking.New
	keys            *identity.Keys // of the new device
	inbox           wire.InboxName
	public, private wire.Secret       // its capabilities
	first           *store.KeyPackage // by which it is brought into rooms
	heard           int               // messages of the other side
	link            *link
	done            func(error) // of the new device
}

// Linking is the linking under way or the last one; nil when there was none.
func (c *Client) Linking() (out *Linking) {
	c.on(func() {
		if c.talk != nil {
			l := c.talk.Linking
			out = &l
		}
	})
	return out
}

// StartLinking shows a code for a new device: by hand, for two minutes. An earlier linking
// ends.
func (c *Client) StartLinking(ctx context.Context) (out *Linking, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if err := c.belongs(); err != nil {
			done(err)
			return
		}
		c.onceHome(func(err error) {
			if err != nil {
				done(err)
				return
			}
			c.openMeeting(&out, done)
		})
	})
	return out, err
}

// openMeeting opens a meeting at the home server and answers with its code.
func (c *Client) openMeeting(out **Linking, done func(error)) {
	c.endTalk(LinkFailed, ErrLinkingCancelled)
	code, err := linking.NewCode(c.o.Rand, c.self)
	if err != nil {
		done(err)
		return
	}
	old, err := linking.NewOld(c.o.Rand, code)
	if err != nil {
		done(err)
		return
	}
	t := &linkTalk{old: old, link: c.account.link, Linking: Linking{Stage: LinkWaiting, Old: true, Code: code, Until: c.now().Add(wire.MeetingTime)}}
	ask(t.link, wire.OpMeet, wire.Done{}, func(_ wire.Done, err error) {
		if err != nil {
			old.Erase()
			done(err)
			return
		}
		c.talk = t
		c.timer("linking", wire.MeetingTime, func() { c.failTalk(t, ErrLinkingOver) })
		l := t.Linking
		*out = &l
		c.tellTalk(t)
		done(nil)
	})
}

// ConfirmLinking says, on the old device, that both screens show the same words.
func (c *Client) ConfirmLinking(ctx context.Context) error {
	return c.wait(ctx, func(done func(error)) {
		t := c.talk
		if t == nil || t.old == nil || t.Stage != LinkCompare {
			done(ErrNoLinking)
			return
		}
		m, err := t.old.Offer(c.keys, c.chain, c.now())
		if err != nil {
			done(err)
			return
		}
		t.Stage, t.done = LinkAdding, done
		c.tellTalk(t)
		c.say(t, m)
	})
}

// CancelLinking ends the linking under way.
func (c *Client) CancelLinking() {
	c.on(func() {
		c.endTalk(LinkFailed, ErrLinkingCancelled)
	})
}

// Link makes this device, which has no account, one of the account of a handle, by the code
// that another of its devices shows. label is what it would like to be called. It answers
// when the person has said on that device that the words match.
func (c *Client) Link(ctx context.Context, handle, code, label string) error {
	err := c.wait(ctx, func(done func(error)) {
		if c.keys != nil {
			done(ErrAccount)
			return
		}
		if label = strings.TrimSpace(label); len(label) > linking.MaxLabel || label != "" && room.CheckName(label) != nil {
			done(wire.Refuse(wire.CodeMalformed, "a device's name has at most %d bytes, none of them invisible", linking.MaxLabel))
			return
		}
		at, err := linking.ParseCode(handle, code)
		if err != nil {
			done(err)
			return
		}
		keys, err := identity.NewKeys(c.o.Rand)
		if err != nil {
			done(err)
			return
		}
		fresh, err := linking.NewNew(c.o.Rand, at, keys, label)
		if err != nil {
			done(err)
			return
		}
		h, err := wire.ParseHandle(at.Handle)
		if err != nil {
			done(err)
			return
		}
		c.endTalk(LinkFailed, ErrLinkingCancelled)
		c.self = h // the person typed it: its server may have a private address
		t := &linkTalk{fresh: fresh, keys: keys, done: done, Linking: Linking{Stage: LinkWaiting, Code: at, Until: c.now().Add(wire.MeetingTime)}}
		c.talk = t
		c.timer("linking", wire.MeetingTime, func() { c.failTalk(t, ErrLinkingOver) })
		t.link = c.newLink(h.Host, "/v1/log")
		t.link.hello = func(wire.Hello) { t.link.ready() }
		t.link.opened = func() { c.visit(t) }
		t.link.event = func(f wire.Frame) { c.met(t, f) }
		t.link.lost = func() { c.lookForSelf(t) }
		t.link.connect()
		c.tellTalk(t)
	})
	if err != nil {
		if ctx.Err() != nil { // nobody waits any more, and nobody would start what comes of it
			c.CancelLinking()
		}
		return err
	}
	return c.Start()
}

// visit enters the meeting, once.
func (c *Client) visit(t *linkTalk) {
	if t.heard != 0 || c.talk != t || t.over() {
		return
	}
	t.heard = 1
	ask(t.link, wire.OpVisit, wire.Visit{Handle: t.Code.Handle, Message: t.fresh.Open()}, func(_ wire.Done, err error) {
		if err != nil {
			c.failTalk(t, err)
		}
	})
}

// met takes what happens in the meeting.
func (c *Client) met(t *linkTalk, f wire.Frame) {
	var e wire.Met
	if wire.Op(f.Number) != wire.EventMet || wire.Unmarshal(f.Body, &e) != nil {
		c.failTalk(t, linking.ErrTalk)
		return
	}
	switch {
	case c.talk != t || t.over():
	case e.Over && t.old != nil:
		c.failTalk(t, ErrLinkingOver)
	case e.Over:
		c.lookForSelf(t)
	case t.old != nil:
		c.hearNew(t, e.Message)
	default:
		c.hearOld(t, e.Message)
	}
}

// hearNew is the old device's side.
func (c *Client) hearNew(t *linkTalk, m []byte) {
	t.heard++
	switch {
	case t.heard == 1:
		answer, err := t.old.Answer(m)
		if err != nil {
			c.failTalk(t, err)
			return
		}
		c.say(t, answer)
	case t.heard == 2:
		if err := t.old.Meet(m); err != nil {
			c.failTalk(t, err)
			return
		}
		t.Stage, t.Words, t.Label = LinkCompare, t.old.Words(), t.old.Newcomer.Label
		c.tellTalk(t)
	case t.heard == 3 && t.Stage == LinkAdding:
		signed, err := t.old.Complete(c.keys, m)
		if err != nil {
			c.failTalk(t, err)
			return
		}
		// First, since the server may add the device and its answer be lost.
		if err := c.keepArrival(t.old); err != nil {
			c.failTalk(t, err)
			return
		}
		c.state(func(*identity.Chain) ([]byte, error) { return signed, nil }, func(err error) {
			if err != nil {
				if refused(err) {
					if e := c.write(func(tx store.Tx) error { return c.forgetArrival(tx, t.old.Newcomer.Device.Name) }); e != nil {
						c.fail("forgetting a device that was not linked", e)
					}
				}
				c.failTalk(t, err)
				return
			}
			c.post(c.pumpHistory)
			if m, err := t.old.Welcome(signed, c.above()); err == nil {
				c.say(t, m) // should it be lost, the new device finds itself in the directory
			}
			c.endTalk(LinkDone, nil)
		})
	default:
		c.failTalk(t, linking.ErrTalk)
	}
}

// hearOld is the new device's side.
func (c *Client) hearOld(t *linkTalk, m []byte) {
	t.heard++
	var answer []byte
	var err error
	switch t.heard {
	case 2:
		if answer, err = t.fresh.Prove(m); err == nil {
			t.Stage, t.Words = LinkCompare, t.fresh.Words()
		}
	case 3:
		if answer, err = t.fresh.Possess(m, func(id identity.Credential) (linking.Arrival, error) { return c.arrive(t, id) }); err == nil {
			t.Stage = LinkAdding
		}
	case 4:
		var chain *identity.Chain
		if chain, err = t.fresh.Enter(m); err == nil {
			c.adopt(t, chain)
			return
		}
	default:
		err = linking.ErrTalk
	}
	if err != nil {
		c.failTalk(t, err)
		return
	}
	c.say(t, answer)
	c.tellTalk(t)
}

// arrive makes what brings the new device into rooms. Its key package is one of last resort,
// since it is used for all of them; in each the device soon has a leaf of its own making.
func (c *Client) arrive(t *linkTalk, id identity.Credential) (linking.Arrival, error) {
	kp, err := c.keyPackage(t.keys, mls.BasicCredential(id.Marshal()), true)
	if err != nil {
		return linking.Arrival{}, err
	}
	defer kp.Erase()
	c.random(t.inbox[:])
	t.public, t.private = c.newSecret(), c.newSecret()
	t.first = &store.KeyPackage{Ref: kp.Public.Ref(), Secrets: kp.Marshal(), LastResort: true, Created: c.nowMS()}
	return linking.Arrival{KeyPackage: kp.Public.Marshal(), Inbox: t.inbox, Capability: t.private}, nil
}

// say hands a message to the other side.
func (c *Client) say(t *linkTalk, m []byte) {
	op := wire.OpVisitSay
	if t.old != nil {
		op = wire.OpMeetSay
	}
	ask(t.link, op, wire.Say{Message: m}, func(_ wire.Done, err error) {
		if err != nil {
			c.failTalk(t, err)
		}
	})
}

// lookForSelf is the end of a meeting on the new device: if it has signed already, the old
// one may have added it all the same.
func (c *Client) lookForSelf(t *linkTalk) {
	if c.talk != t || t.over() {
		return
	}
	if t.Stage != LinkAdding {
		c.failTalk(t, ErrLinkingOver)
		return
	}
	h, err := wire.ParseHandle(t.Code.Handle)
	if err != nil {
		c.failTalk(t, err)
		return
	}
	c.fetchFrom(Request{Host: h.Host, Private: true, Method: "GET", Path: "/v1/directory/" + h.Name, Limit: 4 << 20}, func(b []byte, err error) {
		var l wire.Lookup
		if err == nil {
			err = wire.Unmarshal(b, &l)
		}
		if c.talk != t || t.Stage != LinkAdding {
			return
		}
		if err == nil {
			var chain *identity.Chain
			if chain, err = t.fresh.Find(l.Chain); err == nil {
				c.adopt(t, chain)
				return
			}
		}
		c.failTalk(t, errors.Join(ErrLinkingOver, err))
	})
}

// adopt makes this device one of the account.
func (c *Client) adopt(t *linkTalk, chain *identity.Chain) {
	h, err := wire.ParseHandle(chain.Handle())
	if err == nil {
		err = c.keepAccount(t.keys, chain, h, func(tx store.Tx) error {
			if err := tx.PutKeyPackage(*t.first); err != nil {
				return err
			}
			if err := tx.SetFact(factInbox, t.inbox[:]); err != nil {
				return err
			}
			if err := tx.SetFact(factPublic, t.public[:]); err != nil {
				return err
			}
			if err := tx.SetFact(factPrivate, t.private[:]); err != nil {
				return err
			}
			if err := tx.SetFact(factKnown, []byte{1}); err != nil {
				return err
			}
			if err := tx.SetFact(factTaking, wire.Marshal(taking{From: t.fresh.Linker()})); err != nil {
				return err
			}
			// What comes here stands behind what comes from the other device.
			return tx.SetBase(max(c.nowMS(), t.fresh.Base()))
		})
	}
	if err != nil {
		c.failTalk(t, err)
		return
	}
	c.opened = true
	c.endTalk(LinkDone, nil)
}

// failTalk ends a linking that went wrong, and the meeting with it: a code serves once.
func (c *Client) failTalk(t *linkTalk, err error) {
	if c.talk == t {
		c.endTalk(LinkFailed, err)
	}
}

// endTalk ends the linking under way, if there is one.
func (c *Client) endTalk(stage LinkStage, why error) {
	t := c.talk
	if t == nil || t.over() {
		return
	}
	c.stopTimer("linking")
	t.Stage, t.Err = stage, why
	if t.old != nil {
		t.old.Erase()
		if stage == LinkFailed && t.link.up {
			ask(t.link, wire.OpMeetEnd, wire.Done{}, func(wire.Done, error) {})
		}
	} else {
		t.fresh.Erase()
		t.link.close()
		if c.keys == nil {
			c.self = wire.Handle{}
		}
	}
	if done := t.done; done != nil {
		t.done = nil
		done(why)
	}
	c.tellTalk(t)
}

func (t *linkTalk) over() bool { return t.Stage == LinkDone || t.Stage == LinkFailed }

func (c *Client) tellTalk(t *linkTalk) {
	c.emit(Event{Kind: EventLinking, Text: string(t.Stage), Err: t.Err})
}

// above is a place in the order for people with room below it for what is still to come
// before a new device is in every room.
func (c *Client) above() (pos int64) {
	_ = c.read(func(tx store.Tx) (err error) { pos, err = tx.NextPos(); return err })
	return pos + 1<<20
}
