package room

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// account is somebody's chain and the keys of their devices.
type account struct {
	chain *identity.Chain
	keys  []*identity.Keys
}

func newAccount(t testing.TB, name string) *account {
	t.Helper()
	k := newKeys(t)
	chain, err := identity.Verify([][]byte{k.Genesis(wire.Handle{Name: name, Host: "example.org"}, time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	return &account{chain, []*identity.Keys{k}}
}

func newKeys(t testing.TB) *identity.Keys {
	t.Helper()
	k, err := identity.NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// link adds a device to the account.
func (a *account) link(t testing.TB) *identity.Keys {
	t.Helper()
	return a.linkAs(t, newKeys(t))
}

func (a *account) linkAs(t testing.TB, k *identity.Keys) *identity.Keys {
	t.Helper()
	a.grow(t, a.keys[0].AddDevice(a.chain, k, time.Now()))
	a.keys = append(a.keys, k)
	return k
}

// grow adds a statement, to a chain of its own: groups know the one before.
func (a *account) grow(t testing.TB, statement []byte) {
	t.Helper()
	next := a.chain.Clone()
	if err := next.Append(statement); err != nil {
		t.Fatal(err)
	}
	a.chain = next
}

func (a *account) revoke(t testing.TB, k *identity.Keys) {
	t.Helper()
	a.grow(t, a.keys[0].RevokeDevice(a.chain, k.Name, time.Now()))
}

// words gives the account a recovery key.
func (a *account) words(t testing.TB) *identity.RecoveryKeys {
	t.Helper()
	r, err := identity.NewRecoveryKeys([32]byte(a.chain.Head()))
	if err != nil {
		t.Fatal(err)
	}
	a.grow(t, a.keys[0].SetRecovery(a.chain, r, time.Now()))
	return r
}

// proof is what a group that knows the first from statements needs to know the rest.
func (a *account) proof(from int) Proof {
	return Proof{Account: a.chain.ID(), From: uint32(from), Statements: a.chain.Statements(from)}
}

// pack makes a key package of a device, with another credential if one is given.
func (a *account) pack(t testing.TB, k *identity.Keys, other ...identity.Credential) *mls.KeyPackageSecrets {
	t.Helper()
	cred := identity.CredentialOf(a.chain, k.Name)
	if len(other) > 0 {
		cred = other[0]
	}
	kp, err := mls.NewKeyPackage(rand.Reader, mls.KeyPackageParams{
		Suite: mls.X25519, Signer: k.Signature, Credential: mls.BasicCredential(cred.Marshal()),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), Supported: []uint16{ExtContext},
	})
	if err != nil {
		t.Fatal(err)
	}
	return kp
}

// member is one device in a group, with its own state of everything.
type member struct {
	t     testing.TB
	acc   *account
	keys  *identity.Keys
	group *mls.Group
	known Knowledge
}

func config(k *identity.Keys) mls.Config {
	return mls.Config{Suite: mls.X25519, Signer: k.Signature, Supported: []uint16{ExtContext}}
}

// context is a room's context in which the accounts are admins.
func context(kind Kind, admins ...*account) Context {
	c := Context{Rules: Rules, Generation: 1, Host: "example.org", Kind: kind, TTL: 3600, Title: "club"}
	_, _ = rand.Read(c.Room[:])
	_, _ = rand.Read(c.Key[:])
	_, _ = rand.Read(c.Log[:])
	for _, a := range admins {
		c = c.WithAdmin(a.chain.ID(), true)
	}
	return c
}

// found makes a group of the accounts' first devices; the first one makes it.
func found(t testing.TB, c Context, people ...*account) []*member {
	t.Helper()
	return foundWith(t, c.Extensions(), people...)
}

func foundWith(t testing.TB, exts []mls.Extension, people ...*account) []*member {
	t.Helper()
	a := people[0]
	g, err := mls.NewGroup(config(a.keys[0]), []byte("a group"), mls.BasicCredential(identity.CredentialOf(a.chain, a.keys[0].Name).Marshal()), exts)
	if err != nil {
		t.Fatal(err)
	}
	first := &member{t, a, a.keys[0], g, Knowledge{}}
	params := mls.CommitParams{OmitTree: true, ForcePath: true}
	var packs []*mls.KeyPackageSecrets
	for i, p := range people {
		first.known[p.chain.ID()] = p.chain
		if i > 0 {
			packs = append(packs, p.pack(t, p.keys[0]))
			params.Proposals = append(params.Proposals, mls.AddProposal(packs[i-1].Public))
		}
	}
	if len(packs) == 0 {
		return []*member{first}
	}
	s, err := g.Commit(params)
	if err != nil {
		t.Fatal(err)
	}
	welcomes := s.Welcomes()
	if err := g.Merge(s); err != nil {
		t.Fatal(err)
	}
	out := []*member{first}
	for i, p := range people[1:] {
		out = append(out, first.welcome(p, p.keys[0], packs[i], welcomes[i]))
	}
	return out
}

// welcome lets a newcomer in with what an invitation brings, over its encoding.
func (m *member) welcome(a *account, k *identity.Keys, kp *mls.KeyPackageSecrets, welcome []byte) *member {
	m.t.Helper()
	b, err := ParseBundle(wire.Marshal(Bundle{Tree: m.group.RatchetTree(), Chains: m.known.Proofs()}))
	if err != nil {
		m.t.Fatal(err)
	}
	known, err := Knowledge{}.Extend(b.Chains)
	if err != nil {
		m.t.Fatal(err)
	}
	g, err := mls.JoinGroup(config(k), welcome, kp, b.Tree)
	if err != nil {
		m.t.Fatal(err)
	}
	return &member{m.t, a, k, g, known}
}

// leaf is the index of a device, which must be there.
func (m *member) leaf(k *identity.Keys) uint32 {
	m.t.Helper()
	for i, n := range m.group.Members() {
		if cred, err := credentialOf(n); err == nil && cred.Device == k.Name && bytes.Equal(n.SignatureKey, k.Device().Signature) {
			return i
		}
	}
	m.t.Fatal("no such device in the group")
	return 0
}

func (m *member) context() Context {
	m.t.Helper()
	c, err := ContextOf(m.group.ContextExtensions())
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

// commit makes a commit that names its proofs.
func (m *member) commit(p mls.CommitParams, proofs ...Proof) (*mls.StagedCommit, error) {
	p.OmitTree = true
	if p.AAD == nil {
		p.AAD = ProofsHash(proofs)
	}
	return m.group.Commit(p)
}

// classes are the verdicts that members must agree on.
var classes = []error{ErrForbidden, ErrRules, ErrJunk}

// class is the verdict that an error stands for: nil is valid.
func class(err error) error {
	for _, c := range classes {
		if errors.Is(err, c) {
			return c
		}
	}
	return err
}

// judge makes a commit and answers what another member says of it.
func judge(t testing.TB, from, by *member, p mls.CommitParams, proofs ...Proof) (*Change, *mls.StagedCommit, error) {
	t.Helper()
	s, err := from.commit(p, proofs...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := by.group.Open(s.Message())
	if err != nil {
		t.Fatal(err)
	}
	_, own := Judge(from.group, from.known, s, proofs)
	c, err := Judge(by.group, by.known, r.Staged, proofs)
	if class(own) != class(err) {
		t.Errorf("the committer says %v, another member %v", own, err)
	}
	return c, r.Staged, err
}

func exts(c Context) mls.Proposal { return mls.GroupContextExtensionsProposal(c.Extensions()) }

// flip is b with one byte changed.
func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 0x40
	return b
}
