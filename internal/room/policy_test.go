package room

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// cast is a group of ana, who is admin, with two devices, bo and cy; dan is outside.
type cast struct {
	t                *testing.T
	ana, bo, cy, dan *account
	second           *identity.Keys // of ana's account, in the group
	a, a2, b, c      *member
}

func newCast(t *testing.T, kind Kind) *cast {
	x := &cast{t: t, ana: newAccount(t, "ana"), bo: newAccount(t, "bo"), cy: newAccount(t, "cy"), dan: newAccount(t, "dan")}
	people := []*account{x.ana, x.bo, x.cy}
	ctx := context(kind, x.ana)
	if kind == Pair {
		people, ctx = people[:2], ctx.WithAdmin(x.bo.chain.ID(), true)
	}
	ms := found(t, ctx, people...)
	x.a, x.b = ms[0], ms[1]
	if kind == Group {
		x.c = ms[2]
	}
	x.second = x.ana.link(t)
	kp := x.ana.pack(t, x.second)
	proof := x.ana.proof(1)
	s, err := x.a.commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(kp.Public)}}, proof)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms[1:] {
		r, err := m.group.Open(s.Message())
		if err != nil {
			t.Fatal(err)
		}
		change, err := Judge(m.group, m.known, r.Staged, []Proof{proof})
		if err != nil {
			t.Fatal(err)
		}
		m.known = change.Known
		if err := m.group.Merge(r.Staged); err != nil {
			t.Fatal(err)
		}
	}
	if x.a.known, err = x.a.known.Extend([]Proof{proof}); err != nil {
		t.Fatal(err)
	}
	welcomes := s.Welcomes()
	if err := x.a.group.Merge(s); err != nil {
		t.Fatal(err)
	}
	x.a2 = x.a.welcome(x.ana, x.second, kp, welcomes[0])
	return x
}

// propose has a member propose, and all others take the proposal; it answers the reference.
func (x *cast) propose(from *member, p mls.Proposal) []byte {
	x.t.Helper()
	msg, err := from.group.Propose(p)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, m := range []*member{x.a, x.a2, x.b, x.c} {
		if m != nil && m != from {
			if _, err := m.group.Open(msg); err != nil {
				x.t.Fatal(err)
			}
		}
	}
	return from.group.Pending()[len(from.group.Pending())-1].Ref
}

// forks brings into every group that an account has words and another device, linked by one
// that is not the person's any more; the account itself then goes on without that device, from
// the place that is answered.
func (x *cast) forks(a *account) (at int, words *identity.RecoveryKeys) {
	x.t.Helper()
	words = a.words(x.t)
	at = a.chain.Len()
	other := a.chain.Clone()
	if err := other.Append(a.keys[1].AddDevice(other, newKeys(x.t), time.Now())); err != nil {
		x.t.Fatal(err)
	}
	for _, m := range []*member{x.a, x.a2, x.b, x.c} {
		m.known[a.chain.ID()] = other
	}
	return at, words
}

// What a commit may be, and what it may not: each made by one member and judged by
// another and by its maker.
func TestJudge(t *testing.T) {
	type made struct {
		from, by *member // by nil: anybody
		params   mls.CommitParams
		proofs   []Proof
	}
	add := func(a *account, k *identity.Keys, t *testing.T) mls.Proposal {
		return mls.AddProposal(a.pack(t, k).Public)
	}
	one := func(p ...mls.Proposal) mls.CommitParams { return mls.CommitParams{Proposals: p} }
	context := func(x *cast, change func(*Context)) mls.CommitParams {
		c := x.a.context()
		change(&c)
		return one(exts(c))
	}
	for _, c := range []struct {
		name string
		kind Kind
		make func(x *cast) made
		want error
	}{
		{"an update", Group, func(x *cast) made { return made{from: x.b, params: mls.CommitParams{ForcePath: true}} }, nil},
		{"an admin adds somebody", Group, func(x *cast) made {
			return made{from: x.a, params: one(add(x.dan, x.dan.keys[0], x.t)), proofs: []Proof{x.dan.proof(0)}}
		}, nil},
		{"an admin adds somebody unproven", Group, func(x *cast) made {
			return made{from: x.a, params: one(add(x.dan, x.dan.keys[0], x.t))}
		}, ErrJunk},
		{"an admin adds somebody with another's proof", Group, func(x *cast) made {
			return made{from: x.a, params: one(add(x.dan, x.dan.keys[0], x.t)), proofs: []Proof{newAccount(x.t, "eve").proof(0)}}
		}, ErrJunk},
		{"an admin adds somebody with another's key", Group, func(x *cast) made {
			eve := newAccount(x.t, "eve")
			kp := eve.pack(x.t, eve.keys[0], identity.CredentialOf(x.dan.chain, x.dan.keys[0].Name))
			return made{from: x.a, params: one(mls.AddProposal(kp.Public)), proofs: []Proof{x.dan.proof(0)}}
		}, ErrJunk},
		{"a member adds somebody", Group, func(x *cast) made {
			return made{from: x.b, params: one(add(x.dan, x.dan.keys[0], x.t)), proofs: []Proof{x.dan.proof(0)}}
		}, ErrForbidden},
		{"a member adds a device of their own", Group, func(x *cast) made {
			k := x.bo.link(x.t)
			return made{from: x.b, params: one(add(x.bo, k, x.t)), proofs: []Proof{x.bo.proof(1)}}
		}, nil},
		{"a member adds a device of another member", Group, func(x *cast) made {
			k := x.cy.link(x.t)
			return made{from: x.b, params: one(add(x.cy, k, x.t)), proofs: []Proof{x.cy.proof(1)}}
		}, nil},
		{"a device that its account does not hold", Group, func(x *cast) made {
			k := newKeys(x.t)
			kp := x.bo.pack(x.t, k, identity.CredentialOf(x.bo.chain, k.Name))
			return made{from: x.b, params: one(mls.AddProposal(kp.Public))}
		}, ErrJunk},
		{"a device under another device's name", Group, func(x *cast) made {
			k := newKeys(x.t)
			kp := x.bo.pack(x.t, k, identity.CredentialOf(x.bo.chain, x.bo.keys[0].Name))
			return made{from: x.a, params: one(mls.AddProposal(kp.Public))}
		}, ErrJunk},
		{"a proof that nobody needs, of a member", Group, func(x *cast) made {
			x.bo.link(x.t)
			return made{from: x.c, params: mls.CommitParams{ForcePath: true}, proofs: []Proof{x.bo.proof(1)}}
		}, nil},
		{"a proof of a stranger", Group, func(x *cast) made {
			return made{from: x.a, params: mls.CommitParams{ForcePath: true}, proofs: []Proof{x.dan.proof(0)}}
		}, ErrJunk},
		{"a proof twice", Group, func(x *cast) made {
			p := x.dan.proof(0)
			return made{from: x.a, params: one(add(x.dan, x.dan.keys[0], x.t)), proofs: []Proof{p, p}}
		}, ErrJunk},
		{"proofs that the commit does not name", Group, func(x *cast) made {
			p := one(add(x.dan, x.dan.keys[0], x.t))
			p.AAD = []byte("others")
			return made{from: x.a, params: p, proofs: []Proof{x.dan.proof(0)}}
		}, ErrJunk},
		{"authenticated data without proofs", Group, func(x *cast) made {
			return made{from: x.a, params: mls.CommitParams{ForcePath: true, AAD: []byte{1}}}
		}, ErrJunk},

		{"an admin removes somebody", Group, func(x *cast) made {
			return made{from: x.a, params: one(mls.RemoveProposal(x.a.leaf(x.bo.keys[0])))}
		}, nil},
		{"an admin removes the one who judges", Group, func(x *cast) made {
			return made{from: x.a, by: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.bo.keys[0])))}
		}, nil},
		{"a member removes somebody", Group, func(x *cast) made {
			return made{from: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.cy.keys[0])))}
		}, ErrForbidden},
		{"a member removes an admin", Group, func(x *cast) made {
			return made{from: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.ana.keys[0])))}
		}, ErrForbidden},
		{"a device removes another of its account", Group, func(x *cast) made {
			return made{from: x.a2, by: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.ana.keys[0])))}
		}, nil},
		{"a member removes a revoked device", Group, func(x *cast) made {
			x.ana.revoke(x.t, x.second)
			return made{from: x.b, by: x.c, params: one(mls.RemoveProposal(x.a.leaf(x.second))), proofs: []Proof{x.ana.proof(2)}}
		}, nil},
		{"a member removes the last device of an account, revoked", Group, func(x *cast) made {
			w := x.cy.words(x.t)
			x.cy.grow(x.t, w.AddDevice(x.cy.chain, newKeys(x.t), time.Now()))
			x.cy.grow(x.t, w.RevokeDevice(x.cy.chain, x.cy.keys[0].Name, time.Now()))
			return made{from: x.b, by: x.a, params: one(mls.RemoveProposal(x.a.leaf(x.cy.keys[0]))), proofs: []Proof{x.cy.proof(1)}}
		}, nil},
		{"a branch on which the words have spoken", Group, func(x *cast) made {
			at, w := x.forks(x.ana)
			x.ana.grow(x.t, w.RevokeDevice(x.ana.chain, x.second.Name, time.Now()))
			return made{from: x.b, by: x.c, params: one(mls.RemoveProposal(x.a.leaf(x.second))), proofs: []Proof{x.ana.proof(at)}}
		}, nil},
		{"a branch on which the words have spoken, and who it does not hold stays", Group, func(x *cast) made {
			at, w := x.forks(x.ana)
			x.ana.grow(x.t, w.RevokeDevice(x.ana.chain, x.second.Name, time.Now()))
			return made{from: x.b, by: x.c, params: mls.CommitParams{ForcePath: true}, proofs: []Proof{x.ana.proof(at)}}
		}, ErrJunk},
		{"a branch on which the words have not spoken", Group, func(x *cast) made {
			at, _ := x.forks(x.ana)
			x.ana.revoke(x.t, x.second)
			return made{from: x.b, by: x.c, params: one(mls.RemoveProposal(x.a.leaf(x.second))), proofs: []Proof{x.ana.proof(at)}}
		}, ErrJunk},
		{"a branch that begins before it differs", Group, func(x *cast) made {
			at, w := x.forks(x.ana)
			x.ana.grow(x.t, w.RevokeDevice(x.ana.chain, x.second.Name, time.Now()))
			return made{from: x.b, by: x.c, params: one(mls.RemoveProposal(x.a.leaf(x.second))), proofs: []Proof{x.ana.proof(at - 1)}}
		}, ErrJunk},
		{"a member removes a revoked device without the proof", Group, func(x *cast) made {
			x.ana.revoke(x.t, x.second)
			return made{from: x.b, by: x.c, params: one(mls.RemoveProposal(x.a.leaf(x.second)))}
		}, ErrForbidden},
		{"a revocation that leaves the device in", Group, func(x *cast) made {
			x.ana.revoke(x.t, x.second)
			return made{from: x.a, by: x.c, params: mls.CommitParams{ForcePath: true}, proofs: []Proof{x.ana.proof(2)}}
		}, ErrJunk},
		{"a member lets a device in again", Group, func(x *cast) made {
			return made{from: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.cy.keys[0])), add(x.cy, x.cy.keys[0], x.t)), by: x.a}
		}, nil},
		{"a member puts another device in its place", Group, func(x *cast) made {
			k := x.cy.link(x.t)
			return made{from: x.b, params: one(mls.RemoveProposal(x.a.leaf(x.cy.keys[0])), add(x.cy, k, x.t)), proofs: []Proof{x.cy.proof(1)}, by: x.a}
		}, ErrForbidden},

		{"an admin renames", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Title = "den" })}
		}, nil},
		{"an admin changes all that admins may", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) {
				c.Title, c.Disappear, c.Picture = "", 60, []byte{1}
				*c = c.WithAdmin(x.bo.chain.ID(), true).WithAdmin(x.ana.chain.ID(), false)
			})}
		}, nil},
		{"the other device of an admin renames", Group, func(x *cast) made {
			return made{from: x.a2, params: context(x, func(c *Context) { c.Title = "den" }), by: x.b}
		}, nil},
		{"a member renames", Group, func(x *cast) made {
			return made{from: x.b, params: context(x, func(c *Context) { c.Title = "den" })}
		}, ErrForbidden},
		{"a member becomes admin", Group, func(x *cast) made {
			return made{from: x.b, params: context(x, func(c *Context) { *c = c.WithAdmin(x.bo.chain.ID(), true) })}
		}, ErrForbidden},
		{"a member takes a role away", Group, func(x *cast) made {
			return made{from: x.b, params: context(x, func(c *Context) { *c = c.WithAdmin(x.ana.chain.ID(), false) })}
		}, ErrForbidden},
		{"a member sets the disappearing time", Group, func(x *cast) made {
			return made{from: x.b, params: context(x, func(c *Context) { c.Disappear = 1 })}
		}, ErrForbidden},
		{"a context that says the same", Group, func(x *cast) made {
			return made{from: x.b, params: context(x, func(*Context) {})}
		}, nil},
		{"an admin changes the log", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Log[0]++ })}
		}, ErrForbidden},
		{"an admin changes the host", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Host = "elsewhere.org" })}
		}, ErrForbidden},
		{"an admin changes the room", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Room[0]++ })}
		}, ErrForbidden},
		{"an admin changes the generation", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Generation++ })}
		}, ErrForbidden},
		{"an admin changes the room's key", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Key[0]++ })}
		}, ErrForbidden},
		{"an admin changes the kind", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Kind = Pair })}
		}, ErrForbidden},
		{"an admin changes the lifetime", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.TTL++ })}
		}, ErrForbidden},
		{"an admin changes where it came from", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Before = &Place{} })}
		}, ErrForbidden},
		{"a context out of bounds", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.TTL = 1 })}
		}, ErrJunk},
		{"newer rules", Group, func(x *cast) made {
			return made{from: x.a, params: context(x, func(c *Context) { c.Rules++ })}
		}, ErrForbidden},
		{"no context", Group, func(x *cast) made {
			return made{from: x.a, params: one(mls.GroupContextExtensionsProposal(nil))}
		}, ErrJunk},
		{"a context without the demand to know it", Group, func(x *cast) made {
			return made{from: x.a, params: one(mls.GroupContextExtensionsProposal(x.a.context().Extensions()[1:]))}
		}, ErrForbidden},
		{"a context in another order", Group, func(x *cast) made {
			e := x.a.context().Extensions()
			slices.Reverse(e)
			return made{from: x.a, params: one(mls.GroupContextExtensionsProposal(e))}
		}, ErrForbidden},

		{"a leaf that becomes another account's", Group, func(x *cast) made {
			cred := mls.BasicCredential(identity.CredentialOf(x.cy.chain, x.cy.keys[0].Name).Marshal())
			return made{from: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred}}}
		}, ErrJunk},
		{"a leaf that becomes another device", Group, func(x *cast) made {
			k := x.bo.link(x.t)
			cred := mls.BasicCredential(identity.CredentialOf(x.bo.chain, k.Name).Marshal())
			return made{from: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred, Signer: k.Signature}}, proofs: []Proof{x.bo.proof(1)}}
		}, ErrJunk},
		{"a leaf with another key", Group, func(x *cast) made {
			_, k, _ := ed25519.GenerateKey(rand.Reader)
			return made{from: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Signer: k}}}
		}, ErrJunk},
		{"a leaf with a newer head", Group, func(x *cast) made {
			x.bo.link(x.t)
			cred := mls.BasicCredential(identity.CredentialOf(x.bo.chain, x.bo.keys[0].Name).Marshal())
			return made{from: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred}}, proofs: []Proof{x.bo.proof(1)}}
		}, nil},
		{"a leaf with a newer head unproven", Group, func(x *cast) made {
			x.bo.link(x.t)
			cred := mls.BasicCredential(identity.CredentialOf(x.bo.chain, x.bo.keys[0].Name).Marshal())
			return made{from: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred}}}
		}, ErrJunk},
		{"a leaf with an older head", Group, func(x *cast) made {
			at, err := x.ana.chain.At(1)
			if err != nil {
				x.t.Fatal(err)
			}
			// The second device's leaf names length 2; there is no first-length chain that
			// holds it, so the first device's leaf goes there and back.
			cred := mls.BasicCredential(identity.CredentialOf(x.ana.chain, x.ana.keys[0].Name).Marshal())
			s, err := x.a.commit(mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &cred}})
			if err != nil {
				x.t.Fatal(err)
			}
			r, err := x.b.group.Open(s.Message())
			if err != nil {
				x.t.Fatal(err)
			}
			if err := errors.Join(x.b.group.Merge(r.Staged), x.a.group.Merge(s)); err != nil {
				x.t.Fatal(err)
			}
			old := mls.BasicCredential(identity.CredentialOf(at, x.ana.keys[0].Name).Marshal())
			return made{from: x.a, by: x.b, params: mls.CommitParams{ForcePath: true, NewLeaf: &mls.NewLeaf{Credential: &old}}}
		}, ErrJunk},

		{"a farewell", Group, func(x *cast) made {
			ref := x.propose(x.c, mls.RemoveProposal(x.a.leaf(x.cy.keys[0])))
			return made{from: x.b, by: x.a, params: mls.CommitParams{Refs: [][]byte{ref}}}
		}, nil},
		{"a farewell of the last admin without an heir", Group, func(x *cast) made {
			one := x.propose(x.a, mls.RemoveProposal(x.a.leaf(x.ana.keys[0])))
			two := x.propose(x.a2, mls.RemoveProposal(x.a.leaf(x.second)))
			return made{from: x.b, by: x.c, params: mls.CommitParams{Refs: [][]byte{one, two}}}
		}, ErrForbidden},
		{"a farewell of the last admin with the heir", Group, func(x *cast) made {
			one := x.propose(x.a, mls.RemoveProposal(x.a.leaf(x.ana.keys[0])))
			two := x.propose(x.a2, mls.RemoveProposal(x.a.leaf(x.second)))
			return made{from: x.c, by: x.b, params: mls.CommitParams{Refs: [][]byte{one, two}, Proposals: []mls.Proposal{exts(heirs(x.a.context(), x.bo))}}}
		}, nil},
		{"a farewell of the last admin with another heir", Group, func(x *cast) made {
			one := x.propose(x.a, mls.RemoveProposal(x.a.leaf(x.ana.keys[0])))
			two := x.propose(x.a2, mls.RemoveProposal(x.a.leaf(x.second)))
			return made{from: x.c, by: x.b, params: mls.CommitParams{Refs: [][]byte{one, two}, Proposals: []mls.Proposal{exts(heirs(x.a.context(), x.cy))}}}
		}, ErrForbidden},
		{"a proposal to remove another", Group, func(x *cast) made {
			ref := x.propose(x.c, mls.RemoveProposal(x.a.leaf(x.bo.keys[0])))
			return made{from: x.a, by: x.a2, params: mls.CommitParams{Refs: [][]byte{ref}}}
		}, ErrForbidden},
		{"an add by proposal", Group, func(x *cast) made {
			ref := x.propose(x.a, add(x.dan, x.dan.keys[0], x.t))
			return made{from: x.a2, by: x.b, params: mls.CommitParams{Refs: [][]byte{ref}}, proofs: []Proof{x.dan.proof(0)}}
		}, ErrForbidden},
		{"a context by proposal", Group, func(x *cast) made {
			c := x.a.context()
			c.Title = "den"
			ref := x.propose(x.a, exts(c))
			return made{from: x.a2, by: x.b, params: mls.CommitParams{Refs: [][]byte{ref}}}
		}, ErrForbidden},
		{"an update by proposal", Group, func(x *cast) made {
			ref := x.propose(x.b, mls.UpdateProposal(mls.NewLeaf{}))
			return made{from: x.a, by: x.c, params: mls.CommitParams{Refs: [][]byte{ref}}}
		}, ErrForbidden},

		{"one of a pair renames", Pair, func(x *cast) made {
			return made{from: x.b, by: x.a, params: context(x, func(c *Context) { c.Title, c.Disappear = "us", 5 })}
		}, nil},
		{"one of a pair brings somebody", Pair, func(x *cast) made {
			return made{from: x.a, by: x.b, params: one(add(x.dan, x.dan.keys[0], x.t)), proofs: []Proof{x.dan.proof(0)}}
		}, ErrForbidden},
		{"one of a pair removes the other", Pair, func(x *cast) made {
			return made{from: x.a, by: x.a2, params: one(mls.RemoveProposal(x.a.leaf(x.bo.keys[0])))}
		}, ErrForbidden},
		{"one of a pair takes the other's role", Pair, func(x *cast) made {
			return made{from: x.a, by: x.b, params: context(x, func(c *Context) { *c = c.WithAdmin(x.bo.chain.ID(), false) })}
		}, ErrForbidden},
		{"one of a pair adds a device", Pair, func(x *cast) made {
			k := x.bo.link(x.t)
			return made{from: x.b, by: x.a, params: one(add(x.bo, k, x.t)), proofs: []Proof{x.bo.proof(1)}}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newCast(t, c.kind)
			m := c.make(x)
			if m.by == nil {
				m.by = x.b
				if m.from == x.b {
					m.by = x.a
				}
			}
			change, s, err := judge(t, m.from, m.by, m.params, m.proofs...)
			if class(err) != c.want {
				t.Fatalf("%v, not %v", err, c.want)
			}
			if err == nil && change.Own != s.RemovesSelf() {
				t.Error("who is removed")
			}
		})
	}
}

// What a valid commit is said to do.
func TestChange(t *testing.T) {
	x := newCast(t, Group)
	kp := x.dan.pack(t, x.dan.keys[0])
	ctx := x.a.context()
	ctx.Title = "den"
	params := mls.CommitParams{Proposals: []mls.Proposal{
		mls.AddProposal(kp.Public), mls.RemoveProposal(x.a.leaf(x.cy.keys[0])), exts(ctx)}}
	c, s, err := judge(t, x.a, x.b, params, x.dan.proof(0))
	if err != nil {
		t.Fatal(err)
	}
	owner := func(a *account) Owner { return Owner{a.chain.ID(), a.keys[0].Name} }
	if len(c.Added) != 1 || c.Added[0].Owner() != owner(x.dan) || len(c.Removed) != 1 || c.Removed[0].Owner() != owner(x.cy) {
		t.Errorf("added %v, removed %v", c.Added, c.Removed)
	}
	if c.Committer.Owner() != owner(x.ana) || c.Own || c.Before.Title != "club" || c.After.Title != "den" {
		t.Errorf("%+v", c)
	}
	if c.Known[x.cy.chain.ID()] != nil || c.Known[x.dan.chain.ID()] == nil || x.b.known[x.dan.chain.ID()] != nil {
		t.Error("what is known after, and before")
	}

	secret := wire.Secret{7}
	swap, err := c.Swap(s, []wire.Secret{secret})
	if err != nil {
		t.Fatal(err)
	}
	token, err := Token(s, ctx.Log)
	if err != nil {
		t.Fatal(err)
	}
	wantAdd := []wire.NewCursor{{Tag: ctx.Tag(x.dan.keys[0].Device().Signature), Hash: secret.Hash()}}
	wantEnd := []wire.Tag{ctx.Tag(x.cy.keys[0].Device().Signature)}
	if swap.Next != token.Hash() || !slices.Equal(swap.Add, wantAdd) || !slices.Equal(swap.End, wantEnd) {
		t.Errorf("swap %+v", swap)
	}

	did := func(change func(*wire.Did)) *wire.Did {
		d := &wire.Did{Next: swap.Next, Added: slices.Clone(swap.Add), Ended: slices.Clone(swap.End), By: ctx.Tag(x.ana.keys[0].Device().Signature)}
		change(d)
		return d
	}
	for name, d := range map[string]*wire.Did{
		"as asked":             did(func(*wire.Did) {}),
		"with another secret":  did(func(d *wire.Did) { d.Added[0].Hash[0] ^= 1 }), // only the newcomer can tell
		"shown by another one": did(func(d *wire.Did) { d.By = wire.Tag{} }),       // counts for junk only
	} {
		if err := c.CheckDid(s, d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, d := range map[string]*wire.Did{
		"nothing":           nil,
		"another token":     did(func(d *wire.Did) { d.Next[0] ^= 1 }),
		"nobody added":      did(func(d *wire.Did) { d.Added = nil }),
		"another added":     did(func(d *wire.Did) { d.Added[0].Tag[0] ^= 1 }),
		"one more added":    did(func(d *wire.Did) { d.Added = append(d.Added, wire.NewCursor{}) }),
		"nobody ended":      did(func(d *wire.Did) { d.Ended = nil }),
		"another ended":     did(func(d *wire.Did) { d.Ended[0] = ctx.Tag(x.bo.keys[0].Device().Signature) }),
		"one more ended":    did(func(d *wire.Did) { d.Ended = append(d.Ended, ctx.Tag(x.bo.keys[0].Device().Signature)) }),
		"the ended again":   did(func(d *wire.Did) { d.Ended = append(d.Ended, d.Ended[0]) }),
		"added for another": did(func(d *wire.Did) { d.Added, d.Ended = nil, nil }),
	} {
		if err := c.CheckDid(s, d); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A device that is removed cannot know the next token and still compares the cursors.
func TestCheckDidOfOwnRemoval(t *testing.T) {
	x := newCast(t, Group)
	c, s, err := judge(t, x.a, x.c, mls.CommitParams{Proposals: []mls.Proposal{mls.RemoveProposal(x.a.leaf(x.cy.keys[0]))}})
	if err != nil || !c.Own {
		t.Fatalf("%v", err)
	}
	end := []wire.Tag{x.a.context().Tag(x.cy.keys[0].Device().Signature)}
	if err := c.CheckDid(s, &wire.Did{Ended: end}); err != nil {
		t.Error(err)
	}
	if err := c.CheckDid(s, &wire.Did{}); !errors.Is(err, ErrJunk) {
		t.Errorf("a removal that ends nothing: %v", err)
	}
	if _, err := c.Swap(s, nil); !errors.Is(err, mls.ErrRemoved) {
		t.Errorf("a swap without the token: %v", err)
	}
}

func TestWelcome(t *testing.T) {
	ana, bo, cy := newAccount(t, "ana"), newAccount(t, "bo"), newAccount(t, "cy")
	inviter := Owner{ana.chain.ID(), ana.keys[0].Name}
	with := func(k Knowledge, a *account) Knowledge {
		out := Knowledge{a.chain.ID(): a.chain}
		for id, c := range k {
			out[id] = c
		}
		return out
	}
	without := func(k Knowledge, a *account) Knowledge {
		out := with(k, a)
		delete(out, a.chain.ID())
		return out
	}
	group := context(Group, ana)
	g := found(t, group, ana, bo, cy)[1]
	ctx, err := Welcome(g.group, g.known, inviter)
	if err != nil || !bytes.Equal(wire.Marshal(ctx), wire.Marshal(group)) {
		t.Fatalf("%v", err)
	}
	pair := found(t, context(Pair, ana, bo), ana, bo)[1]
	if _, err := Welcome(pair.group, pair.known, inviter); err != nil {
		t.Fatal(err)
	}
	newer := group
	newer.Rules++
	wrong := group
	wrong.TTL = 0
	other := newAccount(t, "ana") // the same name, somebody else
	for name, c := range map[string]struct {
		m       *member
		known   Knowledge
		inviter Owner
		want    error
	}{
		"by somebody outside":          {g, g.known, Owner{cy.chain.ID(), ana.keys[0].Name}, ErrJunk},
		"by nobody":                    {g, g.known, Owner{}, ErrJunk},
		"a member without a chain":     {g, without(g.known, cy), inviter, ErrJunk},
		"a chain too many":             {g, with(g.known, newAccount(t, "dan")), inviter, ErrJunk},
		"another's chain in its stead": {g, with(without(g.known, ana), other), inviter, ErrJunk},
		"three in a pair":              {found(t, context(Pair, ana), ana, bo, cy)[1], g.known, inviter, ErrJunk},
		"newer rules":                  {found(t, newer, ana, bo)[1], pair.known, inviter, ErrRules},
		"out of bounds":                {found(t, wrong, ana, bo)[1], pair.known, inviter, ErrJunk},
		"no room":                      {foundWith(t, nil, ana, bo)[1], pair.known, inviter, ErrJunk},
		"without the demand":           {foundWith(t, group.Extensions()[1:], ana, bo)[1], pair.known, inviter, ErrForbidden},
		"with one more extension":      {foundWith(t, append(group.Extensions(), mls.Extension{Type: 0xF0A1}), ana)[0], Knowledge{ana.chain.ID(): ana.chain}, inviter, ErrForbidden},
	} {
		if _, err := Welcome(c.m.group, c.known, c.inviter); class(err) != c.want {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
}

// heirs is a context whose only admin is the account's.
func heirs(c Context, p *account) Context {
	c.Admins = []identity.ID{p.chain.ID()}
	return c
}
