package play

import (
	"crypto/sha256"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mimi"
)

// offerOf is an offer such as a device makes.
func offerOf(id byte, nonce wire.Secret) room.Offer {
	return room.Offer{Call: room.CallID{id}, SDP: SDP("mallory"), Commitment: sha256.Sum256(nonce[:])}
}

// A server keeps an offer back: when it comes out with it, it is too late to ring.
func TestOfferKeptBack(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	kept := between.keep()
	v := ana.calls(bo.Handle)
	ana.until(v.ID, "is in the log", func(client.Call) bool { return kept.count() > 0 })
	ana.Sync() // she has read it there, too
	w.Clock.Advance(62 * time.Second)
	ana.over(v.ID, client.EndMissed)
	rang := false
	bo.Client.Subscribe(func(e client.Event) { rang = rang || e.Call != nil && e.Call.Rings })
	kept.release(0)
	bo.over(v.ID, client.EndMissed)
	bo.tells(ana.Handle, "call.missed")
	if rang {
		t.Error("it rang")
	}
}

// A server that names another time for an offer that it has kept back is found out by the
// sender's own.
func TestOfferGivenAnotherTime(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	kept := between.keep()
	v := ana.calls(bo.Handle)
	ana.until(v.ID, "is in the log", func(client.Call) bool { return kept.count() > 0 })
	ana.Away() // she does not end it
	w.Clock.Advance(11 * time.Minute)
	kept.release(uint64(w.Clock.Now().UnixMilli()))
	bo.Eventually("it is read", func() bool { return bo.call(v.ID).ID == v.ID }, func() any { return nil })
	if got := bo.call(v.ID); got.Rings || got.Stage != client.StageOver {
		t.Fatalf("%+v", got)
	}
}

// A server shows an old offer again. Its place in the log is taken, and its key is used up.
func TestOfferReplayed(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	var offer *wire.EntryEvent
	between.Down(func(p *Passing) {
		p.entry(func(e *wire.EntryEvent) {
			if c := *e; offer == nil {
				offer = &c
			}
		})
	})
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	if err := bo.Client.EndCall(v.ID, client.EndDeclined); err != nil {
		t.Fatal(err)
	}
	bo.over(v.ID, client.EndDeclined)
	between.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { e.Entry.Bytes = offer.Entry.Bytes }) })
	ana.Write(bo.Handle, "in the place of which the offer comes again")
	bo.Told(client.NoticeFork)
	if got := bo.call(v.ID); got.Stage != client.StageOver || got.End != client.EndDeclined {
		t.Fatalf("%+v", got)
	}
	if live := must(bo.Client.Calls()); len(live) != 0 {
		t.Fatalf("%+v", live)
	}
}

// A member puts an offer into the log that was there before, under the name of the same call: it
// is no call again.
func TestOfferTwice(t *testing.T) {
	w, mal, bo := pairOf(t)
	m := mal.Turn(bo.Handle)
	m.say(room.PayloadOffer, offerOf(7, wire.Secret{1}))
	bo.rings(room.CallID{7})
	m.say(room.PayloadEnd, room.End{Call: room.CallID{7}, Reason: room.EndHungUp})
	bo.over(room.CallID{7}, client.EndMissed)
	w.Clock.Advance(2 * time.Minute)
	m.say(room.PayloadOffer, offerOf(7, wire.Secret{2}))
	m.say(room.PayloadOffer, offerOf(8, wire.Secret{2}))
	bo.rings(room.CallID{8})
	if got := bo.call(room.CallID{7}); got.Stage != client.StageOver {
		t.Fatalf("%+v", got)
	}
}

// A server keeps the end of a call from Bo. His ring ends all the same.
func TestEndKeptBack(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	v := ana.calls(bo.Handle)
	bo.rings(v.ID)
	ana.until(v.ID, "rings there", func(v client.Call) bool { return v.Stage == client.StageRinging })
	kept := between.keep()
	if err := ana.Client.EndCall(v.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	ana.over(v.ID, client.EndMissed)
	w.Clock.Advance(62 * time.Second)
	bo.until(v.ID, "rings no more", func(v client.Call) bool { return !v.Rings && v.Stage == client.StageOver })
	w.Clock.Advance(20 * time.Second)
	bo.over(v.ID, client.EndMissed)
	bo.tells(ana.Handle, "call.missed")
	kept.release(0)
	bo.Sync()
	bo.tells(ana.Handle, "call.missed") // once
}

// Who is blocked rings nothing, and leaves nothing.
func TestBlockedCalls(t *testing.T) {
	_, mal, bo := pairOf(t)
	v := mal.calls(bo.Handle)
	bo.rings(v.ID)
	if err := bo.Client.Block(mal.Handle); err != nil {
		t.Fatal(err)
	}
	bo.until(v.ID, "ends with the block", func(v client.Call) bool { return v.Stage == client.StageOver })
	mal.until(v.ID, "ends there too", func(v client.Call) bool { return v.Stage == client.StageOver })
	mal.Sync()
	again := mal.calls(bo.Handle)
	mal.Sync()
	bo.Sync()
	if got := bo.call(again.ID); got.ID != (room.CallID{}) {
		t.Fatalf("%+v", got)
	}
	if live := must(bo.Client.Calls()); len(live) != 0 {
		t.Fatalf("%+v", live)
	}
}

// A stranger's call does not ring while they wait: their room is not even read. When they are
// accepted it is a missed call.
func TestStrangerCalls(t *testing.T) {
	w := New(t)
	cy, bo := w.Person("cy"), w.Person("bo")
	cy.Send(bo.Handle, "hello")
	v := cy.calls(bo.Handle)
	cy.Sync()
	bo.Sync()
	bo.hearsNoCall()
	w.Clock.Advance(61 * time.Second)
	cy.over(v.ID, client.EndMissed)
	cy.Sync()
	accept(t, bo, cy.Handle)
	bo.over(v.ID, client.EndMissed)
	bo.tells(cy.Handle, "call.missed")
}

// Bo lets only those ring with whom he has compared numbers. Ana's call is missed, and says why,
// until he has.
func TestOnlyComparedRing(t *testing.T) {
	_, ana, bo := pairOf(t)
	if err := bo.Client.SetSettings(func(s *client.Settings) { s.CallsFrom = client.CallsCompared }); err != nil {
		t.Fatal(err)
	}
	v := ana.calls(bo.Handle)
	bo.Eventually("it is read", func() bool { return bo.call(v.ID).ID == v.ID }, func() any { return nil })
	if got := bo.call(v.ID); got.Rings || got.Stage != client.StageOver {
		t.Fatalf("%+v", got)
	}
	if err := ana.Client.EndCall(v.ID, client.EndHungUp); err != nil {
		t.Fatal(err)
	}
	bo.over(v.ID, client.EndMissed)
	bo.tells(ana.Handle, "call.missed.uncompared")
	if only := must(bo.Client.RelayedOnly(bo.Room(ana.Handle).ID)); !only {
		t.Error("his address is shown before numbers are compared")
	}
	if err := bo.Client.SetCompared(must(ana.Client.Self()).Account, true); err != nil {
		t.Fatal(err)
	}
	again := ana.calls(bo.Handle)
	bo.rings(again.ID)
	if only := must(bo.Client.RelayedOnly(bo.Room(ana.Handle).ID)); only {
		t.Error("only by a relay after numbers were compared")
	}
}

// In a room of more people nobody is called: there it says nothing.
func TestGroupOffer(t *testing.T) {
	w := New(t)
	mal, bo := w.Person("mal"), w.Person("bo")
	group(t, "club", mal, bo)
	m := mal.Turn("club")
	m.say(room.PayloadOffer, offerOf(9, wire.Secret{1}))
	bo.Sync()
	bo.hearsNoCall()
	if _, err := bo.Client.StartCall(client.NewCall{Room: bo.Room("club").ID, SDP: SDP("bo")}); err != client.ErrCallAlone {
		t.Errorf("calling a group: %v", err)
	}
}

// talkingWith is a call between Mallory, who has stopped her client, and Bo, who has answered.
func talkingWith(t *testing.T, mal, bo *Person, nonce wire.Secret) (m *Mallory, call room.CallID) {
	m, call = mal.Turn(bo.Handle), room.CallID{3}
	o := offerOf(3, nonce)
	m.say(room.PayloadOffer, o)
	bo.rings(call)
	if _, err := bo.answers(call); err != nil {
		t.Fatal(err)
	}
	return m, call
}

// answer is the body of the answer in a log, which only Mallory's own group can open.
func (m *Mallory) answer(call room.CallID) []byte {
	m.t.Helper()
	got, err := m.Raw.Call(wire.OpRead, wire.Read{Secret: m.Gen.Secret, After: m.Gen.Seq, Limit: 1 << 20})
	if err != nil {
		m.t.Fatal(err)
	}
	var a wire.ReadAnswer
	if err := wire.Unmarshal(got.Body, &a); err != nil {
		m.t.Fatal(err)
	}
	for _, e := range a.Entries {
		inner, err := room.OpenEntry(m.Group, m.Gen.Log, e.Bytes)
		if err != nil {
			continue
		}
		msg, err := m.Group.Open(inner.Message)
		if err != nil {
			continue
		}
		if p, err := room.ParsePayload(msg.Plaintext); err == nil && p.Kind == room.PayloadAnswer {
			return p.Body
		}
	}
	m.t.Fatalf("no answer among %d entries", len(a.Entries))
	return nil
}

// Mallory opens another nonce than she had committed to: she has chosen it when she knew Bo's, so
// that the words come out as she likes. The call ends, and Bo is told.
func TestAnotherNonce(t *testing.T) {
	_, mal, bo := pairOf(t)
	m, call := talkingWith(t, mal, bo, wire.Secret{1})
	m.say(room.PayloadTaken, room.Taken{Call: call, Nonce: wire.Secret{2}, Answer: sha256.Sum256(m.answer(call))})
	bo.over(call, client.EndFailed)
	bo.Told(client.NoticeIdentity)
}

// In the middle of a call a renewal names another DTLS key. The call ends, and Bo is told.
func TestSwappedFingerprint(t *testing.T) {
	_, mal, bo := pairOf(t)
	nonce := wire.Secret{1}
	m, call := talkingWith(t, mal, bo, nonce)
	m.say(room.PayloadTaken, room.Taken{Call: call, Nonce: nonce, Answer: sha256.Sum256(m.answer(call))})
	words := bo.talks(call).Words
	m.say(room.PayloadRenewal, room.Renewal{Call: call, Round: 1, SDP: SDP("mallory")})
	bo.Eventually("the first round", func() bool { return must(bo.Client.Media(call)).Round == 1 }, func() any { return nil })
	m.say(room.PayloadRenewal, room.Renewal{Call: call, Round: 2, SDP: SDP("somebody else")})
	bo.over(call, client.EndFailed)
	bo.Told(client.NoticeIdentity)
	if len(words) != 2 {
		t.Fatal(words)
	}
}

// A server changes a byte of an offer: it says nothing any more, and that is noticed.
func TestOfferChanged(t *testing.T) {
	w := New(t)
	ana := w.Person("ana")
	bo, between := w.Watched("bo", w.Home)
	friends(t, ana, bo)
	between.Down(func(p *Passing) { p.entry(func(e *wire.EntryEvent) { e.Entry.Bytes[40] ^= 1 }) })
	ana.calls(bo.Handle)
	bo.Told(client.NoticeFork)
	if live := must(bo.Client.Calls()); len(live) != 0 {
		t.Fatalf("%+v", live)
	}
}

// Mallory calls again and again. What that leaves behind is bounded, and so is what rings.
func TestFloodOfCalls(t *testing.T) {
	_, mal, bo := pairOf(t)
	m := mal.Turn(bo.Handle)
	for i := range 50 {
		m.say(room.PayloadOffer, offerOf(byte(i+1), wire.Secret{1}))
		m.say(room.PayloadEnd, room.End{Call: room.CallID{byte(i + 1)}, Reason: room.EndHungUp})
	}
	bo.over(room.CallID{1}, client.EndMissed)
	bo.Sync()
	if past := must(bo.Client.CallsPast(nil, 200)); len(past) == 0 || len(past) > 31 {
		t.Fatalf("%d calls", len(past))
	}
	if live := must(bo.Client.Calls()); len(live) != 0 {
		t.Fatalf("%+v", live)
	}
	for _, junk := range [][]byte{nil, {0xa0}, wire.Marshal(room.Offer{Call: room.CallID{1}}), wire.Marshal(room.End{Call: room.CallID{1}, Reason: 99})} {
		for kind := room.PayloadOffer; kind <= room.PayloadEnd; kind++ {
			m.sayBytes(kind, junk)
		}
	}
	m.sayBytes(room.PayloadContent, must(must(mimi.NewText(rnd, "still here")).Marshal()))
	bo.Eventually("goes on", func() bool { return bo.Room(mal.Handle).Unseen > 0 }, func() any { return nil })
}
