package client

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"time"

	"sotto/internal/identity"
	"sotto/internal/linking"
	"sotto/internal/recovery"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// recoverTime is how long a recovery may take.
const recoverTime = 2 * time.Minute

// ErrRecovering is a second recovery beside the first.
var ErrRecovering = errors.New("a recovery is under way here already")

// regain is a recovery under way on a device without an account.
type regain struct {
	c      *Client
	handle wire.Handle  // where the account is looked for now
	began  wire.Handle  // the handle that the person typed
	moved  *wire.Lookup // what that one's server says, where the account has moved on from there
	tried  int          // servers that it was followed to
	typed  string       // the words, until they were read
	label  string
	words  *identity.RecoveryKeys
	fresh  *identity.Keys
	before *identity.Chain // as it was looked up
	after  *identity.Chain // with what is stated
	ask    wire.Recover
	link   *link
	done   func(error)
}

// Recover makes this device, which has no account, the only one of the account of a handle, by
// its 24 words. label is what it would like to be called. What the recovery record holds
// comes back by and by: see Recovery.
func (c *Client) Recover(ctx context.Context, handle, words, label string) error {
	h, err := wire.ParseHandle(strings.TrimSpace(handle))
	if err != nil {
		return err
	}
	if w, err := recovery.Parse(words); err != nil { // before anybody is asked
		return err
	} else {
		w.Erase()
	}
	if label = strings.TrimSpace(label); len(label) > linking.MaxLabel || label != "" && room.CheckName(label) != nil {
		return wire.Refuse(wire.CodeMalformed, "a device's name has at most %d bytes, none of them invisible", linking.MaxLabel)
	}
	err = c.wait(ctx, func(done func(error)) {
		switch {
		case c.keys != nil:
			done(ErrAccount)
			return
		case c.regain != nil:
			done(ErrRecovering)
			return
		}
		fresh, err := identity.NewKeys(c.o.Rand)
		if err != nil {
			done(err)
			return
		}
		c.endTalk(LinkFailed, ErrLinkingCancelled)
		c.self = h // the person typed it: its server may have a private address
		r := &regain{c: c, handle: h, began: h, typed: words, label: label, fresh: fresh, done: done}
		c.regain = r
		c.timer("recover", recoverTime, func() { r.end(ErrUnreachable) })
		r.look()
	})
	if err != nil {
		if gone := ctx.Err(); gone != nil { // nobody waits any more
			c.on(func() {
				if c.regain != nil {
					c.regain.end(gone)
				}
			})
		}
		return err
	}
	return c.Start()
}

// end ends the recovery; without an error this device has the account.
func (r *regain) end(err error) {
	c := r.c
	if c.regain != r {
		return
	}
	c.regain, r.typed, r.words = nil, "", nil
	c.stopTimer("recover")
	if r.link != nil {
		r.link.close()
	}
	if c.keys == nil {
		c.self = wire.Handle{}
	}
	r.done(err)
}

func (r *regain) over() bool { return r.c.regain != r }

// look looks the account up and states what makes this device its only one.
func (r *regain) look() {
	r.c.fetchFrom(Request{Host: r.handle.Host, Private: true, Method: "GET", Path: "/v1/directory/" + r.handle.Name, Limit: 4 << 20}, func(b []byte, err error) {
		if r.over() {
			return
		}
		if err == nil {
			err = r.prepare(b)
		}
		switch {
		case errors.Is(err, errLater): // it looks further
			return
		case err != nil && r.moved != nil && r.handle != r.began: // where it was moved to nobody answers for it
			err = r.turnBack()
		}
		if err != nil {
			r.end(err)
			return
		}
		if r.link == nil {
			r.connect()
		}
	})
}

// prepare reads the account and makes the statements.
func (r *regain) prepare(b []byte) error {
	var l wire.Lookup
	if err := wire.Unmarshal(b, &l); err != nil {
		return err
	}
	chain, err := identity.Verify(l.Chain)
	if err != nil {
		return err
	}
	if chain.Handle() != r.handle.String() && mayFollow(r.handle, chain) {
		return r.goAfter(l, chain)
	}
	if chain.Handle() != r.handle.String() {
		return wire.Refuse(wire.CodeBadChain, "%s answered for %s with the account of %s", r.handle.Host, r.handle, chain.Handle())
	}
	if r.moved != nil { // it has to be the account that the person's own server named
		if before, err := identity.Verify(r.moved.Chain); err != nil || !chain.Includes(before.Head(), before.Len()) {
			return wire.Refuse(wire.CodeBadChain, "%s has another account under %s", r.handle.Host, r.handle)
		}
	}
	return r.states(chain, false)
}

// goAfter looks at the handle that an account has moved to.
func (r *regain) goAfter(l wire.Lookup, chain *identity.Chain) error {
	h, err := wire.ParseHandle(chain.Handle())
	if err != nil {
		return err
	}
	if r.moved == nil {
		r.moved = &l
	}
	if r.tried++; r.tried > mostHops {
		return wire.Refuse(wire.CodeBadChain, "%s: %v", r.began, errNoWay)
	}
	r.handle = h
	r.look()
	return errLater
}

// turnBack recovers the account where the person knows it, since it was moved to where nobody
// answers for it, or with another chain: the words bring it back there in the same step.
func (r *regain) turnBack() error {
	chain, err := identity.Verify(r.moved.Chain)
	if err != nil {
		return err
	}
	r.handle = r.began
	return r.states(chain, true)
}

// states makes the statements of the recovery; home: and the way back to the typed handle.
func (r *regain) states(chain *identity.Chain, home bool) (err error) {
	if r.words == nil {
		if r.words, err = wordsOf(chain, r.typed); err != nil {
			return err
		}
		r.typed = ""
	}
	if !bytes.Equal(chain.Recovery().Signature, r.words.Public().Signature) {
		return ErrWords // replaced while this went on
	}
	r.before, r.after = chain, chain.Clone()
	r.ask = wire.Recover{Handle: r.handle.String(), Head: chain.Head()}
	state := func(signed []byte) error {
		r.ask.Signed = append(r.ask.Signed, signed)
		return r.after.Append(signed)
	}
	if err := state(r.words.AddDevice(r.after, r.fresh, r.c.now())); err != nil {
		return err
	}
	for _, d := range chain.ActiveDevices() {
		if err := state(r.words.RevokeDevice(r.after, d.Name, r.c.now())); err != nil {
			return err
		}
	}
	if home {
		return state(r.words.Move(r.after, r.handle, r.c.now()))
	}
	return nil
}

// connect states it at the home server. A connection that breaks comes back and says the same
// again, which counts once.
func (r *regain) connect() {
	l := r.c.newLink(r.handle.Host, "/v1/account")
	r.link = l
	l.opened, l.lost, l.event = func() {}, func() {}, func(wire.Frame) {}
	l.hello = func(h wire.Hello) {
		ask(l, wire.OpRecover, r.ask, func(_ wire.Done, err error) {
			switch {
			case r.over():
			case err == nil:
				r.enter(h)
			case errors.Is(err, wire.Refuse(wire.CodeHeadMoved, "")): // a device states things at the same time
				r.link = nil
				l.close()
				r.look()
			case refused(err):
				r.end(err)
			}
		})
	}
	l.connect()
}

// enter authenticates as the new device and gets the record.
func (r *regain) enter(h wire.Hello) {
	msg := wire.AuthMessage(h.Nonce, r.handle.Host, r.handle.String(), r.fresh.Name)
	auth := wire.Auth{Handle: r.handle.String(), Device: r.fresh.Name, Signature: ed25519.Sign(r.fresh.Signature, msg)}
	ask(r.link, wire.OpAuth, auth, func(_ wire.Done, err error) {
		if r.over() || err != nil && !refused(err) {
			return
		}
		if err != nil {
			r.end(err)
			return
		}
		ask(r.link, wire.OpRecordGet, wire.Done{}, func(v wire.Record, err error) {
			if r.over() || err != nil && !refused(err) {
				return
			}
			ask(r.link, wire.OpBackup, wire.Backup{}, func(b wire.Backup, e error) {
				if r.over() || e != nil && !refused(e) { // an older server refuses: there is none
					return
				}
				r.end(errors.Join(err, r.keep(v.Sealed, b.Sealed)))
			})
		})
	})
}

// keep makes this device the account's, with what the record holds, and with where the backup
// is.
func (r *regain) keep(sealed, backup []byte) error {
	c := r.c
	var record recovery.Record
	var lost said.Said
	var err error
	if sealed == nil {
		lost = said.Of("recovered.nothing")
	} else if record, err = recovery.Open(r.words, r.before, sealed); err != nil {
		c.log.Warn("the recovery record", "error", err)
		lost = said.Of("recovered.damaged")
	}
	offer := c.offered(r.words, r.before, backup)
	still := returning{People: record.People}
	for _, x := range record.Rooms {
		still.Rooms = append(still.Rooms, returningRoom{Room: x, Since: c.nowMS()})
	}
	if err := c.keepAccount(r.fresh, r.after, r.handle, func(tx store.Tx) error {
		if err := tx.SetFact(factKnown, []byte{1}); err != nil {
			return err
		}
		if r.label != "" {
			if err := tx.SetFact(factLabel+string(r.fresh.Name[:]), []byte(r.label)); err != nil {
				return err
			}
		}
		if offer != nil {
			if err := tx.SetFact(factOffer, wire.Marshal(*offer)); err != nil {
				return err
			}
		}
		// What comes here stands behind what a backup may bring back.
		if err := tx.SetBase(c.nowMS()); err != nil {
			return err
		}
		if lost.Key != "" {
			if err := tx.AddNotice(store.Notice{Time: c.nowMS(), Kind: NoticeDevice, Text: lost.Text(), Said: lost}); err != nil {
				return err
			}
		}
		return tx.SetFact(factReturning, wire.Marshal(still))
	}); err != nil {
		return err
	}
	c.opened = true
	if record.Name == "" && record.Status == "" {
		return nil
	}
	return c.update(func(tx store.Tx, after *[]func()) error {
		return c.putProfile(tx, after, ProfileChange{Name: &record.Name, Status: &record.Status})
	})
}
