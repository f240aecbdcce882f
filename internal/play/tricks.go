package play

import (
	"sotto/internal/client"
	"sotto/internal/dial"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Post posts an application message that says whatever she likes.
func (m *Mallory) Post(kind room.PayloadKind, body []byte) {
	m.t.Helper()
	m.PostRaw(wire.Marshal(room.Payload{Kind: kind, Body: body, Seq: m.Gen.Seq, Chain: m.Gen.Chain, TimeMS: 1}))
}

// PostRaw posts an application message that may not even be a payload.
func (m *Mallory) PostRaw(plain []byte) {
	m.t.Helper()
	msg, _, err := m.Group.Seal(nil, plain)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := m.Append(m.Seal(room.Inner{Message: msg}), nil); err != nil {
		m.t.Fatal(err)
	}
}

// Read reads what members have written into her log since she came.
func (m *Mallory) Read() (out [][]byte) {
	m.t.Helper()
	f, err := m.Raw.Call(wire.OpRead, wire.Read{Secret: m.Gen.Secret, After: m.Gen.Seq, Limit: 1 << 20})
	if err != nil {
		m.t.Fatal(err)
	}
	var a wire.ReadAnswer
	if err := wire.Unmarshal(f.Body, &a); err != nil {
		m.t.Fatal(err)
	}
	for _, e := range a.Entries {
		m.Gen.Seq = e.Seq
		inner, err := room.OpenEntry(m.Group, m.Gen.Log, e.Bytes)
		if err != nil {
			continue
		}
		if msg, err := m.Group.Open(inner.Message); err == nil && msg.Kind == mls.KindApplication {
			out = append(out, msg.Plaintext)
		}
	}
	return out
}

// fetch makes one request to a server.
func fetch[T any](w *World, host, method, path string, body []byte) (v T) {
	t := w.T
	t.Helper()
	n := dial.New(dial.Options{})
	defer n.Close()
	ch := make(chan error, 1)
	n.Do(client.Request{Host: host, Method: method, Path: path, Private: true, Body: body, Limit: 1 << 20}, func(a client.Answer, err error) {
		if err == nil {
			err = wire.Unmarshal(a.Body, &v)
		}
		ch <- err
	})
	if err := <-ch; err != nil {
		t.Fatal(err)
	}
	return v
}

// Impostor is a stranger with an account of her own and a chain, made by herself, that
// names another's handle. She invites the victim into a conversation of two.
func (p *Person) Impostor(handle string, victim *Person) *Mallory {
	w, t := p.w, p.w.T
	t.Helper()
	account := p.Greet(p.keysOf())
	k := good(identity.NewKeys(rnd))
	h, err := wire.ParseHandle(handle)
	if err != nil {
		t.Fatal(err)
	}
	own := good(identity.Verify([][]byte{k.Genesis(h, w.Clock.Now())}))
	l := fetch[wire.Lookup](w, victim.Host.Name, "GET", "/v1/directory/"+victim.Name, nil)
	theirs := good(identity.Verify(l.Chain))
	claimed := fetch[wire.ClaimedPackages](w, victim.Host.Name, "POST", "/v1/directory/"+victim.Name+"/key-packages", wire.Marshal(wire.ClaimPackages{Suite: uint16(w.Suite)}))
	kp := good(mls.ParseKeyPackage(claimed.Packages[0].KeyPackage))
	ctx := room.Context{Rules: room.Rules, Generation: 1, Host: p.Host.Name, Kind: room.Pair, TTL: uint64(wire.EntryLifetime.Seconds())}
	_, _ = rnd.Read(ctx.Room[:])
	_, _ = rnd.Read(ctx.Log[:])
	_, _ = rnd.Read(ctx.Key[:])
	ctx = ctx.WithAdmin(own.ID(), true).WithAdmin(theirs.ID(), true)
	g := good(mls.NewGroup(mls.Config{Suite: w.Suite, Signer: k.Signature, Supported: []uint16{room.ExtContext}}, []byte("impostor"),
		mls.BasicCredential(identity.CredentialOf(own, k.Name).Marshal()), ctx.Extensions()))
	s := good(g.Commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp)}, OmitTree: true, ForcePath: true}))
	welcome := s.Welcomes()[0]
	if err := g.Merge(s); err != nil {
		t.Fatal(err)
	}
	known := room.Knowledge{own.ID(): own, theirs.ID(): theirs}
	m := &Mallory{t: t, Keys: k, Group: g, Ctx: ctx, Known: known, Raw: w.Dial(p.Host.Name, "/v1/log")}
	m.Gen = store.Generation{Room: ctx.Room, Number: 1, Host: ctx.Host, Log: ctx.Log, Secret: wire.Secret{1}, Chain: wire.EmptyChain(ctx.Log)}
	_, _ = rnd.Read(m.Gen.Secret[:])
	cursor := wire.Secret{2}
	_, _ = rnd.Read(cursor[:])
	token := m.Token()
	device := theirs.ActiveDevices()[0]
	create := wire.Create{Log: ctx.Log, Token: token.Hash(), TTL: ctx.TTL, Cursors: []wire.NewCursor{
		{Tag: ctx.Tag(k.Device().Signature), Hash: m.Gen.Secret.Hash()}, {Tag: ctx.Tag(device.Signature), Hash: cursor.Hash()}}}
	if _, err := account.Call(wire.OpCreate, create); err != nil {
		t.Fatal(err)
	}
	i := room.Invitation{Room: ctx.Room, Generation: 1, Kind: room.Pair, Host: ctx.Host, At: room.Place{Log: ctx.Log}, Cursor: cursor, Welcome: welcome,
		Bundle: wire.Marshal(room.Bundle{Tree: g.RatchetTree(), Chains: known.Proofs()})}
	sealed := good(room.SealEnvelope(k, own, device, room.EnvelopeInvitation, wire.Marshal(i), 1))
	if _, err := m.Raw.Call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed}); err != nil {
		t.Fatal(err)
	}
	return m
}

// good is a value that could be made; a play that cannot make its props is broken.
func good[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
