package play

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// moved waits until a person is in the second generation of a room, without somebody.
func moved(p *Person, title string, members int) {
	p.Eventually("the room moved", func() bool {
		r := p.Room(title)
		return r.Number == 2 && len(r.Members) == members
	}, func() any { r := p.Room(title); return []any{r.Number, len(r.Members)} })
}

// A member posts junk with a valid token. The room moves and goes on
// without them; nothing acknowledged is lost.
func TestJunkSwap(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	ana.Send("club", "before")
	bo.Reads("club", "before")
	mal.Reads("club", "before")
	mal.Sync()
	bo.Away()
	ana.Send("club", "while bo is away")
	mal.Reads("club", "before", "while bo is away")
	mal.Sync()
	m := mal.Turn("club")
	var next wire.Secret
	next[0] = 1
	if err := m.Append(bytes.Repeat([]byte{7}, 300), &wire.Swap{Next: next.Hash()}); err != nil {
		t.Fatal(err)
	}
	ana.Write("club", "after")
	moved(ana, "club", 2)
	ana.Told(client.NoticeMoved)
	bo.Back()
	moved(bo, "club", 2)
	bo.Reads("club", "before", "while bo is away", "after")
	bo.Send("club", "still here")
	ana.Reads("club", "before", "while bo is away", "after", "still here")
	mal.Back()
	mal.Sync()
	if got := mal.Texts("club"); slices.Contains(got, "after") || slices.Contains(got, "still here") {
		t.Fatalf("mallory reads %q", got)
	}
}

// Junk without a swap is passed over.
func TestJunkEntry(t *testing.T) {
	w := New(t)
	ana, mal := w.Person("ana"), w.Person("mal")
	group(t, "club", ana, mal)
	ana.Send("club", "one")
	mal.Reads("club", "one")
	mal.Sync()
	m := mal.Turn("club")
	for _, junk := range [][]byte{bytes.Repeat([]byte{1}, 300), m.Seal(room.Inner{Message: []byte("not mls")}), {1}} {
		if err := m.Append(junk, nil); err != nil {
			t.Fatal(err)
		}
	}
	ana.Told(client.NoticeJunk)
	ana.Send("club", "two")
	ana.Reads("club", "one", "two")
	if n := ana.Room("club").Number; n != 1 {
		t.Fatalf("generation %d", n)
	}
}

// Commits that the roles forbid, each by a member who is no admin: the room moves on
// without them.
func TestForbiddenCommits(t *testing.T) {
	forbidden := map[string]func(m *Mallory, w *World) mls.CommitParams{
		"removes somebody": func(m *Mallory, _ *World) mls.CommitParams {
			return mls.CommitParams{Proposals: []mls.Proposal{mls.RemoveProposal(m.other())}}
		},
		"names herself admin": func(m *Mallory, _ *World) mls.CommitParams {
			return m.context(m.Ctx.WithAdmin(m.self(), true))
		},
		"renames": func(m *Mallory, _ *World) mls.CommitParams {
			ctx := m.Ctx
			ctx.Title = "hers"
			return m.context(ctx)
		},
		"points to another log": func(m *Mallory, _ *World) mls.CommitParams {
			ctx := m.Ctx
			ctx.Log[0] ^= 1
			return m.context(ctx)
		},
		"takes the context away": func(m *Mallory, _ *World) mls.CommitParams {
			return mls.CommitParams{Proposals: []mls.Proposal{mls.GroupContextExtensionsProposal(nil)}}
		},
		"becomes somebody else": func(m *Mallory, _ *World) mls.CommitParams {
			cred := mls.BasicCredential([]byte("not her"))
			return mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred}}
		},
	}
	for name, make := range forbidden {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
			group(t, "club", ana, bo, mal)
			ana.Send("club", "before")
			for _, p := range []*Person{bo, mal} {
				p.Reads("club", "before")
				p.Sync()
			}
			m := mal.Turn("club")
			m.commit(make(m, w))
			moved(ana, "club", 2)
			moved(bo, "club", 2)
			bo.Send("club", "on we go")
			ana.Reads("club", "before", "on we go")
		})
	}
}

func (m *Mallory) other() uint32 {
	for i := range m.Group.Members() {
		if i != m.Group.OwnLeaf() && i != 0 {
			return i
		}
	}
	return 0
}

func (m *Mallory) context(c room.Context) mls.CommitParams {
	return mls.CommitParams{Proposals: []mls.Proposal{mls.GroupContextExtensionsProposal(c.Extensions())}}
}

// commit posts a commit with everything the server asks for, whatever it does.
func (m *Mallory) commit(p mls.CommitParams, proofs ...room.Proof) {
	m.t.Helper()
	s, err := m.Group.Commit(p)
	if err != nil {
		m.t.Fatal(err)
	}
	token, err := room.Token(s, m.Ctx.Log)
	if err != nil {
		m.t.Fatal(err)
	}
	swap := &wire.Swap{Next: token.Hash()}
	for _, i := range s.Removed() {
		swap.End = append(swap.End, m.Ctx.Tag(m.Group.Member(i).SignatureKey))
	}
	if err := m.Append(m.Seal(room.Inner{Message: s.Message(), Proofs: proofs}), swap); err != nil {
		m.t.Fatal(err)
	}
}

// A commit whose swap says something else than it does: wrong cursor lists, wrong token.
func TestWrongSwap(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	act(t, ana, "makes mal admin", func(ctx context.Context) error { return ana.Client.SetAdmin(ctx, "club", mal.Handle, true) })
	for _, p := range []*Person{ana, bo, mal} {
		p.Sync()
	}
	m := mal.Turn("club")
	s, err := m.Group.Commit(mls.CommitParams{ForcePath: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := room.Token(s, m.Ctx.Log)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * wire.SwapInterval)
	err = m.Append(m.Seal(room.Inner{Message: s.Message()}), &wire.Swap{Next: token.Hash(), End: []wire.Tag{m.Ctx.Tag(m.Group.Member(0).SignatureKey)}})
	if err != nil {
		t.Fatal(err)
	}
	moved(bo, "club", 2)
	moved(ana, "club", 2)
	bo.Send("club", "on we go")
	ana.Reads("club", "on we go")
}

// A member who asks the host for another swap than her entry names, so that the host would
// seem to lie: an honest one refuses it, and nothing has happened.
func TestSwapNotNamed(t *testing.T) {
	w := New(t)
	ana, bo, mal, _ := club(t, w, "one")
	m := mal.Turn("club")
	w.Clock.Advance(2 * wire.SwapInterval)
	named, other := &wire.Swap{Next: wire.Hash{1}}, &wire.Swap{Next: wire.Hash{2}}
	for name, a := range map[string]wire.Append{
		"another swap": {Entry: m.naming([]byte("junk"), named), Swap: other, Cursor: &m.Gen.Secret},
		"no name":      {Entry: m.Seal(room.Inner{Message: []byte("junk")}), Swap: other, Cursor: &m.Gen.Secret},
		"no swap":      {Entry: m.naming([]byte("junk"), named)},
	} {
		a.Log, a.Token = m.Gen.Log, m.Token()
		if _, err := m.Raw.Call(wire.OpAppend, a); !errors.Is(err, wire.Refuse(wire.CodeMalformed, "")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bo.Send("club", "two")
	ana.Reads("club", "one", "two")
	for _, p := range []*Person{ana, bo} {
		p.notTold(client.NoticeFork, client.NoticeJunk, client.NoticeMoved)
	}
}

// A room whose only admin breaks it is moved by somebody else, an hour later.
func TestMoveWithoutAdmin(t *testing.T) {
	w := New(t)
	mal, bo, cy := w.Person("mal"), w.Person("bo"), w.Person("cy")
	group(t, "club", mal, bo, cy)
	bo.Send("club", "hello")
	cy.Reads("club", "hello")
	mal.Reads("club", "hello")
	mal.Sync()
	m := mal.Turn("club")
	if err := m.Append(bytes.Repeat([]byte{7}, 300), &wire.Swap{Next: wire.Hash{1}}); err != nil {
		t.Fatal(err)
	}
	wedged := func(p *Person) {
		p.Write("club", "by "+p.Name)
		p.Eventually("waits", func() bool { return p.Wedged("club") }, func() any { return nil })
	}
	wedged(bo)
	wedged(cy)
	w.Clock.Advance(time.Hour + time.Minute)
	for _, p := range []*Person{bo, cy} {
		p.Eventually("has both", func() bool {
			got := p.Texts("club")
			return len(got) == 3 && slices.Contains(got, "by bo") && slices.Contains(got, "by cy") && p.Room("club").Number >= 2
		}, func() any { return p.Texts("club") })
		if n := len(p.Room("club").Members); n != 2 {
			t.Fatalf("%s sees %d members", p.Name, n)
		}
	}
}

// Wedged says whether a room waits to be moved.
func (p *Person) Wedged(title string) bool {
	id := p.Room(title).ID
	s, err := p.Client.GenerationState(id)
	return err == nil && s == store.GenWedged
}

// An append with a token of the past, or of nobody, and reading with a foreign cursor.
func TestForeignSecrets(t *testing.T) {
	w := New(t)
	ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
	group(t, "club", ana, bo, mal)
	mal.Sync()
	m := mal.Turn("club")
	old := m.Token()
	act(t, ana, "removes mal", func(ctx context.Context) error { return ana.Client.RemovePerson(ctx, "club", mal.Handle) })
	ana.Send("club", "without mal")
	_, err := m.Raw.Call(wire.OpAppend, wire.Append{Log: m.Gen.Log, Token: old, Entry: make([]byte, 300)})
	if !errors.Is(err, wire.Refuse(wire.CodeStaleToken, "")) {
		t.Fatalf("append with an old token: %v", err)
	}
	_, err = m.Raw.Call(wire.OpRead, wire.Read{Secret: wire.Secret{1, 2, 3}, Limit: 1 << 20})
	if !errors.Is(err, wire.Refuse(wire.CodeNoCursor, "")) {
		t.Fatalf("read with a foreign cursor: %v", err)
	}
	f, err := m.Raw.Call(wire.OpRead, wire.Read{Secret: m.Gen.Secret, After: m.Gen.Seq, Limit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var a wire.ReadAnswer
	if err := wire.Unmarshal(f.Body, &a); err != nil {
		t.Fatal(err)
	}
	for _, e := range a.Entries {
		if a.State.End == 0 || e.Seq > a.State.End {
			t.Fatalf("entry %d after the end %d of the cursor", e.Seq, a.State.End)
		}
	}
}

// A plain member invites others into a group of her own under the room's name, as if it
// had moved: the same generation with a lower log, or the next one. Nobody follows.
func TestTakeover(t *testing.T) {
	for name, change := range map[string]func(*room.Context, *room.Invitation){
		"same generation": func(*room.Context, *room.Invitation) {},
		"next generation": func(c *room.Context, _ *room.Invitation) { c.Generation++ },
		"far generation":  func(c *room.Context, _ *room.Invitation) { c.Generation += 1 << 40 },
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
			group(t, "club", ana, bo, mal)
			ana.Send("club", "before")
			for _, p := range []*Person{bo, mal} {
				p.Reads("club", "before")
				p.Sync()
			}
			act(t, mal, "knows bo", func(ctx context.Context) error {
				_, err := mal.Client.Send(ctx, bo.Handle, client.Text("hi"))
				return err
			})
			accept(t, bo, mal.Handle)
			m := mal.Turn("club")
			m.Takeover(bo, func(c *room.Context, i *room.Invitation) {
				c.Title = "taken"
				change(c, i)
			})
			bo.Sync()
			ana.Send("club", "after")
			bo.Reads("club", "before", "after")
			if r := bo.Room("taken"); r.Title == "taken" {
				t.Fatal("bo followed a member who may not move the room")
			}
			for _, x := range bo.Room("club").Members {
				if x.Admin != (x.Handle == ana.Handle) {
					t.Fatalf("%s admin: %v", x.Handle, x.Admin)
				}
			}
		})
	}
}

// Commits that do their damage beside the roles: proofs of strangers, which would keep
// newcomers out, and other extensions in the group's context.
func TestPoisonedCommits(t *testing.T) {
	for name, make := range map[string]func(m *Mallory) (mls.CommitParams, []room.Proof){
		"proof of a stranger": func(m *Mallory) (mls.CommitParams, []room.Proof) {
			k := must(identity.NewKeys(rnd))
			chain := must(identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "x", Host: "example.org"}, time.Now())}))
			proofs := []room.Proof{{Account: chain.ID(), Statements: chain.Statements(0)}}
			return mls.CommitParams{ForcePath: true, AAD: room.ProofsHash(proofs)}, proofs
		},
		"proofs that the commit does not name": func(m *Mallory) (mls.CommitParams, []room.Proof) {
			k := must(identity.NewKeys(rnd))
			chain := must(identity.Verify([][]byte{k.Genesis(wire.Handle{Name: "x", Host: "example.org"}, time.Now())}))
			return mls.CommitParams{ForcePath: true}, []room.Proof{{Account: chain.ID(), Statements: chain.Statements(0)}}
		},
		"another extension": func(m *Mallory) (mls.CommitParams, []room.Proof) {
			return mls.CommitParams{Proposals: []mls.Proposal{mls.GroupContextExtensionsProposal(m.Ctx.Extensions()[1:])}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			ana, bo, mal := w.Person("ana"), w.Person("bo"), w.Person("mal")
			group(t, "club", ana, bo, mal)
			for _, p := range []*Person{ana, bo, mal} {
				p.Sync()
			}
			m := mal.Turn("club")
			params, proofs := make(m)
			m.commit(params, proofs...)
			moved(ana, "club", 2)
			moved(bo, "club", 2)
			cy := w.Person("cy")
			act(t, ana, "adds cy", func(ctx context.Context) error { return ana.Client.AddPeople(ctx, "club", []string{cy.Handle}) })
			accept(t, cy, ana.Handle)
			cy.Send("club", "here")
			bo.Reads("club", "here")
		})
	}
}

// Whose host is gone for a day, or whose state nobody can restore: the room moves.
func TestDeadHost(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo := w.PersonAt("ana", far), w.Person("bo")
	cy := w.Person("cy")
	group(t, "club", ana, bo, cy)
	bo.Send("club", "before")
	cy.Reads("club", "before")
	far.Stop()
	bo.Write("club", "bo, while it is gone")
	bo.Eventually("its server is missed", func() bool { return bo.Client.Unreachable(far.Name) }, func() any { return nil })
	cy.Eventually("its server is missed", func() bool { return cy.Client.Unreachable(far.Name) }, func() any { return nil })
	w.Clock.Advance(26 * time.Hour)
	for _, p := range []*Person{bo, cy} {
		p.Eventually("waits", func() bool { return p.Wedged("club") }, func() any { return nil })
	}
	w.Clock.Advance(2 * time.Hour) // others than admins wait an hour
	for _, p := range []*Person{bo, cy} {
		p.Reads("club", "before", "bo, while it is gone")
		p.Eventually("moved", func() bool { return p.Room("club").Number >= 2 }, func() any { return p.Room("club").Number })
	}
	cy.Send("club", "on we go")
	bo.Reads("club", "before", "bo, while it is gone", "on we go")
}
