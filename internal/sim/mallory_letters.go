package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sotto/internal/client"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// invitationAttacks put letters into inboxes: into a room under this one's name, to hosts
// of her choice, in another's name. Nobody follows.
var invitationAttacks = []MemberAttack{
	takeover("takes the room over", "invites into a group of her own of the same generation, whose log sorts lower", func(c *room.Context, _ *room.Invitation) {}),
	takeover("the next generation", "invites into a group of her own as if the room had moved", func(c *room.Context, _ *room.Invitation) { c.Generation++ }),
	takeover("a far generation", "does so with the last generation that there can be", func(c *room.Context, _ *room.Invitation) { c.Generation = 1<<64 - 1 }),
	takeover("generation 2^63", "does so with a generation that a database may take for negative", func(c *room.Context, _ *room.Invitation) { c.Generation = 1 << 63 }),
	takeover("moved from elsewhere", "does so and says that it moved from a log that never was", func(c *room.Context, _ *room.Invitation) {
		c.Generation++
		c.Before = &room.Place{Log: wire.LogName{9}, Seq: 1 << 62}
	}),
	takeover("back into the same log", "invites into a group of her own that lies in the room's own log", func(c *room.Context, i *room.Invitation) {
		c.Log = i.At.Log
	}),
	takeover("another kind of room", "invites into a conversation of two under the room's name", func(c *room.Context, _ *room.Invitation) {
		c.Generation++
		c.Kind = room.Pair
	}),
	{
		Name: "a host that nobody accepted", Does: "invites people who never wrote to her to a host of her choice", Within: soon,
		Try: func(m *Mallory) {
			for _, d := range m.w.honest() {
				if m.isContact(d) {
					continue // who accepted her takes her invitations, wherever they lead
				}
				m.invite(d, func(c *room.Context, i *room.Invitation) {
					c.Room, c.Generation, c.Before, c.Host = room.ID(m.secret()), 1, nil, evilHost
				})
			}
		},
		Effect: uncontacted,
	},
	{
		Name: "repeated letters", Does: "puts the same letters into inboxes again and again", May: movesOn, Within: soon,
		Try: func(m *Mallory) {
			for _, d := range m.w.honest() {
				if body := m.invitation(d, func(c *room.Context, _ *room.Invitation) { c.Generation++ }); body != nil {
					for range 10 {
						m.letter(d, m.Chain, room.EnvelopeInvitation, wire.Marshal(*body))
					}
				}
			}
		},
		Effect: stayed,
	},
	{
		Name: "another's chain", Does: "writes letters with another's chain, which she cannot sign for", Within: soon,
		Try: func(m *Mallory) {
			for _, d := range m.w.honest() {
				for _, l := range m.others(true) {
					m.letter(d, m.Known[l.Account], room.EnvelopeInvitation, m.bytes(100))
					m.letter(d, m.Known[l.Account], room.EnvelopeRejoin, m.bytes(100))
				}
				m.letter(d, m.Chain, 77, m.bytes(100))
				m.letter(d, m.Chain, room.EnvelopeInvitation, slices.Repeat([]byte{0x81}, 10_000))
			}
		},
	},
	{
		Name: "many invitations", Does: "puts more invitations than anybody reads into everybody's inbox, to this room and to others", Within: soon,
		Try: func(m *Mallory) {
			for _, d := range m.w.honest() {
				if m.isContact(d) {
					continue // who accepted her gets into her rooms
				}
				body := m.invitation(d, func(c *room.Context, _ *room.Invitation) { c.Generation++ })
				if body == nil {
					continue
				}
				for i := range 80 {
					x := *body
					x.Move = &room.Move{Reason: strings.Repeat("x", i)}
					if i%2 == 0 {
						x.Room = room.ID(m.secret())
					}
					x.First = m.bytes(4000)
					m.letter(d, m.Chain, room.EnvelopeInvitation, wire.Marshal(x))
				}
			}
		},
		Effect: fewInvitations,
	},
}

// evilHost is a host of hers.
const evilHost = "evil.test"

// uncontacted says that nobody contacts a host that she names.
func uncontacted(m *Mallory) error {
	for _, d := range m.w.honest() {
		for _, h := range d.Client.Hosts() {
			if h.Name == evilHost {
				return fmt.Errorf("%s contacts %s", d.Name, h.Name)
			}
		}
	}
	return nil
}

// fewInvitations says that what waits at people's is bounded.
func fewInvitations(m *Mallory) error {
	for _, d := range m.w.honest() {
		list, err := d.Client.Requests()
		if err != nil || len(list) > 32 {
			return fmt.Errorf("%s has %d requests (%v)", d.Name, len(list), err)
		}
	}
	return nil
}

// takeover invites everybody into a group of hers under the room's id.
func takeover(name, does string, change func(*room.Context, *room.Invitation)) MemberAttack {
	return MemberAttack{
		Name: name, Does: does, May: movesOn, Within: soon,
		Try: func(m *Mallory) {
			for _, d := range m.w.honest() {
				if m.leaf(d) != nil {
					m.invite(d, change)
				}
			}
			m.sleep(2 * time.Minute) // it is looked at again every minute
		},
		Effect: stayed,
	}
}

// stayed says that nobody is in a group of hers: all are in a room with all. An admin may
// have moved it, who takes her letter for that of a member who could not go on.
func stayed(m *Mallory) error {
	for _, d := range m.w.honest() {
		rooms, err := d.Client.Rooms()
		if err != nil {
			return err
		}
		for _, r := range rooms {
			if r.ID != m.Gen.Room || m.leaf(d) == nil {
				continue
			}
			if r.State != store.RoomActive || r.Kind != m.Ctx.Kind || r.Members != nil && len(r.Members) < m.Group.MemberCount()-1 {
				return fmt.Errorf("%s is in generation %d with %d others", d.Name, r.Number, len(r.Members)-1)
			}
		}
	}
	return nil
}

// isContact says whether somebody has accepted her.
func (m *Mallory) isContact(d *Device) bool {
	rooms, err := d.Client.Rooms()
	self := m.self()
	return err == nil && slices.ContainsFunc(rooms, func(r client.RoomInfo) bool { return r.Kind == room.Pair && r.Peer != nil && *r.Peer == self })
}

// invite puts an invitation into a group of her own into somebody's inbox.
func (m *Mallory) invite(d *Device, change func(*room.Context, *room.Invitation)) {
	if body := m.invitation(d, change); body != nil {
		m.letter(d, m.Chain, room.EnvelopeInvitation, wire.Marshal(*body))
	}
}

// claim looks somebody up and takes a key package of theirs; nil when there is none.
func (m *Mallory) claim(d *Device) (*mls.KeyPackage, *identity.Chain) {
	name := strings.TrimSuffix(d.Handle, "@"+d.Home.Name)
	var l wire.Lookup
	var claimed wire.ClaimedPackages
	err := m.fetch(d.Home.Name, "GET", "/v1/directory/"+name, nil, &l)
	if err == nil {
		err = m.fetch(d.Home.Name, "POST", "/v1/directory/"+name+"/key-packages", wire.Marshal(wire.ClaimPackages{Suite: uint16(m.Gen.Suite)}), &claimed)
	}
	if err != nil || len(claimed.Packages) == 0 {
		m.cannot(err)
		return nil, nil
	}
	kp, err := mls.ParseKeyPackage(claimed.Packages[0].KeyPackage)
	if err != nil {
		m.cannot(err)
		return nil, nil
	}
	chain, err := identity.Verify(l.Chain)
	if err != nil {
		m.cannot(err)
		return nil, nil
	}
	return kp, chain
}

// invitation makes a group of her own with somebody.
func (m *Mallory) invitation(d *Device, change func(*room.Context, *room.Invitation)) *room.Invitation {
	kp, theirs := m.claim(d)
	if kp == nil {
		return nil
	}
	known := room.Knowledge{m.Chain.ID(): m.Chain, theirs.ID(): theirs}
	ctx, i := m.Ctx, room.Invitation{Cursor: m.secret(), At: room.Place{Log: m.Gen.Log}}
	ctx.Log = wire.LogName{}
	ctx = alone(ctx, m.Chain.ID())
	if ctx.Before == nil {
		ctx.Before = &room.Place{Log: m.Gen.Log}
	}
	change(&ctx, &i)
	g, err := mls.NewGroup(m.config(), m.bytes(32), mls.BasicCredential(identity.CredentialOf(m.Chain, m.Keys.Name).Marshal()), ctx.Extensions())
	if err != nil {
		m.cannot(err)
		return nil
	}
	s, err := g.Commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp)}, OmitTree: true, ForcePath: true})
	if err != nil {
		m.cannot(err)
		return nil
	}
	i.Welcome = s.Welcomes()[0]
	if err := g.Merge(s); err != nil {
		m.cannot(err)
		return nil
	}
	i.Room, i.Generation, i.Kind, i.Host, i.Title = ctx.Room, ctx.Generation, ctx.Kind, ctx.Host, ctx.Title
	i.At.Log = ctx.Log
	if ctx.Before != nil {
		i.Move = &room.Move{From: *ctx.Before, Reason: "mine now"}
	}
	i.Bundle = wire.Marshal(room.Bundle{Tree: g.RatchetTree(), Chains: known.Proofs()})
	return &i
}

// letter seals a body for somebody and puts it into their inbox, by the capability that
// strangers use.
func (m *Mallory) letter(d *Device, chain *identity.Chain, kind room.EnvelopeKind, body []byte) {
	var l wire.Lookup
	if m.over() {
		return
	}
	if err := m.fetch(d.Home.Name, "GET", "/v1/directory/"+strings.TrimSuffix(d.Handle, "@"+d.Home.Name), nil, &l); err != nil || len(l.Devices) == 0 {
		m.cannot(err)
		return
	}
	theirs, err := identity.Verify(l.Chain)
	if err != nil {
		m.cannot(err)
		return
	}
	sealed, err := room.SealEnvelope(m.Keys, chain, theirs.ActiveDevices()[0], kind, body, uint64(m.w.Now().UnixMilli()))
	if err != nil {
		m.cannot(err)
		return
	}
	t := m.post(d.Home.Name)
	if !t.ready() {
		return
	}
	_, err = t.call(wire.OpPut, wire.Put{Inbox: l.Devices[0].Inbox, Capability: l.Devices[0].Capability, Entry: sealed})
	m.tried(err)
}

// keyPackage makes a key package of hers.
func (m *Mallory) keyPackage() ([]byte, error) {
	kp, err := mls.NewKeyPackage(m.rand, mls.KeyPackageParams{
		Suite: m.Gen.Suite, Signer: m.Keys.Signature, Credential: mls.BasicCredential(identity.CredentialOf(m.Chain, m.Keys.Name).Marshal()),
		NotBefore: m.w.Now().Add(-time.Hour), NotAfter: m.w.Now().Add(time.Hour), Supported: []uint16{room.ExtContext},
	})
	if err != nil {
		return nil, err
	}
	return kp.Public.Marshal(), nil
}
