package server

import (
	"fmt"
	"testing"
	"time"

	"sotto/internal/wire"
)

func TestRegisterAndAuth(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	p := r.open("/v1/account")
	k := newKeys(t)
	g := k.Genesis(wire.Handle{Name: "bo", Host: r.host()}, time.Now())
	p.refused(wire.CodeInvitation, wire.OpRegister, wire.Register{Genesis: g})
	p.refused(wire.CodeInvitation, wire.OpRegister, wire.Register{Genesis: g, Invitation: "abcd-efgh-jkmn-pqrs"})
	made, _ := r.s.Invite(1, 0)
	codes := made.Codes
	p.refused(wire.CodeNoHandle, wire.OpRegister, wire.Register{Genesis: k.Genesis(wire.Handle{Name: "bo", Host: "elsewhere.org"}, time.Now()), Invitation: codes[0]})
	p.refused(wire.CodeHandleTaken, wire.OpRegister, wire.Register{Genesis: k.Genesis(wire.Handle{Name: "ana", Host: r.host()}, time.Now()), Invitation: codes[0]})
	p.refused(wire.CodeBadChain, wire.OpRegister, wire.Register{Genesis: g[:len(g)-1], Invitation: codes[0]})
	p.must(wire.OpRegister, wire.Register{Genesis: g, Invitation: codes[0]}, nil)
	p.must(wire.OpRegister, wire.Register{Genesis: g, Invitation: codes[0]}, nil) // its answer was lost
	p.refused(wire.CodeInvitation, wire.OpRegister, wire.Register{Genesis: newKeys(t).Genesis(wire.Handle{Name: "cy", Host: r.host()}, time.Now()), Invitation: codes[0]})

	bo := wire.Handle{Name: "bo", Host: r.host()}
	a := authOf(p, bo, k)
	wrong := a
	wrong.Signature = append([]byte{a.Signature[0] ^ 1}, a.Signature[1:]...)
	p.refused(wire.CodeNotAuthenticated, wire.OpAuth, wrong)
	p.refused(wire.CodeNotAuthenticated, wire.OpAuth, authOf(ana.peer, bo, k)) // another connection's nonce
	wrong = a
	wrong.Handle = ana.h.String()
	p.refused(wire.CodeNotAuthenticated, wire.OpAuth, wrong)
	p.refused(wire.CodeNotAuthenticated, wire.OpCreate, wire.Create{})
	p.must(wire.OpAuth, a, nil)
	p.refused(wire.CodeOrder, wire.OpAuth, a)
}

func TestStatementsAndRevocation(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	second := newKeys(t)
	s := ana.keys.AddDevice(ana.chain, second, time.Now())
	ana.refused(wire.CodeHeadMoved, wire.OpStatement, wire.Statement{Head: wire.Hash{1}, Signed: s})
	ana.refused(wire.CodeBadChain, wire.OpStatement, wire.Statement{Head: ana.chain.Head(), Signed: s[:len(s)-2]})
	add := wire.Statement{Head: ana.chain.Head(), Signed: s}
	ana.must(wire.OpStatement, add, nil)
	ana.must(wire.OpStatement, add, nil) // its answer was lost
	if err := ana.chain.Append(s); err != nil {
		t.Fatal(err)
	}
	p := r.open("/v1/account")
	p.must(wire.OpAuth, authOf(p, ana.h, second), nil)
	inbox, capability := random[wire.InboxName](), random[wire.Secret]()
	p.must(wire.OpPublish, wire.Publish{Suite: 1, OneTime: [][]byte{[]byte("kp")}, Inbox: &inbox, Capability: &capability}, &wire.KeyPackageCount{})

	x := r.open("/v1/log")
	x.must(wire.OpPut, wire.Put{Inbox: inbox, Capability: capability, Entry: []byte("come in")}, nil)

	moved := ana.keys.Move(ana.chain, wire.Handle{Name: "anna", Host: r.host()}, time.Now())
	ana.refused(wire.CodeBadChain, wire.OpStatement, wire.Statement{Head: ana.chain.Head(), Signed: moved})
	revoke := ana.keys.RevokeDevice(ana.chain, second.Name, time.Now())
	ana.must(wire.OpStatement, wire.Statement{Head: ana.chain.Head(), Signed: revoke}, nil)
	if _, err := p.read(); closeCode(err) != 1008 {
		t.Fatalf("the revoked device's connection: %v", err)
	}
	x.refused(wire.CodeCapability, wire.OpPut, wire.Put{Inbox: inbox, Capability: capability, Entry: []byte("come in")})
	if l, err := r.s.dir.Lookup("ana"); err != nil || len(l.Devices) != 0 || len(l.Chain) != 3 {
		t.Fatalf("%+v %v", l, err)
	}
	if c, err := r.s.dir.Claim("ana", wire.ClaimPackages{Suite: 1}, false); err != nil || len(c.Packages) != 0 {
		t.Fatalf("%+v %v", c, err)
	}
	q := r.open("/v1/account")
	q.refused(wire.CodeNotAuthenticated, wire.OpAuth, authOf(q, ana.h, second))
}

// TestWhoIsNoStranger: whom an inbox's owner has given a capability is not held back by how
// much comes from one address.
func TestWhoIsNoStranger(t *testing.T) {
	l := wide()
	l.PutsPerMinute = 2
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana, x := r.person("ana"), r.open("/v1/log")
	inbox, public, private := random[wire.InboxName](), random[wire.Secret](), random[wire.Secret]()
	ana.must(wire.OpPublish, wire.Publish{Inbox: &inbox, Capability: &public, Private: new(private.Hash())}, &wire.KeyPackageCount{})
	x.must(wire.OpPut, wire.Put{Inbox: inbox, Capability: public, Entry: []byte("one")}, nil)
	x.refused(wire.CodeCapability, wire.OpPut, wire.Put{Inbox: inbox, Capability: random[wire.Secret](), Entry: []byte("guessed")})
	for i := range 20 {
		x.must(wire.OpPut, wire.Put{Inbox: inbox, Capability: private, Entry: fmt.Append(nil, "known ", i)}, nil)
	}
	x.refused(wire.CodeSlowDown, wire.OpPut, wire.Put{Inbox: inbox, Capability: public, Entry: []byte("two")})
	x.refused(wire.CodeSlowDown, wire.OpPut, wire.Put{Inbox: inbox, Capability: random[wire.Secret](), Entry: []byte("guessed")})
}

func TestInbox(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana, x := r.person("ana"), r.open("/v1/log")
	ana.refused(wire.CodeCapability, wire.OpInbox, wire.InboxWatch{})
	ana.refused(wire.CodeCapability, wire.OpInboxAck, wire.InboxAck{})
	ana.refused(wire.CodeCapability, wire.OpCapability, wire.Capability{})
	inbox, public, private := random[wire.InboxName](), random[wire.Secret](), random[wire.Secret]()
	ana.refused(wire.CodeMalformed, wire.OpPublish, wire.Publish{Inbox: &inbox})
	ana.refused(wire.CodeMalformed, wire.OpPublish, wire.Publish{Private: new(private.Hash())})
	ana.refused(wire.CodeCapability, wire.OpPublish, wire.Publish{Capability: &public})
	ana.must(wire.OpPublish, wire.Publish{Inbox: &inbox, Capability: &public}, &wire.KeyPackageCount{})
	ana.must(wire.OpCapability, wire.Capability{Add: []wire.Hash{private.Hash()}}, nil)
	x.must(wire.OpPut, wire.Put{Inbox: inbox, Capability: public, Entry: []byte("one")}, nil)
	var state wire.InboxState
	ana.must(wire.OpInbox, wire.InboxWatch{}, &state)
	if state.Head != 1 {
		t.Fatalf("%+v", state)
	}
	var e wire.InboxEvent
	ana.event(wire.EventInbox, &e)
	x.must(wire.OpPut, wire.Put{Inbox: inbox, Capability: private, Entry: []byte("two")}, nil)
	ana.event(wire.EventInbox, &e)
	if e.Seq != 2 || string(e.Bytes) != "two" {
		t.Fatalf("%+v", e)
	}
	ana.refused(wire.CodePastHead, wire.OpInboxAck, wire.InboxAck{Through: 3})
	ana.must(wire.OpInboxAck, wire.InboxAck{Through: 2}, nil)
	x.refused(wire.CodeCapability, wire.OpPut, wire.Put{Inbox: inbox, Capability: random[wire.Secret](), Entry: []byte("three")})
	x.refused(wire.CodeTooLarge, wire.OpPut, wire.Put{Inbox: inbox, Capability: public, Entry: make([]byte, wire.MaxInboxEntry+1)})
	// A new public capability, without a word about the inbox.
	ana.must(wire.OpPublish, wire.Publish{Capability: &private}, &wire.KeyPackageCount{})
	x.refused(wire.CodeCapability, wire.OpPut, wire.Put{Inbox: inbox, Capability: public, Entry: []byte("four")})
	if l, _ := r.s.dir.Lookup("ana"); l.Devices[0].Capability != private || l.Devices[0].Inbox != inbox {
		t.Fatalf("%+v", l.Devices)
	}
}

func TestSuspendAndDelete(t *testing.T) {
	now := time.Now()
	r := start(t, Options{Now: func() time.Time { return now }}, ServeOptions{})
	ana := r.person("ana")
	if err := r.s.Suspend(ana.h.String(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := ana.read(); closeCode(err) != 1008 {
		t.Fatal(err)
	}
	p := r.open("/v1/account")
	p.refused(wire.CodeSuspended, wire.OpAuth, ana.auth(p))
	if err := r.s.Suspend(ana.h.String(), false); err != nil {
		t.Fatal(err)
	}
	p = r.again(ana)
	p.must(wire.OpDelete, wire.Done{}, nil)
	if _, err := p.read(); closeCode(err) != 1008 {
		t.Fatal(err)
	}
	if r.s.Status().Accounts != 0 {
		t.Fatal("the account is still counted")
	}
	register := func() error {
		q := r.open("/v1/account")
		made, _ := r.s.Invite(1, 0)
		codes := made.Codes
		return q.call(wire.OpRegister, wire.Register{Genesis: newKeys(t).Genesis(ana.h, now), Invitation: codes[0]}, nil)
	}
	if err := register(); wire.CodeOf(err) != wire.CodeHandleTaken {
		t.Fatal(err)
	}
	now = now.Add(366 * 24 * time.Hour)
	r.s.Tick(now)
	if err := register(); err != nil {
		t.Fatal(err)
	}
}

func TestQuotas(t *testing.T) {
	l := wide()
	l.LogsPerDay, l.BlobBytesPerDay = 2, 100
	now := time.Now()
	r := start(t, Options{Limits: l, Now: func() time.Time { return now }}, ServeOptions{})
	ana := r.person("ana")
	ana.room(1)
	ana.room(1)
	blob := func(n byte) wire.TicketRequest { return wire.TicketRequest{Size: 99, TTL: 60, Erase: wire.Hash{n}} }
	c := wire.Create{Log: random[wire.LogName](), TTL: 60, Cursors: []wire.NewCursor{{Tag: random[wire.Tag]()}}}
	ana.refused(wire.CodeQuota, wire.OpCreate, c)
	ana.must(wire.OpTicket, blob(1), &wire.Ticket{})
	ana.refused(wire.CodeQuota, wire.OpTicket, blob(2))
	now = now.Add(24 * time.Hour)
	ana.must(wire.OpCreate, c, &wire.Created{})
	ana.must(wire.OpTicket, blob(2), &wire.Ticket{})
}

// What is refused, and what comes again, costs nothing.
func TestQuotasAreFair(t *testing.T) {
	l := wide()
	l.LogsPerDay, l.BlobBytesPerDay = 2, 100
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	taken := random[wire.Secret]().Hash()
	good := func() wire.Create {
		return wire.Create{Log: random[wire.LogName](), TTL: 60, Cursors: []wire.NewCursor{{Hash: random[wire.Secret]().Hash()}}}
	}
	first := good()
	first.Cursors[0].Hash = taken
	ana.must(wire.OpCreate, first, &wire.Created{})
	long, none, shared, again := good(), good(), good(), first
	long.TTL, none.Cursors, shared.Cursors[0].Hash, again.TTL = 1<<40, nil, taken, 61
	for range 3 {
		ana.must(wire.OpCreate, first, &wire.Created{}) // its answer was lost
		ana.refused(wire.CodeMalformed, wire.OpCreate, long)
		ana.refused(wire.CodeMalformed, wire.OpCreate, none)
		ana.refused(wire.CodeCursors, wire.OpCreate, shared)
		ana.refused(wire.CodeLogExists, wire.OpCreate, again)
	}
	ana.must(wire.OpCreate, good(), &wire.Created{})
	ana.refused(wire.CodeQuota, wire.OpCreate, good())
	ana.must(wire.OpCreate, first, &wire.Created{})

	q := wire.TicketRequest{Size: 60, TTL: 60, Erase: taken}
	var one, two, other wire.Ticket
	ana.must(wire.OpTicket, q, &one)
	ana.must(wire.OpTicket, q, &two)
	if one.Blob != two.Blob || one.Ticket == two.Ticket {
		t.Fatalf("%x and %x", one, two)
	}
	for range 3 {
		ana.refused(wire.CodeTooLarge, wire.OpTicket, wire.TicketRequest{Size: wire.MaxBlob + 1, TTL: 60})
		ana.refused(wire.CodeTooLarge, wire.OpTicket, wire.TicketRequest{Size: 60, TTL: 1 << 40})
		ana.refused(wire.CodeMalformed, wire.OpTicket, wire.TicketRequest{Size: 60})
	}
	ana.must(wire.OpTicket, wire.TicketRequest{Size: 40, TTL: 60, Erase: taken}, &other)
	ana.refused(wire.CodeQuota, wire.OpTicket, wire.TicketRequest{Size: 1, TTL: 60})
	if other.Blob == one.Blob {
		t.Fatal("two blobs of one name")
	}
}

func TestKeyPackages(t *testing.T) {
	r := start(t, Options{}, ServeOptions{})
	ana := r.person("ana")
	pk := func(n int) (out [][]byte) {
		for i := range n {
			out = append(out, []byte{byte(i), byte(i >> 8)})
		}
		return out
	}
	var n wire.KeyPackageCount
	ana.must(wire.OpPublish, wire.Publish{Suite: 1, OneTime: pk(3), LastResort: []byte("last")}, &n)
	ana.must(wire.OpPublish, wire.Publish{Suite: 1, OneTime: pk(3)}, &n)
	if n.OneTime != 3 || !n.LastResort {
		t.Fatalf("%+v", n)
	}
	ana.refused(wire.CodeQuota, wire.OpPublish, wire.Publish{Suite: 2, OneTime: pk(98)})
	ana.refused(wire.CodeMalformed, wire.OpPublish, wire.Publish{OneTime: pk(1)})
	ana.refused(wire.CodeTooLarge, wire.OpPublish, wire.Publish{Suite: 1, LastResort: make([]byte, wire.MaxKeyPackage+1)})
	for i := range 4 {
		status, code, b := r.get("POST", "/v1/directory/ana/key-packages", nil, wire.Marshal(wire.ClaimPackages{Suite: 1}))
		var c wire.ClaimedPackages
		if err := wire.Unmarshal(b, &c); err != nil || status != 200 || len(c.Packages) != 1 {
			t.Fatal(status, code, err)
		}
		if c.Packages[0].LastResort != (i == 3) {
			t.Fatalf("claim %d: %+v", i, c)
		}
	}
	_, _, b := r.get("POST", "/v1/directory/ana/key-packages", nil, wire.Marshal(wire.ClaimPackages{Suite: 9}))
	var c wire.ClaimedPackages
	if err := wire.Unmarshal(b, &c); err != nil || len(c.Packages) != 0 {
		t.Fatal(err, c)
	}
}

// A target that is claimed from too often keeps its one-time packages for others.
func TestClaimsOfOneTarget(t *testing.T) {
	l := wide()
	l.ClaimsPerTargetHour = 1
	r := start(t, Options{Limits: l}, ServeOptions{})
	ana := r.person("ana")
	ana.must(wire.OpPublish, wire.Publish{Suite: 1, OneTime: [][]byte{{1}, {2}}, LastResort: []byte("last")}, &wire.KeyPackageCount{})
	for i := range 3 {
		_, _, b := r.get("POST", "/v1/directory/ana/key-packages", nil, wire.Marshal(wire.ClaimPackages{Suite: 1, Devices: []wire.DeviceName{ana.keys.Name, {1}}}))
		var c wire.ClaimedPackages
		if err := wire.Unmarshal(b, &c); err != nil || len(c.Packages) != 1 || c.Packages[0].LastResort != (i > 0) {
			t.Fatal(i, err, c)
		}
	}
}
