package room

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

func TestContextOf(t *testing.T) {
	low, high := identity.ID{1}, identity.ID{2}
	many := make([]identity.ID, MaxAdmins+1)
	for i := range many {
		many[i][0] = byte(i)
	}
	for _, c := range []struct {
		name   string
		change func(*Context)
		want   error
	}{
		{"as it is", func(*Context) {}, nil},
		{"everything at its bound", func(c *Context) {
			c.Title, c.Picture, c.Admins = strings.Repeat("x", MaxTitle), make([]byte, 1024), many[:MaxAdmins]
			c.TTL, c.Kind, c.Generation = uint64(wire.MaxEntryLifetime.Seconds()), Alike, 1<<64-1
			c.Before, c.Disappear = &Place{Seq: 1}, 1<<64-1
		}, nil},
		{"the shortest lifetime", func(c *Context) { c.TTL = uint64(wire.MinEntryLifetime.Seconds()) }, nil},
		{"two admins in order", func(c *Context) { c.Admins = []identity.ID{low, high} }, nil},
		{"newer rules", func(c *Context) { c.Rules = Rules + 1 }, ErrRules},
		{"far newer rules", func(c *Context) { c.Rules = 1<<16 - 1 }, ErrRules},
		{"newer rules beside nonsense", func(c *Context) { c.Rules, c.Kind, c.Host = Rules+1, 99, "?" }, ErrRules},
		{"no rules", func(c *Context) { c.Rules = 0 }, ErrJunk},
		{"generation 0", func(c *Context) { c.Generation = 0 }, ErrJunk},
		{"kind 0", func(c *Context) { c.Kind = 0 }, ErrJunk},
		{"kind 5", func(c *Context) { c.Kind = Alike + 1 }, ErrJunk},
		{"a long title", func(c *Context) { c.Title = strings.Repeat("x", MaxTitle+1) }, ErrJunk},
		{"a large picture", func(c *Context) { c.Picture = make([]byte, 1025) }, ErrJunk},
		{"no host", func(c *Context) { c.Host = "" }, ErrJunk},
		{"a host in capitals", func(c *Context) { c.Host = "Example.org" }, ErrJunk},
		{"a host with the default port", func(c *Context) { c.Host = "example.org:443" }, ErrJunk},
		{"no host at all", func(c *Context) { c.Host = "not a host" }, ErrJunk},
		{"too short a lifetime", func(c *Context) { c.TTL = uint64(wire.MinEntryLifetime.Seconds()) - 1 }, ErrJunk},
		{"too long a lifetime", func(c *Context) { c.TTL = uint64(wire.MaxEntryLifetime.Seconds()) + 1 }, ErrJunk},
		{"too many admins", func(c *Context) { c.Admins = many }, ErrJunk},
		{"admins out of order", func(c *Context) { c.Admins = []identity.ID{high, low} }, ErrJunk},
		{"an admin twice", func(c *Context) { c.Admins = []identity.ID{low, low} }, ErrJunk},
		{"an admin twice, at the end", func(c *Context) { c.Admins = []identity.ID{low, high, high} }, ErrJunk},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context(Group)
			c.change(&ctx)
			got, err := ContextOf(ctx.Extensions())
			if class(err) != c.want {
				t.Fatalf("%v, not %v", err, c.want)
			}
			if err == nil && string(wire.Marshal(got)) != string(wire.Marshal(ctx)) {
				t.Errorf("%+v became %+v", ctx, got)
			}
		})
	}
}

func TestContextOfBytes(t *testing.T) {
	good := wire.Marshal(context(Group))
	future := wire.Marshal(map[uint64]any{1: Rules + 1, 99: "of a later version"})
	for name, c := range map[string]struct {
		exts []mls.Extension
		want error
	}{
		"none":             {nil, ErrJunk},
		"only another":     {[]mls.Extension{mls.RequiredCapabilities{}.Extension()}, ErrJunk},
		"empty":            {[]mls.Extension{{Type: ExtContext}}, ErrJunk},
		"cut":              {[]mls.Extension{{Type: ExtContext, Data: good[:len(good)-1]}}, ErrJunk},
		"trailing":         {[]mls.Extension{{Type: ExtContext, Data: append(slices.Clone(good), 0)}}, ErrJunk},
		"an unknown field": {[]mls.Extension{{Type: ExtContext, Data: wire.Marshal(map[uint64]any{1: Rules, 99: 1})}}, ErrJunk},
		"of the future":    {[]mls.Extension{{Type: ExtContext, Data: future}}, ErrRules},
	} {
		if _, err := ContextOf(c.exts); class(err) != c.want {
			t.Errorf("%s: %v, not %v", name, err, c.want)
		}
	}
}

func TestWithAdmin(t *testing.T) {
	a, b := identity.ID{1}, identity.ID{2}
	c := Context{}.WithAdmin(b, true).WithAdmin(a, true).WithAdmin(b, true)
	if !slices.Equal(c.Admins, []identity.ID{a, b}) || !c.IsAdmin(a) || !c.IsAdmin(b) {
		t.Fatalf("admins %x", c.Admins)
	}
	d := c.WithAdmin(a, false)
	if d.IsAdmin(a) || !d.IsAdmin(b) || !c.IsAdmin(a) {
		t.Errorf("taking a role away: %x of %x", d.Admins, c.Admins)
	}
	if e := d.WithAdmin(a, false); !slices.Equal(e.Admins, d.Admins) {
		t.Errorf("taking away a role that is not there: %x", e.Admins)
	}
}

func TestHeir(t *testing.T) {
	ana, bo, cy := newAccount(t, "ana"), newAccount(t, "bo"), newAccount(t, "cy")
	ms := found(t, context(Group, ana), ana, bo, cy)
	c := ms[0].context()
	if _, need := Heir(c, ms[0].group.Members()); need {
		t.Error("an heir beside an admin")
	}
	orphan := c.WithAdmin(ana.chain.ID(), false)
	if heir, need := Heir(orphan, ms[0].group.Members()); !need || heir != ana.chain.ID() {
		t.Error("the lowest leaf does not inherit")
	}
	if _, need := Heir(orphan, func(func(uint32, *mls.LeafNode) bool) {}); need {
		t.Error("an heir of nobody")
	}
}

func TestExtend(t *testing.T) {
	ana, eve := newAccount(t, "ana"), newAccount(t, "eve")
	short := ana.chain
	ana.link(t)
	fork := &account{short, ana.keys[:1:1]}
	fork.link(t)
	known := Knowledge{short.ID(): short}
	whole, rest, other := ana.proof(0), ana.proof(1), eve.proof(0)
	with := func(p Proof, change func(*Proof)) []Proof {
		p.Statements = slices.Clone(p.Statements)
		change(&p)
		return []Proof{p}
	}
	for _, c := range []struct {
		name   string
		known  Knowledge
		proofs []Proof
		want   error
		lens   map[identity.ID]int
	}{
		{"nothing", known, nil, nil, map[identity.ID]int{short.ID(): 1}},
		{"nothing known, nothing shown", nil, nil, nil, map[identity.ID]int{}},
		{"a newcomer", known, []Proof{other}, nil, map[identity.ID]int{short.ID(): 1, eve.chain.ID(): 1}},
		{"what is new of somebody known", known, []Proof{rest}, nil, map[identity.ID]int{short.ID(): 2}},
		{"all of somebody new", Knowledge{}, []Proof{whole}, nil, map[identity.ID]int{short.ID(): 2}},
		{"two proofs of one account", Knowledge{}, []Proof{with(whole, func(p *Proof) { p.Statements = p.Statements[:1] })[0], rest}, nil, map[identity.ID]int{short.ID(): 2}},
		{"all of somebody known", known, []Proof{whole}, ErrJunk, nil},
		{"the same twice", known, []Proof{other, other}, ErrJunk, nil},
		{"an end without its beginning", Knowledge{}, []Proof{rest}, ErrJunk, nil},
		{"a gap", known, with(rest, func(p *Proof) { p.From = 2 }), ErrJunk, nil},
		{"an empty one", known, []Proof{{Account: short.ID(), From: 1}}, ErrJunk, nil},
		{"an empty one of a newcomer", known, []Proof{{Account: eve.chain.ID()}}, ErrJunk, nil},
		{"of somebody else", known, with(other, func(p *Proof) { p.Account = identity.ID{9} }), ErrJunk, nil},
		{"another's statement", known, with(rest, func(p *Proof) { p.Statements[0] = other.Statements[0] }), ErrJunk, nil},
		{"a flipped byte", known, with(rest, func(p *Proof) { p.Statements[0] = flip(p.Statements[0], 40) }), ErrJunk, nil},
		{"a flipped byte of a newcomer", known, with(other, func(p *Proof) { p.Statements[0] = flip(p.Statements[0], 40) }), ErrJunk, nil},
		{"a fork of what is known", Knowledge{short.ID(): ana.chain}, []Proof{fork.proof(1)}, ErrJunk, nil},
		{"a fork that follows", Knowledge{short.ID(): ana.chain}, with(fork.proof(1), func(p *Proof) { p.From = 2 }), ErrJunk, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := wire.Marshal(c.known.Proofs())
			got, err := c.known.Extend(c.proofs)
			if class(err) != c.want {
				t.Fatalf("%v, not %v", err, c.want)
			}
			if string(before) != string(wire.Marshal(c.known.Proofs())) {
				t.Error("what was known before changed")
			}
			for id, n := range c.lens {
				if got[id] == nil || got[id].Len() != n || len(got) != len(c.lens) {
					t.Errorf("knows %d accounts, %x: %v", len(got), id[:4], got[id])
				}
			}
		})
	}
}

func TestProofsHash(t *testing.T) {
	a, b := newAccount(t, "ana").proof(0), newAccount(t, "bo").proof(0)
	if ProofsHash(nil) != nil || ProofsHash([]Proof{}) != nil {
		t.Error("no proofs have a hash")
	}
	later := a
	later.From = 1
	seen := map[string]string{}
	for name, p := range map[string][]Proof{"a": {a}, "b": {b}, "a, b": {a, b}, "b, a": {b, a}, "later": {later}} {
		h := string(ProofsHash(p))
		if seen[h] != "" || len(h) != 32 {
			t.Errorf("%s has the hash of %s", name, seen[h])
		}
		seen[h] = name
	}
}

func TestLeafOf(t *testing.T) {
	ana, eve := newAccount(t, "ana"), newAccount(t, "eve")
	known := Knowledge{ana.chain.ID(): ana.chain}
	kp := ana.pack(t, ana.keys[0]).Public
	l, err := known.LeafOf(3, kp.LeafNode())
	if err != nil || l.Index != 3 || l.Owner() != (Owner{ana.chain.ID(), ana.keys[0].Name}) {
		t.Fatalf("%+v, %v", l, err)
	}
	future := *ana
	future.chain = ana.chain.Clone()
	future.link(t)
	revoked := &account{future.chain, future.keys}
	revoked.revoke(t, future.keys[1])
	cred := identity.CredentialOf(ana.chain, ana.keys[0].Name)
	for name, c := range map[string]struct {
		known Knowledge
		node  *mls.LeafNode
	}{
		"nobody":                             {known, nil},
		"without a chain":                    {Knowledge{}, kp.LeafNode()},
		"another credential":                 {known, &mls.LeafNode{Credential: mls.Credential{Type: 2}}},
		"no credential of ours":              {known, &mls.LeafNode{Credential: mls.BasicCredential([]byte("x"))}},
		"another's key":                      {known, eve.pack(t, eve.keys[0], cred).Public.LeafNode()},
		"a head that the group has not seen": {known, future.pack(t, future.keys[0]).Public.LeafNode()},
		"a device that it has not seen":      {known, future.pack(t, future.keys[1], identity.CredentialOf(ana.chain, future.keys[1].Name)).Public.LeafNode()},
		"a revoked device":                   {Knowledge{ana.chain.ID(): revoked.chain}, future.pack(t, future.keys[1]).Public.LeafNode()},
	} {
		if _, err := c.known.LeafOf(0, c.node); !errors.Is(err, ErrJunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
