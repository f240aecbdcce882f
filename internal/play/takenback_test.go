package play

import (
	"context"
	"encoding/base32"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/internal/client"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Tests of messages that are changed, taken back or over before everybody has them.

// longAgo is a conversation of ana's and bo's in which both have read "one".
func longAgo(t *testing.T, w *World) (ana, bo *device) {
	ana, bo = w.device("ana"), w.device("bo")
	ana.Send(bo.Handle, "one")
	accept(t, bo.Person, ana.Handle)
	bo.Reads(ana.Handle, "one")
	for _, p := range []*device{ana, bo} {
		p.Sync()
	}
	return ana, bo
}

// stored waits until the host has a message.
func (p *Person) stored(id messageID) {
	p.w.T.Helper()
	p.Eventually("is stored", func() bool { return p.message(id).State == store.Stored && p.message(id).Pos != 0 }, func() any { return p.message(id).State })
}

// What bo has mended before ana had it is lost with the host: sent again, it is the same
// message, and mended. When she has it bo's device keeps nothing of how it was.
func TestMendedAndSentAgain(t *testing.T) {
	w := New(t)
	ana, bo := longAgo(t, w)
	ana.Away()
	var first messageID
	w.Home.goesBack(func() {
		first = bo.Send(ana.Handle, "a stork before it is mended").ID
		bo.stored(first)
		bo.stored(bo.Compose(ana.Handle, client.Edit(first, "an egret, almost")).ID)
		bo.stored(bo.Compose(ana.Handle, client.Edit(first, "an egret")).ID)
		bo.Sync()
		bo.Away()
	})
	ana.Back()
	bo.Back()
	for _, p := range []*Person{ana.Person, bo.Person} {
		p.Reads(other(p, ana.Person, bo.Person).Handle, "one", "an egret", "", "an egret")
		if m := p.message(first); m.Flags&store.FlagEdited == 0 || m.Text != "an egret" {
			t.Errorf("%s sees %q, flags %b", p.Name, m.Text, m.Flags)
		}
		p.notTold(client.NoticeJunk, client.NoticeCopy)
	}
	for _, p := range []*device{ana, bo} {
		p.forgets("a stork before it is mended")
		p.forgets("an egret, almost")
	}
}

// What bo has taken back before ana had it is not sent again.
func TestTakenBackIsNotSentAgain(t *testing.T) {
	w := New(t)
	ana, bo := longAgo(t, w)
	ana.Away()
	var first messageID
	w.Home.goesBack(func() {
		first = bo.Send(ana.Handle, "a heron that is taken back").ID
		bo.stored(first)
		bo.stored(bo.Compose(ana.Handle, client.Edit(first, "a heron, mended")).ID)
		bo.stored(bo.Compose(ana.Handle, client.Delete(first)).ID)
		bo.Sync()
		bo.Away()
	})
	ana.Back()
	bo.Back()
	bo.Send(ana.Handle, "two")
	ana.Reads(bo.Handle, "one", "", "two") // the deletion of what she never had
	if m := must(ana.Client.Message(first)); m != nil {
		t.Errorf("ana got %q", m.Text)
	}
	bo.forgets("a heron that is taken back")
	bo.forgets("a heron, mended")
}

// What is taken back, or is over, before it could be sent is in no file any more, and never
// leaves: neither it nor what it was mended to.
func TestOverBeforeItWasSent(t *testing.T) {
	for name, over := range map[string]func(w *World, bo *device, to string){
		"taken back": func(w *World, bo *device, to string) {
			m := bo.Compose(to, client.Text("a heron"))
			bo.Compose(to, client.Edit(m.ID, "another heron"))
			bo.Compose(to, client.Delete(m.ID))
		},
		"expired": func(w *World, bo *device, to string) {
			m := bo.Compose(to, client.Expiring(client.Text("a heron"), w.Clock.Now().Add(time.Hour)))
			bo.Compose(to, client.Edit(m.ID, "another heron"))
			w.Clock.Advance(time.Hour)
		},
	} {
		for _, sealed := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "", true: ", sealed"}[sealed], func(t *testing.T) {
				w := New(t)
				ana, bo := w.device("ana"), w.Nobody("bo", w.Home)
				b := &device{bo, faultfs.New(1)}
				bo.onDisk(b.disk)
				between := bo.Between()
				bo.Open()
				if err := bo.Client.CreateAccount(patient(t), bo.Handle, ""); err != nil {
					t.Fatal(err)
				}
				ana.Send(bo.Handle, "one")
				accept(t, bo, ana.Handle)
				bo.Reads(ana.Handle, "one")
				bo.Sync()
				ana.Sync()
				if sealed { // what is sealed then is never answered
					between.Up(func(p *Passing) { p.Drop = p.Op == wire.OpAppend })
				} else {
					w.Home.Stop()
					bo.Eventually("its server is missed", func() bool { return bo.Client.Unreachable(w.Home.Name) }, func() any { return nil })
				}
				over(w, b, ana.Handle)
				b.forgets("a heron")
				b.forgets("another heron")
				if sealed {
					between.Anew("/v1/log")
				} else {
					w.Home.Start()
				}
				bo.Send(ana.Handle, "two")
				ana.Eventually("has two", func() bool { return slices.Contains(ana.allTexts(), "two") }, func() any { return ana.allTexts() })
				if got := slices.DeleteFunc(ana.allTexts(), func(s string) bool { return s == "" }); !slices.Equal(got, []string{"one", "two"}) {
					t.Errorf("ana reads %q", got)
				}
				for _, p := range []*Person{ana.Person, bo} {
					p.notTold(client.NoticeJunk, client.NoticeCopy, client.NoticeFork)
				}
			})
		}
	}
}

// An edit goes with what it edits: when that is taken back, when it has expired, and when it
// has vanished after it was read.
func TestEditGoesWithItsMessage(t *testing.T) {
	w := New(t)
	ana, bo := longAgo(t, w)
	both := func(f func(d *device)) {
		for _, d := range []*device{ana, bo} {
			f(d)
		}
	}
	mended := func(what client.Compose, text string) messageID {
		id := ana.Compose(bo.Handle, what).ID
		ana.Compose(bo.Handle, client.Edit(id, text))
		both(func(d *device) {
			d.Eventually("has "+text, func() bool { return slices.Contains(d.allTexts(), text) }, func() any { return d.allTexts() })
			d.Sync()
			if len(d.knows(text)) == 0 {
				t.Fatalf("%s does not know %q: the test is blind", d.Name, text)
			}
		})
		return id
	}
	ana.Compose(bo.Handle, client.Delete(mended(client.Text("a heron"), "a bittern that is taken back")))
	both(func(d *device) { d.forgets("a bittern that is taken back") })

	mended(client.Expiring(client.Text("an ibis"), w.Clock.Now().Add(time.Hour)), "a spoonbill until noon")
	w.Clock.Advance(time.Hour)
	both(func(d *device) { d.forgets("a spoonbill until noon") })

	w.Clock.Advance(2 * time.Second)
	act(t, ana.Person, "sets the time", func(ctx context.Context) error {
		return ana.Client.SetDisappear(ctx, bo.Handle, time.Minute)
	})
	bo.Sync()
	mended(client.Text("a crane"), "a limpkin for a minute")
	if err := bo.Client.Seen(must(bo.Client.Messages(nil, 0, 1<<20))); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	both(func(d *device) { d.forgets("a limpkin for a minute") })
}

// What vanishes after it was read does not vanish before it could be sent.
func TestVanishingWaitsForItsHost(t *testing.T) {
	w := New(t)
	far := w.Host()
	ana, bo := w.PersonAt("ana", far), w.Person("bo")
	group(t, "club", ana, bo)
	act(t, ana, "sets the time", func(ctx context.Context) error { return ana.Client.SetDisappear(ctx, "club", time.Minute) })
	ana.Sync()
	bo.Sync()
	far.Stop()
	bo.Eventually("its server is missed", func() bool { return bo.Client.Unreachable(far.Name) }, func() any { return nil })
	bo.Write("club", "from the train")
	w.Clock.Advance(10 * time.Minute)
	bo.Reads("club", "from the train")
	far.Start()
	w.Clock.Advance(time.Minute)
	ana.Reads("club", "from the train")
	bo.Later("it vanishes", 10*time.Second, func() bool {
		return len(bo.Texts("club")) == 0
	}, func() any { return bo.Texts("club") })
	ana.Reads("club", "from the train") // not seen yet
}

// What has expired does not come again, and an edit of it says nothing.
func TestExpiredStaysGone(t *testing.T) {
	w := New(t)
	ana, bo, mal, _ := club(t, w, "one")
	m := mal.Turn("club")
	c := good(mimi.NewText(rnd, "until noon"))
	if err := c.ExpireAt(w.Clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	m.Post(room.PayloadContent, good(c.Marshal()))
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "one", "until noon")
	}
	w.Clock.Advance(time.Hour + time.Minute)
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "one")
	}
	id := good(c.MessageID("sotto:a/"+base32of(m.self()), "sotto:r/"+base32of(m.Ctx.Room)))
	m.Post(room.PayloadContent, good(c.Marshal()))
	m.Post(room.PayloadContent, body(mimi.NewEdit(rnd, id, "still until noon")))
	ana.Send("club", "two")
	for _, p := range []*Person{ana, bo} {
		p.Reads("club", "one", "two")
		p.notTold(client.NoticeJunk)
	}
}

func base32of(b [32]byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// What bo takes back while his host has it and does not say so is in the log when he reads on:
// he knows it for his own, and it is taken back for everybody.
func TestTakenBackOnItsWay(t *testing.T) {
	f := newFaithless(t)
	f.Down(func(p *Passing) { p.Drop = p.event(wire.EventEntry) || p.Answer && p.Op == wire.OpAppend })
	m := f.bo.Write(f.ana.Handle, "on its way")
	f.ana.Reads(f.bo.Handle, "hi", "on its way")
	f.bo.Compose(f.ana.Handle, client.Delete(m.ID))
	f.said = append(f.said, "", "")
	f.Anew("/v1/log")
	f.works()
	f.bo.notTold(client.NoticeCopy, client.NoticeFork, client.NoticeMoved)
	if got := f.bo.message(m.ID); got.Pos == 0 || got.Flags&store.FlagDeleted == 0 || got.State < store.Stored || got.State > store.Read {
		t.Errorf("bo's message: %v, flags %b, place %d", got.State, got.Flags, got.Pos)
	}
}
