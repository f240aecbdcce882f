package sim

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mls"
)

// Mallory is a member who has stopped her program and does with its keys, with her state
// of the group and with her rights at the host what she likes. She reads the room on, so
// that she has the keys of every epoch until she is put out.
type Mallory struct {
	Attack MemberAttack
	Keys   *identity.Keys
	Chain  *identity.Chain
	Gen    store.Generation
	Group  *mls.Group
	Ctx    room.Context
	Known  room.Knowledge

	w       *World
	d       *Device
	rng     *rand.Rand
	rand    io.Reader
	stopped bool
	since   time.Time
	posts   []*talk // to other hosts, for letters
	host    *talk   // of the log
	account *talk   // at home, to make logs
	out     bool    // put out
	broken  bool    // nothing that counts comes in this log any more
	staged  *mls.StagedCommit
	proofs  []room.Proof
	hash    wire.Hash    // of the entry that holds staged
	heard   []wire.Entry // the last entries of others
	texts   []foreign    // the last messages of others
	swapped time.Time    // when she saw the last swap
}

// Turn makes the device a hostile member of one of its rooms, for a time; afterwards it
// is off for good. It answers nil when there is nothing to turn in.
func (d *Device) Turn(attack, to string, span time.Duration) *Mallory {
	w := d.w
	i := slices.IndexFunc(MemberAttacks, func(a MemberAttack) bool { return a.Name == attack })
	if i < 0 {
		w.T.Fatalf("there is no attack %q", attack)
	}
	if d.Client == nil || d.Asleep || d.mallory != nil {
		return nil
	}
	id, err := d.Client.Resolve(to)
	if err != nil {
		return nil
	}
	d.Stop()
	m := &Mallory{Attack: MemberAttacks[i], w: w, d: d, rng: w.Draws("mallory " + d.Name), rand: newReader(w, "mallory's keys "+d.Name)}
	if err := m.load(id); err != nil {
		d.Start()
		return nil
	}
	d.mallory, m.since = m, w.Now()
	w.attacks = append(w.attacks, m)
	w.Stats.Fault("member turned: " + attack)
	m.host = m.dial(m.Gen.Host, "/v1/log")
	d.tasks = append(d.tasks, w.Go(func() { m.Attack.Try(m) }))
	w.After(span, m.stop)
	return m
}

// stop ends what she does.
func (m *Mallory) stop() {
	if !m.stopped {
		m.stopped = true
		m.d.off()
	}
}

// over says whether her time is up, or nothing is left to attack.
func (m *Mallory) over() bool { return m.stopped || m.out || m.broken }

// load takes keys and group from her own disk.
func (m *Mallory) load(id room.ID) error {
	st, err := store.Open(store.Options{Path: "sotto.db", Key: sha256.Sum256([]byte(m.d.Name)), FS: m.d.disk})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.View(func(tx store.Tx) error {
		b, _, err := tx.Fact("keys")
		if err != nil {
			return err
		}
		if m.Keys, err = identity.ParseKeys(b); err != nil {
			return err
		}
		r, err := tx.Room(id)
		if err != nil || r == nil {
			return fmt.Errorf("no room: %w", err)
		}
		g, err := tx.Generation(id, r.Generation)
		if err != nil || g == nil {
			return fmt.Errorf("no generation: %w", err)
		}
		m.Gen = *g
		if m.Known, err = tx.Known(id, r.Generation); err != nil {
			return err
		}
		if m.Group, err = mls.LoadGroup(m.config(), tx.GroupReader(id, r.Generation)); err != nil {
			return err
		}
		m.Chain = m.Known[m.self()]
		m.Ctx, err = room.ContextOf(m.Group.ContextExtensions())
		return err
	})
}

func (m *Mallory) config() mls.Config {
	return mls.Config{
		Suite: m.Gen.Suite, Signer: m.Keys.Signature, Rand: m.rand, Now: m.w.Now, Supported: []uint16{room.ExtContext},
		AllowPublic: true, PSK: func(mls.PSKID) ([]byte, bool) { return make([]byte, 32), true },
	}
}

// self is her account.
func (m *Mallory) self() identity.ID {
	l, err := m.Known.LeafOf(m.Group.OwnLeaf(), m.Group.Member(m.Group.OwnLeaf()))
	if err != nil {
		return identity.ID{}
	}
	return l.Account
}

// leaf is the leaf of somebody's device, nil when they are not in the room.
func (m *Mallory) leaf(d *Device) *room.Leaf {
	for i, n := range m.Group.Members() {
		if l, err := m.Known.LeafOf(i, n); err == nil && m.Known[l.Account].Handle() == d.Handle {
			return &l
		}
	}
	return nil
}

// others are the leaves of everybody else, in order; admins only, or members only.
func (m *Mallory) others(admin bool) (out []room.Leaf) {
	for i, n := range m.Group.Members() {
		if l, err := m.Known.LeafOf(i, n); err == nil && i != m.Group.OwnLeaf() && m.Ctx.IsAdmin(l.Account) == admin {
			out = append(out, l)
		}
	}
	return out
}

// bytes are random ones.
func (m *Mallory) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = io.ReadFull(m.rand, b)
	return b
}

func (m *Mallory) secret() wire.Secret { return wire.Secret(m.bytes(32)) }

// tried counts an attempt at the host, and the host's refusal of it.
func (m *Mallory) tried(err error) {
	m.w.Stats.Count("attack tried: "+m.Attack.Name, 1)
	if err != nil {
		m.w.Stats.Count("attack refused: "+m.Attack.Name, 1)
	}
}

// noticed counts what people are told while somebody attacks.
func (w *World) noticed(kind string) {
	for _, m := range w.attacks {
		if slices.Contains(m.Attack.Told, kind) {
			w.Stats.Count("attack noticed: "+m.Attack.Name, 1)
		}
	}
}
