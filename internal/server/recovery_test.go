package server

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

func words(t *testing.T, n byte) *identity.RecoveryKeys {
	t.Helper()
	k, err := identity.NewRecoveryKeys([32]byte{n})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// states adds to a person's chain, at the server and here.
func (x *person) states(p *peer, signed []byte) {
	x.t.Helper()
	p.must(wire.OpStatement, wire.Statement{Head: x.chain.Head(), Signed: signed}, nil)
	if err := x.chain.Append(signed); err != nil {
		x.t.Fatal(err)
	}
}

// recovery is a new device that the recovery key adds, and the others that it revokes.
func (x *person) recovery(k *identity.RecoveryKeys, fresh *identity.Keys) wire.Recover {
	x.t.Helper()
	c := x.chain.Clone()
	q := wire.Recover{Handle: x.h.String(), Head: c.Head()}
	add := func(s []byte) {
		if err := c.Append(s); err != nil {
			x.t.Fatal(err)
		}
		q.Signed = append(q.Signed, s)
	}
	add(k.AddDevice(c, fresh, time.Now()))
	for _, d := range x.chain.ActiveDevices() {
		add(k.RevokeDevice(c, d.Name, time.Now()))
	}
	return q
}

func TestRecover(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, mine, other := r.person("ana"), words(t, 1), words(t, 2)
	second, fresh := newKeys(t), newKeys(t)
	ana.states(ana.peer, ana.keys.AddDevice(ana.chain, second, time.Now()))
	thief := r.open("/v1/account")
	thief.must(wire.OpAuth, authOf(thief, ana.h, second), nil)

	p := r.open("/v1/account")
	byDevice := wire.Recover{Handle: ana.h.String(), Head: ana.chain.Head(), Signed: [][]byte{ana.keys.AddDevice(ana.chain, fresh, time.Now())}}
	p.refused(wire.CodeBadChain, wire.OpRecover, byDevice)
	none := wire.Recover{Handle: ana.h.String(), Head: ana.chain.Head(), Signed: [][]byte{mine.AddDevice(ana.chain, fresh, time.Now())}}
	p.refused(wire.CodeBadChain, wire.OpRecover, none) // there is no recovery key
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, mine, time.Now()))

	good := ana.recovery(mine, fresh)
	edit := func(f func(q *wire.Recover)) wire.Recover {
		q := good
		q.Signed = slices.Clone(good.Signed)
		f(&q)
		return q
	}
	p.refused(wire.CodeMalformed, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed = [][]byte{} }))
	p.refused(wire.CodeMalformed, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed = make([][]byte, wire.MaxChain+1) }))
	p.refused(wire.CodeNoHandle, wire.OpRecover, edit(func(q *wire.Recover) { q.Handle = "bo@" + r.host() }))
	p.refused(wire.CodeNoHandle, wire.OpRecover, edit(func(q *wire.Recover) { q.Handle = "ana@elsewhere.org" }))
	p.refused(wire.CodeHeadMoved, wire.OpRecover, edit(func(q *wire.Recover) { q.Head = wire.Hash{1} }))
	p.refused(wire.CodeBadChain, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed[0] = other.AddDevice(ana.chain, fresh, time.Now()) }))
	p.refused(wire.CodeBadChain, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed[0] = q.Signed[1] }))
	p.refused(wire.CodeBadChain, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed[1], q.Signed[2] = q.Signed[2], q.Signed[1] }))
	p.refused(wire.CodeBadChain, wire.OpRecover, edit(func(q *wire.Recover) { q.Signed[2] = []byte("x") }))
	p.refused(wire.CodeNotAuthenticated, wire.OpRecord, wire.Record{Sealed: []byte("x")})
	p.refused(wire.CodeNotAuthenticated, wire.OpRecordGet, wire.Done{})
	ana.refused(wire.CodeOrder, wire.OpRecover, good)
	if a, err := r.s.dir.Account("ana"); err != nil || a.Chain.Len() != ana.chain.Len() {
		t.Fatal("a refused recovery left something", err)
	}

	p.must(wire.OpRecover, good, nil)
	p.must(wire.OpRecover, good, nil) // its answer was lost
	p.must(wire.OpAuth, authOf(p, ana.h, fresh), nil)
	for name, lost := range map[string]*peer{"the old device": ana.peer, "the thief": thief} {
		if _, err := lost.read(); closeCode(err) != 1008 {
			t.Errorf("the connection of %s: %v", name, err)
		}
	}
	q := r.open("/v1/account")
	q.refused(wire.CodeNotAuthenticated, wire.OpAuth, authOf(q, ana.h, second))
	if a, err := r.s.dir.Account("ana"); err != nil || len(a.Chain.ActiveDevices()) != 1 || a.Chain.ActiveDevices()[0].Name != fresh.Name {
		t.Fatal(err)
	}
}

// A suspended account is nobody's to recover, and words are not guessed at.
func TestRecoverIsMetered(t *testing.T) {
	l := wide()
	l.FailedAuthsPerMinute = 3
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana, mine := r.person("ana"), words(t, 1)
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, mine, time.Now()))
	good, bad := ana.recovery(mine, newKeys(t)), ana.recovery(mine, newKeys(t))
	bad.Signed[0] = words(t, 2).AddDevice(ana.chain, newKeys(t), time.Now())
	if err := r.s.Suspend(ana.h.String(), true); err != nil {
		t.Fatal(err)
	}
	p := r.open("/v1/account")
	p.refused(wire.CodeSuspended, wire.OpRecover, good)
	p.refused(wire.CodeSuspended, wire.OpRecover, bad)
	if err := r.s.Suspend(ana.h.String(), false); err != nil {
		t.Fatal(err)
	}
	p.refused(wire.CodeBadChain, wire.OpRecover, bad)
	p.refused(wire.CodeSlowDown, wire.OpRecover, bad)
	p.refused(wire.CodeSlowDown, wire.OpRecover, good)
}

func TestRecord(t *testing.T) {
	l := wide()
	l.BlobBytesPerDay = 2*wire.MaxRecord + 10
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	var got wire.Record
	ana.must(wire.OpRecordGet, wire.Done{}, &got)
	if got.Sealed != nil {
		t.Error("a record that nobody has put")
	}
	ana.refused(wire.CodeOrder, wire.OpRecord, wire.Record{Sealed: []byte("x")})
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, words(t, 1), time.Now()))
	ana.refused(wire.CodeMalformed, wire.OpRecord, wire.Record{})
	ana.refused(wire.CodeTooLarge, wire.OpRecord, wire.Record{Sealed: make([]byte, wire.MaxRecord+1)})
	whole := bytes.Repeat([]byte{7}, wire.MaxRecord)
	for _, sealed := range [][]byte{whole, []byte("two")} {
		ana.must(wire.OpRecord, wire.Record{Sealed: sealed}, nil)
		got = wire.Record{}
		r.again(ana).must(wire.OpRecordGet, wire.Done{}, &got)
		if !bytes.Equal(got.Sealed, sealed) {
			t.Errorf("%d bytes, not %d", len(got.Sealed), len(sealed))
		}
	}
	ana.must(wire.OpRecord, wire.Record{Sealed: whole}, nil)
	ana.refused(wire.CodeQuota, wire.OpRecord, wire.Record{Sealed: whole})
	ana.must(wire.OpDelete, wire.Done{}, nil)
	if b, err := r.s.dir.Record("ana"); err != nil || b != nil {
		t.Error("the record outlived its account", err)
	}
}

// Where the backup is stands beside the record: it is put in the place of what is named, so that
// two devices notice each other.
func TestBackupPointer(t *testing.T) {
	l := wide()
	l.BlobBytesPerDay = 5 * wire.MaxBackup
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	stands := func(want []byte) {
		t.Helper()
		var got wire.Backup
		r.again(ana).must(wire.OpBackup, wire.Backup{}, &got)
		if !bytes.Equal(got.Sealed, want) || got.Replaces != nil {
			t.Errorf("%d bytes stand there, not %d", len(got.Sealed), len(want))
		}
	}
	none := &wire.Hash{}
	one, two := bytes.Repeat([]byte{1}, wire.MaxBackup), bytes.Repeat([]byte{2}, wire.MaxBackup)
	hash := func(b []byte) *wire.Hash { h := wire.Hash(sha256.Sum256(b)); return &h }
	stands(nil)
	ana.refused(wire.CodeOrder, wire.OpBackup, wire.Backup{Sealed: one, Replaces: none})
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, words(t, 1), time.Now()))
	ana.refused(wire.CodeMalformed, wire.OpBackup, wire.Backup{Sealed: one})
	ana.refused(wire.CodeTooLarge, wire.OpBackup, wire.Backup{Sealed: append(one, 0), Replaces: none})
	ana.must(wire.OpBackup, wire.Backup{Sealed: one, Replaces: none}, &wire.Backup{})
	ana.must(wire.OpBackup, wire.Backup{Sealed: one, Replaces: none}, &wire.Backup{})
	stands(one)
	ana.refused(wire.CodeBackupMoved, wire.OpBackup, wire.Backup{Sealed: two, Replaces: none})
	ana.must(wire.OpBackup, wire.Backup{Sealed: two, Replaces: hash(one)}, &wire.Backup{})
	stands(two)
	ana.refused(wire.CodeQuota, wire.OpBackup, wire.Backup{Sealed: one, Replaces: hash(two)})
	ana.refused(wire.CodeBackupMoved, wire.OpBackup, wire.Backup{Replaces: hash(one)})
	ana.must(wire.OpBackup, wire.Backup{Replaces: hash(two)}, &wire.Backup{})
	stands(nil)
	ana.must(wire.OpDelete, wire.Done{}, nil)
	if b, err := r.s.dir.Backup("ana"); err != nil || b != nil {
		t.Error("the pointer outlived its account", err)
	}
}

// Statements of the recovery key go through a device's connection too, and only the recovery
// key replaces itself.
func TestRecoveryKeyStates(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, mine, next, thief := r.person("ana"), words(t, 1), words(t, 2), words(t, 3)
	second := newKeys(t)
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, mine, time.Now()))
	ana.states(ana.peer, ana.keys.AddDevice(ana.chain, second, time.Now()))
	p := r.open("/v1/account")
	p.must(wire.OpAuth, authOf(p, ana.h, second), nil)
	for name, s := range map[string][]byte{
		"by a device": second.SetRecovery(ana.chain, thief, time.Now()), "by itself": thief.Replace(ana.chain, thief, time.Now()),
	} {
		if err := p.call(wire.OpStatement, wire.Statement{Head: ana.chain.Head(), Signed: s}, nil); wire.CodeOf(err) != wire.CodeBadChain {
			t.Errorf("words replaced %s: %v", name, err)
		}
	}
	ana.states(ana.peer, mine.Replace(ana.chain, next, time.Now()))
	ana.states(ana.peer, next.RevokeDevice(ana.chain, second.Name, time.Now()))
	if _, err := p.read(); closeCode(err) != 1008 {
		t.Errorf("the connection of the revoked device: %v", err)
	}
	ana.refused(wire.CodeBadChain, wire.OpStatement, wire.Statement{Head: ana.chain.Head(), Signed: mine.RevokeDevice(ana.chain, ana.keys.Name, time.Now())})
}
