package client

import (
	"encoding/hex"
	"fmt"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/mls"
)

// announce tells the person what a commit changes, and who did it.
func (g *gen) announce(tx store.Tx, after *[]func(), s *mls.StagedCommit, change *room.Change) error {
	for _, part := range []func(store.Tx, *mls.StagedCommit, *room.Change) []said{g.saysPeople, g.saysRoles, g.saysContext} {
		for _, x := range part(tx, s, change) {
			if err := g.c.notice(tx, after, &g.Room, x.kind, x.text); err != nil {
				return err
			}
			if x.removed != nil {
				if err := g.c.shutOutOfLinks(tx, g.Room, *x.removed); err != nil {
					return err
				}
			}
		}
	}
	if string(change.After.Picture) != string(change.Before.Picture) {
		if err := g.pictureSet(tx, change); err != nil {
			return err
		}
	}
	if change.After.Title == change.Before.Title {
		return nil
	}
	r, err := tx.Room(g.Room)
	if err != nil || r == nil {
		return err
	}
	r.Title = change.After.Title
	return tx.PutRoom(*r)
}

type said struct {
	kind, text string
	removed    *identity.ID // an account, by somebody else
}

// who is how a notice calls an account of this room.
func (g *gen) who(tx store.Tx, known room.Knowledge, id identity.ID) string {
	handle := hex.EncodeToString(id[:4])
	if chain := known[id]; chain != nil {
		handle = chain.Handle()
	} else if h, err := tx.Handle(id); err == nil && h != "" {
		handle = h
	}
	return g.c.called(tx, id, handle)
}

// whom is the same where something is done to somebody.
func (g *gen) whom(tx store.Tx, known room.Knowledge, id identity.ID) string {
	if id == g.c.chain.ID() {
		return "you"
	}
	return g.who(tx, known, id)
}

// saysPeople tells who came and who is gone.
func (g *gen) saysPeople(tx store.Tx, s *mls.StagedCommit, change *room.Change) (out []said) {
	by := g.who(tx, change.Known, change.Committer.Account)
	had, stay := map[identity.ID]bool{}, map[identity.ID]bool{}
	for i, n := range g.group.Members() {
		if l, err := g.known.LeafOf(i, n); err == nil {
			had[l.Account] = true
		}
	}
	for i, n := range s.Members() {
		if l, err := change.Known.LeafOf(i, n); err == nil {
			stay[l.Account] = true
		}
	}
	for _, l := range change.Added {
		if !had[l.Account] {
			had[l.Account] = true
			out = append(out, said{kind: NoticeJoined, text: fmt.Sprintf("%s added %s.", by, g.whom(tx, change.Known, l.Account))})
		}
	}
	own := map[uint32]bool{} // who asked for it themselves
	for _, p := range s.Proposals() {
		if p.ByReference && p.Proposal.Type == mls.ProposalRemove && p.Sender == p.Proposal.Removed {
			own[p.Proposal.Removed] = true
		}
	}
	for _, l := range change.Removed {
		if stay[l.Account] || change.Own {
			continue
		}
		stay[l.Account] = true // once for all their devices
		name := g.who(tx, g.known, l.Account)
		switch {
		case own[l.Index] || l.Account == change.Committer.Account:
			out = append(out, said{kind: NoticeLeft, text: name + " left."})
		default:
			out = append(out, said{kind: NoticeLeft, text: fmt.Sprintf("%s removed %s.", by, name)})
			out[len(out)-1].removed = &l.Account
		}
	}
	return out
}

// saysRoles tells who may manage the room, and who may not any more.
func (g *gen) saysRoles(tx store.Tx, s *mls.StagedCommit, change *room.Change) (out []said) {
	if change.Before.Kind != room.Group {
		return nil
	}
	by := g.who(tx, change.Known, change.Committer.Account)
	heir := !change.Before.IsAdmin(change.Committer.Account) // a room without admins gets one, whoever commits
	for _, id := range change.After.Admins {
		if change.Before.IsAdmin(id) {
			continue
		}
		text := fmt.Sprintf("%s made %s an admin of this room.", by, g.whom(tx, change.Known, id))
		if heir {
			text = fmt.Sprintf("Nobody was left who manages this room: %s can do so now.", g.whom(tx, change.Known, id))
		}
		out = append(out, said{kind: NoticeRenamed, text: text})
	}
	for _, id := range change.Before.Admins {
		if change.After.IsAdmin(id) || change.Known[id] == nil { // who is gone is told as gone
			continue
		}
		out = append(out, said{kind: NoticeRenamed, text: fmt.Sprintf("%s took the role of an admin from %s.", by, g.whom(tx, change.Known, id))})
	}
	return out
}

// saysContext tells of title, picture and disappearing time.
func (g *gen) saysContext(tx store.Tx, _ *mls.StagedCommit, change *room.Change) (out []said) {
	b, a := change.Before, change.After
	by := g.who(tx, change.Known, change.Committer.Account)
	say := func(format string, args ...any) {
		out = append(out, said{kind: NoticeRenamed, text: by + " " + fmt.Sprintf(format, args...)})
	}
	switch {
	case a.Title == b.Title:
	case a.Title == "":
		say("took the name of this room away.")
	default:
		say("named this room %q.", a.Title)
	}
	switch {
	case string(a.Picture) == string(b.Picture):
	case a.PictureOf() == nil:
		say("took the picture of this room away.")
	default:
		say("changed the picture of this room.")
	}
	switch {
	case a.Disappear == b.Disappear:
	case a.Disappear == 0:
		out = append(out, said{kind: NoticeDisappear, text: by + " set messages here to stay."})
	default:
		out = append(out, said{kind: NoticeDisappear, text: fmt.Sprintf("%s set messages here to vanish %s after they are read.", by, span(a.Disappear))})
	}
	return out
}

// span is a time in words: in the largest unit that it is a whole number of.
func span(seconds uint64) string {
	for _, u := range []struct {
		seconds uint64
		name    string
	}{{7 * 86400, "week"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}} {
		n := seconds / u.seconds
		switch {
		case n == 0 || seconds%u.seconds != 0:
		case n == 1:
			return "one " + u.name
		default:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "0 seconds"
}

// nameOf is how a notice calls a leaf's owner.
func (c *Client) nameOf(tx store.Tx, known room.Knowledge, l room.Leaf) string {
	handle := l.Handle
	if chain := known[l.Account]; chain != nil {
		handle = chain.Handle()
	} else if h, err := tx.Handle(l.Account); err == nil && h != "" {
		handle = h
	}
	return c.called(tx, l.Account, handle)
}
