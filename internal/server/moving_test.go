package server

import (
	"path/filepath"
	"testing"
	"time"

	"sotto/internal/identity"
	"sotto/internal/wire"
)

// lookup is what a server says of a name.
func (r *rig) lookup(name string) wire.Lookup {
	r.t.Helper()
	l, err := r.s.dir.Lookup(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// An account moves from one server to another: what the new one demands, what the old one
// goes on doing, and what neither does.
func TestMove(t *testing.T) {
	closed := Options{Limits: wide()}
	a, b := start(t, Options{}, ServeOptions{}), start(t, closed, ServeOptions{})
	ana := a.person("ana")
	cap := wire.Secret{1}
	inbox := wire.InboxName{2}
	ana.must(wire.OpPublish, wire.Publish{Suite: 1, OneTime: [][]byte{[]byte("kp")}, LastResort: []byte("last"), Inbox: &inbox, Capability: &cap}, new(wire.KeyPackageCount))
	words := words(t, 1)
	ana.states(ana.peer, ana.keys.SetRecovery(ana.chain, words, time.Now()))
	ana.must(wire.OpRecord, wire.Record{Sealed: []byte("sealed")}, nil)
	there := wire.Handle{Name: "ana", Host: b.host()}
	id := wire.Hash(ana.chain.ID())

	p := b.open("/v1/account")
	p.refused(wire.CodeInvitation, wire.OpReserve, wire.Reserve{Handle: there.String(), Account: id})
	p.refused(wire.CodeNoHandle, wire.OpReserve, wire.Reserve{Handle: ana.h.String(), Account: id})
	codes, err := b.s.Invite(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	q := wire.Reserve{Handle: there.String(), Account: id, Invitation: codes.Codes[0]}
	p.must(wire.OpReserve, q, nil)
	p.must(wire.OpReserve, q, nil) // the answer was lost
	p.refused(wire.CodeHandleTaken, wire.OpReserve, wire.Reserve{Handle: there.String(), Account: wire.Hash{9}, Invitation: codes.Codes[1]})
	other := newKeys(t).Genesis(there, time.Now())
	p.refused(wire.CodeHandleTaken, wire.OpRegister, wire.Register{Genesis: other, Invitation: codes.Codes[1]})

	// Mallory cannot move her: nobody but her devices signs.
	forged := newKeys(t).Move(ana.chain, there, time.Now())
	p.refused(wire.CodeBadChain, wire.OpEnter, wire.Enter{Signed: append(append([][]byte{}, ana.chain.Statements(0)...), forged)})
	p.refused(wire.CodeNoHandle, wire.OpEnter, wire.Enter{Signed: ana.chain.Statements(0)})

	move := ana.keys.Move(ana.chain, there, time.Now())
	phone := newKeys(t)
	ana.states(ana.peer, ana.keys.AddDevice(ana.chain, phone, time.Now()))
	ana.refused(wire.CodeHeadMoved, wire.OpStatement, wire.Statement{Head: identity.HashStatement([]byte("x")), Signed: move})
	move = ana.keys.Move(ana.chain, there, time.Now())
	ana.states(ana.peer, move)
	p.must(wire.OpEnter, wire.Enter{Signed: ana.chain.Statements(0)}, nil)
	p.must(wire.OpEnter, wire.Enter{Signed: ana.chain.Statements(0)}, nil)
	b.lookup("ana")

	// The old server forwards: the chain, and no device.
	if l := a.lookup("ana"); len(l.Chain) != ana.chain.Len() || len(l.Devices) != 0 {
		t.Errorf("%d statements, %d devices", len(l.Chain), len(l.Devices))
	}
	if claimed, err := a.s.dir.Claim("ana", wire.ClaimPackages{Suite: 1}, false); err != nil || len(claimed.Packages) != 0 {
		t.Errorf("%v %v", claimed, err)
	}
	back := a.open("/v1/account")
	back.must(wire.OpAuth, authOf(back, ana.h, ana.keys), nil)
	for op, body := range map[wire.Op]any{
		wire.OpPublish: wire.Publish{Inbox: &inbox, Capability: &cap}, wire.OpInvite: wire.Invite{}, wire.OpCapability: wire.Capability{},
		wire.OpCreate: wire.Create{Log: wire.LogName{1}, Cursors: []wire.NewCursor{{}}}, wire.OpTicket: wire.TicketRequest{Size: 1, TTL: 60},
		wire.OpRecord: wire.Record{Sealed: []byte("x")}, wire.OpMeet: wire.Done{},
	} {
		back.refused(wire.CodeMoved, op, body)
	}
	var state wire.InboxState
	back.must(wire.OpInbox, wire.InboxWatch{}, &state)
	var record wire.Record
	back.must(wire.OpRecordGet, wire.Done{}, &record)
	if string(record.Sealed) != "sealed" {
		t.Error("the record went before a device let it go")
	}
	back.must(wire.OpLeave, wire.Leave{Record: true, Inbox: true}, nil)
	record = wire.Record{}
	back.must(wire.OpRecordGet, wire.Done{}, &record)
	back.refused(wire.CodeCapability, wire.OpInbox, wire.InboxWatch{})
	if record.Sealed != nil {
		t.Error("the record is still there")
	}
	if here, moved := a.s.dir.Accounts(); here != 0 || moved != 1 {
		t.Errorf("%d here, %d moved", here, moved)
	}
	g := newKeys(t).Genesis(ana.h, time.Now())
	back.refused(wire.CodeHandleTaken, wire.OpRegister, wire.Register{Genesis: g}) // the handle is hers

	// Back to where it was, without any right but her own; an old move does nothing again.
	old := ana.chain.Statements(0)
	home := a.open("/v1/account")
	home.must(wire.OpReserve, wire.Reserve{Handle: ana.h.String(), Account: id}, nil)
	now := b.open("/v1/account")
	now.must(wire.OpAuth, authOf(now, there, ana.keys), nil)
	ana.states(now, ana.keys.Move(ana.chain, ana.h, time.Now()))
	home.must(wire.OpEnter, wire.Enter{Signed: ana.chain.Statements(0)}, nil)
	p.must(wire.OpEnter, wire.Enter{Signed: old}, nil)
	if l := b.lookup("ana"); len(l.Chain) != ana.chain.Len() {
		t.Error("an old move was taken again")
	}
	again := a.open("/v1/account")
	again.must(wire.OpAuth, authOf(again, ana.h, ana.keys), nil)
	again.must(wire.OpPublish, wire.Publish{Inbox: &inbox, Capability: &cap}, new(wire.KeyPackageCount))
	if here, moved := a.s.dir.Accounts(); here != 1 || moved != 0 {
		t.Errorf("%d here, %d moved", here, moved)
	}
}

// What an account left behind goes 30 days later, all but where it went.
func TestMovedIsEmptied(t *testing.T) {
	now := time.Now()
	a := start(t, Options{Now: func() time.Time { return now }}, ServeOptions{})
	ana := a.person("ana")
	cap, inbox := wire.Secret{1}, wire.InboxName{2}
	ana.must(wire.OpPublish, wire.Publish{Inbox: &inbox, Capability: &cap}, new(wire.KeyPackageCount))
	ana.states(ana.peer, ana.keys.Move(ana.chain, wire.Handle{Name: "ana", Host: "elsewhere.org"}, now))
	held := func() bool {
		_, ok, err := a.s.inboxes.Of(append(append([]byte{}, idBytes(ana.chain.ID())...), ana.keys.Name[:]...))
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	now = now.Add(wire.MovedTime - time.Hour)
	a.s.Tick(now)
	if !held() {
		t.Error("the inbox went too soon")
	}
	now = now.Add(2 * time.Hour)
	a.s.Tick(now)
	if held() {
		t.Error("the inbox stays")
	}
	if l := a.lookup("ana"); len(l.Chain) != 2 {
		t.Errorf("%d statements", len(l.Chain))
	}
}

func idBytes(id identity.ID) []byte { return id[:] }

// A handle is kept for seven days.
func TestReservationEnds(t *testing.T) {
	now := time.Now()
	a := start(t, Options{Open: true, Now: func() time.Time { return now }}, ServeOptions{})
	p := a.open("/v1/account")
	h := wire.Handle{Name: "ana", Host: a.host()}
	p.must(wire.OpReserve, wire.Reserve{Handle: h.String(), Account: wire.Hash{1}}, nil)
	now = now.Add(wire.ReserveTime + time.Minute)
	p.must(wire.OpReserve, wire.Reserve{Handle: h.String(), Account: wire.Hash{2}}, nil)
	now = now.Add(wire.ReserveTime + time.Minute)
	a.s.Tick(now)
	p.must(wire.OpRegister, wire.Register{Genesis: newKeys(t).Genesis(h, now)}, nil)
}

// The operator says when the server is switched off: everybody there hears it, and newcomers
// when they come; after the day nothing begins there.
func TestRetire(t *testing.T) {
	now := time.Now()
	dir := filepath.Join(t.TempDir(), "data")
	a := start(t, Options{Open: true, Dir: dir, Now: func() time.Time { return now }}, ServeOptions{})
	ana, log := a.person("ana"), a.open("/v1/log")
	on := now.Add(24 * time.Hour).Truncate(time.Millisecond)
	if err := a.s.Retire(now, ""); wire.CodeOf(err) != wire.CodeMalformed {
		t.Error(err)
	}
	if err := a.s.Retire(on, "two\nlines"); wire.CodeOf(err) != wire.CodeMalformed {
		t.Error(err)
	}
	if err := a.s.Retire(on, "the house is sold"); err != nil {
		t.Fatal(err)
	}
	heard := func(p *peer) (r wire.Retiring) {
		t.Helper()
		p.event(wire.EventRetiring, &r)
		return r
	}
	want := wire.Retiring{On: uint64(on.UnixMilli()), Reason: "the house is sold"}
	for _, p := range []*peer{ana.peer, log} {
		if got := heard(p); got != want {
			t.Errorf("%+v", got)
		}
	}
	late := a.open("/v1/account")
	if late.hello.Retiring == nil || *late.hello.Retiring != want {
		t.Errorf("%+v", late.hello)
	}
	if st := a.s.Status(); st.Retiring == "" || st.Accounts != 1 {
		t.Errorf("%+v", st)
	}
	create := wire.Create{Log: wire.LogName{1}, Cursors: []wire.NewCursor{{Tag: wire.Tag{1}, Hash: wire.Hash{1}}}}
	ana.must(wire.OpCreate, create, new(wire.Created))
	now = on
	create.Log[0]++
	create.Cursors[0].Hash[0]++
	ana.refused(wire.CodeRetired, wire.OpCreate, create)
	late.refused(wire.CodeRetired, wire.OpRegister, wire.Register{Genesis: newKeys(t).Genesis(wire.Handle{Name: "bo", Host: a.host()}, now)})
	late.refused(wire.CodeRetired, wire.OpReserve, wire.Reserve{Handle: "bo@" + a.host()})
	a.stop()
	b := start(t, Options{Open: true, Dir: dir, Now: func() time.Time { return now }}, ServeOptions{})
	if r := b.s.dir.Retiring(); r == nil || *r != want {
		t.Fatalf("%+v", r)
	}
	if err := b.s.Retire(time.Time{}, ""); err != nil || b.s.dir.Retiring() != nil {
		t.Fatal(err)
	}
}
