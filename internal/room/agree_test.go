package room

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"sotto/internal/identity"
	"sotto/internal/wire"
	"sotto/mls"
)

// village is a room whose members each keep their own state, and judge whatever anybody
// commits.
type village struct {
	t       *testing.T
	r       *rand.Rand
	members []*member
	people  []*account // in the room or once in it
	valid   map[string]int
	refused map[string]int
}

// Members never disagree: whatever is committed, allowed or not, all of them say the same
// of it, and those who go on hold the same state after it.
func TestMembersAgree(t *testing.T) {
	steps := 120
	if testing.Short() {
		steps = 30
	}
	valid, refused := map[string]int{}, map[string]int{}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			v := &village{t: t, r: rand.New(rand.NewPCG(seed, 1)), valid: valid, refused: refused}
			for i := range 4 {
				v.people = append(v.people, newAccount(t, fmt.Sprintf("p%d", i)))
			}
			v.members = found(t, context(Group, v.people[0], v.people[1]), v.people...)
			for range steps {
				v.step()
				if len(v.members) < 3 { // too few left to disagree
					v.members = found(t, context(Group, v.people[0]), v.people[:4]...)
				}
			}
		})
	}
	t.Logf("%d kinds of valid, %d kinds of refused commits", len(valid), len(refused))
	if len(valid) < 6 || len(refused) < 8 {
		t.Errorf("only %d kinds of valid and %d of refused commits: the test is blind", len(valid), len(refused))
	}
}

// attempt is a commit that somebody tries: what it holds, and who comes in by it.
type attempt struct {
	name   string
	by     *member
	params mls.CommitParams
	proofs []Proof
	guest  *account
	device *identity.Keys
	pack   *mls.KeyPackageSecrets
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// add puts a device into the attempt, with what of its chain the group does not know.
func (v *village) add(a *attempt, who *account, k *identity.Keys) {
	a.guest, a.device, a.pack = who, k, who.pack(v.t, k)
	a.params.Proposals = append(a.params.Proposals, mls.AddProposal(a.pack.Public))
	from := 0
	if c := a.by.known[who.chain.ID()]; c != nil {
		from = c.Len()
	}
	if from < who.chain.Len() {
		a.proofs = append(a.proofs, who.proof(from))
	}
}

func (v *village) remove(a *attempt, m *member) {
	a.params.Proposals = append(a.params.Proposals, mls.RemoveProposal(a.by.leaf(m.keys)))
}

// others are the members but one.
func (v *village) others(m *member) []*member {
	return slices.DeleteFunc(slices.Clone(v.members), func(o *member) bool { return o == m })
}

// tries are the things somebody may try; each changes an attempt.
var tries = []struct {
	name string
	do   func(v *village, a *attempt)
}{
	{"update", func(v *village, a *attempt) { a.params.ForcePath = true }},
	{"add somebody", func(v *village, a *attempt) {
		who := newAccount(v.t, fmt.Sprintf("n%d", v.r.IntN(1000)))
		v.people = append(v.people, who)
		v.add(a, who, who.keys[0])
	}},
	{"add a device", func(v *village, a *attempt) {
		who := pick(v.r, v.members).acc
		v.add(a, who, who.link(v.t))
	}},
	{"add unproven", func(v *village, a *attempt) {
		who := newAccount(v.t, "unproven")
		v.add(a, who, who.keys[0])
		a.proofs = nil
	}},
	{"remove", func(v *village, a *attempt) { v.remove(a, pick(v.r, v.others(a.by))) }},
	{"let in again", func(v *village, a *attempt) {
		m := pick(v.r, v.others(a.by))
		v.remove(a, m)
		v.add(a, m.acc, m.keys)
	}},
	{"revoke and remove", func(v *village, a *attempt) {
		for _, m := range v.others(a.by) {
			if _, active := m.acc.chain.Device(m.keys.Name); active && m.keys != m.acc.keys[0] {
				from := a.by.known[m.acc.chain.ID()].Len()
				m.acc.revoke(v.t, m.keys)
				v.remove(a, m)
				a.proofs = append(a.proofs, m.acc.proof(from))
				return
			}
		}
		a.params.ForcePath = true
	}},
	{"show what is new of a chain", func(v *village, a *attempt) {
		who := pick(v.r, v.members).acc
		from := a.by.known[who.chain.ID()].Len()
		if from == who.chain.Len() && from < 20 {
			who.link(v.t)
		}
		a.params.ForcePath, a.proofs = true, append(a.proofs, who.proof(from))
	}},
	{"show a stranger's chain", func(v *village, a *attempt) {
		a.params.ForcePath, a.proofs = true, append(a.proofs, newAccount(v.t, "stranger").proof(0))
	}},
	{"show nothing", func(v *village, a *attempt) {
		a.params.ForcePath, a.proofs = true, append(a.proofs, Proof{Account: a.by.acc.chain.ID(), From: 1})
	}},
	{"hide a proof", func(v *village, a *attempt) {
		who := newAccount(v.t, "hidden")
		v.add(a, who, who.keys[0])
		a.params.AAD = []byte{1}
	}},
	{"rename", func(v *village, a *attempt) {
		c := a.by.context()
		c.Title = fmt.Sprint(v.r.IntN(1000))
		a.params.Proposals = append(a.params.Proposals, exts(c))
	}},
	{"change a role", func(v *village, a *attempt) {
		c := a.by.context().WithAdmin(pick(v.r, v.members).acc.chain.ID(), v.r.IntN(2) == 0)
		a.params.Proposals = append(a.params.Proposals, exts(c))
	}},
	{"change what is fixed", func(v *village, a *attempt) {
		c := a.by.context()
		pick(v.r, []func(){func() { c.Log[0]++ }, func() { c.Generation++ }, func() { c.Host = "b.org" }, func() { c.Key[0]++ },
			func() { c.TTL = 1 }, func() { c.Rules = 2 }, func() { c.Kind = Pair }})()
		a.params.Proposals = append(a.params.Proposals, exts(c))
	}},
	{"strip the context", func(v *village, a *attempt) {
		a.params.Proposals = append(a.params.Proposals, mls.GroupContextExtensionsProposal(a.by.context().Extensions()[v.r.IntN(2)+1:]))
	}},
	{"become another device", func(v *village, a *attempt) {
		cred := mls.BasicCredential(identity.CredentialOf(a.by.acc.chain, pick(v.r, v.members).keys.Name).Marshal())
		a.params.ForcePath, a.params.NewLeaf = true, &mls.NewLeaf{Credential: &cred}
	}},
	{"somebody leaves", func(v *village, a *attempt) {
		m := pick(v.r, v.others(a.by))
		v.propose(m, mls.RemoveProposal(a.by.leaf(m.keys)))
		a.params.Pending = true
	}},
	{"somebody is proposed to be removed", func(v *village, a *attempt) {
		m := pick(v.r, v.others(a.by))
		v.propose(m, mls.RemoveProposal(a.by.leaf(pick(v.r, v.others(m)).keys)))
		a.params.Pending = true
	}},
}

func (v *village) propose(by *member, p mls.Proposal) {
	v.t.Helper()
	for _, q := range by.group.Pending() {
		if q.Sender == by.group.OwnLeaf() && q.Proposal.Removed == p.Removed {
			return // an equal proposal is a repetition
		}
	}
	msg, err := by.group.Propose(p)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, m := range v.others(by) {
		if _, err := m.group.Open(msg); err != nil {
			v.t.Fatal(err)
		}
	}
}

// step lets somebody try one or two things at once.
func (v *village) step() {
	v.t.Helper()
	a := &attempt{by: pick(v.r, v.members)}
	for i := range 1 + v.r.IntN(4)/3 {
		x := pick(v.r, tries)
		if i > 0 && (a.guest != nil || len(a.params.Proposals) > 0 && x.name == "strip the context") {
			break
		}
		a.name += x.name + ", "
		x.do(v, a)
	}
	if len(v.members) > 9 { // admins are asked to make room
		v.remove(a, pick(v.r, v.others(a.by)))
	}
	s, err := a.by.commit(a.params, a.proofs...)
	if err != nil {
		return // no such commit can be made: two things that exclude each other
	}
	v.decide(a, s)
}

// decide has everybody judge a commit, and go on with it if it is valid.
func (v *village) decide(a *attempt, s *mls.StagedCommit) {
	v.t.Helper()
	staged := map[*member]*mls.StagedCommit{a.by: s}
	// Proofs and the rest come over the wire, for each member by itself.
	sealed := wire.Marshal(Inner{Message: s.Message(), Proofs: a.proofs})
	changes := map[*member]*Change{}
	var verdict error
	for i, m := range v.members {
		var inner Inner
		if err := wire.Unmarshal(sealed, &inner); err != nil {
			v.t.Fatal(err)
		}
		if m != a.by {
			r, err := m.group.Open(inner.Message)
			if err != nil {
				v.t.Fatalf("%s: member %d: %v", a.name, i, err)
			}
			staged[m] = r.Staged
		}
		c, err := Judge(m.group, m.known, staged[m], inner.Proofs)
		if i == 0 {
			verdict = err
		}
		if class(err) != class(verdict) || err != nil && !slices.Contains(classes, class(err)) {
			v.t.Fatalf("%s: member %d says %v, the first says %v", a.name, i, err, verdict)
		}
		changes[m] = c
	}
	if verdict != nil {
		v.refused[class(verdict).Error()+": "+a.name]++
		for _, x := range staged {
			x.Erase()
		}
		return
	}
	v.valid[a.name]++
	v.enact(a, staged, changes)
}

func (v *village) enact(a *attempt, staged map[*member]*mls.StagedCommit, changes map[*member]*Change) {
	v.t.Helper()
	var stay []*member
	welcomes := staged[a.by].Welcomes()
	swap, err := changes[a.by].Swap(staged[a.by], make([]wire.Secret, len(changes[a.by].Added)))
	if err != nil {
		v.t.Fatal(err)
	}
	did := &wire.Did{Next: swap.Next, Added: swap.Add, Ended: swap.End}
	for _, m := range v.members {
		if err := changes[m].CheckDid(staged[m], did); err != nil {
			v.t.Fatalf("%s: %v", a.name, err)
		}
		if err := m.group.Merge(staged[m]); err != nil {
			v.t.Fatal(err)
		}
		if changes[m].Own {
			continue
		}
		m.known = changes[m].Known
		stay = append(stay, m)
	}
	if a.guest != nil {
		m := a.by.welcome(a.guest, a.device, a.pack, welcomes[0])
		if _, err := Welcome(m.group, m.known, Owner{a.by.acc.chain.ID(), a.by.keys.Name}); err != nil {
			v.t.Fatalf("%s: the newcomer: %v", a.name, err)
		}
		stay = append(stay, m)
	}
	v.members = stay
	first := stay[0]
	for _, m := range stay[1:] {
		one, _ := Token(m.group, m.context().Log)
		two, _ := Token(first.group, first.context().Log)
		if one != two || !bytes.Equal(wire.Marshal(m.known.Proofs()), wire.Marshal(first.known.Proofs())) ||
			!bytes.Equal(wire.Marshal(m.context()), wire.Marshal(first.context())) {
			v.t.Fatalf("%s: two members hold different rooms", a.name)
		}
	}
}

// What a commit's validity depends on is the group, not the clock or the member: judged
// twice, and after a load of other work, the verdict is the same.
func TestJudgeIsPure(t *testing.T) {
	x := newCast(t, Group)
	s, err := x.a.commit(mls.CommitParams{Proposals: []mls.Proposal{mls.AddProposal(x.dan.pack(t, x.dan.keys[0]).Public)}}, x.dan.proof(0))
	if err != nil {
		t.Fatal(err)
	}
	r, err := x.b.group.Open(s.Message())
	if err != nil {
		t.Fatal(err)
	}
	before := wire.Marshal(x.b.known.Proofs())
	for range 3 {
		if _, err := Judge(x.b.group, x.b.known, r.Staged, []Proof{x.dan.proof(0)}); err != nil {
			t.Fatal(err)
		}
		if _, err := Judge(x.b.group, x.b.known, r.Staged, nil); class(err) != ErrJunk {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(before, wire.Marshal(x.b.known.Proofs())) || x.b.group.Epoch() != x.a.group.Epoch() {
		t.Error("judging changed something")
	}
}
