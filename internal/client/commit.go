package client

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// guest is a device that a commit of ours adds, and where its invitation goes.
type guest struct {
	Account identity.ID     `cbor:"1,keyasint"`
	Device  wire.DeviceName `cbor:"2,keyasint"`
	Seal    []byte          `cbor:"3,keyasint"` // inbox key
	Address room.Joined     `cbor:"4,keyasint"`
	Cursor  wire.Secret     `cbor:"5,keyasint"`
	Welcome []byte          `cbor:"6,keyasint"`
	First   []byte          `cbor:"7,keyasint,omitempty"` // content of the first message, for a stranger
	Link    *room.LinkID    `cbor:"8,keyasint,omitempty"` // by which they asked to come in
}

// commit takes somebody else's commit.
func (g *gen) commit(tx store.Tx, after *[]func(), e wire.Entry, msg *mls.Received, proofs []room.Proof) error {
	if e.Did == nil { // it did not swap the token, so it is nobody's next epoch
		msg.Staged.Erase()
		return g.junk(tx, after, e, fmt.Errorf("%w: a commit that swaps nothing", room.ErrJunk))
	}
	change, err := room.Judge(g.group, g.known, msg.Staged, proofs)
	if err == nil {
		err = change.CheckDid(msg.Staged, e.Did)
	}
	if err != nil {
		leaf := msg.Staged.Committer()
		msg.Staged.Erase()
		g.c.log.Info("a change that is not allowed", "error", err)
		return g.culprit(tx, after, leaf, said.Of("why.rules"))
	}
	return g.merge(tx, after, e, msg.Staged, change)
}

// mergeOwn takes our own commit at its place in the log.
func (g *gen) mergeOwn(tx store.Tx, after *[]func(), e wire.Entry) error {
	staged, change, err := g.parseStaged()
	if err != nil {
		return err
	}
	var swap wire.Swap
	if err := wire.Unmarshal(g.staged.Swap, &swap); err != nil {
		return err
	}
	if d := e.Did; d == nil || d.Next != swap.Next || !slices.Equal(d.Added, swap.Add) || !slices.Equal(d.Ended, swap.End) {
		return g.wedgeHost(tx, after, said.Of("fault.change"))
	}
	var guests []guest
	if err := wire.Unmarshal(g.staged.Guests, &guests); err != nil {
		return err
	}
	if err := g.merge(tx, after, e, staged, change); err != nil && !errors.Is(err, errStop) {
		return err
	}
	if len(guests) == 0 {
		return errStop
	}
	for _, x := range guests {
		if err := tx.AddJoin(store.Join{Room: g.Room, Generation: g.Number, Device: x.Device, Account: x.Account, Since: g.c.nowMS()}); err != nil {
			return err
		}
	}
	w := wantInvite{Generation: g.Number, At: room.Place{Log: g.Log, Seq: e.Seq, Chain: e.Chain}, Guests: guests, Bundle: g.bundle()}
	return orStop(tx.AddWant(store.Want{Room: g.Room, Kind: wantInviteKind, Body: wire.Marshal(w), Due: g.c.nowMS()}))
}

func (g *gen) parseStaged() (*mls.StagedCommit, *room.Change, error) {
	staged, err := mls.ParseStagedCommit(g.group, g.staged.Commit)
	if err != nil {
		return nil, nil, err
	}
	var proofs []room.Proof
	if err := wire.Unmarshal(g.staged.Proofs, &proofs); err != nil {
		return nil, nil, err
	}
	change, err := room.Judge(g.group, g.known, staged, proofs)
	return staged, change, err
}

func (g *gen) wedgeHost(tx store.Tx, after *[]func(), says said.Said) error {
	if err := g.c.notice(tx, after, &g.Room, NoticeFork, says); err != nil {
		return err
	}
	if err := g.wedge(tx, after, nil, says); err != nil {
		return err
	}
	return errWedged
}

// merge moves the room to its next epoch.
func (g *gen) merge(tx store.Tx, after *[]func(), e wire.Entry, s *mls.StagedCommit, change *room.Change) error {
	before, had := g.known, g.leaves()
	g.stirred = true
	if err := g.announce(tx, after, s, change); err != nil {
		return err
	}
	if err := g.turnSignals(); err != nil {
		return err
	}
	if err := g.group.Merge(s); err != nil {
		return err
	}
	if g.staged != nil {
		if err := tx.DropStaged(g.Room, g.Number); err != nil {
			return err
		}
		g.staged, g.pushing = nil, false
	}
	g.holdUntil = g.c.nowMS() + wire.SwapInterval.Milliseconds() // the host says more if it needs more; its clock decides nothing here
	if change.Own {
		if own := change.Known[g.c.chain.ID()]; own != nil {
			if err := g.c.growOwn(tx, after, own); err != nil {
				return err
			}
		}
		return g.removed(tx, after, e, change)
	}
	if err := g.leaveAlong(tx, s, change); err != nil {
		return err
	}
	g.known = change.Known
	if err := tx.PutKnown(g.Room, g.Number, before, g.known); err != nil {
		return err
	}
	for _, l := range change.Added {
		if had[l.Account] == 0 { // also one who had been here before and was away
			if err := tx.SetSince(g.Room, g.Number, l.Account, e.Seq); err != nil {
				return err
			}
		}
	}
	if err := g.welcomed(tx, after, change); err != nil {
		return err
	}
	if err := g.keepChains(tx, after, before, change); err != nil {
		return err
	}
	if err := g.refresh(); err != nil {
		return err
	}
	if err := g.countAdds(tx, s, change); err != nil {
		return err
	}
	if g.ctx.Kind == room.Pair && len(change.Removed) > 0 && len(g.accounts()) == 1 {
		// The other is gone: nobody would read what is written here. Writing to them again
		// begins a new conversation, if they can still be found.
		if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantLeave, Body: wire.Marshal(wantGen{}), Due: g.c.nowMS()}); err != nil {
			return err
		}
	}
	// What was sealed in the epoch that ended and was not read in it is sealed anew.
	if err := tx.Unseal(g.Room, g.Number, g.group.Epoch()); err != nil {
		return err
	}
	g.appending = map[int64]bool{}
	*after = append(*after, func() { g.c.emit(Event{Kind: EventRoom, Room: g.Room}) })
	if g.ctx.Kind == room.Alike && len(change.Added) > 0 {
		*after = append(*after, func() { g.c.post(g.c.pumpHistory) }) // which waits for that
	}
	return errStop
}

// leaveAlong leaves the room here too, when another device of this person has left it: a
// person leaves, not a device.
func (g *gen) leaveAlong(tx store.Tx, s *mls.StagedCommit, change *room.Change) error {
	for _, l := range change.Removed {
		if l.Account != g.c.chain.ID() || !leftByItself(s, l.Index) {
			continue
		}
		return tx.AddWant(store.Want{Room: g.Room, Kind: wantLeave, Body: wire.Marshal(wantGen{}), Due: g.c.nowMS()})
	}
	return nil
}

// leftByItself says whether a commit takes a leaf out because it had asked for that.
func leftByItself(s *mls.StagedCommit, leaf uint32) bool {
	return slices.ContainsFunc(s.Proposals(), func(p mls.PendingProposal) bool {
		return p.ByReference && p.Proposal.Type == mls.ProposalRemove && p.Sender == leaf && p.Proposal.Removed == leaf
	})
}

// countAdds notes how many were added since a commit last renewed the group's secrets, and
// when our own leaf was renewed.
func (g *gen) countAdds(tx store.Tx, s *mls.StagedCommit, change *room.Change) error {
	switch {
	case s.HasPath():
		g.Adds = 0
		if change.Committer.Index == g.group.OwnLeaf() {
			g.Updated = g.c.nowMS()
		}
	case len(change.Added) > 0:
		g.Adds += uint64(len(change.Added))
	default:
		return nil
	}
	return tx.PutGeneration(g.Generation)
}

// keepChains remembers the chains of members as far as a commit has shown them.
func (g *gen) keepChains(tx store.Tx, after *[]func(), before room.Knowledge, change *room.Change) error {
	for _, chain := range sortedChains(change.Known) {
		if old := before[chain.ID()]; old != nil && old.Head() == chain.Head() {
			continue
		}
		if err := g.c.keepPerson(tx, after, chain); err != nil {
			return err
		}
	}
	return nil
}

// removed ends this device's part in a room: it has read up to its own removal.
func (g *gen) removed(tx store.Tx, after *[]func(), e wire.Entry, change *room.Change) error {
	if slices.ContainsFunc(change.Added, func(l room.Leaf) bool { return l.Owner() == g.c.owner() }) {
		return g.replaced(tx, after, e)
	}
	r, err := tx.Room(g.Room)
	if err != nil {
		return err
	}
	left := slices.ContainsFunc(change.Removed, func(l room.Leaf) bool { return l.Owner() == g.c.owner() }) && change.Committer.Account == g.c.chain.ID()
	if r != nil && r.State == store.RoomActive && r.Generation == g.Number {
		r.State = store.RoomRemoved
		if wants, err := tx.Wants(g.Room); err != nil {
			return err
		} else if left || slices.ContainsFunc(wants, func(w store.Want) bool { return w.Kind == wantLeave }) {
			r.State = store.RoomLeft
		}
		if err := tx.PutRoom(*r); err != nil {
			return err
		}
		if r.State == store.RoomRemoved {
			says := said.Of("put-out", "by", g.c.nameOf(tx, change.Known, change.Committer))
			if err := g.c.notice(tx, after, &g.Room, NoticeRemoved, says); err != nil {
				return err
			}
		}
		if err := tx.DropOutbox(g.Room); err != nil {
			return err
		}
		if err := tx.DropWants(g.Room); err != nil {
			return err
		}
	}
	if err := tx.EraseGeneration(g.Room, g.Number); err != nil {
		return err
	}
	g.State, g.Since, g.Seq, g.Chain = store.GenClosed, g.c.nowMS(), e.Seq, e.Chain
	g.forget()
	g.watching = false
	*after = append(*after, func() {
		g.c.dropGen(g)
		g.c.emit(Event{Kind: EventRoom, Room: g.Room})
	})
	return orStop(tx.PutGeneration(g.Generation))
}

// replaced is a commit that removes this device and adds it again: the way back in is the
// invitation that comes with it, or, if that is lost, the asking for another.
func (g *gen) replaced(tx store.Tx, after *[]func(), e wire.Entry) error {
	g.State, g.Since, g.Seq, g.Chain, g.Context = store.GenLost, g.c.nowMS(), e.Seq, e.Chain, wire.Marshal(g.ctx)
	if err := tx.EraseGroup(g.Room, g.Number); err != nil {
		return err
	}
	if err := tx.Unseal(g.Room, 0, 0); err != nil {
		return err
	}
	g.forget()
	*after = append(*after, g.unwatch)
	due := g.c.nowMS() + replacedWait.Milliseconds()
	if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantRejoin, Body: wire.Marshal(wantGen{Generation: g.Number}), Due: due}); err != nil {
		return err
	}
	return orStop(tx.PutGeneration(g.Generation))
}

// proposed takes a proposal: only leaving is done by proposal.
func (g *gen) proposed(tx store.Tx, after *[]func(), msg *mls.Received) error {
	p := msg.Proposal
	if p.Proposal.Type != mls.ProposalRemove || p.Proposal.Removed != p.Sender || p.External {
		return nil // it is never committed
	}
	leaf, err := g.known.LeafOf(p.Sender, g.group.Member(p.Sender))
	if err != nil {
		return nil
	}
	g.stirred = true
	event := append([]byte("leave"), leaf.Device[:]...)
	due := g.c.nowMS() + g.rank(event)
	return tx.AddWant(store.Want{Room: g.Room, Kind: wantFarewell, Body: wire.Marshal(wantDevice{Generation: g.Number, Device: leaf.Device, Account: leaf.Account}), Due: due})
}

// rank is how long this device waits before it does what any member could do,
// milliseconds: members are ordered by hash(event, leaf), two seconds apart.
func (g *gen) rank(event []byte) int64 {
	if g.group == nil {
		return 0
	}
	mine := g.group.Member(g.group.OwnLeaf())
	if mine == nil {
		return 0
	}
	own := g.ctx.Rank(event, mine.SignatureKey)
	var before int64
	for _, n := range g.group.Members() {
		if r := g.ctx.Rank(event, n.SignatureKey); bytes.Compare(r[:], own[:]) < 0 {
			before++
		}
	}
	return before * 2000
}

// bundle is what a newcomer needs to verify the group as it is now.
func (g *gen) bundle() []byte {
	return wire.Marshal(room.Bundle{Tree: g.group.RatchetTree(), Chains: g.known.Proofs()})
}

// owner is this device as a leaf's owner.
func (c *Client) owner() room.Owner { return room.Owner{Account: c.chain.ID(), Device: c.keys.Name} }
