package play

import (
	"crypto/sha256"
	"path/filepath"
	"slices"
	"testing"

	"sotto/internal/client"
	"sotto/internal/dial"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Mallory is a member who has stopped her client and does with its keys what she likes.
type Mallory struct {
	t     testing.TB
	clock *Clock
	Keys  *identity.Keys
	Gen   store.Generation
	Group *mls.Group
	Ctx   room.Context
	Known room.Knowledge
	Raw   *Raw
}

// Turn makes a person hostile in one of their rooms.
func (p *Person) Turn(title string) *Mallory {
	t := p.w.T
	t.Helper()
	id := p.Room(title).ID
	p.Away()
	st, err := store.Open(store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	m := &Mallory{t: t, clock: p.w.Clock}
	err = st.View(func(tx store.Tx) error {
		b, _, err := tx.Fact("keys")
		if err != nil {
			return err
		}
		if m.Keys, err = identity.ParseKeys(b); err != nil {
			return err
		}
		r, err := tx.Room(id)
		if err != nil {
			return err
		}
		g, err := tx.Generation(id, r.Generation)
		if err != nil {
			return err
		}
		m.Gen = *g
		if m.Known, err = tx.Known(id, r.Generation); err != nil {
			return err
		}
		m.Group, err = mls.LoadGroup(mls.Config{Suite: g.Suite, Signer: m.Keys.Signature, Supported: []uint16{room.ExtContext}}, tx.GroupReader(id, r.Generation))
		if err != nil {
			return err
		}
		m.Ctx, err = room.ContextOf(m.Group.ContextExtensions())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Raw = p.w.Dial(m.Gen.Host, "/v1/log")
	return m
}

// self is Mallory's account.
func (m *Mallory) self() (id [32]byte) {
	for i, n := range m.Group.Members() {
		if l, err := m.Known.LeafOf(i, n); err == nil && l.Device == m.Keys.Name {
			return l.Account
		}
	}
	return id
}

// Token is the present write token.
func (m *Mallory) Token() wire.Secret {
	s, err := room.Token(m.Group, m.Gen.Log)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// Seal seals an entry as a member would.
func (m *Mallory) Seal(inner room.Inner) []byte {
	b, err := room.SealEntry(rnd, m.Group, m.Gen.Log, inner)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

// Append posts an entry, perhaps with a swap, and answers the refusal. With a swap the entry
// is made to name it, since the host takes no other.
func (m *Mallory) Append(entry []byte, swap *wire.Swap) error {
	if swap != nil {
		entry = m.naming(entry, swap)
	}
	a := wire.Append{Log: m.Gen.Log, Token: m.Token(), Entry: entry, Swap: swap}
	if swap != nil {
		a.Cursor = &m.Gen.Secret
	}
	_, err := m.Raw.Call(wire.OpAppend, a)
	return err
}

// naming is an entry that names a swap, sealed if it was.
func (m *Mallory) naming(entry []byte, swap *wire.Swap) []byte {
	if inner, err := room.OpenEntry(m.Group, m.Gen.Log, entry); err == nil {
		b, err := room.SealSwap(rnd, m.Group, m.Gen.Log, inner, *swap)
		if err != nil {
			m.t.Fatal(err)
		}
		return b
	}
	claim := swap.Claim()
	return slices.Concat([]byte{wire.SwapEntry}, claim[:], entry)
}

// Raw is a bare connection that speaks frames.
type Raw struct {
	t      testing.TB
	conn   client.Conn
	frames chan wire.Frame
	last   uint64
}

// Dial opens a bare connection and says hello.
func (w *World) Dial(host, path string) *Raw {
	w.T.Helper()
	n := dial.New(dial.Options{})
	w.T.Cleanup(n.Close)
	r := &Raw{t: w.T, frames: make(chan wire.Frame, 1024)}
	up := make(chan client.Conn, 1)
	down := make(chan error, 1)
	n.Dial(host, path, true, func(c client.Conn) { up <- c }, func(b []byte) {
		if f, err := wire.DecodeFrame(b); err == nil {
			r.frames <- f
		}
	}, func(err error) { down <- err; close(r.frames) })
	select {
	case r.conn = <-up:
	case err := <-down:
		w.T.Fatal(err)
	}
	if _, err := r.Call(wire.OpHello, wire.Hello{Lowest: 1, Highest: 1}); err != nil {
		w.T.Fatal(err)
	}
	return r
}

// Call sends a request and waits for its answer; events on the way are dropped.
func (r *Raw) Call(op wire.Op, body any) (wire.Frame, error) {
	r.t.Helper()
	r.last++
	r.conn.Send(wire.EncodeFrame(r.last, uint16(op), body))
	for f := range r.frames {
		if f.ID == r.last {
			return f, f.Err()
		}
	}
	r.t.Fatal("the server closed the connection")
	return wire.Frame{}, nil
}

// Takeover makes a group of Mallory's own under the same room and invites somebody into
// it, as if the room had moved.
func (m *Mallory) Takeover(victim *Person, change func(*room.Context, *room.Invitation)) {
	t := m.t
	t.Helper()
	get := func(method, path string, body []byte, into any) {
		t.Helper()
		ch := make(chan error, 1)
		victim.Net.Do(client.Request{Host: victim.Host.Name, Method: method, Path: path, Private: true, Body: body, Limit: 1 << 20}, func(a client.Answer, err error) {
			if err == nil {
				err = wire.Unmarshal(a.Body, into)
			}
			ch <- err
		})
		if err := <-ch; err != nil {
			t.Fatal(err)
		}
	}
	var l wire.Lookup
	get("GET", "/v1/directory/"+victim.Name, nil, &l)
	var claimed wire.ClaimedPackages
	get("POST", "/v1/directory/"+victim.Name+"/key-packages", wire.Marshal(wire.ClaimPackages{Suite: uint16(m.Gen.Suite)}), &claimed)
	kp, err := mls.ParseKeyPackage(claimed.Packages[0].KeyPackage)
	if err != nil {
		t.Fatal(err)
	}
	own := m.Known[m.self()]
	theirs, err := identity.Verify(l.Chain)
	if err != nil {
		t.Fatal(err)
	}
	known := room.Knowledge{own.ID(): own, theirs.ID(): theirs}
	ctx := m.Ctx
	i := room.Invitation{Room: ctx.Room}
	ctx.Log = wire.LogName{}
	ctx.Admins = nil
	ctx = ctx.WithAdmin(own.ID(), true)
	ctx.Before = &room.Place{Log: m.Gen.Log}
	if m.Ctx.Before != nil {
		ctx.Before = m.Ctx.Before
	}
	change(&ctx, &i)
	g, err := mls.NewGroup(mls.Config{Suite: m.Gen.Suite, Signer: m.Keys.Signature, Supported: []uint16{room.ExtContext}}, []byte("taken over"),
		mls.BasicCredential(identity.CredentialOf(own, m.Keys.Name).Marshal()), ctx.Extensions())
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp)}, OmitTree: true, ForcePath: true})
	if err != nil {
		t.Fatal(err)
	}
	welcome := s.Welcomes()[0]
	if err := g.Merge(s); err != nil {
		t.Fatal(err)
	}
	i.Generation, i.Kind, i.Host, i.At = ctx.Generation, ctx.Kind, ctx.Host, room.Place{Log: ctx.Log}
	i.Welcome, i.Title = welcome, ctx.Title
	i.Move = &room.Move{From: *ctx.Before, Reason: "mine now"}
	i.Bundle = wire.Marshal(room.Bundle{Tree: g.RatchetTree(), Chains: known.Proofs()})
	device := theirs.ActiveDevices()[0]
	sealed, err := room.SealEnvelope(m.Keys, own, device, room.EnvelopeInvitation, wire.Marshal(i), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Raw.Call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed}); err != nil {
		t.Fatal(err)
	}
}
