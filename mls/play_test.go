package mls

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return today }

// player is a member with a store of her own.
type player struct {
	name  string
	cfg   Config
	kp    *KeyPackageSecrets
	g     *Group
	store memory
}

const appExtension uint16 = 0xF100

func signerOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func newPlayer(suite CipherSuite, name string) *player {
	p := &player{name: name, store: memory{}, cfg: Config{Suite: suite, Signer: signerOf(name), Now: clock, Supported: []uint16{appExtension}}}
	p.kp = must(NewKeyPackage(nil, KeyPackageParams{
		Suite: suite, Signer: p.cfg.Signer, Credential: BasicCredential([]byte(name)),
		NotBefore: today.Add(-time.Hour), NotAfter: today.Add(30 * 24 * time.Hour),
		Extensions: []Extension{{ExtLastResort, nil}}, Supported: []uint16{appExtension},
	}))
	return p
}

// play is a group and its players, by name.
type play struct {
	t     testing.TB
	suite CipherSuite
	all   []*player
}

func eachSuite(t *testing.T, run func(t *testing.T, suite CipherSuite)) {
	for _, s := range []CipherSuite{X25519, XWing} {
		t.Run(fmt.Sprintf("%#04x", uint16(s)), func(t *testing.T) { run(t, s) })
	}
}

// open starts a play: the first name makes the group and adds the others.
func open(t testing.TB, suite CipherSuite, names ...string) *play {
	p := &play{t: t, suite: suite}
	first := newPlayer(suite, names[0])
	var err error
	first.g, err = NewGroup(first.cfg, []byte("the room"), BasicCredential([]byte(names[0])), []Extension{{appExtension, []byte("v1")}})
	ok(t, err)
	p.all = append(p.all, first)
	if len(names) > 1 {
		p.add(names[0], names[1:]...)
	}
	return p
}

func (p *play) as(name string) *player {
	for _, x := range p.all {
		if x.name == name {
			return x
		}
	}
	p.t.Fatalf("nobody is called %s", name)
	return nil
}

// deliver gives a staged own commit to everyone; everyone merges.
func (p *play) deliver(from string, s *StagedCommit) {
	p.t.Helper()
	for _, x := range p.all {
		if x.g == nil || !x.g.Active() {
			continue
		}
		if x.name == from {
			ok(p.t, x.g.Merge(s))
		} else {
			r, err := x.g.Open(s.Message())
			if err != nil {
				p.t.Fatalf("%s reads the commit of %s: %v", x.name, from, err)
			}
			if !r.Staged.RemovesSelf() {
				same(p.t, "epoch authenticator", r.Staged.EpochAuthenticator(), s.EpochAuthenticator())
			}
			ok(p.t, x.g.Merge(r.Staged))
		}
		x.reload(p.t)
	}
	p.agree()
}

// reload flushes the group and goes on with what the store holds.
func (x *player) reload(t testing.TB) {
	t.Helper()
	ok(t, x.g.Flush(x.store))
	if x.g.Active() {
		x.cfg.Signer = x.g.signer
		same(t, "stored signer", must(StoredSigner(x.store)), x.g.Member(x.g.OwnLeaf()).SignatureKey)
	}
	g, err := LoadGroup(x.cfg, x.store)
	if err != nil {
		t.Fatalf("%s loads: %v", x.name, err)
	}
	x.g = g
}

func (p *play) commit(from string, c CommitParams) *StagedCommit {
	p.t.Helper()
	s, err := p.as(from).g.Commit(c)
	if err != nil {
		p.t.Fatalf("%s commits: %v", from, err)
	}
	p.deliver(from, s)
	return s
}

func (p *play) add(from string, names ...string) {
	p.t.Helper()
	var c CommitParams
	var fresh []*player
	for _, n := range names {
		x := newPlayer(p.suite, n)
		fresh = append(fresh, x)
		c.Proposals = append(c.Proposals, AddProposal(x.kp.Public))
	}
	s := p.commit(from, c)
	for i, x := range fresh {
		var err error
		x.g, err = JoinGroup(x.cfg, s.Welcomes()[i], x.kp, nil)
		if err != nil {
			p.t.Fatalf("%s joins: %v", x.name, err)
		}
		x.reload(p.t)
		p.all = append(p.all, x)
	}
	p.agree()
}

func (p *play) leaf(name string) uint32 { return p.as(name).g.OwnLeaf() }

func (p *play) remove(from string, names ...string) {
	p.t.Helper()
	var c CommitParams
	for _, n := range names {
		c.Proposals = append(c.Proposals, RemoveProposal(p.leaf(n)))
	}
	p.commit(from, c)
	for _, n := range names {
		if p.as(n).g.Active() {
			p.t.Fatalf("%s is still active", n)
		}
	}
}

// agree checks that every active player holds the same epoch.
func (p *play) agree() {
	p.t.Helper()
	var first *Group
	for _, x := range p.all {
		switch {
		case x.g == nil || !x.g.Active():
		case first == nil:
			first = x.g
		case !bytes.Equal(first.EpochAuthenticator(), x.g.EpochAuthenticator()) || !bytes.Equal(first.TreeHash(), x.g.TreeHash()) || !bytes.Equal(first.RatchetTree(), x.g.RatchetTree()):
			p.t.Fatalf("%s disagrees", x.name)
		default:
			a, b := must(first.Export("x", nil, 32)), must(x.g.Export("x", nil, 32))
			same(p.t, "export", a, b)
		}
		if x.g != nil && x.g.Active() {
			x.state(p.t)
			for n, k := range x.g.now.priv {
				if !x.g.now.sameKey(n, k) {
					p.t.Fatalf("%s holds a wrong private key for node %d", x.name, n)
				}
			}
		}
	}
}

// says sends to everyone.
func (p *play) says(from, text string) {
	p.t.Helper()
	m, _, err := p.as(from).g.Seal([]byte("aad"), []byte(text))
	ok(p.t, err)
	for _, x := range p.all {
		if !x.g.Active() {
			continue
		}
		r, err := x.g.Open(m)
		if x.name == from {
			wants(p.t, err, ErrOwnMessage)
			continue
		}
		if err != nil {
			p.t.Fatalf("%s reads %s: %v", x.name, from, err)
		}
		if r.Kind != KindApplication || string(r.Plaintext) != text || string(r.AAD) != "aad" || r.Sender != p.leaf(from) {
			p.t.Fatalf("%s reads %+v", x.name, r)
		}
	}
}
