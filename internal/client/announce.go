package client

import (
	"encoding/hex"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/mls"
)

// announce tells the person what a commit changes, and who did it.
func (g *gen) announce(tx store.Tx, after *[]func(), s *mls.StagedCommit, change *room.Change) error {
	for _, part := range []func(store.Tx, *mls.StagedCommit, *room.Change) []happened{g.saysPeople, g.saysRoles, g.saysContext} {
		for _, x := range part(tx, s, change) {
			if err := g.c.notice(tx, after, &g.Room, x.kind, x.says); err != nil {
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

// happened is what a notice tells of a commit.
type happened struct {
	kind    string
	says    said.Said
	removed *identity.ID // an account, by somebody else
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

// self says whether an account is this person's.
func (g *gen) self(id identity.ID) bool { return id == g.c.chain.ID() }

// saysPeople tells who came and who is gone.
func (g *gen) saysPeople(tx store.Tx, s *mls.StagedCommit, change *room.Change) (out []happened) {
	committer := change.Committer.Account
	by := g.who(tx, change.Known, committer)
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
			key := said.Act("added", g.self(committer), g.self(l.Account))
			out = append(out, happened{kind: NoticeJoined, says: said.Of(key, "by", by, "name", g.who(tx, change.Known, l.Account))})
		}
	}
	for _, l := range change.Removed {
		if stay[l.Account] || change.Own {
			continue
		}
		stay[l.Account] = true // once for all their devices
		name := g.who(tx, g.known, l.Account)
		switch {
		case leftByItself(s, l.Index) || l.Account == committer:
			out = append(out, happened{kind: NoticeLeft, says: said.Of(said.Act("left", g.self(l.Account), false), "name", name)})
		case change.Disowned(l):
			out = append(out, happened{kind: NoticeLeft, says: said.Of("no-device", "name", name)})
		default:
			key := said.Act("removed", g.self(committer), false)
			out = append(out, happened{kind: NoticeLeft, says: said.Of(key, "by", by, "name", name), removed: &l.Account})
		}
	}
	return out
}

// saysRoles tells who may manage the room, and who may not any more.
func (g *gen) saysRoles(tx store.Tx, s *mls.StagedCommit, change *room.Change) (out []happened) {
	if change.Before.Kind != room.Group {
		return nil
	}
	committer := change.Committer.Account
	by := g.who(tx, change.Known, committer)
	say := func(key string, id identity.ID) {
		out = append(out, happened{kind: NoticeRenamed, says: said.Of(key, "by", by, "name", g.who(tx, change.Known, id))})
	}
	heir := !change.Before.IsAdmin(committer) // a room without admins gets one, whoever commits
	for _, id := range change.After.Admins {
		switch {
		case change.Before.IsAdmin(id):
		case heir:
			say(said.Act("heir", false, g.self(id)), id)
		default:
			say(said.Act("admin", g.self(committer), g.self(id)), id)
		}
	}
	for _, id := range change.Before.Admins {
		if change.After.IsAdmin(id) || change.Known[id] == nil { // who is gone is told as gone
			continue
		}
		say(said.Act("no-admin", g.self(committer), g.self(id)), id)
	}
	return out
}

// saysContext tells of title, picture and disappearing time.
func (g *gen) saysContext(tx store.Tx, _ *mls.StagedCommit, change *room.Change) (out []happened) {
	b, a := change.Before, change.After
	committer := change.Committer.Account
	by := g.who(tx, change.Known, committer)
	form := func(key string) string { return said.Act(key, g.self(committer), false) }
	say := func(kind string, says said.Said) { out = append(out, happened{kind: kind, says: says}) }
	switch {
	case a.Title == b.Title:
	case a.Title == "":
		say(NoticeRenamed, said.Of(form("no-title"), "by", by))
	default:
		say(NoticeRenamed, said.Of(form("title"), "by", by, "title", a.Title))
	}
	switch {
	case string(a.Picture) == string(b.Picture):
	case a.PictureOf() == nil:
		say(NoticeRenamed, said.Of(form("no-picture"), "by", by))
	default:
		say(NoticeRenamed, said.Of(form("picture"), "by", by))
	}
	switch {
	case a.Disappear == b.Disappear:
	case a.Disappear == 0:
		say(NoticeDisappear, said.Of(form("stay"), "by", by))
	default:
		say(NoticeDisappear, said.Of(form("vanish"), "by", by).Count(int64(a.Disappear)))
	}
	return out
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
