package client

import (
	"errors"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Kinds of wants: what this device is to bring about in a room. A want is durable; it is
// looked at anew in each epoch and forgotten when it is done, whoever did it.
const (
	wantInviteKind   uint8 = 1  // invitations to send, for a commit that is merged
	wantAdd          uint8 = 2  // add a person
	wantRemove       uint8 = 3  // remove a person
	wantContext      uint8 = 4  // title, roles, disappearing time
	wantLeave        uint8 = 5  // leave: propose it in each epoch until it is committed
	wantFarewell     uint8 = 6  // commit somebody's leaving
	wantUpdate       uint8 = 7  // renew our leaf
	wantReadd        uint8 = 8  // let a device in again that lost its state
	wantAgain        uint8 = 9  // invite again who never came
	wantRejoin       uint8 = 10 // ask to be let in again
	wantMoveKind     uint8 = 11 // move the room
	wantBringKind    uint8 = 12 // bring in another device of this account
	wantDismissKind  uint8 = 13 // take out devices that an account has revoked
	wantReturnedKind uint8 = 14 // somebody lost every device: waits for the person's word, and nothing is done about it
	wantReturnKind   uint8 = 15 // let them in again
	wantNewsKind     uint8 = 16 // tell what is new in the chain of this account
)

const (
	pathAlways = 64 // members of a room in which every commit has a path
	pathAdds   = 64 // adds without a path
)

type wantGen struct {
	Generation uint64 `cbor:"1,keyasint"`
	Wedged     bool   `cbor:"2,keyasint,omitempty"` // the log is gone: perhaps the room is elsewhere
}

type wantDevice struct {
	Generation uint64          `cbor:"1,keyasint"`
	Device     wire.DeviceName `cbor:"2,keyasint"`
	Account    identity.ID     `cbor:"3,keyasint"`
}

type wantHandles struct {
	Handles []string     `cbor:"1,keyasint"`
	Account *identity.ID `cbor:"2,keyasint,omitempty"` // nobody but this account
	Link    *room.LinkID `cbor:"3,keyasint,omitempty"` // by which they asked to come in
	Auto    bool         `cbor:"4,keyasint,omitempty"` // and nobody had to say yes
}

type wantAccount struct {
	Account identity.ID `cbor:"1,keyasint"`
}

type wantChange struct {
	Title     *string      `cbor:"1,keyasint,omitempty"`
	Role      *identity.ID `cbor:"2,keyasint,omitempty"`
	Admin     bool         `cbor:"3,keyasint,omitempty"`
	Disappear *uint64      `cbor:"4,keyasint,omitempty"`
	Picture   *[]byte      `cbor:"5,keyasint,omitempty"` // room.PictureRef; empty: none
	Bytes     []byte       `cbor:"6,keyasint,omitempty"` // of that picture
}

type wantInvite struct {
	Generation uint64     `cbor:"1,keyasint"`
	At         room.Place `cbor:"2,keyasint"`
	Guests     []guest    `cbor:"3,keyasint"`
	Bundle     []byte     `cbor:"4,keyasint"`
	Move       *room.Move `cbor:"5,keyasint,omitempty"`
}

type wantReaddBody struct {
	Generation uint64          `cbor:"1,keyasint"`
	Account    identity.ID     `cbor:"2,keyasint"`
	Device     wire.DeviceName `cbor:"3,keyasint"`
	KeyPackage []byte          `cbor:"4,keyasint"`
	Address    room.Joined     `cbor:"5,keyasint"`
	Leaf       []byte          `cbor:"6,keyasint,omitempty"` // encryption key of the leaf that is lost
}

type wantMove struct {
	Generation uint64       `cbor:"1,keyasint"`
	Culprits   []room.Owner `cbor:"2,keyasint"`
	Reason     string       `cbor:"3,keyasint"`
	Whole      int64        `cbor:"4,keyasint,omitempty"` // the room goes on where it is: until then nobody is left behind, Unix milliseconds
	Asked      bool         `cbor:"5,keyasint,omitempty"` // the person waits: it is now or not
}

// preparation is what a want needs from the network before it can be acted on.
type preparation struct {
	busy   bool
	guests []newcomer
	known  []*identity.Chain
	late   []string // whose home could not be reached
	more   []string // who comes in afterwards: too many for a beginning, or refused for now
	err    error
	ready  bool
	epoch  uint64 // of the group when it was begun, where the room goes on meanwhile
}

// pumpWants works on what is due.
func (c *Client) pumpWants() {
	if c.unlinked() {
		return
	}
	var wants []store.Want
	if err := c.read(func(tx store.Tx) (err error) { wants, err = tx.AllWants(); return err }); err != nil {
		c.fail("reading what is to be done", err)
		return
	}
	now := c.nowMS()
	next := int64(0)
	for _, w := range wants {
		if w.Kind == wantReturnedKind {
			continue
		}
		if w.Due > now {
			if next == 0 || w.Due < next {
				next = w.Due
			}
			continue
		}
		if p := c.prepared[w.ID]; p != nil && p.busy {
			continue
		}
		c.workOn(w)
	}
	if next != 0 {
		c.timer("wants", msDuration(next-now), c.pump)
	}
}

func (c *Client) workOn(w store.Want) {
	switch w.Kind {
	case wantInviteKind:
		c.invite(w)
	case wantRejoin:
		c.askBack(w)
	case wantMoveKind:
		c.move(w)
	default:
		c.change(w)
	}
}

// change turns a want into a commit, in the room's present epoch.
func (c *Client) change(w store.Want) {
	var g *gen
	if err := c.read(func(tx store.Tx) (err error) { g, err = c.current(tx, w.Room); return err }); err != nil {
		c.fail("reading a room", err)
		return
	}
	if g == nil {
		c.finish(w, ErrNotMember)
		return
	}
	if !g.open() || g.staged != nil {
		g.stirred = true // looked at again when the room has been read on
		return           // its time comes
	}
	plan, err := g.plan(w)
	switch {
	case errors.Is(err, errDone):
		c.finish(w, nil)
		return
	case errors.Is(err, errLater):
		return
	case err != nil:
		c.finish(w, err)
		return
	}
	if err := c.commitPlan(g, w, plan); err != nil {
		if errors.Is(err, room.ErrForbidden) || errors.Is(err, room.ErrJunk) || errors.Is(err, mls.ErrInvalidCommit) || errors.Is(err, mls.ErrArgument) || errors.Is(err, mls.ErrInvalidKey) {
			g.trip(err)
			c.finish(w, err)
			return
		}
		g.trip(err)
		return
	}
	g.push()
}

var (
	errDone  = errors.New("done")
	errLater = errors.New("later")
)

// asked says whether a want is the person's: of what the device wants by itself they are
// not told when it fails.
func asked(kind uint8) bool {
	switch kind {
	case wantUpdate, wantFarewell, wantReadd, wantAgain, wantBringKind, wantDismissKind, wantNewsKind:
		return false
	}
	return true
}

// byLink says whether a want lets somebody in who came by a link and about whom nobody was
// asked: nobody is told when it fails.
func byLink(w store.Want) bool {
	var body wantHandles
	return w.Kind == wantAdd && wire.Unmarshal(w.Body, &body) == nil && body.Auto
}

// codeOf is the stable code of an error that people are told, as docs/command-line.md has
// them; "" where it has none.
func codeOf(err error) string {
	var refusal *wire.Error
	switch {
	case errors.As(err, &refusal):
		return refusal.Code.String()
	case errors.Is(err, ErrUnreachable):
		return "unreachable"
	case errors.Is(err, ErrChanged):
		return "handle changed"
	case errors.Is(err, ErrNotMember):
		return "not a member"
	}
	return ""
}

// finish forgets a want, and tells the person when it could not be done.
func (c *Client) finish(w store.Want, why error) {
	delete(c.prepared, w.ID)
	err := c.update(func(tx store.Tx, after *[]func()) error {
		if err := tx.DropWant(w.ID); err != nil {
			return err
		}
		if why == nil || !asked(w.Kind) || byLink(w) {
			return nil
		}
		says := said.Of("failed.change", "why", why.Error()).Because(codeOf(why))
		if errors.Is(why, room.ErrForbidden) {
			says = said.Of("failed.forbidden")
		}
		return c.notice(tx, after, &w.Room, NoticeFailed, says)
	})
	if err != nil {
		c.fail("forgetting what is done", err)
	}
}

// accounts are the accounts in the room, in order of their first leaf.
func (g *gen) accounts() []identity.ID {
	var out []identity.ID
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil && !slices.Contains(out, l.Account) {
			out = append(out, l.Account)
		}
	}
	return out
}

// leaves are how many devices of each account are in the room.
func (g *gen) leaves() map[identity.ID]int {
	n := map[identity.ID]int{}
	for i, node := range g.group.Members() {
		if l, err := g.known.LeafOf(i, node); err == nil {
			n[l.Account]++
		}
	}
	return n
}

// leafOf is the leaf of a device, nil when it has none.
func (g *gen) leafOf(o room.Owner) *room.Leaf {
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil && l.Owner() == o {
			return &l
		}
	}
	return nil
}
